// Ridge systems of several targets at once: each column is what it is alone, residuals hold when they are measured again
// here, threads and storage change no bit, and memory is as it was estimated. Machines are in krr.test.ts.
import { expect, it } from "vitest";
import { type Dataset, dataset } from "../../sdk/data/dataset.js";
import { ConvergenceError, MemoryBudgetError } from "../../sdk/errors.js";
import { GramMatrix } from "../../sdk/kernels/gram.js";
import { ntk } from "../../sdk/kernels/kernel.js";
import { type KrrOptions, krr } from "../../sdk/machines/krr.js";
import type { Machine } from "../../sdk/machines/machine.js";
import { estimateRidgeMemory } from "../../sdk/machines/ridge.js";
import { Runtime, type WorkOptions } from "../../sdk/runtime/runtime.js";
import { clouds } from "../clouds.js";
import { randomData, runtimeAt } from "../helpers.js";

const kernel = ntk();
const TEN = clouds(1300, 8, 10, 1);

/** Each class of the ten against the rest: sets that share their rows. */
const ten = (): Dataset[] => TEN.classes.map((_, c) => TEN.against(c));

function together(
  sets: readonly Dataset[],
  options: Omit<KrrOptions, "kernel">,
  work: WorkOptions,
): Promise<Machine[]> {
  const { fitTogether } = krr({ kernel, ...options });
  if (fitTogether === undefined) throw new Error("krr() solves several targets together");
  return fitTogether(sets, work);
}

/** ||y - (K + lambda/2 I) alpha|| / ||y|| by plain sums. */
function residualOf(matrix: Float64Array, { y }: Dataset, { alpha }: Machine, lambda: number): number {
  const n = y.length;
  let [square, size] = [0, 0];
  for (let i = 0; i < n; i++) {
    let rest = (y[i] ?? 0) - (lambda / 2) * (alpha[i] ?? 0);
    for (let j = 0; j < n; j++) rest -= (matrix[i * n + j] ?? 0) * (alpha[j] ?? 0);
    square += rest * rest;
    size += (y[i] ?? 0) ** 2;
  }
  return Math.sqrt(square / size);
}

it("ten targets in lockstep: each residual, measured by plain sums here, is at most 1e-8, and each solution that of its own fit to 2e-8 ||y|| / (lambda / 2)", async () => {
  const runtime = await runtimeAt("simd");
  const sets = ten();
  const gram = await GramMatrix.create(kernel, TEN, { runtime });
  const lambda = 0.3;
  const machines = await together(sets, { lambda, gram, rank: 64 }, { runtime });
  const matrix = gram.toArray();
  for (const [c, machine] of machines.entries()) {
    const own = sets[c] as Dataset;
    expect(residualOf(matrix, own, machine, lambda)).toBeLessThanOrEqual(1.01e-8);
    // What the machine says of itself is what was measured here, to the rounding of 1,300 terms.
    expect(machine.training.relativeResidual).toBeLessThanOrEqual(1e-8);
    if (c % 4 !== 0) continue;
    const alone = await krr({ kernel, lambda, gram, rank: 64 }).fit(own, { runtime });
    const away = Math.hypot(...alone.alpha.map((value, i) => value - (machine.alpha[i] ?? Number.NaN)));
    // Both residuals are at most 1e-8 ||y||, and the smallest eigenvalue is at least lambda / 2.
    expect(away).toBeLessThanOrEqual((2e-8 * Math.sqrt(own.n)) / (lambda / 2));
  }
  gram.dispose();
});

it("columns that converge at different times leave by themselves: zero, constant, rough, large and single targets, each to 1e-8", async () => {
  const runtime = await runtimeAt("simd");
  const rows = randomData(1200, 6, 4, true);
  const base = dataset({ x: rows.x, y: new Float64Array(1200), shape: [1200, 6], task: "regression" });
  const sets = [
    new Float64Array(1200),
    new Float64Array(1200).fill(1),
    Float64Array.from({ length: 1200 }, (_, i) => Math.sin(i * i)),
    Float64Array.from({ length: 1200 }, (_, i) => 1e6 * Math.cos(i)),
    Float64Array.from({ length: 1200 }, (_, i) => (i === 7 ? 1 : 0)),
  ].map((y): Dataset => {
    const own = dataset({ x: rows.x, y, shape: [1200, 6], task: "regression" });
    // The same rows, and not a copy of them.
    return Object.defineProperty(own, "x", { value: base.x });
  });
  const gram = await GramMatrix.create(kernel, base, { runtime });
  const matrix = gram.toArray();
  const machines = await together(sets, { lambda: 0.01, gram, rank: 64 }, { runtime });
  expect(machines[0]?.alpha).toEqual(new Float64Array(1200));
  expect(new Set(machines.map(({ training }) => training.iterations)).size).toBeGreaterThan(2);
  for (const [k, machine] of machines.entries())
    if (k > 0) expect(residualOf(matrix, sets[k] as Dataset, machine, 0.01)).toBeLessThanOrEqual(1.01e-8);
  const short = together(sets, { lambda: 0.01, gram, rank: 64, maxIterations: 2 }, { runtime });
  await expect(short).rejects.toThrow(ConvergenceError);
  gram.dispose();
});

it("0, 1, 2 and 3 threads, stored and streamed: the same bits for ten targets", async () => {
  const all: Float64Array[][] = [];
  for (const [threads, storage] of [
    [0, "float64"],
    [1, "streamed"],
    [2, "float64"],
    [3, "streamed"],
  ] as const) {
    const runtime = await runtimeAt("simd", threads);
    const machines = await together(ten(), { lambda: 1, storage, rank: 128, tolerance: 1e-6 }, { runtime });
    all.push(machines.map(({ alpha }) => alpha));
    await runtime.close();
  }
  for (const alphas of all) expect(alphas).toEqual(all[0]);
});

it("more targets than one pass takes (18) are solved like fewer, to 2e-8 ||y|| / (lambda / 2)", async () => {
  const runtime = await runtimeAt("simd");
  const many = clouds(400, 20, 18, 3);
  const sets = many.classes.map((_, c) => many.against(c));
  const machines = await together(sets, { lambda: 2, bias: true }, { runtime });
  expect(machines.length).toBe(18);
  for (const c of [0, 15, 16, 17]) {
    const alone = await krr({ kernel, lambda: 2, bias: true }).fit(sets[c] as Dataset, { runtime });
    const away = Math.hypot(...alone.alpha.map((value, i) => value - (machines[c]?.alpha[i] ?? Number.NaN)));
    expect(away).toBeLessThanOrEqual(2e-8 * Math.sqrt(400));
  }
});

/** Small records, gathered pivots and alignment: what an estimate leaves out. */
const SMALL = 512 * 1024;

it("the memory in use at the peak is what estimateRidgeMemory says, at most 512 KiB over it and at least 85% of it", async () => {
  for (const [storage, rank] of [
    ["float64", 128],
    ["streamed", 256],
    ["streamed", 64],
  ] as const) {
    const runtime = await runtimeAt("simd");
    const before = runtime.memory.peak;
    await together(ten(), { lambda: 1, storage, rank, tolerance: 1e-6 }, { runtime });
    const { total } = estimateRidgeMemory(TEN, { storage, rank, targets: 10 });
    expect(runtime.memory.peak - before).toBeLessThanOrEqual(total + SMALL);
    expect(runtime.memory.peak - before).toBeGreaterThanOrEqual(0.85 * total);
    expect(runtime.memory.bytesInUse).toBe(before);
  }
});

it("a tight budget streams and takes a smaller preconditioner; one that is too tight is refused with both figures", async () => {
  const many = clouds(6000, 8, 10, 2);
  const sets = many.classes.map((_, c) => many.against(c));
  const wide = estimateRidgeMemory(many, { storage: "streamed", targets: 10 }).total;
  const narrow = estimateRidgeMemory(many, { storage: "streamed", targets: 10, rank: 128 }).total;
  expect(estimateRidgeMemory(many, { targets: 10 }).total).toBeGreaterThan(6000 ** 2 * 4);
  const runtime = await Runtime.create({ threads: 2, memory: narrow + 8 * 2 ** 20 });
  const machines = await together(sets, { lambda: 30, tolerance: 1e-3 }, { runtime });
  const { rank = 0 } = machines[0]?.training ?? {};
  expect(rank).toBeGreaterThanOrEqual(128);
  expect(rank).toBeLessThan(512);
  expect(runtime.memory.peak).toBeLessThanOrEqual(runtime.memory.budget);
  const refused = together(sets, { lambda: 30, rank: 512 }, { runtime });
  await expect(refused).rejects.toThrow(MemoryBudgetError);
  await expect(refused).rejects.toThrow(
    new RegExp(`rank 512 needs \\d+ MiB, the budget is ${Math.ceil(runtime.memory.budget / 2 ** 20)} MiB`),
  );
  expect(wide).toBeGreaterThan(runtime.memory.budget);
  await runtime.close();
  const small = await Runtime.create({ threads: 0, memory: 12 * 2 ** 20 });
  await expect(together(sets, { lambda: 30 }, { runtime: small })).rejects.toThrow(
    /needs \d+ MiB, the budget is 12 MiB/,
  );
});

it("progress ends at 1, and a signal ends the work between two passes and gives all memory back", async () => {
  const runtime = await runtimeAt("simd");
  const before = runtime.memory.bytesInUse;
  const shares: number[] = [];
  const onProgress = ({ stage, done, total }: { stage: string; done: number; total: number }) => {
    if (stage === "conjugate gradients") shares.push(done / total);
  };
  const how = { lambda: 0.1, rank: 64, storage: "streamed" } as const;
  await together(ten(), how, { runtime, onProgress });
  expect(shares.at(-1)).toBe(1);
  expect(shares.length).toBeGreaterThan(2);
  const stop = new AbortController();
  const stopped = together(ten(), how, {
    runtime,
    signal: stop.signal,
    onProgress: ({ stage }) => stage === "conjugate gradients" && stop.abort(new Error("enough")),
  });
  await expect(stopped).rejects.toThrow("enough");
  expect(runtime.memory.bytesInUse).toBe(before);
});

it("names bad arguments: other rows, no set, sizes of an estimate", async () => {
  const runtime = await runtimeAt("simd");
  const [first] = ten() as [Dataset];
  const other = clouds(1300, 8, 10, 9).against(0);
  await expect(together([first, other], { lambda: 1 }, { runtime })).rejects.toThrow(/share their rows/);
  await expect(together([], { lambda: 1 }, { runtime })).rejects.toThrow(/^data: expected at least one set/);
  expect(() => estimateRidgeMemory({} as never)).toThrow(TypeError);
  expect(() => estimateRidgeMemory(first, { targets: 0 })).toThrow(/^targets: /);
  expect(() => estimateRidgeMemory(first, { lambdas: 1.5 })).toThrow(/^lambdas: /);
  expect(() => estimateRidgeMemory(first, { rank: 2 })).toThrow(/^rank: /);
  expect(() => estimateRidgeMemory(first, { storage: "float32" as never })).toThrow(/^storage: /);
});
