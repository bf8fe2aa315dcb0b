// Dense float64 matrices, row-major: Cholesky factor and solves, the panels and cross products of the low-rank
// preconditioner. Rows are `pitch` entries apart, pitch a multiple of 4 with zero padding where a row is read in lanes.
// Not here: Gram matrices (gram/), the choice of pivots (the SDK's ridge machine), eigenvalues (eigenvalues.ts).
import { TILE } from "../layout";
import { dotDoubles } from "../kernel/dot";

// @ts-ignore: decorator
@inline
function at(matrix: usize, pitch: i32, i: i32, j: i32): usize {
  return matrix + ((<usize>i * pitch + j) << 3);
}

/** <a, b> over `count` entries: whole groups of four in lanes, the rest one by one. */
// @ts-ignore: decorator
@inline
export function dotEntries(a: usize, b: usize, count: i32): f64 {
  const whole = count & ~3;
  let sum = dotDoubles(a, b, whole << 3);
  for (let k = <usize>whole; k < <usize>count; ++k) sum += load<f64>(a + (k << 3)) * load<f64>(b + (k << 3));
  return sum;
}

/**
 * Lower Cholesky factor in place (the strict upper triangle is left). Returns 0, or 1 + the index of the first pivot
 * that is not > floor; rows from there on are unfinished.
 */
export function cholesky(a: usize, pitch: i32, n: i32, floor: f64): i32 {
  for (let i = 0; i < n; ++i) {
    const row = at(a, pitch, i, 0);
    for (let j = 0; j < i; ++j) {
      const other = at(a, pitch, j, 0);
      const value = load<f64>(row + (<usize>j << 3)) - dotEntries(row, other, j);
      store<f64>(row + (<usize>j << 3), value / load<f64>(other + (<usize>j << 3)));
    }
    const pivot = load<f64>(row + (<usize>i << 3)) - dotEntries(row, row, i);
    if (!(pivot > floor)) return i + 1;
    store<f64>(row + (<usize>i << 3), Math.sqrt(pivot));
  }
  return 0;
}

/** Solves L L^T x = b in place, for entry k of b at b + k * step bytes. `temporary` holds n float64. */
export function choleskySolve(factor: usize, pitch: i32, n: i32, b: usize, step: i32, temporary: usize): void {
  const apart = <usize>step;
  for (let i = 0; i < n; ++i) {
    const row = at(factor, pitch, i, 0);
    const value = load<f64>(b + <usize>i * apart) - dotEntries(row, temporary, i);
    store<f64>(temporary + (<usize>i << 3), value / load<f64>(row + (<usize>i << 3)));
  }
  for (let i = n - 1; i >= 0; --i) {
    const row = at(factor, pitch, i, 0);
    const x = load<f64>(temporary + (<usize>i << 3)) / load<f64>(row + (<usize>i << 3));
    store<f64>(b + <usize>i * apart, x);
    for (let j: usize = 0; j < <usize>i; ++j) {
      const to = temporary + (j << 3);
      store<f64>(to, load<f64>(to) - x * load<f64>(row + (j << 3)));
    }
  }
}

/** Vector v of the interleaved set b solved with factors[v] (pointers, 4 bytes each): one chunk a vector. */
export function choleskySolveColumn(
  chunk: i32, factors: usize, pitch: i32, n: i32, vectors: i32, b: usize, temporary: usize,
): void {
  const factor = <usize>load<u32>(factors + (<usize>chunk << 2));
  choleskySolve(factor, pitch, n, b + (<usize>chunk << 3), vectors * 8, temporary + ((<usize>chunk * n) << 3));
}

/** Copies the lower triangle of `source` to targets[chunk] with shifts[chunk] added to the diagonal, and factors it. */
export function choleskyShifted(
  chunk: i32, source: usize, pitch: i32, n: i32, shifts: usize, targets: usize, status: usize,
): void {
  const target = <usize>load<u32>(targets + (<usize>chunk << 2));
  const shift = load<f64>(shifts + (<usize>chunk << 3));
  for (let i = 0; i < n; ++i) {
    memory.copy(at(target, pitch, i, 0), at(source, pitch, i, 0), (<usize>i + 1) << 3);
    const diagonal = at(target, pitch, i, i);
    store<f64>(diagonal, load<f64>(diagonal) + shift);
  }
  store<i32>(status + (<usize>chunk << 2), cholesky(target, pitch, n, 0));
}

/**
 * One panel of a partial Cholesky factor, rows [chunk * TILE, ...): columns [from, from + count) hold K(i, pivot) on
 * entry and become (K(i, .) - L_i L_pivot^T) R^-T, R the factor of the pivots' own residual block (count x count,
 * pitch `count4`). `pivots` holds the pivots' rows of L (pitch `pitch`). residual[i] loses the new columns' squares.
 */
export function choleskyPanel(
  chunk: i32, n: i32, factor: usize, pitch: i32, from: i32, count: i32, pivots: usize, block: usize, count4: i32,
  residual: usize,
): void {
  const end = min(n, (chunk + 1) * TILE);
  for (let i = chunk * TILE; i < end; ++i) {
    const row = at(factor, pitch, i, 0);
    subtractRow(row, from, count, pivots, pitch);
    const panel = row + (<usize>from << 3);
    let lost: f64 = 0;
    for (let p = 0; p < count; ++p) {
      const own = at(block, count4, p, 0);
      const value = (load<f64>(panel + (<usize>p << 3)) - dotEntries(panel, own, p)) / load<f64>(own + (<usize>p << 3));
      store<f64>(panel + (<usize>p << 3), value);
      lost += value * value;
    }
    const left = residual + (<usize>i << 3);
    store<f64>(left, Math.max(0, load<f64>(left) - lost));
  }
}

/**
 * The pivots' own residual block: entry (p, q) of `block` (lower triangle, pitch `count4`), holding K(pivot_p, pivot_q)
 * on entry, loses <L_p, L_q> over the first `from` columns.
 */
export function residualBlock(count: i32, pivots: usize, pitch: i32, from: i32, block: usize, count4: i32): void {
  for (let p = 0; p < count; ++p) {
    for (let q = 0; q <= p; ++q) {
      const to = at(block, count4, p, q);
      store<f64>(to, load<f64>(to) - dotDoubles(at(pivots, pitch, p, 0), at(pivots, pitch, q, 0), from << 3));
    }
  }
}

/** row[from + p] -= <row[0, from), pivot_p[0, from)> for p < count; `from` is a multiple of 4. */
function subtractRow(row: usize, from: i32, count: i32, pivots: usize, pitch: i32): void {
  const panel = row + (<usize>from << 3);
  const bytes = <usize>from << 3;
  let p = 0;
  if (ASC_FEATURE_SIMD) {
    for (; p + 4 <= count; p += 4) {
      const b0 = at(pivots, pitch, p, 0);
      const b1 = at(pivots, pitch, p + 1, 0);
      const b2 = at(pivots, pitch, p + 2, 0);
      const b3 = at(pivots, pitch, p + 3, 0);
      let e0 = f64x2.splat(0), e1 = e0, e2 = e0, e3 = e0, o0 = e0, o1 = e0, o2 = e0, o3 = e0;
      for (let k: usize = 0; k < bytes; k += 32) {
        const a = v128.load(row + k);
        const b = v128.load(row + k, 16);
        e0 = f64x2.add(e0, f64x2.mul(a, v128.load(b0 + k)));
        o0 = f64x2.add(o0, f64x2.mul(b, v128.load(b0 + k, 16)));
        e1 = f64x2.add(e1, f64x2.mul(a, v128.load(b1 + k)));
        o1 = f64x2.add(o1, f64x2.mul(b, v128.load(b1 + k, 16)));
        e2 = f64x2.add(e2, f64x2.mul(a, v128.load(b2 + k)));
        o2 = f64x2.add(o2, f64x2.mul(b, v128.load(b2 + k, 16)));
        e3 = f64x2.add(e3, f64x2.mul(a, v128.load(b3 + k)));
        o3 = f64x2.add(o3, f64x2.mul(b, v128.load(b3 + k, 16)));
      }
      subtractSum(panel + (<usize>p << 3), f64x2.add(e0, o0));
      subtractSum(panel + (<usize>p << 3) + 8, f64x2.add(e1, o1));
      subtractSum(panel + (<usize>p << 3) + 16, f64x2.add(e2, o2));
      subtractSum(panel + (<usize>p << 3) + 24, f64x2.add(e3, o3));
    }
  }
  for (; p < count; ++p) {
    const to = panel + (<usize>p << 3);
    store<f64>(to, load<f64>(to) - dotDoubles(row, at(pivots, pitch, p, 0), <i32>bytes));
  }
}

// @ts-ignore: decorator
@inline
function subtractSum(pointer: usize, sum: v128): void {
  store<f64>(pointer, load<f64>(pointer) - (f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1)));
}

/** Columns of one square of the cross product. */
const SQUARE: i32 = 64;

/** Square number `chunk` (lower triangle, row by row) of out = L^T L, L of n rows and `rank` columns. */
export function crossSquare(chunk: i32, n: i32, factor: usize, pitch: i32, rank: i32, out: usize, outPitch: i32): void {
  let I = 0;
  let J = chunk;
  while (J > I) J -= ++I;
  const iEnd = min(rank, (I + 1) * SQUARE);
  const jEnd = min(rank, (J + 1) * SQUARE);
  for (let a = I * SQUARE; a < iEnd; ++a) memory.fill(at(out, outPitch, a, J * SQUARE), 0, <usize>(jEnd - J * SQUARE) << 3);
  // Few rows at a time, which stay in the cache while all corners of the square take them up; the order of each sum stays.
  for (let first = 0; first < n; first += SQUARE) {
    const end = min(n, first + SQUARE);
    for (let a = I * SQUARE; a < iEnd; a += 4) {
      for (let b = J * SQUARE; b < jEnd; b += 4) crossFour(first, end, factor, pitch, a, b, out, outPitch);
    }
  }
}

/** Adds rows [first, end) to the 4 x 4 corner of the cross product at (a, b). Columns are padded to groups of four. */
function crossFour(
  first: i32, end: i32, factor: usize, pitch: i32, a: i32, b: i32, out: usize, outPitch: i32,
): void {
  const step = <usize>pitch << 3;
  let pa = at(factor, pitch, first, a);
  let pb = at(factor, pitch, first, b);
  if (ASC_FEATURE_SIMD) {
    const o0 = at(out, outPitch, a, b);
    const o1 = at(out, outPitch, a + 1, b);
    const o2 = at(out, outPitch, a + 2, b);
    const o3 = at(out, outPitch, a + 3, b);
    let s00 = v128.load(o0), s01 = v128.load(o0, 16), s10 = v128.load(o1), s11 = v128.load(o1, 16);
    let s20 = v128.load(o2), s21 = v128.load(o2, 16), s30 = v128.load(o3), s31 = v128.load(o3, 16);
    for (let i = first; i < end; ++i, pa += step, pb += step) {
      const low = v128.load(pb);
      const high = v128.load(pb, 16);
      let own = v128.load_splat<u64>(pa);
      s00 = f64x2.add(s00, f64x2.mul(own, low));
      s01 = f64x2.add(s01, f64x2.mul(own, high));
      own = v128.load_splat<u64>(pa, 8);
      s10 = f64x2.add(s10, f64x2.mul(own, low));
      s11 = f64x2.add(s11, f64x2.mul(own, high));
      own = v128.load_splat<u64>(pa, 16);
      s20 = f64x2.add(s20, f64x2.mul(own, low));
      s21 = f64x2.add(s21, f64x2.mul(own, high));
      own = v128.load_splat<u64>(pa, 24);
      s30 = f64x2.add(s30, f64x2.mul(own, low));
      s31 = f64x2.add(s31, f64x2.mul(own, high));
    }
    v128.store(o0, s00);
    v128.store(o0, s01, 16);
    v128.store(o1, s10);
    v128.store(o1, s11, 16);
    v128.store(o2, s20);
    v128.store(o2, s21, 16);
    v128.store(o3, s30);
    v128.store(o3, s31, 16);
    return;
  }
  for (let r = 0; r < 4; ++r) {
    for (let c = 0; c < 4; ++c) {
      const to = at(out, outPitch, a + r, b + c);
      let sum = load<f64>(to);
      for (let i: usize = 0; i < <usize>(end - first); ++i)
        sum += load<f64>(pa + i * step + (<usize>r << 3)) * load<f64>(pb + i * step + (<usize>c << 3));
      store<f64>(to, sum);
    }
  }
}

/** Rows in one chunk of the two products with the tall factor below. */
const ROWS: i32 = 256;

/** shares[chunk] = L_chunk^T x_chunk (rank x vectors), L of n rows; added up in order by tallReduce. */
export function tallTransposed(
  chunk: i32, n: i32, factor: usize, pitch: i32, rank: i32, vectors: i32, x: usize, shares: usize,
): void {
  const width = <usize>vectors << 3;
  const own = shares + <usize>chunk * rank * width;
  memory.fill(own, 0, <usize>rank * width);
  const end = min(n, (chunk + 1) * ROWS);
  for (let i = chunk * ROWS; i < end; ++i) {
    const row = at(factor, pitch, i, 0);
    let v: usize = 0;
    if (ASC_FEATURE_SIMD) {
      for (; v + 2 <= <usize>vectors; v += 2) {
        const value = v128.load(x + <usize>i * width + (v << 3));
        let to = own + (v << 3);
        for (let k: usize = 0; k < <usize>rank; ++k, to += width)
          v128.store(to, f64x2.add(v128.load(to), f64x2.mul(value, v128.load_splat<u64>(row + (k << 3)))));
      }
    }
    for (; v < <usize>vectors; ++v) {
      const value = load<f64>(x + <usize>i * width + (v << 3));
      let to = own + (v << 3);
      for (let k: usize = 0; k < <usize>rank; ++k, to += width)
        store<f64>(to, load<f64>(to) + value * load<f64>(row + (k << 3)));
    }
  }
}

/** out = sum of `chunks` shares of `bytes` bytes each, in order. */
export function sumShares(chunks: i32, bytes: i32, shares: usize, out: usize): void {
  memory.copy(out, shares, bytes);
  for (let chunk = 1; chunk < chunks; ++chunk) {
    const share = shares + <usize>chunk * bytes;
    for (let k: usize = 0; k < <usize>bytes; k += 8) store<f64>(out + k, load<f64>(out + k) + load<f64>(share + k));
  }
}

/** z_v = (x_v - L u_v) / shifts[v] for the rows of `chunk`. */
export function tallCorrect(
  chunk: i32, n: i32, factor: usize, pitch: i32, rank: i32, vectors: i32, shifts: usize, x: usize, u: usize, z: usize,
): void {
  const width = <usize>vectors << 3;
  const end = min(n, (chunk + 1) * ROWS);
  for (let i = chunk * ROWS; i < end; ++i) {
    const row = at(factor, pitch, i, 0);
    let v: usize = 0;
    if (ASC_FEATURE_SIMD) {
      for (; v + 2 <= <usize>vectors; v += 2) {
        let sum = f64x2.splat(0);
        let from = u + (v << 3);
        for (let k: usize = 0; k < <usize>rank; ++k, from += width)
          sum = f64x2.add(sum, f64x2.mul(v128.load_splat<u64>(row + (k << 3)), v128.load(from)));
        const place = <usize>i * width + (v << 3);
        v128.store(z + place, f64x2.div(f64x2.sub(v128.load(x + place), sum), v128.load(shifts + (v << 3))));
      }
    }
    for (; v < <usize>vectors; ++v) {
      let sum: f64 = 0;
      let from = u + (v << 3);
      for (let k: usize = 0; k < <usize>rank; ++k, from += width) sum += load<f64>(row + (k << 3)) * load<f64>(from);
      const place = <usize>i * width + (v << 3);
      store<f64>(z + place, (load<f64>(x + place) - sum) / load<f64>(shifts + (v << 3)));
    }
  }
}
