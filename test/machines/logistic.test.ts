// Kernel logistic regression: its optimality conditions and edges. Decisions beside SciPy's, weights and paths are in
// table1.test.ts.
import fc from "fast-check";
import { expect, it } from "vitest";
import { dataset } from "../../sdk/data/dataset.js";
import { ConvergenceError } from "../../sdk/errors.js";
import { crossGram } from "../../sdk/kernels/gram.js";
import { ntk } from "../../sdk/kernels/kernel.js";
import { logistic } from "../../sdk/machines/logistic.js";
import { svm } from "../../sdk/machines/svm.js";
import { randomData, runtimeAt } from "../helpers.js";

const kernel = ntk();
const runtime = await runtimeAt("simd");
const on = { runtime };

it("alpha is C y / (1 + exp(y g)) to what the duality gap leaves, and adds up to 0 with a bias", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 80 }),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 1e6 }),
      fc.constantFrom(0.01, 1, 200),
      fc.boolean(),
      async (n, d, seed, c, bias) => {
        const data = randomData(n, d, seed, seed % 2 === 0);
        fc.pre(!bias || new Set(data.y).size === 2);
        const machine = await logistic({ kernel, c, bias, tolerance: 1e-12 }).fit(data, on);
        const { primal = 0, dual = 0, relativeDualityGap } = machine.training;
        expect(relativeDualityGap).toBeLessThanOrEqual(1e-12);
        expect(primal - dual).toBeLessThanOrEqual(1.01e-12 * primal);
        const g = await machine.decisionFunction(data, on);
        expect(machine.rows.n).toBe(n);
        // gap = r' K r / 2 with r = C y / (1 + exp(y g)) - alpha: computed here from a matrix of its own.
        const r = machine.alpha.map((a, i) => {
          const y = data.y[i] ?? 0;
          return (c * y) / (1 + Math.exp(y * (g[i] ?? 0))) - a;
        });
        const { values } = await crossGram(kernel, data, data, on);
        let gap = 0;
        r.forEach((left, i) => {
          r.forEach((right, j) => {
            gap += 0.5 * left * right * (values[i * n + j] ?? 0);
          });
        });
        expect(gap).toBeLessThanOrEqual(1.01e-12 * primal + 1e-15 * c * n);
        if (bias)
          expect(Math.abs(r.reduce((sum, own, i) => sum + own + (machine.alpha[i] ?? 0), 0))).toBeLessThan(
            1e-9 * c * n,
          );
      },
    ),
    { numRuns: 30 },
  );
});

it("one row: alpha (1 + exp(K alpha)) = C, by hand", async () => {
  const one = dataset({ x: Float64Array.of(1, 1), y: [-1], shape: [1, 2] });
  const machine = await logistic({ kernel, c: 3, tolerance: 1e-14 }).fit(one, on);
  const a = -(machine.alpha[0] ?? 0);
  // K = ||x||^2 / d = 1.
  expect(a * (1 + Math.exp(a))).toBeCloseTo(3, 7);
});

it("a large C comes near the hinge's direction: decisions agree in sign with the SVM's on separable rows", async () => {
  const data = randomData(40, 5, 12);
  const machine = await logistic({ kernel, c: 1e6 }).fit(data, on);
  expect(machine.training.relativeDualityGap).toBeLessThanOrEqual(1e-8);
  const other = await svm({ kernel, c: 1e6 }).fit(data, on);
  expect(await machine.predict(data, on)).toEqual(await other.predict(data, on));
});

it("streamed gives the bits of a stored Gram matrix", async () => {
  const data = randomData(60, 4, 2, true);
  const stored = await logistic({ kernel, c: 2 }).fit(data, on);
  const streamed = await logistic({ kernel, c: 2, storage: "streamed" }).fit(data, on);
  expect(streamed.alpha).toEqual(stored.alpha);
});

it("stops with how far it came, refuses one class with a bias, and names bad arguments", async () => {
  const data = randomData(40, 4, 9);
  const stopped = logistic({ kernel, c: 5, maxSteps: 1, tolerance: 1e-14 }).fit(data, on);
  await expect(stopped).rejects.toThrow(ConvergenceError);
  await expect(stopped).rejects.toThrow(/relative duality gap reached/);
  const single = dataset({ x: Float64Array.of(1, 0, 0, 1), y: [-1, -1], shape: [2, 2] });
  await expect(logistic({ kernel, bias: true }).fit(single, on)).rejects.toThrow(/^y: expected both labels/);
  expect(Array.from(await (await logistic({ kernel }).fit(single, on)).predict(single, on))).toEqual([-1, -1]);
  expect(() => logistic({ kernel, c: 0 })).toThrow(/^c: expected a finite number > 0/);
  expect(() => logistic({ kernel, lambda: 1, c: 1 })).toThrow(/^c: expected either/);
  expect(() => logistic({ kernel, storage: "float32" as never })).toThrow(/^storage/);
  expect(() => logistic(undefined as never)).toThrow(TypeError);
});
