// A proved lower bound of a quadratic c.y + y'My/2 on the cube [-1, 1]^n, for the checker. For any diagonal D >= 0 and any
// triangle L with M + D = L L' + E,
//   c.y + y'My/2  >=  -t'Pt/2 - ||c + P t||_1 - sum(D)/2 - 2 n ||E||,   P = M + D, any point t of the cube,
// the tangent at t of a form that is convex but for E. D comes from a relaxation and L from a factorisation of which
// nothing is believed: E is computed, entry by entry, from what they gave. The core argues from the factorisation's own
// theorem instead (assembly/bounds/semidefinite.ts). Not here: where quadratics come from (quadratic.ts, switching.ts).
import { add, down, type Interval, IntervalTotal, interval, mul, point, size, up } from "./interval.js";

const UNIT = 2 ** -53;

/** Vectors of this many entries take the place of the coordinates in the relaxation. */
const RANK = 8;
const MOST_SWEEPS = 300;
const SETTLED = 1e-9;
const DESCENT_SWEEPS = 60;

/** How often D may be enlarged until the factorisation succeeds. */
const MOST_SHIFTS = 36;

/** n variables; M [n, n], symmetric, row after row; c [n]. */
export interface Cube {
  readonly n: number;
  readonly matrix: Float64Array;
  readonly linear: Float64Array;
}

export interface CubeMinimum {
  /** At most the minimum; -Infinity where no proof was found. */
  readonly lower: number;
  /** About where it is. */
  readonly at: Float64Array;
}

/** The guess in the first column, a little of a fixed pattern in the others, rows no longer than 1. */
function startVectors(n: number, guess: Float64Array): Float64Array {
  const vectors = new Float64Array(n * RANK);
  let state = 0x2545f491;
  for (let k = 0; k < n; k++) {
    let square = 0;
    for (let j = 0; j < RANK; j++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const value = (j === 0 ? (guess[k] as number) : 0) + 0.1 * (state / 2 ** 32 - 0.5);
      vectors[k * RANK + j] = value;
      square += value * value;
    }
    if (square <= 1) continue;
    for (let j = 0; j < RANK; j++) vectors[k * RANK + j] = (vectors[k * RANK + j] as number) / Math.sqrt(square);
  }
  return vectors;
}

/** Row k of M V + c e', to `pull`; its length. */
function pullRow({ n, matrix, linear }: Cube, vectors: Float64Array, k: number, pull: Float64Array): number {
  pull.fill(0);
  pull[0] = linear[k] as number;
  for (let l = 0; l < n; l++) {
    const m = matrix[k * n + l] as number;
    if (m === 0) continue;
    for (let j = 0; j < RANK; j++) pull[j] = (pull[j] as number) + m * (vectors[l * RANK + j] as number);
  }
  return Math.hypot(...pull);
}

/** Wang, Chang and Kolter's mixing method (arXiv 1706.00476): D of the dual and a point of the cube. */
function relax(cube: Cube, guess: Float64Array): { shifts: Float64Array; at: Float64Array } {
  const { n, matrix } = cube;
  const vectors = startVectors(n, guess);
  const pull = new Float64Array(RANK);
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    let change = 0;
    for (let k = 0; k < n; k++) {
      const own = matrix[k * n + k] as number;
      pullRow(cube, vectors, k, pull);
      const row = vectors.subarray(k * RANK, (k + 1) * RANK);
      for (let j = 0; j < RANK; j++) pull[j] = (pull[j] as number) - own * (row[j] as number);
      const divisor = Math.max(own, Math.hypot(...pull));
      if (!(divisor > 0)) continue;
      for (let j = 0; j < RANK; j++) {
        const next = -(pull[j] as number) / divisor;
        change += (next - (row[j] as number)) ** 2;
        row[j] = next;
      }
    }
    if (change < SETTLED * n) break;
  }
  const shifts = new Float64Array(n);
  const at = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    const length = pullRow(cube, vectors, k, pull);
    const row = vectors.subarray(k * RANK, (k + 1) * RANK);
    shifts[k] = Math.hypot(...row) > 0.99 ? length : 0;
    at[k] = Math.max(-1, Math.min(1, row[0] as number));
  }
  return { shifts, at };
}

/** <a, b> over the first `count` entries from two places of one array, rounded to nearest. */
function product(list: Float64Array, a: number, b: number, count: number): number {
  let sum = 0;
  for (let k = 0; k < count; k++) sum += (list[a + k] as number) * (list[b + k] as number);
  return sum;
}

/** Where a factorisation ended, and the pivot that is not positive. */
export interface Ended {
  readonly at: number;
  readonly pivot: number;
}

/** A triangle whose square is about M + D, or where a pivot is not positive. */
export function triangleOf({ n, matrix }: Cube, shifts: Float64Array): Float64Array | Ended {
  const triangle = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const rest = (matrix[i * n + j] as number) - product(triangle, i * n, j * n, j);
      triangle[i * n + j] = rest / (triangle[j * n + j] as number);
    }
    const pivot = (matrix[i * n + i] as number) + (shifts[i] as number) - product(triangle, i * n, i * n, i);
    if (!(pivot > 0)) return { at: i, pivot };
    triangle[i * n + i] = Math.sqrt(pivot);
  }
  return triangle;
}

/** ||M + D - L L'|| at most: the largest sum of absolute values in a row. The rounding of inner products by Cauchy. */
export function residual({ n, matrix }: Cube, shifts: Float64Array, triangle: Float64Array): number {
  const lengths = Array.from({ length: n }, (_, i) => Math.sqrt(product(triangle, i * n, i * n, i + 1)) * (1 + 1e-9));
  const all = lengths.reduce((sum, length) => sum + length, 0);
  const rows = Float64Array.from(lengths, (length) => (n + 8) * UNIT * length * all);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      const shift = i === j ? (shifts[i] as number) : 0;
      const entry = (matrix[i * n + j] as number) + shift;
      const rest = Math.abs(entry - product(triangle, i * n, j * n, j + 1)) + 4 * UNIT * Math.abs(entry);
      rows[i] = (rows[i] as number) + rest;
      if (i !== j) rows[j] = (rows[j] as number) + rest;
    }
  return rows.reduce((most, row) => Math.max(most, row), 0) * (1 + 1e-9);
}

/** Enlarges D, rounding errors first, until it has a triangle. */
function factored(cube: Cube, shifts: Float64Array): Float64Array | undefined {
  const { n, matrix } = cube;
  // Measured in D and in the diagonal, where D is 0.
  const mean = shifts.reduce((sum, value, k) => sum + value + Math.abs(matrix[k * n + k] as number), 0) / n;
  let relative = 1e-11;
  for (let attempt = 0; attempt < MOST_SHIFTS; attempt++, relative *= 2) {
    const step = relative * mean + 1e-290;
    shifts.forEach((value, k) => {
      shifts[k] = value * (1 + relative) + step;
    });
    const triangle = triangleOf(cube, shifts);
    if (triangle instanceof Float64Array) return triangle;
  }
  return undefined;
}

/** Coordinate descent on the convex problem over the cube: moves `at` nearer to its minimum. */
function descend({ n, matrix, linear }: Cube, shifts: Float64Array, at: Float64Array): void {
  for (let sweep = 0; sweep < DESCENT_SWEEPS; sweep++) {
    let change = 0;
    for (let k = 0; k < n; k++) {
      const shift = shifts[k] as number;
      const own = (matrix[k * n + k] as number) + shift;
      if (!(own > 0)) continue;
      const y = at[k] as number;
      let slope = (linear[k] as number) + shift * y;
      for (let l = 0; l < n; l++) slope += (matrix[k * n + l] as number) * (at[l] as number);
      const next = Math.max(-1, Math.min(1, y - slope / own));
      change = Math.max(change, Math.abs(next - y));
      at[k] = next;
    }
    if (change < 1e-9) return;
  }
}

/** Row k of P times a point of the cube. */
export function rowTimes({ n, matrix }: Cube, k: number, at: Float64Array): Interval {
  let sum = 0;
  let sizes = 0;
  for (let l = 0; l < n; l++) {
    const part = (matrix[k * n + l] as number) * (at[l] as number);
    sum += part;
    sizes += Math.abs(part);
  }
  const error = up((n + 2) * UNIT * sizes * (1 + 1e-9)) + 1e-300;
  return interval(down(sum - error), up(sum + error));
}

/** A lower bound of the quadratic on the cube, `guess` being a point of it where the minimum is expected. */
export function cubeMinimum(cube: Cube, guess: Float64Array): CubeMinimum {
  const { n, linear } = cube;
  const { shifts, at } = relax(cube, guess);
  const triangle = factored(cube, shifts);
  if (triangle === undefined) return { lower: -Infinity, at };
  const rest = residual(cube, shifts, triangle);
  descend(cube, shifts, at);
  const total = new IntervalTotal();
  for (let k = 0; k < n; k++) {
    const y = point(at[k] as number);
    const shift = point(shifts[k] as number);
    const along = add(rowTimes(cube, k, at), mul(shift, y));
    total.add(mul(point(-0.5), mul(y, along)));
    total.add(point(-size(add(point(linear[k] as number), along))));
    total.add(interval(-shift.hi / 2, -shift.hi / 2));
  }
  const lower = down(total.value.lo - up(2 * n * up(rest)));
  return { lower: Number.isNaN(lower) ? -Infinity : lower, at };
}
