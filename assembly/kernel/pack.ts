// Packing rows for the inner products: columns in an order that gathers zeros, padding to whole blocks, squared norms
// and, for 8-bit data, the list of each row's non-zero blocks. Any column order gives the same inner products for
// 8-bit data (they are exact integers); float64 data keeps its order. Not here: who owns the memory (the SDK).
import {
  BLOCK,
  FORMAT_U8,
  ROWS_BLOCKS,
  ROWS_COUNTS,
  ROWS_D,
  ROWS_DATA,
  ROWS_FORMAT,
  ROWS_N,
  ROWS_NORMS,
  ROWS_STRIDE,
  TILE,
} from "../layout";
import { field, pointerField } from "../memory";
import { dotDoubles } from "./dot";

/**
 * Packs rows [chunk * TILE, ...) of `source` (row-major, d entries a row, uint8 or float64) into `rows`.
 * `order` (8-bit data): d int32, packed column k is source column order[k].
 */
export function packRows(chunk: i32, rows: usize, source: usize, order: usize): void {
  const end = min(field(rows, ROWS_N), (chunk + 1) * TILE);
  const eightBit = field(rows, ROWS_FORMAT) == FORMAT_U8;
  for (let row = chunk * TILE; row < end; ++row) {
    if (eightBit) packPixels(rows, row, source, order);
    else packDoubles(rows, row, source);
  }
}

function packPixels(rows: usize, row: i32, source: usize, order: usize): void {
  const d = field(rows, ROWS_D);
  const stride = field(rows, ROWS_STRIDE);
  const from = source + <usize>row * d;
  const to = pointerField(rows, ROWS_DATA) + <usize>row * stride;
  const blocks = stride / BLOCK;
  const list = pointerField(rows, ROWS_BLOCKS) + (<usize>row * blocks) * 2;
  let norm: i64 = 0;
  for (let k = 0; k < d; ++k) {
    const value = <i32>load<u8>(from + load<i32>(order + (<usize>k << 2)));
    store<u8>(to + k, value);
    norm += value * value;
  }
  for (let k = d; k < stride; ++k) store<u8>(to + k, 0);
  let count = 0;
  for (let block = 0; block < blocks; ++block) {
    if (load<u64>(to + block * BLOCK) == 0) continue;
    store<u16>(list + (<usize>count << 1), <u16>block);
    ++count;
  }
  store<i32>(pointerField(rows, ROWS_COUNTS) + (<usize>row << 2), count);
  store<f64>(pointerField(rows, ROWS_NORMS) + (<usize>row << 3), <f64>norm);
}

function packDoubles(rows: usize, row: i32, source: usize): void {
  const d = field(rows, ROWS_D);
  const stride = field(rows, ROWS_STRIDE);
  const to = pointerField(rows, ROWS_DATA) + <usize>row * stride;
  memory.copy(to, source + <usize>row * d * 8, <usize>d * 8);
  memory.fill(to + <usize>d * 8, 0, stride - d * 8);
  store<f64>(pointerField(rows, ROWS_NORMS) + (<usize>row << 3), dotDoubles(to, to, stride));
}
