// Ridge machines against 100-digit solutions, and what happens at the edges.
import { describe, expect, it } from "vitest";
import { dataset } from "../../sdk/data/dataset.js";
import { ConvergenceError } from "../../sdk/errors.js";
import { crossGram, GramMatrix } from "../../sdk/kernels/gram.js";
import { ntk } from "../../sdk/kernels/kernel.js";
import { krr, krrPath } from "../../sdk/machines/krr.js";
import { oracle, oracleData, randomData, runtimeAt, uniform } from "../helpers.js";

const kernel = ntk();

interface Solution {
  readonly lambda: number;
  readonly condition: number;
  readonly alpha: number[];
  readonly g: number[];
}

interface Problem {
  readonly name: string;
  readonly pixels: boolean;
  readonly x: number[][];
  readonly y: number[];
  readonly xTest: number[][];
  readonly solutions: Solution[];
}

/** The third set has real targets, which binary machines refuse. */
const problems = (oracle("ridge").sets as Problem[]).filter(({ y }) => y.every((label) => Math.abs(label) === 1));

describe.each(problems)("$name", ({ pixels, x, y, xTest, solutions }) => {
  it("alpha is within n * condition * 2^-52 of the exact one (Cholesky's backward error), g within what that can do", async () => {
    const runtime = await runtimeAt("simd");
    const data = oracleData(x, y, pixels);
    const test = oracleData(
      xTest,
      xTest.map(() => 1),
      pixels,
    );
    const machines = await krrPath({ kernel, lambdas: solutions.map(({ lambda }) => lambda) }).fit(data, { runtime });
    const { values } = await crossGram(kernel, test, data, { runtime });
    for (const [k, { alpha, condition, g }] of solutions.entries()) {
      const machine = machines[k];
      const room = data.n * condition * 2 ** -52 * Math.hypot(...alpha);
      const away = Math.hypot(...alpha.map((value, i) => value - (machine?.alpha[i] ?? Number.NaN)));
      expect(away).toBeLessThanOrEqual(room);
      const decision = await machine?.decisionFunction(test, { runtime });
      g.forEach((value, i) => {
        const row = Math.hypot(...values.subarray(i * data.n, (i + 1) * data.n));
        expect(Math.abs((decision?.[i] ?? Number.NaN) - value)).toBeLessThanOrEqual(2 * room * row);
      });
      expect(machine?.training.relativeResidual).toBeLessThanOrEqual(1e-8);
    }
  });
});

it("a path gives what each lambda gives alone, to condition * 1e-8; lambdas may repeat and come in any order", async () => {
  const runtime = await runtimeAt("simd");
  for (const [n, rank] of [
    [60, undefined],
    [1200, 64],
  ] as const) {
    const data = randomData(n, 20, 3, true);
    const lambdas = [1, 0.1, 1, 1000, 10, 1e6, 0.1, 5, 2, 1];
    const machines = await krrPath({ kernel, lambdas, rank }).fit(data, { runtime });
    expect(machines.map(({ parameters }) => parameters.lambda)).toEqual(lambdas);
    expect(machines[0]?.alpha).toEqual(machines[2]?.alpha);
    for (const k of [1, 3, 9]) {
      const lambda = lambdas[k] ?? 0;
      const alone = await krr({ kernel, lambda }).fit(data, { runtime });
      const away = Math.hypot(...alone.alpha.map((value, i) => value - (machines[k]?.alpha[i] ?? 0)));
      // Both have residuals of at most 1e-8 ||y||, and the smallest eigenvalue is at least lambda / 2.
      expect(away).toBeLessThanOrEqual((2e-8 * Math.sqrt(n)) / (lambda / 2));
      expect(alone.training.relativeResidual).toBeLessThanOrEqual(1e-8);
    }
    expect(Math.hypot(...(machines[5]?.alpha ?? []))).toBeLessThanOrEqual(Math.sqrt(n) / 5e5);
  }
});

it("with the low-rank preconditioner (1,300 rows) the residual, measured by plain sums here, is at most 1e-8", async () => {
  const runtime = await runtimeAt("simd");
  const data = randomData(1300, 30, 7, true);
  const gram = await GramMatrix.create(kernel, data, { runtime });
  const lambdas = [0, 0.01, 1, 100];
  const machines = await krrPath({ kernel, lambdas, gram }).fit(data, { runtime });
  const matrix = gram.toArray();
  for (const [k, { alpha }] of machines.entries()) {
    let square = 0;
    for (let i = 0; i < 1300; i++) {
      let sum = (data.y[i] ?? 0) - ((lambdas[k] ?? 0) / 2) * (alpha[i] ?? 0);
      for (let j = 0; j < 1300; j++) sum -= (matrix[i * 1300 + j] ?? 0) * (alpha[j] ?? 0);
      square += sum * sum;
    }
    expect(Math.sqrt(square / 1300)).toBeLessThanOrEqual(1.01e-8);
  }
  const streamed = await krrPath({ kernel, lambdas: [1], storage: "streamed" }).fit(data, { runtime });
  const alone = await krr({ kernel, lambda: 1 }).fit(data, { runtime });
  expect(streamed[0]?.alpha).toEqual(alone.alpha);
  alone.alpha.forEach((value, i) => {
    expect(Math.abs(value - (machines[2]?.alpha[i] ?? 0))).toBeLessThan(1e-6);
  });
});

it("0, 1, 2 and 3 threads give the same bits", async () => {
  const data = randomData(1100, 20, 9, true);
  const all: Float64Array[] = [];
  for (const threads of [0, 1, 2, 3]) {
    const runtime = await runtimeAt("simd", threads);
    all.push((await krr({ kernel, lambda: 0.1 }).fit(data, { runtime })).alpha);
    await runtime.close();
  }
  for (const alpha of all) expect(alpha).toEqual(all[0]);
});

it("lambda = 0: equal rows with equal labels are fitted, with opposite labels the error says how far it came", async () => {
  const runtime = await runtimeAt("simd");
  const rows = [1, 2, 3, 1, 2, 3, -1, 0, 2];
  const same = dataset({ x: Float64Array.from(rows), y: [1, 1, -1], shape: [3, 3] });
  const machine = await krr({ kernel, lambda: 0 }).fit(same, { runtime });
  expect(Array.from(await machine.predict(same, { runtime }))).toEqual([1, 1, -1]);
  const torn = dataset({ x: Float64Array.from(rows), y: [1, -1, -1], shape: [3, 3] });
  const failed = krr({ kernel, lambda: 0 }).fit(torn, { runtime });
  await expect(failed).rejects.toThrow(ConvergenceError);
  await expect(failed).rejects.toThrow(/relative residual reached .*e.*asked for 1\.00e-8.*lambda = 0/);
  await expect(krr({ kernel, lambda: 1 }).fit(torn, { runtime })).resolves.toBeDefined();
});

it("one row, one class, black rows: defined, finite, and the black row is left undecided", async () => {
  const runtime = await runtimeAt("simd");
  const one = dataset({ x: Uint8Array.of(255, 0), y: [-1], shape: [1, 2] });
  const machine = await krr({ kernel, lambda: 2 }).fit(one, { runtime });
  // K = 1/2 (||x||^2 / d, u = 1): alpha = y / (1/2 + 1).
  expect(machine.alpha[0]).toBeCloseTo(-2 / 3, 14);
  const black = dataset({ x: new Uint8Array(4), y: [1, 1], shape: [2, 2] });
  const empty = await krr({ kernel, lambda: 1 }).fit(black, { runtime });
  expect(Array.from(await empty.predict(black, { runtime }))).toEqual([0, 0]);
  await expect(krr({ kernel, lambda: 0 }).fit(black, { runtime })).rejects.toThrow(ConvergenceError);
  // One class: alpha has its sign where rows do not point apart, and so has g.
  const single = dataset({ x: Uint8Array.of(1, 2, 3, 4, 5, 6), y: [-1, -1, -1], shape: [3, 2] });
  const oneClass = await krr({ kernel, lambda: 1 }).fit(single, { runtime });
  expect(Array.from(await oneClass.predict(single, { runtime }))).toEqual([-1, -1, -1]);
  // Constant pixels: rows r_i / sqrt(d) in one direction, K = r r' / d, so g(x) = r(x) <r, y> / (<r, r> + d lambda / 2).
  const constant = dataset({ x: Uint8Array.of(10, 10, 200, 200, 30, 30), y: [1, -1, 1], shape: [3, 2] });
  const flat = await krr({ kernel, lambda: 1e-3 }).fit(constant, { runtime });
  const g = await flat.decisionFunction(constant, { runtime });
  const r = [10, 200, 30].map((v) => (v / 255) * Math.SQRT2);
  const [ry, rr] = [(r[0] ?? 0) - (r[1] ?? 0) + (r[2] ?? 0), r.reduce((sum, v) => sum + v * v, 0)];
  g.forEach((value, i) => {
    expect(Math.abs(value / (((r[i] ?? 0) * ry) / (rr + 1e-3)) - 1)).toBeLessThan(1e-8);
  });
  expect(Array.from(await flat.predict(constant, { runtime }))).toEqual([-1, -1, -1]);
});

it("weights and bias: the optimality conditions (lambda/2) alpha = w (y - g), sum alpha = 0, each to 1e-6", async () => {
  const runtime = await runtimeAt("simd");
  for (const [n, lambda] of [
    [60, 0.3],
    [1100, 5],
  ] as const) {
    const rows = randomData(n, 10, 3, true);
    const next = uniform(n);
    const weights = Float64Array.from({ length: n }, () => Math.floor(4 * next()));
    const y = Float64Array.from({ length: n }, () => 3 + 10 * next());
    const data = dataset({ x: rows.x, y, shape: [n, 10], task: "regression" });
    for (const bias of [false, true]) {
      const machine = await krr({ kernel, lambda, weights, bias, tolerance: 1e-12 }).fit(data, { runtime });
      const g = await machine.decisionFunction(data, { runtime });
      let k = 0;
      for (let i = 0; i < n; i++) {
        const alpha = weights[i] === 0 ? 0 : (machine.alpha[k++] ?? Number.NaN);
        const pull = (weights[i] ?? 0) * ((y[i] ?? 0) - (g[i] ?? 0));
        expect(Math.abs((lambda / 2) * alpha - pull)).toBeLessThan(1e-6);
      }
      expect(machine.rows.n).toBe(k);
      if (bias) expect(Math.abs(machine.alpha.reduce((sum, a) => sum + a, 0))).toBeLessThan(1e-6);
      else expect(machine.bias).toBe(0);
    }
  }
});

it("weights of 1 are no weights, to 4e-7; a weight of 2 is a row twice, to 1e-6", async () => {
  const runtime = await runtimeAt("simd");
  const data = randomData(40, 5, 8);
  const plain = await (await krr({ kernel, lambda: 1 }).fit(data, { runtime })).decisionFunction(data, { runtime });
  const ones = krr({ kernel, lambda: 1, weights: new Float64Array(40).fill(1), tolerance: 1e-12 });
  const same = await (await ones.fit(data, { runtime })).decisionFunction(data, { runtime });
  const counts = Array.from({ length: 40 }, (_, i) => (i % 3) + 1);
  const repeated = data.subset(counts.flatMap((count, i) => Array.from({ length: count }, () => i)));
  const one = await krr({ kernel, lambda: 1, weights: counts, bias: true, tolerance: 1e-12 }).fit(data, { runtime });
  const other = await krr({ kernel, lambda: 1, bias: true, tolerance: 1e-12 }).fit(repeated, { runtime });
  const [g, h] = [await one.decisionFunction(data, { runtime }), await other.decisionFunction(data, { runtime })];
  for (let i = 0; i < 40; i++) {
    expect(Math.abs((plain[i] ?? 0) - (same[i] ?? 1))).toBeLessThan(1e-8 * 40);
    expect(Math.abs((g[i] ?? 0) - (h[i] ?? 1))).toBeLessThan(1e-6);
  }
});

it("names bad arguments", async () => {
  expect(() => krr({ kernel, lambda: -1 })).toThrow(/^lambda: expected a finite number >= 0, got -1$/);
  expect(() => krr({ kernel, lambda: Number.NaN })).toThrow(RangeError);
  expect(() => krr({ kernel } as never)).toThrow(TypeError);
  expect(() => krrPath({ kernel, lambdas: [] })).toThrow(/^lambdas/);
  expect(() => krr({ kernel: {} as never, lambda: 1 })).toThrow(TypeError);
  const data = randomData(4, 2, 1);
  for (const bad of [null, 3, "x", [], {}, { n: 1 }])
    await expect(krr({ kernel, lambda: 1 }).fit(bad as never)).rejects.toThrow(TypeError);
  await expect(krr({ kernel, lambda: 1, storage: "float32" as never }).fit(data)).rejects.toThrow(/float32/);
});
