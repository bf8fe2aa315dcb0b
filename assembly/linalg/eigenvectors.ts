// Eigenvectors of a symmetric float64 matrix that householderStep() has reduced to a tridiagonal one: the reflections
// multiplied out, and the QL method with implicit shifts, whose rotations turn them into eigenvectors (Golub and Van Loan,
// Matrix Computations, 8.3; EISPACK's tql2). Backward stable: eigenvalues and residuals K v - s v are off by a small
// multiple of n 2^-52 times the largest eigenvalue. Not here: the reduction, eigenvalues alone (eigenvalues.ts).
import { dotEntries } from "./dense";

/** beta_k = 2 / v_k'v_k of each reflection (0: none), and v_k whole in row k of the reduced matrix a, from column k + 1. */
export function householderVectors(n: i32, a: usize, off: usize, beta: usize): void {
  for (let k = 0; k < n - 1; ++k) {
    const v = a + ((<usize>k * n + k + 1) << 3);
    const rest = dotEntries(v + 8, v + 8, n - k - 2);
    const first = load<f64>(v) - load<f64>(off + (<usize>k << 3));
    store<f64>(v, first);
    store<f64>(beta + (<usize>k << 3), rest == 0 ? 0 : 2 / (first * first + rest));
  }
}

/** Rows of one chunk. */
const TOGETHER: i32 = 16;

/** Rows 16 chunk to 16 chunk + 15 of Q', K = Q T Q' with T tridiagonal: row i of the identity times the reflections. */
export function householderBasis(chunk: i32, n: i32, a: usize, beta: usize, basis: usize): void {
  const end = min(n, (chunk + 1) * TOGETHER);
  for (let i = chunk * TOGETHER; i < end; ++i) {
    const row = basis + ((<usize>i * n) << 3);
    memory.fill(row, 0, <usize>n << 3);
    store<f64>(row + (<usize>i << 3), 1);
    for (let k = i - 1; k >= 0; --k) {
      const v = a + ((<usize>k * n + k + 1) << 3);
      const to = row + (<usize>(k + 1) << 3);
      const along = load<f64>(beta + (<usize>k << 3)) * dotEntries(to, v, n - k - 1);
      if (along == 0) continue;
      for (let at: usize = 0; at < <usize>(n - k - 1) << 3; at += 8)
        store<f64>(to + at, load<f64>(to + at) - along * load<f64>(v + at));
    }
  }
}

/** Sweeps after which an eigenvalue is given up; a handful is usual. */
const SWEEPS: i32 = 100;

/**
 * Makes diagonal[index] an eigenvalue and row `index` of `basis` its vector; for index = 0, 1, ..., n - 1 in this order.
 * `off` has n entries, the last of them 0. Returns the sweeps it took, or -1 when it gave up.
 */
export function tridiagonalVector(index: i32, n: i32, diagonal: usize, off: usize, basis: usize): i32 {
  for (let sweep = 0; sweep < SWEEPS; ++sweep) {
    const last = blockEnd(index, n, diagonal, off);
    if (last == index) return sweep;
    sweepUp(index, last, n, diagonal, off, basis);
  }
  return -1;
}

/** The first row from `index` on whose off-diagonal entry is rounding beside its neighbours on the diagonal. */
function blockEnd(index: i32, n: i32, diagonal: usize, off: usize): i32 {
  let m = index;
  for (; m < n - 1; ++m) {
    const at = <usize>m << 3;
    const beside = Math.abs(load<f64>(diagonal + at)) + Math.abs(load<f64>(diagonal + at + 8));
    if (Math.abs(load<f64>(off + at)) <= f64.EPSILON * beside) break;
  }
  return m;
}

/** One QL sweep over rows l to m, from the bottom up, shifted by the eigenvalue of the top two rows nearest the first. */
function sweepUp(l: i32, m: i32, n: i32, diagonal: usize, off: usize, basis: usize): void {
  const top = load<f64>(diagonal + (<usize>l << 3));
  const beside = load<f64>(off + (<usize>l << 3));
  const half = (load<f64>(diagonal + (<usize>l << 3) + 8) - top) / (2 * beside);
  const root = Math.sqrt(half * half + 1);
  let g = load<f64>(diagonal + (<usize>m << 3)) - top + beside / (half + (half < 0 ? -root : root));
  let s: f64 = 1;
  let c: f64 = 1;
  let p: f64 = 0;
  for (let i = m - 1; i >= l; --i) {
    const at = <usize>i << 3;
    const f = s * load<f64>(off + at);
    const b = c * load<f64>(off + at);
    const length = Math.sqrt(f * f + g * g);
    store<f64>(off + at + 8, length);
    const below = load<f64>(diagonal + at + 8);
    if (length == 0) {
      // The block falls apart here.
      store<f64>(diagonal + at + 8, below - p);
      store<f64>(off + (<usize>m << 3), 0);
      return;
    }
    s = f / length;
    c = g / length;
    g = below - p;
    const r = (load<f64>(diagonal + at) - g) * s + 2 * c * b;
    p = s * r;
    store<f64>(diagonal + at + 8, g + p);
    g = c * r - b;
    rotate(basis + ((<usize>i * n) << 3), n, c, s);
  }
  store<f64>(diagonal + (<usize>l << 3), top - p);
  store<f64>(off + (<usize>l << 3), g);
  store<f64>(off + (<usize>m << 3), 0);
}

/** (x, y) becomes (c x - s y, s x + c y) for a row x and the row y below it. */
function rotate(x: usize, n: i32, c: f64, s: f64): void {
  const y = x + (<usize>n << 3);
  const bytes = <usize>n << 3;
  let at: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const cc = f64x2.splat(c);
    const ss = f64x2.splat(s);
    for (; at + 16 <= bytes; at += 16) {
      const a = v128.load(x + at);
      const b = v128.load(y + at);
      v128.store(x + at, f64x2.sub(f64x2.mul(cc, a), f64x2.mul(ss, b)));
      v128.store(y + at, f64x2.add(f64x2.mul(ss, a), f64x2.mul(cc, b)));
    }
  }
  for (; at < bytes; at += 8) {
    const a = load<f64>(x + at);
    const b = load<f64>(y + at);
    store<f64>(x + at, c * a - s * b);
    store<f64>(y + at, s * a + c * b);
  }
}
