// Small data sets of real numbers for the command line's tests. Not here: MNIST.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeNpz } from "../../sdk/data/npz.js";

/** Uniform numbers in [-1, 1) from a seed (a linear congruential generator: only the shape of the data matters). */
export function uniform(count: number, seed: number): Float64Array {
  let state = seed >>> 0;
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** n points in d dimensions whose label is the side of a hyperplane through 0, with a gap on both sides. */
export function points(n: number, d: number, seed: number) {
  const x = uniform(n * d, seed);
  const y = Int8Array.from({ length: n }, (_, i) => ((x[i * d] ?? 0) >= 0 ? 1 : -1));
  for (let i = 0; i < n; i++) x[i * d] = (x[i * d] ?? 0) + 0.3 * (y[i] ?? 0);
  return { x: { data: x, shape: [n, d] }, y: { data: y, shape: [n] } };
}

/** Writes an NPZ file with a training and a test set; returns its name. */
export function writePoints(folder: string, name: string, n: number, tests: number, d = 8): string {
  const train = points(n, d, 1);
  const test = points(tests, d, 2);
  writeFileSync(join(folder, name), writeNpz({ x: train.x, y: train.y, x_test: test.x, y_test: test.y }));
  return name;
}
