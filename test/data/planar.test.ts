// Planar sets: seeded, balanced, of the shape they are named for; and lifted rows. Not here: machines on them.
import { expect, it } from "vitest";
import { dataset } from "../../sdk/data/dataset.js";
import { lift, PLANAR_SETS, planarData } from "../../sdk/data/planar.js";
import { ntk } from "../../sdk/kernels/kernel.js";
import { krr } from "../../sdk/machines/krr.js";
import { LEVELS, runtimeAt } from "../helpers.js";

const runtime = await runtimeAt("simd");

it.each(PLANAR_SETS)(
  "%s: labels in turn, finite points near the unit square, the same bits on every level",
  async (set) => {
    const data = await planarData({ set, n: 101, seed: 3, runtime });
    expect([data.n, data.d]).toEqual([101, 2]);
    expect(Array.from(data.y)).toEqual(Array.from({ length: 101 }, (_, k) => (k % 2 === 0 ? 1 : -1)));
    for (const value of data.x) expect(Math.abs(value)).toBeLessThan(1.8);
    for (const level of LEVELS) {
      const own = await runtimeAt(level);
      expect(await (await planarData({ set, n: 101, seed: 3, runtime: own })).hash()).toBe(await data.hash());
    }
    expect((await planarData({ set, n: 101, seed: 4, runtime })).x).not.toEqual(data.x);
  },
);

it("without noise circles are two circles and moons two half circles, to 1e-15", async () => {
  const circles = await planarData({ set: "circles", n: 40, noise: 0, runtime });
  circles.y.forEach((label, i) => {
    const radius = Math.hypot(circles.x[2 * i] ?? 0, circles.x[2 * i + 1] ?? 0);
    expect(Math.abs(radius - (label > 0 ? 0.28 : 0.75))).toBeLessThan(1e-15);
  });
  const moons = await planarData({ set: "moons", n: 40, noise: 0, runtime });
  moons.y.forEach((label, i) => {
    const [x, y] = [(moons.x[2 * i] ?? 0) - 0.25 * label, (moons.x[2 * i + 1] ?? 0) - 0.15 * label];
    expect(Math.abs(Math.hypot(x, y) - 0.5)).toBeLessThan(1e-15);
    expect(y * label).toBeLessThanOrEqual(0);
  });
});

it.each(PLANAR_SETS)(
  "%s: a ridge machine decides all its lifted points; unlifted, a decision is that of a whole ray",
  async (set) => {
    const data = await planarData({ set, n: 40, seed: 1, runtime });
    const machine = await krr({ kernel: ntk(), lambda: 1e-6 }).fit(lift(data), { runtime });
    expect(Array.from(await machine.predict(lift(data), { runtime }))).toEqual(Array.from(data.y));
    const flat = await krr({ kernel: ntk(), lambda: 1e-3 }).fit(data, { runtime });
    const ray = dataset({ x: Float64Array.of(0.3, 0.4, 3, 4), y: [1, 1], shape: [2, 2] });
    const [near, far] = await flat.predict(ray, { runtime });
    expect(far).toBe(near);
  },
);

it("lift keeps values and labels and puts the constant behind them, from pixels too", () => {
  const reals = dataset({ x: Float64Array.of(1, 2, 3, 4), y: [1, -1], shape: [2, 2], name: "four" });
  const lifted = lift(reals, 0.5);
  expect(lifted).toMatchObject({ n: 2, d: 3, scale: 1, name: "four" });
  expect(Array.from(lifted.x)).toEqual([1, 2, 0.5, 3, 4, 0.5]);
  expect(Array.from(lifted.y)).toEqual([1, -1]);
  const pixels = dataset({ x: Uint8Array.of(0, 255), y: [1], shape: [1, 2] });
  expect(Array.from(lift(pixels).x)).toEqual([0, 1, 1]);
});

it("refuses other sets, counts, seeds, noise and constants, naming the argument", async () => {
  await expect(planarData({ set: "rings" as "moons", runtime })).rejects.toThrow(/^set: expected "moons" \| "circles"/);
  await expect(planarData({ n: 1, runtime })).rejects.toThrow(/^n: expected an integer >= 2/);
  await expect(planarData({ seed: -1, runtime })).rejects.toThrow(/^seed: expected an integer >= 0/);
  await expect(planarData({ noise: Number.NaN, runtime })).rejects.toThrow(/^noise: expected a finite number >= 0/);
  await expect(planarData("moons" as never)).rejects.toThrow(TypeError);
  const rows = dataset({ x: Float64Array.of(1), y: [1], shape: [1, 1] });
  expect(() => lift(rows, Number.POSITIVE_INFINITY)).toThrow(/^constant: expected a finite number/);
  expect(() => lift(undefined as never)).toThrow(TypeError);
});
