// A parabola below or above h on an interval of cosines, for the checker: what quadratic.ts puts in place of each kernel
// term. With q(u) = 2 (h(u) - h(a) - h'(a) (u - a)) / (u - a)^2, h is h(a) + h'(a) (u - a) + q(u) (u - a)^2 / 2, so that a
// curvature <= q (>= q) on the interval lies below (above) h. q(u) is a mean of h'' over [a, u] with weights 2 (1 - s):
// convex as h'' is, so that its largest value is at an end; between 0 and 1 it rises and between -1 and 0 it falls, so that
// there its smallest is at an end too; and everywhere q(u) >= h''(a + (u - a) / 3) >= 3, by Jensen.
// Not here: the sum over terms.
import { h, halfOf, hPrime, hSecond } from "./functions.js";
import { add, div, type Interval, interval, mul, point, sub } from "./interval.js";

/** Cosines nearer to +-1 are moved there: slopes stay finite, and a parabola may touch anywhere. */
const EDGE = 1e-6;

/** alpha + beta u + gamma u^2 / 2, with gamma a number. */
export interface Parabola {
  readonly alpha: Interval;
  readonly beta: Interval;
  readonly gamma: number;
}

interface Touch {
  readonly a: number;
  readonly value: Interval;
  readonly slope: Interval;
}

/** h'' at a cosine; too near the ends, where it is infinite, only that it is at least 3. */
const bend = (u: number): Interval =>
  Math.abs(u) < 1 - 1e-12 ? hSecond(halfOf(point(u))) : interval(3, Number.POSITIVE_INFINITY);

/** q at u by differences: wide where u is near a. */
function quotient({ a, value, slope }: Touch, u: number): Interval {
  const step = sub(point(u), point(a));
  const square = mul(step, step);
  if (!(square.lo > 0)) return interval(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  const rise = sub(sub(h(halfOf(point(u))), value), mul(slope, step));
  return div(add(rise, rise), square);
}

/** At least q on [low, high]. */
function mostCurved(touch: Touch, low: number, high: number): number {
  const at = (u: number) => {
    const ends = Math.max(bend(touch.a).hi, bend(u).hi);
    return Math.min(ends, quotient(touch, u).hi);
  };
  return Math.max(at(low), at(high));
}

/** At most q on [low, high]. */
function leastCurved(touch: Touch, low: number, high: number): number {
  const { a } = touch;
  const third = (u: number) => add(point(a), div(sub(point(u), point(a)), point(3)));
  let least = 3;
  const [from, to] = [third(low).lo, third(high).hi];
  if (from > 0) least = Math.max(least, bend(from).lo);
  if (to < 0) least = Math.max(least, bend(to).lo);
  if (low >= 0) least = Math.max(least, quotient(touch, low).lo);
  if (high <= 0) least = Math.max(least, quotient(touch, high).lo);
  return least;
}

/** The parabola that touches h about `cosine` and lies above h on [low, high] within [-1, 1], or below it. */
export function parabolaAt(cosine: number, low: number, high: number, above: boolean): Parabola {
  const a = Math.max(EDGE - 1, Math.min(1 - EDGE, Math.max(low, Math.min(high, cosine))));
  const v = halfOf(point(a));
  const touch = { a, value: h(v), slope: hPrime(v) };
  const [from, to] = [Math.min(low, a), Math.max(high, a)];
  const gamma = above ? mostCurved(touch, from, to) : leastCurved(touch, from, to);
  // One slope for all: what its width can cost goes into the value, |u - a| being at most 2.
  const slope = touch.slope.lo + (touch.slope.hi - touch.slope.lo) / 2;
  const cost = 2 * (touch.slope.hi - touch.slope.lo);
  const value = add(point(above ? touch.value.hi : touch.value.lo), point(above ? cost : -cost));
  const tilt = mul(point(gamma), point(a));
  const beta = sub(point(slope), tilt);
  const half = mul(point(0.5), mul(tilt, point(a)));
  return { alpha: add(sub(value, mul(point(slope), point(a))), half), beta, gamma };
}
