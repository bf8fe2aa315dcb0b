// Discrete dynamics of a kernel machine (Theorem 3.2; equation 8 for the other losses of Table 1): full-batch and
// mini-batch (sub)gradient descent followed in its outputs, at the training rows and at others.
// Not here: the machine in descent (session.ts), machines for use (machines/svm-sgd.ts), continuous time (flow.ts).
import type { Dataset } from "../data/dataset.js";
import { DivergenceError } from "../errors.js";
import type { Kernel } from "../kernels/kernel.js";
import type { Progress } from "../runtime/runtime.js";
import { checkNumber, checkObject, describe } from "../validate.js";
import { type DescentOptions, type DescentRecord, openDescent } from "./session.js";

export interface DescendOptions extends DescentOptions {
  /** Steps to take, >= 0. */
  readonly steps: number;
  /** Steps after which to record, ascending, each 0 .. steps; "log": 0, 1, 2, 3, 4, 6, 8, 11, ... and the last. */
  readonly record?: readonly number[] | "log" | undefined;
}

/** What descend() returns. */
export interface Trajectory {
  /** In the order of their steps. */
  readonly records: readonly DescentRecord[];
  /** Coefficients after the last step taken: g = (1 - eta lambda)^steps g_0 + sum_i alpha_i K(., x_i). */
  readonly alpha: Float64Array;
}

/** Steps 0, 1, 2, 3, 4, 6, 8, 11, ... (powers of the root of 2, rounded) and `steps`. */
export function logSteps(steps: number): number[] {
  const recorded = new Set([0, steps]);
  for (let value = 1; value < steps; value *= Math.SQRT2) recorded.add(Math.round(value));
  return [...recorded].filter((step) => step <= steps).sort((a, b) => a - b);
}

function checkRecorded(record: unknown, steps: number): number[] {
  if (record === undefined || record === "log") return logSteps(steps);
  if (!Array.isArray(record))
    throw new TypeError(`record: expected "log" or an array of steps, got ${describe(record)}`);
  return record.map((step, k) => {
    const from = k === 0 ? 0 : (record[k - 1] as number) + 1;
    return checkNumber(`record[${k}]`, step, { min: from, max: steps, integer: true });
  });
}

/**
 * (Sub)gradient descent of g(x) = <beta, phi(x)> on (lambda/2) ||beta||^2 + w sum_i l(g(x_i), y_i), equation 8 with
 * steps of eta:
 *   g_{t+1}(x) = (1 - eta lambda) g_t(x) - eta w sum_{i in B} l'(g_t(x_i), y_i) K(x, x_i).
 * The paper's equation 5 is { lambda: 1, weight: C }; its experiments are { lambda, weight: "mean" }. A row on its
 * margin exactly does not push. The result depends on the options alone, not on the number of threads.
 * @param train n rows with labels -1 / +1
 * @throws TypeError, RangeError naming the argument; MemoryBudgetError; DivergenceError with the step at which a value
 *   left the finite numbers, its `cause` the Trajectory up to the last finite step; the signal's reason
 */
export async function descend(kernel: Kernel, train: Dataset, options: DescendOptions): Promise<Trajectory> {
  const steps = checkNumber("steps", checkObject("options", options).steps, { min: 0, max: 1e9, integer: true });
  const recorded = checkRecorded(options.record, steps);
  const session = await openDescent(kernel, train, options);
  const { signal, onProgress } = options;
  const records: DescentRecord[] = [];
  try {
    for (const target of [...recorded, steps]) {
      const from = session.step;
      const report = ({ stage, done }: Progress) => onProgress?.({ stage, done: from + done, total: steps });
      await session.steps(target - from, { signal, onProgress: report });
      if (records.at(-1)?.step !== target && recorded.includes(target)) records.push(await session.record({ signal }));
    }
    return { records, alpha: session.alpha() };
  } catch (error) {
    if (!(error instanceof DivergenceError)) throw error;
    if (records.at(-1)?.step !== session.step) records.push(await session.record({ signal }));
    const trajectory: Trajectory = { records, alpha: session.alpha() };
    throw Object.assign(error, { cause: trajectory });
  } finally {
    session.dispose();
  }
}
