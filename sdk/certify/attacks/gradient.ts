// Outputs and gradients of models at arbitrary real inputs, in float64 and rounded to nearest: what attacks follow, and
// what a saliency map shows. Not here: proved values (bounds.ts, ibp.ts).
import { checkRows, type RowSource } from "../../kernels/rows.js";
import type { Machine } from "../../machines/machine.js";
import { NetworkModel } from "../../networks/model.js";
import { runtimeOf, type WorkOptions } from "../../runtime/runtime.js";
import { checkMachine } from "../method.js";
import { prepareAttack, readPoint } from "./job.js";

export interface OutputGradients {
  /** g(x) of each point; of a centred network f(x) - f_0(x). */
  readonly outputs: Float64Array;
  /** Derivatives by the entries in data units, row-major, n x d. */
  readonly gradients: Float64Array;
}

/** Columns that a model takes. */
export function inputsOf(model: Machine | NetworkModel): number {
  return model instanceof NetworkModel ? model.inputs : model.rows.d;
}

/**
 * Output and gradient of a machine (any kernel) or a network at the rows of `points`: real numbers in the units of the
 * model's data (`scale` is applied), inside the image domain or not. Where the output has a kink (at a training row, at
 * a neuron's 0) one of the directions in between is returned. @throws TypeError, RangeError
 */
export async function outputGradients(
  model: Machine | NetworkModel,
  points: RowSource,
  options: WorkOptions = {},
): Promise<OutputGradients> {
  if (!(model instanceof NetworkModel)) checkMachine("model", model);
  checkRows("points", points);
  const { n, d } = points;
  if (d !== inputsOf(model)) throw new RangeError(`points: expected ${inputsOf(model)} columns, got ${d}`);
  const runtime = await runtimeOf(options);
  const scope = runtime.scope();
  try {
    const pairs = Math.ceil(n / 2);
    // An odd number of points is filled up with the first.
    const x = new Float64Array(2 * pairs * d);
    for (let k = 0; k < x.length; k++) x[k] = (points.x[k < n * d ? k : k - n * d] ?? 0) * points.scale;
    const even = { n: 2 * pairs, d, x, scale: 1 };
    const inFlight = pairs;
    const job = await prepareAttack(runtime, scope, model, even, { lanes: 2, inFlight, offset: "difference" });
    const outputs = scope.f64(2 * pairs);
    await runtime.run("modelGradients", pairs, [job.pointer, outputs], options, "gradients");
    const gradients = new Float64Array(n * d);
    for (let i = 0; i < n; i++) gradients.set(readPoint(runtime, job, job.found, i), i * d);
    return { outputs: runtime.memory.f64(outputs, n).slice(), gradients };
  } finally {
    scope.release();
  }
}
