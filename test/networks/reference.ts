// Finite networks in plain float64 loops, straight from equations 1, 6 and 7: what every backend is compared with.
// Slow, and meant to be read. Not here: batches' order and initial weights, which are taken from the SDK.
import type { RowSource } from "../../sdk/kernels/rows.js";
import { layerScales, type NetworkSpec, type NetworkWeights } from "../../sdk/networks/network.js";
import type { Loss, ResolvedTraining } from "../../sdk/networks/training.js";

export interface PlainWeights {
  readonly hidden: Float64Array[];
  readonly output: Float64Array;
}

export function plainWeights({ hidden, output }: NetworkWeights): PlainWeights {
  return { hidden: hidden.map((layer) => Float64Array.from(layer)), output: Float64Array.from(output) };
}

/** l(z, y) and its derivative in z; at a kink the subderivative of the flat side. */
export function lossOf(loss: Loss, epsilon: number, z: number, y: number): { value: number; slope: number } {
  const room = 1 - y * z;
  if (loss === "hinge") return { value: Math.max(0, room), slope: room > 0 ? -y : 0 };
  if (loss === "squared-hinge") return { value: Math.max(0, room) ** 2, slope: room > 0 ? -2 * y * room : 0 };
  if (loss === "squared") return { value: (y - z) ** 2, slope: 2 * (z - y) };
  if (loss === "logistic") return { value: Math.log1p(Math.exp(-y * z)), slope: -y / (1 + Math.exp(y * z)) };
  const gap = Math.abs(y - z) - epsilon;
  return { value: Math.max(0, gap), slope: gap > 0 ? Math.sign(z - y) : 0 };
}

/** Values a_0 .. a_L of one row, the scaled pre-activations of a_1 .. a_L, and f. */
export function forward(spec: NetworkSpec, { d, x, scale }: RowSource, row: number, weights: PlainWeights) {
  const scales = layerScales(spec, d);
  const layers = [Float64Array.from(x.subarray(row * d, row * d + d), (value) => value * scale)];
  const sums: Float64Array[] = [];
  for (const [l, width] of spec.widths.entries()) {
    const before = layers[l]!;
    const own = new Float64Array(width);
    for (let k = 0; k < before.length; k++)
      for (let j = 0; j < width; j++) own[j]! += scales[l]! * before[k]! * weights.hidden[l]![k * width + j]!;
    sums.push(own);
    layers.push(own.map((sum) => Math.max(0, sum)));
  }
  const last = layers.at(-1)!;
  return { layers, sums, f: scales.at(-1)! * last.reduce((sum, value, j) => sum + value * weights.output[j]!, 0) };
}

export function plainOutputs(spec: NetworkSpec, data: RowSource, weights: PlainWeights): Float64Array {
  return Float64Array.from({ length: data.n }, (_, i) => forward(spec, data, i, weights).f);
}

interface Task {
  readonly spec: NetworkSpec;
  readonly data: RowSource & { readonly y: Float64Array };
  readonly options: ResolvedTraining;
  /** f_0, or zeros. */
  readonly centre: Float64Array;
}

/** Mean loss of the rows and (1/2) ||s w||^2. */
export function plainLoss({ spec, data, options, centre }: Task, rows: Int32Array, weights: PlainWeights) {
  const scale = layerScales(spec, data.d).at(-1)!;
  let loss = 0;
  for (const row of rows) {
    const z = forward(spec, data, row, weights).f - centre[row]!;
    loss += lossOf(options.loss, options.epsilon, z, data.y[row]!).value / rows.length;
  }
  return { loss, regulariser: 0.5 * scale * scale * weights.output.reduce((sum, w) => sum + w * w, 0) };
}

/** One step on `rows`, in place; the mean loss before it. */
export function plainStep({ spec, data, options, centre }: Task, rows: Int32Array, weights: PlainWeights): number {
  const scales = layerScales(spec, data.d);
  const outer = scales.at(-1)!;
  const { learningRate: rate } = options;
  const hidden = weights.hidden.map((layer) => layer.slice());
  const output = weights.output.map((w) => w - rate * options.lambda * outer * outer * w);
  let loss = 0;
  for (const row of rows) {
    const { layers, f } = forward(spec, data, row, weights);
    const { value, slope } = lossOf(options.loss, options.epsilon, f - centre[row]!, data.y[row]!);
    loss += value / rows.length;
    const share = (slope / rows.length) * outer;
    layers.at(-1)!.forEach((value, j) => {
      output[j]! -= rate * share * value;
    });
    let errors = weights.output.map((w, j) => (layers.at(-1)![j]! > 0 ? share * w : 0));
    for (let l = spec.widths.length - 1; l >= 0; l--) {
      const before = layers[l]!;
      const width = spec.widths[l]!;
      const earlier = new Float64Array(before.length);
      for (let k = 0; k < before.length; k++) {
        for (let j = 0; j < width; j++) {
          if (before[k]! > 0) earlier[k]! += scales[l]! * errors[j]! * weights.hidden[l]![k * width + j]!;
          hidden[l]![k * width + j]! -= rate * scales[l]! * before[k]! * errors[j]!;
        }
      }
      errors = earlier;
    }
  }
  hidden.forEach((layer, l) => {
    weights.hidden[l]!.set(layer);
  });
  weights.output.set(output);
  return loss;
}
