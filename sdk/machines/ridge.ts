// The systems behind kernel ridge regression: (K + lambda/2 I) alpha = y for several targets and lambdas, which share the
// matrix, one preconditioner and every pass. And what that takes of memory, said before anything is allocated.
// Not here: machines (krr.ts), the iteration (conjugate.ts) and preconditioners (preconditioner.ts).
import { MAX_VECTORS } from "../../assembly/layout.js";
import { ConvergenceError, MemoryBudgetError } from "../errors.js";
import { estimateMemory, type GramMemory, paddedVectors } from "../kernels/gram.js";
import { checkRows, type RowSource } from "../kernels/rows.js";
import type { Scope } from "../runtime/memory.js";
import type { WorkOptions } from "../runtime/runtime.js";
import { checkChoice, checkNumber, checkObject } from "../validate.js";
import { conjugateGradients, iterationBytes, type RightSide, type Solution, type System } from "./conjugate.js";
import {
  DIRECT_ROWS,
  directBytes,
  directPreconditioner,
  lowRankBytes,
  lowRankPreconditioner,
  type Preconditioner,
} from "./preconditioner.js";

/** One system: n targets and a lambda >= 0. */
export interface RidgeTask {
  readonly y: Float64Array;
  readonly lambda: number;
}

export interface RidgeSettings {
  readonly tolerance: number;
  readonly most: number;
  readonly rank: number | undefined;
  readonly bias: boolean;
}

/** Coefficients of one task, and how far they are from solving its system. */
export interface RidgeFit {
  readonly lambda: number;
  readonly alpha: Float64Array;
  readonly intercept: number;
  readonly relativeResidual: number;
  readonly iterations: number;
  readonly rank: number;
}

/** Columns of the preconditioner come in steps of this many. */
const RANK_STEP = 64;

/**
 * Default columns of the preconditioner. Making it costs n rank^2, and an iteration that it saves n^2: the rank grows with
 * n where the matrix is streamed, which makes iterations dear.
 */
export function defaultRank(n: number): number {
  const whole = (share: number) => Math.floor(n / share / RANK_STEP) * RANK_STEP;
  return Math.max(RANK_STEP, Math.min(512, whole(8)), whole(30));
}

/** What ridge machines take while they are fitted, in bytes. */
export interface RidgeMemory {
  readonly gram: GramMemory;
  readonly preconditioner: number;
  /** Vectors of the iteration, products left out. */
  readonly iteration: number;
  /** Rows and matrix, one product with all vectors, preconditioner and iteration. */
  readonly total: number;
}

/** How many systems are solved, and with what. */
export interface RidgeMemoryOptions {
  /** How the matrix is kept. Default "float64". */
  readonly storage?: "float64" | "streamed" | undefined;
  /** Targets of the same rows: 10 for ten classes. Default 1. */
  readonly targets?: number | undefined;
  /** Different lambdas. Default 1. */
  readonly lambdas?: number | undefined;
  /** Columns of the preconditioner. Default: what krr() takes where the budget has room. */
  readonly rank?: number | undefined;
}

/** Memory of krr() on these rows before anything is allocated. @throws TypeError, RangeError */
export function estimateRidgeMemory(source: RowSource, options: RidgeMemoryOptions = {}): RidgeMemory {
  checkObject("options", options);
  const [targets, lambdas] = (["targets", "lambdas"] as const).map((name) =>
    checkNumber(name, options[name] ?? 1, { min: 1, integer: true }),
  ) as [number, number];
  if (options.rank !== undefined) checkNumber("rank", options.rank, { min: 4, integer: true });
  const storage = checkChoice("storage", options.storage ?? "float64", ["float64", "streamed"]);
  checkRows("source", source);
  const { n } = source;
  const vectors = vectorsOf(targets * lambdas);
  const gram = estimateMemory(source, { storage, vectors });
  const preconditioner = preconditionerBytes(n, Math.min(options.rank ?? defaultRank(n), n), lambdas, vectors);
  const iteration = iterationBytes(n, vectors);
  return { gram, preconditioner, iteration, total: gram.total + preconditioner + iteration };
}

/** Vectors in one product for so many systems. */
const vectorsOf = (systems: number) => paddedVectors(Math.min(systems, MAX_VECTORS));

function preconditionerBytes(n: number, rank: number, shifts: number, vectors: number): number {
  return n <= DIRECT_ROWS ? directBytes(n, shifts) : lowRankBytes(n, rank, shifts, vectors);
}

/** Bytes that solveRidge() takes beside the matrix and its rows: more than with the smallest rank it never asks for. */
export function workingBytes(source: RowSource, options: Omit<RidgeMemoryOptions, "storage">): number {
  const { gram, total } = estimateRidgeMemory(source, { ...options, storage: "streamed" });
  return total - gram.rows;
}

/** The preconditioner's columns: as asked for, or as many as the budget has room for. @throws MemoryBudgetError */
function rankOf({ gram, roots }: System, shifts: number, vectors: number, asked: number | undefined): number {
  const { n, runtime } = gram;
  const { memory } = runtime;
  const product = estimateMemory({ n, d: 1, x: new Uint8Array(n), scale: 1 }, { storage: "streamed", vectors }).product;
  const weighted = roots === undefined ? 0 : n * vectors * 8;
  const needed = (rank: number) =>
    memory.bytesInUse + product + iterationBytes(n, vectors) + weighted + preconditionerBytes(n, rank, shifts, vectors);
  let rank = Math.min(asked ?? defaultRank(n), n);
  while (asked === undefined && rank > RANK_STEP && needed(rank) > memory.budget) rank -= RANK_STEP;
  if (needed(rank) > memory.budget) {
    const what = `solving ${vectors} systems of ${n} rows with a preconditioner of rank ${rank}`;
    throw new MemoryBudgetError(needed(rank), memory.budget, what);
  }
  return rank;
}

/** Solves all tasks. @throws ConvergenceError, MemoryBudgetError @internal */
export async function solveRidge(
  system: System,
  tasks: readonly RidgeTask[],
  { tolerance, most, rank, bias }: RidgeSettings,
  work: WorkOptions,
): Promise<RidgeFit[]> {
  const { gram, roots } = system;
  const lambdas = [...new Set(tasks.map(({ lambda }) => lambda))];
  const scope = gram.runtime.scope();
  const weighted = (values: Float64Array) =>
    roots === undefined ? values : values.map((value, i) => value * (roots[i] ?? 0));
  try {
    const preconditioner = await preconditionerOf(system, scope, lambdas, tasks.length, rank, work);
    const ending = { tolerance, mostIterations: most };
    const solve = (sides: readonly RightSide[]) => inGroups(system, preconditioner, sides, ending, work);
    const own = tasks.map(({ y, lambda }) => ({ y: weighted(y), shift: lambdas.indexOf(lambda) }));
    const solutions = await solve(own);
    const ones = weighted(new Float64Array(gram.n).fill(1));
    const levels = bias ? await solve(lambdas.map((_, shift) => ({ y: ones, shift }))) : undefined;
    return tasks.map(({ lambda }, k) => {
      const fit = withLevel(solutions[k] as Solution, levels?.[lambdas.indexOf(lambda)], weighted);
      if (!(fit.relativeResidual <= tolerance)) {
        const remedy = `ridge with lambda = ${lambda}; raise lambda, maxIterations or tolerance, or look for equal rows`;
        throw new ConvergenceError("relative residual", fit.relativeResidual, tolerance, remedy);
      }
      return { lambda, rank: preconditioner.rank, ...fit };
    });
  } finally {
    scope.release();
  }
}

function preconditionerOf(
  system: System,
  scope: Scope,
  lambdas: readonly number[],
  systems: number,
  rank: number | undefined,
  work: WorkOptions,
): Promise<Preconditioner> {
  const shifts = lambdas.map((lambda) => lambda / 2);
  const vectors = vectorsOf(Math.max(systems, lambdas.length));
  const columns = rankOf(system, shifts.length, vectors, rank);
  if (system.gram.n <= DIRECT_ROWS) return directPreconditioner(system, scope, shifts, work);
  return lowRankPreconditioner(system, scope, shifts, columns, vectors, work);
}

async function inGroups(
  system: System,
  preconditioner: Preconditioner,
  sides: readonly RightSide[],
  ending: { readonly tolerance: number; readonly mostIterations: number },
  work: WorkOptions,
): Promise<Solution[]> {
  const solutions: Solution[] = [];
  for (let from = 0; from < sides.length; from += MAX_VECTORS) {
    const group = sides.slice(from, from + MAX_VECTORS);
    solutions.push(...(await conjugateGradients(system, preconditioner, group, ending, work)));
  }
  return solutions;
}

const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);

/** The solution in the coefficients' own units; with a level, the solution for y = 1, less what makes their sum 0. */
function withLevel(
  solution: Solution,
  level: Solution | undefined,
  weighted: (values: Float64Array) => Float64Array,
): Omit<RidgeFit, "lambda" | "rank"> {
  const relativeResidual = Math.max(solution.relativeResidual, level?.relativeResidual ?? 0);
  const iterations = solution.iterations + (level?.iterations ?? 0);
  const own = weighted(solution.x);
  if (level === undefined) return { relativeResidual, iterations, alpha: own, intercept: 0 };
  const flat = weighted(level.x);
  const intercept = sum(own) / sum(flat);
  const alpha = own.map((value, i) => value - intercept * (flat[i] ?? 0));
  return { relativeResidual, iterations, alpha, intercept };
}
