// Figure 1 of the paper: full-batch subgradient descent of a three-layer network and of the SVM with its kernel, on a few
// images of two digits. Outputs of two test points at each learning rate, the difference for several widths, hinge loss.
// Not here: the pictures (plots/figure1.ts) and the descent itself (follow.ts).
import { network } from "../networks/network.js";
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
import { checkCommon, checkCount, checkDecay, checkList, checkRate, checkSetting, checkWidth } from "./options.js";

export interface Figure1Options extends ExperimentOptions {
  /** Training rows. Default 128. */
  readonly n?: number | undefined;
  /** Test points at which the difference is measured. Default 200. */
  readonly tests?: number | undefined;
  /** Width of both hidden layers. Default 10000. */
  readonly width?: number | undefined;
  /** Widths whose differences are compared. Default: a hundredth and a tenth of `width`, and `width`. */
  readonly widths?: readonly number[] | undefined;
  /** Default [0.1, 0.01]; widths are compared at the first. */
  readonly learningRates?: readonly number[] | undefined;
  /** Default 0.001. */
  readonly lambda?: number | undefined;
  /** Default 2000. */
  readonly steps?: number | undefined;
  /** What the ridge does (follow.ts). Default "paper". */
  readonly setting?: ComparisonSetting | undefined;
}

export interface Figure1Result {
  readonly experiment: "figure1";
  readonly settings: {
    readonly data: string;
    readonly n: number;
    readonly tests: number;
    readonly width: number;
    readonly lambda: number;
    readonly steps: number;
    readonly setting: ComparisonSetting;
    readonly seed: number;
  };
  readonly samples: readonly SamplePoint[];
  /** The widest network at each learning rate. */
  readonly rates: readonly Comparison[];
  /** Each width at the first learning rate, ascending. */
  readonly widths: readonly Comparison[];
}

function resolve(options: Figure1Options) {
  checkObject("options", options);
  const width = checkWidth("width", options.width ?? 10_000);
  const shares = [100, 10, 1].map((share) => Math.max(1, Math.round(width / share)));
  const rates = checkList("learningRates", options.learningRates ?? [0.1, 0.01], checkRate);
  const widths = checkList("widths", options.widths ?? shares, checkWidth);
  return {
    ...checkCommon(options),
    n: checkCount("n", options.n ?? 128),
    tests: checkCount("tests", options.tests ?? 200),
    width,
    widths: [...new Set([...widths, width])].sort((a, b) => a - b),
    rates: [...new Set(rates)],
    lambda: checkDecay(rates, options.lambda ?? 0.001),
    steps: checkCount("steps", options.steps ?? 2000),
    setting: checkSetting(options.setting ?? "paper"),
  };
}

/** Runs Figure 1's experiment. @throws TypeError, RangeError, and as openTraining() */
export async function figure1(options: Figure1Options = {}): Promise<Figure1Result> {
  const { n, tests, width, widths, rates, lambda, steps, setting, seed, backend } = resolve(options);
  const runtime = await runtimeOf(options);
  const { signal, onProgress } = options;
  const all = await experimentData(options);
  const train = draw(runtime, all.train, n, seed, "train");
  const test = draw(runtime, all.test, tests, seed, "test");
  const samples = samplePoints(test);
  const [rate = 0.1, ...others] = rates;
  const runs = [
    ...others.map((learningRate) => ({ learningRate, width })),
    ...widths.map((w) => ({ learningRate: rate, width: w })),
  ];
  // A step costs about the square of the width.
  const total = runs.reduce((sum, run) => sum + steps * run.width ** 2, 0);
  let spent = 0;
  const comparisons: Comparison[] = [];
  for (const run of runs) {
    const stage = `width ${run.width}, learning rate ${run.learningRate}`;
    const onStep: FollowOptions["onStep"] = (side, done) => {
      if (side === "network") onProgress?.({ stage, done: spent + done * run.width ** 2, total });
    };
    const spec = network({ widths: [run.width, run.width], seed });
    const what = { spec, train, test, samples: samples.map(({ row }) => row), batch: "full" as const };
    const how = { learningRate: run.learningRate, lambda, setting, backend, record: recordedSteps(steps), onStep };
    comparisons.push(await follow({ ...what, ...how }, { runtime, signal }));
    spent += steps * run.width ** 2;
  }
  const compared = comparisons.slice(others.length);
  const widest = compared.filter(({ widths: [first] }) => first === width);
  return {
    experiment: "figure1",
    settings: { data: train.name, n: train.n, tests: test.n, width, lambda, steps, setting, seed },
    samples,
    rates: [...widest, ...comparisons.slice(0, others.length)],
    widths: compared,
  };
}
