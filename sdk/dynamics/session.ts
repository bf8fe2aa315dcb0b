// A machine in descent, step by step as its caller likes (Theorem 3.2; equation 8 for the other losses of Table 1): what
// openTraining() is for networks. Not here: a step itself (assembly/dynamics/descent.ts), whole runs (descend.ts).
import {
  DECAY_ALL,
  DECAY_BATCH,
  DESCENT_ALPHA,
  DESCENT_BYTES,
  DESCENT_CHANGE,
  DESCENT_DECAY,
  DESCENT_EPSILON,
  DESCENT_GRAM,
  DESCENT_KEPT,
  DESCENT_LABELS,
  DESCENT_LAMBDA,
  DESCENT_LOSS,
  DESCENT_ORDER,
  DESCENT_OUTPUT,
  DESCENT_RATE,
  DESCENT_ROW,
  DESCENT_SHARES,
  DESCENT_STARTS,
  DESCENT_STOPPED,
  DESCENT_WEIGHT,
  TILE,
} from "../../assembly/layout.js";
import type { Dataset } from "../data/dataset.js";
import { DivergenceError } from "../errors.js";
import { GramMatrix, type GramStorage } from "../kernels/gram.js";
import { checkKernel, type Kernel } from "../kernels/kernel.js";
import { type RowSource, type Rows, uploadRows } from "../kernels/rows.js";
import { kernelBetween } from "../kernels/upload.js";
import { BatchOrder } from "../networks/order.js";
import { LOSSES, type Loss } from "../networks/training.js";
import type { Scope } from "../runtime/memory.js";
import { type Runtime, runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import { checkChoice, checkNumber, checkObject, describe } from "../validate.js";
import { accuracyOf, checkData, type DynamicsData, LOSS_CODE, labelsOf, type Outputs } from "./problem.js";

/** What a step of a machine is. */
export interface DescentOptions extends DynamicsData, WorkOptions {
  /** Default "hinge". */
  readonly loss?: Loss | undefined;
  /** Half-width of the epsilon-insensitive loss, >= 0. Default 0.1. */
  readonly epsilon?: number | undefined;
  /** Learning rate eta, > 0. Default 1. */
  readonly learningRate?: number | undefined;
  /** lambda, >= 0, with eta lambda <= 1: 1 in equation 5, the experiments' 0.001 by default. */
  readonly lambda?: number | undefined;
  /**
   * Weight of each row's loss: C > 0 of equation 5 (the losses of a batch are then summed), or "mean" for 1 / |B| as
   * in the experiments. Default "mean".
   */
  readonly weight?: number | "mean" | undefined;
  /** Rows in a batch, >= 1; "full" is every row in every step. Default "full". */
  readonly batch?: number | "full" | undefined;
  /**
   * What the regulariser shrinks in a step: "all" coefficients as equation 5 has it, or only those of the "batch" as
   * svmSgd and Table 2 have it (for g_0 = 0). The same for full batches. Default "all".
   */
  readonly decay?: "all" | "batch" | undefined;
  /** Seed of the shuffles, an integer >= 0: a network trained with this seed sees the same batches. Default 0. */
  readonly seed?: number | undefined;
  /** Rows of an epoch in the order to take them, instead of the seed's: a permutation of 0 .. n - 1. */
  readonly order?: ((epoch: number) => ArrayLike<number>) | undefined;
  /** How the Gram matrix is kept. Default "auto". */
  readonly storage?: GramStorage | undefined;
}

/** The machine after some steps. */
export interface DescentRecord extends Outputs {
  readonly step: number;
  /** Data term: weight times the sum of l(g(x_i), y_i) over all n training rows, their mean with "mean". */
  readonly loss: number;
  /** (1/2) alpha' K alpha = (1/2) ||beta||^2, without lambda; with a given g_0, of what training added to it. */
  readonly regulariser: number;
  /** lambda regulariser + loss: L of equation 7, equation 2 when lambda = 1 and weight = C (g_0 = 0). */
  readonly objective: number;
  /** Share of training rows with y g > 0. */
  readonly accuracy: number;
  /** The same at the test rows; NaN when they have no labels. */
  readonly testAccuracy: number;
}

/** A machine being trained. Used by one caller at a time; its Gram matrix is kept until dispose(). */
export interface DescentSession {
  /** Steps taken. */
  readonly step: number;
  /** Takes `count` more. @throws DivergenceError before the step that left the finite numbers, the signal's reason */
  steps(count: number, work?: WorkOptions): Promise<void>;
  /** The machine as it is now. */
  record(work?: WorkOptions): Promise<DescentRecord>;
  /** A copy of the coefficients: g = (1 - eta lambda)^step g_0 + sum_i alpha_i K(., x_i). */
  alpha(): Float64Array;
  dispose(): void;
}

interface Settings {
  readonly loss: Loss;
  readonly epsilon: number;
  readonly learningRate: number;
  readonly lambda: number;
  readonly weight: number | "mean";
  readonly batch: number | "full";
  readonly decay: "all" | "batch";
  readonly seed: number;
}

function checkSettings(options: DescentOptions, n: number): Settings {
  const learningRate = checkNumber("learningRate", options.learningRate ?? 1, { min: 0, open: true });
  const lambda = checkNumber("lambda", options.lambda ?? 0.001, { min: 0 });
  if (!(learningRate * lambda <= 1))
    throw new RangeError(`lambda: expected learningRate * lambda <= 1, got ${learningRate * lambda}`);
  const { weight = "mean", batch = "full", order, initial } = options;
  const decay = checkChoice("decay", options.decay ?? "all", ["all", "batch"]);
  if (decay === "batch" && initial !== undefined)
    throw new RangeError('initial: expected none with decay "batch", which never shrinks g_0');
  if (order !== undefined && typeof order !== "function")
    throw new TypeError(`order: expected a function of the epoch, got ${describe(order)}`);
  return {
    loss: checkChoice("loss", options.loss ?? "hinge", LOSSES),
    epsilon: checkNumber("epsilon", options.epsilon ?? 0.1, { min: 0 }),
    learningRate,
    lambda,
    weight: weight === "mean" ? weight : checkNumber("weight", weight, { min: 0, open: true }),
    batch: batch === "full" ? batch : Math.min(n, checkNumber("batch", batch, { min: 1, integer: true })),
    decay,
    seed: checkNumber("seed", options.seed ?? 0, { min: 0, integer: true }),
  };
}

/**
 * A machine at its start, g_0; the options are those of descend().
 * @param train n rows with labels -1 / +1
 * @throws TypeError, RangeError naming the argument; MemoryBudgetError; the signal's reason
 */
export async function openDescent(
  kernel: Kernel,
  train: Dataset,
  options: DescentOptions = {},
): Promise<DescentSession> {
  const checked = checkKernel("kernel", kernel);
  checkObject("options", options);
  const { data, start } = checkData(train, options);
  const settings = checkSettings(options, data.n);
  const runtime = await runtimeOf(options);
  const work = { signal: options.signal, runtime };
  const gram = await GramMatrix.create(checked, data, { ...work, storage: options.storage });
  const scope = runtime.scope();
  try {
    const descent = new Descent(runtime, scope, gram, data, start, settings, options.order);
    if (options.test !== undefined) await descent.watch(options.test);
    return descent;
  } catch (error) {
    scope.release();
    gram.dispose();
    throw error;
  }
}

/** Multiply-adds in one job, so that progress is seen and cancelling is prompt. */
const JOB = 2e7;

class Descent implements DescentSession {
  private readonly state: number;
  private readonly coefficients: number;
  private readonly output: number;
  private readonly batches: (step: number) => Int32Array;
  private readonly jobSteps: number;
  private test: Rows | undefined;
  private across = 0;
  private testLabels: Float64Array | undefined;
  private done = 0;

  constructor(
    private readonly runtime: Runtime,
    private readonly scope: Scope,
    private readonly gram: GramMatrix,
    private readonly data: Dataset,
    private readonly start: Outputs,
    private readonly settings: Settings,
    order: DescentOptions["order"],
  ) {
    const { n } = gram;
    const { batch, weight } = settings;
    this.batches = order === undefined ? seededBatches(runtime, n, settings) : givenBatches(n, batch, order);
    const rows = batch === "full" ? n : batch;
    this.jobSteps = Math.max(1, Math.min(4096, Math.floor(JOB / (rows * n))));
    this.coefficients = scope.f64(n);
    this.output = scope.f64(n, start.train);
    this.state = scope.allocate(DESCENT_BYTES);
    const blocks = Math.ceil(n / TILE);
    const shares = (blocks * n - ((blocks * (blocks - 1)) / 2) * TILE) * 8;
    const pointers: [number, number][] = [
      [DESCENT_GRAM, gram.pointer],
      [DESCENT_LABELS, scope.f64(n, data.y)],
      [DESCENT_ALPHA, this.coefficients],
      [DESCENT_OUTPUT, this.output],
      [DESCENT_KEPT, scope.f64(2 * n)],
      [DESCENT_CHANGE, scope.f64(n)],
      [DESCENT_ROW, scope.f64(n)],
      [DESCENT_SHARES, scope.allocate(shares, "shares of a matrix-vector product")],
      [DESCENT_ORDER, scope.allocate(this.jobSteps * rows * 4)],
      [DESCENT_STARTS, scope.allocate((this.jobSteps + 1) * 4)],
      [DESCENT_LOSS, LOSS_CODE[settings.loss]],
      [DESCENT_DECAY, settings.decay === "all" ? DECAY_ALL : DECAY_BATCH],
      [DESCENT_STOPPED, 0],
    ];
    const view = runtime.memory.view(this.state, DESCENT_BYTES);
    for (const [field, value] of pointers) view.setUint32(field, value, true);
    view.setFloat64(DESCENT_RATE, settings.learningRate, true);
    view.setFloat64(DESCENT_LAMBDA, settings.lambda, true);
    view.setFloat64(DESCENT_WEIGHT, weight === "mean" ? 0 : weight, true);
    view.setFloat64(DESCENT_EPSILON, settings.epsilon, true);
  }

  async watch(test: RowSource): Promise<void> {
    this.test = await uploadRows(this.runtime, this.scope, test);
    this.across = await kernelBetween(this.scope, this.gram.kernel, test, this.data, {});
    this.testLabels = labelsOf(test);
  }

  get step(): number {
    return this.done;
  }

  async steps(count: number, work: WorkOptions = {}): Promise<void> {
    const from = this.done;
    const target = from + checkNumber("count", count, { min: 0, max: 1e9, integer: true });
    while (this.done < target) {
      const stopped = await this.advance(Math.min(this.jobSteps, target - this.done), work.signal);
      if (stopped > 0) throw new DivergenceError(this.done + 1);
      work.onProgress?.({ stage: "descent", done: this.done - from, total: count });
    }
  }

  alpha(): Float64Array {
    return this.runtime.memory.f64(this.coefficients, this.gram.n).slice();
  }

  dispose(): void {
    this.scope.release();
    this.gram.dispose();
  }

  /** Takes `steps` steps; returns 0, or 1 + the number of steps that were taken before one left the finite numbers. */
  private async advance(steps: number, signal: AbortSignal | undefined): Promise<number> {
    const { runtime, state } = this;
    const view = runtime.memory.view(state, DESCENT_BYTES);
    const starts = new Int32Array(steps + 1);
    let to = view.getUint32(DESCENT_ORDER, true);
    for (let k = 0; k < steps; k++) {
      const rows = this.batches(this.done + k);
      runtime.memory.i32(to, rows.length).set(rows);
      to += rows.length * 4;
      starts[k + 1] = (starts[k] ?? 0) + rows.length;
    }
    runtime.memory.i32(view.getUint32(DESCENT_STARTS, true), steps + 1).set(starts);
    await runtime.run("descentSteps", 1, [state, steps], { signal });
    const stopped = runtime.memory.view(state, DESCENT_BYTES).getInt32(DESCENT_STOPPED, true);
    this.done += stopped > 0 ? stopped - 1 : steps;
    return stopped;
  }

  async record({ signal }: WorkOptions = {}): Promise<DescentRecord> {
    const { runtime, data, start, done } = this;
    const { n } = data;
    const { learningRate, lambda, loss, epsilon, weight } = this.settings;
    const train = runtime.memory.f64(this.output, n).slice();
    const kept = (1 - learningRate * lambda) ** done;
    const own = runtime.scope();
    try {
      const values = own.f64(n);
      const labels = runtime.memory.view(this.state, DESCENT_BYTES).getUint32(DESCENT_LABELS, true);
      const code = LOSS_CODE[loss];
      runtime.call("lossTerms", code, epsilon, n, this.output, labels, values, own.f64(n));
      const sum = runtime.memory.f64(values, n).reduce((total, value) => total + value, 0);
      const alpha = runtime.memory.f64(this.coefficients, n);
      const square = alpha.reduce((total, a, i) => total + a * ((train[i] ?? 0) - kept * (start.train[i] ?? 0)), 0);
      const term = weight === "mean" ? sum / n : weight * sum;
      const regulariser = 0.5 * square;
      const test = await this.testOutputs(own, kept, signal);
      return {
        step: done,
        train,
        test,
        loss: term,
        regulariser,
        objective: lambda * regulariser + term,
        accuracy: accuracyOf(train, data.y),
        testAccuracy: accuracyOf(test, this.testLabels),
      };
    } finally {
      own.release();
    }
  }

  private async testOutputs(own: Scope, kept: number, signal: AbortSignal | undefined): Promise<Float64Array> {
    const { runtime, test, gram } = this;
    if (test === undefined) return new Float64Array(0);
    const out = own.f64(test.n);
    const args = [this.across, test.pointer, gram.rows.pointer, this.coefficients, out];
    await runtime.run("kernelApply", Math.ceil(test.n / 64), args, { signal });
    return runtime.memory.f64(out, test.n).map((value, i) => kept * (this.start.test[i] ?? 0) + value);
  }
}

function seededBatches(runtime: Runtime, n: number, { batch, seed }: Settings): (step: number) => Int32Array {
  const order = new BatchOrder(runtime, n, batch, seed);
  return (step) => order.rows(step);
}

/** Batches of the caller's own order, which is checked: a row twice in a batch would push once. */
function givenBatches(
  n: number,
  batch: number | "full",
  order: (epoch: number) => ArrayLike<number>,
): (step: number) => Int32Array {
  const size = batch === "full" ? n : batch;
  const stepsPerEpoch = Math.ceil(n / size);
  let at = -1;
  let rows = new Int32Array(0);
  return (step) => {
    const epoch = Math.floor(step / stepsPerEpoch);
    if (epoch !== at) {
      rows = Int32Array.from(order(epoch));
      const seen = new Set(rows);
      if (rows.length !== n || seen.size !== n || rows.some((row) => row < 0 || row >= n))
        throw new RangeError(`order: expected a permutation of 0 .. ${n - 1} for epoch ${epoch}`);
      at = epoch;
    }
    const from = (step - epoch * stepsPerEpoch) * size;
    return rows.subarray(from, Math.min(n, from + size));
  };
}
