// The machine's side of an experiment: subgradient descent of the soft margin loss (Theorem 3.2) in function space, on
// training and test points at once, in the mean convention of networks/training.ts:
//   g <- (1 - eta lambda) g + (eta / |B|) sum_{i in B, y_i g(x_i) < 1} y_i K(x_i, .)
// Batches are those that a network of the same seed sees. Not here: the network (follow.ts).
import type { Dataset } from "../data/dataset.js";
import { type CrossGram, crossGram, GramMatrix } from "../kernels/gram.js";
import type { Kernel } from "../kernels/kernel.js";
import { BatchOrder } from "../networks/order.js";
import type { Runtime, WorkOptions } from "../runtime/runtime.js";

/** Kernel values between the training rows and everything, shared by all paths on the same data. */
export interface MachineKernel {
  readonly kernel: Kernel;
  readonly gram: GramMatrix;
  readonly test: CrossGram;
}

export async function machineKernel(
  kernel: Kernel,
  train: Dataset,
  test: Dataset,
  work: WorkOptions,
): Promise<MachineKernel> {
  const gram = await GramMatrix.create(kernel, train, work);
  try {
    return { kernel, gram, test: await crossGram(kernel, train, test, work) };
  } catch (error) {
    gram.dispose();
    throw error;
  }
}

export interface PathOptions {
  readonly learningRate: number;
  readonly lambda: number;
  readonly batch: number | "full";
  readonly seed: number;
}

/** Outputs at the training and test points. */
export interface Outputs {
  readonly train: Float64Array;
  readonly test: Float64Array;
}

/** Below this the factored-out decay is multiplied back in. */
const SMALLEST_DECAY = 1e-100;

export class MachinePath {
  private step = 0;
  /** g = decay * (what is stored): a step then touches every point only where there is a violation. */
  private decay = 1;
  private readonly train: Float64Array;
  private readonly test: Float64Array;
  private readonly order: BatchOrder;

  constructor(
    runtime: Runtime,
    private readonly of: MachineKernel,
    private readonly labels: Float64Array,
    private readonly options: PathOptions,
    start: Outputs,
  ) {
    this.train = start.train.slice();
    this.test = start.test.slice();
    this.order = new BatchOrder(runtime, labels.length, options.batch, options.seed);
  }

  /** Goes on to the state after `step` steps. */
  advance(step: number): void {
    const { learningRate, lambda } = this.options;
    for (; this.step < step; this.step++) {
      const rows = this.order.rows(this.step);
      const violating = rows.filter((i) => (this.labels[i] ?? 0) * this.decay * (this.train[i] ?? 0) < 1);
      this.decay *= 1 - learningRate * lambda;
      if (this.decay < SMALLEST_DECAY) this.settle();
      const push = learningRate / (rows.length * this.decay);
      for (const i of violating) this.push(i, push * (this.labels[i] ?? 0));
    }
  }

  private push(i: number, factor: number): void {
    const { gram, test } = this.of;
    const row = gram.row(i);
    for (let j = 0; j < row.length; j++) this.train[j] = (this.train[j] ?? 0) + factor * (row[j] ?? 0);
    const from = i * test.columns;
    for (let j = 0; j < test.columns; j++) this.test[j] = (this.test[j] ?? 0) + factor * (test.values[from + j] ?? 0);
  }

  private settle(): void {
    for (const values of [this.train, this.test])
      for (let j = 0; j < values.length; j++) values[j] = (values[j] ?? 0) * this.decay;
    this.decay = 1;
  }

  outputs(): Outputs {
    return { train: this.train.map((v) => v * this.decay), test: this.test.map((v) => v * this.decay) };
  }
}
