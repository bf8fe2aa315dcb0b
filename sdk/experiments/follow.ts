// A finite network and the machine of infinite width, trained side by side on the same rows in the same order, and what
// is seen of both on the way. Three settings, by what the ridge does:
//   "paper"    outputs are f(x) - f_0(x), g_0 = 0. The network's ridge acts on s_{L+1} w as in training.ts, and so moves f by a
//              share s_{L+1}^2 of lambda; the machine's coefficients decay when their batch comes, as Table 2's SVM has it.
//              The paper compares the two as they are; they part by about eta lambda |B| / n a step.
//   "matched"  the same network beside the machine whose ridge is the network's own share, lambda s_{L+1}^2: both obey
//              one equation up to the tangent kernel, so the difference vanishes as the width grows.
//   "theorem"  equations 6 and 7 to the letter: the ridge acts on w itself, outputs are f(x), g_0 = f_0. Here w shrinks by
//              e^(-lambda t) at any width, and the tangent kernel with it: drift stops falling near lambda t.
// Not here: which runs a figure needs (one file each).
import type { Dataset } from "../data/dataset.js";
import { type DescendOptions, descend } from "../dynamics/descend.js";
import type { Outputs } from "../dynamics/problem.js";
import type { CrossGram } from "../kernels/gram.js";
import { ntk } from "../kernels/kernel.js";
import type { Loss } from "../losses.js";
import { layerScales, type NetworkSpec } from "../networks/network.js";
import { distanceToNtk, kernelDrift, tangentKernel } from "../networks/tangent.js";
import { openTraining } from "../networks/train.js";
import type { BackendName, TrainingSession } from "../networks/training.js";
import { runtimeOf, type WorkOptions } from "../runtime/runtime.js";

/** What the ridge does in a comparison of a network with its machine: see the head of this file. */
export const COMPARISON_SETTINGS = ["paper", "matched", "theorem"] as const;
export type ComparisonSetting = (typeof COMPARISON_SETTINGS)[number];

/** What every experiment takes. */
export interface ExperimentOptions extends WorkOptions {
  /** Backend that trains the networks. Default "auto". */
  readonly backend?: BackendName | "auto" | undefined;
  /** Seed of weights, shuffles and samples, an integer >= 0. Default 0. */
  readonly seed?: number | undefined;
  /** Data instead of MNIST 0/1. */
  readonly data?: { readonly train: Dataset; readonly test: Dataset } | undefined;
}

/** One side of a comparison; every list has one entry for each recorded step. */
export interface ComparisonCurves {
  /** Outputs at the sampled test points, one list a point. */
  readonly samples: readonly (readonly number[])[];
  /** Mean of max(0, 1 - y z) over the training rows. */
  readonly hinge: readonly number[];
  /** Share of test points on the right side of 0. */
  readonly accuracy: readonly number[];
}

/** A network and its machine side by side, as figures show them. */
export interface Comparison {
  readonly widths: readonly number[];
  readonly seed: number;
  readonly backend: BackendName;
  readonly learningRate: number;
  /** Steps done at each record. */
  readonly steps: readonly number[];
  readonly network: ComparisonCurves;
  readonly machine: ComparisonCurves;
  readonly difference: {
    /** Root mean square of f - g over the test points. */
    readonly rms: readonly number[];
    /** Largest |f - g| over the test points. */
    readonly largest: readonly number[];
    /** Root mean square over the training points. */
    readonly trainRms: readonly number[];
  };
  /** The tangent kernel on the training rows, where asked for. */
  readonly kernel?: {
    /** ||now - start|| / ||start||, Frobenius, after the last step. */
    readonly drift: number;
    /** Distance at the start from the kernel of infinite width, relative to it. */
    readonly distance: number;
  };
}

export interface FollowOptions {
  readonly spec: NetworkSpec;
  readonly train: Dataset;
  readonly test: Dataset;
  /** Rows of `test` whose outputs are kept. */
  readonly samples: readonly number[];
  readonly learningRate: number;
  readonly lambda: number;
  readonly batch: number | "full";
  /** Steps at which both are looked at, ascending; the last one ends the run. */
  readonly record: readonly number[];
  readonly setting: ComparisonSetting;
  readonly backend: BackendName | "auto";
  /** Default "hinge". */
  readonly loss?: Loss;
  /** Half-width of the epsilon-insensitive loss. Default 0.1. */
  readonly epsilon?: number;
  /** Whether tangent kernels at both ends are computed. */
  readonly tangent?: boolean;
  /** Called with the steps that each side has done. */
  readonly onStep?: (side: "machine" | "network", done: number) => void;
  /** Called with both sides at each record. */
  readonly onRecord?: (network: Outputs, machine: Outputs) => void;
}

/** Steps to record: 0, then about `perDecade` a decade and at least every `steps / linear`-th, up to `steps`. */
export function recordedSteps(steps: number, perDecade = 8, linear = 48): number[] {
  const recorded = new Set([0, steps]);
  for (let k = 0; 10 ** (k / perDecade) < steps; k++) recorded.add(Math.round(10 ** (k / perDecade)));
  for (let k = 1; k < linear; k++) recorded.add(Math.round((k * steps) / linear));
  return [...recorded].sort((a, b) => a - b);
}

/** Mean of max(0, 1 - y z). */
export function meanHinge(outputs: Float64Array, y: Float64Array): number {
  return outputs.reduce((sum, z, i) => sum + Math.max(0, 1 - (y[i] ?? 0) * z), 0) / outputs.length;
}

/** Share of rows on the right side of 0. */
export function shareRight(outputs: Float64Array, y: Float64Array): number {
  return outputs.filter((z, i) => (y[i] ?? 0) * z > 0).length / outputs.length;
}

class Recorder {
  readonly hinge: number[] = [];
  readonly accuracy: number[] = [];
  readonly samples: number[][];

  constructor(private readonly options: FollowOptions) {
    this.samples = options.samples.map(() => []);
  }

  add({ train, test }: Outputs): void {
    const { options } = this;
    const y = options.train.y;
    this.hinge.push(meanHinge(train, y));
    this.accuracy.push(shareRight(test, options.test.y));
    options.samples.forEach((row, k) => {
      this.samples[k]?.push(test[row] ?? Number.NaN);
    });
  }

  curves(): ComparisonCurves {
    return { samples: this.samples, hinge: this.hinge, accuracy: this.accuracy };
  }
}

/** Root mean square of a - b. */
export function rms(a: Float64Array, b: Float64Array): number {
  return Math.sqrt(a.reduce((sum, value, i) => sum + (value - (b[i] ?? 0)) ** 2, 0) / a.length);
}

/** Largest |a - b|. */
export const largest = (a: Float64Array, b: Float64Array) =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? 0))), 0);

type Ridge = Pick<FollowOptions, "train" | "setting" | "lambda"> & { readonly spec: NetworkSpec | undefined };

/** s_{L+1}^2, the share of the ridge that moves f; 0 at infinite width, which has no spec. */
const outputShare = ({ spec, train }: Ridge) =>
  spec === undefined ? 0 : (layerScales(spec, train.d).at(-1) ?? 1) ** 2;

/** The trainer's lambda: its ridge is on s w; divided by s^2 it is the ridge on w itself. */
export const networkRidge = (options: Ridge) =>
  options.setting === "theorem" ? options.lambda / outputShare(options) : options.lambda;

/** The machine's ridge and start in each setting; without `start` from 0. */
export function machineRidge(options: Ridge, start: Outputs | undefined) {
  const { lambda, setting } = options;
  const machine: Record<ComparisonSetting, Pick<DescendOptions, "lambda" | "decay" | "initial">> = {
    paper: { lambda, decay: "batch" },
    matched: { lambda: lambda * outputShare(options) },
    theorem: { lambda, initial: start },
  };
  return machine[setting];
}

/** Trains both and records. @throws DivergenceError, MemoryBudgetError, the backend's errors, the signal's reason */
export async function follow(options: FollowOptions, work: WorkOptions): Promise<Comparison> {
  const { spec, train, test, learningRate, batch, record, setting, backend, loss, epsilon, onStep } = options;
  const runtime = await runtimeOf(work);
  const quiet = { runtime, signal: work.signal };
  const { seed } = spec;
  const both = { learningRate, batch, loss, epsilon, seed };
  const training = { ...both, lambda: networkRidge(options), centred: setting !== "theorem" };
  const session = await openTraining(spec, train, { ...training, backend, ...quiet });
  try {
    const outputs = async (): Promise<Outputs> => ({
      train: await session.outputs(train, quiet),
      test: await session.outputs(test, quiet),
    });
    const start = await outputs();
    const { records } = await descend(ntk({ depth: spec.widths.length }), train, {
      ...machineRidge(options, start),
      ...{ ...both, test, record, steps: record.at(-1) ?? 0 },
      ...quiet,
      onProgress: ({ done }) => onStep?.("machine", done),
    });
    const sides = { network: new Recorder(options), machine: new Recorder(options) };
    const difference = { rms: [] as number[], largest: [] as number[], trainRms: [] as number[] };
    const first = options.tangent ? await tangentOf(session, options, quiet) : undefined;
    let done = 0;
    for (const [k, step] of record.entries()) {
      await stepTo(session, done, step, quiet, onStep);
      done = step;
      const network = step === 0 ? start : await outputs();
      const machine = records[k] ?? start;
      sides.network.add(network);
      sides.machine.add(machine);
      options.onRecord?.(network, machine);
      difference.rms.push(rms(network.test, machine.test));
      difference.largest.push(largest(network.test, machine.test));
      difference.trainRms.push(rms(network.train, machine.train));
    }
    const last = options.tangent ? await tangentOf(session, options, quiet) : undefined;
    const run = { widths: spec.widths, seed, backend: session.backend, learningRate, steps: record };
    const curves = { network: sides.network.curves(), machine: sides.machine.curves() };
    if (first === undefined || last === undefined) return { ...run, ...curves, difference };
    const distance = await distanceToNtk(spec, first, train, train, quiet);
    return { ...run, ...curves, difference, kernel: { drift: kernelDrift(first, last), distance } };
  } finally {
    session.dispose();
  }
}

/** Steps in pieces, so that progress moves and cancelling is prompt. */
async function stepTo(
  session: TrainingSession,
  from: number,
  to: number,
  work: WorkOptions,
  onStep: FollowOptions["onStep"],
): Promise<void> {
  for (let done = from; done < to; ) {
    const count = Math.min(16, to - done);
    await session.steps(count, work);
    done += count;
    onStep?.("network", done);
  }
}

async function tangentOf(
  session: TrainingSession,
  { spec, train }: FollowOptions,
  work: WorkOptions,
): Promise<CrossGram> {
  return tangentKernel(spec, await session.weights(), train, train, work);
}
