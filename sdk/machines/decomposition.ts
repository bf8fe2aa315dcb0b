// The solver that support vector machines share. Their duals have one shape, in variables v, each of one row:
//   minimise (1/2) sum_vw a_v a_w s_v s_w K_vw + (1/2) sum_v d_v a_v^2 - sum_v s_v t_v a_v,
//   0 <= a_v <= u_v   [, sum_v s_v a_v = 0 with a bias].
// The Gram matrix is never formed. Variables that violate the optimality conditions most enter a small working set, whose
// own problem the core solves (assembly/solver/coordinate.ts); then the outputs of all rows are brought up to date with
// what changed. Ends on the relative duality gap. Not here: what a machine's signs, targets and bounds are (svm.ts, ...).
import { ConvergenceError } from "../errors.js";
import type { WorkOptions } from "../runtime/runtime.js";
import type { KernelAccess } from "./kernel-access.js";

/** Most variables in one working set; its kernel matrix takes 8 MiB. */
const WORKING_SET = 1024;

/** Most variables that enter in one round. */
const ENTERING = 128;

/** Steps of the inner solver in one round, for each variable of the working set. */
const STEPS_PER_VARIABLE = 2000;

/** Sums over the variables at hand, from which primal and dual values are made. */
export interface DualSums {
  /** sum_vw a_v a_w s_v s_w K_vw = ||beta||^2. */
  readonly square: number;
  /** sum_v d_v a_v^2. */
  readonly penalty: number;
  /** sum_v s_v t_v a_v. */
  readonly linear: number;
}

export interface PrimalDual {
  readonly primal: number;
  readonly dual: number;
  /** The bias b that the primal value was taken at; 0 without one. */
  readonly intercept: number;
  /** What a has to be multiplied by for the primal value; b is of the outcome. Default 1. */
  readonly scale?: number | undefined;
}

/** A dual problem over `variables` entries; variable v belongs to row v % n. */
export interface DualProblem {
  readonly variables: number;
  /** s_v, -1 or +1. */
  readonly sign: Float64Array;
  /** t_v. */
  readonly target: Float64Array;
  /** d_v >= 0. */
  readonly diagonal: Float64Array;
  /** u_v >= 0, Infinity for none. */
  readonly upper: Float64Array;
  readonly bias: boolean;
  /** Primal and dual values of a point feasible for each, made of a and the outputs f (n, without bias). */
  judge(sums: DualSums, outputs: Float64Array, a: Float64Array): PrimalDual;
  /** Looks at a working set's kernel matrix (count x count, without d) before it is used; may throw. */
  inspect?(set: readonly number[], matrix: number): void;
}

/** Where a solver came to. */
export interface DualSolution extends PrimalDual {
  /** a_v, `variables` entries. */
  readonly a: Float64Array;
  /** sum_v a_v s_v K(x_i, x_v) at all n rows, computed afresh; without bias. */
  readonly outputs: Float64Array;
  /** (primal - dual) / primal. */
  readonly gap: number;
  readonly rounds: number;
}

export interface DualSettings {
  /** Largest accepted relative gap. */
  readonly tolerance: number;
  readonly maxRounds: number;
  /** A point to start from, feasible. Default: all zero. */
  readonly start?: Float64Array | undefined;
  /** What progress and errors call the machine. */
  readonly stage: string;
}

/** Solves the dual problem. @throws ConvergenceError, the signal's reason, whatever the problem throws */
export async function solveDual(
  access: KernelAccess,
  problem: DualProblem,
  settings: DualSettings,
  work: WorkOptions,
): Promise<DualSolution> {
  const solver = new Decomposition(access, problem, settings.start);
  return solver.solve(settings, work);
}

class Decomposition {
  private readonly a: Float64Array;
  private outputs: Float64Array;
  private readonly n: number;
  /** Size of the targets: violations are measured against it. */
  private readonly unit: number;

  constructor(
    private readonly access: KernelAccess,
    private readonly problem: DualProblem,
    private readonly start: Float64Array | undefined,
  ) {
    this.n = access.n;
    this.a = start?.slice() ?? new Float64Array(problem.variables);
    this.outputs = new Float64Array(this.n);
    this.unit = problem.target.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  }

  async solve({ tolerance, maxRounds, stage }: DualSettings, work: WorkOptions): Promise<DualSolution> {
    if (this.start !== undefined) this.outputs = await this.freshOutputs(work);
    let inner = 1e-2;
    let end = this.standing(0);
    for (let round = 1; round <= maxRounds; round++) {
      const set = this.workingSet(inner * this.unit);
      if (set.length > 0) {
        await this.improve(set, (inner * this.unit) / 2, work);
        end = this.standing(round);
      }
      const digits = Math.log10(1 / Math.max(end.gap, 1e-300)) / Math.log10(1 / tolerance);
      work.onProgress?.({ stage, done: Math.max(0, Math.min(99, Math.floor(100 * digits))), total: 100 });
      if (end.gap <= tolerance) {
        // What counts is the gap of outputs computed afresh: the running ones have rounding behind them.
        this.outputs = await this.freshOutputs(work);
        end = this.standing(round);
        if (end.gap <= tolerance) return end;
      }
      if (set.length === 0) {
        inner /= 10;
        if (inner < 1e-13) break;
      }
    }
    throw new ConvergenceError("relative duality gap", end.gap, tolerance, "raise tolerance or maxRounds, or lower c");
  }

  private rowOf(v: number): number {
    return v < this.n ? v : v % this.n;
  }

  /** Derivative of the dual objective by each variable: s (f - t) + d a. */
  private gradient(v: number): number {
    const { sign, target, diagonal } = this.problem;
    const apart = (this.outputs[this.rowOf(v)] ?? 0) - (target[v] ?? 0);
    return (sign[v] ?? 0) * apart + (diagonal[v] ?? 0) * (this.a[v] ?? 0);
  }

  /** Variables to optimise over: those free or violating by more than `tolerance`, the worst ones first. */
  private workingSet(tolerance: number): number[] {
    const { upper, bias, variables } = this.problem;
    const violation = bias ? this.pairViolations() : this.violations();
    const violating = Array.from(violation.keys()).filter((v) => (violation[v] ?? 0) > tolerance);
    if (violating.length === 0) return [];
    violating.sort((v, w) => (violation[w] ?? 0) - (violation[v] ?? 0) || v - w);
    const entering = violating.slice(0, ENTERING);
    const chosen = new Set(entering);
    for (let v = 0; v < variables && chosen.size < WORKING_SET; v++) {
      const a = this.a[v] ?? 0;
      if (a > 0 && a < (upper[v] ?? 0)) chosen.add(v);
    }
    for (const v of violating) if (chosen.size < WORKING_SET) chosen.add(v);
    for (let v = 0; v < variables && chosen.size < WORKING_SET / 2; v++) if ((this.a[v] ?? 0) > 0) chosen.add(v);
    return [...chosen].sort((v, w) => v - w);
  }

  /** Size of the projected gradient. */
  private violations(): Float64Array {
    const { upper } = this.problem;
    return this.a.map((a, v) => {
      const gradient = this.gradient(v);
      if (gradient < 0) return a < (upper[v] ?? 0) ? -gradient : 0;
      return a > 0 ? gradient : 0;
    });
  }

  /** With a bias: distance of -s gradient beyond the opposite extreme (the maximal violating pair's own measure). */
  private pairViolations(): Float64Array {
    const { sign, upper, variables } = this.problem;
    const below = (v: number) => (this.a[v] ?? 0) < (upper[v] ?? 0);
    const above = (v: number) => (this.a[v] ?? 0) > 0;
    const rising = (v: number) => ((sign[v] ?? 0) > 0 ? below(v) : above(v));
    const falling = (v: number) => ((sign[v] ?? 0) > 0 ? above(v) : below(v));
    let highest = -Infinity;
    let lowest = Infinity;
    const value = Float64Array.from({ length: variables }, (_, v) => -(sign[v] ?? 0) * this.gradient(v));
    value.forEach((own, v) => {
      if (rising(v)) highest = Math.max(highest, own);
      if (falling(v)) lowest = Math.min(lowest, own);
    });
    // One class: nothing may fall (or rise), there is nothing to improve.
    if (!(highest > lowest) || !Number.isFinite(highest) || !Number.isFinite(lowest))
      return new Float64Array(variables);
    return value.map((own, v) => Math.max(rising(v) ? own - lowest : 0, falling(v) ? highest - own : 0, 0));
  }

  /** Solves the dual over `set`, then brings all outputs up to date. */
  private async improve(set: readonly number[], tolerance: number, work: WorkOptions): Promise<void> {
    const { access, problem } = this;
    const { runtime } = access;
    const own = runtime.scope();
    try {
      const count = set.length;
      const list = set.map((v) => this.rowOf(v));
      const matrix = own.allocate(count * count * 8, "the working set's kernel matrix");
      await access.block(own, list, matrix, work);
      problem.inspect?.(set, matrix);
      const pick = (values: Float64Array) => Float64Array.from(set, (v) => values[v] ?? 0);
      const [sign, before] = [pick(problem.sign), pick(this.a)];
      const f = Float64Array.from(list, (i) => this.outputs[i] ?? 0);
      const entries = runtime.memory.f64(matrix, count * count);
      pick(problem.diagonal).forEach((d, k) => {
        const at = k * (count + 1);
        entries[at] = (entries[at] ?? 0) + d;
        f[k] = (f[k] ?? 0) + (sign[k] ?? 0) * d * (before[k] ?? 0);
      });
      const [s, t, u] = [sign, pick(problem.target), pick(problem.upper)].map((values) => own.f64(count, values));
      const [a, outputs] = [own.f64(count, before), own.f64(count, f)];
      const limit = Math.min(2 ** 30, STEPS_PER_VARIABLE * count);
      const solver = problem.bias ? "pairDescent" : "coordinateDescent";
      runtime.call(solver, count, matrix, s ?? 0, t ?? 0, u ?? 0, a, outputs, tolerance, limit);
      const changed = new Float64Array(count);
      runtime.memory.f64(a, count).forEach((value, k) => {
        changed[k] = (value - (before[k] ?? 0)) * (sign[k] ?? 0);
        this.a[set[k] ?? 0] = value;
      });
      const added = await access.combine(list, changed, work);
      this.outputs = this.outputs.map((value, i) => value + (added[i] ?? 0));
    } finally {
      own.release();
    }
  }

  /** Outputs of the coefficients at hand, computed afresh. */
  private freshOutputs(work: WorkOptions): Promise<Float64Array> {
    const { sign } = this.problem;
    const support = Array.from(this.a.keys()).filter((v) => (this.a[v] ?? 0) > 0);
    return this.access.combine(
      support.map((v) => this.rowOf(v)),
      support.map((v) => (this.a[v] ?? 0) * (sign[v] ?? 0)),
      work,
    );
  }

  /** Primal and dual values at the present coefficients. */
  private standing(rounds: number): DualSolution {
    const { a, outputs, problem } = this;
    const { sign, target, diagonal } = problem;
    let [square, penalty, linear] = [0, 0, 0];
    a.forEach((own, v) => {
      if (own === 0) return;
      const s = sign[v] ?? 0;
      square += own * s * (outputs[this.rowOf(v)] ?? 0);
      penalty += own * (diagonal[v] ?? 0) * own;
      linear += s * (target[v] ?? 0) * own;
    });
    const values = problem.judge({ square, penalty, linear }, outputs, a);
    const { primal, dual } = values;
    const gap = primal === Number.POSITIVE_INFINITY ? 1 : primal > 0 ? Math.max(0, primal - dual) / primal : 0;
    return { ...values, gap, rounds, a, outputs };
  }
}
