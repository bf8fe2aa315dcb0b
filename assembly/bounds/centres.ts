// The first layer of a finite network at the centres of balls: C_j = sum_k W_kj x_k for a slice of the inputs, and the
// spreads R_j = sum_k |W_kj|. A chunk is one block of neurons for the whole slice, so weights are read once a slice.
// Not here: sums of 8-bit inputs over integer planes (integer.ts) and what bounds make of the sums (ibp.ts).
import {
  IBP_CENTRE,
  IBP_CENTRE_VALUES,
  IBP_COLUMNS,
  IBP_ENTRIES,
  IBP_NETWORK,
  IBP_PLANES,
  IBP_STARTS,
  IBP_VALUES,
  LAYER_BLOCKS,
  LAYER_FAN_IN,
  LAYER_WEIGHTS,
  NEURONS,
} from "../layout";
import { field, pointerField } from "../memory";
import { above } from "../rounding";
import { integerCentres } from "./integer";

/** Bytes of one input's weights in a block of neurons: NEURONS float32. */
export const BLOCK_BYTES: usize = 128;

/** R_j of block `chunk`, rounded up. */
export function ibpSpreads(chunk: i32, layer: usize, spreads: usize): void {
  const inputs = field(layer, LAYER_FAN_IN);
  const weights = pointerField(layer, LAYER_WEIGHTS) + <usize>chunk * <usize>inputs * BLOCK_BYTES;
  const own = spreads + (<usize>(chunk * NEURONS) << 3);
  memory.fill(own, 0, NEURONS * 8);
  for (let k: usize = 0; k < <usize>inputs; ++k)
    for (let j: usize = 0; j < <usize>NEURONS; ++j)
      store<f64>(own + (j << 3), load<f64>(own + (j << 3)) + Math.abs(<f64>load<f32>(weights + k * BLOCK_BYTES + (j << 2))));
  for (let j: usize = 0; j < <usize>NEURONS << 3; j += 8) store<f64>(own + j, above(load<f64>(own + j), <f64>inputs));
}

/** c of block `chunk` for inputs [first, end) of the job, one row of IBP_VALUES (and IBP_CENTRE_VALUES) each. */
export function ibpCentres(chunk: i32, job: usize, first: i32, end: i32): void {
  if (pointerField(job, IBP_PLANES) != 0) return integerCentres(chunk, job, first, end);
  plainCentres(chunk, job, first, end, pointerField(job, IBP_NETWORK), pointerField(job, IBP_VALUES));
  const centre = pointerField(job, IBP_CENTRE);
  if (centre != 0) plainCentres(chunk, job, first, end, centre, pointerField(job, IBP_CENTRE_VALUES));
}

function plainCentres(chunk: i32, job: usize, first: i32, end: i32, layer: usize, to: usize): void {
  const weights = pointerField(layer, LAYER_WEIGHTS) + <usize>chunk * <usize>field(layer, LAYER_FAN_IN) * BLOCK_BYTES;
  const row = <usize>(field(layer, LAYER_BLOCKS) * NEURONS) << 3;
  const own = to + (<usize>(chunk * NEURONS) << 3);
  for (let i = first; i < end; ++i) centreBlock(job, weights, i, own + <usize>(i - first) * row);
}

/** c of one block for one input: each neuron's terms are added in the order of the columns. */
function centreBlock(job: usize, weights: usize, index: i32, to: usize): void {
  const starts = pointerField(job, IBP_STARTS) + (<usize>index << 2);
  const from = <usize>load<i32>(starts);
  const count = <usize>load<i32>(starts, 4) - from;
  const columns = pointerField(job, IBP_COLUMNS) + (from << 2);
  const entries = pointerField(job, IBP_ENTRIES) + (from << 3);
  if (ASC_FEATURE_SIMD) {
    halfBlock(weights, count, columns, entries, to);
    halfBlock(weights + 64, count, columns, entries, to + 128);
    return;
  }
  memory.fill(to, 0, NEURONS * 8);
  for (let k: usize = 0; k < count; ++k) {
    const w = weights + <usize>load<u32>(columns + (k << 2)) * BLOCK_BYTES;
    const x = load<f64>(entries + (k << 3));
    for (let j: usize = 0; j < <usize>NEURONS; ++j)
      store<f64>(to + (j << 3), load<f64>(to + (j << 3)) + x * <f64>load<f32>(w + (j << 2)));
  }
}

// @ts-ignore: decorator
@inline
export function wide(weights: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(weights));
}

/** Sixteen neurons, whose sums stay in registers. */
function halfBlock(weights: usize, count: usize, columns: usize, entries: usize, to: usize): void {
  let s0 = f64x2.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let s4 = s0;
  let s5 = s0;
  let s6 = s0;
  let s7 = s0;
  for (let k: usize = 0; k < count; ++k) {
    const w = weights + <usize>load<u32>(columns + (k << 2)) * BLOCK_BYTES;
    const x = v128.load_splat<u64>(entries + (k << 3));
    s0 = f64x2.add(s0, f64x2.mul(x, wide(w)));
    s1 = f64x2.add(s1, f64x2.mul(x, wide(w + 8)));
    s2 = f64x2.add(s2, f64x2.mul(x, wide(w + 16)));
    s3 = f64x2.add(s3, f64x2.mul(x, wide(w + 24)));
    s4 = f64x2.add(s4, f64x2.mul(x, wide(w + 32)));
    s5 = f64x2.add(s5, f64x2.mul(x, wide(w + 40)));
    s6 = f64x2.add(s6, f64x2.mul(x, wide(w + 48)));
    s7 = f64x2.add(s7, f64x2.mul(x, wide(w + 56)));
  }
  v128.store(to, s0);
  v128.store(to, s1, 16);
  v128.store(to, s2, 32);
  v128.store(to, s3, 48);
  v128.store(to, s4, 64);
  v128.store(to, s5, 80);
  v128.store(to, s6, 96);
  v128.store(to, s7, 112);
}
