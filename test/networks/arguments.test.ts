// What networks refuse, by error type and by the argument they name, and what a diverging run leaves behind. Not here:
// adapters that fail later on (webgpu.test.ts) and the command line's own words (test/cli/).
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { Dataset } from "../../sdk/data/dataset.js";
import { DivergenceError, MemoryBudgetError } from "../../sdk/errors.js";
import { initialWeights } from "../../sdk/networks/initial.js";
import { NetworkDivergenceError, NetworkModel, trainNetwork } from "../../sdk/networks/model.js";
import { network } from "../../sdk/networks/network.js";
import { openTraining } from "../../sdk/networks/train.js";
import { GpuUnavailableError } from "../../sdk/runtime/device-errors.js";
import { Runtime } from "../../sdk/runtime/runtime.js";
import { randomData } from "../helpers.js";

const small = 8 * 2 ** 20;
let runtime: Runtime;
let tight: Runtime;
beforeAll(async () => {
  runtime = await Runtime.create({ threads: 0 });
  tight = await Runtime.create({ threads: 0, memory: small });
});
afterAll(() => Promise.all([runtime.close(), tight.close()]));
afterEach(() => {
  vi.unstubAllGlobals();
});

const spec = network({ widths: [8, 6], seed: 1 });
const data = randomData(20, 5, 1);

/** What a promise was rejected with. */
const reasonOf = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable("nothing was refused"),
    (reason: unknown) => reason as Error,
  );

describe("network()", () => {
  const cases: [unknown, typeof TypeError | typeof RangeError, string][] = [
    [{ widths: [0] }, RangeError, "widths[0]: expected an integer >= 1 and <= 16777216, got 0"],
    [{ widths: [4, -1] }, RangeError, "widths[1]: expected an integer >= 1 and <= 16777216, got -1"],
    [{ widths: [2.5] }, RangeError, "widths[0]: expected an integer >= 1 and <= 16777216, got 2.5"],
    [{ widths: [Number.NaN] }, RangeError, "widths[0]: expected an integer >= 1 and <= 16777216, got NaN"],
    [{ widths: ["8"] }, TypeError, 'widths[0]: expected an integer >= 1 and <= 16777216, got "8"'],
    [{ widths: [] }, TypeError, "widths: expected an array of at least one width, got an array of length 0"],
    [{ widths: 8 }, TypeError, "widths: expected an array of at least one width, got 8"],
    [{ widths: [8], seed: -1 }, RangeError, "seed: expected an integer >= 0, got -1"],
    [{ widths: [8], parameterization: "mu" }, RangeError, 'parameterization: expected "ntk" | "lecun", got "mu"'],
    [null, TypeError, "options: expected an object, got null"],
  ];
  it.each(cases)("refuses %j", (options, type, message) => {
    expect(() => network(options as never)).toThrow(type);
    expect(() => network(options as never)).toThrow(message);
  });
});

describe("openTraining() and trainNetwork()", () => {
  const cases: [Record<string, unknown>, typeof TypeError | typeof RangeError, string][] = [
    ...[Number.NaN, Infinity, -Infinity, 0, -1].map((learningRate): (typeof cases)[number] => [
      { learningRate },
      RangeError,
      `learningRate: expected a finite number > 0, got ${learningRate}`,
    ]),
    [{ learningRate: "1" }, TypeError, 'learningRate: expected a finite number > 0, got "1"'],
    [{ lambda: Number.NaN }, RangeError, "lambda: expected a finite number >= 0, got NaN"],
    [{ epsilon: -1 }, RangeError, "epsilon: expected a finite number >= 0, got -1"],
    [{ batch: 0 }, RangeError, "batch: expected an integer >= 1"],
    [{ batch: "all" }, TypeError, "batch: expected an integer >= 1"],
    [{ loss: "ramp" }, RangeError, 'loss: expected "hinge" | "squared-hinge"'],
    [{ centred: 1 }, TypeError, "centred: expected a boolean, got 1"],
    [{ compensated: "no" }, TypeError, "compensated: expected a boolean, got no"],
    [{ backend: "cuda" }, RangeError, 'backend: expected "wasm" | "webgpu"'],
    [{ backend: 3 }, TypeError, 'backend: expected "wasm" | "webgpu"'],
  ];
  it.each(cases)("refuse %j", async (options, type, message) => {
    for (const reason of [
      await reasonOf(openTraining(spec, data, { ...options, runtime } as never)),
      await reasonOf(trainNetwork(spec, data, { ...options, epochs: 1, runtime } as never)),
    ]) {
      expect(reason).toBeInstanceOf(type);
      expect(reason.message).toContain(message);
    }
  });

  it("refuse a spec that network() did not make and would not make", async () => {
    for (const [made, type] of [
      [{ ...spec, widths: [0] }, RangeError],
      [{ ...spec, widths: "8" }, TypeError],
      [undefined, TypeError],
    ] as const)
      expect(await reasonOf(openTraining(made as never, data, { runtime }))).toBeInstanceOf(type);
  });

  it("refuse rows without labels", async () => {
    const { y, ...rows } = data;
    await expect(openTraining(spec, rows as Dataset, { runtime })).rejects.toThrow(TypeError);
    await expect(openTraining(spec, null as never, { runtime })).rejects.toThrow(TypeError);
  });

  it("name both figures when the network does not fit the budget, and take nothing of it", async () => {
    const before = tight.memory.bytesInUse;
    const reason = await reasonOf(openTraining(network({ widths: [1500, 1500] }), data, { runtime: tight }));
    expect(reason).toBeInstanceOf(MemoryBudgetError);
    const { needed, budget } = reason as MemoryBudgetError;
    expect(budget).toBe(small);
    // The second layer's float32 weights alone are more than the budget.
    expect(needed).toBeGreaterThan(1500 * 1500 * 4);
    expect(tight.memory.bytesInUse).toBe(before);
  });

  it("say what is missing where there is no WebGPU adapter", async () => {
    vi.stubGlobal("navigator", { gpu: { requestAdapter: () => Promise.resolve(null) } });
    const reason = await reasonOf(openTraining(spec, data, { backend: "webgpu", runtime }));
    expect(reason).toBeInstanceOf(GpuUnavailableError);
    expect(reason.message).toMatch(/^no GPU adapter was found: .*"wasm" backend$/);
    // "auto" does not ask for one, and finds the core.
    const session = await openTraining(network({ widths: [5000] }), data, { runtime });
    expect(session.backend).toBe("wasm");
    session.dispose();
  });
});

describe.each(["wasm", "tfjs-cpu"] as const)("a session on %s", (backend) => {
  it("refuses rows with other columns by both numbers, and weights of other sizes", async () => {
    const session = await openTraining(spec, data, { backend, runtime });
    try {
      const reason = await reasonOf(session.outputs(randomData(3, 4, 1)));
      expect(reason).toBeInstanceOf(RangeError);
      expect(reason.message).toBe("data: expected 5 columns, got 4");
      const other = await initialWeights(spec, 4, { runtime });
      await expect(session.restore(other, 0)).rejects.toThrow(/^weights\.hidden\[0\]: expected 40 entries, got 32$/);
    } finally {
      session.dispose();
    }
  });
});

it("a model refuses rows with other columns or units, and weights of other sizes", async () => {
  const model = await trainNetwork(spec, data, { epochs: 1, runtime });
  await expect(model.outputs(randomData(3, 4, 1), { runtime })).rejects.toThrow("data: expected 5 columns, got 4");
  await expect(model.predict(randomData(3, 5, 1, true), { runtime })).rejects.toThrow(TypeError);
  expect(() => new NetworkModel({ ...model, inputs: 4 } as never)).toThrow(RangeError);
});

describe.each(["wasm", "tfjs-cpu"] as const)("a diverging run on %s", (backend) => {
  it("stops at the step that its session stops at, and keeps finite weights of a step before it", async () => {
    const options = { loss: "squared", learningRate: 1e4, batch: 5, backend, runtime } as const;
    const reason = await reasonOf(trainNetwork(spec, data, { ...options, epochs: 100 }));
    expect(reason).toBeInstanceOf(NetworkDivergenceError);
    const { step, snapshot, message } = reason as NetworkDivergenceError;
    expect(message).toMatch(new RegExp(`at step ${step}: lower the learning rate`));
    const layers = [...snapshot.weights.hidden, snapshot.weights.output];
    expect(layers.every((layer) => layer.every(Number.isFinite))).toBe(true);
    const session = await openTraining(spec, data, options);
    try {
      const alone = await reasonOf(session.steps(400));
      expect(alone).toBeInstanceOf(DivergenceError);
      expect(step).toBe((alone as DivergenceError).step);
    } finally {
      session.dispose();
    }
    const start = await initialWeights(spec, 5, { runtime });
    // Steps were taken, and a file of the snapshot can be read again.
    expect(snapshot.weights).not.toEqual(start);
    expect(NetworkModel.load(snapshot.save()).weights).toEqual(snapshot.weights);
  });
});
