// A lower bound of a quadratic c.y + y'My/2 where all variables but the last lie in the Euclidean unit ball and the last in
// [-1, 1]. For any lambda, tau >= 0 with P = M + diag(lambda, ..., lambda, tau) positive semidefinite,
//   c.y + y'My/2  >=  min over the region of (c.y + y'Py/2) - (lambda + tau) / 2,
// and with the best lambda nothing is lost (the S-lemma; the last variable aside). That is where the minimum of the
// right-hand side has length 1: found by Newton's method on the secular equation (More and Sorensen, 1983), one Cholesky
// factorisation a step. Nobody has to trust the search: what each step comes to is proved by provedAt(), and the best
// bound counts.
// Not here: the cube, and what is proved (semidefinite.ts); where the quadratic comes from (curvature.ts).
import { NORM_2 } from "../layout";
import {
  POINT_SIZE,
  factor,
  factors,
  failedAt,
  failedPivot,
  linear,
  pitch,
  point,
  product,
  provedAt,
  q,
  setProblem,
  shifts,
  triangle,
} from "./semidefinite";

/** Most factorisations of one bound. */
const MOST_STEPS: i32 = 24;

/** How far from 1 the minimum's length may be where the search ends: the bound loses the square of that. */
const LENGTH_TOLERANCE: f64 = 0.01;

/** How near to singular P may become, and what is too little to gain, relatively. */
const LEAST_GAIN: f64 = 1e-3;

/** lambda and tau of the best bound found last: where a search nearby may begin. */
export let ballShift: f64 = 0;
export let lastShift: f64 = 0;

// @ts-ignore: decorator
@inline
function entry(list: usize, k: i32): usize {
  return list + (<usize>k << 3);
}

/** ||v|| over all variables but the last. */
function lengthOf(vector: usize): f64 {
  let sum: f64 = 0;
  for (let k: usize = 0; k < <usize>(q - 1) << 3; k += 8) sum += load<f64>(vector + k) * load<f64>(vector + k);
  return Math.sqrt(sum);
}

/** L^-1 v in place. */
function solveLower(v: usize): void {
  for (let i = 0; i < q; ++i) {
    const row = triangle + ((<usize>i * pitch) << 3);
    let sum = load<f64>(entry(v, i));
    for (let j = 0; j < i; ++j) sum -= load<f64>(entry(row, j)) * load<f64>(entry(v, j));
    store<f64>(entry(v, i), sum / load<f64>(entry(row, i)));
  }
}

/** L'^-1 v in place. */
function solveUpper(v: usize): void {
  for (let i = q - 1; i >= 0; --i) {
    const row = triangle + ((<usize>i * pitch) << 3);
    const own = load<f64>(entry(v, i)) / load<f64>(entry(row, i));
    store<f64>(entry(v, i), own);
    for (let j = 0; j < i; ++j) store<f64>(entry(v, j), load<f64>(entry(v, j)) - own * load<f64>(entry(row, j)));
  }
}

/** The multipliers at the start: what the gradient is at the point at hand, brought into the region. */
function firstShifts(): void {
  const length = lengthOf(point);
  const shrink = length > 1 ? 1 / length : 1;
  for (let k = 0; k < q - 1; ++k) store<f64>(entry(point, k), shrink * load<f64>(entry(point, k)));
  memory.fill(shifts, 0, <usize>pitch << 3);
  let sum: f64 = 0;
  for (let k = 0; k < q - 1; ++k) {
    const slope = load<f64>(entry(linear, k)) + product(k);
    sum += slope * slope;
  }
  ballShift = Math.sqrt(sum);
  lastShift = Math.abs(load<f64>(entry(linear, q - 1)) + product(q - 1));
}

function setShifts(lambda: f64, tau: f64): void {
  for (let k = 0; k < q - 1; ++k) store<f64>(entry(shifts, k), lambda);
  store<f64>(entry(shifts, q - 1), tau);
}

/**
 * A real number <= min of c.y + y'My/2 on the region, for the problem that setProblem() took and exactly these float64
 * c and M; -Infinity where no proof was found. lambda is at least `floor`. `point` holds where the minimum is expected,
 * unless multipliers to begin with are given.
 */
export function ballMinimum(floor: f64, lambda: f64, tau: f64): f64 {
  if (!(lambda > 0)) {
    firstShifts();
    lambda = ballShift;
    tau = lastShift;
  }
  lambda = Math.max(floor, lambda);
  ballShift = 0;
  let best: f64 = -Infinity;
  let low: f64 = 0; // no proof for any lambda up to here
  let high: f64 = Infinity; // and one from here on
  for (let step = 0; step < MOST_STEPS; ++step) {
    setShifts(lambda, tau);
    if (!factor()) {
      // The last pivot grows with tau, one for one.
      if (failedAt == q - 1 && failedPivot <= 0) tau += (1 + LEAST_GAIN) * Math.abs(failedPivot) + 1e-6 * lambda + 1e-290;
      else {
        low = Math.max(low, lambda);
        lambda = high < Infinity ? 0.5 * (low + high) : 2 * lambda + 1e-290;
      }
      continue;
    }
    high = Math.min(high, lambda);
    const found = proveStep(lambda, tau);
    if (found > best) {
      best = found;
      ballShift = lambda;
      lastShift = tau;
    }
    if (settled) break;
    // Below `low` there is no proof.
    const next = nextLambda < lambda ? Math.max(Math.max(nextLambda, floor), low + 0.1 * (lambda - low)) : nextLambda;
    const gain = LEAST_GAIN * (lambda + tau);
    if (next <= lambda && lambda - next <= gain && nextTau <= tau && tau - nextTau <= gain) break;
    lambda = next;
    tau = nextTau;
  }
  return best;
}

/** A proved lower bound from scratch: all of this file in one call. */
export function trustRegionMinimum(rows: i32, rowPitch: i32, m: usize, c: usize, work: usize): f64 {
  setProblem(rows, rowPitch, m, c, work);
  return ballMinimum(0, 0, 0);
}

// What a step leaves: whether the search is done, and what to try next.
let settled: bool = false;
let nextLambda: f64 = 0;
let nextTau: f64 = 0;

/** The bound at the minimum of the shifted form, and Newton's next multipliers. P is factored. */
function proveStep(lambda: f64, tau: f64): f64 {
  const last = entry(point, q - 1);
  for (let k = 0; k < q; ++k) store<f64>(entry(point, k), -load<f64>(entry(linear, k)));
  solveLower(point);
  solveUpper(point);
  const length = lengthOf(point);
  const side = Math.abs(load<f64>(last));
  // d||y||^2 / d lambda = -2 ||L^-1 (y, 0)||^2; the last pivot is what tau's equation turns on.
  memory.copy(factors, point, <usize>(q - 1) << 3);
  store<f64>(entry(factors, q - 1), 0);
  solveLower(factors);
  let square: f64 = 0;
  for (let k = 0; k < q; ++k) square += load<f64>(entry(factors, k)) * load<f64>(entry(factors, k));
  const pivot = load<f64>(triangle + ((<usize>(q - 1) * pitch + q - 1) << 3));
  nextLambda = square > 0 ? Math.max(0, lambda + ((length * length) / square) * (length - 1)) : lambda;
  nextTau = Math.max(0, tau + pivot * pivot * Math.max(side - 1, LEAST_GAIN - 1));
  settled = Math.abs(length - 1) < LENGTH_TOLERANCE && (Math.abs(side - 1) < LENGTH_TOLERANCE || (side < 1 && tau == 0));
  const shrink = length > POINT_SIZE ? POINT_SIZE / length : 1;
  for (let k = 0; k < q - 1; ++k) store<f64>(entry(point, k), shrink * load<f64>(entry(point, k)));
  store<f64>(last, Math.max(-POINT_SIZE, Math.min(POINT_SIZE, load<f64>(last))));
  return provedAt(NORM_2, lambda + tau);
}
