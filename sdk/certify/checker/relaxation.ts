// One linear relaxation for the checker: a lower bound of sign * g on l-inf, l2 and l1 balls, or on the part of an l-inf
// ball inside the image domain. With planes p_i t + q_i r that touch psi = r h(t / r) at the centre's cosines a_i,
//   g(x) >= sum w_i (p_i t_i + q_i r0) - delta ||V + B x0 / r0||_* - [B < 0] |B| max ||D||^2 / (2 r0) - sum |w_i| G_i,
// V = sum w_i p_i x_i / R_i, B = sum w_i q_i, the last sum over terms with w_i < 0, whose plane lies below psi by at most
//   G_i = max of r phi(s / r), phi(z) = h(a + z) - h(a) - p z >= 0, s = t - a r.
// phi is convex and phi(0) = 0, so r phi(s / r) falls with r and is largest at an end of s: at the smallest r, or where
// the cosine a + s / r reaches +-1. Not here: Theorem 4.2 (theorem.ts), the quadratic form (quadratic.ts).
import type { Norm } from "../method.js";
import { h, halfOf, hPrime } from "./functions.js";
import {
  add,
  div,
  down,
  type Interval,
  IntervalTotal,
  interval,
  mul,
  neg,
  PI,
  point,
  size,
  sqrt,
  square,
  sub,
  up,
} from "./interval.js";
import { type CheckedInput, rowAt } from "./terms.js";
import type { Lower } from "./theorem.js";

const UNIT = 2 ** -53;

/** Cosines nearer to +-1 are moved there: the slope stays finite, and a plane may touch anywhere. */
const EDGE = 1e-6;

/** h(1). */
const TWO_PI = interval(2 * PI.lo, 2 * PI.hi);

/** What a ball is: raw units, and the largest raw entry of the domain (Infinity without one). */
export interface Region {
  readonly norm: Norm;
  readonly reach: Interval;
  readonly top: number;
}

/** The box inside the domain at column k: how far down and up an entry may move. */
export function roomAt(start: number, { reach, top }: Region): readonly [number, number] {
  if (top === Infinity) return [reach.hi, reach.hi];
  return [Math.min(reach.hi, Math.max(0, start)), Math.min(reach.hi, Math.max(0, up(top - start)))];
}

/** max ||D||_2^2 over the region. */
export function largestSquare({ start }: CheckedInput, region: Region): Interval {
  const reach = square(region.reach);
  if (region.norm !== "linf") return reach;
  if (region.top === Infinity) return mul(point(start.length), reach);
  const total = new IntervalTotal();
  for (const entry of start) {
    const most = Math.max(...roomAt(entry, region));
    total.add(square(point(most)));
  }
  return total.value;
}

/** sum of factors[i] x_i, entry by entry, and what may be missing: rounding, and the factors' own widths. */
export function combine(input: CheckedInput, factors: readonly (Interval | undefined)[]) {
  const { rows } = input.own;
  const sum = new Float64Array(rows.d);
  const error = new Float64Array(rows.d);
  const gamma = (factors.length + 4) * UNIT * (1 + 1e-9);
  factors.forEach((factor, i) => {
    if (factor === undefined) return;
    const middle = factor.lo + (factor.hi - factor.lo) / 2;
    const width = Math.max(up(factor.hi - middle), up(middle - factor.lo));
    const allowed = up(up(gamma * Math.abs(middle)) + up(width * (1 + 1e-9)));
    const row = rowAt(rows, i);
    for (let k = 0; k < row.length; k++) {
      const entry = row[k] as number;
      if (entry === 0) continue;
      sum[k] = (sum[k] as number) + middle * entry;
      error[k] = (error[k] as number) + allowed * Math.abs(entry);
    }
  });
  return { sum, error: error.map((value) => up(value * (1 + 2 * gamma))) };
}

/** The dual norm of a vector of intervals, as a number above it; within the domain what a box can spend, per reach. */
function spent({ start }: CheckedInput, gradient: readonly Interval[], region: Region): number {
  const total = new IntervalTotal();
  let most = 0;
  gradient.forEach((slope, k) => {
    const own = size(slope);
    most = Math.max(most, own);
    if (region.norm === "l2") total.add(square(slope));
    else if (region.norm === "linf") {
      const [below, above] = roomAt(start[k] as number, region);
      total.add(point(Math.max(up(slope.hi * below), up(-slope.lo * above), 0)));
    }
  });
  if (region.norm === "l1") return up(most * region.reach.hi);
  if (region.norm === "l2") return up(sqrt(total.value).hi * region.reach.hi);
  return total.value.hi;
}

/** ||x_i / R_i - a x0 / r0||_*, as a number above it; the unit vectors are at most sqrt(d) long in any of the norms. */
export function spreadAbove({ own, start, startNorm }: CheckedInput, i: number, a: number, norm: Norm): number {
  const row = rowAt(own.rows, i);
  const length = own.lengths[i] as Interval;
  const [alpha, beta] = [1 / length.lo, a / startNorm.lo];
  let sum = 0;
  let most = 0;
  for (let k = 0; k < row.length; k++) {
    const own = Math.abs(alpha * (row[k] as number) - beta * (start[k] as number));
    sum += norm === "l2" ? own * own : own;
    most = Math.max(most, own);
  }
  const value = norm === "linf" ? sum : norm === "l2" ? Math.sqrt(sum) : most;
  const blur = 8 * UNIT + (length.hi - length.lo) / length.lo + (startNorm.hi - startNorm.lo) / startNorm.lo;
  const slack = (row.length + 8) * UNIT * value + 4 * blur * Math.sqrt(row.length);
  return up(up(value + up(slack * (1 + 1e-6))));
}

/** r phi(s / r) at its largest for this end of s: a number above it. */
function bracket(a: number, slope: Interval, level: Interval, s: number, shortest: number): number {
  const end = point(s);
  const u = add(point(a), div(end, point(shortest)));

  if (u.hi >= 1) {
    const ray = mul(div(end, sub(point(1), point(a))), sub(TWO_PI, level));
    return size(sub(ray, mul(slope, end)));
  }
  if (u.lo <= -1) {
    const ray = mul(div(neg(end), add(point(1), point(a))), neg(level));
    return size(sub(ray, mul(slope, end)));
  }
  const rise = mul(point(shortest), sub(h(halfOf(u)), level));
  return Math.max(0, sub(rise, mul(slope, end)).hi);
}

/** The bound on the region, -Infinity where the ball may hold the origin. */
export function relaxationLower(input: CheckedInput, sign: number, region: Region): Lower {
  const { own, startNorm, weights, dots } = input;
  const { machine, rows, lengths } = own;
  const far = largestSquare(input, region);
  const shortest = down(startNorm.lo - sqrt(far).hi);
  if (!(shortest > 0)) return { bound: point(-Infinity), size: 0 };
  const second = div(far, add(startNorm, startNorm)).hi;
  const centre = new IntervalTotal();
  const radial = new IntervalTotal();
  const gaps = new IntervalTotal();
  centre.add(point(sign * machine.bias));
  const factors = Array.from({ length: rows.n }, (_, i) => {
    const length = lengths[i] as Interval;
    const plain = weights[i] as Interval;
    if (!(length.lo > 0) || (plain.lo === 0 && plain.hi === 0)) return undefined;
    const w = sign > 0 ? plain : neg(plain);
    const t = div(dots[i] as Interval, length);
    const a = Math.max(EDGE - 1, Math.min(1 - EDGE, t.lo / startNorm.lo));
    const v = halfOf(point(a));
    const [slope, level] = [hPrime(v), h(v)];
    const q = sub(level, mul(point(a), slope));
    centre.add(mul(w, add(mul(slope, t), mul(q, startNorm))));
    radial.add(mul(w, q));
    if (w.lo < 0) {
      const from = sub(t, mul(point(a), startNorm));
      const spread = up(spreadAbove(input, i, a, region.norm) * region.reach.hi);
      const curve = up(Math.abs(a) * second);
      const high = up(up(from.hi + spread) + (a < 0 ? curve : 0));
      const low = down(down(from.lo - spread) - (a > 0 ? curve : 0));
      const gap = Math.max(bracket(a, slope, level, high, shortest), bracket(a, slope, level, low, shortest));
      gaps.add(point(up(-w.lo * gap)));
    }
    return div(mul(w, slope), length);
  });
  const { sum, error } = combine(input, factors);
  const climb = div(radial.value, startNorm);
  const gradient = Array.from(sum, (value, k) => {
    const allowed = error[k] as number;
    const slope = interval(down(value - allowed), up(value + allowed));
    return add(slope, mul(climb, point(input.start[k] as number)));
  });
  const bend = up(Math.max(0, -radial.value.lo) * second);
  const cost = up(up(spent(input, gradient, region) + bend) + gaps.value.hi);
  return { bound: sub(centre.value, point(cost)), size: centre.size + gaps.size };
}
