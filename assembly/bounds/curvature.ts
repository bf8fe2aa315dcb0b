// Bounds of a two-layer NTK machine by one quadratic form, minimised over the whole box at once. Rounded outward.
//
// In raw units g(x) = sum_i w_i R h(u_i) + b, R = ||x||, u_i = <x, x_i> / (R R_i). On the box each u_i has a range, and on
// it h lies above (w_i > 0) or below (w_i < 0) a parabola alpha_i + beta_i u + gamma_i u^2 / 2 (parabola.ts), so
//   R g(x) >= A R^2 + R <B, x> + <x, C x> / 2 + b R,
//   A = sum w alpha,  B = sum w beta x_i / R_i,  C = sum w gamma x_i x_i' / R_i^2:
// a quadratic form of (x, R), in which curvatures of opposite sign have cancelled before anything is bounded. R is not
// free: R^2 = ||x||^2 adds mu (||x||^2 - R^2) = 0 for any mu, and with x = x0 + D
//   R = r0 + <x0, D> / r0 + s,   0 <= s <= ||D||^2 / (2 r0),
// so the form is one of (D, s) on a box, minimised with a proof by semidefinite.ts. The parabolas touch h where the
// worst input is expected: near the corner that gradient steps lead to. Where the minimum is a corner of the box and the
// parabolas touch there, nothing is lost at all.
// Not here: one linear relaxation (linear.ts), the paper's interval bound (interval.ts), the search for a radius.
import { FORMAT_U8, NORM_INF, ROWS_D, ROWS_FORMAT, ROWS_N, ROWS_NORMS } from "../layout";
import { dotRow } from "../kernel/dot";
import { twoLayerScale } from "../kernel/row";
import { h, hPrime } from "../math/elementary";
import { field, pointerField } from "../memory";
import { above, below, UNIT } from "../rounding";
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
  touchedBefore,
  touchedColumns,
} from "./active";
import { movable } from "./movable";
import { alpha, beta, crossing, EDGE, gamma, touch } from "./parabola";
import { provedMinimum, relax, semidefiniteEntries, setProblem, startFrom } from "./semidefinite";
import { spreadOf } from "./spread";

/** Where the parabolas touch h: at x0 + theta (corner - x0). The second suits machines whose signs cancel strongly. */
const THETA: f64 = 0.8;
const OTHER_THETA: f64 = 0.5;

/** Most steps from corner to corner in search of the worst one. */
const CORNER_STEPS: i32 = 5;

// The machine and input at hand, one set a thread.
let rows: i32 = 0;
let bias: f64 = 0;
let top: f64 = Infinity; // largest raw entry inside the domain, Infinity without one
let startNorm: f64 = 0;
let startSquare: f64 = 0;
let squareUlps: f64 = 0; // relative error of startSquare, in units of roundoff
let theta: f64 = THETA;
let decided: bool = false; // whether theta is settled
// Arrays over rows.
let weights: usize = 0; // sign alpha_i c R_i
let lengths: usize = 0; // R_i
let cosines: usize = 0; // u_i at x0, as computed: any number is sound
let spreads: usize = 0; // ||x_i / R_i - u_i x0 / r0||_1, rounded up
let misses: usize = 0; // |<x0, x_i> / R_i - u_i r0| with its rounding
// Arrays over the columns that are not zero everywhere ("active"): compressed vectors, see active.ts.
let start: usize = 0; // x0
let corner: usize = 0; // the corner found last
let touching: usize = 0; // x0 + theta (corner - x0)
let tilt: usize = 0; // B, and before that gradients
let outer: usize = 0; // C, blocks on and below the diagonal
let places: usize = 0; // int32: where column k of the problem stands in a compressed vector
let untouched: f64 = 0; // columns that may change and are zero in all rows and in x0
// The problem in scaled variables y: D_k = h_k (c_k + y_k); the last variable is s. q = active columns + 1.
let q: i32 = 0;
let moving: i32 = 0; // the first so many variables may change; the others are columns that stay
let pitch: i32 = 0;
let halves: usize = 0; // h
let centres: usize = 0; // c
let directions: usize = 0; // x0 / r0 as computed, 1 for s
let slopes: usize = 0; // gradient at D = 0, s = 0
let images: usize = 0; // C x0
let linear: usize = 0; // gradient at the centre, scaled
let guess: usize = 0; // where the minimum is expected
let matrix: usize = 0;
let work: usize = 0;

/** Float64 entries of work memory for a machine of n rows of `columns` packed columns. */
export function curvatureEntries(n: i32, columns: i32): i32 {
  const wide = (columns + 8) & ~3;
  return 6 * n + 13 * wide + activeEntries(columns) + columns * columns + wide * wide + semidefiniteEntries(wide, wide);
}

function layOut(space: usize, n: i32, columns: i32): usize {
  const bytes = <usize>n << 3;
  const wide = <usize>((columns + 8) & ~3) << 3;
  weights = space;
  lengths = weights + bytes;
  cosines = lengths + bytes;
  spreads = cosines + bytes;
  misses = spreads + bytes;
  start = misses + 2 * bytes;
  corner = start + wide;
  touching = corner + wide;
  tilt = touching + wide;
  places = tilt + wide;
  halves = places + wide;
  centres = halves + wide;
  directions = centres + wide;
  slopes = directions + wide;
  images = slopes + wide;
  guess = images + wide;
  outer = guess + 2 * wide;
  return outer + ((<usize>columns * columns) << 3);
}

/** Prepares bounds of sign * (sum_i alpha_i Theta(x, x_i) + bias) around input `index`; sign is +1 or -1. */
export function curvatureStart(
  kernel: usize, inputs: usize, index: i32, set: usize, coefficients: usize, offset: f64, sign: f64, domainTop: f64,
  space: usize,
): void {
  rows = field(set, ROWS_N);
  bias = sign * offset;
  top = domainTop;
  theta = THETA;
  decided = false;
  const columns = packedColumns(set);
  const rest = layOut(space, rows, columns);
  startSquare = load<f64>(pointerField(inputs, ROWS_NORMS) + (<usize>index << 3));
  startNorm = Math.sqrt(startSquare);
  const c = twoLayerScale(kernel, set);
  // Inner products of 8-bit rows are exact; what is left are the roundings of roots and quotients.
  const exact = field(inputs, ROWS_FORMAT) == FORMAT_U8;
  squareUlps = exact ? 0 : <f64>field(inputs, ROWS_D) + 16;
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
    store<f64>(spreads + at, spreadOf(set, i, inputs, index, 1 / length, u / startNorm, NORM_INF));
  }
  activate(set, weights, inputs, index, rest);
  compress(inputs, index, start);
  memory.copy(corner, start, <usize>compressed << 3);
  const count = touchedColumns(places);
  moving = movable < field(inputs, ROWS_D) ? touchedBefore(movable) : count;
  untouched = <f64>(movable - moving);
  q = count + 1;
  pitch = (q + 3) & ~3;
  matrix = rest + (<usize>activeEntries(columns) << 3);
  linear = matrix + ((<usize>pitch * q) << 3);
  work = linear + (<usize>pitch << 3);
  for (let k = 0; k < q - 1; ++k) store<f64>(entry(directions, k), load<f64>(activeEntry(start, k)) / startNorm);
  store<f64>(entry(directions, q - 1), 1);
}

// @ts-ignore: decorator
@inline
function entry(list: usize, k: i32): usize {
  return list + (<usize>k << 3);
}

/** Entry of a compressed vector that belongs to variable k. */
// @ts-ignore: decorator
@inline
function activeEntry(list: usize, k: i32): usize {
  return list + (<usize>load<i32>(places + (<usize>k << 2)) << 3);
}

// The box at hand, left by setBox(), all rounded outward.
let low: f64 = 0; // ends of D for a column that is not touched
let high: f64 = 0;
let shortest: f64 = 0; // R is in [shortest, longest]
let longest: f64 = 0;
let drift: f64 = 0; // R - <x, x0> / r0 is in [0, drift]
let blur: f64 = 0; // and what rounding of x0 / r0 adds on both sides

function setBox(reach: f64): void {
  let moved: f64 = 0;
  let least: f64 = 0;
  let most: f64 = 0;
  low = top < Infinity ? 0 : -reach;
  high = Math.min(reach, top);
  for (let k = 0; k < q - 1; ++k) {
    const a = load<f64>(activeEntry(start, k));
    const allowed = k < moving ? reach : 0;
    const down = top < Infinity ? Math.min(allowed, Math.max(0, a)) : allowed;
    const up = top < Infinity ? Math.min(allowed, Math.max(0, top - a)) : allowed;
    // Wider by a few roundings, so that c h - h and c h + h, exact, reach the ends.
    const half = 0.5 * (up + down) * (1 + 16 * UNIT) + 1e-290;
    store<f64>(entry(halves, k), half);
    store<f64>(entry(centres, k), (0.5 * (up - down)) / half);
    const far = Math.max(up, down);
    const near = Math.max(0, Math.max(a - down, -a - up));
    const end = Math.max(Math.abs(a - down), Math.abs(a + up));
    moved += far * far;
    least += near * near;
    most += end * end;
  }
  const other = Math.max(high, -low);
  const roundings = <f64>q + 16;
  moved = above(moved + untouched * other * other, roundings);
  shortest = below(Math.sqrt(below(least, roundings)), 4);
  longest = above(Math.sqrt(above(most + untouched * other * other, roundings)), 4);
  drift = above(moved / (2 * startNorm), 8 + squareUlps) + 4 * UNIT * startNorm;
  blur = (8 + squareUlps) * UNIT * (startNorm + above(Math.sqrt(moved), 4));
  // The last variable is R - r0 - <x0 / r0, D> as computed.
  const half = 0.5 * (drift + 2 * blur) * (1 + 16 * UNIT);
  store<f64>(entry(halves, q - 1), half);
  store<f64>(entry(centres, q - 1), (0.5 * drift) / half);
}

/** ||v||^2 of a compressed vector. */
function squareOf(vector: usize): f64 {
  let sum: f64 = 0;
  for (let k: usize = 0; k < <usize>compressed << 3; k += 8) sum += load<f64>(vector + k) * load<f64>(vector + k);
  return sum;
}

/** Gradient of g at a compressed point, to `tilt`; `extra` is the point's squared length outside. Returns d g / d R. */
function gradientAt(point: usize, extra: f64): f64 {
  memory.fill(tilt, 0, <usize>compressed << 3);
  const norm = Math.sqrt(squareOf(point) + extra);
  let radial: f64 = 0;
  for (let i = 0; i < rows; ++i) {
    const w = load<f64>(entry(weights, i));
    if (w == 0) continue;
    openRow(i);
    const length = load<f64>(entry(lengths, i));
    const u = Math.max(EDGE - 1, Math.min(1 - EDGE, rowDot(point) / (length * norm)));
    const slope = hPrime(u);
    radial += w * (h(u) - u * slope);
    rowAddTo(tilt, (w * slope) / length);
  }
  for (let k: usize = 0; k < <usize>compressed << 3; k += 8)
    store<f64>(tilt + k, load<f64>(tilt + k) + (radial / norm) * load<f64>(point + k));
  return radial;
}

/** Moves to the corner that the gradient points at, until it stays; the corner's squared length outside. */
function findCorner(reach: f64): f64 {
  let extra: f64 = 0;
  for (let step = 0; step < CORNER_STEPS; ++step) {
    const radial = gradientAt(corner, extra);
    const other = Math.max(high, -low);
    extra = radial < 0 ? untouched * other * other : 0;
    let changed = 0;
    for (let k = 0; k < q - 1; ++k) {
      const half = load<f64>(entry(halves, k));
      const side: f64 = load<f64>(activeEntry(tilt, k)) > 0 ? -1 : 1;
      const next = load<f64>(activeEntry(start, k)) + half * (load<f64>(entry(centres, k)) + side);
      const to = activeEntry(corner, k);
      if (load<f64>(to) != next) ++changed;
      store<f64>(to, next);
    }
    if (changed == 0) break;
  }
  return extra;
}

// The form, left by gatherForm(): A, and sum of |w_i| times the parabolas' sizes.
let square: f64 = 0;
let sizes: f64 = 0;

/** Sums the parabolas that touch h at the cosines of `touching`, whose length is `norm`. */
function gatherForm(reach: f64, norm: f64): void {
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
    touch(rowDot(touching) / (length * norm), from, to, w < 0);
    square += w * alpha;
    sizes += Math.abs(w) * crossing;
    rowAddTo(tilt, (w * beta) / length);
    rowOuter(outer, (w * gamma) / (length * length));
  }
}

/** Entry (k, l) of C, l <= k in the order of variables. */
// @ts-ignore: decorator
@inline
function curvatureEntry(k: i32, l: i32): f64 {
  const row = <usize>load<i32>(places + (<usize>k << 2)) * compressed;
  return load<f64>(outer + ((row + load<i32>(places + (<usize>l << 2))) << 3));
}

let constant: f64 = 0; // value at the centre
let size: f64 = 0; // of everything that went into the problem

/**
 * The form in scaled variables: fills matrix and linear, `constant` and `size`. Every number stored is a sum of
 * products whose absolute values `size` adds up, over the whole box; sums have at most 2 q + 80 roundings.
 */
function buildProblem(mu: f64): void {
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

/** One attempt with the parabolas touching at x0 + share (corner - x0). */
function attempt(reach: f64, share: f64, extra: f64): f64 {
  for (let k: usize = 0; k < <usize>compressed << 3; k += 8) {
    const x = load<f64>(start + k);
    store<f64>(touching + k, x + share * (load<f64>(corner + k) - x));
  }
  const norm = Math.sqrt(squareOf(touching) + share * share * extra);
  gatherForm(reach, norm);
  let along: f64 = 0;
  for (let k: usize = 0; k < <usize>compressed << 3; k += 8) along += load<f64>(tilt + k) * load<f64>(touching + k);
  // With this mu the form does not change with R at the touching point.
  const mu = (2 * square * norm + along + bias) / (2 * norm);
  buildProblem(mu);
  for (let k = 0; k < q - 1; ++k) {
    const moved = load<f64>(activeEntry(corner, k)) - load<f64>(activeEntry(start, k));
    store<f64>(entry(guess, k), moved / load<f64>(entry(halves, k)) - load<f64>(entry(centres, k)));
  }
  store<f64>(entry(guess, q - 1), 0);
  setProblem(q, pitch, matrix, linear, work);
  startFrom(guess);
  relax();
  const least = provedMinimum();
  const other = Math.max(high, -low);
  const rest = mu < 0 ? mu * untouched * other * other : 0;
  // The form's own numbers: sums over rows, and the parabolas' crossings.
  const formError = above((<f64>rows + 120 + 4 * squareUlps) * UNIT * 2 * sizes * longest * longest, 200);
  const buildError = (4 * <f64>q + 160) * UNIT * (size + Math.abs(rest) + Math.abs(mu) * squareUlps * startSquare);
  const bound = constant + least + rest - formError - buildError;
  if (!(bound > -Infinity)) return -Infinity;
  return bound >= 0 ? (bound / longest) * (1 - 4 * UNIT) : (bound / shortest) * (1 + 4 * UNIT);
}

/** Lower bound of sign * g on the l-inf ball of radius `reach` > 0 (raw units) within the domain. */
export function curvatureLower(reach: f64): f64 {
  if (startNorm == 0) return -Infinity;
  setBox(reach);
  if (!(shortest > 0)) return -Infinity;
  const extra = findCorner(reach);
  const bound = attempt(reach, theta, extra);
  if (bound > 0 || decided) return bound;
  // The first failure decides which point of touch serves this input.
  decided = true;
  const other = attempt(reach, OTHER_THETA, extra);
  if (other > bound) theta = OTHER_THETA;
  return Math.max(bound, other);
}
