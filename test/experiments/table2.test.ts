// Table 2's bookkeeping with certificates made up for it, and the real SVM row. Not here: bounds themselves.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Certificate } from "../../sdk/certify/certify.js";
import type { Report } from "../../sdk/certify/report.js";
import { dataset } from "../../sdk/data/dataset.js";
import { type NetworkRun, table2 } from "../../sdk/experiments/table2.js";
import { reproduceTable2 } from "../../sdk/plots/commands.js";
import { Runtime } from "../../sdk/runtime/runtime.js";
import { points } from "../cli/points.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.create({ threads: 1 });
});
afterAll(() => runtime.close());

function split(n: number, seed: number) {
  const { x, y } = points(n, 8, seed);
  return dataset({ x: x.data, y: y.data, shape: [n, 8], name: "half-spaces" });
}
const data = { train: split(40, 1), test: split(12, 2) };

/** Radii 1 / sqrt(width) on every row, the last of which is wrong. */
async function certifyNetwork({ width, test, methods }: NetworkRun): Promise<readonly Report[]> {
  const perSample = Array.from(test.y, (label, index): Certificate => {
    const correct = index < test.n - 1;
    const outcome = { decision: label, radius: width ** -0.5, margin: 0, seconds: 0 };
    return { index, label, prediction: 1, ...outcome, correct, verdict: correct ? "certified" : "misclassified" };
  });
  return methods.map(() => ({ samples: test.n, perSample }) as unknown as Report);
}

describe("table2", () => {
  it("has a row for each width and one for the SVM, over the correct rows of all seeds, with the slope", async () => {
    const seen: NetworkRun[] = [];
    const progress: number[] = [];
    const result = await table2({
      certifyNetwork: (run) => {
        seen.push(run);
        return certifyNetwork(run);
      },
      ...{ data, widths: [100, 25], seeds: 2, epochs: 4, seed: 3, backend: "wasm", runtime },
      onProgress: ({ done, total }) => progress.push(done / total),
    });
    expect(result.rows.map(({ model, width }) => [model, width])).toEqual([
      ["network", 25],
      ["network", 100],
      ["svm", null],
    ]);
    const [narrow, , svm] = result.rows;
    expect(narrow).toMatchObject({ samples: 12, accuracy: 11 / 12, radius: { min: 0.2, max: 0.2 } });
    expect(narrow?.radius.mean).toBeCloseTo(0.2, 14);
    expect(narrow?.seeds.map(({ seed }) => seed)).toEqual([3, 4]);
    expect(svm?.seeds.map(({ seed }) => seed)).toEqual([3, 4]);
    expect(svm?.radius.mean).toBeGreaterThan(0);
    expect(result.fit?.slope).toBeCloseTo(-0.5, 12);
    expect(seen.map(({ width, seed }) => [width, seed])).toEqual([
      [25, 3],
      [25, 4],
      [100, 3],
      [100, 4],
    ]);
    expect(seen[0]).toMatchObject({
      epochs: 4,
      backend: "wasm",
      training: { batch: 64, learningRate: 1, lambda: 0.001 },
    });
    expect(progress.at(-1)).toBe(1);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
  });

  it("trains and certifies real networks where nothing else is asked for", async () => {
    const options = { data, widths: [16, 64], seeds: 1, epochs: 30, backend: "wasm" as const, runtime };
    const { rows, fit } = await table2(options);
    for (const { accuracy, radius, samples } of rows) {
      expect(samples).toBe(12);
      expect(accuracy).toBeGreaterThan(0.7);
      expect(radius.mean).toBeGreaterThan(0);
    }
    expect(fit?.interval).toBeNull();
    expect(JSON.stringify((await table2(options)).rows)).toBe(JSON.stringify(rows));
  });

  it("trains on as many rows as asked for, the same for every width, drawn from all by the seed", async () => {
    const seen: NetworkRun[] = [];
    const keep = (run: NetworkRun) => {
      seen.push(run);
      return certifyNetwork(run);
    };
    const options = { certifyNetwork: keep, data, widths: [25, 100], seeds: 1, epochs: 2, runtime, svm: false };
    const { settings } = await table2({ ...options, n: 10, seed: 3 });
    await table2({ ...options, n: 10, seed: 4 });
    const rows = seen.map(({ train }) => [...train.x].join());
    expect(settings.n).toBe(10);
    expect(seen.map(({ train }) => train.n)).toEqual([10, 10, 10, 10]);
    expect(rows[1]).toBe(rows[0]);
    expect(rows[2]).not.toBe(rows[0]);
    await expect(table2({ ...options, n: 0 })).rejects.toThrow(/^n: /);
  });

  it("draws the networks beside the SVM", async () => {
    const files = new Map<string, string>();
    const options = { certifyNetwork, data, widths: [25, 100, 400], seeds: 2, epochs: 4, runtime };
    await reproduceTable2(options, (name, text) => void files.set(name, text));
    const svg = files.get("table2.svg") ?? "";
    for (const word of ["SVM (infinite width)", "networks, IBP", "slope −0.50", "certified radius"])
      expect(svg).toContain(word);
    expect(svg).not.toMatch(/NaN|undefined/);
  });

  it("refuses what it can not do", async () => {
    const options = { certifyNetwork, data, runtime };
    await expect(table2({ ...options, certifyNetwork: 1 as never })).rejects.toThrow(/^certifyNetwork/);
    await expect(table2({ ...options, widths: [0] })).rejects.toThrow(/^widths\[0\]/);
    await expect(table2({ ...options, svm: "no" as never })).rejects.toThrow(/^svm/);
    await expect(table2({ ...options, seeds: 0 })).rejects.toThrow(/^seeds/);
  });
});
