// The kernel's functions for the checker, by their power series and in intervals: h and its derivatives, and the
// arc-cosine functions of deeper kernels. Arguments are v = (1 - u) / 2, in which nothing is lost where the cosine u is
// near 1. Not here: the core's own polynomials (assembly/math/), which these check.
import { add, div, down, type Interval, interval, mul, ONE, PI, point, sqrt, square, sub, up } from "./interval.js";

/** Terms of the series of arcsin, for arguments up to 1/2. */
const TERMS = 27;

/** (2k)! / (4^k k!^2 (2k + 1)), each between two doubles. */
const SERIES: readonly Interval[] = (() => {
  const list: Interval[] = [];
  let central = ONE;
  for (let k = 0; k <= TERMS; k++) {
    list.push(div(central, point(2 * k + 1)));
    central = div(mul(central, point(2 * k + 1)), point(2 * k + 2));
  }
  return list;
})();

/** arcsin z for 0 <= z <= 1/2 (and a little more): all terms are positive, so each end is summed by itself. */
function arcsin(z: Interval): Interval {
  if (!(z.lo >= 0 && z.hi <= 0.5001)) throw new RangeError(`arcsin: expected [0, 1/2], got [${z.lo}, ${z.hi}]`);
  const low = down(z.lo * z.lo);
  const high = up(z.hi * z.hi);
  // The tail is below its first term times 1 / (1 - z^2) < 1.34.
  let lo = 0;
  let hi = up(1.34 * (SERIES[TERMS]?.hi ?? 1));
  for (let k = TERMS - 1; k >= 0; k--) {
    lo = Math.max(0, down(down(lo * Math.max(0, low)) + (SERIES[k]?.lo ?? 0)));
    hi = up(up(hi * high) + (SERIES[k]?.hi ?? 1));
  }
  return interval(Math.max(0, down(lo * z.lo)), up(hi * z.hi));
}

const TWO = point(2);
const HALF_PI = interval(PI.lo / 2, PI.hi / 2);

/** pi - arccos(1 - 2 v) at one number v in [0, 1]. */
function angleAt(v: number): Interval {
  if (v <= 0.25) return sub(PI, mul(TWO, arcsin(sqrt(point(v)))));
  if (v >= 0.75) return mul(TWO, arcsin(sqrt(point(1 - v))));
  // 1 - 2 v and 1 - v are exact here.
  const u = 1 - 2 * v;
  const own = arcsin(point(Math.abs(u)));
  return u >= 0 ? add(HALF_PI, own) : sub(HALF_PI, own);
}

/** v within [0, 1], where every real cosine has it. */
export const clampHalf = (v: Interval): Interval =>
  interval(Math.min(1, Math.max(0, v.lo)), Math.min(1, Math.max(0, v.hi)));

/** v = (1 - u) / 2. */
export function halfOf(u: Interval): Interval {
  // Differences of numbers within a factor of 2 are exact (Sterbenz).
  const rest = u.lo >= 0.5 && u.hi <= 1 ? interval(1 - u.hi, 1 - u.lo) : sub(ONE, u);
  return clampHalf(interval(rest.lo / 2, rest.hi / 2));
}

/** pi - arccos u: falls with v. */
export function angle(v: Interval): Interval {
  const low = angleAt(v.hi);
  return v.hi === v.lo ? low : interval(low.lo, angleAt(v.lo).hi);
}

export const cosine = (v: Interval): Interval => sub(ONE, interval(2 * v.lo, 2 * v.hi));

/** sqrt(1 - u^2) = 2 sqrt(v (1 - v)). */
export const sine = (v: Interval): Interval => mul(TWO, sqrt(mul(v, sub(ONE, v))));

/** h(u) = 2 u (pi - arccos u) + sqrt(1 - u^2). */
export const h = (v: Interval): Interval => add(mul(mul(TWO, cosine(v)), angle(v)), sine(v));

/** h'(u) = 2 (pi - arccos u) + u / sqrt(1 - u^2), for u inside (-1, 1). */
export const hPrime = (v: Interval): Interval => add(mul(TWO, angle(v)), div(cosine(v), sine(v)));

/** h''(u) = 2 / sqrt(1 - u^2) + (1 - u^2)^(-3/2), for u inside (-1, 1). */
export function hSecond(v: Interval): Interval {
  const s = sine(v);
  return add(div(TWO, s), div(ONE, mul(s, square(s))));
}

/** About where h is smallest: the zero of h' by bisection. */
const LOWEST = (() => {
  let [from, to] = [-0.9, -0.7];
  for (let k = 0; k < 60; k++) {
    const middle = (from + to) / 2;
    if (hPrime(halfOf(point(middle))).lo > 0) to = middle;
    else from = middle;
  }
  return to;
})();

/** h is convex, so it is nowhere below its tangent, which is level near its minimum. */
const MINIMUM = (() => {
  const v = halfOf(point(LOWEST));
  const slope = hPrime(v);
  return down(h(v).lo - 2 * Math.max(Math.abs(slope.lo), Math.abs(slope.hi)));
})();

/** Smallest and largest h on the cosines whose v lie in [from, to], as numbers below and above. */
export function hRange(from: Interval, to: Interval): Interval {
  const [near, far] = [h(from), h(to)];
  // h falls in v up to its minimum.
  const left = hPrimeSign(to) > 0;
  const right = hPrimeSign(from) < 0;
  return interval(left ? far.lo : right ? near.lo : Math.min(near.lo, far.lo, MINIMUM), Math.max(near.hi, far.hi));
}

/** The sign of h' at v where it is sure, 0 where it is not. */
function hPrimeSign(v: Interval): number {
  if (v.hi < 0.8) return 1;
  if (v.hi > 0.9999) return v.lo > 0.95 ? -1 : 0;
  const slope = hPrime(v);
  return slope.lo > 0 ? 1 : slope.hi < 0 ? -1 : 0;
}

/** kappa_0(u) = (pi - arccos u) / pi. */
export const kappa0 = (v: Interval): Interval => div(angle(v), PI);

/** kappa_1(u) = (sqrt(1 - u^2) + u (pi - arccos u)) / pi, which rises from 0 to 1. */
export const kappa1 = (v: Interval): Interval => div(add(sine(v), mul(cosine(v), angle(v))), PI);
