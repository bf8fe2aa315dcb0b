// The paper's experiments in small: networks follow their machine, better when wider, and the same seed gives the same
// figures. Not here: the full sizes (the command line) and pictures (test/plots/).
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dataset } from "../../sdk/data/dataset.js";
import { figureA1 } from "../../sdk/experiments/figure-a1.js";
import { figure1 } from "../../sdk/experiments/figure1.js";
import { COMPARISON_SETTINGS, recordedSteps } from "../../sdk/experiments/follow.js";
import { widthSweep } from "../../sdk/experiments/width-sweep.js";
import { Runtime } from "../../sdk/runtime/runtime.js";
import { points } from "../cli/points.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.create({ threads: 2 });
});
afterAll(() => runtime.close());

function split(n: number, seed: number) {
  const { x, y } = points(n, 8, seed);
  return dataset({ x: x.data, y: y.data, shape: [n, 8], name: "half-spaces" });
}
const data = { train: split(40, 1), test: split(30, 2) };
const small = { data, n: 32, tests: 20, backend: "wasm" as const };

describe("figure1", () => {
  const options = { ...small, width: 1024, widths: [64, 256], steps: 60, learningRates: [1, 0.1] };

  it("lays networks beside the machine: rms of f - g falls from width 64 to 1,024, and is below 0.1 there", async () => {
    const result = await figure1({ ...options, runtime });
    expect(result.settings).toMatchObject({ n: 32, tests: 20, width: 1024, setting: "paper", data: "half-spaces" });
    expect(result.widths.map(({ widths }) => widths)).toEqual([64, 256, 1024].map((m) => [m, m]));
    expect(result.rates.map(({ learningRate }) => learningRate)).toEqual([1, 0.1]);
    const last = result.widths.map(({ difference }) => difference.rms.at(-1) ?? Number.NaN);
    expect(last[2]).toBeLessThan((last[0] ?? 0) / 2);
    expect(last[2]).toBeLessThan(0.1);
    for (const { steps, network, machine, difference } of [...result.rates, ...result.widths]) {
      expect(steps[0]).toBe(0);
      expect(steps.at(-1)).toBe(60);
      expect(difference.rms[0]).toBe(0);
      for (const curves of [network, machine]) {
        expect(curves.hinge[0]).toBe(1);
        expect(curves.hinge.at(-1)).toBeLessThan(1);
        expect([curves.hinge, curves.accuracy, ...curves.samples].map((list) => list.length)).toEqual(
          new Array(4).fill(steps.length),
        );
      }
    }
    expect(result.samples.map(({ label }) => label)).toEqual([1, -1]);
  }, 60_000);

  it("gives the same JSON for the same seed on any number of threads, and another for another", async () => {
    const few = { ...options, width: 64, widths: [64], steps: 12 };
    const other = await Runtime.create({ threads: 0 });
    const [a, b, c] = [
      await figure1({ ...few, runtime, seed: 5 }),
      await figure1({ ...few, runtime: other, seed: 5 }),
      await figure1({ ...few, runtime, seed: 6 }),
    ].map((result) => JSON.stringify(result));
    await other.close();
    expect(b).toBe(a);
    expect(c).not.toBe(a);
    expect(JSON.stringify(JSON.parse(a ?? ""))).toBe(a);
  }, 60_000);

  it.each(COMPARISON_SETTINGS)("starts network and machine from the same outputs, setting %s", async (setting) => {
    const { rates } = await figure1({ ...options, runtime, width: 64, widths: [64], steps: 8, setting });
    const [run] = rates;
    expect(run?.difference.largest[0]).toBe(0);
    expect(run?.difference.rms.at(-1)).toBeLessThan(0.2);
    const start = run?.machine.samples.map(([first]) => first) ?? [];
    if (setting === "theorem") for (const value of start) expect(value).not.toBe(0);
    else expect(start).toEqual([0, 0]);
  });

  it("reports progress up to its total and stops with the signal's reason", async () => {
    const seen: number[] = [];
    let total = 0;
    const few = { ...options, width: 64, widths: [32], steps: 20, runtime };
    await figure1({
      ...few,
      onProgress: (progress) => {
        seen.push(progress.done);
        total = progress.total;
      },
    });
    expect(seen.at(-1)).toBe(total);
    expect([...seen].sort((a, b) => a - b)).toEqual(seen);
    const controller = new AbortController();
    const stopped = figure1({
      ...few,
      signal: controller.signal,
      onProgress: () => controller.abort(new Error("stop")),
    });
    await expect(stopped).rejects.toThrow("stop");
  });

  it("refuses options that make no sense, naming them", async () => {
    const bad: [object, RegExp][] = [
      [{ width: 0 }, /^width/],
      [{ widths: [] }, /^widths/],
      [{ learningRates: [0] }, /^learningRates\[0\]/],
      [{ learningRates: [1], lambda: 1 }, /^lambda/],
      [{ steps: 1.5 }, /^steps/],
      [{ setting: "other" }, /^setting/],
      [{ backend: "cuda" }, /^backend/],
      [{ seed: -1 }, /^seed/],
    ];
    for (const [option, message] of bad)
      await expect(figure1({ ...small, ...option } as never)).rejects.toThrow(message);
    await expect(figure1(null as never)).rejects.toThrow(TypeError);
  });
});

describe("figureA1", () => {
  it("follows the machine through the same batches: rms of f - g below 0.1 at width 1,024 after 6 epochs", async () => {
    const result = await figureA1({ data, width: 1024, epochs: 6, batch: 8, backend: "wasm", runtime });
    const { settings, comparison } = result;
    expect(settings).toMatchObject({ n: 40, tests: 30, stepsPerEpoch: 5, batch: 8 });
    expect(comparison.steps.at(-1)).toBe(30);
    expect(comparison.difference.rms.at(-1)).toBeLessThan(0.1);
    expect(comparison.network.hinge.at(-1)).toBeLessThan(0.9);
    const again = await figureA1({ data, width: 1024, epochs: 6, batch: 8, backend: "wasm", runtime });
    expect(JSON.stringify(again)).toBe(JSON.stringify(result));
  });
});

describe("widthSweep", () => {
  it.each([{ depth: 1 }, { depth: 2 }])(
    "finds f - g, kernel drift and kernel distance falling with width, depth $depth",
    async ({ depth }) => {
      const options = { ...small, widths: [64, 256, 1024], seeds: 3, steps: 30, depth, runtime };
      const { points, fits, settings } = await widthSweep(options);
      expect(settings).toMatchObject({ depth, seeds: 3, setting: "matched" });
      expect(points.map(({ width }) => width)).toEqual([64, 64, 64, 256, 256, 256, 1024, 1024, 1024]);
      expect(new Set(points.map(({ seed }) => seed)).size).toBe(9);
      for (const law of Object.values(fits ?? {})) {
        expect(law.slope).toBeLessThan(-0.25);
        expect(law.interval?.[1]).toBeLessThan(0);
        expect(law.points).toBe(9);
      }
      expect(Object.keys(fits ?? {})).toEqual(["rms", "drift", "distance"]);
    },
    60_000,
  );

  it("has no slopes for one width", async () => {
    const { fits, points } = await widthSweep({ ...small, widths: [16], seeds: 1, steps: 3, depth: 1, runtime });
    expect(fits).toBeUndefined();
    expect(points).toHaveLength(1);
  });
});

describe("recordedSteps", () => {
  it("starts at 0, ends at the last step, ascends, and is dense at both ends", () => {
    expect(recordedSteps(1)).toEqual([0, 1]);
    for (const steps of [2, 7, 100, 59_400]) {
      const recorded = recordedSteps(steps);
      expect(recorded[0]).toBe(0);
      expect(recorded.at(-1)).toBe(steps);
      expect(recorded).toEqual([...new Set(recorded)].sort((a, b) => a - b));
      expect(recorded.length).toBeLessThan(100);
    }
    expect(recordedSteps(2000).slice(0, 4)).toEqual([0, 1, 2, 3]);
  });
});
