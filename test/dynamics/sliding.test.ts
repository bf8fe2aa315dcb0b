import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Sliding } from "../../sdk/dynamics/sliding.js";
import { uniform } from "../helpers.js";

/** A problem of `count` kinks on their level with a kernel of rank at most `rank`; some start inside, some outside. */
function problem(seed: number, count: number, rank: number) {
  const next = uniform(seed);
  const features = Array.from({ length: count }, () => Array.from({ length: rank }, () => next() - 0.5));
  const kernel = Float64Array.from(
    features.flatMap((a) => features.map((b) => a.reduce((sum, value, k) => sum + value * b[k]!, 0))),
  );
  const row = Int32Array.from({ length: count }, (_, k) => k);
  const sign = Float64Array.from(row, () => (next() < 0.5 ? -1 : 1));
  // Levels that some beta could have reached: on a margin, m = level = s <phi, beta>.
  const beta = Array.from({ length: rank }, () => 4 * next() - 2);
  const level = Float64Array.from(
    row,
    (k) => sign[k]! * features[k]!.reduce((sum, value, j) => sum + value * beta[j]!, 0),
  );
  const c = 0.2 + 3 * next();
  const sliding = new Sliding({ row, sign, level }, kernel, count, c);
  row.forEach((k) => {
    sliding.theta[k] = next() < 0.5 ? 0 : 1;
  });
  const velocity = () =>
    Float64Array.from(row, (k) => {
      let sum = -level[k]!;
      for (let l = 0; l < count; l++) sum += c * sign[k]! * sign[l]! * kernel[k * count + l]! * sliding.theta[l]!;
      return sum;
    });
  return { sliding, velocity, on: Array.from(row) };
}

describe("settled shares are complementary to 1e-9: each kink slides or leaves on the side of its share", () => {
  for (const [name, count, rank] of [
    ["one alone", 1, 3],
    ["independent points", 6, 8],
    ["more points than dimensions", 9, 4],
    ["all on one line", 7, 1],
  ] as const) {
    test(name, () => {
      fc.assert(
        fc.property(fc.nat(1e9), (seed) => {
          const { sliding, velocity, on } = problem(seed, count, rank);
          sliding.settle(on, velocity(), 1e-12);
          velocity().forEach((w, k) => {
            const theta = sliding.theta[k]!;
            expect(theta).toBeGreaterThanOrEqual(0);
            expect(theta).toBeLessThanOrEqual(1);
            if (theta > 0) expect(w).toBeLessThan(1e-9);
            if (theta < 1) expect(w).toBeGreaterThan(-1e-9);
          });
        }),
        { numRuns: 300 },
      );
    });
  }
});
