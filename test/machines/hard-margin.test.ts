// The hard-margin SVM: its optimality conditions, its place at the end of both soft margins' paths, and data that no
// machine tells apart. Decisions beside libsvm and SciPy are in table1.test.ts.
import fc from "fast-check";
import { expect, it } from "vitest";
import { dataset } from "../../sdk/data/dataset.js";
import { NotSeparableError } from "../../sdk/errors.js";
import { ntk } from "../../sdk/kernels/kernel.js";
import { hardMarginSvm } from "../../sdk/machines/hard-margin.js";
import { svm } from "../../sdk/machines/svm.js";
import { svm2 } from "../../sdk/machines/svm2.js";
import { randomData, runtimeAt } from "../helpers.js";

const kernel = ntk();
const runtime = await runtimeAt("simd");
const on = { runtime };

it("every row is on its side with y g >= 1 to rounding, and complementarity is within the duality gap", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 60 }),
      fc.integer({ min: 1, max: 1e6 }),
      fc.boolean(),
      async (n, seed, bias) => {
        const data = randomData(n, 16, seed, seed % 2 === 0);
        // A zero row is refused, as a test below shows.
        fc.pre(
          Array.from({ length: n }, (_, i) => data.x.subarray(16 * i, 16 * i + 16)).every((row) => row.some(Boolean)),
        );
        const tolerance = 1e-8;
        const machine = await hardMarginSvm({ kernel, bias, tolerance }).fit(data, on);
        const { primal = 0, dual = 0, relativeDualityGap } = machine.training;
        expect(relativeDualityGap).toBeLessThanOrEqual(tolerance);
        const g = await machine.decisionFunction(data, on);
        const size = machine.alpha.reduce((sum, a) => sum + Math.abs(a), 0);
        const margins = g.map((value, i) => value * (data.y[i] ?? 0));
        expect(Math.min(...margins)).toBeGreaterThanOrEqual(1 - 1e-12 * (1 + size));
        expect(machine.alpha.reduce((sum, a) => sum + a, 0)).toSatisfy(
          (sum: number) => !bias || Math.abs(sum) < 1e-9 * (1 + size),
        );
        // primal = ||beta||^2 / 2, and dual <= optimum <= primal. One class and a bias costs nothing.
        const atRows = await machine.decisionFunction(machine.rows, on);
        const square = machine.alpha.reduce((sum, a, i) => sum + a * ((atRows[i] ?? 0) - machine.bias), 0);
        expect(Math.abs(square / 2 - primal)).toBeLessThanOrEqual(1e-9 * primal + 1e-12);
        expect(dual).toBeLessThanOrEqual(primal * (1 + 1e-12));
        if (primal > 0) expect(machine.training.margin).toBeCloseTo(1 / Math.sqrt(2 * primal), 12);
      },
    ),
    { numRuns: 30 },
  );
});

it("both soft margins' decisions tend to it as C grows: 1-norm at once from some C on, 2-norm like 1 / C", async () => {
  const data = randomData(40, 5, 12);
  const tolerance = 1e-12;
  const hard = await hardMarginSvm({ kernel, tolerance }).fit(data, on);
  const exact = await hard.decisionFunction(data, on);
  const away = async (trainer: ReturnType<typeof svm>) => {
    const g = await (await trainer.fit(data, on)).decisionFunction(data, on);
    return Math.max(...g.map((value, i) => Math.abs(value - (exact[i] ?? 0))));
  };
  // Beyond the largest coefficient of the hard margin the bound C of the 1-norm machine no longer matters.
  const c = 2 * Math.max(...hard.alpha.map(Math.abs));
  const reach = Math.sqrt(8 * tolerance * (hard.training.primal ?? 0) * 10);
  expect(await away(svm({ kernel, c, tolerance }))).toBeLessThan(reach + 1e-6);
  const two = [
    await away(svm2({ kernel, c: 100 * c, tolerance })),
    await away(svm2({ kernel, c: 1000 * c, tolerance })),
  ];
  expect((two[0] ?? 0) / (two[1] ?? 1)).toBeGreaterThan(8);
  expect((two[0] ?? 0) / (two[1] ?? 1)).toBeLessThan(12);
});

it("rows that the kernel takes for one another are named when their labels differ", async () => {
  const refused = async (x: number[], y: number[], d: number, bias: boolean) => {
    const rows = dataset({ x: Float64Array.from(x), y, shape: [y.length, d] });
    return hardMarginSvm({ kernel, bias })
      .fit(rows, on)
      .then(
        () => undefined,
        (error: unknown) => error as NotSeparableError,
      );
  };
  const equal = [1, 2, 0, 1, 1, 2];
  for (const bias of [false, true]) {
    const error = await refused(equal, [1, 1, -1], 2, bias);
    expect(error).toBeInstanceOf(NotSeparableError);
    expect([error?.i, error?.j, error?.same]).toEqual([0, 2, true]);
    expect(error?.message).toMatch(/^not separable: rows 0 and 2 have opposite labels and the kernel takes them for/);
  }
  // Parallel rows: only a bias tells them apart. Three in turn on one line: not even that.
  const parallel = [1, 2, 2, 4];
  expect((await refused(parallel, [1, -1], 2, false))?.same).toBe(true);
  expect(await refused(parallel, [1, -1], 2, true)).toBeUndefined();
  const line = await refused([1, 2, 2, 4, 3, 6], [1, -1, 1], 2, true);
  expect(line).toBeInstanceOf(NotSeparableError);
  expect(line?.same).toBe(false);
  expect(line?.message).toContain("are the closest of those that do");
  const zero = await refused([1, 2, 0, 0], [1, 1], 2, false);
  expect(zero?.message).toMatch(/^not separable: row 1 is zero/);
});

it("a row of weight 0 is not asked for, however it is labelled", async () => {
  const data = dataset({ x: Float64Array.of(1, 2, 0, 1, 1, 2), y: [1, -1, -1], shape: [3, 2] });
  await expect(hardMarginSvm({ kernel }).fit(data, on)).rejects.toThrow(NotSeparableError);
  const machine = await hardMarginSvm({ kernel, weights: [1, 1, 0] }).fit(data, on);
  expect(Array.from(await machine.predict(data, on))).toEqual([1, -1, 1]);
});

it("one class: alone with a bias it costs nothing, without one it has a margin", async () => {
  const data = dataset({ x: Float64Array.of(1, 0, 0, 1), y: [-1, -1], shape: [2, 2] });
  const free = await hardMarginSvm({ kernel, bias: true }).fit(data, on);
  expect([free.bias, free.training.primal]).toEqual([-1, 0]);
  const machine = await hardMarginSvm({ kernel }).fit(data, on);
  expect(Array.from(await machine.predict(data, on))).toEqual([-1, -1]);
});
