// A parabola below or above h on an interval, touching it at a chosen point: what the curvature bound puts in place of
// each kernel term. Not here: the terms and their sum (curvature.ts).
//
// With second divided difference q(u) = 2 (h(u) - h(a) - h'(a) (u - a)) / (u - a)^2, h is the parabola
//   h(a) + h'(a) (u - a) + q(u) (u - a)^2 / 2,
// so any curvature >= q (<= q) on the interval lies above (below) h. q(u) = 2 int_0^1 (1 - s) h''(a + s (u - a)) ds and
// h'' is convex, so q is convex in u: its maximum is at an end. Where h'' rises all the way from a to the end below, the
// minimum is there; in general q(u) >= h''(a + (u - a) / 3) (Jensen), and h'' >= 3 falls up to 0 and rises from there.
import { h, hPrime, hSecond } from "../math/elementary";
import { UNIT } from "../rounding";

/** Points nearer to +-1 than this are moved there: slopes stay finite, and any point of touch is sound. */
export const EDGE: f64 = 1e-6;

// The parabola alpha + beta u + gamma u^2 / 2, left by touch().
export let alpha: f64 = 0;
export let beta: f64 = 0;
export let gamma: f64 = 0;
/** Times 32 UNIT: how far the exact parabola with these three numbers may cross h by rounding, on [-1, 1]. */
export let crossing: f64 = 0;

/** Bound of what rounding does to differenceAt: h and h' within 2 ulp, the products and the differences. */
function differenceError(slope: f64, step: f64, q: f64): f64 {
  return (64 * UNIT * (8 + 2 * Math.abs(slope * step))) / (step * step) + 8 * UNIT * Math.abs(q);
}

/** q(u) rounded up (side = 1) or down (side = -1); loose where u is near a. */
function differenceAt(a: f64, value: f64, slope: f64, u: f64, side: f64): f64 {
  const step = u - a;
  const q = (2 * (h(u) - value - slope * step)) / (step * step);
  return q + side * differenceError(slope, step, q);
}

/** At least q at the end u: q lies between h'' at a and at u, and near a that says more than differences can. */
function mostAt(a: f64, value: f64, slope: f64, u: f64): f64 {
  const most = Math.max(hSecond(a), hSecond(u)) * (1 + 16 * UNIT);
  return u == a ? most : Math.min(most, differenceAt(a, value, slope, u, 1));
}

/** At most q on [low, high]. */
function least(a: f64, value: f64, slope: f64, low: f64, high: f64): f64 {
  const from = a + (low - a) / 3;
  const to = a + (high - a) / 3;
  let bend: f64 = 3;
  if (from > 2 * UNIT) bend = hSecond(from - 2 * UNIT);
  else if (to < -2 * UNIT) bend = hSecond(to + 2 * UNIT);
  bend *= 1 - 16 * UNIT;
  if (low >= 0 && low < a) bend = Math.max(bend, differenceAt(a, value, slope, low, -1));
  return Math.max(3, bend);
}

/**
 * Sets the parabola that touches h at (about) `point` and lies above it on [low, high] when `isAbove`, below it
 * otherwise; -1 <= low <= high <= 1. The point is moved into the interval and away from +-1.
 */
export function touch(point: f64, low: f64, high: f64, isAbove: bool): void {
  const a = Math.max(EDGE - 1, Math.min(1 - EDGE, Math.max(low, Math.min(high, point))));
  const value = h(a);
  const slope = hPrime(a);
  const bottom = Math.min(low, a);
  const top = Math.max(high, a);
  gamma = isAbove
    ? Math.max(mostAt(a, value, slope, bottom), mostAt(a, value, slope, top))
    : least(a, value, slope, bottom, top);
  beta = slope - gamma * a;
  alpha = value - slope * a + 0.5 * gamma * a * a;
  crossing = 8 + 2 * Math.abs(slope) + 2 * gamma;
}
