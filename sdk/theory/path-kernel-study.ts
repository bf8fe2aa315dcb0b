// Theorem 4.1 on data: one network followed to the same time in smaller and smaller steps, how the error of the machine
// rebuilt from its path falls with them, and which training rows carry the predictions.
// Not here: the path kernel (path-kernel.ts) and the picture (plots/path-kernel.ts).
import { cleanRow, grey, imageSide } from "../certify/attacks/counterexamples.js";
import type { Dataset } from "../data/dataset.js";
import { pngUrl } from "../data/png.js";
import { draw, experimentData } from "../experiments/data.js";
import type { ExperimentOptions } from "../experiments/follow.js";
import { checkCommon, checkCount, checkList, checkWidth } from "../experiments/options.js";
import { fitPowerLaw, type PowerLaw } from "../experiments/slope.js";
import { LOSSES, type Loss } from "../losses.js";
import { network } from "../networks/network.js";
import { runtimeOf } from "../runtime/runtime.js";
import { checkChoice, checkNumber, checkObject } from "../validate.js";
import { contributions, type PathKernel, pathKernel, type SignReport } from "./path-kernel.js";
import { QUADRATURES, type Quadrature } from "./quadrature.js";

export interface PathKernelStudyOptions extends Omit<ExperimentOptions, "backend"> {
  /** Training rows. Default 32. */
  readonly n?: number | undefined;
  /** Test rows. Default 32. */
  readonly tests?: number | undefined;
  /** Neurons of each hidden layer. Default 64. */
  readonly width?: number | undefined;
  /** Hidden layers. Default 1. */
  readonly depth?: number | undefined;
  /** Default "logistic", whose l' never changes sign. */
  readonly loss?: Loss | undefined;
  /** Default 0.01. */
  readonly lambda?: number | undefined;
  /** T. Default 100. */
  readonly time?: number | undefined;
  /** Numbers of steps from 0 to T, each even. Default [100, 200, 400, 800]. */
  readonly steps?: readonly number[] | undefined;
  /** Test rows whose prediction is explained. Default 4. */
  readonly explained?: number | undefined;
  /** Training rows shown for each. Default 5. */
  readonly carriers?: number | undefined;
}

/** One network followed in steps of one size. */
export interface PathKernelRun {
  readonly steps: number;
  readonly learningRate: number;
  /** Relative errors of f_T at the test rows by each rule. */
  readonly errors: Readonly<Record<Quadrature, number>>;
  /** Largest error of a single row by the rule asked for, relative to that row's f_T. */
  readonly worst: number;
  /** Error of the theorem as it stands, with a_i |l'|. */
  readonly theorem: number;
  readonly estimates: PathKernel["estimates"];
  readonly signs: SignReport;
}

/** A row of data with a picture of it, where rows are square images. */
export interface PicturedRow {
  readonly row: number;
  readonly label: number;
  /** Data URL of a PNG; null when rows are no images. */
  readonly picture: string | null;
}

/** What carries a prediction. */
export interface Explanation extends PicturedRow {
  /** f_T(x). */
  readonly output: number;
  /** b: what is left of the start. */
  readonly b: number;
  /** The training rows with the largest |a_i K(x, x_i)|, largest first. */
  readonly carriers: readonly (PicturedRow & { readonly contribution: number })[];
  /** Their share of sum_i |a_i K(x, x_i)|. */
  readonly share: number;
}

export interface PathKernelStudy {
  readonly experiment: "path-kernel";
  readonly settings: {
    readonly data: string;
    readonly n: number;
    readonly tests: number;
    readonly widths: readonly number[];
    readonly loss: Loss;
    readonly lambda: number;
    readonly time: number;
    readonly seed: number;
  };
  readonly runs: readonly PathKernelRun[];
  /** Order of each rule: error = factor * step^slope; absent with one step size. */
  readonly orders?: Readonly<Record<Quadrature, PowerLaw>>;
  /** From the network of the smallest steps. */
  readonly explanations: readonly Explanation[];
}

function resolve(options: PathKernelStudyOptions) {
  checkObject("options", options);
  const even = (name: string, value: unknown) => {
    const steps = checkNumber(name, value, { min: 2, max: 1e6, integer: true });
    if (steps % 2 !== 0) throw new RangeError(`${name}: expected an even number, got ${steps}`);
    return steps;
  };
  const steps = checkList("steps", options.steps ?? [100, 200, 400, 800], even, "even number");
  return {
    seed: checkCommon(options).seed,
    n: checkCount("n", options.n ?? 32),
    tests: checkCount("tests", options.tests ?? 32),
    width: checkWidth("width", options.width ?? 64),
    depth: checkNumber("depth", options.depth ?? 1, { min: 1, max: 100, integer: true }),
    loss: checkChoice("loss", options.loss ?? "logistic", LOSSES),
    lambda: checkNumber("lambda", options.lambda ?? 0.01, { min: 0 }),
    time: checkNumber("time", options.time ?? 100, { min: 0, open: true }),
    steps: [...new Set(steps)].sort((a, b) => a - b),
    explained: checkNumber("explained", options.explained ?? 4, { min: 0, max: 1000, integer: true }),
    carriers: checkNumber("carriers", options.carriers ?? 5, { min: 1, max: 1000, integer: true }),
  };
}

function runOf(steps: number, learningRate: number, path: PathKernel): PathKernelRun {
  const { errors, error, estimates, signs } = path;
  const relative = Object.fromEntries(QUADRATURES.map((rule) => [rule, errors[rule].relative]));
  const how = { steps, learningRate, errors: relative as PathKernelRun["errors"] };
  return { ...how, worst: error.worst, theorem: error.relative, estimates, signs };
}

function pictured(data: Dataset, row: number): PicturedRow {
  const side = imageSide(data.d);
  // A picture of fewer pixels shows nothing.
  const picture = side < 8 ? null : pngUrl(side, Uint8Array.from(cleanRow(data, row), grey));
  return { row, label: data.y[row] ?? Number.NaN, picture };
}

function explain(path: PathKernel, train: Dataset, test: Dataset, row: number, carriers: number): Explanation {
  const shares = contributions(path, row);
  const order = Array.from(shares.keys()).sort((i, j) => Math.abs(shares[j] ?? 0) - Math.abs(shares[i] ?? 0));
  const size = (rows: readonly number[]) => rows.reduce((sum, i) => sum + Math.abs(shares[i] ?? 0), 0);
  const first = order.slice(0, carriers);
  return {
    ...pictured(test, row),
    output: path.outputs[row] ?? Number.NaN,
    b: path.b[row] ?? Number.NaN,
    carriers: first.map((i) => ({ ...pictured(train, i), contribution: shares[i] ?? 0 })),
    share: size(first) / size(order),
  };
}

function ordersOf(runs: readonly PathKernelRun[]): NonNullable<PathKernelStudy["orders"]> {
  const rates = runs.map(({ learningRate }) => learningRate);
  const of = (rule: Quadrature) =>
    fitPowerLaw(
      rates,
      runs.map(({ errors }) => errors[rule]),
    );
  return { descent: of("descent"), trapezoid: of("trapezoid"), simpson: of("simpson") };
}

/** Runs the study. @throws TypeError, RangeError naming the argument, and as pathKernel() */
export async function pathKernelStudy(options: PathKernelStudyOptions = {}): Promise<PathKernelStudy> {
  const { seed, n, tests, width, depth, loss, lambda, time, steps, explained, carriers } = resolve(options);
  const runtime = await runtimeOf(options);
  const { signal, onProgress } = options;
  const all = await experimentData(options);
  const train = draw(runtime, all.train, n, seed, "train");
  const test = draw(runtime, all.test, tests, seed, "test");
  const spec = network({ widths: new Array(depth).fill(width), seed });
  const total = steps.reduce((sum, count) => sum + count, 0);
  const runs: PathKernelRun[] = [];
  let spent = 0;
  let last: PathKernel | undefined;
  for (const count of steps) {
    const report = ({ done }: { readonly done: number }) =>
      onProgress?.({ stage: `${count} steps`, done: spent + done, total });
    const how = { loss, lambda, learningRate: time / count, steps: count };
    last = await pathKernel(spec, train, test, { ...how, runtime, signal, onProgress: report });
    runs.push(runOf(count, time / count, last));
    spent += count;
  }
  const path = last as PathKernel;
  const shown = Array.from({ length: Math.min(explained, test.n) }, (_, row) => row);
  const sizes = { data: train.name, n: train.n, tests: test.n };
  const result = {
    experiment: "path-kernel" as const,
    settings: { ...sizes, widths: spec.widths, loss, lambda, time, seed },
    runs,
    explanations: shown.map((row) => explain(path, train, test, row, carriers)),
  };
  // Errors of 0 have no logarithm: a network that does not train.
  const fitted = steps.length > 1 && runs.every(({ errors }) => QUADRATURES.every((rule) => errors[rule] > 0));
  return fitted ? { ...result, orders: ordersOf(runs) } : result;
}
