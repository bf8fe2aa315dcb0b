// Kernel ridge regression, for one lambda or a whole path. Table 1's loss is (y - z)^2 with (lambda / 2) ||beta||^2, so
//   alpha = (K + (lambda / 2) I)^-1 y;   lambda = 0 is kernel regression, the network trained without regularisation.
// With sample weights W = S^2 it is alpha = S (S K S + (lambda / 2) I)^-1 S y, and a bias takes b off y so that the
// coefficients add up to 0: two systems with one matrix.
// Not here: the solver (ridge.ts, conjugate.ts, preconditioner.ts) and prediction (machine.ts).
import { checkTargets, type Dataset } from "../data/dataset.js";
import { checkGram, GramMatrix, type GramOptions, type GramStorage } from "../kernels/gram.js";
import { checkKernel, type Kernel } from "../kernels/kernel.js";
import type { WorkOptions } from "../runtime/runtime.js";
import { checkNumber, checkObject, describe } from "../validate.js";
import { checkFlag, checkWeights, machineOf, weightsOf } from "./fitting.js";
import { checkRows, type Machine, type Trainer } from "./machine.js";
import { type RidgeFit, solveRidge, workingBytes } from "./ridge.js";

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
  /**
   * Columns of the low-rank preconditioner; more take memory and time to make, and save iterations. Default: grows with n,
   * as far as the budget has room.
   */
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
  const fitAll = ridgeOf(options, [lambda]);
  const fitTogether = async (sets: readonly Dataset[], work?: WorkOptions) => (await fitAll(sets, work)).flat();
  return {
    fitTogether,
    async fit(data, work) {
      const [machine] = await fitTogether([data], work);
      return machine as Machine;
    },
  };
}

/** Most lambdas that share a preconditioner: each has a factor of its own. */
const GROUP = 8;

/**
 * Kernel ridge regression for several lambdas, which share the Gram matrix, the preconditioner and every pass over the
 * matrix. Machines come in the order of the lambdas.
 * @throws TypeError, RangeError
 */
export function krrPath(options: KrrPathOptions): Trainer<Machine[]> {
  checkObject("options", options);
  if (!Array.isArray(options.lambdas) || options.lambdas.length === 0)
    throw new TypeError(`lambdas: expected an array of at least one number, got ${describe(options.lambdas)}`);
  const lambdas = options.lambdas.map((lambda, k) => checkNumber(`lambdas[${k}]`, lambda, { min: 0 }));
  const fitAll = ridgeOf(options, lambdas);
  return {
    async fit(data, work) {
      const [machines] = await fitAll([data], work);
      return machines as Machine[];
    },
  };
}

/** Machines of several sets of targets on the same rows: set by set, lambda by lambda. */
type FitAll = (sets: readonly Dataset[], work?: WorkOptions) => Promise<Machine[][]>;

function ridgeOf(options: RidgeOptions, lambdas: readonly number[]): FitAll {
  const kernel = checkKernel("kernel", options.kernel);
  const tolerance = checkNumber("tolerance", options.tolerance ?? 1e-8, { min: 1e-14, max: 0.1 });
  const most = checkNumber("maxIterations", options.maxIterations ?? 2000, { min: 1, integer: true });
  const { rank } = options;
  if (rank !== undefined) checkNumber("rank", rank, { min: 4, integer: true });
  const weights = checkWeights(options.weights);
  const bias = checkFlag("bias", options.bias ?? false);
  return async (sets, work = {}) => {
    checkObject("options", work);
    const data = checkSets(sets);
    const roots = weights === undefined ? undefined : weightsOf(weights, data.n).map(Math.sqrt);
    const given = options.gram === undefined ? undefined : checkGram(options.gram, kernel, data.n);
    const room = { targets: sets.length, lambdas: Math.min(lambdas.length, GROUP), rank };
    const gram = given ?? (await GramMatrix.create(kernel, data, gramOptions(options, data, room, work)));
    const machines: Machine[][] = sets.map(() => []);
    try {
      for (let from = 0; from < lambdas.length; from += GROUP) {
        const some = lambdas.slice(from, from + GROUP);
        const tasks = sets.flatMap(({ y }) => some.map((lambda) => ({ y, lambda })));
        const fits = await solveRidge({ gram, roots }, tasks, { tolerance, most, rank, bias }, work);
        // Without weights every row has a coefficient, and stays even when that is 0.
        for (const [k, fit] of fits.entries()) {
          const set = Math.floor(k / some.length);
          machines[set]?.push(await machineFrom(sets[set] as Dataset, kernel, fit, bias, roots === undefined));
        }
      }
      return machines;
    } finally {
      if (given === undefined) gram.dispose();
    }
  };
}

/** Sets of targets on the same rows; returns the first. @throws TypeError, RangeError */
function checkSets(sets: readonly Dataset[]): Dataset {
  for (const data of sets) {
    checkRows("data", data);
    checkTargets(data);
    if (data.x !== sets[0]?.x) throw new RangeError("data: expected sets of targets that share their rows x");
  }
  const [first] = sets;
  if (first === undefined) throw new RangeError("data: expected at least one set, got none");
  return first;
}

function machineFrom(data: Dataset, kernel: Kernel, fit: RidgeFit, bias: boolean, all: boolean): Promise<Machine> {
  const { lambda, alpha, intercept, ...training } = fit;
  const parameters = bias ? { lambda, bias } : { lambda };
  return machineOf(data, { machine: "krr", parameters, kernel, alpha, bias: intercept, training }, all);
}

function gramOptions(
  options: RidgeOptions,
  data: Dataset,
  room: { readonly targets: number; readonly lambdas: number; readonly rank: number | undefined },
  work: WorkOptions,
): GramOptions {
  const { storage } = options;
  // A float32 matrix would solve another system than the float64 kernel's.
  if ((storage as string) === "float32")
    throw new RangeError('storage: expected "auto" | "float64" | "streamed", got "float32"');
  return { ...work, storage, reserve: workingBytes(data, room) };
}
