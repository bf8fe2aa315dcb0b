// k-fold cross-validation of Table 1's machines over lambda, epsilon and kernels. One Gram matrix serves all folds and
// parameters of a kernel: a fold's held-out rows get sample weight 0, so that the solver's own outputs at them are what
// the machine trained without them decides; lambdas follow one another as a path. Not here: the solvers.
import { MAX_VECTORS } from "../../assembly/layout.js";
import { checkTargets, type Dataset } from "../data/dataset.js";
import { GramMatrix } from "../kernels/gram.js";
import { checkKernel, type Kernel, layersOf, ntk } from "../kernels/kernel.js";
import type { Runtime, WorkOptions } from "../runtime/runtime.js";
import { checkChoice, checkNumber, checkObject, describe } from "../validate.js";
import { type DualFamily, solvePath } from "./dual-machine.js";
import { checkFlag, checkLambda, checkLambdas } from "./fitting.js";
import { storedKernel } from "./kernel-access.js";
import { solveLogistic } from "./logistic.js";
import { checkRows } from "./machine.js";
import { solveRidge } from "./ridge.js";
import { svmFamily } from "./svm.js";
import { svm2Family } from "./svm2.js";
import { svrFamily } from "./svr.js";

/** Machines whose parameters can be searched. */
export const SEARCHED_MACHINES = ["krr", "svm", "svm2", "svr", "logistic"] as const;
export type SearchedMachine = (typeof SEARCHED_MACHINES)[number];

export interface CrossValidationOptions extends WorkOptions {
  readonly machine: SearchedMachine;
  /** lambdas > 0 to try, at least one. Give these or `cs`. */
  readonly lambdas?: readonly number[] | undefined;
  /** C = 1 / lambda > 0 to try instead, at least one; not for "krr". */
  readonly cs?: readonly number[] | undefined;
  /** Half-widths of support vector regression's tube to try. Default [0.1]; other machines take none. */
  readonly epsilons?: readonly number[] | undefined;
  /** Kernels to try. Default the NTK of one hidden layer. */
  readonly kernels?: readonly Kernel[] | undefined;
  /** Parts of the data, each held out once, from 2 to n. Default 5. */
  readonly folds?: number | undefined;
  /** Seed of the division into parts. Default 0. */
  readonly seed?: number | undefined;
  /** Whether the machines have a bias. Default false. */
  readonly bias?: boolean | undefined;
  /** Relative duality gap (krr: residual) of each solution. Default 1e-6. */
  readonly tolerance?: number | undefined;
}

/** A figure over the folds. */
export interface FoldFigure {
  readonly mean: number;
  /** Standard deviation of the folds. */
  readonly std: number;
  /** Standard error of the mean: the folds' sample deviation over the square root of their number. */
  readonly standardError: number;
}

/** One choice of parameters. */
export interface CrossValidationRow {
  readonly kernel: Kernel;
  readonly lambda: number;
  /** null for machines without one. */
  readonly epsilon: number | null;
  /** Share of held-out rows with y g > 0, over the folds; null for regression. */
  readonly accuracy: FoldFigure | null;
  /** Root mean square of y - g at held-out rows, the same. */
  readonly error: FoldFigure;
}

export interface CrossValidationResult {
  /** In the order of kernels, epsilons and lambdas. */
  readonly rows: readonly CrossValidationRow[];
  /** The row with the highest accuracy, of equal ones that with the smallest error; for regression that alone. */
  readonly best: CrossValidationRow;
  /**
   * The one-standard-error rule: of the rows within a standard error of the best, that with the largest lambda, of those
   * the one of least depth, then of the widest tube, then the first.
   */
  readonly simplest: CrossValidationRow;
  /** Number of parts, each held out once. */
  readonly folds: number;
}

interface Search {
  readonly machine: SearchedMachine;
  readonly lambdas: readonly number[];
  readonly epsilons: readonly (number | null)[];
  readonly kernels: readonly Kernel[];
  readonly folds: number;
  readonly seed: number;
  readonly bias: boolean;
  readonly tolerance: number;
}

function checkSearch(options: CrossValidationOptions, n: number): Search {
  const machine = checkChoice("machine", options.machine, SEARCHED_MACHINES);
  const { epsilons, kernels = [ntk()] } = options;
  if (epsilons !== undefined && machine !== "svr")
    throw new RangeError(`epsilons: expected only for "svr", got them for "${machine}"`);
  for (const [name, list] of Object.entries({ epsilons: epsilons ?? [0.1], kernels }))
    if (!Array.isArray(list) || list.length === 0)
      throw new TypeError(`${name}: expected an array of at least one entry, got ${describe(list)}`);
  return {
    machine,
    lambdas: lambdasOf(machine, options),
    epsilons:
      machine === "svr" ? (epsilons ?? [0.1]).map((e, k) => checkNumber(`epsilons[${k}]`, e, { min: 0 })) : [null],
    kernels: kernels.map((kernel, k) => checkKernel(`kernels[${k}]`, kernel)),
    folds: checkNumber("folds", options.folds ?? Math.min(5, n), { min: 2, max: n, integer: true }),
    seed: checkNumber("seed", options.seed ?? 0, { min: 0, integer: true }),
    bias: checkFlag("bias", options.bias ?? false),
    tolerance: checkNumber("tolerance", options.tolerance ?? 1e-6, { min: 1e-12, max: 0.1 }),
  };
}

function lambdasOf(machine: SearchedMachine, { lambdas, cs }: CrossValidationOptions): number[] {
  if (cs === undefined) return checkLambdas(lambdas);
  if (lambdas !== undefined) throw new RangeError("cs: expected either cs or lambdas = 1 / cs, got both");
  if (machine === "krr") throw new RangeError('cs: expected lambdas for "krr"');
  if (!Array.isArray(cs) || cs.length === 0)
    throw new TypeError(`cs: expected an array of at least one number, got ${describe(cs)}`);
  return cs.map((c, k) => 1 / checkLambda(`cs[${k}]`, c));
}

/**
 * Cross-validates a machine for every kernel, epsilon and lambda.
 * @throws TypeError, RangeError, ConvergenceError, MemoryBudgetError, the signal's reason
 */
export async function crossValidate(data: Dataset, options: CrossValidationOptions): Promise<CrossValidationResult> {
  checkObject("options", options);
  checkRows("data", data);
  checkTargets(data);
  const search = checkSearch(options, data.n);
  if (data.task === "regression" && search.machine !== "svr" && search.machine !== "krr")
    throw new RangeError(`machine: expected "svr" or "krr" for a regression, got "${search.machine}"`);
  const { runtime, signal, onProgress } = options;
  const work = { runtime, signal };
  const rows: CrossValidationRow[] = [];
  let done = 0;
  for (const kernel of search.kernels) {
    const gram = await GramMatrix.create(kernel, data, work);
    try {
      const parts = divide(gram.runtime, data, search.folds, search.seed);
      for (const epsilon of search.epsilons) {
        const folds: Float64Array[][] = [];
        for (let fold = 0; fold < search.folds; fold++) {
          const weights = Float64Array.from(parts, (part) => (part === fold ? 0 : 1));
          folds.push(await outputsOf(gram, data, weights, epsilon, search, work));
          done += 1;
          const total = search.folds * search.epsilons.length * search.kernels.length;
          onProgress?.({ stage: "cross-validation", done, total });
        }
        search.lambdas.forEach((lambda, k) => {
          const own = folds.map((outputs) => outputs[k] ?? new Float64Array());
          rows.push({ kernel, lambda, epsilon, ...scores(data, parts, own) });
        });
      }
    } finally {
      gram.dispose();
    }
  }
  const best = bestOf(rows);
  return { rows, best, simplest: simplestOf(rows, best), folds: search.folds };
}

/** Part of each row: shuffled by the seed and dealt out label by label, so that every part has its share of each. */
function divide(runtime: Runtime, data: Dataset, folds: number, seed: number): Int32Array {
  const scope = runtime.scope();
  try {
    const [state, order] = [scope.allocate(32), scope.i32(data.n)];
    runtime.call("randomSeed", state, BigInt(seed));
    runtime.call("randomPermutation", state, order, data.n);
    const parts = new Int32Array(data.n);
    const shuffled = runtime.memory.i32(order, data.n).slice();
    if (data.task !== "regression") {
      const positive = shuffled.filter((i) => (data.y[i] ?? 0) > 0);
      shuffled.set([...positive, ...shuffled.filter((i) => !((data.y[i] ?? 0) > 0))]);
    }
    shuffled.forEach((i, k) => {
      parts[i] = k % folds;
    });
    return parts;
  } finally {
    scope.release();
  }
}

/** Outputs at all rows of the machines trained with these weights, one for each lambda. */
async function outputsOf(
  gram: GramMatrix,
  { y }: Dataset,
  weights: Float64Array,
  epsilon: number | null,
  { machine, lambdas, bias, tolerance }: Search,
  work: WorkOptions,
): Promise<Float64Array[]> {
  const shifted = (outputs: Float64Array, by: number) => (by === 0 ? outputs : outputs.map((value) => value + by));
  const cs = lambdas.map((lambda) => 1 / lambda);
  if (machine === "krr") {
    const how = { tolerance, most: 2000, rank: undefined, bias };
    const outputs: Float64Array[] = [];
    for (let from = 0; from < lambdas.length; from += MAX_VECTORS) {
      const tasks = lambdas.slice(from, from + MAX_VECTORS).map((lambda) => ({ y, lambda }));
      for (const { alpha, intercept } of await solveRidge({ gram, roots: weights }, tasks, how, work))
        outputs.push(shifted(await gram.multiply(alpha, work), intercept));
    }
    return outputs;
  }
  if (machine === "logistic") {
    const fits = await solveLogistic(gram, y, cs, { weights, bias, tolerance, maxSteps: 100 }, work);
    return fits.map(({ outputs, intercept }) => shifted(outputs, intercept));
  }
  const scope = gram.runtime.scope();
  try {
    const input = { access: storedKernel(gram), scope, y, weights };
    const fits = await solvePath(familyOf(machine, bias, epsilon), input, cs, { tolerance, maxRounds: 1000 }, work);
    return fits.map(({ outputs, intercept }) => shifted(outputs, intercept));
  } finally {
    scope.release();
  }
}

function familyOf(machine: "svm" | "svm2" | "svr", bias: boolean, epsilon: number | null): DualFamily {
  if (machine === "svr") return svrFamily(epsilon ?? 0.1, bias);
  return machine === "svm" ? svmFamily(bias) : svm2Family(bias);
}

function spread(values: readonly number[]): FoldFigure {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, std: Math.sqrt(variance), standardError: Math.sqrt(variance / (values.length - 1)) };
}

/** Figures of the held-out rows; outputs[fold] are those of the machine that did not see part `fold`. */
function scores({ y, task }: Dataset, parts: Int32Array, outputs: readonly Float64Array[]) {
  const each = outputs.map((own, fold) => {
    const held = Array.from(parts.keys()).filter((i) => parts[i] === fold);
    const correct = held.filter((i) => (own[i] ?? 0) * (y[i] ?? 0) > 0).length;
    const square = held.reduce((sum, i) => sum + ((y[i] ?? 0) - (own[i] ?? 0)) ** 2, 0);
    return { accuracy: correct / held.length, error: Math.sqrt(square / held.length) };
  });
  const accuracy = task === "regression" ? null : spread(each.map((one) => one.accuracy));
  return { accuracy, error: spread(each.map(({ error }) => error)) };
}

function bestOf(rows: readonly CrossValidationRow[]): CrossValidationRow {
  const better = (a: CrossValidationRow, b: CrossValidationRow) => {
    const [own, other] = [a.accuracy?.mean ?? 0, b.accuracy?.mean ?? 0];
    return own !== other ? own > other : a.error.mean < b.error.mean;
  };
  return rows.reduce((best, row) => (better(row, best) ? row : best));
}

function simplestOf(rows: readonly CrossValidationRow[], best: CrossValidationRow): CrossValidationRow {
  const near = ({ accuracy, error }: CrossValidationRow) =>
    accuracy === null || best.accuracy === null
      ? error.mean <= best.error.mean + best.error.standardError
      : accuracy.mean >= best.accuracy.mean - best.accuracy.standardError;
  const simpler = (a: CrossValidationRow, b: CrossValidationRow) =>
    a.lambda - b.lambda || layersOf(b.kernel) - layersOf(a.kernel) || (a.epsilon ?? 0) - (b.epsilon ?? 0);
  return rows.filter(near).reduce((kept, row) => (simpler(row, kept) > 0 ? row : kept));
}
