// Likeness to known rows and how rare so little of it is. Not here: decisions.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dataset } from "../../sdk/data/dataset.js";
import { ntk } from "../../sdk/kernels/kernel.js";
import { conformalPValue, similarity } from "../../sdk/machines/typicality.js";

const rowsOf = (x: number[][]) =>
  dataset({ x: Float64Array.from(x.flat()), y: x.map(() => 1), shape: [x.length, x[0]?.length ?? 0] });

/** h(u) / h(1) of the NTK of one hidden layer: independent of the core, from the paper's closed form. */
const expected = (u: number) => (2 * u * (Math.PI - Math.acos(u)) + Math.sqrt(1 - u * u)) / (2 * Math.PI);

describe("similarity", () => {
  it("is h(cos) / h(1) of the nearest row, within 1e-12, whatever the lengths", async () => {
    const entry = fc.double({ min: 0.1, max: 3, noNaN: true });
    const row = fc.array(entry, { minLength: 4, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(row, fc.array(row, { minLength: 1, maxLength: 4 }), async (x, rows) => {
        const dot = (a: number[], b: number[]) => a.reduce((sum, value, k) => sum + value * (b[k] ?? 0), 0);
        const cosine = (b: number[]) => Math.min(1, dot(x, b) / Math.sqrt(dot(x, x) * dot(b, b)));
        const want = Math.max(...rows.map((own) => expected(cosine(own))));
        const [got = 0] = await similarity(ntk({ depth: 1 }), rowsOf([x]), rowsOf(rows));
        // acos near 1 turns one rounding of the cosine into its square root here, not in the core.
        expect(Math.abs(got - want)).toBeLessThan(Math.abs(1 - want) < 1e-6 ? 1e-7 : 1e-12);
      }),
      { numRuns: 40 },
    );
  });

  it("is 1 of a row itself, within 1e-14, and 0 of an input of length 0", async () => {
    const rows = rowsOf([
      [1, 2, 3, 4],
      [4, 3, 0, 1],
    ]);
    for (const value of await similarity(ntk({ depth: 1 }), rows, rows))
      expect(Math.abs(value - 1)).toBeLessThan(1e-14);
    expect([...(await similarity(ntk({ depth: 1 }), rowsOf([[0, 0, 0, 0]]), rows))]).toEqual([0]);
  });
});

describe("conformalPValue", () => {
  it("is at most k / (n + 1) for exactly k of n + 1 different scores, each held against the others", () => {
    const scores = fc.uniqueArray(fc.integer({ min: -1000, max: 1000 }), { minLength: 2, maxLength: 40 });
    fc.assert(
      fc.property(scores, (all) => {
        const values = all.map((score, i) =>
          conformalPValue(
            score,
            all.filter((_, j) => j !== i),
          ),
        );
        for (let k = 1; k <= all.length; k++)
          expect(values.filter((value) => value <= k / all.length + 1e-12)).toHaveLength(k);
      }),
    );
  });

  it("refuses no scores and what is no number", () => {
    expect(() => conformalPValue(1, [])).toThrow(/^scores: expected at least one, got none$/);
    expect(() => conformalPValue(Number.NaN, [1])).toThrow(RangeError);
    expect(() => conformalPValue(1, undefined as never)).toThrow(TypeError);
  });
});
