// Generalisation bounds: they hold where truth can be measured, come down as rows are added, are worse for random labels, and
// are no number where an assumption fails. Not here: pictures (test/plots/).
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { network } from "../../sdk/networks/network.js";
import { Runtime } from "../../sdk/runtime/runtime.js";
import { bestRow, generalisation } from "../../sdk/theory/generalisation.js";
import { pathKernelBound } from "../../sdk/theory/path-bound.js";
import { pathKernel } from "../../sdk/theory/path-kernel.js";
import { errorRate, marginBound, rampRisk, ridgeBounds, squaredRisk } from "../../sdk/theory/rademacher.js";
import { normal, randomData, uniform } from "../helpers.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.create({ threads: 0 });
});
afterAll(() => runtime.close());

const outputs = fc.float64Array({ minLength: 4, maxLength: 40, min: -3, max: 3, noNaN: true });
const labelsOf = (z: Float64Array) => z.map((_, i) => (i % 3 === 0 ? -1 : 1));

describe("risks", () => {
  it("are ordered: error rate <= ramp risk for every margin, and <= squared risk", () => {
    fc.assert(
      fc.property(outputs, fc.double({ min: 0.01, max: 2, noNaN: true }), (z, gamma) => {
        const y = labelsOf(z);
        expect(rampRisk(z, y, gamma)).toBeGreaterThanOrEqual(errorRate(z, y) - 1e-15);
        expect(squaredRisk(z, y)).toBeGreaterThanOrEqual(errorRate(z, y) - 1e-15);
      }),
    );
  });
});

describe("bounds", () => {
  const figures = (z: Float64Array, norm: number) => {
    const n = z.length;
    return { n, outputs: z, y: labelsOf(z), norm, trace: n, rSquared: 1 };
  };
  const norms = fc.double({ min: 1, max: 30, noNaN: true });

  it("are never below the training risk, grow with the norm and fall with delta", () => {
    fc.assert(
      fc.property(outputs, norms, (z, norm) => {
        const own = figures(z, norm);
        const all = (delta: number, scale = 1) => {
          const scaled = { ...own, norm: norm * scale };
          return [...ridgeBounds(scaled, delta), marginBound(scaled, delta)].map(({ value }) => value ?? Number.NaN);
        };
        const here = all(0.05);
        [0, 1, 2].forEach((k) => void expect(here[k]).toBeGreaterThan(squaredRisk(own.outputs, own.y)));
        expect(here[3]).toBeGreaterThan(errorRate(own.outputs, own.y));
        all(0.05, 4).forEach((value, k) => void expect(value).toBeGreaterThan(here[k] ?? Number.NaN));
        all(0.5).forEach((value, k) => void expect(value).toBeLessThan(here[k] ?? Number.NaN));
      }),
    );
  });

  it("agree with the formulas at the corner of the grid, where Lambda = 1 / r: by hand to 1e-12 (rounding)", () => {
    const own = { ...figures(new Float64Array(100).fill(0.5), 1), y: new Float64Array(100).fill(1) };
    const [first, second, third] = ridgeBounds(own, 0.1).map(({ value }) => value);
    const log = Math.log(1 / 0.05);
    expect(first).toBeCloseTo(0.25 + 0.8 * (1 + 0.5 * Math.sqrt(log / 2)), 12);
    expect(second).toBeCloseTo(0.25 + 0.8 * (1 + 0.75 * Math.sqrt(Math.log(40) / 2)), 12);
    expect(third).toBe(second);
    // gamma = 1/2 has ramp 0 and complexity 4 / 10; gamma = 1 has ramp 1/2 and 2 / 10.
    const tail = 3 * Math.sqrt(Math.log(14 / 0.05) / 200);
    expect(marginBound(own, 0.1).value).toBeCloseTo(0.4 + tail, 12);
  });

  it("are no number where nothing bounds K(x, x), nor the norm's grid lets labels be reached, and say why", () => {
    const own = { ...figures(new Float64Array(8).fill(0.5), 1), rSquared: null };
    for (const bound of ridgeBounds(own)) {
      expect(bound.value).toBe(null);
      expect(bound.assumptions.filter(({ holds }) => !holds).map(({ name }) => name)).toContain(
        "K(x, x) <= r^2 for every input",
      );
    }
    expect(marginBound(own).value).toBeGreaterThan(0);
    const far = { ...figures(new Float64Array(8), 1), y: new Float64Array(8).fill(5) };
    expect(ridgeBounds(far)[0]?.assumptions.find(({ name }) => name === "|y| <= Lambda r")?.holds).toBe(false);
  });

  it("have complexities no smaller than correlations with random signs: Lambda sqrt(Tr K) / n over 200 draws, linear kernel", () => {
    // sup over the ball of sum_i s_i h(x_i) / n is Lambda ||sum_i s_i x_i|| / n, whose mean the bound is above (Jensen).
    const [n, d] = [30, 5];
    const next = uniform(4);
    const gauss = normal(next);
    const x = Array.from({ length: n }, () => Array.from({ length: d }, gauss));
    const trace = x.reduce((sum, row) => sum + row.reduce((all, v) => all + v * v, 0), 0);
    let mean = 0;
    for (let draw = 0; draw < 200; draw++) {
      const sum = new Array<number>(d).fill(0);
      for (const row of x) {
        const sign = next() < 0.5 ? -1 : 1;
        for (const [k, v] of row.entries()) sum[k] = (sum[k] ?? 0) + sign * v;
      }
      mean += Math.hypot(...sum) / n / 200;
    }
    const z = new Float64Array(n).fill(1);
    const { constants } = marginBound({ n, outputs: z, y: z, norm: 1, trace, rSquared: 1 });
    expect(constants.complexity).toBeGreaterThan(mean * 0.98);
    expect(constants.complexity).toBeLessThan(mean * 1.3);
  });
});

describe("generalisation", () => {
  const data = { train: randomData(300, 8, 1, true), test: randomData(200, 8, 2, true) };

  it("bounds the test errors of all machines, less so for random labels, and comes down with rows", async () => {
    const what = { data, rows: [50, 300], tests: 200, lambdas: [1, 10, 100], networkRows: 12, width: 16 };
    const result = await generalisation({ ...what, runtime });
    expect(result.rows).toHaveLength(12);
    for (const { bounds, testError, testRisk } of result.rows)
      for (const { name, value } of bounds)
        expect(value).toBeGreaterThanOrEqual(name === "margin" ? testError : testRisk);
    for (const name of ["margin", "1.19", "1.20", "2.37"] as const) {
      const value = (n: number, labels: "true" | "random") =>
        bestRow(result.rows, n, labels, name)?.value ?? Number.NaN;
      expect(value(300, "true")).toBeLessThan(value(50, "true"));
      // Those of the squared risk say nothing at this size, where the smallest machine has the least of them.
      if (name === "margin") expect(value(300, "random")).toBeGreaterThan(value(300, "true"));
    }
    expect(result.networks.map(({ bound }) => bound.value)).toEqual([null, null]);
    for (const { bound } of result.networks) expect(bound.figure).toBeGreaterThan(bound.constants.empirical ?? 1);
  });

  it("has no 1.19 for real rows as they are, and one for pixels as they are", async () => {
    const real = { train: randomData(20, 4, 1), test: randomData(10, 4, 2) };
    const what = { rows: [20], tests: 10, lambdas: [1], networkRows: 0, normalise: false, runtime };
    const value = async (sets: typeof real) =>
      (await generalisation({ ...what, data: sets })).rows[0]?.bounds[0]?.value;
    expect(await value(real)).toBe(null);
    expect(await value({ train: data.train.subset([...Array(20).keys()]), test: data.test })).toBeGreaterThan(0);
  });
});

describe("pathKernelBound", () => {
  it("says which assumptions fail: never a number, and that K is not symmetric once rows push unequally", async () => {
    const train = randomData(8, 5, 3);
    const spec = network({ widths: [16], seed: 1 });
    const how = { lambda: 0.1, learningRate: 0.1, steps: 10, runtime };
    const path = await pathKernel(spec, train, train, { ...how, loss: "logistic" });
    const { value, figure, assumptions } = pathKernelBound(path, train.y);
    expect(value).toBe(null);
    expect(figure).toBeGreaterThan(0);
    const failing = assumptions.filter(({ holds }) => !holds).map(({ name }) => name);
    expect(failing).toEqual(["K is symmetric", "K does not depend on the training rows"]);
    await expect(async () => pathKernelBound(path, new Float64Array(3))).rejects.toThrow(
      /^path: expected 8 training rows/,
    );
  });
});
