// A stretch of one row of a kernel matrix: inner products, then the kernel of each. The two-layer NTK with unit weights
// and no biases (the paper's) has a vector form with one division; other ReLU networks go through recursion.ts, and
// everything else through compose.ts.
// Not here: tiles and whole matrices (gram/).
import {
  ACTIVATION_RELU,
  KERNEL_ACTIVATION,
  KERNEL_BIAS_VARIANCE,
  KERNEL_DEPTH,
  KERNEL_KIND,
  KIND_NNGP,
  KIND_NTK,
  KIND_TABLE,
  KERNEL_WEIGHT_VARIANCE,
  ROWS_D,
  ROWS_NORMS,
  ROWS_SCALE,
} from "../layout";
import { PI, TWO_PI } from "../math/elementary";
import { gap, gapx2, GAP_ZERO_HIGH } from "../math/polynomials";
import { field, floatField, pointerField } from "../memory";
import { dotRow } from "./dot";
import { kernelAt, rowNumber, tableRow } from "./compose";
import { reluValue } from "./recursion";

// @ts-ignore: decorator
@inline
export function isTwoLayer(kernel: usize): bool {
  return (
    field(kernel, KERNEL_KIND) == KIND_NTK &&
    field(kernel, KERNEL_DEPTH) == 1 &&
    field(kernel, KERNEL_ACTIVATION) == ACTIVATION_RELU &&
    floatField(kernel, KERNEL_BIAS_VARIANCE) == 0
  );
}

/** Factor c of the two-layer NTK in raw units: Theta(x, x') = c q h(u), q = ||x|| ||x'|| (unscaled). */
// @ts-ignore: decorator
@inline
export function twoLayerScale(kernel: usize, rows: usize): f64 {
  const scale = floatField(rows, ROWS_SCALE);
  const weight = floatField(kernel, KERNEL_WEIGHT_VARIANCE);
  return (weight * weight * scale * scale) / (2 * PI * <f64>field(rows, ROWS_D));
}

/** K(left[i], right[j]) for j in [from, from + count) to out, count float64. Both rows share format, d and scale. */
export function kernelRow(kernel: usize, left: usize, i: i32, right: usize, from: i32, count: i32, out: usize): void {
  if (field(kernel, KERNEL_KIND) == KIND_TABLE) {
    tableRow(kernel, left, i, right, from, count, out);
    return;
  }
  dotRow(left, i, right, from, count, out);
  const norm = load<f64>(pointerField(left, ROWS_NORMS) + (<usize>i << 3));
  const norms = pointerField(right, ROWS_NORMS) + (<usize>from << 3);
  if (isTwoLayer(kernel)) twoLayerRow(twoLayerScale(kernel, left), norm, norms, count, out);
  else if (field(kernel, KERNEL_KIND) <= KIND_NNGP && field(kernel, KERNEL_ACTIVATION) == ACTIVATION_RELU)
    recursionRow(kernel, left, norm, norms, count, out);
  else composedRow(kernel, left, i, right, from, count, out);
}

function recursionRow(kernel: usize, rows: usize, norm: f64, norms: usize, count: i32, out: usize): void {
  const scale = floatField(rows, ROWS_SCALE);
  const square = scale * scale;
  const d = <f64>field(rows, ROWS_D);
  for (let j: usize = 0; j < <usize>count; ++j) {
    const at = out + (j << 3);
    store<f64>(at, reluValue(kernel, load<f64>(at) * square, norm * square, load<f64>(norms + (j << 3)) * square, d));
  }
}

/** In place, like recursionRow; a table's values are found by the numbers of the rows. */
function composedRow(kernel: usize, left: usize, i: i32, right: usize, from: i32, count: i32, out: usize): void {
  const scale = floatField(left, ROWS_SCALE);
  const square = scale * scale;
  const d = <f64>field(left, ROWS_D);
  const norm = load<f64>(pointerField(left, ROWS_NORMS) + (<usize>i << 3)) * square;
  const norms = pointerField(right, ROWS_NORMS);
  const own = rowNumber(left, i);
  for (let j = from; j < from + count; ++j) {
    const at = out + (<usize>(j - from) << 3);
    const other = load<f64>(norms + (<usize>j << 3)) * square;
    store<f64>(at, kernelAt(kernel, load<f64>(at) * square, norm, other, d, own, rowNumber(right, j)));
  }
}

/**
 * In place: inner product D becomes c (2 pi max(D, 0) + sqrt(t) (z q - |D|) gap(t)), q = sqrt(N N'),
 * t = (q - |D|) / (2 q): the two-layer NTK without a cancelling step. Relative error <= 6 ulp; a zero vector gives 0.
 */
export function twoLayerRow(c: f64, norm: f64, norms: usize, count: i32, out: usize): void {
  let j: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const zero = f64x2.splat(0);
    const tiny = f64x2.splat(1e-300);
    const two = f64x2.splat(2);
    const z = f64x2.splat(GAP_ZERO_HIGH);
    const twoPi = f64x2.splat(TWO_PI);
    const factor = f64x2.splat(c);
    const own = f64x2.splat(norm);
    for (; j + 2 <= <usize>count; j += 2) {
      const dot = v128.load(out + (j << 3));
      const q = f64x2.sqrt(f64x2.mul(own, v128.load(norms + (j << 3))));
      const size = f64x2.abs(dot);
      const t = f64x2.pmax(f64x2.div(f64x2.sub(q, size), f64x2.mul(two, f64x2.pmax(q, tiny))), zero);
      const bend = f64x2.mul(f64x2.mul(f64x2.sqrt(t), f64x2.sub(f64x2.mul(z, q), size)), gapx2(t));
      const straight = f64x2.mul(twoPi, f64x2.pmax(dot, zero));
      v128.store(out + (j << 3), f64x2.mul(factor, f64x2.add(straight, bend)));
    }
  }
  for (; j < <usize>count; ++j) {
    const dot = load<f64>(out + (j << 3));
    const q = Math.sqrt(norm * load<f64>(norms + (j << 3)));
    const size = Math.abs(dot);
    const t = Math.max((q - size) / (2 * Math.max(q, 1e-300)), 0);
    const bend = Math.sqrt(t) * (GAP_ZERO_HIGH * q - size) * gap(t);
    store<f64>(out + (j << 3), c * (TWO_PI * Math.max(dot, 0) + bend));
  }
}
