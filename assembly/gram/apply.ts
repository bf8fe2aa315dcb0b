// Rectangular kernel work: rows of one set against rows of another, without storing the matrix.
// Not here: the symmetric matrix of one set with itself (tiles.ts, product.ts).
import {
  BLOCK,
  FORMAT_U8,
  ROWS_BLOCKS,
  ROWS_COUNTS,
  ROWS_DATA,
  ROWS_FORMAT,
  ROWS_N,
  ROWS_NORMS,
  ROWS_STRIDE,
  TILE,
} from "../layout";
import { kernelRow } from "../kernel/row";
import { field, pointerField, scratch } from "../memory";

/** Rows of the left set in one chunk of work. */
const CHUNK: i32 = 64;

/** out[i] = sum_j K(left[i], right[j]) a[j] for the CHUNK rows of `chunk`; summed in tiles of the right set, in order. */
export function kernelApply(chunk: i32, kernel: usize, left: usize, right: usize, a: usize, out: usize): void {
  const end = min(field(left, ROWS_N), (chunk + 1) * CHUNK);
  const n = field(right, ROWS_N);
  const values = scratch();
  for (let i = chunk * CHUNK; i < end; ++i) {
    let sum: f64 = 0;
    for (let from = 0; from < n; from += TILE) {
      const count = min(TILE, n - from);
      kernelRow(kernel, left, i, right, from, count, values);
      let part: f64 = 0;
      for (let j: usize = 0; j < <usize>count; ++j)
        part += load<f64>(values + (j << 3)) * load<f64>(a + ((<usize>from + j) << 3));
      sum += part;
    }
    store<f64>(out + (<usize>i << 3), sum);
  }
}

/**
 * out[i * vectors + v] = sum_j K(left[i], right[j]) a[j * vectors + v] for the CHUNK rows of `chunk` and an even number of
 * vectors, at most MAX_VECTORS: each vector to the bits that kernelApply has for it alone.
 */
export function kernelApplyColumns(
  chunk: i32, kernel: usize, left: usize, right: usize, vectors: i32, a: usize, out: usize,
): void {
  const end = min(field(left, ROWS_N), (chunk + 1) * CHUNK);
  const n = field(right, ROWS_N);
  const width = <usize>vectors << 3;
  const values = scratch();
  const parts = values + (TILE << 3);
  for (let i = chunk * CHUNK; i < end; ++i) {
    const sums = out + <usize>i * width;
    memory.fill(sums, 0, width);
    for (let from = 0; from < n; from += TILE) {
      const count = min(TILE, n - from);
      kernelRow(kernel, left, i, right, from, count, values);
      columnSums(values, count, a + <usize>from * width, width, parts);
      for (let at: usize = 0; at < width; at += 8) store<f64>(sums + at, load<f64>(sums + at) + load<f64>(parts + at));
    }
  }
}

/** parts[v] = sum_j values[j] a[j, v], each sum in the order of j; entries of `a` lie `width` bytes apart. */
function columnSums(values: usize, count: i32, a: usize, width: usize, parts: usize): void {
  for (let at: usize = 0; at < width; at += 16) {
    if (ASC_FEATURE_SIMD) {
      let sum = f64x2.splat(0);
      for (let j: usize = 0, from = a + at; j < <usize>count; ++j, from += width)
        sum = f64x2.add(sum, f64x2.mul(v128.load_splat<u64>(values + (j << 3)), v128.load(from)));
      v128.store(parts + at, sum);
      continue;
    }
    let even: f64 = 0;
    let odd: f64 = 0;
    for (let j: usize = 0, from = a + at; j < <usize>count; ++j, from += width) {
      even += load<f64>(values + (j << 3)) * load<f64>(from);
      odd += load<f64>(values + (j << 3)) * load<f64>(from, 8);
    }
    store<f64>(parts + at, even);
    store<f64>(parts + at, odd, 8);
  }
}

/** out[i * pitch + j] = K(left[i], right[j]) for the CHUNK rows of `chunk`. */
export function kernelBlock(chunk: i32, kernel: usize, left: usize, right: usize, out: usize, pitch: i32): void {
  const end = min(field(left, ROWS_N), (chunk + 1) * CHUNK);
  const n = field(right, ROWS_N);
  for (let i = chunk * CHUNK; i < end; ++i) {
    kernelRow(kernel, left, i, right, 0, n, out + ((<usize>i * pitch) << 3));
  }
}

/** out[i] = K(rows[i], rows[i]). */
export function kernelDiagonal(kernel: usize, rows: usize, out: usize): void {
  const n = field(rows, ROWS_N);
  for (let i = 0; i < n; ++i) kernelRow(kernel, rows, i, rows, i, 1, out + (<usize>i << 3));
}

/** Copies rows index[0 .. n of `to`) of `from` into `to` (same format, columns and scale); `to` says itself which they are. */
export function gatherRows(from: usize, index: usize, to: usize): void {
  const count = field(to, ROWS_N);
  const stride = <usize>field(from, ROWS_STRIDE);
  const eightBit = field(from, ROWS_FORMAT) == FORMAT_U8;
  const listBytes = (stride / BLOCK) * 2;
  for (let k: usize = 0; k < <usize>count; ++k) {
    const i = <usize>load<i32>(index + (k << 2));
    memory.copy(pointerField(to, ROWS_DATA) + k * stride, pointerField(from, ROWS_DATA) + i * stride, stride);
    store<f64>(pointerField(to, ROWS_NORMS) + (k << 3), load<f64>(pointerField(from, ROWS_NORMS) + (i << 3)));
    if (!eightBit) continue;
    const toList = pointerField(to, ROWS_BLOCKS) + k * listBytes;
    memory.copy(toList, pointerField(from, ROWS_BLOCKS) + i * listBytes, listBytes);
    store<i32>(pointerField(to, ROWS_COUNTS) + (k << 2), load<i32>(pointerField(from, ROWS_COUNTS) + (i << 2)));
  }
}
