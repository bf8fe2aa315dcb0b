// The interval bound of Theorem 4.2: against 100-digit values, by sampling, and its laws.
import { describe, expect, it } from "vitest";
import { intervalBounds } from "../../sdk/certify/interval.js";
import { type Dataset, dataset } from "../../sdk/data/dataset.js";
import { nngp, ntk } from "../../sdk/kernels/kernel.js";
import { Machine } from "../../sdk/machines/machine.js";
import type { Runtime } from "../../sdk/runtime/runtime.js";
import { LEVELS, normal, oracle, randomData, runtimeAt, uniform } from "../helpers.js";

function machineOf(rows: Dataset, alpha: ArrayLike<number>, bias = 0, kernel = ntk()): Machine {
  return new Machine({
    machine: "krr",
    parameters: {},
    kernel,
    rows: { n: rows.n, d: rows.d, x: rows.x, scale: rows.scale },
    alpha: Float64Array.from(alpha),
    bias,
    training: {},
    dataHash: "",
    dataName: "",
  });
}

const rowsOf = (x: readonly (readonly number[])[], pixels: boolean) =>
  dataset({
    x: pixels ? Uint8Array.from(x.flat()) : Float64Array.from(x.flat()),
    y: x.map(() => 1),
    shape: [x.length, x[0]?.length ?? 0],
  });

interface Case {
  readonly delta: number;
  readonly lower: number;
  readonly upper: number;
}

const machines = oracle("interval").machines as {
  pixels: boolean;
  x: number[][];
  x0: number[];
  alpha: number[];
  g: number;
  cases: Case[];
}[];

describe.each(LEVELS)("interval bound, %s", (level) => {
  it("encloses the exact bound and is looser by at most 1e-12 of the terms' sizes (1e-7 at u = 1 in float64)", async () => {
    const runtime = await runtimeAt(level);
    for (const { pixels, x, x0, alpha, cases } of machines) {
      const rows = rowsOf(x, pixels);
      const own = machineOf(rows, alpha);
      const unit = pixels ? 1 / 255 : 1;
      const size = x.reduce((sum, row, i) => sum + Math.abs(alpha[i] ?? 0) * Math.hypot(...row) * unit, 0);
      for (const { delta, lower, upper } of cases) {
        const bounds = await intervalBounds(own, rowsOf([x0], pixels), delta, { runtime });
        const reach = (Math.hypot(...x0) * unit + delta * Math.sqrt(x0.length)) / x0.length;
        // Rows parallel to x0 sit on the root singularity: float64 rows have lost sqrt(2^-52) there on entry.
        const slack = (pixels ? 1e-12 : 1e-7) * size * reach + 1e-290;
        expect(bounds.lower[0]).toBeLessThanOrEqual(lower);
        expect(bounds.lower[0]).toBeGreaterThanOrEqual(lower - slack);
        expect(bounds.upper[0]).toBeGreaterThanOrEqual(upper);
        expect(bounds.upper[0]).toBeLessThanOrEqual(upper + slack);
      }
    }
  });
});

/** Largest amount by which a sample's g leaves the bounds; not positive when every sample is inside. */
async function worstEscape(
  runtime: Runtime,
  seed: number,
  boxes: number,
  claim: (radius: number) => number,
): Promise<number> {
  const next = uniform(seed);
  const gauss = normal(next);
  const pixels = seed % 2 === 0;
  const d = 1 + (seed % 17);
  const rows = randomData(1 + Math.floor(next() * 12), d, seed + 1, pixels);
  const own = machineOf(rows, Array.from({ length: rows.n }, gauss), gauss() * 0.1);
  const centres = randomData(boxes, d, seed + 2, pixels);
  const radii = Float64Array.from({ length: boxes }, () => 10 ** (-4 + 4.5 * next()));
  const bounds = await intervalBounds(own, centres, radii.map(claim), { runtime });
  // Samples at corners and inside, as float64 rows of the same real values.
  const real = (set: { x: Uint8Array | Float64Array; scale: number }) => Float64Array.from(set.x, (v) => v * set.scale);
  const points = real(centres).map((v, k) => {
    const side = next() < 0.5 ? Math.sign(next() - 0.5) : 2 * next() - 1;
    return v + side * (radii[Math.floor(k / d)] ?? 0) * (1 - 1e-12);
  });
  const twin = machineOf(dataset({ x: real(rows), y: rows.y, shape: [rows.n, d] }), own.alpha, own.bias);
  const g = await twin.decisionFunction({ n: boxes, d, x: points, scale: 1 }, { runtime });
  const rounding = 1e-7; // of the float64 twin's own g, where a sample is nearly parallel to a row
  return Math.max(
    ...g.map(
      (value, k) =>
        Math.max((bounds.lower[k] ?? 0) - value, value - (bounds.upper[k] ?? 0)) - rounding * Math.abs(value),
    ),
  );
}

it("10^5 random boxes: every sample lies inside (1e-7 of g is allowed for the sampler's own rounding)", async () => {
  const runtime = await runtimeAt("simd");
  for (let seed = 0; seed < 200; seed++)
    expect(await worstEscape(runtime, seed, 500, (radius) => radius)).toBeLessThanOrEqual(0);
});

it("the sampler sees a broken bound: boxes claimed at half their radius are left by samples", async () => {
  const runtime = await runtimeAt("simd");
  const escapes = await Promise.all(
    Array.from({ length: 20 }, (_, seed) => worstEscape(runtime, seed, 100, (radius) => radius / 4)),
  );
  expect(Math.max(...escapes)).toBeGreaterThan(0);
});

it("bounds widen with the radius, and at radius 0 are the value to 1e-12 of its terms' sizes", async () => {
  const runtime = await runtimeAt("simd");
  for (let seed = 0; seed < 20; seed++) {
    const pixels = seed % 2 === 0;
    const rows = randomData(15, 12, seed, pixels);
    const gauss = normal(uniform(seed));
    const own = machineOf(rows, Array.from({ length: 15 }, gauss));
    const x0 = randomData(1, 12, seed + 100, pixels);
    const g = (await own.decisionFunction(x0, { runtime }))[0] ?? Number.NaN;
    let [low, high] = [Infinity, -Infinity];
    for (const radius of [0, 1e-9, 1e-4, 1e-3, 0.01, 0.1, 0.3, 1, 3, 10]) {
      const { lower, upper } = await intervalBounds(own, x0, radius, { runtime });
      if (radius === 0) {
        expect(lower[0]).toBeLessThanOrEqual(g);
        expect(upper[0]).toBeGreaterThanOrEqual(g);
        expect((upper[0] ?? 0) - (lower[0] ?? 0)).toBeLessThan(pixels ? 1e-11 : 1e-6);
      }
      expect(lower[0]).toBeLessThanOrEqual(low);
      expect(upper[0]).toBeGreaterThanOrEqual(high);
      [low, high] = [lower[0] ?? Number.NaN, upper[0] ?? Number.NaN];
    }
  }
});

it("turning alpha around mirrors the bounds to the bit; so does turning all rows and the input around", async () => {
  const runtime = await runtimeAt("simd");
  const rows = randomData(9, 6, 3);
  const alpha = Array.from({ length: 9 }, normal(uniform(8)));
  const x0 = randomData(4, 6, 5);
  const minus = (set: Dataset) =>
    dataset({ x: (set.x as Float64Array).map((v) => -v), y: set.y, shape: [set.n, set.d] });
  const bounds = await intervalBounds(machineOf(rows, alpha), x0, 0.1, { runtime });
  const turned = await intervalBounds(
    machineOf(
      rows,
      alpha.map((a) => -a),
    ),
    x0,
    0.1,
    { runtime },
  );
  expect(turned.lower).toEqual(bounds.upper.map((v) => -v));
  expect(turned.upper).toEqual(bounds.lower.map((v) => -v));
  expect(await intervalBounds(machineOf(minus(rows), alpha), minus(x0), 0.1, { runtime })).toEqual(bounds);
});

it("the scalar reference and every level and thread count give the same bits", async () => {
  const rows = randomData(33, 20, 4, true);
  const own = machineOf(rows, Array.from({ length: 33 }, normal(uniform(1))), 0.2);
  const x0 = randomData(50, 20, 6, true);
  const all = [];
  for (const [level, threads] of [
    ...LEVELS.map((name) => [name, 0] as const),
    ["simd", 1],
    ["simd", 2],
    ["simd", 3],
  ] as const) {
    const runtime = await runtimeAt(level, threads);
    all.push(await intervalBounds(own, x0, 0.05, { runtime }));
    await runtime.close();
  }
  for (const bounds of all) expect(bounds).toEqual(all[0]);
});

it("a black input and black rows have bounds, finite and in order", async () => {
  const runtime = await runtimeAt("simd");
  const rows = dataset({ x: Uint8Array.of(0, 0, 255, 0, 0, 255), y: [1, 1, -1], shape: [3, 2] });
  const own = machineOf(rows, [1, 2, -1.5]);
  const black = dataset({ x: new Uint8Array(2), y: [1], shape: [1, 2] });
  for (const radius of [0, 0.1, 5]) {
    const { lower, upper } = await intervalBounds(own, black, radius, { runtime });
    expect(Number.isFinite(lower[0]) && Number.isFinite(upper[0])).toBe(true);
    expect(lower[0]).toBeLessThanOrEqual(0);
    expect(upper[0]).toBeGreaterThanOrEqual(0);
  }
});

it("names bad arguments, and refuses kernels it does not hold for", async () => {
  const rows = randomData(3, 2, 1);
  const own = machineOf(rows, [1, 2, 3]);
  await expect(intervalBounds(own, rows, -1)).rejects.toThrow(/^radii: expected a finite number >= 0, got -1$/);
  await expect(intervalBounds(own, rows, [1, 2])).rejects.toThrow(/^radii: expected 3 numbers, got 2$/);
  await expect(intervalBounds(own, rows, Number.NaN)).rejects.toThrow(RangeError);
  await expect(intervalBounds({} as never, rows, 1)).rejects.toThrow(TypeError);
  for (const kernel of [ntk({ depth: 3 }), nngp(), ntk({ biasVariance: 0.1 })])
    await expect(intervalBounds(machineOf(rows, [1, 1, 1], 0, kernel), rows, 1)).rejects.toThrow(/two-layer NTK/);
});
