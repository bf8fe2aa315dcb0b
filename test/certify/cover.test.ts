// Radii by cells: never beyond a change of sign, nearly at it, whatever kernel, norm and budget. Not here: one bound for a
// whole ball (movable.test.ts).
import { expect, it } from "vitest";
import { certify } from "../../sdk/certify/certify.js";
import { coverRadii } from "../../sdk/certify/cover.js";
import type { Norm } from "../../sdk/certify/method.js";
import { type Dataset, dataset } from "../../sdk/data/dataset.js";
import { lift, planarData } from "../../sdk/data/planar.js";
import { type Kernel, ntk } from "../../sdk/kernels/kernel.js";
import { krr } from "../../sdk/machines/krr.js";
import { svm } from "../../sdk/machines/svm.js";
import { randomData, runtimeAt, uniform } from "../helpers.js";
import { machineOf } from "./sampler.js";

const runtime = await runtimeAt("simd");

/** A machine on lifted points of the plane, and other points to ask about. */
async function planar(set: "moons" | "circles" | "xor", kernel: Kernel, ridge = false) {
  const points = lift(await planarData({ set, n: 16, seed: 2, runtime }));
  const trainer = ridge ? krr({ kernel, lambda: 0.01 }) : svm({ kernel, lambda: 0.02 });
  const asked = lift(await planarData({ set, n: 5, seed: 3, runtime }));
  return { machine: await trainer.fit(points, { runtime }), asked };
}

/** Distance from each asked point to the nearest of 300 x 300 grid points within 0.75 that is decided otherwise. */
async function nearestOther(machine: Awaited<ReturnType<typeof planar>>["machine"], asked: Dataset, norm: Norm) {
  const side = 300;
  const step = 1.5 / side;
  const x = new Float64Array(3 * side * side);
  const distances: number[] = [];
  for (let i = 0; i < asked.n; i++) {
    const offsets = Array.from({ length: side * side }, (_, k) => [
      ((k % side) + 0.5) * step - 0.75,
      (Math.floor(k / side) + 0.5) * step - 0.75,
    ]);
    offsets.forEach(([dx = 0, dy = 0], k) => {
      x.set([(asked.x[3 * i] ?? 0) + dx, (asked.x[3 * i + 1] ?? 0) + dy, 1], 3 * k);
    });
    const grid = dataset({ x, y: new Float64Array(side * side).fill(1), shape: [side * side, 3] });
    const values = await machine.decisionFunction(grid, { runtime });
    const [own = 0] = await machine.decisionFunction(asked.subset([i]), { runtime });
    distances.push(
      offsets.reduce((least, [dx = 0, dy = 0], k) => {
        if ((values[k] ?? 0) * own > 0) return least;
        const [a, b] = [Math.abs(dx), Math.abs(dy)];
        return Math.min(least, norm === "linf" ? Math.max(a, b) : norm === "l2" ? Math.hypot(a, b) : a + b);
      }, 0.75),
    );
  }
  return { distances, step };
}

it.each([
  ["moons", "linf", 1, false, 0.96],
  ["circles", "l2", 1, true, 0.96],
  ["xor", "l1", 1, false, 0.96],
  ["circles", "linf", 3, false, 0.8],
] as const)(
  "%s, %s, depth %i, ridge %s: no radius passes the nearest point of a grid that is decided otherwise; all reach %s of the way to it, less two grid steps",
  async (set, norm, depth, ridge, share) => {
    const { machine, asked } = await planar(set, ntk({ depth }), ridge);
    const { distances, step } = await nearestOther(machine, asked, norm);
    const covers = await coverRadii(machine, asked, { movable: 2, norm, limit: 0.75, cells: 40_000, runtime });
    covers.forEach(({ radius, cells, prediction }, i) => {
      expect(prediction).not.toBe(0);
      expect(radius).toBeLessThanOrEqual(distances[i] ?? Number.NaN);
      expect(radius).toBeGreaterThan(share * ((distances[i] ?? Number.NaN) - 2 * step));
      expect(cells).toBeLessThan(40_000);
    });
  },
);

it("is at least 97% of what one bound for the whole ball proves, and on average a tenth more", async () => {
  const { machine, asked } = await planar("moons", ntk());
  const covers = await coverRadii(machine, asked, { movable: 2, limit: 0.75, runtime });
  const { perSample } = await certify(machine, asked, { method: "best", movable: 2, bracket: [0, 0.75], runtime });
  const ratios = covers.map(({ radius }, i) => radius / (perSample[i]?.radius ?? Number.NaN));
  for (const ratio of ratios) expect(ratio).toBeGreaterThan(0.97);
  expect(ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length).toBeGreaterThan(1.1);
});

it("with any budget of cells radii are proved: none larger than with more cells, and samples keep the sign", async () => {
  const { machine, asked } = await planar("xor", ntk());
  let before = new Float64Array(asked.n);
  const next = uniform(3);
  for (const cells of [1, 20, 60, 200, 5000]) {
    const covers = await coverRadii(machine, asked, { movable: 2, cells, runtime });
    for (const cover of covers) {
      expect(cover.cells).toBeLessThanOrEqual(cells);
      const rows = Array.from({ length: 50 }, () => [0, 1].map(() => (2 * next() - 1) * cover.radius));
      const x = Float64Array.from(
        rows.flatMap(([a = 0, b = 0]) => [
          (asked.x[3 * cover.index] ?? 0) + a,
          (asked.x[3 * cover.index + 1] ?? 0) + b,
          1,
        ]),
      );
      const samples = dataset({ x, y: new Float64Array(50).fill(1), shape: [50, 3] });
      expect(new Set(await machine.predict(samples, { runtime }))).toEqual(new Set([cover.prediction]));
    }
    covers.forEach(({ radius }, i) => {
      expect(radius).toBeGreaterThanOrEqual((before[i] ?? 0) * (1 - 1e-12));
    });
    before = Float64Array.from(covers, ({ radius }) => radius);
  }
});

it("gives the same bits for any number of threads; abstains where g is 0; a machine of one sign reaches the limit", async () => {
  const { machine, asked } = await planar("moons", ntk());
  const one = await coverRadii(machine, asked, { movable: 2, limit: 0.5, runtime });
  const threads = await runtimeAt("simd", 2);
  expect(await coverRadii(machine, asked, { movable: 2, limit: 0.5, runtime: threads })).toEqual(one);
  await threads.close();
  const zero = machineOf(asked, [0, 0, 0, 0, 0]);
  for (const cover of await coverRadii(zero, asked, { movable: 2, runtime }))
    expect(cover).toMatchObject({ prediction: 0, radius: 0, cells: 0 });
  const positive = machineOf(asked, [1, 1, 1, 1, 1]);
  for (const { radius } of await coverRadii(positive, asked, { movable: 2, limit: 0.3, runtime }))
    expect(radius).toBe(0.3);
});

it("refuses pixels, five movable entries, other norms and limits, and stops when told to", async () => {
  const { machine, asked } = await planar("moons", ntk());
  const ask = (options: object) => coverRadii(machine, asked, { movable: 2, runtime, ...options });
  await expect(ask({ norm: "l3" })).rejects.toThrow(/^norm: expected "linf"/);
  for (const limit of [0, Number.NaN, 1e7]) await expect(ask({ limit })).rejects.toThrow(/^limit: expected a finite/);
  await expect(ask({ tolerance: 0 })).rejects.toThrow(/^tolerance: /);
  await expect(ask({ cells: 0.5 })).rejects.toThrow(/^cells: expected an integer/);
  await expect(ask({ signal: AbortSignal.abort(new Error("stopped")) })).rejects.toThrow("stopped");
  const wide = randomData(3, 5, 1);
  await expect(coverRadii(machineOf(wide, [1, 1, 1]), wide, { runtime })).rejects.toThrow(
    /^movable: expected at most 4/,
  );
  const pixels = randomData(3, 2, 1, true);
  await expect(coverRadii(machineOf(pixels, [1, 1, 1]), pixels, { runtime })).rejects.toThrow(
    /^data: expected Float64/,
  );
});
