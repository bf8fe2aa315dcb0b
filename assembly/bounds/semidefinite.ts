// A lower bound of a quadratic c.y + y'My/2 on the cube [-1, 1]^q by semidefinite relaxation, proved afterwards.
// For any diagonal D >= 0 with P = M + D positive semidefinite, y'My >= y'Py - sum D on the cube, so
//   c.y + y'My/2  >=  min over the cube of (c.y + y'Py/2) - sum(D)/2,
// and equality holds where the minimum is a corner. The best D is the dual of the relaxation Y >= yy', diag Y <= 1. Its
// primal is solved by the mixing method (Wang, Chang and Kolter, arXiv 1706.00476: low-rank factors, one coordinate
// at a time), which nothing has to trust: D is read off, made large enough that Cholesky's factorisation of P succeeds,
// and the convex minimum is bounded by its tangent plane at any point. All that is proved is in provedMinimum().
// Not here: where the quadratic comes from (curvature.ts), balls in place of the cube (ball.ts).
import { dotDoubles } from "../kernel/dot";
import { NORM_INF } from "../layout";
import { above, isRigorous, UNIT } from "../rounding";

/** Columns of the factor: vectors of this many entries take the place of the coordinates y_k. */
export const RANK: i32 = 8;
const FACTOR_BYTES: usize = 64;

/** Sweeps of the mixing method from a fresh start, and how little a sweep may change before it ends. */
const MOST_SWEEPS: i32 = 80;
const SETTLED: f64 = 1e-6;

/** How often D may be enlarged until the factorisation succeeds. */
const MOST_SHIFTS: i32 = 12;

const DESCENT_SWEEPS: i32 = 20;

// The problem at hand, one a thread: pointers to float64, rows `pitch` apart (a multiple of 4, padded with zeros).
export let q: i32 = 0;
export let pitch: i32 = 0;
export let matrix: usize = 0; // M
export let linear: usize = 0; // c
export let factors: usize = 0; // V: q rows of RANK
export let shifts: usize = 0; // D
export let point: usize = 0; // y
export let triangle: usize = 0; // factor of P
let gradient: usize = 0; // RANK entries: a row of M V + c e_0', left by pull()

/** Float64 entries of work memory beside the matrix and c. */
export function semidefiniteEntries(rows: i32, rowPitch: i32): i32 {
  return rowPitch * (rows + RANK + 2) + RANK;
}

export function setProblem(rows: i32, rowPitch: i32, m: usize, c: usize, work: usize): void {
  q = rows;
  pitch = rowPitch;
  matrix = m;
  linear = c;
  triangle = work;
  factors = work + ((<usize>rowPitch * rows) << 3);
  shifts = factors + ((<usize>rowPitch * RANK) << 3);
  point = shifts + (<usize>rowPitch << 3);
  gradient = point + (<usize>rowPitch << 3);
  memory.fill(shifts, 0, <usize>rowPitch << 4);
}

// @ts-ignore: decorator
@inline
function entry(list: usize, k: i32): usize {
  return list + (<usize>k << 3);
}

/** V from a point y: y in the first column, a little of a fixed pattern in the others, rows no longer than 1. */
export function startFrom(y: usize): void {
  let state: u32 = 0x9e3779b9;
  for (let k = 0; k < q; ++k) {
    const row = factors + ((<usize>k * RANK) << 3);
    let square: f64 = 0;
    for (let j = 0; j < RANK; ++j) {
      state ^= state << 13;
      state ^= state >> 17;
      state ^= state << 5;
      const noise = 0.1 * (<f64>state / 4294967296.0 - 0.5);
      const value = (j == 0 ? load<f64>(entry(y, k)) : 0) + noise;
      store<f64>(entry(row, j), value);
      square += value * value;
    }
    const shrink = square > 1 ? 1 / Math.sqrt(square) : 1;
    for (let j = 0; j < RANK; ++j) store<f64>(entry(row, j), load<f64>(entry(row, j)) * shrink);
  }
}

/** Row k of M V + c e_0': what pull() leaves. */
function pull(k: i32): void {
  const row = matrix + ((<usize>k * pitch) << 3);
  if (ASC_FEATURE_SIMD) pullLanes(row);
  else pullEntries(row);
  store<f64>(gradient, load<f64>(gradient) + load<f64>(entry(linear, k)));
}

function pullEntries(row: usize): void {
  memory.fill(gradient, 0, RANK << 3);
  let from = factors;
  for (let l: usize = 0; l < <usize>q << 3; l += 8, from += FACTOR_BYTES) {
    const m = load<f64>(row + l);
    for (let j: usize = 0; j < FACTOR_BYTES; j += 8)
      store<f64>(gradient + j, load<f64>(gradient + j) + m * load<f64>(from + j));
  }
}

function pullLanes(row: usize): void {
  let a = f64x2.splat(0);
  let b = a;
  let c = a;
  let d = a;
  let from = factors;
  for (let l: usize = 0; l < <usize>q << 3; l += 8, from += FACTOR_BYTES) {
    const m = v128.load64_splat(row + l);
    a = f64x2.add(a, f64x2.mul(m, v128.load(from)));
    b = f64x2.add(b, f64x2.mul(m, v128.load(from, 16)));
    c = f64x2.add(c, f64x2.mul(m, v128.load(from, 32)));
    d = f64x2.add(d, f64x2.mul(m, v128.load(from, 48)));
  }
  v128.store(gradient, a);
  v128.store(gradient, b, 16);
  v128.store(gradient, c, 32);
  v128.store(gradient, d, 48);
}

function length(list: usize): f64 {
  let sum: f64 = 0;
  for (let j: usize = 0; j < FACTOR_BYTES; j += 8) sum += load<f64>(list + j) * load<f64>(list + j);
  return Math.sqrt(sum);
}

/** One coordinate: the best v_k with the others fixed. Returns the squared change. */
function improve(k: i32): f64 {
  const row = factors + ((<usize>k * RANK) << 3);
  const own = load<f64>(matrix + ((<usize>k * pitch + k) << 3));
  pull(k);
  for (let j: usize = 0; j < FACTOR_BYTES; j += 8)
    store<f64>(gradient + j, load<f64>(gradient + j) - own * load<f64>(row + j));
  const divisor = Math.max(own, length(gradient));
  if (!(divisor > 0)) return 0;
  let change: f64 = 0;
  for (let j: usize = 0; j < FACTOR_BYTES; j += 8) {
    const next = -load<f64>(gradient + j) / divisor;
    const step = next - load<f64>(row + j);
    change += step * step;
    store<f64>(row + j, next);
  }
  return change;
}

/** The mixing method; leaves D and, in the first column of V, where the convex minimum should be. */
export function relax(): void {
  for (let sweep = 0; sweep < MOST_SWEEPS; ++sweep) {
    let change: f64 = 0;
    for (let k = 0; k < q; ++k) change += improve(k);
    if (change < SETTLED * <f64>q) break;
  }
  for (let k = 0; k < q; ++k) {
    const row = factors + ((<usize>k * RANK) << 3);
    store<f64>(entry(point, k), Math.max(-1, Math.min(1, load<f64>(row))));
    pull(k);
    store<f64>(entry(shifts, k), length(row) > 0.99 ? length(gradient) : 0);
  }
}

/** Where the last factorisation that did not succeed met a pivot that is not positive, and that pivot. */
export let failedAt: i32 = 0;
export let failedPivot: f64 = 0;

/** Lower triangle of M + D to `triangle`, factored in place; false where a pivot is not positive. */
export function factor(): bool {
  for (let i = 0; i < q; ++i) {
    const to = triangle + ((<usize>i * pitch) << 3);
    const from = matrix + ((<usize>i * pitch) << 3);
    memory.copy(to, from, (<usize>i + 1) << 3);
    // Zeros to the end of the group of four, which inner products of whole groups read.
    for (let j = i + 1; j < ((i + 4) & ~3); ++j) store<f64>(entry(to, j), 0);
    store<f64>(entry(to, i), load<f64>(entry(to, i)) + load<f64>(entry(shifts, i)));
    for (let j = 0; j < i; ++j) {
      const other = triangle + ((<usize>j * pitch) << 3);
      const rest = load<f64>(entry(to, j)) - partial(to, other, j);
      store<f64>(entry(to, j), rest / load<f64>(entry(other, j)));
    }
    const pivot = load<f64>(entry(to, i)) - partial(to, to, i);
    if (!(pivot > 0)) {
      failedAt = i;
      failedPivot = pivot;
      return false;
    }
    store<f64>(entry(to, i), Math.sqrt(pivot));
  }
  return true;
}

/**
 * Whether the factorisation of M (rows `rowPitch` apart) runs to its end; `work` is semidefiniteEntries() float64. Then
 * every eigenvalue of M is >= -2 (rows + 2) UNIT trace(M): see provedMinimum().
 */
export function isSemidefinite(rows: i32, rowPitch: i32, m: usize, work: usize): bool {
  setProblem(rows, rowPitch, m, m, work);
  return factor();
}

/** A proved lower bound of c.y + y'My/2 on [-1, 1]^rows from scratch: all of this file in one call. */
export function semidefiniteMinimum(rows: i32, rowPitch: i32, m: usize, c: usize, work: usize): f64 {
  setProblem(rows, rowPitch, m, c, work);
  startFrom(c);
  relax();
  return provedMinimum();
}

/** <a, b> over the first `count` entries, in whole groups and a rest. */
// @ts-ignore: decorator
@inline
function partial(a: usize, b: usize, count: i32): f64 {
  const whole = count & ~3;
  let sum = dotDoubles(a, b, whole << 3);
  for (let k = whole; k < count; ++k) sum += load<f64>(entry(a, k)) * load<f64>(entry(b, k));
  return sum;
}

/** Entry k of P y. */
// @ts-ignore: decorator
@inline
export function product(k: i32): f64 {
  const row = matrix + ((<usize>k * pitch) << 3);
  return dotDoubles(row, point, pitch << 3) + load<f64>(entry(shifts, k)) * load<f64>(entry(point, k));
}

/** Coordinate descent on the convex problem over the cube: brings `point` nearer to its minimum. */
function descend(): void {
  for (let sweep = 0; sweep < DESCENT_SWEEPS; ++sweep) {
    let change: f64 = 0;
    for (let k = 0; k < q; ++k) {
      const own = load<f64>(matrix + ((<usize>k * pitch + k) << 3)) + load<f64>(entry(shifts, k));
      if (!(own > 0)) continue;
      const y = load<f64>(entry(point, k));
      const next = Math.max(-1, Math.min(1, y - (load<f64>(entry(linear, k)) + product(k)) / own));
      change = Math.max(change, Math.abs(next - y));
      store<f64>(entry(point, k), next);
    }
    if (change < 1e-7) return;
  }
}

/** Enlarges D until P factors; the sum of D, or -1 where it does not. */
function enlarge(): f64 {
  let sum: f64 = 0;
  for (let k = 0; k < q; ++k) sum += load<f64>(entry(shifts, k));
  let step = 1e-7 * (sum / <f64>q) + 1e-290;
  let relative: f64 = 1e-5;
  for (let attempt = 0; attempt < MOST_SHIFTS; ++attempt) {
    for (let k = 0; k < q; ++k) {
      const to = entry(shifts, k);
      store<f64>(to, load<f64>(to) * (1 + relative) + step);
    }
    if (!isRigorous() || factor()) {
      sum = 0;
      for (let k = 0; k < q; ++k) sum += load<f64>(entry(shifts, k));
      return sum;
    }
    step *= 4;
    relative *= 2;
  }
  return -1;
}

/** Size of everything the last provedMinimum() added: its rounding is a multiple of this. */
export let provedSize: f64 = 0;

/**
 * A real number <= min over [-1, 1]^q of c.y + y'My/2 for exactly these float64 c and M; -Infinity where no proof was
 * found. By Higham (Accuracy and Stability, Theorem 10.3) a factorisation that ran to its end is exact for P + E,
 * |E| <= gamma_{q+1} |L||L'|, whose norm is at most gamma_{q+1} tr(P) / (1 - gamma_{q+1}): P + epsilon I is positive
 * semidefinite with epsilon = 2 (q + 2) UNIT tr(P), which costs 3 epsilon q in the bound below.
 */
export function provedMinimum(): f64 {
  const total = enlarge();
  if (!(total >= 0)) return -Infinity;
  descend();
  return provedAt(NORM_INF, total);
}

/** How much larger than the region the one is that a ball's point may lie in. */
export const POINT_SIZE: f64 = 1.5;

/**
 * The bound by the tangent plane at `point`, once P = M + D has a factorisation; `total` is what D
 * may add to y'My on the region: the cube, or for NORM_2 the unit ball times [-1, 1] for the last variable. A tangent plane
 * may touch anywhere; roundings and epsilon count four times where `point` may be POINT_SIZE as long.
 */
export function provedAt(norm: i32, total: f64): f64 {
  let trace: f64 = 0;
  let curved: f64 = 0;
  let tilted: f64 = 0;
  let last: f64 = 0;
  let size = total;
  for (let k = 0; k < q; ++k) {
    const row = matrix + ((<usize>k * pitch) << 3);
    const y = load<f64>(entry(point, k));
    const c = load<f64>(entry(linear, k));
    const along = product(k);
    trace += load<f64>(entry(row, k)) + load<f64>(entry(shifts, k));
    curved += y * along;
    const slope = Math.abs(c + along);
    if (norm == NORM_INF) tilted += slope;
    else if (k == q - 1) last = slope;
    else tilted += slope * slope;
    let rowSize: f64 = 0;
    for (let l: usize = 0; l < <usize>q << 3; l += 8) rowSize += Math.abs(load<f64>(row + l));
    size += 3 * rowSize + Math.abs(c) + 3 * load<f64>(entry(shifts, k));
  }
  const n = <f64>q;
  if (norm != NORM_INF) tilted = above(Math.sqrt(above(tilted, n + 8)), 4);
  provedSize = size;
  const epsilon = 2 * (n + 2) * UNIT * trace;
  const roundings = 3 * epsilon * n + (4 * n + 80) * UNIT * size;
  return -0.5 * curved - (tilted + last) - 0.5 * total - (norm == NORM_INF ? roundings : 4 * roundings);
}
