// (Sub)gradient steps of a fully connected ReLU network, any number of hidden layers, on several threads at once.
// Blocks of neurons are shared out among participants; every number is computed by one of them in an order fixed by
// the network alone, so the number of threads never changes a bit. The first layer reads the non-zero entries of its
// rows, later ones the active neurons of the layer before; rows whose loss has slope 0 cost nothing backwards.
// A lone hidden layer keeps no row buffers: what a violating row needs again is computed again.
// Not here: the inner loops (block.ts), the losses (math/loss.ts), the order of rows (the SDK).
import {
  LAYER_ACTIVE,
  LAYER_ACTIVE_VALUES,
  LAYER_BLOCKS,
  LAYER_BYTES,
  LAYER_COUNTS,
  LAYER_ERRORS,
  LAYER_FAN_IN,
  LAYER_SCALE,
  LAYER_VALUES,
  LAYER_WEIGHTS,
  LAYER_WIDTH,
  NET_BATCH,
  NET_CENTRE,
  NET_COLUMNS,
  NET_ENTRIES,
  NET_EPSILON,
  NET_LABELS,
  NET_LAMBDA,
  NET_LAYER,
  NET_LAYERS,
  NET_LOSS,
  NET_ORDER,
  NET_OUTPUT,
  NET_OUTPUT_SCALE,
  NET_PARTIALS,
  NET_PARTICIPANTS,
  NET_RATE,
  NET_REPORTS,
  NET_STARTS,
  NET_STEP_STARTS,
  NET_STOPPED,
  NET_WORK,
  NEURONS,
} from "../layout";
import { lossSlope, lossValue } from "../math/loss";
import { field, floatField, pointerField, scratch } from "../memory";
import { meet } from "./barrier";
import { blockDot, blockForward, blockOutput, blockUpdate } from "./block";

const BLOCK_BYTES: usize = 128; // NEURONS float32

/** Inputs of later layers are read in stretches of this many, so that a block's weights stay in cache. */
const STRETCH: i32 = 1024;

// The row list that a layer reads: `count` columns and entries.
let count: i32 = 0;
let columns: usize = 0;
let entries: usize = 0;

// @ts-ignore: decorator
@inline
export function layerAt(net: usize, layer: i32): usize {
  return pointerField(net, NET_LAYER) + <usize>layer * LAYER_BYTES;
}

/** First block of participant `who`. */
// @ts-ignore: decorator
@inline
function firstBlock(blocks: i32, who: i32, participants: i32): i32 {
  return <i32>((<i64>blocks * who) / participants);
}

/** Points (count, columns, entries) at the input of `layer` for row `row` of the data, place `place` of the batch. */
function openRow(net: usize, layer: i32, row: i32, place: i32): void {
  if (layer == 0) {
    const starts = pointerField(net, NET_STARTS) + (<usize>row << 2);
    const from = load<i32>(starts);
    count = load<i32>(starts, 4) - from;
    columns = pointerField(net, NET_COLUMNS) + (<usize>from << 2);
    entries = pointerField(net, NET_ENTRIES) + (<usize>from << 2);
    return;
  }
  const before = layerAt(net, layer - 1);
  const from = <usize>place * <usize>field(before, LAYER_WIDTH);
  count = load<i32>(pointerField(before, LAYER_COUNTS) + (<usize>place << 2));
  columns = pointerField(before, LAYER_ACTIVE) + (from << 2);
  entries = pointerField(before, LAYER_ACTIVE_VALUES) + (from << 2);
}

// @ts-ignore: decorator
@inline
function blockWeights(layer: usize, block: i32): usize {
  return pointerField(layer, LAYER_WEIGHTS) + <usize>block * <usize>field(layer, LAYER_FAN_IN) * BLOCK_BYTES;
}

/** Values (or errors) of place `place`, block `block`. */
// @ts-ignore: decorator
@inline
function rowBlock(buffer: usize, layer: usize, place: i32, block: i32): usize {
  return buffer + <usize>(place * field(layer, LAYER_BLOCKS) + block) * BLOCK_BYTES;
}

/** Pre-activations of one block for one row, to `values`. */
// @ts-ignore: decorator
@inline
function forwardRow(net: usize, index: i32, layer: usize, block: i32, row: i32, place: i32, values: usize): void {
  openRow(net, index, row, place);
  blockForward(blockWeights(layer, block), count, columns, entries, values, true);
}

/**
 * Runs steps [0, steps) of the call as participant `chunk`. A step whose outputs are not finite is not taken:
 * NET_STOPPED says which, and the weights are those before it.
 */
export function networkSteps(chunk: i32, net: usize, steps: i32): void {
  const layers = field(net, NET_LAYERS);
  const starts = pointerField(net, NET_STEP_STARTS);
  for (let step = 0; step < steps; ++step) {
    const from = load<i32>(starts + (<usize>step << 2));
    const rows = load<i32>(starts + (<usize>step << 2), 4) - from;
    const order = pointerField(net, NET_ORDER) + (<usize>from << 2);
    const partials = pointerField(net, NET_PARTIALS) + <usize>(step & 1) * partialBytes(net);
    for (let index = 0; index + 1 < layers; ++index) {
      forwardLayer(net, index, chunk, order, rows);
      meet(net);
      compactLayer(net, index, chunk, rows);
      meet(net);
    }
    forwardLast(net, chunk, order, rows, partials);
    meet(net);
    if (!judge(net, chunk, step, order, rows, partials)) return;
    backward(net, chunk, order, rows);
    if (layers > 1) meet(net);
  }
}

/** Outputs f(x) of the rows of steps [0, steps), in the order of NET_ORDER, to out; participant `chunk`. */
export function networkOutputs(chunk: i32, net: usize, steps: i32, out: usize): void {
  const layers = field(net, NET_LAYERS);
  const starts = pointerField(net, NET_STEP_STARTS);
  for (let step = 0; step < steps; ++step) {
    const from = load<i32>(starts + (<usize>step << 2));
    const rows = load<i32>(starts + (<usize>step << 2), 4) - from;
    const order = pointerField(net, NET_ORDER) + (<usize>from << 2);
    const partials = pointerField(net, NET_PARTIALS) + <usize>(step & 1) * partialBytes(net);
    for (let index = 0; index + 1 < layers; ++index) {
      forwardLayer(net, index, chunk, order, rows);
      meet(net);
      compactLayer(net, index, chunk, rows);
      meet(net);
    }
    forwardLast(net, chunk, order, rows, partials);
    meet(net);
    if (chunk == 0) for (let r = 0; r < rows; ++r) store<f64>(out + (<usize>(from + r) << 3), outputOf(net, partials, r));
  }
}

/** f(x) of place r: the blocks' shares added in order. */
function outputOf(net: usize, partials: usize, r: i32): f64 {
  const blocks = field(layerAt(net, field(net, NET_LAYERS) - 1), LAYER_BLOCKS);
  const pitch = <usize>(field(net, NET_BATCH) + 1) << 3;
  let sum: f64 = 0;
  for (let block = 0; block < blocks; ++block) sum += load<f64>(partials + <usize>block * pitch + (<usize>r << 3));
  return floatField(net, NET_OUTPUT_SCALE) * sum;
}

// @ts-ignore: decorator
@inline
function partialBytes(net: usize): usize {
  const last = layerAt(net, field(net, NET_LAYERS) - 1);
  return <usize>(field(last, LAYER_BLOCKS) * (field(net, NET_BATCH) + 1)) << 3;
}

/** Pre-activations of the participant's blocks of a layer that is not the last, in stretches of its inputs. */
function forwardLayer(net: usize, index: i32, who: i32, order: usize, rows: i32): void {
  const layer = layerAt(net, index);
  const blocks = field(layer, LAYER_BLOCKS);
  const participants = field(net, NET_PARTICIPANTS);
  const end = firstBlock(blocks, who + 1, participants);
  for (let block = firstBlock(blocks, who, participants); block < end; ++block)
    forwardBlock(net, index, layer, block, order, rows, pointerField(layer, LAYER_VALUES));
}

/** One block for all rows of the step: the rows' lists are walked stretch by stretch of the inputs. */
function forwardBlock(net: usize, index: i32, layer: usize, block: i32, order: usize, rows: i32, buffer: usize): void {
  const weights = blockWeights(layer, block);
  const inputs = field(layer, LAYER_FAN_IN);
  if (inputs <= STRETCH) {
    for (let r = 0; r < rows; ++r)
      forwardRow(net, index, layer, block, load<i32>(order + (<usize>r << 2)), r, rowBlock(buffer, layer, r, block));
    return;
  }
  const cursors = scratch();
  memory.fill(cursors, 0, <usize>rows << 2);
  for (let limit = STRETCH; limit < inputs + STRETCH; limit += STRETCH) {
    for (let r = 0; r < rows; ++r) {
      openRow(net, index, load<i32>(order + (<usize>r << 2)), r);
      const from = load<i32>(cursors + (<usize>r << 2));
      let to = from;
      while (to < count && load<i32>(columns + (<usize>to << 2)) < limit) ++to;
      const at = <usize>from << 2;
      blockForward(weights, to - from, columns + at, entries + at, rowBlock(buffer, layer, r, block), limit == STRETCH);
      store<i32>(cursors + (<usize>r << 2), to);
    }
  }
}

/** Lists the active neurons of the participant's rows: indices and relu(s_l value). */
function compactLayer(net: usize, index: i32, who: i32, rows: i32): void {
  const layer = layerAt(net, index);
  const width = field(layer, LAYER_WIDTH);
  const scale = <f32>floatField(layer, LAYER_SCALE);
  const participants = field(net, NET_PARTICIPANTS);
  const end = firstBlock(rows, who + 1, participants);
  for (let r = firstBlock(rows, who, participants); r < end; ++r) {
    const values = rowBlock(pointerField(layer, LAYER_VALUES), layer, r, 0);
    const list = pointerField(layer, LAYER_ACTIVE) + (<usize>r * width << 2);
    const kept = pointerField(layer, LAYER_ACTIVE_VALUES) + (<usize>r * width << 2);
    let active: usize = 0;
    for (let j = 0; j < width; ++j) {
      const value = load<f32>(values + (<usize>j << 2));
      // NaN counts as active, so that it reaches the outputs and is seen there.
      if (value <= 0) continue;
      store<i32>(list + (active << 2), j);
      store<f32>(kept + (active << 2), scale * value);
      ++active;
    }
    store<i32>(pointerField(layer, LAYER_COUNTS) + (<usize>r << 2), <i32>active);
  }
}

/** The last hidden layer and its blocks' shares of the outputs and of (1/2) ||w||^2. */
function forwardLast(net: usize, who: i32, order: usize, rows: i32, partials: usize): void {
  const index = field(net, NET_LAYERS) - 1;
  const layer = layerAt(net, index);
  const blocks = field(layer, LAYER_BLOCKS);
  const participants = field(net, NET_PARTICIPANTS);
  const scale = <f32>floatField(layer, LAYER_SCALE);
  const pitch = <usize>(field(net, NET_BATCH) + 1) << 3;
  const end = firstBlock(blocks, who + 1, participants);
  const buffer = pointerField(layer, LAYER_VALUES);
  const own = scratch() + 524288;
  for (let block = firstBlock(blocks, who, participants); block < end; ++block) {
    const output = pointerField(net, NET_OUTPUT) + <usize>block * BLOCK_BYTES;
    const to = partials + <usize>block * pitch;
    if (index > 0) forwardBlock(net, index, layer, block, order, rows, buffer);
    for (let r = 0; r < rows; ++r) {
      const values = index > 0 ? rowBlock(buffer, layer, r, block) : own;
      if (index == 0) forwardRow(net, 0, layer, block, load<i32>(order + (<usize>r << 2)), r, values);
      store<f64>(to + (<usize>r << 3), <f64>blockOutput(output, values, scale));
    }
    store<f64>(to + (<usize>field(net, NET_BATCH) << 3), 0.5 * <f64>blockDot(output, output));
  }
}

/** Outputs and slopes of the step, the same on every participant; false when an output is not finite. */
function judge(net: usize, who: i32, step: i32, order: usize, rows: i32, partials: usize): bool {
  const last = layerAt(net, field(net, NET_LAYERS) - 1);
  const blocks = field(last, LAYER_BLOCKS);
  const batch = field(net, NET_BATCH);
  const pitch = <usize>(batch + 1) << 3;
  const slopes = slopesOf(net, who);
  const scale = floatField(net, NET_OUTPUT_SCALE);
  const kind = field(net, NET_LOSS);
  const epsilon = floatField(net, NET_EPSILON);
  let loss: f64 = 0;
  let finite = true;
  for (let r = 0; r < rows; ++r) {
    const row = <usize>load<i32>(order + (<usize>r << 2)) << 3;
    const z = outputOf(net, partials, r) - load<f64>(pointerField(net, NET_CENTRE) + row);
    const label = load<f64>(pointerField(net, NET_LABELS) + row);
    const slope = lossSlope(kind, z, label, epsilon) / <f64>rows;
    store<f64>(slopes + (<usize>r << 3), slope);
    loss += lossValue(kind, z, label, epsilon);
    finite = finite && isFinite(z) && isFinite(slope);
  }
  let square: f64 = 0;
  for (let block = 0; block < blocks; ++block) square += load<f64>(partials + <usize>block * pitch + (<usize>batch << 3));
  finite = finite && isFinite(square);
  if (who == 0) {
    const report = pointerField(net, NET_REPORTS) + (<usize>step << 4);
    store<f64>(report, loss / <f64>rows);
    store<f64>(report, scale * scale * square, 8);
    if (!finite) store<i32>(net + NET_STOPPED, step + 1);
  }
  return finite;
}

/** Slopes of the step's rows (batch f64), then room for their pushes (batch * NEURONS f32); one set a participant. */
// @ts-ignore: decorator
@inline
function slopesOf(net: usize, who: i32): usize {
  return pointerField(net, NET_WORK) + <usize>who * <usize>field(net, NET_BATCH) * (8 + BLOCK_BYTES);
}

function backward(net: usize, who: i32, order: usize, rows: i32): void {
  const slopes = slopesOf(net, who);
  const index = field(net, NET_LAYERS) - 1;
  if (index == 0) {
    backwardLone(net, who, order, rows, slopes);
    return;
  }
  errorsLast(net, who, rows, slopes);
  for (let layer = index; layer > 0; --layer) {
    meet(net);
    errorsBefore(net, layer, who, rows, slopes);
    meet(net);
    updateLayer(net, layer, who, order, rows, slopes);
  }
  updateLayer(net, 0, who, order, rows, slopes);
}

/** A lone hidden layer: values of violating rows are computed again, then both layers take their step. */
function backwardLone(net: usize, who: i32, order: usize, rows: i32, slopes: usize): void {
  const layer = layerAt(net, 0);
  const blocks = field(layer, LAYER_BLOCKS);
  const participants = field(net, NET_PARTICIPANTS);
  const end = firstBlock(blocks, who + 1, participants);
  const values = scratch() + 524288;
  const gradient = values + BLOCK_BYTES;
  const pushes = slopes + (<usize>field(net, NET_BATCH) << 3);
  for (let block = firstBlock(blocks, who, participants); block < end; ++block) {
    const output = pointerField(net, NET_OUTPUT) + <usize>block * BLOCK_BYTES;
    const weights = blockWeights(layer, block);
    memory.fill(gradient, 0, BLOCK_BYTES);
    // All rows look at the weights before the step, so pushes are kept until the last row has looked.
    for (let r = 0; r < rows; ++r) {
      const slope = load<f64>(slopes + (<usize>r << 3));
      if (slope == 0) continue;
      forwardRow(net, 0, layer, block, load<i32>(order + (<usize>r << 2)), r, values);
      pushRow(net, layer, output, values, slope, pushes + <usize>r * BLOCK_BYTES, gradient);
    }
    for (let r = 0; r < rows; ++r) {
      if (load<f64>(slopes + (<usize>r << 3)) == 0) continue;
      openRow(net, 0, load<i32>(order + (<usize>r << 2)), r);
      blockUpdate(weights, count, columns, entries, pushes + <usize>r * BLOCK_BYTES);
    }
    stepOutput(net, output, gradient);
  }
}

/** push_j = -eta s s_out slope w_j 1[value_j > 0]; gradient_j += slope relu(s value_j). */
function pushRow(net: usize, layer: usize, output: usize, values: usize, slope: f64, push: usize, gradient: usize): void {
  const scale = <f32>floatField(layer, LAYER_SCALE);
  const factor = <f32>(-floatField(net, NET_RATE) * floatField(layer, LAYER_SCALE) * floatField(net, NET_OUTPUT_SCALE) * slope);
  const weight = <f32>slope;
  for (let j: usize = 0; j < BLOCK_BYTES; j += 4) {
    const value = load<f32>(values + j);
    const on = value > 0;
    store<f32>(push + j, on ? factor * load<f32>(output + j) : 0);
    if (on) store<f32>(gradient + j, load<f32>(gradient + j) + weight * (scale * value));
  }
}

/** w_j -= eta (lambda s_out^2 w_j + s_out gradient_j). */
function stepOutput(net: usize, output: usize, gradient: usize): void {
  const scale = floatField(net, NET_OUTPUT_SCALE);
  const rate = floatField(net, NET_RATE);
  const decay = <f32>(rate * floatField(net, NET_LAMBDA) * scale * scale);
  const step = <f32>(rate * scale);
  for (let j: usize = 0; j < BLOCK_BYTES; j += 4) {
    const weight = load<f32>(output + j);
    store<f32>(output + j, weight - (decay * weight + step * load<f32>(gradient + j)));
  }
}

/** Errors of the last layer (by scaled pre-activation), then the output layer's step, for the participant's blocks. */
function errorsLast(net: usize, who: i32, rows: i32, slopes: usize): void {
  const layer = layerAt(net, field(net, NET_LAYERS) - 1);
  const blocks = field(layer, LAYER_BLOCKS);
  const participants = field(net, NET_PARTICIPANTS);
  const end = firstBlock(blocks, who + 1, participants);
  const scale = <f32>floatField(layer, LAYER_SCALE);
  const gradient = scratch();
  for (let block = firstBlock(blocks, who, participants); block < end; ++block) {
    const output = pointerField(net, NET_OUTPUT) + <usize>block * BLOCK_BYTES;
    memory.fill(gradient, 0, BLOCK_BYTES);
    for (let r = 0; r < rows; ++r) {
      const slope = load<f64>(slopes + (<usize>r << 3));
      if (slope == 0) continue;
      const values = rowBlock(pointerField(layer, LAYER_VALUES), layer, r, block);
      const errors = rowBlock(pointerField(layer, LAYER_ERRORS), layer, r, block);
      const factor = <f32>(floatField(net, NET_OUTPUT_SCALE) * slope);
      for (let j: usize = 0; j < BLOCK_BYTES; j += 4) {
        const value = load<f32>(values + j);
        store<f32>(errors + j, value > 0 ? factor * load<f32>(output + j) : 0);
        if (value > 0) store<f32>(gradient + j, load<f32>(gradient + j) + <f32>slope * (scale * value));
      }
    }
    stepOutput(net, output, gradient);
  }
}

/** Errors of layer `index - 1` from those of `index`, for the participant's neurons of the layer before. */
function errorsBefore(net: usize, index: i32, who: i32, rows: i32, slopes: usize): void {
  const layer = layerAt(net, index);
  const before = layerAt(net, index - 1);
  const blocks = field(layer, LAYER_BLOCKS);
  const inputs = field(layer, LAYER_FAN_IN);
  const participants = field(net, NET_PARTICIPANTS);
  const from = firstBlock(field(before, LAYER_BLOCKS), who, participants) * NEURONS;
  const end = min(inputs, firstBlock(field(before, LAYER_BLOCKS), who + 1, participants) * NEURONS);
  const scale = <f32>floatField(layer, LAYER_SCALE);
  clearErrors(before, rows, from, end);
  for (let block = 0; block < blocks; ++block) {
    const weights = blockWeights(layer, block);
    for (let k = from; k < end; ++k) {
      const own = weights + <usize>k * BLOCK_BYTES;
      for (let r = 0; r < rows; ++r) {
        if (load<f64>(slopes + (<usize>r << 3)) == 0) continue;
        const at = <usize>k << 2;
        if (!(load<f32>(rowBlock(pointerField(before, LAYER_VALUES), before, r, 0) + at) > 0)) continue;
        const to = rowBlock(pointerField(before, LAYER_ERRORS), before, r, 0) + at;
        const errors = rowBlock(pointerField(layer, LAYER_ERRORS), layer, r, block);
        store<f32>(to, load<f32>(to) + scale * blockDot(own, errors));
      }
    }
  }
}

function clearErrors(layer: usize, rows: i32, from: i32, end: i32): void {
  for (let r = 0; r < rows; ++r) {
    const errors = rowBlock(pointerField(layer, LAYER_ERRORS), layer, r, 0);
    memory.fill(errors + (<usize>from << 2), 0, <usize>max(0, end - from) << 2);
  }
}

/** W -= eta s_l x errors for the participant's blocks of layer `index`. */
function updateLayer(net: usize, index: i32, who: i32, order: usize, rows: i32, slopes: usize): void {
  const layer = layerAt(net, index);
  const blocks = field(layer, LAYER_BLOCKS);
  const participants = field(net, NET_PARTICIPANTS);
  const end = firstBlock(blocks, who + 1, participants);
  const factor = <f32>(-floatField(net, NET_RATE) * floatField(layer, LAYER_SCALE));
  const push = scratch();
  for (let block = firstBlock(blocks, who, participants); block < end; ++block) {
    for (let r = 0; r < rows; ++r) {
      if (load<f64>(slopes + (<usize>r << 3)) == 0) continue;
      const errors = rowBlock(pointerField(layer, LAYER_ERRORS), layer, r, block);
      for (let j: usize = 0; j < BLOCK_BYTES; j += 4) store<f32>(push + j, factor * load<f32>(errors + j));
      openRow(net, index, load<i32>(order + (<usize>r << 2)), r);
      blockUpdate(blockWeights(layer, block), count, columns, entries, push);
    }
  }
}
