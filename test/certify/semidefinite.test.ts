// The proved lower bounds of a quadratic on a cube, against all corners, and on a ball, against the secular equation; and the
// factorisation that proves them.
// Not here: the bounds that use it.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Runtime } from "../../sdk/runtime/runtime.js";
import { LEVELS, normal, runtimeAt, uniform } from "../helpers.js";
import { randomQuadratic } from "./trust-region.js";

const UNIT = 2 ** -53;

describe.each(LEVELS)("%s", (level) => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await runtimeAt(level);
  });
  afterAll(() => runtime.close());

  /** Calls `name` with the matrix, row by row, padded to groups of four. */
  function withMatrix(name: string, m: readonly number[][], c?: readonly number[]): number {
    const scope = runtime.scope();
    try {
      const n = m.length;
      const pitch = (n + 3) & ~3;
      const rows = scope.f64(
        n * pitch,
        Float64Array.from({ length: n * pitch }, (_, at) => m[Math.floor(at / pitch)]?.[at % pitch] ?? 0),
      );
      const linear = scope.f64(
        pitch,
        Float64Array.from({ length: pitch }, (_, k) => c?.[k] ?? 0),
      );
      const work = scope.allocate(runtime.call("semidefiniteEntries", n, pitch) * 8);
      return runtime.call(name, n, pitch, rows, ...(c === undefined ? [] : [linear]), work);
    } finally {
      scope.release();
    }
  }

  it("a matrix indefinite by 4 (n + 2) UNIT trace is rejected, one definite by four times as much is not", () => {
    // I - (1 + e) u u' with u = (1, ..., 1) / sqrt(n): its smallest eigenvalue is -e, its entries are exact for n = 4^k.
    for (const n of [4, 16, 64]) {
      const by = (e: number) =>
        Array.from({ length: n }, (_, k) => Array.from({ length: n }, (_, l) => (k === l ? 1 : 0) - (1 + e) / n));
      const hair = 4 * (n + 2) * UNIT * n;
      expect(withMatrix("isSemidefinite", by(hair))).toBe(0);
      expect(withMatrix("isSemidefinite", by(-4 * hair))).toBe(1);
    }
  });

  it("the bound of a concave quadratic is never above its least corner, and meets it where one variable is all there is", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom(0.3, 3, 30),
        fc.integer({ min: 0, max: 2 ** 20 }),
        (n, rank, slope, seed) => {
          const next = normal(uniform(seed));
          const factors = Array.from({ length: rank }, () => Array.from({ length: n }, next));
          const m = Array.from({ length: n }, (_, k) =>
            Array.from({ length: n }, (_, l) => -factors.reduce((sum, row) => sum + (row[k] ?? 0) * (row[l] ?? 0), 0)),
          );
          const c = Array.from({ length: n }, () => slope * next());
          const value = (y: readonly number[]) =>
            y.reduce(
              (sum, own, k) => sum + own * ((c[k] ?? 0) + 0.5 * y.reduce((s, v, l) => s + v * (m[k]?.[l] ?? 0), 0)),
              0,
            );
          let least = Infinity;
          for (let corner = 0; corner < 2 ** n; corner++)
            least = Math.min(least, value(Array.from({ length: n }, (_, k) => ((corner >> k) & 1 ? 1 : -1))));
          const bound = withMatrix("semidefiniteMinimum", m, c);
          // The oracle adds about n^2 terms in float64.
          const rounding = 1e-13 * (1 + Math.abs(least)) * n;
          expect(bound).toBeLessThanOrEqual(least + rounding);
          if (n === 1) expect(bound).toBeGreaterThanOrEqual(least - 1e-4 * (1 + Math.abs(least)));
        },
      ),
      { numRuns: 150 },
    );
  });

  it("the bound on a ball is never above the minimum, and within 3e-3 of its size, where the search stops: the S-lemma loses nothing", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.constantFrom(0, 0.1, 1, 10),
        fc.constantFrom(0.01, 1, 10),
        fc.integer({ min: 0, max: 2 ** 20 }),
        (n, size, slope, seed) => {
          const { matrix, linear, minimum } = randomQuadratic(n, size, slope, seed);
          const bound = withMatrix("trustRegionMinimum", matrix, linear);
          const all = size + Math.hypot(...linear);
          // The oracle and the turned matrix are off by some n^2 roundings.
          expect(bound).toBeLessThanOrEqual(minimum + 1e-12 * n * all);
          expect(bound).toBeGreaterThanOrEqual(minimum - 3e-3 * all);
        },
      ),
      { numRuns: 300 },
    );
  });
});
