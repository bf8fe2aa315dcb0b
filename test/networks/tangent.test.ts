// The empirical tangent kernel against Jacobians written out, finite differences, and its limit of infinite width.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dataset } from "../../sdk/data/dataset.js";
import { MemoryBudgetError } from "../../sdk/errors.js";
import { crossGram } from "../../sdk/kernels/gram.js";
import { ntk } from "../../sdk/kernels/kernel.js";
import { initialWeights } from "../../sdk/networks/initial.js";
import { layerScales, type NetworkSpec, type NetworkWeights, network } from "../../sdk/networks/network.js";
import { distanceToNtk, kernelDrift, tangentKernel } from "../../sdk/networks/tangent.js";
import { Runtime } from "../../sdk/runtime/runtime.js";
import { uniform } from "../cli/points.js";
import { coreBytesOf } from "../helpers.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.create({ threads: 2 });
});
afterAll(() => runtime.close());

const rows = (n: number, d: number, seed: number) =>
  dataset({ x: uniform(n * d, seed), y: new Float64Array(n).fill(1), shape: [n, d] });

/** Pre-activations and output in float64, straight from equation 1. */
function forward(spec: NetworkSpec, weights: NetworkWeights, x: ArrayLike<number>) {
  const scales = layerScales(spec, x.length);
  const values: number[][] = [Array.from(x)];
  spec.widths.forEach((width, l) => {
    const before = values[l] ?? [];
    const layer = weights.hidden[l] ?? new Float32Array(0);
    const sum = (j: number) => before.reduce((total, value, k) => total + value * (layer[k * width + j] ?? 0), 0);
    values.push(Array.from({ length: width }, (_, j) => Math.max(0, (scales[l] ?? 1) * sum(j))));
  });
  const last = values.at(-1) ?? [];
  return { values, output: (scales.at(-1) ?? 1) * last.reduce((s, v, j) => s + v * (weights.output[j] ?? 0), 0) };
}

/** df/dw for every weight, one after the other, by the chain rule over explicit matrices. */
function jacobian(spec: NetworkSpec, weights: NetworkWeights, x: ArrayLike<number>): number[] {
  const scales = layerScales(spec, x.length);
  const { values } = forward(spec, weights, x);
  const gradient = (values.at(-1) ?? []).map((value) => (scales.at(-1) ?? 1) * value);
  let up = Array.from(weights.output, (w) => (scales.at(-1) ?? 1) * w);
  for (let l = spec.widths.length - 1; l >= 0; l--) {
    const width = spec.widths[l] ?? 0;
    const layer = weights.hidden[l] ?? new Float32Array(0);
    const signal = up.map((value, j) => ((values[l + 1]?.[j] ?? 0) > 0 ? value : 0));
    const before = values[l] ?? [];
    for (const value of before) for (const b of signal) gradient.push((scales[l] ?? 1) * value * b);
    up = before.map((_, k) => signal.reduce((s, b, j) => s + (scales[l] ?? 1) * b * (layer[k * width + j] ?? 0), 0));
  }
  return gradient;
}

const rowsOf = (data: ReturnType<typeof rows>) =>
  Array.from({ length: data.n }, (_, i) =>
    Array.from(data.x.subarray(i * data.d, (i + 1) * data.d), (v) => v * data.scale),
  );
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, k) => sum + value * (b[k] ?? 0), 0);

const SHAPES = [[1], [5], [33], [4, 3], [17, 16], [6, 5, 4], [3, 1, 7, 2]];

describe.each(["ntk", "lecun"] as const)("tangentKernel, %s parameterisation", (parameterization) => {
  it.each(SHAPES.map((widths) => ({ widths })))(
    "equals the explicit Jacobian's product to 1e-12, widths $widths",
    async ({ widths }) => {
      const spec = network({ widths, parameterization, seed: 7 });
      const [left, right] = [rows(6, 5, 1), rows(4, 5, 2)];
      const weights = await initialWeights(spec, 5, { runtime });
      const gram = await tangentKernel(spec, weights, left, right, { runtime });
      const [own, other] = [left, right].map((data) => rowsOf(data).map((x) => jacobian(spec, weights, x)));
      const expected = (own ?? []).flatMap((a) => (other ?? []).map((b) => dot(a, b)));
      const size = Math.max(1e-300, ...expected.map(Math.abs));
      gram.values.forEach((value, k) => {
        expect(Math.abs(value - (expected[k] ?? 0)) / size).toBeLessThan(1e-12);
      });
    },
  );

  it("is the rate at which a step along one gradient moves another output, to 1e-4 (finite differences)", async () => {
    const spec = network({ widths: [9, 8], parameterization, seed: 3 });
    const data = rows(3, 4, 5);
    const weights = await initialWeights(spec, 4, { runtime });
    const gram = await tangentKernel(spec, weights, data, data, { runtime });
    const xs = rowsOf(data);
    // Steps of 2^-16 survive float32 weights of size 1; the kinks of ReLU are further away for this seed.
    const step = 2 ** -16;
    const flat = [weights.output, ...weights.hidden];
    const slopes = xs.map((x) =>
      flat.flatMap((layer) =>
        Array.from(layer, (value, k) => {
          const at = (to: number) => {
            layer[k] = to;
            return { weight: layer[k] ?? 0, output: forward(spec, weights, x).output };
          };
          const [up, down] = [at(value + step), at(value - step)];
          layer[k] = value;
          return (up.output - down.output) / (up.weight - down.weight);
        }),
      ),
    );
    const size = Math.max(...gram.values);
    gram.values.forEach((value, k) => {
      const expected = dot(slopes[Math.floor(k / 3)] ?? [], slopes[k % 3] ?? []);
      expect(Math.abs(value - expected) / size).toBeLessThan(1e-4);
    });
  });
});

describe("tangentKernel", () => {
  it("is exactly symmetric and PSD within 1e-10 of its trace, over more rows than a tile", async () => {
    const spec = network({ widths: [40, 24], seed: 1 });
    const data = rows(150, 6, 9);
    const weights = await initialWeights(spec, 6, { runtime });
    const { values } = await tangentKernel(spec, weights, data, data, { runtime });
    const n = data.n;
    for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) expect(values[i * n + j]).toBe(values[j * n + i]);
    const trace = Array.from({ length: n }, (_, i) => values[i * n + i] ?? 0).reduce((a, b) => a + b);
    for (let seed = 1; seed <= 50; seed++) {
      const v = uniform(n, seed);
      const product = v.reduce((s, a, i) => s + a * v.reduce((t, b, j) => t + b * (values[i * n + j] ?? 0), 0), 0);
      expect(product).toBeGreaterThan(-1e-10 * trace);
    }
    const copy = data.subset(Array.from({ length: n }, (_, i) => i));
    expect((await tangentKernel(spec, weights, data, copy, { runtime })).values).toEqual(values);
  });

  it("does not depend on threads or on the feature level, to the bit", async () => {
    const spec = network({ widths: [37, 50], seed: 1 });
    const data = dataset({
      x: Uint8Array.from(uniform(20 * 30, 4), (v) => (v > 0 ? 255 * v : 0)),
      y: new Float64Array(20).fill(1),
      shape: [20, 30],
    });
    const weights = await initialWeights(spec, 30, { runtime });
    const results: Float64Array[] = [];
    for (const options of [{ threads: 0 }, { threads: 3 }, { threads: 1, module: coreBytesOf("scalar") }]) {
      const other = await Runtime.create(options);
      results.push((await tangentKernel(spec, weights, data, data, { runtime: other })).values);
      await other.close();
    }
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
  });

  it.each([{ depth: 1 }, { depth: 2 }])(
    "averages to ntk() within 4 standard errors and nears it as width^(-1/2) (slope -0.5 +- 0.08), depth $depth",
    async ({ depth }) => {
      const data = rows(5, 7, 11);
      const exact = await crossGram(ntk({ depth }), data, data, { runtime });
      const widths = [32, 128, 512];
      const seeds = 60;
      const errors: number[] = [];
      for (const width of widths) {
        const grams: Float64Array[] = [];
        let square = 0;
        for (let seed = 0; seed < seeds; seed++) {
          const spec = network({ widths: new Array(depth).fill(width), seed: 1000 * width + seed });
          const weights = await initialWeights(spec, 7, { runtime });
          const gram = await tangentKernel(spec, weights, data, data, { runtime });
          square += (await distanceToNtk(spec, gram, data, data, { runtime })) ** 2 / seeds;
          grams.push(gram.values);
        }
        errors.push(Math.sqrt(square));
        exact.values.forEach((value, k) => {
          const mean = grams.reduce((sum, g) => sum + (g[k] ?? 0), 0) / seeds;
          const variance = grams.reduce((sum, g) => sum + ((g[k] ?? 0) - mean) ** 2, 0) / (seeds - 1);
          expect(Math.abs(mean - value)).toBeLessThan(4 * Math.sqrt(variance / seeds));
        });
      }
      const slope = Math.log((errors[2] ?? 0) / (errors[0] ?? 1)) / Math.log(512 / 32);
      expect(Math.abs(slope + 0.5)).toBeLessThan(0.08);
    },
  );

  it("refuses rows, weights and budgets that do not fit", async () => {
    const spec = network({ widths: [8], seed: 1 });
    const data = rows(3, 4, 1);
    const weights = await initialWeights(spec, 4, { runtime });
    await expect(tangentKernel(spec, weights, data, rows(3, 5, 1), { runtime })).rejects.toThrow(/^right: expected 4/);
    await expect(tangentKernel(spec, weights, rows(3, 5, 1), rows(3, 5, 1), { runtime })).rejects.toThrow(/^weights/);
    await expect(tangentKernel(spec, weights, [] as never, data, { runtime })).rejects.toThrow(TypeError);
    const small = await Runtime.create({ threads: 0, memory: 2 ** 23 });
    const wide = network({ widths: [1100, 1100], seed: 1 });
    const many = rows(400, 4, 1);
    await expect(
      tangentKernel(wide, await initialWeights(wide, 4, { runtime }), many, many, { runtime: small }),
    ).rejects.toThrow(MemoryBudgetError);
    await small.close();
    const stopped = { runtime, signal: AbortSignal.abort(new Error("stop")) };
    await expect(tangentKernel(spec, weights, data, data, stopped)).rejects.toThrow("stop");
  });
});

describe("kernelDrift", () => {
  const gram = (...values: number[]) => ({ rows: 2, columns: 2, values: Float64Array.from(values) });
  it("is the relative Frobenius distance", () => {
    expect(kernelDrift(gram(1, 2, 2, 4), gram(1, 2, 2, 9))).toBe(1);
    expect(kernelDrift(gram(3, 0, 0, 4), gram(3, 0, 0, 4))).toBe(0);
  });
  it("refuses other shapes, zero kernels, and distances of LeCun networks", async () => {
    expect(() => kernelDrift(gram(1, 2, 2, 4), { rows: 1, columns: 4, values: new Float64Array(4) })).toThrow(
      RangeError,
    );
    expect(() => kernelDrift(gram(0, 0, 0, 0), gram(1, 1, 1, 1))).toThrow(RangeError);
    const lecun = network({ widths: [2], parameterization: "lecun" });
    const data = rows(2, 3, 1);
    await expect(distanceToNtk(lecun, gram(1, 0, 0, 1), data, data, { runtime })).rejects.toThrow(/parameterization/);
  });
});
