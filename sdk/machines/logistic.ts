// Kernel logistic regression with l2 regularisation:
//   minimise (1/2) ||beta||^2 + C sum_i w_i log(1 + exp(-y_i g(x_i))),   C = 1 / lambda, w_i the sample weights.
// Every row has a coefficient. P(y = 1 | x) = 1 / (1 + exp(-g(x))): see probability.ts. Not here: the solver (newton.ts).
import { checkBinaryLabels, type Dataset } from "../data/dataset.js";
import { checkGram, GramMatrix, type GramStorage } from "../kernels/gram.js";
import { checkKernel, type Kernel } from "../kernels/kernel.js";
import type { WorkOptions } from "../runtime/runtime.js";
import { checkChoice, checkNumber, checkObject } from "../validate.js";
import {
  checkFlag,
  checkLambdas,
  checkPenalty,
  checkWeights,
  machineOf,
  type PenaltyOptions,
  weightsOf,
} from "./fitting.js";
import { checkRows, type Machine, type Trainer } from "./machine.js";
import { type NewtonProblem, type NewtonSolution, newton } from "./newton.js";

export interface LogisticOptions extends PenaltyOptions {
  readonly kernel: Kernel;
  /** Whether the machine has a bias b. Default false: the paper's homogeneous model. */
  readonly bias?: boolean | undefined;
  /** Weight of each row's loss, >= 0, one a row; a row of weight 0 does not count. Default: all 1. */
  readonly weights?: ArrayLike<number> | undefined;
  /** Largest accepted (primal - dual) / primal. Default 1e-8. */
  readonly tolerance?: number | undefined;
  /** Newton steps before giving up. Default 100. */
  readonly maxSteps?: number | undefined;
  /** How the Gram matrix is kept. Default "auto": float64 within the budget, streamed beyond it. */
  readonly storage?: Exclude<GramStorage, "float32"> | undefined;
  /** A Gram matrix of the same rows and kernel, to share it between machines. */
  readonly gram?: GramMatrix | undefined;
}

/** Options of a path: every lambda > 0, in any order, each solution the start of the next. */
export interface LogisticPathOptions extends Omit<LogisticOptions, "c" | "lambda"> {
  readonly lambdas: readonly number[];
}

/** Kernel logistic regression. @throws TypeError, RangeError */
export function logistic(options: LogisticOptions): Trainer {
  checkObject("options", options);
  const path = trainer(options, [checkPenalty(options)]);
  return {
    async fit(data, work) {
      const [machine] = await path.fit(data, work);
      return machine as Machine;
    },
  };
}

/** Kernel logistic regression for several lambdas, in their order. @throws TypeError, RangeError */
export function logisticPath(options: LogisticPathOptions): Trainer<Machine[]> {
  checkObject("options", options);
  return trainer(
    options,
    checkLambdas(options.lambdas).map((lambda) => 1 / lambda),
  );
}

function trainer(options: Omit<LogisticOptions, "c" | "lambda">, cs: readonly number[]): Trainer<Machine[]> {
  const kernel = checkKernel("kernel", options.kernel);
  const bias = checkFlag("bias", options.bias ?? false);
  const weights = checkWeights(options.weights);
  const tolerance = checkNumber("tolerance", options.tolerance ?? 1e-8, { min: 1e-14, max: 0.1 });
  const maxSteps = checkNumber("maxSteps", options.maxSteps ?? 100, { min: 1, integer: true });
  const storage = checkChoice("storage", options.storage ?? "auto", ["auto", "float64", "streamed"]);
  return {
    async fit(data, work = {}) {
      checkObject("options", work);
      checkRows("data", data);
      checkBinaryLabels(data);
      const own = { weights: weightsOf(weights, data.n), bias, tolerance, maxSteps };
      const given = options.gram === undefined ? undefined : checkGram(options.gram, kernel, data.n);
      const gram = given ?? (await GramMatrix.create(kernel, data, { ...work, storage }));
      try {
        const fits = await solveLogistic(gram, data.y, cs, own, work);
        return await Promise.all(fits.map((fit) => logisticMachine(data, kernel, bias, fit)));
      } finally {
        if (given === undefined) gram.dispose();
      }
    },
  };
}

export interface LogisticFit extends NewtonSolution {
  readonly c: number;
}

/** Solves for every C, from the smallest on, each from the solution before; in the order asked for. @internal */
export async function solveLogistic(
  gram: GramMatrix,
  y: Float64Array,
  cs: readonly number[],
  settings: {
    readonly weights: Float64Array;
    readonly bias: boolean;
    readonly tolerance: number;
    readonly maxSteps: number;
  },
  work: WorkOptions,
): Promise<LogisticFit[]> {
  const { weights, bias, tolerance, maxSteps } = settings;
  const problem = { gram, y, weights, bias, loss: "logistic" } as const;
  const fits: LogisticFit[] = [];
  let start = await approach(problem, Math.min(...cs), { ...settings, tolerance: APPROACH_GAP }, work);
  for (const k of Array.from(cs.keys()).sort((i, j) => (cs[i] ?? 0) - (cs[j] ?? 0) || i - j)) {
    const c = cs[k] ?? 1;
    const stage = "logistic regression";
    start = { ...(await newton(problem, { c, tolerance, maxSteps, start, stage }, work)), c };
    fits[k] = start;
  }
  return fits;
}

/** Gap at which an approach moves on to the next C. */
const APPROACH_GAP = 0.1;

/**
 * A start for a large C, where Newton's method from zero would be slow: the solutions, roughly, of smaller ones ten times
 * apart, the first of which hardly bends the outputs.
 */
async function approach(
  problem: NewtonProblem,
  c: number,
  { tolerance, maxSteps }: { readonly tolerance: number; readonly maxSteps: number },
  work: WorkOptions,
): Promise<LogisticFit | undefined> {
  const largest = problem.gram.diagonal().reduce((most, value) => Math.max(most, value), 0);
  const stages: number[] = [];
  for (let own = c / 10; own * largest > 1; own /= 10) stages.unshift(own);
  let start: LogisticFit | undefined;
  for (const own of stages) {
    const stage = "logistic regression";
    start = { ...(await newton(problem, { c: own, tolerance, maxSteps, start, stage }, work)), c: own };
  }
  return start;
}

function logisticMachine(data: Dataset, kernel: Kernel, bias: boolean, fit: LogisticFit): Promise<Machine> {
  const { c, alpha, intercept, gap, primal, dual, steps, products } = fit;
  const training = { relativeDualityGap: gap, primal, dual, steps, products };
  return machineOf(data, { machine: "logistic", parameters: { c, bias }, kernel, alpha, bias: intercept, training });
}
