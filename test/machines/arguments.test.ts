// A list of wrong arguments thrown at every public function of kernels, machines, certificates and the runtime: each is
// refused with a TypeError or RangeError that begins with the argument's name, before anything is computed or allocated.
import { afterAll, describe, expect, it } from "vitest";
import { intervalBounds } from "../../sdk/certify/bounds.js";
import { certify, certifySamples } from "../../sdk/certify/certify.js";
import { chooseSamples } from "../../sdk/certify/samples.js";
import { dataset } from "../../sdk/data/dataset.js";
import { crossGram, estimateMemory, GramMatrix } from "../../sdk/kernels/gram.js";
import { nngp, ntk } from "../../sdk/kernels/kernel.js";
import { spectrum } from "../../sdk/kernels/spectrum.js";
import { hardMarginSvm } from "../../sdk/machines/hard-margin.js";
import { krr, krrPath } from "../../sdk/machines/krr.js";
import { logistic, logisticPath } from "../../sdk/machines/logistic.js";
import { Machine } from "../../sdk/machines/machine.js";
import { svm, svmPath } from "../../sdk/machines/svm.js";
import { svmSgd, svmSgdSeeds } from "../../sdk/machines/svm-sgd.js";
import { svm2, svm2Path } from "../../sdk/machines/svm2.js";
import { svr, svrPath } from "../../sdk/machines/svr.js";
import { Runtime } from "../../sdk/runtime/runtime.js";
import { randomData, runtimeAt } from "../helpers.js";

const runtime = await runtimeAt("simd");
const kernel = ntk();
const data = randomData(6, 3, 1);
const gram = await GramMatrix.create(kernel, data, { runtime });
const machine = await krr({ kernel, lambda: 1 }).fit(data, { runtime });
const inUse = runtime.memory.bytesInUse;

const NOT_OBJECTS: unknown[] = [null, Number.NaN, -1, "x", true, [], () => 1, 3n, Symbol.iterator];
const NOT_NUMBERS: unknown[] = ["1", true, [], {}, () => 1, 3n];
const NOT_POSITIVE: unknown[] = [...NOT_NUMBERS, Number.NaN, -1, 0, Infinity, -Infinity];
const NOT_COUNTS: unknown[] = [...NOT_POSITIVE, 1.5, 2 ** 60];
const NOT_ARRAYS: unknown[] = [null, Number.NaN, "x", true, {}, () => 1];

const { hash, subset } = data;
const rows = (n: number, d: number, x: unknown, scale = 1) => ({ n, d, x, scale, y: data.y, name: "", hash, subset });
const NOT_ROWS: unknown[] = [
  ...NOT_OBJECTS,
  {},
  rows(6, 3, Array.from(data.x)),
  rows(6, 3, new Float32Array(18)),
  rows(6, 3, new Float64Array(17)),
  rows(Number.NaN, 3, data.x),
  rows(1.5, 12, data.x),
  rows(-6, -3, data.x),
  rows(0, 3, new Float64Array()),
  rows(6, 3, data.x, Number.NaN),
  rows(6, 3, data.x, 0),
  rows(6, 3, data.x, -1),
  rows(6, 3, new Float64Array(18).fill(Number.NaN)),
  rows(6, 3, new Float64Array(18).fill(Infinity)),
];

type Call = (bad: never) => unknown;
const on = { runtime };

/** What is wrong, the wrong values, the call. */
const CALLS: [string, unknown[], Call][] = [
  ["ntk(options)", NOT_OBJECTS, (v) => ntk(v)],
  ["nngp(options)", NOT_OBJECTS, (v) => nngp(v)],
  ["ntk depth", NOT_COUNTS, (depth) => ntk({ depth })],
  ["ntk weightVariance", NOT_POSITIVE, (weightVariance) => ntk({ weightVariance })],
  ["ntk biasVariance", [...NOT_NUMBERS, Number.NaN, -1, Infinity], (biasVariance) => ntk({ biasVariance })],
  ["GramMatrix.create(kernel)", [...NOT_OBJECTS, {}, { kind: "rbf" }], (v) => GramMatrix.create(v, data, on)],
  ["GramMatrix.create(source)", NOT_ROWS, (v) => GramMatrix.create(kernel, v, on)],
  ["GramMatrix.create(options)", NOT_OBJECTS, (v) => GramMatrix.create(kernel, data, v)],
  ["storage", [...NOT_NUMBERS, "float16"], (storage) => GramMatrix.create(kernel, data, { ...on, storage })],
  ["multiply(p)", [...NOT_OBJECTS, {}, new Float32Array(6), new Float64Array(5)], (v) => gram.multiply(v)],
  ["row(i)", [...NOT_NUMBERS, Number.NaN, -1, 1.5, 6], (v) => gram.row(v)],
  ["crossGram(kernel)", [...NOT_OBJECTS, {}], (v) => crossGram(v, data, data, on)],
  ["crossGram(left)", NOT_ROWS, (v) => crossGram(kernel, v, data, on)],
  ["crossGram(right)", NOT_ROWS, (v) => crossGram(kernel, data, v, on)],
  ["estimateMemory(source)", NOT_ROWS.slice(0, -2), (v) => estimateMemory(v)],
  ["estimateMemory(options)", NOT_OBJECTS, (v) => estimateMemory(data, v)],
  ["estimateMemory vectors", [...NOT_COUNTS, 17], (vectors) => estimateMemory(data, { vectors })],
  ["spectrum(gram)", [...NOT_OBJECTS, {}, data], (v) => spectrum(v)],
  ["spectrum steps", NOT_COUNTS, (steps) => spectrum(gram, { steps })],
  ["krr(options)", NOT_OBJECTS, (v) => krr(v)],
  ["krr kernel", [...NOT_OBJECTS, {}], (v) => krr({ kernel: v, lambda: 1 })],
  ["krr lambda", [...NOT_NUMBERS, Number.NaN, -1, Infinity], (lambda) => krr({ kernel, lambda })],
  ["krr tolerance", NOT_POSITIVE, (tolerance) => krr({ kernel, lambda: 1, tolerance })],
  ["krr maxIterations", NOT_COUNTS, (maxIterations) => krr({ kernel, lambda: 1, maxIterations })],
  ["krr bias", [0, 1, "true", {}, []], (bias) => krr({ kernel, lambda: 1, bias })],
  ["krr weights", [null, 1, "x", {}, ["1"], [Number.NaN], [-1], [0]], (weights) => krr({ kernel, lambda: 1, weights })],
  ["krr gram", [...NOT_OBJECTS, {}], (v) => krr({ kernel, lambda: 1, gram: v }).fit(data, on)],
  ["krrPath lambdas", [...NOT_ARRAYS, [], [1, "2"], [Number.NaN]], (lambdas) => krrPath({ kernel, lambdas })],
  ["krr.fit(data)", NOT_ROWS, (v) => krr({ kernel, lambda: 1 }).fit(v, on)],
  ["krr.fit(options)", NOT_OBJECTS, (v) => krr({ kernel, lambda: 1 }).fit(data, v)],
  ["svm(options)", NOT_OBJECTS, (v) => svm(v)],
  ["svm kernel", [...NOT_OBJECTS, {}], (v) => svm({ kernel: v })],
  ["svm c", NOT_POSITIVE, (c) => svm({ kernel, c })],
  ["svm lambda", NOT_POSITIVE, (lambda) => svm({ kernel, lambda })],
  ["svm bias", [0, 1, "true", {}, []], (bias) => svm({ kernel, bias })],
  ["svm tolerance", NOT_POSITIVE, (tolerance) => svm({ kernel, tolerance })],
  ["svm maxRounds", NOT_COUNTS, (maxRounds) => svm({ kernel, maxRounds })],
  ["svm.fit(data)", NOT_ROWS, (v) => svm({ kernel }).fit(v, on)],
  ["svm.fit(options)", NOT_OBJECTS, (v) => svm({ kernel }).fit(data, v)],
  ...(["svm", "svm2", "svr", "logistic"] as const).flatMap((name): [string, unknown[], Call][] => {
    const make = { svm, svm2, svr, logistic }[name] as (options: object) => ReturnType<typeof svm>;
    const path = { svm: svmPath, svm2: svm2Path, svr: svrPath, logistic: logisticPath }[name] as (v: object) => unknown;
    const bad = [...NOT_NUMBERS, Number.NaN, 0, -1];
    return [
      [`${name}(options)`, NOT_OBJECTS, (v) => make(v)],
      [`${name} kernel`, [...NOT_OBJECTS, {}], (v) => make({ kernel: v })],
      [`${name} c`, NOT_POSITIVE, (c) => make({ kernel, c })],
      [`${name} lambda`, NOT_POSITIVE, (lambda) => make({ kernel, lambda })],
      [`${name} bias`, [0, 1, "true", {}, []], (bias) => make({ kernel, bias })],
      [`${name} weights`, [null, 1, "x", {}, ["1"], [Number.NaN], [-1], [0]], (weights) => make({ kernel, weights })],
      [`${name} tolerance`, NOT_POSITIVE, (tolerance) => make({ kernel, tolerance })],
      [`${name} gram`, [...NOT_OBJECTS, {}], (v) => make({ kernel, gram: v }).fit(data, on)],
      [`${name}.fit(data)`, NOT_ROWS, (v) => make({ kernel }).fit(v, on)],
      [`${name}.fit(options)`, NOT_OBJECTS, (v) => make({ kernel }).fit(data, v)],
      [`${name}Path lambdas`, [...NOT_ARRAYS, [], ...bad.map((v) => [v])], (lambdas) => path({ kernel, lambdas })],
    ];
  }),
  ["hardMarginSvm(options)", NOT_OBJECTS, (v) => hardMarginSvm(v)],
  ["hardMarginSvm bias", [0, 1, "true", {}, []], (bias) => hardMarginSvm({ kernel, bias })],
  ["hardMarginSvm.fit(data)", NOT_ROWS, (v) => hardMarginSvm({ kernel }).fit(v, on)],
  ["svr epsilon", [...NOT_NUMBERS, Number.NaN, -1, Infinity], (epsilon) => svr({ kernel, epsilon })],
  ["logistic maxSteps", NOT_COUNTS, (maxSteps) => logistic({ kernel, maxSteps })],
  ["svmSgd(options)", NOT_OBJECTS, (v) => svmSgd(v)],
  ["svmSgd learningRate", NOT_POSITIVE, (learningRate) => svmSgd({ kernel, learningRate })],
  ["svmSgd lambda", [...NOT_NUMBERS, Number.NaN, -1, 1], (lambda) => svmSgd({ kernel, lambda })],
  ["svmSgd batch", NOT_COUNTS, (batch) => svmSgd({ kernel, batch })],
  ["svmSgd epochs", NOT_COUNTS, (epochs) => svmSgd({ kernel, epochs })],
  ["svmSgd seed", [...NOT_NUMBERS, Number.NaN, -1, 1.5], (seed) => svmSgd({ kernel, seed })],
  ["svmSgdSeeds seeds", [...NOT_ARRAYS, [], [-1], ["1"]], (seeds) => svmSgdSeeds({ kernel, seeds })],
  ["svmSgd.fit(data)", NOT_ROWS, (v) => svmSgd({ kernel, epochs: 1 }).fit(v, on)],
  ["svmSgd.fit(options)", NOT_OBJECTS, (v) => svmSgd({ kernel, epochs: 1 }).fit(data, v)],
  ["svmSgd gram", [...NOT_OBJECTS, {}], (v) => svmSgd({ kernel, epochs: 1, gram: v }).fit(data, on)],
  ["Machine.load(bytes)", [...NOT_OBJECTS, {}], (v) => Machine.load(v)],
  ["decisionFunction(data)", NOT_ROWS, (v) => machine.decisionFunction(v, on)],
  ["decisionFunction(options)", NOT_OBJECTS, (v) => machine.decisionFunction(data, v)],
  ["predict(data)", NOT_ROWS, (v) => machine.predict(v, on)],
  ["intervalBounds(machine)", [...NOT_OBJECTS, {}, kernel], (v) => intervalBounds(v, data, 1, on)],
  ["intervalBounds(data)", NOT_ROWS, (v) => intervalBounds(machine, v, 1, on)],
  [
    "intervalBounds(radii)",
    [...NOT_ARRAYS, -1, [1, 2], new Array(6).fill(-1)],
    (v) => intervalBounds(machine, data, v, on),
  ],
  ["intervalBounds(options)", NOT_OBJECTS, (v) => intervalBounds(machine, data, 1, v)],
  ["certify(machine)", [...NOT_OBJECTS, {}], (v) => certify(v, data, on)],
  ["certify(data)", NOT_ROWS, (v) => certify(machine, v, on)],
  ["certify(options)", NOT_OBJECTS, (v) => certify(machine, data, v)],
  ["certifySamples(options)", NOT_OBJECTS, (v) => certifySamples(machine, data, v).next()],
  ["certify method", [...NOT_NUMBERS, "magic", "ibp"], (method) => certify(machine, data, { ...on, method })],
  [
    "certify bracket",
    [...NOT_NUMBERS, [], [0], [0, 1, 2], [1, 0], [-1, 1], [0, "1"], [0, 0], [Number.NaN, 1]],
    (bracket) => certify(machine, data, { ...on, bracket }),
  ],
  ["certify tolerance", [...NOT_POSITIVE, 1], (tolerance) => certify(machine, data, { ...on, tolerance })],
  [
    "certify samples",
    [null, "some", true, [], {}, 0, 1.5, -1, Number.NaN, { random: 0 }, { random: "2" }],
    (samples) => certify(machine, data, { ...on, samples }),
  ],
  [
    "certify seed",
    [...NOT_NUMBERS, Number.NaN, -1, 1.5],
    (seed) => certify(machine, data, { ...on, samples: { random: 2 }, seed }),
  ],
  ["chooseSamples", [null, "some", {}, 0], (v) => chooseSamples(6, v, 0, on)],
  ["runtime", [...NOT_OBJECTS, {}], (v) => machine.predict(data, { runtime: v })],
  ["signal", [...NOT_OBJECTS, {}], (signal) => machine.predict(data, { ...on, signal })],
  ["onProgress", [null, 1, "x", {}, []], (onProgress) => machine.predict(data, { ...on, onProgress })],
  ["Runtime.create(options)", NOT_OBJECTS, (v) => Runtime.create(v)],
  ["threads", [...NOT_NUMBERS, Number.NaN, -1, 1.5, 65], (threads) => Runtime.create({ threads })],
  ["memory", [...NOT_POSITIVE, 1, 2 ** 33], (memory) => Runtime.create({ threads: 0, memory })],
  ["level", [...NOT_NUMBERS, "fast", "scalar"], (level) => Runtime.create({ threads: 0, level })],
  ["module", [null, 1, "x", {}, [], new ArrayBuffer(8)], (module) => Runtime.create({ threads: 0, module })],
];

describe.each(CALLS)("%s", (_, wrong, call) => {
  it("refuses every wrong value with a TypeError or RangeError that names the argument", async () => {
    for (const bad of wrong) {
      const thrown = await Promise.resolve()
        .then(() => call(bad as never))
        .then(
          () =>
            new Error(
              `${typeof bad} ${JSON.stringify(bad, (_key, v) => (typeof v === "bigint" ? "3n" : v))} was accepted`,
            ),
          (error: unknown) => error as Error,
        );
      expect(["TypeError", "RangeError"], thrown.message).toContain(thrown.name);
      expect(thrown.message).toMatch(/^[a-zA-Z.]+(\[\d+\])?(\.\w+)?: /);
    }
  });
});

it("labels other than -1 and +1 are refused by every trainer, with the first wrong one and its place", async () => {
  const wrong = { ...rows(6, 3, data.x), y: Float64Array.of(1, -1, 0, 1, 1, 2) } as unknown as typeof data;
  for (const trainer of [
    krr({ kernel, lambda: 1 }),
    svm({ kernel }),
    svm2({ kernel }),
    hardMarginSvm({ kernel }),
    svr({ kernel }),
    logistic({ kernel }),
    svmSgd({ kernel, epochs: 1 }),
  ])
    await expect(trainer.fit(wrong, { runtime })).rejects.toThrow(/^y: expected labels -1 or \+1, got 0 at index 2$/);
  expect(() => dataset({ x: new Float64Array(2), y: [1, 0.5], shape: [2, 1] })).toThrow(/got 0\.5 at index 1/);
});

it("a Gram matrix of other rows or another kernel is refused by the machines that would share it", async () => {
  const more = randomData(7, 3, 2);
  const other = await GramMatrix.create(nngp(), data, { runtime });
  for (const make of [
    (g: GramMatrix) => krr({ kernel, lambda: 1, gram: g }),
    (g: GramMatrix) => svmSgd({ kernel, epochs: 1, gram: g }),
  ]) {
    await expect(make(gram).fit(more, { runtime })).rejects.toThrow(/^gram: expected 7 rows, got 6$/);
    await expect(make(other).fit(data, { runtime })).rejects.toThrow(
      /^gram: expected the kernel .*"ntk".* got .*"nngp"/,
    );
  }
  other.dispose();
});

afterAll(() => {
  // Nothing that was refused left memory behind.
  expect(runtime.memory.bytesInUse).toBe(inUse);
});
