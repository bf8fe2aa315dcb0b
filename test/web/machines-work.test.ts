// What the Machines demo computes: surfaces, balls and files, in Node. Not here: its page (machines.test.ts).
import { describe, expect, it } from "vitest";
import { dataset } from "../../sdk/data/dataset.js";
import { lift } from "../../sdk/data/planar.js";
import { ntk } from "../../sdk/kernels/kernel.js";
import { contourPath } from "../../web/machines/contour.js";
import { MACHINES } from "../../web/machines/losses.js";
import { TRAINERS } from "../../web/machines/trainers.js";
import { balls, exact, example, report, type Setting, surface } from "../../web/machines/work.js";
import { runtimeAt, uniform } from "../helpers.js";

const runtime = await runtimeAt("simd");
const work = { runtime };
const points = await example({ set: "moons", seed: 1, n: 24 }, work);

const settingOf = (machine: string, depth = 1): Setting => ({ ...points, machine, lambda: 0.01, depth });

describe.each(MACHINES)("%s", (machine) => {
  it("decides its points as its surface does, and nearly all of them as they are labelled", async () => {
    const { values, decisions, alpha } = await surface({ ...settingOf(machine), size: 201, range: 1.25 }, work);
    expect(alpha).toHaveLength(24);
    let right = 0;
    decisions.forEach((decision, i) => {
      if (decision * (points.y[i] ?? 0) > 0) right++;
      const cell = (v: number) => Math.min(200, Math.max(0, Math.floor((v + 1.25) / (2.5 / 201))));
      const near = values[cell(-(points.x[2 * i + 1] ?? 0)) * 201 + cell(points.x[2 * i] ?? 0)] ?? Number.NaN;
      // Half a cell is 0.006 away, and slopes here are below 20.
      expect(Math.abs(near - decision)).toBeLessThan(0.2);
    });
    expect(right).toBeGreaterThanOrEqual(22);
  });

  it("keeps its sign at 200 samples of each certified ball; discs are no smaller than squares, Theorem 4.2's the smallest", async () => {
    const setting = settingOf(machine);
    const { interval, predictions, ...quick } = await balls(setting, work);
    const { square, disc } = await exact(setting, work);
    const own = lift(dataset({ ...points, shape: [24, 2] }));
    const fitted = await TRAINERS[machine](ntk(), setting.lambda).fit(own, work);
    const next = uniform(5);
    for (let i = 0; i < 24; i++) {
      const [x, y] = [points.x[2 * i] ?? 0, points.x[2 * i + 1] ?? 0];
      const [inner, half, round] = [interval[i] ?? 0, square[i] ?? 0, disc[i] ?? 0];
      expect(half).toBeGreaterThanOrEqual((quick.square?.[i] ?? Number.NaN) * (1 - 0.02));
      expect(half).toBeGreaterThanOrEqual(inner * (1 - 1e-3));
      expect(round).toBeGreaterThanOrEqual(half);
      const inSquare = Array.from({ length: 100 }, () => [x + (2 * next() - 1) * half, y + (2 * next() - 1) * half]);
      const inDisc = Array.from({ length: 100 }, () => {
        const [a, b] = [2 * next() - 1, 2 * next() - 1];
        const length = Math.max(1, Math.hypot(a, b));
        return [x + (a / length) * round * 0.999999, y + (b / length) * round * 0.999999];
      });
      const rows = Float64Array.from([...inSquare, ...inDisc].flatMap(([a = 0, b = 0]) => [a, b, 1]));
      const samples = dataset({ x: rows, y: new Float64Array(200).fill(1), shape: [200, 3] });
      const signs = new Set(await fitted.predict(samples, work));
      if (predictions[i] !== 0) expect(signs).toEqual(new Set([predictions[i]]));
    }
  });
});

it("an SVM's coefficients stand at their points: they are positive for +1, negative for -1, and give g", async () => {
  const doubled = {
    x: Float64Array.from([...points.x, ...points.x]),
    y: Float64Array.from([...points.y, ...points.y]),
  };
  for (const own of [points, doubled]) {
    const { alpha, decisions } = await surface({ ...settingOf("svm"), ...own, size: 2, range: 1 }, work);
    alpha.forEach((a, i) => {
      expect(a * (own.y[i] ?? 0)).toBeGreaterThanOrEqual(0);
      // Strictly beyond the margin a point has no coefficient (complementary slackness, to the solver's 1e-6).
      if ((own.y[i] ?? 0) * (decisions[i] ?? 0) > 1.01) expect(a).toBe(0);
    });
    expect(alpha.some((a) => a !== 0)).toBe(true);
  }
});

it("deeper machines have the paper's squares at once and larger ones when asked; reports say how they were made", async () => {
  const deep = await balls(settingOf("svm", 3), work);
  expect([deep.square, deep.disc]).toEqual([null, null]);
  const larger = await exact(settingOf("svm", 3), work);
  deep.interval.forEach((radius, i) => {
    expect(larger.square[i]).toBeGreaterThan(2 * radius);
  });
  expect(JSON.parse(await report(settingOf("svm", 3), work)).method).toBe("interval");
  const own = JSON.parse(await report(settingOf("svm"), work));
  expect(own).toMatchObject({ method: "best", norm: "linf", metadata: { movable: 2 } });
  const { square } = await exact(settingOf("svm"), work);
  own.perSample.forEach(({ radius }: { radius: number }, i: number) => {
    expect(square[i]).toBeGreaterThan(0.97 * radius);
  });
});

it("refuses unknown machines and stops when told to", async () => {
  await expect(surface({ ...settingOf("forest"), size: 5, range: 1 }, work)).rejects.toThrow(
    /^machine: expected one of/,
  );
  const stopped = AbortSignal.abort(new Error("stopped"));
  await expect(balls({ ...settingOf("krr"), lambda: 0.5 }, { runtime, signal: stopped })).rejects.toThrow("stopped");
});

it("contours of x^2 + y^2 at 0.49 are within the square of a cell's width of the circle of radius 0.7", () => {
  const size = 50;
  const step = 2 / (size - 1);
  const grid = { size, x0: -1, y0: -1, step };
  const at = (k: number) => -1 + k * step;
  const values = Float64Array.from(
    { length: size * size },
    (_, k) => at(k % size) ** 2 + at(Math.floor(k / size)) ** 2,
  );
  const path = contourPath(values, 0.49, grid);
  const places = path.split(/[ML]/).filter((place) => place !== "");
  expect(places.length).toBeGreaterThan(200);
  for (const place of places) {
    const [x = Number.NaN, y = Number.NaN] = place.split(" ").map(Number);
    expect(Math.abs(Math.hypot(x, y) - 0.7)).toBeLessThan(step * step);
  }
  expect(contourPath(values, 5, grid)).toBe("");
});
