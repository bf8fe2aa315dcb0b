// All eigenvalues of a matrix against spectra known in closed form, against the Lanczos method, and under a ridge.
// Not here: spectra of kernels (kernel.test.ts).
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { MemoryBudgetError } from "../../sdk/errors.js";
import { GramMatrix } from "../../sdk/kernels/gram.js";
import { nngp, ntk } from "../../sdk/kernels/kernel.js";
import { eigenvalues, ridgeCondition, spectrum } from "../../sdk/kernels/spectrum.js";
import { Runtime } from "../../sdk/runtime/runtime.js";
import { LEVELS, normal, randomData, runtimeAt, uniform } from "../helpers.js";

const UNIT = 2 ** -52;
const runtimes = new Map(await Promise.all(LEVELS.map(async (level) => [level, await runtimeAt(level)] as const)));
afterAll(async () => {
  for (const runtime of runtimes.values()) await runtime.close();
});

/** The core's eigenvalues of a symmetric matrix, ascending. */
async function coreEigenvalues(runtime: Runtime, n: number, matrix: ArrayLike<number>): Promise<Float64Array> {
  const scope = runtime.scope();
  try {
    const a = scope.f64(n * n, matrix);
    const [diagonal = 0, off = 0, v = 0, w = 0, out = 0] = Array.from({ length: 5 }, () => scope.f64(n));
    for (let k = 0; k < n - 1; k++) runtime.call("householderStep", k, n, a, diagonal, off, v, w);
    await runtime.run("tridiagonalEigenvalues", Math.ceil(n / 16), [n, diagonal, off, out]);
    return runtime.memory.f64(out, n).slice();
  } finally {
    scope.release();
  }
}

/** Q diag(values) Q' for a random orthogonal Q, made of reflections. */
function withSpectrum(values: readonly number[], seed: number): Float64Array {
  const n = values.length;
  const gauss = normal(uniform(seed));
  const a = new Float64Array(n * n);
  values.forEach((value, i) => {
    a[i * n + i] = value;
  });
  for (let round = 0; round < 3; round++) {
    const v = Array.from({ length: n }, gauss);
    const square = v.reduce((sum, entry) => sum + entry * entry, 0);
    const w = v.map((_, i) => v.reduce((sum, entry, j) => sum + (a[i * n + j] ?? 0) * entry, 0) * (2 / square));
    const along = v.reduce((sum, entry, i) => sum + entry * (w[i] ?? 0), 0) / square;
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        const [vi = 0, vj = 0, wi = 0, wj = 0] = [v[i], v[j], w[i], w[j]];
        a[i * n + j] = (a[i * n + j] ?? 0) - (vi * (wj - along * vj) + (wi - along * vi) * vj);
      }
  }
  return a;
}

const worst = (found: ArrayLike<number>, expected: readonly number[]) =>
  expected.reduce((most, value, i) => Math.max(most, Math.abs((found[i] ?? Number.NaN) - value)), 0);

describe.each(LEVELS)("the core's eigenvalues, %s", (level) => {
  const runtime = () => runtimes.get(level)!;

  it("are those a matrix was made of, repeated ones too, within 8 n ulp of the largest", async () => {
    const value = fc.integer({ min: -5000, max: 5000 }).map((k) => k / (k % 3 === 0 ? 3000 : 1024));
    await fc.assert(
      fc.asyncProperty(fc.array(value, { minLength: 2, maxLength: 21 }), fc.nat(1e6), async (values, seed) => {
        const sorted = values.toSorted((a, b) => a - b);
        const found = await coreEigenvalues(runtime(), values.length, withSpectrum(values, seed));
        const largest = Math.max(...values.map(Math.abs), Number.MIN_VALUE);
        expect(worst(found, sorted)).toBeLessThanOrEqual(8 * values.length * UNIT * largest);
      }),
      { numRuns: 60 },
    );
  });

  it.each([2, 3, 4, 5, 7, 16, 17, 33])(
    "of the second difference in %i points are 2 - 2 cos, within 4 ulp of 4",
    async (n) => {
      const matrix = Float64Array.from({ length: n * n }, (_, k) => {
        const apart = Math.abs(Math.floor(k / n) - (k % n));
        return apart === 0 ? 2 : apart === 1 ? -1 : 0;
      });
      const expected = Array.from({ length: n }, (_, k) => 2 - 2 * Math.cos(((k + 1) * Math.PI) / (n + 1)));
      expect(worst(await coreEigenvalues(runtime(), n, matrix), expected)).toBeLessThanOrEqual(16 * UNIT);
    },
  );

  it("of a diagonal matrix are its diagonal to 1e-15 relative, from 1e-20 to 1e10", async () => {
    const values = Array.from({ length: 13 }, (_, k) => 10 ** (2.5 * k - 20));
    const matrix = Float64Array.from({ length: 169 }, (_, k) => (k % 14 === 0 ? (values[k / 14] ?? 0) : 0));
    const found = await coreEigenvalues(runtime(), 13, matrix);
    found.forEach((value, k) => {
      expect(Math.abs(value / (values[k] ?? 0) - 1)).toBeLessThan(1e-15);
    });
  });
});

describe("eigenvalues of Gram matrices", () => {
  const runtime = runtimes.get("simd")!;

  it.each([ntk({ depth: 3 }), nngp()])(
    "add up to the trace and in squares to the norm, within 1e-12: $kind",
    async (kernel) => {
      const gram = await GramMatrix.create(kernel, randomData(70, 9, 4), { runtime });
      const found = await eigenvalues(gram);
      const sum = found.reduce((total, value) => total + value, 0);
      const squares = found.reduce((total, value) => total + value ** 2, 0);
      const trace = gram.diagonal().reduce((total, value) => total + value, 0);
      const norm = gram.toArray().reduce((total, value) => total + value ** 2, 0);
      expect(Math.abs(sum / trace - 1)).toBeLessThan(1e-12);
      expect(Math.abs(squares / norm - 1)).toBeLessThan(1e-12);
      expect([...found]).toEqual([...found].toSorted((a, b) => b - a));
      const ends = await spectrum(gram, { steps: 70 });
      expect(Math.abs((found[0] ?? 0) / ends.largest - 1)).toBeLessThan(1e-12);
      expect(Math.abs((found[69] ?? 0) - ends.smallest)).toBeLessThan(1e-12 * ends.largest);
      gram.dispose();
    },
  );

  it("find rows that occur twice: as many eigenvalues of 0, within n ulp of the largest", async () => {
    const rows = randomData(20, 9, 5);
    const twice = rows.subset([...Array(20).keys(), ...Array(20).keys()]);
    const gram = await GramMatrix.create(ntk(), twice, { runtime });
    const found = await eigenvalues(gram);
    expect(found[19]).toBeGreaterThan(1e-3 * (found[0] ?? 0));
    for (const value of found.subarray(20)) expect(Math.abs(value)).toBeLessThan(40 * UNIT * (found[0] ?? 0));
    gram.dispose();
  });

  it("of one row are its kernel value; are stopped by their signal; need the memory they say", async () => {
    const one = await GramMatrix.create(ntk(), randomData(1, 3, 6), { runtime });
    expect(await eigenvalues(one)).toEqual(one.diagonal());
    one.dispose();
    const data = randomData(500, 4, 7);
    const gram = await GramMatrix.create(ntk(), data, { runtime });
    const stop = new AbortController();
    const options = { signal: stop.signal, onProgress: () => stop.abort(new Error("enough")) };
    await expect(eigenvalues(gram, options)).rejects.toThrow("enough");
    gram.dispose();
    const small = await Runtime.create({ threads: 0, memory: 9 * 2 ** 20 });
    const streamed = await GramMatrix.create(ntk(), randomData(1200, 1, 7), { runtime: small, storage: "streamed" });
    await expect(eigenvalues(streamed)).rejects.toThrow(MemoryBudgetError);
    await expect(eigenvalues({} as GramMatrix)).rejects.toThrow(/^gram: expected a GramMatrix/);
  });
});

describe("ridgeCondition", () => {
  it("is that of the matrix with lambda / 2 on its diagonal, within 1e-10 relative", async () => {
    const runtime = runtimes.get("simd")!;
    const gram = await GramMatrix.create(ntk(), randomData(12, 5, 8), { runtime });
    const found = await eigenvalues(gram);
    const ends = { largest: found[0] ?? 0, smallest: found[11] ?? 0 };
    const matrix = gram.toArray();
    for (const lambda of [0, 0.01, 3]) {
      const shifted = matrix.map((value, k) => value + (k % 13 === 0 ? lambda / 2 : 0));
      const values = await coreEigenvalues(runtime, 12, shifted);
      const expected = (values[11] ?? 0) / (values[0] ?? 0);
      expect(Math.abs((ridgeCondition(ends, [lambda])[0] ?? 0) / expected - 1)).toBeLessThan(1e-10);
    }
    gram.dispose();
  });

  it("falls with lambda to 1, is infinite without a positive end, and refuses what is no number", () => {
    const lambdas = [0, 1e-6, 1, 1e6, 1e20];
    const falling = ridgeCondition({ largest: 7, smallest: 1e-9 }, lambdas);
    expect(falling).toEqual(falling.toSorted((a, b) => b - a));
    expect(falling.at(-1)).toBe(1);
    expect(ridgeCondition({ largest: 7, smallest: -1e-17 }, [0, 2])).toEqual([Infinity, 8]);
    expect(() => ridgeCondition({ largest: 1, smallest: 2 }, [0])).toThrow(/^smallest: /);
    expect(() => ridgeCondition({ largest: 1, smallest: 0 }, [-1])).toThrow(/^lambdas\[0\]: /);
  });
});
