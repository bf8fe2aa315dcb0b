// Machines of Table 1 beside independent solvers (libsvm and SciPy, test/oracles/machines.py), and what all of them share:
// paths, sample weights, the order of rows, threads. Not here: each machine's own edges (one file each).
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Dataset, dataset } from "../../sdk/data/dataset.js";
import { crossGram, GramMatrix } from "../../sdk/kernels/gram.js";
import { ntk } from "../../sdk/kernels/kernel.js";
import { hardMarginSvm } from "../../sdk/machines/hard-margin.js";
import { logistic, logisticPath } from "../../sdk/machines/logistic.js";
import { Machine, type Trainer } from "../../sdk/machines/machine.js";
import { svm, svmPath } from "../../sdk/machines/svm.js";
import { svm2, svm2Path } from "../../sdk/machines/svm2.js";
import { svr, svrPath } from "../../sdk/machines/svr.js";
import { oracle, randomData, runtimeAt, uniform } from "../helpers.js";

const kernel = ntk();

interface Solution {
  readonly machine: "svm" | "svm2" | "hard-margin" | "svr" | "logistic";
  readonly c?: number;
  readonly epsilon?: number;
  readonly weights?: number[];
  readonly bias: boolean;
  readonly decision: number[];
}

const sets = oracle("machines").sets as {
  name: string;
  pixels: boolean;
  regression: boolean;
  x: number[][];
  y: number[];
  xTest: number[][];
  solutions: Solution[];
}[];

const MAKE = { svm, svm2, svr, logistic, "hard-margin": hardMarginSvm } as const;

const label = ({ machine, c, epsilon, weights, bias }: Solution) =>
  [machine, c && `C ${c}`, epsilon && `epsilon ${epsilon}`, weights && "weights", bias && "bias"]
    .filter(Boolean)
    .join(", ");

describe.each(sets)("$name", ({ pixels, regression, x, y, xTest, solutions }) => {
  const stored = (rows: number[][]) => (pixels ? Uint8Array.from(rows.flat()) : Float64Array.from(rows.flat()));
  const shape = (rows: number[][]): [number, number] => [rows.length, rows[0]?.length ?? 0];
  const task = regression ? "regression" : "classification";
  const data = dataset({ x: stored(x), y, shape: shape(x), task });
  const test = dataset({ x: stored(xTest), y: xTest.map(() => 1), shape: shape(xTest) });

  it.each(solutions.map((solution) => [label(solution), solution] as const))(
    "%s: decisions are libsvm's to 1e-4 (its kernel is float32), others to 1e-7 + sqrt(2 gap K(x, x))",
    async (_, { machine, c, epsilon, weights, bias, decision }) => {
      const runtime = await runtimeAt("simd");
      const tolerance = machine === "logistic" ? 1e-14 : 1e-12;
      const trainer = MAKE[machine]({ kernel, c, epsilon, weights, bias, tolerance } as never);
      const fitted = await trainer.fit(data, { runtime });
      expect(fitted.machine).toBe(machine);
      const { relativeDualityGap = Number.NaN, primal = Number.NaN } = fitted.training;
      expect(relativeDualityGap).toBeLessThanOrEqual(tolerance);
      const g = await fitted.decisionFunction(test, { runtime });
      const { values } = await crossGram(kernel, test, test, { runtime });
      decision.forEach((value, i) => {
        // The primal is 1-strongly convex in beta: |g - g*| <= sqrt(2 gap) ||phi(x)||.
        const reach = Math.sqrt(2 * tolerance * primal * (values[i * (test.n + 1)] ?? Number.NaN));
        const room = bias && machine !== "logistic" ? 1e-4 * Math.max(1, Math.abs(value)) : 1e-7 + reach;
        expect(Math.abs((g[i] ?? Number.NaN) - value)).toBeLessThan(room);
      });
    },
  );
});

const CASES: [string, (options: object) => Trainer, (options: object) => Trainer<Machine[]>][] = [
  ["svm", (o) => svm({ kernel, ...o }), (o) => svmPath({ kernel, lambdas: [], ...o })],
  ["svm2", (o) => svm2({ kernel, ...o }), (o) => svm2Path({ kernel, lambdas: [], ...o })],
  ["svr", (o) => svr({ kernel, epsilon: 0.3, ...o }), (o) => svrPath({ kernel, epsilon: 0.3, lambdas: [], ...o })],
  ["logistic", (o) => logistic({ kernel, ...o }), (o) => logisticPath({ kernel, lambdas: [], ...o })],
];

/** Decisions of one machine at the rows of `at`, less its bias: that is an optimum of its own, on flat stretches too. */
async function decisions(trainer: Trainer, data: Dataset, at = data): Promise<Float64Array> {
  const runtime = await runtimeAt("simd");
  const machine = await trainer.fit(data, { runtime });
  return (await machine.decisionFunction(at, { runtime })).map((value) => value - machine.bias);
}

/** Both have a gap of at most `gap` times their primal value, below C n: decisions are within twice sqrt(2 gap C n K). */
async function room(data: Dataset, gap: number, c: number, weight = 1): Promise<number> {
  const runtime = await runtimeAt("simd");
  const gram = await GramMatrix.create(kernel, data, { runtime });
  const largest = Math.max(...gram.diagonal());
  gram.dispose();
  return 2 * Math.sqrt(2 * gap * c * weight * data.n * largest) + 1e-9;
}

const apart = (a: Float64Array, b: Float64Array) => Math.max(...a.map((value, i) => Math.abs(value - (b[i] ?? 0))));

describe.each(CASES)("%s", (name, make, makePath) => {
  const gap = 1e-12;

  it("a row of weight k counts as k rows, one of weight 0 as none (decisions to the two gaps)", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1e6 }), fc.boolean(), async (seed, bias) => {
        const data = randomData(24, 3, seed, seed % 2 === 0);
        const next = uniform(seed);
        const counts = Array.from({ length: data.n }, () => Math.floor(next() * 4));
        // Both labels must stay, for the bias of logistic regression.
        for (const own of [1, -1]) if (data.y.includes(own)) counts[data.y.indexOf(own)] = 1;
        if (bias && new Set(data.y).size < 2) return;
        const repeated = data.subset(counts.flatMap((count, i) => Array.from({ length: count }, () => i)));
        const common = { c: 5, bias, tolerance: gap };
        const weighted = await decisions(make({ ...common, weights: counts }), data);
        const plain = await decisions(make(common), repeated, data);
        expect(apart(weighted, plain)).toBeLessThan(await room(data, gap, 5, 3));
      }),
      { numRuns: 8 },
    );
  });

  it("the order of the rows does not matter (decisions to the two gaps)", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1e6 }), async (seed) => {
        const data = randomData(30, 4, seed, true);
        const next = uniform(seed + 1);
        const order = Array.from({ length: 30 }, (_, i) => [next(), i] as const)
          .sort(([a], [b]) => a - b)
          .map(([, i]) => i);
        const one = await decisions(make({ c: 3, tolerance: gap }), data);
        const other = await decisions(make({ c: 3, tolerance: gap }), data.subset(order), data);
        expect(apart(one, other)).toBeLessThan(await room(data, gap, 3));
      }),
      { numRuns: 8 },
    );
  });

  it("a path is what each lambda gives alone, in the order asked for, with and without a shared Gram matrix", async () => {
    const runtime = await runtimeAt("simd");
    const data = randomData(80, 5, 4, true);
    const lambdas = [1, 0.05, 10, 0.3];
    const gram = await GramMatrix.create(kernel, data, { runtime });
    const path = await makePath({ lambdas, tolerance: gap }).fit(data, { runtime });
    const shared = await makePath({ lambdas, tolerance: gap, gram }).fit(data, { runtime });
    expect(path.map(({ parameters }) => parameters.c)).toEqual(lambdas.map((lambda) => 1 / lambda));
    for (const [k, lambda] of lambdas.entries()) {
      const alone = await decisions(make({ lambda, tolerance: gap }), data);
      for (const machines of [path, shared]) {
        expect(machines[k]?.machine).toBe(name);
        const own = await machines[k]?.decisionFunction(data, { runtime });
        expect(apart(alone, own ?? new Float64Array())).toBeLessThan(await room(data, gap, 1 / lambda));
      }
    }
    gram.dispose();
  });

  it("0, 1 and 3 threads give the same bits", async () => {
    const data = randomData(300, 20, 3, true);
    const all: Float64Array[] = [];
    for (const threads of [0, 1, 3]) {
      const runtime = await runtimeAt("simd", threads);
      all.push((await make({ c: 3, bias: true }).fit(data, { runtime })).alpha);
      await runtime.close();
    }
    for (const alpha of all) expect(alpha).toEqual(all[0]);
  });

  it("what is saved comes back: the same bits and the same decisions", async () => {
    const runtime = await runtimeAt("simd");
    const data = randomData(20, 3, 5);
    const machine = await make({ c: 2, bias: true }).fit(data, { runtime });
    const back = Machine.load(machine.save());
    expect(back.save()).toEqual(machine.save());
    expect(await back.decisionFunction(data, { runtime })).toEqual(await machine.decisionFunction(data, { runtime }));
  });

  it("names bad weights, and says how many were expected", async () => {
    expect(() => make({ weights: [1, -1] })).toThrow(/^weights\[1\]: expected a finite number >= 0/);
    expect(() => make({ weights: 3 })).toThrow(TypeError);
    expect(() => make({ weights: [0, 0] })).toThrow(/^weights: expected at least one above 0/);
    await expect(make({ weights: [1, 1] }).fit(randomData(3, 2, 1))).rejects.toThrow(/^weights: expected 3 entries/);
  });
});
