// Certificates of outputs: random inputs of the ball have outputs inside the interval, outputs stay within the distance
// asked for up to the radius, and an attack that leaves it lies outside. Not here: the bounds themselves (bounds.test.ts).
import { describe, expect, it } from "vitest";
import { machineBounds } from "../../sdk/certify/bounds.js";
import { certify } from "../../sdk/certify/certify.js";
import { certifyOutputs } from "../../sdk/certify/outputs.js";
import { dataset } from "../../sdk/data/dataset.js";
import { ntk } from "../../sdk/kernels/kernel.js";
import { krr } from "../../sdk/machines/krr.js";
import { Machine } from "../../sdk/machines/machine.js";
import { regressionFit } from "../../sdk/machines/regression.js";
import { svm } from "../../sdk/machines/svm.js";
import { svr } from "../../sdk/machines/svr.js";
import { runtimeAt } from "../helpers.js";
import { normal, uniform } from "../seeded.js";

const runtime = await runtimeAt("simd");
const on = { runtime };
const D = 4;

/** Points around (1, 0, 0, 0) and a smooth function of them. */
function targets(n: number, seed: number) {
  const gauss = normal(uniform(seed));
  const x = Float64Array.from({ length: n * D }, (_, k) => (k % D === 0 ? 1.5 : 0) + 0.6 * gauss());
  const y = Float64Array.from({ length: n }, (_, i) => 2 * Math.sin(x[i * D] ?? 0) + (x[i * D + 1] ?? 0) ** 2);
  return dataset({ x, y, shape: [n, D], task: "regression" });
}

const train = targets(60, 1);
const test = targets(12, 2);

describe.each([
  ["krr, NTK", () => krr({ kernel: ntk(), lambda: 0.1 })],
  ["krr, lambda 0, bias, NTK of two layers", () => krr({ kernel: ntk({ depth: 2 }), lambda: 0, bias: true })],
  ["svr, NTK", () => svr({ kernel: ntk(), c: 10, epsilon: 0.05, bias: true })],
])("%s", (_, make) => {
  it("outputs of random inputs lie in the interval, and within the distance up to the radius", async () => {
    const machine = await make().fit(train, on);
    expect(machine.task).toBe("regression");
    const radius = 0.05;
    const within = 0.2;
    const report = await certifyOutputs(machine, test, { ...on, radius, within });
    const next = uniform(3);
    for (let round = 0; round < 30; round++) {
      const sign = Array.from({ length: test.n * D }, () =>
        round % 2 === 0 ? Math.sign(next() - 0.5) : 2 * next() - 1,
      );
      const outputs = async (reach: (k: number) => number) => {
        const x = Float64Array.from(test.x, (value, i) => value + reach(Math.floor(i / D)) * (sign[i] ?? 0));
        return await machine.decisionFunction({ n: test.n, d: D, x, scale: 1 }, on);
      };
      const inside = await outputs(() => radius);
      const near = await outputs((k) => report.perSample[k]?.radius ?? 0);
      report.perSample.forEach(({ output, lower, upper }, k) => {
        expect(inside[k]).toBeGreaterThanOrEqual(lower ?? Number.NaN);
        expect(inside[k]).toBeLessThanOrEqual(upper ?? Number.NaN);
        expect(Math.abs((near[k] ?? Number.NaN) - output)).toBeLessThanOrEqual(within * (1 + 1e-9));
      });
    }
    expect(report.radius?.min).toBeGreaterThan(0);
  });

  it("radii are nearly the largest that the bound shows: a thousandth and a half further it does not", async () => {
    const machine = await make().fit(train, on);
    const { perSample } = await certifyOutputs(machine, test, { ...on, within: 0.1, method: "interval", limit: 0.3 });
    const at = await machineBounds(machine, test, 0, { ...on, method: "interval" });
    const beyond = perSample.map(({ radius }) => (radius ?? 0) * 1.0015);
    const { lower, upper } = await machineBounds(machine, test, beyond, { ...on, method: "interval" });
    perSample.forEach(({ radius }, k) => {
      expect(radius).toBeGreaterThan(0);
      expect(radius).toBeLessThan(0.3);
      const [low, high] = [at.lower[k] ?? 0, at.upper[k] ?? 0];
      expect(Math.max((upper[k] ?? 0) - low, high - (lower[k] ?? 0))).toBeGreaterThan(0.1);
    });
  });

  it("the task comes back from the model file; radii of labels are refused", async () => {
    const machine = await make().fit(train, on);
    const back = Machine.load(machine.save());
    expect(back.task).toBe("regression");
    expect(back.save()).toEqual(machine.save());
    await expect(certify(machine, test, on)).rejects.toThrow(/certifyOutputs\(\) bounds outputs/);
  });
});

it("the interval of radius 0 holds the output; intervals widen with the radius, tighter methods with none are wider; figures are those of the samples", async () => {
  const machine = await krr({ kernel: ntk(), lambda: 0.1 }).fit(train, on);
  const at = async (radius: number, method: "interval" | "best") =>
    await certifyOutputs(machine, test, { ...on, radius, method });
  const [none, small, large] = [await at(0, "best"), await at(0.01, "best"), await at(0.05, "best")];
  const loose = await at(0.05, "interval");
  for (let k = 0; k < test.n; k++) {
    const ends = [none, small, large].map(({ perSample }) => perSample[k]);
    expect(ends[0]?.lower).toBeLessThanOrEqual(ends[0]?.output ?? Number.NaN);
    expect(ends[0]?.upper).toBeGreaterThanOrEqual(ends[0]?.output ?? Number.NaN);
    for (let i = 0; i < 2; i++) {
      expect(ends[i + 1]?.lower).toBeLessThan(ends[i]?.lower ?? Number.NaN);
      expect(ends[i + 1]?.upper).toBeGreaterThan(ends[i]?.upper ?? Number.NaN);
    }
  }
  expect(large.width?.mean).toBeLessThan(loose.width?.mean ?? Number.NaN);
  const outputs = await machine.decisionFunction(test, on);
  expect(large).toMatchObject({ samples: 12, unbounded: 0, radius: null, ...regressionFit(test.y, outputs) });
  const few = await certifyOutputs(machine, test, { ...on, radius: 0.05, samples: 3 });
  expect(few.perSample).toEqual(large.perSample.slice(0, 3));
});

it("the fit: an error of 0 explains all, the mean explains nothing, equal targets have no share", () => {
  expect(regressionFit([1, 2, 4], [1, 2, 4])).toEqual({ rmse: 0, r2: 1 });
  expect(regressionFit([1, 2, 3], [2, 2, 2])).toEqual({ rmse: Math.sqrt(2 / 3), r2: 0 });
  expect(regressionFit([2, 2], [2, 3])).toEqual({ rmse: Math.sqrt(1 / 2), r2: null });
  expect(() => regressionFit([1], [1, 2])).toThrow(/^outputs: expected 1 /);
  expect(() => regressionFit([], [])).toThrow(RangeError);
  expect(() => regressionFit(null as never, [1])).toThrow(TypeError);
});

it("names bad arguments, and machines of labels say who takes targets", async () => {
  const machine = await krr({ kernel: ntk(), lambda: 1 }).fit(train, on);
  const ask = (bad: object) => certifyOutputs(machine, test, { ...on, radius: 0.1, ...bad });
  await expect(certifyOutputs(machine, test, on)).rejects.toThrow(/^radius: expected radius, within or both/);
  await expect(ask({ radius: -1 })).rejects.toThrow(/^radius: /);
  await expect(ask({ within: 0 })).rejects.toThrow(/^within: /);
  await expect(ask({ limit: 0 })).rejects.toThrow(/^limit: /);
  await expect(ask({ tolerance: 1 })).rejects.toThrow(/^tolerance: /);
  await expect(ask({ method: "ibp" })).rejects.toThrow(/^method: /);
  await expect(certifyOutputs({} as never, test, { radius: 1 })).rejects.toThrow(TypeError);
  await expect(certifyOutputs(machine, targetsOf(3), { ...on, radius: 1 })).rejects.toThrow(
    /^data: expected 4 columns/,
  );
  await expect(svm({ kernel: ntk() }).fit(train, on)).rejects.toThrow(
    /targets of a regression, which krr\(\) and svr\(\) take/,
  );
});

const targetsOf = (d: number) => dataset({ x: new Float64Array(d), y: [0.5], shape: [1, d], task: "regression" });
