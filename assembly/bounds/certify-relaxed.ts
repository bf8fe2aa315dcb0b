// Bounds and certified radii of two-layer networks by relaxation, one input a chunk.
// Not here: the bounds (relaxed.ts, aggregate.ts) and the search for a radius (search.ts).
import {
  CERTIFICATE_BYTES,
  CERTIFICATE_DECISION,
  CERTIFICATE_MARGIN,
  CERTIFY_RESULTS,
  RELAX_FACTOR,
  RELAX_METHOD,
  RELAX_PARABOLAS,
  RELAX_SCALE,
  RELAX_SHARE,
  RELAX_WORK,
} from "../layout";
import { field, floatField, pointerField } from "../memory";
import { aggregateLower, aggregateStart } from "./aggregate";
import { threadIndex } from "./certify";
import { inputs, relaxedEntries, relaxedLower, relaxedStart, relaxedTurn, width } from "./relaxed";
import { beginTime, concludeFrom, lowerAt, scaledDown, setBound } from "./search";

/** Two layers' scales, each a square root and a quotient, their product with the inputs' scale. */
const FACTOR_ULPS: f64 = 10;

/** This thread's part of the work memory. */
function workOf(job: usize): usize {
  return pointerField(job, RELAX_WORK) + ((<usize>threadIndex() * <usize>field(job, RELAX_SHARE)) << 3);
}

function start(job: usize, index: i32): void {
  relaxedStart(job, index, workOf(job));
  turn(job, 1);
}

/** From now on the bound is of `sign` times the output. */
function turn(job: usize, sign: f64): void {
  relaxedTurn(sign);
  setBound(relaxedLower, floatField(job, RELAX_SCALE));
  if (field(job, RELAX_METHOD) != RELAX_PARABOLAS) return;
  aggregateStart(workOf(job) + (<usize>relaxedEntries(<i32>width, <i32>inputs) << 3));
  setBound(aggregateLower, floatField(job, RELAX_SCALE));
}

function inUnits(job: usize, lower: f64): f64 {
  return scaledDown(lower, floatField(job, RELAX_FACTOR), FACTOR_ULPS);
}

/** [lower, upper] of the output on the ball of radius radii[chunk] around input `chunk`, to bounds + 16 chunk. */
export function relaxedBounds(chunk: i32, job: usize, radii: usize, bounds: usize): void {
  const radius = load<f64>(radii + (<usize>chunk << 3));
  const to = bounds + (<usize>chunk << 4);
  start(job, chunk);
  store<f64>(to, inUnits(job, lowerAt(radius)));
  turn(job, -1);
  store<f64>(to, -inUnits(job, lowerAt(radius)), 8);
}

/** Certifies input `first + chunk` of the job. */
export function certifyRelaxed(chunk: i32, job: usize, first: i32): void {
  const result = pointerField(job, CERTIFY_RESULTS) + <usize>(first + chunk) * CERTIFICATE_BYTES;
  beginTime(job);
  start(job, first + chunk);
  const lower = lowerAt(0);
  turn(job, -1);
  const negative = lowerAt(0);
  const decision = 0.5 * (lower - negative);
  store<f64>(result + CERTIFICATE_DECISION, decision * floatField(job, RELAX_FACTOR));
  if (decision >= 0) turn(job, 1);
  concludeFrom(job, result, decision >= 0 ? lower : negative);
  const margin = load<f64>(result + CERTIFICATE_MARGIN);
  store<f64>(result + CERTIFICATE_MARGIN, inUnits(job, margin));
}
