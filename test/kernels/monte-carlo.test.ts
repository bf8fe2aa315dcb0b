// The kernels as what they are: means over finite random networks of each activation, computed here with plain loops.
import { expect, it } from "vitest";
import { crossGram } from "../../sdk/kernels/gram.js";
import { type Activation, nngp, ntk } from "../../sdk/kernels/kernel.js";
import { normal, runtimeAt, uniform } from "../helpers.js";

const D = 4;
const X = Float64Array.of(1, 0.5, -0.3, 0.8);
const Y = Float64Array.of(0.2, -1, 0.6, 0.4);

/** A hidden unit and its derivative. */
interface Unit {
  readonly value: (z: number) => number;
  readonly slope: (z: number) => number;
}

/** erf by its power series, for |z| up to about 5. */
function erf(z: number): number {
  if (Math.abs(z) > 5) return Math.sign(z);
  let term = z;
  let sum = z;
  for (let k = 1; Math.abs(term) > 1e-12 * Math.abs(sum); k++) {
    term *= (-z * z) / k;
    sum += term / (2 * k + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const UNITS: Readonly<Record<Activation, Unit>> = {
  relu: { value: (z) => Math.max(0, z), slope: (z) => (z > 0 ? 1 : 0) },
  "leaky-relu": { value: (z) => (z > 0 ? z : 0.2 * z), slope: (z) => (z > 0 ? 1 : 0.2) },
  erf: { value: erf, slope: (z) => (2 / Math.sqrt(Math.PI)) * Math.exp(-z * z) },
  sine: { value: Math.sin, slope: Math.cos },
};

interface Pass {
  readonly output: number;
  /** What enters each layer: x, then activations. */
  readonly inputs: readonly Float64Array[];
  /** Derivatives of the output by each hidden layer's pre-activations. */
  readonly signals: readonly Float64Array[];
}

interface Draw {
  readonly weights: readonly Float64Array[];
  readonly biases: readonly Float64Array[];
  readonly output: Float64Array;
  readonly outputBias: number;
}

const inner = (u: Float64Array, v: Float64Array) => {
  let total = 0;
  for (let k = 0; k < u.length; k++) total += (u[k] ?? 0) * (v[k] ?? 0);
  return total;
};

function draw(gauss: () => number, depth: number, m: number): Draw {
  return {
    weights: Array.from({ length: depth }, (_, l) => new Float64Array(m * (l === 0 ? D : m)).map(gauss)),
    biases: Array.from({ length: depth }, () => new Float64Array(m).map(gauss)),
    output: new Float64Array(m).map(gauss),
    outputBias: gauss(),
  };
}

/** z_l = sw / sqrt(fan in) W_l a_(l-1) + sb b_l, a_l = phi(z_l), f = sw / sqrt(m) <v, a_L> + sb b, back and forth. */
function pass(
  { weights, biases, output, outputBias }: Draw,
  m: number,
  sw: number,
  sb: number,
  x: Float64Array,
  unit: Unit,
): Pass {
  const inputs = [x];
  const bends: Float64Array[] = [];
  weights.forEach((w, l) => {
    const before = inputs[l] ?? x;
    const fan = before.length;
    const after = new Float64Array(m);
    const bend = new Float64Array(m);
    for (let j = 0; j < m; j++) {
      const z = (sw / Math.sqrt(fan)) * inner(w.subarray(j * fan, (j + 1) * fan), before) + sb * (biases[l]?.[j] ?? 0);
      after[j] = unit.value(z);
      bend[j] = unit.slope(z);
    }
    inputs.push(after);
    bends.push(bend);
  });
  const last = inputs.at(-1) ?? x;
  const scale = sw / Math.sqrt(m);
  let signal = output.map((v, j) => scale * v * (bends.at(-1)?.[j] ?? 0));
  const signals = [signal];
  for (let l = weights.length - 1; l > 0; l--) {
    const w = weights[l] ?? new Float64Array();
    const back = new Float64Array(m);
    for (let j = 0; j < m; j++) {
      const s = scale * (signal[j] ?? 0);
      if (s !== 0) for (let k = 0; k < m; k++) back[k] = (back[k] ?? 0) + s * (w[j * m + k] ?? 0);
    }
    signal = back.map((v, k) => v * (bends[l - 1]?.[k] ?? 0));
    signals.unshift(signal);
  }
  return { output: scale * inner(output, last) + sb * outputBias, inputs, signals };
}

/** Mean of f(x) f(y) over the output layer alone, and <grad f(x), grad f(y)> over all weights and biases. */
function conditional(a: Pass, b: Pass, m: number, sw: number, sb: number): readonly [number, number] {
  const share = (l: number, fan: number) => (sw * sw * inner(a.inputs[l] ?? X, b.inputs[l] ?? X)) / fan + sb * sb;
  const output = share(a.signals.length, m);
  const hidden = a.signals.map((signal, l) => share(l, l === 0 ? D : m) * inner(signal, b.signals[l] ?? X));
  return [output, hidden.reduce((total, value) => total + value, output)];
}

interface Mean {
  readonly mean: number;
  readonly variance: number;
}

function meanOf(samples: readonly number[]): Mean {
  const n = samples.length;
  const mean = samples.reduce((total, v) => total + v, 0) / n;
  return { mean, variance: samples.reduce((total, v) => total + (v - mean) ** 2, 0) / n / n };
}

/** Name, and the largest error that 4 sigma may hide as a share of the kernel's size. */
const QUANTITIES = [
  ["f f'", 0.3],
  ["f f", 0.3],
  ["E[f f' | hidden layers]", 0.1],
  ["E[f f | hidden layers]", 0.1],
  ["<grad f, grad f'>", 0.1],
  ["<grad f, grad f>", 0.1],
] as const;

function means(
  seed: number,
  draws: number,
  depth: number,
  m: number,
  sw: number,
  sb: number,
  unit: Unit = UNITS.relu,
): Mean[] {
  const gauss = normal(uniform(seed));
  const samples: number[][] = QUANTITIES.map(() => []);
  for (let k = 0; k < draws; k++) {
    const weights = draw(gauss, depth, m);
    const [a, b] = [pass(weights, m, sw, sb, X, unit), pass(weights, m, sw, sb, Y, unit)];
    const [xy, xx] = [conditional(a, b, m, sw, sb), conditional(a, a, m, sw, sb)];
    const own = [a.output * b.output, a.output ** 2, xy[0], xx[0], xy[1], xx[1]];
    own.forEach((value, q) => {
      samples[q]?.push(value);
    });
  }
  return samples.map(meanOf);
}

/** Hidden layers, width of the narrow networks (the wide ones have twice that), draws, weight and bias variance. */
const CASES = [
  [1, 128, 2000, 1, 0],
  [1, 128, 2000, 1.5, 0.3],
  [2, 40, 2000, 1, 0],
  [2, 40, 2000, 1.5, 0.3],
] as const;

it.each(CASES)(
  "depth %i: means of f f' and <grad f, grad f'> over random networks of width %i and twice that, %i each, within 4 sigma",
  async (depth, m, draws, weightVariance, biasVariance) => {
    const runtime = await runtimeAt("simd");
    const [sw, sb] = [Math.sqrt(weightVariance), Math.sqrt(biasVariance)];
    const narrow = means(17 + depth, draws, depth, m, sw, sb);
    const wide = means(29 + depth, draws, depth, 2 * m, sw, sb);
    const rows = { n: 2, d: D, x: Float64Array.of(...X, ...Y), scale: 1 };
    const exact: number[] = [];
    for (const make of [nngp, nngp, ntk]) {
      const { values } = await crossGram(make({ depth, weightVariance, biasVariance }), rows, rows, { runtime });
      exact.push(values[1] ?? Number.NaN, values[0] ?? Number.NaN);
    }
    QUANTITIES.forEach(([name, share], q) => {
      const [a, b] = [narrow[q] ?? meanOf([]), wide[q] ?? meanOf([])];
      // On the diagonal, and with one hidden layer, finite networks have the limit as their mean. Elsewhere width m
      // has a bias c/m + O(1/m^2): 2 (mean at 2m) - (mean at m) is free of c.
      const unbiased = depth === 1 || q % 2 === 1;
      const mean = unbiased ? (a.mean + b.mean) / 2 : 2 * b.mean - a.mean;
      const sigma = Math.sqrt(unbiased ? (a.variance + b.variance) / 4 : 4 * b.variance + a.variance);
      expect(Math.abs(mean - (exact[q] ?? Number.NaN)), name).toBeLessThan(4 * sigma);
      expect(4 * sigma, name).toBeLessThan(share * (exact[q - (q % 2) + 1] ?? 0));
    });
  },
);

/** Activation, hidden layers, width, draws, weight and bias variance. */
const UNIT_CASES = [
  ["leaky-relu", 1, 64, 1500, 1.5, 0.3],
  ["erf", 1, 64, 1500, 1.5, 0.3],
  ["sine", 1, 64, 1500, 1.5, 0.3],
  ["leaky-relu", 2, 32, 1500, 1.5, 0],
  ["erf", 2, 32, 1500, 1.5, 0],
  ["sine", 2, 32, 1500, 1, 0.2],
] as const;

it.each(UNIT_CASES)(
  "%s, depth %i: the same means over networks of width %i and twice that, %i each, within 4 sigma",
  async (activation, depth, m, draws, weightVariance, biasVariance) => {
    const runtime = await runtimeAt("simd");
    const [sw, sb] = [Math.sqrt(weightVariance), Math.sqrt(biasVariance)];
    const unit = UNITS[activation];
    const narrow = means(41 + depth, draws, depth, m, sw, sb, unit);
    const wide = means(53 + depth, draws, depth, 2 * m, sw, sb, unit);
    const rows = { n: 2, d: D, x: Float64Array.of(...X, ...Y), scale: 1 };
    const exact: number[] = [];
    for (const make of [nngp, nngp, ntk]) {
      const slope = activation === "leaky-relu" ? 0.2 : undefined;
      const kernel = make({ activation, slope, depth, weightVariance, biasVariance });
      const { values } = await crossGram(kernel, rows, rows, { runtime });
      exact.push(values[1] ?? Number.NaN, values[0] ?? Number.NaN);
    }
    QUANTITIES.forEach(([name, share], q) => {
      const [a, b] = [narrow[q] ?? meanOf([]), wide[q] ?? meanOf([])];
      // One hidden layer has the limit as its mean; of two the part c/m of the bias is taken out, as above.
      const mean = depth === 1 ? (a.mean + b.mean) / 2 : 2 * b.mean - a.mean;
      const sigma = Math.sqrt(depth === 1 ? (a.variance + b.variance) / 4 : 4 * b.variance + a.variance);
      expect(Math.abs(mean - (exact[q] ?? Number.NaN)), name).toBeLessThan(4 * sigma);
      expect(4 * sigma, name).toBeLessThan(1.5 * share * (exact[q - (q % 2) + 1] ?? 0));
    });
  },
);
