// Machines whose dual is a box: what the SVMs and support vector regression have in common once each has said what its
// dual is. Paths over C start each solution from the one before. Not here: the solver (decomposition.ts) and the duals.
import { checkTargets, type Dataset } from "../data/dataset.js";
import { checkGram, type GramMatrix } from "../kernels/gram.js";
import { checkKernel, type Kernel } from "../kernels/kernel.js";
import { uploadRows } from "../kernels/rows.js";
import { kernelBetween } from "../kernels/upload.js";
import type { Scope } from "../runtime/memory.js";
import { runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import { checkNumber, checkObject } from "../validate.js";
import { type DualProblem, type DualSolution, solveDual } from "./decomposition.js";
import { checkWeights, machineOf, weightsOf } from "./fitting.js";
import { computedKernel, type KernelAccess, storedKernel } from "./kernel-access.js";
import { checkRows, type Machine, type MachineName, type TrainingReport } from "./machine.js";

export interface DualOptions {
  readonly kernel: Kernel;
  /** Weight of each row's loss, >= 0, one a row; a row of weight 0 does not count. Default: all 1. */
  readonly weights?: ArrayLike<number> | undefined;
  /** Largest accepted (primal - dual) / primal. Default 1e-6. */
  readonly tolerance?: number | undefined;
  /** Rounds of working sets before giving up. Default 1000. */
  readonly maxRounds?: number | undefined;
  /** A Gram matrix of the same rows and kernel, to share it between machines. Default: values are computed as needed. */
  readonly gram?: GramMatrix | undefined;
}

export interface DualChoices {
  readonly kernel: Kernel;
  readonly weights: Float64Array | undefined;
  readonly tolerance: number;
  readonly maxRounds: number;
  readonly gram: GramMatrix | undefined;
}

/** Checks what all these machines take. @throws TypeError, RangeError */
export function checkDualOptions(options: DualOptions): DualChoices {
  checkObject("options", options);
  return {
    kernel: checkKernel("kernel", options.kernel),
    weights: checkWeights(options.weights),
    tolerance: checkNumber("tolerance", options.tolerance ?? 1e-6, { min: 1e-12, max: 0.1 }),
    maxRounds: checkNumber("maxRounds", options.maxRounds ?? 1000, { min: 1, integer: true }),
    gram: options.gram,
  };
}

/** Labels or targets, sample weights, and what the dual may compute with. */
export interface DualInput {
  readonly access: KernelAccess;
  /** Holds what the problem keeps in linear memory. */
  readonly scope: Scope;
  readonly y: Float64Array;
  readonly weights: Float64Array;
}

/** A machine of this kind, but for C. */
export interface DualFamily {
  readonly machine: MachineName;
  /** What progress calls it. */
  readonly stage: string;
  /** Checks y beyond what checkTargets() does. */
  readonly check?: ((data: Dataset) => void) | undefined;
  /** The parameters that the machine's file names. */
  parameters(c: number): Readonly<Record<string, number | boolean>>;
  problem(c: number, input: DualInput): DualProblem;
  /** What its training report says beyond the gap. */
  report?: ((fit: DualFit) => TrainingReport) | undefined;
}

/** Coefficients of a solved machine at all rows of its data. */
export interface DualFit extends DualSolution {
  readonly c: number;
  /** Signed coefficients, n entries. */
  readonly alpha: Float64Array;
}

/**
 * Solves for every C, from the smallest on, each from the solution before; returned in the order asked for. What is
 * feasible for one C is feasible for a larger one.
 */
export async function solvePath(
  family: DualFamily,
  input: DualInput,
  cs: readonly number[],
  { tolerance, maxRounds }: Pick<DualChoices, "tolerance" | "maxRounds">,
  work: WorkOptions,
): Promise<DualFit[]> {
  const order = Array.from(cs.keys()).sort((k, l) => (cs[k] ?? 0) - (cs[l] ?? 0) || k - l);
  const fits: DualFit[] = [];
  let start: Float64Array | undefined;
  for (const k of order) {
    const c = cs[k] ?? 1;
    const problem = family.problem(c, input);
    const settings = { tolerance, maxRounds, start, stage: family.stage };
    const solution = await solveDual(input.access, problem, settings, work);
    start = solution.a;
    const alpha = new Float64Array(input.access.n);
    const { scale = 1 } = solution;
    solution.a.forEach((a, v) => {
      if (a > 0) alpha[v % alpha.length] = (alpha[v % alpha.length] ?? 0) + scale * a * (problem.sign[v] ?? 0);
    });
    fits[k] = { ...solution, c, alpha, outputs: solution.outputs.map((value) => scale * value) };
  }
  return fits;
}

/** Fits the machines of a path. @throws TypeError, RangeError, ConvergenceError, MemoryBudgetError, the signal's reason */
export async function fitPath(
  family: DualFamily,
  choices: DualChoices,
  cs: readonly number[],
  data: Dataset,
  work: WorkOptions,
): Promise<Machine[]> {
  checkRows("data", data);
  (family.check ?? checkTargets)(data);
  const { kernel } = choices;
  const weights = weightsOf(choices.weights, data.n);
  const gram = choices.gram === undefined ? undefined : checkGram(choices.gram, kernel, data.n);
  const runtime = gram?.runtime ?? (await runtimeOf(work));
  const scope = runtime.scope();
  try {
    const access =
      gram === undefined
        ? computedKernel(
            runtime,
            await uploadRows(runtime, scope, data),
            await kernelBetween(scope, kernel, data, data, work),
          )
        : storedKernel(gram);
    const fits = await solvePath(family, { access, scope, y: data.y, weights }, cs, choices, work);
    return await Promise.all(
      fits.map((fit) => {
        const { c, alpha, intercept, gap, primal, dual, rounds } = fit;
        const supportVectors = alpha.reduce((count, value) => count + (value === 0 ? 0 : 1), 0);
        const own = { relativeDualityGap: gap, primal, dual, supportVectors, rounds };
        const training = { ...own, ...family.report?.(fit) };
        const parameters = family.parameters(c);
        return machineOf(data, { machine: family.machine, parameters, kernel, alpha, bias: intercept, training });
      }),
    );
  } finally {
    scope.release();
  }
}
