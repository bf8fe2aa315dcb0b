// How far a row's share can move: the dual norm of a difference of two rows, rounded up. For l-inf balls the dual norm is
// l1, for l2 balls l2, for l1 balls l-inf. Not here: the bounds that use it (linear.ts, curvature.ts).
import { FORMAT_U8, NORM_2, NORM_INF, ROWS_D, ROWS_DATA, ROWS_FORMAT, ROWS_STRIDE } from "../layout";
import { field, pointerField } from "../memory";
import { above, UNIT } from "../rounding";
import { movable } from "./movable";

/** ||alpha x_i - beta x0||_* over the entries that may change, rounded up: each with two products and a difference. */
export function spreadOf(machine: usize, i: i32, inputs: usize, index: i32, alpha: f64, beta: f64, norm: i32): f64 {
  const exact = field(machine, ROWS_FORMAT) == FORMAT_U8;
  const own = pointerField(machine, ROWS_DATA) + <usize>i * field(machine, ROWS_STRIDE);
  const other = pointerField(inputs, ROWS_DATA) + <usize>index * field(inputs, ROWS_STRIDE);
  const d = <f64>field(inputs, ROWS_D);
  const count = <f64>movable < d ? movable : field(machine, ROWS_STRIDE) / (exact ? 1 : 8);
  let sum: f64 = 0;
  if (ASC_FEATURE_SIMD && exact && norm == NORM_INF) sum = spreadLanes(own, other, count, alpha, beta);
  else if (exact) sum = spreadEntries<u8>(own, other, count, alpha, beta, norm);
  else if (<f64>movable < d) sum = spreadFew(own, other, count, alpha, beta, norm);
  else sum = spreadEntries<f64>(own, other, count, alpha, beta, norm);
  // ||alpha x_i||_* + ||beta x0||_* <= 2 sqrt(d) bounds what cancellation in the differences may hide: a few roundings
  // of alpha and beta, and of float64 rows those of the squared norms behind them.
  return above(sum, 2 * d + 16) + (exact ? 16 : 16 + 2 * d) * UNIT * Math.sqrt(d);
}

/** The same sum for any number of float64 entries, one after another. */
function spreadFew(own: usize, other: usize, count: i32, alpha: f64, beta: f64, norm: i32): f64 {
  let sum: f64 = 0;
  let most: f64 = 0;
  for (let k: usize = 0; k < <usize>count << 3; k += 8) {
    const a = difference<f64>(own + k, other + k, alpha, beta);
    sum += norm == NORM_2 ? a * a : a;
    most = Math.max(most, a);
  }
  return norm == NORM_INF ? sum : norm == NORM_2 ? Math.sqrt(sum) : most;
}

/** Sums in four interleaved shares, as the lanes do: (s0 + s2) + (s1 + s3). `count` is a multiple of 4. */
function spreadEntries<T>(own: usize, other: usize, count: i32, alpha: f64, beta: f64, norm: i32): f64 {
  let s0: f64 = 0;
  let s1: f64 = 0;
  let s2: f64 = 0;
  let s3: f64 = 0;
  let most: f64 = 0;
  const end = <usize>count * sizeof<T>();
  for (let k: usize = 0; k < end; k += 4 * sizeof<T>()) {
    const a = difference<T>(own + k, other + k, alpha, beta);
    const b = difference<T>(own + k + sizeof<T>(), other + k + sizeof<T>(), alpha, beta);
    const c = difference<T>(own + k + 2 * sizeof<T>(), other + k + 2 * sizeof<T>(), alpha, beta);
    const d = difference<T>(own + k + 3 * sizeof<T>(), other + k + 3 * sizeof<T>(), alpha, beta);
    s0 += norm == NORM_2 ? a * a : a;
    s1 += norm == NORM_2 ? b * b : b;
    s2 += norm == NORM_2 ? c * c : c;
    s3 += norm == NORM_2 ? d * d : d;
    most = Math.max(most, Math.max(Math.max(a, b), Math.max(c, d)));
  }
  const sum = s0 + s2 + (s1 + s3);
  return norm == NORM_INF ? sum : norm == NORM_2 ? Math.sqrt(sum) : most;
}

// @ts-ignore: decorator
@inline
function difference<T>(own: usize, other: usize, alpha: f64, beta: f64): f64 {
  return Math.abs(alpha * <f64>load<T>(own) - beta * <f64>load<T>(other));
}

function spreadLanes(own: usize, other: usize, count: i32, alpha: f64, beta: f64): f64 {
  const a = f64x2.splat(alpha);
  const b = f64x2.splat(beta);
  let even = f64x2.splat(0);
  let odd = even;
  for (let k: usize = 0; k < <usize>count; k += 4) {
    const x = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(own + k)));
    const y = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(other + k)));
    const high = v128.shuffle<i32>(x, x, 2, 3, 0, 1);
    const highOther = v128.shuffle<i32>(y, y, 2, 3, 0, 1);
    const first = f64x2.sub(f64x2.mul(a, f64x2.convert_low_i32x4_s(x)), f64x2.mul(b, f64x2.convert_low_i32x4_s(y)));
    const second = f64x2.sub(
      f64x2.mul(a, f64x2.convert_low_i32x4_s(high)),
      f64x2.mul(b, f64x2.convert_low_i32x4_s(highOther)),
    );
    even = f64x2.add(even, f64x2.abs(first));
    odd = f64x2.add(odd, f64x2.abs(second));
  }
  const sum = f64x2.add(even, odd);
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}
