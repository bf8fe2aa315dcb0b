// Interval bound propagation through a finite ReLU network on an l-infinity ball, rounded outward, any number of hidden
// layers. Scales of layers are positive and come out of every relu, so everything is computed without them.
//
// First layer, raw inputs x = x0 + D, |D_k| <= e:  (W x)_j in c_j +- e rho_j,  c_j = sum_k W_kj x0_k,  rho_j = sum |W_kj|.
// Products of float32 weights with 8-bit pixels are exact in float64; the sum of n of them is off by at most
// n UNIT sum |W_kj| |x0_k| <= n UNIT max|x0| rho_j, which is the same as a ball larger by n UNIT max|x0|.
// Later layers: with inputs in [l, h], m = (l + h) / 2 and r = (h - l) / 2,  W a in W m +- |W| r, widened likewise.
// Output: sum_j v_j a_j takes each a_j at the end that the sign of v_j picks.
// The published certificate keeps f_0 at the centre (frozen); the other form bounds f - f_0 on the ball by both ends.
// Not here: the search for a radius (certify.ts) and training (network/).
import {
  IBP_CENTRE,
  IBP_CENTRE_OUTPUT,
  IBP_CENTRE_SPREADS,
  IBP_COLUMNS,
  IBP_DIFFERENCE,
  IBP_ENTRIES,
  IBP_LAYERS,
  IBP_NETWORK,
  IBP_OUTPUT,
  IBP_SPREADS,
  IBP_STARTS,
  LAYER_BLOCKS,
  LAYER_BYTES,
  LAYER_FAN_IN,
  LAYER_WEIGHTS,
  NEURONS,
} from "../layout";
import { field, pointerField } from "../memory";
import { above, sumError, UNIT } from "../rounding";

const BLOCK_BYTES: usize = 128; // NEURONS float32

// The input and the network at hand, one set a thread.
let job: usize = 0;
let sign: f64 = 1;
let values: usize = 0; // c of the trained network
let centreValues: usize = 0; // c of the network at the start
let work: usize = 0; // six arrays of the largest width
let largest: usize = 0; // entries in one of them
let blur: f64 = 0; // what rounding of c adds to the ball's radius
let centreBound: f64 = 0; // lower bound of -sign f_0(x0), for the frozen form

/** rho_j of block `chunk`, rounded up. */
export function ibpSpreads(chunk: i32, layer: usize, spreads: usize): void {
  const inputs = field(layer, LAYER_FAN_IN);
  const weights = pointerField(layer, LAYER_WEIGHTS) + <usize>chunk * <usize>inputs * BLOCK_BYTES;
  for (let j: usize = 0; j < <usize>NEURONS; ++j) {
    let sum: f64 = 0;
    for (let k: usize = 0; k < <usize>inputs; ++k) sum += Math.abs(<f64>load<f32>(weights + k * BLOCK_BYTES + (j << 2)));
    store<f64>(spreads + ((<usize>chunk * NEURONS + j) << 3), above(sum, <f64>inputs));
  }
}

/** Prepares input `index` of the job; `memory` holds 2 * first width + 6 * `widest` float64. */
export function ibpStart(record: usize, index: i32, memory: usize, widest: i32): void {
  job = record;
  sign = 1;
  largest = <usize>widest;
  const network = pointerField(job, IBP_NETWORK);
  const first = <usize>(field(network, LAYER_BLOCKS) * NEURONS);
  values = memory;
  centreValues = memory + (first << 3);
  work = memory + (first << 4);
  const starts = pointerField(job, IBP_STARTS) + (<usize>index << 2);
  const from = load<i32>(starts);
  const count = load<i32>(starts, 4) - from;
  const columns = pointerField(job, IBP_COLUMNS) + (<usize>from << 2);
  const entries = pointerField(job, IBP_ENTRIES) + (<usize>from << 3);
  let size: f64 = 0;
  for (let k: usize = 0; k < <usize>count << 3; k += 8) size = Math.max(size, Math.abs(load<f64>(entries + k)));
  // float64 inputs round each product too: one more unit a term.
  blur = above(<f64>(2 * count + 8) * UNIT * size, 4);
  firstLayer(network, count, columns, entries, values);
  const centre = pointerField(job, IBP_CENTRE);
  if (centre != 0) firstLayer(centre, count, columns, entries, centreValues);
  centreBound = centre == 0 ? 0 : networkLower(true, -1, 0);
}

/** Turns the bound around: from now on of -(f - f_0). */
export function ibpNegate(): void {
  sign = -sign;
  centreBound = pointerField(job, IBP_CENTRE) == 0 ? 0 : networkLower(true, -sign, 0);
}

/** A lower bound of sign (f - f_0) on the ball of radius `reach` (raw units), without the layers' scales. */
export function ibpLower(reach: f64): f64 {
  const own = networkLower(false, sign, reach);
  if (pointerField(job, IBP_CENTRE) == 0) return own;
  const other = field(job, IBP_DIFFERENCE) ? networkLower(true, -sign, reach) : centreBound;
  const sum = own + other;
  return sum - Math.abs(sum) * 2 * UNIT;
}

/** c of every neuron of the first layer. */
function firstLayer(layer: usize, count: i32, columns: usize, entries: usize, to: usize): void {
  const blocks = field(layer, LAYER_BLOCKS);
  const pitch = <usize>field(layer, LAYER_FAN_IN) * BLOCK_BYTES;
  for (let block = 0; block < blocks; ++block) {
    const weights = pointerField(layer, LAYER_WEIGHTS) + <usize>block * pitch;
    const own = to + (<usize>(block * NEURONS) << 3);
    memory.fill(own, 0, NEURONS * 8);
    // Eight neurons at a time stay in registers.
    for (let part: usize = 0; part < <usize>NEURONS; part += 8) eightNeurons(weights + (part << 2), count, columns, entries, own + (part << 3));
  }
}

function eightNeurons(weights: usize, count: i32, columns: usize, entries: usize, to: usize): void {
  if (ASC_FEATURE_SIMD) {
    let s0 = f64x2.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    for (let k: usize = 0; k < <usize>count; ++k) {
      const w = weights + <usize>load<u32>(columns + (k << 2)) * BLOCK_BYTES;
      const x = v128.load_splat<u64>(entries + (k << 3));
      s0 = f64x2.add(s0, f64x2.mul(x, f64x2.promote_low_f32x4(v128.load64_zero(w))));
      s1 = f64x2.add(s1, f64x2.mul(x, f64x2.promote_low_f32x4(v128.load64_zero(w, 8))));
      s2 = f64x2.add(s2, f64x2.mul(x, f64x2.promote_low_f32x4(v128.load64_zero(w, 16))));
      s3 = f64x2.add(s3, f64x2.mul(x, f64x2.promote_low_f32x4(v128.load64_zero(w, 24))));
    }
    v128.store(to, s0);
    v128.store(to, s1, 16);
    v128.store(to, s2, 32);
    v128.store(to, s3, 48);
    return;
  }
  for (let k: usize = 0; k < <usize>count; ++k) {
    const w = weights + <usize>load<u32>(columns + (k << 2)) * BLOCK_BYTES;
    const x = load<f64>(entries + (k << 3));
    for (let j: usize = 0; j < 8; ++j) store<f64>(to + (j << 3), load<f64>(to + (j << 3)) + x * <f64>load<f32>(w + (j << 2)));
  }
}

/** Lower bound of direction * f over the ball; `centre` picks the network at the start. */
function networkLower(centre: bool, direction: f64, reach: f64): f64 {
  const layers = pointerField(job, centre ? IBP_CENTRE : IBP_NETWORK);
  const spreads = pointerField(job, centre ? IBP_CENTRE_SPREADS : IBP_SPREADS);
  const start = centre ? centreValues : values;
  const depth = field(job, IBP_LAYERS);
  let low = work;
  let high = work + (largest << 3);
  const first = <usize>(field(layers, LAYER_BLOCKS) * NEURONS);
  const e = above(reach + blur, 4);
  for (let j: usize = 0; j < first << 3; j += 8) {
    const c = load<f64>(start + j);
    const r = above(e * load<f64>(spreads + j), 4);
    store<f64>(low + j, Math.max(0, c - r - Math.abs(c - r) * UNIT));
    store<f64>(high + j, Math.max(0, c + r + Math.abs(c + r) * UNIT));
  }
  for (let l = 1; l < depth; ++l) nextLayer(layers + <usize>(l - 1) * LAYER_BYTES, layers + <usize>l * LAYER_BYTES, low, high);
  const last = layers + <usize>(depth - 1) * LAYER_BYTES;
  return outputLower(last, pointerField(job, centre ? IBP_CENTRE_OUTPUT : IBP_OUTPUT), direction, low, high);
}

/** [low, high] after one more layer, in place. */
function nextLayer(before: usize, layer: usize, low: usize, high: usize): void {
  const inputs = field(layer, LAYER_FAN_IN);
  const blocks = field(layer, LAYER_BLOCKS);
  const middle = work + (2 * largest << 3);
  const radius = work + (3 * largest << 3);
  const sums = work + (4 * largest << 3);
  const widths = work + (5 * largest << 3);
  for (let k: usize = 0; k < <usize>inputs << 3; k += 8) {
    const m = 0.5 * (load<f64>(low + k) + load<f64>(high + k));
    store<f64>(middle + k, m);
    // Either end may be the farther one after rounding of the middle.
    store<f64>(radius + k, above(Math.max(load<f64>(high + k) - m, m - load<f64>(low + k)), 4));
  }
  for (let block = 0; block < blocks; ++block) {
    const weights = pointerField(layer, LAYER_WEIGHTS) + <usize>block * <usize>inputs * BLOCK_BYTES;
    for (let j: usize = 0; j < <usize>NEURONS; ++j) {
      let centre: f64 = 0;
      let spread: f64 = 0;
      let size: f64 = 0;
      for (let k: usize = 0; k < <usize>inputs; ++k) {
        const w = <f64>load<f32>(weights + k * BLOCK_BYTES + (j << 2));
        const m = w * load<f64>(middle + (k << 3));
        centre += m;
        size += Math.abs(m);
        spread += Math.abs(w) * load<f64>(radius + (k << 3));
      }
      const at = (<usize>(block * NEURONS) + j) << 3;
      store<f64>(sums + at, centre);
      store<f64>(widths + at, above(spread, <f64>inputs + 4) + sumError(<f64>inputs, 4, size));
    }
  }
  for (let j: usize = 0; j < <usize>(blocks * NEURONS) << 3; j += 8) {
    const c = load<f64>(sums + j);
    const r = load<f64>(widths + j);
    store<f64>(low + j, Math.max(0, c - r - Math.abs(c - r) * UNIT));
    store<f64>(high + j, Math.max(0, c + r + Math.abs(c + r) * UNIT));
  }
}

/** Lower bound of direction * sum_j v_j a_j for a_j in [low, high]. */
function outputLower(layer: usize, output: usize, direction: f64, low: usize, high: usize): f64 {
  const count = <usize>(field(layer, LAYER_BLOCKS) * NEURONS);
  let sum: f64 = 0;
  let size: f64 = 0;
  for (let j: usize = 0; j < count; ++j) {
    const v = direction * <f64>load<f32>(output + (j << 2));
    const part = v * load<f64>((v >= 0 ? low : high) + (j << 3));
    sum += part;
    size += Math.abs(part);
  }
  return sum - sumError(<f64>count, 4, size);
}
