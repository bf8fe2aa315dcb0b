// One suite that every kernel passes: oracle values, symmetry, positive semidefiniteness, diagonal, limits, levels.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dataset } from "../../sdk/data/dataset.js";
import { crossGram, GramMatrix } from "../../sdk/kernels/gram.js";
import {
  describeKernel,
  type Kernel,
  type NetworkKernel,
  nngp,
  ntk,
  productKernels,
  scaleKernel,
  sumKernels,
} from "../../sdk/kernels/kernel.js";
import { spectrum } from "../../sdk/kernels/spectrum.js";
import type { Runtime } from "../../sdk/runtime/runtime.js";
import { LEVELS, normal, oracle, randomData, runtimeAt, uniform } from "../helpers.js";

const DEPTHS = [1, 2, 3, 10, 100];
const VARIANCES = [
  { weightVariance: 1, biasVariance: 0 },
  { weightVariance: 2, biasVariance: 0.1 },
];
const KERNELS: NetworkKernel[] = [ntk, nngp].flatMap((make) =>
  DEPTHS.flatMap((depth) => VARIANCES.map((variances) => make({ depth, ...variances }))),
);

const ACTIVATED = (["leaky-relu", "erf", "sine"] as const).flatMap((activation) =>
  [ntk, nngp].flatMap((make) =>
    [1, 4].flatMap((depth) => VARIANCES.map((variances) => make({ activation, depth, ...variances }))),
  ),
);

const COMPOSED: Kernel[] = [
  scaleKernel(2.5, ntk()),
  sumKernels(ntk(), scaleKernel(3, nngp({ activation: "erf" })), nngp({ depth: 3, biasVariance: 0.2 })),
  productKernels(ntk({ activation: "sine" }), sumKernels(ntk({ depth: 2 }), nngp({ biasVariance: 0.1 }))),
];

/** Whether a zero row has the value 0 with any other. */
function vanishes(kernel: Kernel): boolean {
  if (kernel.kind === "user") return false;
  if (kernel.kind === "scaled") return vanishes(kernel.part);
  if (kernel.kind === "sum") return kernel.parts.every(vanishes);
  return kernel.kind === "product" ? kernel.parts.some(vanishes) : kernel.biasVariance === 0;
}

const rowsOf = (x: readonly number[], pixels: boolean) => ({
  n: 1,
  d: x.length,
  x: pixels ? Uint8Array.from(x) : Float64Array.from(x),
  scale: pixels ? 1 / 255 : 1,
});

async function value(runtime: Runtime, kernel: Kernel, x: readonly number[], y: readonly number[], pixels = false) {
  const { values } = await crossGram(kernel, rowsOf(x, pixels), rowsOf(y, pixels), { runtime });
  return values[0] ?? Number.NaN;
}

interface Pair {
  readonly kind: string;
  readonly pixels: boolean;
  readonly x: number[];
  readonly y: number[];
  readonly ntk: number[];
  readonly nngp: number[];
}

const kernels = oracle("kernels") as { settings: { depth: number; sw2: number; sb2: number }[]; pairs: Pair[] };

const UNIT = 2 ** -53;
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** K(x, x) of both kinds by the recursion, which is exact on the diagonal: kappa0(1) = kappa1(1) = 1. */
function diagonal(
  { kind, depth, weightVariance, biasVariance }: NetworkKernel,
  x: readonly number[],
  unit: number,
): number {
  let q = (weightVariance * sum(x.map((value) => (value * unit) ** 2))) / x.length + biasVariance;
  let theta = q;
  for (let layer = 0; layer < depth; layer++) {
    q = 0.5 * weightVariance * q + biasVariance;
    theta = q + 0.5 * weightVariance * theta;
  }
  return kind === "ntk" ? theta : q;
}

/**
 * t = (1 - |u|) / 2 of the inputs without cancellation: with K_0 = a<x, y> + b, Lagrange's identity gives
 * q q' - K_0^2 = a^2 sum_{i<j} (x_i y_j - x_j y_i)^2 + a b ||x - y||^2.
 */
function halfShortfall({ weightVariance, biasVariance }: NetworkKernel, { x, y, pixels }: Pair): number {
  const [a, b] = [(weightVariance / x.length) * (pixels ? 255 ** -2 : 1), biasVariance];
  const dot = (u: readonly number[], v: readonly number[]) => sum(u.map((value, k) => value * (v[k] ?? 0)));
  const product = (a * dot(x, x) + b) * (a * dot(y, y) + b);
  if (product === 0) return 0;
  let square = 0;
  x.forEach((xi, i) => {
    for (let j = 0; j < i; j++) square += (xi * (y[j] ?? 0) - (x[j] ?? 0) * (y[i] ?? 0)) ** 2;
  });
  const gap = a * a * square + a * b * sum(x.map((value, k) => (value - (y[k] ?? 0)) ** 2));
  return gap / product / (2 * (1 + Math.abs(a * dot(x, y) + b) / Math.sqrt(product)));
}

/**
 * Error allowed, in units of S = sqrt(K(x, x) K(y, y)). Rounding moves t by at most delta = (d/4 + 8) 2^-53 (sums in
 * four lanes; integers are exact and leave 8), and no layer enlarges that. kappa0 = 1 - (2/pi) asin sqrt(t) has a root
 * at t = 0 and makes sqrt(t + delta) - sqrt(t) of it, in each of L layers; kappa1 has none. A layer's own roundings
 * are below 16 units.
 */
function tolerance(kernel: NetworkKernel, pair: Pair): number {
  const t = halfShortfall(kernel, pair);
  const delta = ((pair.pixels ? 0 : pair.x.length / 4) + 8) * UNIT;
  const moved = kernel.kind === "ntk" ? kernel.depth * (Math.sqrt(t + delta) - Math.sqrt(t)) : 0;
  const identical = pair.x.every((entry, k) => entry === pair.y[k]);
  return (identical ? 0 : moved + 2 * delta) + 16 * kernel.depth * UNIT;
}

describe.each(LEVELS)("kernel values, %s", (level) => {
  it("agree with 100-digit values: 16 L ulp, and what one rounding of u makes of the root at u = 1", async () => {
    const runtime = await runtimeAt(level);
    for (const pair of kernels.pairs)
      for (const [k, { depth, sw2, sb2 }] of kernels.settings.entries())
        for (const kernel of [ntk, nngp].map((make) => make({ depth, weightVariance: sw2, biasVariance: sb2 }))) {
          const exact = pair[kernel.kind][k] ?? Number.NaN;
          const got = await value(runtime, kernel, pair.x, pair.y, pair.pixels);
          const unit = pair.pixels ? 1 / 255 : 1;
          const size = Math.sqrt(diagonal(kernel, pair.x, unit) * diagonal(kernel, pair.y, unit));
          expect(Math.abs(got - exact), `${describeKernel(kernel)}: ${pair.kind}`).toBeLessThanOrEqual(
            tolerance(kernel, pair) * size,
          );
        }
  });

  it("of a row with itself are those of the recursion, to 8 L + 8 ulp; a zero row gives 0 or the biases' share", async () => {
    const runtime = await runtimeAt(level);
    const next = normal(uniform(2));
    for (const kernel of KERNELS)
      for (const [d, size] of [
        [1, 1],
        [2, 1],
        [7, 1e-70],
        [7, 1e70],
        [40, 1],
      ] as const) {
        const x = Array.from({ length: d }, () => size * next());
        const exact = diagonal(kernel, x, 1);
        const ulps = Math.abs((await value(runtime, kernel, x, x)) / exact - 1) / UNIT;
        expect(ulps).toBeLessThanOrEqual(8 * kernel.depth + 8 + d / 2);
        const zero = x.map(() => 0);
        const own = await value(runtime, kernel, zero, zero);
        if (kernel.biasVariance === 0) expect(own).toBe(0);
        else expect(Math.abs(own / diagonal(kernel, zero, 1) - 1)).toBeLessThanOrEqual((8 * kernel.depth + 8) * UNIT);
      }
  });
});

const ALL: [string, Kernel][] = [...KERNELS, ...ACTIVATED, ...COMPOSED].map((kernel) => [
  describeKernel(kernel),
  kernel,
]);

describe.each(ALL)("%s", (_, kernel) => {
  it("is symmetric to the bit, its diagonal agrees, and a batch equals its pairs to the bit", async () => {
    const runtime = await runtimeAt("simd");
    const data = randomData(9, 5, 3);
    const gram = await GramMatrix.create(kernel, data, { runtime });
    const { values } = await crossGram(kernel, data, data, { runtime });
    const diagonal = gram.diagonal();
    for (let i = 0; i < 9; i++) {
      expect(values[i * 9 + i]).toBe(diagonal[i]);
      for (let j = 0; j < 9; j++) {
        expect(values[i * 9 + j]).toBe(values[j * 9 + i]);
        const x = Array.from(data.x.subarray(i * 5, i * 5 + 5));
        const y = Array.from(data.x.subarray(j * 5, j * 5 + 5));
        // The last lane of an odd batch goes through the scalar form: the same bits.
        expect(await value(runtime, kernel, x, y)).toBe(values[i * 9 + j]);
      }
    }
  });

  it("is positive semidefinite: smallest eigenvalue above -1e-13 of the largest, equal and opposite rows included", async () => {
    const runtime = await runtimeAt("simd");
    const { x } = randomData(20, 4, 11);
    const twins = [x, x.map((v) => -v), x.map((v, k) => (k < 8 ? 0 : v * (1 + 1e-9)))].flatMap((part) =>
      Array.from(part),
    );
    const rows = dataset({ x: Float64Array.from(twins), y: new Array(60).fill(1), shape: [60, 4] });
    const gram = await GramMatrix.create(kernel, rows, { runtime });
    const { smallest, largest } = await spectrum(gram, { steps: 60 });
    // An error of 16 L + 2 ulp in every entry moves eigenvalues by at most 60 times that of the largest entry; nearly
    // equal rows sit on the root at u = 1, where both entries move alike.
    expect(smallest).toBeGreaterThan(-1e-13 * largest);
    expect(largest).toBeGreaterThan(0);
  });

  it("is finite everywhere, at most sqrt(K(x,x) K(y,y)) (1 + 1e-12), and has its limits at zero rows", async () => {
    const runtime = await runtimeAt("simd");
    // Products of two squared norms neither overflow nor underflow: larger rows are refused.
    const size = fc.double({ min: 1e-70, max: 1e70, noNaN: true });
    const entry = fc.oneof(
      fc.constant(0),
      fc.double({ min: -10, max: 10, noNaN: true }).map((v) => (Math.abs(v) < 1e-70 ? 0 : v)),
      size,
      size.map((v) => -v),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(entry, { minLength: 3, maxLength: 3 }),
        fc.array(entry, { minLength: 3, maxLength: 3 }),
        async (x, y) => {
          const [xy, xx, yy] = await Promise.all([
            value(runtime, kernel, x, y),
            value(runtime, kernel, x, x),
            value(runtime, kernel, y, y),
          ]);
          expect(Number.isFinite(xy)).toBe(true);
          expect(Math.abs(xy)).toBeLessThanOrEqual(Math.sqrt(xx) * Math.sqrt(yy) * (1 + 1e-12) + 1e-300);
        },
      ),
      { numRuns: 40 },
    );
    const zero = await value(runtime, kernel, [0, 0, 0], [1, 2, 3]);
    if (vanishes(kernel)) expect(zero).toBe(0);
    else expect(zero).toBeGreaterThan(0);
  });
});

it("8-bit rows and the same rows as float64 / 255 agree to 1e-12", async () => {
  const runtime = await runtimeAt("simd");
  const pixels = randomData(30, 49, 5, true);
  const reals = dataset({ x: Float64Array.from(pixels.x, (v) => v / 255), y: pixels.y, shape: [30, 49] });
  for (const kernel of [ntk(), ntk({ depth: 3 }), nngp({ depth: 2 })]) {
    const a = await crossGram(kernel, pixels, pixels, { runtime });
    const b = await crossGram(kernel, reals, reals, { runtime });
    a.values.forEach((v, k) => {
      expect(Math.abs(v - (b.values[k] ?? 0)) / v).toBeLessThan(1e-12);
    });
  }
});

it("all levels give the same bits for rows of 0, 1, 3, 4, 5 and 7 columns beside a block", async () => {
  const runtimes = await Promise.all(LEVELS.map((level) => runtimeAt(level)));
  for (const d of [1, 3, 4, 5, 7, 8, 9, 15, 16, 49])
    for (const pixels of [false, true])
      for (const kernel of [ntk(), ntk({ depth: 2, biasVariance: 0.3 })]) {
        const data = randomData(11, d, d, pixels);
        const all = await Promise.all(runtimes.map((runtime) => crossGram(kernel, data, data, { runtime })));
        for (const other of all) expect(other.values).toEqual(all[0]?.values);
      }
});

it("refuses rows whose norms would overflow, by their number", async () => {
  const runtime = await runtimeAt("simd");
  const rows = dataset({ x: Float64Array.of(1, 2, 1e90, 1), y: [1, -1], shape: [2, 2] });
  const refused = crossGram(ntk(), rows, rows, { runtime });
  await expect(refused).rejects.toThrow(/^rows: expected norms below 1e75, got 1\.00e\+90 in row 1: scale the data$/);
});

it("refuses depth 0, fractions, NaN and negative variances by name", () => {
  expect(() => ntk({ depth: 0 })).toThrow(/^depth: expected an integer >= 1.*got 0$/);
  expect(() => ntk({ depth: 1.5 })).toThrow(RangeError);
  expect(() => ntk({ weightVariance: 0 })).toThrow(/^weightVariance/);
  expect(() => nngp({ biasVariance: -1 })).toThrow(/^biasVariance/);
  expect(() => ntk({ depth: "1" as unknown as number })).toThrow(TypeError);
  expect(() => ntk(null as unknown as object)).toThrow(TypeError);
});
