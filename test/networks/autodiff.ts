// Gradients of a network's output by TensorFlow.js's automatic differentiation, on its plain JavaScript backend: float32,
// and none of our own formulas but equation 1. Not here: the backends that train through TensorFlow.js (sdk/networks/).
import * as tf from "@tensorflow/tfjs";
import { layerScales, type NetworkSpec, type NetworkWeights } from "../../sdk/networks/network.js";

/** d f(x) / d w for every weight, hidden layers first, in the order of NetworkWeights. */
export async function autodiff(spec: NetworkSpec, weights: NetworkWeights, x: Float64Array): Promise<Float64Array[]> {
  await tf.setBackend("cpu");
  const scales = layerScales(spec, x.length);
  const fans = [x.length, ...spec.widths];
  const slopes = tf.tidy(() => {
    const row = tf.tensor2d(Float32Array.from(x), [1, x.length]);
    const output = (...layers: tf.Tensor[]) =>
      layers
        .reduce((values, layer, l) => {
          const sums = tf.matMul(values, layer).mul(scales[l] ?? 1);
          return l < spec.widths.length ? tf.relu(sums) : sums;
        }, row as tf.Tensor)
        .asScalar();
    const layers = [...weights.hidden, weights.output].map((own, l) =>
      tf.tensor2d(own, [fans[l] ?? 0, spec.widths[l] ?? 1]),
    );
    return tf.grads(output)(layers);
  });
  const values = slopes.map((slope) => Float64Array.from(slope.dataSync()));
  tf.dispose(slopes);
  return values;
}
