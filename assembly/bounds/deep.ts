// The interval bound (Theorem 4.2) of machines on kernels of any depth without biases, NTK or NNGP, of ReLU or leaky ReLU
// units: each term's own worst end, through the recursion over layers, rounded outward.
//
// Without biases K(x, x_i) = c R R_i k(u), c = (sw2 / 2)^L sw2 / d (and R = ||x||), u the cosine, with u_0 = u and
//   u_l = kappa1(u_{l-1}),   theta_l = kappa0(u_{l-1}) theta_{l-1} + u_l,   theta_0 = u_0,   k = theta_L or u_L.
// kappa0 and kappa1 rise on [-1, 1] and are >= 0, so ends go through the layers as they are; theta_0 may be negative,
// and then the product's lower end takes kappa0 at its upper end. For the ReLU's NTK with L = 1 interval.ts is tighter and
// faster. A slope s of the leaky ReLU puts A u + B kappa1(u) in place of kappa1 and A + B kappa0 in place of kappa0, with
// A = s / h, B = (1 - s)^2 / (2 h), h = (1 + s^2) / 2 in place of the 1/2 in c: they rise as well.
// Not here: the ball's ranges of R and u in the form that loses nothing near u = 1 (interval.ts); here u is rounded.
import {
  KERNEL_DEPTH,
  KERNEL_FACTOR,
  KERNEL_KIND,
  KERNEL_WEIGHT_VARIANCE,
  KIND_NTK,
  ROWS_D,
  ROWS_N,
  ROWS_NORMS,
  ROWS_SCALE,
} from "../layout";
import { dotRow } from "../kernel/dot";
import { arcCosine0, arcCosine1 } from "../math/elementary";
import { field, floatField, pointerField } from "../memory";
import { above, below, sumError, UNIT } from "../rounding";
import { movable } from "./movable";

/** Relative error of a term in units of roundoff, beside a few for each layer of the constant. */
const TERM_ULPS: f64 = 32;

let rows: i32 = 0;
let depth: i32 = 0;
let isTangent: bool = true;
let slope: f64 = 0; // of the leaky ReLU; 0 is the ReLU
let line: f64 = 0; // A
let bend: f64 = 0; // B
let startNorm: f64 = 0;
let bias: f64 = 0;
let root: f64 = 0; // sqrt(d) of the entries that may change, rounded up
let slack: f64 = 0; // relative error of cosines at x0
let weights: usize = 0; // sign alpha_i c R_i
let cosines: usize = 0;

/** Float64 entries of work memory for n rows. */
export function deepEntries(n: i32): i32 {
  return 3 * n;
}

/** Prepares bounds of sign * (sum_i alpha_i K(x, x_i) + offset) around input `index`; sign is +1 or -1. */
export function deepStart(
  kernel: usize, inputs: usize, index: i32, machine: usize, alpha: usize, offset: f64, sign: f64, work: usize,
): void {
  rows = field(machine, ROWS_N);
  depth = field(kernel, KERNEL_DEPTH);
  isTangent = field(kernel, KERNEL_KIND) == KIND_NTK;
  bias = sign * offset;
  weights = work;
  cosines = work + (<usize>rows << 3);
  const d = <f64>field(inputs, ROWS_D);
  const norms = pointerField(machine, ROWS_NORMS);
  const square = load<f64>(pointerField(inputs, ROWS_NORMS) + (<usize>index << 3));
  startNorm = Math.sqrt(square);
  root = above(Math.sqrt(<f64>movable), 1);
  slack = (d + 24) * UNIT;
  const scale = floatField(machine, ROWS_SCALE);
  const weight = floatField(kernel, KERNEL_WEIGHT_VARIANCE);
  let c = (weight * scale * scale) / d;
  slope = floatField(kernel, KERNEL_FACTOR);
  const whole = 0.5 * (1 + slope * slope);
  line = slope / whole;
  bend = (0.5 * (1 - slope) * (1 - slope)) / whole;
  for (let layer = 0; layer < depth; ++layer) c *= whole * weight;
  dotRow(inputs, index, machine, 0, rows, cosines);
  for (let i: usize = 0; i < <usize>rows << 3; i += 8) {
    const length = Math.sqrt(load<f64>(norms + i));
    const size = length * startNorm;
    store<f64>(weights + i, sign * load<f64>(alpha + i) * (c * length));
    store<f64>(cosines + i, size > 0 ? load<f64>(cosines + i) / size : 0);
  }
}

// Ends of k over the range of u at hand.
let least: f64 = 0;
let most: f64 = 0;

/** Sends [from, to], a part of [-1, 1], through the layers; arc-cosine functions are within 3.5 ulp. */
function propagate(from: f64, to: f64): void {
  let low = from;
  let high = to;
  let thetaLow = from;
  let thetaHigh = to;
  for (let layer = 0; layer < depth; ++layer) {
    let angleLow = below(arcCosine0(low), 8);
    let angleHigh = above(arcCosine0(high), 8);
    const from = low;
    const to = high;
    low = below(arcCosine1(low), 8);
    high = Math.min(1, above(arcCosine1(high), 8));
    if (slope > 0) {
      // A and B, of sum 1, are within 8 units of roundoff of themselves, products and sums within two more of 1.
      const margin = 16 * UNIT;
      angleLow = Math.max(0, line + bend * angleLow - margin);
      angleHigh = line + bend * angleHigh + margin;
      low = Math.max(-1, line * from + bend * low - margin);
      high = Math.min(1, line * to + bend * high + margin);
    }
    thetaLow = down(thetaLow * (thetaLow >= 0 ? angleLow : angleHigh) + low);
    thetaHigh = up(thetaHigh * (thetaHigh >= 0 ? angleHigh : angleLow) + high);
  }
  least = isTangent ? thetaLow : low;
  most = isTangent ? thetaHigh : high;
}

/** A value below what a product and a sum of numbers up to 1 + |x| round to. */
// @ts-ignore: decorator
@inline
function down(x: f64): f64 {
  return x - 4 * UNIT * (1 + Math.abs(x));
}

// @ts-ignore: decorator
@inline
function up(x: f64): f64 {
  return x + 4 * UNIT * (1 + Math.abs(x));
}

/** Lower bound of sign * g on the l-inf ball of radius `reach` (raw units). */
export function deepLower(reach: f64): f64 {
  const e = above(reach * root, 8);
  const short = Math.max(0, startNorm - e - 8 * UNIT * (startNorm + e));
  const long = above(startNorm + e, 8);
  let sum = bias;
  let size = Math.abs(bias);
  for (let i: usize = 0; i < <usize>rows << 3; i += 8) {
    const w = load<f64>(weights + i);
    if (w == 0) continue;
    // <x, x_i> / R_i lies within e of where it is, R between short and long.
    const t = load<f64>(cosines + i) * startNorm;
    const blur = slack * startNorm;
    const bottom = t - e - blur;
    const top = t + e + blur;
    const from = short > 0 ? Math.max(-1, down(bottom / (bottom >= 0 ? long : short))) : -1;
    const to = short > 0 ? Math.min(1, up(top / (top >= 0 ? short : long))) : 1;
    propagate(Math.min(from, 1), Math.max(to, -1));
    const value = w > 0 ? least * (least >= 0 ? short : long) : most * (most >= 0 ? long : short);
    sum += w * value;
    size += Math.abs(w * value);
  }
  // A slope's own roundings are four more for each layer of the constant.
  return sum - sumError(<f64>rows + 1, TERM_ULPS + (slope > 0 ? 6 : 2) * <f64>depth, size);
}
