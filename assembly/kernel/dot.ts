// Inner products of packed rows: exact integers for 8-bit data, float64 with one fixed order of summation otherwise.
// Zero blocks of the left row are skipped. Both forms (SIMD, scalar) give the same bits.
// Not here: packing (pack.ts) and what is made of the products (row.ts).
import {
  BLOCK,
  FORMAT_U8,
  ROWS_BLOCKS,
  ROWS_COUNTS,
  ROWS_DATA,
  ROWS_FORMAT,
  ROWS_STRIDE,
} from "../layout";
import { field, pointerField } from "../memory";

/** Blocks summed in 32-bit lanes before they go to 64 bits: 2048 * 2 * 255^2 < 2^31 in each lane. */
const SAFE_BLOCKS: i32 = 2048;

/** Writes <left[i], right[j]> for j in [from, from + count) as float64 to out (raw units, no scale). */
export function dotRow(left: usize, i: i32, right: usize, from: i32, count: i32, out: usize): void {
  const stride = field(left, ROWS_STRIDE);
  const row = pointerField(left, ROWS_DATA) + <usize>i * stride;
  let other = pointerField(right, ROWS_DATA) + <usize>from * stride;
  if (field(left, ROWS_FORMAT) != FORMAT_U8) {
    for (let j = 0; j < count; ++j, other += stride) store<f64>(out + (<usize>j << 3), dotDoubles(row, other, stride));
    return;
  }
  const list = pointerField(left, ROWS_BLOCKS) + <usize>i * (stride / BLOCK) * 2;
  const blocks = load<i32>(pointerField(left, ROWS_COUNTS) + (<usize>i << 2));
  let j = 0;
  if (ASC_FEATURE_SIMD && blocks <= SAFE_BLOCKS) {
    for (; j + 4 <= count; j += 4, other += <usize>stride * 4, out += 32) dotFour(row, other, stride, list, blocks, out);
  }
  for (; j < count; ++j, other += stride, out += 8) store<f64>(out, <f64>dotPixels(row, other, list, blocks));
}

/** One exact inner product over the listed blocks. */
function dotPixels(row: usize, other: usize, list: usize, blocks: i32): i64 {
  let total: i64 = 0;
  for (let k = 0; k < blocks; ++k) {
    const at = <usize>load<u16>(list + (<usize>k << 1)) * BLOCK;
    let part = 0;
    for (let c: usize = 0; c < <usize>BLOCK; ++c) part += <i32>load<u8>(row + at + c) * <i32>load<u8>(other + at + c);
    total += part;
  }
  return total;
}

/** Four exact inner products of one row with four consecutive rows. */
// @ts-ignore: decorator
@inline
function dotFour(row: usize, other: usize, stride: i32, list: usize, blocks: i32, out: usize): void {
  let sum0 = i32x4.splat(0);
  let sum1 = sum0;
  let sum2 = sum0;
  let sum3 = sum0;
  const second = other + stride;
  const third = second + stride;
  const fourth = third + stride;
  for (let k = 0; k < blocks; ++k) {
    const at = <usize>load<u16>(list + (<usize>k << 1)) * BLOCK;
    const a = v128.load_ext<u8>(row + at);
    sum0 = i32x4.add(sum0, i32x4.dot_i16x8_s(a, v128.load_ext<u8>(other + at)));
    sum1 = i32x4.add(sum1, i32x4.dot_i16x8_s(a, v128.load_ext<u8>(second + at)));
    sum2 = i32x4.add(sum2, i32x4.dot_i16x8_s(a, v128.load_ext<u8>(third + at)));
    sum3 = i32x4.add(sum3, i32x4.dot_i16x8_s(a, v128.load_ext<u8>(fourth + at)));
  }
  // Transpose-add: lane j of `all` becomes the sum of the lanes of sum_j. Each lane stays below 2^31 for d <= 33,000
  // entries of 255; wider rows go through 64 bits.
  const low01 = v128.shuffle<i32>(sum0, sum1, 0, 4, 1, 5);
  const high01 = v128.shuffle<i32>(sum0, sum1, 2, 6, 3, 7);
  const low23 = v128.shuffle<i32>(sum2, sum3, 0, 4, 1, 5);
  const high23 = v128.shuffle<i32>(sum2, sum3, 2, 6, 3, 7);
  const pair01 = i32x4.add(low01, high01);
  const pair23 = i32x4.add(low23, high23);
  const first = v128.shuffle<i64>(pair01, pair23, 0, 2);
  const last = v128.shuffle<i64>(pair01, pair23, 1, 3);
  const a64 = i64x2.add(i64x2.extend_low_i32x4_s(first), i64x2.extend_low_i32x4_s(last));
  const b64 = i64x2.add(i64x2.extend_high_i32x4_s(first), i64x2.extend_high_i32x4_s(last));
  store<f64>(out, <f64>i64x2.extract_lane(a64, 0));
  store<f64>(out, <f64>i64x2.extract_lane(a64, 1), 8);
  store<f64>(out, <f64>i64x2.extract_lane(b64, 0), 16);
  store<f64>(out, <f64>i64x2.extract_lane(b64, 1), 24);
}

/** Float64 inner product over `bytes` (a multiple of 32), summed in four lanes: (s0 + s2) + (s1 + s3). */
export function dotDoubles(left: usize, right: usize, bytes: i32): f64 {
  if (ASC_FEATURE_SIMD) {
    let even = f64x2.splat(0);
    let odd = even;
    for (let at: usize = 0; at < <usize>bytes; at += 32) {
      even = f64x2.add(even, f64x2.mul(v128.load(left + at), v128.load(right + at)));
      odd = f64x2.add(odd, f64x2.mul(v128.load(left + at, 16), v128.load(right + at, 16)));
    }
    const sum = f64x2.add(even, odd);
    return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
  }
  let s0: f64 = 0;
  let s1: f64 = 0;
  let s2: f64 = 0;
  let s3: f64 = 0;
  for (let at: usize = 0; at < <usize>bytes; at += 32) {
    s0 += load<f64>(left + at) * load<f64>(right + at);
    s1 += load<f64>(left + at, 8) * load<f64>(right + at, 8);
    s2 += load<f64>(left + at, 16) * load<f64>(right + at, 16);
    s3 += load<f64>(left + at, 24) * load<f64>(right + at, 24);
  }
  return s0 + s2 + (s1 + s3);
}
