// The machine at which the dynamics of each row of Table 1 end, solved on its own: equation 7 with a weight w for each
// row's loss has the solution of C = w / lambda. Not here: the dynamics (dynamics/), the solvers (machines/).
import type { Dataset } from "../data/dataset.js";
import { ConvergenceError } from "../errors.js";
import type { Kernel } from "../kernels/kernel.js";
import { LossTerms } from "../losses.js";
import { hardMarginSvm } from "../machines/hard-margin.js";
import { krr } from "../machines/krr.js";
import { logistic } from "../machines/logistic.js";
import type { Machine, Trainer } from "../machines/machine.js";
import { svm } from "../machines/svm.js";
import { svm2 } from "../machines/svm2.js";
import { svr } from "../machines/svr.js";
import { runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import { TABLE1, type Table1Machine } from "./choices.js";

/** What a row of Table 1 minimises: (lambda / 2) ||beta||^2 + w sum_i l(g(x_i), y_i). */
export interface Objective {
  readonly kernel: Kernel;
  /** 0 for kernel regression; of no meaning for the hard margin. */
  readonly lambda: number;
  readonly weight: number;
  readonly epsilon: number;
}

/** Relative gaps or residuals to ask for, from the first on until one is reached. */
const TOLERANCES = [1e-11, 1e-10, 1e-9, 1e-8, 1e-7];

/** The machine of a row, as near to its optimum as its solver comes. @throws NotSeparableError, ConvergenceError */
export async function solve(
  name: Table1Machine,
  objective: Objective,
  data: Dataset,
  work: WorkOptions,
): Promise<Machine> {
  for (const tolerance of TOLERANCES) {
    try {
      return await solverOf(name, objective, tolerance).fit(data, work);
    } catch (error) {
      if (!(error instanceof ConvergenceError) || tolerance === TOLERANCES.at(-1)) throw error;
    }
  }
  throw new Error("solve: no tolerance to ask for");
}

function solverOf(name: Table1Machine, { kernel, lambda, weight, epsilon }: Objective, tolerance: number): Trainer {
  const c = weight / lambda;
  if (name === "hard-margin") return hardMarginSvm({ kernel, tolerance });
  if (name === "svm") return svm({ kernel, c, tolerance });
  if (name === "svm2") return svm2({ kernel, c, tolerance });
  if (name === "svr") return svr({ kernel, c, epsilon, tolerance });
  if (name === "logistic") return logistic({ kernel, c, tolerance });
  return krr({ kernel, lambda: lambda / weight, tolerance });
}

/**
 * lambda below which the soft margin is the hard one: w / max alpha_i of the hard-margin machine, halved. Its box no
 * longer holds any coefficient, so the limit lambda -> 0 of Table 1 is reached there.
 */
export function hardMarginLambda(machine: Machine, weight: number): number {
  return weight / (2 * machine.alpha.reduce((most, a) => Math.max(most, Math.abs(a)), 0));
}

/** L of equation 7 at a machine and at 0, and (1/2) ||beta||^2. */
export async function objectiveOf(
  machine: Machine,
  name: Table1Machine,
  data: Dataset,
  { lambda, weight, epsilon }: Objective,
  work: WorkOptions,
): Promise<{ readonly objective: number; readonly regulariser: number; readonly start: number }> {
  const runtime = await runtimeOf(work);
  const own = await machine.decisionFunction(machine.rows, work);
  const all = await machine.decisionFunction(data, work);
  const scope = runtime.scope();
  try {
    const terms = new LossTerms(runtime, scope, TABLE1[name].loss, data.y, epsilon);
    const lossAt = (z: Float64Array) => weight * terms.at(z).values.reduce((sum, value) => sum + value, 0);
    const regulariser = 0.5 * machine.alpha.reduce((sum, a, i) => sum + a * (own[i] ?? 0), 0);
    return { objective: lambda * regulariser + lossAt(all), regulariser, start: lossAt(new Float64Array(data.n)) };
  } finally {
    scope.release();
  }
}
