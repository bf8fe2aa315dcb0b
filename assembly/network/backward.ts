// The way back of a step: from the slopes of a batch's losses to the step of every weight, the blocks of neurons shared
// out among participants. Rows whose loss has slope 0 cost nothing. A very wide lone hidden layer keeps no row buffers:
// what a violating row needs again is computed again. In wide networks the step of a weight is far below the last place of its
// float32, so each weight carries what rounding left over (block.ts). Not here: the slopes themselves (step.ts).
import {
  LAYER_BLOCKS,
  LAYER_BYTES,
  LAYER_ERRORS,
  LAYER_FAN_IN,
  LAYER_SCALE,
  LAYER_VALUES,
  LIST_INPUTS,
  LIST_ROWS,
  NET_CARRY,
  NET_CARRY_OUTPUT,
  NET_LAMBDA,
  NET_LAYERS,
  NET_OUTPUT,
  NET_OUTPUT_SCALE,
  NET_PARTICIPANTS,
  NET_RATE,
  NEURONS,
} from "../layout";
import { field, floatField, pointerField, scratch } from "../memory";
import { meet } from "./barrier";
import { blockDot, moveWeight } from "./block";
import { forwardRow } from "./forward";
import { listInputs, listPushing, moveBlock, placeOf, pushesOf, rowOf, slopesOf } from "./lists";
import { BLOCK_BYTES, blockWeights, firstBlock, layerAt, rowBlock } from "./rows";

/** Slope of the a-th row that pushes. */
// @ts-ignore: decorator
@inline
function slopeOf(net: usize, who: i32, a: i32): f64 {
  return load<f64>(slopesOf(net, who) + (<usize>placeOf(net, who, a) << 3));
}

/** The carry of a block's weights, or 0. */
// @ts-ignore: decorator
@inline
function blockCarry(net: usize, index: i32, block: i32): usize {
  const records = pointerField(net, NET_CARRY);
  return records == 0 ? 0 : blockWeights(records + <usize>index * LAYER_BYTES, block);
}

/** The way back through several hidden layers. */
export function backward(net: usize, who: i32, order: usize, rows: i32): void {
  const pushing = listPushing(net, who, order, rows);
  const index = field(net, NET_LAYERS) - 1;
  errorsLast(net, who, pushing);
  for (let layer = index; layer > 0; --layer) {
    meet(net);
    errorsBefore(net, layer, who, pushing);
    meet(net);
    updateLayer(net, layer, who, pushing);
  }
  updateLayer(net, 0, who, pushing);
}

/**
 * One block of a lone hidden layer: both layers take their step.
 * `first`: the participant's first block of this step, for which its lists are made.
 */
export function backwardLone(net: usize, who: i32, block: i32, pushing: i32, first: bool): void {
  const layer = layerAt(net, 0);
  const own = scratch() + 524288;
  const gradient = own + BLOCK_BYTES;
  const pushes = pushesOf(net, who);
  const buffer = pointerField(layer, LAYER_VALUES);
  memory.fill(gradient, 0, BLOCK_BYTES);
  // All rows look at the weights before the step, so pushes are kept until the last row has looked.
  for (let a = 0; a < pushing; ++a) {
    const values = buffer != 0 ? rowBlock(buffer, layer, placeOf(net, who, a), block) : own;
    if (buffer == 0) forwardRow(net, 0, layer, block, rowOf(net, who, a), a, values);
    pushRow(net, layer, block, values, slopeOf(net, who, a), pushes + <usize>a * BLOCK_BYTES, gradient);
  }
  moveLone(net, who, block, pushing, first);
  stepOutput(net, block, gradient);
}

/** W += sum of the rows' pushes, for one block. Lists that hold all rows and inputs are made for the first block only. */
function moveLone(net: usize, who: i32, block: i32, pushing: i32, first: bool): void {
  const layer = layerAt(net, 0);
  const inputs = field(layer, LAYER_FAN_IN);
  const fits = pushing <= LIST_ROWS && inputs <= LIST_INPUTS;
  const weights = blockWeights(layer, block);
  const carry = blockCarry(net, 0, block);
  for (let a = 0; a < pushing; a += LIST_ROWS) {
    const pushes = pushesOf(net, who) + <usize>a * BLOCK_BYTES;
    for (let from = 0; from < inputs; from += LIST_INPUTS) {
      if (first || !fits) listInputs(net, 0, who, a, min(LIST_ROWS, pushing - a), from);
      const at = <usize>from * BLOCK_BYTES;
      moveBlock(net, who, weights + at, carry == 0 ? 0 : carry + at, pushes);
    }
  }
}

/** push_j = -eta s s_out slope w_j 1[value_j > 0]; gradient_j += slope relu(s value_j). */
function pushRow(net: usize, layer: usize, block: i32, values: usize, slope: f64, push: usize, gradient: usize): void {
  const output = pointerField(net, NET_OUTPUT) + <usize>block * BLOCK_BYTES;
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

/** w_j -= eta (lambda s_out^2 w_j + s_out gradient_j) for one block. */
function stepOutput(net: usize, block: i32, gradient: usize): void {
  const at = <usize>block * BLOCK_BYTES;
  const output = pointerField(net, NET_OUTPUT) + at;
  const carries = pointerField(net, NET_CARRY_OUTPUT);
  const scale = floatField(net, NET_OUTPUT_SCALE);
  const rate = floatField(net, NET_RATE);
  const decay = <f32>(rate * floatField(net, NET_LAMBDA) * scale * scale);
  const step = <f32>(rate * scale);
  for (let j: usize = 0; j < BLOCK_BYTES; j += 4) {
    const change = -(decay * load<f32>(output + j) + step * load<f32>(gradient + j));
    moveWeight(output + j, carries == 0 ? 0 : carries + at + j, change);
  }
}

/** Errors of the last layer (by scaled pre-activation), then the output layer's step, for the participant's blocks. */
function errorsLast(net: usize, who: i32, pushing: i32): void {
  const layer = layerAt(net, field(net, NET_LAYERS) - 1);
  const blocks = field(layer, LAYER_BLOCKS);
  const participants = field(net, NET_PARTICIPANTS);
  const end = firstBlock(blocks, who + 1, participants);
  const scale = <f32>floatField(layer, LAYER_SCALE);
  const gradient = scratch();
  for (let block = firstBlock(blocks, who, participants); block < end; ++block) {
    const output = pointerField(net, NET_OUTPUT) + <usize>block * BLOCK_BYTES;
    memory.fill(gradient, 0, BLOCK_BYTES);
    for (let a = 0; a < pushing; ++a) {
      const slope = slopeOf(net, who, a);
      const place = placeOf(net, who, a);
      const values = rowBlock(pointerField(layer, LAYER_VALUES), layer, place, block);
      const errors = rowBlock(pointerField(layer, LAYER_ERRORS), layer, place, block);
      const factor = <f32>(floatField(net, NET_OUTPUT_SCALE) * slope);
      for (let j: usize = 0; j < BLOCK_BYTES; j += 4) {
        const value = load<f32>(values + j);
        store<f32>(errors + j, value > 0 ? factor * load<f32>(output + j) : 0);
        if (value > 0) store<f32>(gradient + j, load<f32>(gradient + j) + <f32>slope * (scale * value));
      }
    }
    stepOutput(net, block, gradient);
  }
}

/** Errors of layer `index - 1` from those of `index`, for the participant's neurons of the layer before. */
function errorsBefore(net: usize, index: i32, who: i32, pushing: i32): void {
  const layer = layerAt(net, index);
  const before = layerAt(net, index - 1);
  const blocks = field(layer, LAYER_BLOCKS);
  const inputs = field(layer, LAYER_FAN_IN);
  const participants = field(net, NET_PARTICIPANTS);
  const from = firstBlock(field(before, LAYER_BLOCKS), who, participants) * NEURONS;
  const end = min(inputs, firstBlock(field(before, LAYER_BLOCKS), who + 1, participants) * NEURONS);
  const scale = <f32>floatField(layer, LAYER_SCALE);
  clearErrors(net, before, who, pushing, from, end);
  for (let block = 0; block < blocks; ++block) {
    const weights = blockWeights(layer, block);
    for (let k = from; k < end; ++k) {
      const own = weights + <usize>k * BLOCK_BYTES;
      const at = <usize>k << 2;
      for (let a = 0; a < pushing; ++a) {
        const place = placeOf(net, who, a);
        if (!(load<f32>(rowBlock(pointerField(before, LAYER_VALUES), before, place, 0) + at) > 0)) continue;
        const to = rowBlock(pointerField(before, LAYER_ERRORS), before, place, 0) + at;
        const errors = rowBlock(pointerField(layer, LAYER_ERRORS), layer, place, block);
        store<f32>(to, load<f32>(to) + scale * blockDot(own, errors));
      }
    }
  }
}

function clearErrors(net: usize, layer: usize, who: i32, pushing: i32, from: i32, end: i32): void {
  for (let a = 0; a < pushing; ++a) {
    const errors = rowBlock(pointerField(layer, LAYER_ERRORS), layer, placeOf(net, who, a), 0);
    memory.fill(errors + (<usize>from << 2), 0, <usize>max(0, end - from) << 2);
  }
}

/** W -= eta s_l x errors for the participant's blocks of layer `index`. */
function updateLayer(net: usize, index: i32, who: i32, pushing: i32): void {
  const layer = layerAt(net, index);
  const blocks = field(layer, LAYER_BLOCKS);
  const inputs = field(layer, LAYER_FAN_IN);
  const participants = field(net, NET_PARTICIPANTS);
  const end = firstBlock(blocks, who + 1, participants);
  const pushes = pushesOf(net, who);
  for (let first = 0; first < pushing; first += LIST_ROWS) {
    const rows = min(LIST_ROWS, pushing - first);
    for (let from = 0; from < inputs; from += LIST_INPUTS) {
      listInputs(net, index, who, first, rows, from);
      const at = <usize>from * BLOCK_BYTES;
      for (let block = firstBlock(blocks, who, participants); block < end; ++block) {
        const carry = blockCarry(net, index, block);
        pushErrors(net, layer, who, block, first, rows);
        moveBlock(net, who, blockWeights(layer, block) + at, carry == 0 ? 0 : carry + at, pushes);
      }
    }
  }
}

/** push_j = -eta s_l error_j of pushing rows [first, first + rows). */
function pushErrors(net: usize, layer: usize, who: i32, block: i32, first: i32, rows: i32): void {
  const factor = <f32>(-floatField(net, NET_RATE) * floatField(layer, LAYER_SCALE));
  const pushes = pushesOf(net, who);
  for (let a = 0; a < rows; ++a) {
    const errors = rowBlock(pointerField(layer, LAYER_ERRORS), layer, placeOf(net, who, first + a), block);
    const push = pushes + <usize>a * BLOCK_BYTES;
    for (let j: usize = 0; j < BLOCK_BYTES; j += 4) store<f32>(push + j, factor * load<f32>(errors + j));
  }
}
