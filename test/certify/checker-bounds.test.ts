// What the checker's tighter bounds are made of: parabolas beside h, neurons above their planes and parabolas, quadratics
// on cubes. Whole reports are in checker.test.ts and checker-networks.test.ts.
import fc from "fast-check";
import { expect, it } from "vitest";
import { ballMinimum } from "../../sdk/certify/checker/ball.js";
import { cubeMinimum } from "../../sdk/certify/checker/cube.js";
import { h, halfOf } from "../../sdk/certify/checker/functions.js";
import { interval, point } from "../../sdk/certify/checker/interval.js";
import { Chooser, leastOf } from "../../sdk/certify/checker/neuron.js";
import { parabolaAt } from "../../sdk/certify/checker/parabola.js";
import { distance } from "../../sdk/certify/checker/replay.js";
import { randomQuadratic } from "./trust-region.js";

const between = (min: number, max: number) => fc.double({ min, max, noNaN: true });

it("parabolas lie above or below h on their whole interval and meet it within 1e-6 where they touch", () => {
  const cosine = between(-1, 1);
  fc.assert(
    fc.property(cosine, cosine, cosine, fc.boolean(), between(0, 1), (a, b, touch, above, share) => {
      const [low, high] = [Math.min(a, b), Math.max(a, b)];
      const { alpha, beta, gamma } = parabolaAt(touch, low, high, above);
      // The parabola's own numbers are intervals: rounding of these few products is far below the slack.
      const at = (u: number) => {
        const rest = beta.lo * u + (gamma * u * u) / 2;
        const slack = 1e-14 * (1 + Math.abs(gamma) + Math.abs(beta.lo) + Math.abs(alpha.lo));
        return { lo: alpha.lo + rest - slack, hi: alpha.hi + (beta.hi - beta.lo) + rest + slack, slack };
      };
      const u = low + share * (high - low);
      const { lo, hi } = at(u);
      const value = h(halfOf(point(u)));
      if (above) expect(hi).toBeGreaterThanOrEqual(value.lo);
      else expect(lo).toBeLessThanOrEqual(value.hi);
      const met = Math.max(1e-6 - 1, Math.min(1 - 1e-6, Math.max(low, Math.min(high, touch))));
      const own = at(met);
      expect(Math.abs(own.lo - h(halfOf(point(met))).lo)).toBeLessThan(3 * own.slack + 1e-6);
    }),
    { numRuns: 2000 },
  );
});

const neuron = fc.record({
  v: between(-3, 3),
  v0: between(-3, 3),
  a: between(-5, 5),
  a0: between(-5, 5),
  Z: between(0.01, 4),
  T: fc.oneof(fc.constant(0), between(0.01, 2)),
});
const shape = fc.record({ c: between(-3, 3), e: between(-3, 3), h: fc.oneof(fc.constant(0), between(0.01, 5)) });
const relu = (x: number) => Math.max(0, x);

it("a neuron less its plane or parabola is nowhere below its proved least, which a grid of 61 steps misses by 2.4 at most", () => {
  fc.assert(
    fc.property(neuron, shape, (own, chosen) => {
      const { v, v0, a, a0, Z, T } = own;
      const { c, e, h: bend } = chosen;
      const least = leastOf(own, chosen);
      let lowest = Number.POSITIVE_INFINITY;
      const steps = 60;
      for (let i = 0; i <= steps; i++)
        for (let j = 0; j <= (T > 0 ? steps : 0); j++) {
          const z = -Z + (2 * Z * i) / steps;
          const y = z - T + (2 * T * j) / steps;
          const value = v * relu(a + y) - v0 * relu(a0 + z) - c * y - e * z + (bend * z * z) / 2;
          lowest = Math.min(lowest, value);
        }
      expect(least).toBeLessThanOrEqual(lowest + 1e-12 * (1 + Math.abs(lowest)));
      // Half a step of the grid in z and in y, times the largest slopes: 6 (2/60) + (3 + 3 + 3 + 3 + 20) (4/60) < 2.4.
      expect(least).toBeGreaterThan(lowest - 2.4);
    }),
    { numRuns: 300 },
  );
});

it("the chosen slope proves at least what the slopes 0 and those of both states do, but for 1e-6 of the ranges", () => {
  fc.assert(
    fc.property(neuron, between(-1, 1), between(-3, 3), (own, share, c) => {
      const z = share * own.Z;
      const { e } = new Chooser(own).touch(c, 0, z);
      const bound = (slope: number) => leastOf(own, { c, e: slope, h: 0 }) + slope * z;
      for (const other of [0, -own.v0, own.v - c, own.v - c - own.v0])
        expect(bound(e)).toBeGreaterThanOrEqual(bound(other) - 1e-6 * (1 + own.Z + own.T));
    }),
    { numRuns: 300 },
  );
});

it("bounds on cubes lie below the quadratic at every corner and inside, and are within 1e-3 of a point where it is convex", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.infiniteStream(between(-1, 1)),
      fc.boolean(),
      (n, stream, convex) => {
        const next = () => stream.next().value as number;
        const root = Float64Array.from({ length: n * n }, next);
        const linear = Float64Array.from({ length: n }, next);
        const matrix = new Float64Array(n * n);
        for (let i = 0; i < n; i++)
          for (let j = 0; j < n; j++)
            for (let k = 0; k < n; k++)
              matrix[i * n + j]! += convex
                ? root[i * n + k]! * root[j * n + k]!
                : (root[i * n + j]! + root[j * n + i]!) / n;
        const value = (y: ArrayLike<number>) => {
          let sum = 0;
          for (let i = 0; i < n; i++) {
            sum += linear[i]! * y[i]!;
            for (let j = 0; j < n; j++) sum += (y[i]! * matrix[i * n + j]! * y[j]!) / 2;
          }
          return sum;
        };
        const { lower, at } = cubeMinimum({ n, matrix, linear }, new Float64Array(n));
        for (let corner = 0; corner < 2 ** n; corner++)
          expect(lower).toBeLessThanOrEqual(
            value(Array.from({ length: n }, (_, k) => ((corner >> k) & 1) * 2 - 1)) + 1e-12,
          );
        for (let trial = 0; trial < 20; trial++)
          expect(lower).toBeLessThanOrEqual(value(Array.from({ length: n }, next)) + 1e-12);
        if (convex) expect(value(at) - lower).toBeLessThan(1e-3);
      },
    ),
    { numRuns: 200 },
  );
});

it("bounds on balls lie below the minimum that the secular equation gives, and within 2e-3 of the quadratic's size", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10 }),
      fc.constantFrom(0, 0.1, 1, 10),
      fc.constantFrom(0.01, 1, 10),
      fc.integer({ min: 0, max: 2 ** 20 }),
      (n, size, slope, seed) => {
        const own = randomQuadratic(n, size, slope, seed);
        const cube = { n: n + 1, matrix: Float64Array.from(own.matrix.flat()), linear: Float64Array.from(own.linear) };
        const { lower } = ballMinimum(cube, new Float64Array(n + 1), 0);
        const all = size + Math.hypot(...own.linear);
        expect(lower).toBeLessThanOrEqual(own.minimum + 1e-12 * n * all);
        expect(lower).toBeGreaterThanOrEqual(own.minimum - 2e-3 * all);
      },
    ),
    { numRuns: 300 },
  );
});

it("the ends of a distance hold that to every point between the ends of the start, in each norm", () => {
  const entry = fc.record({ x: between(-2, 2), low: between(-2, 2), width: between(0, 0.1), share: between(0, 1) });
  fc.assert(
    fc.property(fc.array(entry, { minLength: 1, maxLength: 5 }), (list) => {
      const x = Float64Array.from(list, (own) => own.x);
      const start = list.map(({ low, width }) => interval(low, low + width));
      const lengths = list.map((own) => Math.abs(own.x - (own.low + own.share * own.width)));
      const norms = { linf: Math.max(...lengths), l2: Math.hypot(...lengths), l1: lengths.reduce((a, b) => a + b, 0) };
      for (const norm of ["linf", "l2", "l1"] as const) {
        const { lo, hi } = distance(x, start, norm);
        // A few roundings of the sample's own distance.
        expect(lo).toBeLessThanOrEqual(norms[norm] + 1e-14);
        expect(hi).toBeGreaterThanOrEqual(norms[norm] - 1e-14);
      }
    }),
  );
});
