// The squared loss's flow in closed form against the formulas it stands for, the integrator and the machines it ends at.
// Not here: the decomposition (eigenvectors.test.ts).
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { descend } from "../../sdk/dynamics/descend.js";
import { generalFlow } from "../../sdk/dynamics/general-flow.js";
import { squaredFlow } from "../../sdk/dynamics/squared-flow.js";
import { type Dataset, dataset, krr, Runtime } from "../../sdk/index.js";
import { runtimeAt } from "../helpers.js";
import { cloud, exponential, farthest, kernel, matrix, times } from "./problems.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await runtimeAt("simd");
});
afterAll(() => runtime.close());

const N = 6;

/** A problem with given starting outputs, its kernel matrices and its labels. */
async function problem(seed: number, size = 1) {
  const [train, watched] = [cloud(seed, N, 3, size), cloud(seed + 1, 3, 3, size)];
  const initial = {
    train: cloud(seed + 2, N, 1).x as Float64Array,
    test: cloud(seed + 3, 3, 1).x as Float64Array,
  };
  const [k, across] = [await matrix(train, train, runtime), await matrix(watched, train, runtime)];
  return { train, watched, initial, k, across };
}

const plus = (a: Float64Array, b: Float64Array, by = 1) => a.map((value, i) => value + by * b[i]!);

/** A + shift I, times `by`. */
const shifted = (a: readonly Float64Array[], shift: number, by = 1) =>
  a.map((row, i) => row.map((value, j) => by * (value + (i === j ? shift : 0))));

/** A^-1 b by Gaussian elimination with pivots. */
function solve(a: readonly Float64Array[], b: Float64Array): Float64Array {
  const n = b.length;
  const rows = a.map((row, i) => [...row, b[i]!]);
  for (let k = 0; k < n; k++) {
    const pivot = rows
      .slice(k)
      .reduce((most, row, i) => (Math.abs(row[k]!) > Math.abs(rows[most]![k]!) ? k + i : most), k);
    [rows[k], rows[pivot]] = [rows[pivot]!, rows[k]!];
    for (let i = 0; i < n; i++) {
      if (i === k) continue;
      const factor = rows[i]![k]! / rows[k]![k]!;
      for (let j = k; j <= n; j++) rows[i]![j] = rows[i]![j]! - factor * rows[k]![j]!;
    }
  }
  return Float64Array.from(rows, (row, i) => row[n]! / row[i]!);
}

const seeds = fc.nat(1e9);

describe("the closed form", () => {
  test("is the dissertation's 1.29 for lambda = 0, 2 w = eta, at training and test rows, to 1e-8", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.constantFrom(0.3, 2), fc.constantFrom(0, 0.2, 1, 7), async (seed, eta, t) => {
        const { train, watched, initial, k, across } = await problem(seed);
        const flow = await squaredFlow(kernel, train, { lambda: 0, weight: eta / 2, test: watched, initial, runtime });
        // f_0(x) - Theta(x, X) Theta^-1 (I - e^(-eta Theta t)) (f_0(X) - Y), the matrix exponential by Taylor's series.
        const apart = plus(initial.train, train.y, -1);
        const gone = plus(apart, exponential(shifted(k, 0, -eta * t), apart), -1);
        const alpha = solve(k, gone);
        const { train: g, test: h } = flow.at(t);
        expect(farthest(g, plus(initial.train, gone, -1))).toBeLessThan(1e-8);
        expect(farthest(h, plus(initial.test, times(across, alpha), -1))).toBeLessThan(1e-8);
      }),
      { numRuns: 30 },
    );
  });

  test("solves the dissertation's 2.32, w = 1 / N and lambda = 2 zeta: the ridge belongs into 2.33's exponent (1e-8)", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.constantFrom(0.1, 1), fc.constantFrom(0.5, 3), async (seed, zeta, t) => {
        const { train, watched, k, across } = await problem(seed);
        const flow = await squaredFlow(kernel, train, { lambda: 2 * zeta, test: watched, runtime });
        const ridged = shifted(k, zeta * N);
        const written = (exponent: readonly Float64Array[]) => {
          const left = exponential(shifted(exponent, 0, (-2 * t) / N), train.y);
          return times(across, solve(ridged, plus(train.y, left, -1)));
        };
        expect(farthest(flow.at(t).test, written(ridged))).toBeLessThan(1e-8);
        // As printed, without the ridge, it has not the slope 2 / N K Y at 0 that 2.32 says.
        const h = 1e-6;
        const slope = flow.at(h).test.map((value) => value / h);
        const said = times(across, train.y).map((value) => (2 / N) * value);
        expect(farthest(slope, said)).toBeLessThan(1e-3 * Math.max(1, ...said.map(Math.abs)));
        const printed = times(across, solve(ridged, times(k, train.y))).map((value) => (2 / N) * value);
        expect(farthest(printed, said)).toBeGreaterThan(1e-3 * Math.max(...said.map(Math.abs)));
      }),
      { numRuns: 20 },
    );
  });

  test("agrees with the adaptive integrator to 100 times its tolerance: outputs, coefficients, loss and its parts", async () => {
    await fc.assert(
      fc.asyncProperty(
        seeds,
        fc.constantFrom(0, 0.2),
        fc.constantFrom<number | "mean">("mean", 0.8),
        async (seed, lambda, weight) => {
          const { train, watched, initial } = await problem(seed);
          const settings = { lambda, weight, test: watched, initial, runtime };
          const flow = await squaredFlow(kernel, train, settings);
          const asked = [0, 0.3, 2, 9];
          const { records, alpha } = await generalFlow(kernel, train, {
            ...settings,
            loss: "squared",
            times: asked,
            tolerance: 1e-11,
          });
          for (const record of records) {
            const own = flow.at(record.t);
            for (const part of ["train", "test"] as const) expect(farthest(own[part], record[part])).toBeLessThan(1e-9);
            for (const part of ["loss", "regulariser", "objective"] as const)
              expect(Math.abs(own[part] - record[part])).toBeLessThan(1e-8 * (1 + record[part]));
            expect([own.accuracy, own.testAccuracy]).toEqual([record.accuracy, record.testAccuracy]);
          }
          expect(farthest(flow.coefficients(9), alpha)).toBeLessThan(1e-8);
        },
      ),
      { numRuns: 15 },
    );
  });

  test("is a flow: from where it is at s it goes on to where it is at s + t, to 1e-9", async () => {
    await fc.assert(
      fc.asyncProperty(
        seeds,
        fc.constantFrom(0, 0.3),
        fc.double({ min: 0, max: 5, noNaN: true }),
        async (seed, lambda, t) => {
          const { train, watched, initial } = await problem(seed);
          const settings = { lambda, weight: 0.7, test: watched, runtime };
          const whole = await squaredFlow(kernel, train, { ...settings, initial });
          const { train: first, test: other } = whole.at(1.3);
          const rest = await squaredFlow(kernel, train, { ...settings, initial: { train: first, test: other } });
          expect(farthest(rest.at(t).train, whole.at(1.3 + t).train)).toBeLessThan(1e-9);
          expect(farthest(rest.at(t).test, whole.at(1.3 + t).test)).toBeLessThan(1e-9);
        },
      ),
      { numRuns: 20 },
    );
  });

  test("descent tends to it with order 1 in eta: slope 1 +- 0.1", async () => {
    const { train, watched, initial } = await problem(8);
    const settings = { loss: "squared", lambda: 0.1, weight: 0.5, test: watched, initial, runtime } as const;
    const exact = (await squaredFlow(kernel, train, settings)).at(2);
    const errors: number[] = [];
    for (const learningRate of [0.02, 0.002]) {
      const steps = Math.round(2 / learningRate);
      const { records } = await descend(kernel, train, { ...settings, learningRate, steps, record: [steps] });
      errors.push(Math.max(farthest(records[0]!.train, exact.train), farthest(records[0]!.test, exact.test)));
    }
    expect(Math.abs(Math.log10(errors[0]! / errors[1]!) - 1)).toBeLessThan(0.1);
  });
});

describe("where it ends", () => {
  test("the ridge machine of lambda / w from any g_0, and kernel regression from 0: within 1e-7", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.constantFrom(0, 0.01, 1), fc.constantFrom(0.25, 1), async (seed, lambda, weight) => {
        const [train, watched] = [cloud(seed, 15, 4), cloud(seed + 1, 5, 4)];
        const initial = lambda === 0 ? undefined : { train: train.y.map((y) => 3 * y), test: new Float64Array(5) };
        const flow = await squaredFlow(kernel, train, { lambda, weight, test: watched, initial, runtime });
        const machine = await krr({ kernel, lambda: lambda / weight, tolerance: 1e-12 }).fit(train, { runtime });
        const { limit } = flow;
        expect(limit.t).toBe(Number.POSITIVE_INFINITY);
        expect(farthest(limit.train, await machine.decisionFunction(train, { runtime }))).toBeLessThan(1e-7);
        expect(farthest(limit.test, await machine.decisionFunction(watched, { runtime }))).toBeLessThan(1e-7);
        if (lambda === 0) expect(limit.loss).toBeLessThan(1e-20);
        else expect(flow.at(1e6).test).toEqual(limit.test);
      }),
      { numRuns: 20 },
    );
  });

  test("at Theorem 3.1's rates: |g_t - g| <= sqrt(K) e^(-lambda t) ||beta||, L - L* <= e^(-2 lambda t) (L_0 - L*) (rounding 1e-12)", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.constantFrom(0.05, 1), fc.constantFrom(0.5, 3), async (seed, lambda, size) => {
        const { train, watched, k } = await problem(seed, size);
        const flow = await squaredFlow(kernel, train, { lambda, weight: 1, test: watched, runtime });
        const { limit } = flow;
        const first = flow.at(0).objective;
        const diagonal = k.map((row, i) => row[i]!);
        const norm = Math.sqrt(2 * limit.regulariser);
        for (const t of [0, 0.1, 1, 4, 20, 100]) {
          const { train: g, objective } = flow.at(t);
          g.forEach((value, i) => {
            const most = Math.sqrt(diagonal[i]!) * Math.exp(-lambda * t) * norm;
            expect(Math.abs(value - limit.train[i]!)).toBeLessThanOrEqual(most + 1e-12);
          });
          expect(objective - limit.objective).toBeLessThanOrEqual(
            Math.exp(-2 * lambda * t) * (first - limit.objective) + 1e-12 * first,
          );
        }
      }),
      { numRuns: 30 },
    );
  });

  test("rows that contradict each other meet at their mean, and coefficients stay finite: 1e-12", async () => {
    const x = Float64Array.of(1, 0.5, 1, 0.5, -0.3, 1);
    const twice: Dataset = dataset({ x, y: [1, -1, 1], shape: [3, 2] });
    const initial = { train: Float64Array.of(0.4, 0.4, 0), test: Float64Array.of(0.4) };
    const test = dataset({ x: Float64Array.of(1, 0.5), y: [1], shape: [1, 2] });
    const flow = await squaredFlow(kernel, twice, { lambda: 0, weight: 1, initial, test, runtime });
    expect(flow.eigenvalues[2]).toBe(0);
    const { train, test: seen, loss } = flow.limit;
    expect(farthest(train, [0, 0, 1])).toBeLessThan(1e-12);
    expect(farthest(seen, [0])).toBeLessThan(1e-12);
    expect(loss).toBeCloseTo(2, 12);
    for (const t of [1, 1e6, 1e300, Number.POSITIVE_INFINITY])
      expect(flow.coefficients(t).every(Number.isFinite)).toBe(true);
  });

  test("one row: g = e^(-r t) g_0 + 2 w K y (1 - e^(-r t)) / r with r = lambda + 2 w K, to 1e-14", async () => {
    const train = cloud(3, 1, 2);
    const initial = { train: Float64Array.of(0.3) };
    const flow = await squaredFlow(kernel, train, { lambda: 0.2, weight: 0.6, initial, runtime });
    const k = (await matrix(train, train, runtime))[0]![0]!;
    const r = 0.2 + 1.2 * k;
    const exact = Math.exp(-2 * r) * 0.3 + (1.2 * k * train.y[0]! * -Math.expm1(-2 * r)) / r;
    expect(Math.abs(flow.at(2).train[0]! - exact)).toBeLessThan(1e-14);
    expect(flow.at(0).train[0]).toBe(0.3);
  });
});

describe("use", () => {
  test("the same bits on two threads, and memory is given back", async () => {
    const train = cloud(65, 200, 3);
    const threaded = await Runtime.create({ threads: 2 });
    const single = await Runtime.create({ threads: 0 });
    try {
      const [one, two] = await Promise.all(
        [single, threaded].map(async (own) => {
          // The first run takes what threads keep.
          await squaredFlow(kernel, train, { runtime: own });
          const before = own.memory.bytesInUse;
          const flow = await squaredFlow(kernel, train, { test: cloud(1, 9, 3), runtime: own });
          expect(own.memory.bytesInUse).toBe(before);
          return flow.at(30);
        }),
      );
      expect(two).toEqual(one);
    } finally {
      await threaded.close();
      await single.close();
    }
  });

  const train = cloud(66, 6, 2);
  const cases: [string, object, typeof TypeError | typeof RangeError][] = [
    ["lambda", { lambda: -1 }, RangeError],
    ["lambda", { lambda: "1" }, TypeError],
    ["weight", { weight: 0 }, RangeError],
    ["initial.train", { initial: {} }, TypeError],
    ["test", { test: cloud(1, 3, 4) }, RangeError],
    ["runtime", { runtime: 1 }, TypeError],
  ];
  for (const [name, options, kind] of cases) {
    test(`${name}: ${kind.name}`, async () => {
      const run = squaredFlow(kernel, train, { runtime, ...options } as never);
      await expect(run).rejects.toThrow(kind);
      await expect(run).rejects.toThrow(new RegExp(`^${name}: `));
    });
  }

  test("times, train, kernel, signal", async () => {
    const flow = await squaredFlow(kernel, train, { runtime });
    expect(() => flow.at(-1)).toThrow(/^t: /);
    expect(() => flow.at("1" as never)).toThrow(TypeError);
    expect(() => flow.coefficients(Number.NaN)).toThrow(RangeError);
    await expect(squaredFlow(kernel, 5 as never)).rejects.toThrow(/^train: /);
    await expect(squaredFlow({ kind: "rbf" } as never, train)).rejects.toThrow(/^kernel\.kind: /);
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(squaredFlow(kernel, train, { signal, runtime })).rejects.toThrow("enough");
  });
});
