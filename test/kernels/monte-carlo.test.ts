// The kernels as what they are: means over finite random ReLU networks, which are computed here with plain loops.
import { expect, it } from "vitest";
import { crossGram } from "../../sdk/kernels/gram.js";
import { nngp, ntk } from "../../sdk/kernels/kernel.js";
import { normal, runtimeAt, uniform } from "../helpers.js";

const D = 4;
const X = Float64Array.of(1, 0.5, -0.3, 0.8);
const Y = Float64Array.of(0.2, -1, 0.6, 0.4);

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

/** z_l = sw / sqrt(fan in) W_l a_(l-1) + sb b_l, a_l = relu(z_l), f = sw / sqrt(m) <v, a_L> + sb b, back and forth. */
function pass({ weights, biases, output, outputBias }: Draw, m: number, sw: number, sb: number, x: Float64Array): Pass {
  const inputs = [x];
  weights.forEach((w, l) => {
    const before = inputs[l] ?? x;
    const fan = before.length;
    const after = new Float64Array(m);
    for (let j = 0; j < m; j++) {
      const z = (sw / Math.sqrt(fan)) * inner(w.subarray(j * fan, (j + 1) * fan), before) + sb * (biases[l]?.[j] ?? 0);
      after[j] = Math.max(0, z);
    }
    inputs.push(after);
  });
  const last = inputs.at(-1) ?? x;
  const scale = sw / Math.sqrt(m);
  let signal = output.map((v, j) => ((last[j] ?? 0) > 0 ? scale * v : 0));
  const signals = [signal];
  for (let l = weights.length - 1; l > 0; l--) {
    const w = weights[l] ?? new Float64Array();
    const back = new Float64Array(m);
    for (let j = 0; j < m; j++) {
      const s = scale * (signal[j] ?? 0);
      if (s !== 0) for (let k = 0; k < m; k++) back[k] = (back[k] ?? 0) + s * (w[j * m + k] ?? 0);
    }
    signal = back.map((v, k) => ((inputs[l]?.[k] ?? 0) > 0 ? v : 0));
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

function means(seed: number, draws: number, depth: number, m: number, sw: number, sb: number): Mean[] {
  const gauss = normal(uniform(seed));
  const samples: number[][] = QUANTITIES.map(() => []);
  for (let k = 0; k < draws; k++) {
    const weights = draw(gauss, depth, m);
    const [a, b] = [pass(weights, m, sw, sb, X), pass(weights, m, sw, sb, Y)];
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
