// The same training on every backend, in Node and in a page: the core, WebGPU (Dawn here, Chromium's own there) and
// TensorFlow.js, all against the float64 loops of reference.ts. A machine without a GPU needs Debian's chromium package;
// without any adapter the suite fails and says so. Not here: what only WebGPU has (webgpu.test.ts).
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dataset } from "../../sdk/data/dataset.js";
import { DivergenceError } from "../../sdk/errors.js";
import { initialWeights } from "../../sdk/networks/initial.js";
import { network } from "../../sdk/networks/network.js";
import {
  type BackendName,
  LOSSES,
  type Loss,
  resolveTraining,
  type StepReport,
  type TrainingOptions,
} from "../../sdk/networks/training.js";
import { findGpu } from "../../sdk/runtime/gpu.js";
import { Runtime } from "../../sdk/runtime/runtime.js";
import { pixelData } from "../seeded.js";
import { preparePlace } from "./place.js";
import { plainLoss, plainOutputs, plainWeights } from "./reference.js";
import { expectCurve, expectedCurve, lossesOf, openOn, using } from "./sessions.js";

const BACKENDS: BackendName[] = ["wasm", "webgpu", "tfjs-wasm", "tfjs-cpu"];

let runtime: Runtime;
beforeAll(async () => {
  await preparePlace();
  runtime = await Runtime.create({ threads: 2 });
  // A clear failure rather than a skip: GpuUnavailableError says what to install.
  await findGpu();
});
afterAll(() => runtime.close());

const rows = pixelData(256, 196, 1);
const few = pixelData(40, 30, 2);

const cases: [string, readonly number[], TrainingOptions][] = [
  ["256 neurons, hinge", [256], { learningRate: 20, batch: 60 }],
  ["64, 64 neurons, hinge", [64, 64], { learningRate: 10, batch: 60 }],
  ["48, 40, 36 neurons, hinge, not centred", [48, 40, 36], { learningRate: 2, batch: 60, centred: false }],
  ["50 neurons, full batch, LeCun", [50], { learningRate: 0.1, batch: "full" }],
  ...LOSSES.slice(1).map((loss): [string, readonly number[], TrainingOptions] => [
    `64, 50 neurons, ${loss}`,
    [64, 50],
    { loss, learningRate: loss === "logistic" ? 8 : 2, batch: 60, lambda: 0.1 },
  ]),
];

describe.each(cases)("%s", (title, widths, given) => {
  const parameterization = title.endsWith("LeCun") ? "lecun" : "ntk";
  const spec = network({ widths, parameterization, seed: 5 });
  const options = resolveTraining(given, rows.n);
  let expected: number[];
  beforeAll(async () => {
    expected = await expectedCurve(runtime, spec, rows, options, 50);
  });

  it("is learned by the reference, so that the curves mean something", () => {
    expect(Math.min(...expected.slice(40))).toBeLessThan(0.9 * (expected[0] ?? 0));
  });

  it.each(BACKENDS)("%s follows the reference for 50 steps within 5e-5 relative", (backend) =>
    using(openOn(runtime, backend, spec, rows, options), async (session) =>
      expectCurve(await lossesOf(session, 50), expected),
    ),
  );
});

describe("tfjs-webgpu", () => {
  it("follows the reference for 10 steps within 5e-5 relative", async () => {
    const spec = network({ widths: [20, 16], seed: 5 });
    const options = resolveTraining({ learningRate: 2, batch: 16 }, few.n);
    const expected = await expectedCurve(runtime, spec, few, options, 10);
    await using(openOn(runtime, "tfjs-webgpu", spec, few, options), async (session) =>
      expectCurve(await lossesOf(session, 10), expected),
    );
  });
});

describe.each(BACKENDS)("%s", (backend) => {
  const spec = network({ widths: [24, 20], seed: 9 });
  const start = () => initialWeights(spec, few.d, { runtime });

  it.each(["squared", "logistic"] satisfies Loss[])("steps along finite differences of the %s loss, to 1e-3", (loss) =>
    using(
      openOn(
        runtime,
        backend,
        spec,
        few,
        resolveTraining({ loss, learningRate: 8, lambda: 0.5, batch: "full" }, few.n),
      ),
      async (session) => {
        const options = resolveTraining({ loss, lambda: 0.5 }, few.n);
        const before = plainWeights(await session.weights());
        const centre = plainOutputs(spec, few, before);
        await session.steps(1);
        const after = await session.weights();
        const all = Int32Array.from({ length: few.n }, (_, i) => i);
        const objective = () => {
          const found = plainLoss({ spec, data: few, options, centre }, all, before);
          return found.loss + options.lambda * found.regulariser;
        };
        const pairs = [...before.hidden, before.output].map(
          (own, l) => [own, after.hidden[l] ?? after.output] as const,
        );
        for (const [own, moved] of pairs) {
          const picked = Array.from({ length: 12 }, (_, k) => Math.floor((k * own.length) / 12));
          const found = picked.map((k) => ((own[k] ?? 0) - (moved[k] ?? 0)) / 8);
          const slopes = picked.map((k) => {
            const weight = own[k] ?? 0;
            own[k] = weight + 1e-5;
            const high = objective();
            own[k] = weight - 1e-5;
            const low = objective();
            own[k] = weight;
            return (high - low) / 2e-5;
          });
          const size = Math.max(...slopes.map(Math.abs));
          expect(size).toBeGreaterThan(0);
          slopes.forEach((slope, k) => {
            expect(Math.abs((found[k] ?? 0) - slope)).toBeLessThan(1e-3 * size);
          });
        }
      },
    ),
  );

  it("starts from the core's weights, bit by bit, and from z = 0", () =>
    using(openOn(runtime, backend, spec, few, resolveTraining({}, few.n)), async (session) => {
      expect(await session.weights()).toEqual(await start());
      const outputs = await session.outputs(few);
      expect(Math.max(...outputs.map(Math.abs))).toBeLessThan(1e-6);
      expect((await session.steps(1))[0]).toMatchObject({ step: 1, loss: 1 });
    }));

  it("gives the outputs of rows it was not trained on, centred, to 1e-5", () =>
    using(
      openOn(runtime, backend, spec, few, resolveTraining({ learningRate: 5, batch: 16 }, few.n)),
      async (session) => {
        const others = dataset({
          x: Float64Array.from({ length: 30 * 70 }, (_, k) => Math.sin(k)),
          y: Array.from({ length: 70 }, () => 1),
          shape: [70, 30],
        });
        await session.steps(7);
        const found = await session.outputs(others);
        const now = plainOutputs(spec, others, plainWeights(await session.weights()));
        const first = plainOutputs(spec, others, plainWeights(await start()));
        found.forEach((z, i) => {
          expect(Math.abs(z - ((now[i] ?? 0) - (first[i] ?? 0)))).toBeLessThan(1e-5);
        });
      },
    ));

  it("gives the same bits twice, however the steps are divided into calls", async () => {
    const options = resolveTraining({ learningRate: 5, batch: 16 }, few.n);
    const whole = await using(openOn(runtime, backend, spec, few, options), async (session) => {
      await session.steps(9);
      return session.weights();
    });
    await using(openOn(runtime, backend, spec, few, options), async (session) => {
      for (const count of [0, 4, 1, 4]) await session.steps(count);
      expect(await session.weights()).toEqual(whole);
    });
  });

  it("continues from a snapshot with the same curve", async () => {
    const options = resolveTraining({ learningRate: 5, batch: 16 }, few.n);
    const { snapshot, rest } = await using(openOn(runtime, backend, spec, few, options), async (session) => {
      await session.steps(4);
      return { snapshot: await session.weights({ carry: true }), rest: await session.steps(6) };
    });
    await using(openOn(runtime, backend, spec, few, options), async (session) => {
      await session.restore(snapshot, 4);
      expect(await session.steps(6)).toEqual(rest);
      await expect(session.restore({ hidden: [], output: snapshot.output }, 0)).rejects.toThrow(RangeError);
    });
  });

  it("stops where it leaves the finite numbers and keeps the weights before that step", async () => {
    const options = resolveTraining({ loss: "squared", learningRate: 1e6, batch: 16 }, few.n);
    const { step, kept } = await using(openOn(runtime, backend, spec, few, options), async (session) => {
      const error = await session.steps(50).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(DivergenceError);
      return { step: (error as DivergenceError).step, kept: await session.weights() };
    });
    expect(step).toBeGreaterThan(1);
    await using(openOn(runtime, backend, spec, few, options), async (session) => {
      expect((await session.steps(step - 1)).every(({ loss }) => Number.isFinite(loss))).toBe(true);
      expect(await session.weights()).toEqual(kept);
    });
  });

  it("can be stopped between steps", () =>
    using(openOn(runtime, backend, spec, few, resolveTraining({}, few.n)), async (session) => {
      await expect(session.steps(5, { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
      expect((await session.steps(1))[0]?.step).toBe(1);
    }));
});

describe("wasm on threads", () => {
  it("stopped at any moment it ends and has taken whole steps: it goes on along the same curve", async () => {
    const spec = network({ widths: [64, 64], seed: 2 });
    const options = resolveTraining({ learningRate: 1e-4, batch: 32 }, rows.n);
    const whole = await using(openOn(runtime, "wasm", spec, rows, options), (session) => lossesOf(session, 4000));
    await using(openOn(runtime, "wasm", spec, rows, options), async (session) => {
      for (let k = 0; k < 150; k++) {
        const stop = new AbortController();
        const running = session.steps(20, { signal: stop.signal }).catch((error: unknown) => error);
        // Threads begin within a fraction of a millisecond of one another: that is where a stop could tear them apart.
        const begun = performance.now();
        await new Promise((resolve) => setTimeout(resolve, 0));
        while (performance.now() < begun + 1 + k * 0.01);
        stop.abort(new Error("enough"));
        await running;
        const [{ step, loss }] = (await session.steps(1)) as [StepReport];
        expect(loss).toBe(whole[step - 1]);
      }
    });
  });
});

describe("tfjs-cpu", () => {
  it("leaves no tensor behind", async () => {
    const tf = await import("@tensorflow/tfjs");
    const before = tf.memory().numTensors;
    const spec = network({ widths: [8, 8] });
    await using(openOn(runtime, "tfjs-cpu", spec, few, resolveTraining({ batch: 16 }, few.n)), async (session) => {
      await session.steps(3);
      const during = tf.memory().numTensors;
      await session.steps(30);
      await session.outputs(pixelData(5, 30, 3));
      expect(tf.memory().numTensors).toBe(during);
    });
    expect(tf.memory().numTensors).toBe(before);
  });
});
