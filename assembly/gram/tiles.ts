// A symmetric Gram matrix as tiles of TILE x TILE on and above the diagonal, stored as float64 or float32 or computed
// again at each use (streamed): every form gives the same products as its own elements do. Tiles are computed and used
// whole, in an order fixed by n alone, so the number of threads never changes a bit.
// Not here: inner products and kernels (kernel/), solvers.
import {
  GRAM_KERNEL,
  GRAM_ROWS,
  GRAM_STORAGE,
  GRAM_TILES,
  ROWS_N,
  STORAGE_F32,
  STORAGE_F64,
  STORAGE_NONE,
  TILE,
} from "../layout";
import { kernelRow } from "../kernel/row";
import { field, pointerField, scratch } from "../memory";

// @ts-ignore: decorator
@inline
export function blockCount(n: i32): i32 {
  return (n + TILE - 1) / TILE;
}

/** Place of tile (I, J), I <= J, among the tiles: row by row. */
// @ts-ignore: decorator
@inline
function tileIndex(blocks: i32, I: i32, J: i32): i32 {
  return I * blocks - (I * (I - 1)) / 2 + (J - I);
}

/** Computes tile number `chunk` into the store (float64 or float32). */
export function gramTile(chunk: i32, gram: usize): void {
  const n = field(pointerField(gram, GRAM_ROWS), ROWS_N);
  const blocks = blockCount(n);
  let I = 0;
  let rest = chunk;
  while (rest >= blocks - I) {
    rest -= blocks - I;
    ++I;
  }
  const J = I + rest;
  const base = pointerField(gram, GRAM_TILES);
  if (field(gram, GRAM_STORAGE) == STORAGE_F64) {
    fillTile(gram, n, I, J, base + <usize>chunk * (TILE * TILE * 8));
    return;
  }
  const tile = scratch();
  fillTile(gram, n, I, J, tile);
  const to = base + <usize>chunk * (TILE * TILE * 4);
  for (let k: usize = 0; k < <usize>(TILE * TILE); ++k) store<f32>(to + (k << 2), <f32>load<f64>(tile + (k << 3)));
}

/** Float64 elements of tile (I, J) to `tile`, rows TILE apart; what lies outside the matrix is left as it was. */
function fillTile(gram: usize, n: i32, I: i32, J: i32, tile: usize): void {
  const rows = pointerField(gram, GRAM_ROWS);
  const kernel = pointerField(gram, GRAM_KERNEL);
  const end = min(n, (I + 1) * TILE);
  const count = min(TILE, n - J * TILE);
  for (let i = I * TILE; i < end; ++i) {
    kernelRow(kernel, rows, i, rows, J * TILE, count, tile + <usize>(i - I * TILE) * (TILE * 8));
  }
}

/** Pointer to the float64 elements of tile (I, J): in the store, or in this thread's scratch. */
export function tileDoubles(gram: usize, n: i32, I: i32, J: i32): usize {
  const storage = field(gram, GRAM_STORAGE);
  const index = <usize>tileIndex(blockCount(n), I, J);
  const base = pointerField(gram, GRAM_TILES);
  if (storage == STORAGE_F64) return base + index * (TILE * TILE * 8);
  const tile = scratch();
  if (storage == STORAGE_NONE) {
    fillTile(gram, n, I, J, tile);
    return tile;
  }
  const from = base + index * (TILE * TILE * 4);
  for (let k: usize = 0; k < <usize>(TILE * TILE); ++k) store<f64>(tile + (k << 3), <f64>load<f32>(from + (k << 2)));
  return tile;
}

/** Row i of the matrix, all n columns, to out. Stored elements come from the store, others are computed. */
export function gramRow(gram: usize, i: i32, out: usize): void {
  const rows = pointerField(gram, GRAM_ROWS);
  const n = field(rows, ROWS_N);
  const storage = field(gram, GRAM_STORAGE);
  if (storage == STORAGE_NONE) {
    kernelRow(pointerField(gram, GRAM_KERNEL), rows, i, rows, 0, n, out);
    return;
  }
  const blocks = blockCount(n);
  const own = i / TILE;
  const inside = <usize>(i - own * TILE);
  const base = pointerField(gram, GRAM_TILES);
  for (let J = 0; J < blocks; ++J) {
    const count = <usize>min(TILE, n - J * TILE);
    const to = out + <usize>J * (TILE * 8);
    const tile = <usize>(J < own ? tileIndex(blocks, J, own) : tileIndex(blocks, own, J)) * (TILE * TILE);
    const start = tile + (J < own ? inside : inside * TILE);
    const step: usize = J < own ? <usize>TILE : 1;
    if (storage == STORAGE_F32) {
      for (let k: usize = 0; k < count; ++k) store<f64>(to + (k << 3), <f64>load<f32>(base + ((start + k * step) << 2)));
    } else if (step == 1) {
      memory.copy(to, base + (start << 3), count << 3);
    } else {
      for (let k: usize = 0; k < count; ++k) store<f64>(to + (k << 3), load<f64>(base + ((start + k * step) << 3)));
    }
  }
}
