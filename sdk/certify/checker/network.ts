// Finite networks for the checker: sums of the first layer with what rounding may have moved them by, row sums of weights,
// and interval bound propagation through any number of hidden layers. Layers' scales are positive, come out of every relu
// and are one factor at the end. Weights of the start are drawn again from the seed by the core: they are a part of what
// the model is, as its file is. Not here: relaxations (switching.ts), samples (network-samples.ts).
import type { NetworkModel } from "../../networks/model.js";
import { fanIns, type NetworkSpec, type NetworkWeights } from "../../networks/network.js";
import { add, div, down, type Interval, IntervalTotal, interval, mul, ONE, point, sqrt, up } from "./interval.js";

const UNIT = 2 ** -53;

/** Products below the normal numbers lose less than this. */
const LEAST = 1e-250;

/** A bound of the relative error of a sum of `terms` products. */
export const gammaOf = (terms: number) => (terms + 4) * UNIT * (1 + 1e-6);

/** One network's weights, and sum_k |W_kj| of the first layer, rounded up. */
export interface CheckedLayers {
  readonly widths: readonly number[];
  readonly weights: NetworkWeights;
  readonly spreads: Float64Array;
}

/** First-layer sums W'x, each within `errors` of the real one. */
export interface Centres {
  readonly values: Float64Array;
  readonly errors: Float64Array;
}

/** sum_k |W_kj - V_kj|, rounded up; V is 0 where it is not given. */
export function distances(first: Float32Array, width: number, other?: Float32Array): Float64Array {
  const sums = new Float64Array(width);
  for (let at = 0; at < first.length; at += width)
    for (let j = 0; j < width; j++)
      sums[j] = (sums[j] as number) + Math.abs((first[at + j] as number) - (other?.[at + j] ?? 0));
  const share = 1 + gammaOf(first.length / width + 2);
  return sums.map((sum) => up(sum * share));
}

export function openLayers({ widths }: NetworkSpec, weights: NetworkWeights): CheckedLayers {
  const first = weights.hidden[0] as Float32Array;
  return { widths, weights, spreads: distances(first, widths[0] as number) };
}

/** Product of the layers' scales and of the inputs' unit. */
export function factorOf({ spec, inputs }: NetworkModel, unit: number): Interval {
  if (spec.parameterization !== "ntk") return point(unit);
  return fanIns(spec, inputs).reduce((product, fan) => mul(product, div(ONE, sqrt(point(fan)))), point(unit));
}

/** W'x of a layer, input-major. */
export function product(weights: Float32Array, width: number, x: Float64Array): Float64Array {
  const sums = new Float64Array(width);
  for (let k = 0; k < x.length; k++) {
    const entry = x[k] as number;
    if (entry === 0) continue;
    const at = k * width;
    for (let j = 0; j < width; j++) sums[j] = (sums[j] as number) + entry * (weights[at + j] as number);
  }
  return sums;
}

export function centresOf({ widths, weights, spreads }: CheckedLayers, x: Float64Array): Centres {
  const width = widths[0] as number;
  const largest = x.reduce((most, entry) => Math.max(most, Math.abs(entry)), 0);
  const share = up(gammaOf(x.length) * largest);
  // |x_k| |W_kj| adds up to no more than the largest entry times the row sum.
  const errors = spreads.map((spread) => up(share * spread) + LEAST);
  return { values: product(weights.hidden[0] as Float32Array, width, x), errors };
}

/** Ends of a layer's sums for inputs between 0 <= low and high. */
function propagate(weights: Float32Array, width: number, low: Float64Array, high: Float64Array) {
  const middles = low.map((end, k) => end + ((high[k] as number) - end) / 2);
  const radii = middles.map((middle, k) => up(Math.max((high[k] as number) - middle, middle - (low[k] as number))));
  const sums = product(weights, width, middles);
  const wide = product(
    weights.map((weight) => Math.abs(weight)),
    width,
    radii.map((radius, k) => up(up(radius * (1 + gammaOf(4))) + up(gammaOf(low.length) * (middles[k] as number)))),
  );
  const share = 1 + gammaOf(low.length);
  const most = wide.map((radius) => up(radius * share) + LEAST);
  return {
    low: sums.map((sum, j) => down(sum - (most[j] as number))),
    high: sums.map((sum, j) => up(sum + (most[j] as number))),
  };
}

const relu = (list: Float64Array) => list.map((value) => Math.max(0, value));

/** A lower bound of direction * f on the l-inf ball of radius `reach` around an input, and its terms' sizes. */
export function propagatedLower(
  { widths, weights, spreads }: CheckedLayers,
  { values, errors }: Centres,
  direction: number,
  reach: Interval,
): { readonly lower: number; readonly size: number } {
  const rooms = spreads.map((spread, j) => up(up(spread * reach.hi) + (errors[j] as number)));
  let low = relu(values.map((value, j) => down(value - (rooms[j] as number))));
  let high = relu(values.map((value, j) => up(value + (rooms[j] as number))));
  for (let layer = 1; layer < widths.length; layer++) {
    const next = propagate(weights.hidden[layer] as Float32Array, widths[layer] as number, low, high);
    low = relu(next.low);
    high = relu(next.high);
  }
  const total = new IntervalTotal();
  weights.output.forEach((weight, j) => {
    const own = direction * weight;
    total.add(mul(point(own), point((own > 0 ? low : high)[j] as number)));
  });
  return { lower: total.value.lo, size: total.size };
}

/** f at an input between its ends. */
export function propagatedEnds(layers: CheckedLayers, centres: Centres, reach = point(0)): Interval & { size: number } {
  const { lower, size } = propagatedLower(layers, centres, 1, reach);
  return { lo: lower, hi: -propagatedLower(layers, centres, -1, reach).lower, size };
}

/** In units: a lower bound times the factor, rounded down. */
export const scaled = (lower: number, factor: Interval): number =>
  lower > Number.NEGATIVE_INFINITY ? mul(point(lower), factor).lo : Number.NEGATIVE_INFINITY;

export const sumOf = (a: number, b: number): number => add(point(a), point(b)).lo;
export const around = (a: Interval, size: number): Interval => interval(down(a.lo - size), up(a.hi + size));
