// Training of finite networks: options, the interface that every backend implements, and the choice between backends.
// Loss of a batch B, equations 6 and 7 with the mean over the batch as the paper's experiments have it:
//   (lambda / 2) ||s_{L+1} w||^2 + (1 / |B|) sum_{i in B} l(z_i, y_i),   z = f(x) - f_0(x) when centred, f(x) otherwise.
// Not here: the backends themselves (one file each) and the losses' formulas (assembly/math/loss.ts).
import type { Dataset } from "../data/dataset.js";
import type { RowSource } from "../kernels/rows.js";
import { LOSSES, type Loss } from "../losses.js";
import { checkRows } from "../machines/machine.js";
import type { WorkOptions } from "../runtime/runtime.js";
import { checkChoice, checkNumber, checkObject } from "../validate.js";
import type { NetworkSpec, NetworkWeights } from "./network.js";

export { LOSSES, type Loss };

export const BACKENDS = ["wasm", "webgpu", "tfjs-webgpu", "tfjs-wasm", "tfjs-cpu"] as const;
export type BackendName = (typeof BACKENDS)[number];

export interface TrainingOptions {
  /** Default "hinge". */
  readonly loss?: Loss | undefined;
  /** Half-width of the epsilon-insensitive loss, >= 0. Default 0.1. */
  readonly epsilon?: number | undefined;
  /** Learning rate, > 0. Default 1. */
  readonly learningRate?: number | undefined;
  /** lambda, >= 0. Default 0.001. */
  readonly lambda?: number | undefined;
  /** Rows in a batch; "full" is the whole set in its own order. Default 64. */
  readonly batch?: number | "full" | undefined;
  /** Whether z = f(x) - f_0(x), so that training starts from the zero function. Default true. */
  readonly centred?: boolean | undefined;
  /**
   * Whether each float32 weight carries what rounding left over of its steps, so that steps far below its last place
   * still add up: a step is about learningRate / m in a layer of m by m. Takes the memory of the weights once more.
   * Without it, wide networks stop following their machine. The TensorFlow.js backends never carry. Default true.
   */
  readonly compensated?: boolean | undefined;
  /** Seed of the shuffles, an integer >= 0. Default 0. */
  readonly seed?: number | undefined;
}

/** What a step saw: figures of its own batch before the step. */
export interface StepReport {
  /** Steps done so far, this one included. */
  readonly step: number;
  /** Mean of l(z, y) over the batch, without the regulariser. */
  readonly loss: number;
  /** (1 / 2) ||s w||^2 of the output layer, without lambda. */
  readonly regulariser: number;
}

/**
 * A network being trained on one backend. Weights live where the backend keeps them and are copied out only by
 * weights(). A session is used by one caller at a time.
 */
export interface TrainingSession {
  readonly backend: BackendName;
  readonly spec: NetworkSpec;
  /**
   * Steps through the batches in the session's own shuffled order (one shuffle an epoch, from the seed).
   * @throws DivergenceError when a value leaves the finite numbers; the weights are then those before that step
   */
  steps(count: number, work?: WorkOptions): Promise<StepReport[]>;
  /** Steps of one epoch: ceil(n / batch). */
  readonly stepsPerEpoch: number;
  /** z for each row of `data` at the present weights (centred as in training). */
  outputs(data: RowSource, work?: WorkOptions): Promise<Float64Array>;
  /** A copy of the present weights; with `carry`, also of what their rounding left over, where the backend keeps it. */
  weights(options?: { readonly carry?: boolean | undefined }): Promise<NetworkWeights>;
  /**
   * Continues from these weights (a snapshot of an earlier session); the centre f_0 stays that of the seed. The bits
   * are those of the earlier session when the snapshot has its carry.
   */
  restore(weights: NetworkWeights, step: number): Promise<void>;
  dispose(): void;
}

/** Training options with every default filled in. */
export interface ResolvedTraining {
  readonly loss: Loss;
  readonly epsilon: number;
  readonly learningRate: number;
  readonly lambda: number;
  readonly batch: number | "full";
  /** Rows in a full batch: a number in either case. */
  readonly batchRows: number;
  readonly centred: boolean;
  readonly compensated: boolean;
  readonly seed: number;
}

/** Most rows in one step. */
const MOST_BATCH_ROWS = 100_000;

/** Checks training options against the data. @throws TypeError, RangeError */
export function resolveTraining(options: TrainingOptions, n: number): ResolvedTraining {
  checkObject("options", options);
  const batch =
    options.batch === "full"
      ? "full"
      : checkNumber("batch", options.batch ?? 64, { min: 1, max: MOST_BATCH_ROWS, integer: true });
  const batchRows = batch === "full" ? n : Math.min(batch, n);
  if (batchRows > MOST_BATCH_ROWS) throw new RangeError(`batch: expected at most ${MOST_BATCH_ROWS} rows, got ${n}`);
  const centred = options.centred ?? true;
  if (typeof centred !== "boolean") throw new TypeError(`centred: expected a boolean, got ${centred}`);
  const compensated = options.compensated ?? true;
  if (typeof compensated !== "boolean") throw new TypeError(`compensated: expected a boolean, got ${compensated}`);
  return {
    loss: checkChoice("loss", options.loss ?? "hinge", LOSSES),
    epsilon: checkNumber("epsilon", options.epsilon ?? 0.1, { min: 0 }),
    learningRate: checkNumber("learningRate", options.learningRate ?? 1, { min: 0, open: true }),
    lambda: checkNumber("lambda", options.lambda ?? 0.001, { min: 0 }),
    batch,
    batchRows,
    centred,
    compensated,
    seed: checkNumber("seed", options.seed ?? 0, { min: 0, integer: true }),
  };
}

/** Opens a session for a backend; registered by name in backends.ts. */
export type OpenSession = (
  spec: NetworkSpec,
  data: Dataset,
  options: ResolvedTraining,
  work: WorkOptions,
) => Promise<TrainingSession>;

/** Checks the data of a training run. @throws TypeError, RangeError */
export function checkTrainingData(data: unknown): asserts data is Dataset {
  checkRows("data", data);
  if (!((data as Partial<Dataset>).y instanceof Float64Array)) throw new TypeError("data: expected labels y");
}
