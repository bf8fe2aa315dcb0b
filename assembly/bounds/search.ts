// The largest radius on which a bound keeps its sign: one scalar search for every bound method. The radius returned was
// itself verified, never interpolated. Not here: the bounds, and what one input's job looks like (certify.ts).
import {
  CERTIFICATE_EVALUATIONS,
  CERTIFICATE_MARGIN,
  CERTIFICATE_RADIUS,
  CERTIFICATE_TIMED_OUT,
  CERTIFY_HIGH,
  CERTIFY_LIMIT,
  CERTIFY_LOW,
  CERTIFY_STOP,
  CERTIFY_TOLERANCE,
} from "../layout";
import { field, floatField } from "../memory";
import { above, UNIT } from "../rounding";

/** Evaluations after which a search ends with what it has verified. */
const MOST_EVALUATIONS: i32 = 100;

/** First radius tried, as a share of the bracket: near enough to 0 for the bound to be almost linear. */
const FIRST_STEP: f64 = 0.001;

/** The same of a bound that is smooth at 0 and costs the same everywhere: nearer, to learn its slope there. */
const SLOPE_STEP: f64 = 1e-6;

/** How near two balls are whose secant says where the bound is zero, relatively, and tolerances small enough to believe it. */
const NEAR: f64 = 0.05;
const NEAR_TOLERANCE: f64 = 1e-5;

/** A lower bound of the decision's own sign times the model, on the ball of radius `reach` in raw units. */
type Bound = (reach: f64) => f64;

let bound: Bound = (reach: f64): f64 => NaN;
let unit: f64 = 1;

/** The bound that is asked from now on; a raw unit is `rawUnit` in real units. */
export function setBound(lower: Bound, rawUnit: f64): void {
  bound = lower;
  unit = rawUnit;
}

/** The bound at hand on the ball of radius delta in real units. */
export function lowerAt(delta: f64): f64 {
  return bound(above(delta / unit, 4));
}

/** A bound in real units: scaled by `factor`, itself within `ulps` roundings of the real factor, and rounded down. */
export function scaledDown(lower: f64, factor: f64, ulps: f64): f64 {
  if (!(lower > -Infinity && lower < Infinity)) return -Infinity;
  const scaled = lower * factor;
  return scaled - Math.abs(scaled) * (ulps + 4) * UNIT;
}

// The search: the end verified last with its margin, and the smallest radius that failed (Infinity: none yet).
let verified: f64 = 0;
let verifiedMargin: f64 = 0;
let failed: f64 = 0;
let evaluations: i32 = 0;
let centreProved: bool = false; // whether the ball of radius 0 was asked for

/** Milliseconds since any fixed moment, from the host. */
// @ts-ignore: decorator
@external("host", "now")
declare function now(): f64;

// When the input at hand was begun, and whether its time ran out.
let begun: f64 = 0;
let timedOut: bool = false;

/** Begins the time of an input, before its bound is prepared. */
export function beginTime(job: usize): void {
  if (floatField(job, CERTIFY_LIMIT) < Infinity) begun = now();
}

/** Whether the search has to end with what it has: asked between evaluations, whose results do not depend on it. */
function ended(job: usize): bool {
  if (field(job, CERTIFY_STOP) != 0) return true;
  const limit = floatField(job, CERTIFY_LIMIT);
  if (limit < Infinity && now() - begun >= limit) timedOut = true;
  return timedOut;
}

/** Searches for the radius of the input at hand and writes it, its margin (not scaled) and the evaluations. */
export function conclude(job: usize, result: usize): void {
  concludeFrom(job, result, lowerAt(0));
}

/** The same where the bound on the ball of radius 0 is known. */
export function concludeFrom(job: usize, result: usize, margin: f64): void {
  evaluations = 1;
  centreProved = true;
  searchFrom(job, result, margin, false);
}

/**
 * The same of a bound that is smooth at 0 and about `value` there, which is not proved: radius 0 is asked for only where no
 * larger ball is verified.
 */
export function concludeAbout(job: usize, result: usize, value: f64): void {
  evaluations = 0;
  centreProved = false;
  searchFrom(job, result, value, true);
}

function searchFrom(job: usize, result: usize, value: f64, smooth: bool): void {
  timedOut = false;
  verified = -1;
  verifiedMargin = 0;
  let margin = value;
  if (margin > 0) search(job, margin, smooth);
  if (!(verified > 0 || centreProved)) {
    ++evaluations;
    centreProved = true;
    margin = lowerAt(0);
    verified = -1;
    verifiedMargin = 0;
    if (margin > 0) search(job, margin, smooth);
  }
  store<f64>(result + CERTIFICATE_RADIUS, verified);
  store<f64>(result + CERTIFICATE_MARGIN, verifiedMargin);
  store<f64>(result + CERTIFICATE_EVALUATIONS, <f64>evaluations);
  store<f64>(result + CERTIFICATE_TIMED_OUT, timedOut ? 1 : 0);
}

/** The bound at delta; moves the verified or the failed end. NaN counts as failed. */
function probe(delta: f64): f64 {
  ++evaluations;
  const margin = lowerAt(delta);
  if (margin > 0) {
    if (delta >= verified) {
      verified = delta;
      verifiedMargin = margin;
    }
    return margin;
  }
  failed = Math.min(failed, delta);
  return margin <= 0 ? margin : -Infinity;
}

/**
 * Bounds fall faster and faster once ranges widen, to many times the margin below zero: there they are replaced by a
 * logarithm of the same sign, so that interpolation is not led by how badly a ball failed.
 */
function eased(f: f64, margin: f64): f64 {
  return f < 0 ? -margin * NativeMath.log(1 - f / margin) : f;
}

/** Where the quadratic of delta in the bound through three points is zero; NaN where two of the bounds are equal. */
function inverseQuadratic(x0: f64, f0: f64, x1: f64, f1: f64, x2: f64, f2: f64): f64 {
  const first = (x0 * f1 * f2) / ((f0 - f1) * (f0 - f2));
  const second = (x1 * f0 * f2) / ((f1 - f0) * (f1 - f2));
  return first + second + (x2 * f0 * f1) / ((f2 - f0) * (f2 - f1));
}

/**
 * Inverse quadratic interpolation of delta -> bound, the secant method before there are three points, kept between the
 * verified and the failed end, with a bisection whenever it leaves them or creeps. Ends when the ends are within
 * tolerance of each other, relatively, or the bracket is verified; of a smooth bound also when the secant through two
 * verified ends near each other crosses zero within half the tolerance.
 */
function search(job: usize, margin: f64, smooth: bool): void {
  const tolerance = floatField(job, CERTIFY_TOLERANCE);
  const low = floatField(job, CERTIFY_LOW);
  let high = floatField(job, CERTIFY_HIGH);
  verified = 0;
  verifiedMargin = margin;
  failed = Infinity;
  if (ended(job)) return;
  if (low > 0 && !(probe(low) > 0)) high = low;
  let x0: f64 = NaN;
  let f0: f64 = NaN;
  let x1: f64 = 0;
  let f1 = margin;
  let x2 = Math.max(verified, high * (smooth ? SLOPE_STEP : FIRST_STEP));
  let f2 = x2 > verified ? eased(probe(x2), margin) : verifiedMargin;
  // Before smaller and smaller balls, the centre itself.
  if (verified == 0 && !centreProved) return;
  const near = smooth && tolerance <= NEAR_TOLERANCE;
  let width = high;
  let slow = 0;
  while (verified < high && evaluations < MOST_EVALUATIONS && high > 1e-12) {
    const end = Math.min(failed, high);
    if (failed < Infinity && failed - verified <= tolerance * verified) return;
    const inner = near && x2 == verified && x1 < x2 && x2 - x1 <= NEAR * x2;
    if (inner && f2 * (x2 - x1) <= 0.5 * tolerance * x2 * (f1 - f2)) return;
    if (ended(job)) return;
    let x = inverseQuadratic(x0, f0, x1, f1, x2, f2);
    if (!(x > verified && x < end)) x = x2 - (f2 * (x2 - x1)) / (f2 - f1);
    if (smooth) x *= 1 - 0.25 * tolerance;
    const creeping = slow >= 3;
    if (creeping || !(x > 0 && x < Infinity)) x = verified > 0 ? Math.sqrt(verified * end) : 0.1 * end;
    // Half a tolerance inside the ends, so that the last steps close the bracket instead of creeping.
    const inside = 0.5 * tolerance;
    x = Math.min(Math.max(x, verified * (1 + inside)), failed < Infinity ? failed * (1 - inside) : high);
    const f = eased(probe(x), margin);
    x0 = x1;
    f0 = f1;
    x1 = x2;
    f1 = f2;
    x2 = x;
    f2 = f;
    const rest = Math.min(failed, high) - verified;
    slow = rest > 0.5 * width && !creeping ? slow + 1 : 0;
    width = rest;
  }
}
