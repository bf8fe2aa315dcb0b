// The eigenvectors of symmetric matrices, on every core. Not here: eigenvalues alone (test/kernels/spectrum.test.ts).
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { eigenvectors } from "../../sdk/dynamics/eigenvectors.js";
import { MemoryBudgetError } from "../../sdk/errors.js";
import { GramMatrix } from "../../sdk/kernels/gram.js";
import { ntk } from "../../sdk/kernels/kernel.js";
import { eigenvalues } from "../../sdk/kernels/spectrum.js";
import { Runtime } from "../../sdk/runtime/runtime.js";
import { LEVELS, normal, randomData, runtimeAt, uniform } from "../helpers.js";
import { farthest } from "./problems.js";

const UNIT = 2 ** -52;
const runtimes = new Map(await Promise.all(LEVELS.map(async (level) => [level, await runtimeAt(level)] as const)));
afterAll(async () => {
  for (const runtime of runtimes.values()) await runtime.close();
});

/** The core's decomposition of a symmetric matrix. */
function decompose(runtime: Runtime, n: number, matrix: ArrayLike<number>) {
  const scope = runtime.scope();
  try {
    const [a, basis] = [scope.f64(n * n, matrix), scope.f64(n * n)];
    const [diagonal = 0, off = 0, v = 0, w = 0, beta = 0] = Array.from({ length: 5 }, () => scope.f64(n));
    for (let k = 0; k < n - 1; k++) runtime.call("householderStep", k, n, a, diagonal, off, v, w);
    if (n === 1) runtime.memory.f64(diagonal, 1)[0] = matrix[0]!;
    runtime.call("householderVectors", n, a, off, beta);
    for (let chunk = 0; chunk < Math.ceil(n / 16); chunk++) runtime.call("householderBasis", chunk, n, a, beta, basis);
    runtime.memory.f64(off, n)[n - 1] = 0;
    for (let k = 0; k < n; k++)
      expect(runtime.call("tridiagonalVector", k, n, diagonal, off, basis)).toBeGreaterThanOrEqual(0);
    return {
      values: runtime.memory.f64(diagonal, n).slice(),
      vectors: runtime.memory.f64(basis, n * n).slice(),
    };
  } finally {
    scope.release();
  }
}

/** Largest entries of V V' - I and of K V' - V' S. */
function defects(n: number, k: ArrayLike<number>, values: Float64Array, vectors: Float64Array) {
  let [basis, residual] = [0, 0];
  for (let a = 0; a < n; a++) {
    for (let b = 0; b < n; b++) {
      let [inner, image] = [0, 0];
      for (let i = 0; i < n; i++) {
        inner += vectors[a * n + i]! * vectors[b * n + i]!;
        image += k[b * n + i]! * vectors[a * n + i]!;
      }
      basis = Math.max(basis, Math.abs(inner - (a === b ? 1 : 0)));
      residual = Math.max(residual, Math.abs(image - values[a]! * vectors[a * n + b]!));
    }
  }
  return { basis, residual };
}

/** Symmetric matrices of all kinds: full, of low rank (many eigenvalues 0), diagonal, with equal entries. */
function symmetric(n: number, seed: number, kind: string): Float64Array {
  const gauss = normal(uniform(seed));
  const a = new Float64Array(n * n);
  if (kind === "equal") return a.fill(0.7);
  if (kind === "diagonal") for (let i = 0; i < n; i++) a[i * n + i] = Math.round(gauss());
  if (kind === "rank 2") {
    const [u, v] = [Array.from({ length: n }, gauss), Array.from({ length: n }, gauss)];
    return a.map((_, at) => u[Math.floor(at / n)]! * u[at % n]! - v[Math.floor(at / n)]! * v[at % n]!);
  }
  if (kind === "full") for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) a[i * n + j] = a[j * n + i] = gauss();
  return a;
}

describe.each(LEVELS)("the core's eigenvectors, %s", (level) => {
  it("are orthonormal and satisfy K v = s v, each entry within 20 n ulp of the matrix's size", () => {
    const runtime = runtimes.get(level)!;
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.nat(1e9),
        fc.constantFrom("full", "rank 2", "diagonal", "equal", "zero"),
        (n, seed, kind) => {
          const a = symmetric(n, seed, kind);
          const { values, vectors } = decompose(runtime, n, a);
          const { basis, residual } = defects(n, a, values, vectors);
          const size = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
          expect(basis).toBeLessThanOrEqual(20 * n * UNIT);
          expect(residual).toBeLessThanOrEqual(20 * n * UNIT * size);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("have the scalar core's bits up to relaxed SIMD, which agrees to 1e-12", () => {
    const a = symmetric(37, 5, "full");
    const [own, scalar] = [level, "scalar" as const].map((one) => decompose(runtimes.get(one)!, 37, a));
    if (level !== "relaxed") expect(own).toEqual(scalar);
    expect(farthest(own!.values, scalar!.values)).toBeLessThan(1e-12);
  });
});

describe("eigenvectors of a Gram matrix", () => {
  it("have the eigenvalues that bisection finds, to n ulp of the largest, on any number of threads to the bit", async () => {
    const data = randomData(90, 4, 3);
    const threaded = await Runtime.create({ threads: 2 });
    try {
      const [one, two] = await Promise.all(
        [runtimes.get("simd")!, threaded].map(async (runtime) => {
          const gram = await GramMatrix.create(ntk(), data, { runtime });
          const before = runtime.memory.bytesInUse;
          const system = await eigenvectors(gram);
          expect(runtime.memory.bytesInUse).toBe(before);
          const values = await eigenvalues(gram);
          const found = Float64Array.from(system.values).sort().reverse();
          expect(farthest(found, values)).toBeLessThan(90 * UNIT * values[0]!);
          gram.dispose();
          return system;
        }),
      );
      expect(two!.values.length).toBe(90);
      if (threaded.level === "simd") expect(two).toEqual(one);
    } finally {
      await threaded.close();
    }
  });

  it("are refused beyond the budget before anything is allocated, and stop with the signal's reason", async () => {
    const tight = await Runtime.create({ threads: 0, memory: 8 * 2 ** 20 });
    const gram = await GramMatrix.create(ntk(), randomData(700, 3, 1), { runtime: tight, storage: "streamed" });
    await expect(eigenvectors(gram)).rejects.toThrow(MemoryBudgetError);
    await tight.close();
    const runtime = runtimes.get("simd")!;
    const large = await GramMatrix.create(ntk(), randomData(600, 3, 1), { runtime });
    const controller = new AbortController();
    const onProgress = () => controller.abort(new Error("enough"));
    await expect(eigenvectors(large, { signal: controller.signal, onProgress })).rejects.toThrow("enough");
    large.dispose();
  });
});
