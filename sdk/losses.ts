// The losses of Table 1 by name, for machines, dynamics and networks alike; their formulas are in assembly/math/loss.ts.
// Not here: regularisers, means over batches, and the shaders' own copies of the formulas (networks/webgpu/).
import { LOSS_EPSILON, LOSS_HINGE, LOSS_LOGISTIC, LOSS_SQUARED, LOSS_SQUARED_HINGE } from "../assembly/layout.js";
import type { Scope } from "./runtime/memory.js";
import type { Runtime } from "./runtime/runtime.js";

/** Losses of Table 1, by the machine they belong to. */
export const LOSSES = ["hinge", "squared-hinge", "epsilon-insensitive", "squared", "logistic"] as const;
export type Loss = (typeof LOSSES)[number];

/** What the core calls them. */
export const LOSS_CODE: Readonly<Record<Loss, number>> = {
  hinge: LOSS_HINGE,
  "squared-hinge": LOSS_SQUARED_HINGE,
  "epsilon-insensitive": LOSS_EPSILON,
  squared: LOSS_SQUARED,
  logistic: LOSS_LOGISTIC,
};

/** Losses l(z_i, y_i) of all rows and their derivatives by z, for fixed labels y and any outputs z. */
export class LossTerms {
  private readonly z: number;
  private readonly values: number;
  private readonly slopes: number;
  private readonly labels: number;

  /** Memory is the scope's; the labels are copied. */
  constructor(
    private readonly runtime: Runtime,
    scope: Scope,
    private readonly loss: Loss,
    private readonly y: Float64Array,
    private readonly epsilon = 0,
  ) {
    this.labels = scope.f64(y.length, y);
    this.z = scope.f64(y.length);
    this.values = scope.f64(y.length);
    this.slopes = scope.f64(y.length);
  }

  /** l and l' of every row at the outputs z. */
  at(z: Float64Array): { readonly values: Float64Array; readonly slopes: Float64Array } {
    const { runtime, y, values, slopes } = this;
    runtime.memory.f64(this.z, y.length).set(z);
    const code = LOSS_CODE[this.loss];
    runtime.call("lossTerms", code, this.epsilon, y.length, this.z, this.labels, values, slopes);
    return {
      values: runtime.memory.f64(values, y.length).slice(),
      slopes: runtime.memory.f64(slopes, y.length).slice(),
    };
  }

  /** l'' of every row at the outputs z. */
  curvatures(z: Float64Array): Float64Array {
    const { runtime, y, values } = this;
    runtime.memory.f64(this.z, y.length).set(z);
    runtime.call("lossCurvatures", LOSS_CODE[this.loss], y.length, this.z, this.labels, values);
    return runtime.memory.f64(values, y.length).slice();
  }

  /** sum_i weights_i l(z_i, y_i). */
  sum(z: Float64Array, weights: Float64Array): number {
    return this.at(z).values.reduce((total, value, i) => total + (weights[i] ?? 0) * value, 0);
  }
}
