// Machines for several classes: each output is its own machine's, differences are exact, files come back, and sets of
// classes are checked. Certificates are in test/certify/classes.test.ts.
import { describe, expect, it } from "vitest";
import { classSet } from "../../sdk/data/classes.js";
import { mnistDigits } from "../../sdk/data/mnist.js";
import { FormatError } from "../../sdk/errors.js";
import { GramMatrix } from "../../sdk/kernels/gram.js";
import { ntk } from "../../sdk/kernels/kernel.js";
import { krr } from "../../sdk/machines/krr.js";
import { logistic } from "../../sdk/machines/logistic.js";
import { Machine } from "../../sdk/machines/machine.js";
import { ClassMachine, oneVsRest } from "../../sdk/machines/one-vs-rest.js";
import { svm } from "../../sdk/machines/svm.js";
import { clouds } from "../clouds.js";
import { LEVELS, runtimeAt } from "../helpers.js";

const kernel = ntk();
const runtime = await runtimeAt("simd");
const on = { runtime };
const data = clouds(60, 5, 3, 1);

describe.each([
  ["krr", (o: object) => krr({ kernel, lambda: 1, ...o })],
  ["svm", (o: object) => svm({ kernel, c: 3, bias: true, ...o })],
  ["logistic", (o: object) => logistic({ kernel, c: 3, ...o })],
])("%s", (name, make) => {
  it("each class's output is its own machine's to 1e-13 of the coefficients, the decision the largest of them", async () => {
    const gram = await GramMatrix.create(kernel, data, on);
    const machine = await oneVsRest(make({ gram })).fit(data, on);
    expect([machine.machine, machine.classes]).toEqual([name, ["0", "1", "2"]]);
    const test = clouds(40, 5, 3, 2);
    const outputs = await machine.decisionFunctions(test, on);
    const predicted = await machine.predict(test, on);
    const own = await Promise.all(
      [0, 1, 2].map(async (c) => {
        const alone = await make({ gram }).fit(data.against(c), on);
        const size = alone.alpha.reduce((sum, a) => sum + Math.abs(a), 1);
        return { g: await alone.decisionFunction(test, on), room: 1e-13 * size * 10 };
      }),
    );
    own.forEach(({ g, room }, c) => {
      g.forEach((value, i) => {
        expect(Math.abs(value - (outputs[3 * i + c] ?? Number.NaN))).toBeLessThan(room);
      });
    });
    predicted.forEach((c, i) => {
      expect(outputs[3 * i + c]).toBe(Math.max(...outputs.subarray(3 * i, 3 * i + 3)));
    });
    const correct = predicted.filter((c, i) => c === test.labels[i]).length;
    expect(correct).toBeGreaterThan(30);
    gram.dispose();
  });

  it("a difference of two classes is one machine: exact coefficients, outputs g_c - g_j, and opposite the other way round", async () => {
    const machine = await oneVsRest(make({})).fit(data, on);
    const outputs = await machine.decisionFunctions(data, on);
    const [one, other] = [machine.difference(2, 0), machine.difference(0, 2)];
    expect(one.alpha).toEqual(other.alpha.map((a) => -a));
    const g = await one.decisionFunction(data, on);
    const size = one.alpha.reduce((sum, a) => sum + Math.abs(a), 1);
    g.forEach((value, i) => {
      expect(Math.abs(value - ((outputs[3 * i + 2] ?? 0) - (outputs[3 * i] ?? 0)))).toBeLessThan(1e-12 * size);
    });
    // alpha^c - alpha^j + alpha^j gives alpha^c back in float64: no difference was rounded.
    for (const [c, alpha] of machine.alphas.entries())
      alpha.forEach((a, i) => {
        const b = machine.alphas[(c + 1) % 3]?.[i] ?? 0;
        expect(a - b + b).toBe(a);
      });
  });

  it("what is saved comes back with the same bits", async () => {
    const machine = await oneVsRest(make({})).fit(data, on);
    const bytes = machine.save();
    const back = ClassMachine.load(bytes);
    expect(back.save()).toEqual(bytes);
    expect(await back.decisionFunctions(data, on)).toEqual(await machine.decisionFunctions(data, on));
    for (const length of [0, 7, 8, 200, bytes.length - 1])
      expect(() => ClassMachine.load(bytes.slice(0, length))).toThrow(FormatError);
    const two = (await krr({ kernel, lambda: 1 }).fit(data.against(0), on)).save();
    expect(() => ClassMachine.load(two)).toThrow(/expected format "ntkit class machine"/);
  });
});

it("outputs of all classes in one pass have the bits of each class alone, on every level and with any number of threads", async () => {
  for (const many of [3, 17]) {
    const own = clouds(300, 20, many, 4);
    const test = clouds(130, 20, many, 5);
    const machine = await oneVsRest(krr({ kernel, lambda: 1 })).fit(own, on);
    const all: Float64Array[] = [];
    for (const [level, threads] of [...LEVELS.map((name) => [name, 0] as const), ["simd", 1], ["simd", 3]] as const) {
      const other = await runtimeAt(level, threads);
      all.push(await machine.decisionFunctions(test, { runtime: other }));
      await other.close();
    }
    for (const outputs of all) expect(outputs).toEqual(all[0]);
    for (const [c, alpha] of machine.alphas.entries()) {
      const { kernel: ours, rows, parameters, dataHash, dataName } = machine;
      const bias = machine.biases[c] ?? 0;
      const alone = new Machine({
        machine: "krr",
        parameters,
        kernel: ours,
        rows,
        alpha,
        bias,
        training: {},
        dataHash,
        dataName,
      });
      const outputs = await alone.decisionFunction(test, on);
      expect(outputs).toEqual(Float64Array.from(outputs, (_, i) => all[0]?.[i * many + c] ?? Number.NaN));
    }
  }
});

it("digits of MNIST: classes in the order asked for, rows as the pair of them has", async () => {
  const { train, test } = await mnistDigits({ digits: [7, 1, 3] });
  expect(train.classes).toEqual(["7", "1", "3"]);
  expect([train.n, test.n]).toEqual([6265 + 6742 + 6131, 1028 + 1135 + 1010]);
  const some = train.subset([0, 5, 9]);
  expect(some.labels).toEqual(Int32Array.from([0, 5, 9], (i) => train.labels[i] ?? 0));
  expect(Array.from(some.against(1).y)).toEqual(Array.from(some.labels, (label) => (label === 1 ? 1 : -1)));
  expect(some.against(1).x).toBe(some.x);
  expect(await some.hash()).not.toBe(await train.subset([0, 5, 10]).hash());
  await expect(mnistDigits({ digits: [1] })).rejects.toThrow(TypeError);
  await expect(mnistDigits({ digits: [1, 1] })).rejects.toThrow(/^digits: expected different digits/);
  await expect(mnistDigits({ digits: [1, 10] })).rejects.toThrow(/^digits\[1\]: /);
});

it("names bad arguments, and a class without rows", async () => {
  const x = Float64Array.of(1, 2, 3, 4);
  const shape: [number, number] = [2, 2];
  expect(() => classSet({ x, labels: [0, 1.5], shape })).toThrow(/^labels\[1\]: expected an integer/);
  expect(() => classSet({ x, labels: [0, 2], shape, classes: ["a", "b"] })).toThrow(/^labels\[1\]: /);
  expect(() => classSet({ x, labels: [0], shape })).toThrow(/^labels: expected 2/);
  expect(() => classSet({ x, labels: [0, 0], shape })).toThrow(/^classes: expected at least two/);
  expect(() => classSet({ x, labels: 3 as never, shape })).toThrow(TypeError);
  expect(() => classSet(null as never)).toThrow(TypeError);
  expect(() => oneVsRest(undefined as never)).toThrow(/^trainer: /);
  const lone = classSet({ x, labels: [0, 1], shape, classes: ["a", "b", "c"] });
  await expect(oneVsRest(svm({ kernel })).fit(lone, on)).rejects.toThrow(/none of "c"$/);
  expect(() => lone.against(3)).toThrow(/^c: /);
  await expect(oneVsRest(svm({ kernel })).fit(lone.against(0) as never, on)).rejects.toThrow(TypeError);
});
