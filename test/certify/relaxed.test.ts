// Bounds of two-layer networks by relaxation, against exact extrema of tiny networks and samples of larger ones.
// Not here: interval propagation (networks/ibp.test.ts), the semidefinite bound (semidefinite.test.ts).
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { certify } from "../../sdk/certify/certify.js";
import { networkBounds } from "../../sdk/certify/ibp.js";
import { RELAXED_METHODS } from "../../sdk/certify/method.js";
import { relaxedBounds } from "../../sdk/certify/relaxed.js";
import { dataset } from "../../sdk/data/dataset.js";
import { initialWeights } from "../../sdk/networks/initial.js";
import { NetworkModel, trainNetwork } from "../../sdk/networks/model.js";
import { type NetworkWeights, network } from "../../sdk/networks/network.js";
import type { Runtime } from "../../sdk/runtime/runtime.js";
import { LEVELS, normal, randomData, runtimeAt, uniform } from "../helpers.js";
import { plainOutputs, plainWeights } from "../networks/reference.js";
import { extrema } from "../networks/regions.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await runtimeAt("simd");
});
afterAll(() => runtime.close());

interface Shape {
  readonly width: number;
  readonly parameterization: "ntk" | "lecun";
  readonly centred: boolean;
  /** Standard deviation of the weights' way from the start. */
  readonly moved: number;
  readonly radius: number;
  readonly seed: number;
}

const shapes = (widest: number) =>
  fc.record({
    width: fc.integer({ min: 1, max: widest }),
    parameterization: fc.constantFrom("ntk" as const, "lecun" as const),
    centred: fc.boolean(),
    moved: fc.constantFrom(0, 0.01, 0.3, 3),
    radius: fc.constantFrom(0, 1e-3, 0.05, 0.4, 2, 50),
    seed: fc.integer({ min: 0, max: 2 ** 20 }),
  });

/** A network some way from its start, and both as plain numbers. */
async function modelOf(shape: Shape, inputs: number, own: Partial<Pick<NetworkModel, "eightBit" | "scale">> = {}) {
  const { width, parameterization, centred, moved, seed } = shape;
  const spec = network({ widths: [width], parameterization, seed });
  const start = await initialWeights(spec, inputs, { runtime });
  const next = normal(uniform(seed + 1));
  const move = (layer: Float32Array) => layer.map((weight) => weight + moved * next());
  const weights: NetworkWeights = { hidden: start.hidden.map(move), output: move(start.output) };
  const model = new NetworkModel({
    spec,
    inputs,
    weights,
    centred,
    eightBit: false,
    scale: 1,
    loss: "hinge",
    parameters: {},
    history: [],
    dataHash: "",
    dataName: "",
    ...own,
  });
  return { spec, model, weights: plainWeights(weights), start: plainWeights(start) };
}

const rowsOf = (x: Float64Array, d: number) =>
  dataset({ x, y: new Float64Array(x.length / d).fill(1), shape: [x.length / d, d] });

/** Sum of the absolute values of all terms of f and f_0 on a ball: what float64 rounding is a multiple of. */
function sizeOf(weights: { hidden: Float64Array[]; output: Float64Array }, largest: number, width: number) {
  const [layer = new Float64Array()] = weights.hidden;
  return layer.reduce((sum, w, at) => sum + Math.abs(w * (weights.output[at % width] ?? 0)) * largest, 0);
}

describe("bounds by relaxation", () => {
  it("hold the exact extrema of networks of two inputs, and meet them at radius 0; 1e-11 is the oracle's own rounding", async () => {
    await fc.assert(
      fc.asyncProperty(shapes(8), fc.constantFrom(...RELAXED_METHODS), async (shape, method) => {
        const { spec, model, weights, start } = await modelOf(shape, 2);
        const next = uniform(shape.seed);
        const point = [2 * next() - 1, 2 * next() - 1] as const;
        const data = rowsOf(Float64Array.from(point), 2);
        const { lower, upper } = await relaxedBounds(model, data, shape.radius, { runtime, method });
        const frozen = shape.centred && method === "linear";
        const exact = extrema(spec, weights, shape.centred && !frozen ? start : undefined, point, shape.radius);
        const taken = frozen ? (plainOutputs(spec, data, start)[0] ?? 0) : 0;
        const slack =
          1e-11 * (1 + sizeOf(weights, 1 + shape.radius, shape.width) + sizeOf(start, 1 + shape.radius, shape.width));
        expect(lower[0]).toBeLessThanOrEqual(exact.lower - taken + slack);
        expect(upper[0]).toBeGreaterThanOrEqual(exact.upper - taken - slack);
        if (shape.radius > 0) return;
        expect(lower[0]).toBeGreaterThanOrEqual(exact.lower - taken - slack);
        expect(upper[0]).toBeLessThanOrEqual(exact.upper - taken + slack);
      }),
      { numRuns: 400 },
    );
  });

  it("are the exact extrema of one neuron, as nothing is lost before neurons are added up; 1e-9 is the slopes' choice", async () => {
    await fc.assert(
      fc.asyncProperty(shapes(1), fc.constantFrom("linear" as const, "paired" as const), async (shape, method) => {
        const own = { ...shape, centred: false };
        const { spec, model, weights } = await modelOf(own, 2);
        const point = [0.3, -0.2] as const;
        const { lower, upper } = await relaxedBounds(model, rowsOf(Float64Array.from(point), 2), own.radius, {
          runtime,
          method,
        });
        const exact = extrema(spec, weights, undefined, point, own.radius);
        const slack = 1e-9 * (1 + sizeOf(weights, 1 + own.radius, 1));
        expect(Math.abs((lower[0] ?? 0) - exact.lower)).toBeLessThan(slack);
        expect(Math.abs((upper[0] ?? 0) - exact.upper)).toBeLessThan(slack);
      }),
      { numRuns: 150 },
    );
  });

  it("hold every corner and sample of the ball, pixels or not; 1e-11 is the oracle's own rounding", async () => {
    const shape = { width: 150, parameterization: "ntk", centred: true, moved: 0.05, seed: 5 } as const;
    for (const pixels of [false, true]) {
      const data = randomData(6, 12, 3, pixels);
      const { spec, model, weights, start } = await modelOf({ ...shape, radius: 0 }, 12, {
        eightBit: pixels,
        scale: data.scale,
      });
      for (const radius of [0.01, 0.1, 0.5])
        for (const method of RELAXED_METHODS) {
          const { lower, upper } = await relaxedBounds(model, data, radius, { runtime, method });
          for (let seed = 0; seed < 20; seed++) {
            const next = uniform(seed);
            const move = () => (seed % 2 === 0 ? Math.sign(next() - 0.5) : 2 * next() - 1);
            const near = rowsOf(
              Float64Array.from(data.x, (v) => v * data.scale + radius * (1 - 1e-12) * move()),
              12,
            );
            const f = plainOutputs(spec, near, weights);
            const at =
              method === "linear"
                ? rowsOf(
                    Float64Array.from(data.x, (v) => v * data.scale),
                    12,
                  )
                : near;
            const f0 = plainOutputs(spec, at, start);
            for (let k = 0; k < data.n; k++) {
              const value = (f[k] ?? 0) - (f0[k] ?? 0);
              expect(value).toBeGreaterThanOrEqual((lower[k] ?? 0) - 1e-11);
              expect(value).toBeLessThanOrEqual((upper[k] ?? 0) + 1e-11);
            }
          }
        }
    }
  });

  it("are no looser for parabolas than for planes; planes no looser than intervals; looser on larger balls by 1e-6", async () => {
    const data = randomData(5, 12, 7, false);
    const { model } = await modelOf(
      { width: 200, parameterization: "ntk", centred: true, moved: 0.03, seed: 2, radius: 0 },
      12,
    );
    let before: number[] | undefined;
    for (const radius of [1e-3, 0.02, 0.1, 0.4, 1]) {
      const aggregate = await relaxedBounds(model, data, radius, { runtime, method: "aggregate" });
      const paired = await relaxedBounds(model, data, radius, { runtime, method: "paired" });
      const linear = await relaxedBounds(model, data, radius, { runtime, method: "linear" });
      const ibp = await networkBounds(model, data, radius, { runtime });
      for (let k = 0; k < data.n; k++) {
        expect(aggregate.lower[k]).toBeGreaterThanOrEqual(paired.lower[k] ?? 0);
        expect(aggregate.upper[k]).toBeLessThanOrEqual(paired.upper[k] ?? 0);
        expect(linear.lower[k]).toBeGreaterThanOrEqual((ibp.lower[k] ?? 0) - 1e-9);
        expect(paired.lower[k]).toBeLessThanOrEqual((before?.[k] ?? Infinity) + 1e-6);
      }
      before = [...paired.lower];
    }
  });

  it("gain from the spectrum: of a wide trained network, at least a quarter more radius than planes alone", async () => {
    const data = randomData(60, 64, 9, false);
    const spec = network({ widths: [1500] });
    const model = await trainNetwork(spec, data, { runtime, epochs: 40, batch: 20, learningRate: 0.5 });
    const options = { runtime, tolerance: 1e-2, samples: 6 } as const;
    const paired = await certify(model, data, { ...options, method: "paired" });
    const aggregate = await certify(model, data, { ...options, method: "aggregate" });
    expect(aggregate.radius.mean).toBeGreaterThan(1.25 * (paired.radius.mean ?? Infinity));
    // The search keeps curvatures from radius to radius; the bound from scratch proves no more than a tenth beyond it.
    const radii = aggregate.perSample.map(({ radius }) => 1.1 * radius);
    const { lower, upper } = await relaxedBounds(
      model,
      data.subset(aggregate.perSample.map(({ index }) => index)),
      radii,
      {
        runtime,
      },
    );
    aggregate.perSample.forEach(({ prediction }, k) => {
      expect(prediction > 0 ? (lower[k] ?? 0) : -(upper[k] ?? 0)).toBeLessThanOrEqual(0);
    });
  });

  it("come out with the same bits on every feature level and number of threads", async () => {
    const data = randomData(5, 11, 1, true);
    const { model } = await modelOf(
      { width: 70, parameterization: "ntk", centred: true, moved: 0.1, seed: 8, radius: 0 },
      11,
      { eightBit: true, scale: data.scale },
    );
    const results: unknown[] = [];
    for (const [level, threads] of [...LEVELS.map((name) => [name, 0] as const), ["simd", 2] as const]) {
      const own = await runtimeAt(level, threads);
      for (const method of RELAXED_METHODS) {
        const bounds = await relaxedBounds(model, data, 0.07, { runtime: own, method });
        const { perSample } = await certify(model, data, { runtime: own, method, tolerance: 1e-2 });
        results.push([method, ...bounds.lower, ...bounds.upper, ...perSample.map(({ radius }) => radius)]);
      }
      own.close();
    }
    const count = RELAXED_METHODS.length;
    for (let k = count; k < results.length; k++) expect(results[k]).toEqual(results[k % count]);
  });

  it("refuse deeper networks, and machines' methods", async () => {
    const data = randomData(2, 3, 1, false);
    const { model } = await modelOf(
      { width: 3, parameterization: "ntk", centred: true, moved: 0, seed: 1, radius: 0 },
      3,
    );
    const spec = network({ widths: [3, 3] });
    const deep = new NetworkModel({ ...model, spec, weights: await initialWeights(spec, 3, { runtime }) });
    for (const method of RELAXED_METHODS) {
      await expect(relaxedBounds(deep, data, 0.1, { runtime, method })).rejects.toThrow(/^method: .*2 hidden layers/);
      await expect(certify(deep, data, { runtime, method })).rejects.toThrow(/^method: .*2 hidden layers/);
    }
    await expect(certify(model, data, { runtime, method: "curvature" })).rejects.toThrow(/^method: .*"paired"/);
    await expect(relaxedBounds(model, data, -1, { runtime })).rejects.toThrow(RangeError);
  });
});
