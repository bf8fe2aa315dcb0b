// Gradient flow of equation 8 for the losses of Table 1 that are smooth: squared hinge, squared and logistic.
// Dormand and Prince's embedded pair of orders 5 and 4 (J. Comp. Appl. Math. 6, 1980) with the step set by the error.
// Not here: the squared loss in closed form (squared-flow.ts), losses with kinks, which are followed exactly (flow.ts),
// and steps of descent (descend.ts).
import type { Dataset } from "../data/dataset.js";
import { ConvergenceError } from "../errors.js";
import { checkKernel, type Kernel, uploadKernel } from "../kernels/kernel.js";
import { type Rows, uploadRows } from "../kernels/rows.js";
import type { Loss } from "../networks/training.js";
import type { Scope } from "../runtime/memory.js";
import { type Runtime, runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import { checkChoice, checkNumber, checkObject, describe } from "../validate.js";
import {
  accuracyOf,
  checkData,
  type DynamicsData,
  type FlowRecord,
  LOSS_CODE,
  labelsOf,
  type Outputs,
} from "./problem.js";

export interface GeneralFlowOptions extends DynamicsData, WorkOptions {
  /** A loss with a continuous derivative. Default "logistic". */
  readonly loss?: "squared-hinge" | "squared" | "logistic" | undefined;
  /** lambda, >= 0. Default 0.001. */
  readonly lambda?: number | undefined;
  /** Weight w > 0 of each row's loss (1 in equation 8), or "mean" for 1 / n. Default "mean". */
  readonly weight?: number | "mean" | undefined;
  /** Times to record, ascending, >= 0; at least one. */
  readonly times: readonly number[];
  /** Error of one step that is accepted, against 1 + |g| (root mean square over the rows), 1e-14 to 0.1. Default 1e-9. */
  readonly tolerance?: number | undefined;
  /** Steps after which to give up, >= 1. Default 1,000,000. */
  readonly maxSteps?: number | undefined;
}

/** What generalFlow() returns. */
export interface GeneralFlow {
  /** One for each of the times asked for. */
  readonly records: readonly FlowRecord[];
  /** Coefficients at the last time: g = e^(-lambda t) g_0 + sum_i alpha_i K(., x_i). */
  readonly alpha: Float64Array;
  /** Steps accepted and steps tried again with a smaller one. */
  readonly steps: number;
  readonly rejected: number;
}

/** Weights of the stages before in each stage; the last row is also the solution of order 5. */
const STAGES = [
  [],
  [1 / 5],
  [3 / 40, 9 / 40],
  [44 / 45, -56 / 15, 32 / 9],
  [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
  [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
  [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
] as const;

/** Order 5 less order 4, of each stage. */
const ERROR = [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40] as const;

const [SAFETY, LEAST_FACTOR, MOST_FACTOR] = [0.9, 0.2, 5];

/** Rows up to which products run on the calling thread: handing them out costs more. */
const SMALL = 1024;

const CHUNK = 64;

/** Milliseconds of work between yields. */
const SLICE = 20;

const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

interface Settings {
  readonly loss: Loss;
  readonly lambda: number;
  readonly weight: number;
  readonly times: readonly number[];
  readonly tolerance: number;
  readonly maxSteps: number;
}

function checkSettings(options: GeneralFlowOptions, n: number): Settings {
  const { times, weight = "mean" } = options;
  if (!Array.isArray(times) || times.length === 0)
    throw new TypeError(`times: expected an array of at least one time, got ${describe(times)}`);
  return {
    loss: checkChoice("loss", options.loss ?? "logistic", ["squared-hinge", "squared", "logistic"]),
    lambda: checkNumber("lambda", options.lambda ?? 0.001, { min: 0 }),
    weight: weight === "mean" ? 1 / n : checkNumber("weight", weight, { min: 0, open: true }),
    times: times.map((t, k) => checkNumber(`times[${k}]`, t, { min: k === 0 ? 0 : (times[k - 1] as number) })),
    tolerance: checkNumber("tolerance", options.tolerance ?? 1e-9, { min: 1e-14, max: 0.1 }),
    maxSteps: checkNumber("maxSteps", options.maxSteps ?? 1e6, { min: 1, integer: true }),
  };
}

/**
 * Gradient flow of equation 8,
 *   dg_t(x)/dt = -lambda g_t(x) - w sum_i l'(g_t(x_i), y_i) K(x, x_i),
 * for a smooth loss, from g_0 to the last of `times`; descend() with learning rate eta is at time eta k after k steps.
 * Error is controlled step by step on the training outputs; test outputs come from the coefficients. The hinge and
 * the epsilon-insensitive loss have kinks: gradientFlow() follows those exactly. Keeps the n x n kernel matrix.
 * @param train n rows with labels -1 / +1
 * @throws TypeError, RangeError naming the argument; MemoryBudgetError; ConvergenceError after maxSteps, or where the
 *   tolerance asks for steps that rounding loses; the signal's reason
 */
export async function generalFlow(kernel: Kernel, train: Dataset, options: GeneralFlowOptions): Promise<GeneralFlow> {
  const checked = checkKernel("kernel", kernel);
  checkObject("options", options);
  const { data, start } = checkData(train, options);
  const settings = checkSettings(options, data.n);
  const runtime = await runtimeOf(options);
  const scope = runtime.scope();
  try {
    const flow = new Integration(runtime, scope, data, start, settings, options);
    await flow.prepare(checked, options.test);
    return await flow.run();
  } finally {
    scope.release();
  }
}

/** A function by its outputs at the rows and by its coefficients. */
interface State {
  readonly g: Float64Array;
  readonly alpha: Float64Array;
}

class Integration {
  private matrix = 0;
  private kernel = 0;
  private rows: Rows | undefined;
  private test: Rows | undefined;
  private testLabels: Float64Array | undefined;
  private readonly z: number;
  private readonly y: number;
  private readonly values: number;
  private readonly slopes: number;
  private readonly out: number;
  private t = 0;
  private step = 0;
  private taken = 0;
  private rejected = 0;
  private last = performance.now();

  constructor(
    private readonly runtime: Runtime,
    private readonly scope: Scope,
    private readonly data: Dataset,
    private readonly start: Outputs,
    private readonly settings: Settings,
    private readonly work: WorkOptions,
  ) {
    const { n } = data;
    this.z = scope.f64(n);
    this.y = scope.f64(n, data.y);
    this.values = scope.f64(n);
    this.slopes = scope.f64(n);
    this.out = scope.f64(n);
  }

  async prepare(kernel: Kernel, test: GeneralFlowOptions["test"]): Promise<void> {
    const { runtime, scope, data } = this;
    const { n } = data;
    this.rows = await uploadRows(runtime, scope, data);
    this.kernel = uploadKernel(scope, kernel);
    this.matrix = scope.allocate(n * n * 8, `the Gram matrix of ${n} rows`);
    const { pointer } = this.rows;
    const args = [this.kernel, pointer, pointer, this.matrix, n];
    await runtime.run("kernelBlock", Math.ceil(n / CHUNK), args, this.work, "Gram matrix");
    if (test === undefined) return;
    this.test = await uploadRows(runtime, scope, test);
    this.testLabels = labelsOf(test);
  }

  async run(): Promise<GeneralFlow> {
    const { n } = this.data;
    let state: State = { g: this.start.train, alpha: new Float64Array(n) };
    let slope = await this.derivative(state);
    const records: FlowRecord[] = [];
    for (const target of this.settings.times) {
      while (this.t < target) ({ state, slope } = await this.advance(state, slope, target));
      records.push(await this.record(state));
    }
    return { records, alpha: state.alpha, steps: this.taken, rejected: this.rejected };
  }

  /** One accepted step towards `target`, which it does not pass. */
  private async advance(state: State, first: State, target: number): Promise<{ state: State; slope: State }> {
    const { tolerance, maxSteps } = this.settings;
    if (this.step === 0) this.step = this.firstStep(state, first);
    let error = Number.NaN;
    for (;;) {
      if (this.taken + this.rejected >= maxSteps)
        throw new ConvergenceError("time of the flow", this.t, target, "raise maxSteps or tolerance");
      if (!(this.t + this.step > this.t))
        throw new ConvergenceError(
          "error of a step",
          error * tolerance,
          tolerance,
          "raise tolerance: shorter steps are lost",
        );
      await this.breathe(target);
      // What is left is taken whole, or in halves, so that no step is left over that is too short to take.
      const left = target - this.t;
      const last = this.step >= left;
      const step = last ? left : Math.min(this.step, left / 2);
      const slopes = [first];
      let next = state;
      for (const weights of STAGES.slice(1)) {
        next = combine(state, slopes, weights, step);
        slopes.push(await this.derivative(next));
      }
      error = errorOf(state.g, next.g, slopes, step) / tolerance;
      const factor = Math.min(MOST_FACTOR, Math.max(LEAST_FACTOR, SAFETY * error ** -0.2));
      if (error <= 1) {
        this.t = last ? target : this.t + step;
        this.taken++;
        this.step = last ? Math.max(this.step, step * factor) : step * factor;
        return { state: next, slope: slopes[6]! };
      }
      this.rejected++;
      this.step = step * (Number.isFinite(factor) ? Math.min(1, factor) : LEAST_FACTOR);
    }
  }

  /** A hundredth of the time in which g would change by its own size; small where g starts at 0. */
  private firstStep({ g }: State, first: State): number {
    const sizeOf = (of: Float64Array) =>
      Math.sqrt(of.reduce((sum, value, i) => sum + (value / (1 + Math.abs(g[i]!))) ** 2, 0));
    const size = sizeOf(g);
    const speed = sizeOf(first.g);
    return 0.01 * (speed > 0 ? Math.max(size, 0.01) / speed : 1);
  }

  private async breathe(target: number): Promise<void> {
    if (performance.now() - this.last < SLICE) return;
    this.work.onProgress?.({ stage: "gradient flow", done: this.t, total: this.settings.times.at(-1) ?? target });
    await pause();
    this.work.signal?.throwIfAborted();
    this.last = performance.now();
  }

  private async derivative({ g, alpha }: State): Promise<State> {
    const { runtime, data } = this;
    const { n } = data;
    const { loss, lambda, weight } = this.settings;
    runtime.memory.f64(this.z, n).set(g);
    runtime.call("lossTerms", LOSS_CODE[loss], 0, n, this.z, this.y, this.values, this.slopes);
    const args = [n, n, this.matrix, this.slopes, this.out];
    const chunks = Math.ceil(n / CHUNK);
    if (n > SMALL) await runtime.run("denseApply", chunks, args, { signal: this.work.signal });
    else for (let chunk = 0; chunk < chunks; chunk++) runtime.call("denseApply", chunk, ...args);
    const pushed = runtime.memory.f64(this.out, n);
    const slopes = runtime.memory.f64(this.slopes, n);
    return {
      g: g.map((value, i) => -lambda * value - weight * pushed[i]!),
      alpha: alpha.map((value, i) => -lambda * value - weight * slopes[i]!),
    };
  }

  private async record({ g, alpha }: State): Promise<FlowRecord> {
    const { runtime, data, settings, start, t } = this;
    const { n } = data;
    const left = Math.exp(-settings.lambda * t);
    runtime.memory.f64(this.z, n).set(g);
    runtime.call("lossTerms", LOSS_CODE[settings.loss], 0, n, this.z, this.y, this.values, this.slopes);
    const loss = settings.weight * runtime.memory.f64(this.values, n).reduce((sum, value) => sum + value, 0);
    const regulariser = 0.5 * alpha.reduce((sum, a, i) => sum + a * (g[i]! - left * start.train[i]!), 0);
    const test = await this.testOutputs(alpha, left);
    return {
      t,
      train: g.slice(),
      test,
      loss,
      regulariser,
      objective: settings.lambda * regulariser + loss,
      accuracy: accuracyOf(g, data.y),
      testAccuracy: accuracyOf(test, this.testLabels),
    };
  }

  private async testOutputs(alpha: Float64Array, left: number): Promise<Float64Array> {
    const { runtime, test, rows } = this;
    if (test === undefined || rows === undefined) return new Float64Array(0);
    const own = runtime.scope();
    try {
      const out = own.f64(test.n);
      const args = [this.kernel, test.pointer, rows.pointer, own.f64(alpha.length, alpha), out];
      await runtime.run("kernelApply", Math.ceil(test.n / CHUNK), args, { signal: this.work.signal });
      return runtime.memory.f64(out, test.n).map((value, i) => left * this.start.test[i]! + value);
    } finally {
      own.release();
    }
  }
}

/** state + step * sum of weights[k] slopes[k]. */
function combine(state: State, slopes: readonly State[], weights: readonly number[], step: number): State {
  const part = (of: "g" | "alpha") =>
    state[of].map((value, i) => {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += weights[k]! * slopes[k]![of][i]!;
      return value + step * sum;
    });
  return { g: part("g"), alpha: part("alpha") };
}

/** Root mean square of the step's estimated error against 1 + |g|; NaN where something is not finite. */
function errorOf(before: Float64Array, after: Float64Array, slopes: readonly State[], step: number): number {
  let sum = 0;
  before.forEach((value, i) => {
    let error = 0;
    for (let k = 0; k < ERROR.length; k++) error += ERROR[k]! * slopes[k]!.g[i]!;
    sum += ((step * error) / (1 + Math.max(Math.abs(value), Math.abs(after[i]!)))) ** 2;
  });
  return Math.sqrt(sum / before.length);
}
