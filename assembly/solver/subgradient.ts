// The paper's mini-batch subgradient descent of the soft-margin SVM (Section 5, Table 2), one epoch at a time:
//   g_B = K[B, :] alpha;  alpha_B <- (1 - eta lambda) alpha_B + (eta / |B|) 1[y g_B < 1] y_B
// computed without the n x n product of every epoch. Each point is visited once an epoch, so within an epoch
//   g_k = G_k + V_k - eta lambda P_k,   G = K alpha at its start, V = what violators so far added,
//   P_k = sum over the points visited so far of K_ki alpha_i (their decay).
// P_k lies between -(sum of negative K_ki alpha_i) and the sum of positive ones, both kept up to date, and is weighed
// by eta lambda: it is summed exactly only where the decision could depend on it. Same alpha as the plain loop, up to
// the rounding of sums. Not here: the schedule of epochs and what is recorded (sdk/machines/).
import {
  GRAM_ROWS,
  ROWS_N,
  SGD_ALPHA,
  SGD_BATCH,
  SGD_EXACT,
  SGD_GRAM,
  SGD_LABELS,
  SGD_LAMBDA,
  SGD_NEGATIVE,
  SGD_ORDER,
  SGD_OUTPUT,
  SGD_POSITIVE,
  SGD_PUSH,
  SGD_RANDOM,
  SGD_RATE,
  SGD_ROW,
  SGD_STEP,
  SGD_VIOLATIONS,
} from "../layout";
import { gramRow } from "../gram/tiles";
import { randomPermutation } from "../math/random";
import { field, floatField, pointerField } from "../memory";

/** Rounding room of a margin: a decision closer than this to 1 is made on the exact sum. */
const MARGIN_ROOM: f64 = 1e-9;

/** Runs states[chunk] (pointers, 4 bytes each) for `epochs` epochs, each in its own shuffled order. */
export function subgradientEpochs(chunk: i32, states: usize, epochs: i32): void {
  const state = <usize>load<u32>(states + (<usize>chunk << 2));
  const n = field(pointerField(pointerField(state, SGD_GRAM), GRAM_ROWS), ROWS_N);
  for (let epoch = 0; epoch < epochs; ++epoch) {
    randomPermutation(state + SGD_RANDOM, pointerField(state, SGD_ORDER), n);
    subgradientEpoch(state);
  }
}

/** One epoch in the order that stands at SGD_ORDER. */
export function subgradientEpoch(state: usize): void {
  const n = field(pointerField(pointerField(state, SGD_GRAM), GRAM_ROWS), ROWS_N);
  const batch = field(state, SGD_BATCH);
  store<f64>(state + SGD_VIOLATIONS, 0);
  store<f64>(state + SGD_EXACT, 0);
  const bytes = <usize>n << 3;
  const decay = 1 - floatField(state, SGD_RATE) * floatField(state, SGD_LAMBDA);
  memory.fill(pointerField(state, SGD_PUSH), 0, bytes);
  memory.fill(pointerField(state, SGD_STEP), 0, bytes);
  scale(n, pointerField(state, SGD_POSITIVE), pointerField(state, SGD_NEGATIVE), decay);
  for (let from = 0; from < n; from += batch) visitBatch(state, n, from, min(batch, n - from));
  const alpha = pointerField(state, SGD_ALPHA);
  const output = pointerField(state, SGD_OUTPUT);
  for (let i: usize = 0; i < bytes; i += 8) {
    store<f64>(alpha + i, decay * load<f64>(alpha + i) + load<f64>(pointerField(state, SGD_STEP) + i));
    store<f64>(output + i, decay * load<f64>(output + i) + load<f64>(pointerField(state, SGD_PUSH) + i));
  }
}

function scale(n: i32, positive: usize, negative: usize, factor: f64): void {
  for (let i: usize = 0; i < <usize>n << 3; i += 8) {
    store<f64>(positive + i, factor * load<f64>(positive + i));
    store<f64>(negative + i, factor * load<f64>(negative + i));
  }
}

/** Decides the batch order[from, from + count), then lets its violators push. */
function visitBatch(state: usize, n: i32, from: i32, count: i32): void {
  const order = pointerField(state, SGD_ORDER);
  const step = pointerField(state, SGD_STEP);
  const labels = pointerField(state, SGD_LABELS);
  const push = floatField(state, SGD_RATE) / <f64>count;
  // A violator is marked by its step; the step is seen by others only after the whole batch is decided.
  for (let k = 0; k < count; ++k) {
    const i = <usize>load<i32>(order + (<usize>(from + k) << 2)) << 3;
    if (violates(state, n, from, i)) store<f64>(step + i, push * load<f64>(labels + i));
  }
  for (let k = 0; k < count; ++k) {
    const i = load<i32>(order + (<usize>(from + k) << 2));
    const value = load<f64>(step + (<usize>i << 3));
    if (value != 0) pushRow(state, n, i, value);
  }
}

/** Whether y g < 1 at the point whose arrays' offset is i, before the batch that starts at `from`. */
function violates(state: usize, n: i32, from: i32, i: usize): bool {
  const label = load<f64>(pointerField(state, SGD_LABELS) + i);
  const base = load<f64>(pointerField(state, SGD_OUTPUT) + i) + load<f64>(pointerField(state, SGD_PUSH) + i);
  const weight = floatField(state, SGD_RATE) * floatField(state, SGD_LAMBDA);
  // The kept sums decayed at the start of the epoch and grew since: both only widen the range when undone.
  const undo = weight / (1 - weight);
  const high = label * base + undo * load<f64>((label > 0 ? pointerField(state, SGD_NEGATIVE) : pointerField(state, SGD_POSITIVE)) + i);
  const low = label * base - undo * load<f64>((label > 0 ? pointerField(state, SGD_POSITIVE) : pointerField(state, SGD_NEGATIVE)) + i);
  if (low >= 1 + MARGIN_ROOM) return false;
  if (high < 1 - MARGIN_ROOM) return true;
  store<f64>(state + SGD_EXACT, floatField(state, SGD_EXACT) + 1);
  return label * (base - weight * visitedSum(state, n, from, <i32>(i >> 3))) < 1;
}

/** P: sum of K_ki alpha_i over the points visited before position `from`. */
function visitedSum(state: usize, n: i32, from: i32, k: i32): f64 {
  const row = pointerField(state, SGD_ROW);
  const alpha = pointerField(state, SGD_ALPHA);
  const order = pointerField(state, SGD_ORDER);
  if (from == 0) return 0;
  gramRow(pointerField(state, SGD_GRAM), k, row);
  let sum: f64 = 0;
  for (let at: usize = 0; at < <usize>from << 2; at += 4) {
    const i = <usize>load<i32>(order + at) << 3;
    sum += load<f64>(row + i) * load<f64>(alpha + i);
  }
  return sum;
}

/** Adds value * K(., i) to what this epoch pushed, and to the sums by sign. */
function pushRow(state: usize, n: i32, i: i32, value: f64): void {
  const row = pointerField(state, SGD_ROW);
  const push = pointerField(state, SGD_PUSH);
  const positive = pointerField(state, SGD_POSITIVE);
  const negative = pointerField(state, SGD_NEGATIVE);
  store<f64>(state + SGD_VIOLATIONS, floatField(state, SGD_VIOLATIONS) + 1);
  gramRow(pointerField(state, SGD_GRAM), i, row);
  for (let at: usize = 0; at < <usize>n << 3; at += 8) {
    const part = value * load<f64>(row + at);
    store<f64>(push + at, load<f64>(push + at) + part);
    if (part > 0) store<f64>(positive + at, load<f64>(positive + at) + part);
    else store<f64>(negative + at, load<f64>(negative + at) - part);
  }
}
