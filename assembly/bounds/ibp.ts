// Interval bound propagation through a finite ReLU network on an l-infinity ball, rounded outward, any number of hidden
// layers. Scales of layers are positive and come out of every relu, so everything is computed without them.
//
// First layer, raw inputs x = x0 + D, |D_k| <= delta:  (W x)_j in C_j +- delta R_j,  C_j = sum_k W_kj x0_k,
// R_j = sum_k |W_kj|. Later layers, inputs in [l, h]:  m = (l + h) / 2, r = (h - l) / 2,  (W a)_j in (W m)_j +- (|W| r)_j.
// Output: sum_j v_j a_j takes each a_j at the end that the sign of v_j picks.
// The published certificate keeps f_0 at the centre (frozen); the other form bounds f - f_0 on the ball by both ends.
//
// Rounding, with u = UNIT. Weights are float32 and 8-bit pixels integers, so their products are exact; products with
// float64 inputs are not. Either way the computed c_j of n terms has |c_j - C_j| <= (n + 1) u sum |W_kj x0_k|, which is
// at most (n + 1) u X R_j with X = max |x0_k|: the same as a ball larger by (n + 1) u X. What c_j -+ e R_j loses by its
// own two roundings is at most u |c_j| + 2u e R_j, and |c_j| <= (1 + n u) X R_j. A ball of radius
//   e = above(delta + (2n + 16) u X, 16) + 1e-250
// (the last term for products below the normal numbers) therefore makes the computed ends safe as they are. Later layers
// do the same with m in place of x0: r grows by (2n + 16) u m. The sum over v_j a_j is corrected by sumError.
// Sums from integer planes (planes.ts) are off by at most L1(x) h_j. With one hidden layer that moves the output by
// L1(x) sum_j |v_j| h_j at most, as relu is 1-Lipschitz; in deep networks the ball grows by L1(x) max_j h_j / R_j.
// Every end that is NaN or infinite makes the bound NaN, which proves nothing.
// Not here: C_j and R_j (centres.ts), the search for a radius (search.ts), its entry points (certify.ts), training (network/).
import {
  IBP_CENTRE,
  IBP_CENTRE_LOSS,
  IBP_CENTRE_OUTPUT,
  IBP_CENTRE_SPREADS,
  IBP_CENTRE_VALUES,
  IBP_DIFFERENCE,
  IBP_LAYERS,
  IBP_LOSS,
  IBP_NETWORK,
  IBP_OFFSETS,
  IBP_OUTPUT,
  IBP_SIZES,
  IBP_SPREADS,
  IBP_VALUES,
  IBP_WIDEST,
  LAYER_BLOCKS,
  LAYER_BYTES,
  LAYER_FAN_IN,
  LAYER_WEIGHTS,
  NEURONS,
} from "../layout";
import { field, floatField, pointerField } from "../memory";
import { above, nextDown, sumError, UNIT } from "../rounding";
import { BLOCK_BYTES, wide } from "./centres";

/** Absolute growth of every ball: products of weights and inputs may fall below the normal numbers. */
const LEAST: f64 = 1e-250;

// The input and the network at hand, one set a thread.
let job: usize = 0;
let place: usize = 0; // place in the slice of the input at hand
let blur: f64 = 0; // what rounding of c adds to the radius of its ball
let ownLoss: f64 = 0; // what planes cost the trained network at this input
let startLoss: f64 = 0; // and the network at the start
let sign: f64 = 1;
let frozenBelow: f64 = 0; // lower bound of -f_0(x0), and of f_0(x0)
let frozenAbove: f64 = 0;

// Of deep networks: inputs of a layer that are not 0 on the whole ball, then c and its radius for each neuron.
let active: i32 = 0;
let actives: usize = 0;
let middles: usize = 0;
let radii: usize = 0;
let sums: usize = 0;
let widths: usize = 0;

/**
 * Takes input `index`, number `which` of the slice whose sums are there; the bound is of f - f_0 from now on. `memory`
 * holds 5 * IBP_WIDEST entries when there are several hidden layers.
 */
export function ibpOpen(record: usize, index: i32, which: i32, memory: usize): void {
  job = record;
  sign = 1;
  place = <usize>which;
  const entry = <usize>field(job, IBP_WIDEST) << 3;
  actives = memory;
  middles = actives + entry;
  radii = middles + entry;
  sums = radii + entry;
  widths = sums + entry;
  const sizes = pointerField(job, IBP_SIZES) + <usize>index * 24;
  blur = (2 * load<f64>(sizes, 16) + 16) * UNIT * load<f64>(sizes);
  ownLoss = above(floatField(job, IBP_LOSS) * load<f64>(sizes, 8), 4);
  startLoss = above(floatField(job, IBP_CENTRE_LOSS) * load<f64>(sizes, 8), 4);
  if (pointerField(job, IBP_CENTRE) == 0 || field(job, IBP_DIFFERENCE)) return;
  if (pointerField(job, IBP_OFFSETS) != 0) return keepOffset();
  frozenBelow = networkLower(true, -1, 0);
  frozenAbove = networkLower(true, 1, 0);
}

/** f_0(x0) of a lone hidden layer from the shares of its blocks, both ends. */
function keepOffset(): void {
  const blocks = <usize>field(pointerField(job, IBP_CENTRE), LAYER_BLOCKS);
  const shares = pointerField(job, IBP_OFFSETS) + ((place * blocks) << 4);
  let sum: f64 = 0;
  let size: f64 = 0;
  for (let block: usize = 0; block < blocks << 4; block += 16) {
    sum += load<f64>(shares + block);
    size += load<f64>(shares + block, 8);
  }
  const error = above(sumError(<f64>(blocks * NEURONS), 4, size) + startLoss, 4);
  frozenBelow = nextDown(-sum - error);
  frozenAbove = nextDown(sum - error);
}

/** Turns the bound around: from now on of -(f - f_0). */
export function ibpNegate(): void {
  sign = -sign;
}

/** A lower bound of sign (f - f_0) on the ball of radius `reach` (raw units), without the layers' scales. */
export function ibpLower(reach: f64): f64 {
  const own = networkLower(false, sign, reach);
  if (pointerField(job, IBP_CENTRE) == 0) return own;
  const frozen = sign > 0 ? frozenBelow : frozenAbove;
  const sum = own + (field(job, IBP_DIFFERENCE) ? networkLower(true, -sign, reach) : frozen);
  return sum - Math.abs(sum) * 2 * UNIT;
}

/** Lower bound of direction * f over the ball; `start` picks the network at the start. */
function networkLower(start: bool, direction: f64, reach: f64): f64 {
  const layers = pointerField(job, start ? IBP_CENTRE : IBP_NETWORK);
  const spreads = pointerField(job, start ? IBP_CENTRE_SPREADS : IBP_SPREADS);
  const output = pointerField(job, start ? IBP_CENTRE_OUTPUT : IBP_OUTPUT);
  const depth = field(job, IBP_LAYERS);
  const width = field(layers, LAYER_BLOCKS) * NEURONS;
  const c = pointerField(job, start ? IBP_CENTRE_VALUES : IBP_VALUES) + ((place * <usize>width) << 3);
  const loss = start ? startLoss : ownLoss;
  if (depth == 1) {
    const lower = outputLower(output, direction, c, spreads, above(reach + blur, 16) + LEAST, <usize>width);
    return loss == 0 ? lower : nextDown(lower - loss);
  }
  activate(c, spreads, above(reach + blur + loss, 16) + LEAST, <usize>width);
  let last = layers;
  for (let l = 1; l < depth; ++l) {
    last = layers + <usize>l * LAYER_BYTES;
    nextLayer(last);
    if (l + 1 < depth) activate(sums, widths, 1, <usize>(field(last, LAYER_BLOCKS) * NEURONS));
  }
  return outputLower(output, direction, sums, widths, 1, <usize>(field(last, LAYER_BLOCKS) * NEURONS));
}

/** Lists the neurons relu([c - e s, c + e s]) that are not 0 on the whole ball, as the next layer's m and r. */
function activate(c: usize, spreads: usize, e: f64, count: usize): void {
  let n: usize = 0;
  for (let j: usize = 0; j < count; ++j) {
    const centre = load<f64>(c + (j << 3));
    const radius = e * load<f64>(spreads + (j << 3));
    const high = centre + radius;
    // NaN stays, so that it reaches the bound and is seen there.
    if (high <= 0) continue;
    const low = Math.max(0, centre - radius);
    const m = 0.5 * (low + high);
    store<i32>(actives + (n << 2), <i32>j);
    store<f64>(middles + (n << 3), m);
    // Either end may be the farther one after rounding of the middle.
    store<f64>(radii + (n << 3), Math.max(high - m, m - low));
    ++n;
  }
  active = <i32>n;
  const share = (2 * <f64>n + 16) * UNIT;
  for (let k: usize = 0; k < n << 3; k += 8)
    store<f64>(radii + k, above(load<f64>(radii + k) + share * load<f64>(middles + k), 8) + LEAST);
}

/** c and its radius for each neuron of a later layer. */
function nextLayer(layer: usize): void {
  const blocks = field(layer, LAYER_BLOCKS);
  const pitch = <usize>field(layer, LAYER_FAN_IN) * BLOCK_BYTES;
  const ulps = <f64>active + 16;
  for (let block = 0; block < blocks; ++block) {
    const weights = pointerField(layer, LAYER_WEIGHTS) + <usize>block * pitch;
    const at = <usize>(block * NEURONS) << 3;
    for (let part: usize = 0; part < <usize>NEURONS; part += 8) eightNeurons(weights + (part << 2), sums + at + (part << 3), widths + at + (part << 3));
    for (let j: usize = at; j < at + ((<usize>NEURONS) << 3); j += 8) store<f64>(widths + j, above(load<f64>(widths + j), ulps));
  }
}

/** sum_k W_kj m_k and sum_k |W_kj| r_k over the active inputs, for eight neurons. */
function eightNeurons(weights: usize, to: usize, radius: usize): void {
  const count = <usize>active;
  if (ASC_FEATURE_SIMD) {
    let c0 = f64x2.splat(0);
    let c1 = c0;
    let c2 = c0;
    let c3 = c0;
    let r0 = c0;
    let r1 = c0;
    let r2 = c0;
    let r3 = c0;
    for (let k: usize = 0; k < count; ++k) {
      const w = weights + <usize>load<u32>(actives + (k << 2)) * BLOCK_BYTES;
      const m = v128.load_splat<u64>(middles + (k << 3));
      const r = v128.load_splat<u64>(radii + (k << 3));
      const w0 = wide(w);
      const w1 = wide(w + 8);
      const w2 = wide(w + 16);
      const w3 = wide(w + 24);
      c0 = f64x2.add(c0, f64x2.mul(m, w0));
      c1 = f64x2.add(c1, f64x2.mul(m, w1));
      c2 = f64x2.add(c2, f64x2.mul(m, w2));
      c3 = f64x2.add(c3, f64x2.mul(m, w3));
      r0 = f64x2.add(r0, f64x2.mul(r, f64x2.abs(w0)));
      r1 = f64x2.add(r1, f64x2.mul(r, f64x2.abs(w1)));
      r2 = f64x2.add(r2, f64x2.mul(r, f64x2.abs(w2)));
      r3 = f64x2.add(r3, f64x2.mul(r, f64x2.abs(w3)));
    }
    v128.store(to, c0);
    v128.store(to, c1, 16);
    v128.store(to, c2, 32);
    v128.store(to, c3, 48);
    v128.store(radius, r0);
    v128.store(radius, r1, 16);
    v128.store(radius, r2, 32);
    v128.store(radius, r3, 48);
    return;
  }
  for (let j: usize = 0; j < 8; ++j) {
    let centre: f64 = 0;
    let spread: f64 = 0;
    for (let k: usize = 0; k < count; ++k) {
      const w = <f64>load<f32>(weights + <usize>load<u32>(actives + (k << 2)) * BLOCK_BYTES + (j << 2));
      centre += load<f64>(middles + (k << 3)) * w;
      spread += load<f64>(radii + (k << 3)) * Math.abs(w);
    }
    store<f64>(to + (j << 3), centre);
    store<f64>(radius + (j << 3), spread);
  }
}

/**
 * Lower bound of direction * sum_j v_j relu(a_j) for a_j in [c_j - e s_j, c_j + e s_j]. Four sums, neuron j in sum
 * j mod 4; `count` is a multiple of 4.
 */
function outputLower(output: usize, direction: f64, c: usize, spreads: usize, e: f64, count: usize): f64 {
  if (ASC_FEATURE_SIMD) return outputLanes(output, direction, c, spreads, e, count);
  let s0: f64 = 0;
  let s1: f64 = 0;
  let s2: f64 = 0;
  let s3: f64 = 0;
  let t0: f64 = 0;
  let t1: f64 = 0;
  let t2: f64 = 0;
  let t3: f64 = 0;
  for (let j: usize = 0; j < count; j += 4) {
    const p0 = outputTerm(output, direction, c, spreads, e, j);
    const p1 = outputTerm(output, direction, c, spreads, e, j + 1);
    const p2 = outputTerm(output, direction, c, spreads, e, j + 2);
    const p3 = outputTerm(output, direction, c, spreads, e, j + 3);
    s0 += p0;
    s1 += p1;
    s2 += p2;
    s3 += p3;
    t0 += Math.abs(p0);
    t1 += Math.abs(p1);
    t2 += Math.abs(p2);
    t3 += Math.abs(p3);
  }
  return s0 + s2 + (s1 + s3) - sumError(<f64>count, 4, t0 + t2 + (t1 + t3));
}

/** direction v_j relu at the end that makes it smallest. */
// @ts-ignore: decorator
@inline
function outputTerm(output: usize, direction: f64, c: usize, spreads: usize, e: f64, j: usize): f64 {
  const v = direction * <f64>load<f32>(output + (j << 2));
  const end = load<f64>(c + (j << 3)) - copysign<f64>(e * load<f64>(spreads + (j << 3)), v);
  return v * (end < 0 ? 0 : end);
}

function outputLanes(output: usize, direction: f64, c: usize, spreads: usize, e: f64, count: usize): f64 {
  const zero = f64x2.splat(0);
  const signs = f64x2.splat(-0.0);
  const turned = f64x2.splat(direction);
  const reach = f64x2.splat(e);
  let s0 = zero;
  let s1 = zero;
  let t0 = zero;
  let t1 = zero;
  for (let j: usize = 0; j < count; j += 4) {
    const at = j << 3;
    const v0 = f64x2.mul(turned, wide(output + (j << 2)));
    const v1 = f64x2.mul(turned, wide(output + (j << 2) + 8));
    const r0 = v128.or(f64x2.mul(reach, v128.load(spreads + at)), v128.and(signs, v0));
    const r1 = v128.or(f64x2.mul(reach, v128.load(spreads + at, 16)), v128.and(signs, v1));
    // pmax, not max: a NaN in its first operand stays.
    const p0 = f64x2.mul(v0, f64x2.pmax(f64x2.sub(v128.load(c + at), r0), zero));
    const p1 = f64x2.mul(v1, f64x2.pmax(f64x2.sub(v128.load(c + at, 16), r1), zero));
    s0 = f64x2.add(s0, p0);
    s1 = f64x2.add(s1, p1);
    t0 = f64x2.add(t0, f64x2.abs(p0));
    t1 = f64x2.add(t1, f64x2.abs(p1));
  }
  const sum = f64x2.add(s0, s1);
  const size = f64x2.add(t0, t1);
  const total = f64x2.extract_lane(size, 0) + f64x2.extract_lane(size, 1);
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1) - sumError(<f64>count, 4, total);
}
