// Training on every backend but for speed: WebGPU in Node, TensorFlow.js on its three backends, and the core, all against
// the float64 loops of reference.ts. A machine without a GPU needs Debian's chromium package (software-gpu.ts); without
// any adapter the suite fails and says so.
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Dataset, dataset } from "../../sdk/data/dataset.js";
import { DivergenceError } from "../../sdk/errors.js";
import { initialWeights } from "../../sdk/networks/initial.js";
import { type NetworkSpec, network } from "../../sdk/networks/network.js";
import { BatchOrder } from "../../sdk/networks/order.js";
import { openTfjsSession } from "../../sdk/networks/tfjs.js";
import {
  type BackendName,
  LOSSES,
  type Loss,
  type ResolvedTraining,
  resolveTraining,
  type TrainingOptions,
  type TrainingSession,
} from "../../sdk/networks/training.js";
import { openWasmSession } from "../../sdk/networks/wasm.js";
import type { EngineOptions } from "../../sdk/networks/webgpu/engine.js";
import { openWebGpuSession, type WebGpuSession } from "../../sdk/networks/webgpu/session.js";
import { DeviceLostError, GpuMemoryError, GpuUnavailableError } from "../../sdk/runtime/device-errors.js";
import { findGpu, requestDevice } from "../../sdk/runtime/gpu.js";
import { Runtime, type WorkOptions } from "../../sdk/runtime/runtime.js";
import { uniform } from "../helpers.js";
import { plainLoss, plainOutputs, plainStep, plainWeights } from "./reference.js";
import { useSoftwareGpu } from "./software-gpu.js";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });
useSoftwareGpu();

const CURVE = 5e-5; // so that two backends differ by no more than 1e-4
const BACKENDS: BackendName[] = ["wasm", "webgpu", "tfjs-wasm", "tfjs-cpu"];

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.create({ threads: 0 });
  // A clear failure rather than a skip: GpuUnavailableError says what to install.
  await findGpu();
});
afterAll(() => runtime.close());

/** Pixels of which a third are not zero, like digits, labelled by a random halfspace. */
function pixels(n: number, d: number, seed: number): Dataset {
  const next = uniform(seed);
  const x = Uint8Array.from({ length: n * d }, () => (next() < 0.3 ? next() * 256 : 0));
  const direction = Float64Array.from({ length: d }, () => next() - 0.5);
  const y = Array.from({ length: n }, (_, i) =>
    direction.reduce((sum, entry, k) => sum + entry * (x[i * d + k] ?? 0), 0) > 0 ? 1 : -1,
  );
  return dataset({ x, y, shape: [n, d] });
}

const rows = pixels(256, 196, 1);
const few = pixels(40, 30, 2);

function open(
  backend: BackendName,
  spec: NetworkSpec,
  data: Dataset,
  options: ResolvedTraining,
  gpu: EngineOptions = {},
): Promise<TrainingSession> {
  const work: WorkOptions = { runtime };
  if (backend === "wasm") return openWasmSession(spec, data, options, work);
  if (backend === "webgpu") return openWebGpuSession(spec, data, options, { ...work, gpu });
  return openTfjsSession(backend, spec, data, options, work);
}

async function using<T>(opening: Promise<TrainingSession>, use: (session: TrainingSession) => Promise<T>): Promise<T> {
  const session = await opening;
  try {
    return await use(session);
  } finally {
    session.dispose();
  }
}

const lossesOf = async (session: TrainingSession, count: number) =>
  (await session.steps(count)).map(({ loss }) => loss);

/** Losses of the first steps by the reference. */
async function expectedCurve(spec: NetworkSpec, data: Dataset, options: ResolvedTraining, count: number) {
  const weights = plainWeights(await initialWeights(spec, data.d, { runtime }));
  const centre = options.centred ? plainOutputs(spec, data, weights) : new Float64Array(data.n);
  const order = new BatchOrder(runtime, data.n, options.batch, options.seed);
  return Array.from({ length: count }, (_, k) =>
    plainStep({ spec, data, options, centre }, order.rows(k).slice(), weights),
  );
}

function expectCurve(found: readonly number[], expected: readonly number[]): void {
  expect(found.length).toBe(expected.length);
  const worst = found.map((loss, k) => Math.abs(loss - (expected[k] ?? 0)) / Math.abs(expected[k] ?? 1));
  expect(Math.max(...worst)).toBeLessThan(CURVE);
}

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
    expected = await expectedCurve(spec, rows, options, 50);
  });

  it("is learned by the reference, so that the curves mean something", () => {
    expect(Math.min(...expected.slice(40))).toBeLessThan(0.9 * (expected[0] ?? 0));
  });

  it.each(BACKENDS)("%s follows the reference for 50 steps within 5e-5 relative", (backend) =>
    using(open(backend, spec, rows, options), async (session) => expectCurve(await lossesOf(session, 50), expected)),
  );
});

describe("tfjs-webgpu", () => {
  it("follows the reference for 10 steps within 5e-5 relative", async () => {
    const spec = network({ widths: [20, 16], seed: 5 });
    const options = resolveTraining({ learningRate: 2, batch: 16 }, few.n);
    const expected = await expectedCurve(spec, few, options, 10);
    await using(open("tfjs-webgpu", spec, few, options), async (session) =>
      expectCurve(await lossesOf(session, 10), expected),
    );
  });
});

describe.each(BACKENDS)("%s", (backend) => {
  const spec = network({ widths: [24, 20], seed: 9 });
  const start = () => initialWeights(spec, few.d, { runtime });

  it.each(["squared", "logistic"] satisfies Loss[])("steps along finite differences of the %s loss, to 1e-3", (loss) =>
    using(
      open(backend, spec, few, resolveTraining({ loss, learningRate: 8, lambda: 0.5, batch: "full" }, few.n)),
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
    using(open(backend, spec, few, resolveTraining({}, few.n)), async (session) => {
      expect(await session.weights()).toEqual(await start());
      const outputs = await session.outputs(few);
      expect(Math.max(...outputs.map(Math.abs))).toBeLessThan(1e-6);
      expect((await session.steps(1))[0]).toMatchObject({ step: 1, loss: 1 });
    }));

  it("gives the outputs of rows it was not trained on, centred, to 1e-5", () =>
    using(open(backend, spec, few, resolveTraining({ learningRate: 5, batch: 16 }, few.n)), async (session) => {
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
    }));

  it("gives the same bits twice, however the steps are divided into calls", async () => {
    const options = resolveTraining({ learningRate: 5, batch: 16 }, few.n);
    const whole = await using(open(backend, spec, few, options), async (session) => {
      await session.steps(9);
      return session.weights();
    });
    await using(open(backend, spec, few, options), async (session) => {
      for (const count of [0, 4, 1, 4]) await session.steps(count);
      expect(await session.weights()).toEqual(whole);
    });
  });

  it("continues from a snapshot with the same curve", async () => {
    const options = resolveTraining({ learningRate: 5, batch: 16 }, few.n);
    const { snapshot, rest } = await using(open(backend, spec, few, options), async (session) => {
      await session.steps(4);
      return { snapshot: await session.weights(), rest: await session.steps(6) };
    });
    await using(open(backend, spec, few, options), async (session) => {
      await session.restore(snapshot, 4);
      expect(await session.steps(6)).toEqual(rest);
      await expect(session.restore({ hidden: [], output: snapshot.output }, 0)).rejects.toThrow(RangeError);
    });
  });

  it("stops where it leaves the finite numbers and keeps the weights before that step", async () => {
    const options = resolveTraining({ loss: "squared", learningRate: 1e6, batch: 16 }, few.n);
    const { step, kept } = await using(open(backend, spec, few, options), async (session) => {
      const error = await session.steps(50).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(DivergenceError);
      return { step: (error as DivergenceError).step, kept: await session.weights() };
    });
    expect(step).toBeGreaterThan(1);
    await using(open(backend, spec, few, options), async (session) => {
      expect((await session.steps(step - 1)).every(({ loss }) => Number.isFinite(loss))).toBe(true);
      expect(await session.weights()).toEqual(kept);
    });
  });

  it("can be stopped between steps", () =>
    using(open(backend, spec, few, resolveTraining({}, few.n)), async (session) => {
      await expect(session.steps(5, { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
      expect((await session.steps(1))[0]?.step).toBe(1);
    }));
});

describe("webgpu", () => {
  const spec = network({ widths: [200, 150], seed: 4 });
  const options = resolveTraining({ learningRate: 5, batch: 16 }, few.n);

  it("cuts layers into several buffers where one is too small, with the same weights and curve", async () => {
    const whole = await using(open("webgpu", spec, few, options), (session) => lossesOf(session, 20));
    // Room for 128 neurons of the first layer and 32 of the second.
    await using(open("webgpu", spec, few, options, { bufferBytes: 30_000 }), async (session) => {
      expect(await session.weights()).toEqual(await initialWeights(spec, few.d, { runtime }));
      expectCurve(await lossesOf(session, 20), whole);
      const snapshot = await session.weights();
      await session.restore(snapshot, 20);
      expect(await session.weights()).toEqual(snapshot);
    });
  });

  it("says so when no buffer is large enough", async () => {
    await expect(open("webgpu", spec, few, options, { bufferBytes: 2000 })).rejects.toThrow(GpuMemoryError);
  });

  it("goes on from the last snapshot after its device was lost", async () => {
    const expected = await using(open("webgpu", spec, few, options), (session) => session.steps(10));
    await using(open("webgpu", spec, few, options), async (session) => {
      const first = await session.steps(5);
      const snapshot = await session.weights();
      const running = session.steps(2000);
      setTimeout(() => (session as WebGpuSession).device.destroy(), 100);
      await expect(running).rejects.toThrow(DeviceLostError);
      await expect(session.steps(1)).rejects.toThrow(DeviceLostError);
      await session.restore(snapshot, 5);
      expect([...first, ...(await session.steps(5))]).toEqual(expected);
    });
  });

  it("names the remedy when there is no adapter, or one without a device", async () => {
    const none = { requestAdapter: () => Promise.resolve(null) };
    await expect(open("webgpu", spec, few, options, { entry: none })).rejects.toThrow(GpuUnavailableError);
    await expect(requestDevice({ entry: none })).rejects.toThrow(/Vulkan driver.*"wasm" backend/);
    const stubborn = { limits: {}, info: {}, requestDevice: () => Promise.reject(new Error("no")) };
    const entry = { requestAdapter: () => Promise.resolve(stubborn as unknown as GPUAdapter) };
    await expect(requestDevice({ entry })).rejects.toThrow(/graphics driver \(no\)/);
  });

  it("reports a mistake in a kernel as an error, not as wrong numbers", async () => {
    const gpu = await requestDevice();
    gpu.device.createBuffer({ size: 16, usage: 0xffff });
    await expect(gpu.guard(gpu.device.queue.onSubmittedWorkDone())).rejects.toThrow(/WebGPU: /);
    gpu.close();
  });

  it("refuses work after dispose()", async () => {
    const session = await open("webgpu", spec, few, options);
    session.dispose();
    session.dispose();
    await expect(session.steps(1)).rejects.toThrow(/disposed/);
  });
});

describe("tfjs-cpu", () => {
  it("leaves no tensor behind", async () => {
    const tf = await import("@tensorflow/tfjs");
    const before = tf.memory().numTensors;
    const spec = network({ widths: [8, 8] });
    await using(open("tfjs-cpu", spec, few, resolveTraining({ batch: 16 }, few.n)), async (session) => {
      await session.steps(3);
      const during = tf.memory().numTensors;
      await session.steps(30);
      await session.outputs(pixels(5, 30, 3));
      expect(tf.memory().numTensors).toBe(during);
    });
    expect(tf.memory().numTensors).toBe(before);
  });
});
