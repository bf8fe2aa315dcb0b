// The way back of a step: from the slopes of a batch's losses to the step of every weight, the blocks of neurons shared
// out among participants. Rows whose loss has slope 0 cost nothing. A lone hidden layer keeps no row buffers: what a
// violating row needs again is computed again. Not here: the slopes themselves (step.ts).
import {
  LAYER_BLOCKS,
  LAYER_ERRORS,
  LAYER_FAN_IN,
  LAYER_SCALE,
  LAYER_VALUES,
  NET_BATCH,
  NET_LAMBDA,
  NET_LAYERS,
  NET_OUTPUT,
  NET_OUTPUT_SCALE,
  NET_PARTICIPANTS,
  NET_RATE,
  NET_WORK,
  NEURONS,
} from "../layout";
import { field, floatField, pointerField, scratch } from "../memory";
import { meet } from "./barrier";
import { blockDot, blockUpdate } from "./block";
import { forwardRow } from "./forward";
import { BLOCK_BYTES, blockWeights, columns, count, entries, firstBlock, layerAt, openRow, rowBlock } from "./rows";

/** Slopes of the step's rows (batch f64), then room for their pushes (batch * NEURONS f32); one set a participant. */
// @ts-ignore: decorator
@inline
export function slopesOf(net: usize, who: i32): usize {
  return pointerField(net, NET_WORK) + <usize>who * <usize>field(net, NET_BATCH) * (8 + BLOCK_BYTES);
}

export function backward(net: usize, who: i32, order: usize, rows: i32): void {
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
