// arccos, h, h' and the arc-cosine kernels against 100-digit values, on every feature level.
import { describe, expect, it } from "vitest";
import { LEVELS, oracle, runtimeAt, ulp } from "../helpers.js";

interface Column {
  readonly hi: readonly (number | null)[];
  readonly lo: readonly number[];
}

const values = oracle("elementary") as { u: number[] } & Record<string, Column>;

/**
 * Export of the core, column of the oracle, largest error in ulp that the docstring promises. Reached on these points:
 * arccos 1.38, h 1.91 (at its zero), hPrime 1.54, arcCosine0 2.63, arcCosine1 3.06.
 */
const FUNCTIONS = [
  ["arccos", "arccos", 2],
  ["h", "h", 2],
  ["hPrime", "hPrime", 2],
  ["arcCosine0", "kappa0", 3.5],
  ["arcCosine1", "kappa1", 3.5],
] as const;

describe.each(LEVELS)("elementary functions, %s", (level) => {
  it.each(FUNCTIONS)("%s differs from the exact %s by at most %d ulp on 3,000 points", async (name, key, most) => {
    const runtime = await runtimeAt(level);
    const column = values[key] as Column;
    let worst = 0;
    values.u.forEach((u, k) => {
      const exact = column.hi[k];
      if (exact === null || exact === undefined) return;
      const computed = runtime.call(name, u);
      if (exact === 0) expect(computed).toBe(0);
      else worst = Math.max(worst, Math.abs(computed - exact - (column.lo[k] ?? 0)) / ulp(exact));
    });
    expect(worst).toBeGreaterThan(0);
    expect(worst).toBeLessThanOrEqual(most);
  });

  it("gives the exact values at the ends and NaN outside [-1, 1]", async () => {
    const runtime = await runtimeAt(level);
    expect(runtime.call("arccos", 1)).toBe(0);
    expect(runtime.call("arccos", -1)).toBe(Math.PI);
    expect(runtime.call("h", 1)).toBe(2 * Math.PI);
    expect(runtime.call("h", -1)).toBe(0);
    expect(runtime.call("hPrime", 1)).toBe(Infinity);
    expect(runtime.call("hPrime", -1)).toBe(-Infinity);
    expect(["arcCosine0", "arcCosine1"].flatMap((name) => [-1, 1].map((u) => runtime.call(name, u)))).toEqual([
      0, 1, 0, 1,
    ]);
    for (const [name] of FUNCTIONS)
      for (const u of [1.0000001, -1.5, Infinity, Number.NaN]) expect(runtime.call(name, u)).toBeNaN();
  });
});

it("every level gives the same bits", async () => {
  const runtimes = await Promise.all(LEVELS.map((level) => runtimeAt(level)));
  for (const u of values.u)
    for (const [name] of FUNCTIONS) {
      const [first, ...others] = runtimes.map((runtime) => runtime.call(name, u));
      for (const other of others) expect(other).toBe(first);
    }
});
