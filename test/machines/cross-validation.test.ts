// Cross-validation: held-out figures are those of machines trained on the other rows, folds are fair and repeatable, and
// searches are checked. Not here: the solvers' own tests.
import { describe, expect, it } from "vitest";
import { dataset } from "../../sdk/data/dataset.js";
import { describeKernel, layersOf, nngp, ntk } from "../../sdk/kernels/kernel.js";
import { crossValidate, type SearchedMachine } from "../../sdk/machines/cross-validation.js";
import { krr } from "../../sdk/machines/krr.js";
import { logistic } from "../../sdk/machines/logistic.js";
import { svm } from "../../sdk/machines/svm.js";
import { svm2 } from "../../sdk/machines/svm2.js";
import { svr } from "../../sdk/machines/svr.js";
import { randomData, runtimeAt } from "../helpers.js";

const runtime = await runtimeAt("simd");
const on = { runtime };
const kernel = ntk();
const MAKE = { krr, svm, svm2, svr, logistic };
const data = randomData(60, 4, 3, true);

describe.each(["krr", "svm", "svm2", "svr", "logistic"] as const)("%s", (machine: SearchedMachine) => {
  it("leaving one row out: accuracy and error are those of 60 machines trained on the other 59 (error to 1e-4)", async () => {
    const lambdas = [0.1, 2];
    const search = { ...on, machine, lambdas, folds: 60, tolerance: 1e-10 };
    const { rows } = await crossValidate(data, search);
    for (const [k, lambda] of lambdas.entries()) {
      let [correct, error] = [0, 0];
      for (let left = 0; left < 60; left++) {
        const others = data.subset(Array.from({ length: 60 }, (_, i) => i).filter((i) => i !== left));
        const trainer = MAKE[machine]({ kernel, lambda, tolerance: 1e-10 });
        const fitted = await trainer.fit(others, on);
        const one = data.subset([left]);
        const g = (await fitted.decisionFunction(one, on))[0] ?? 0;
        if (g * (one.y[0] ?? 0) > 0) correct += 1;
        error += Math.abs((one.y[0] ?? 0) - g);
      }
      expect(rows[k]?.lambda).toBe(lambda);
      expect(rows[k]?.accuracy?.mean).toBeCloseTo(correct / 60, 12);
      expect(Math.abs((rows[k]?.error.mean ?? 0) - error / 60)).toBeLessThan(1e-4);
    }
  });

  it("every kernel and lambda has its row, the same seed the same folds, and the best is the best", async () => {
    const kernels = [ntk(), ntk({ depth: 2 }), nngp()];
    const search = { ...on, machine, lambdas: [0.3, 3], kernels, folds: 3, bias: true };
    const before = runtime.memory.bytesInUse;
    const { rows, best } = await crossValidate(data, search);
    expect(runtime.memory.bytesInUse).toBe(before);
    expect(rows.map((row) => [row.kernel.kind, describeKernel(row.kernel), row.lambda])).toEqual(
      kernels.flatMap((own) => [0.3, 3].map((lambda) => [own.kind, describeKernel(own), lambda])),
    );
    expect(await crossValidate(data, search)).toMatchObject({ rows, best, folds: 3 });
    expect((await crossValidate(data, { ...search, seed: 1 })).rows).not.toEqual(rows);
    expect(rows.some((row) => (row.accuracy?.mean ?? 0) > (best.accuracy?.mean ?? 1))).toBe(false);
  });
});

it("regression: rows have errors alone, epsilons are searched, and the best error wins", async () => {
  const y = Float64Array.from({ length: 60 }, (_, i) => ((data.x[4 * i] ?? 0) - 60) / 50);
  const targets = dataset({ x: data.x, y, shape: [60, 4], task: "regression" });
  const search = { ...on, machine: "svr", lambdas: [0.01, 100], epsilons: [0.01, 3], bias: true } as const;
  const { rows, best } = await crossValidate(targets, search);
  expect(rows.map(({ epsilon, lambda, accuracy }) => [epsilon, lambda, accuracy])).toEqual([
    [0.01, 0.01, null],
    [0.01, 100, null],
    [3, 0.01, null],
    [3, 100, null],
  ]);
  expect(best).toBe(rows[0]);
  const refused = crossValidate(targets, { ...on, machine: "svm", lambdas: [1] });
  await expect(refused).rejects.toThrow(/^machine: expected "svr" or "krr"/);
});

it("the simplest row is within a standard error of the best, and no other such row has a larger lambda or less depth", async () => {
  const kernels = [ntk({ depth: 3 }), ntk({ depth: 2 }), ntk()];
  const y = Float64Array.from({ length: 60 }, (_, i) => ((data.x[4 * i] ?? 0) - 60) / 50);
  const targets = dataset({ x: data.x, y, shape: [60, 4], task: "regression" });
  const moved = new Set<boolean>();
  for (const [of, seed] of [data, targets].flatMap((set) => [0, 1, 2].map((one) => [set, one] as const))) {
    const search = {
      ...on,
      machine: "svr",
      lambdas: [0.01, 0.1, 1],
      epsilons: [0.1, 0.3],
      kernels,
      folds: 4,
      seed,
    } as const;
    const { rows, best, simplest } = await crossValidate(of, search);
    const near = rows.filter(({ accuracy, error }) =>
      accuracy === null || best.accuracy === null
        ? error.mean <= best.error.mean + best.error.standardError
        : accuracy.mean >= best.accuracy.mean - best.accuracy.standardError,
    );
    expect(near).toContain(simplest);
    for (const row of near) {
      expect(row.lambda).toBeLessThanOrEqual(simplest.lambda);
      if (row.lambda === simplest.lambda)
        expect(layersOf(row.kernel)).toBeGreaterThanOrEqual(layersOf(simplest.kernel));
    }
    for (const { error } of rows) expect(error.standardError).toBeCloseTo(error.std / Math.sqrt(3), 12);
    moved.add(simplest === best);
  }
  expect(moved.has(false)).toBe(true);
});

it("C is 1 / lambda: both searches have the same figures", async () => {
  const one = await crossValidate(data, { ...on, machine: "svm", lambdas: [0.25, 2], folds: 3 });
  expect(await crossValidate(data, { ...on, machine: "svm", cs: [4, 0.5], folds: 3 })).toEqual(one);
});

it("names bad arguments", async () => {
  const ask = (bad: object) => crossValidate(data, { ...on, machine: "svm", lambdas: [1], ...bad });
  await expect(ask({ machine: "forest" })).rejects.toThrow(/^machine: /);
  await expect(ask({ lambdas: [] })).rejects.toThrow(/^lambdas: /);
  await expect(ask({ lambdas: [0] })).rejects.toThrow(/^lambdas\[0\]: /);
  await expect(ask({ cs: [1] })).rejects.toThrow(/^cs: expected either cs or lambdas/);
  await expect(ask({ lambdas: undefined, cs: [] })).rejects.toThrow(/^cs: expected an array/);
  await expect(ask({ lambdas: undefined, cs: [0] })).rejects.toThrow(/^cs\[0\]: /);
  await expect(ask({ lambdas: undefined, cs: [1], machine: "krr" })).rejects.toThrow(/^cs: expected lambdas for "krr"/);
  await expect(ask({ epsilons: [1] })).rejects.toThrow(/^epsilons: expected only for "svr"/);
  await expect(ask({ machine: "svr", epsilons: [-1] })).rejects.toThrow(/^epsilons\[0\]: /);
  await expect(ask({ kernels: [] })).rejects.toThrow(/^kernels: /);
  await expect(ask({ folds: 1 })).rejects.toThrow(/^folds: /);
  await expect(ask({ folds: 61 })).rejects.toThrow(/^folds: /);
  await expect(ask({ bias: 1 })).rejects.toThrow(/^bias: /);
  await expect(crossValidate(null as never, { machine: "svm", lambdas: [1] })).rejects.toThrow(TypeError);
  await expect(crossValidate(data, undefined as never)).rejects.toThrow(TypeError);
});
