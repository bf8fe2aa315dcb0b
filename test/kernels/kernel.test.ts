// One suite that every kernel passes: oracle values, symmetry, positive semidefiniteness, diagonal, limits, levels.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dataset } from "../../sdk/data/dataset.js";
import { crossGram, GramMatrix } from "../../sdk/kernels/gram.js";
import { type Kernel, nngp, ntk } from "../../sdk/kernels/kernel.js";
import { spectrum } from "../../sdk/kernels/spectrum.js";
import type { Runtime } from "../../sdk/runtime/runtime.js";
import { LEVELS, normal, oracle, randomData, runtimeAt, uniform } from "../helpers.js";

const DEPTHS = [1, 2, 3, 10, 100];
const VARIANCES = [
  { weightVariance: 1, biasVariance: 0 },
  { weightVariance: 2, biasVariance: 0.1 },
];
const KERNELS: Kernel[] = [ntk, nngp].flatMap((make) =>
  DEPTHS.flatMap((depth) => VARIANCES.map((variances) => make({ depth, ...variances }))),
);

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

/**
 * Relative tolerance of a pair. Rounding of an inner product moves u by about 2^-52, and kappa0 has a square-root
 * singularity at |u| = 1, so nearly parallel rows keep sqrt(2^-52) only; identical rows have u = 1 exactly.
 */
function tolerance({ x, y }: Pair): number {
  const size = Math.hypot(...x) * Math.hypot(...y);
  const cosine = size === 0 ? 0 : Math.abs(x.reduce((sum, entry, k) => sum + entry * (y[k] ?? 0), 0) / size);
  if (x.every((entry, k) => entry === y[k])) return 1e-12;
  return 1 - cosine < 1e-6 ? 1e-7 : 1e-11;
}

describe.each(LEVELS)("kernel values, %s", (level) => {
  it("agree with 100-digit values: 1e-11 relative, 1e-7 where rounding of u meets the root singularity", async () => {
    const runtime = await runtimeAt(level);
    for (const pair of kernels.pairs) {
      for (const [k, { depth, sw2, sb2 }] of kernels.settings.entries()) {
        const options = { depth, weightVariance: sw2, biasVariance: sb2 };
        for (const kind of ["ntk", "nngp"] as const) {
          const exact = pair[kind][k] ?? Number.NaN;
          const got = await value(runtime, kind === "ntk" ? ntk(options) : nngp(options), pair.x, pair.y, pair.pixels);
          // Biases drive u to 1 with depth, and with it every pair towards the singularity.
          const slack = sb2 > 0 && depth >= 10 ? 1e-6 : tolerance(pair) * Math.max(1, depth / 3);
          // Opposite rows have h(-1) = 0: what rounding of u leaves there is sqrt(2^-52) of the rows' sizes.
          const norms = (Math.hypot(...pair.x) * Math.hypot(...pair.y)) / pair.x.length;
          const floor = pair.kind.includes("anti") ? 1e-7 * norms * (pair.pixels ? 255 ** -2 : 1) : 0;
          expect(Math.abs(got - exact), `${kind} ${pair.kind} depth ${depth} ${sw2} ${sb2}`).toBeLessThanOrEqual(
            slack * Math.abs(exact) + floor + 1e-300,
          );
        }
      }
    }
  });
});

describe.each(KERNELS)("$kind depth $depth, variances $weightVariance $biasVariance", (kernel) => {
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

  it("is positive semidefinite: smallest eigenvalue above -1e-13 of the largest (rounding of 40 rows)", async () => {
    const runtime = await runtimeAt("simd");
    const gram = await GramMatrix.create(kernel, randomData(40, 4, 11), { runtime });
    const { smallest, largest } = await spectrum(gram, { steps: 40 });
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
    if (kernel.biasVariance === 0) expect(zero).toBe(0);
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
      const identical = Math.floor(k / 30) === k % 30;
      expect(Math.abs(v - (b.values[k] ?? 0)) / v).toBeLessThan(identical ? 1e-7 : 1e-12);
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

/** A random ReLU network of width m: outputs f and gradients by hand, for one draw of weights. */
function networkDraw(gauss: () => number, depth: number, m: number, inputs: readonly (readonly number[])[]) {
  const d = inputs[0]?.length ?? 0;
  const layers = Array.from({ length: depth }, (_, l) => {
    const fan = l === 0 ? d : m;
    return Array.from({ length: m }, () => Float64Array.from({ length: fan }, gauss));
  });
  const output = Float64Array.from({ length: m }, gauss);
  return inputs.map((x) => {
    const activations: Float64Array[] = [Float64Array.from(x)];
    for (const layer of layers) {
      const before = activations.at(-1) as Float64Array;
      const scale = 1 / Math.sqrt(before.length);
      activations.push(
        Float64Array.from(layer, (w) => Math.max(0, scale * w.reduce((sum, v, k) => sum + v * (before[k] ?? 0), 0))),
      );
    }
    const last = activations.at(-1) as Float64Array;
    const f = output.reduce((sum, v, j) => sum + v * (last[j] ?? 0), 0) / Math.sqrt(m);
    // Derivatives by pre-activations, last layer first.
    let errors = Float64Array.from(output, (v, j) => ((last[j] ?? 0) > 0 ? v / Math.sqrt(m) : 0));
    const signals: Float64Array[] = [];
    for (let l = depth - 1; l >= 0; l--) {
      signals.unshift(errors);
      if (l === 0) break;
      const before = activations[l] as Float64Array;
      const back = new Float64Array(m);
      layers[l]?.forEach((w, j) => {
        for (let k = 0; k < m; k++) back[k] = (back[k] ?? 0) + ((errors[j] ?? 0) * (w[k] ?? 0)) / Math.sqrt(m);
      });
      errors = back.map((v, k) => ((before[k] ?? 0) > 0 ? v : 0));
    }
    return { f, activations, signals };
  });
}

it.each([1, 2])(
  "depth %i: mean of f f' and of <grad f, grad f'> over random networks within 4 sigma",
  async (depth) => {
    const runtime = await runtimeAt("simd");
    const inputs = [
      [1, 0.5, -0.3, 0.8],
      [0.2, -1, 0.6, 0.4],
    ] as const;
    const gauss = normal(uniform(17 + depth));
    const draws = depth === 1 ? 600 : 150;
    const width = depth === 1 ? 256 : 64;
    const covariances: number[] = [];
    const tangents: number[] = [];
    for (let k = 0; k < draws; k++) {
      const [a, b] = networkDraw(gauss, depth, width, inputs) as [
        ReturnType<typeof networkDraw>[0],
        ReturnType<typeof networkDraw>[0],
      ];
      const inner = (u: Float64Array, v: Float64Array) => u.reduce((sum, value, j) => sum + value * (v[j] ?? 0), 0);
      covariances.push(a.f * b.f);
      let tangent = inner(a.activations[depth] as Float64Array, b.activations[depth] as Float64Array) / width;
      a.signals.forEach((signal, l) => {
        const [left, right] = [a.activations[l] as Float64Array, b.activations[l] as Float64Array];
        tangent += (inner(left, right) / left.length) * inner(signal, b.signals[l] as Float64Array);
      });
      tangents.push(tangent);
    }
    for (const [samples, kernel, bias] of [
      [covariances, nngp({ depth }), 0],
      // Finite width biases the tangent kernel's mean by O(1/m); 3/m of the value is allowed beside 4 sigma.
      [tangents, ntk({ depth }), depth === 1 ? 0 : 3 / width],
    ] as const) {
      const exact = await value(runtime, kernel, [...inputs[0]], [...inputs[1]]);
      const mean = samples.reduce((sum, v) => sum + v, 0) / draws;
      const sigma = Math.sqrt(samples.reduce((sum, v) => sum + (v - mean) ** 2, 0) / draws / draws);
      expect(Math.abs(mean - exact)).toBeLessThan(4 * sigma + bias * Math.abs(exact));
    }
  },
);

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
