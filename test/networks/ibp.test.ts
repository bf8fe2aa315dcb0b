// Finite networks: interval bounds by sampling and by enumeration, certificates, model files.
import { describe, expect, it } from "vitest";
import { certify } from "../../sdk/certify/certify.js";
import { networkBounds } from "../../sdk/certify/ibp.js";
import { dataset } from "../../sdk/data/dataset.js";
import { FormatError } from "../../sdk/errors.js";
import { ntk } from "../../sdk/kernels/kernel.js";
import { svm } from "../../sdk/machines/svm.js";
import { NetworkDivergenceError, NetworkModel, trainNetwork } from "../../sdk/networks/model.js";
import { network } from "../../sdk/networks/network.js";
import { LEVELS, randomData, runtimeAt, uniform } from "../helpers.js";

const SHAPES = [[40], [24, 33], [9, 40, 17]];

async function trained(widths: number[], pixels: boolean, centred: boolean, seed = 1) {
  const runtime = await runtimeAt("simd");
  const data = randomData(60, 10, seed, pixels);
  const spec = network({ widths, seed });
  return {
    runtime,
    data,
    model: await trainNetwork(spec, data, { runtime, epochs: 3, batch: 16, centred, learningRate: 0.2 }),
  };
}

/** The same rows as float64, moved by at most `radius` in each entry. */
function moved(
  data: { n: number; d: number; x: Uint8Array | Float64Array; scale: number },
  radius: number,
  seed: number,
) {
  const next = uniform(seed);
  const x = Float64Array.from(
    data.x,
    (v) => v * data.scale + radius * (next() < 0.5 ? Math.sign(next() - 0.5) : 2 * next() - 1),
  );
  return { n: data.n, d: data.d, x, scale: 1 };
}

describe.each(SHAPES)("widths %i %s %s", (...widths) => {
  const shape = widths.filter((width) => typeof width === "number");

  it("every sample of the ball lies inside, frozen and as a difference; 1e-5 is float32's own rounding", async () => {
    for (const pixels of [false, true])
      for (const centred of [false, true]) {
        const { runtime, data, model } = await trained(shape, pixels, centred);
        const twin = new NetworkModel({ ...model, eightBit: false, scale: 1 });
        const initial = new NetworkModel({ ...twin, centred: false });
        const plain = await initial.outputs(moved(data, 0, 1), { runtime });
        const atStart = await model.outputs(data, { runtime });
        for (const radius of [1e-3, 0.05, 0.5]) {
          const frozen = await networkBounds(model, data, radius, { runtime });
          const difference = await networkBounds(model, data, radius, { runtime, offset: "difference" });
          for (let seed = 0; seed < 4; seed++) {
            const near = moved(data, radius * 0.999999, seed);
            const f = await initial.outputs(near, { runtime });
            const g = await twin.outputs(near, { runtime });
            for (let k = 0; k < data.n; k++) {
              const offset = centred ? (plain[k] ?? 0) - (atStart[k] ?? 0) : 0;
              const kept = (f[k] ?? 0) - offset;
              expect(kept).toBeGreaterThanOrEqual((frozen.lower[k] ?? Number.NaN) - 1e-5);
              expect(kept).toBeLessThanOrEqual((frozen.upper[k] ?? Number.NaN) + 1e-5);
              expect(g[k]).toBeGreaterThanOrEqual((difference.lower[k] ?? Number.NaN) - 1e-5);
              expect(g[k]).toBeLessThanOrEqual((difference.upper[k] ?? Number.NaN) + 1e-5);
            }
          }
        }
      }
  });

  it("at radius 0 both are the output to 1e-5 (its float32 rounding) and 1e-9 wide; they widen with the radius", async () => {
    const { runtime, data, model } = await trained(shape, true, true);
    const outputs = await model.outputs(data, { runtime });
    let low: Float64Array = new Float64Array(data.n).fill(Infinity);
    let high: Float64Array = new Float64Array(data.n).fill(-Infinity);
    for (const radius of [0, 1e-6, 0.01, 0.1, 1]) {
      const { lower, upper } = await networkBounds(model, data, radius, { runtime });
      for (let k = 0; k < data.n; k++) {
        if (radius === 0) {
          expect(Math.abs((lower[k] ?? 0) - (outputs[k] ?? 0))).toBeLessThan(1e-5);
          expect((upper[k] ?? 0) - (lower[k] ?? 0)).toBeLessThan(1e-9);
        }
        expect(lower[k]).toBeLessThanOrEqual(low[k] ?? Number.NaN);
        expect(upper[k]).toBeGreaterThanOrEqual(high[k] ?? Number.NaN);
      }
      [low, high] = [lower, upper];
    }
  });
});

it("a tiny network by hand: the bound is sound and, with one neuron, exact to 1e-12", async () => {
  const runtime = await runtimeAt("simd");
  const model = new NetworkModel({
    spec: network({ widths: [1] }),
    inputs: 2,
    weights: { hidden: [Float32Array.of(1, -2)], output: Float32Array.of(3) },
    centred: false,
    eightBit: false,
    scale: 1,
    loss: "hinge",
    parameters: {},
    history: [],
    dataHash: "",
    dataName: "",
  });
  const x = { n: 1, d: 2, x: Float64Array.of(2, 0.25), scale: 1 };
  // f = 3 relu((x1 - 2 x2) / sqrt 2): at (2, 1/4) 4.5 / sqrt 2, on a ball of radius 1/10 4.5 -+ 0.9.
  const { lower, upper } = await networkBounds(model, x, 0.1, { runtime });
  expect(Math.abs((lower[0] ?? 0) - 3.6 / Math.SQRT2)).toBeLessThan(1e-12);
  expect(lower[0]).toBeLessThanOrEqual(3.6 / Math.SQRT2);
  expect(Math.abs((upper[0] ?? 0) - 5.4 / Math.SQRT2)).toBeLessThan(1e-12);
  const turned = new NetworkModel({ ...model, weights: { ...model.weights, output: Float32Array.of(-3) } });
  const mirror = await networkBounds(turned, x, 0.1, { runtime });
  expect(mirror.lower[0]).toBe(-(upper[0] ?? 0));
  expect(mirror.upper[0]).toBe(-(lower[0] ?? 0));
});

it.each([
  [false, 0],
  // What integer planes of the first layer may cost where few neurons are active, 4e-4 of a grey level.
  [true, 4e-4 / 255],
])(
  "certified radii keep the sign by the bound itself, 1.00001 of them do not (pixels: %s, and %d more); levels and threads agree",
  async (pixels, more) => {
    const { data, model } = await trained([40], pixels, true, 3);
    for (const method of ["ibp", "ibp-difference"] as const) {
      const offset = method === "ibp" ? "frozen" : "difference";
      const results = [];
      for (const [level, threads] of [...LEVELS.map((name) => [name, 0] as const), ["simd", 2], ["simd", 3]] as const) {
        const runtime = await runtimeAt(level, threads);
        const { perSample } = await certify(model, data, { method, runtime });
        results.push(perSample.map(({ seconds, ...rest }) => rest));
        await runtime.close();
      }
      for (const result of results) expect(result).toEqual(results[0]);
      const runtime = await runtimeAt("simd");
      const certificates = results[0] ?? [];
      const ends = async (factor: number, add: number) =>
        networkBounds(
          model,
          data,
          certificates.map(({ radius }) => radius * factor + add),
          { runtime, offset },
        );
      const [at, beyond] = [await ends(1, 0), await ends(1.00001, more)];
      certificates.forEach(({ prediction, verdict, radius }, k) => {
        if (verdict === "abstained") return;
        const side = ({ lower, upper }: typeof at) => (prediction > 0 ? (lower[k] ?? 0) : -(upper[k] ?? 0));
        expect(side(at)).toBeGreaterThan(0);
        if (radius < 0.3) expect(side(beyond)).toBeLessThanOrEqual(0);
      });
    }
  },
);

it("a model comes back from its file with the same bits; broken files are refused", async () => {
  const { runtime, data, model } = await trained([9, 5], true, true);
  const bytes = model.save();
  const back = NetworkModel.load(bytes);
  expect(back.save()).toEqual(bytes);
  expect(await back.outputs(data, { runtime })).toEqual(await model.outputs(data, { runtime }));
  for (let length = 0; length < bytes.length; length += 7)
    expect(() => NetworkModel.load(bytes.slice(0, length))).toThrow(FormatError);
  const machine = await svm({ kernel: ntk() }).fit(data, { runtime });
  expect(() => NetworkModel.load(machine.save())).toThrow(/expected format "ntkit network"/);
  await expect(certify(machine, data, { method: "ibp", runtime })).rejects.toThrow(/for a machine, got "ibp"/);
  await expect(certify(model, data, { method: "interval", runtime })).rejects.toThrow(/for a network, got "interval"/);
  await expect(certify(model, randomData(3, 4, 1, true), { runtime })).rejects.toThrow(RangeError);
});

it("a diverging run stops with its step and keeps the last finite network", async () => {
  const runtime = await runtimeAt("simd");
  const data = dataset({ x: randomData(64, 5, 2).x.map((v) => v * 10), y: randomData(64, 5, 2).y, shape: [64, 5] });
  const run = trainNetwork(network({ widths: [16] }), data, {
    runtime,
    loss: "squared",
    learningRate: 1e4,
    epochs: 50,
    batch: 8,
  });
  const error = await run.catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(NetworkDivergenceError);
  const { snapshot, step } = error as NetworkDivergenceError;
  expect(step).toBeGreaterThan(0);
  expect([...snapshot.weights.hidden, snapshot.weights.output].every((layer) => layer.every(Number.isFinite))).toBe(
    true,
  );
});
