// Kernels that are functions of the user's own: the same machines as with the core's kernel, files, and what is refused.
// Not here: kernels that the core computes (kernel.test.ts, activation.test.ts).
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { attack } from "../../sdk/certify/attacks/attack.js";
import { certify } from "../../sdk/certify/certify.js";
import { classSet } from "../../sdk/data/classes.js";
import { descend } from "../../sdk/dynamics/descend.js";
import { MissingKernelError, UnsupportedKernelError } from "../../sdk/errors.js";
import { crossGram, GramMatrix } from "../../sdk/kernels/gram.js";
import {
  type Kernel,
  type KernelFunction,
  nngp,
  ntk,
  productKernels,
  scaleKernel,
  sumKernels,
  userKernel,
} from "../../sdk/kernels/kernel.js";
import { crossValidate } from "../../sdk/machines/cross-validation.js";
import { hardMarginSvm } from "../../sdk/machines/hard-margin.js";
import { krr } from "../../sdk/machines/krr.js";
import { logistic } from "../../sdk/machines/logistic.js";
import { Machine, type Trainer } from "../../sdk/machines/machine.js";
import { ClassMachine, oneVsRest } from "../../sdk/machines/one-vs-rest.js";
import { svm } from "../../sdk/machines/svm.js";
import { svmSgd } from "../../sdk/machines/svm-sgd.js";
import { svm2 } from "../../sdk/machines/svm2.js";
import { svr } from "../../sdk/machines/svr.js";
import { loadModel } from "../../sdk/networks/model.js";
import type { Runtime } from "../../sdk/runtime/runtime.js";
import { randomData, runtimeAt } from "../helpers.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await runtimeAt("simd", 2);
  // Threads start with the first job, and keep their own memory.
  await crossGram(ntk(), data, data, { runtime });
});
afterAll(() => runtime.close());

/** The NTK of one hidden layer of erf units (Williams, 1997), in plain loops; the same kernel as the core's own. */
const erfNtk: KernelFunction = (x, other) => {
  const inner = (a: Float64Array, b: Float64Array) => a.reduce((sum, v, k) => sum + v * (b[k] ?? 0), 0) / a.length;
  const [c, p, q] = [inner(x, other), inner(x, x), inner(other, other)];
  const size = (1 + 2 * p) * (1 + 2 * q);
  return (2 / Math.PI) * Math.asin((2 * c) / Math.sqrt(size)) + ((4 / Math.PI) * c) / Math.sqrt(size - 4 * c * c);
};

const own = userKernel({ name: "erf by hand", evaluate: erfNtk });
const core = ntk({ activation: "erf" });
const data = randomData(60, 3, 5, true);
const test = randomData(15, 3, 6, true);

const TRAINERS: readonly [string, (kernel: Kernel) => Trainer][] = [
  ["krr", (kernel) => krr({ kernel, lambda: 0.1 })],
  ["svm", (kernel) => svm({ kernel, c: 2, bias: true, tolerance: 1e-10 })],
  ["svm2", (kernel) => svm2({ kernel, c: 2, tolerance: 1e-10 })],
  ["svr", (kernel) => svr({ kernel, c: 2, epsilon: 0.2, tolerance: 1e-10 })],
  ["logistic", (kernel) => logistic({ kernel, c: 3 })],
  ["svm-sgd", (kernel) => svmSgd({ kernel, lambda: 0.1, epochs: 5 })],
];

describe("a function of one's own", () => {
  it.each(TRAINERS)("%s on it decides as on the core's kernel of the same formula, to 1e-6", async (_, trainer) => {
    const before = runtime.memory.bytesInUse;
    const [byHand, built] = await Promise.all([own, core].map((kernel) => trainer(kernel).fit(data, { runtime })));
    const [g, reference] = await Promise.all([byHand, built].map((one) => one?.decisionFunction(test, { runtime })));
    g?.forEach((value, k) => {
      expect(Math.abs(value - (reference?.[k] ?? Number.NaN))).toBeLessThan(1e-6);
    });
    expect(runtime.memory.bytesInUse).toBe(before);
  });

  it("the hard margin, cross-validation, classes and subgradient descent take it too", async () => {
    const rows = randomData(24, 6, 2);
    const [a, b] = await Promise.all(
      [own, core].map(async (kernel) => {
        const hard = await hardMarginSvm({ kernel }).fit(rows, { runtime });
        const search = { machine: "krr", lambdas: [0.1, 1], kernels: [kernel], folds: 3, runtime } as const;
        const { rows: found } = await crossValidate(rows, search);
        const labels = Array.from({ length: 24 }, (_, i) => i % 3);
        const set = classSet({ x: rows.x, labels, shape: [24, 6] });
        const classes = await oneVsRest(krr({ kernel, lambda: 1 })).fit(set, { runtime });
        const path = await descend(kernel, rows, {
          steps: 3,
          learningRate: 0.1,
          test: randomData(5, 6, 3),
          runtime,
        });
        return [
          ...(await hard.decisionFunction(rows, { runtime })),
          ...found.map(({ error }) => error.mean),
          ...(await classes.decisionFunctions(rows, { runtime })),
          ...(JSON.stringify(path).match(/-?\d+\.\d+(e-?\d+)?/g) ?? []).map(Number),
        ];
      }),
    );
    expect(a?.length).toBeGreaterThan(100);
    a?.forEach((value, k) => {
      expect(Math.abs(value - (b?.[k] ?? Number.NaN))).toBeLessThan(2e-3 * (1 + Math.abs(value)));
    });
  });

  it("in sums and products it is one of the parts, in memory and streamed, 300 rows on two threads", async () => {
    const many = randomData(300, 3, 9);
    const [mixed, plain] = [own, core].map((kernel) =>
      sumKernels(ntk(), productKernels(scaleKernel(0.5, kernel), nngp({ biasVariance: 0.1 })), kernel),
    ) as [Kernel, Kernel];
    const { values } = await crossGram(plain, many, many, { runtime });
    for (const storage of ["float64", "streamed"] as const) {
      const gram = await GramMatrix.create(mixed, many, { runtime, storage });
      const diagonal = gram.diagonal();
      for (const i of [0, 131, 299]) {
        expect(Math.abs((diagonal[i] ?? 0) - (values[i * 301] ?? 0))).toBeLessThan(1e-12);
        gram.row(i).forEach((value, j) => {
          expect(Math.abs(value - (values[i * 300 + j] ?? Number.NaN))).toBeLessThan(1e-12);
        });
      }
      gram.dispose();
    }
  });

  it("gets rows in the data's units, and each pair i <= j once, beside the sample that is swapped", async () => {
    let calls = 0;
    let largest = 0;
    const kernel = userKernel({
      name: "counted",
      evaluate: (x, other) => {
        calls++;
        largest = Math.max(largest, ...x);
        return x.reduce((sum, v, k) => sum + v * (other[k] ?? 0), 0);
      },
    });
    const gram = await GramMatrix.create(kernel, data, { runtime });
    expect(calls).toBeLessThanOrEqual((60 * 61) / 2 + 2 * 300);
    expect(largest).toBeLessThanOrEqual(1);
    gram.dispose();
  });
});

describe("what is wrong with a function is said with its name and rows", () => {
  const trained = (evaluate: unknown) =>
    krr({ kernel: userKernel({ name: "mine", evaluate: evaluate as KernelFunction }), lambda: 1 }).fit(data, {
      runtime,
    });

  it("a value that is no finite number, or differs when the rows are swapped", async () => {
    const before = runtime.memory.bytesInUse;
    await expect(trained(() => Number.NaN)).rejects.toThrow(
      /^kernel "mine": expected a finite number for rows 0 and 0, got NaN$/,
    );
    await expect(trained(() => "1")).rejects.toThrow(TypeError);
    const skew = trained((x: Float64Array, other: Float64Array) => (x[0] ?? 0) - 2 * (other[0] ?? 0));
    await expect(skew).rejects.toThrow(
      /^kernel "mine": expected a symmetric function, got \S+ for rows \d+ and \d+ and/,
    );
    await expect(skew).rejects.toThrow(RangeError);
    expect(runtime.memory.bytesInUse).toBe(before);
  });

  it("no name, or no function", () => {
    expect(() => userKernel({ name: "", evaluate: erfNtk })).toThrow(/^name: expected a name/);
    expect(() => userKernel({ name: 3 as never, evaluate: erfNtk })).toThrow(TypeError);
    expect(() => userKernel({ name: "x", evaluate: 3 as never })).toThrow(
      /^evaluate: expected a function of two rows, got 3$/,
    );
  });

  it("a Gram matrix of another function of the same name", async () => {
    const gram = await GramMatrix.create(own, data, { runtime });
    const other = userKernel({ name: own.name, evaluate: (x, y) => erfNtk(x, y) });
    await expect(krr({ kernel: other, lambda: 1, gram }).fit(data, { runtime })).rejects.toThrow(/another function$/);
    gram.dispose();
  });
});

describe("model files", () => {
  it("hold the name; loading asks for the function, and then decides to the same bits", async () => {
    const kernel = sumKernels(ntk(), scaleKernel(0.5, own));
    const machine = await svm({ kernel, c: 1 }).fit(data, { runtime });
    const bytes = machine.save();
    expect(() => Machine.load(bytes)).toThrow(MissingKernelError);
    expect(() => loadModel(bytes)).toThrow(
      /^kernels: expected the function "erf by hand" that this model was made with/,
    );
    const again = Machine.load(bytes, { kernels: [own] });
    expect(again.kernel).toEqual(kernel);
    expect(await again.decisionFunction(test, { runtime })).toEqual(await machine.decisionFunction(test, { runtime }));
    const labels = Array.from({ length: 60 }, (_, i) => i % 3);
    const set = classSet({ x: data.x, labels, shape: [60, 3] });
    const classes = await oneVsRest(krr({ kernel: own, lambda: 1 })).fit(set, { runtime });
    expect(() => ClassMachine.load(classes.save())).toThrow(MissingKernelError);
    expect(ClassMachine.load(classes.save(), { kernels: [own] }).kernel).toEqual(own);
  });
});

it("certificates and attacks, which need a kernel that the core knows, are refused by name", async () => {
  const machine = await svm({ kernel: own, c: 1 }).fit(data, { runtime });
  await expect(certify(machine, test, { method: "best", runtime })).rejects.toThrow(UnsupportedKernelError);
  await expect(certify(machine, test, { method: "interval", runtime })).rejects.toThrow(
    /got "interval" for the kernel erf by hand$/,
  );
  await expect(attack(machine, test, { runtime })).rejects.toThrow(
    /^kernel: expected one that the core computes here, got "erf by hand", a function of your own$/,
  );
});
