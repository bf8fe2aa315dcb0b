// Figure A.1 of the paper: a two-layer network and the SVM with its kernel under mini-batch subgradient descent with the
// same batches, on all images of two digits. Hinge loss, accuracy, and outputs of sampled test points over steps.
// Not here: the pictures (plots/figure-a1.ts) and the descent itself (follow.ts).
import { network } from "../networks/network.js";
import { stepsOfEpoch } from "../networks/order.js";
import { runtimeOf } from "../runtime/runtime.js";
import { checkObject } from "../validate.js";
import { draw, experimentData, type SamplePoint, samplePoints } from "./data.js";
import {
  type Comparison,
  type ComparisonSetting,
  type ExperimentOptions,
  type FollowOptions,
  follow,
  recordedSteps,
} from "./follow.js";
import { checkCommon, checkCount, checkDecay, checkRate, checkSetting, checkWidth } from "./options.js";

export interface FigureA1Options extends ExperimentOptions {
  /** Width of the hidden layer. Default 10000. */
  readonly width?: number | undefined;
  /** Default 300. */
  readonly epochs?: number | undefined;
  /** Rows in a batch. Default 64. */
  readonly batch?: number | undefined;
  /** Default 1. */
  readonly learningRate?: number | undefined;
  /** Default 0.001. */
  readonly lambda?: number | undefined;
  /** Training rows, drawn by seed. Default: all. */
  readonly n?: number | undefined;
  /** Test points, drawn by seed. Default: all. */
  readonly tests?: number | undefined;
  /** What the ridge does (follow.ts). Default "paper". */
  readonly setting?: ComparisonSetting | undefined;
}

export interface FigureA1Result {
  readonly experiment: "figureA1";
  readonly settings: {
    readonly data: string;
    readonly n: number;
    readonly tests: number;
    readonly width: number;
    readonly epochs: number;
    readonly stepsPerEpoch: number;
    readonly batch: number;
    readonly lambda: number;
    readonly setting: ComparisonSetting;
    readonly seed: number;
  };
  readonly samples: readonly SamplePoint[];
  readonly comparison: Comparison;
}

function resolve(options: FigureA1Options) {
  checkObject("options", options);
  const learningRate = checkRate("learningRate", options.learningRate ?? 1);
  return {
    ...checkCommon(options),
    width: checkWidth("width", options.width ?? 10_000),
    epochs: checkCount("epochs", options.epochs ?? 300),
    batch: checkCount("batch", options.batch ?? 64),
    learningRate,
    lambda: checkDecay([learningRate], options.lambda ?? 0.001),
    n: options.n === undefined ? undefined : checkCount("n", options.n),
    tests: options.tests === undefined ? undefined : checkCount("tests", options.tests),
    setting: checkSetting(options.setting ?? "paper"),
  };
}

/** Time of a machine's step by a network's, roughly, for progress only. */
const MACHINE_SHARE = 0.1;

/** Runs Figure A.1's experiment. @throws TypeError, RangeError, and as openTraining() */
export async function figureA1(options: FigureA1Options = {}): Promise<FigureA1Result> {
  const { width, epochs, batch, learningRate, lambda, n, tests, setting, seed, backend } = resolve(options);
  const runtime = await runtimeOf(options);
  const { signal, onProgress } = options;
  const all = await experimentData(options);
  const train = draw(runtime, all.train, n ?? all.train.n, seed, "train");
  const test = draw(runtime, all.test, tests ?? all.test.n, seed, "test");
  const samples = samplePoints(test);
  const stepsPerEpoch = stepsOfEpoch(train.n, batch);
  const steps = epochs * stepsPerEpoch;
  const what = { spec: network({ widths: [width], seed }), train, test, samples: samples.map(({ row }) => row) };
  // Looking at all rows costs a third of an epoch, so it is done less often than in Figure 1.
  const record = recordedSteps(steps, 6, 16);
  const onStep: FollowOptions["onStep"] = (side, done) => {
    const before = side === "machine" ? 0 : steps * MACHINE_SHARE;
    const stage = side === "machine" ? "SVM" : `width ${width}`;
    const now = side === "machine" ? done * MACHINE_SHARE : done;
    onProgress?.({ stage, done: before + now, total: steps * (1 + MACHINE_SHARE) });
  };
  const how = { learningRate, lambda, batch, setting, backend, record, onStep };
  const comparison = await follow({ ...what, ...how }, { runtime, signal });
  const sizes = { data: train.name, n: train.n, tests: test.n };
  const settings = { ...sizes, width, epochs, stepsPerEpoch, batch, lambda, setting, seed };
  return { experiment: "figureA1", settings, samples, comparison };
}
