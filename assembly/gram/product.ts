// Products of a Gram matrix in tiles with a few vectors at once, without the matrix when it is streamed.
// Work is cut into strips (a block row from the diagonal on). Strip I writes its share of every later block into its
// own region; a second pass adds the shares in the order of the strips, so threads never change a bit.
// Vectors are interleaved: entry i of vector v is at [i * vectors + v]; vectors is 1 or even, at most MAX_VECTORS.
// Not here: rectangular products with a machine's rows (apply.ts).
import { GRAM_ROWS, ROWS_N, TILE } from "../layout";
import { field, pointerField } from "../memory";
import { blockCount, tileDoubles } from "./tiles";

/** Entries before strip I among all strips' shares: strip I holds rows [I * TILE, n). */
// @ts-ignore: decorator
@inline
function shareStart(n: i32, I: i32): usize {
  return <usize>I * n - (<usize>I * (I - 1)) / 2 * TILE;
}

/** Strip `chunk` of K p into `shares` (sum over strips of (n - I TILE) * vectors float64). */
export function gramStrip(chunk: i32, gram: usize, vectors: i32, p: usize, shares: usize): void {
  const n = field(pointerField(gram, GRAM_ROWS), ROWS_N);
  const blocks = blockCount(n);
  const width = <usize>vectors * 8;
  const own = shares + shareStart(n, chunk) * width;
  const first = chunk * TILE;
  memory.fill(own, 0, <usize>(n - first) * width);
  const rows = min(TILE, n - first);
  for (let J = chunk; J < blocks; ++J) {
    const tile = tileDoubles(gram, n, chunk, J);
    const columns = min(TILE, n - J * TILE);
    const pI = p + <usize>first * width;
    const pJ = p + <usize>(J * TILE) * width;
    const yJ = own + <usize>(J * TILE - first) * width;
    if (J == chunk) tileProduct(tile, rows, columns, vectors, pJ, own);
    else tilePair(tile, rows, columns, vectors, pI, pJ, own, yJ);
  }
}

/** y = sum of the strips' shares of block `chunk`. */
export function gramReduce(chunk: i32, n: i32, vectors: i32, shares: usize, y: usize): void {
  const width = <usize>vectors * 8;
  const first = chunk * TILE;
  const bytes = <usize>min(TILE, n - first) * width;
  const to = y + <usize>first * width;
  memory.copy(to, shares + <usize>first * width, bytes);
  for (let I = 1; I <= chunk; ++I) {
    const share = shares + (shareStart(n, I) + <usize>(first - I * TILE)) * width;
    for (let at: usize = 0; at < bytes; at += 8) store<f64>(to + at, load<f64>(to + at) + load<f64>(share + at));
  }
}

// @ts-ignore: decorator
@inline
function addTo(pointer: usize, value: f64): void {
  store<f64>(pointer, load<f64>(pointer) + value);
}

// @ts-ignore: decorator
@inline
function addPair(pointer: usize, value: v128): void {
  v128.store(pointer, f64x2.add(v128.load(pointer), value));
}

/** yI += T pJ (diagonal tiles, which hold both triangles). */
function tileProduct(tile: usize, rows: i32, columns: i32, vectors: i32, pJ: usize, yI: usize): void {
  for (let i: usize = 0; i < <usize>rows; ++i) {
    const row = tile + i * (TILE * 8);
    for (let v: usize = 0; v < <usize>vectors; ++v) {
      let sum: f64 = 0;
      for (let j: usize = 0; j < <usize>columns; ++j)
        sum += load<f64>(row + (j << 3)) * load<f64>(pJ + ((j * vectors + v) << 3));
      addTo(yI + ((i * vectors + v) << 3), sum);
    }
  }
}

/** yI += T pJ and yJ += T^T pI in one pass over the tile. */
function tilePair(tile: usize, rows: i32, columns: i32, vectors: i32, pI: usize, pJ: usize, yI: usize, yJ: usize): void {
  if (ASC_FEATURE_SIMD) {
    if (vectors == 1) return tilePair1(tile, rows, columns, pI, pJ, yI, yJ);
    const width = <usize>vectors * 8;
    let at: usize = 0;
    for (; at + 32 <= width; at += 32) tilePair4(tile, rows, columns, width, pI + at, pJ + at, yI + at, yJ + at);
    if (at < width) tilePair2(tile, rows, columns, width, pI + at, pJ + at, yI + at, yJ + at);
    return;
  }
  for (let i: usize = 0; i < <usize>rows; ++i) {
    const row = tile + i * (TILE * 8);
    for (let v: usize = 0; v < <usize>vectors; ++v) {
      const own = load<f64>(pI + ((i * vectors + v) << 3));
      // One vector is summed in two lanes, even and odd columns, as the SIMD form does.
      let even: f64 = 0;
      let odd: f64 = 0;
      for (let j: usize = 0; j < <usize>columns; ++j) {
        const at = (j * vectors + v) << 3;
        const element = load<f64>(row + (j << 3));
        const term = element * load<f64>(pJ + at);
        if (vectors == 1 && (j & 1) == 1) odd += term;
        else even += term;
        addTo(yJ + at, element * own);
      }
      addTo(yI + ((i * vectors + v) << 3), even + odd);
    }
  }
}

function tilePair1(tile: usize, rows: i32, columns: i32, pI: usize, pJ: usize, yI: usize, yJ: usize): void {
  for (let i: usize = 0; i < <usize>rows; ++i) {
    const row = tile + i * (TILE * 8);
    const own = load<f64>(pI + (i << 3));
    const own2 = f64x2.splat(own);
    let sum = f64x2.splat(0);
    let j: usize = 0;
    for (; j + 2 <= <usize>columns; j += 2) {
      const element = v128.load(row + (j << 3));
      sum = f64x2.add(sum, f64x2.mul(element, v128.load(pJ + (j << 3))));
      addPair(yJ + (j << 3), f64x2.mul(element, own2));
    }
    let even = f64x2.extract_lane(sum, 0);
    if (j < <usize>columns) {
      const element = load<f64>(row + (j << 3));
      even += element * load<f64>(pJ + (j << 3));
      addTo(yJ + (j << 3), element * own);
    }
    addTo(yI + (i << 3), even + f64x2.extract_lane(sum, 1));
  }
}

/** Two vectors of an interleaved set whose entries lie `width` bytes apart. */
function tilePair2(tile: usize, rows: i32, columns: i32, width: usize, pI: usize, pJ: usize, yI: usize, yJ: usize): void {
  for (let i: usize = 0; i < <usize>rows; ++i) {
    const row = tile + i * (TILE * 8);
    const own = v128.load(pI + i * width);
    let sum = f64x2.splat(0);
    for (let j: usize = 0, at: usize = 0; j < <usize>columns; ++j, at += width) {
      const element = v128.load_splat<u64>(row + (j << 3));
      sum = f64x2.add(sum, f64x2.mul(element, v128.load(pJ + at)));
      addPair(yJ + at, f64x2.mul(element, own));
    }
    addPair(yI + i * width, sum);
  }
}

/** Four vectors of such a set. */
function tilePair4(tile: usize, rows: i32, columns: i32, width: usize, pI: usize, pJ: usize, yI: usize, yJ: usize): void {
  for (let i: usize = 0; i < <usize>rows; ++i) {
    const row = tile + i * (TILE * 8);
    const own0 = v128.load(pI + i * width);
    const own1 = v128.load(pI + i * width, 16);
    let sum0 = f64x2.splat(0);
    let sum1 = sum0;
    for (let j: usize = 0, at: usize = 0; j < <usize>columns; ++j, at += width) {
      const element = v128.load_splat<u64>(row + (j << 3));
      sum0 = f64x2.add(sum0, f64x2.mul(element, v128.load(pJ + at)));
      sum1 = f64x2.add(sum1, f64x2.mul(element, v128.load(pJ + at, 16)));
      addPair(yJ + at, f64x2.mul(element, own0));
      addPair(yJ + at + 16, f64x2.mul(element, own1));
    }
    addPair(yI + i * width, sum0);
    addPair(yI + i * width + 16, sum1);
  }
}
