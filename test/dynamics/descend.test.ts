import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { descend, logSteps, type Trajectory } from "../../sdk/dynamics/descend.js";
import { DivergenceError, LOSSES, type Loss, Runtime, svmSgd } from "../../sdk/index.js";
import { BatchOrder } from "../../sdk/networks/order.js";
import { LEVELS, runtimeAt } from "../helpers.js";
import { cloud, farthest, kernel, matrix, SLOPES, times, VALUES } from "./problems.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await runtimeAt("simd");
});
afterAll(() => runtime.close());

const EPSILON = 0.2;

describe("descend equals the plain loop of equation 8 to 1e-11", () => {
  for (const loss of LOSSES) {
    for (const [convention, lambda, weight] of [
      ["paper", 1, 0.8],
      ["experiment", 0.05, "mean"],
    ] as const) {
      test(`${loss}, ${convention}, full and mini-batches, from a given g_0`, async () => {
        await fc.assert(
          fc.asyncProperty(fc.nat(1e6), fc.constantFrom<number | "full">("full", 3, 5), async (seed, batch) => {
            await compare(loss, lambda, weight, seed, batch);
          }),
          { numRuns: 8 },
        );
      });
    }
  }

  async function compare(loss: Loss, lambda: number, weight: number | "mean", seed: number, batch: number | "full") {
    const train = cloud(seed, 11, 3);
    const watched = cloud(seed + 1, 4, 3);
    const k = await matrix(train, train, runtime);
    const across = await matrix(watched, train, runtime);
    const learningRate = 0.11;
    const steps = 25;
    const initial = { train: cloud(seed + 2, 11, 1).x as Float64Array, test: cloud(seed + 3, 4, 1).x as Float64Array };
    const order = new BatchOrder(runtime, 11, batch, 7);
    let g = initial.train;
    let h = initial.test;
    const alpha = new Float64Array(11);
    for (let t = 0; t < steps; t++) {
      const rows = order.rows(t);
      const w = weight === "mean" ? 1 / rows.length : weight;
      const change = new Float64Array(11);
      for (const i of rows) change[i] = -learningRate * w * SLOPES[loss]!(g[i]!, train.y[i]!, EPSILON);
      const [up, across2] = [times(k, change), times(across, change)];
      g = g.map((value, i) => (1 - learningRate * lambda) * value + up[i]!);
      h = h.map((value, i) => (1 - learningRate * lambda) * value + across2[i]!);
      alpha.forEach((value, i) => {
        alpha[i] = (1 - learningRate * lambda) * value + change[i]!;
      });
    }
    const settings = { loss, lambda, weight, learningRate, batch, steps, epsilon: EPSILON, seed: 7, initial };
    const got = await descend(kernel, train, { ...settings, test: watched, record: [0, steps], runtime });
    const last = got.records[1]!;
    // The squared losses may diverge at this rate: rounding grows with the outputs.
    const size = [...g, ...h, ...alpha].reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    expect(farthest(last.train, g)).toBeLessThan(1e-11 * size);
    expect(farthest(last.test, h)).toBeLessThan(1e-11 * size);
    expect(farthest(got.alpha, alpha)).toBeLessThan(1e-11 * size);
    const sum = g.reduce((total, z, i) => total + VALUES[loss]!(z, train.y[i]!, EPSILON), 0);
    expect(last.loss / (weight === "mean" ? sum / 11 : weight * sum)).toBeCloseTo(1, 9);
    const square = times(k, alpha).reduce((total, value, i) => total + value * alpha[i]!, 0);
    expect(last.regulariser / (square / 2)).toBeCloseTo(1, 9);
    expect(last.objective / ((lambda * square) / 2 + last.loss)).toBeCloseTo(1, 9);
    expect(last.accuracy).toBe(g.filter((z, i) => z * train.y[i]! > 0).length / 11);
    expect(got.records[0]!.train).toEqual(initial.train);
  }
});

test("many changed rows (a product) and few (row by row) give the same outputs to 1e-12, 300 rows", async () => {
  const train = cloud(5, 300, 4);
  const settings = { lambda: 0.01, learningRate: 0.5, steps: 12, record: [12], runtime };
  const full = await descend(kernel, train, settings);
  const pieces = await descend(kernel, train, { ...settings, storage: "streamed" });
  expect(pieces.records[0]!.train).toEqual(full.records[0]!.train);
  const k = await matrix(train, train, runtime);
  const sparse = await descend(kernel, train, { ...settings, batch: 40 });
  expect(farthest(sparse.records[0]!.train, times(k, sparse.alpha))).toBeLessThan(1e-12);
  expect(farthest(full.records[0]!.train, times(k, full.alpha))).toBeLessThan(1e-12);
});

test("with the same batches and decay by batch it is svmSgd: outputs agree to 1e-12 after 40 epochs", async () => {
  const train = cloud(9, 90, 4);
  const options = { learningRate: 0.7, lambda: 0.02, batch: 16 };
  const machine = await svmSgd({ kernel, ...options, epochs: 40, seed: 3 }).fit(train, { runtime });
  const scope = runtime.scope();
  const state = scope.allocate(32);
  const permutation = scope.i32(90);
  runtime.call("randomSeed", state, 3n);
  const order = () => {
    runtime.call("randomPermutation", state, permutation, 90);
    return runtime.memory.i32(permutation, 90).slice();
  };
  const steps = 40 * Math.ceil(90 / 16);
  const got = await descend(kernel, train, { ...options, order, decay: "batch", steps, record: [steps], runtime });
  scope.release();
  expect(farthest(got.records[0]!.train, await machine.decisionFunction(train, { runtime }))).toBeLessThan(1e-12);
});

test("full batches make no difference between the two decays: 1e-12", async () => {
  const train = cloud(10, 20, 3);
  const settings = { learningRate: 0.3, lambda: 0.1, steps: 50, record: [50], runtime };
  const all = await descend(kernel, train, settings);
  const own = await descend(kernel, train, { ...settings, decay: "batch" });
  expect(farthest(all.records[0]!.train, own.records[0]!.train)).toBeLessThan(1e-12);
});

test("the same numbers on the calling thread, on two threads, and whatever is recorded", async () => {
  const train = cloud(11, 70, 5);
  const settings = { loss: "logistic", learningRate: 0.3, lambda: 0.1, batch: 8, steps: 90 } as const;
  const threaded = await Runtime.create({ threads: 2 });
  try {
    const one = await descend(kernel, train, { ...settings, record: "log", test: train, runtime });
    const two = await descend(kernel, train, { ...settings, record: [90], test: train, runtime: threaded });
    expect(one.records.map(({ step }) => step)).toEqual(logSteps(90));
    expect(two.records.at(-1)).toEqual(one.records.at(-1));
    expect(two.alpha).toEqual(one.alpha);
  } finally {
    await threaded.close();
  }
});

test("all cores give the same numbers: bit for bit without relaxed SIMD, to 1e-11 with it", async () => {
  const train = cloud(14, 301, 5);
  const settings = { loss: "squared-hinge", learningRate: 0.2, lambda: 0.1, steps: 60 } as const;
  const alphas: Float64Array[] = [];
  for (const level of LEVELS) {
    const own = await runtimeAt(level);
    const full = await descend(kernel, train, { ...settings, runtime: own });
    const batches = await descend(kernel, train, { ...settings, batch: 32, runtime: own });
    alphas.push(Float64Array.from([...full.alpha, ...batches.alpha]));
    await own.close();
  }
  expect(alphas[1]).toEqual(alphas[0]);
  for (const alpha of alphas) expect(farthest(alpha, alphas[0]!)).toBeLessThan(1e-11);
});

test("memory is given back after a run, a failure and a cancelled run", async () => {
  const train = cloud(15, 40, 3);
  const before = runtime.memory.bytesInUse;
  await descend(kernel, train, { steps: 5, test: train, runtime });
  const settings = { loss: "squared", learningRate: 1e3, lambda: 0, steps: 5000, runtime } as const;
  await expect(descend(kernel, train, settings)).rejects.toThrow(DivergenceError);
  const controller = new AbortController();
  const onProgress = () => controller.abort(new Error("enough"));
  const cancelled = descend(kernel, train, { steps: 1e6, signal: controller.signal, onProgress, runtime });
  await expect(cancelled).rejects.toThrow("enough");
  expect(runtime.memory.bytesInUse).toBe(before);
});

test("a diverging run says the step and brings the last finite state along", async () => {
  const train = cloud(12, 8, 3, 30);
  const run = descend(kernel, train, {
    loss: "squared",
    learningRate: 10,
    lambda: 0,
    steps: 5000,
    record: [0],
    runtime,
  });
  const error = await run.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DivergenceError);
  const { step, cause } = error as DivergenceError & { cause: Trajectory };
  expect(step).toBeGreaterThan(10);
  const last = cause.records.at(-1)!;
  expect(last.step).toBe(step - 1);
  expect(last.train.every(Number.isFinite)).toBe(true);
});

describe("bad input is named", () => {
  const train = cloud(1, 6, 2);
  const cases: [string, object, typeof TypeError | typeof RangeError][] = [
    ["steps", { steps: -1 }, RangeError],
    ["steps", { steps: undefined }, TypeError],
    ["learningRate", { learningRate: 0 }, RangeError],
    ["learningRate", { learningRate: Number.NaN }, RangeError],
    ["lambda", { lambda: -1 }, RangeError],
    ["lambda", { lambda: 2, learningRate: 1 }, RangeError],
    ["weight", { weight: 0 }, RangeError],
    ["weight", { weight: "sum" }, TypeError],
    ["batch", { batch: 0 }, RangeError],
    ["loss", { loss: "hing" }, RangeError],
    ["epsilon", { epsilon: -0.1 }, RangeError],
    ["record[1]", { record: [3, 3] }, RangeError],
    ["record[0]", { record: [11] }, RangeError],
    ["record", { record: 5 }, TypeError],
    ["seed", { seed: 0.5 }, RangeError],
    ["order", { order: [1, 2] }, TypeError],
    ["order", { order: () => [0, 0, 1, 2, 3, 4] }, RangeError],
    ["decay", { decay: "none" }, RangeError],
    ["initial", { initial: { train: new Float64Array(6) }, decay: "batch" }, RangeError],
    ["initial.train", { initial: { train: new Float64Array(5) } }, RangeError],
    ["initial.train", { initial: { train: [0, 0, 0, 0, 0, 0] } }, TypeError],
    ["initial.test", { initial: { train: new Float64Array(6) }, test: train }, TypeError],
    ["test", { test: cloud(1, 3, 4) }, RangeError],
    ["runtime", { runtime: 1 }, TypeError],
  ];
  for (const [name, options, kind] of cases) {
    test(`${name}: ${kind.name}`, async () => {
      const run = descend(kernel, train, { steps: 10, runtime, ...options } as never);
      await expect(run).rejects.toThrow(kind);
      await expect(run).rejects.toThrow(new RegExp(`^${name.replace(/[[\]]/g, "\\$&")}: `));
    });
  }

  test("train, kernel, cancelling", async () => {
    await expect(descend(kernel, 5 as never, { steps: 1 })).rejects.toThrow(/^train: /);
    await expect(descend({ kind: "rbf" } as never, train, { steps: 1 })).rejects.toThrow(/^kernel\.kind: /);
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(descend(kernel, train, { steps: 1, signal, runtime })).rejects.toThrow("enough");
  });
});
