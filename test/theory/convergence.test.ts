// Every row of Table 1: flow and descent end at what an independent solver finds, at the rates of strong convexity.
// Not here: the flows themselves (test/dynamics/), the solvers (test/machines/).
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { descend } from "../../sdk/dynamics/descend.js";
import { gradientFlow } from "../../sdk/dynamics/flow.js";
import { TABLE1, TABLE1_MACHINES, type Table1Machine } from "../../sdk/experiments/table1.js";
import { type Dataset, hardMarginSvm, Runtime, svm } from "../../sdk/index.js";
import { type ConvergenceRow, convergence } from "../../sdk/theory/convergence.js";
import { cloud, farthest, kernel, matrix, times } from "../dynamics/problems.js";
import { LEVELS, runtimeAt } from "../helpers.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await runtimeAt(LEVELS.at(-1)!);
});
afterAll(() => runtime.close());

/** Random rows that the kernel tells apart: more dimensions than they need. */
const data = (seed: number) => ({ train: cloud(seed, 14, 6), test: cloud(seed + 1, 8, 6) });

async function rowOf(machine: Table1Machine, seed: number, lambda: number): Promise<ConvergenceRow> {
  const { rows } = await convergence({ data: data(seed), machines: [machine], lambda, steps: 40_000, runtime });
  return rows[0]!;
}

describe.each(TABLE1_MACHINES)("%s", (machine) => {
  test("the flow ends at the solver's solution within that one's own error, below both of Theorem 3.1's bounds all the way; descent of a smooth loss as well", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1e6), fc.constantFrom(0.01, 0.1), async (seed, lambda) => {
        const row = await rowOf(machine, seed, lambda);
        expect(row.loss).toBe(TABLE1[machine].loss);
        for (const { t, holds } of row.flow) expect(holds, `r t = ${row.rate * t}`).toBe(true);
        const [first, last] = [row.flow[0]!, row.flow.at(-1)!];
        // sqrt(2 gap / lambda): the solvers' gaps are 1e-11 to 1e-9 here.
        expect(row.unsure).toBeLessThan(1e-2);
        expect(Math.max(last.train, last.test)).toBeLessThan(row.unsure + 1e-9);
        // From 0 the distance is that of the solution itself: the test would see a flow that does not move.
        expect(first.train).toBeGreaterThan(0.01);
        expect(first.excess).toBeCloseTo(row.start - row.optimum, 12);
        const end = row.descent.points.at(-1)!;
        // With kinks a constant step comes near at a pace that lambda sets, tiny for the hard margin: bounded below.
        if (row.loss === "hinge" || row.loss === "epsilon-insensitive") expect(end.train).toBeLessThan(first.train);
        else if (end.t * row.rate > 29) expect(Math.max(end.train, end.test)).toBeLessThan(row.unsure + 1e-9);
      }),
      { numRuns: 4 },
    );
  });
});

/** ||beta - beta*||^2 from coefficients. */
function distance(k: readonly Float64Array[], a: Float64Array, b: Float64Array): number {
  const apart = a.map((value, i) => value - b[i]!);
  return apart.reduce((sum, value, i) => sum + value * times(k, apart)[i]!, 0);
}

/** Coefficients of the flow's limit, for all rows. */
async function limitOf(train: Dataset, loss: "hinge" | "epsilon-insensitive", c: number) {
  return (await gradientFlow(kernel, train, { c, loss, runtime })).limit!.alpha;
}

describe("descent with a constant step", () => {
  test.each(["hinge", "epsilon-insensitive"] as const)(
    "%s: ||beta_t - beta||^2 <= (1 - 2 eta lambda)^t ||beta||^2 + eta G^2 / (2 lambda), G = 2 max sqrt(K) (rounding 1e-9)",
    async (loss) => {
      await fc.assert(
        fc.asyncProperty(fc.nat(1e6), fc.constantFrom(0.05, 0.5), async (seed, lambda) => {
          const train = cloud(seed, 10, 3);
          const k = await matrix(train, train, runtime);
          const best = await limitOf(train, loss, 1 / (10 * lambda));
          const zero = new Float64Array(10);
          for (const learningRate of [0.2, 0.02]) {
            const how = { loss, lambda, learningRate, runtime };
            for (const steps of [0, 1, 2, 5, 20, 100, 400]) {
              const { alpha } = await descend(kernel, train, { ...how, steps, record: [steps] });
              const bound = (1 - 2 * learningRate * lambda) ** steps * distance(k, zero, best);
              // A subgradient is no longer than lambda ||beta|| + max sqrt(K), and ||beta|| than max sqrt(K) / lambda.
              const root = Math.sqrt(Math.max(...k.map((row, i) => row[i]!)));
              const most = (2 * root) ** 2;
              expect(distance(k, alpha, best)).toBeLessThanOrEqual(bound + (learningRate * most) / (2 * lambda) + 1e-9);
            }
          }
        }),
        { numRuns: 6 },
      );
    },
  );

  test("hinge: where it ends comes closer with the step, more than 5 times for a tenth of it", async () => {
    const train = cloud(77, 20, 5);
    const best = await limitOf(train, "hinge", 1 / (20 * 0.02));
    const k = await matrix(train, train, runtime);
    const goal = times(k, best);
    const ends: number[] = [];
    for (const learningRate of [0.3, 0.03, 0.003]) {
      const steps = Math.round(600 / learningRate);
      const { records } = await descend(kernel, train, { lambda: 0.02, learningRate, steps, record: [steps], runtime });
      ends.push(farthest(records[0]!.train, goal));
    }
    expect(ends[0]! / ends[1]!).toBeGreaterThan(5);
    expect(ends[1]! / ends[2]!).toBeGreaterThan(5);
  });
});

describe("the hard margin", () => {
  test("is where soft margins end as lambda falls: closer and closer, and exactly, up to the solvers' gaps, once w / lambda exceeds every coefficient", async () => {
    const gap = 1e-9;
    await fc.assert(
      fc.asyncProperty(fc.nat(1e6), async (seed) => {
        const { train, test: watched } = data(seed);
        const hard = await hardMarginSvm({ kernel, tolerance: gap }).fit(train, { runtime });
        const goal = await hard.decisionFunction(watched, { runtime });
        const most = hard.alpha.reduce((size, a) => Math.max(size, Math.abs(a)), 0);
        const apart: number[] = [];
        for (const c of [most / 30, most / 3, 1.01 * most, 50 * most]) {
          const soft = await svm({ kernel, c, tolerance: gap }).fit(train, { runtime });
          apart.push(farthest(await soft.decisionFunction(watched, { runtime }), goal));
        }
        // Each solver is within sqrt(2 gap L) of the optimum in feature space.
        const size = Math.max(...(await matrix(watched, watched, runtime)).map((row, i) => row[i]!));
        const room = 2 * Math.sqrt(2 * gap * hard.training.primal! * size);
        expect(apart[2]).toBeLessThanOrEqual(room);
        expect(apart[3]).toBeLessThanOrEqual(room);
        expect(apart[1]).toBeGreaterThan(room);
        expect(apart[0]).toBeGreaterThan(apart[1]!);
      }),
      { numRuns: 8 },
    );
  });
});

describe("convergence()", () => {
  test("the same figures on two threads and for the same seed; progress ends at its total; signals are heard", async () => {
    const options = {
      data: data(5),
      machines: ["krr", "svm2"] as const,
      lambda: 0.1,
      times: [0, 1],
      steps: 50,
      seed: 3,
    };
    const threaded = await Runtime.create({ threads: 2 });
    const single = await Runtime.create({ threads: 0 });
    try {
      const seen: number[][] = [];
      const onProgress = ({ done, total }: { done: number; total: number }) => seen.push([done, total]);
      const one = await convergence({ ...options, machines: [...options.machines], onProgress, runtime: single });
      const two = await convergence({ ...options, machines: [...options.machines], runtime: threaded });
      expect(JSON.stringify(two)).toBe(JSON.stringify(one));
      expect(seen).toEqual([
        [0, 2],
        [1, 2],
        [2, 2],
      ]);
      expect(one.rows.map(({ flow }) => flow.length)).toEqual([2, 2]);
      for (const { descent } of one.rows)
        expect(descent.points.at(-1)!.t / descent.learningRate).toBeLessThanOrEqual(50);
      const controller = new AbortController();
      const stopped = convergence({
        data: data(5),
        signal: controller.signal,
        onProgress: () => controller.abort(new Error("enough")),
        runtime: single,
      });
      await expect(stopped).rejects.toThrow("enough");
    } finally {
      await threaded.close();
      await single.close();
    }
  });

  test.each([
    ["machines[0]", { machines: ["forest"] }],
    ["machines", { machines: [] }],
    ["lambda", { lambda: 0 }],
    ["times[1]", { times: [1, 0.5] }],
    ["steps", { steps: 0 }],
    ["n", { n: 1.5 }],
    ["epsilon", { epsilon: -1 }],
    ["options", null],
  ])("names what is wrong: %s", async (name, option) => {
    const run = convergence((option === null ? null : { data: data(1), ...option }) as never);
    await expect(run).rejects.toThrow(new RegExp(`^${name.replace(/[[\]]/g, "\\$&")}: `));
  });
});
