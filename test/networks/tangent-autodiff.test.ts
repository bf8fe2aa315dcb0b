// The empirical tangent kernel against inner products of gradients that TensorFlow.js differentiates by itself. Rows lie
// away from the kinks of ReLU, where float32 could see another gradient. Not here: limits and drift (tangent.test.ts).
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Dataset, dataset } from "../../sdk/data/dataset.js";
import { initialWeights } from "../../sdk/networks/initial.js";
import { type NetworkSpec, network } from "../../sdk/networks/network.js";
import { tangentKernel } from "../../sdk/networks/tangent.js";
import { Runtime } from "../../sdk/runtime/runtime.js";
import { normal, uniform } from "../helpers.js";
import { autodiff } from "./autodiff.js";
import { type PlainWeights, plainWeights } from "./reference.js";
import { absoluteGradient, isApart, roundings, SINGLE } from "./roundoff.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.create({ threads: 2 });
});
afterAll(() => runtime.close());

const one = (x: Float64Array) => dataset({ x, y: [1], shape: [1, x.length] });
const dot = (left: readonly Float64Array[], right: readonly Float64Array[]) =>
  left.reduce((sum, own, l) => own.reduce((s, value, k) => s + value * (right[l]?.[k] ?? 0), sum), 0);

/** n rows whose neurons all keep their side of 0 in float32. */
function clearRows(spec: NetworkSpec, weights: PlainWeights, n: number, d: number, seed: number): Dataset[] {
  const gauss = normal(uniform(seed));
  const rows: Dataset[] = [];
  for (let tries = 0; rows.length < n && tries < 100; tries++) {
    const row = one(Float64Array.from({ length: d }, () => Math.fround(gauss())));
    if (isApart(spec, row, weights, roundings(spec, d, 1))) rows.push(row);
  }
  return rows;
}

const join = (rows: readonly Dataset[], d: number) =>
  dataset({
    x: Float64Array.from(rows.flatMap(({ x }) => Array.from(x))),
    y: rows.map(() => 1),
    shape: [rows.length, d],
  });

describe.each(["ntk", "lecun"] as const)("%s parameterisation", (parameterization) => {
  it.each([1, 2, 3])(
    "is the inner product of TensorFlow.js's gradients, %i hidden layers, within twice 2^-24 of the absolute terms' sum " +
      "for each rounding on a weight's path",
    async (depth) => {
      const shapes = fc.record({
        d: fc.integer({ min: 1, max: 9 }),
        widths: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: depth, maxLength: depth }),
        seed: fc.integer({ min: 0, max: 2 ** 20 }),
      });
      let largest = 0;
      const property = fc.asyncProperty(shapes, async ({ d, widths, seed }) => {
        const spec = network({ widths, parameterization, seed });
        const weights = await initialWeights(spec, d, { runtime });
        const plain = plainWeights(weights);
        const rows = clearRows(spec, plain, 7, d, seed);
        expect(rows.length).toBe(7);
        const [left, right] = [rows.slice(0, 4), rows.slice(4)];
        const { values } = await tangentKernel(spec, weights, join(left, d), join(right, d), { runtime });
        const slopes = await Promise.all(rows.map(({ x }) => autodiff(spec, weights, Float64Array.from(x))));
        const sizes = rows.map((row) => absoluteGradient(spec, row, plain));
        const reach = 2.02 * roundings(spec, d, 1) * SINGLE;
        values.forEach((value, k) => {
          const [i, j] = [Math.floor(k / 3), 4 + (k % 3)];
          const error = Math.abs(value - dot(slopes[i] ?? [], slopes[j] ?? []));
          expect(error).toBeLessThanOrEqual(reach * dot(sizes[i] ?? [], sizes[j] ?? []));
          largest = Math.max(largest, Math.abs(value));
        });
      });
      await fc.assert(property, { numRuns: 15, seed: 3 });
      expect(largest).toBeGreaterThan(0.1);
    },
  );
});
