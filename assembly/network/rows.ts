// Where a network in training keeps its layers, their weights and the rows that each layer reads: addresses alone.
// Layer 0 reads the non-zero entries of the data's rows, later ones the active neurons of the layer before.
// Not here: what is computed from them (forward.ts, backward.ts) and the fields' offsets (layout.ts).
import {
  LAYER_ACTIVE,
  LAYER_ACTIVE_VALUES,
  LAYER_BLOCKS,
  LAYER_BYTES,
  LAYER_COUNTS,
  LAYER_FAN_IN,
  LAYER_WEIGHTS,
  LAYER_WIDTH,
  NET_COLUMNS,
  NET_ENTRIES,
  NET_LAYER,
  NET_STARTS,
  NEURONS,
} from "../layout";
import { field, pointerField } from "../memory";

/** One block of neurons, float32. */
export const BLOCK_BYTES: usize = NEURONS * 4;

// The row list that openRow() points at: `count` columns and entries.
export let count: i32 = 0;
export let columns: usize = 0;
export let entries: usize = 0;

// @ts-ignore: decorator
@inline
export function layerAt(net: usize, layer: i32): usize {
  return pointerField(net, NET_LAYER) + <usize>layer * LAYER_BYTES;
}

/** First block of participant `who`. */
// @ts-ignore: decorator
@inline
export function firstBlock(blocks: i32, who: i32, participants: i32): i32 {
  return <i32>((<i64>blocks * who) / participants);
}

/** Points (count, columns, entries) at the input of `layer` for row `row` of the data, place `place` of the batch. */
export function openRow(net: usize, layer: i32, row: i32, place: i32): void {
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
export function blockWeights(layer: usize, block: i32): usize {
  return pointerField(layer, LAYER_WEIGHTS) + <usize>block * <usize>field(layer, LAYER_FAN_IN) * BLOCK_BYTES;
}

/** Values (or errors) of place `place`, block `block`. */
// @ts-ignore: decorator
@inline
export function rowBlock(buffer: usize, layer: usize, place: i32, block: i32): usize {
  return buffer + <usize>(place * field(layer, LAYER_BLOCKS) + block) * BLOCK_BYTES;
}
