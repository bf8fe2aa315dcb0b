// Bounds of a two-layer NTK machine by one quadratic form, minimised over the whole l-inf or l2 ball at once. Rounded
// outward.
//
// In raw units g(x) = sum_i w_i R h(u_i) + b, R = ||x||, u_i = <x, x_i> / (R R_i). On the ball each u_i has a range, and on
// it h lies above (w_i > 0) or below (w_i < 0) a parabola alpha_i + beta_i u + gamma_i u^2 / 2 (parabola.ts), so
//   R g(x) >= A R^2 + R <B, x> + <x, C x> / 2 + b R,
//   A = sum w alpha,  B = sum w beta x_i / R_i,  C = sum w gamma x_i x_i' / R_i^2:
// a quadratic form of (x, R), in which curvatures of opposite sign have cancelled before anything is bounded. R is not
// free: R^2 = ||x||^2 adds mu (||x||^2 - R^2) = 0 for any mu, and with x = x0 + D
//   R = r0 + <x0, D> / r0 + s,   0 <= s <= ||D||^2 / (2 r0),
// so the form is one of (D, s) on a box (semidefinite.ts) or on a ball times an interval (ball.ts), minimised with a
// proof. The parabolas touch h where the worst input is expected: near the corner or the point of the sphere that gradient
// steps lead to. Where the minimum is there and the parabolas touch there, nothing is lost at all.
// Not here: the form as a problem (problem.ts), one linear relaxation (linear.ts), the search for a radius.
import {
  FORMAT_U8,
  NORM_INF,
  ROWS_D,
  ROWS_FORMAT,
  ROWS_N,
  ROWS_NORMS,
  TOUCHING_OUTSIDE,
  TOUCHING_SHARE,
  TOUCHING_SIDES,
} from "../layout";
import { dotRow } from "../kernel/dot";
import { twoLayerScale } from "../kernel/row";
import { h, hPrime } from "../math/elementary";
import { field, pointerField } from "../memory";
import { above, UNIT } from "../rounding";
import {
  activate,
  activeEntries,
  compress,
  compressed,
  openRow,
  packedColumns,
  rowAddTo,
  rowDot,
  rowOuter,
  spreadSides,
  touchedBefore,
  touchedColumns,
} from "./active";
import { ballMinimum, ballShift, lastShift } from "./ball";
import { movable } from "./movable";
import { alpha, beta, crossing, EDGE, gamma, touch } from "./parabola";
import { buildProblem, constant, linear, matrix, openProblem, pitch, problemEntries, size } from "./problem";
import {
  activeEntry,
  centres,
  drift,
  entry,
  halves,
  longest,
  moving,
  norm,
  openRegion,
  places,
  q,
  setCentre,
  setColumns,
  setRegion,
  shortest,
  squareUlps,
  start,
  startNorm,
  startSquare,
  untouched,
  untouchedSquare,
} from "./region";
import { point, provedMinimum, relax, semidefiniteEntries, setProblem, startFrom } from "./semidefinite";
import { spreadOf } from "./spread";

/** Where the parabolas touch h: at x0 + theta (corner - x0). The second suits machines whose signs cancel strongly. */
const THETA: f64 = 0.8;
const OTHER_THETA: f64 = 0.5;

/** Most steps from corner to corner in search of the worst one. */
const CORNER_STEPS: i32 = 5;

// The machine and input at hand, one set a thread.
let rows: i32 = 0;
let bias: f64 = 0;
let theta: f64 = THETA;
let decided: bool = false; // whether theta is settled
// Arrays over rows.
let weights: usize = 0; // sign alpha_i c R_i
let lengths: usize = 0; // R_i
let cosines: usize = 0; // u_i at x0, as computed: any number is sound
let spreads: usize = 0; // dual norm of x_i / R_i - u_i x0 / r0, rounded up
let misses: usize = 0; // |<x0, x_i> / R_i - u_i r0| with its rounding
// Compressed vectors and a matrix of them, see active.ts.
let corner: usize = 0; // the worst input found last
let touching: usize = 0; // x0 + theta (corner - x0)
let tilt: usize = 0; // B, and before that gradients
let outer: usize = 0; // C, blocks on and below the diagonal
let guess: usize = 0; // where the problem's minimum is expected
let sides: usize = 0; // of the corner: > 0 for the upper end of a variable, < 0 for the lower
let keptSides: usize = 0; // those behind the last bound > 0, for whoever wants to prove it again
let keptShare: f64 = 0; // with what theta, 0 for none
let keptOutside: f64 = 0; // 1 when columns that are not touched moved too
let work: usize = 0;

/** Float64 entries of work memory for a machine of n rows of `columns` packed columns. */
export function curvatureEntries(n: i32, columns: i32): i32 {
  const wide = wideOf(columns);
  const vectors = 11 * wide + problemEntries(wide) + activeEntries(columns);
  return 6 * n + vectors + columns * columns + wide * wide + semidefiniteEntries(wide, wide);
}

/** Entries of a vector over the columns, or over the problem's variables. */
function wideOf(columns: i32): i32 {
  return (columns + 8) & ~3;
}

/** Places all arrays in `space` and takes the kind of ball; returns what is left. */
function layOut(space: usize, n: i32, columns: i32, kind: i32, domainTop: f64): usize {
  const bytes = <usize>n << 3;
  const wide = <usize>wideOf(columns) << 3;
  weights = space;
  lengths = weights + bytes;
  cosines = lengths + bytes;
  spreads = cosines + bytes;
  misses = spreads + bytes;
  const vectors = misses + 2 * bytes;
  openRegion(kind, domainTop, vectors, vectors + wide, vectors + 2 * wide, vectors + 3 * wide);
  corner = vectors + 4 * wide;
  touching = corner + wide;
  tilt = touching + wide;
  guess = tilt + wide;
  sides = guess + 2 * wide;
  keptSides = sides + wide;
  outer = keptSides + wide;
  return outer + ((<usize>columns * columns) << 3);
}

/** Prepares bounds of sign * (sum_i alpha_i Theta(x, x_i) + bias) around input `index`; sign is +1 or -1. */
export function curvatureStart(
  kernel: usize, inputs: usize, index: i32, set: usize, coefficients: usize, offset: f64, sign: f64, kind: i32,
  domainTop: f64, space: usize,
): void {
  rows = field(set, ROWS_N);
  bias = sign * offset;
  lastReach = 0;
  keptShare = 0;
  theta = THETA;
  decided = false;
  const columns = packedColumns(set);
  const rest = layOut(space, rows, columns, kind, domainTop);
  const c = twoLayerScale(kernel, set);
  // Inner products of 8-bit rows are exact; what is left are the roundings of roots and quotients.
  const exact = field(inputs, ROWS_FORMAT) == FORMAT_U8;
  setCentre(load<f64>(pointerField(inputs, ROWS_NORMS) + (<usize>index << 3)), exact ? 0 : <f64>field(inputs, ROWS_D) + 16);
  const dotError = (exact ? 4 : squareUlps) * UNIT;
  dotRow(inputs, index, set, 0, rows, cosines);
  for (let i = 0; i < rows; ++i) {
    const at = <usize>i << 3;
    const length = Math.sqrt(load<f64>(pointerField(set, ROWS_NORMS) + at));
    const weight = sign * load<f64>(coefficients + at) * (c * length);
    store<f64>(weights + at, weight);
    store<f64>(lengths + at, length);
    if (weight == 0 || startNorm == 0) continue;
    const t = load<f64>(cosines + at) / length;
    const u = Math.max(EDGE - 1, Math.min(1 - EDGE, t / startNorm));
    store<f64>(cosines + at, u);
    store<f64>(misses + at, Math.abs(t - u * startNorm) + (dotError + 16 * UNIT) * startNorm);
    store<f64>(spreads + at, spreadOf(set, i, inputs, index, 1 / length, u / startNorm, norm));
  }
  activate(set, weights, inputs, index, rest);
  compress(inputs, index, start);
  memory.copy(corner, start, <usize>compressed << 3);
  const count = touchedColumns(places);
  const free = movable < field(inputs, ROWS_D) ? touchedBefore(movable) : count;
  setColumns(count, free, <f64>(movable - free));
  work = openProblem(rest + (<usize>activeEntries(columns) << 3), wideOf(columns));
}

/** ||v||^2 of a compressed vector. */
function squareOf(vector: usize): f64 {
  let sum: f64 = 0;
  for (let k: usize = 0; k < <usize>compressed << 3; k += 8) sum += load<f64>(vector + k) * load<f64>(vector + k);
  return sum;
}

/** Gradient of g at a compressed point, to `tilt`; `extra` is the point's squared length outside. Returns d g / d R. */
function gradientAt(at: usize, extra: f64): f64 {
  memory.fill(tilt, 0, <usize>compressed << 3);
  const own = Math.sqrt(squareOf(at) + extra);
  let radial: f64 = 0;
  for (let i = 0; i < rows; ++i) {
    const w = load<f64>(entry(weights, i));
    if (w == 0) continue;
    openRow(i);
    const length = load<f64>(entry(lengths, i));
    const u = Math.max(EDGE - 1, Math.min(1 - EDGE, rowDot(at) / (length * own)));
    const slope = hPrime(u);
    radial += w * (h(u) - u * slope);
    rowAddTo(tilt, (w * slope) / length);
  }
  for (let k: usize = 0; k < <usize>compressed << 3; k += 8)
    store<f64>(tilt + k, load<f64>(tilt + k) + (radial / own) * load<f64>(at + k));
  return radial;
}

/** Moves to the corner that the gradient points at, until it stays; the corner's squared length outside. */
function findCorner(): f64 {
  let extra: f64 = 0;
  for (let step = 0; step < CORNER_STEPS; ++step) {
    const radial = gradientAt(corner, extra);
    extra = radial < 0 ? untouchedSquare() : 0;
    let changed = 0;
    for (let k = 0; k < q - 1; ++k) {
      const half = load<f64>(entry(halves, k));
      const side: f64 = load<f64>(activeEntry(tilt, k)) > 0 ? -1 : 1;
      const next = load<f64>(activeEntry(start, k)) + half * (load<f64>(entry(centres, k)) + side);
      store<f64>(entry(sides, k), side);
      const to = activeEntry(corner, k);
      if (load<f64>(to) != next) ++changed;
      store<f64>(to, next);
    }
    if (changed == 0) break;
  }
  return extra;
}

/** Moves to the point of the sphere that the gradient points at. */
function findPole(reach: f64): void {
  for (let step = 0; step < CORNER_STEPS; ++step) {
    gradientAt(corner, 0);
    let square: f64 = 0;
    for (let k = 0; k < moving; ++k) square += load<f64>(activeEntry(tilt, k)) * load<f64>(activeEntry(tilt, k));
    const scale = square > 0 ? reach / Math.sqrt(square) : 0;
    for (let k = 0; k < moving; ++k)
      store<f64>(activeEntry(corner, k), load<f64>(activeEntry(start, k)) - scale * load<f64>(activeEntry(tilt, k)));
  }
}

// The form, left by gatherForm(): A, and sum of |w_i| times the parabolas' sizes.
let square: f64 = 0;
let sizes: f64 = 0;

/** Sums the parabolas that touch h at the cosines of `touching`, whose length is `along`. */
function gatherForm(reach: f64, along: f64): void {
  memory.fill(tilt, 0, <usize>compressed << 3);
  memory.fill(outer, 0, (<usize>compressed * compressed) << 3);
  square = 0;
  sizes = 0;
  const inverse = above(1 / shortest, 4);
  for (let i = 0; i < rows; ++i) {
    const w = load<f64>(entry(weights, i));
    if (w == 0) continue;
    openRow(i);
    const length = load<f64>(entry(lengths, i));
    const u = load<f64>(entry(cosines, i));
    const side = above(load<f64>(entry(spreads, i)) * reach, 4) + load<f64>(entry(misses, i));
    const down = above(side + Math.max(0, u) * drift, 4) * inverse;
    const up = above(side + Math.max(0, -u) * drift, 4) * inverse;
    const from = Math.max(-1, u - down - 4 * UNIT * (1 + down));
    const to = Math.min(1, u + up + 4 * UNIT * (1 + up));
    touch(rowDot(touching) / (length * along), from, to, w < 0);
    square += w * alpha;
    sizes += Math.abs(w) * crossing;
    rowAddTo(tilt, (w * beta) / length);
    rowOuter(outer, (w * gamma) / (length * length));
  }
}

function leastOnCube(): f64 {
  startFrom(guess);
  relax();
  return provedMinimum();
}

// Multipliers of the last l2 ball, and its radius: they are about as large as its square.
let lastReach: f64 = 0;
let ballBefore: f64 = 0;
let tauBefore: f64 = 0;

function leastOnBall(reach: f64, mu: f64): f64 {
  memory.copy(point, guess, <usize>q << 3);
  // Columns that are not touched share the ball: with 2 mu h^2 + lambda >= 0 they cost nothing.
  const half = reach * (1 + 16 * UNIT);
  const floor = mu < 0 && untouched > 0 ? above(-2 * mu * half * half, 8) : 0;
  const ratio = lastReach > 0 ? reach / lastReach : 0;
  const least = ballMinimum(floor, ballBefore * ratio * ratio, tauBefore * ratio * ratio);
  lastReach = reach;
  ballBefore = ballShift;
  tauBefore = lastShift;
  return least;
}

/** One attempt with the parabolas touching at x0 + share (corner - x0). */
function attempt(reach: f64, share: f64, extra: f64): f64 {
  for (let k: usize = 0; k < <usize>compressed << 3; k += 8) {
    const x = load<f64>(start + k);
    store<f64>(touching + k, x + share * (load<f64>(corner + k) - x));
  }
  const length = Math.sqrt(squareOf(touching) + share * share * extra);
  gatherForm(reach, length);
  let along: f64 = 0;
  for (let k: usize = 0; k < <usize>compressed << 3; k += 8) along += load<f64>(tilt + k) * load<f64>(touching + k);
  // With this mu the form does not change with R at the touching point.
  const mu = (2 * square * length + along + bias) / (2 * length);
  buildProblem(mu, square, tilt, outer, bias);
  for (let k = 0; k < q - 1; ++k) {
    const moved = load<f64>(activeEntry(corner, k)) - load<f64>(activeEntry(start, k));
    store<f64>(entry(guess, k), moved / load<f64>(entry(halves, k)) - load<f64>(entry(centres, k)));
  }
  store<f64>(entry(guess, q - 1), 0);
  setProblem(q, pitch, matrix, linear, work);
  const rest = norm == NORM_INF && mu < 0 ? mu * untouchedSquare() : 0;
  const least = norm == NORM_INF ? leastOnCube() : leastOnBall(reach, mu);
  // The form's own numbers: sums over rows, and the parabolas' crossings.
  const formError = above((<f64>rows + 120 + 4 * squareUlps) * UNIT * 2 * sizes * longest * longest, 200);
  const buildError = (4 * <f64>q + 160) * UNIT * (size + Math.abs(rest) + Math.abs(mu) * squareUlps * startSquare);
  const bound = constant + least + rest - formError - buildError;
  if (!(bound > -Infinity)) return -Infinity;
  return bound >= 0 ? (bound / longest) * (1 - 4 * UNIT) : (bound / shortest) * (1 + 4 * UNIT);
}

/** Lower bound of sign * g on the ball of radius `reach` > 0 (raw units), for l-inf within the domain. */
export function curvatureLower(reach: f64): f64 {
  if (startNorm == 0) return -Infinity;
  setRegion(reach);
  if (!(shortest > 0)) return -Infinity;
  let extra: f64 = 0;
  if (norm == NORM_INF) extra = findCorner();
  else findPole(reach);
  const bound = attempt(reach, theta, extra);
  if (bound > 0) keep(theta, extra);
  if (bound > 0 || decided) return bound;
  // The first failure decides which point of touch serves this input.
  decided = true;
  const other = attempt(reach, OTHER_THETA, extra);
  if (other > bound) theta = OTHER_THETA;
  if (other > 0) keep(OTHER_THETA, extra);
  return Math.max(bound, other);
}

/** Remembers where the parabolas touched. */
function keep(share: f64, extra: f64): void {
  if (norm != NORM_INF) return;
  keptShare = share;
  keptOutside = extra > 0 ? 1 : 0;
  memory.copy(keptSides, sides, <usize>(q - 1) << 3);
}

/** Nothing is remembered any more: a larger ball was proved otherwise. */
export function curvatureForget(): void {
  keptShare = 0;
}

/** Writes where the parabolas touched that the last bound > 0 came from, a record of TOUCHING_*. */
export function writeTouching(to: usize): void {
  store<f64>(to, keptShare, TOUCHING_SHARE);
  store<f64>(to, keptOutside, TOUCHING_OUTSIDE);
  if (keptShare > 0) spreadSides(keptSides, to + TOUCHING_SIDES);
}
