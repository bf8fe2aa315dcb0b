// The 2-norm soft-margin SVM: what its coefficients are at the optimum. Decisions beside libsvm and SciPy, weights and
// paths are in table1.test.ts, its hard-margin limit in hard-margin.test.ts.
import fc from "fast-check";
import { expect, it } from "vitest";
import { dataset } from "../../sdk/data/dataset.js";
import { ntk } from "../../sdk/kernels/kernel.js";
import { svm2 } from "../../sdk/machines/svm2.js";
import { randomData, runtimeAt } from "../helpers.js";

const kernel = ntk();
const runtime = await runtimeAt("simd");
const on = { runtime };

it("alpha is 2 C y max(0, 1 - y g) to what the duality gap leaves, and adds up to 0 with a bias", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 120 }),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 1e6 }),
      fc.constantFrom(0.01, 1, 50),
      fc.boolean(),
      async (n, d, seed, c, bias) => {
        const data = randomData(n, d, seed, seed % 2 === 0);
        const machine = await svm2({ kernel, c, bias, tolerance: 1e-10 }).fit(data, on);
        const { primal = 0, relativeDualityGap } = machine.training;
        expect(relativeDualityGap).toBeLessThanOrEqual(1e-10);
        const g = await machine.decisionFunction(machine.rows, on);
        // Dual and primal meet in sum (a_i - 2 C xi_i)^2 / (4 C) + a_i (y g - 1)+ + ..., no term of which is negative.
        const reach = Math.sqrt(4 * c * 1e-10 * primal) + 1e-9 * (1 + c);
        if (primal > 0)
          machine.alpha.forEach((alpha, i) => {
            const label = Math.sign(alpha);
            expect(Math.abs(Math.abs(alpha) - 2 * c * Math.max(0, 1 - label * (g[i] ?? 0)))).toBeLessThan(reach);
          });
        const size = machine.alpha.reduce((sum, a) => sum + Math.abs(a), 0);
        if (bias) expect(Math.abs(machine.alpha.reduce((sum, a) => sum + a, 0))).toBeLessThan(1e-12 * (1 + size) * n);
      },
    ),
    { numRuns: 30 },
  );
});

it("one row: alpha = 1 / (K + 1 / (2 C)), by hand", async () => {
  const one = dataset({ x: Uint8Array.of(255, 0), y: [-1], shape: [1, 2] });
  const machine = await svm2({ kernel, c: 4, tolerance: 1e-12 }).fit(one, on);
  // K = ||x||^2 / d = 1/2.
  expect(machine.alpha[0]).toBeCloseTo(-1 / (0.5 + 1 / 8), 12);
});

it("one class with a bias costs nothing; black rows are left undecided", async () => {
  const single = dataset({ x: Float64Array.of(1, 0, 0, 1), y: [-1, -1], shape: [2, 2] });
  const free = await svm2({ kernel, bias: true }).fit(single, on);
  expect([free.bias, free.training.primal]).toEqual([-1, 0]);
  const black = dataset({ x: new Uint8Array(4), y: [1, -1], shape: [2, 2] });
  const empty = await svm2({ kernel, c: 2 }).fit(black, on);
  expect(Array.from(await empty.predict(black, on))).toEqual([0, 0]);
});

it("names bad arguments", () => {
  expect(() => svm2({ kernel, c: 0 })).toThrow(/^c: expected a finite number > 0/);
  expect(() => svm2({ kernel, c: 1, lambda: 1 })).toThrow(/^c: expected either/);
  expect(() => svm2({ kernel, bias: 1 as never })).toThrow(TypeError);
  expect(() => svm2(undefined as never)).toThrow(TypeError);
});
