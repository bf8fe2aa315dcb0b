// What the machines of Table 1 share when they are fitted: checks of their options, sample weights, targets, and the step
// from coefficients of all rows to a Machine. Not here: solvers (decomposition.ts, newton.ts, conjugate.ts).
import type { Dataset } from "../data/dataset.js";
import type { Kernel } from "../kernels/kernel.js";
import { checkNumber, describe } from "../validate.js";
import { Machine, type MachineName, type TrainingReport } from "./machine.js";

/** How strongly the losses count against (1/2) ||beta||^2. */
export interface PenaltyOptions {
  /** Weight C of the losses, > 0. Give this or lambda = 1 / C. Default 1. */
  readonly c?: number | undefined;
  /** lambda of equation 7, > 0; C = 1 / lambda. */
  readonly lambda?: number | undefined;
}

/** The range in which C and lambda are taken. */
const MOST_PENALTY = 1e12;

/** lambda > 0, inside the range. */
export function checkLambda(name: string, lambda: unknown): number {
  return checkNumber(name, lambda, { min: 1 / MOST_PENALTY, max: MOST_PENALTY });
}

/** C of the options. @throws TypeError, RangeError */
export function checkPenalty({ c, lambda }: PenaltyOptions): number {
  if (c !== undefined && lambda !== undefined) throw new RangeError("c: expected either c or lambda = 1 / c, got both");
  if (lambda !== undefined) return 1 / checkLambda("lambda", lambda);
  return checkNumber("c", c ?? 1, { min: 0, open: true, max: MOST_PENALTY });
}

/** The lambdas of a path, at least one. @throws TypeError, RangeError */
export function checkLambdas(lambdas: unknown): number[] {
  if (!Array.isArray(lambdas) || lambdas.length === 0)
    throw new TypeError(`lambdas: expected an array of at least one number, got ${describe(lambdas)}`);
  return lambdas.map((lambda, k) => checkLambda(`lambdas[${k}]`, lambda));
}

export function checkFlag(name: string, value: unknown): boolean {
  if (typeof value !== "boolean") throw new TypeError(`${name}: expected a boolean, got ${describe(value)}`);
  return value;
}

/** Sample weights as given, before there are data. @throws TypeError, RangeError */
export function checkWeights(weights: unknown): Float64Array | undefined {
  if (weights === undefined) return undefined;
  if (typeof weights !== "object" || weights === null || !("length" in weights) || typeof weights.length !== "number")
    throw new TypeError(`weights: expected an array of numbers, got ${describe(weights)}`);
  const own = Array.from(weights as ArrayLike<unknown>, (weight, i) =>
    checkNumber(`weights[${i}]`, weight, { min: 0, max: MOST_PENALTY }),
  );
  if (!own.some((weight) => weight > 0)) throw new RangeError("weights: expected at least one above 0, got none");
  return Float64Array.from(own);
}

/** The weights of n rows; all 1 when none were given. @throws RangeError */
export function weightsOf(weights: Float64Array | undefined, n: number): Float64Array {
  if (weights === undefined) return new Float64Array(n).fill(1);
  if (weights.length !== n) throw new RangeError(`weights: expected ${n} entries, one a row, got ${weights.length}`);
  return weights;
}

/** A fitted machine before it has its rows. */
export interface Fitted {
  readonly machine: MachineName;
  readonly parameters: Readonly<Record<string, number | boolean>>;
  readonly kernel: Kernel;
  /** Coefficients of all n rows of the data, signed. */
  readonly alpha: Float64Array;
  readonly bias: number;
  readonly training: TrainingReport;
}

/** The machine with the rows that have a coefficient, or with `all`; where no row has one, the first stays. */
export async function machineOf(data: Dataset, fitted: Fitted, all = false): Promise<Machine> {
  const { alpha } = fitted;
  const from = { dataHash: await data.hash(), dataName: data.name, task: data.task };
  const { n, d, x, scale } = data;
  // Rows that all stay are shared, not copied.
  if (all) return new Machine({ ...fitted, ...from, rows: { n, d, x, scale } });
  const support = Array.from(alpha.keys()).filter((i) => alpha[i] !== 0);
  const kept = support.length > 0 ? support : [0];
  return new Machine({
    ...fitted,
    ...from,
    rows: { n: kept.length, d, x: data.subset(kept).x, scale },
    alpha: Float64Array.from(kept, (i) => alpha[i] ?? 0),
  });
}
