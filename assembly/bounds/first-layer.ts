// Products with a network's first layer in blocks of NEURONS neurons: W'x for all neurons, W c for all inputs, and how
// far two layers are apart. Not here: what bounds make of them (relaxed.ts), passes of training (network/forward.ts).
import { LAYER_BLOCKS, LAYER_FAN_IN, LAYER_WEIGHTS, NEURONS } from "../layout";
import { field, pointerField } from "../memory";
import { above } from "../rounding";

const BLOCK_BYTES: usize = 128; // NEURONS float32
const ROW_BYTES: usize = 256; // NEURONS float64

/** sum_k |W_kj - W0_kj| of block `chunk` of two layers of one shape, rounded up, to `apart` (f64, padded). */
export function layersApart(chunk: i32, layer: usize, start: usize, apart: usize): void {
  const inputs = <usize>field(layer, LAYER_FAN_IN);
  const offset = <usize>chunk * inputs * BLOCK_BYTES;
  const own = pointerField(layer, LAYER_WEIGHTS) + offset;
  const other = pointerField(start, LAYER_WEIGHTS) + offset;
  for (let j: usize = 0; j < <usize>NEURONS; ++j) {
    let sum: f64 = 0;
    for (let k: usize = j << 2; k < inputs * BLOCK_BYTES; k += BLOCK_BYTES)
      sum += Math.abs(<f64>load<f32>(own + k) - <f64>load<f32>(other + k));
    // Each difference is rounded once.
    store<f64>(apart + ((<usize>(chunk * NEURONS) + j) << 3), above(sum, <f64>inputs + 1));
  }
}

/** to_j = sum_k W_kj x_k over the k with x_k != 0, in their order; x is dense float64, `to` padded to whole blocks. */
export function neuronSums(layer: usize, x: usize, to: usize): void {
  const blocks = field(layer, LAYER_BLOCKS);
  const inputs = <usize>field(layer, LAYER_FAN_IN);
  const weights = pointerField(layer, LAYER_WEIGHTS);
  for (let block: usize = 0; block < <usize>blocks; ++block) {
    const from = weights + block * inputs * BLOCK_BYTES;
    const own = to + block * ROW_BYTES;
    memory.fill(own, 0, ROW_BYTES);
    if (ASC_FEATURE_SIMD) {
      for (let part: usize = 0; part < 4; ++part) eightSums(from + (part << 5), inputs, x, own + (part << 6));
      continue;
    }
    for (let k: usize = 0; k < inputs; ++k) {
      const value = load<f64>(x + (k << 3));
      if (value == 0) continue;
      for (let j: usize = 0; j < <usize>NEURONS; ++j) {
        const place = own + (j << 3);
        store<f64>(place, load<f64>(place) + value * <f64>load<f32>(from + k * BLOCK_BYTES + (j << 2)));
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function wide(weights: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(weights));
}

/** Eight neurons, whose sums stay in registers. */
function eightSums(weights: usize, inputs: usize, x: usize, to: usize): void {
  let s0 = f64x2.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let w = weights;
  for (let k: usize = 0; k < inputs << 3; k += 8, w += BLOCK_BYTES) {
    if (load<f64>(x + k) == 0) continue;
    const value = v128.load_splat<u64>(x + k);
    s0 = f64x2.add(s0, f64x2.mul(value, wide(w)));
    s1 = f64x2.add(s1, f64x2.mul(value, wide(w + 8)));
    s2 = f64x2.add(s2, f64x2.mul(value, wide(w + 16)));
    s3 = f64x2.add(s3, f64x2.mul(value, wide(w + 24)));
  }
  v128.store(to, s0);
  v128.store(to, s1, 16);
  v128.store(to, s2, 32);
  v128.store(to, s3, 48);
}

/** to_k += sum_j W_kj c_j, block by block; c is float64, padded to whole blocks. */
export function addInputSums(layer: usize, c: usize, to: usize): void {
  const blocks = field(layer, LAYER_BLOCKS);
  const inputs = <usize>field(layer, LAYER_FAN_IN);
  let w = pointerField(layer, LAYER_WEIGHTS);
  for (let block: usize = 0; block < <usize>blocks; ++block) {
    const own = c + block * ROW_BYTES;
    for (let k: usize = 0; k < inputs << 3; k += 8, w += BLOCK_BYTES)
      store<f64>(to + k, load<f64>(to + k) + blockDot(w, own));
  }
}

/** Neuron j in sum j mod 4, as the lanes do. */
// @ts-ignore: decorator
@inline
function blockDot(w: usize, c: usize): f64 {
  if (ASC_FEATURE_SIMD) {
    let even = f64x2.splat(0);
    let odd = even;
    for (let j: usize = 0; j < <usize>NEURONS; j += 4) {
      even = f64x2.add(even, f64x2.mul(wide(w + (j << 2)), v128.load(c + (j << 3))));
      odd = f64x2.add(odd, f64x2.mul(wide(w + (j << 2) + 8), v128.load(c + (j << 3), 16)));
    }
    const sum = f64x2.add(even, odd);
    return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
  }
  let s0: f64 = 0;
  let s1: f64 = 0;
  let s2: f64 = 0;
  let s3: f64 = 0;
  for (let j: usize = 0; j < <usize>NEURONS; j += 4) {
    const from = w + (j << 2);
    const by = c + (j << 3);
    s0 += <f64>load<f32>(from) * load<f64>(by);
    s1 += <f64>load<f32>(from, 4) * load<f64>(by, 8);
    s2 += <f64>load<f32>(from, 8) * load<f64>(by, 16);
    s3 += <f64>load<f32>(from, 12) * load<f64>(by, 24);
  }
  return s0 + s2 + (s1 + s3);
}
