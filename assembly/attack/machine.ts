// A kernel machine's output and gradient at arbitrary real inputs, two inputs (lanes) at a time so that each training
// row is read and converted once for both. Points are f64 in data units; training rows are packed (kernel/pack.ts),
// their raw entries v_i with value s v_i. With D = <x, v_i>, r = ||x||, R_i = ||v_i||, q = r R_i, u = D / q:
//   two-layer NTK   Theta = c q h(u),   c = sw2^2 s / (2 pi d)
//                   grad Theta = c h'(u) v_i + c (q h(u) - D h'(u)) x / r^2
//   any other       grad K = s K_D v_i + 2 K_N x   (kernel/compose.ts)
// h' has no limit where x meets a training row; there its value next to it stands in, which leaves one of the directions
// in between. Values err by rounding only, relative to sum |alpha_i Theta_i|: what counts is proved elsewhere
// (bounds/interval.ts). Scalar and SIMD forms give the same bits. Not here: networks (network.ts), searches (search.ts).
import {
  BLOCK,
  FORMAT_U8,
  KERNEL_WEIGHT_VARIANCE,
  ROWS_BLOCKS,
  ROWS_COUNTS,
  ROWS_D,
  ROWS_DATA,
  ROWS_FORMAT,
  ROWS_N,
  ROWS_NORMS,
  ROWS_SCALE,
  ROWS_STRIDE,
} from "../layout";
import { dotDoubles } from "../kernel/dot";
import { kernelSlopes, kernelValue, slopeByDot, slopeByNorm } from "../kernel/compose";
import { isTwoLayer } from "../kernel/row";
import { PI, TWO_PI } from "../math/elementary";
import { gap, GAP_ZERO_HIGH, slope, SLOPE_ZERO_HIGH } from "../math/polynomials";
import { field, floatField, pointerField } from "../memory";

/** Least root of (1 - |u|) / 2 by which h' is divided. */
const LEAST: f64 = 1e-8;

/** Sum of the absolute terms at the first lane of the last evaluation. */
export let machineSize: f64 = 0;

// One row's inner products with both lanes, and what a lane's kernel value and slopes come to.
let dotA: f64 = 0;
let dotB: f64 = 0;
let value: f64 = 0;
let byRow: f64 = 0; // coefficient of v_i in the gradient
let byPoint: f64 = 0; // coefficient of x

/**
 * Outputs g(x) to values + 8b and gradients to `gradients`, for lanes b in [0, lanes), an even number. Points and
 * gradients are `entries` f64 a lane, in the column order of the rows, padding 0.
 */
export function machineEvaluate(
  kernel: usize, rows: usize, alpha: usize, bias: f64, points: usize, lanes: i32, entries: i32, values: usize, gradients: usize,
): void {
  const pitch = <usize>entries << 3;
  // The first pair last, so that machineSize is the first lane's.
  for (let lane = lanes - 2; lane >= 0; lane -= 2) {
    const at = <usize>lane * pitch;
    evaluatePair(kernel, rows, alpha, bias, points + at, entries, values + (<usize>lane << 3), gradients + at);
  }
}

function evaluatePair(
  kernel: usize, rows: usize, alpha: usize, bias: f64, a: usize, entries: i32, values: usize, gradientA: usize,
): void {
  const bytes = <usize>entries << 3;
  const b = a + bytes;
  const gradientB = gradientA + bytes;
  const n = field(rows, ROWS_N);
  const norms = pointerField(rows, ROWS_NORMS);
  const squareA = dotDoubles(a, a, <i32>bytes);
  const squareB = dotDoubles(b, b, <i32>bytes);
  const fast = isTwoLayer(kernel);
  const weight = floatField(kernel, KERNEL_WEIGHT_VARIANCE);
  const c = (weight * weight * floatField(rows, ROWS_SCALE)) / (2 * PI * <f64>field(rows, ROWS_D));
  let sumA = bias;
  let sumB = bias;
  let size = Math.abs(bias);
  let ownA: f64 = 0;
  let ownB: f64 = 0;
  memory.fill(gradientA, 0, 2 * bytes);
  for (let i = 0; i < n; ++i) {
    const coefficient = load<f64>(alpha + (<usize>i << 3));
    const norm = load<f64>(norms + (<usize>i << 3));
    if (coefficient == 0) continue;
    rowDots(rows, i, a, b);
    if (fast) twoLayer(dotA, squareA, norm, coefficient * c);
    else anyDepth(kernel, rows, dotA, squareA, norm, coefficient);
    sumA += value;
    size += Math.abs(value);
    ownA += byPoint;
    const rowA = byRow;
    if (fast) twoLayer(dotB, squareB, norm, coefficient * c);
    else anyDepth(kernel, rows, dotB, squareB, norm, coefficient);
    sumB += value;
    ownB += byPoint;
    addRow(rows, i, rowA, byRow, gradientA, gradientB);
  }
  for (let at: usize = 0; at < bytes; at += 8) {
    store<f64>(gradientA + at, load<f64>(gradientA + at) + ownA * load<f64>(a + at));
    store<f64>(gradientB + at, load<f64>(gradientB + at) + ownB * load<f64>(b + at));
  }
  store<f64>(values, sumA);
  store<f64>(values, sumB, 8);
  machineSize = size;
}

/** Sets value, byRow and byPoint of weight * Theta / c; 0 where either input is the zero vector. */
function twoLayer(dot: f64, square: f64, norm: f64, weight: f64): void {
  const q = Math.sqrt(square * norm);
  if (!(q > 0)) {
    value = 0;
    byRow = 0;
    byPoint = 0;
    return;
  }
  const w = Math.abs(dot);
  const t = Math.max((q - w) / (2 * q), 0);
  const root = Math.sqrt(t);
  const size = TWO_PI * Math.max(dot, 0) + root * (GAP_ZERO_HIGH * q - w) * gap(t);
  const bend = ((SLOPE_ZERO_HIGH * q - w) * slope(t)) / (q * Math.max(root, LEAST));
  const steep = dot < 0 ? bend : TWO_PI - bend;
  value = weight * size;
  byRow = weight * steep;
  byPoint = (weight * (size - dot * steep)) / square;
}

function anyDepth(kernel: usize, rows: usize, dot: f64, square: f64, norm: f64, alpha: f64): void {
  const scale = floatField(rows, ROWS_SCALE);
  const d = <f64>field(rows, ROWS_D);
  const ny = norm * scale * scale;
  value = alpha * kernelValue(kernel, dot * scale, square, ny, d);
  kernelSlopes(kernel, dot * scale, square, ny, d);
  byRow = alpha * slopeByDot * scale;
  byPoint = 2 * alpha * slopeByNorm;
}

/** Sets dotA and dotB = <v_i, a>, <v_i, b>, each in four lanes (s0 + s2) + (s1 + s3), over the row's non-zero blocks. */
function rowDots(rows: usize, i: i32, a: usize, b: usize): void {
  const stride = field(rows, ROWS_STRIDE);
  const row = pointerField(rows, ROWS_DATA) + <usize>i * stride;
  if (field(rows, ROWS_FORMAT) != FORMAT_U8) {
    dotA = dotDoubles(row, a, stride);
    dotB = dotDoubles(row, b, stride);
    return;
  }
  const list = pointerField(rows, ROWS_BLOCKS) + <usize>i * (stride / BLOCK) * 2;
  const blocks = load<i32>(pointerField(rows, ROWS_COUNTS) + (<usize>i << 2));
  if (ASC_FEATURE_SIMD) {
    let even = f64x2.splat(0);
    let odd = even;
    let evenB = even;
    let oddB = even;
    for (let k: usize = 0; k < <usize>blocks; ++k) {
      const block = <usize>load<u16>(list + (k << 1)) * BLOCK;
      const at = block << 3;
      const raw = v128.load_ext<u8>(row + block);
      const low = i32x4.extend_low_i16x8_u(raw);
      const high = i32x4.extend_high_i16x8_u(raw);
      const p0 = f64x2.convert_low_i32x4_s(low);
      const p1 = f64x2.convert_low_i32x4_s(v128.shuffle<i64>(low, low, 1, 1));
      const p2 = f64x2.convert_low_i32x4_s(high);
      const p3 = f64x2.convert_low_i32x4_s(v128.shuffle<i64>(high, high, 1, 1));
      even = f64x2.add(even, f64x2.mul(p0, v128.load(a + at)));
      evenB = f64x2.add(evenB, f64x2.mul(p0, v128.load(b + at)));
      odd = f64x2.add(odd, f64x2.mul(p1, v128.load(a + at, 16)));
      oddB = f64x2.add(oddB, f64x2.mul(p1, v128.load(b + at, 16)));
      even = f64x2.add(even, f64x2.mul(p2, v128.load(a + at, 32)));
      evenB = f64x2.add(evenB, f64x2.mul(p2, v128.load(b + at, 32)));
      odd = f64x2.add(odd, f64x2.mul(p3, v128.load(a + at, 48)));
      oddB = f64x2.add(oddB, f64x2.mul(p3, v128.load(b + at, 48)));
    }
    const sum = f64x2.add(even, odd);
    const sumB = f64x2.add(evenB, oddB);
    dotA = f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
    dotB = f64x2.extract_lane(sumB, 0) + f64x2.extract_lane(sumB, 1);
    return;
  }
  dotA = pixelDot(row, list, blocks, a);
  dotB = pixelDot(row, list, blocks, b);
}

function pixelDot(row: usize, list: usize, blocks: i32, x: usize): f64 {
  let s0: f64 = 0;
  let s1: f64 = 0;
  let s2: f64 = 0;
  let s3: f64 = 0;
  for (let k: usize = 0; k < <usize>blocks; ++k) {
    const block = <usize>load<u16>(list + (k << 1)) * BLOCK;
    for (let half: usize = 0; half < <usize>BLOCK; half += 4) {
      const from = row + block + half;
      const at = x + ((block + half) << 3);
      s0 += <f64>load<u8>(from) * load<f64>(at);
      s1 += <f64>load<u8>(from, 1) * load<f64>(at, 8);
      s2 += <f64>load<u8>(from, 2) * load<f64>(at, 16);
      s3 += <f64>load<u8>(from, 3) * load<f64>(at, 24);
    }
  }
  return s0 + s2 + (s1 + s3);
}

// @ts-ignore: decorator
@inline
function addPair(to: usize, factor: v128, pair: v128): void {
  v128.store(to, f64x2.add(v128.load(to), f64x2.mul(factor, pair)));
}

/** gradientA += wA v_i and gradientB += wB v_i. */
function addRow(rows: usize, i: i32, wA: f64, wB: f64, gradientA: usize, gradientB: usize): void {
  const stride = field(rows, ROWS_STRIDE);
  const row = pointerField(rows, ROWS_DATA) + <usize>i * stride;
  if (field(rows, ROWS_FORMAT) != FORMAT_U8) {
    addDoubles(row, stride, wA, gradientA);
    addDoubles(row, stride, wB, gradientB);
    return;
  }
  const list = pointerField(rows, ROWS_BLOCKS) + <usize>i * (stride / BLOCK) * 2;
  const blocks = load<i32>(pointerField(rows, ROWS_COUNTS) + (<usize>i << 2));
  for (let k: usize = 0; k < <usize>blocks; ++k) {
    const block = <usize>load<u16>(list + (k << 1)) * BLOCK;
    const a = gradientA + (block << 3);
    const b = gradientB + (block << 3);
    if (ASC_FEATURE_SIMD) {
      const raw = v128.load_ext<u8>(row + block);
      const low = i32x4.extend_low_i16x8_u(raw);
      const high = i32x4.extend_high_i16x8_u(raw);
      const p0 = f64x2.convert_low_i32x4_s(low);
      const p1 = f64x2.convert_low_i32x4_s(v128.shuffle<i64>(low, low, 1, 1));
      const p2 = f64x2.convert_low_i32x4_s(high);
      const p3 = f64x2.convert_low_i32x4_s(v128.shuffle<i64>(high, high, 1, 1));
      const factorA = f64x2.splat(wA);
      const factorB = f64x2.splat(wB);
      addPair(a, factorA, p0);
      addPair(a + 16, factorA, p1);
      addPair(a + 32, factorA, p2);
      addPair(a + 48, factorA, p3);
      addPair(b, factorB, p0);
      addPair(b + 16, factorB, p1);
      addPair(b + 32, factorB, p2);
      addPair(b + 48, factorB, p3);
    } else {
      for (let c: usize = 0; c < <usize>BLOCK; ++c) {
        const pixel = <f64>load<u8>(row + block + c);
        store<f64>(a + (c << 3), load<f64>(a + (c << 3)) + wA * pixel);
        store<f64>(b + (c << 3), load<f64>(b + (c << 3)) + wB * pixel);
      }
    }
  }
}

/** to += w row, `bytes` a multiple of 32. */
function addDoubles(row: usize, bytes: i32, w: f64, to: usize): void {
  for (let at: usize = 0; at < <usize>bytes; at += 16) {
    if (ASC_FEATURE_SIMD) addPair(to + at, f64x2.splat(w), v128.load(row + at));
    else {
      store<f64>(to + at, load<f64>(to + at) + w * load<f64>(row + at));
      store<f64>(to + at, load<f64>(to + at, 8) + w * load<f64>(row + at, 8), 8);
    }
  }
}
