// The interval bound of Theorem 4.2: against 100-digit values, by sampling, and its laws.
import { describe, expect, it } from "vitest";
import { intervalBounds } from "../../sdk/certify/bounds.js";
import { openInput, openMachine } from "../../sdk/certify/checker/terms.js";
import { outputEnds } from "../../sdk/certify/checker/theorem.js";
import { type Dataset, dataset } from "../../sdk/data/dataset.js";
import { ntk } from "../../sdk/kernels/kernel.js";
import type { Runtime } from "../../sdk/runtime/runtime.js";
import { LEVELS, normal, oracle, randomData, runtimeAt, uniform } from "../helpers.js";
import { mutantRuntime } from "./mutants.js";
import { machineOf, SAMPLER, worstEscape } from "./sampler.js";

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

const UNIT = 2 ** -53;
const INTERVAL = { method: "interval", norm: "linf", domain: false } as const;

describe.each(LEVELS)("interval bound, %s", (level) => {
  it("encloses the exact bound, looser by at most n + 80 roundings of the terms' sizes (zero slack)", async () => {
    const runtime = await runtimeAt(level);
    for (const { pixels, x, x0, alpha, cases } of machines) {
      const rows = rowsOf(x, pixels);
      const own = machineOf(rows, alpha);
      const unit = pixels ? 1 / 255 : 1;
      const d = x0.length;
      const size = x.reduce((total, row, i) => total + Math.abs(alpha[i] ?? 0) * Math.hypot(...row) * unit, 0);
      for (const { delta, lower, upper } of cases) {
        const bounds = await intervalBounds(own, rowsOf([x0], pixels), delta, { runtime });
        const [norm, e] = [Math.hypot(...x0) * unit, delta * Math.sqrt(d)];
        // Each term is widened by 32 roundings for itself and the sum by n + 4, beside about as many that were made.
        // Float64 inner products also blur the quotient by (d + 16) roundings. Where a row is parallel to x0, the
        // quotient (1 - u) / 2 is v = e / (r0 + e) at its lower end, and its root is what enters.
        const v = e / (norm + e || 1);
        const root = pixels ? 0 : Math.sqrt(v + 4 * (d + 16) * UNIT) - Math.sqrt(v);
        const slack = ((x.length + 80) * UNIT + root) * ((size * (norm + e)) / d) + 1e-299;
        expect(bounds.lower[0]).toBeLessThanOrEqual(lower);
        expect(bounds.lower[0]).toBeGreaterThanOrEqual(lower - slack);
        expect(bounds.upper[0]).toBeGreaterThanOrEqual(upper);
        expect(bounds.upper[0]).toBeLessThanOrEqual(upper + slack);
      }
    }
  });
});

/** 4,200 equal rows of cosine a / hypot(a, 255) with the input (255, 0), weight 1 / 4200 each; and their sum, enclosed. */
async function equalRows(runtime: Runtime, a: number, sign: number) {
  const n = 4200;
  const rows = dataset({
    x: Uint8Array.from({ length: 2 * n }, (_, k) => (k % 2 === 0 ? a : 255)),
    y: new Array(n).fill(1),
    shape: [n, 2],
  });
  const own = machineOf(rows, new Float64Array(n).fill(sign / n));
  const input = rowsOf([[255, 0]], true);
  const { lower, upper } = await intervalBounds(own, input, 0, { runtime });
  const exact = outputEnds(openInput(openMachine(own), Float64Array.of(255, 0), true));
  return { lower: lower[0] ?? Number.NaN, upper: upper[0] ?? Number.NaN, exact, n };
}

it.each(LEVELS)(
  "4,200 equal rows, whose errors all point one way: their sum is enclosed, and no looser than n + 8,000 roundings, %s",
  async (level) => {
    const runtime = await runtimeAt(level);
    for (let a = 1; a < 256; a += 17)
      for (const sign of [1, -1]) {
        const { lower, upper, exact, n } = await equalRows(runtime, a, sign);
        const slack = 2 * (n + 8000) * UNIT * Math.abs(exact.lo);
        expect(lower).toBeLessThanOrEqual(exact.hi);
        expect(upper).toBeGreaterThanOrEqual(exact.lo);
        expect(lower).toBeGreaterThan(exact.lo - slack);
        expect(upper).toBeLessThan(exact.hi + slack);
      }
  },
);

it("the short polynomial that many rows take is nowhere trusted further than it reaches: without its own allowance sums escape", async () => {
  const runtime = await mutantRuntime([
    { file: "bounds/interval.ts", edits: [{ at: "many ? «TERM_ULPS + SHORT_GAP_ULPS» : TERM_ULPS", to: "-4000" }] },
  ]);
  const escapes = async () => {
    let count = 0;
    for (let a = 1; a < 256; a += 17)
      for (const sign of [1, -1]) {
        const { lower, upper, exact } = await equalRows(runtime, a, sign);
        if (lower > exact.hi || upper < exact.lo) count += 1;
      }
    return count;
  };
  expect(await escapes()).toBe(0);
  runtime.call("setMutant", 1);
  // The allowance of the sum itself, which needs next to none here, is taken away with it.
  expect(await escapes()).toBeGreaterThan(5);
  await runtime.close();
});

it("10^5 random boxes: every sample lies inside, to the 64 roundings of the sampler's own g", async () => {
  const runtime = await runtimeAt("simd");
  for (let seed = 0; seed < 200; seed++)
    expect(await worstEscape(runtime, seed, 500, INTERVAL), `seed ${seed}`).toBeLessThanOrEqual(SAMPLER);
});

it("the sampler sees a broken bound: boxes claimed at half their radius are left by samples", async () => {
  const runtime = await runtimeAt("simd");
  let seen = 0;
  for (let seed = 0; seed < 40; seed++)
    if ((await worstEscape(runtime, seed, 100, INTERVAL, (radius) => radius / 2)) > 1e-3) seen++;
  expect(seen).toBeGreaterThan(5);
});

it("small terms that vanish beside large ones of opposite sign are covered by the bound of the sum's rounding", async () => {
  const runtime = await runtimeAt("simd");
  // K(x, x) = ||x||^2 / d = 1 for a white image; the terms of 1 are below half a unit in the last place of the sums.
  const alpha = [1e17, 1e17, ...new Array(1000).fill(1), -1e17, -1e17];
  const rows = dataset({
    x: new Uint8Array(4 * alpha.length).fill(255),
    y: alpha.map(() => 1),
    shape: [alpha.length, 4],
  });
  const white = dataset({ x: new Uint8Array(4).fill(255), y: [1], shape: [1, 4] });
  for (const sign of [1, -1]) {
    const own = machineOf(
      rows,
      alpha.map((a) => sign * a),
    );
    const { lower, upper } = await intervalBounds(own, white, 0, { runtime });
    expect(lower[0]).toBeLessThanOrEqual(sign * 1000);
    expect(upper[0]).toBeGreaterThanOrEqual(sign * 1000);
  }
});

it("8-bit rows of 40,000 to 400,000 columns: at radius 0 the bounds hold the value and are 1e-10 wide", async () => {
  const runtime = await runtimeAt("simd");
  for (const d of [40_000, 46_704, 46_706, 150_528, 400_000]) {
    const white = new Uint8Array(d).fill(255);
    const half = white.map((v, k) => (k % 2 === 0 ? v : 0));
    const rows = dataset({ x: half, y: [1], shape: [1, d] });
    const input = dataset({ x: white, y: [1], shape: [1, d] });
    // Norms 1 and 1/sqrt 2 of sqrt d, at 45 degrees: <x, y> = d/2, ||x ^ y|| = d/2.
    const exact = (2 * (d / 2) * (Math.PI * 0.75) + d / 2) / (2 * Math.PI * d);
    const { lower, upper } = await intervalBounds(machineOf(rows, [1]), input, 0, { runtime });
    expect(lower[0]).toBeLessThanOrEqual(exact);
    expect(upper[0]).toBeGreaterThanOrEqual(exact);
    expect((upper[0] ?? 0) - (lower[0] ?? 0)).toBeLessThan(1e-10);
  }
});

it("bounds widen with the radius, and at radius 0 are the value to 1e-13 of its terms' sizes (1e-12 in float64)", async () => {
  const runtime = await runtimeAt("simd");
  for (let seed = 0; seed < 40; seed++) {
    const pixels = seed % 2 === 0;
    const rows = randomData(15, 12, seed, pixels);
    const gauss = normal(uniform(seed));
    const own = machineOf(rows, Array.from({ length: 15 }, gauss), gauss());
    const x0 = randomData(6, 12, seed + 100, pixels);
    const g = await own.decisionFunction(x0, { runtime });
    let low: Float64Array = g.map(() => Infinity);
    let high: Float64Array = g.map(() => -Infinity);
    for (const radius of [0, 1e-15, 1e-9, 1e-4, 1e-3, 0.01, 0.1, 0.3, 1, 3, 10, 1e3]) {
      const { lower, upper } = await intervalBounds(own, x0, radius, { runtime });
      g.forEach((value, k) => {
        const size = own.alpha.reduce((total, a) => total + Math.abs(a), 0) * (pixels ? 1 : 2) + Math.abs(own.bias);
        if (radius === 0) {
          expect(lower[k]).toBeLessThanOrEqual(value);
          expect(upper[k]).toBeGreaterThanOrEqual(value);
          expect((upper[k] ?? 0) - (lower[k] ?? 0)).toBeLessThan((pixels ? 1e-13 : 1e-12) * size);
        }
        expect(lower[k]).toBeLessThanOrEqual(low[k] ?? Number.NaN);
        expect(upper[k]).toBeGreaterThanOrEqual(high[k] ?? Number.NaN);
      });
      [low, high] = [lower, upper];
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
  for (const bad of [null, {}, true, () => 1])
    await expect(intervalBounds(own, rows, bad as never)).rejects.toThrow(/^radii: expected/);
  await expect(intervalBounds(machineOf(rows, [1, 1, 1], 0, ntk({ biasVariance: 0.1 })), rows, 1)).rejects.toThrow(
    /without biases/,
  );
});
