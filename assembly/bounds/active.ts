// Rows of a machine over the columns that are not zero everywhere: opened one by one as float64, multiplied with vectors
// and added up as outer products. Columns are taken in blocks of `width`; a vector here has one entry for each column of
// each block that some row or the input at hand touches ("compressed"). Sums run in an order fixed by the data alone.
// Not here: packing (kernel/pack.ts).
import {
  BLOCK,
  FORMAT_U8,
  ROWS_BLOCKS,
  ROWS_COUNTS,
  ROWS_D,
  ROWS_DATA,
  ROWS_FORMAT,
  ROWS_N,
  ROWS_STRIDE,
} from "../layout";
import { field, pointerField } from "../memory";

/** Columns in a group of float64 rows. */
const GROUP: i32 = 4;

// The machine at hand, one set a thread.
let rows: usize = 0;
let eightBit: bool = false;
let width: i32 = 0;
let total: i32 = 0; // blocks of a whole row
let marks: usize = 0; // for each packed column a byte: not zero everywhere
let places: usize = 0; // for each block int32: where it begins in a compressed vector, or -1
let open: i32 = 0; // blocks of the row at hand
let openPlaces: usize = 0; // int32: where each begins in a compressed vector
let openValues: usize = 0; // its entries, block after block

/** Entries of a compressed vector. */
export let compressed: i32 = 0;

/** Float64 entries of work memory for rows of `stride` columns. */
export function activeEntries(stride: i32): i32 {
  return stride + (stride >> 3) + 1 + stride + 2;
}

/** Packed columns of a row, padding included. */
export function packedColumns(set: usize): i32 {
  return field(set, ROWS_FORMAT) == FORMAT_U8 ? field(set, ROWS_STRIDE) : field(set, ROWS_STRIDE) >> 3;
}

function rowAt(set: usize, i: i32): usize {
  return pointerField(set, ROWS_DATA) + <usize>i * field(set, ROWS_STRIDE);
}

/** Finds the columns that the rows with a weight other than 0, or input `index`, touch. */
export function activate(machine: usize, weights: usize, inputs: usize, index: i32, work: usize): void {
  rows = machine;
  eightBit = field(machine, ROWS_FORMAT) == FORMAT_U8;
  width = eightBit ? BLOCK : GROUP;
  const columns = packedColumns(machine);
  total = columns / width;
  marks = work;
  places = work + ((<usize>(columns >> 3) + 1) << 3);
  openPlaces = places + (<usize>total << 2);
  openValues = (openPlaces + (<usize>total << 2) + 15) & ~15;
  memory.fill(marks, 0, columns);
  mark(inputs, index, columns);
  for (let i = 0; i < field(machine, ROWS_N); ++i) {
    if (load<f64>(weights + (<usize>i << 3)) != 0) mark(machine, i, columns);
  }
  compressed = 0;
  for (let block = 0; block < total; ++block) {
    let touched = false;
    for (let k = block * width; k < (block + 1) * width; ++k) touched = touched || load<u8>(marks + k) != 0;
    store<i32>(places + (<usize>block << 2), touched ? compressed : -1);
    if (touched) compressed += width;
  }
}

function mark(set: usize, i: i32, columns: i32): void {
  const row = rowAt(set, i);
  if (eightBit) {
    for (let k: usize = 0; k < <usize>columns; k += 8) store<u64>(marks + k, load<u64>(marks + k) | load<u64>(row + k));
    return;
  }
  for (let k: usize = 0; k < <usize>columns; ++k) if (load<f64>(row + (k << 3)) != 0) store<u8>(marks + k, 1);
}

/** How many of the touched columns are among the first `end`. */
export function touchedBefore(end: i32): i32 {
  let count = 0;
  for (let k = 0; k < end; ++k) if (load<u8>(marks + k) != 0) ++count;
  return count;
}

/** Writes where in a compressed vector the touched columns stand (int32), in order, and returns how many there are. */
export function touchedColumns(to: usize): i32 {
  let count = 0;
  for (let block = 0; block < total; ++block) {
    const place = load<i32>(places + (<usize>block << 2));
    if (place < 0) continue;
    for (let k = 0; k < width; ++k) {
      if (load<u8>(marks + block * width + k) == 0) continue;
      store<i32>(to + (<usize>count << 2), place + k);
      ++count;
    }
  }
  return count;
}

/** A byte for each packed column: 2 or 1 as the entry of `list` (float64, over touched columns in order) is > 0 or not, or 0. */
export function spreadSides(list: usize, to: usize): void {
  let from = list;
  for (let column: usize = 0; column < <usize>(total * width); ++column) {
    if (load<u8>(marks + column) == 0) {
      store<u8>(to + column, 0);
      continue;
    }
    store<u8>(to + column, load<f64>(from) > 0 ? 2 : 1);
    from += 8;
  }
}

/** Row i of `set`, compressed, as float64. */
export function compress(set: usize, i: i32, to: usize): void {
  const row = rowAt(set, i);
  for (let block = 0; block < total; ++block) {
    const place = load<i32>(places + (<usize>block << 2));
    if (place < 0) continue;
    for (let k = 0; k < width; ++k) {
      const from = block * width + k;
      store<f64>(to + (<usize>(place + k) << 3), eightBit ? <f64>load<u8>(row + from) : load<f64>(row + (<usize>from << 3)));
    }
  }
}

/** Opens row i of the machine for the functions below. */
export function openRow(i: i32): void {
  const row = rowAt(rows, i);
  open = 0;
  let to = openValues;
  if (eightBit) {
    const list = pointerField(rows, ROWS_BLOCKS) + <usize>i * total * 2;
    open = load<i32>(pointerField(rows, ROWS_COUNTS) + (<usize>i << 2));
    for (let b = 0; b < open; ++b) {
      const block = <usize>load<u16>(list + (<usize>b << 1));
      store<i32>(openPlaces + (<usize>b << 2), load<i32>(places + (block << 2)));
      const from = row + block * BLOCK;
      for (let k: usize = 0; k < <usize>BLOCK; ++k, to += 8) store<f64>(to, <f64>load<u8>(from + k));
    }
    return;
  }
  for (let block = 0; block < total; ++block) {
    const place = load<i32>(places + (<usize>block << 2));
    if (place < 0) continue;
    store<i32>(openPlaces + (<usize>open << 2), place);
    memory.copy(to, row + ((<usize>block * width) << 3), <usize>width << 3);
    to += <usize>width << 3;
    ++open;
  }
}

/** <row at hand, vector>. */
export function rowDot(vector: usize): f64 {
  let sum: f64 = 0;
  let from = openValues;
  for (let b = 0; b < open; ++b) {
    let other = vector + (<usize>load<i32>(openPlaces + (<usize>b << 2)) << 3);
    for (let k = 0; k < width; k += 4, from += 32, other += 32) sum += fourProducts(from, other);
  }
  return sum;
}

// @ts-ignore: decorator
@inline
function fourProducts(a: usize, b: usize): f64 {
  if (ASC_FEATURE_SIMD) {
    const first = f64x2.mul(v128.load(a), v128.load(b));
    const sum = f64x2.add(first, f64x2.mul(v128.load(a, 16), v128.load(b, 16)));
    return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
  }
  const even = load<f64>(a) * load<f64>(b) + load<f64>(a, 16) * load<f64>(b, 16);
  return even + (load<f64>(a, 8) * load<f64>(b, 8) + load<f64>(a, 24) * load<f64>(b, 24));
}

/** vector += factor * row at hand. */
export function rowAddTo(vector: usize, factor: f64): void {
  let from = openValues;
  for (let b = 0; b < open; ++b) {
    addScaled(vector + (<usize>load<i32>(openPlaces + (<usize>b << 2)) << 3), from, factor);
    from += <usize>width << 3;
  }
}

/** to[0..width) += factor * from[0..width). */
// @ts-ignore: decorator
@inline
function addScaled(to: usize, from: usize, factor: f64): void {
  if (ASC_FEATURE_SIMD) {
    const scale = f64x2.splat(factor);
    for (let k: usize = 0; k < <usize>width << 3; k += 16)
      v128.store(to + k, f64x2.add(v128.load(to + k), f64x2.mul(scale, v128.load(from + k))));
    return;
  }
  for (let k: usize = 0; k < <usize>width << 3; k += 8) store<f64>(to + k, load<f64>(to + k) + factor * load<f64>(from + k));
}

/**
 * matrix += factor * (row at hand)(row at hand)': rows of `compressed` entries; of blocks (a, b) those with b <= a. Each
 * entry is one product of three numbers, rounded twice.
 */
export function rowOuter(matrix: usize, factor: f64): void {
  for (let a = 0; a < open; ++a) {
    const place = <usize>load<i32>(openPlaces + (<usize>a << 2));
    const values = openValues + ((<usize>a * width) << 3);
    for (let k: usize = 0; k < <usize>width; ++k) {
      const own = factor * load<f64>(values + (k << 3));
      if (own == 0) continue;
      const row = matrix + (((place + k) * compressed) << 3);
      let from = openValues;
      for (let b = 0; b <= a; ++b) {
        addScaled(row + (<usize>load<i32>(openPlaces + (<usize>b << 2)) << 3), from, own);
        from += <usize>width << 3;
      }
    }
  }
}
