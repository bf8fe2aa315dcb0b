// The paper's interval bound (Theorem 4.2) of a two-layer NTK machine on an l-infinity ball, rounded outward.
//
// In raw units let r = ||x||, R_i = ||x_i||, t_i = <x0, x_i> / R_i, e = sqrt(d) delta. On the ball
//   r in [max(r0 - e, 0), r0 + e],   <x, x_i> / R_i in [t_i - e, t_i + e],   Theta = c R_i r h(u),
// and u lies between the quotients of those ends, clamped to [-1, 1] on both sides. Each term takes its own worst end.
// The term needs h at one end of u only, unless u reaches below the zero of h; there the general form is used.
// With p_i = r0 - t_i >= 0, computed without cancellation from exact integers, 1 - u is (p_i + 2e) / (r0 + e) at the
// lower end and (p_i - 2e) / (r0 - e) at the upper end, so nothing is lost for nearly parallel rows.
// Not here: the search for a radius (certify.ts).
import { FORMAT_U8, INTERVAL_GROUP, ROWS_D, ROWS_FORMAT, ROWS_N, ROWS_NORMS } from "../layout";
import { dotRow } from "../kernel/dot";
import { twoLayerRow, twoLayerScale } from "../kernel/row";
import { h, TWO_PI } from "../math/elementary";
import {
  gap,
  gapx2,
  GAP_ZERO_HIGH,
  H_MINIMUM_BELOW,
  SHORT_GAP_ULPS,
  shortGap,
  shortGapx2,
  SLOPE_ZERO_HIGH,
} from "../math/polynomials";
import { field, pointerField } from "../memory";
import { above, below, sumError, UNIT } from "../rounding";
import { movable } from "./movable";

/** Columns up to which squares of 8-bit inner products, (65025 d)^2, stay below 2^63. */
const EXACT_COLUMNS: i32 = 46705;

/** Relative error of one computed term, in units of roundoff: weight 10, h 16, products 3, rest spare. */
const TERM_ULPS: f64 = 32;

/**
 * From so many rows on h takes the short polynomial: the rounding of their sum is allowed about as much as its error. Its
 * part of h(u) is no larger than h(u) itself for u >= 0, so its relative error is one of the term.
 */
const MANY_ROWS: i32 = 4096;

// The ball and the machine at hand, one set a thread, so that the loops below stay free of loads.
let rows: i32 = 0;
let many: bool = false; // whether these are MANY_ROWS
let tAt: usize = 0; // t_i
let pAt: usize = 0; // p_i, rounded down where the weight is negative
let wAt: usize = 0; // sign alpha_i c R_i
let startNorm: f64 = 0; // r0
let slack: f64 = 0; // absolute error of t_i and p_i
let root: f64 = 0; // sqrt(d) of the entries that may change, rounded up
let offset: f64 = 0; // sign * bias
let values: usize = 0; // Theta(x0, x_i), rounded to nearest
let coefficients: usize = 0; // alpha_i

/** Sum of |terms| in the last evaluation; with sumError it bounds the rounding error. */
let size: f64 = 0;

/** Rows whose inner products with a group of inputs are made while they are in the nearest cache. */
const NEAR_ROWS: i32 = 64;

/** Float64 entries of work memory for a machine of n rows: t, p, weights, and inner products of a group of inputs. */
export function intervalEntries(n: i32): i32 {
  return (3 + INTERVAL_GROUP) * n;
}

/** Inner products of inputs [from, from + count), at most INTERVAL_GROUP, with all rows. */
export function intervalProducts(inputs: usize, from: i32, count: i32, machine: usize, work: usize): void {
  const n = field(machine, ROWS_N);
  for (let row = 0; row < n; row += NEAR_ROWS) {
    for (let k = 0; k < count; ++k)
      dotRow(inputs, from + k, machine, row, min(NEAR_ROWS, n - row), work + (<usize>((3 + k) * n + row) << 3));
  }
}

/**
 * Prepares terms of the machine sum_i alpha_i Theta(x, x_i) + bias at input `index` of `inputs`, number `which` of those
 * whose inner products intervalProducts() has left in `work`, intervalEntries(n) float64.
 */
export function intervalStart(
  kernel: usize, inputs: usize, index: i32, which: i32, machine: usize, alpha: usize, bias: f64, work: usize,
): void {
  const n = field(machine, ROWS_N);
  const bytes = <usize>n << 3;
  const dots = work + <usize>(3 + which) * bytes;
  const norms = pointerField(machine, ROWS_NORMS);
  const norm = load<f64>(pointerField(inputs, ROWS_NORMS) + (<usize>index << 3));
  const d = <f64>field(inputs, ROWS_D);
  const exact = field(inputs, ROWS_FORMAT) == FORMAT_U8 && field(inputs, ROWS_D) <= EXACT_COLUMNS;
  const c = twoLayerScale(kernel, machine);
  rows = n;
  many = n >= MANY_ROWS;
  tAt = work;
  pAt = work + bytes;
  wAt = work + 2 * bytes;
  startNorm = Math.sqrt(norm);
  // Exact integers leave only the roundings of square root and division; float64 sums add d of them.
  slack = exact ? 0 : (d + 16) * UNIT * startNorm;
  root = Math.sqrt(<f64>movable);
  if (root * root != <f64>movable) root = above(root, 1);
  offset = bias;
  values = dots;
  coefficients = alpha;
  for (let i: usize = 0; i < <usize>n; ++i) {
    const at = i << 3;
    const other = load<f64>(norms + at);
    const dot = load<f64>(dots + at);
    const length = Math.sqrt(other);
    const t = length > 0 ? dot / length : 0;
    store<f64>(tAt + at, t);
    store<f64>(pAt + at, length > 0 ? shortfall(norm, other, dot, length, t, exact) : 0);
    store<f64>(wAt + at, load<f64>(alpha + at) * (c * length));
  }
  twoLayerRow(c, norm, norms, n, dots);
}

/** p = r0 - t: from the exact integer N N' - D^2 where that fits 64 bits and the angle is below 90 degrees. */
// @ts-ignore: decorator
@inline
function shortfall(norm: f64, other: f64, dot: f64, length: f64, t: f64, exact: bool): f64 {
  if (!exact || dot <= 0) return Math.max(0, startNorm - t);
  const square = <f64>(<i64>norm * <i64>other - <i64>dot * <i64>dot);
  return square / (length * (startNorm * length + dot));
}

/** Settles that the bound is of sign * g. Where p counts for an upper end, it is made smaller by its own roundings. */
export function intervalOrient(sign: f64): void {
  offset *= sign;
  for (let at: usize = 0; at < <usize>rows << 3; at += 8) {
    const w = sign * load<f64>(wAt + at);
    store<f64>(wAt + at, w);
    if (w < 0) store<f64>(pAt + at, load<f64>(pAt + at) * (1 - 16 * UNIT));
  }
}

/** g(x0) rounded to nearest, with nothing widened. */
export function intervalCentre(): f64 {
  let sum: f64 = 0;
  for (let i: usize = 0; i < <usize>rows << 3; i += 8) sum += load<f64>(coefficients + i) * load<f64>(values + i);
  return sum + offset;
}

// Ends of the ball's ranges, set by setBall: r in [short, long], rounded outward.
let e: f64 = 0; // sqrt(d) delta, rounded up
let short: f64 = 0;
let shortAbove: f64 = 0; // r0 - e rounded up, for quotients that must come out small
let long: f64 = 0;
let edge: f64 = 0; // t above this: the angle stays below 90 degrees on the whole ball
let wide: f64 = 0; // 2e + slack, rounded up
let lowFactor: f64 = 0; // 1 / (r0 + e), rounded up
let highFactor: f64 = 0; // 1 / (r0 - e), rounded down
// (1 - u) / 2 is (p + wide) lowFactor / 2 at the lower end and (p - wide) highFactor / 2 at the upper one.

function setBall(reach: f64): void {
  e = above(reach * root, 4);
  const blur = (startNorm + e) * 4 * UNIT;
  short = Math.max(0, startNorm - e - blur);
  shortAbove = Math.max(0, startNorm - e) + blur;
  long = above(startNorm + e, 4);
  edge = short > 0 ? above(e + slack, 16) + 64 * UNIT * startNorm : Infinity;
  wide = above(2 * e + slack, 4);
  lowFactor = above(1 / Math.max(long, 1e-300), 40);
  highFactor = shortAbove > 0 ? below(1 / shortAbove, 40) : 0;
}

/**
 * A lower bound of g on the ball of radius reach = delta in raw units (>= 0): true of every real x of the ball and the
 * machine with exactly these coefficients. Of -g after intervalOrient(-1).
 */
export function intervalLower(reach: f64): f64 {
  setBall(reach);
  size = Math.abs(offset);
  const sum = pairsLower(<usize>rows & ~1) + (rows & 1 ? lastTerm() : 0);
  return sum + offset - sumError(<f64>rows + 1, many ? TERM_ULPS + SHORT_GAP_ULPS : TERM_ULPS, size);
}

function lastTerm(): f64 {
  const at = <usize>(rows - 1) << 3;
  return term(load<f64>(wAt + at), load<f64>(tAt + at), load<f64>(pAt + at));
}

/** Terms [0, count) two at a time, even and odd ones summed apart; the SIMD and the scalar form give the same bits. */
function pairsLower(count: usize): f64 {
  if (ASC_FEATURE_SIMD) return pairsLowerLanes(count);
  let even: f64 = 0;
  let odd: f64 = 0;
  let evenSize: f64 = 0;
  let oddSize: f64 = 0;
  let rest: f64 = 0;
  for (let at: usize = 0; at < count << 3; at += 16) {
    const t0 = load<f64>(tAt + at);
    const t1 = load<f64>(tAt + at, 8);
    const w0 = load<f64>(wAt + at);
    const w1 = load<f64>(wAt + at, 8);
    if (t0 >= edge && t1 >= edge) {
      const first = acuteTerm(w0, load<f64>(pAt + at), many);
      const second = acuteTerm(w1, load<f64>(pAt + at, 8), many);
      even += first;
      odd += second;
      evenSize += Math.abs(first);
      oddSize += Math.abs(second);
    } else {
      rest += term(w0, t0, load<f64>(pAt + at));
      rest += term(w1, t1, load<f64>(pAt + at, 8));
    }
  }
  size += evenSize + oddSize;
  return even + odd + rest;
}

function pairsLowerLanes(count: usize): f64 {
  const zero = f64x2.splat(0);
  const half = f64x2.splat(0.5);
  const one = f64x2.splat(1);
  const z = f64x2.splat(GAP_ZERO_HIGH);
  const twoPi = f64x2.splat(TWO_PI);
  const edgeLanes = f64x2.splat(edge);
  const lowWide = f64x2.splat(wide);
  const highWide = f64x2.splat(-wide);
  const lowLanes = f64x2.splat(0.5 * lowFactor);
  const highLanes = f64x2.splat(0.5 * highFactor);
  const shortLanes = f64x2.splat(short);
  const longLanes = f64x2.splat(long);
  let sum = zero;
  let total = zero;
  let rest: f64 = 0;
  for (let at: usize = 0; at < count << 3; at += 16) {
    const t = v128.load(tAt + at);
    const w = v128.load(wAt + at);
    const p = v128.load(pAt + at);
    if (!v128.all_true<i64>(f64x2.ge(t, edgeLanes))) {
      rest += term(f64x2.extract_lane(w, 0), f64x2.extract_lane(t, 0), f64x2.extract_lane(p, 0));
      rest += term(f64x2.extract_lane(w, 1), f64x2.extract_lane(t, 1), f64x2.extract_lane(p, 1));
      continue;
    }
    const positive = f64x2.gt(w, zero);
    const end = f64x2.add(p, v128.bitselect(lowWide, highWide, positive));
    const factor = v128.bitselect(lowLanes, highLanes, positive);
    // Math.max(Math.min(end, 1/2), 0) in one instruction each; in this order NaN stays NaN, which proves nothing.
    const v = f64x2.pmax(f64x2.pmin(f64x2.mul(end, factor), half), zero);
    const u = f64x2.sub(one, f64x2.add(v, v));
    const bend = f64x2.mul(f64x2.mul(f64x2.sqrt(v), f64x2.sub(z, u)), many ? shortGapx2(v) : gapx2(v));
    const value = f64x2.add(f64x2.mul(twoPi, u), bend);
    const part = f64x2.mul(w, f64x2.mul(value, v128.bitselect(shortLanes, longLanes, positive)));
    sum = f64x2.add(sum, part);
    total = f64x2.add(total, f64x2.abs(part));
  }
  size += f64x2.extract_lane(total, 0) + f64x2.extract_lane(total, 1);
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1) + rest;
}

/** One term where u >= 0 on the whole ball: h at the lower end for w > 0, at the upper end otherwise. */
// @ts-ignore: decorator
@inline
function acuteTerm(w: f64, p: f64, isShort: bool): f64 {
  const positive = w > 0;
  const end = positive ? (p + wide) * (0.5 * lowFactor) : (p - wide) * (0.5 * highFactor);
  const v = Math.max(Math.min(end, 0.5), 0);
  const u = 1 - (v + v);
  const value = TWO_PI * u + Math.sqrt(v) * (GAP_ZERO_HIGH - u) * (isShort ? shortGap(v) : gap(v));
  return w * (value * (positive ? short : long));
}

/** One term of the bound in general: w psi, psi = r h(u) at its smallest for w > 0 and at its largest for w < 0. */
function term(w: f64, t: f64, p: f64): f64 {
  let part: f64 = 0;
  if (t >= edge) part = acuteTerm(w, p, false);
  else if (w > 0) {
    const value = hSmallest(t, p);
    part = w * (value * (value >= 0 ? short : long));
  } else if (w < 0) {
    const value = hLargest(t, p);
    part = w * (value * (value >= 0 ? long : short));
  }
  size += Math.abs(part);
  return part;
}

/** The lower end of u, rounded down; from 1 - u where u is positive. */
function uLower(t: f64, p: f64): f64 {
  const low = t - e - slack - 4 * UNIT * (Math.abs(t) + e);
  if (low >= 0) return Math.max(0, 1 - (p + wide) * lowFactor - UNIT);
  return short > 0 ? Math.max(-1, (low / short) * (1 + 8 * UNIT)) : -1;
}

/** The upper end of u, rounded up. */
function uUpper(t: f64, p: f64): f64 {
  const high = t + e + slack + 4 * UNIT * (Math.abs(t) + e);
  if (high < 0) return Math.min(0, high / long + 8 * UNIT);
  const gap = p * (1 - 16 * UNIT) - wide;
  return gap > 0 && short > 0 ? Math.max(0, Math.min(1, 1 - gap * highFactor + UNIT)) : 1;
}

/** Smallest h over the range of u. */
function hSmallest(t: f64, p: f64): f64 {
  const low = uLower(t, p);
  if (low >= -SLOPE_ZERO_HIGH) return h(low);
  const high = uUpper(t, p);
  return high >= -SLOPE_ZERO_HIGH ? H_MINIMUM_BELOW : h(high);
}

/** Largest h over the range of u: h is convex, so it is at an end. */
function hLargest(t: f64, p: f64): f64 {
  const high = h(uUpper(t, p));
  const low = uLower(t, p);
  return low < -SLOPE_ZERO_HIGH ? Math.max(high, h(low)) : high;
}
