// (Sub)gradient descent of a kernel machine in its outputs, for every loss of Table 1: equation 8 in discrete time,
//   g_{t+1}(x) = (1 - eta lambda) g_t(x) - eta w sum_{i in B} l'(g_t(x_i), y_i) K(x, x_i),   w = weight, or 1 / |B|,
// of which equation 5 is the case hinge, lambda = 1, w = C. With alpha the same in coefficients:
//   g_t = (1 - eta lambda)^t g_0 + K alpha_t.
// Not here: the order of rows and what is recorded (sdk/dynamics/descend.ts), the losses (math/loss.ts).
import {
  DECAY_BATCH,
  DESCENT_ALPHA,
  DESCENT_CHANGE,
  DESCENT_DECAY,
  DESCENT_EPSILON,
  DESCENT_GRAM,
  DESCENT_KEPT,
  DESCENT_LABELS,
  DESCENT_LAMBDA,
  DESCENT_LOSS,
  DESCENT_ORDER,
  DESCENT_OUTPUT,
  DESCENT_RATE,
  DESCENT_ROW,
  DESCENT_SHARES,
  DESCENT_STARTS,
  DESCENT_STOPPED,
  DESCENT_WEIGHT,
  GRAM_ROWS,
  ROWS_N,
} from "../layout";
import { gramReduce, gramStrip } from "../gram/product";
import { blockCount, gramRow } from "../gram/tiles";
import { lossSlope } from "../math/loss";
import { field, floatField, pointerField } from "../memory";

/** A step that changes more than one row in this many is one product with the whole matrix, not row by row. */
const SPARSE: i32 = 4;

/** `steps` steps through the rows at DESCENT_ORDER. Stops before a value leaves the finite numbers. One chunk. */
export function descentSteps(chunk: i32, state: usize, steps: i32): void {
  const gram = pointerField(state, DESCENT_GRAM);
  const n = field(pointerField(gram, GRAM_ROWS), ROWS_N);
  const bytes = <usize>n << 3;
  const alpha = pointerField(state, DESCENT_ALPHA);
  const output = pointerField(state, DESCENT_OUTPUT);
  const kept = pointerField(state, DESCENT_KEPT);
  store<i32>(state + DESCENT_STOPPED, 0);
  for (let s: usize = 0; s < <usize>steps; ++s) {
    const starts = pointerField(state, DESCENT_STARTS) + (s << 2);
    const from = load<i32>(starts);
    memory.copy(kept, alpha, bytes);
    memory.copy(kept + bytes, output, bytes);
    descentStep(state, gram, n, pointerField(state, DESCENT_ORDER) + (<usize>from << 2), load<i32>(starts, 4) - from);
    if (allFinite(n, output) && allFinite(n, alpha)) continue;
    memory.copy(alpha, kept, bytes);
    memory.copy(output, kept + bytes, bytes);
    store<i32>(state + DESCENT_STOPPED, <i32>s + 1);
    return;
  }
}

function descentStep(state: usize, gram: usize, n: i32, rows: usize, count: i32): void {
  const alpha = pointerField(state, DESCENT_ALPHA);
  const output = pointerField(state, DESCENT_OUTPUT);
  const change = pointerField(state, DESCENT_CHANGE);
  const rate = floatField(state, DESCENT_RATE);
  const weight = floatField(state, DESCENT_WEIGHT);
  const push = rate * (weight > 0 ? weight : 1 / <f64>count);
  const shrink = rate * floatField(state, DESCENT_LAMBDA);
  const ofBatch = field(state, DESCENT_DECAY) == DECAY_BATCH;
  memory.fill(change, 0, <usize>n << 3);
  let changed = 0;
  for (let k: usize = 0; k < <usize>count; ++k) {
    const at = <usize>load<i32>(rows + (k << 2)) << 3;
    const label = load<f64>(pointerField(state, DESCENT_LABELS) + at);
    const slope = lossSlope(field(state, DESCENT_LOSS), load<f64>(output + at), label, floatField(state, DESCENT_EPSILON));
    const by = -push * slope - (ofBatch ? shrink * load<f64>(alpha + at) : 0);
    store<f64>(change + at, by);
    if (by != 0) ++changed;
  }
  if (!ofBatch) scaleBoth(n, alpha, output, 1 - shrink);
  for (let k: usize = 0; k < <usize>count; ++k) {
    const at = <usize>load<i32>(rows + (k << 2)) << 3;
    store<f64>(alpha + at, load<f64>(alpha + at) + load<f64>(change + at));
  }
  if (changed * SPARSE > n) addProduct(state, gram, n, change, output);
  else if (changed > 0) addRows(state, gram, n, rows, count, change, output);
}

function scaleBoth(n: i32, alpha: usize, output: usize, factor: f64): void {
  for (let at: usize = 0; at < <usize>n << 3; at += 8) {
    store<f64>(alpha + at, factor * load<f64>(alpha + at));
    store<f64>(output + at, factor * load<f64>(output + at));
  }
}

function addProduct(state: usize, gram: usize, n: i32, change: usize, output: usize): void {
  const product = pointerField(state, DESCENT_ROW);
  const shares = pointerField(state, DESCENT_SHARES);
  const blocks = blockCount(n);
  for (let strip = 0; strip < blocks; ++strip) gramStrip(strip, gram, 1, change, shares);
  for (let block = 0; block < blocks; ++block) gramReduce(block, n, 1, shares, product);
  for (let at: usize = 0; at < <usize>n << 3; at += 8)
    store<f64>(output + at, load<f64>(output + at) + load<f64>(product + at));
}

function addRows(state: usize, gram: usize, n: i32, rows: usize, count: i32, change: usize, output: usize): void {
  const row = pointerField(state, DESCENT_ROW);
  for (let k: usize = 0; k < <usize>count; ++k) {
    const i = load<i32>(rows + (k << 2));
    const value = load<f64>(change + (<usize>i << 3));
    if (value == 0) continue;
    gramRow(gram, i, row);
    for (let at: usize = 0; at < <usize>n << 3; at += 8)
      store<f64>(output + at, load<f64>(output + at) + value * load<f64>(row + at));
  }
}

function allFinite(n: i32, values: usize): bool {
  let rest: f64 = 0;
  for (let at: usize = 0; at < <usize>n << 3; at += 8) {
    const value = load<f64>(values + at);
    rest += value - value; // NaN where it is not finite
  }
  return rest == 0;
}
