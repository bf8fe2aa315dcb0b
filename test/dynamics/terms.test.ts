import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LOSS_CODE } from "../../sdk/dynamics/problem.js";
import { LOSSES, type Runtime } from "../../sdk/index.js";
import { LEVELS, runtimeAt, uniform } from "../helpers.js";
import { SLOPES, VALUES } from "./problems.js";

describe.each(LEVELS)("%s core", (level) => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await runtimeAt(level);
  });
  afterAll(() => runtime.close());

  function terms(loss: (typeof LOSSES)[number], z: readonly number[], y: readonly number[], epsilon: number) {
    const scope = runtime.scope();
    try {
      const n = z.length;
      const [values, slopes] = [scope.f64(n), scope.f64(n)];
      runtime.call("lossTerms", LOSS_CODE[loss], epsilon, n, scope.f64(n, z), scope.f64(n, y), values, slopes);
      return { values: [...runtime.memory.f64(values, n)], slopes: [...runtime.memory.f64(slopes, n)] };
    } finally {
      scope.release();
    }
  }

  for (const loss of LOSSES) {
    test(`${loss}: Table 1's value and derivative to 1e-14 relative`, () => {
      fc.assert(
        fc.property(
          fc.double({ min: -30, max: 30, noNaN: true }),
          fc.constantFrom(-1, 1),
          fc.constantFrom(0, 0.25),
          (z, y, epsilon) => {
            const { values, slopes } = terms(loss, [z], [y], epsilon);
            const [value, slope] = [VALUES[loss]!(z, y, epsilon), SLOPES[loss]!(z, y, epsilon)];
            expect(Math.abs(values[0]! - value)).toBeLessThanOrEqual(1e-14 * value);
            expect(Math.abs(slopes[0]! - slope)).toBeLessThanOrEqual(1e-14 * Math.abs(slope));
          },
        ),
      );
    });

    test(`${loss}: the slope is that of the values, central differences to 1e-6 away from kinks`, () => {
      const next = uniform(5);
      for (let k = 0; k < 200; k++) {
        const [z, y, h] = [6 * next() - 3, next() < 0.5 ? -1 : 1, 1e-6];
        if (Math.min(Math.abs(y * z - 1), Math.abs(Math.abs(y - z) - 0.25)) < 2 * h) continue;
        const { values, slopes } = terms(loss, [z - h, z, z + h], [y, y, y], 0.25);
        expect(slopes[1]).toBeCloseTo((values[2]! - values[0]!) / (2 * h), 6);
      }
    });
  }

  test("logistic neither overflows nor vanishes far from the margin", () => {
    const { values, slopes } = terms("logistic", [-1e4, -800, 40, 700, 1e4], [1, 1, 1, 1, 1], 0);
    expect(values.slice(0, 2)).toEqual([1e4, 800]);
    expect(slopes.slice(0, 2)).toEqual([-1, -1]);
    expect(values[2]! / Math.exp(-40)).toBeCloseTo(1, 12);
    expect(slopes[3]! / -Math.exp(-700)).toBeCloseTo(1, 12);
    expect(values[4]).toBe(0);
  });

  test("at a kink nothing pushes", () => {
    expect(terms("hinge", [1, -1], [1, -1], 0).slopes.map(Math.abs)).toEqual([0, 0]);
    expect(terms("epsilon-insensitive", [1.25, 0.75], [1, 1], 0.25).slopes).toEqual([0, 0]);
  });

  test("a dense matrix times a vector, around the lane count: 1e-15", () => {
    const next = uniform(8);
    for (const columns of [0, 1, 3, 4, 5, 7, 130]) {
      const rows = 70;
      const a = Float64Array.from({ length: rows * columns }, () => next() - 0.5);
      const x = Float64Array.from({ length: columns }, () => next() - 0.5);
      const scope = runtime.scope();
      const out = scope.f64(rows);
      const args = [rows, columns, scope.f64(a.length, a), scope.f64(columns, x), out];
      for (const chunk of [0, 1]) runtime.call("denseApply", chunk, ...args);
      runtime.memory.f64(out, rows).forEach((value, i) => {
        const exact = x.reduce((sum, entry, j) => sum + entry * a[i * columns + j]!, 0);
        expect(Math.abs(value - exact)).toBeLessThanOrEqual(1e-15 * columns);
      });
      scope.release();
    }
  });
});
