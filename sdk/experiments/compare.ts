// A finite network beside its machine, step by step as the caller likes: to be watched while it trains, stopped, carried
// on, and taken to another backend when a GPU is lost. At infinite width there is the machine alone.
// Not here: whole figures (follow.ts and the experiments).
import type { Dataset } from "../data/dataset.js";
import { type DescentSession, openDescent } from "../dynamics/session.js";
import type { CrossGram } from "../kernels/gram.js";
import { ntk } from "../kernels/kernel.js";
import { checkRows } from "../machines/machine.js";
import { type NetworkSpec, type NetworkWeights, network } from "../networks/network.js";
import { distanceToNtk, kernelDrift, tangentKernel } from "../networks/tangent.js";
import { openTraining } from "../networks/train.js";
import { BACKENDS, type BackendName, checkTrainingData, type TrainingSession } from "../networks/training.js";
import { runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import { checkChoice, checkNumber, checkObject } from "../validate.js";
import {
  type ComparisonSetting,
  type ExperimentOptions,
  largest,
  machineRidge,
  meanHinge,
  networkRidge,
  rms,
  shareRight,
} from "./follow.js";
import { checkCommon, checkDecay, checkRate, checkSetting, checkWidth } from "./options.js";

export interface CompareOptions extends Omit<ExperimentOptions, "data" | "onProgress"> {
  readonly train: Dataset;
  /** Rows at which the difference is measured, with labels. */
  readonly test: Dataset;
  /** Neurons of each hidden layer, 1 to 2^24, or Infinity. */
  readonly width: number;
  /** Hidden layers, >= 1. Default 1. */
  readonly depth?: number | undefined;
  /** Default 1. */
  readonly learningRate?: number | undefined;
  /** Default 0.001. */
  readonly lambda?: number | undefined;
  /** Rows in a batch. Default "full". */
  readonly batch?: number | "full" | undefined;
  /** What the ridge does (follow.ts). At infinite width g_0 = 0 in all of them. Default "matched". */
  readonly setting?: ComparisonSetting | undefined;
  /** Training rows, the first ones, on which the network's tangent kernel is followed; 0: not at all. Default 0. */
  readonly kernelRows?: number | undefined;
}

/** One side of a comparison at one step. */
export interface ComparisonSide {
  /** Outputs at the training rows. */
  readonly train: Float64Array;
  /** Outputs at the test rows. */
  readonly test: Float64Array;
  /** Mean of max(0, 1 - y z) over the training rows. */
  readonly hinge: number;
  /** Share of test rows on the right side of 0. */
  readonly accuracy: number;
}

/** Network f and machine g after the same steps. */
export interface ComparisonPoint {
  readonly step: number;
  readonly machine: ComparisonSide;
  /** Not at infinite width. */
  readonly network?: ComparisonSide;
  readonly difference?: {
    /** Root mean square of f - g over the test rows. */
    readonly rms: number;
    /** Largest |f - g| over the test rows. */
    readonly largest: number;
    /** Root mean square over the training rows. */
    readonly trainRms: number;
  };
  /** ||now - start|| / ||start||, Frobenius, of the tangent kernel on the rows followed; where it was asked for. */
  readonly drift?: number;
}

/** A comparison under way. Used by one caller at a time. */
export interface ComparisonSession {
  /** Where the network trains; undefined at infinite width. */
  readonly backend: BackendName | undefined;
  readonly step: number;
  /** Distance of the tangent kernel at the start from that of infinite width, relative to it; where it is followed. */
  readonly distance: number | undefined;
  /**
   * Takes both sides `count` steps further. Stopped by its signal it has taken whole steps, as many on both sides, and
   * may go on.
   * @throws DivergenceError, after which the session can only be disposed of; DeviceLostError, after which continueOn()
   *   carries on; the signal's reason
   */
  steps(count: number, work?: WorkOptions): Promise<void>;
  /** What is seen of both now; with `kernel` also of the tangent kernel, which costs about what `kernelRows` steps do. */
  point(options?: WorkOptions & { readonly kernel?: boolean | undefined }): Promise<ComparisonPoint>;
  /** Trains on another backend from here on, or on a new device of the same one; repeats what was lost since the last look. */
  continueOn(backend: BackendName, work?: WorkOptions): Promise<void>;
  dispose(): void;
}

/** Milliseconds in one piece of steps: how soon a signal is obeyed. */
const PIECE = 100;

/** Most steps in one piece. */
const MOST_STEPS = 64;

interface Settings {
  readonly train: Dataset;
  readonly test: Dataset;
  readonly spec: NetworkSpec | undefined;
  readonly kernelRows: Dataset | undefined;
  readonly learningRate: number;
  readonly lambda: number;
  readonly batch: number | "full";
  readonly setting: ComparisonSetting;
  readonly seed: number;
}

function resolve(options: CompareOptions): { settings: Settings; backend: BackendName | "auto"; depth: number } {
  checkObject("options", options);
  const { train, test } = options;
  checkTrainingData(train);
  checkRows("test", test);
  checkTrainingData(test);
  const { backend, seed } = checkCommon(options);
  const learningRate = checkRate("learningRate", options.learningRate ?? 1);
  const depth = checkNumber("depth", options.depth ?? 1, { min: 1, max: 1000, integer: true });
  const infinite = options.width === Number.POSITIVE_INFINITY;
  const width = infinite ? 0 : checkWidth("width", options.width);
  const followed = checkNumber("kernelRows", options.kernelRows ?? 0, { min: 0, max: train.n, integer: true });
  const settings = {
    ...{ train, test, learningRate, seed },
    spec: infinite ? undefined : network({ widths: new Array<number>(depth).fill(width), seed }),
    kernelRows: followed === 0 ? undefined : train.subset(Array.from({ length: followed }, (_, i) => i)),
    lambda: checkDecay([learningRate], options.lambda ?? 0.001),
    batch: options.batch ?? "full",
    setting: checkSetting(options.setting ?? "matched"),
  };
  return { settings, backend, depth };
}

/**
 * A network and its machine at their common start. dispose() it when done.
 * @throws TypeError, RangeError naming the argument, MemoryBudgetError, the backend's errors, the signal's reason
 */
export async function openComparison(options: CompareOptions): Promise<ComparisonSession> {
  const { settings, backend, depth } = resolve(options);
  const runtime = await runtimeOf(options);
  const work = { runtime, signal: options.signal };
  const session = new Comparison(settings, { runtime });
  try {
    if (settings.spec !== undefined) await session.openNetwork(backend, work);
    await session.openMachine(depth, work);
    return session;
  } catch (error) {
    session.dispose();
    throw error;
  }
}

class Comparison implements ComparisonSession {
  distance: number | undefined;
  step = 0;
  private network: TrainingSession | undefined;
  private machine: DescentSession | undefined;
  private start: CrossGram | undefined;
  /** The network as it was last looked at, on backends that can be lost. */
  private snapshot: { readonly step: number; readonly weights: NetworkWeights } | undefined;
  private piece = 1;
  /** Whether the network is still to catch up with the machine. */
  private behind = false;

  constructor(
    private readonly settings: Settings,
    private readonly runtime: WorkOptions,
  ) {}

  get backend(): BackendName | undefined {
    return this.network?.backend;
  }

  async openNetwork(backend: BackendName | "auto", work: WorkOptions): Promise<void> {
    const { spec, train, learningRate, batch, setting, seed } = this.settings;
    if (spec === undefined) return;
    const training = { learningRate, lambda: networkRidge(this.settings as Settings & { spec: NetworkSpec }), batch };
    const centred = setting !== "theorem";
    this.network = await openTraining(spec, train, { ...training, centred, seed, backend, ...work });
  }

  async openMachine(depth: number, work: WorkOptions): Promise<void> {
    const { spec, train, test, learningRate, batch, seed, kernelRows } = this.settings;
    const { network } = this;
    const start = network && {
      train: await network.outputs(train, work),
      test: await network.outputs(test, work),
    };
    const ridge = machineRidge(this.settings, start);
    const how = { test, learningRate, batch, seed, ...ridge };
    this.machine = await openDescent(ntk({ depth }), train, { ...how, ...work });
    if (network === undefined || spec === undefined || kernelRows === undefined) return;
    this.start = await tangentKernel(spec, await network.weights(), kernelRows, kernelRows, work);
    this.distance = await distanceToNtk(spec, this.start, kernelRows, kernelRows, work);
  }

  async steps(count: number, { signal, onProgress }: WorkOptions = {}): Promise<void> {
    checkNumber("count", count, { min: 0, max: 1e9, integer: true });
    this.checkAlive();
    for (let done = 0; done < count; ) {
      signal?.throwIfAborted();
      const now = Math.min(this.piece, count - done);
      const begin = performance.now();
      // Neither side is stopped within a piece: they would not have taken as many steps.
      await this.network?.steps(now, this.runtime);
      await this.machine?.steps(now, this.runtime);
      const took = performance.now() - begin;
      if (took < PIECE / 2) this.piece = Math.min(MOST_STEPS, 2 * this.piece);
      else if (took > 2 * PIECE) this.piece = Math.max(1, this.piece >> 1);
      this.step += now;
      done += now;
      onProgress?.({ stage: "training", done, total: count });
      // On the calling thread a signal gets its turn only between tasks.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }

  async point(options: WorkOptions & { readonly kernel?: boolean | undefined } = {}): Promise<ComparisonPoint> {
    const { network, settings } = this;
    const machine = this.checkAlive();
    const { train, test, spec, kernelRows } = settings;
    const work = { ...this.runtime, signal: options.signal };
    const side = (outputs: { train: Float64Array; test: Float64Array }): ComparisonSide => ({
      train: outputs.train,
      test: outputs.test,
      hinge: meanHinge(outputs.train, train.y),
      accuracy: shareRight(outputs.test, test.y),
    });
    const g = side(await machine.record(work));
    const { step } = this;
    if (network === undefined || spec === undefined) return { step, machine: g };
    const f = side({ train: await network.outputs(train, work), test: await network.outputs(test, work) });
    const difference = {
      rms: rms(f.test, g.test),
      largest: largest(f.test, g.test),
      trainRms: rms(f.train, g.train),
    };
    const seen = { step, machine: g, network: f, difference };
    const weights = network.backend !== "wasm" || options.kernel ? await this.look(network) : undefined;
    if (options.kernel !== true || weights === undefined || kernelRows === undefined || this.start === undefined)
      return seen;
    return {
      ...seen,
      drift: kernelDrift(this.start, await tangentKernel(spec, weights, kernelRows, kernelRows, work)),
    };
  }

  /** The weights, kept where the backend may lose them. */
  private async look(network: TrainingSession): Promise<NetworkWeights> {
    const weights = await network.weights({ carry: network.backend !== "wasm" });
    if (network.backend !== "wasm") this.snapshot = { step: this.step, weights };
    return weights;
  }

  async continueOn(backend: BackendName, work: WorkOptions = {}): Promise<void> {
    checkChoice("backend", backend, BACKENDS);
    if (this.network === undefined) return;
    this.behind = true;
    this.network.dispose();
    const quiet = { ...this.runtime, signal: work.signal };
    await this.openNetwork(backend, quiet);
    const { network, snapshot } = this;
    if (network === undefined) return;
    if (snapshot !== undefined) await network.restore(snapshot.weights, snapshot.step);
    const from = snapshot?.step ?? 0;
    await network.steps(this.step - from, { ...quiet, onProgress: work.onProgress });
    this.piece = 1;
    this.behind = false;
  }

  private checkAlive(): DescentSession {
    if (this.machine === undefined) throw new Error("compare: the session was disposed of");
    if (this.behind) throw new Error("compare: continueOn() did not end: call it again");
    return this.machine;
  }

  dispose(): void {
    this.network?.dispose();
    this.machine?.dispose();
    this.network = undefined;
    this.machine = undefined;
    this.snapshot = undefined;
  }
}
