// Threads without shared memory: jobs on copies of the memory give the bits of one thread, can be stopped, fail with an
// error, and take no memory that they may not. In Node, told that it may not share; in a page: test/browser/page.test.ts.
// Not here: threads that share memory (runtime.test.ts).
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import * as sdk from "../../sdk/index.js";
import type { Thread } from "../../sdk/runtime/threads.js";
import { Copies } from "../../sdk/runtime/transfers.js";
import { coreBytesOf, randomData, runtimeAt } from "../helpers.js";
import { inside, sendAll, watchSending } from "./sending.js";

beforeEach(() => {
  vi.stubGlobal("crossOriginIsolated", false);
});
afterEach(() => vi.unstubAllGlobals());

/** A runtime that may not share. */
function unsharedRuntime(threads: number, options: sdk.RuntimeOptions = {}): Promise<sdk.Runtime> {
  return sdk.Runtime.create({ threads, level: "simd", module: coreBytesOf("simd"), ...options });
}

const kernel = sdk.ntk();
const pixels = randomData(300, 16, 1, true);
const reals = randomData(150, 5, 2);
const few = pixels.subset(Array.from({ length: 9 }, (_, k) => k));
const large = randomData(1100, 4, 3);

/** Certificates without the time that each took. */
const timeless = ({ perSample }: sdk.Report) => perSample.map((sample) => ({ ...sample, seconds: 0 }));

/** Something of every job of the core, by what it is. */
const WORK: Readonly<Record<string, (runtime: sdk.Runtime) => Promise<unknown>>> = {
  async matrices(runtime) {
    const p = Float64Array.from({ length: pixels.n }, (_, i) => Math.sin(i));
    const of = async (storage: "float64" | "float32" | "streamed") => {
      const gram = await sdk.GramMatrix.create(kernel, pixels, { runtime, storage });
      return [await gram.multiply(p), storage === "float64" ? await sdk.eigenvalues(gram) : gram.row(70)];
    };
    const cross = await sdk.crossGram(kernel, reals, reals, { runtime });
    return [await of("float64"), await of("float32"), await of("streamed"), cross.values];
  },
  async machines(runtime) {
    const ridge = await sdk.krrPath({ kernel, lambdas: [0.1, 10] }).fit(large, { runtime });
    const descents = await sdk.svmSgdSeeds({ kernel, epochs: 3, seeds: [1, 2] }).fit(reals, { runtime });
    const svm = await sdk.svm({ kernel, c: 1 }).fit(pixels, { runtime });
    const decisions = await svm.decisionFunction(pixels, { runtime });
    const flow = await sdk.generalFlow(kernel, large, { loss: "logistic", lambda: 1, times: [0.01], runtime });
    const exact = await sdk.squaredFlow(kernel, reals, { runtime });
    return [
      ridge.map(({ alpha }) => alpha),
      descents.map(({ alpha }) => alpha),
      svm.alpha,
      decisions,
      flow.alpha,
      exact.at(1),
    ];
  },
  async classes(runtime) {
    const labels = Array.from({ length: reals.n }, (_, i) => i % 3);
    const data = sdk.classSet({ x: reals.x, labels, shape: [reals.n, reals.d] });
    const machine = await sdk.oneVsRest(sdk.krr({ kernel, lambda: 1 })).fit(data, { runtime });
    const options = { runtime, search: false, radii: [0.01], samples: 20 };
    const { perSample } = await sdk.certifyClasses(machine, data, options);
    return [await machine.decisionFunctions(data, { runtime }), perSample];
  },
  async certificates(runtime) {
    const machine = await sdk.svm({ kernel, c: 1 }).fit(pixels, { runtime });
    const deep = await sdk.krr({ kernel: sdk.ntk({ depth: 2 }), lambda: 1 }).fit(reals, { runtime });
    const reports = [];
    // Intervals are certified sixteen rows at a time.
    for (const [method, rows] of [
      ["interval", pixels],
      ["linear", few],
      ["best", few],
    ] as const)
      reports.push(timeless(await sdk.certify(machine, rows, { method, runtime })));
    const found = await sdk.attack(machine, few, { runtime });
    return [
      reports,
      timeless(await sdk.certify(deep, reals, { runtime })),
      await sdk.machineBounds(machine, few, 0.01, { method: "linear", runtime }),
      found.perSample.map(({ radius }) => radius),
      await sdk.outputGradients(machine, few, { runtime }),
    ];
  },
  async networks(runtime) {
    const model = await sdk.trainNetwork(sdk.network({ widths: [200], seed: 1 }), pixels, {
      epochs: 2,
      backend: "wasm",
      runtime,
    });
    const spec = sdk.network({ widths: [130, 140], seed: 2 });
    const two = await sdk.trainNetwork(spec, reals, { epochs: 1, backend: "wasm", runtime });
    const reports = [];
    for (const method of ["ibp", "linear", "paired", "aggregate"] as const)
      reports.push(timeless(await sdk.certify(model, few, { method, runtime })));
    return [
      model.weights,
      reports,
      timeless(await sdk.certify(two, reals, { method: "ibp", runtime })),
      await sdk.networkBounds(two, reals, 0.01, { runtime }),
      await sdk.networkBounds(model, few, 0.01, { offset: "difference", runtime }),
      await sdk.relaxedBounds(model, few, 0.01, { runtime }),
      (await sdk.tangentKernel(spec, two.weights, reals, reals, { runtime })).values,
    ];
  },
};

/** Every job of the core: the exported functions of assembly/ whose first parameter is a chunk. */
function jobsOfCore(): string[] {
  const folder = join(import.meta.dirname, "../../assembly");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  const exported = readFileSync(join(folder, "index.ts"), "utf8");
  const text = files.map((file) => readFileSync(join(folder, file), "utf8")).join("\n");
  const found = [...text.matchAll(/^export function (\w+)\(\s*chunk: i32/gm)].map(([, name = ""]) => name);
  return found.filter((name) => new RegExp(`\\b${name}\\b`).test(exported));
}

/** Jobs of one chunk, and those whose threads wait for one another. */
const STAY = ["descentSteps", "networkOutputs", "networkSteps"];

describe("every job of the core on copies", () => {
  const seen = new Set<string>();

  it.each(Object.keys(WORK))("%s: the same bits as on the calling thread, on three threads", async (name) => {
    vi.unstubAllGlobals();
    const usual = await runtimeAt("simd");
    const expected = await WORK[name]!(usual);
    vi.stubGlobal("crossOriginIsolated", false);
    const runtime = await unsharedRuntime(3);
    const sent = sendAll(runtime);
    expect(await WORK[name]!(runtime)).toEqual(expected);
    expect([runtime.threads, runtime.sharedThreads]).toEqual([3, 0]);
    for (const { name: job } of sent) seen.add(job);
    await runtime.close();
  });

  it("was among these", () => {
    const jobs = jobsOfCore();
    expect(jobs.length).toBeGreaterThan(25);
    expect([...seen].sort()).toEqual(jobs.filter((job) => !STAY.includes(job)).sort());
  });
});

it("short jobs stay on the calling thread, and start none", async () => {
  const runtime = await unsharedRuntime(2);
  await sdk.GramMatrix.create(kernel, reals, { runtime });
  expect(inside(runtime).copies).toBeUndefined();
});

/** Most of a second's work on any machine. */
const DEEP = sdk.ntk({ depth: 100 });
const slow = randomData(600, 10, 1);

it("a job that turns out long is sent out in its midst, and the next one at once", async () => {
  const runtime = await unsharedRuntime(2);
  const sent = watchSending(runtime);
  const grams = [];
  for (let k = 0; k < 2; k++) grams.push(await sdk.GramMatrix.create(DEEP, slow, { runtime }));
  expect(grams[1]?.toArray()).toEqual(grams[0]?.toArray());
  const firsts = sent.filter(({ name }) => name === "gramTile").map(({ first }) => first);
  expect(firsts).toHaveLength(2);
  expect(firsts[0]).toBeGreaterThan(0);
  expect(firsts[1]).toBe(0);
  await runtime.close();
});

describe("a job on copies", () => {
  it("stops in the midst of a chunk when it is cancelled, gives everything back, and the next one works", async () => {
    const runtime = await unsharedRuntime(2);
    sendAll(runtime);
    const before = runtime.memory.bytesInUse;
    const stop = new AbortController();
    const reason = { why: "enough" };
    const onProgress = ({ stage, done }: sdk.Progress) => {
      if (stage === "Gram matrix" && done > 0) stop.abort(reason);
    };
    const job = sdk.GramMatrix.create(DEEP, slow, { runtime, signal: stop.signal, onProgress });
    await expect(job).rejects.toBe(reason);
    expect([runtime.memory.bytesInUse, runtime.memory.copies]).toEqual([before, 0]);
    const gram = await sdk.GramMatrix.create(kernel, pixels, { runtime });
    expect(gram.row(0)).toHaveLength(pixels.n);
    expect(runtime.threads).toBe(2);
    await runtime.close();
  });

  it("fails with what onProgress throws, with a thread's error, and with closing; nothing hangs", async () => {
    const runtime = await unsharedRuntime(2);
    sendAll(runtime, 9);
    const error = new Error("from the caller");
    const onProgress = ({ stage, done }: sdk.Progress) => {
      if (stage === "Gram matrix" && done > 0) throw error;
    };
    await expect(sdk.GramMatrix.create(DEEP, slow, { runtime, onProgress })).rejects.toBe(error);
    await expect(runtime.run("gramTile", 2, [2 ** 32 - 64])).rejects.toThrow(/^worker thread: RuntimeError/);
    await expect(runtime.run("noSuchJob", 2, [])).rejects.toThrow(/noSuchJob/);
    const gram = await sdk.GramMatrix.create(kernel, pixels, { runtime });
    expect(gram.row(0)).toHaveLength(pixels.n);
    let closing: Promise<void> | undefined;
    const close = ({ stage, done }: sdk.Progress) => {
      if (stage === "Gram matrix" && done > 0) closing ??= runtime.close();
    };
    await expect(sdk.GramMatrix.create(DEEP, slow, { runtime, onProgress: close })).rejects.toThrow(/it was closed/);
    await closing;
  });

  it("leaves alone what the calling thread allocates and writes meanwhile", async () => {
    const runtime = await unsharedRuntime(2);
    sendAll(runtime);
    const scope = runtime.scope();
    const early = scope.f64(1000);
    const written = Float64Array.from({ length: 1000 }, (_, k) => k + 0.5);
    let late: number | undefined;
    const onProgress = ({ stage, done }: sdk.Progress) => {
      if (stage !== "Gram matrix" || done === 0 || late !== undefined) return;
      runtime.memory.f64(early, 1000).set(written);
      late = scope.f64(2 ** 20, new Float64Array(2 ** 20).fill(7));
    };
    await sdk.GramMatrix.create(DEEP, slow, { runtime, onProgress });
    expect(runtime.memory.f64(early, 1000)).toEqual(written);
    expect(runtime.memory.f64(late ?? 0, 2 ** 20).every((value) => value === 7)).toBe(true);
    await runtime.close();
  });
});

describe("memory", () => {
  it("copies count in the budget: where they do not fit, the calling thread works", async () => {
    const runtime = await unsharedRuntime(2, { memory: 16 * 2 ** 20 });
    const sent = sendAll(runtime);
    // More than 5 MiB in tiles: two threads would hold more than the rest.
    const gram = await sdk.GramMatrix.create(kernel, large, { runtime, storage: "float64" });
    expect(gram.row(0)).toHaveLength(large.n);
    expect(new Set(sent.map(({ name }) => name))).toEqual(new Set(["packRows"]));
    await runtime.close();
  });

  it("of idle threads is given back when the budget is short of it", async () => {
    const runtime = await unsharedRuntime(2, { memory: 2 ** 27 });
    sendAll(runtime);
    const first = await sdk.GramMatrix.create(kernel, slow, { runtime, storage: "float64" });
    const held = runtime.memory.copies;
    // At least the tiles, on each of two threads.
    expect(held).toBeGreaterThan(2 * slow.n * slow.n * 4);
    const rest = runtime.memory.budget - runtime.memory.bytesInUse - held / 2;
    runtime.memory.release(runtime.memory.allocate(rest));
    expect([runtime.memory.copies, (await inside(runtime).copies)?.pool]).toEqual([0, undefined]);
    const second = await sdk.GramMatrix.create(kernel, slow, { runtime, storage: "float64" });
    expect(second.row(3)).toEqual(first.row(3));
    await runtime.close();
  });

  it("that an engine refuses to threads leaves the work to the calling thread", async () => {
    const runtime = await unsharedRuntime(2);
    sendAll(runtime);
    const own = Copies.prototype as unknown as { open(): Promise<readonly Thread[]> };
    const usual = own.open;
    const open = vi.spyOn(own, "open").mockImplementation(async function (this: typeof own) {
      const send: Thread["send"] = () => Promise.reject(new RangeError("no more"));
      return (await usual.call(this)).map((thread) => ({ ...thread, send }));
    });
    const gram = await sdk.GramMatrix.create(kernel, large, { runtime });
    expect(gram.row(0)).toHaveLength(large.n);
    expect(runtime.threads).toBe(0);
    expect(open).toHaveBeenCalledOnce();
    open.mockRestore();
    await runtime.close();
  });
});

it("threads that are refused are done without, asked for or not", async () => {
  const runtime = await unsharedRuntime(2, { worker: "/no/such/program.js" });
  sendAll(runtime);
  const gram = await sdk.GramMatrix.create(kernel, large, { runtime });
  expect(gram.row(0)).toHaveLength(large.n);
  expect(runtime.threads).toBe(0);
});

it("a program that waits for nothing else is kept alive while threads work, and ends by itself", () => {
  const program = `
    globalThis.crossOriginIsolated = false;
    const { dataset, GramMatrix, ntk, Runtime } = await import(${JSON.stringify(join(import.meta.dirname, "../../dist/index.js"))});
    const runtime = await Runtime.create({ threads: 2 });
    runtime.paces.get = () => 1e6;
    const data = dataset({ x: Float64Array.from({ length: 600 }, (_, k) => 1 + (k % 7)), y: Array(300).fill(1), shape: [300, 2] });
    const gram = await GramMatrix.create(ntk(), data, { runtime });
    console.log(gram.row(0).length, (await runtime.copies).threads);`;
  const run = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
    timeout: 60_000,
    encoding: "utf8",
  });
  expect([run.stderr, run.status, run.stdout.trim()]).toEqual(["", 0, "300 2"]);
});
