// Memory, threads and lifetime of the runtime.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, expect, it, vi } from "vitest";
import { MemoryBudgetError } from "../../sdk/errors.js";
import { GramMatrix } from "../../sdk/kernels/gram.js";
import { ntk } from "../../sdk/kernels/kernel.js";
import { LinearMemory } from "../../sdk/runtime/memory.js";
import { coreBytes, unshared } from "../../sdk/runtime/module.js";
import { Runtime } from "../../sdk/runtime/runtime.js";
import { coreBytesOf, randomData, runtimeAt } from "../helpers.js";

afterEach(() => vi.unstubAllGlobals());

const freshMemory = (budget: number) =>
  new LinearMemory(new WebAssembly.Memory({ initial: 2, maximum: 4096, shared: true }), 65536, budget);

it("allocations never overlap, are aligned to 64, and what is released is found again", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 200_000 }), fc.nat(10)), { maxLength: 60 }), (steps) => {
      const memory = freshMemory(2 ** 28);
      const live = new Map<number, number>();
      for (const [bytes, drop] of steps) {
        const pointer = memory.allocate(bytes);
        expect(pointer % 64).toBe(0);
        for (const [start, size] of live) expect(pointer + bytes <= start || start + size <= pointer).toBe(true);
        live.set(pointer, bytes);
        const victim = [...live.keys()][drop];
        if (victim !== undefined) {
          memory.release(victim);
          live.delete(victim);
        }
      }
      for (const pointer of live.keys()) memory.release(pointer);
      expect(memory.bytesInUse).toBe(0);
      const all = memory.memory.buffer.byteLength - 65536;
      // Everything joined again: the whole region is one piece.
      memory.allocate(all);
      expect(memory.memory.buffer.byteLength - 65536).toBe(all);
    }),
    { numRuns: 100 },
  );
});

it("refuses to release twice and to pass the budget", () => {
  const memory = freshMemory(2 ** 20);
  const pointer = memory.allocate(100);
  memory.release(pointer);
  expect(() => memory.release(pointer)).toThrow(/already released/);
  expect(() => memory.allocate(2 ** 21, "a test")).toThrow(MemoryBudgetError);
  expect(memory.bytesInUse).toBe(0);
});

it("checks its options by name", async () => {
  await expect(Runtime.create({ threads: -1 })).rejects.toThrow(
    /^threads: expected an integer >= 0 and <= 64, got -1$/,
  );
  await expect(Runtime.create({ threads: 1.5 })).rejects.toThrow(RangeError);
  await expect(Runtime.create({ threads: "2" as unknown as number })).rejects.toThrow(TypeError);
  await expect(Runtime.create({ memory: 5 * 2 ** 30 })).rejects.toThrow(/^memory/);
  await expect(Runtime.create(null as unknown as object)).rejects.toThrow(TypeError);
});

it("takes relaxed SIMD where the engine validates it, plain SIMD otherwise, never the scalar reference", async () => {
  const relaxed = WebAssembly.validate(coreBytesOf("relaxed"));
  expect((await coreBytes()).level).toBe(relaxed ? "relaxed" : "simd");
});

it("jobs started together run one after another, and a job that fails is reported without harming the next", async () => {
  const runtime = await runtimeAt("simd", 2);
  const data = randomData(300, 5, 1);
  const [a, b] = await Promise.all([
    GramMatrix.create(ntk(), data, { runtime }),
    GramMatrix.create(ntk(), data, { runtime }),
  ]);
  expect(a.toArray()).toEqual(b.toArray());
  await expect(runtime.run("noSuchJob", 3, [])).rejects.toThrow(/noSuchJob/);
  await expect(runtime.run("gramTile", 1, [2 ** 32 - 64])).rejects.toThrow(/worker thread/);
  const p = new Float64Array(300).fill(1);
  expect(await a.multiply(p)).toEqual(await b.multiply(p));
  await runtime.close();
  await expect(a.multiply(p)).rejects.toThrow(/closed/);
});

/** Seconds of work, so that progress is reported on the way on any machine. */
const DEEP = ntk({ depth: 100 });
const slow = randomData(1800, 10, 1);

it("closing while a job runs rejects the job and those queued behind it; nothing hangs", async () => {
  const runtime = await runtimeAt("simd", 2);
  let closing: Promise<void> | undefined;
  const onProgress = ({ stage, done }: { stage: string; done: number }) => {
    if (stage === "Gram matrix" && done > 0) closing ??= runtime.close();
  };
  const [first, second] = await Promise.allSettled([
    GramMatrix.create(DEEP, slow, { runtime, onProgress }),
    GramMatrix.create(ntk(), randomData(10, 2, 1), { runtime }),
  ]);
  expect(closing).toBeDefined();
  expect(String(first.status === "rejected" && first.reason)).toMatch(/^Error: runtime: it was closed/);
  // The small one's packing may have come first; its tiles were queued behind the large one's.
  expect(String(second.status === "rejected" && second.reason)).toMatch(/^Error: runtime: it was closed/);
  await closing;
});

it("an onProgress that throws between chunks ends the job with its error, not the process", async () => {
  const runtime = await runtimeAt("simd", 2);
  let calls = 0;
  const onProgress = ({ stage, done }: { stage: string; done: number }) => {
    if (stage === "Gram matrix" && done > 0 && ++calls === 1) throw new Error("from the caller");
  };
  const job = GramMatrix.create(DEEP, slow, { runtime, onProgress });
  await expect(job).rejects.toThrow("from the caller");
  await runtime.close();
});

it("without shared memory it computes the same bits", async () => {
  const data = randomData(300, 7, 2, true);
  const usual = await GramMatrix.create(ntk(), data, { runtime: await runtimeAt("simd", 2) });
  vi.stubGlobal("crossOriginIsolated", false);
  const runtime = await Runtime.create({ threads: 4, level: "simd" });
  expect([runtime.threads, runtime.sharedThreads]).toEqual([4, 0]);
  expect(runtime.memory.memory.buffer).not.toBeInstanceOf(SharedArrayBuffer);
  expect((await GramMatrix.create(ntk(), data, { runtime })).toArray()).toEqual(usual.toArray());
  expect(unshared(coreBytesOf("simd"))).toHaveLength(coreBytesOf("simd").length);
});

it("takes a module of one's own, and says what is wrong with one that is none", async () => {
  const runtime = await Runtime.create({ threads: 1, level: "simd", module: coreBytesOf("simd") });
  expect((await GramMatrix.create(ntk(), randomData(5, 2, 1), { runtime })).row(0)).toHaveLength(5);
  await runtime.close();
  await expect(Runtime.create({ threads: 0, module: Uint8Array.of(1, 2, 3) })).rejects.toThrow(
    /^module: expected the core's WebAssembly, got 3 bytes/,
  );
});

it("a program that fits and never closes its runtime ends by itself", () => {
  const program = `
    import { dataset, ntk, svm } from ${JSON.stringify(join(import.meta.dirname, "../../dist/index.js"))};
    const data = dataset({ x: Float64Array.of(1, 0, 0, 1), y: [1, -1], shape: [2, 2] });
    console.log((await svm({ kernel: ntk(), c: 1 }).fit(data)).rows.n);`;
  const run = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
    timeout: 30_000,
    encoding: "utf8",
  });
  expect(run.stderr).toBe("");
  expect(run.status).toBe(0);
  expect(run.stdout.trim()).toBe("2");
});
