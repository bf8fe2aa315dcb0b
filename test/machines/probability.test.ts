// Probabilities: logistic regression's own, Platt's sigmoid beside scikit-learn's and by its optimality conditions.
import fc from "fast-check";
import { expect, it } from "vitest";
import { ntk } from "../../sdk/kernels/kernel.js";
import { logistic } from "../../sdk/machines/logistic.js";
import { Machine } from "../../sdk/machines/machine.js";
import { calibrate, plattScaling, probabilities } from "../../sdk/machines/probability.js";
import { svm } from "../../sdk/machines/svm.js";
import { normal, oracle, randomData, runtimeAt, uniform } from "../helpers.js";

const runtime = await runtimeAt("simd");
const on = { runtime };
const kernel = ntk();

const sigmoids = oracle("machines").platt as { decisions: number[]; y: number[]; slope: number; offset: number }[];

it.each(sigmoids)("Platt scaling is scikit-learn's to 1e-3 (its gradient ends at 1e-5)", (own) => {
  const { slope, offset } = plattScaling(Float64Array.from(own.decisions), Float64Array.from(own.y));
  expect(Math.abs(slope - own.slope)).toBeLessThan(1e-3);
  expect(Math.abs(offset - own.offset)).toBeLessThan(1e-3);
});

it("the sigmoid's mean and its mean times g are the smoothed targets' (gradient 0 to 1e-8 n), for any decisions", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 300 }),
      fc.integer({ min: 1, max: 1e6 }),
      fc.constantFrom(1e-3, 1, 50),
      fc.constantFrom(-1, 0, 3),
      (n, seed, size, signal) => {
        const next = uniform(seed);
        const gauss = normal(next);
        const y = Float64Array.from({ length: n }, (_, i) => (i === 0 ? 1 : i === 1 ? -1 : Math.sign(next() - 0.4)));
        const g = y.map((label) => size * (signal * label + gauss()));
        const { slope, offset } = plattScaling(g, y);
        const positives = y.filter((label) => label > 0).length;
        let [sum, moment] = [0, 0];
        g.forEach((value, i) => {
          const target = (y[i] ?? 0) > 0 ? (positives + 1) / (positives + 2) : 1 / (n - positives + 2);
          const pull = 1 / (1 + Math.exp(-(slope * value + offset))) - target;
          sum += pull;
          moment += (pull * value) / size;
        });
        expect(Math.abs(sum)).toBeLessThan(1e-8 * n);
        expect(Math.abs(moment)).toBeLessThan(1e-8 * n);
        if (signal > 0 && n > 20) expect(slope).toBeGreaterThan(0);
      },
    ),
    { numRuns: 100 },
  );
});

it("logistic regression's probabilities are 1 / (1 + exp(-g)), above 1/2 where it decides for +1", async () => {
  const data = randomData(40, 4, 3);
  const machine = await logistic({ kernel, c: 5, bias: true }).fit(data, on);
  const [g, p] = [await machine.decisionFunction(data, on), await probabilities(machine, data, on)];
  p.forEach((own, i) => {
    expect(own).toBeCloseTo(1 / (1 + Math.exp(-(g[i] ?? 0))), 14);
    expect(own > 0.5).toBe((g[i] ?? 0) > 0);
  });
});

it("a calibrated machine keeps its decisions and its sigmoid through a file; others have no probabilities", async () => {
  const [train, held] = [
    randomData(60, 4, 7),
    randomData(200, 4, 7).subset(Array.from({ length: 140 }, (_, k) => k + 60)),
  ];
  const machine = await svm({ kernel, c: 1 }).fit(train, on);
  await expect(probabilities(machine, held, on)).rejects.toThrow(/^machine: expected logistic regression, or/);
  const sure = await calibrate(machine, held, on);
  expect(await sure.decisionFunction(held, on)).toEqual(await machine.decisionFunction(held, on));
  const back = Machine.load(sure.save());
  const p = await probabilities(back, held, on);
  expect(p).toEqual(await probabilities(sure, held, on));
  // Smoothed targets differ from labels by at most 1 / (N + 2) a row: means agree to about 1 in 70.
  const mean = p.reduce((sum, value) => sum + value, 0) / held.n;
  const share = held.y.filter((label) => label > 0).length / held.n;
  expect(Math.abs(mean - share)).toBeLessThan(0.02);
});

it("names bad arguments", async () => {
  const two = Float64Array.of(1, -1);
  expect(() => plattScaling([1, 2] as never, two)).toThrow(TypeError);
  expect(() => plattScaling(two, Float64Array.of(1))).toThrow(/^y: expected 2 labels/);
  expect(() => plattScaling(Float64Array.of(1, Number.NaN), two)).toThrow(/^decisions: expected finite/);
  await expect(calibrate({} as never, randomData(4, 2, 1), on)).rejects.toThrow(/^machine: /);
  await expect(probabilities({} as never, randomData(4, 2, 1), on)).rejects.toThrow(/^machine: /);
});
