// What the checker's bounds share: rows and norms of a machine in raw units, inner products with an input, and each
// term's weight, all in intervals. Inner products of 8-bit rows are exact. Not here: bounds (theorem.ts, relaxation.ts).
import type { NetworkKernel } from "../../kernels/kernel.js";
import type { RowSource } from "../../kernels/rows.js";
import type { Machine } from "../../machines/machine.js";
import { hasInterval, isTwoLayer } from "../method.js";
import {
  add,
  div,
  down,
  type Interval,
  interval,
  mul,
  ONE,
  PI,
  point,
  sqrt,
  square,
  sub,
  Total,
  up,
} from "./interval.js";

/** Rows as float64, exactly as stored: value = entry * scale. */
export interface RawRows {
  readonly n: number;
  readonly d: number;
  readonly x: Float64Array;
  /** Whether entries are integers whose inner products are exact in float64. */
  readonly exact: boolean;
}

export function rawRows({ n, d, x }: RowSource): RawRows {
  return { n, d, x: Float64Array.from(x), exact: x instanceof Uint8Array && d < 2 ** 36 };
}

export const rowAt = ({ x, d }: RawRows, i: number): Float64Array => x.subarray(i * d, (i + 1) * d);

/** Splits a double into two of 26 bits (Veltkamp), whose products are exact. */
function split(x: number): readonly [number, number] {
  const shifted = 134217729 * x;
  const high = shifted - (shifted - x);
  return [high, x - high];
}

/**
 * <a, b>: exact for whole numbers, else with every product taken apart (Dekker) and every rounding of the sum kept. For
 * entries between 1e-100 and 1e100 or 0, so that no part of a product is lost below or beyond float64.
 */
export function dot(a: Float64Array, b: Float64Array, exact: boolean): Interval {
  if (exact) {
    let sum = 0;
    for (let k = 0; k < a.length; k++) sum += (a[k] as number) * (b[k] as number);
    return point(sum);
  }
  const total = new Total();
  for (let k = 0; k < a.length; k++) {
    const [x, y] = [a[k] as number, b[k] as number];
    if (x === 0 || y === 0) continue;
    const product = x * y;
    const [p, q] = split(x);
    const [r, s] = split(y);
    total.add(product);
    total.add(q * s - (product - p * r - q * r - p * s));
  }
  // What products so small that a part of them vanished can have hidden.
  const hidden = a.length * 1e-200;
  return interval(down(total.lo - hidden), up(total.hi + hidden));
}

export interface CheckedMachine {
  readonly machine: Machine;
  readonly kernel: NetworkKernel;
  readonly rows: RawRows;
  /** ||x_i||^2 and ||x_i||, raw. */
  readonly squares: readonly Interval[];
  readonly lengths: readonly Interval[];
  /** Theta = factor R R_i h(u) in raw units for the ReLU's two-layer NTK; factor R R_i k(u) for other kernels. */
  readonly factor: Interval;
}

/** Everything of a machine that does not depend on the input. */
export function openMachine(machine: Machine): CheckedMachine {
  const rows = rawRows(machine.rows);
  const squares = Array.from({ length: rows.n }, (_, i) => dot(rowAt(rows, i), rowAt(rows, i), rows.exact));
  const { kernel } = machine;
  if (!hasInterval(kernel)) throw new RangeError("machine: expected a kernel that has bounds");
  const { depth, weightVariance, slope = 0 } = kernel;
  const scale = point(machine.rows.scale);
  const variance = point(weightVariance);
  let factor = div(mul(mul(scale, scale), variance), point(rows.d));
  const half = point(weightVariance / 2);
  const share = slope === 0 ? half : mul(half, add(ONE, square(point(slope))));
  for (let layer = 0; layer < depth; layer++) factor = mul(factor, share);
  if (isTwoLayer(kernel)) factor = div(factor, PI);
  return { machine, kernel, rows, squares, lengths: squares.map(sqrt), factor };
}

/** An input beside a machine. */
export interface CheckedInput {
  readonly own: CheckedMachine;
  readonly start: Float64Array;
  readonly startSquare: Interval;
  readonly startNorm: Interval;
  /** <x0, x_i>. */
  readonly dots: readonly Interval[];
  /** alpha_i factor R_i, not signed. */
  readonly weights: readonly Interval[];
}

/** `start` is in raw units of the machine's rows; `exact` says that it holds 8-bit integers. */
export function openInput(own: CheckedMachine, start: Float64Array, exact: boolean): CheckedInput {
  const { rows, machine, lengths, factor } = own;
  const both = exact && rows.exact;
  const startSquare = dot(start, start, exact);
  const dots = Array.from({ length: rows.n }, (_, i) => dot(start, rowAt(rows, i), both));
  const weights = lengths.map((length, i) => mul(point(machine.alpha[i] ?? Number.NaN), mul(factor, length)));
  return { own, start, startSquare, startNorm: sqrt(startSquare), dots, weights };
}

/**
 * r0 - t_i, t_i = <x0, x_i> / R_i, without cancellation: (N N_i - D^2) / (R_i (r0 R_i + D)) for D > 0, with the numerator
 * a whole number where the data are; a plain difference elsewhere.
 */
export function shortfall({ own, startSquare, startNorm, dots }: CheckedInput, i: number): Interval {
  const square = own.squares[i] as Interval;
  const length = own.lengths[i] as Interval;
  const product = dots[i] as Interval;
  if (!(product.lo > 0)) return sub(startNorm, div(product, length));
  const whole = [startSquare, square, product].every(({ lo, hi }) => lo === hi && Number.isSafeInteger(lo));
  if (!whole) return sub(startNorm, div(product, length));
  const numerator = ofWhole(BigInt(startSquare.lo) * BigInt(square.lo) - BigInt(product.lo) ** 2n);
  return div(numerator, mul(length, add(mul(startNorm, length), product)));
}

/** A whole number between doubles. */
function ofWhole(value: bigint): Interval {
  const near = Number(value);
  const back = BigInt(near);
  return back === value ? point(near) : interval(down(near), up(near));
}
