// A proved lower bound of a quadratic c.y + y'My/2 where all variables but the last have ||y||_2 <= 1 and the last lies in
// [-1, 1], for the checker. For any lambda, tau >= 0 and any triangle L with M + diag(lambda, ..., lambda, tau) = L L' + E,
//   c.y + y'My/2  >=  -t'Pt/2 - ||(c + P t)_D||_2 - |(c + P t)_s| - (lambda + tau)/2 - 9 ||E||,
// P = M + diag(...), any t of a region twice as large: as in cube.ts, with ||z - t||^2 <= 9 + 9. The multipliers come from a search
// along 1 / ||y(lambda)||, which is nearly straight (Reinsch, 1971); nothing of it is believed.
// Not here: the cube, triangles and their residuals (cube.ts), where quadratics come from (quadratic.ts).
import { type Cube, type CubeMinimum, residual, rowTimes, triangleOf } from "./cube.js";
import { add, down, IntervalTotal, interval, mul, point, size, sqrt, square, up } from "./interval.js";

const MOST_STEPS = 40;
const SETTLED = 1e-4;

/** How near to singular P may become by its last pivot. */
const LEAST = 1e-3;

/** ||v|| over all variables but the last. */
const lengthOf = (v: Float64Array) => Math.sqrt(v.subarray(0, -1).reduce((sum, value) => sum + value * value, 0));

/** <row k of a, b>, rounded to nearest; a vector is its own row 0. */
function dot(a: Float64Array, k: number, b: Float64Array): number {
  let sum = 0;
  for (let l = 0; l < b.length; l++) sum += (a[k * b.length + l] as number) * (b[l] as number);
  return sum;
}

/** y, moved into the region grown by a factor of `size` where it is outside. */
function inside(y: Float64Array, size: number): Float64Array {
  const length = lengthOf(y);
  const shrink = length > size ? (size / length) * (1 - 1e-15) : 1;
  return y.map((value, k) => (k === y.length - 1 ? Math.max(-size, Math.min(size, value)) : value * shrink));
}

/** L^-1 v. */
function solveLower(triangle: Float64Array, v: Float64Array): Float64Array {
  const n = v.length;
  const y = v.slice();
  for (let i = 0; i < n; i++) {
    let sum = y[i] as number;
    for (let j = 0; j < i; j++) sum -= (triangle[i * n + j] as number) * (y[j] as number);
    y[i] = sum / (triangle[i * n + i] as number);
  }
  return y;
}

/** -(L L')^-1 c. */
function minimumOf({ n, linear }: Cube, triangle: Float64Array): Float64Array {
  const y = solveLower(
    triangle,
    linear.map((value) => -value),
  );
  for (let i = n - 1; i >= 0; i--) {
    const own = (y[i] as number) / (triangle[i * n + i] as number);
    y[i] = own;
    for (let j = 0; j < i; j++) y[j] = (y[j] as number) - own * (triangle[i * n + j] as number);
  }
  return y;
}

/** The first multipliers: the gradient at a point of the region. */
function firstShifts({ n, matrix, linear }: Cube, at: Float64Array): readonly [number, number] {
  const image = Float64Array.from(at, (_, k) => (linear[k] as number) + dot(matrix, k, at));
  const bend = matrix[n * n - 1] as number;
  return [lengthOf(image), Math.abs(image[n - 1] as number) + Math.max(0, -bend)];
}

interface Candidate {
  readonly lambda: number;
  readonly tau: number;
  /** Of the dual, rounded to nearest. */
  readonly value: number;
  readonly triangle: Float64Array;
  readonly y: Float64Array;
}

/** What is about the best of the dual with lambda >= floor. */
function search(cube: Cube, guess: Float64Array, floor: number): Candidate | undefined {
  const { n, linear } = cube;
  let [lambda, tau] = firstShifts(cube, inside(guess, 1));
  lambda = Math.max(floor, lambda) * (1 + 1e-12) + 1e-290;
  let best: Candidate | undefined;
  let low = 0;
  let high = Number.POSITIVE_INFINITY;
  for (let step = 0; step < MOST_STEPS; step++) {
    const triangle = triangleOf(cube, shiftsOf(n, lambda, tau));
    if (!(triangle instanceof Float64Array)) {
      // The last pivot grows with tau, one for one.
      if (triangle.at === n - 1) tau += (1 + LEAST) * Math.abs(triangle.pivot) + 1e-6 * lambda + 1e-290;
      else {
        low = Math.max(low, lambda);
        lambda = high < Number.POSITIVE_INFINITY ? 0.5 * (low + high) : 2 * lambda;
      }
      continue;
    }
    const y = minimumOf(cube, triangle);
    const [_length, side] = [lengthOf(y), Math.abs(y[n - 1] as number)];
    const value = 0.5 * (dot(linear, 0, y) - lambda - tau);
    if (best === undefined || value > best.value) best = { lambda, tau, value, triangle, y };
    const next = nextLambda(triangle, y, lambda);
    const pivot = (triangle[n * n - 1] as number) ** 2;
    const nextTau = Math.max(0, tau + pivot * Math.max(side - 1, LEAST - 1));
    high = Math.min(high, lambda);
    const bounded = Math.max(floor, next < lambda ? Math.max(next, low + 0.1 * (lambda - low)) : next);
    const still = Math.abs(bounded - lambda) <= SETTLED * lambda && Math.abs(nextTau - tau) <= SETTLED * (tau + lambda);
    if (still) break;
    [lambda, tau] = [bounded, nextTau];
  }
  return best;
}

const shiftsOf = (n: number, lambda: number, tau: number) =>
  Float64Array.from({ length: n }, (_, k) => (k === n - 1 ? tau : lambda));

/** Newton's step on 1 / ||y(lambda)|| = 1. */
function nextLambda(triangle: Float64Array, y: Float64Array, lambda: number): number {
  const image = y.slice();
  image[y.length - 1] = 0;
  const fall = solveLower(triangle, image).reduce((sum, value) => sum + value * value, 0);
  const length = lengthOf(y);
  return fall > 0 ? Math.max(0, lambda + ((length * length) / fall) * (length - 1)) : lambda;
}

/**
 * A lower bound of the quadratic on the region, `guess` being where the minimum is expected; lambda is at least `floor`.
 */
export function ballMinimum(cube: Cube, guess: Float64Array, floor: number): CubeMinimum {
  const { n, linear } = cube;
  const found = search(cube, guess, floor);
  if (found === undefined) return { lower: Number.NEGATIVE_INFINITY, at: inside(guess, 1) };
  const { lambda, tau, triangle } = found;
  const shifts = shiftsOf(n, lambda, tau);
  const rest = residual(cube, shifts, triangle);
  const at = inside(found.y, 2);
  const total = new IntervalTotal();
  const tilted = new IntervalTotal();
  for (let k = 0; k < n; k++) {
    const y = point(at[k] as number);
    const along = add(rowTimes(cube, k, at), mul(point(shifts[k] as number), y));
    total.add(mul(point(-0.5), mul(y, along)));
    const slope = add(point(linear[k] as number), along);
    if (k < n - 1) tilted.add(square(slope));
    else total.add(point(-size(slope)));
  }
  total.add(point(-sqrt(tilted.value).hi));
  total.add(interval(-lambda / 2, -lambda / 2));
  total.add(interval(-tau / 2, -tau / 2));
  const lower = down(total.value.lo - up(9 * up(rest)));
  return { lower: Number.isNaN(lower) ? Number.NEGATIVE_INFINITY : lower, at: inside(at, 1) };
}
