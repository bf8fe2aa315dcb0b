// Several digits on few images: accuracies add up, certificates are those of the model that comes back, and options are
// checked. Not here: the certificates' own tests (test/certify/classes.test.ts).
import { expect, it } from "vitest";
import { certifyClasses } from "../../sdk/certify/classes.js";
import { mnistDigits } from "../../sdk/data/mnist.js";
import { digits } from "../../sdk/experiments/digits.js";
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

it("names bad options", async () => {
  await expect(digits({ machine: "forest" as never })).rejects.toThrow(/^machine: /);
  await expect(digits({ lambda: 0 })).rejects.toThrow(/^lambda: /);
  await expect(digits({ rows: 0 })).rejects.toThrow(/^rows: /);
  await expect(digits({ count: 1.5 })).rejects.toThrow(/^count: /);
  await expect(digits({ radii: [-1] })).rejects.toThrow(/^radii\[0\]: /);
  await expect(digits({ radii: 1 as never })).rejects.toThrow(/^radii: /);
  await expect(digits({ digits: [3] })).rejects.toThrow(/^digits: /);
});
