// Kernel ridge regression, for one lambda or a whole path. Table 1's loss is (y - z)^2 with (lambda / 2) ||beta||^2, so
//   alpha = (K + (lambda / 2) I)^-1 y;   lambda = 0 is kernel regression, the network trained without regularisation.
// Not here: the solver (conjugate.ts, preconditioner.ts) and prediction (machine.ts).
import { checkBinaryLabels, type Dataset } from "../data/dataset.js";
import { ConvergenceError } from "../errors.js";
import { checkGram, GramMatrix, type GramOptions, type GramStorage } from "../kernels/gram.js";
import { checkKernel, type Kernel } from "../kernels/kernel.js";
import type { WorkOptions } from "../runtime/runtime.js";
import { checkNumber, checkObject, describe } from "../validate.js";
import { conjugateGradients } from "./conjugate.js";
import { checkRows, Machine, type Trainer } from "./machine.js";
import { DIRECT_ROWS, directPreconditioner, lowRankPreconditioner } from "./preconditioner.js";

export interface RidgeOptions {
  readonly kernel: Kernel;
  /** Largest accepted ||y - (K + lambda/2 I) alpha|| / ||y||, measured with the float64 kernel. Default 1e-8. */
  readonly tolerance?: number | undefined;
  /** Iterations for one lambda before giving up. Default 2000. */
  readonly maxIterations?: number | undefined;
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
  return {
    async fit(data, work = {}) {
      checkObject("options", work);
      checkRows("data", data);
      checkBinaryLabels(data);
      const given = options.gram === undefined ? undefined : checkGram(options.gram, kernel, data.n);
      const gram = given ?? (await GramMatrix.create(kernel, data, gramOptions(options, work)));
      try {
        const machines: Machine[] = [];
        for (let from = 0; from < lambdas.length; from += GROUP) {
          const group = lambdas.slice(from, from + GROUP);
          machines.push(
            ...(await solveGroup(gram, data, group, { kernel, tolerance, most, rank: options.rank }, work)),
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
}

async function solveGroup(
  gram: GramMatrix,
  data: Dataset,
  lambdas: readonly number[],
  { kernel, tolerance, most, rank }: Settings,
  work: WorkOptions,
): Promise<Machine[]> {
  const scope = gram.runtime.scope();
  try {
    const shifts = lambdas.map((lambda) => lambda / 2);
    const preconditioner =
      data.n <= DIRECT_ROWS
        ? await directPreconditioner(gram, scope, shifts, work)
        : await lowRankPreconditioner(gram, scope, shifts, Math.min(rank ?? defaultRank(data.n), data.n), work);
    const solutions = await conjugateGradients(gram, preconditioner, data.y, shifts, tolerance, most, work);
    const dataHash = await data.hash();
    return lambdas.map((lambda, k) => {
      const solution = solutions[k];
      if (solution === undefined || !(solution.relativeResidual <= tolerance)) {
        const remedy = `ridge with lambda = ${lambda}; raise lambda, maxIterations or tolerance, or look for equal rows`;
        throw new ConvergenceError("relative residual", solution?.relativeResidual ?? Number.NaN, tolerance, remedy);
      }
      const { relativeResidual, iterations } = solution;
      return new Machine({
        machine: "krr",
        parameters: { lambda },
        kernel,
        rows: { n: data.n, d: data.d, x: data.x, scale: data.scale },
        alpha: solution.x,
        bias: 0,
        training: { relativeResidual, iterations, rank: preconditioner.rank },
        dataHash,
        dataName: data.name,
      });
    });
  } finally {
    scope.release();
  }
}
