// Figure 1 for every row of Table 1: a network with the row's loss beside its machine, from the same start with the same steps,
// and how far both are from the machine that the row ends at. The ridge is that of equation 7 (setting "theorem" of
// follow.ts) unless told otherwise. Kernel regression has none, and its machine ends at interpolation of y from g_0; the
// hard margin has the largest lambda, halved, at which soft and hard margin are one machine (solutions.ts).
// Not here: the pictures (plots/losses.ts), the run itself (follow.ts), flows and bounds (theory/convergence.ts).
import type { Dataset } from "../data/dataset.js";
import { squaredFlow } from "../dynamics/later.js";
import type { Outputs } from "../dynamics/problem.js";
import { ntk } from "../kernels/kernel.js";
import { type Loss, LossTerms } from "../losses.js";
import { network } from "../networks/network.js";
import { type Runtime, runtimeOf } from "../runtime/runtime.js";
import { checkChoice, checkNumber, checkObject } from "../validate.js";
import { TABLE1, TABLE1_MACHINES, type Table1Machine } from "./choices.js";
import { draw, experimentData, type SamplePoint, samplePoints } from "./data.js";
import {
  type Comparison,
  type ComparisonSetting,
  type ExperimentOptions,
  follow,
  largest,
  recordedSteps,
} from "./follow.js";
import { checkCommon, checkCount, checkDecay, checkList, checkRate, checkSetting, checkWidth } from "./options.js";
import { hardMarginLambda, solve } from "./solutions.js";

export interface FigureLossesOptions extends ExperimentOptions {
  /** Default all seven. */
  readonly machines?: readonly Table1Machine[] | undefined;
  /** Training rows. Default 128. */
  readonly n?: number | undefined;
  /** Test points at which the difference is measured. Default 200. */
  readonly tests?: number | undefined;
  /** Neurons of each hidden layer. Default 4096. */
  readonly width?: number | undefined;
  /** Hidden layers. Default 1. */
  readonly depth?: number | undefined;
  /** Default 1. */
  readonly learningRate?: number | undefined;
  /** lambda of the rows that have one, > 0, beside the mean of the losses. Default 0.001. */
  readonly lambda?: number | undefined;
  /** Half-width of the epsilon-insensitive loss, >= 0. Default 0.1. */
  readonly epsilon?: number | undefined;
  /** Full-batch steps. Default 400. */
  readonly steps?: number | undefined;
  /** What the ridge does (follow.ts). Default "theorem". */
  readonly setting?: ComparisonSetting | undefined;
}

/** What is seen of a side beside its curves. */
export interface LossesSide {
  /** Mean of the row's loss over the training rows at each recorded step. */
  readonly loss: readonly number[];
  /** Largest distance from the machine's solution over the test points. */
  readonly distance: number;
}

/** One row of Table 1. */
export interface LossesRow {
  readonly machine: Table1Machine;
  readonly loss: Loss;
  readonly lambda: number;
  readonly comparison: Comparison;
  readonly sides: { readonly network: LossesSide; readonly machine: LossesSide };
  /** Largest |f - g| over the test points after the last step, and the same over the largest |g|. */
  readonly largest: number;
  readonly relative: number;
  /** Outputs of the machine's solution at the sampled points. */
  readonly solution: readonly number[];
}

export interface FigureLossesResult {
  readonly experiment: "losses";
  readonly settings: {
    readonly data: string;
    readonly n: number;
    readonly tests: number;
    readonly width: number;
    readonly depth: number;
    readonly learningRate: number;
    readonly lambda: number;
    readonly epsilon: number;
    readonly steps: number;
    readonly setting: ComparisonSetting;
    readonly seed: number;
  };
  readonly samples: readonly SamplePoint[];
  readonly rows: readonly LossesRow[];
}

function resolve(options: FigureLossesOptions) {
  checkObject("options", options);
  const learningRate = checkRate("learningRate", options.learningRate ?? 1);
  checkNumber("lambda", options.lambda ?? 0.001, { min: 0, open: true });
  return {
    ...checkCommon(options),
    machines: checkList(
      "machines",
      options.machines ?? TABLE1_MACHINES,
      (name, value) => checkChoice(name, value, TABLE1_MACHINES),
      "name",
    ),
    n: checkCount("n", options.n ?? 128),
    tests: checkCount("tests", options.tests ?? 200),
    width: checkWidth("width", options.width ?? 4096),
    depth: checkNumber("depth", options.depth ?? 1, { min: 1, max: 100, integer: true }),
    learningRate,
    lambda: checkDecay([learningRate], options.lambda ?? 0.001),
    epsilon: checkNumber("epsilon", options.epsilon ?? 0.1, { min: 0 }),
    steps: checkCount("steps", options.steps ?? 400),
    setting: checkSetting(options.setting ?? "theorem"),
  };
}

type Resolved = ReturnType<typeof resolve>;

interface Problem {
  readonly train: Dataset;
  readonly test: Dataset;
  readonly samples: readonly SamplePoint[];
  readonly work: { readonly runtime: Runtime; readonly signal: AbortSignal | undefined };
}

/** lambda of the row, and where its machine ends from g_0: the solver's machine, or interpolation where nothing is regularised. */
async function endOf(name: Table1Machine, { depth, lambda, epsilon }: Resolved, { train, test, work }: Problem) {
  const kernel = ntk({ depth });
  const weight = 1 / train.n;
  if (name === "kernel-regression") {
    const end = async (initial: Outputs) =>
      (await squaredFlow(kernel, train, { lambda: 0, test, initial, ...work })).limit.test;
    return { lambda: 0, end };
  }
  const machine = await solve(name, { kernel, lambda, weight, epsilon }, train, work);
  const outputs = await machine.decisionFunction(test, work);
  return { lambda: name === "hard-margin" ? hardMarginLambda(machine, weight) : lambda, end: async () => outputs };
}

async function measure(
  name: Table1Machine,
  resolved: Resolved,
  problem: Problem,
  onStep: (done: number) => void,
): Promise<LossesRow> {
  const { width, depth, learningRate, epsilon, steps, setting, seed, backend } = resolved;
  const { train, test, samples, work } = problem;
  const { loss } = TABLE1[name];
  const { lambda, end } = await endOf(name, resolved, problem);
  checkDecay([learningRate], lambda);
  const scope = work.runtime.scope();
  try {
    const terms = new LossTerms(work.runtime, scope, loss, train.y, epsilon);
    const mean = (z: Float64Array) => terms.at(z).values.reduce((sum, value) => sum + value, 0) / train.n;
    const losses = { network: [] as number[], machine: [] as number[] };
    const seen: { network: Outputs; machine: Outputs }[] = [];
    const spec = network({ widths: new Array<number>(depth).fill(width), seed });
    const what = { spec, train, test, samples: samples.map(({ row }) => row), batch: "full" as const, loss, epsilon };
    const how = { learningRate, lambda, setting, backend, record: recordedSteps(steps) };
    const watch = {
      onStep: (side: "machine" | "network", done: number) => {
        if (side === "network") onStep(done);
      },
      onRecord: (own: Outputs, machine: Outputs) => {
        losses.network.push(mean(own.train));
        losses.machine.push(mean(machine.train));
        // The first pair and the last one.
        seen[Math.min(1, seen.length)] = { network: own, machine };
      },
    };
    const comparison = await follow({ ...what, ...how, ...watch }, work);
    const [first, last] = seen as [(typeof seen)[0], (typeof seen)[0]];
    const solution = await end(first.machine);
    const apart = largest(last.network.test, last.machine.test);
    return {
      ...{ machine: name, loss, lambda, comparison },
      sides: {
        network: { loss: losses.network, distance: largest(last.network.test, solution) },
        machine: { loss: losses.machine, distance: largest(last.machine.test, solution) },
      },
      largest: apart,
      relative: apart / last.machine.test.reduce((most, value) => Math.max(most, Math.abs(value)), 0),
      solution: samples.map(({ row }) => solution[row] ?? Number.NaN),
    };
  } finally {
    scope.release();
  }
}

/**
 * Trains a network beside its machine for each row of Table 1.
 * @throws TypeError, RangeError naming the argument; NotSeparableError, and as openTraining()
 */
export async function figureLosses(options: FigureLossesOptions = {}): Promise<FigureLossesResult> {
  const resolved = resolve(options);
  const { machines, n, tests, seed, steps, backend: _, ...own } = resolved;
  const runtime = await runtimeOf(options);
  const { signal, onProgress } = options;
  const all = await experimentData(options);
  const train = draw(runtime, all.train, n, seed, "train");
  const test = draw(runtime, all.test, tests, seed, "test");
  const problem: Problem = { train, test, samples: samplePoints(test), work: { runtime, signal } };
  const rows: LossesRow[] = [];
  for (const [k, name] of machines.entries()) {
    const onStep = (done: number) =>
      onProgress?.({ stage: name, done: k * steps + done, total: machines.length * steps });
    rows.push(await measure(name, resolved, problem, onStep));
  }
  const settings = { data: train.name, n: train.n, tests: test.n, ...own, steps, seed };
  return { experiment: "losses", settings, samples: problem.samples, rows };
}
