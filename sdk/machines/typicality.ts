// Whether an input looks like the data a machine was trained on: its likeness to known rows, and how rare so little
// likeness is among inputs that do belong. A machine decides on anything, and a certificate says only that its decision
// stays. Not here: decisions (machine.ts) and certificates (certify/).
import { crossGram } from "../kernels/gram.js";
import { type Kernel, uploadKernel } from "../kernels/kernel.js";
import { type RowSource, uploadRows } from "../kernels/rows.js";
import { runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import { checkNumber, describe } from "../validate.js";

/** sqrt(K(x_i, x_i)) of each row: its length in the kernel's feature space. */
async function lengths(kernel: Kernel, source: RowSource, options: WorkOptions): Promise<Float64Array> {
  const runtime = await runtimeOf(options);
  const scope = runtime.scope();
  try {
    const rows = await uploadRows(runtime, scope, source);
    const to = scope.allocate(source.n * 8);
    runtime.call("kernelDiagonal", uploadKernel(scope, kernel), rows.pointer, to);
    return runtime.memory.f64(to, source.n).map(Math.sqrt);
  } finally {
    scope.release();
  }
}

/**
 * For each input the largest normalised kernel value max_i K(x, x_i) / sqrt(K(x, x) K(x_i, x_i)) with the rows: the
 * cosine of the angle to the nearest one in the kernel's feature space, at most 1; 0 for an input of length 0.
 * @throws TypeError, RangeError when columns or units differ, the signal's reason
 */
export async function similarity(
  kernel: Kernel,
  data: RowSource,
  rows: RowSource,
  options: WorkOptions = {},
): Promise<Float64Array> {
  const { values } = await crossGram(kernel, data, rows, options);
  const [own, other] = [await lengths(kernel, data, options), await lengths(kernel, rows, options)];
  return Float64Array.from({ length: data.n }, (_, i) => {
    let most = 0;
    for (let j = 0; j < rows.n; j++) {
      const product = (own[i] ?? 0) * (other[j] ?? 0);
      if (product > 0) most = Math.max(most, (values[i * rows.n + j] ?? 0) / product);
    }
    return most;
  });
}

/**
 * The conformal p-value (1 + #{s_i <= score}) / (n + 1) of a score for which small is strange, given the scores of n
 * inputs that belong: if the new input belongs too, in the sense that any order of the n + 1 is equally likely, the
 * value is at most p with probability at most p. Source: Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random
 * World", section 2.
 * @throws TypeError, RangeError without scores
 */
export function conformalPValue(score: number, scores: ArrayLike<number>): number {
  checkNumber("score", score);
  if (typeof scores !== "object" || scores === null || typeof scores.length !== "number")
    throw new TypeError(`scores: expected an array of numbers, got ${describe(scores)}`);
  if (scores.length === 0) throw new RangeError("scores: expected at least one, got none");
  let count = 0;
  for (let i = 0; i < scores.length; i++) if (!((scores[i] ?? Number.NaN) > score)) count++;
  return (1 + count) / (scores.length + 1);
}
