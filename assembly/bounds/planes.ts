// Integer planes of a first layer, over which 8-bit inputs have exact sums. Weights become two planes of int16,
// W_k = g p_k + h q_k + error with |p_k|, |q_k| <= most and steps g and h of each neuron, so that
//   C = sum_k W_k x_k = g sum_k p_k x_k + h sum_k q_k x_k +- L1(x) E,     E >= max_k |error_k|,   L1(x) = sum_k |x_k|.
// Two networks that are near each other, like a trained one and its start, share p, and q holds what each of them has
// besides: three planes, not four. Steps are those of all columns, whatever inputs use: they hang on the model alone.
//
// g p is within g / 2 of its weight, so the residues r = W - g p are at most g / 2 (and the distance of the networks);
// h is a little more than that over most, which makes q within h / 2. Rounding, with u = UNIT: steps are float32, so g p
// is exact; r and the three operations of c are rounded once each, by at most u most (g + h) (times L1(x) in c), and E
// has 8u of it.
// Planes hold only columns that some input uses, two to a slot, as i32x4.dot_i16x8_s takes them:
//   [half block of 16 neurons][slot][plane][neuron][2].
// Not here: the sums (integer.ts), what E costs a bound (ibp.ts).
import {
  IBP_CENTRE,
  IBP_CENTRE_ERRORS,
  IBP_CENTRE_PLANES,
  IBP_CENTRE_STEPS,
  IBP_ERRORS,
  IBP_NETWORK,
  IBP_PLANES,
  IBP_SLOT_COLUMNS,
  IBP_SLOTS,
  IBP_STEPS,
  LAYER_FAN_IN,
  LAYER_WEIGHTS,
  NEURONS,
} from "../layout";
import { field, pointerField, scratch } from "../memory";
import { above, UNIT } from "../rounding";
import { wide } from "./centres";

/** Neurons whose sums over all planes stay in registers. */
export const HALF: usize = 16;

/** Bytes of one plane of a slot: HALF neurons, two int16 each. */
export const PLANE_BYTES: usize = 64;

/** Bytes of NEURONS float64. */
export const LINE: usize = 256;

/** Largest integer in a plane. */
const MOST: f64 = 32767;

/** Least step: far above what float32 rounds coarsely. */
const LEAST_STEP: f64 = 1e-36;

/** Planes of block `chunk` of the job's networks: three when there is a start without planes of its own. */
export function planeBlock(chunk: i32, job: usize): void {
  const own = pointerField(job, IBP_NETWORK);
  const centre = pointerField(job, IBP_CENTRE);
  const apart = pointerField(job, IBP_CENTRE_PLANES);
  const planes = pointerField(job, IBP_PLANES);
  const steps = pointerField(job, IBP_STEPS);
  const errors = pointerField(job, IBP_ERRORS);
  const others = pointerField(job, IBP_CENTRE_ERRORS);
  if (centre == 0 || apart != 0) quantise(chunk, job, own, 0, planes, steps, errors, 0);
  else quantise(chunk, job, own, centre, planes, steps, errors, others);
  if (apart != 0) quantise(chunk, job, centre, 0, apart, pointerField(job, IBP_CENTRE_STEPS), others, 0);
}

// A block's state in scratch: lines of NEURONS float64.
const LARGEST: usize = 0; // max |p-plane's weights|
const APART: usize = LINE; // max |W - weights of the p plane|
const COARSE: usize = 2 * LINE; // g
const COARSE_INVERSE: usize = 3 * LINE;
const FINE: usize = 4 * LINE; // h of the layer, then 1 / h
const NEAR_FINE: usize = 6 * LINE; // h of the layer nearby, then 1 / h

/** Planes of one block of `layer`, beside it of `near` (0: none), whose weights the shared plane then holds. */
function quantise(chunk: i32, job: usize, layer: usize, near: usize, planes: usize, steps: usize, errors: usize, nearErrors: usize): void {
  const from = <usize>chunk * <usize>field(layer, LAYER_FAN_IN) * NEURONS << 2;
  const weights = pointerField(layer, LAYER_WEIGHTS) + from;
  const base = near == 0 ? weights : pointerField(near, LAYER_WEIGHTS) + from;
  const count: usize = near == 0 ? 2 : 3;
  const line = <usize>chunk * LINE;
  measure(<usize>field(layer, LAYER_FAN_IN), weights, base);
  chooseSteps(steps + line * count, count, errors + line, near == 0 ? 0 : nearErrors + line);
  const slots = <usize>field(job, IBP_SLOTS);
  const columns = pointerField(job, IBP_SLOT_COLUMNS);
  const pitch = count * PLANE_BYTES;
  const own = planes + <usize>chunk * 2 * slots * pitch;
  for (let k: usize = 0; k < 2 * slots; ++k) {
    const column = load<i32>(columns + (k << 2));
    const to = own + (k >> 1) * pitch + ((k & 1) << 1);
    const at = <usize>(column * NEURONS) << 2;
    for (let half: usize = 0; half < 2; ++half) {
      const place = to + half * slots * pitch;
      if (column >= 0) column16(weights + at + half * 64, base + at + half * 64, half * (LINE / 2), place, near != 0);
      else for (let j: usize = 0; j < pitch; j += 4) store<i16>(place + j, 0);
    }
  }
}

/** The integers of one column for sixteen neurons, whose steps stand at `line` of the state's lines. */
function column16(weights: usize, base: usize, line: usize, to: usize, near: bool): void {
  const state = scratch() + line;
  for (let j: usize = 0; j < HALF; ++j) {
    const w = <f64>load<f32>(weights + (j << 2));
    const b = <f64>load<f32>(base + (j << 2));
    const own = state + (j << 3);
    const p = whole(b * load<f64>(own + COARSE_INVERSE));
    const shared = load<f64>(own + COARSE) * p;
    store<i16>(to + (j << 2), <i16><i32>p);
    store<i16>(to + PLANE_BYTES + (j << 2), <i16><i32>whole((w - shared) * load<f64>(own + FINE + LINE)));
    if (near) store<i16>(to + 2 * PLANE_BYTES + (j << 2), <i16><i32>whole((b - shared) * load<f64>(own + NEAR_FINE + LINE)));
  }
}

/** The nearest integer in [-MOST, MOST]; NaN gives -MOST, and the steps have it too. */
// @ts-ignore: decorator
@inline
function whole(x: f64): f64 {
  const near = nearest(x);
  return near > MOST ? MOST : near > -MOST ? near : -MOST;
}

/** Largest weights of each neuron of a block, and largest distances of the two networks, over all columns. */
function measure(inputs: usize, weights: usize, base: usize): void {
  for (let j: usize = 0; j < <usize>NEURONS; j += 4) {
    if (ASC_FEATURE_SIMD) fourLargest(inputs, weights + (j << 2), base + (j << 2), scratch() + (j << 3));
    else for (let i = j; i < j + 4; ++i) oneLargest(inputs, weights + (i << 2), base + (i << 2), scratch() + (i << 3));
  }
}

function oneLargest(inputs: usize, weights: usize, base: usize, to: usize): void {
  let largest: f64 = 0;
  let apart: f64 = 0;
  for (let k: usize = 0; k < inputs << 7; k += 128) {
    const b = <f64>load<f32>(base + k);
    largest = Math.max(largest, Math.abs(b));
    apart = Math.max(apart, Math.abs(<f64>load<f32>(weights + k) - b));
  }
  store<f64>(to + LARGEST, largest);
  store<f64>(to + APART, apart);
}

function fourLargest(inputs: usize, weights: usize, base: usize, to: usize): void {
  let largest = f32x4.splat(0);
  let low = f64x2.splat(0);
  let high = low;
  for (let k: usize = 0; k < inputs << 7; k += 128) {
    const b = v128.load(base + k);
    largest = f32x4.max(largest, f32x4.abs(b));
    low = f64x2.max(low, f64x2.abs(f64x2.sub(wide(weights + k), wide(base + k))));
    high = f64x2.max(high, f64x2.abs(f64x2.sub(wide(weights + k + 8), wide(base + k + 8))));
  }
  v128.store(to + LARGEST, f64x2.promote_low_f32x4(largest));
  v128.store(to + LARGEST, f64x2.promote_low_f32x4(v128.shuffle<i64>(largest, largest, 1, 0)), 16);
  v128.store(to + APART, low);
  v128.store(to + APART, high, 16);
}

/** A step that takes `largest` to MOST, in float32 so that its products with int16 are exact. NaN stays. */
// @ts-ignore: decorator
@inline
function stepOf(largest: f64): f64 {
  return Math.max(<f64>(<f32>(largest / MOST)), <f64>(<f32>LEAST_STEP));
}

/** E of a neuron; 0 where all weights are 0, as of padding. */
// @ts-ignore: decorator
@inline
function errorOf(g: f64, h: f64, largest: f64): f64 {
  return largest == 0 ? 0 : above(0.5 * h * (1 + 1e-6) + 8 * UNIT * MOST * (g + h), 16);
}

/** Steps g and h of each neuron of a block from what measure() left, and its error E. */
function chooseSteps(steps: usize, count: usize, errors: usize, nearErrors: usize): void {
  const state = scratch();
  for (let j: usize = 0; j < LINE; j += 8) {
    const largest = load<f64>(state + LARGEST + j);
    const apart = load<f64>(state + APART + j);
    const g = stepOf(largest);
    const h = stepOf((0.5 * g + apart) * (1 + 1e-3));
    const near = stepOf(0.5 * g * (1 + 1e-3));
    store<f64>(state + COARSE + j, g);
    store<f64>(state + COARSE_INVERSE + j, 1 / g);
    store<f64>(state + FINE + j, h);
    store<f64>(state + FINE + LINE + j, 1 / h);
    store<f64>(state + NEAR_FINE + j, near);
    store<f64>(state + NEAR_FINE + LINE + j, 1 / near);
    store<f64>(steps + j, g);
    store<f64>(steps + LINE + j, h);
    store<f64>(errors + j, errorOf(g, h, largest + apart));
    if (count < 3) continue;
    store<f64>(steps + 2 * LINE + j, near);
    store<f64>(nearErrors + j, errorOf(g, near, largest));
  }
}

/**
 * What the errors of `width` neurons cost, a unit of L1(x), and to + 8 the same as a share of the radius. With output
 * weights v (float32): sum_j |v_j| E_j, which the output is wrong by at most; without (0): max_j E_j / R_j, which the
 * ball's radius grows by.
 */
export function planeLoss(errors: usize, output: usize, spreads: usize, width: i32, to: usize): void {
  let loss: f64 = 0;
  let reach: f64 = 0;
  for (let j: usize = 0; j < <usize>width; ++j) {
    const error = load<f64>(errors + (j << 3));
    const spread = load<f64>(spreads + (j << 3));
    // Spreads are rounded up, by fewer ulps than there are inputs.
    if (output == 0) loss = Math.max(loss, error == 0 ? 0 : above(error / spread, 1e7));
    else {
      const v = Math.abs(<f64>load<f32>(output + (j << 2)));
      loss += v * error;
      reach += v * spread;
    }
  }
  const total = output == 0 ? loss : above(loss, <f64>width + 4);
  store<f64>(to, total);
  store<f64>(to, output == 0 ? total : total / reach, 8);
}
