// What only WebGPU has, in Node and in a page: layers in several buffers, lost devices, missing adapters, mistakes in
// kernels. Not here: training itself (backends.test.ts).
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { initialWeights } from "../../sdk/networks/initial.js";
import { network } from "../../sdk/networks/network.js";
import { resolveTraining } from "../../sdk/networks/training.js";
import type { WebGpuSession } from "../../sdk/networks/webgpu/session.js";
import { DeviceLostError, GpuMemoryError, GpuUnavailableError } from "../../sdk/runtime/device-errors.js";
import { requestDevice } from "../../sdk/runtime/gpu.js";
import { Runtime } from "../../sdk/runtime/runtime.js";
import { pixelData } from "../seeded.js";
import { inPage, preparePlace } from "./place.js";
import { expectCurve, lossesOf, openOn, using } from "./sessions.js";

let runtime: Runtime;
beforeAll(async () => {
  await preparePlace();
  runtime = await Runtime.create({ threads: 0 });
});
afterAll(() => runtime.close());

const few = pixelData(40, 30, 2);

describe("webgpu", () => {
  const spec = network({ widths: [200, 150], seed: 4 });
  const options = resolveTraining({ learningRate: 5, batch: 16 }, few.n);

  it("cuts layers into several buffers where one is too small, with the same weights and curve", async () => {
    const whole = await using(openOn(runtime, "webgpu", spec, few, options), (session) => lossesOf(session, 20));
    // Room for 128 neurons of the first layer and 32 of the second.
    await using(openOn(runtime, "webgpu", spec, few, options, { bufferBytes: 30_000 }), async (session) => {
      expect(await session.weights()).toEqual(await initialWeights(spec, few.d, { runtime }));
      expectCurve(await lossesOf(session, 20), whole);
      const snapshot = await session.weights();
      await session.restore(snapshot, 20);
      expect(await session.weights()).toEqual(snapshot);
    });
  });

  it("says so when no buffer is large enough", async () => {
    await expect(openOn(runtime, "webgpu", spec, few, options, { bufferBytes: 2000 })).rejects.toThrow(GpuMemoryError);
  });

  it("goes on from the last snapshot after its device was lost", async () => {
    const expected = await using(openOn(runtime, "webgpu", spec, few, options), (session) => session.steps(10));
    await using(openOn(runtime, "webgpu", spec, few, options), async (session) => {
      const first = await session.steps(5);
      const snapshot = await session.weights({ carry: true });
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
    await expect(openOn(runtime, "webgpu", spec, few, options, { entry: none })).rejects.toThrow(GpuUnavailableError);
    await expect(requestDevice({ entry: none })).rejects.toThrow(
      inPage ? /graphics driver.*"wasm" backend/ : /Vulkan driver.*"wasm" backend/,
    );
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
    const session = await openOn(runtime, "webgpu", spec, few, options);
    session.dispose();
    session.dispose();
    await expect(session.steps(1)).rejects.toThrow(/disposed/);
  });
});
