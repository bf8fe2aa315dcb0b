import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { gradientFlow } from "../../sdk/dynamics/flow.js";
import { lyapunov } from "../../sdk/dynamics/lyapunov.js";
import { mnist, type Runtime, svm } from "../../sdk/index.js";
import { runtimeAt } from "../helpers.js";
import { cloud, kernel } from "./problems.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await runtimeAt("simd");
});
afterAll(() => runtime.close());

const TIMES = Array.from({ length: 60 }, (_, k) => 0.01 * 1.15 ** k);

test("Theorem 3.1's rate holds at every event and between, on random problems, to 1e-12 of L", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(1e9),
      fc.integer({ min: 1, max: 30 }),
      fc.constantFrom(0.3, 1, 3),
      fc.constantFrom(0.05, 1, 20),
      fc.constantFrom("hinge" as const, "epsilon-insensitive" as const),
      fc.boolean(),
      async (seed, n, size, c, loss, given) => {
        const initial = given ? { train: cloud(seed + 1, n, 1).x as Float64Array } : undefined;
        const flow = await gradientFlow(kernel, cloud(seed, n, 3, size), { c, loss, initial, runtime });
        const points = lyapunov(flow, [0, ...flow.events.map(({ t }) => t), ...TIMES]);
        for (const { t, excess, bound, holds } of points) {
          expect(holds, `t = ${t}: ${excess} > ${bound}`).toBe(true);
          // A given g_0 leaves e^-2t ||beta_0||^2 / 2 out of both sides.
          if (!given) expect(excess).toBeGreaterThan(-1e-12 * flow.loss(0).objective);
        }
        expect(points[0]!.excess).toBe(points[0]!.bound);
      },
    ),
    { numRuns: 60 },
  );
});

test("it holds on 64 images of MNIST, against the dual solver's L(beta*), and L only falls", async () => {
  const { train } = await mnist({ digits: [0, 1] });
  const some = train.subset(Array.from({ length: 64 }, (_, i) => i));
  const c = 100;
  const flow = await gradientFlow(kernel, some, { c, runtime });
  expect(flow.loss(0)).toEqual({ loss: 6400, regulariser: 0, objective: 6400 });
  const { training } = await svm({ kernel, c, tolerance: 1e-10 }).fit(some, { runtime });
  let last = 6400;
  for (const { t, holds } of lyapunov(flow, TIMES)) {
    expect(holds).toBe(true);
    const { objective } = flow.loss(t);
    expect(objective).toBeLessThanOrEqual(last + 1e-9);
    expect(objective - training.dual!).toBeLessThanOrEqual(Math.exp(-2 * t) * (6400 - training.dual!) + 1e-6);
    last = objective;
  }
});

test("tight where it can be: one point that pushes until the end loses exactly e^-2t", async () => {
  const flow = await gradientFlow(kernel, cloud(3, 1, 2, 0.1), { c: 0.1, runtime });
  expect(flow.events).toEqual([]);
  for (const { excess, bound } of lyapunov(flow, [0.1, 1, 3])) expect(excess / bound).toBeCloseTo(1, 8);
});

test("bad input is named", async () => {
  const flow = await gradientFlow(kernel, cloud(4, 5, 2), { runtime });
  const stopped = await gradientFlow(kernel, cloud(4, 20, 2, 3), { c: 5, until: 1e-6, runtime });
  expect(() => lyapunov({} as never, [1])).toThrow(/^flow: /);
  expect(() => lyapunov(stopped, [1])).toThrow(/^flow: expected one that was followed to its end/);
  expect(() => lyapunov(flow, 3 as never)).toThrow(/^times: /);
  expect(() => lyapunov(flow, [0, -1])).toThrow(/^times\[1\]: /);
  expect(() => lyapunov(flow, ["1"] as never)).toThrow(TypeError);
});
