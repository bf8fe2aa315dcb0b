// Theorem 4.2 for the checker: a lower bound of sign * g on an l-inf ball in which every term takes its own worst end;
// and for deeper kernels the same through the recursion. Written from the paper. Not here: other bounds (relaxation.ts).
import { isTwoLayer } from "../method.js";
import { clampHalf, cosine, halfOf, hRange, kappa0, kappa1 } from "./functions.js";
import {
  add,
  div,
  type Interval,
  IntervalTotal,
  interval,
  mul,
  neg,
  ONE,
  point,
  sqrt,
  square,
  sub,
} from "./interval.js";
import { type CheckedInput, shortfall } from "./terms.js";

/** A bound, and the sum of its terms' absolute values: what roundings are measured in. */
export interface Lower {
  readonly bound: Interval;
  readonly size: number;
}

/** Ranges over a ball that all terms share: e = sqrt(d) delta, and r in [short, long]. */
interface Ball {
  readonly e: Interval;
  readonly short: Interval;
  readonly long: Interval;
}

function ballOf({ own, startNorm }: CheckedInput, reach: Interval): Ball {
  const e = mul(sqrt(point(own.rows.d)), reach);
  const rest = sub(startNorm, e);
  return { e, short: interval(Math.max(0, rest.lo), Math.max(0, rest.hi)), long: add(startNorm, e) };
}

const half = (a: Interval): Interval => interval(a.lo / 2, a.hi / 2);

/** v = (1 - u) / 2 at the largest and at the smallest cosine that the ball's ranges allow for row i. */
function cosineRange(input: CheckedInput, i: number, { e, short, long }: Ball): [near: Interval, far: Interval] {
  const t = div(input.dots[i] as Interval, input.own.lengths[i] as Interval);
  const p = shortfall(input, i);
  const wide = add(e, e);
  const low = sub(t, e);
  const high = add(t, e);
  const open = !(short.lo > 0);
  let far = point(1);
  // 1 - (t - e) / (r0 + e) = (p + 2 e) / (r0 + e), and of the other end likewise.
  if (low.lo >= 0) far = clampHalf(half(div(add(p, wide), long)));
  else if (!open) far = halfOf(div(low, short));
  let near = point(0);
  if (high.hi < 0) near = halfOf(div(high, long));
  else if (!open) near = clampHalf(half(div(sub(p, wide), short)));
  return [near, far];
}

/** The smallest of w r k over r in [short, long] and k in [least, most]. */
function worst(w: Interval, range: Interval, { short, long }: Ball): Interval {
  const lower = (value: number) => mul(point(value), value >= 0 ? short : long);
  const upper = (value: number) => mul(point(value), value >= 0 ? long : short);
  const [low, high] = [mul(w, lower(range.lo)), mul(w, upper(range.hi))];
  if (w.lo >= 0) return low;
  if (w.hi <= 0) return high;
  return interval(Math.min(low.lo, high.lo), Math.max(low.hi, high.hi));
}

/** The leaky ReLU's shares A = s / h of a line and B = (1 - s)^2 / (2 h) of the ReLU, h = (1 + s^2) / 2. */
function unitShares(slope: number): readonly [Interval, Interval] {
  const s = point(slope);
  const twice = add(ONE, square(s));
  return [div(add(s, s), twice), div(square(sub(ONE, s)), twice)];
}

/** k over the cosines between v = near and v = far, through the layers (Section 3.1, without biases). */
function deepRange(input: CheckedInput, near: Interval, far: Interval): Interval {
  const { kind, depth, slope = 0 } = input.own.kernel;
  const [line, bend] = unitShares(slope);
  let [from, to] = [far, near];
  let [low, high] = [cosine(far), cosine(near)];
  for (let layer = 0; layer < depth; layer++) {
    let angles = interval(Math.max(0, kappa0(from).lo), kappa0(to).hi);
    let own = interval(Math.max(0, kappa1(from).lo), Math.min(1, kappa1(to).hi));
    if (slope > 0) {
      angles = add(line, mul(bend, angles));
      const sum = add(mul(line, interval(cosine(from).lo, cosine(to).hi)), mul(bend, own));
      own = interval(Math.max(-1, sum.lo), Math.min(1, sum.hi));
    }
    const least = kind === "ntk" ? add(mul(point(low.lo), angles), point(own.lo)) : point(own.lo);
    const most = kind === "ntk" ? add(mul(point(high.hi), angles), point(own.hi)) : point(own.hi);
    [low, high] = [least, most];
    [from, to] = [halfOf(point(own.lo)), halfOf(point(own.hi))];
  }
  return interval(low.lo, high.hi);
}

/** Theorem 4.2: sign * g on the l-inf ball of radius `reach` (raw units). */
export function theoremLower(input: CheckedInput, sign: number, reach: Interval): Lower {
  const ball = ballOf(input, reach);
  const { machine, kernel, rows, lengths } = input.own;
  const shallow = isTwoLayer(kernel);
  const total = new IntervalTotal();
  total.add(point(sign * machine.bias));
  for (let i = 0; i < rows.n; i++) {
    const weight = input.weights[i] as Interval;
    if (!((lengths[i] as Interval).lo > 0) || (weight.lo === 0 && weight.hi === 0)) continue;
    const [near, far] = cosineRange(input, i, ball);
    const range = shallow ? hRange(near, far) : deepRange(input, near, far);
    total.add(worst(sign > 0 ? weight : neg(weight), range, ball));
  }
  return { bound: total.value, size: total.size };
}

/** g itself between its ends, and the sizes of its terms: Theorem 4.2 on a ball of radius 0, from both sides. */
export function outputEnds(input: CheckedInput): Interval & { readonly size: number } {
  const { bound, size } = theoremLower(input, 1, point(0));
  return { lo: bound.lo, hi: -theoremLower(input, -1, point(0)).bound.lo, size };
}
