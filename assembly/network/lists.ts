// The rows that push a layer's weights, turned round: for each input, which of them have it and with what value. A
// block's weights are then read and written once for many rows, by the sum of their changes. Lists are each
// participant's own. Not here: the pushes themselves (backward.ts).
import { LIST_INPUTS, LIST_ROWS, NET_BATCH, NET_LIST_BYTES, NET_WORK, NET_WORK_BYTES } from "../layout";
import { field, pointerField } from "../memory";
import { blockMove } from "./block";
import { BLOCK_BYTES, columns, count, entries, openRow } from "./rows";

/** A participant's work: slopes (batch f64), pushing rows (batch pairs), pushes (batch * NEURONS f32), lists. */
// @ts-ignore: decorator
@inline
export function slopesOf(net: usize, who: i32): usize {
  const batch = <usize>field(net, NET_BATCH);
  return pointerField(net, NET_WORK) + <usize>who * (batch * NET_WORK_BYTES + NET_LIST_BYTES);
}

/** Pairs of int32 (place in the batch, row of the data), one a row that pushes. */
// @ts-ignore: decorator
@inline
function pairsOf(net: usize, who: i32): usize {
  return slopesOf(net, who) + (<usize>field(net, NET_BATCH) << 3);
}

// @ts-ignore: decorator
@inline
export function pushesOf(net: usize, who: i32): usize {
  return pairsOf(net, who) + (<usize>field(net, NET_BATCH) << 3);
}

/** Lists: how many rows have each input (LIST_INPUTS i32), the inputs that some row has (as many), pairs for blockMove(). */
// @ts-ignore: decorator
@inline
function listsOf(net: usize, who: i32): usize {
  return pushesOf(net, who) + <usize>field(net, NET_BATCH) * BLOCK_BYTES;
}

// Inputs that the lists of this participant hold.
let listed: i32 = 0;

/** Notes the rows of the step whose loss has a slope; how many there are. */
export function listPushing(net: usize, who: i32, order: usize, rows: i32): i32 {
  const slopes = slopesOf(net, who);
  const pairs = pairsOf(net, who);
  let pushing: usize = 0;
  for (let r = 0; r < rows; ++r) {
    if (load<f64>(slopes + (<usize>r << 3)) == 0) continue;
    store<i32>(pairs + (pushing << 3), r);
    store<i32>(pairs + (pushing << 3), load<i32>(order + (<usize>r << 2)), 4);
    ++pushing;
  }
  return <i32>pushing;
}

/** Place in the batch of the a-th row that pushes. */
// @ts-ignore: decorator
@inline
export function placeOf(net: usize, who: i32, a: i32): i32 {
  return load<i32>(pairsOf(net, who) + (<usize>a << 3));
}

/** Its row of the data. */
// @ts-ignore: decorator
@inline
export function rowOf(net: usize, who: i32, a: i32): i32 {
  return load<i32>(pairsOf(net, who) + (<usize>a << 3), 4);
}

/** The first entry of the open row at column `from` or behind it; columns ascend. */
function entryFrom(from: i32): i32 {
  let low = 0;
  let high = from == 0 ? 0 : count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (load<i32>(columns + (<usize>middle << 2)) < from) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Lists inputs [from, from + LIST_INPUTS) of `layer` for pushing rows [first, first + rows), rows <= LIST_ROWS. */
export function listInputs(net: usize, layer: i32, who: i32, first: i32, rows: i32, from: i32): void {
  const counts = listsOf(net, who);
  const inputs = counts + (LIST_INPUTS << 2);
  const pairs = inputs + (LIST_INPUTS << 2);
  memory.fill(counts, 0, LIST_INPUTS << 2);
  for (let a = 0; a < rows; ++a) {
    openRow(net, layer, rowOf(net, who, first + a), placeOf(net, who, first + a));
    for (let k = entryFrom(from); k < count; ++k) {
      const input = load<i32>(columns + (<usize>k << 2)) - from;
      if (input >= LIST_INPUTS) break;
      const counted = counts + (<usize>input << 2);
      const have = load<i32>(counted);
      const to = pairs + (<usize>(input * LIST_ROWS + have) << 3);
      store<i32>(to, a * <i32>BLOCK_BYTES);
      store<f32>(to, load<f32>(entries + (<usize>k << 2)), 4);
      store<i32>(counted, have + 1);
    }
  }
  listed = 0;
  for (let input = 0; input < LIST_INPUTS; ++input) {
    if (load<i32>(counts + (<usize>input << 2)) == 0) continue;
    store<i32>(inputs + (<usize>listed << 2), input);
    ++listed;
  }
}

/** Moves a block's weights (and their carry, or 0) from the first listed input on; pushes: [row][NEURONS]. */
export function moveBlock(net: usize, who: i32, weights: usize, carry: usize, pushes: usize): void {
  const counts = listsOf(net, who);
  const inputs = counts + (LIST_INPUTS << 2);
  const pairs = inputs + (LIST_INPUTS << 2);
  for (let k = 0; k < listed; ++k) {
    const input = <usize>load<i32>(inputs + (<usize>k << 2));
    const at = input * BLOCK_BYTES;
    const rows = load<i32>(counts + (input << 2));
    blockMove(weights + at, carry == 0 ? 0 : carry + at, pairs + ((input * LIST_ROWS) << 3), rows, pushes);
  }
}
