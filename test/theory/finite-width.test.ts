// Theorem 3.5 measured: differences fall with the width where the theorem's ball holds, do not where it is left, and the bound's
// factors are what they are called. Not here: pictures (test/plots/).
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LOSSES } from "../../sdk/losses.js";
import { Runtime } from "../../sdk/runtime/runtime.js";
import { type FiniteWidthPoint, finiteWidth } from "../../sdk/theory/finite-width.js";
import { boundFactors, LOSS_CONSTANTS, spectralNorm } from "../../sdk/theory/width-factors.js";
import { randomData } from "../helpers.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.create({ threads: 0 });
});
afterAll(() => runtime.close());

const data = { train: randomData(24, 6, 1), test: randomData(12, 6, 2) };
const mean = (points: readonly FiniteWidthPoint[], of: (point: FiniteWidthPoint) => number) =>
  points.reduce((sum, point) => sum + of(point), 0) / points.length;

describe("finiteWidth", () => {
  it("falls with the width while weights stay near their start: slope -1.2 to -0.3, no slower than the theorem's; with a ridge on w itself R grows by 0.5 +- 0.1", async () => {
    const what = { data, widths: [32, 128, 512], lambdas: [0.1], rows: [12], tests: 12, seeds: 4, steps: 40 };
    const { points, fits } = await finiteWidth({ ...what, backend: "wasm", runtime });
    expect(points).toHaveLength(24);
    const slope = (setting: string, of: string) =>
      fits.find((fit) => fit.setting === setting && fit.of === of)?.law.slope ?? Number.NaN;
    for (const of of ["train", "test"]) {
      expect(slope("matched", of)).toBeGreaterThan(-1.2);
      expect(slope("matched", of)).toBeLessThan(-0.3);
      // e^(-lambda T) of the weights is gone at any width: their machine keeps its kernel.
      expect(slope("theorem", of)).toBeGreaterThan(slope("matched", of) + 0.1);
    }
    const radius = (setting: string, width: number) =>
      mean(
        points.filter((point) => point.setting === setting && point.width === width),
        ({ factors }) => factors.radius,
      );
    const growth = Math.log(radius("theorem", 512) / radius("theorem", 32)) / Math.log(16);
    expect(growth).toBeGreaterThan(0.4);
    expect(growth).toBeLessThan(0.6);
    expect(Math.abs(Math.log(radius("matched", 512) / radius("matched", 32)) / Math.log(16))).toBeLessThan(0.2);
    for (const { factors } of points) expect(factors.bound).toBeGreaterThan(0);
  });

  it("gives the same figures for the same seed on any number of threads, and fits one power for each list", async () => {
    const what = { data, widths: [16, 32], lambdas: [0.1, 0.2], rows: [6, 12], tests: 6, seeds: 1, steps: 6 };
    const other = await Runtime.create({ threads: 2 });
    const [a, b] = [
      await finiteWidth({ ...what, backend: "wasm", runtime }),
      await finiteWidth({ ...what, backend: "wasm", runtime: other }),
    ];
    await other.close();
    expect(b).toEqual(a);
    expect(a.fits).toHaveLength(12);
    expect(a.fits.filter(({ varied }) => varied === "lambda").map(({ theorem }) => theorem)).toEqual([-1, -1, -1, -1]);
    expect(a.points.map(({ seed }) => seed)).toEqual([...new Set(a.points.map(({ seed }) => seed))]);
  });

  it("refuses what it can not measure, naming it", async () => {
    const bad: [object, RegExp][] = [
      [{ lambdas: [0] }, /^lambdas\[0\]: expected a finite number > 0/],
      [{ lambdas: [5] }, /^lambda: expected learningRate \* lambda < 1/],
      [{ widths: [] }, /^widths: expected an array/],
      [{ level: 1 }, /^level: expected/],
    ];
    for (const [options, message] of bad) await expect(finiteWidth({ data, ...options })).rejects.toThrow(message);
  });
});

describe("factors", () => {
  it("spectralNorm is the largest eigenvalue: of diag(d) conjugated by a rotation, to 1e-6 of it", () => {
    const sizes = fc.double({ min: 0.1, max: 10, noNaN: true });
    fc.assert(
      fc.property(sizes, sizes, fc.double({ min: -3, max: 3, noNaN: true }), (a, b, angle) => {
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        const values = Float64Array.of(a * c * c + b * s * s, (a - b) * c * s, (a - b) * c * s, a * s * s + b * c * c);
        const [large, small] = [Math.max(a, b), Math.min(a, b)];
        // Power steps tell apart what differs by a part in fifty, from starts that are not orthogonal to the vector sought.
        fc.pre(large > 1.05 * small && Math.abs(a > b ? c + s : c - s) > 0.05);
        expect(Math.abs(spectralNorm({ rows: 2, columns: 2, values }) - large)).toBeLessThan(1e-6 * large);
      }),
    );
  });

  it.each(LOSSES)("there is a bound for a loss with both constants, and a reason for one without: %s", (loss) => {
    const known = { n: 4, width: 100, depth: 1, lambda: 0.1, kernelNorm: 2, radius: 1, largestSlope: 3 };
    const { bound, reason } = boundFactors(loss, known);
    const both = LOSS_CONSTANTS[loss].lipschitz !== null && LOSS_CONSTANTS[loss].smoothness !== null;
    expect(bound !== null).toBe(both);
    expect(reason === null).toBe(both);
    // e^(1/8) 1 (1/4) 8 ln(100) / (0.1 10), by hand for the logistic loss.
    if (loss === "logistic") expect(bound).toBeCloseTo(Math.exp(1 / 8) * 2 * Math.log(100), 12);
  });
});
