// The empirical tangent kernel of a finite network, layer by layer, without a Jacobian:
//   Theta(x, x') = s_{L+1}^2 <a_L, a_L'> + sum_{l=1..L} s_l^2 <a_{l-1}, a_{l-1}'> <b_l, b_l'>
// a_l activations, b_l = df / d(s_l W_l a_{l-1}): b_L = s_{L+1} w on active neurons, b_{l-1} = s_l W_l^T b_l likewise.
// Weights are float32 in the plain order [input][width], signals float64 in rows, and every sum is float64 in an order
// fixed by the shapes, so threads and feature levels never change a bit.
// Not here: tiles of rows, memory, the order of layers (sdk/networks/tangent.ts).
import { scratch } from "../memory";

/** Neurons (or inputs, backwards) in one chunk: 16 float64 stay in registers. */
const LANES: i32 = 16;
const LANE_BYTES: usize = 128;

/** Terms of a sum whose weights are unpacked at once: 128 * LANES float64 stay in the first cache. */
const STRETCH: i32 = 128;

/** Scratch beyond the unpacked weights: the rows' sums, LANES float64 each. */
const SUMS: usize = 65536;

/** sums += signal[k] * packed[k][0 .. LANES) for k in [0, count), in that order; zeros of the signal are skipped. */
function accumulate(signal: usize, count: i32, packed: usize, sums: usize): void {
  if (ASC_FEATURE_SIMD) {
    let s0 = v128.load(sums);
    let s1 = v128.load(sums, 16);
    let s2 = v128.load(sums, 32);
    let s3 = v128.load(sums, 48);
    let s4 = v128.load(sums, 64);
    let s5 = v128.load(sums, 80);
    let s6 = v128.load(sums, 96);
    let s7 = v128.load(sums, 112);
    for (let k: usize = 0; k < <usize>count; ++k) {
      const value = load<f64>(signal + (k << 3));
      if (value == 0) continue;
      const x = f64x2.splat(value);
      const w = packed + k * LANE_BYTES;
      s0 = f64x2.add(s0, f64x2.mul(x, v128.load(w)));
      s1 = f64x2.add(s1, f64x2.mul(x, v128.load(w, 16)));
      s2 = f64x2.add(s2, f64x2.mul(x, v128.load(w, 32)));
      s3 = f64x2.add(s3, f64x2.mul(x, v128.load(w, 48)));
      s4 = f64x2.add(s4, f64x2.mul(x, v128.load(w, 64)));
      s5 = f64x2.add(s5, f64x2.mul(x, v128.load(w, 80)));
      s6 = f64x2.add(s6, f64x2.mul(x, v128.load(w, 96)));
      s7 = f64x2.add(s7, f64x2.mul(x, v128.load(w, 112)));
    }
    v128.store(sums, s0);
    v128.store(sums, s1, 16);
    v128.store(sums, s2, 32);
    v128.store(sums, s3, 48);
    v128.store(sums, s4, 64);
    v128.store(sums, s5, 80);
    v128.store(sums, s6, 96);
    v128.store(sums, s7, 112);
    return;
  }
  for (let k: usize = 0; k < <usize>count; ++k) {
    const value = load<f64>(signal + (k << 3));
    if (value == 0) continue;
    const w = packed + k * LANE_BYTES;
    for (let j: usize = 0; j < LANE_BYTES; j += 8)
      store<f64>(sums + j, load<f64>(sums + j) + value * load<f64>(w + j));
  }
}

/** packed[k][i] = weights[from + k][lane + i], k < count, i < live; the other lanes 0. */
function unpack(weights: usize, width: i32, from: i32, count: i32, lane: i32, live: i32, packed: usize): void {
  if (live < LANES) memory.fill(packed, 0, <usize>count * LANE_BYTES);
  for (let k = 0; k < count; ++k) {
    const row = weights + ((<usize>(from + k) * <usize>width + <usize>lane) << 2);
    const to = packed + <usize>k * LANE_BYTES;
    for (let i: usize = 0; i < <usize>live; ++i) store<f64>(to + (i << 3), <f64>load<f32>(row + (i << 2)));
  }
}

/** packed[k][i] = weights[lane + i][from + k]: the transpose. */
function unpackTransposed(weights: usize, width: i32, from: i32, count: i32, lane: i32, live: i32, packed: usize): void {
  if (live < LANES) memory.fill(packed, 0, <usize>count * LANE_BYTES);
  for (let i = 0; i < live; ++i) {
    const row = weights + ((<usize>(lane + i) * <usize>width + <usize>from) << 2);
    const to = packed + (<usize>i << 3);
    for (let k: usize = 0; k < <usize>count; ++k) store<f64>(to + k * LANE_BYTES, <f64>load<f32>(row + (k << 2)));
  }
}

/**
 * Activations of neurons [LANES * chunk, ...) of one layer: after[r][j] = relu(scale * sum_k before[r][k] W[k][j]).
 * before: rows x inputs, after: rows x width, float64; weights: inputs x width, float32; rows <= 4096.
 */
export function tangentForward(
  chunk: i32, weights: usize, inputs: i32, width: i32, scale: f64, rows: i32, before: usize, after: usize,
): void {
  const packed = scratch();
  const sums = packed + SUMS;
  const lane = chunk * LANES;
  const live = min(LANES, width - lane);
  memory.fill(sums, 0, <usize>rows * LANE_BYTES);
  for (let from = 0; from < inputs; from += STRETCH) {
    const count = min(STRETCH, inputs - from);
    unpack(weights, width, from, count, lane, live, packed);
    for (let r: usize = 0; r < <usize>rows; ++r)
      accumulate(before + ((r * <usize>inputs + <usize>from) << 3), count, packed, sums + r * LANE_BYTES);
  }
  for (let r: usize = 0; r < <usize>rows; ++r) {
    const to = after + ((r * <usize>width + <usize>lane) << 3);
    const own = sums + r * LANE_BYTES;
    for (let i: usize = 0; i < <usize>live; ++i)
      store<f64>(to + (i << 3), Math.max(0, scale * load<f64>(own + (i << 3))));
  }
}

/** Signals at the last layer, row `chunk`: signal[j] = scale * output[j] where the neuron is active, else 0. */
export function tangentLast(chunk: i32, output: usize, width: i32, scale: f64, values: usize, signals: usize): void {
  const at = <usize>chunk * <usize>width;
  for (let j: usize = 0; j < <usize>width; ++j) {
    const active = load<f64>(values + ((at + j) << 3)) > 0;
    store<f64>(signals + ((at + j) << 3), active ? scale * <f64>load<f32>(output + (j << 2)) : 0);
  }
}

/**
 * Signals one layer down, inputs [LANES * chunk, ...) of a layer: before[r][k] = scale * sum_j W[k][j] after[r][j] where
 * values[r][k] > 0, else 0. before, values: rows x inputs; after: rows x width.
 */
export function tangentBackward(
  chunk: i32, weights: usize, inputs: i32, width: i32, scale: f64, rows: i32, after: usize, values: usize, before: usize,
): void {
  const packed = scratch();
  const sums = packed + SUMS;
  const lane = chunk * LANES;
  const live = min(LANES, inputs - lane);
  memory.fill(sums, 0, <usize>rows * LANE_BYTES);
  for (let from = 0; from < width; from += STRETCH) {
    const count = min(STRETCH, width - from);
    unpackTransposed(weights, width, from, count, lane, live, packed);
    for (let r: usize = 0; r < <usize>rows; ++r)
      accumulate(after + ((r * <usize>width + <usize>from) << 3), count, packed, sums + r * LANE_BYTES);
  }
  for (let r: usize = 0; r < <usize>rows; ++r) {
    const at = (r * <usize>inputs + <usize>lane) << 3;
    const own = sums + r * LANE_BYTES;
    for (let i: usize = 0; i < <usize>live << 3; i += 8)
      store<f64>(before + at + i, load<f64>(values + at + i) > 0 ? scale * load<f64>(own + i) : 0);
  }
}

/** <a, b> of `count` float64 in four sums: (s0 + s2) + (s1 + s3), then the rest in order. Commutes to the bit. */
function dot(a: usize, b: usize, count: i32): f64 {
  const whole = <usize>(count & ~3) << 3;
  let sum: f64 = 0;
  if (ASC_FEATURE_SIMD) {
    let even = f64x2.splat(0);
    let odd = f64x2.splat(0);
    for (let k: usize = 0; k < whole; k += 32) {
      even = f64x2.add(even, f64x2.mul(v128.load(a + k), v128.load(b + k)));
      odd = f64x2.add(odd, f64x2.mul(v128.load(a + k, 16), v128.load(b + k, 16)));
    }
    const both = f64x2.add(even, odd);
    sum = f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
  } else {
    let s0: f64 = 0;
    let s1: f64 = 0;
    let s2: f64 = 0;
    let s3: f64 = 0;
    for (let k: usize = 0; k < whole; k += 32) {
      s0 += load<f64>(a + k) * load<f64>(b + k);
      s1 += load<f64>(a + k, 8) * load<f64>(b + k, 8);
      s2 += load<f64>(a + k, 16) * load<f64>(b + k, 16);
      s3 += load<f64>(a + k, 24) * load<f64>(b + k, 24);
    }
    sum = s0 + s2 + (s1 + s3);
  }
  for (let k = whole; k < <usize>count << 3; k += 8) sum += load<f64>(a + k) * load<f64>(b + k);
  return sum;
}

/**
 * One layer's share of row `chunk`: out[chunk][j] += factor * <a, a_j'> * <b, b_j'> for the `rows` rows on the right.
 * a: `inputs` entries a row, b: `width` entries a row; width 0 leaves the second product out (the output layer).
 */
export function tangentShare(
  chunk: i32, inputs: i32, a: usize, aRight: usize, width: i32, b: usize, bRight: usize, factor: f64, rows: i32, out: usize,
): void {
  const own = a + (<usize>chunk * <usize>inputs << 3);
  const signal = b + (<usize>chunk * <usize>width << 3);
  const to = out + (<usize>chunk * <usize>rows << 3);
  for (let j: usize = 0; j < <usize>rows; ++j) {
    let share = factor * dot(own, aRight + (j * <usize>inputs << 3), inputs);
    if (width > 0) share *= dot(signal, bRight + (j * <usize>width << 3), width);
    store<f64>(to + (j << 3), load<f64>(to + (j << 3)) + share);
  }
}
