// Files of adversarial inputs: bit for bit in NPZ, visible in PNG.
import fc from "fast-check";
import { expect, it } from "vitest";
import { attack } from "../../../sdk/certify/attacks/attack.js";
import { imageSide, writeAttackPicture, writeCounterexamples } from "../../../sdk/certify/attacks/counterexamples.js";
import { formatDistance } from "../../../sdk/certify/attacks/report.js";
import { readNpz } from "../../../sdk/data/npz.js";
import { ntk } from "../../../sdk/kernels/kernel.js";
import { svm } from "../../../sdk/machines/svm.js";
import { randomData, runtimeAt } from "../../helpers.js";

const runtime = await runtimeAt("simd");
const data = randomData(30, 16, 3, true);
const machine = await svm({ kernel: ntk(), c: 10 }).fit(data, { runtime });
const report = await attack(machine, data, { runtime, samples: 6 });

it("the NPZ file holds every adversarial input as it was proved, its original, row, label, radius and output", () => {
  const arrays = readNpz(writeCounterexamples(report, data));
  const found = report.perSample.filter(({ adversarial }) => adversarial !== null);
  expect(found.length).toBeGreaterThan(3);
  const list = (name: string) => Array.from(arrays.get(name)?.data ?? []);
  expect(arrays.get("x")?.shape).toEqual([found.length, 16]);
  expect(list("x")).toEqual(found.flatMap(({ adversarial }) => Array.from(adversarial ?? [])));
  expect(list("original")).toEqual(
    found.flatMap(({ index }) => Array.from(data.x.subarray(index * 16, index * 16 + 16), (v) => v * data.scale)),
  );
  expect(list("index")).toEqual(found.map(({ index }) => index));
  expect(list("y")).toEqual(found.map(({ label }) => label));
  expect(list("prediction")).toEqual(found.map(({ prediction }) => prediction));
  expect(list("radius")).toEqual(found.map(({ radius }) => radius));
  expect(list("lower")).toEqual(found.map(({ output }) => output?.lower));
  expect(list("upper")).toEqual(found.map(({ output }) => output?.upper));
});

it("a picture is three squares wide with two gaps, magnified; what has no picture says why", () => {
  const sample = report.perSample.find(({ adversarial }) => adversarial !== null)!;
  const size = (file: Uint8Array) => {
    const view = new DataView(file.buffer);
    return [view.getUint32(16), view.getUint32(20)];
  };
  expect(size(writeAttackPicture(sample, data))).toEqual([8 * 14, 8 * 4]);
  expect(size(writeAttackPicture(sample, data, 1))).toEqual([14, 4]);
  expect([imageSide(784), imageSide(783), imageSide(1)]).toEqual([28, 0, 1]);
  expect(() => writeAttackPicture(sample, data, 0)).toThrow(/^magnify/);
  expect(() => writeAttackPicture({ ...sample, adversarial: null }, data)).toThrow(/^sample: expected an adversarial/);
  expect(() => writeAttackPicture(sample, randomData(3, 15, 1))).toThrow(
    /^data: expected rows of square images, got 15/,
  );
});

it("formatDistance never rounds down and adds less than one unit of the last digit", () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-300, max: 1e6, noNaN: true }), fc.integer({ min: 1, max: 15 }), (value, digits) => {
      const printed = Number(formatDistance(value, digits));
      expect(printed).toBeGreaterThanOrEqual(value);
      expect(printed).toBeLessThan(value * (1 + 1.0001 * 10 ** (1 - digits)));
    }),
    { numRuns: 5000 },
  );
  expect(formatDistance(0)).toBe("0");
});
