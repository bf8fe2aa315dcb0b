// Machines evaluated by angles, in plain loops written apart from the core, and points of balls to evaluate them at:
// random ones and such as gradients lead to. Not here: bounds and expectations.
import type { Norm } from "../../sdk/certify/method.js";
import type { NetworkKernel } from "../../sdk/kernels/kernel.js";
import type { Machine } from "../../sdk/machines/machine.js";
import { normal } from "../seeded.js";

interface Row {
  readonly length: number;
  /** x / ||x||; zeros where x is 0. */
  readonly unit: Float64Array;
}

/** A machine in data units. */
export interface Model {
  readonly kernel: NetworkKernel;
  readonly rows: readonly Row[];
  readonly alpha: Float64Array;
  readonly bias: number;
}

export function lengthOf(x: Float64Array): number {
  let square = 0;
  for (let k = 0; k < x.length; k++) square += (x[k] ?? 0) * (x[k] ?? 0);
  return Math.sqrt(square);
}

function rowOf(x: Float64Array): Row {
  const length = lengthOf(x);
  return { length, unit: x.map((v) => (length > 0 ? v / length : 0)) };
}

export function modelOf({ kernel, rows, alpha, bias }: Machine): Model {
  const row = (i: number) => Float64Array.from(rows.x.subarray(i * rows.d, (i + 1) * rows.d), (v) => v * rows.scale);
  return {
    kernel: kernel as NetworkKernel,
    rows: Array.from({ length: rows.n }, (_, i) => rowOf(row(i))),
    alpha,
    bias,
  };
}

/** The angle of unit vectors, from their sum and difference (Kahan): d + 4 roundings of 1, parallel or not. */
function angleOf(a: Float64Array, b: Float64Array): number {
  let difference = 0;
  let sum = 0;
  for (let k = 0; k < a.length; k++) {
    const p = a[k] ?? 0;
    const q = b[k] ?? 0;
    difference += (p - q) * (p - q);
    sum += (p + q) * (p + q);
  }
  return 2 * Math.atan2(Math.sqrt(difference), Math.sqrt(sum));
}

/** 1 - kappa1(cos theta) = 1 - cos theta - (sin theta - theta cos theta) / pi, with nothing lost at small angles. */
function shortfall(theta: number): number {
  let bend = Math.sin(theta) - theta * Math.cos(theta);
  if (theta < 0.5) {
    // sum over k >= 1 of (-1)^(k+1) 2k theta^(2k+1) / (2k+1)!
    let power = theta ** 3 / 6;
    bend = 0;
    for (let k = 1; k <= 9; k++) {
      bend += 2 * k * power;
      power *= (-theta * theta) / ((2 * k + 2) * (2 * k + 3));
    }
  }
  return 2 * Math.sin(theta / 2) ** 2 - bend / Math.PI;
}

/**
 * K(x, y) / (||x|| ||y||) by angles, layer after layer (Section 3.1, without biases): its error is 2 d + 10 roundings of
 * 1/d for each layer, also where x and y are parallel and a cosine would have lost half the digits.
 */
function cosineKernel(
  { kind, depth, weightVariance, slope = 0 }: NetworkKernel,
  a: Float64Array,
  b: Float64Array,
): number {
  let angle = angleOf(a, b);
  let tangent = Math.cos(angle);
  let cosine = tangent;
  let factor = weightVariance / a.length;
  for (let layer = 0; layer < depth; layer++) {
    const [line, bend] = [(2 * slope) / (1 + slope ** 2), (1 - slope) ** 2 / (1 + slope ** 2)];
    const less = line * 2 * Math.sin(angle / 2) ** 2 + bend * shortfall(angle);
    const more = line * 2 * Math.cos(angle / 2) ** 2 + bend * (2 - shortfall(angle));
    cosine = 1 - less;
    tangent = (line + bend * (1 - angle / Math.PI)) * tangent + cosine;
    if (layer + 1 < depth) angle = 2 * Math.atan2(Math.sqrt(less), Math.sqrt(more));
    factor *= (weightVariance / 2) * (1 + slope ** 2);
  }
  return factor * (kind === "ntk" ? tangent : cosine);
}

export function valueAt({ kernel, rows, alpha, bias }: Model, x: Float64Array): number {
  const own = rowOf(x);
  let sum = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as Row;
    if (row.length > 0 && own.length > 0)
      sum += (alpha[i] ?? 0) * row.length * own.length * cosineKernel(kernel, own.unit, row.unit);
  }
  return sum + bias;
}

/** sum |alpha_i| K(x, x) K(x_i, x_i) roots + |bias|: what the value's rounding is measured in. */
export function sizeAt({ kernel, rows, alpha, bias }: Model, x: Float64Array): number {
  const { depth, weightVariance, slope = 0 } = kernel;
  const share = (weightVariance / 2) * (1 + slope ** 2);
  const factor = ((depth + 1) * (weightVariance / x.length) * share ** depth) / 2;
  const length = lengthOf(x);
  return rows.reduce(
    (total, row, i) => total + 2 * factor * Math.abs(alpha[i] ?? 0) * length * row.length,
    Math.abs(bias),
  );
}

/** A perturbation of the norm's unit ball whose inner product with `direction` is large. */
export function steepest(norm: Norm, direction: Float64Array): Float64Array {
  if (norm === "linf") return direction.map((v) => Math.sign(v));
  const length = lengthOf(direction) || 1;
  if (norm === "l2") return direction.map((v) => v / length);
  const largest = direction.reduce((best, v, k) => (Math.abs(v) > Math.abs(direction[best] ?? 0) ? k : best), 0);
  return direction.map((v, k) => (k === largest ? Math.sign(v) || 1 : 0));
}

export function randomStep(norm: Norm, d: number, next: () => number): Float64Array {
  if (norm === "linf") {
    const corner = next() < 0.5;
    return Float64Array.from({ length: d }, () => (corner ? Math.sign(next() - 0.5) : 2 * next() - 1));
  }
  const direction = Float64Array.from({ length: d }, normal(next));
  const length = norm === "l2" ? lengthOf(direction) : direction.reduce((sum, v) => sum + Math.abs(v), 0);
  const share = next() < 0.5 ? 1 : next();
  return direction.map((v) => (v / length) * share);
}

/** Gradient by central differences: only a direction to walk in. */
export function gradientAt(value: (x: Float64Array) => number, x: Float64Array): Float64Array {
  const step = 1e-5 * (lengthOf(x) + 1e-3);
  const moved = x.slice();
  return x.map((v, k) => {
    moved[k] = v + step;
    const more = value(moved);
    moved[k] = v - step;
    const less = value(moved);
    moved[k] = v;
    return more - less;
  });
}

/** Where samples may lie: a ball around `centre`, within the image domain if asked for. */
export interface Ball {
  readonly centre: Float64Array;
  readonly radius: number;
  readonly norm: Norm;
  readonly domain: boolean;
}

/** centre + radius * step, a hair inside the ball; clamped to the domain, which a centre outside it widens. */
export function placeIn({ centre, radius, domain }: Ball, step: Float64Array): Float64Array {
  const inside = radius * (1 - 1e-15);
  return centre.map((v, k) => {
    const moved = v + (step[k] ?? 0) * inside;
    return domain ? Math.min(Math.max(moved, Math.min(v, 0)), Math.max(v, 1)) : moved;
  });
}

/** Points of a ball: `count` at random, and uphill and downhill from the centre, twice, and along `ray`. */
export function pointsIn(
  ball: Ball,
  value: (x: Float64Array) => number,
  ray: Float64Array,
  count: number,
  next: () => number,
): Float64Array[] {
  const turned = (step: Float64Array, sign: number) => step.map((v) => sign * v);
  const points = Array.from({ length: count }, () => placeIn(ball, randomStep(ball.norm, ball.centre.length, next)));
  const uphill = gradientAt(value, ball.centre);
  for (const sign of [1, -1]) {
    points.push(placeIn(ball, turned(steepest(ball.norm, ray), sign)));
    const first = placeIn(ball, turned(steepest(ball.norm, uphill), sign));
    points.push(first, placeIn(ball, turned(steepest(ball.norm, gradientAt(value, first)), sign)));
  }
  return points;
}
