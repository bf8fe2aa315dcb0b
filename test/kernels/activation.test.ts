// Kernels of leaky ReLU, erf and sine networks and kernels made of others: 160-digit values, the cases that close, bits.
// Not here: what every kernel has (kernel.test.ts), random networks (monte-carlo.test.ts).
import { describe, expect, it } from "vitest";
import { crossGram, GramMatrix } from "../../sdk/kernels/gram.js";
import {
  type Activation,
  checkKernel,
  describeKernel,
  type Kernel,
  nngp,
  ntk,
  productKernels,
  scaleKernel,
  sumKernels,
} from "../../sdk/kernels/kernel.js";
import { kernelProfile } from "../../sdk/kernels/profile.js";
import { LEVELS, oracle, randomData, runtimeAt } from "../helpers.js";

const UNIT = 2 ** -53;

interface Setting {
  readonly activation: Activation;
  readonly slope?: number;
  readonly depth: number;
  readonly sw2: number;
  readonly sb2: number;
}

/** Columns of a pair: one entry a setting. */
type Pair = Readonly<Record<string, number[]>> & { readonly kind: string; readonly pixels: boolean };

const file = oracle("activations") as { settings: Setting[]; pairs: Pair[] };

const made = (kind: "ntk" | "nngp", { activation, slope, depth, sw2, sb2 }: Setting) =>
  (kind === "ntk" ? ntk : nngp)({ activation, slope, depth, weightVariance: sw2, biasVariance: sb2 });

const rowOf = (x: readonly number[] = [], pixels: boolean) => ({
  n: 1,
  d: x.length,
  x: pixels ? Uint8Array.from(x) : Float64Array.from(x),
  scale: pixels ? 1 / 255 : 1,
});

describe.each(LEVELS)("values at the level %s", (level) => {
  it("are 160-digit ones to 8 L + 8 ulp of sqrt(K(x,x) K(y,y)), beside d/4 + 8 times what one rounding of the inner products does; equal rows to the former alone", async () => {
    const runtime = await runtimeAt(level);
    for (const pair of file.pairs)
      for (const [k, setting] of file.settings.entries())
        for (const kind of ["ntk", "nngp"] as const) {
          const kernel = made(kind, setting);
          const [x, y] = [pair.x ?? [], pair.y ?? []];
          const { values } = await crossGram(kernel, rowOf(x, pair.pixels), rowOf(y, pair.pixels), { runtime });
          const exact = pair[kind]?.[k] ?? Number.NaN;
          const size = pair[`${kind}Size`]?.[k] ?? Number.NaN;
          const equal = x.every((entry, j) => entry === y[j]);
          // Sums of float64 products run in four lanes; integers are exact.
          const roundings = equal ? 0 : (pair.pixels ? 0 : x.length / 4) + 8;
          const ulps = roundings * (pair[`${kind}Blur`]?.[k] ?? Number.NaN) + 8 * setting.depth + 8;
          const error = Math.abs((values[0] ?? Number.NaN) - exact);
          expect(error, `${describeKernel(kernel)}: ${pair.kind}`).toBeLessThanOrEqual(ulps * UNIT * size);
        }
  });
});

describe("the leaky ReLU", () => {
  it("with slope 0 is the ReLU to 16 L ulp, with slope 1 the inner product: K = <x, y> / d, Theta = (L + 1) K", async () => {
    const runtime = await runtimeAt("simd");
    const data = randomData(12, 5, 3);
    for (const make of [ntk, nngp])
      for (const depth of [1, 2, 7]) {
        const of = async (kernel: Kernel) => (await crossGram(kernel, data, data, { runtime })).values;
        const [relu, zero, one] = await Promise.all([
          of(make({ depth })),
          of(make({ depth, activation: "leaky-relu", slope: 0 })),
          of(make({ depth, activation: "leaky-relu", slope: 1 })),
        ]);
        const root = (values: Float64Array, i: number, j: number) => Math.sqrt(values[13 * i]! * values[13 * j]!);
        for (let i = 0; i < 12; i++)
          for (let j = 0; j < 12; j++) {
            const at = 12 * i + j;
            // The two-layer form and the recursion round t apart, which kappa0 takes the root of.
            expect(Math.abs(zero[at]! - relu[at]!)).toBeLessThanOrEqual(16 * depth * UNIT ** 0.9 * root(relu, i, j));
            const row = Array.from(data.x.subarray(5 * i, 5 * i + 5));
            const dot = row.reduce((sum, v, k) => sum + v * (data.x[5 * j + k] ?? 0), 0);
            const line = ((make === ntk ? depth + 1 : 1) * dot) / 5;
            expect(Math.abs(one[at]! - line)).toBeLessThanOrEqual(16 * depth * UNIT * root(one, i, j));
          }
      }
  });
});

interface Turn {
  readonly cosine: number;
  readonly ntk: number[];
  readonly nngp: number[];
}

describe("nothing cancels near equal and opposite rows", () => {
  it("at cosines +-(1 - 2^-k) up to k = 47, exact in float64, ten layers and weights of variance 25 lose 8 L + 8 ulp and no more", async () => {
    const { plain, profile } = oracle("activations") as { plain: Setting[]; profile: Turn[] };
    const runtime = await runtimeAt("simd");
    const cosines = profile.map(({ cosine }) => cosine);
    const diagonal = profile.find(({ cosine }) => cosine === 1);
    for (const [k, setting] of plain.entries())
      for (const kind of ["ntk", "nngp"] as const) {
        const kernel = made(kind, setting);
        const got = await kernelProfile(kernel, cosines, { runtime });
        const size = diagonal?.[kind][k] ?? Number.NaN;
        got.forEach((value, j) => {
          const error = Math.abs(value - (profile[j]?.[kind][k] ?? Number.NaN));
          expect(error, `${describeKernel(kernel)} at ${cosines[j]}`).toBeLessThanOrEqual(
            (8 * setting.depth + 8) * UNIT * size,
          );
        });
      }
  });
});

describe("sums, products and multiples", () => {
  const parts: Kernel[] = [
    ntk(),
    nngp({ activation: "erf", depth: 2 }),
    ntk({ activation: "sine", biasVariance: 0.1 }),
  ];

  it("are the sums, products and multiples of their parts' values to 1e-14 of the absolute ones", async () => {
    const runtime = await runtimeAt("simd");
    const data = randomData(9, 6, 4, true);
    const of = async (kernel: Kernel) => (await crossGram(kernel, data, data, { runtime })).values;
    const own = await Promise.all(parts.map(of));
    const [sum, product, multiple, nested] = await Promise.all([
      of(sumKernels(...parts)),
      of(productKernels(...parts)),
      of(scaleKernel(0.3, parts[1]!)),
      of(productKernels(sumKernels(parts[0]!, parts[1]!), scaleKernel(2, parts[2]!))),
    ]);
    for (let at = 0; at < 81; at++) {
      const [a, b, c] = own.map((values) => values[at]!) as [number, number, number];
      expect(Math.abs(sum![at]! - (a + b + c))).toBeLessThanOrEqual(1e-14 * (Math.abs(a) + Math.abs(b) + Math.abs(c)));
      expect(Math.abs(product![at]! - a * b * c)).toBeLessThanOrEqual(1e-14 * Math.abs(a * b * c));
      expect(multiple![at]).toBe(0.3 * b);
      expect(Math.abs(nested![at]! - 2 * (a + b) * c)).toBeLessThanOrEqual(
        2e-14 * (Math.abs(a) + Math.abs(b)) * Math.abs(c),
      );
    }
  });

  it("refuse no part, a part that is no kernel and a factor that is not positive, by name", () => {
    expect(() => sumKernels()).toThrow(/^kernels: expected at least one kernel/);
    expect(() => productKernels(ntk(), 3 as never)).toThrow(/^kernels\[1\]: expected an object, got 3$/);
    for (const factor of [0, -1, Number.NaN]) expect(() => scaleKernel(factor, ntk())).toThrow(/^factor: expected/);
    expect(() => scaleKernel("2" as never, ntk())).toThrow(TypeError);
  });
});

it("threads and levels give the same bits, in memory and streamed", async () => {
  const kernels = [
    ...(["leaky-relu", "erf", "sine"] as const).map((activation) => ntk({ activation, depth: 2 })),
    sumKernels(ntk(), productKernels(nngp({ activation: "erf" }), ntk({ depth: 2 }))),
  ];
  const data = randomData(300, 7, 8, true);
  for (const kernel of kernels) {
    const all: Float64Array[] = [];
    for (const [k, level] of LEVELS.entries()) {
      const runtime = await runtimeAt(level, k === 0 ? 0 : 2);
      for (const storage of ["float64", "streamed"] as const) {
        const gram = await GramMatrix.create(kernel, data, { runtime, storage });
        all.push(await gram.multiply(Float64Array.from(data.y)), gram.row(299));
        gram.dispose();
      }
      await runtime.close();
    }
    all.forEach((values, k) => {
      expect(values).toEqual(all[k % 2]);
    });
  }
});

it("kernelProfile takes them all: at u = 1 the diagonal, odd units odd", async () => {
  const runtime = await runtimeAt("simd");
  for (const activation of ["erf", "sine"] as const) {
    const [low = 0, zero = 1, high = 0] = await kernelProfile(nngp({ activation }), [-0.7, 0, 0.7], { runtime });
    expect([low, zero]).toEqual([-high, 0]);
  }
});

it("a kernel is what it was given as: the ReLU is not named, a plain object passes, words say what it is", () => {
  expect(ntk({ activation: "relu" })).toEqual(ntk());
  expect(Object.keys(ntk())).toEqual(["kind", "depth", "weightVariance", "biasVariance"]);
  for (const kernel of [
    ntk({ activation: "leaky-relu" }),
    scaleKernel(2, sumKernels(ntk(), nngp({ activation: "erf" }))),
  ])
    expect(checkKernel("kernel", JSON.parse(JSON.stringify(kernel)))).toEqual(kernel);
  expect(describeKernel(ntk({ activation: "leaky-relu", slope: 0.2, depth: 2 }))).toBe(
    "NTK of leaky-relu 0.2, 2 hidden layers",
  );
  expect(describeKernel(scaleKernel(2, sumKernels(ntk(), nngp({ activation: "erf" }))))).toBe(
    "2 ((NTK, 1 hidden layer) + (NNGP of erf, 1 hidden layer))",
  );
});

it("refuses unknown activations, slopes outside [0, 1] and slopes of other units, by name", () => {
  expect(() => ntk({ activation: "tanh" as never })).toThrow(/^activation: expected "relu" \| .*got "tanh"$/);
  expect(() => ntk({ activation: 3 as never })).toThrow(TypeError);
  for (const slope of [-0.1, 1.5, Number.NaN])
    expect(() => nngp({ activation: "leaky-relu", slope })).toThrow(
      /^slope: expected a finite number >= 0 and <= 1, got/,
    );
  expect(() => ntk({ slope: 0.1 })).toThrow(
    /^slope: expected only with the activation "leaky-relu", got it with "relu"$/,
  );
  expect(() => checkKernel("kernel", { kind: "sum" })).toThrow(/^kernel\.parts: expected at least one kernel/);
});
