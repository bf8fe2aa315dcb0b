// The kernel of two inputs whatever it is: a network's by its activation, a sum, a product, or an entry of a table that
// holds the values of a function the core does not know. Derivatives follow the same rules; a table has none.
// Not here: the networks' formulas (recursion.ts, activation.ts) and whole rows (row.ts).
import {
  ACTIVATION_RELU,
  KERNEL_ACTIVATION,
  KERNEL_COUNT,
  KERNEL_FACTOR,
  KERNEL_KIND,
  KERNEL_PARTS,
  KIND_NNGP,
  KIND_SUM,
  KIND_TABLE,
  ROWS_INDEX,
} from "../layout";
import { field, floatField, pointerField } from "../memory";
import { activationValue } from "./activation";
import { activationByDot, activationByNorm, activationSlopes } from "./activation-gradient";
import { reluByDot, reluByNorm, reluSlopes } from "./gradient";
import { reluValue } from "./recursion";

/** Kernel value from dot = <x, x'>, squared norms nx, ny in real units and input size d; no tables. */
export function kernelValue(kernel: usize, dot: f64, nx: f64, ny: f64, d: f64): f64 {
  return kernelAt(kernel, dot, nx, ny, d, 0, 0);
}

/** The same of rows i and j of the tables in it. */
export function kernelAt(kernel: usize, dot: f64, nx: f64, ny: f64, d: f64, i: i32, j: i32): f64 {
  const kind = field(kernel, KERNEL_KIND);
  if (kind <= KIND_NNGP) {
    if (field(kernel, KERNEL_ACTIVATION) == ACTIVATION_RELU) return reluValue(kernel, dot, nx, ny, d);
    return activationValue(kernel, dot, nx, ny, d);
  }
  if (kind == KIND_TABLE) return load<f64>(entry(kernel, i, j));
  const parts = field(kernel, KERNEL_COUNT);
  const adds = kind == KIND_SUM;
  let value: f64 = adds ? 0 : 1;
  for (let k = 0; k < parts; ++k) {
    const own = kernelAt(part(kernel, k), dot, nx, ny, d, i, j);
    value = adds ? value + own : value * own;
  }
  return adds ? floatField(kernel, KERNEL_FACTOR) * value : value;
}

// @ts-ignore: decorator
@inline
function part(kernel: usize, k: i32): usize {
  return load<u32>(pointerField(kernel, KERNEL_PARTS) + (<usize>k << 2)) as usize;
}

// @ts-ignore: decorator
@inline
function entry(kernel: usize, i: i32, j: i32): usize {
  return pointerField(kernel, KERNEL_PARTS) + ((<usize>i * field(kernel, KERNEL_COUNT) + j) << 3);
}

/** Which row of a table row i of `rows` is. */
// @ts-ignore: decorator
@inline
export function rowNumber(rows: usize, i: i32): i32 {
  const index = pointerField(rows, ROWS_INDEX);
  return index == 0 ? i : load<i32>(index + (<usize>i << 2));
}

/** A stretch of a row of a table, as kernelRow (row.ts) has it. */
export function tableRow(kernel: usize, left: usize, i: i32, right: usize, from: i32, count: i32, out: usize): void {
  const own = rowNumber(left, i);
  for (let j = 0; j < count; ++j) {
    store<f64>(out + (<usize>j << 3), load<f64>(entry(kernel, own, rowNumber(right, from + j))));
  }
}

/** dK / d<x, x'> and dK / d||x||^2, set by kernelSlopes. */
export let slopeByDot: f64 = 0;
export let slopeByNorm: f64 = 0;

/** Sets slopeByDot and slopeByNorm; arguments as kernelValue's. */
export function kernelSlopes(kernel: usize, dot: f64, nx: f64, ny: f64, d: f64): void {
  const kind = field(kernel, KERNEL_KIND);
  if (kind <= KIND_NNGP) {
    const relu = field(kernel, KERNEL_ACTIVATION) == ACTIVATION_RELU;
    if (relu) reluSlopes(kernel, dot, nx, ny, d);
    else activationSlopes(kernel, dot, nx, ny, d);
    slopeByDot = relu ? reluByDot : activationByDot;
    slopeByNorm = relu ? reluByNorm : activationByNorm;
    return;
  }
  const adds = kind == KIND_SUM;
  const factor = adds ? floatField(kernel, KERNEL_FACTOR) : 1;
  let value: f64 = 1;
  let byDot: f64 = 0;
  let byNorm: f64 = 0;
  const parts = field(kernel, KERNEL_COUNT);
  for (let k = 0; k < parts; ++k) {
    kernelSlopes(part(kernel, k), dot, nx, ny, d);
    const own = adds ? 1 : kernelValue(part(kernel, k), dot, nx, ny, d);
    byDot = byDot * own + value * slopeByDot;
    byNorm = byNorm * own + value * slopeByNorm;
    value *= own;
  }
  slopeByDot = factor * byDot;
  slopeByNorm = factor * byNorm;
}
