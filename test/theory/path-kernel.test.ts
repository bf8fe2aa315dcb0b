// Theorem 4.1: a network trained by descent or along its gradient flow is the kernel machine of its path, whatever the
// network's width; where l' changes sign, the report says so. Not here: pictures (test/plots/).
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LOSSES } from "../../sdk/losses.js";
import { network } from "../../sdk/networks/network.js";
import { Runtime } from "../../sdk/runtime/runtime.js";
import { contributions, pathKernel } from "../../sdk/theory/path-kernel.js";
import { pathKernelStudy } from "../../sdk/theory/path-kernel-study.js";
import { QUADRATURES, quadratureWeights } from "../../sdk/theory/quadrature.js";
import { randomData } from "../helpers.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.create({ threads: 0 });
});
afterAll(() => runtime.close());

const train = randomData(10, 6, 1);
const test = randomData(5, 6, 2);

describe("quadratureWeights", () => {
  const rules = fc.record({
    pairs: fc.integer({ min: 1, max: 30 }),
    step: fc.double({ min: 0.01, max: 0.5, noNaN: true }),
  });

  it("integrates what each rule must: constants by the trapezoid, cubics by Simpson's rule, to 1e-12 (rounding)", () => {
    fc.assert(
      fc.property(rules, ({ pairs, step }) => {
        const time = 2 * pairs * step;
        const sum = (rule: (typeof QUADRATURES)[number], power: number) =>
          quadratureWeights(rule, 2 * pairs, step, 0).reduce((all, w, k) => all + w * (k * step) ** power, 0);
        for (const rule of QUADRATURES) expect(sum(rule, 0) / time).toBeCloseTo(1, 12);
        expect(sum("trapezoid", 1) / (time ** 2 / 2)).toBeCloseTo(1, 12);
        expect(sum("simpson", 3) / (time ** 4 / 4)).toBeCloseTo(1, 12);
      }),
    );
  });

  it("weighs by e^(-lambda (T - t)): shares of the weights without lambda, to 1e-12 (rounding)", () => {
    fc.assert(
      fc.property(rules, fc.double({ min: 0, max: 1, noNaN: true }), ({ pairs, step }, lambda) => {
        const [flat, own] = [0, lambda].map((l) => quadratureWeights("trapezoid", 2 * pairs, step, l));
        own?.forEach((w, k) => {
          expect(w / ((flat?.[k] ?? 0) * Math.exp(-lambda * step * (2 * pairs - k)))).toBeCloseTo(1, 12);
        });
      }),
    );
  });
});

describe("pathKernel", () => {
  const spec = network({ widths: [16], seed: 3 });

  it.each(["squared", "logistic", "squared-hinge", "hinge"] as const)(
    "rebuilds f_T of a network of width 16 within 1e-3 in 320 steps, of first order: a quarter of the steps' length has 2.5 to 6 times less error, loss %s",
    async (loss) => {
      const errors: number[] = [];
      for (const steps of [80, 320]) {
        const how = { loss, lambda: 0.05, learningRate: 3 / steps, steps, runtime };
        const { errors: byRule, outputs } = await pathKernel(spec, train, test, how);
        // The outputs are not small: nothing would be shown by a network that is zero.
        expect(Math.max(...outputs.map(Math.abs))).toBeGreaterThan(0.05);
        errors.push(byRule.descent.relative);
      }
      expect(errors[1]).toBeLessThan(1e-3);
      // Four for smooth paths; the kinks of the ReLU and of the loss move it.
      expect((errors[0] ?? 0) / (errors[1] ?? 1)).toBeGreaterThan(2.5);
      expect((errors[0] ?? 0) / (errors[1] ?? 1)).toBeLessThan(6);
    },
  );

  it("is nearly exact by the sum of descent when the network is wide: below 1e-4, where the trapezoid is 10 times worse", async () => {
    const wide = network({ widths: [256], seed: 3 });
    const how = { loss: "squared" as const, lambda: 0, learningRate: 0.075, steps: 40, runtime };
    const { errors, estimates } = await pathKernel(wide, train, test, how);
    expect(errors.descent.relative).toBeLessThan(1e-4);
    expect(errors.trapezoid.relative).toBeGreaterThan(10 * errors.descent.relative);
    // What the two rules differ by tells the error of the worse one, here to a tenth.
    expect(estimates.step / errors.trapezoid.relative).toBeGreaterThan(0.9);
    expect(estimates.step / errors.trapezoid.relative).toBeLessThan(1.1);
  });

  it("adds up: rebuilt is b and the contributions, to 1e-12; K is symmetric on the training rows where |l'| is equal", async () => {
    const how = { loss: "hinge" as const, lambda: 0.1, learningRate: 0.05, steps: 4, runtime };
    const path = await pathKernel(spec, train, train, how);
    path.rebuilt.forEach((value, x) => {
      const sum = contributions(path, x).reduce((all, one) => all + one, path.b[x] ?? 0);
      expect(Math.abs(value - sum)).toBeLessThan(1e-12);
    });
    expect(path.signs.constant).toBe(true);
    const { values, columns } = path.kernel;
    for (let i = 0; i < columns; i++)
      for (let j = 0; j < i; j++)
        if (path.a[i] !== 0 && path.a[j] !== 0) expect(values[i * columns + j]).toBe(values[j * columns + i]);
  });

  it("reports signs: hinge rows that pass their margin vanish and harm nothing, squared ones may reverse", async () => {
    const wide = network({ widths: [256], seed: 3 });
    const how = { lambda: 0, learningRate: 0.05, steps: 80, runtime };
    const hinge = await pathKernel(wide, train, test, { ...how, loss: "hinge" });
    expect(hinge.signs.reversed.filter((i) => hinge.a[i] !== 0)).toEqual([]);
    expect(hinge.signs.vanished.length).toBeGreaterThan(0);
    expect(hinge.signs.firstTime).toBeGreaterThan(0);
    const squared = await pathKernel(wide, train, test, { ...how, loss: "squared" });
    expect(squared.signs.reversed.length).toBeGreaterThan(0);
    // With l' itself the identity holds all the same; with a_i |l'| it does not.
    expect(squared.error.relative).toBeGreaterThan(10 * squared.errors.descent.relative);
  });

  it.each(LOSSES)("is the start when nothing is learned: T = 0+ leaves b = f_0 within 1e-6, loss %s", async (loss) => {
    const path = await pathKernel(spec, train, test, { loss, lambda: 0, learningRate: 1e-9, steps: 2, runtime });
    path.outputs.forEach((value, x) => {
      expect(Math.abs(value - (path.b[x] ?? 0))).toBeLessThan(1e-6);
    });
  });

  it("refuses odd steps, lambdas that do not decay and unknown rules, naming them", async () => {
    const bad: [object, RegExp][] = [
      [{ steps: 3 }, /^steps: expected an even number/],
      [{ lambda: 10 }, /^lambda: expected learningRate \* lambda < 1/],
      [{ rule: "gauss" }, /^rule: expected/],
    ];
    for (const [options, message] of bad) await expect(pathKernel(spec, train, test, options)).rejects.toThrow(message);
  });
});

describe("pathKernelStudy", () => {
  it("gives orders, and explanations whose carriers are the largest contributions of their rows", async () => {
    const options = { data: { train, test }, n: 10, tests: 5, width: 16, time: 3, steps: [20, 40, 80], carriers: 3 };
    const study = await pathKernelStudy({ ...options, runtime });
    expect(study.runs.map(({ steps }) => steps)).toEqual([20, 40, 80]);
    expect(study.orders?.descent.slope).toBeGreaterThan(0.6);
    expect(study.orders?.descent.slope).toBeLessThan(1.4);
    for (const { carriers, share, picture } of study.explanations) {
      const sizes = carriers.map(({ contribution }) => Math.abs(contribution));
      expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
      expect(share).toBeGreaterThan(0.3);
      expect(share).toBeLessThanOrEqual(1);
      expect(picture).toBe(null);
    }
  });
});
