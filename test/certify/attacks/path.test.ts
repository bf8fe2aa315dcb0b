// The way to an adversarial input. Not here: finding one (attack.test.ts).
import fc from "fast-check";
import { expect, it } from "vitest";
import { attackSamples } from "../../../sdk/certify/attacks/attack.js";
import { attackPath } from "../../../sdk/certify/attacks/path.js";
import { machineBounds } from "../../../sdk/certify/bounds.js";
import { dataset } from "../../../sdk/data/dataset.js";
import { ntk } from "../../../sdk/kernels/kernel.js";
import { svm } from "../../../sdk/machines/svm.js";

const data = dataset({
  x: Uint8Array.from({ length: 12 * 9 }, (_, k) => (k * 97 + (Math.floor(k / 9) % 2) * 60) % 256),
  y: Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? 1 : -1)),
  shape: [12, 9],
});

async function attacked() {
  const machine = await svm({ kernel: ntk({ depth: 1 }), c: 1 }).fit(data);
  const input = data.subset([0]);
  for await (const { adversarial, radius, prediction } of attackSamples(machine, input))
    if (adversarial !== null && radius !== null) return { machine, input, target: adversarial, radius, prediction };
  throw new Error("nothing was found");
}

it("stays within each ball up to 1e-12 and inside its bounds, and decides otherwise at the attack's radius", async () => {
  const { machine, input, target, radius, prediction } = await attacked();
  await fc.assert(
    fc.asyncProperty(fc.double({ min: 0, max: 2, noNaN: true }), async (share) => {
      const distance = share * radius;
      const { points, lower, upper } = await attackPath(machine, input, target, [distance]);
      const moved = Math.max(...points.map((value, k) => Math.abs(value - (input.x[k] ?? 0) / 255)));
      expect(Math.abs(moved - distance)).toBeLessThan(1e-12);
      const ball = await machineBounds(machine, input, distance + 1e-12, { method: "linear" });
      expect(lower[0]).toBeGreaterThanOrEqual((ball.lower[0] ?? Number.NaN) - 1e-12);
      expect(upper[0]).toBeLessThanOrEqual((ball.upper[0] ?? Number.NaN) + 1e-12);
    }),
    { numRuns: 20 },
  );
  const { lower, upper } = await attackPath(machine, input, target, [0, radius * (1 + 1e-9)]);
  expect(Math.sign((lower[0] ?? 0) + (upper[0] ?? 0))).toBe(prediction);
  expect(Math.sign((lower[1] ?? 0) + (upper[1] ?? 0))).toBe(-prediction);
});

it("keeps to the image domain when asked to", async () => {
  const { machine, input, target, radius } = await attacked();
  const { points } = await attackPath(machine, input, target, [5 * radius], { domain: true });
  expect(points.every((value) => value >= 0 && value <= 1)).toBe(true);
});

it("names what is wrong", async () => {
  const { machine, input, target } = await attacked();
  await expect(attackPath(machine, input, target, [])).rejects.toThrow(/^radii: expected at least one, got none$/);
  await expect(attackPath(machine, input, target, [-1])).rejects.toThrow(/^radii: expected a finite number >= 0/);
  await expect(attackPath(machine, input, target.slice(1), [1])).rejects.toThrow(/^target: expected 9 entries, got 8$/);
  const clean = Float64Array.from(input.x, (value) => value * input.scale);
  await expect(attackPath(machine, input, clean, [1])).rejects.toThrow(/^target: expected another input/);
});
