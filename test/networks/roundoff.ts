// How far float32 can be from real numbers in a network's outputs and gradients, from the network of absolute values:
// a sum of products rounded K times is within K * 2^-24 of its terms' absolute sum (to first order). Not here: tests.
import { type Dataset, dataset } from "../../sdk/data/dataset.js";
import type { NetworkSpec } from "../../sdk/networks/network.js";
import { resolveTraining } from "../../sdk/networks/training.js";
import { forward, type PlainWeights, plainStep } from "./reference.js";

/** Half the distance of neighbouring float32 numbers, relative. */
export const SINGLE = 2 ** -24;

/** Every weight in one list of arrays, the output layer last. */
export const layersOf = ({ hidden, output }: PlainWeights) => [...hidden, output];

/** Most roundings between `n` rows and a weight's step: there, back, over the rows, and 16 for scales and losses. */
export function roundings({ widths }: NetworkSpec, d: number, n: number): number {
  return [d, ...widths].reduce((sum, fan) => sum + 2 * (fan + 4), 0) + n + 16;
}

/** One row and the weights, all by their absolute values. */
function absolute({ x, d }: Dataset, weights: PlainWeights) {
  return {
    data: dataset({ x: Float64Array.from(x, Math.abs), y: [-1], shape: [1, d] }),
    weights: { hidden: weights.hidden.map((w) => w.map(Math.abs)), output: weights.output.map(Math.abs) },
  };
}

/** f of one row with all numbers by their absolute values. */
export function absoluteOutput(spec: NetworkSpec, row: Dataset, weights: PlainWeights): number {
  const wide = absolute(row, weights);
  return forward(spec, wide.data, 0, wide.weights).f;
}

/** d f / d w of one row with all numbers by their absolute values. */
export function absoluteGradient(spec: NetworkSpec, row: Dataset, weights: PlainWeights): Float64Array[] {
  const wide = absolute(row, weights);
  const moved = { hidden: wide.weights.hidden.map((w) => w.slice()), output: wide.weights.output.slice() };
  // f >= 0 here, so one hinge step on a label -1 moves each weight by minus d f / d w.
  const options = resolveTraining({ loss: "hinge", learningRate: 1, lambda: 0 }, 1);
  plainStep({ spec, data: wide.data, options, centre: new Float64Array(1) }, Int32Array.of(0), moved);
  const from = layersOf(wide.weights);
  return layersOf(moved).map((layer, l) => layer.map((w, k) => (from[l]?.[k] ?? 0) - w));
}

/** Whether float32 sees every neuron on its own side of 0 for one row; `count` roundings. */
export function isApart(spec: NetworkSpec, row: Dataset, weights: PlainWeights, count: number): boolean {
  const { layers, sums } = forward(spec, row, 0, weights);
  const wide = absolute(row, weights);
  const most = forward(spec, wide.data, 0, wide.weights);
  return sums.every((own, l) => {
    // Neurons whose inputs are all 0 are exactly 0 everywhere.
    const idle = layers[l]?.every((a) => a === 0) ?? false;
    return idle || own.every((sum, j) => Math.abs(sum) > count * SINGLE * (most.sums[l]?.[j] ?? 0));
  });
}
