import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { descend } from "../../sdk/dynamics/descend.js";
import { generalFlow } from "../../sdk/dynamics/general-flow.js";
import { ConvergenceError, krr, Runtime } from "../../sdk/index.js";
import { runtimeAt } from "../helpers.js";
import { cloud, exponential, farthest, kernel, matrix, SLOPES, times, VALUES } from "./problems.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await runtimeAt("simd");
});
afterAll(() => runtime.close());

const SMOOTH = ["squared-hinge", "squared", "logistic"] as const;

describe("the flow of equation 8", () => {
  test("squared loss: the matrix exponential's solution to 1e-8", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1e9), fc.constantFrom(0, 0.3), fc.constantFrom(0.5, 2), async (seed, lambda, weight) => {
        const n = 6;
        const train = cloud(seed, n, 3);
        const watched = cloud(seed + 1, 3, 3);
        const k = await matrix(train, train, runtime);
        const across = await matrix(watched, train, runtime);
        const initial = {
          train: cloud(seed + 2, n, 1).x as Float64Array,
          test: cloud(seed + 3, 3, 1).x as Float64Array,
        };
        // d(g, h, 1)/dt = [[-lambda - 2 w K, 0, 2 w K y], [-2 w K', -lambda, 2 w K' y], [0, 0, 0]] (g, h, 1).
        const both = [...k, ...across];
        const system = both.map((row, i) => {
          const line = new Float64Array(n + 4);
          row.forEach((value, j) => {
            line[j] = -2 * weight * value;
          });
          line[i] = line[i]! - lambda;
          line[n + 3] = 2 * weight * row.reduce((s, value, j) => s + value * train.y[j]!, 0);
          return line;
        });
        system.push(new Float64Array(n + 4));
        const settings = { loss: "squared", lambda, weight, initial, test: watched, runtime } as const;
        const asked = [0, 0.1, 0.7, 2.5];
        const { records } = await generalFlow(kernel, train, { ...settings, times: asked, tolerance: 1e-11 });
        expect(records.map(({ t }) => t)).toEqual(asked);
        for (const { t, train: g, test: h } of records) {
          const exact = exponential(
            system.map((row) => row.map((value) => value * t)),
            Float64Array.from([...initial.train, ...initial.test, 1]),
          );
          expect(farthest(g, exact.slice(0, n))).toBeLessThan(1e-8);
          expect(farthest(h, exact.slice(n, n + 3))).toBeLessThan(1e-8);
        }
      }),
      { numRuns: 20 },
    );
  });

  for (const loss of SMOOTH) {
    test(`${loss}: errors follow the tolerance, and classical Runge-Kutta of small steps agrees to 1e-8`, async () => {
      const train = cloud(61, 12, 3);
      const k = await matrix(train, train, runtime);
      const [lambda, weight] = [0.4, 1.2];
      const slope = (g: Float64Array) => {
        const push = times(
          k,
          g.map((z, i) => SLOPES[loss]!(z, train.y[i]!, 0)),
        );
        return g.map((z, i) => -lambda * z - weight * push[i]!);
      };
      let g: Float64Array = new Float64Array(12);
      const add = (a: Float64Array, b: Float64Array, by: number) => a.map((value, i) => value + by * b[i]!);
      const h = 2e-4;
      for (let step = 0; step < 10_000; step++) {
        const a = slope(g);
        const b = slope(add(g, a, h / 2));
        const c = slope(add(g, b, h / 2));
        const d = slope(add(g, c, h));
        g = g.map((value, i) => value + (h / 6) * (a[i]! + 2 * b[i]! + 2 * c[i]! + d[i]!));
      }
      const settings = { loss, lambda, weight, times: [2], runtime };
      const errors: number[] = [];
      for (const tolerance of [1e-4, 1e-7, 1e-10]) {
        const { records } = await generalFlow(kernel, train, { ...settings, tolerance });
        errors.push(farthest(records[0]!.train, g));
        expect(errors.at(-1)).toBeLessThan(100 * tolerance + 1e-8);
      }
      const { records, alpha, steps } = await generalFlow(kernel, train, settings);
      expect(farthest(times(k, alpha), records[0]!.train)).toBeLessThan(1e-12);
      expect(steps).toBeLessThan(500);
      const sum = records[0]!.train.reduce((total, z, i) => total + VALUES[loss]!(z, train.y[i]!, 0), 0);
      expect(records[0]!.loss).toBeCloseTo(weight * sum, 12);
      const square = alpha.reduce((total, a, i) => total + a * records[0]!.train[i]!, 0);
      expect(records[0]!.objective).toBeCloseTo(0.5 * lambda * square + weight * sum, 10);
    });

    test(`${loss}: descent tends to it with order 1 in eta (slope 1 +- 0.1), and L falls`, async () => {
      const train = cloud(62, 30, 4);
      const test = cloud(63, 6, 4);
      const asked = [0, 0.5, 1, 3, 10];
      const { records } = await generalFlow(kernel, train, { loss, lambda: 0.05, times: asked, test, runtime });
      const errors: number[] = [];
      for (const learningRate of [0.05, 0.005]) {
        const record = asked.map((t) => Math.round(t / learningRate));
        const settings = { loss, lambda: 0.05, learningRate, steps: record.at(-1)!, record, test, runtime };
        const steps = (await descend(kernel, train, settings)).records;
        errors.push(
          Math.max(
            ...steps.map(({ train: g, test: h }, k) =>
              Math.max(farthest(g, records[k]!.train), farthest(h, records[k]!.test)),
            ),
          ),
        );
      }
      expect(Math.abs(Math.log10(errors[0]! / errors[1]!) - 1)).toBeLessThan(0.1);
      for (let k = 1; k < asked.length; k++) expect(records[k]!.objective).toBeLessThan(records[k - 1]!.objective);
    });
  }

  test("squared loss ends at kernel ridge regression: 1e-6 at lambda t = 60", async () => {
    const train = cloud(64, 15, 3);
    const lambda = 2;
    const machine = await krr({ kernel, lambda }).fit(train, { runtime });
    const { records } = await generalFlow(kernel, train, { loss: "squared", lambda, weight: 1, times: [30], runtime });
    expect(farthest(records[0]!.train, await machine.decisionFunction(train, { runtime }))).toBeLessThan(1e-6);
  });

  test("the same numbers on the calling thread and on two threads, 1100 rows", async () => {
    const train = cloud(65, 1100, 2);
    const threaded = await Runtime.create({ threads: 2 });
    try {
      const settings = { times: [0.5], tolerance: 1e-5 };
      const one = await generalFlow(kernel, train, { ...settings, runtime });
      const two = await generalFlow(kernel, train, { ...settings, runtime: threaded });
      expect(two).toEqual(one);
    } finally {
      await threaded.close();
    }
  });
});

describe("bad input is named", () => {
  const train = cloud(66, 6, 2);
  const cases: [string, object, typeof TypeError | typeof RangeError][] = [
    ["loss", { loss: "hinge" }, RangeError],
    ["loss", { loss: 3 }, TypeError],
    ["lambda", { lambda: -1 }, RangeError],
    ["weight", { weight: Number.NaN }, RangeError],
    ["times", { times: 3 }, TypeError],
    ["times", { times: [] }, TypeError],
    ["times[1]", { times: [1, 0.5] }, RangeError],
    ["times[0]", { times: [Number.POSITIVE_INFINITY] }, RangeError],
    ["tolerance", { tolerance: 0 }, RangeError],
    ["maxSteps", { maxSteps: 0.5 }, RangeError],
    ["initial.train", { initial: {} }, TypeError],
  ];
  for (const [name, options, kind] of cases) {
    test(`${name}: ${kind.name}`, async () => {
      const run = generalFlow(kernel, train, { times: [1], runtime, ...options } as never);
      await expect(run).rejects.toThrow(kind);
      await expect(run).rejects.toThrow(new RegExp(`^${name.replace(/[[\]]/g, "\\$&")}: `));
    });
  }

  test("memory is given back after a run and a failure", async () => {
    const before = runtime.memory.bytesInUse;
    await generalFlow(kernel, train, { times: [1], test: train, runtime });
    await expect(generalFlow(kernel, train, { times: [9], maxSteps: 1, runtime })).rejects.toThrow(ConvergenceError);
    expect(runtime.memory.bytesInUse).toBe(before);
  });

  test("a tolerance that no step meets is refused, not tried for ever: outputs that overflow", async () => {
    const initial = { train: new Float64Array(6).fill(1e308) };
    const run = generalFlow(kernel, train, { loss: "squared", weight: 1e6, times: [1], initial, runtime });
    await expect(run).rejects.toThrow(/^error of a step reached NaN, asked for 1.00e-9: raise tolerance/);
  });

  test("too many steps", async () => {
    await expect(generalFlow(kernel, train, { times: [100], maxSteps: 3, runtime })).rejects.toThrow(ConvergenceError);
  });
});
