// Gram matrices: tiles, storage, threads, memory, cancelling.
import { describe, expect, it } from "vitest";
import { mnist } from "../../sdk/data/mnist.js";
import { MemoryBudgetError } from "../../sdk/errors.js";
import { crossGram, estimateMemory, GramMatrix } from "../../sdk/kernels/gram.js";
import { ntk } from "../../sdk/kernels/kernel.js";
import { spectrum } from "../../sdk/kernels/spectrum.js";
import { Runtime } from "../../sdk/runtime/runtime.js";
import { LEVELS, oracle, randomData, runtimeAt } from "../helpers.js";

const kernel = ntk();

describe.each([1, 2, 3, 255, 256, 257, 600])("n = %i", (n) => {
  const data = randomData(n, 9, n, true);
  const p = Float64Array.from({ length: n }, (_, i) => Math.sin(i + 1));

  it("tiles, rows and the streamed form hold the same bits as the cross Gram matrix", async () => {
    const runtime = await runtimeAt("simd");
    const stored = await GramMatrix.create(kernel, data, { runtime, storage: "float64" });
    const streamed = await GramMatrix.create(kernel, data, { runtime, storage: "streamed" });
    const { values } = await crossGram(kernel, data, data, { runtime });
    expect(stored.toArray()).toEqual(values);
    for (const i of [0, n >> 1, n - 1]) expect(streamed.row(i)).toEqual(stored.row(i));
    expect(await streamed.multiply(p)).toEqual(await stored.multiply(p));
  });

  it("K p equals the plain sum to 1e-12 of its terms' sizes, as float32 to 1e-7", async () => {
    const runtime = await runtimeAt("simd");
    const stored = await GramMatrix.create(kernel, data, { runtime });
    const single = await GramMatrix.create(kernel, data, { runtime, storage: "float32" });
    const matrix = stored.toArray();
    const product = await stored.multiply(p);
    const rough = await single.multiply(p);
    for (let i = 0; i < n; i++) {
      let sum = 0;
      let size = 0;
      for (let j = 0; j < n; j++) {
        sum += (matrix[i * n + j] ?? 0) * (p[j] ?? 0);
        size += Math.abs((matrix[i * n + j] ?? 0) * (p[j] ?? 0));
      }
      expect(Math.abs((product[i] ?? 0) - sum)).toBeLessThanOrEqual(1e-12 * size);
      expect(Math.abs((rough[i] ?? 0) - sum)).toBeLessThanOrEqual(1e-7 * size);
    }
  });

  it.each([2, 4, 6, 10, 16])("a product with %i vectors at once equals single ones to 1e-13", async (vectors) => {
    const runtime = await runtimeAt("simd");
    const gram = await GramMatrix.create(kernel, data, { runtime });
    const scope = runtime.scope();
    const columns = Array.from({ length: vectors }, (_, v) => p.map((value) => Math.cos(value * (v + 1))));
    const from = scope.f64(n * vectors);
    columns.forEach((column, v) => {
      column.forEach((value, i) => {
        runtime.memory.f64(from, n * vectors)[i * vectors + v] = value;
      });
    });
    const to = scope.f64(n * vectors);
    await gram.product(vectors, from, to);
    const all = runtime.memory.f64(to, n * vectors).slice();
    for (const [v, column] of columns.entries()) {
      const single = await gram.multiply(column);
      const size = Math.max(...single.map(Math.abs), 1e-9) * Math.max(1, n / 50);
      single.forEach((value, i) => {
        expect(Math.abs((all[i * vectors + v] ?? 0) - value)).toBeLessThanOrEqual(1e-13 * size);
      });
    }
  });
});

it("every level and 0, 1, 2 and 3 threads give the same bits", async () => {
  const data = randomData(700, 12, 1, true);
  const p = Float64Array.from({ length: 700 }, (_, i) => Math.cos(i));
  const results: Float64Array[] = [];
  for (const [level, threads] of [
    ...LEVELS.map((name) => [name, 0] as const),
    ["simd", 1],
    ["simd", 2],
    ["simd", 3],
  ] as const) {
    const runtime = await runtimeAt(level, threads);
    const gram = await GramMatrix.create(kernel, data, { runtime });
    results.push(await gram.multiply(p), gram.row(300));
    await runtime.close();
  }
  for (let k = 2; k < results.length; k++) expect(results[k]).toEqual(results[k % 2]);
});

it("agrees with MNIST's values from mpmath to 1e-12 and its extreme eigenvalues to 1e-9", async () => {
  const runtime = await runtimeAt("simd");
  const { train, gram: expected, eigenvalues } = oracle("mnist");
  const digits = await mnist({ digits: [0, 1] });
  const own = digits.train.subset(train);
  for (const { depth, sw2, sb2, ntk: values } of expected.settings) {
    const gram = await GramMatrix.create(ntk({ depth, weightVariance: sw2, biasVariance: sb2 }), own, { runtime });
    expected.pairs.forEach(([i, j]: [number, number], k: number) => {
      const exact = values[k];
      expect(Math.abs((gram.row(i)[j] ?? 0) / exact - 1)).toBeLessThan(depth === 1 ? 1e-14 : 1e-12);
    });
  }
  const rows = [own, digits.train.subset(Array.from({ length: 500 }, (_, k) => k))];
  const figures = Object.values(eigenvalues) as { smallest: number; largest: number }[];
  for (const [k, data] of rows.entries()) {
    const { smallest, largest } = await spectrum(await GramMatrix.create(kernel, data, { runtime }), { steps: data.n });
    expect(Math.abs(smallest - (figures[k]?.smallest ?? 0))).toBeLessThan(1e-9);
    expect(Math.abs(largest / (figures[k]?.largest ?? 0) - 1)).toBeLessThan(1e-9);
  }
});

it("what estimateMemory says covers what is taken, within 64 KiB of small records", async () => {
  const runtime = await runtimeAt("simd");
  const data = randomData(700, 20, 2, true);
  for (const storage of ["float64", "float32", "streamed"] as const) {
    const before = runtime.memory.bytesInUse;
    const gram = await GramMatrix.create(kernel, data, { runtime, storage });
    const taken = runtime.memory.bytesInUse - before;
    const { tiles, rows } = estimateMemory(data, { storage });
    expect(Math.abs(taken - tiles - rows)).toBeLessThan(65536);
    gram.dispose();
    expect(runtime.memory.bytesInUse).toBe(before);
  }
});

it("streams by itself over the budget, and a storage that does not fit is refused with both figures", async () => {
  const runtime = await Runtime.create({ threads: 0, memory: 16 * 2 ** 20 });
  const data = randomData(2000, 4, 3, true);
  const gram = await GramMatrix.create(kernel, data, { runtime });
  expect(gram.storage).toBe("streamed");
  gram.dispose();
  const before = runtime.memory.bytesInUse;
  const refused = GramMatrix.create(kernel, data, { runtime, storage: "float64" });
  await expect(refused).rejects.toThrow(MemoryBudgetError);
  await expect(refused).rejects.toThrow(/needs \d+ MiB, the budget is 16 MiB/);
  expect(runtime.memory.bytesInUse).toBe(before);
});

it("n = 60,000 works in streaming form: rows are those of the cross Gram matrix, and K p on its last block its rows' sum to 1e-12", async () => {
  const runtime = await runtimeAt("simd");
  const n = 60_000;
  const data = randomData(n, 16, 4, true);
  const gram = await GramMatrix.create(kernel, data, { runtime });
  expect(gram.storage).toBe("streamed");
  const some = [0, 255, 256, 31_000, n - 1];
  const { values } = await crossGram(kernel, data.subset(some), data, { runtime });
  const diagonal = gram.diagonal();
  for (const [k, i] of some.entries()) {
    expect(gram.row(i)).toEqual(values.slice(k * n, (k + 1) * n));
    expect(gram.row(i)[i]).toBe(diagonal[i]);
  }
  // One strip of the product, the last: rows and columns from 59,904 on.
  const first = 234 * 256;
  const scope = runtime.scope();
  const p = scope.f64(
    n,
    Float64Array.from({ length: n }, (_, i) => Math.sin(i)),
  );
  const shares = scope.allocate(estimateMemory(data, { storage: "streamed" }).product);
  runtime.call("gramStrip", 234, gram.pointer, 1, p, shares);
  const last = runtime.memory.f64(shares + (234 * n - 117 * 233 * 256) * 8, n - first);
  for (const i of [first, n - 1]) {
    const row = gram.row(i).slice(first);
    const exact = row.reduce((sum, value, k) => sum + value * Math.sin(first + k), 0);
    expect(Math.abs((last[i - first] ?? Number.NaN) - exact)).toBeLessThan(1e-12 * row.reduce((sum, v) => sum + v, 0));
  }
});

it("a product takes no more memory than estimateMemory says, to 64 KiB: a budget of its total is enough, less is not", async () => {
  const data = randomData(2600, 4, 3, true);
  const { total } = estimateMemory(data, { storage: "float64" });
  const attempt = async (memory: number) => {
    const runtime = await Runtime.create({ threads: 0, memory: runtimeBytes + memory });
    const gram = await GramMatrix.create(kernel, data, { runtime });
    const { storage } = gram;
    await gram.multiply(new Float64Array(2600).fill(1));
    return storage;
  };
  const runtimeBytes = (await Runtime.create({ threads: 0 })).memory.bytesInUse;
  expect(await attempt(total + 65536)).toBe("float64");
  expect(await attempt(total - 65536)).toBe("streamed");
});

it("a disposed matrix says so instead of reading memory that is no longer its own", async () => {
  const runtime = await runtimeAt("simd");
  const gram = await GramMatrix.create(kernel, randomData(5, 3, 1), { runtime });
  gram.dispose();
  for (const use of [() => gram.row(0), () => gram.diagonal(), () => gram.toArray(), () => gram.dispose()])
    expect(use).toThrow(/^gram: it was disposed/);
  await expect(gram.multiply(new Float64Array(5))).rejects.toThrow(/^gram: it was disposed/);
});

it("refuses 8-bit rows whose block indices leave 16 bits (more than 524,288 columns), as float64 they work", async () => {
  const runtime = await runtimeAt("simd");
  const last = (d: number) => Uint8Array.from({ length: d }, (_, k) => (k === d - 1 ? 255 : 0));
  const rows = (x: Uint8Array | Float64Array) => ({
    n: 1,
    d: x.length,
    x,
    scale: x instanceof Uint8Array ? 1 / 255 : 1,
  });
  const own = async (x: Uint8Array | Float64Array) =>
    (await crossGram(kernel, rows(x), rows(x), { runtime })).values[0] ?? Number.NaN;
  expect(Math.abs((await own(last(524_288))) * 524_288 - 1)).toBeLessThan(1e-15);
  await expect(own(last(524_289))).rejects.toThrow(/^rows: expected at most 524288 columns of 8-bit data, got 524289/);
  expect(Math.abs((await own(Float64Array.from(last(524_289), (v) => v / 255))) * 524_289 - 1)).toBeLessThan(1e-15);
});

it("a cancelled Gram matrix rejects with the signal's reason and gives its memory back", async () => {
  const runtime = await runtimeAt("simd", 2);
  const data = randomData(3000, 200, 5, true);
  await GramMatrix.create(kernel, randomData(10, 3, 1), { runtime }).then((gram) => gram.dispose());
  const before = runtime.memory.bytesInUse;
  const stop = new AbortController();
  const job = GramMatrix.create(kernel, data, {
    runtime,
    signal: stop.signal,
    onProgress: ({ stage }) => stage === "Gram matrix" && stop.abort(new Error("enough")),
  });
  await expect(job).rejects.toThrow("enough");
  expect(runtime.memory.bytesInUse).toBe(before);
  await runtime.close();
});

it("names a bad argument: sizes, storage, other columns, other units", async () => {
  const runtime = await runtimeAt("simd");
  const data = randomData(5, 3, 1);
  const gram = await GramMatrix.create(kernel, data, { runtime });
  await expect(gram.multiply(new Float64Array(4))).rejects.toThrow(/^p: expected 5 entries, got 4$/);
  expect(() => gram.row(5)).toThrow(/^i: expected an integer >= 0 and <= 4, got 5$/);
  await expect(GramMatrix.create(kernel, data, { runtime, storage: "float16" as "auto" })).rejects.toThrow(/^storage/);
  await expect(crossGram(kernel, data, randomData(5, 4, 1), { runtime })).rejects.toThrow(/expected 3 columns, got 4/);
  await expect(crossGram(kernel, data, randomData(5, 3, 1, true), { runtime })).rejects.toThrow(TypeError);
  await expect(crossGram({} as typeof kernel, data, data, { runtime })).rejects.toThrow(TypeError);
});
