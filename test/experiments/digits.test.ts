// Several digits on few images: accuracies add up, certificates are those of the model that comes back, and options are
// checked. Not here: the certificates' own tests (test/certify/classes.test.ts).
import { expect, it } from "vitest";
import { certifyClasses } from "../../sdk/certify/classes.js";
import { mnistDigits } from "../../sdk/data/mnist.js";
import { digits } from "../../sdk/experiments/digits.js";
import type { ClassMachine } from "../../sdk/machines/one-vs-rest.js";
import { Runtime } from "../../sdk/runtime/runtime.js";
import { runtimeAt } from "../helpers.js";

const all = await mnistDigits({ digits: [1, 4, 7] });
const first = (count: number) => Array.from({ length: count }, (_, k) => k);
const data = { train: all.train.subset(first(400)), test: all.test.subset(first(60)) };

it("accuracy is the classes' own, certified accuracy falls with the radius, and the model certifies the same again", async () => {
  const runtime = await runtimeAt("simd");
  const before = runtime.memory.bytesInUse;
  for (const machine of ["svm", "krr"] as const) {
    const own = { data, runtime, machine, rows: 150, count: 4, method: "linear" } as const;
    const { model, report, perClass, accuracy, optimality, trainingRows } = await digits(own);
    expect([trainingRows, perClass.map(({ name }) => name)]).toEqual([150, ["1", "4", "7"]]);
    expect(perClass.reduce((sum, { samples }) => sum + samples, 0)).toBe(60);
    expect(accuracy).toBe(perClass.reduce((sum, { correct }) => sum + correct, 0) / 60);
    expect(accuracy).toBeGreaterThan(0.85);
    expect(optimality).toBeLessThanOrEqual(1e-6);
    const shares = report.certifiedAccuracy;
    expect(shares.map(({ epsilon }) => epsilon)).toEqual([0.01, 0.05, 0.1]);
    expect([...shares].sort((a, b) => b.accuracy - a.accuracy)).toEqual(shares);
    const again = await certifyClasses(model, data.test, { runtime, samples: 4, method: "linear" });
    expect(again.perSample).toEqual(report.perSample);
  }
  expect(runtime.memory.bytesInUse).toBe(before);
});

it("ten digits from 2,000 images: ridge to 1e-6 by residuals measured here, over 92% right, radii proved without a search, memory within the budget", async () => {
  const whole = await mnistDigits({});
  const train = whole.train.subset(first(2000));
  const runtime = await Runtime.create({ threads: 2, memory: 64 * 2 ** 20 });
  const models: ClassMachine[] = [];
  const result = await digits({
    data: { train, test: whole.test.subset(first(1000)) },
    runtime,
    machine: "krr",
    lambda: 0.01,
    rank: 256,
    method: "linear",
    search: false,
    count: 8,
    onModel: (model) => models.push(model),
  });
  const { model, report, accuracy, training, memory, optimality } = result;
  expect(models).toEqual([model]);
  expect(accuracy).toBeGreaterThan(0.92);
  expect(training.map(({ rank }) => rank)).toEqual(new Array(10).fill(256));
  expect(report.perSample.map(({ radius }) => [0, 0.01, 0.05, 0.1].includes(radius))).toEqual(new Array(8).fill(true));
  expect(memory.budget).toBe(64 * 2 ** 20);
  expect(memory.peak).toBeLessThanOrEqual(memory.budget);
  // y = K alpha + (lambda / 2) alpha at the training rows, where g = K alpha.
  const g = await model.decisionFunctions(train, { runtime });
  for (let c = 0; c < 10; c++) {
    const rest = Array.from(train.labels, (label, i) => {
      const alpha = model.alphas[c]?.[i] ?? Number.NaN;
      return (label === c ? 1 : -1) - (g[10 * i + c] ?? Number.NaN) - 0.005 * alpha;
    });
    const own = Math.hypot(...rest) / Math.sqrt(2000);
    expect(own).toBeLessThanOrEqual(1.001e-6);
    expect(Math.abs(own - (training[c]?.relativeResidual ?? Number.NaN))).toBeLessThan(1e-9);
  }
  expect(optimality).toBe(Math.max(...training.map(({ relativeResidual }) => relativeResidual ?? Number.NaN)));
  await runtime.close();
});

it("names bad options", async () => {
  await expect(digits({ machine: "forest" as never })).rejects.toThrow(/^machine: /);
  await expect(digits({ lambda: 0 })).rejects.toThrow(/^lambda: /);
  await expect(digits({ tolerance: 0 })).rejects.toThrow(/^tolerance: /);
  await expect(digits({ rows: 0 })).rejects.toThrow(/^rows: /);
  await expect(digits({ count: 1.5 })).rejects.toThrow(/^count: /);
  await expect(digits({ radii: [-1] })).rejects.toThrow(/^radii\[0\]: /);
  await expect(digits({ radii: 1 as never })).rejects.toThrow(/^radii: /);
  await expect(digits({ digits: [3] })).rejects.toThrow(/^digits: /);
});
