import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { descend } from "../../sdk/dynamics/descend.js";
import { type GradientFlow, gradientFlow } from "../../sdk/dynamics/flow.js";
import { ConvergenceError, type Dataset, dataset, mnist, nngp, type Runtime, svm } from "../../sdk/index.js";
import { runtimeAt } from "../helpers.js";
import { cloud, farthest, kernel, matrix, SLOPES, times } from "./problems.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await runtimeAt("simd");
});
afterAll(() => runtime.close());

/** Data of all kinds: few points, more points than dimensions, wide clouds (large K), given starting outputs. */
const problems = fc.record({
  seed: fc.nat(1e9),
  n: fc.integer({ min: 1, max: 24 }),
  d: fc.integer({ min: 1, max: 5 }),
  size: fc.constantFrom(0.3, 1, 3),
  c: fc.constantFrom(0.05, 1, 2, 20),
  given: fc.boolean(),
  loss: fc.constantFrom("hinge" as const, "epsilon-insensitive" as const),
});

type Problem = typeof problems extends fc.Arbitrary<infer T> ? T : never;

function make({ seed, n, d, size, c, given, loss }: Problem) {
  const train = cloud(seed, n, d, size);
  const watched = cloud(seed + 1, 3, d, size);
  const starts = (by: number, count: number) => cloud(seed + by, count, 1).x as Float64Array;
  const initial = given ? { train: starts(2, n), test: starts(3, 3) } : undefined;
  const options = { c, loss, epsilon: 0.15, test: watched, initial, runtime };
  return { train, watched, initial, options };
}

describe("the flow is a flow", () => {
  test("outputs are continuous at events and between them follow their line to 1e-9", async () => {
    await fc.assert(
      fc.asyncProperty(problems, async (problem) => {
        const { options, train, initial } = make(problem);
        const flow = await gradientFlow(kernel, train, options);
        const stops = [0, ...flow.events.map(({ t }) => t)];
        // |dg/dt| <= |g| + C sum |K|, and |g| <= |g_0| + C sum |K|.
        const pushes = (await matrix(train, train, runtime)).map((row) => row.reduce((sum, k) => sum + Math.abs(k), 0));
        const speed = size(initial?.train ?? new Float64Array(1)) + 2 * problem.c * Math.max(...pushes);
        for (let k = 0; k < stops.length; k++) {
          const [from, to] = [stops[k]!, stops[k + 1] ?? stops[k]! + 1];
          // Three points on one exponential: (g_b - g_a) / (g_c - g_a) is known without the target.
          const [a, b, c] = [0, 0.5, 1].map((part) => flow.at(from + part * (to - from)));
          const share = Math.expm1(-0.5 * (to - from)) / Math.expm1(-(to - from));
          if (to - from < 1e-6) expect(farthest(a!.train, c!.train)).toBeLessThan(speed * (to - from) + 1e-9 * speed);
          else {
            const line = a!.train.map((value, i) => value + share * (c!.train[i]! - value));
            expect(farthest(b!.train, line)).toBeLessThan(1e-9 * (1 + size(line)));
          }
          const before = flow.at(Math.max(0, from - 1e-12)).train;
          expect(farthest(before, a!.train)).toBeLessThan(1e-11 * speed);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("sides told by events agree with outputs; sliding keeps the margin to 1e-10 of the forces at work, shares stay in [0, 1]", async () => {
    await fc.assert(
      fc.asyncProperty(problems, async (given) => {
        const problem = { ...given, loss: "hinge" as const };
        const { options, train, initial } = make(problem);
        const flow = await gradientFlow(kernel, train, options);
        const sides: string[] = Array.from(train.y, (y, i) =>
          y * (initial?.train[i] ?? 0) < 1 ? "inside" : "outside",
        );
        const stops = [...new Set(flow.events.map(({ t }) => t))];
        const forces = flow.c * problem.n * (1 + problem.size ** 2);
        stops.forEach((t, k) => {
          for (const event of flow.events.filter((one) => one.t === t)) {
            sides[event.index] = event.to;
          }
          const until = stops[k + 1] ?? t + 1;
          for (const part of [0.1, 0.5, 0.9]) {
            const at = t + part * (until - t);
            const { train: g } = flow.at(at);
            g.forEach((value, i) => {
              const margin = value * train.y[i]! - 1;
              if (sides[i] === "margin") expect(Math.abs(margin)).toBeLessThan(1e-10 * Math.max(1, forces / 10));
              if (sides[i] === "inside") expect(margin).toBeLessThan(1e-10 * forces);
              if (sides[i] === "outside") expect(margin).toBeGreaterThan(-1e-10 * forces);
            });
          }
        });
        for (const t of [...stops, 50, Number.POSITIVE_INFINITY])
          flow.coefficients(t).forEach((alpha, i) => {
            expect(alpha * train.y[i]!).toBeGreaterThanOrEqual(-1e-12 * flow.c);
            expect(alpha * train.y[i]!).toBeLessThanOrEqual(flow.c * (1 + 1e-12));
          });
      }),
      { numRuns: 60 },
    );
  });

  test("Euler's method comes closer to it in proportion to its step", async () => {
    for (const loss of ["hinge", "epsilon-insensitive"] as const) {
      for (const seed of [1, 2, 3, 4]) {
        const { train, options } = make({ seed, n: 14, d: 3, size: 1, c: 2, given: true, loss });
        const flow = await gradientFlow(kernel, train, options);
        const k = await matrix(train, train, runtime);
        const errors = [4e-3, 4e-4].map((step) => euler(flow, k, train, options.initial!.train, loss, step));
        // Euler's chattering along a margin is as wide as a step: the bound is C n K step, not smaller.
        expect(errors[0]).toBeLessThan(2 * 14 * 4e-3);
        expect(errors[1]).toBeLessThan(errors[0]! / 5);
      }
    }
  });

  function euler(
    flow: GradientFlow,
    k: Float64Array[],
    { y, n }: Dataset,
    start: Float64Array,
    loss: "hinge" | "epsilon-insensitive",
    step: number,
  ): number {
    let g = start;
    let worst = 0;
    for (let s = 1; s * step <= 3; s++) {
      const push = times(
        k,
        g.map((z, i) => -flow.c * SLOPES[loss]!(z, y[i]!, 0.15)),
      );
      g = Float64Array.from({ length: n }, (_, i) => g[i]! + step * (push[i]! - g[i]!));
      if (s % Math.round(0.1 / step) === 0) worst = Math.max(worst, farthest(g, flow.at(s * step).train));
    }
    return worst;
  }

  test("subgradient descent (Theorem 3.2) tends to it with order 1 in eta: slope of the errors 1 +- 0.25", async () => {
    const train = cloud(21, 40, 4);
    const test = cloud(22, 10, 4);
    const flow = await gradientFlow(kernel, train, { c: 1.5, test, runtime });
    const rates = [1e-2, 1e-3, 1e-4];
    const errors: number[] = [];
    for (const learningRate of rates) {
      const record = [0.25, 0.5, 1, 2, 4].map((t) => Math.round(t / learningRate));
      const settings = { lambda: 1, weight: 1.5, learningRate, steps: record.at(-1)!, record, test, runtime };
      const { records } = await descend(kernel, train, settings);
      const apart = records.map(({ step, train, test }) => {
        const { train: g, test: h } = flow.at(step * learningRate);
        return Math.max(farthest(train, g), farthest(test, h));
      });
      errors.push(Math.max(...apart));
    }
    const slope = Math.log(errors[0]! / errors[2]!) / Math.log(rates[0]! / rates[2]!);
    expect(Math.abs(slope - 1)).toBeLessThan(0.25);
  });
});

const size = (values: Float64Array) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

describe("the flow ends at the SVM", () => {
  test("optimality to 1e-9: its duality gap is 0, wherever it starts, for both kernels", async () => {
    await fc.assert(
      fc.asyncProperty(problems, fc.constantFrom(kernel, nngp({ depth: 2, biasVariance: 0.1 })), async (given, of) => {
        const { train, options } = make({ ...given, loss: "hinge" });
        const flow = await gradientFlow(of, train, options);
        const machine = await flow.machine();
        expect(flow.end).toBe(Number.POSITIVE_INFINITY);
        expect(machine.training.relativeDualityGap).toBeLessThan(1e-9);
        const outputs = await machine.decisionFunction(train, { runtime });
        const scale = 1 + size(outputs);
        expect(farthest(flow.limit!.outputs.train, outputs)).toBeLessThan(1e-12 * scale);
        expect(farthest(flow.at(60).train, outputs)).toBeLessThan(1e-9 * scale);
        expect(farthest(flow.at(60).test, flow.limit!.outputs.test)).toBeLessThan(1e-9 * scale);
      }),
      { numRuns: 60 },
    );
  });

  test("the dual solver finds the same objective to 1e-9 and outputs to 1e-4", async () => {
    for (const [seed, c] of [
      [31, 0.5],
      [32, 3],
      [33, 30],
    ] as const) {
      const train = cloud(seed, 80, 5);
      const machine = await svm({ kernel, c, tolerance: 1e-10 }).fit(train, { runtime });
      const { limit } = await gradientFlow(kernel, train, { c, runtime });
      expect(Math.abs(limit!.loss.objective / machine.training.primal! - 1)).toBeLessThan(1e-9);
      expect(farthest(limit!.outputs.train, await machine.decisionFunction(train, { runtime }))).toBeLessThan(1e-4);
    }
  });

  test("support vector regression: coefficients in [-C, C], optimality to 1e-9", async () => {
    await fc.assert(
      fc.asyncProperty(problems, fc.constantFrom(0, 0.15), async (given, epsilon) => {
        const { train, options } = make({ ...given, loss: "epsilon-insensitive" });
        const flow = await gradientFlow(kernel, train, { ...options, epsilon });
        const { alpha, loss, outputs } = flow.limit!;
        const dual = alpha.reduce((sum, a, i) => sum + a * train.y[i]! - epsilon * Math.abs(a), 0) - loss.regulariser;
        expect(size(alpha)).toBeLessThanOrEqual(flow.c * (1 + 1e-12));
        expect(loss.objective - dual).toBeLessThan(1e-9 * (1 + flow.c * train.n * (1 + size(outputs.train))));
      }),
      { numRuns: 60 },
    );
  });

  test("repeated rows and contradicting labels: the kernel is singular, the flow ends all the same", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1e9), fc.constantFrom(0.1, 2, 50), async (seed, c) => {
        const once = cloud(seed, 8, 3);
        const both = once.subset([0, 1, 2, 3, 4, 5, 6, 7, 0, 0, 3, 5]);
        const y = Float64Array.from(both.y, (label, i) => (i === 10 ? -label : label));
        const train = dataset({ x: both.x, y, shape: [12, 3] });
        const machine = await (await gradientFlow(kernel, train, { c, runtime })).machine();
        expect(machine.training.relativeDualityGap).toBeLessThan(1e-9);
      }),
      { numRuns: 60 },
    );
  });

  test("events that coincide: mirror images arrive together, and stay mirror images", async () => {
    const half = cloud(41, 10, 3).x as Float64Array;
    const x = Float64Array.from([...half, ...half.map((value) => -value)]);
    const y = Float64Array.from({ length: 20 }, (_, i) => (i < 10 ? 1 : -1));
    const train = dataset({ x, y, shape: [20, 3] });
    const flow = await gradientFlow(kernel, train, { c: 4, runtime });
    for (const t of [0.1, 0.5, 1, 2, 8]) {
      const { train: g } = flow.at(t);
      const mirrored = g.slice(10).map((value) => -value);
      expect(farthest(g.slice(0, 10), mirrored)).toBeLessThan(1e-9);
    }
    expect((await flow.machine()).training.relativeDualityGap).toBeLessThan(1e-11);
  });

  test("512 images of MNIST: duality gap below 1e-12, hundreds of events", async () => {
    const { train } = await mnist({ digits: [0, 1] });
    const some = train.subset(Array.from({ length: 512 }, (_, i) => i));
    const flow = await gradientFlow(kernel, some, { c: 100, runtime });
    expect(flow.events.length).toBeGreaterThan(512);
    expect((await flow.machine()).training.relativeDualityGap).toBeLessThan(1e-12);
  });
});

describe("edges", () => {
  const train = cloud(51, 9, 2);

  test("one point: arrives at t = -log(1 - 1/(C K)) and stays; C K <= 1 never does", async () => {
    const single = dataset({ x: Float64Array.of(1.5), y: [1], shape: [1, 1] });
    const [row] = await matrix(single, single, runtime);
    const own = row![0]!;
    const flow = await gradientFlow(kernel, single, { c: 3 / own, runtime });
    expect(flow.events).toHaveLength(1);
    expect(flow.events[0]).toMatchObject({ index: 0, kind: "arrives", to: "margin", sign: 1 });
    expect(flow.events[0]!.t).toBeCloseTo(-Math.log(1 - 1 / 3), 14);
    expect(flow.coefficients(0.2)[0]).toBeCloseTo((3 / own) * -Math.expm1(-0.2), 12);
    expect(flow.limit!.alpha[0]).toBeCloseTo(1 / own, 12);
    expect((await gradientFlow(kernel, single, { c: 0.9 / own, runtime })).events).toEqual([]);
  });

  test("from outside its margin a point comes in at t = log(y g_0) and slides there", async () => {
    const single = dataset({ x: Float64Array.of(1.5), y: [-1], shape: [1, 1] });
    const [row] = await matrix(single, single, runtime);
    const initial = { train: Float64Array.of(-4) };
    const flow = await gradientFlow(kernel, single, { c: 3 / row![0]!, initial, runtime });
    expect(flow.events.map(({ kind }) => kind)).toEqual(["arrives"]);
    expect(flow.events[0]!.t).toBeCloseTo(Math.log(4), 14);
    expect(flow.at(1).train[0]).toBeCloseTo(-4 * Math.exp(-1), 14);
    expect(flow.at(5).train[0]).toBeCloseTo(-1, 14);
  });

  test("from outputs of a million: the flow ends at the SVM all the same", async () => {
    const initial = { train: Float64Array.from({ length: 9 }, (_, i) => (i % 2 === 0 ? 1e6 : -1e6) * (1 + i / 9)) };
    const near = await gradientFlow(kernel, train, { c: 5, runtime });
    const far = await gradientFlow(kernel, train, { c: 5, initial, runtime });
    expect(far.events.length).toBeLessThan(1000);
    expect(farthest(far.limit!.outputs.train, near.limit!.outputs.train)).toBeLessThan(1e-9);
    expect(far.at(1).train[0]! / (1e6 * Math.exp(-1))).toBeCloseTo(1, 4);
  });

  test("a row of zeros has K = 0: g decays there, and the flow ends", async () => {
    const zero = dataset({ x: new Float64Array(4), y: [1, -1], shape: [2, 2] });
    const flow = await gradientFlow(kernel, zero, { initial: { train: Float64Array.of(2, 0.5) }, runtime });
    expect(flow.at(1).train[0]).toBeCloseTo(2 * Math.exp(-1), 14);
    expect(flow.limit!.outputs.train).toEqual(Float64Array.of(0, 0));
  });

  test("stopped early it is the same flow, knows nothing later and has no limit", async () => {
    const whole = await gradientFlow(kernel, train, { c: 5, runtime });
    const until = 0.9 * whole.events.at(-1)!.t;
    const part = await gradientFlow(kernel, train, { c: 5, until, runtime });
    expect(part.end).toBe(until);
    expect(part.events).toEqual(whole.events.filter(({ t }) => t < until));
    expect(part.at(until)).toEqual(whole.at(until));
    expect(part.limit).toBeUndefined();
    expect(() => part.at(until + 0.1)).toThrow(/^t: expected .* <= /);
    await expect(part.machine()).rejects.toThrow(/^until: /);
  });

  test("too many events, a cancelled signal", async () => {
    await expect(gradientFlow(kernel, train, { c: 5, maxEvents: 1, runtime })).rejects.toThrow(ConvergenceError);
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(gradientFlow(kernel, train, { signal, runtime })).rejects.toThrow("enough");
  });

  const cases: [string, object, typeof TypeError | typeof RangeError][] = [
    ["c", { c: 0 }, RangeError],
    ["c", { c: "1" }, TypeError],
    ["loss", { loss: "squared" }, RangeError],
    ["epsilon", { loss: "epsilon-insensitive", epsilon: -1 }, RangeError],
    ["until", { until: 0 }, RangeError],
    ["until", { until: Number.NaN }, RangeError],
    ["maxEvents", { maxEvents: 0 }, RangeError],
    ["initial.train", { initial: { train: new Float64Array(9).fill(Number.NaN) } }, RangeError],
    ["initial", { initial: 3 }, TypeError],
    ["test", { test: 3 }, TypeError],
    ["test", { test: cloud(1, 2, 3) }, RangeError],
  ];
  for (const [name, options, kind] of cases) {
    test(`${name}: ${kind.name}`, async () => {
      const run = gradientFlow(kernel, train, { runtime, ...options } as never);
      await expect(run).rejects.toThrow(kind);
      await expect(run).rejects.toThrow(new RegExp(`^${name}: `));
    });
  }

  test("times: TypeError, RangeError", async () => {
    const flow = await gradientFlow(kernel, train, { runtime });
    for (const ask of [(t: never) => flow.at(t), (t: never) => flow.loss(t), (t: never) => flow.coefficients(t)]) {
      expect(() => ask("1" as never)).toThrow(TypeError);
      expect(() => ask(-1 as never)).toThrow(/^t: /);
      expect(() => ask(Number.NaN as never)).toThrow(RangeError);
    }
  });
});
