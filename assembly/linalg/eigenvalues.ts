// Eigenvalues of symmetric float64 matrices: Householder's reduction to a tridiagonal matrix, column by column, and
// bisection of that one by Sturm's counts (Golub and Van Loan, Matrix Computations, 8.3 and 8.4). Backward stable: each
// eigenvalue is off by at most a small multiple of n 2^-52 times the largest one, so those below that are rounding alone.
// Not here: matrices (dense.ts), the Lanczos method for large ones (the SDK's spectrum).
import { dotEntries } from "./dense";

/**
 * Step k of the reduction of the symmetric n x n matrix a (row-major, all of it stored, pitch n) in place, for
 * k = 0, 1, ..., n - 2 in this order: row k of the tridiagonal matrix goes to diagonal[k] and off[k], the rest of a is
 * reflected. The last step writes diagonal[n - 1] too. `reflector` and `product` hold n float64 each.
 */
export function householderStep(
  k: i32, n: i32, a: usize, diagonal: usize, off: usize, reflector: usize, product: usize,
): void {
  const pitch = <usize>n << 3;
  const left = n - k - 1;
  const corner = a + <usize>(k + 1) * (pitch + 8);
  const column = corner - 8; // a[k + 1 ..][k]
  store<f64>(diagonal + (<usize>k << 3), load<f64>(corner - 8 - pitch));
  let rest: f64 = 0;
  for (let i = 0; i < left; ++i) {
    const value = load<f64>(column + <usize>i * pitch);
    store<f64>(reflector + (<usize>i << 3), value);
    if (i > 0) rest += value * value;
  }
  const first = load<f64>(reflector);
  if (rest == 0) {
    store<f64>(off + (<usize>k << 3), first);
  } else {
    const size = Math.sqrt(first * first + rest);
    const to = first > 0 ? -size : size;
    store<f64>(off + (<usize>k << 3), to);
    store<f64>(reflector, first - to);
    reflect(left, corner, pitch, reflector, product, 2 / ((first - to) * (first - to) + rest));
  }
  if (k == n - 2) store<f64>(diagonal + (<usize>(n - 1) << 3), load<f64>(corner));
}

/** b - v w' - w v' in place, w = beta b v - (beta^2 v'b v / 2) v: the reflection of b along v, beta = 2 / v'v. */
function reflect(n: i32, b: usize, pitch: usize, v: usize, w: usize, beta: f64): void {
  for (let i = 0; i < n; ++i) store<f64>(w + (<usize>i << 3), beta * dotEntries(b + <usize>i * pitch, v, n));
  const along = 0.5 * beta * dotEntries(v, w, n);
  for (let i: usize = 0; i < <usize>n << 3; i += 8) store<f64>(w + i, load<f64>(w + i) - along * load<f64>(v + i));
  for (let i = 0; i < n; ++i) {
    const row = b + <usize>i * pitch;
    const vi = load<f64>(v + (<usize>i << 3));
    const wi = load<f64>(w + (<usize>i << 3));
    for (let j: usize = 0; j < <usize>n << 3; j += 8)
      store<f64>(row + j, load<f64>(row + j) - (vi * load<f64>(w + j) + wi * load<f64>(v + j)));
  }
}

/** Eigenvalue number `index` (0 is the smallest) of the symmetric tridiagonal matrix (diagonal, off), by bisection. */
export function tridiagonalEigenvalue(n: i32, diagonal: usize, off: usize, index: i32): f64 {
  let low: f64 = f64.MAX_VALUE;
  let high: f64 = -f64.MAX_VALUE;
  for (let i: usize = 0; i < <usize>n; ++i) {
    const before = i > 0 ? Math.abs(load<f64>(off + ((i - 1) << 3))) : 0;
    const after = i + 1 < <usize>n ? Math.abs(load<f64>(off + (i << 3))) : 0;
    low = Math.min(low, load<f64>(diagonal + (i << 3)) - before - after);
    high = Math.max(high, load<f64>(diagonal + (i << 3)) + before + after);
  }
  for (let step = 0; step < 200 && high - low > 1e-15 * Math.max(Math.abs(low), Math.abs(high)); ++step) {
    const middle = 0.5 * (low + high);
    if (countBelow(n, diagonal, off, middle) > index) high = middle;
    else low = middle;
  }
  return 0.5 * (low + high);
}

/** Eigenvalues below x: negative pivots of the LDL^T factor of T - x (Sturm's count). */
function countBelow(n: i32, diagonal: usize, off: usize, x: f64): i32 {
  let count = 0;
  let pivot: f64 = 1;
  for (let i: usize = 0; i < <usize>n; ++i) {
    const beside = i > 0 ? load<f64>(off + ((i - 1) << 3)) : 0;
    pivot = load<f64>(diagonal + (i << 3)) - x - (i > 0 ? (beside * beside) / pivot : 0);
    if (pivot == 0) pivot = -1e-300;
    if (pivot < 0) ++count;
  }
  return count;
}

/** Eigenvalues of one chunk. */
const TOGETHER: i32 = 16;

/** All n eigenvalues of a tridiagonal matrix, ascending, 16 in a chunk. */
export function tridiagonalEigenvalues(chunk: i32, n: i32, diagonal: usize, off: usize, out: usize): void {
  const end = min(n, (chunk + 1) * TOGETHER);
  for (let i = chunk * TOGETHER; i < end; ++i)
    store<f64>(out + (<usize>i << 3), tridiagonalEigenvalue(n, diagonal, off, i));
}
