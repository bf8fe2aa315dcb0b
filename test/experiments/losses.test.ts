// Figure 1 for every loss in small: each network follows its own machine, better when wider, from the same start.
// Not here: the full size (the command line) and the picture (test/plots/).
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dataset } from "../../sdk/data/dataset.js";
import { figureLosses } from "../../sdk/experiments/losses.js";
import { TABLE1, TABLE1_MACHINES } from "../../sdk/experiments/table1.js";
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
const small = { data, n: 24, tests: 20, steps: 60, lambda: 0.001, learningRate: 0.5, backend: "wasm" as const };

describe("figureLosses", () => {
  it("lays a network beside each machine: largest |f - g| falls from width 64 to 2,048 for every loss, and is below 0.2 there", async () => {
    const [narrow, wide] = [
      await figureLosses({ ...small, width: 64, runtime }),
      await figureLosses({ ...small, width: 2048, runtime }),
    ];
    expect(wide!.rows.map(({ machine }) => machine)).toEqual([...TABLE1_MACHINES]);
    wide!.rows.forEach((row, k) => {
      const { comparison, sides, machine, lambda } = row;
      expect(row.loss).toBe(TABLE1[machine].loss);
      if (machine === "kernel-regression") expect(lambda).toBe(0);
      else if (machine === "hard-margin") expect(lambda).toBeGreaterThan(0);
      else expect(lambda).toBe(0.001);
      expect(comparison.difference.largest[0]).toBe(0);
      expect(row.largest).toBe(comparison.difference.largest.at(-1));
      expect(row.largest).toBeLessThan(narrow!.rows[k]!.largest);
      expect(row.largest).toBeLessThan(0.2);
      for (const side of [sides.network, sides.machine]) {
        expect(side.loss).toHaveLength(comparison.steps.length);
        expect(side.loss.at(-1)).toBeLessThan(side.loss[0]!);
      }
      expect(sides.network.loss[0]).toBeCloseTo(sides.machine.loss[0]!, 12);
      expect(Math.abs(sides.network.distance - sides.machine.distance)).toBeLessThanOrEqual(row.largest + 1e-12);
      expect(row.solution).toHaveLength(2);
    });
  }, 120_000);

  it("ends where it says: a machine without regulariser interpolates from its own g_0 as the steps grow, within 0.05", async () => {
    const options = { ...small, n: 8, width: 256, steps: 1500, machines: ["kernel-regression" as const], runtime };
    const { rows } = await figureLosses({ ...options, learningRate: 1 });
    const [row] = rows;
    expect(row!.comparison.machine.samples[0]![0]).not.toBe(0);
    expect(row!.sides.machine.distance).toBeLessThan(0.05);
    expect(row!.sides.machine.loss.at(-1)).toBeLessThan(1e-3);
  });

  it("gives the same JSON for the same seed on any number of threads, progress up to its total, and stops when told", async () => {
    const few = { ...small, width: 32, steps: 6, machines: ["svm2" as const, "logistic" as const] };
    const other = await Runtime.create({ threads: 0 });
    const seen: number[] = [];
    let total = 0;
    const onProgress = (progress: { done: number; total: number }) => {
      seen.push(progress.done);
      total = progress.total;
    };
    const [a, b] = [
      await figureLosses({ ...few, runtime, onProgress }),
      await figureLosses({ ...few, runtime: other }),
    ].map((result) => JSON.stringify(result));
    await other.close();
    expect(b).toBe(a);
    expect(seen.at(-1)).toBe(total);
    expect([...seen].sort((x, y) => x - y)).toEqual(seen);
    const controller = new AbortController();
    const { signal } = controller;
    const stopped = figureLosses({ ...few, runtime, signal, onProgress: () => controller.abort(new Error("stop")) });
    await expect(stopped).rejects.toThrow("stop");
  });

  it("refuses options that make no sense, naming them", async () => {
    const bad: [object, RegExp][] = [
      [{ width: 0 }, /^width/],
      [{ machines: ["forest"] }, /^machines\[0\]/],
      [{ learningRate: 0 }, /^learningRate/],
      [{ lambda: 0 }, /^lambda/],
      [{ lambda: 2 }, /^lambda/],
      [{ steps: 1.5 }, /^steps/],
      [{ depth: 0 }, /^depth/],
      [{ setting: "other" }, /^setting/],
      [{ backend: "cuda" }, /^backend/],
    ];
    for (const [option, message] of bad)
      await expect(figureLosses({ ...small, ...option } as never)).rejects.toThrow(message);
    await expect(figureLosses(null as never)).rejects.toThrow(TypeError);
  });
});
