// Kernel ridge regression, for one lambda or a whole path. Table 1's loss is (y - z)^2 with (lambda / 2) ||beta||^2, so
//   alpha = (K + (lambda / 2) I)^-1 y;   lambda = 0 is kernel regression, the network trained without regularisation.
// With sample weights W = S^2 it is alpha = S (S K S + (lambda / 2) I)^-1 S y, and a bias takes b off y so that the
// coefficients add up to 0: two systems with one matrix.
// Not here: the solver (conjugate.ts, preconditioner.ts) and prediction (machine.ts).
import { checkTargets, type Dataset } from "../data/dataset.js";
import { ConvergenceError } from "../errors.js";
import { checkGram, GramMatrix, type GramOptions, type GramStorage } from "../kernels/gram.js";
import { checkKernel, type Kernel } from "../kernels/kernel.js";
import type { WorkOptions } from "../runtime/runtime.js";
import { checkNumber, checkObject, describe } from "../validate.js";
import { conjugateGradients, type System } from "./conjugate.js";
import { checkFlag, checkWeights, machineOf, weightsOf } from "./fitting.js";
import { checkRows, type Machine, type Trainer } from "./machine.js";
import { DIRECT_ROWS, directPreconditioner, lowRankPreconditioner } from "./preconditioner.js";

export interface RidgeOptions {
  readonly kernel: Kernel;
  /** Largest accepted ||y - (K + lambda/2 I) alpha|| / ||y||, measured with the float64 kernel. Default 1e-8. */
  readonly tolerance?: number | undefined;
  /** Iterations for one lambda before giving up. Default 2000. */
  readonly maxIterations?: number | undefined;
  /** Weight of each row's loss, >= 0, one a row; a row of weight 0 does not count. Default: all 1. */
  readonly weights?: ArrayLike<number> | undefined;
  /** Whether the machine has a bias b, which is not regularised. Default false: the paper's homogeneous model. */
  readonly bias?: boolean | undefined;
  /** Columns of the low-rank preconditioner; more take memory and time to make, and save iterations. */
  readonly rank?: number | undefined;
  /** How the Gram matrix is kept. Default "auto": float64 within the budget, streamed beyond it. */
  readonly storage?: Exclude<GramStorage, "float32"> | undefined;
  /** A Gram matrix of the same rows and kernel, to share it between machines. */
  readonly gram?: GramMatrix | undefined;
}

export interface KrrOptions extends RidgeOptions {
  /** lambda of equation 7, >= 0. */
  readonly lambda: number;
}

export interface KrrPathOptions extends RidgeOptions {
  /** Any lambdas >= 0; all are solved together. */
  readonly lambdas: readonly number[];
}

/** Kernel ridge regression for one lambda. @throws TypeError, RangeError */
export function krr(options: KrrOptions): Trainer {
  checkObject("options", options);
  const lambda = checkNumber("lambda", options.lambda, { min: 0 });
  const path = krrPath({ ...options, lambdas: [lambda] });
  return {
    async fit(data, work) {
      const [machine] = await path.fit(data, work);
      if (machine === undefined) throw new Error("krr: the path came back empty");
      return machine;
    },
  };
}

/** Most vectors that share one pass over the Gram matrix. */
const GROUP = 8;

/** Default columns of the preconditioner; the cost of making it grows with the square. */
function defaultRank(n: number): number {
  return Math.min(512, Math.max(64, Math.floor(n / 8 / 64) * 64));
}

/**
 * Kernel ridge regression for several lambdas, which share the Gram matrix, the preconditioner and every pass over the
 * matrix. Machines come in the order of the lambdas.
 * @throws TypeError, RangeError
 */
export function krrPath(options: KrrPathOptions): Trainer<Machine[]> {
  checkObject("options", options);
  const kernel = checkKernel("kernel", options.kernel);
  if (!Array.isArray(options.lambdas) || options.lambdas.length === 0)
    throw new TypeError(`lambdas: expected an array of at least one number, got ${describe(options.lambdas)}`);
  const lambdas = options.lambdas.map((lambda, k) => checkNumber(`lambdas[${k}]`, lambda, { min: 0 }));
  const tolerance = checkNumber("tolerance", options.tolerance ?? 1e-8, { min: 1e-14, max: 0.1 });
  const most = checkNumber("maxIterations", options.maxIterations ?? 2000, { min: 1, integer: true });
  if (options.rank !== undefined) checkNumber("rank", options.rank, { min: 4, integer: true });
  const weights = checkWeights(options.weights);
  const bias = checkFlag("bias", options.bias ?? false);
  return {
    async fit(data, work = {}) {
      checkObject("options", work);
      checkRows("data", data);
      checkTargets(data);
      const roots = weights === undefined ? undefined : weightsOf(weights, data.n).map(Math.sqrt);
      const given = options.gram === undefined ? undefined : checkGram(options.gram, kernel, data.n);
      const gram = given ?? (await GramMatrix.create(kernel, data, gramOptions(options, work)));
      try {
        const machines: Machine[] = [];
        for (let from = 0; from < lambdas.length; from += GROUP) {
          const group = lambdas.slice(from, from + GROUP);
          machines.push(
            ...(await solveGroup(
              { gram, roots },
              data,
              group,
              { kernel, tolerance, most, rank: options.rank, bias },
              work,
            )),
          );
        }
        return machines;
      } finally {
        if (given === undefined) gram.dispose();
      }
    },
  };
}

function gramOptions(options: RidgeOptions, work: WorkOptions): GramOptions {
  const { storage } = options;
  // A float32 matrix would solve another system than the float64 kernel's.
  if ((storage as string) === "float32")
    throw new RangeError('storage: expected "auto" | "float64" | "streamed", got "float32"');
  return { ...work, storage };
}

interface Settings {
  readonly kernel: Kernel;
  readonly tolerance: number;
  readonly most: number;
  readonly rank: number | undefined;
  readonly bias: boolean;
}

/** Coefficients of one lambda, and how far they are from solving its system. */
export interface RidgeFit {
  readonly lambda: number;
  readonly alpha: Float64Array;
  readonly intercept: number;
  readonly relativeResidual: number;
  readonly iterations: number;
  readonly rank: number;
}

async function solveGroup(
  system: System,
  data: Dataset,
  lambdas: readonly number[],
  { kernel, bias, ...how }: Settings,
  work: WorkOptions,
): Promise<Machine[]> {
  const fits = await solveRidge(system, data.y, lambdas, { ...how, bias }, work);
  return Promise.all(
    fits.map(({ lambda, alpha, intercept, ...training }) => {
      const parameters = bias ? { lambda, bias } : { lambda };
      // Without weights every row has a coefficient, and stays even when that is 0.
      const all = system.roots === undefined;
      return machineOf(data, { machine: "krr", parameters, kernel, alpha, bias: intercept, training }, all);
    }),
  );
}

/** Solves for at most GROUP lambdas together. @throws ConvergenceError @internal */
export async function solveRidge(
  system: System,
  y: Float64Array,
  lambdas: readonly number[],
  { tolerance, most, rank, bias }: Omit<Settings, "kernel">,
  work: WorkOptions,
): Promise<RidgeFit[]> {
  const { gram, roots } = system;
  const scope = gram.runtime.scope();
  try {
    const shifts = lambdas.map((lambda) => lambda / 2);
    const preconditioner =
      gram.n <= DIRECT_ROWS
        ? await directPreconditioner(system, scope, shifts, work)
        : await lowRankPreconditioner(system, scope, shifts, Math.min(rank ?? defaultRank(gram.n), gram.n), work);
    const weighted = (values: Float64Array) =>
      roots === undefined ? values : values.map((value, i) => value * (roots[i] ?? 0));
    const solve = (right: Float64Array) =>
      conjugateGradients(system, preconditioner, weighted(right), shifts, tolerance, most, work);
    const solutions = await solve(y);
    const ones = bias ? await solve(new Float64Array(gram.n).fill(1)) : undefined;
    return lambdas.map((lambda, k) => {
      const [solution, level] = [solutions[k], ones?.[k]];
      const relativeResidual = Math.max(solution?.relativeResidual ?? Number.NaN, level?.relativeResidual ?? 0);
      if (solution === undefined || !(relativeResidual <= tolerance)) {
        const remedy = `ridge with lambda = ${lambda}; raise lambda, maxIterations or tolerance, or look for equal rows`;
        throw new ConvergenceError("relative residual", relativeResidual, tolerance, remedy);
      }
      const iterations = solution.iterations + (level?.iterations ?? 0);
      const report = { lambda, relativeResidual, iterations, rank: preconditioner.rank };
      if (level === undefined) return { ...report, alpha: weighted(solution.x), intercept: 0 };
      const [own, flat] = [weighted(solution.x), weighted(level.x)];
      const intercept = sum(own) / sum(flat);
      return { ...report, alpha: own.map((value, i) => value - intercept * (flat[i] ?? 0)), intercept };
    });
  } finally {
    scope.release();
  }
}

const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);
