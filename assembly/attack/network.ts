// A finite ReLU network's output and gradient at arbitrary real inputs, by forward and backward passes in float64 on the
// float32 weights, without the layers' scales: those are positive and come out of every relu as one factor. Where a
// neuron is at 0 exactly its slope is taken as 0. Scalar and SIMD forms give the same bits; nothing here is fused.
// What counts is proved elsewhere (bounds/ibp.ts). Not here: machines (machine.ts), training (network/).
import { LAYER_BLOCKS, LAYER_BYTES, LAYER_FAN_IN, LAYER_WEIGHTS, NEURONS } from "../layout";
import { field, pointerField } from "../memory";

const BLOCK_BYTES: usize = 128; // NEURONS float32

/** Sum of the output's absolute terms in the last pass. */
export let networkSize: f64 = 0;

/**
 * The output, without scales, at the f64 inputs `x`; adds `direction` times its gradient to `gradient` unless that is 0.
 * `work` holds the padded widths of all layers together, then twice the largest of them or of the inputs, in f64.
 */
export function networkPass(
  layers: usize, output: usize, depth: i32, x: usize, direction: f64, gradient: usize, work: usize, neurons: i32, widest: i32,
): f64 {
  let input = x;
  let at = work;
  for (let l = 0; l < depth; ++l) {
    const layer = layers + <usize>l * LAYER_BYTES;
    layerForward(layer, input, at);
    input = at;
    at += <usize>(field(layer, LAYER_BLOCKS) * NEURONS) << 3;
  }
  const last = <usize>(field(layers + <usize>(depth - 1) * LAYER_BYTES, LAYER_BLOCKS) * NEURONS);
  const slopes = work + (<usize>neurons << 3);
  let sum: f64 = 0;
  let size: f64 = 0;
  for (let j: usize = 0; j < last; ++j) {
    const v = <f64>load<f32>(output + (j << 2));
    const value = load<f64>(input + (j << 3));
    sum += v * value;
    size += Math.abs(v) * value;
    store<f64>(slopes + (j << 3), value > 0 ? direction * v : 0);
  }
  networkSize = size;
  if (gradient != 0) backward(layers, depth, input, slopes, slopes + (<usize>widest << 3), gradient);
  return sum;
}

/** From the slopes of the last layer back to the inputs; `values` is the last layer's, `own` and `other` take turns. */
function backward(layers: usize, depth: i32, values: usize, own: usize, other: usize, gradient: usize): void {
  for (let l = depth - 1; l >= 1; --l) {
    const layer = layers + <usize>l * LAYER_BYTES;
    const before = layers + <usize>(l - 1) * LAYER_BYTES;
    const width = <usize>(field(before, LAYER_BLOCKS) * NEURONS);
    values -= width << 3;
    memory.fill(other, 0, width << 3);
    layerBackward(layer, own, other);
    for (let j: usize = 0; j < width << 3; j += 8) if (!(load<f64>(values + j) > 0)) store<f64>(other + j, 0);
    const kept = own;
    own = other;
    other = kept;
  }
  layerBackward(layers, own, gradient);
}

// @ts-ignore: decorator
@inline
function wide(weights: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(weights));
}

/** relu(W x) of a layer: inputs f64, padded outputs f64. */
function layerForward(layer: usize, x: usize, to: usize): void {
  const inputs = <usize>field(layer, LAYER_FAN_IN);
  const blocks = field(layer, LAYER_BLOCKS);
  for (let block = 0; block < blocks; ++block) {
    const weights = pointerField(layer, LAYER_WEIGHTS) + <usize>block * inputs * BLOCK_BYTES;
    const own = to + (<usize>(block * NEURONS) << 3);
    if (ASC_FEATURE_SIMD) {
      halfForward(weights, x, inputs, own);
      halfForward(weights + 64, x, inputs, own + 128);
      continue;
    }
    memory.fill(own, 0, NEURONS * 8);
    for (let k: usize = 0; k < inputs; ++k) {
      const value = load<f64>(x + (k << 3));
      if (value == 0) continue;
      const w = weights + k * BLOCK_BYTES;
      for (let j: usize = 0; j < <usize>NEURONS; ++j)
        store<f64>(own + (j << 3), load<f64>(own + (j << 3)) + value * <f64>load<f32>(w + (j << 2)));
    }
    for (let j: usize = 0; j < <usize>NEURONS << 3; j += 8) store<f64>(own + j, Math.max(load<f64>(own + j), 0));
  }
}

/** Sixteen neurons. */
function halfForward(weights: usize, x: usize, inputs: usize, to: usize): void {
  const zero = f64x2.splat(0);
  let s0 = zero;
  let s1 = zero;
  let s2 = zero;
  let s3 = zero;
  let s4 = zero;
  let s5 = zero;
  let s6 = zero;
  let s7 = zero;
  for (let k: usize = 0; k < inputs; ++k) {
    if (load<f64>(x + (k << 3)) == 0) continue;
    const w = weights + k * BLOCK_BYTES;
    const value = v128.load_splat<u64>(x + (k << 3));
    s0 = f64x2.add(s0, f64x2.mul(value, wide(w)));
    s1 = f64x2.add(s1, f64x2.mul(value, wide(w + 8)));
    s2 = f64x2.add(s2, f64x2.mul(value, wide(w + 16)));
    s3 = f64x2.add(s3, f64x2.mul(value, wide(w + 24)));
    s4 = f64x2.add(s4, f64x2.mul(value, wide(w + 32)));
    s5 = f64x2.add(s5, f64x2.mul(value, wide(w + 40)));
    s6 = f64x2.add(s6, f64x2.mul(value, wide(w + 48)));
    s7 = f64x2.add(s7, f64x2.mul(value, wide(w + 56)));
  }
  v128.store(to, f64x2.max(s0, zero));
  v128.store(to, f64x2.max(s1, zero), 16);
  v128.store(to, f64x2.max(s2, zero), 32);
  v128.store(to, f64x2.max(s3, zero), 48);
  v128.store(to, f64x2.max(s4, zero), 64);
  v128.store(to, f64x2.max(s5, zero), 80);
  v128.store(to, f64x2.max(s6, zero), 96);
  v128.store(to, f64x2.max(s7, zero), 112);
}

/** to += W^T slopes, one f64 an input; a block's 32 products are added in two lanes, even and odd neurons. */
function layerBackward(layer: usize, slopes: usize, to: usize): void {
  const inputs = <usize>field(layer, LAYER_FAN_IN);
  const blocks = field(layer, LAYER_BLOCKS);
  for (let block = 0; block < blocks; ++block) {
    const own = slopes + (<usize>(block * NEURONS) << 3);
    const weights = pointerField(layer, LAYER_WEIGHTS) + <usize>block * inputs * BLOCK_BYTES;
    for (let k: usize = 0; k < inputs; ++k) {
      const w = weights + k * BLOCK_BYTES;
      let part: f64 = 0;
      if (ASC_FEATURE_SIMD) {
        let sum = f64x2.mul(wide(w), v128.load(own));
        for (let j: usize = 2; j < <usize>NEURONS; j += 2)
          sum = f64x2.add(sum, f64x2.mul(wide(w + (j << 2)), v128.load(own + (j << 3))));
        part = f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
      } else {
        let even = <f64>load<f32>(w) * load<f64>(own);
        let odd = <f64>load<f32>(w, 4) * load<f64>(own, 8);
        for (let j: usize = 2; j < <usize>NEURONS; j += 2) {
          even += <f64>load<f32>(w + (j << 2)) * load<f64>(own + (j << 3));
          odd += <f64>load<f32>(w + (j << 2), 4) * load<f64>(own + (j << 3), 8);
        }
        part = even + odd;
      }
      store<f64>(to + (k << 3), load<f64>(to + (k << 3)) + part);
    }
  }
}
