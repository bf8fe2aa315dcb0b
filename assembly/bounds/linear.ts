// Bounds of a two-layer NTK machine by one linear relaxation, added up before the worst input is chosen: on balls of
// the l-inf, l2 and l1 norm, in all of R^d or, for l-inf, inside the image domain. Rounded outward.
//
// In raw units g(x) = sum_i w_i psi(t_i, r), t_i = <x, x_i> / R_i, r = ||x||, psi(t, r) = r h(t / r), h convex. For any
// point a_i in (-1, 1) with slopes p_i = h'(a_i), q_i = h(a_i) - a_i p_i the plane p_i t + q_i r lies below psi, so
//   w_i > 0:  psi >= p_i t + q_i r
//   w_i < 0:  psi <= p_i t + q_i r + G_i,  G_i = max over the ball of r (h(a_i + s/r) - h(a_i)) - p_i s,  s = t - a_i r.
// The planes add up to <x, V> + B r, and r is at least <x, x0> / r0 and at most that plus ||D||^2 / (2 r0), x = x0 + D:
//   g(x) >= sum_i w_i (p_i t_i0 + q_i r0) - delta ||V + B x0 / r0||_* - [B < 0] |B| max ||D||^2 / (2 r0) - sum |w_i| G_i.
// Moving along x0 changes no angle, so s ranges over +- delta ||x_i / R_i - a_i x0 / r0||_* and the norm's second-order
// term only. The bracket of G_i is convex in s and falls with r: its maximum is at an end of s and the smallest r, or
// where u reaches +-1. a_i is the computed cosine: any a_i is sound, so its rounding needs no care.
// Not here: the paper's interval bound (interval.ts) and the search for a radius.
import {
  BLOCK,
  FORMAT_U8,
  ROWS_BLOCKS,
  ROWS_COUNTS,
  ROWS_D,
  ROWS_DATA,
  ROWS_FORMAT,
  ROWS_N,
  ROWS_NORMS,
  ROWS_STRIDE,
  NORM_1,
  NORM_2,
  NORM_INF,
} from "../layout";
import { dotRow } from "../kernel/dot";
import { twoLayerScale } from "../kernel/row";
import { h, hPrime, TWO_PI } from "../math/elementary";
import { gap, GAP_ZERO_HIGH } from "../math/polynomials";
import { field, pointerField } from "../memory";
import { above, sumError, UNIT } from "../rounding";
import { packedColumns } from "./active";
import { movable } from "./movable";
import { spreadOf } from "./spread";

/** Relative error of one term, in units of roundoff: weight 10, h and h' 8 each, products and quotients; rest spare. */
const TERM_ULPS: f64 = 64;

/** Points nearer to +-1 than this are moved there: slopes stay finite, and any point is sound. */
const EDGE: f64 = 1e-6;

// What start() leaves for the evaluations, one set a thread.
let rows: i32 = 0;
let d: i32 = 0;
let norm: i32 = NORM_INF;
let negative: i32 = 0; // terms with w < 0, gathered at the front of the arrays below
let weights: usize = 0; // |w_i|
let points: usize = 0; // a_i
let spreads: usize = 0; // ||x_i / R_i - a_i x0 / r0||_*, rounded up
let slopes: usize = 0; // p_i
let levels: usize = 0; // h(a_i)
let offsets: usize = 0; // |t_i0 - a_i r0| with its rounding: what s_i may already be at x0
let gradient: usize = 0; // V + B x0 / r0, one entry a packed column
let start: usize = 0; // x0, likewise
let top: f64 = Infinity; // largest raw entry inside the domain, Infinity without one
let startNorm: f64 = 0;
let centre: f64 = 0; // sum w_i (p_i t_i + q_i r0), computed
let centreError: f64 = 0;
let bend: f64 = 0; // max(0, -B), rounded up
let gradientError: f64 = 0; // of the dual norm of the gradient
let gradientNorm: f64 = 0;
let lengthSize: f64 = 0; // sum of |w_i| (|p_i| + |q_i|): what rounding of the planes costs for each unit of r

/** Float64 entries of work memory for a machine of n rows of `columns` packed columns. */
export function linearEntries(n: i32, columns: i32): i32 {
  return 7 * n + 2 * columns;
}

function layOut(work: usize, n: i32, columns: i32): void {
  const bytes = <usize>n << 3;
  weights = work;
  points = work + bytes;
  spreads = work + 2 * bytes;
  slopes = work + 3 * bytes;
  levels = work + 4 * bytes;
  offsets = work + 5 * bytes;
  gradient = work + 7 * bytes;
  start = gradient + (<usize>columns << 3);
}

/**
 * Prepares the bound of sign * (sum_i alpha_i Theta(x, x_i) + bias) around input `index`; sign is +1 or -1.
 */
export function linearStart(
  kernel: usize, inputs: usize, index: i32, machine: usize, alpha: usize, bias: f64, sign: f64, kind: i32, domainTop: f64,
  work: usize,
): void {
  rows = field(machine, ROWS_N);
  d = field(inputs, ROWS_D);
  norm = kind;
  top = domainTop;
  const columns = packedColumns(machine);
  layOut(work, rows, columns);
  const dots = work + (<usize>rows * 6 << 3);
  const c = twoLayerScale(kernel, machine);
  const square = load<f64>(pointerField(inputs, ROWS_NORMS) + (<usize>index << 3));
  startNorm = Math.sqrt(square);
  const exact = field(inputs, ROWS_FORMAT) == FORMAT_U8;
  const dotUlps: f64 = exact ? 4 : <f64>d + 16;
  const dotError = dotUlps * UNIT;
  dotRow(inputs, index, machine, 0, rows, dots);
  memory.fill(gradient, 0, <usize>columns << 3);
  negative = 0;
  let sum = sign * bias;
  let size = Math.abs(bias);
  let radial: f64 = 0;
  let radialSize: f64 = 0;
  let entrySize: f64 = 0;
  lengthSize = 0;
  for (let i = 0; i < rows; ++i) {
    const at = <usize>i << 3;
    const length = Math.sqrt(load<f64>(pointerField(machine, ROWS_NORMS) + at));
    const w = sign * load<f64>(alpha + at) * (c * length);
    if (w == 0) continue;
    const t = load<f64>(dots + at) / length;
    const a = startNorm > 0 ? Math.max(EDGE - 1, Math.min(1 - EDGE, t / startNorm)) : 0;
    const p = hPrime(a);
    const level = h(a);
    const q = level - a * p;
    sum += w * (p * t + q * startNorm);
    size += Math.abs(w) * (Math.abs(p) * (Math.abs(t) + (startNorm * dotUlps) / TERM_ULPS) + Math.abs(q) * startNorm);
    radial += w * q;
    radialSize += Math.abs(w * q) + Math.abs(w * a * p);
    lengthSize += Math.abs(w) * (Math.abs(p) + Math.abs(level) + Math.abs(a * p));
    entrySize += Math.abs(w * p);
    addRow(machine, i, (w * p) / length);
    if (w >= 0) continue;
    const offset = Math.abs(t - a * startNorm) + (dotError + 16 * UNIT) * startNorm;
    keepNegative(machine, i, -w, a, p, level, offset, inputs, index, length);
  }
  centre = sum;
  centreError = sumError(<f64>rows + 4 * dotUlps, TERM_ULPS, size);
  const radialError = sumError(<f64>rows + 4 * dotUlps, TERM_ULPS, radialSize);
  bend = Math.max(0, -radial) + radialError;
  for (let k = 0; k < columns; ++k) store<f64>(start + (<usize>k << 3), entry(inputs, index, k));
  finishGradient(radial, columns);
  // Each entry is a sum of at most `rows` terms; their absolute values add up, over all entries, to at most
  // sum |w p| ||x_i||_1 / R_i <= sqrt(d) sum |w p|, and one entry to sum |w p|.
  const spread = norm == NORM_INF ? Math.sqrt(<f64>d) : 1;
  gradientError = above(spread, 4) * (sumError(<f64>rows + 4 * dotUlps, TERM_ULPS, entrySize + Math.abs(radial)) + radialError);
  gradientNorm = dualNorm(gradient, min(columns, movable));
}

/** gradient += factor * row i of the machine. */
function addRow(machine: usize, i: i32, factor: f64): void {
  const stride = field(machine, ROWS_STRIDE);
  const row = pointerField(machine, ROWS_DATA) + <usize>i * stride;
  if (field(machine, ROWS_FORMAT) != FORMAT_U8) {
    for (let k: usize = 0; k < <usize>stride; k += 8)
      store<f64>(gradient + k, load<f64>(gradient + k) + factor * load<f64>(row + k));
    return;
  }
  const list = pointerField(machine, ROWS_BLOCKS) + <usize>i * (stride / BLOCK) * 2;
  const blocks = load<i32>(pointerField(machine, ROWS_COUNTS) + (<usize>i << 2));
  for (let b = 0; b < blocks; ++b) {
    const from = <usize>load<u16>(list + (<usize>b << 1)) * BLOCK;
    for (let k = from; k < from + BLOCK; ++k) {
      const to = gradient + (k << 3);
      store<f64>(to, load<f64>(to) + factor * <f64>load<u8>(row + k));
    }
  }
}

function finishGradient(radial: f64, columns: i32): void {
  if (startNorm == 0) return;
  const factor = radial / startNorm;
  for (let k: usize = 0; k < <usize>columns << 3; k += 8)
    store<f64>(gradient + k, load<f64>(gradient + k) + factor * load<f64>(start + k));
}

/** Raw entry k (in packed order) of a row. */
// @ts-ignore: decorator
@inline
function entry(set: usize, i: i32, k: i32): f64 {
  const row = pointerField(set, ROWS_DATA) + <usize>i * field(set, ROWS_STRIDE);
  if (field(set, ROWS_FORMAT) == FORMAT_U8) return <f64>load<u8>(row + k);
  return load<f64>(row + (<usize>k << 3));
}

/** Dual norm of a vector (l1 for l-inf balls, l2, l-inf for l1 balls), as computed. */
function dualNorm(vector: usize, count: i32): f64 {
  let sum: f64 = 0;
  for (let k: usize = 0; k < <usize>count << 3; k += 8) {
    const value = Math.abs(load<f64>(vector + k));
    if (norm == NORM_INF) sum += value;
    else if (norm == NORM_2) sum += value * value;
    else sum = Math.max(sum, value);
  }
  return norm == NORM_2 ? Math.sqrt(sum) : sum;
}

function keepNegative(
  machine: usize, i: i32, w: f64, a: f64, p: f64, level: f64, offset: f64, inputs: usize, index: i32, length: f64,
): void {
  const to = <usize>negative << 3;
  store<f64>(weights + to, w);
  store<f64>(points + to, a);
  store<f64>(slopes + to, p);
  store<f64>(levels + to, level);
  store<f64>(offsets + to, offset);
  store<f64>(spreads + to, spreadOf(machine, i, inputs, index, 1 / length, startNorm > 0 ? a / startNorm : 0, norm));
  ++negative;
}

// The part of a box inside the domain: what the gradient can spend there, and the largest ||D||_2^2, both rounded up.
let boxSpent: f64 = 0;
let boxSquare: f64 = 0;

function measureBox(reach: f64): void {
  let spent: f64 = 0;
  let square: f64 = 0;
  for (let k = 0; k < movable; ++k) {
    const x = load<f64>(start + (<usize>k << 3));
    const slope = load<f64>(gradient + (<usize>k << 3));
    const down = Math.min(reach, Math.max(0, x));
    const up = Math.min(reach, Math.max(0, top - x));
    spent += Math.max(slope * down, -slope * up);
    square += Math.max(down * down, up * up);
  }
  boxSpent = above(spent, <f64>d + 24);
  boxSquare = above(square, <f64>d + 24);
}

/** Lower bound of sign * g on the ball of radius `reach` (raw units). */
export function linearLower(reach: f64): f64 {
  const dimension = <f64>movable;
  const inDomain = norm == NORM_INF && top < Infinity;
  if (inDomain) measureBox(reach);
  const square = inDomain ? boxSquare : (norm == NORM_INF ? dimension : 1) * reach * reach;
  const drift = inDomain ? above(Math.sqrt(square), 2) : norm == NORM_INF ? above(Math.sqrt(dimension), 2) * reach : reach;
  const shortest = Math.max(0, startNorm - drift - 8 * UNIT * (startNorm + drift));
  const longest = above(startNorm + drift, 8);
  if (shortest <= 0) return reach == 0 ? centre - centreError : -Infinity;
  const second = above(square / (2 * startNorm), 16);
  const spent = (inDomain ? boxSpent : above(gradientNorm, dimension + 16) * reach) + gradientError * reach;
  const gaps = gapSum(reach, second, shortest);
  const planes = sumError(4, TERM_ULPS, lengthSize * longest);
  const cost = above(spent + bend * second + gaps + planes + centreError, 32);
  return centre - cost - Math.abs(centre) * 4 * UNIT;
}

/** Sum of |w_i| G_i over the negative terms, rounded up. */
function gapSum(reach: f64, second: f64, shortest: f64): f64 {
  let sum: f64 = 0;
  let size: f64 = 0;
  const inverse = 1 / shortest;
  for (let i = 0; i < negative; ++i) {
    const at = <usize>i << 3;
    const a = load<f64>(points + at);
    const reachOf = above(load<f64>(spreads + at) * reach, 4) + load<f64>(offsets + at);
    const curve = Math.abs(a) * second;
    const high = reachOf + (a < 0 ? curve : 0);
    const low = -(reachOf + (a > 0 ? curve : 0));
    const p = load<f64>(slopes + at);
    const level = load<f64>(levels + at);
    const w = load<f64>(weights + at);
    const gap = Math.max(bracket(a, p, level, high, shortest, inverse), bracket(a, p, level, low, shortest, inverse));
    sum += w * gap;
    size += w * (shortest * (2 * TWO_PI + Math.abs(p)) + Math.abs(p) * (high - low));
    if (a + high * inverse >= 1 || a + low * inverse <= -1) size += (w * TWO_PI * (high - low)) / (1 - Math.abs(a));
  }
  return sum + sumError(<f64>negative, TERM_ULPS, size);
}

/** r (h(a + s/r) - h(a)) - p s at the smallest r, or on the ray u = +-1 where s reaches it. */
// @ts-ignore: decorator
@inline
function bracket(a: f64, p: f64, level: f64, s: f64, shortest: f64, inverse: f64): f64 {
  const u = a + s * inverse;
  if (u >= 1) return (s / (1 - a)) * (TWO_PI - level) - p * s;
  if (u <= -1) return (s / (-1 - a)) * (0 - level) - p * s;
  return shortest * (hFast(u) - level) - p * s;
}

/** h without compensation: relative error below 8 units of roundoff away from its zero, absolute below 8 UNIT there. */
// @ts-ignore: decorator
@inline
function hFast(u: f64): f64 {
  const w = Math.abs(u);
  const t = 0.5 * (1 - w);
  return TWO_PI * Math.max(u, 0) + Math.sqrt(t) * (GAP_ZERO_HIGH - w) * gap(t);
}
