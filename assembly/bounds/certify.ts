// The largest radius on which a bound keeps the sign of g: one input a chunk, one scalar search for every bound method.
// The radius returned was itself verified, never interpolated. Not here: the bounds (interval.ts).
import {
  CERTIFICATE_BYTES,
  CERTIFICATE_DECISION,
  CERTIFICATE_EVALUATIONS,
  CERTIFICATE_LOWER,
  CERTIFICATE_MARGIN,
  CERTIFICATE_RADIUS,
  CERTIFICATE_UPPER,
  CERTIFY_ALPHA,
  CERTIFY_BIAS,
  CERTIFY_HIGH,
  CERTIFY_INPUTS,
  CERTIFY_KERNEL,
  CERTIFY_LOW,
  CERTIFY_RESULTS,
  CERTIFY_ROWS,
  CERTIFY_TOLERANCE,
  CERTIFY_WORK,
  ROWS_SCALE,
} from "../layout";
import { field, floatField, pointerField } from "../memory";
import { above } from "../rounding";
import { intervalCentre, intervalLower, intervalNegate, intervalStart } from "./interval";

/** Evaluations after which a search ends with what it has verified. */
const MOST_EVALUATIONS: i32 = 100;

let thread: i32 = 0;

/** Tells this thread which part of the job's work memory is its own. */
export function setThread(index: i32): void {
  thread = index;
}

function start(job: usize, index: i32): void {
  const machine = pointerField(job, CERTIFY_ROWS);
  const work = pointerField(job, CERTIFY_WORK) + <usize>thread * <usize>field(machine, 4) * 32;
  intervalStart(
    pointerField(job, CERTIFY_KERNEL),
    pointerField(job, CERTIFY_INPUTS),
    index,
    machine,
    pointerField(job, CERTIFY_ALPHA),
    floatField(job, CERTIFY_BIAS),
    work,
  );
}

/** A radius in real units as raw units, rounded up. */
function rawRadius(job: usize, delta: f64): f64 {
  return above(delta / floatField(pointerField(job, CERTIFY_INPUTS), ROWS_SCALE), 4);
}

/** [lower, upper] of g on the ball of radius radii[chunk] around input `chunk`, to bounds + 16 chunk. */
export function intervalBounds(chunk: i32, job: usize, radii: usize, bounds: usize): void {
  start(job, chunk);
  const reach = rawRadius(job, load<f64>(radii + (<usize>chunk << 3)));
  const to = bounds + (<usize>chunk << 4);
  store<f64>(to, intervalLower(reach));
  intervalNegate();
  store<f64>(to, -intervalLower(reach), 8);
}

/** Certifies input `first + chunk` of the job. */
export function certifyIntervals(chunk: i32, job: usize, first: i32): void {
  const index = first + chunk;
  const result = pointerField(job, CERTIFY_RESULTS) + <usize>index * CERTIFICATE_BYTES;
  start(job, index);
  const lower = intervalLower(0);
  store<f64>(result + CERTIFICATE_DECISION, intervalCentre());
  intervalNegate();
  const upper = -intervalLower(0);
  store<f64>(result + CERTIFICATE_LOWER, lower);
  store<f64>(result + CERTIFICATE_UPPER, upper);
  store<f64>(result + CERTIFICATE_EVALUATIONS, 2);
  if (lower > 0) intervalNegate();
  else if (!(upper < 0)) {
    store<f64>(result + CERTIFICATE_RADIUS, -1);
    store<f64>(result + CERTIFICATE_MARGIN, 0);
    return;
  }
  search(job, result, lower > 0 ? lower : -upper);
}

/** Verified end of the search's bracket and the margin there; set by search steps. */
let verified: f64 = 0;
let verifiedMargin: f64 = 0;
let evaluations: i32 = 0;

/** The bound at delta; moves the verified end when it is positive. NaN counts as not verified. */
function probe(job: usize, delta: f64): f64 {
  ++evaluations;
  const margin = intervalLower(rawRadius(job, delta));
  if (margin > 0 && delta >= verified) {
    verified = delta;
    verifiedMargin = margin;
  }
  return margin > 0 ? margin : Math.min(margin == margin ? margin : -Infinity, 0);
}

/**
 * Illinois' false position between a verified end and a failed end, with a bisection whenever two steps did not halve
 * the bracket; ends when the bracket is narrower than tolerance * verified.
 */
function search(job: usize, result: usize, margin: f64): void {
  const tolerance = floatField(job, CERTIFY_TOLERANCE);
  verified = 0;
  verifiedMargin = margin;
  evaluations = 2;
  let high = floatField(job, CERTIFY_HIGH);
  let highValue = probe(job, high);
  if (verified < high) {
    const low = floatField(job, CERTIFY_LOW);
    if (low > 0 && !(probe(job, low) > 0)) {
      high = low;
      highValue = -margin;
    }
    let lowValue = verifiedMargin;
    let side = 0;
    let width = high - verified;
    let slow = 0;
    while (high - verified > tolerance * verified && evaluations < MOST_EVALUATIONS && high > 1e-12) {
      let middle = verified + (high - verified) * (lowValue / (lowValue - highValue));
      // Aim half a tolerance inside the bracket, so that the last step closes it instead of creeping.
      const margins = 0.4 * tolerance * middle;
      middle = Math.min(Math.max(middle, verified + margins), high - margins);
      if (slow >= 2 || !(middle > verified && middle < high)) {
        middle = verified > 0 ? Math.sqrt(verified * high) : 0.5 * high;
        if (verified == 0 && lowValue < -highValue * 1e-3) middle = high * 0.05;
        slow = 0;
      }
      const value = probe(job, middle);
      if (value > 0) {
        lowValue = value;
        if (side == 1) highValue *= 0.5;
        side = 1;
      } else {
        high = middle;
        highValue = value;
        if (side == -1) lowValue *= 0.5;
        side = -1;
      }
      slow = high - verified > 0.5 * width ? slow + 1 : 0;
      width = high - verified;
    }
  }
  store<f64>(result + CERTIFICATE_RADIUS, verified);
  store<f64>(result + CERTIFICATE_MARGIN, verifiedMargin);
  store<f64>(result + CERTIFICATE_EVALUATIONS, <f64>evaluations);
}
