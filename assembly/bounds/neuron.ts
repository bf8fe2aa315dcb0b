// One neuron of a difference of two-layer networks below a plane or a parabola: what relaxed.ts adds up.
//
// Let the trained neuron be v relu(a + y), the one at the start v0 relu(a0 + z), where |z| <= Z and |y - z| <= T. For
// any slopes c, e and any curvature h >= 0, with
//   A = min over those z, y of  v relu(a + y) - v0 relu(a0 + z) - c y - e z + h z^2 / 2,
// v relu(a + y) - v0 relu(a0 + z) >= A + c y + e z - h z^2 / 2 holds on the whole region, by definition of A. The
// minimum is found exactly: for given z the function of y is piecewise linear, so its least is at an end z -+ T or at the
// kink y = -a; along each of these three curves the function of z is piecewise quadratic, with breaks at -Z, Z, -a0 and
// -a -+ T and with the stationary points of its pieces.
//
// The choice of e is where no proof is needed: the one whose A + e z is largest at a given z (the slope of the convex
// envelope there), found by cutting chords.
// Not here: sums over neurons, and what z^2 costs (relaxed.ts, aggregate.ts).
import { UNIT } from "../rounding";

const MOST_CHORDS: i32 = 12;

let v: f64 = 0;
let v0: f64 = 0;
let a: f64 = 0;
let a0: f64 = 0;
let Z: f64 = 0;
let T: f64 = 0;
let c: f64 = 0;
let h: f64 = 0;

// The breaks, and the function without -e z there.
let p2: f64 = 0;
let p3: f64 = 0;
let p4: f64 = 0;
let f0: f64 = 0;
let f1: f64 = 0;
let f2: f64 = 0;
let f3: f64 = 0;
let f4: f64 = 0;

let leastAt: f64 = 0;

/** The slope e that neuronTouch() chose. */
export let touchSlope: f64 = 0;

/** Takes a neuron: outputs' weights, values at the centre, and the ranges Z and T. */
export function neuronTake(weight: f64, weight0: f64, value: f64, value0: f64, most: f64, apart: f64): void {
  v = weight;
  v0 = weight0;
  a = value;
  a0 = value0;
  Z = most;
  T = apart;
}

// @ts-ignore: decorator
@inline
function clamp(x: f64, low: f64, high: f64): f64 {
  return Math.max(low, Math.min(high, x));
}

// @ts-ignore: decorator
@inline
function relu(x: f64): f64 {
  return x < 0 ? 0 : x;
}

// @ts-ignore: decorator
@inline
function trained(y: f64): f64 {
  return v * relu(a + y) - c * y;
}

/** The least over y at z, without -e z. */
// @ts-ignore: decorator
@inline
function lower(z: f64): f64 {
  const low = z - T;
  const high = z + T;
  const end = Math.min(trained(low), trained(high));
  return Math.min(end, trained(clamp(-a, low, high))) - v0 * relu(a0 + z) + 0.5 * h * z * z;
}

/** Fixes the slope of y and the curvature. */
export function neuronShape(slope: f64, curvature: f64): void {
  c = slope;
  h = curvature;
  p2 = clamp(-a0, -Z, Z);
  p3 = clamp(-a - T, -Z, Z);
  p4 = clamp(-a + T, -Z, Z);
  f0 = lower(-Z);
  f1 = lower(Z);
  f2 = lower(p2);
  f3 = lower(p3);
  f4 = lower(p4);
}

/** A for the slope e of z, rounded to nearest; leaves where it is reached. */
export function neuronLeast(e: f64): f64 {
  let best = f0 + e * Z;
  leastAt = -Z;
  const at1 = f1 - e * Z;
  if (at1 < best) {
    best = at1;
    leastAt = Z;
  }
  const at2 = f2 - e * p2;
  if (at2 < best) {
    best = at2;
    leastAt = p2;
  }
  const at3 = f3 - e * p3;
  if (at3 < best) {
    best = at3;
    leastAt = p3;
  }
  const at4 = f4 - e * p4;
  if (at4 < best) {
    best = at4;
    leastAt = p4;
  }
  if (!(h > 0)) return best;
  best = stationary(e, 0, best);
  best = stationary(e, -v0, best);
  best = stationary(e, -c, best);
  best = stationary(e, -c - v0, best);
  best = stationary(e, v - c, best);
  return stationary(e, v - c - v0, best);
}

/** Looks at the stationary point of a piece whose slope in z is `slope`, without -e and the parabola's. */
function stationary(e: f64, slope: f64, best: f64): f64 {
  const z = clamp((e - slope) / h, -Z, Z);
  const value = lower(z) - e * z;
  if (!(value < best)) return best;
  leastAt = z;
  return value;
}

/** Chooses touchSlope so that the bound is largest at z, |z| <= Z; returns its A. */
export function neuronTouch(z: f64): f64 {
  touchSlope = 0;
  if (!(Z > 0)) return neuronLeast(0);
  let left = -Z;
  let right = Z;
  let valueLeft = f0;
  let valueRight = f1;
  let least: f64 = 0;
  for (let chord = 0; chord < MOST_CHORDS; ++chord) {
    touchSlope = (valueRight - valueLeft) / (right - left);
    least = neuronLeast(touchSlope);
    const base = valueLeft - touchSlope * left;
    if (least >= base - 1e-10 * (Math.abs(base) + Math.abs(least))) break;
    if (leastAt < z) {
      left = leastAt;
      valueLeft = least + touchSlope * leastAt;
    } else {
      right = leastAt;
      valueRight = least + touchSlope * leastAt;
    }
    if (!(right - left > 1e-9 * Z)) break;
  }
  return least;
}

/**
 * A bound of |neuronLeast(e) - A| for a shape (slope, curvature). Evaluating the function at a point costs less than 12 UNIT times its terms; a break
 * rounded by UNIT (|a| + T), inside the range where |a| <= Z + T, moves it by as much times its slope; a stationary point
 * of a slope wrong by s moves the least by at most 2 s Z. With all slopes and ranges as below 64 covers their sum.
 */
export function neuronError(slope: f64, e: f64, curvature: f64): f64 {
  const range = Z + T;
  const slopes = (Math.abs(v) + Math.abs(slope)) * (Math.abs(a) + range) + (Math.abs(v0) + Math.abs(e)) * (Math.abs(a0) + range);
  return 64 * UNIT * (slopes + curvature * Z * range);
}
