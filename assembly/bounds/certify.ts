// The largest radius on which a bound keeps the sign of g: one input a chunk, one scalar search for every bound method.
// The radius returned was itself verified, never interpolated. Not here: the bounds (interval.ts).
import {
  CERTIFICATE_BYTES,
  CERTIFICATE_DECISION,
  CERTIFICATE_EVALUATIONS,
  CERTIFICATE_MARGIN,
  CERTIFICATE_RADIUS,
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
  IBP_FACTOR,
  IBP_NETWORK,
  IBP_SCALE,
  IBP_WORK,
  IBP_WORK_ENTRIES,
  LAYER_BLOCKS,
  NEURONS,
  ROWS_SCALE,
} from "../layout";
import { field, floatField, pointerField } from "../memory";
import { above, UNIT } from "../rounding";
import { ibpLower, ibpNegate, ibpStart } from "./ibp";
import { intervalCentre, intervalLower, intervalNegate, intervalStart } from "./interval";

/** Evaluations after which a search ends with what it has verified. */
const MOST_EVALUATIONS: i32 = 100;

/** First radius tried, as a share of the bracket: near enough to 0 for the bound to be almost linear. */
const FIRST_STEP: f64 = 0.001;

let thread: i32 = 0;

/** Tells this thread which part of the job's work memory is its own. */
export function setThread(index: i32): void {
  thread = index;
}

function start(job: usize, index: i32): void {
  network = false;
  unit = floatField(pointerField(job, CERTIFY_INPUTS), ROWS_SCALE);
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

// The bound that the search asks: the machine's interval bound or a network's, and the units of its radii.
let network: bool = false;
let unit: f64 = 1;

/** The bound at hand on the ball of radius delta in real units. */
function lowerAt(delta: f64): f64 {
  const reach = above(delta / unit, 4);
  return network ? ibpLower(reach) : intervalLower(reach);
}

/** [lower, upper] of g on the ball of radius radii[chunk] around input `chunk`, to bounds + 16 chunk. */
export function intervalBounds(chunk: i32, job: usize, radii: usize, bounds: usize): void {
  start(job, chunk);
  const radius = load<f64>(radii + (<usize>chunk << 3));
  const to = bounds + (<usize>chunk << 4);
  store<f64>(to, lowerAt(radius));
  intervalNegate();
  store<f64>(to, -lowerAt(radius), 8);
}

/** Certifies input `first + chunk` of the job. */
export function certifyIntervals(chunk: i32, job: usize, first: i32): void {
  const index = first + chunk;
  const result = pointerField(job, CERTIFY_RESULTS) + <usize>index * CERTIFICATE_BYTES;
  start(job, index);
  const decision = intervalCentre();
  store<f64>(result + CERTIFICATE_DECISION, decision);
  if (decision < 0) intervalNegate();
  conclude(job, result, 1);
}

/** Prepares input `index` of a network's job. */
function startNetwork(job: usize, index: i32): void {
  network = true;
  unit = floatField(job, IBP_SCALE);
  const entries = field(job, IBP_WORK_ENTRIES);
  const first = field(pointerField(job, IBP_NETWORK), LAYER_BLOCKS) * NEURONS;
  const memory = pointerField(job, IBP_WORK) + ((<usize>thread * <usize>entries) << 3);
  ibpStart(job, index, memory, (entries - 2 * first) / 6);
}

/** [lower, upper] of a network's output on the ball of radius radii[chunk] around input `chunk`. */
export function networkBounds(chunk: i32, job: usize, radii: usize, bounds: usize): void {
  startNetwork(job, chunk);
  const radius = load<f64>(radii + (<usize>chunk << 3));
  const factor = floatField(job, IBP_FACTOR);
  const to = bounds + (<usize>chunk << 4);
  store<f64>(to, inUnits(lowerAt(radius), factor));
  ibpNegate();
  store<f64>(to, -inUnits(lowerAt(radius), factor), 8);
}

/** A lower bound in real units: scaled and rounded down. */
function inUnits(bound: f64, factor: f64): f64 {
  const scaled = bound * factor;
  return scaled - Math.abs(scaled) * 8 * UNIT;
}

/** Certifies input `first + chunk` of a network's job. */
export function certifyNetwork(chunk: i32, job: usize, first: i32): void {
  const index = first + chunk;
  const result = pointerField(job, CERTIFY_RESULTS) + <usize>index * CERTIFICATE_BYTES;
  startNetwork(job, index);
  const lower = lowerAt(0);
  ibpNegate();
  const upper = -lowerAt(0);
  const factor = floatField(job, IBP_FACTOR);
  const decision = 0.5 * (lower + upper);
  store<f64>(result + CERTIFICATE_DECISION, decision * factor);
  if (decision >= 0) ibpNegate();
  conclude(job, result, factor);
}

/** Searches for the radius of the input at hand and writes what was found. */
function conclude(job: usize, result: usize, factor: f64): void {
  const margin = lowerAt(0);
  evaluations = 1;
  verified = -1;
  verifiedMargin = 0;
  if (margin > 0) search(job, margin);
  store<f64>(result + CERTIFICATE_RADIUS, verified);
  store<f64>(result + CERTIFICATE_MARGIN, factor == 1 ? verifiedMargin : inUnits(verifiedMargin, factor));
  store<f64>(result + CERTIFICATE_EVALUATIONS, <f64>evaluations);
}

// The search: the end verified last with its margin, and the smallest radius that failed (Infinity: none yet).
let verified: f64 = 0;
let verifiedMargin: f64 = 0;
let failed: f64 = 0;
let evaluations: i32 = 0;

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
 * The secant method on delta -> bound, kept between the verified and the failed end, with a bisection whenever it
 * leaves them or creeps. Ends when the ends are within tolerance of each other, relatively, or the bracket is verified.
 */
function search(job: usize, margin: f64): void {
  const tolerance = floatField(job, CERTIFY_TOLERANCE);
  const low = floatField(job, CERTIFY_LOW);
  let high = floatField(job, CERTIFY_HIGH);
  verified = 0;
  verifiedMargin = margin;
  failed = Infinity;
  if (low > 0 && !(probe(low) > 0)) high = low;
  let x0: f64 = 0;
  let f0 = margin;
  let x1 = Math.max(verified, high * FIRST_STEP);
  let f1 = x1 > verified ? probe(x1) : verifiedMargin;
  let width = high;
  let slow = 0;
  while (verified < high && evaluations < MOST_EVALUATIONS && high > 1e-12) {
    const end = Math.min(failed, high);
    if (failed < Infinity && failed - verified <= tolerance * verified) return;
    let x = x1 - (f1 * (x1 - x0)) / (f1 - f0);
    const creeping = slow >= 3;
    if (creeping || !(x > 0 && x < Infinity)) x = verified > 0 ? Math.sqrt(verified * end) : 0.1 * end;
    // Half a tolerance inside the ends, so that the last steps close the bracket instead of creeping.
    const inside = 0.5 * tolerance;
    x = Math.min(Math.max(x, verified * (1 + inside)), failed < Infinity ? failed * (1 - inside) : high);
    const f = probe(x);
    x0 = x1;
    f0 = f1;
    x1 = x;
    f1 = f;
    const rest = Math.min(failed, high) - verified;
    slow = rest > 0.5 * width && !creeping ? slow + 1 : 0;
    width = rest;
  }
}
