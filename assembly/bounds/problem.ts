// R g(x) >= A R^2 + R <B, x> + <x, C x> / 2 + b R as a quadratic in the scaled variables of region.ts, with R^2 = ||x||^2
// added mu times: c.y + y'My/2 and its value at the centre.
// Not here: where A, B and C come from (curvature.ts), the minimum (semidefinite.ts, ball.ts).
import { compressed } from "./active";
import { activeEntry, centres, entry, halves, places, q, start, startNorm, startSquare } from "./region";

// Arrays over the problem's variables, one set a thread.
let directions: usize = 0; // x0 / r0 as computed, 1 for s
let slopes: usize = 0; // gradient at D = 0, s = 0
let images: usize = 0; // C x0
export let pitch: i32 = 0;
export let matrix: usize = 0; // M
export let linear: usize = 0; // c, the gradient at the centre
// The form: A, B and C (on and below the diagonal) over compressed vectors, b.
let square: f64 = 0;
let tilt: usize = 0;
let outer: usize = 0;
let bias: f64 = 0;

/** Float64 entries beside the matrix. */
export function problemEntries(wide: i32): i32 {
  return 4 * wide;
}

/** Places its arrays in `space`, `wide` entries each, and the matrix of the region's variables behind; returns the end. */
export function openProblem(space: usize, wide: i32): usize {
  const bytes = <usize>wide << 3;
  directions = space;
  slopes = directions + bytes;
  images = slopes + bytes;
  linear = images + bytes;
  matrix = linear + bytes;
  pitch = (q + 3) & ~3;
  for (let k = 0; k < q - 1; ++k) store<f64>(entry(directions, k), load<f64>(activeEntry(start, k)) / startNorm);
  store<f64>(entry(directions, q - 1), 1);
  return matrix + ((<usize>pitch * q) << 3);
}

/** Entry (k, l) of C, l <= k in the order of variables. */
// @ts-ignore: decorator
@inline
function curvatureEntry(k: i32, l: i32): f64 {
  const row = <usize>load<i32>(places + (<usize>k << 2)) * compressed;
  return load<f64>(outer + ((row + load<i32>(places + (<usize>l << 2))) << 3));
}

export let constant: f64 = 0; // value at the centre
export let size: f64 = 0; // of everything that went into the problem

/**
 * The form in scaled variables: fills matrix and linear, `constant` and `size`. Every number stored is a sum of
 * products whose absolute values `size` adds up, over the whole box; sums have at most 2 q + 80 roundings.
 */
export function buildProblem(mu: f64, a: f64, b: usize, c: usize, offset: f64): void {
  square = a;
  tilt = b;
  outer = c;
  bias = offset;
  const last = q - 1;
  let along: f64 = 0; // <B, x0>
  let alongSize: f64 = 0;
  for (let k = 0; k < last; ++k) {
    const part = load<f64>(activeEntry(tilt, k)) * load<f64>(activeEntry(start, k));
    along += part;
    alongSize += Math.abs(part);
    store<f64>(entry(images, k), 0);
  }
  const own = 2 * square - 2 * mu;
  const ownSize = 2 * (Math.abs(square) + Math.abs(mu));
  const climb = own * startNorm + along + bias; // by R at x0
  const climbSize = ownSize * startNorm + alongSize + Math.abs(bias);
  size = 0;
  for (let k = 0; k < last; ++k) fillRow(k, mu, own, ownSize);
  // The last variable.
  const half = load<f64>(entry(halves, last));
  for (let k = 0; k < last; ++k) {
    const b = load<f64>(activeEntry(tilt, k));
    const e = load<f64>(entry(directions, k));
    const scale = half * load<f64>(entry(halves, k));
    setEntry(last, k, scale * (b + own * e));
    size += 8 * scale * (Math.abs(b) + ownSize * Math.abs(e));
  }
  setEntry(last, last, half * half * own);
  size += 4 * half * half * ownSize + 2 * half * climbSize;
  constant = startNorm * (square * startNorm + along + bias) + mu * (startSquare - startNorm * startNorm);
  let constantSize = startNorm * (Math.abs(square) * startNorm + alongSize + Math.abs(bias)) + 2 * Math.abs(mu) * startSquare;
  for (let k = 0; k < last; ++k) {
    const x = load<f64>(activeEntry(start, k));
    const b = load<f64>(activeEntry(tilt, k));
    const e = load<f64>(entry(directions, k));
    const image = load<f64>(entry(images, k));
    constant += 0.5 * x * image;
    store<f64>(entry(slopes, k), image + startNorm * b + 2 * mu * x + e * climb);
    const slopeSize = startNorm * Math.abs(b) + 2 * Math.abs(mu * x) + Math.abs(e) * climbSize;
    size += 2 * load<f64>(entry(halves, k)) * slopeSize;
  }
  store<f64>(entry(slopes, last), climb);
  size += constantSize;
  recentre();
}

/** Row k of the matrix up to the diagonal and its mirror, C x0, and their sizes. */
function fillRow(k: i32, mu: f64, own: f64, ownSize: f64): void {
  const halfK = load<f64>(entry(halves, k));
  const bK = load<f64>(activeEntry(tilt, k));
  const eK = load<f64>(entry(directions, k));
  const xK = load<f64>(activeEntry(start, k));
  let image: f64 = 0;
  for (let l = 0; l <= k; ++l) {
    const c = curvatureEntry(k, l);
    const halfL = load<f64>(entry(halves, l));
    const bL = load<f64>(activeEntry(tilt, l));
    const eL = load<f64>(entry(directions, l));
    const xL = load<f64>(activeEntry(start, l));
    const cross = bK * eL + eK * bL;
    const extra = l == k ? 2 * mu : 0;
    setEntry(k, l, halfK * halfL * (c + extra + cross + own * eK * eL));
    image += c * xL;
    if (l < k) store<f64>(entry(images, l), load<f64>(entry(images, l)) + c * xK);
    // Twice for the mirror, and up to 2 for |centre| + half in each of the two factors; then C x0.
    const parts = Math.abs(c) + Math.abs(extra) + Math.abs(bK * eL) + Math.abs(eK * bL) + ownSize * Math.abs(eK * eL);
    size += 8 * halfK * halfL * parts;
    size += 2 * Math.abs(c) * (halfK * Math.abs(xL) + halfL * Math.abs(xK) + Math.abs(xL * xK));
  }
  store<f64>(entry(images, k), load<f64>(entry(images, k)) + image);
}

function setEntry(k: i32, l: i32, value: f64): void {
  store<f64>(matrix + ((<usize>k * pitch + l) << 3), value);
  store<f64>(matrix + ((<usize>l * pitch + k) << 3), value);
}

/** From D = 0, s = 0 to the box's centre. */
function recentre(): void {
  for (let k = 0; k < q; ++k) {
    for (let l = q; l < pitch; ++l) store<f64>(matrix + ((<usize>k * pitch + l) << 3), 0);
    const row = matrix + ((<usize>k * pitch) << 3);
    let sum: f64 = 0;
    for (let l = 0; l < q; ++l) sum += load<f64>(entry(row, l)) * load<f64>(entry(centres, l));
    const slope = load<f64>(entry(halves, k)) * load<f64>(entry(slopes, k));
    store<f64>(entry(linear, k), slope + sum);
    constant += load<f64>(entry(centres, k)) * (slope + 0.5 * sum);
  }
}
