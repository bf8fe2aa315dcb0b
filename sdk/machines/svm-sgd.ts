// The paper's own SVM (Table 2): mini-batch subgradient descent on the soft-margin loss,
//   alpha_B <- (1 - eta lambda) alpha_B + (eta / |B|) 1[y g < 1] y,  alpha = 0 at first, every epoch in a new order.
// Its fixed point is the SVM with C = 1 / (|B| lambda). Several seeds run side by side on one Gram matrix.
// Not here: the epoch itself (assembly/solver/subgradient.ts).
import {
  SGD_ALPHA,
  SGD_BATCH,
  SGD_BYTES,
  SGD_GRAM,
  SGD_LABELS,
  SGD_LAMBDA,
  SGD_NEGATIVE,
  SGD_ORDER,
  SGD_OUTPUT,
  SGD_POSITIVE,
  SGD_PUSH,
  SGD_RANDOM,
  SGD_RATE,
  SGD_ROW,
  SGD_STEP,
} from "../../assembly/layout.js";
import { checkBinaryLabels, type Dataset } from "../data/dataset.js";
import { checkGram, GramMatrix, type GramStorage } from "../kernels/gram.js";
import { checkKernel, type Kernel } from "../kernels/kernel.js";
import type { Scope } from "../runtime/memory.js";
import type { WorkOptions } from "../runtime/runtime.js";
import { checkNumber, checkObject, describe } from "../validate.js";
import { checkRows, Machine, type Trainer } from "./machine.js";

export interface SvmSgdOptions {
  readonly kernel: Kernel;
  /** Learning rate eta, > 0. Default 1. */
  readonly learningRate?: number | undefined;
  /** lambda, >= 0, with eta lambda < 1. Default 0.001. */
  readonly lambda?: number | undefined;
  /** Rows in a batch, >= 1. Default 64. */
  readonly batch?: number | undefined;
  /** Passes over the data, >= 1. Default 300. */
  readonly epochs?: number | undefined;
  /** Seed of the shuffles, an integer >= 0. Default 0. */
  readonly seed?: number | undefined;
  /** How the Gram matrix is kept. Default "auto". */
  readonly storage?: GramStorage | undefined;
  /** A Gram matrix of the same rows and kernel, to share it between machines. */
  readonly gram?: GramMatrix | undefined;
}

/** Training loss and accuracy after some number of epochs. */
export interface HistoryPoint {
  readonly epoch: number;
  /** Mean of max(0, 1 - y g) over the training rows. */
  readonly hinge: number;
  readonly accuracy: number;
}

/** A machine and how its training went, at log-spaced epochs. */
export class SvmSgdMachine extends Machine {
  constructor(
    parts: ConstructorParameters<typeof Machine>[0],
    readonly history: readonly HistoryPoint[],
  ) {
    super(parts);
  }
}

/** Mini-batch subgradient SVM. @throws TypeError, RangeError */
export function svmSgd(options: SvmSgdOptions): Trainer<SvmSgdMachine> {
  const { seed = 0 } = checkObject("options", options) as unknown as SvmSgdOptions;
  const many = svmSgdSeeds({ ...options, seeds: [seed] });
  return {
    async fit(data, work) {
      const [machine] = await many.fit(data, work);
      if (machine === undefined) throw new Error("svmSgd: no machine came back");
      return machine;
    },
  };
}

/** The same for several seeds at once, sharing the Gram matrix and the threads. @throws TypeError, RangeError */
export function svmSgdSeeds(
  options: Omit<SvmSgdOptions, "seed"> & { readonly seeds: readonly number[] },
): Trainer<SvmSgdMachine[]> {
  checkObject("options", options);
  const kernel = checkKernel("kernel", options.kernel);
  const learningRate = checkNumber("learningRate", options.learningRate ?? 1, { min: 0, open: true });
  const lambda = checkNumber("lambda", options.lambda ?? 0.001, { min: 0 });
  if (!(learningRate * lambda < 1))
    throw new RangeError(`lambda: expected learningRate * lambda < 1, got ${learningRate * lambda}`);
  const batch = checkNumber("batch", options.batch ?? 64, { min: 1, max: 2 ** 30, integer: true });
  const epochs = checkNumber("epochs", options.epochs ?? 300, { min: 1, max: 1e7, integer: true });
  if (!Array.isArray(options.seeds) || options.seeds.length === 0)
    throw new TypeError(`seeds: expected an array of at least one integer, got ${describe(options.seeds)}`);
  for (const seed of options.seeds) checkNumber("seed", seed, { min: 0, integer: true });
  const settings = { learningRate, lambda, batch, epochs };
  return {
    async fit(data, work = {}) {
      checkObject("options", work);
      checkRows("data", data);
      checkBinaryLabels(data);
      const given = options.gram === undefined ? undefined : checkGram(options.gram, kernel, data.n);
      const gram = given ?? (await GramMatrix.create(kernel, data, { ...work, storage: options.storage }));
      try {
        return await descend(gram, data, kernel, options.seeds, settings, work);
      } finally {
        if (given === undefined) gram.dispose();
      }
    },
  };
}

interface Settings {
  readonly learningRate: number;
  readonly lambda: number;
  readonly batch: number;
  readonly epochs: number;
}

/** Epochs at which history is kept: 1, 2, 3, 4, 5, 7, 10, 14, ..., the last one. */
function recordedEpochs(epochs: number): number[] {
  const recorded = new Set([epochs]);
  for (let value = 1; value < epochs; value *= Math.SQRT2) recorded.add(Math.round(value));
  return [...recorded].filter((epoch) => epoch <= epochs).sort((a, b) => a - b);
}

/** Most epochs in one job, so that progress is seen and cancelling is prompt. */
const STRIDE = 10;

async function descend(
  gram: GramMatrix,
  data: Dataset,
  kernel: Kernel,
  seeds: readonly number[],
  settings: Settings,
  work: WorkOptions,
): Promise<SvmSgdMachine[]> {
  const { runtime, n } = gram;
  const scope = runtime.scope();
  try {
    const labels = scope.f64(n, data.y);
    const states = seeds.map((seed) => prepare(gram, scope, labels, seed, settings));
    const list = scope.i32(states.length, states);
    const histories: HistoryPoint[][] = seeds.map(() => []);
    let done = 0;
    for (const target of recordedEpochs(settings.epochs)) {
      while (done < target) {
        const stride = Math.min(STRIDE, target - done);
        await runtime.run("subgradientEpochs", states.length, [list, stride], { signal: work.signal });
        done += stride;
        work.onProgress?.({ stage: "subgradient descent", done, total: settings.epochs });
      }
      states.forEach((state, k) => {
        histories[k]?.push(record(gram, state, data.y, done));
      });
    }
    const dataHash = await data.hash();
    return states.map((state, k) => {
      const alpha = runtime.memory.f64(pointerAt(gram, state, SGD_ALPHA), n);
      return machineOf(data, kernel, alpha, { ...settings, seed: seeds[k] ?? 0 }, histories[k] ?? [], dataHash);
    });
  } finally {
    scope.release();
  }
}

function pointerAt({ runtime }: GramMatrix, state: number, field: number): number {
  return runtime.memory.view(state + field, 4).getUint32(0, true);
}

function prepare(gram: GramMatrix, scope: Scope, labels: number, seed: number, settings: Settings): number {
  const { runtime, n } = gram;
  const state = scope.allocate(SGD_BYTES);
  const arrays = [SGD_ALPHA, SGD_OUTPUT, SGD_PUSH, SGD_POSITIVE, SGD_NEGATIVE, SGD_STEP, SGD_ROW];
  const pointers = arrays.map(() => scope.f64(n));
  const order = scope.i32(n);
  const view = runtime.memory.view(state, SGD_BYTES);
  arrays.forEach((field, k) => {
    view.setUint32(field, pointers[k] ?? 0, true);
  });
  view.setUint32(SGD_GRAM, gram.pointer, true);
  view.setUint32(SGD_LABELS, labels, true);
  view.setUint32(SGD_ORDER, order, true);
  view.setInt32(SGD_BATCH, settings.batch, true);
  view.setFloat64(SGD_RATE, settings.learningRate, true);
  view.setFloat64(SGD_LAMBDA, settings.lambda, true);
  runtime.call("randomSeed", state + SGD_RANDOM, BigInt(seed));
  return state;
}

function record(gram: GramMatrix, state: number, y: Float64Array, epoch: number): HistoryPoint {
  const output = gram.runtime.memory.f64(pointerAt(gram, state, SGD_OUTPUT), gram.n);
  let hinge = 0;
  let correct = 0;
  output.forEach((value, i) => {
    const margin = (y[i] ?? 0) * value;
    hinge += Math.max(0, 1 - margin);
    if (margin > 0) correct += 1;
  });
  return { epoch, hinge: hinge / gram.n, accuracy: correct / gram.n };
}

function machineOf(
  data: Dataset,
  kernel: Kernel,
  all: Float64Array,
  parameters: Settings & { readonly seed: number },
  history: readonly HistoryPoint[],
  dataHash: string,
): SvmSgdMachine {
  const nonzero = Array.from(all.keys()).filter((i) => all[i] !== 0);
  const kept = nonzero.length > 0 ? nonzero : [0];
  const last = history.at(-1);
  const parts = {
    machine: "svm-sgd" as const,
    parameters: { ...parameters },
    kernel,
    rows: { n: kept.length, d: data.d, x: data.subset(kept).x, scale: data.scale },
    alpha: Float64Array.from(kept, (i) => all[i] ?? 0),
    bias: 0,
    training: {
      hinge: last?.hinge ?? Number.NaN,
      trainingAccuracy: last?.accuracy ?? Number.NaN,
      nonzeroAlphas: nonzero.length,
    },
    dataHash,
    dataName: data.name,
  };
  return new SvmSgdMachine(parts, history);
}
