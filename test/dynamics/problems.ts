// Small random problems for the dynamics, and plain loops to lay them beside. Not here: what is asserted.
import { crossGram, type Dataset, dataset, type Kernel, ntk, type Runtime } from "../../sdk/index.js";
import { normal, uniform } from "../helpers.js";

export const kernel: Kernel = ntk();

/** n points in d dimensions, two overlapping clouds, entries about `size`. */
export function cloud(seed: number, n: number, d: number, size = 1): Dataset {
  const next = uniform(seed);
  const gauss = normal(next);
  const y = Float64Array.from({ length: n }, () => (next() < 0.5 ? -1 : 1));
  const x = new Float64Array(n * d);
  for (let i = 0; i < n; i++)
    for (let k = 0; k < d; k++) x[i * d + k] = size * (gauss() + (k === 0 ? 0.7 * (y[i] ?? 0) : 0));
  return dataset({ x, y, shape: [n, d], name: `cloud ${seed}` });
}

/** A square matrix or a rectangle of kernel values, as rows. */
export async function matrix(left: Dataset, right: Dataset, runtime: Runtime, of: Kernel = kernel) {
  const { values } = await crossGram(of, left, right, { runtime });
  return Array.from({ length: left.n }, (_, i) => values.slice(i * right.n, (i + 1) * right.n));
}

export const times = (a: readonly Float64Array[], x: ArrayLike<number>) =>
  Float64Array.from(a, (row) => row.reduce((sum, value, j) => sum + value * (x[j] ?? 0), 0));

/** e^A b by scaling and squaring: Taylor's series of A / 2^s. */
export function exponential(a: readonly Float64Array[], b: Float64Array): Float64Array {
  const squarings = 12;
  const n = b.length;
  const small = a.map((row) => row.map((value) => value / 2 ** squarings));
  const unit = (i: number) => Float64Array.from({ length: n }, (_, j) => (i === j ? 1 : 0));
  let power = a.map((_, i) => unit(i));
  let sum = a.map((_, i) => unit(i));
  const product = (x: Float64Array[], y: Float64Array[]) =>
    x.map((row) => Float64Array.from({ length: n }, (_, j) => row.reduce((s, value, k) => s + value * y[k]![j]!, 0)));
  for (let k = 1; k <= 14; k++) {
    power = product(power, small).map((row) => row.map((value) => value / k));
    sum = sum.map((row, i) => row.map((value, j) => value + power[i]![j]!));
  }
  for (let s = 0; s < squarings; s++) sum = product(sum, sum);
  return times(sum, b);
}

export function farthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let most = a.length === b.length ? 0 : Number.POSITIVE_INFINITY;
  for (let i = 0; i < a.length; i++) {
    const apart = Math.abs((a[i] ?? 0) - (b[i] ?? 0));
    if (!(apart <= most)) most = apart;
  }
  return most;
}

/** The derivatives of Table 1's losses, written again from the table. */
export const SLOPES: Record<string, (z: number, y: number, epsilon: number) => number> = {
  hinge: (z, y) => (y * z < 1 ? -y : 0),
  "squared-hinge": (z, y) => -2 * y * Math.max(0, 1 - y * z),
  "epsilon-insensitive": (z, y, epsilon) => (Math.abs(y - z) > epsilon ? Math.sign(z - y) : 0),
  squared: (z, y) => -2 * (y - z),
  logistic: (z, y) => -y / (1 + Math.exp(y * z)),
};

/** The losses of Table 1. */
export const VALUES: Record<string, (z: number, y: number, epsilon: number) => number> = {
  hinge: (z, y) => Math.max(0, 1 - y * z),
  "squared-hinge": (z, y) => Math.max(0, 1 - y * z) ** 2,
  "epsilon-insensitive": (z, y, epsilon) => Math.max(0, Math.abs(y - z) - epsilon),
  squared: (z, y) => (y - z) ** 2,
  logistic: (z, y) => Math.log1p(Math.exp(-y * z)),
};
