// Certificates beside attacks: the figures belong together, and nothing certified lies above an attack.
import { expect, it } from "vitest";
import { mnist } from "../../sdk/data/mnist.js";
import { tightness } from "../../sdk/experiments/tightness.js";
import { runtimeAt } from "../helpers.js";

const digits = await mnist({ digits: [0, 1] });
const data = {
  train: digits.train.subset(Array.from({ length: 600 }, (_, k) => k)),
  test: digits.test.subset(Array.from({ length: 12 }, (_, k) => k)),
};

it("paper's < linear < certified < attacked on average, sample by sample below the attack, 0.9 of it for an SVM", async () => {
  const runtime = await runtimeAt("simd", 2);
  const seen: string[] = [];
  const rows = await tightness({
    data,
    runtime,
    machines: ["svm", "krr-1000"],
    count: 6,
    onRow: ({ machine }) => seen.push(machine),
  });
  expect(seen).toEqual(["svm", "krr-1000"]);
  for (const { samples, interval, linear, certified, attacked, ratio } of rows) {
    expect(samples).toBe(6);
    expect(linear.mean).toBeGreaterThan(interval?.mean ?? Number.NaN);
    expect(certified.mean).toBeGreaterThan(linear.mean ?? Number.NaN);
    expect(attacked.mean).toBeGreaterThan(certified.mean ?? Number.NaN);
    expect(ratio.max).toBeLessThan(1);
    expect(ratio.min).toBeGreaterThan(0.9);
  }
  await runtime.close();
});

it("inside the image domain the paper's method has no column, and radii are larger", async () => {
  const runtime = await runtimeAt("simd");
  const ask = async (domain: boolean) => {
    const [row] = await tightness({ data, runtime, machines: ["svm"], count: 3, domain });
    return row;
  };
  const [free, inside] = [await ask(false), await ask(true)];
  expect(inside?.interval).toBeNull();
  expect(inside?.certified.mean).toBeGreaterThan(free?.certified.mean ?? Number.NaN);
  expect(inside?.attacked.mean).toBeGreaterThan(free?.attacked.mean ?? Number.NaN);
  expect(inside?.ratio.max).toBeLessThan(1);
});

it("names bad options", async () => {
  await expect(tightness({ machines: [] })).rejects.toThrow(/^machines: expected an array of at least one name/);
  await expect(tightness({ machines: ["svc" as never] })).rejects.toThrow(/^machines\[0\]: expected/);
  await expect(tightness({ count: 0 })).rejects.toThrow(/^count: /);
  await expect(tightness({ domain: 1 as never, count: 1, data, machines: ["svm"] })).rejects.toThrow(/^domain: /);
});
