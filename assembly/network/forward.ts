// Outputs of a batch by a fully connected ReLU network, layer by layer, the blocks of neurons shared out among
// participants. Hidden layers but the last leave lists of active neurons for the next one; the last leaves its blocks'
// shares of the outputs, which outputOf() adds in order. Not here: losses and updates (step.ts, backward.ts).
import {
  LAYER_ACTIVE,
  LAYER_ACTIVE_VALUES,
  LAYER_BLOCKS,
  LAYER_COUNTS,
  LAYER_FAN_IN,
  LAYER_SCALE,
  LAYER_VALUES,
  LAYER_WIDTH,
  NET_BATCH,
  NET_LAYERS,
  NET_OUTPUT,
  NET_OUTPUT_SCALE,
  NET_PARTICIPANTS,
} from "../layout";
import { field, floatField, pointerField, scratch } from "../memory";
import { meet } from "./barrier";
import { blockDot, blockForward, blockOutput } from "./block";
import { BLOCK_BYTES, blockWeights, columns, count, entries, firstBlock, layerAt, openRow, rowBlock } from "./rows";

/** Inputs of later layers are read in stretches of this many, so that a block's weights stay in cache. */
const STRETCH: i32 = 1024;

/** Runs the participant's share of the batch through every layer; the shares of the outputs go to `partials`. */
export function forward(net: usize, who: i32, order: usize, rows: i32, partials: usize): void {
  const layers = field(net, NET_LAYERS);
  for (let index = 0; index + 1 < layers; ++index) {
    forwardLayer(net, index, who, order, rows);
    meet(net);
    compactLayer(net, index, who, rows);
    meet(net);
  }
  forwardLast(net, who, order, rows, partials);
  meet(net);
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

/** Pre-activations of one block for one row, to `values`. */
// @ts-ignore: decorator
@inline
export function forwardRow(net: usize, index: i32, layer: usize, block: i32, row: i32, place: i32, values: usize): void {
  openRow(net, index, row, place);
  blockForward(blockWeights(layer, block), count, columns, entries, values, true);
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
  const end = firstBlock(blocks, who + 1, participants);
  for (let block = firstBlock(blocks, who, participants); block < end; ++block)
    forwardLastBlock(net, index, block, order, rows, partials);
}

/** One block of the last hidden layer and its shares. */
export function forwardLastBlock(net: usize, index: i32, block: i32, order: usize, rows: i32, partials: usize): void {
  const layer = layerAt(net, index);
  const scale = <f32>floatField(layer, LAYER_SCALE);
  const batch = <usize>field(net, NET_BATCH);
  const buffer = pointerField(layer, LAYER_VALUES);
  const own = scratch() + 524288;
  const output = pointerField(net, NET_OUTPUT) + <usize>block * BLOCK_BYTES;
  const to = partials + ((<usize>block * (batch + 1)) << 3);
  if (index > 0) forwardBlock(net, index, layer, block, order, rows, buffer);
  for (let r = 0; r < rows; ++r) {
    const values = buffer != 0 ? rowBlock(buffer, layer, r, block) : own;
    if (index == 0) forwardRow(net, 0, layer, block, load<i32>(order + (<usize>r << 2)), r, values);
    store<f64>(to + (<usize>r << 3), <f64>blockOutput(output, values, scale));
  }
  store<f64>(to + (batch << 3), 0.5 * <f64>blockDot(output, output));
}

/** f(x) of place r: the blocks' shares added in order. */
export function outputOf(net: usize, partials: usize, r: i32): f64 {
  const blocks = field(layerAt(net, field(net, NET_LAYERS) - 1), LAYER_BLOCKS);
  const pitch = <usize>(field(net, NET_BATCH) + 1) << 3;
  let sum: f64 = 0;
  for (let block = 0; block < blocks; ++block) sum += load<f64>(partials + <usize>block * pitch + (<usize>r << 3));
  return floatField(net, NET_OUTPUT_SCALE) * sum;
}

// @ts-ignore: decorator
@inline
export function partialBytes(net: usize): usize {
  const last = layerAt(net, field(net, NET_LAYERS) - 1);
  return <usize>(field(last, LAYER_BLOCKS) * (field(net, NET_BATCH) + 1)) << 3;
}
