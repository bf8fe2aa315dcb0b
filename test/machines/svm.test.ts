// The exact SVM against exact solutions, its optimality conditions, and what happens at the edges.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dataset } from "../../sdk/data/dataset.js";
import { ConvergenceError } from "../../sdk/errors.js";
import { crossGram } from "../../sdk/kernels/gram.js";
import { ntk } from "../../sdk/kernels/kernel.js";
import { svm } from "../../sdk/machines/svm.js";
import { oracle, oracleData, randomData, runtimeAt } from "../helpers.js";

const kernel = ntk();

interface Exact {
  readonly objective: number;
  readonly bias?: number;
  readonly decision: number[];
  readonly supportVectors: number;
}

const sets = oracle("svm").sets as {
  name: string;
  pixels: boolean;
  x: number[][];
  y: number[];
  xTest: number[][];
  solutions: { C: number; withBias: Exact; withoutBias: Exact }[];
}[];

describe.each(sets)("$name", ({ pixels, x, y, xTest, solutions }) => {
  const data = oracleData(x, y, pixels);
  const test = oracleData(
    xTest,
    xTest.map(() => 1),
    pixels,
  );

  it.each([false, true])(
    "bias %s: dual within the gap of the exact one, decisions within sqrt(2 gap K(x,x))",
    async (bias) => {
      const runtime = await runtimeAt("simd");
      const { values } = await crossGram(kernel, test, test, { runtime });
      for (const { C, withBias, withoutBias } of solutions) {
        const exact = bias ? withBias : withoutBias;
        const tolerance = 1e-10;
        const machine = await svm({ kernel, c: C, bias, tolerance }).fit(data, { runtime });
        const { dual = 0, primal = 0, supportVectors } = machine.training;
        expect(primal - dual).toBeLessThanOrEqual(tolerance * primal);
        expect(dual).toBeLessThanOrEqual(exact.objective * (1 + 1e-12));
        expect(primal).toBeGreaterThanOrEqual(exact.objective * (1 - 1e-12));
        expect(supportVectors).toBe(exact.supportVectors);
        const decision = await machine.decisionFunction(test, { runtime });
        exact.decision.forEach((value, i) => {
          // The primal is 1-strongly convex in beta: |g - g*| <= ||beta - beta*|| ||phi(x)|| <= sqrt(2 gap K(x, x)).
          // A bias is not strongly convex; it is pinned by free support vectors to the same order.
          const reach = Math.sqrt(2 * tolerance * primal * (values[i * test.n + i] ?? 0));
          expect(Math.abs((decision[i] ?? Number.NaN) - value)).toBeLessThan((bias ? 20 : 1) * reach + 1e-9);
        });
      }
    },
  );
});

it("optimality conditions hold on random problems to the tolerance of the gap", async () => {
  const runtime = await runtimeAt("simd");
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 150 }),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 1e6 }),
      fc.constantFrom(0.01, 1, 50),
      fc.boolean(),
      async (n, d, seed, c, bias) => {
        const data = randomData(n, d, seed, seed % 2 === 0);
        const machine = await svm({ kernel, c, bias, tolerance: 1e-8 }).fit(data, { runtime });
        const g = await machine.decisionFunction(data, { runtime });
        expect(machine.training.relativeDualityGap).toBeLessThanOrEqual(1e-8);
        expect(machine.alpha.every((a) => Math.abs(a) <= c * (1 + 1e-15))).toBe(true);
        // Primal computed here from the outputs: (1/2) sum alpha_i g0(x_i) + C sum hinge, g0 without bias.
        const atRows = await machine.decisionFunction(machine.rows, { runtime });
        const square = machine.alpha.reduce((sum, a, i) => sum + a * ((atRows[i] ?? 0) - machine.bias), 0);
        const hinge = g.reduce((sum, value, i) => sum + Math.max(0, 1 - value * (data.y[i] ?? 0)), 0);
        const primal = 0.5 * square + c * hinge;
        // One class with a bias costs nothing at all: both are 0.
        expect(Math.abs(primal - (machine.training.primal ?? Number.NaN))).toBeLessThanOrEqual(1e-9 * primal + 1e-12);
      },
    ),
    { numRuns: 40 },
  );
});

it("0, 1, 2 and 3 threads give the same bits", async () => {
  const data = randomData(900, 30, 3, true);
  const all: Float64Array[] = [];
  for (const threads of [0, 1, 2, 3]) {
    const runtime = await runtimeAt("simd", threads);
    all.push((await svm({ kernel, c: 3 }).fit(data, { runtime })).alpha);
    await runtime.close();
  }
  for (const alpha of all) expect(alpha).toEqual(all[0]);
});

it("one row, one class, equal rows with opposite labels, black rows: all have an optimum and find it", async () => {
  const runtime = await runtimeAt("simd");
  for (const bias of [false, true]) {
    const one = await svm({ kernel, c: 10, bias }).fit(dataset({ x: Uint8Array.of(255, 0), y: [1], shape: [1, 2] }), {
      runtime,
    });
    expect((await one.decisionFunction(one.rows, { runtime }))[0]).toBeCloseTo(1, 9);
    const single = dataset({ x: Float64Array.of(1, 0, 0, 1, 1, 1), y: [-1, -1, -1], shape: [3, 2] });
    const oneClass = await svm({ kernel, c: 10, bias }).fit(single, { runtime });
    expect(Array.from(await oneClass.predict(single, { runtime }))).toEqual([-1, -1, -1]);
    const torn = dataset({ x: Float64Array.of(1, 2, 1, 2), y: [1, -1], shape: [2, 2] });
    const tie = await svm({ kernel, c: 2, bias }).fit(torn, { runtime });
    expect(Math.abs((await tie.decisionFunction(torn, { runtime }))[0] ?? 1)).toBeLessThan(1e-6);
    const black = dataset({ x: new Uint8Array(4), y: [1, -1], shape: [2, 2] });
    const empty = await svm({ kernel, c: 2, bias }).fit(black, { runtime });
    expect((await empty.decisionFunction(black, { runtime })).every(Number.isFinite)).toBe(true);
  }
});

it("keeps support vectors only, and stops with how far it came when rounds run out", async () => {
  const runtime = await runtimeAt("simd");
  const data = randomData(400, 6, 8, true);
  const machine = await svm({ kernel, c: 1 }).fit(data, { runtime });
  expect(machine.rows.n).toBe(machine.training.supportVectors);
  expect(machine.alpha.every((a) => a !== 0)).toBe(true);
  const stopped = svm({ kernel, c: 1, maxRounds: 1, tolerance: 1e-12 }).fit(data, { runtime });
  await expect(stopped).rejects.toThrow(ConvergenceError);
  await expect(stopped).rejects.toThrow(/relative duality gap reached/);
});

it("names bad arguments, and refuses labels other than -1 and +1", async () => {
  expect(() => svm({ kernel, c: 0 })).toThrow(/^c: expected a finite number > 0/);
  expect(() => svm({ kernel, c: 1, lambda: 1 })).toThrow(/^c: expected either/);
  expect(() => svm({ kernel, bias: 1 as never })).toThrow(TypeError);
  expect(() => svm(undefined as never)).toThrow(TypeError);
  const data = randomData(4, 2, 1);
  const wrong = {
    n: 4,
    d: 2,
    x: data.x,
    scale: 1,
    y: Float64Array.of(1, 0, 1, -1),
    name: "",
    hash: data.hash,
    subset: data.subset,
  };
  await expect(svm({ kernel }).fit(wrong)).rejects.toThrow(RangeError);
});
