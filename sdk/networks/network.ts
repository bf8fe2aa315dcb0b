// Finite fully connected ReLU networks: what they are, apart from where they are trained. Equation 1 of the paper:
//   a_0 = x,  a_l = relu(s_l W_l a_{l-1}),  f(x) = s_{L+1} <w, a_L>
// NTK parameterisation: entries N(0, 1), s = 1 / sqrt(fan-in). LeCun: entries N(0, 1 / fan-in), s = 1; the same
// function at the start, another geometry of descent. Weights are float32 and come from the seed alone, so every
// backend starts from the same bits. Not here: training (training.ts) and backends.
import { checkChoice, checkNumber, checkObject, describe } from "../validate.js";

export type Parameterization = "ntk" | "lecun";

export interface NetworkOptions {
  /** Widths of the hidden layers, first to last: [10000] is the two-layer network of Table 2. */
  readonly widths: readonly number[];
  readonly parameterization?: Parameterization | undefined;
  /** Seed of the initial weights, an integer >= 0. Default 0. */
  readonly seed?: number | undefined;
}

/** A network before training: shape and seed fix every weight. */
export interface NetworkSpec {
  readonly widths: readonly number[];
  readonly parameterization: Parameterization;
  readonly seed: number;
}

/** Weights of a network. */
export interface NetworkWeights {
  /** Layer l, input-major: the weight from input k to neuron j is hidden[l][k * widths[l] + j]. */
  readonly hidden: readonly Float32Array[];
  /** The last layer, one entry a neuron of the last hidden layer. */
  readonly output: Float32Array;
  /**
   * What float32 left over of each weight in training, at most half a unit in its last place: weight + carry is what
   * training moves. Only where it was asked for; model files hold the weights alone.
   */
  readonly carry?: Pick<NetworkWeights, "hidden" | "output"> | undefined;
}

/** Most neurons in a layer. */
const MOST_NEURONS = 2 ** 24;

/** A fully connected ReLU network. @throws TypeError, RangeError */
export function network(options: NetworkOptions): NetworkSpec {
  checkObject("options", options);
  const { widths } = options;
  if (!Array.isArray(widths) || widths.length === 0)
    throw new TypeError(`widths: expected an array of at least one width, got ${describe(widths)}`);
  return Object.freeze({
    widths: Object.freeze(
      widths.map((width, l) => checkNumber(`widths[${l}]`, width, { min: 1, max: MOST_NEURONS, integer: true })),
    ),
    parameterization: checkChoice("parameterization", options.parameterization ?? "ntk", ["ntk", "lecun"]),
    seed: checkNumber("seed", options.seed ?? 0, { min: 0, integer: true }),
  });
}

/** Fan-in of each layer, the output layer last. */
export function fanIns({ widths }: NetworkSpec, inputs: number): number[] {
  return [inputs, ...widths];
}

/** Factor s of each layer, the output layer last. */
export function layerScales(spec: NetworkSpec, inputs: number): number[] {
  return fanIns(spec, inputs).map((fanIn) => (spec.parameterization === "ntk" ? 1 / Math.sqrt(fanIn) : 1));
}

/** Standard deviation of each layer's initial entries, the output layer last. */
export function layerDeviations(spec: NetworkSpec, inputs: number): number[] {
  return fanIns(spec, inputs).map((fanIn) => (spec.parameterization === "ntk" ? 1 : 1 / Math.sqrt(fanIn)));
}

/** Number of weights. */
export function parameterCount(spec: NetworkSpec, inputs: number): number {
  const sizes = [inputs, ...spec.widths, 1];
  return sizes.slice(1).reduce((sum, size, l) => sum + size * (sizes[l] ?? 0), 0);
}
