// A network beside its machine, step by step: the same numbers as in one run, stopped and carried on, on another backend
// after a GPU was lost. Not here: whole figures (figures.test.ts).
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { descend } from "../../sdk/dynamics/descend.js";
import { type CompareOptions, type ComparisonSession, openComparison } from "../../sdk/experiments/compare.js";
import { COMPARISON_SETTINGS, follow } from "../../sdk/experiments/follow.js";
import { ntk } from "../../sdk/kernels/kernel.js";
import { network } from "../../sdk/networks/network.js";
import { DeviceLostError } from "../../sdk/runtime/device-errors.js";
import { installGpuGlobals } from "../../sdk/runtime/gpu.js";
import { Runtime } from "../../sdk/runtime/runtime.js";
import { preparePlace } from "../networks/place.js";
import { randomData } from "../seeded.js";

let runtime: Runtime;
beforeAll(async () => {
  await preparePlace();
  runtime = await Runtime.create({ threads: 2 });
});
afterAll(() => runtime.close());
afterEach(() => vi.restoreAllMocks());

const train = randomData(24, 6, 1);
const test = randomData(10, 6, 2);

async function using<T>(options: Partial<CompareOptions>, use: (session: ComparisonSession) => Promise<T>): Promise<T> {
  const session = await openComparison({ train, test, width: 40, backend: "wasm", seed: 3, runtime, ...options });
  try {
    return await use(session);
  } finally {
    session.dispose();
  }
}

it.each(COMPARISON_SETTINGS)("gives the numbers of one run of follow(), bit for bit, setting %s", async (setting) => {
  const options = { learningRate: 0.5, lambda: 0.01, batch: 7, setting } as const;
  const record = [0, 3, 11, 40];
  const spec = network({ widths: [40, 40], seed: 3 });
  const whole = await follow(
    { ...options, spec, train, test, samples: [4], record, backend: "wasm", tangent: true },
    { runtime },
  );
  await using({ ...options, depth: 2, kernelRows: 24 }, async (session) => {
    for (const [k, step] of record.entries()) {
      await session.steps(step - session.step);
      const point = await session.point({ kernel: k === record.length - 1 });
      expect(point.step).toBe(step);
      expect(point.network?.hinge).toBe(whole.network.hinge[k]);
      expect(point.machine.hinge).toBe(whole.machine.hinge[k]);
      expect(point.network?.accuracy).toBe(whole.network.accuracy[k]);
      expect(point.machine.test[4]).toBe(whole.machine.samples[0]?.[k]);
      expect(point.network?.test[4]).toBe(whole.network.samples[0]?.[k]);
      expect(point.difference?.rms).toBe(whole.difference.rms[k]);
      expect(point.difference?.largest).toBe(whole.difference.largest[k]);
      expect(point.difference?.trainRms).toBe(whole.difference.trainRms[k]);
      expect(point.drift).toBe(k === record.length - 1 ? whole.kernel?.drift : undefined);
    }
    expect(session.distance).toBe(whole.kernel?.distance);
  });
});

it("at infinite width there is the machine alone, the one of descend() without a ridge", () =>
  using({ width: Number.POSITIVE_INFINITY, learningRate: 0.5 }, async (session) => {
    await session.steps(30);
    const { records } = await descend(ntk(), train, {
      ...{ test, learningRate: 0.5, lambda: 0, steps: 30, record: [30], runtime },
    });
    expect(await session.point({ kernel: true })).toEqual({
      step: 30,
      machine: expect.objectContaining({ train: records[0]?.train, test: records[0]?.test }),
    });
    expect(session.backend).toBeUndefined();
    await session.continueOn("wasm");
    expect(session.backend).toBeUndefined();
  }));

it("the gap to the machine and the kernel's drift fall from width 16 to 4,096", async () => {
  const at = (width: number) =>
    using({ width, kernelRows: 8 }, async (session) => {
      await session.steps(40);
      const { difference, drift } = await session.point({ kernel: true });
      return [difference?.rms ?? Number.NaN, drift ?? Number.NaN, session.distance ?? Number.NaN];
    });
  const [narrow, wide] = [await at(16), await at(4096)];
  // 1 / sqrt(m) would be a factor of 16; a third of that leaves room for chance.
  narrow.forEach((value, k) => {
    expect(wide[k]).toBeLessThan(value / 5);
  });
});

describe("stopped and carried on", () => {
  it("has taken as many whole steps on both sides, and goes on along the same curve", async () => {
    const whole = await using({}, async (session) => {
      await session.steps(90);
      return session.point();
    });
    await using({}, async (session) => {
      const stop = new AbortController();
      const onProgress = () => stop.abort(new Error("enough"));
      await expect(session.steps(90, { signal: stop.signal, onProgress })).rejects.toThrow("enough");
      expect(session.step).toBeGreaterThan(0);
      expect(session.step).toBeLessThan(90);
      await session.steps(90 - session.step);
      expect(await session.point()).toEqual(whole);
    });
  });

  it("begins again on the same backend with the same bits", async () => {
    await using({ batch: 5 }, async (session) => {
      await session.steps(17);
      const before = await session.point();
      await session.continueOn("wasm");
      expect(await session.point()).toEqual(before);
    });
  });

  it("after its GPU was lost it goes on in the core where the GPU was, to 1e-4", async () => {
    await installGpuGlobals();
    const devices: GPUDevice[] = [];
    const entry = navigator.gpu;
    const requestAdapter = entry.requestAdapter.bind(entry);
    vi.spyOn(entry, "requestAdapter").mockImplementation(async (options) => {
      const adapter = await requestAdapter(options);
      const requestDevice = adapter?.requestDevice.bind(adapter);
      if (adapter && requestDevice)
        adapter.requestDevice = async (descriptor) => {
          const device = await requestDevice(descriptor);
          devices.push(device);
          return device;
        };
      return adapter;
    });
    const expected = await using({}, async (session) => {
      await session.steps(40);
      return session.point();
    });
    await using({ backend: "webgpu", kernelRows: 4 }, async (session) => {
      expect(session.backend).toBe("webgpu");
      await session.steps(10);
      await session.point();
      await session.steps(10);
      devices.at(-1)?.destroy();
      await expect(session.steps(20)).rejects.toThrow(DeviceLostError);
      await session.continueOn("wasm");
      expect([session.backend, session.step]).toEqual(["wasm", 20]);
      await session.steps(20);
      const { network: f } = await session.point();
      f?.test.forEach((value, i) => {
        expect(Math.abs(value - (expected.network?.test[i] ?? Number.NaN))).toBeLessThan(1e-4);
      });
    });
  });
});

it("names the argument that is wrong", async () => {
  const wrong: [Partial<Record<keyof CompareOptions, unknown>>, RegExp][] = [
    [{ width: 0 }, /^width: /],
    [{ width: Number.NaN }, /^width: /],
    [{ depth: 0 }, /^depth: /],
    [{ kernelRows: 25 }, /^kernelRows: /],
    [{ learningRate: 2000 }, /^lambda: expected learningRate \* lambda < 1/],
    [{ setting: "both" }, /^setting: /],
    [{ test: undefined }, /^test: /],
    [{ batch: 0 }, /^batch: /],
  ];
  for (const [options, message] of wrong)
    await expect(openComparison({ train, test, width: 8, runtime, ...options } as CompareOptions)).rejects.toThrow(
      message,
    );
  await using({}, async (session) => {
    await expect(session.steps(-1)).rejects.toThrow(/^count: /);
    session.dispose();
    await expect(session.steps(1)).rejects.toThrow(/disposed/);
  });
});
