// Theorem 3.1 on data, for every row of Table 1: the gradient flow (equation 8) and the descent of its loss against the
// machine that a solver of its own finds, beside the two bounds that strong convexity gives,
//   L(beta_t) - L* <= e^(-2 r t) (L(0) - L*),   |g_t(x) - g(x)| <= sqrt(K(x, x)) e^(-r t) ||beta||,
// r = lambda. Kernel regression has no lambda; there r is 2 w times the smallest eigenvalue of K. The hard margin is the soft
// margin of a lambda small enough (experiments/solutions.ts). Everything starts from 0.
// Not here: the flows (dynamics/), the solvers (machines/), the picture (plots/convergence.ts).
import type { Dataset } from "../data/dataset.js";
import { descend } from "../dynamics/descend.js";
import { generalFlow, gradientFlow, squaredFlow } from "../dynamics/later.js";
import type { Outputs } from "../dynamics/problem.js";
import { TABLE1, TABLE1_MACHINES, type Table1Machine } from "../experiments/choices.js";
import { draw, experimentData } from "../experiments/data.js";
import { type ExperimentOptions, largest } from "../experiments/follow.js";
import { checkCommon, checkCount, checkList } from "../experiments/options.js";
import { hardMarginLambda, type Objective, objectiveOf, solve } from "../experiments/solutions.js";
import { GramMatrix } from "../kernels/gram.js";
import { type Kernel, ntk } from "../kernels/kernel.js";
import { eigenvalues } from "../kernels/later.js";
import type { Loss } from "../losses.js";
import type { Machine } from "../machines/machine.js";
import { type Runtime, runtimeOf } from "../runtime/runtime.js";
import { checkChoice, checkNumber, checkObject } from "../validate.js";

export interface ConvergenceOptions extends Omit<ExperimentOptions, "backend"> {
  /** Default all seven. */
  readonly machines?: readonly Table1Machine[] | undefined;
  /** Training rows. Default 128. */
  readonly n?: number | undefined;
  /** Test rows. Default 200. */
  readonly tests?: number | undefined;
  /** Hidden layers of the kernel. Default 1. */
  readonly depth?: number | undefined;
  /** lambda of the rows that have one, > 0, beside the mean of the losses. Default 0.001. */
  readonly lambda?: number | undefined;
  /** Half-width of support vector regression's tube, >= 0. Default 0.1. */
  readonly epsilon?: number | undefined;
  /** Times r t, ascending, >= 0. Default 0, then 0.01 to 30, four a decade. */
  readonly times?: readonly number[] | undefined;
  /** Most steps of each descent. Default 200000. */
  readonly steps?: number | undefined;
}

/** How a row's flow is computed. */
export type FlowMethod = "closed form" | "event by event" | "Runge-Kutta 5(4)";

export interface ConvergencePoint {
  readonly t: number;
  /** Largest |g_t - g| over the training rows, and over the test rows. */
  readonly train: number;
  readonly test: number;
  /** sqrt(max K(x, x)) e^(-r t) ||beta||: no less than these two. */
  readonly within: number;
  /** L(beta_t) - L(beta), beta the solver's; below 0 by no more than the solver's gap. */
  readonly excess: number;
  /** e^(-2 r t) (L(0) - L(beta)). */
  readonly bound: number;
  /** Whether both bounds hold, up to the solver's own error and that of the flow. */
  readonly holds: boolean;
}

export interface ConvergenceRow {
  readonly machine: Table1Machine;
  readonly loss: Loss;
  readonly lambda: number;
  readonly method: FlowMethod;
  /** r of the bounds. */
  readonly rate: number;
  /** Relative duality gap or residual of the solver. */
  readonly reached: number;
  /** What that leaves open of g at any point, by strong convexity, and what rounding and steps add. */
  readonly unsure: number;
  /** L(0) and L(beta). */
  readonly start: number;
  readonly optimum: number;
  readonly flow: readonly ConvergencePoint[];
  readonly descent: {
    readonly learningRate: number;
    readonly points: readonly { readonly t: number; readonly train: number; readonly test: number }[];
  };
}

export interface ConvergenceResult {
  readonly experiment: "convergence";
  readonly settings: {
    readonly data: string;
    readonly n: number;
    readonly tests: number;
    readonly depth: number;
    readonly lambda: number;
    readonly epsilon: number;
    readonly seed: number;
  };
  readonly rows: readonly ConvergenceRow[];
}

const TIMES = [0, ...Array.from({ length: 14 }, (_, k) => 10 ** (k / 4 - 2)), 30];

/** Error of a step of Runge and Kutta's that is accepted. */
const STEP_ERROR = 1e-11;

/** Most that l' changes with z, of the losses where it is continuous. */
const SMOOTHNESS: Readonly<Partial<Record<Loss, number>>> = { squared: 2, "squared-hinge": 2, logistic: 0.25 };

/** Share of an output that a step may move, of the losses with kinks. */
const KINKED_STEP = 0.05;

function resolve(options: ConvergenceOptions) {
  checkObject("options", options);
  const { seed } = checkCommon(options);
  const machines = checkList(
    "machines",
    options.machines ?? TABLE1_MACHINES,
    (name, value) => checkChoice(name, value, TABLE1_MACHINES),
    "name",
  );
  const times = checkList("times", options.times ?? TIMES, (name, value) => checkNumber(name, value, { min: 0 }));
  times.forEach((t, k) => {
    checkNumber(`times[${k}]`, t, { min: times[k - 1] ?? 0 });
  });
  return {
    seed,
    machines,
    times,
    n: checkCount("n", options.n ?? 128),
    tests: checkCount("tests", options.tests ?? 200),
    depth: checkNumber("depth", options.depth ?? 1, { min: 1, max: 1000, integer: true }),
    lambda: checkNumber("lambda", options.lambda ?? 0.001, { min: 0, open: true }),
    epsilon: checkNumber("epsilon", options.epsilon ?? 0.1, { min: 0 }),
    steps: checkCount("steps", options.steps ?? 200_000),
  };
}

type Resolved = ReturnType<typeof resolve>;

/** What all rows share. */
interface Problem {
  readonly train: Dataset;
  readonly test: Dataset;
  readonly kernel: Kernel;
  /** Largest eigenvalue of K, the smallest above rounding, and the largest K(x, x) of training and test rows. */
  readonly most: number;
  readonly least: number;
  readonly diagonal: number;
  readonly work: { readonly runtime: Runtime; readonly signal: AbortSignal | undefined };
}

async function problemOf(train: Dataset, test: Dataset, kernel: Kernel, work: Problem["work"]): Promise<Problem> {
  const gram = await GramMatrix.create(kernel, train, work);
  const other = await GramMatrix.create(kernel, test, { ...work, storage: "streamed" });
  try {
    const values = await eigenvalues(gram, { signal: work.signal });
    const most = values[0] ?? 0;
    const least = values.findLast((value) => value > train.n * 2 ** -52 * most) ?? most;
    const diagonal = Math.max(...gram.diagonal(), ...other.diagonal());
    return { train, test, kernel, most, least, diagonal, work };
  } finally {
    gram.dispose();
    other.dispose();
  }
}

/** g_t and L at each of the times. */
interface Followed extends Outputs {
  readonly objective: number;
}

async function flowOf(
  loss: Loss,
  { lambda, weight, epsilon }: Objective,
  { train, test, kernel, work }: Problem,
  times: readonly number[],
): Promise<{ readonly method: FlowMethod; readonly records: readonly Followed[] }> {
  if (loss === "hinge" || loss === "epsilon-insensitive") {
    const flow = await gradientFlow(kernel, train, { c: weight / lambda, loss, epsilon, test, ...work });
    const at = (t: number) => ({ ...flow.at(lambda * t), objective: lambda * flow.loss(lambda * t).objective });
    return { method: "event by event", records: times.map(at) };
  }
  const settings = { lambda, weight, test, ...work };
  if (loss === "squared") {
    const flow = await squaredFlow(kernel, train, settings);
    return { method: "closed form", records: times.map((t) => flow.at(t)) };
  }
  const { records } = await generalFlow(kernel, train, { ...settings, loss, times, tolerance: STEP_ERROR });
  return { method: "Runge-Kutta 5(4)", records };
}

/** Largest |a - b| at training and test rows. */
const apart = (a: Outputs, b: Outputs) => ({ train: largest(a.train, b.train), test: largest(a.test, b.test) });

async function descentOf(
  loss: Loss,
  { lambda, weight, epsilon }: Objective,
  { train, test, kernel, most, work }: Problem,
  times: readonly number[],
  limit: number,
  solution: Outputs,
): Promise<ConvergenceRow["descent"]> {
  const curvature = SMOOTHNESS[loss];
  const learningRate =
    curvature === undefined
      ? Math.min(KINKED_STEP / (weight * most), 1 / lambda)
      : 1 / (lambda + curvature * weight * most);
  const steps = [...new Set(times.map((t) => Math.round(t / learningRate)))].filter((step) => step <= limit);
  const how = { loss, lambda, weight, epsilon, learningRate, test, steps: steps.at(-1) ?? 0, record: steps };
  const { records } = await descend(kernel, train, { ...how, ...work });
  const points = records.map((record) => ({ t: record.step * learningRate, ...apart(record, solution) }));
  return { learningRate, points };
}

/** lambda of a row, and its machine. */
async function solutionOf(
  name: Table1Machine,
  { lambda, epsilon }: Resolved,
  { train, kernel, work }: Problem,
): Promise<{ readonly machine: Machine; readonly objective: Objective }> {
  const weight = 1 / train.n;
  const own = { kernel, lambda: name === "kernel-regression" ? 0 : lambda, weight, epsilon };
  const machine = await solve(name, own, train, work);
  return { machine, objective: name === "hard-margin" ? { ...own, lambda: hardMarginLambda(machine, weight) } : own };
}

async function measure(name: Table1Machine, problem: Problem, resolved: Resolved): Promise<ConvergenceRow> {
  const { train, test, least, diagonal, work } = problem;
  const { machine, objective } = await solutionOf(name, resolved, problem);
  const { lambda, weight } = objective;
  const { loss } = TABLE1[name];
  const rate = lambda > 0 ? lambda : 2 * weight * least;
  const times = resolved.times.map((t) => t / rate);
  const solution = {
    train: await machine.decisionFunction(train, work),
    test: await machine.decisionFunction(test, work),
  };
  const { objective: optimum, regulariser, start } = await objectiveOf(machine, name, train, objective, work);
  const { method, records } = await flowOf(loss, objective, problem, times);
  const { relativeDualityGap, relativeResidual } = machine.training;
  // What the solver left: (lambda / 2) ||beta - beta*||^2 is no more than its gap.
  const gap = (relativeDualityGap ?? 0) * optimum;
  const rounding = method === "Runge-Kutta 5(4)" ? 1e3 * STEP_ERROR : 1e-9;
  const unsure = Math.sqrt(diagonal) * (lambda > 0 ? Math.sqrt((2 * gap) / lambda) : 0) + rounding;
  const reach = Math.sqrt(diagonal * 2 * regulariser);
  const flow = records.map((record, k): ConvergencePoint => {
    const t = times[k] ?? Number.NaN;
    const { train: here, test: there } = apart(record, solution);
    const within = reach * Math.exp(-rate * t);
    const excess = record.objective - optimum;
    const bound = Math.exp(-2 * rate * t) * (start - optimum);
    const holds = Math.max(here, there) <= within + unsure && excess <= bound + gap + rounding * start;
    return { t, train: here, test: there, within, excess, bound, holds };
  });
  const descent = await descentOf(loss, objective, problem, times, resolved.steps, solution);
  const reached = relativeDualityGap ?? relativeResidual ?? Number.NaN;
  return { machine: name, loss, lambda, method, rate, reached, unsure, start, optimum, flow, descent };
}

/**
 * Follows flow and descent of each row of Table 1 and measures how far they are from its machine.
 * @throws TypeError, RangeError naming the argument; NotSeparableError, ConvergenceError, MemoryBudgetError; the signal's
 *   reason
 */
export async function convergence(options: ConvergenceOptions = {}): Promise<ConvergenceResult> {
  const resolved = resolve(options);
  const { machines, n, tests, depth, lambda, epsilon, seed } = resolved;
  const runtime = await runtimeOf(options);
  const { signal, onProgress } = options;
  const all = await experimentData(options);
  const train = draw(runtime, all.train, n, seed, "train");
  const test = draw(runtime, all.test, tests, seed, "test");
  const problem = await problemOf(train, test, ntk({ depth }), { runtime, signal });
  const rows: ConvergenceRow[] = [];
  for (const [k, name] of machines.entries()) {
    onProgress?.({ stage: name, done: k, total: machines.length });
    rows.push(await measure(name, problem, resolved));
  }
  onProgress?.({ stage: "convergence", done: machines.length, total: machines.length });
  const settings = { data: train.name, n: train.n, tests: test.n, depth, lambda, epsilon, seed };
  return { experiment: "convergence", settings, rows };
}
