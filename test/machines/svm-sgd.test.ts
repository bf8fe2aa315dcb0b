// Subgradient descent against the plain loop.
import { expect, it } from "vitest";
import {
  SGD_ALPHA,
  SGD_BATCH,
  SGD_BYTES,
  SGD_GRAM,
  SGD_LABELS,
  SGD_LAMBDA,
  SGD_NEGATIVE,
  SGD_ORDER,
  SGD_OUTPUT,
  SGD_POSITIVE,
  SGD_PUSH,
  SGD_RATE,
  SGD_ROW,
  SGD_STEP,
} from "../../assembly/layout.js";
import { dataset } from "../../sdk/data/dataset.js";
import { mnist } from "../../sdk/data/mnist.js";
import { GramMatrix } from "../../sdk/kernels/gram.js";
import { ntk } from "../../sdk/kernels/kernel.js";
import { svmSgd, svmSgdSeeds } from "../../sdk/machines/svm-sgd.js";
import { oracle, randomData, runtimeAt } from "../helpers.js";

const kernel = ntk();

it("given the permutations, alpha equals NumPy's plain loop to 1e-13", async () => {
  const { n, permutations, runs } = oracle("sgd");
  const { train } = await mnist({ digits: [0, 1] });
  const data = train.subset(Array.from({ length: n }, (_, k) => k));
  const runtime = await runtimeAt("simd");
  for (const storage of ["float64", "streamed"] as const) {
    const gram = await GramMatrix.create(kernel, data, { runtime, storage });
    for (const { eta, lambda, batch, alpha } of runs) {
      const scope = runtime.scope();
      const state = scope.allocate(SGD_BYTES);
      const pointers = [SGD_ALPHA, SGD_OUTPUT, SGD_PUSH, SGD_POSITIVE, SGD_NEGATIVE, SGD_STEP, SGD_ROW].map(
        (field) => [field, scope.f64(n)] as const,
      );
      const [labels, order] = [scope.f64(n, data.y), scope.i32(n)];
      const view = runtime.memory.view(state, SGD_BYTES);
      for (const [field, pointer] of [
        ...pointers,
        [SGD_GRAM, gram.pointer],
        [SGD_LABELS, labels],
        [SGD_ORDER, order],
        [SGD_BATCH, batch],
      ] as const)
        view.setUint32(field, pointer, true);
      view.setFloat64(SGD_RATE, eta, true);
      view.setFloat64(SGD_LAMBDA, lambda, true);
      for (const permutation of permutations) {
        runtime.memory.i32(order, n).set(permutation);
        runtime.call("subgradientEpoch", state);
      }
      const own = runtime.memory.f64(pointers[0]?.[1] ?? 0, n);
      alpha.forEach((value: number, i: number) => {
        expect(Math.abs((own[i] ?? Number.NaN) - value)).toBeLessThan(1e-13);
      });
      scope.release();
    }
  }
});

it("equals a plain loop with its own outputs, for strong decay too (eta lambda = 0.4), on data with negative kernels", async () => {
  const runtime = await runtimeAt("simd");
  const data = randomData(90, 3, 4);
  const gram = await GramMatrix.create(kernel, data, { runtime });
  const matrix = gram.toArray();
  const [eta, lambda, batch, epochs, seed] = [0.8, 0.5, 7, 6, 3];
  const machine = await svmSgd({ kernel, gram, learningRate: eta, lambda, batch, epochs, seed }).fit(data, { runtime });
  const scope = runtime.scope();
  const [state, order] = [scope.allocate(32), scope.i32(90)];
  runtime.call("randomSeed", state, BigInt(seed));
  const alpha = new Float64Array(90);
  for (let epoch = 0; epoch < epochs; epoch++) {
    runtime.call("randomPermutation", state, order, 90);
    const rows = Array.from(runtime.memory.i32(order, 90));
    for (let from = 0; from < 90; from += batch) {
      const own = rows.slice(from, from + batch);
      const outputs = own.map((i) => alpha.reduce((sum, a, j) => sum + a * (matrix[i * 90 + j] ?? 0), 0));
      own.forEach((i, k) => {
        const hit = (data.y[i] ?? 0) * (outputs[k] ?? 0) < 1 ? eta / own.length : 0;
        alpha[i] = (1 - eta * lambda) * (alpha[i] ?? 0) + hit * (data.y[i] ?? 0);
      });
    }
  }
  const kept = Array.from(alpha).filter((a) => a !== 0);
  expect(kept).toHaveLength(machine.alpha.length);
  kept.forEach((a, k) => {
    expect(Math.abs(a - (machine.alpha[k] ?? 0))).toBeLessThan(1e-12);
  });
});

it("a seed decides the result; seeds side by side equal seeds alone; history is that of the training set", async () => {
  const data = randomData(300, 20, 5, true);
  const runtime = await runtimeAt("simd", 2);
  const options = { kernel, epochs: 20, batch: 16 };
  const [a, b] = await svmSgdSeeds({ ...options, seeds: [1, 2] }).fit(data, { runtime });
  const alone = await svmSgd({ ...options, seed: 2 }).fit(data, { runtime });
  expect(b?.alpha).toEqual(alone.alpha);
  expect(a?.alpha).not.toEqual(alone.alpha);
  const g = await alone.decisionFunction(data, { runtime });
  const hinge = g.reduce((sum, value, i) => sum + Math.max(0, 1 - value * (data.y[i] ?? 0)), 0) / 300;
  expect(Math.abs((alone.history.at(-1)?.hinge ?? 0) - hinge)).toBeLessThan(1e-9);
  expect(alone.history.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 6, 8, 11, 16, 20]);
  await runtime.close();
});

it("0, 1, 2 and 3 threads, and a streamed matrix, give the same bits for every seed", async () => {
  const data = randomData(500, 20, 6, true);
  const train = async (threads: number, storage: "float64" | "streamed") => {
    const runtime = await runtimeAt("simd", threads);
    const options = { kernel, epochs: 12, batch: 16, lambda: 0.01, seeds: [0, 1, 2, 3, 4], storage };
    const machines = await svmSgdSeeds(options).fit(data, { runtime });
    await runtime.close();
    return machines;
  };
  const first = await train(0, "float64");
  for (const threads of [1, 2, 3]) expect(await train(threads, "float64")).toEqual(first);
  expect(await train(2, "streamed")).toEqual(first);
  expect(new Set(first.map(({ alpha }) => alpha.join())).size).toBe(5);
});

it("one class, one row, black rows: finite, and on the right side where there is one", async () => {
  const runtime = await runtimeAt("simd");
  for (const [x, shape, signs] of [
    [[255, 0], [1, 2], [-1]],
    [
      [1, 2, 3, 4, 5, 6],
      [3, 2],
      [-1, -1, -1],
    ],
    [
      [0, 0, 0, 0],
      [2, 2],
      [0, 0],
    ],
  ] as const) {
    const data = dataset({ x: Uint8Array.from(x), y: shape[0] === 2 ? [-1, 1] : signs, shape });
    const machine = await svmSgd({ kernel, epochs: 30, batch: 2 }).fit(data, { runtime });
    expect(machine.alpha.every(Number.isFinite)).toBe(true);
    expect(Array.from(await machine.predict(data, { runtime }))).toEqual(signs);
  }
});

it("names bad arguments", () => {
  expect(() => svmSgd({ kernel, learningRate: 2, lambda: 0.5 })).toThrow(/learningRate \* lambda < 1, got 1/);
  expect(() => svmSgd({ kernel, batch: 0 })).toThrow(/^batch/);
  expect(() => svmSgd({ kernel, epochs: 1.5 })).toThrow(/^epochs/);
  expect(() => svmSgd({ kernel, seed: -1 })).toThrow(/^seed/);
  expect(() => svmSgdSeeds({ kernel, seeds: [] })).toThrow(/^seeds/);
});
