// The SDK in a page of Chromium: once in a page that may share memory between threads (cross-origin isolated), once in
// one that may not. Not here: WebGPU and TensorFlow.js in a page (test/networks/backends.test.ts).
import { afterEach, describe, expect, it, vi } from "vitest";
import { commands } from "vitest/browser";
import * as sdk from "../../sdk/index.js";
import { sendAll } from "../runtime/sending.js";
import { type Numbers, work } from "./work.js";

declare module "vitest/browser" {
  interface BrowserCommands {
    workInNode: () => Promise<Numbers>;
  }
}

afterEach(() => vi.unstubAllGlobals());

const isolated = globalThis.crossOriginIsolated;

it("is isolated exactly where the page was served so", ({ task }) => {
  expect(isolated).toBe(task.file.projectName?.startsWith("isolated page"));
});

it("works on as many threads as asked for, which share the memory where it may be shared", async () => {
  const runtime = await sdk.Runtime.create({ threads: 3 });
  expect([runtime.threads, runtime.sharedThreads]).toEqual([3, isolated ? 3 : 0]);
  expect(Object.prototype.toString.call(runtime.memory.memory.buffer)).toBe(
    isolated ? "[object SharedArrayBuffer]" : "[object ArrayBuffer]",
  );
  await runtime.close();
  expect((await sdk.defaultRuntime()).threads).toBe(navigator.hardwareConcurrency);
});

describe("machines, certificates, networks and files", () => {
  it.each([0, 1, 3])("are the same bits on %i threads as in Node", async (threads) => {
    const [here, there] = [await work(sdk, threads), await commands.workInNode()];
    expect(there.radii.some((radius) => radius > 0)).toBe(true);
    expect(here).toEqual(there);
  });
});

it("can be stopped, and stays able to work", async () => {
  const runtime = await sdk.Runtime.create({ threads: 2 });
  sendAll(runtime);
  const data = sdk.dataset({
    x: Float64Array.from({ length: 8000 }, (_, k) => Math.sin(k)),
    y: labels,
    shape: [1000, 8],
  });
  const stop = new AbortController();
  const kernel = sdk.ntk({ depth: 200 });
  const onProgress = ({ stage, done }: sdk.Progress) => {
    if (stage === "Gram matrix" && done > 0) stop.abort(new Error("enough"));
  };
  const options = { runtime, signal: stop.signal, onProgress };
  await expect(sdk.GramMatrix.create(kernel, data, options)).rejects.toThrow("enough");
  const gram = await sdk.GramMatrix.create(sdk.ntk(), data, { runtime });
  expect(gram.row(0)).toHaveLength(1000);
  await runtime.close();
});

const labels = Array.from({ length: 1000 }, (_, i) => (i % 2 === 0 ? 1 : -1));

it("says that there are no files and no packages", async () => {
  await expect(sdk.mnist({ digits: [0, 1] })).rejects.toThrow(sdk.DataSourceError);
  await expect(sdk.mnist({ digits: [0, 1] })).rejects.toThrow(/no packages: pass \{ source \}/);
  await expect(sdk.loadDataset("data.npz")).rejects.toThrow(
    /^data.npz: this runtime has no file system: pass the bytes/,
  );
});

it("says so when a page's policy lets no worker in, and does without where memory may not be shared", async () => {
  const Usual = Worker;
  // A worker that may not load fails as one that was refused does: with an event that carries no message.
  vi.stubGlobal("Worker", function refused() {
    return new Usual("/no/such/program.js");
  });
  const runtime = await sdk.Runtime.create({ threads: 2 });
  sendAll(runtime);
  const data = sdk.dataset({
    x: Float64Array.from({ length: 600 }, (_, k) => k % 7),
    y: labels.slice(0, 300),
    shape: [300, 2],
  });
  const gram = sdk.GramMatrix.create(sdk.ntk(), data, { runtime });
  if (isolated) await expect(gram).rejects.toThrow(/worker-src blob:/);
  else expect((await gram).row(0)).toHaveLength(300);
  expect(runtime.threads).toBe(isolated ? 2 : 0);
});
