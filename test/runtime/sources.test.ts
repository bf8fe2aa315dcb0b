// Bytes from arrays, files, responses and streams, and what is said when they do not come. Needs Node's own classes of the
// web; pages run the short form in test/browser/. Not here: what the bytes mean.
import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, it, vi } from "vitest";
import { writeNpy } from "../../sdk/data/npy.js";
import { writeNpz } from "../../sdk/data/npz.js";
import { loadDataset } from "../../sdk/data/source.js";
import { DataSourceError, FormatError } from "../../sdk/errors.js";
import { ntk } from "../../sdk/kernels/kernel.js";
import { svm } from "../../sdk/machines/svm.js";
import { readModel } from "../../sdk/networks/model.js";
import { Runtime } from "../../sdk/runtime/runtime.js";
import { type ByteSource, bytesOf } from "../../sdk/runtime/sources.js";
import { coreBytesOf, randomData, runtimeAt } from "../helpers.js";

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** A stream of these chunks; it counts how many were asked for and remembers why it was cancelled. */
function streamOf(chunks: readonly unknown[], end: "close" | "never" | Error = "close") {
  const seen = { pulled: 0, cancelled: undefined as unknown };
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = chunks[seen.pulled++];
        if (chunk !== undefined) controller.enqueue(chunk as Uint8Array);
        else if (end === "close") controller.close();
        else if (end !== "never") controller.error(end);
        // A stream that never ends is never heard of again.
        else return new Promise(() => {});
      },
      cancel(reason) {
        seen.cancelled = reason;
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, seen };
}

const copy = (bytes: Uint8Array) => new Uint8Array(bytes) as Uint8Array<ArrayBuffer>;

/** Every kind of source of the same bytes. */
const sourcesOf = (bytes: Uint8Array, cut: number): ByteSource[] => [
  bytes,
  copy(bytes).buffer,
  new Blob([copy(bytes)]),
  new File([copy(bytes)], "data.bin"),
  new Response(copy(bytes)),
  streamOf([bytes.slice(0, cut), bytes.slice(cut)]).stream,
];

it("every source gives the same bytes, however a stream cuts them", async () => {
  const property = fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.nat(300), async (bytes, cut) => {
    for (const source of sourcesOf(bytes, cut)) {
      const read = await bytesOf(source, { sha256: sha256(bytes).toUpperCase() });
      expect(read.constructor).toBe(Uint8Array);
      expect(read).toEqual(new Uint8Array(bytes));
    }
  });
  await fc.assert(property, { numRuns: 40 });
});

it("a part of a larger buffer, or a Buffer, is read as the part that it is", async () => {
  const whole = Uint8Array.of(9, 1, 2, 3, 9);
  expect(await bytesOf(whole.subarray(1, 4))).toEqual(Uint8Array.of(1, 2, 3));
  const read = await bytesOf(Buffer.from(whole).subarray(1, 4));
  expect(Buffer.isBuffer(read)).toBe(false);
  expect(read).toEqual(Uint8Array.of(1, 2, 3));
});

it("progress rises to the total, which is Infinity until a length is known", async () => {
  const bytes = new Uint8Array(300).fill(7);
  const steps: [number, number][] = [];
  const onProgress = ({ stage, done, total }: { stage: string; done: number; total: number }) => {
    expect(stage).toBe("reading source");
    steps.push([done, total]);
  };
  await bytesOf(streamOf([bytes.slice(0, 100), bytes.slice(100)]).stream, { onProgress });
  expect(steps).toEqual([...[0, 100, 300].map((done) => [done, Infinity]), [300, 300]]);
  steps.length = 0;
  await bytesOf(new Response(copy(bytes), { headers: { "Content-Length": "300" } }), { onProgress });
  expect(steps.at(0)).toEqual([0, 300]);
  expect(steps.at(-1)).toEqual([300, 300]);
  // Compressed on the way: the length is that of what was sent.
  steps.length = 0;
  const headers = { "Content-Length": "20", "Content-Encoding": "gzip" };
  await bytesOf(new Response(copy(bytes), { headers }), { onProgress });
  expect(steps.pop()).toEqual([300, 300]);
  expect(steps.every(([, total]) => total === Infinity)).toBe(true);
});

it("another SHA-256 than expected is an error with both", async () => {
  const bytes = Uint8Array.of(1, 2, 3);
  const other = "0".repeat(64);
  const read = bytesOf(new File([bytes], "model.safetensors"), { sha256: other });
  await expect(read).rejects.toThrow(DataSourceError);
  await expect(read).rejects.toThrow(`model.safetensors: expected SHA-256 ${other}, got ${sha256(bytes)}`);
});

it("what can not be read says why, and by which name", async () => {
  const missing = new Response("nothing here", { status: 404, statusText: "Not Found" });
  await expect(bytesOf(missing, { name: "a.npz" })).rejects.toThrow(/^a\.npz: the server answered 404 Not Found$/);
  const used = new Response("once");
  await used.text();
  await expect(bytesOf(used)).rejects.toThrow(/was read before/);
  const { stream } = streamOf([Uint8Array.of(1)]);
  stream.getReader();
  await expect(bytesOf(stream)).rejects.toThrow(/is being read elsewhere/);
  const broken = streamOf([Uint8Array.of(1)], new Error("connection lost"));
  const read = bytesOf(broken.stream);
  await expect(read).rejects.toThrow(DataSourceError);
  await expect(read).rejects.toThrow("source: can not be read to its end (connection lost)");
  await expect(bytesOf(streamOf(["text"]).stream)).rejects.toThrow(TypeError);
});

it("a source of too many bytes is refused, and a stream cancelled as soon as that is clear", async () => {
  const chunk = new Uint8Array(1000);
  const endless = streamOf(new Array(1000).fill(chunk));
  await expect(bytesOf(endless.stream, { maxBytes: 4500 })).rejects.toThrow(/has more than 4500 bytes/);
  expect(endless.seen.pulled).toBe(5);
  await expect(bytesOf(chunk, { maxBytes: 999 })).rejects.toThrow(/raise maxBytes/);
  expect(await bytesOf(chunk, { maxBytes: 1000 })).toHaveLength(1000);
});

it("an aborted signal ends the reading with its reason, even of a stream that says nothing more", async () => {
  const reason = new Error("enough");
  await expect(bytesOf(Uint8Array.of(1), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  const stop = new AbortController();
  const silent = streamOf([Uint8Array.of(1)], "never");
  const onProgress = vi.fn(({ done }: { done: number }) => {
    if (done === 1) setTimeout(() => stop.abort(reason), 5);
  });
  await expect(bytesOf(silent.stream, { signal: stop.signal, onProgress })).rejects.toBe(reason);
  expect(silent.seen.cancelled).toBe(reason);
});

it("an onProgress that throws ends the reading with its error", async () => {
  const { stream, seen } = streamOf([Uint8Array.of(1), Uint8Array.of(2)]);
  const onProgress = () => {
    throw new Error("from the caller");
  };
  await expect(bytesOf(stream, { onProgress })).rejects.toThrow(/^from the caller$/);
  expect(seen.pulled).toBe(0);
});

it("anything else is a TypeError, a bad option a RangeError or TypeError that names it", async () => {
  for (const value of [
    undefined,
    null,
    1,
    "path",
    [1, 2],
    {},
    () => 0,
    new Float64Array(2),
    new DataView(new ArrayBuffer(1)),
  ])
    await expect(bytesOf(value as unknown as ByteSource)).rejects.toThrow(/^source: expected a Uint8Array/);
  const bytes = Uint8Array.of(1);
  await expect(bytesOf(bytes, { sha256: "abc" })).rejects.toThrow(/^sha256: expected 64 hexadecimal digits, got "abc"/);
  await expect(bytesOf(bytes, { sha256: 1 as unknown as string })).rejects.toThrow(TypeError);
  await expect(bytesOf(bytes, { maxBytes: -1 })).rejects.toThrow(/^maxBytes/);
  await expect(bytesOf(bytes, null as unknown as object)).rejects.toThrow(TypeError);
});

it("models are read from every source; a file of something else is named", async () => {
  const runtime = await runtimeAt("simd");
  const machine = await svm({ kernel: ntk(), c: 1 }).fit(randomData(20, 3, 1), { runtime });
  const file = machine.save();
  for (const source of sourcesOf(file, 100)) expect((await readModel(source)).save()).toEqual(file);
  await expect(readModel(new Blob(["no model at all"]))).rejects.toThrow(FormatError);
});

it("data sets are read from every source of an NPZ file, or of two NPY files", async () => {
  const data = randomData(7, 3, 2, true);
  const x = { shape: [7, 3], data: data.x };
  const y = { shape: [7], data: data.y };
  for (const source of sourcesOf(writeNpz({ x, y, x_test: x, y_test: y }), 50)) {
    const { train, test, splits } = await loadDataset(source);
    expect(splits).toBe("separate");
    expect(await train.hash()).toBe(await data.hash());
    expect(await test.hash()).toBe(await data.hash());
  }
  const names = await loadDataset(new File([copy(writeNpz({ x, y }))], "mine.npz"));
  expect(names.train.name).toBe("mine.npz train");
  const pair = await loadDataset({ x: new Blob([copy(writeNpy(x))]), y: writeNpy(y) });
  expect(await pair.train.hash()).toBe(await data.hash());
  await expect(loadDataset({ x: writeNpy(x) } as unknown as ByteSource)).rejects.toThrow(/^data\.y: expected/);
  await expect(loadDataset(new Blob(["not an archive"]))).rejects.toThrow(FormatError);
});

it("a runtime takes its core from every source, a promise of one, or a module compiled before", async () => {
  const bytes = coreBytesOf("simd");
  for (const module of [...sourcesOf(bytes, 1000), Promise.resolve(bytes), await WebAssembly.compile(bytes)]) {
    const runtime = await Runtime.create({ threads: 0, module });
    expect(runtime.level).toBe("simd");
    await runtime.close();
  }
  await expect(Runtime.create({ module: "core.wasm" as unknown as Uint8Array })).rejects.toThrow(/^module: expected/);
  await expect(Runtime.create({ worker: 1 as unknown as string })).rejects.toThrow(/^worker: expected an address/);
  vi.stubGlobal("crossOriginIsolated", false);
  const compiled = WebAssembly.compile(bytes);
  await expect(Runtime.create({ module: compiled })).rejects.toThrow(/a compiled one needs shared memory/);
  vi.unstubAllGlobals();
});
