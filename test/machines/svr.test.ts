// Epsilon-support vector regression: its optimality conditions, by hand where that can be done, and its edges. Decisions
// beside libsvm and coordinate descent, weights and paths are in table1.test.ts.
import fc from "fast-check";
import { expect, it } from "vitest";
import { machineBounds } from "../../sdk/certify/bounds.js";
import { certify } from "../../sdk/certify/certify.js";
import { dataset } from "../../sdk/data/dataset.js";
import { ntk } from "../../sdk/kernels/kernel.js";
import { svm } from "../../sdk/machines/svm.js";
import { svr } from "../../sdk/machines/svr.js";
import { normal, runtimeAt, uniform } from "../helpers.js";

const kernel = ntk();
const runtime = await runtimeAt("simd");
const on = { runtime };

/** Rows of normal numbers with targets of any size. */
function targets(n: number, d: number, seed: number, size = 1) {
  const gauss = normal(uniform(seed));
  const x = Float64Array.from({ length: n * d }, gauss);
  const y = Array.from({ length: n }, (_, i) => size * (Math.sin(2 * (x[i * d] ?? 0)) + 0.2 * gauss()));
  return dataset({ x, y, shape: [n, d], task: "regression" });
}

it("each row's complementarity is within the duality gap: alpha 0 inside the tube, at C beyond it", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 80 }),
      fc.integer({ min: 1, max: 1e6 }),
      fc.constantFrom(0.1, 5),
      fc.constantFrom(0, 0.2),
      fc.boolean(),
      async (n, seed, c, epsilon, bias) => {
        const data = targets(n, 4, seed);
        const machine = await svr({ kernel, c, epsilon, bias, tolerance: 1e-8 }).fit(data, on);
        const { primal = 0, relativeDualityGap } = machine.training;
        expect(relativeDualityGap).toBeLessThanOrEqual(1e-8);
        expect(machine.alpha.every((a) => Math.abs(a) <= c * (1 + 1e-12))).toBe(true);
        const size = machine.alpha.reduce((sum, a) => sum + Math.abs(a), 0);
        if (bias) expect(Math.abs(machine.alpha.reduce((sum, a) => sum + a, 0))).toBeLessThan(1e-11 * (1 + size));
        const g = await machine.decisionFunction(data, on);
        const key = (row: number, x: ArrayLike<number>) => Array.from({ length: 4 }, (_, k) => x[4 * row + k]).join();
        const own = new Map(Array.from(machine.alpha, (a, k) => [key(k, machine.rows.x), a]));
        // The gap is the sum over the rows of C max(0, |e| - epsilon) - alpha e + epsilon |alpha|, e = y - g: none is negative.
        g.forEach((value, i) => {
          const [e, a] = [(data.y[i] ?? 0) - value, own.get(key(i, data.x)) ?? 0];
          const part = c * Math.max(0, Math.abs(e) - epsilon) - a * e + epsilon * Math.abs(a);
          expect(part).toBeGreaterThanOrEqual(-1e-9 * (1 + c));
          expect(part).toBeLessThanOrEqual(1e-8 * primal + 1e-9 * (1 + c));
        });
      },
    ),
    { numRuns: 30 },
  );
});

it("one row: alpha = (|y| - epsilon) / K, at most C, by hand", async () => {
  const one = (y: number) => dataset({ x: Float64Array.of(1, 1), y: [y], shape: [1, 2], task: "regression" });
  // K = ||x||^2 / d = 1.
  const fitted = async (y: number, c: number) => (await svr({ kernel, c, epsilon: 0.5 }).fit(one(y), on)).alpha[0];
  expect(await fitted(3, 100)).toBeCloseTo(2.5, 9);
  expect(await fitted(-3, 100)).toBeCloseTo(-2.5, 9);
  expect(await fitted(-3, 1)).toBe(-1);
  expect(await fitted(0.4, 1)).toBe(0);
});

it("targets inside the tube cost nothing; with a bias constant ones do not either", async () => {
  const data = targets(10, 3, 4, 0.01);
  const flat = await svr({ kernel, epsilon: 1 }).fit(data, on);
  expect([flat.alpha, flat.training.primal]).toEqual([Float64Array.of(0), 0]);
  const constant = dataset({ x: data.x, y: new Float64Array(10).fill(7), shape: [10, 3], task: "regression" });
  const level = await svr({ kernel, epsilon: 0.1, bias: true }).fit(constant, on);
  expect(level.alpha).toEqual(Float64Array.of(0));
  expect(level.bias).toBeCloseTo(7, 12);
});

it("scaling targets, epsilon and outputs together changes nothing else (1e-6 of the size)", async () => {
  const [small, large] = [targets(30, 3, 6), targets(30, 3, 6, 1000)];
  const one = await svr({ kernel, c: 2, epsilon: 0.1, tolerance: 1e-12 }).fit(small, on);
  const other = await svr({ kernel, c: 2000, epsilon: 100, tolerance: 1e-12 }).fit(large, on);
  const [g, h] = [await one.decisionFunction(small, on), await other.decisionFunction(large, on)];
  g.forEach((value, i) => {
    expect(Math.abs(1000 * value - (h[i] ?? 0))).toBeLessThan(1e-3);
  });
});

it("the certified interval of its output on a ball holds the outputs of samples, and is the output to 1e-9 at radius 0", async () => {
  const data = targets(30, 3, 8);
  const machine = await svr({ kernel, c: 5, epsilon: 0.05, bias: true }).fit(data, on);
  // Other rows than the training's: at those the cosine is 1, where rounding counts as its square root.
  const at = targets(30, 3, 9);
  const g = await machine.decisionFunction(at, on);
  const next = uniform(2);
  const x = Float64Array.from(at.x, (value) => value + 0.05 * (2 * next() - 1));
  const moved = await machine.decisionFunction(dataset({ x, y: at.y, shape: [30, 3], task: "regression" }), on);
  for (const method of ["interval", "linear", "best"] as const) {
    const point = await machineBounds(machine, at, 0, { ...on, method });
    const ball = await machineBounds(machine, at, 0.05, { ...on, method });
    g.forEach((value, i) => {
      expect((point.upper[i] ?? 0) - (point.lower[i] ?? 0)).toBeLessThan(1e-9);
      expect(Math.abs((point.lower[i] ?? 0) - value)).toBeLessThan(1e-9);
      expect(ball.lower[i]).toBeLessThanOrEqual(moved[i] ?? Number.NaN);
      expect(ball.upper[i]).toBeGreaterThanOrEqual(moved[i] ?? Number.NaN);
    });
  }
});

it("real targets are for regression alone, and names bad arguments", async () => {
  const data = targets(5, 2, 1);
  const machine = await svr({ kernel }).fit(data, on);
  await expect(certify(machine, data, on)).rejects.toThrow(
    /^data: expected labels .* certifyOutputs\(\) bounds outputs/,
  );
  await expect(svm({ kernel }).fit(data, on)).rejects.toThrow(/^data: expected labels -1 and \+1, got targets/);
  expect(() => dataset({ x: data.x, y: [1, 2, 3, 4, Number.NaN], shape: [5, 2], task: "regression" })).toThrow(
    /^y: expected finite targets, got NaN at index 4$/,
  );
  expect(() => dataset({ x: data.x, y: data.y, shape: [5, 2], task: "ranking" as never })).toThrow(/^task: expected/);
  expect(() => svr({ kernel, epsilon: -1 })).toThrow(/^epsilon: expected a finite number >= 0/);
  expect(() => svr({ kernel, c: 1, lambda: 1 })).toThrow(/^c: expected either/);
  expect(() => svr(undefined as never)).toThrow(TypeError);
});
