// Bounds and certified radii of the inputs of a job: of kernel machines one input a chunk, of finite networks a few.
// Not here: the bounds (interval.ts, ibp.ts) and the search for a radius (search.ts).
import {
  CERTIFICATE_BYTES,
  CERTIFICATE_DECISION,
  CERTIFICATE_MARGIN,
  CERTIFY_ALPHA,
  CERTIFY_BIAS,
  CERTIFY_ESTIMATE,
  CERTIFY_INPUTS,
  CERTIFY_KERNEL,
  CERTIFY_METHOD,
  CERTIFY_MOVABLE,
  CERTIFY_NORM,
  CERTIFY_RESULTS,
  CERTIFY_ROWS,
  CERTIFY_SHARE,
  CERTIFY_TOP,
  CERTIFY_TOUCHING,
  CERTIFY_WORK,
  IBP_FACTOR,
  IBP_LAYERS,
  IBP_SCALE,
  IBP_WORK,
  IBP_WORK_ENTRIES,
  INTERVAL_GROUP,
  METHOD_CURVATURE,
  METHOD_DEEP,
  METHOD_INTERVAL,
  ROWS_N,
  ROWS_SCALE,
  TOUCHING_SIDES,
} from "../layout";
import { kernelRow } from "../kernel/row";
import { field, floatField, pointerField } from "../memory";
import { packedColumns } from "./active";
import { curvatureForget, curvatureLower, curvatureStart, writeTouching } from "./curvature";
import { deepLower, deepStart } from "./deep";
import { ibpLower, ibpNegate, ibpOpen } from "./ibp";
import { intervalCentre, intervalLower, intervalOrient, intervalProducts, intervalStart } from "./interval";
import { linearEntries, linearLower, linearStart } from "./linear";
import { setMovable } from "./movable";
import { setRigorous } from "../rounding";
import { beginTime, conclude, concludeAbout, concludeFrom, lowerAt, scaledDown, setBound } from "./search";

let thread: i32 = 0;

/** Tells this thread which part of the job's work memory is its own. */
export function setThread(index: i32): void {
  thread = index;
}

export function threadIndex(): i32 {
  return thread;
}

/** Which of a group of inputs is at hand, whose inner products are there already; -1 for none. */
let grouped: i32 = -1;

/** Certifies inputs [first + INTERVAL_GROUP * chunk, ...) of an interval job, below `end`. */
export function certifyIntervals(chunk: i32, job: usize, first: i32, end: i32): void {
  const from = first + chunk * INTERVAL_GROUP;
  const many = min(INTERVAL_GROUP, end - from);
  intervalProducts(pointerField(job, CERTIFY_INPUTS), from, many, pointerField(job, CERTIFY_ROWS), workOf(job));
  for (grouped = 0; grouped < many; ++grouped) certifyMachine(grouped, job, from);
  grouped = -1;
}

/** This thread's part of the job's work memory. */
function workOf(job: usize): usize {
  return pointerField(job, CERTIFY_WORK) + ((<usize>thread * <usize>field(job, CERTIFY_SHARE)) << 3);
}

/** g at the input at hand, rounded to nearest. */
let decision: f64 = 0;

/** Prepares the bound of sign * g around input `index` by the job's method; of intervals 0 is the sign of g there. */
function start(job: usize, index: i32, sign: f64): void {
  const method = field(job, CERTIFY_METHOD);
  const inputs = pointerField(job, CERTIFY_INPUTS);
  const kernel = pointerField(job, CERTIFY_KERNEL);
  const machine = pointerField(job, CERTIFY_ROWS);
  const alpha = pointerField(job, CERTIFY_ALPHA);
  const bias = floatField(job, CERTIFY_BIAS);
  const unit = floatField(inputs, ROWS_SCALE);
  const work = workOf(job);
  setMovable(field(job, CERTIFY_MOVABLE));
  if (method == METHOD_INTERVAL) {
    if (grouped < 0) intervalProducts(inputs, index, 1, machine, work);
    intervalStart(kernel, inputs, index, max(0, grouped), machine, alpha, bias, work);
    decision = intervalCentre();
    intervalOrient(sign != 0 ? sign : decision < 0 ? -1 : 1);
    setBound(intervalLower, unit);
    return;
  }
  if (method == METHOD_DEEP) {
    deepStart(kernel, inputs, index, machine, alpha, bias, sign, work);
    setBound(deepLower, unit);
    return;
  }
  const top = floatField(job, CERTIFY_TOP);
  linearStart(kernel, inputs, index, machine, alpha, bias, sign, field(job, CERTIFY_NORM), top, work);
  setBound(linearLower, unit);
  if (method != METHOD_CURVATURE) return;
  const space = work + ((<usize>linearEntries(field(machine, ROWS_N), packedColumns(machine))) << 3);
  curvatureStart(kernel, inputs, index, machine, alpha, bias, sign, field(job, CERTIFY_NORM), top, space);
  setBound(curvedLower, unit);
}

/** The better of both: the linear bound where it proves the sign already, the quadratic form beyond. */
function curvedLower(reach: f64): f64 {
  const lower = linearLower(reach);
  if (lower > 0) curvatureForget();
  return lower > 0 || reach == 0 ? lower : Math.max(lower, curvatureLower(reach));
}

/** [lower, upper] of g on the ball of radius radii[chunk] around input `chunk`, to bounds + 16 chunk. */
export function machineBounds(chunk: i32, job: usize, radii: usize, bounds: usize): void {
  const radius = load<f64>(radii + (<usize>chunk << 3));
  const to = bounds + (<usize>chunk << 4);
  start(job, chunk, 1);
  store<f64>(to, lowerAt(radius));
  start(job, chunk, -1);
  store<f64>(to, -lowerAt(radius), 8);
}

/** The lower end alone, to lowers + 8 chunk: half of the work. */
export function machineLower(chunk: i32, job: usize, radii: usize, lowers: usize): void {
  const at = <usize>chunk << 3;
  start(job, chunk, 1);
  store<f64>(lowers + at, lowerAt(load<f64>(radii + at)));
}

/** Certifies input `first + chunk` of the job. */
export function certifyMachine(chunk: i32, job: usize, first: i32): void {
  const index = first + chunk;
  const result = pointerField(job, CERTIFY_RESULTS) + <usize>index * CERTIFICATE_BYTES;
  setRigorous(field(job, CERTIFY_ESTIMATE) == 0);
  beginTime(job);
  if (field(job, CERTIFY_METHOD) == METHOD_INTERVAL) {
    start(job, index, 0);
    concludeAbout(job, result, Math.abs(decision));
  } else {
    decision = machineValue(job, index);
    start(job, index, decision < 0 ? -1 : 1);
    conclude(job, result);
  }
  store<f64>(result + CERTIFICATE_DECISION, decision);
  const touching = pointerField(job, CERTIFY_TOUCHING);
  if (touching != 0) writeTouching(touching + <usize>index * touchingBytes(packedColumns(pointerField(job, CERTIFY_ROWS))));
  setRigorous(true);
}

/** Bytes of a record of TOUCHING_* for rows of `columns` packed columns. */
export function touchingBytes(columns: i32): i32 {
  return (TOUCHING_SIDES + columns + 7) & ~7;
}

/** g at input `index`, rounded to nearest, with nothing widened. */
function machineValue(job: usize, index: i32): f64 {
  const machine = pointerField(job, CERTIFY_ROWS);
  const alpha = pointerField(job, CERTIFY_ALPHA);
  const n = field(machine, ROWS_N);
  const values = workOf(job);
  kernelRow(pointerField(job, CERTIFY_KERNEL), pointerField(job, CERTIFY_INPUTS), index, machine, 0, n, values);
  let sum: f64 = 0;
  for (let i: usize = 0; i < <usize>n << 3; i += 8) sum += load<f64>(alpha + i) * load<f64>(values + i);
  return sum + floatField(job, CERTIFY_BIAS);
}

/** Takes input first + which of a network's job, number `which` of the slice. */
function openInput(job: usize, first: i32, which: i32): void {
  setBound(ibpLower, floatField(job, IBP_SCALE));
  const memory = pointerField(job, IBP_WORK) + ((<usize>thread * <usize>field(job, IBP_WORK_ENTRIES)) << 3);
  ibpOpen(job, first + which, which, memory);
}

/** A lower bound in real units. The factor is a product of one square root and one quotient a layer, and the scale. */
function inUnits(job: usize, lower: f64): f64 {
  return scaledDown(lower, floatField(job, IBP_FACTOR), 3 * <f64>field(job, IBP_LAYERS) + 4);
}

/** [lower, upper] of a network's output on the ball of radius radii[k] around input k = first + `chunk`. */
export function networkBounds(chunk: i32, job: usize, first: i32, radii: usize, bounds: usize): void {
  const index = <usize>(first + chunk);
  const radius = load<f64>(radii + (index << 3));
  openInput(job, first, chunk);
  store<f64>(bounds + (index << 4), inUnits(job, lowerAt(radius)));
  ibpNegate();
  store<f64>(bounds + (index << 4), -inUnits(job, lowerAt(radius)), 8);
}

/** Certifies input first + `chunk` of a network's job; ibpCentres() has run for the slice that starts at `first`. */
export function certifyNetwork(chunk: i32, job: usize, first: i32): void {
  const result = pointerField(job, CERTIFY_RESULTS) + <usize>(first + chunk) * CERTIFICATE_BYTES;
  beginTime(job);
  openInput(job, first, chunk);
  const lower = lowerAt(0);
  ibpNegate();
  const negative = lowerAt(0);
  const decision = 0.5 * (lower - negative);
  store<f64>(result + CERTIFICATE_DECISION, decision * floatField(job, IBP_FACTOR));
  if (decision >= 0) ibpNegate();
  concludeFrom(job, result, decision >= 0 ? lower : negative);
  const margin = load<f64>(result + CERTIFICATE_MARGIN);
  store<f64>(result + CERTIFICATE_MARGIN, inUnits(job, margin));
}
