// First layers of finite networks in integer planes: what they enclose, what they cost, and when they are used. The
// float64 sums of networkBounds() are the reference.
import { expect, it } from "vitest";
import {
  IBP_CENTRE_PLANES,
  IBP_CENTRE_VALUES,
  IBP_OFFSETS,
  IBP_PLANES,
  IBP_VALUES,
  NEURONS,
} from "../../assembly/layout.js";
import { certify } from "../../sdk/certify/certify.js";
import { type NetworkOffset, networkBounds, prepareNetworkJob } from "../../sdk/certify/ibp.js";
import { slotsOf } from "../../sdk/certify/planes.js";
import { type Dataset, dataset } from "../../sdk/data/dataset.js";
import { initialWeights } from "../../sdk/networks/initial.js";
import { NetworkModel } from "../../sdk/networks/model.js";
import { network } from "../../sdk/networks/network.js";
import type { Runtime } from "../../sdk/runtime/runtime.js";
import { LEVELS, runtimeAt, uniform } from "../helpers.js";

const BRACKET = { low: 0, high: 1, tolerance: 1e-6 };

interface Given {
  readonly widths: readonly number[];
  /** Largest distance of a weight from its start. */
  readonly apart: number;
  readonly centred: boolean;
  readonly inputs?: number;
  readonly seed?: number;
}

/** A network whose weights lie about its start, and sparse 8-bit rows, two of them all zero and all 255. */
async function modelOf({ widths, apart, centred, inputs = 23, seed = 1 }: Given) {
  const runtime = await runtimeAt("simd");
  const next = uniform(seed);
  const spec = network({ widths: [...widths], seed });
  const start = await initialWeights(spec, inputs, { runtime });
  const about = (weights: Float32Array) => weights.map((w) => w + apart * (2 * next() - 1));
  const model = new NetworkModel({
    spec,
    inputs,
    weights: { hidden: start.hidden.map(about), output: about(start.output) },
    centred,
    eightBit: true,
    scale: 1 / 255,
    loss: "hinge",
    parameters: {},
    history: [],
    dataHash: "",
    dataName: "",
  });
  const n = 30;
  // Column 3 is never used.
  const x = Uint8Array.from({ length: n * inputs }, (_, at) => {
    const used = at % inputs !== 3 && (next() < 0.4 || at < inputs);
    return used && at >= inputs ? Math.floor(256 * next()) : used && at > 3 ? 255 : 0;
  });
  x.fill(0, 5 * inputs, 6 * inputs);
  const data = dataset({ x, y: new Float64Array(n).fill(1), shape: [n, inputs] });
  return { runtime, model, data };
}

/** A pointer of a fresh job, and a run of it with `fast` sums. */
async function withJob<T>(
  runtime: Runtime,
  model: NetworkModel,
  data: Dataset,
  offset: NetworkOffset,
  use: (pointerAt: (field: number) => number, run: (radius: number) => Promise<Float64Array>) => Promise<T>,
): Promise<T> {
  const scope = runtime.scope();
  try {
    const job = await prepareNetworkJob(runtime, scope, model, data, BRACKET, offset, true);
    const from = scope.f64(data.n);
    const to = scope.f64(2 * data.n);
    const run = async (radius: number) => {
      runtime.memory.f64(from, data.n).fill(radius);
      await job.run("networkBounds", 0, data.n, [from, to]);
      return runtime.memory.f64(to, 2 * data.n).slice();
    };
    return await use((field) => runtime.memory.view(job.pointer, field + 4).getUint32(field, true), run);
  } finally {
    scope.release();
  }
}

const CASES = [[40], [300], [24, 33], [9, 40, 17]].flatMap((widths) =>
  [0.001, 3].flatMap((apart) => [false, true].map((centred) => ({ widths, apart, centred }))),
);

it.each(CASES)(
  "widths $widths, $apart apart, centred $centred: bounds lie outside the float64 ones (1e-12 of them is their rounding) and lose at most 4e-4 of a grey level of radius",
  async (given) => {
    const { runtime, model, data } = await modelOf(given);
    for (const offset of ["frozen", "difference"] as const)
      await withJob(runtime, model, data, offset, async (pointerAt, run) => {
        expect(pointerAt(IBP_PLANES)).toBeGreaterThan(0);
        const lone = given.widths.length === 1;
        expect(pointerAt(IBP_OFFSETS) > 0).toBe(given.centred && lone && offset === "frozen");
        for (const radius of [0, 1e-3, 0.02, 0.3]) {
          const ends = await run(radius);
          const { lower, upper } = await networkBounds(model, data, radius, { runtime, offset });
          const wider = await networkBounds(model, data, radius + 4e-4 / 255, { runtime, offset });
          for (let k = 0; k < data.n; k++) {
            const [low, high] = [ends[2 * k] ?? Number.NaN, ends[2 * k + 1] ?? Number.NaN];
            const rounding = 1e-12 * (Math.abs(low) + Math.abs(high) + 1);
            expect(low).toBeLessThanOrEqual((lower[k] ?? Number.NaN) + rounding);
            expect(high).toBeGreaterThanOrEqual((upper[k] ?? Number.NaN) - rounding);
            expect(low).toBeGreaterThanOrEqual((wider.lower[k] ?? Number.NaN) - rounding);
            expect(high).toBeLessThanOrEqual((wider.upper[k] ?? Number.NaN) + rounding);
          }
        }
      });
  },
);

it("a near start shares the coarse plane, a far one has its own; rows that are not 8-bit have none", async () => {
  for (const [apart, shared] of [
    [1e-4, true],
    [3, false],
  ] as const) {
    const { runtime, model, data } = await modelOf({ widths: [64], apart, centred: true });
    const own = await withJob(runtime, model, data, "frozen", async (pointerAt) => pointerAt(IBP_CENTRE_PLANES));
    expect(own === 0).toBe(shared);
    const floats = dataset({ x: Float64Array.from(data.x), y: data.y, shape: [data.n, data.d] });
    const twin = new NetworkModel({ ...model, eightBit: false, scale: 1 });
    expect(await withJob(runtime, twin, floats, "frozen", async (pointerAt) => pointerAt(IBP_PLANES))).toBe(0);
  }
});

it("sums are the float64 ones to 1e-7 of sum |x_k| times the largest weight, of both networks", async () => {
  for (const apart of [1e-4, 3]) {
    const { runtime, model, data } = await modelOf({ widths: [45], apart, centred: true });
    const start = await initialWeights(model.spec, data.d, { runtime });
    await withJob(runtime, model, data, "difference", async (pointerAt, run) => {
      await run(0);
      for (const [field, { hidden }] of [
        [IBP_VALUES, model.weights],
        [IBP_CENTRE_VALUES, start],
      ] as const) {
        const row = Math.ceil(45 / NEURONS) * NEURONS;
        const sums = runtime.memory.f64(pointerAt(field), data.n * row);
        const weights = hidden[0] ?? new Float32Array();
        const largest = weights.reduce((most, w) => Math.max(most, Math.abs(w)), 0);
        for (let i = 0; i < data.n; i++) {
          const entries = Array.from(data.x.subarray(i * data.d, (i + 1) * data.d));
          const size = entries.reduce((sum, value) => sum + value, 0);
          for (let j = 0; j < 45; j++) {
            const exact = entries.reduce((sum, value, k) => sum + value * (weights[k * 45 + j] ?? 0), 0);
            expect(Math.abs((sums[i * row + j] ?? Number.NaN) - exact)).toBeLessThanOrEqual(1e-7 * size * largest);
          }
        }
      }
    });
  }
});

it("certificates are the same bits at every level and on 0, 1, 2 and 3 threads", async () => {
  for (const apart of [1e-4, 3]) {
    const { model, data } = await modelOf({ widths: [70], apart, centred: true, inputs: 12 });
    const results = [];
    for (const [level, threads] of [
      ...LEVELS.map((name) => [name, 0] as const),
      ["simd", 1],
      ["simd", 2],
      ["simd", 3],
    ] as const) {
      const runtime = await runtimeAt(level, threads);
      const { perSample } = await certify(model, data, { method: "ibp", runtime });
      results.push(perSample.map(({ seconds, ...rest }) => rest));
      await runtime.close();
    }
    for (const result of results) expect(result).toEqual(results[0]);
  }
});

it("an input's certificate does not depend on the inputs beside it: the same bits alone and among others", async () => {
  for (const apart of [1e-4, 3]) {
    const { runtime, model, data } = await modelOf({ widths: [50], apart, centred: true, inputs: 31, seed: 4 });
    const { perSample } = await certify(model, data, { method: "ibp", runtime });
    for (let k = 0; k < data.n; k += 3) {
      const { perSample: alone } = await certify(model, data.subset([k]), { method: "ibp", runtime });
      const { seconds: _, index: __, ...own } = alone[0] ?? { seconds: 0, index: 0 };
      expect(perSample[k]).toMatchObject(own);
    }
  }
});

it("rows too large for one 32-bit sum are added in parts: all pixels 255, 3,000 of them; 1e-4 is far above what they lose", async () => {
  const { runtime, model, data } = await modelOf({ widths: [33], apart: 1e-4, centred: false, inputs: 3000 });
  await withJob(runtime, model, data, "frozen", async (_, run) => {
    const ends = await run(0.01);
    const { lower, upper } = await networkBounds(model, data, 0.01, { runtime });
    lower.forEach((low, k) => {
      expect(ends[2 * k]).toBeLessThanOrEqual(low + 1e-12 * (1 + Math.abs(low)));
      expect(ends[2 * k + 1]).toBeGreaterThanOrEqual((upper[k] ?? Number.NaN) * (1 - 1e-12) - 1e-12);
      expect(low - (ends[2 * k] ?? Number.NaN)).toBeLessThan(1e-4);
    });
  });
});

it("slots hold every entry of every row once, in the columns that are used", () => {
  const next = uniform(5);
  for (const d of [1, 2, 3, 7, 8]) {
    const x = Uint8Array.from({ length: 9 * d }, (_, at) =>
      next() < 0.5 || at % d === 2 ? 0 : Math.floor(256 * next()),
    );
    const slots = slotsOf({ n: 9, d, x, scale: 1 });
    if (slots === undefined) throw new Error("expected slots of 8-bit rows");
    const back = new Uint8Array(9 * d);
    for (let i = 0; i < 9; i++)
      for (let at = slots.starts[i] ?? 0; at < (slots.starts[i + 1] ?? 0); at++)
        for (const part of [0, 1]) {
          const column = slots.columns[2 * (slots.list[at] ?? 0) + part] ?? -1;
          const value = ((slots.entries[at] ?? 0) >> (16 * part)) & 0xffff;
          if (column >= 0) back[i * d + column] = value;
          else expect(value).toBe(0);
        }
    expect(back).toEqual(x);
    expect(slots.columns.includes(2)).toBe(false);
  }
  expect(slotsOf({ n: 1, d: 1, x: Float64Array.of(1), scale: 1 })).toBeUndefined();
});
