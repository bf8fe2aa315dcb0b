// Interval bound propagation on tiny networks, where everything can be counted out: the exact extrema over the box from
// the network's linear regions, and the bound itself from all corners of each layer's box. Not here: larger networks and
// files (ibp.test.ts).
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { certify } from "../../sdk/certify/certify.js";
import { type NetworkOffset, networkBounds } from "../../sdk/certify/ibp.js";
import { dataset } from "../../sdk/data/dataset.js";
import { initialWeights } from "../../sdk/networks/initial.js";
import { NetworkModel } from "../../sdk/networks/model.js";
import { layerScales, type NetworkSpec, type NetworkWeights, network } from "../../sdk/networks/network.js";
import type { Runtime } from "../../sdk/runtime/runtime.js";
import { normal, runtimeAt, uniform } from "../helpers.js";
import { type PlainWeights, plainOutputs, plainWeights } from "./reference.js";
import { extrema, outputsAt } from "./regions.js";

const OFFSETS: readonly NetworkOffset[] = ["frozen", "difference"];

let runtime: Runtime;
beforeAll(async () => {
  runtime = await runtimeAt("simd");
});
afterAll(() => runtime.close());

interface Tiny {
  readonly widths: readonly number[];
  readonly parameterization: "ntk" | "lecun";
  readonly centred: boolean;
  readonly radius: number;
  readonly seed: number;
}

const tiny = (depth: number, widest: number) =>
  fc.record({
    widths: fc.array(fc.integer({ min: 1, max: widest }), { minLength: depth, maxLength: depth }),
    parameterization: fc.constantFrom("ntk" as const, "lecun" as const),
    centred: fc.boolean(),
    radius: fc.constantFrom(0, 1e-3, 0.05, 0.4, 2),
    seed: fc.integer({ min: 0, max: 2 ** 20 }),
  });

/** A model whose weights are not those of its start, and the two as plain numbers. */
async function modelOf({ widths, parameterization, centred, seed }: Tiny, inputs: number, weights?: NetworkWeights) {
  const spec = network({ widths, parameterization, seed });
  const own = weights ?? (await initialWeights({ ...spec, seed: seed + 1 }, inputs, { runtime }));
  const model = new NetworkModel({
    spec,
    inputs,
    weights: own,
    centred,
    eightBit: false,
    scale: 1,
    loss: "hinge",
    parameters: {},
    history: [],
    dataHash: "",
    dataName: "",
  });
  const start = plainWeights(await initialWeights(spec, inputs, { runtime }));
  return { spec, model, weights: plainWeights(own), centre: centred ? start : undefined };
}

/** Largest |f| that rounding in float64 refers to, on a box. */
const sizeOf = ({ lower, upper }: { lower: number; upper: number }) => 1 + Math.max(Math.abs(lower), Math.abs(upper));

describe.each([1, 2, 3])("%i hidden layers", (depth) => {
  it("encloses the exact extrema over the box, frozen and as a difference, to 1e-12 (float64 rounding of the enumeration)", async () => {
    const property = fc.asyncProperty(tiny(depth, 5), async (given) => {
      const { spec, model, weights, centre } = await modelOf(given, 2);
      const gauss = normal(uniform(given.seed));
      const middle = [gauss(), gauss()] as const;
      const { radius } = given;
      const x = { n: 1, d: 2, x: Float64Array.from(middle), scale: 1 };
      const kept = centre === undefined ? 0 : (outputsAt(spec, centre, [middle])[0] ?? 0);
      const next = uniform(given.seed + 1);
      const samples = Array.from(
        { length: 40 },
        () => [middle[0] + radius * (2 * next() - 1), middle[1] + radius * (2 * next() - 1)] as const,
      );
      const [f, f0] = [weights, centre].map((own) =>
        own === undefined ? new Float64Array(40) : outputsAt(spec, own, samples),
      );
      for (const offset of OFFSETS) {
        const exact = extrema(spec, weights, offset === "frozen" ? undefined : centre, middle, radius);
        const shift = offset === "frozen" ? kept : 0;
        const bounds = await networkBounds(model, x, radius, { runtime, offset });
        const [lower, upper] = [bounds.lower[0] ?? Number.NaN, bounds.upper[0] ?? Number.NaN];
        const error = 1e-12 * (sizeOf({ lower, upper }) + Math.abs(kept));
        expect(lower).toBeLessThanOrEqual(exact.lower - shift + error);
        expect(upper).toBeGreaterThanOrEqual(exact.upper - shift - error);
        // The enumeration itself: no sample is beyond it.
        for (let k = 0; k < samples.length; k++) {
          const value = (f?.[k] ?? Number.NaN) - (offset === "frozen" ? 0 : (f0?.[k] ?? Number.NaN));
          expect(value).toBeGreaterThanOrEqual(exact.lower - error);
          expect(value).toBeLessThanOrEqual(exact.upper + error);
        }
      }
    });
    await fc.assert(property, { numRuns: 60, seed: 1 });
  });

  it("is what all corners of each layer's box give, to 1e-12 of the largest bound", async () => {
    const property = fc.asyncProperty(tiny(depth, 6), fc.integer({ min: 1, max: 5 }), async (given, inputs) => {
      const { spec, model, weights, centre } = await modelOf(given, inputs);
      const gauss = normal(uniform(given.seed));
      const x = Float64Array.from({ length: inputs }, gauss);
      const row = { n: 1, d: inputs, x, scale: 1 };
      const own = propagated(spec, weights, x, given.radius);
      const start = centre && propagated(spec, centre, x, given.radius);
      const kept = centre && (plainOutputs(spec, row, centre)[0] ?? 0);
      for (const offset of OFFSETS) {
        const { lower, upper } = await networkBounds(model, row, given.radius, { runtime, offset });
        const [low, high] = offset === "frozen" ? [kept ?? 0, kept ?? 0] : [start?.upper ?? 0, start?.lower ?? 0];
        const error = 1e-12 * (sizeOf(own) + Math.abs(low) + Math.abs(high));
        expect(Math.abs((lower[0] ?? Number.NaN) - (own.lower - low))).toBeLessThan(error);
        expect(Math.abs((upper[0] ?? Number.NaN) - (own.upper - high))).toBeLessThan(error);
      }
    });
    await fc.assert(property, { numRuns: 60, seed: 2 });
  });

  it("is exact on networks that are monotone in every input: both ends are outputs at corners, to 1e-12", async () => {
    const property = fc.asyncProperty(tiny(depth, 40), fc.integer({ min: 1, max: 9 }), async (given, inputs) => {
      const plain = { ...given, centred: false };
      const { model: random } = await modelOf(plain, inputs);
      const next = uniform(given.seed);
      const gauss = normal(next);
      const side = Array.from({ length: inputs }, () => (next() < 0.5 ? -1 : 1));
      const outer = next() < 0.5 ? -1 : 1;
      const width = given.widths[0] ?? 1;
      const { spec, model, weights } = await modelOf(plain, inputs, {
        hidden: random.weights.hidden.map((layer, l) =>
          layer.map((w, k) => Math.abs(w) * (l === 0 ? (side[Math.floor(k / width)] ?? 1) : 1)),
        ),
        output: random.weights.output.map((w) => outer * Math.abs(w)),
      });
      const x = Float64Array.from({ length: inputs }, gauss);
      const corner = (end: number) => x.map((value, k) => value + end * given.radius * (side[k] ?? 1));
      const [low, high] = [corner(-outer), corner(outer)].map(
        (own) => plainOutputs(spec, { n: 1, d: inputs, x: own, scale: 1 }, weights)[0] ?? Number.NaN,
      );
      const { lower, upper } = await networkBounds(model, { n: 1, d: inputs, x, scale: 1 }, given.radius, { runtime });
      const error = 1e-12 * (1 + Math.abs(low ?? 0) + Math.abs(high ?? 0));
      expect(Math.abs((lower[0] ?? Number.NaN) - (low ?? 0))).toBeLessThan(error);
      expect(Math.abs((upper[0] ?? Number.NaN) - (high ?? 0))).toBeLessThan(error);
    });
    await fc.assert(property, { numRuns: 40, seed: 3 });
  });

  it("certifies no radius beyond which the exact extrema have changed the sign", async () => {
    let certified = 0;
    const property = fc.asyncProperty(tiny(depth, 5), async (given) => {
      const { spec, model, weights, centre } = await modelOf(given, 2);
      const gauss = normal(uniform(given.seed));
      const x = Float64Array.from({ length: 12 }, gauss);
      const rows = dataset({ x, y: new Float64Array(6).fill(1), shape: [6, 2] });
      for (const offset of OFFSETS) {
        const method = offset === "frozen" ? "ibp" : "ibp-difference";
        const { perSample } = await certify(model, rows, { method, runtime });
        for (const [k, { verdict, radius, prediction }] of perSample.entries()) {
          if (verdict === "abstained" || !(radius > 0)) continue;
          certified++;
          const middle = [x[2 * k] ?? 0, x[2 * k + 1] ?? 0] as const;
          const exact = extrema(spec, weights, offset === "frozen" ? undefined : centre, middle, radius);
          const kept = offset === "frozen" && centre ? (outputsAt(spec, centre, [middle])[0] ?? 0) : 0;
          const worst = prediction > 0 ? exact.lower - kept : kept - exact.upper;
          expect(worst).toBeGreaterThan(-1e-12 * sizeOf(exact));
        }
      }
    });
    await fc.assert(property, { numRuns: 25, seed: 4 });
    expect(certified).toBeGreaterThan(50);
  });
});

/** All corners of a box. */
function corners(lower: readonly number[], upper: readonly number[]): number[][] {
  return lower.reduce<number[][]>(
    (found, low, k) => found.flatMap((corner) => [low, upper[k] ?? Number.NaN].map((end) => [...corner, end])),
    [[]],
  );
}

/** Interval propagation without intervals: each neuron is evaluated at all corners of the box of the layer before. */
function propagated({ widths, ...spec }: NetworkSpec, weights: PlainWeights, x: Float64Array, radius: number) {
  const scales = layerScales({ widths, ...spec }, x.length);
  let lower = Array.from(x, (value) => value - radius);
  let upper = Array.from(x, (value) => value + radius);
  [...widths, 1].forEach((width, l) => {
    const layer = weights.hidden[l] ?? weights.output;
    const boxes = corners(lower, upper);
    const sums = Array.from({ length: width }, (_, j) =>
      boxes.map((a) => (scales[l] ?? 1) * a.reduce((sum, value, k) => sum + value * (layer[k * width + j] ?? 0), 0)),
    ).map((values) => (l < widths.length ? values.map((value) => Math.max(0, value)) : values));
    lower = sums.map((values) => Math.min(...values));
    upper = sums.map((values) => Math.max(...values));
  });
  return { lower: lower[0] ?? Number.NaN, upper: upper[0] ?? Number.NaN };
}
