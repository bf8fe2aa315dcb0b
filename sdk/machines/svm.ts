// The soft-margin SVM, solved exactly in the dual for a given C (equivalently lambda = 1 / C):
//   minimise (1/2) sum_ij a_i a_j y_i y_j K_ij - sum_i a_i,  0 <= a_i <= C   [, sum_i a_i y_i = 0 with a bias].
// The Gram matrix is never formed. Points that violate the optimality conditions most enter a small working set, whose
// own problem the core solves (assembly/solver/coordinate.ts); then the outputs of all points are brought up to date
// with the coefficients that changed. Ends on the relative duality gap. Not here: subgradient descent (svm-sgd.ts).
import { checkBinaryLabels, type Dataset } from "../data/dataset.js";
import { ConvergenceError } from "../errors.js";
import { checkKernel, type Kernel, uploadKernel } from "../kernels/kernel.js";
import { gatherRows, type Rows, uploadRows } from "../kernels/rows.js";
import type { Scope } from "../runtime/memory.js";
import { type Runtime, runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import { checkNumber, checkObject } from "../validate.js";
import { checkRows, Machine, type Trainer } from "./machine.js";

export interface SvmOptions {
  readonly kernel: Kernel;
  /** Weight C of the hinge losses, > 0 (Definition 2.2). Give this or lambda = 1 / C. Default 1. */
  readonly c?: number | undefined;
  /** lambda of equation 7, > 0; C = 1 / lambda. */
  readonly lambda?: number | undefined;
  /** Whether the machine has a bias b. Default false: the paper's homogeneous model. */
  readonly bias?: boolean | undefined;
  /** Largest accepted (primal - dual) / primal. Default 1e-6. */
  readonly tolerance?: number | undefined;
  /** Rounds of working sets before giving up. Default 1000. */
  readonly maxRounds?: number | undefined;
}

/** Most points in one working set; its kernel matrix takes 8 MiB. */
const WORKING_SET = 1024;

/** Most points that enter in one round. */
const ENTERING = 128;

/** Steps of the inner solver in one round, for each point of the working set. */
const STEPS_PER_POINT = 2000;

const CHUNK = 64;

/** Exact soft-margin SVM. @throws TypeError, RangeError */
export function svm(options: SvmOptions): Trainer {
  checkObject("options", options);
  const kernel = checkKernel("kernel", options.kernel);
  if (options.c !== undefined && options.lambda !== undefined)
    throw new RangeError("c: expected either c or lambda = 1 / c, got both");
  const c =
    options.lambda === undefined
      ? checkNumber("c", options.c ?? 1, { min: 0, open: true, max: 1e12 })
      : 1 / checkNumber("lambda", options.lambda, { min: 1e-12, max: 1e12 });
  const bias = options.bias ?? false;
  if (typeof bias !== "boolean") throw new TypeError(`bias: expected a boolean, got ${bias}`);
  const tolerance = checkNumber("tolerance", options.tolerance ?? 1e-6, { min: 1e-12, max: 0.1 });
  const maxRounds = checkNumber("maxRounds", options.maxRounds ?? 1000, { min: 1, integer: true });
  return {
    async fit(data, work = {}) {
      checkRows("data", data);
      checkBinaryLabels(data);
      const runtime = await runtimeOf(work);
      const scope = runtime.scope();
      try {
        const rows = await uploadRows(runtime, scope, data);
        const solver = new Decomposition(runtime, scope, rows, uploadKernel(scope, kernel), data.y, c, bias);
        const end = await solver.solve(tolerance, maxRounds, work);
        return machineOf(data, kernel, { c, bias }, solver, end);
      } finally {
        scope.release();
      }
    },
  };
}

interface End {
  readonly gap: number;
  readonly primal: number;
  readonly dual: number;
  readonly intercept: number;
  readonly rounds: number;
}

async function machineOf(
  data: Dataset,
  kernel: Kernel,
  { c, bias }: { c: number; bias: boolean },
  { alpha }: Decomposition,
  { gap, primal, dual, intercept, rounds }: End,
): Promise<Machine> {
  const support = Array.from(alpha.keys()).filter((i) => (alpha[i] ?? 0) > 0);
  // One class without a bias to tell the classes apart still has support vectors; with a bias it has none: keep a row.
  const kept = support.length > 0 ? support : [0];
  const { x, y } = data.subset(kept);
  return new Machine({
    machine: "svm",
    parameters: { c, bias },
    kernel,
    rows: { n: kept.length, d: data.d, x, scale: data.scale },
    alpha: Float64Array.from(kept, (i, k) => (alpha[i] ?? 0) * (y[k] ?? 0)),
    bias: intercept,
    training: { relativeDualityGap: gap, primal, dual, supportVectors: support.length, rounds },
    dataHash: await data.hash(),
    dataName: data.name,
  });
}

/** Working-set decomposition; a_i >= 0 without labels, outputs f_i = sum_j K_ij y_j a_j without bias. */
class Decomposition {
  readonly alpha: Float64Array;
  private outputs: Float64Array;
  private readonly n: number;

  constructor(
    private readonly runtime: Runtime,
    private readonly scope: Scope,
    private readonly rows: Rows,
    private readonly kernel: number,
    private readonly y: Float64Array,
    private readonly c: number,
    private readonly bias: boolean,
  ) {
    this.n = rows.n;
    this.alpha = new Float64Array(this.n);
    this.outputs = new Float64Array(this.n);
  }

  async solve(tolerance: number, maxRounds: number, work: WorkOptions): Promise<End> {
    let inner = 1e-2;
    let end = this.optimality(0);
    for (let round = 1; round <= maxRounds; round++) {
      const set = this.workingSet(inner);
      if (set.length > 0) {
        await this.improve(set, inner / 2, work);
        end = this.optimality(round);
      }
      const digits = Math.log10(1 / Math.max(end.gap, 1e-300)) / Math.log10(1 / tolerance);
      work.onProgress?.({ stage: "SVM", done: Math.max(0, Math.min(99, Math.floor(100 * digits))), total: 100 });
      if (end.gap <= tolerance) {
        // What counts is the gap of outputs computed afresh: the running ones have rounding behind them.
        this.outputs = await this.apply(this.alpha, work);
        end = this.optimality(round);
        if (end.gap <= tolerance) return end;
      }
      if (set.length === 0) {
        inner /= 10;
        if (inner < 1e-13) break;
      }
    }
    throw new ConvergenceError("relative duality gap", end.gap, tolerance, "raise tolerance or maxRounds, or lower c");
  }

  /** Points to optimise over: those free or violating by more than `tolerance`, the worst ones first. */
  private workingSet(tolerance: number): number[] {
    const violation = this.bias ? this.pairViolations() : this.violations();
    const violating = Array.from(violation.keys()).filter((i) => (violation[i] ?? 0) > tolerance);
    if (violating.length === 0) return [];
    violating.sort((i, j) => (violation[j] ?? 0) - (violation[i] ?? 0) || i - j);
    const entering = violating.slice(0, ENTERING);
    const chosen = new Set(entering);
    for (let i = 0; i < this.n && chosen.size < WORKING_SET; i++) {
      const a = this.alpha[i] ?? 0;
      if (a > 0 && a < this.c) chosen.add(i);
    }
    for (const i of violating) if (chosen.size < WORKING_SET) chosen.add(i);
    for (let i = 0; i < this.n && chosen.size < WORKING_SET / 2; i++) if ((this.alpha[i] ?? 0) > 0) chosen.add(i);
    return [...chosen].slice(0, Math.max(entering.length * 2, this.openSize(chosen))).sort((i, j) => i - j);
  }

  private openSize(chosen: ReadonlySet<number>): number {
    return Math.min(WORKING_SET, chosen.size);
  }

  /** Projected gradient of the dual without bias: how far y f is on the wrong side of 1. */
  private violations(): Float64Array {
    return this.alpha.map((a, i) => {
      const gradient = (this.y[i] ?? 0) * (this.outputs[i] ?? 0) - 1;
      if (gradient < 0) return a < this.c ? -gradient : 0;
      return a > 0 ? gradient : 0;
    });
  }

  /** With a bias: distance of y - f beyond the opposite extreme (the maximal violating pair's own measure). */
  private pairViolations(): Float64Array {
    const rising = (i: number) => ((this.y[i] ?? 0) > 0 ? (this.alpha[i] ?? 0) < this.c : (this.alpha[i] ?? 0) > 0);
    const falling = (i: number) => ((this.y[i] ?? 0) > 0 ? (this.alpha[i] ?? 0) > 0 : (this.alpha[i] ?? 0) < this.c);
    let highest = -Infinity;
    let lowest = Infinity;
    const value = this.y.map((label, i) => label - (this.outputs[i] ?? 0));
    value.forEach((v, i) => {
      if (rising(i)) highest = Math.max(highest, v);
      if (falling(i)) lowest = Math.min(lowest, v);
    });
    // One class: nothing may fall (or rise), there is nothing to improve.
    if (!(highest > lowest) || !Number.isFinite(highest) || !Number.isFinite(lowest)) return new Float64Array(this.n);
    return value.map((v, i) => Math.max(rising(i) ? v - lowest : 0, falling(i) ? highest - v : 0, 0));
  }

  /** Solves the dual over `set`, then brings all outputs up to date. */
  private async improve(set: readonly number[], tolerance: number, work: WorkOptions): Promise<void> {
    const { runtime, kernel } = this;
    const own = runtime.scope();
    try {
      const gathered = gatherRows(runtime, own, this.rows, set);
      const count = set.length;
      const matrix = own.allocate(count * count * 8, "the working set's kernel matrix");
      const args = [kernel, gathered.pointer, gathered.pointer, matrix, count];
      await runtime.run("kernelBlock", Math.ceil(count / CHUNK), args, { signal: work.signal });
      const pick = (values: Float64Array) =>
        own.f64(
          count,
          Float64Array.from(set, (i) => values[i] ?? 0),
        );
      const [y, a, f] = [pick(this.y), pick(this.alpha), pick(this.outputs)];
      const upper = own.f64(count, new Float64Array(count).fill(this.c));
      const limit = Math.min(2 ** 30, STEPS_PER_POINT * count);
      runtime.call(this.bias ? "pairDescent" : "coordinateDescent", count, matrix, y, upper, a, f, tolerance, limit);
      const changed = new Float64Array(count);
      runtime.memory.f64(a, count).forEach((value, k) => {
        const i = set[k] ?? 0;
        changed[k] = (value - (this.alpha[i] ?? 0)) * (this.y[i] ?? 0);
        this.alpha[i] = value;
      });
      const delta = own.f64(count, changed);
      const out = own.allocate(this.n * 8);
      const rest = [kernel, this.rows.pointer, gathered.pointer, delta, out];
      await runtime.run("kernelApply", Math.ceil(this.n / CHUNK), rest, { signal: work.signal });
      const added = runtime.memory.f64(out, this.n);
      this.outputs = this.outputs.map((value, i) => value + (added[i] ?? 0));
    } finally {
      own.release();
    }
  }

  /** Outputs of the coefficients `alpha`, computed afresh. */
  private async apply(alpha: Float64Array, work: WorkOptions): Promise<Float64Array> {
    const { runtime } = this;
    const own = runtime.scope();
    try {
      const support = Array.from(alpha.keys()).filter((i) => (alpha[i] ?? 0) > 0);
      if (support.length === 0) return new Float64Array(this.n);
      const gathered = gatherRows(runtime, own, this.rows, support);
      const a = own.f64(
        support.length,
        support.map((i) => (alpha[i] ?? 0) * (this.y[i] ?? 0)),
      );
      const out = own.allocate(this.n * 8);
      const args = [this.kernel, this.rows.pointer, gathered.pointer, a, out];
      await runtime.run("kernelApply", Math.ceil(this.n / CHUNK), args, { signal: work.signal });
      return runtime.memory.f64(out, this.n).slice();
    } finally {
      own.release();
    }
  }

  /** Primal and dual values at the present coefficients, with the best bias for them. */
  private optimality(rounds: number): End {
    let square = 0;
    let linear = 0;
    this.alpha.forEach((a, i) => {
      square += a * (this.y[i] ?? 0) * (this.outputs[i] ?? 0);
      linear += a;
    });
    const intercept = this.bias ? bestBias(this.y, this.outputs) : 0;
    const hinge = this.y.reduce(
      (sum, label, i) => sum + Math.max(0, 1 - label * ((this.outputs[i] ?? 0) + intercept)),
      0,
    );
    const primal = 0.5 * square + this.c * hinge;
    const dual = linear - 0.5 * square;
    const gap = primal > 0 ? Math.max(0, primal - dual) / primal : 0;
    return { gap, primal, dual, intercept, rounds };
  }
}

/**
 * The b that minimises sum_i max(0, 1 - y_i (f_i + b)): a point where the number of positive labels below their margin
 * meets that of negative labels below theirs. Where an interval of b is optimal its middle is taken; with one class,
 * the end nearest 0.
 */
function bestBias(y: Float64Array, f: Float64Array): number {
  const knots = Array.from(y, (label, i) => label - (f[i] ?? 0)).sort((a, b) => a - b);
  const positives = y.reduce((count, label) => count + (label > 0 ? 1 : 0), 0);
  // The slope of the sum at b is (knots below b) - positives: it vanishes between knots number `positives` and the next.
  const low = knots[positives - 1];
  const high = knots[positives];
  if (low === undefined) return Math.min(0, high ?? 0);
  if (high === undefined) return Math.max(0, low);
  return (low + high) / 2;
}
