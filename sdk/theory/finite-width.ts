// Theorem 3.5, measured: a trained network f beside the machine g with its tangent kernel at the start, g_0 = f_0, under the same
// regularised descent, ||f_T - g_T|| against width, lambda and training rows with fitted powers, beside
//   O(e^(beta ||Theta||) R^(3L + 1) rho n^(3/2) ln m / (lambda sqrt(m)))
// and the factors of it that can be computed. Two settings of the ridge (experiments/follow.ts):
//   "theorem"  equations 7 to 9 to the letter: w shrinks by e^(-lambda t) at any width, so ||w_T - w_0|| grows like sqrt(m) and
//              the theorem's ball of fixed R is left;
//   "matched"  the trainer's ridge on s w, whose share in f is lambda / m: w stays near w_0, and g has that same share.
// Not here: the picture (plots/finite-width.ts), the kernel of infinite width (experiments/width-sweep.ts).
import type { Dataset } from "../data/dataset.js";
import { draw, experimentData } from "../experiments/data.js";
import { type ExperimentOptions, machineRidge, networkRidge } from "../experiments/follow.js";
import { checkCommon, checkCount, checkDecay, checkList, checkRate, checkWidth } from "../experiments/options.js";
import { fitPowerLaw, type PowerLaw } from "../experiments/slope.js";
import type { CrossGram } from "../kernels/gram.js";
import { LOSSES, type Loss, LossTerms } from "../losses.js";
import { type NetworkSpec, type NetworkWeights, network } from "../networks/network.js";
import { tangentKernel } from "../networks/tangent.js";
import { openTraining } from "../networks/train.js";
import { runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import { checkChoice, checkNumber, checkObject } from "../validate.js";
import { VARIED, type Varied, WIDTH_SETTINGS, type WidthSetting } from "./choices.js";
import { boundFactors, spectralNorm, type WidthFactors } from "./width-factors.js";

export { VARIED, type Varied, WIDTH_SETTINGS, type WidthSetting };

export interface FiniteWidthOptions extends ExperimentOptions {
  /** Default [64, 128, 256, 512, 1024]. */
  readonly widths?: readonly number[] | undefined;
  /** Each > 0. Default [0.01, 0.02, 0.05, 0.1, 0.2]. */
  readonly lambdas?: readonly number[] | undefined;
  /** Numbers of training rows. Default [8, 16, 32, 64]. */
  readonly rows?: readonly number[] | undefined;
  /** Test rows. Default 50. */
  readonly tests?: number | undefined;
  /** Hidden layers. Default 1. */
  readonly depth?: number | undefined;
  /** Networks at every point, each with its own seed. Default 5. */
  readonly seeds?: number | undefined;
  /** Default "logistic", which is Lipschitz and smooth as the theorem asks. */
  readonly loss?: Loss | undefined;
  /** Default 0.5. */
  readonly learningRate?: number | undefined;
  /** Full-batch steps. Default 100. */
  readonly steps?: number | undefined;
  /** Confidence level of the slopes' intervals. Default 0.95. */
  readonly level?: number | undefined;
}

/** One network beside its machine. */
export interface FiniteWidthPoint {
  readonly setting: WidthSetting;
  /** Series that the point belongs to. */
  readonly varied: readonly Varied[];
  readonly width: number;
  readonly lambda: number;
  readonly n: number;
  readonly seed: number;
  /** ||f_T(X) - g_T(X)||, all n rows. */
  readonly train: number;
  /** |f_T(x) - g_T(x)|, root mean square over the test rows. */
  readonly test: number;
  readonly factors: WidthFactors;
}

export interface FiniteWidthFit {
  readonly setting: WidthSetting;
  readonly varied: Varied;
  readonly of: "train" | "test";
  readonly law: PowerLaw;
  /** Power of the theorem over the same points: ln m / sqrt(m) fitted, -1 of lambda, 3/2 and 1 of n. */
  readonly theorem: number;
}

export interface FiniteWidthResult {
  readonly experiment: "finite-width";
  readonly settings: {
    readonly data: string;
    readonly tests: number;
    readonly depth: number;
    readonly loss: Loss;
    readonly learningRate: number;
    readonly steps: number;
    readonly seed: number;
    readonly seeds: number;
  };
  readonly points: readonly FiniteWidthPoint[];
  /** Of every list with two entries or more. */
  readonly fits: readonly FiniteWidthFit[];
}

function resolve(options: FiniteWidthOptions) {
  checkObject("options", options);
  const learningRate = checkRate("learningRate", options.learningRate ?? 0.5);
  const positive = (name: string, value: unknown) => checkNumber(name, value, { min: 0, open: true });
  const sorted = (list: number[]) => [...new Set(list)].sort((a, b) => a - b);
  const lambdas = sorted(checkList("lambdas", options.lambdas ?? [0.01, 0.02, 0.05, 0.1, 0.2], positive));
  for (const lambda of lambdas) checkDecay([learningRate], lambda);
  return {
    ...checkCommon(options),
    learningRate,
    lambdas,
    widths: sorted(checkList("widths", options.widths ?? [64, 128, 256, 512, 1024], checkWidth)),
    rows: sorted(checkList("rows", options.rows ?? [8, 16, 32, 64], checkCount)),
    tests: checkCount("tests", options.tests ?? 50),
    depth: checkNumber("depth", options.depth ?? 1, { min: 1, max: 100, integer: true }),
    seeds: checkNumber("seeds", options.seeds ?? 5, { min: 1, max: 1000, integer: true }),
    loss: checkChoice("loss", options.loss ?? "logistic", LOSSES),
    steps: checkCount("steps", options.steps ?? 100),
    level: checkNumber("level", options.level ?? 0.95, { min: 0, open: true, max: 1 - 1e-9 }),
  };
}

type Resolved = ReturnType<typeof resolve>;

interface Point {
  readonly setting: WidthSetting;
  readonly varied: readonly Varied[];
  readonly width: number;
  readonly lambda: number;
  readonly n: number;
}

const middle = (list: readonly number[]) => list[Math.floor(list.length / 2)] ?? Number.NaN;

/** A cross through the middle of all lists, once for each setting; the middle belongs to every arm. */
function pointsOf({ widths, lambdas, rows }: Resolved): Point[] {
  const base = { width: middle(widths), lambda: middle(lambdas), n: middle(rows) };
  const lists = { width: widths, lambda: lambdas, n: rows };
  const arms = VARIED.flatMap((one) =>
    lists[one].filter((value) => value !== base[one]).map((value) => ({ ...base, [one]: value, varied: [one] })),
  );
  return WIDTH_SETTINGS.flatMap((setting) =>
    [{ ...base, varied: VARIED }, ...arms].map((point) => ({ ...point, setting })),
  );
}

/** values of K p, one a row of K. */
function apply({ rows, columns, values }: CrossGram, p: Float64Array): Float64Array {
  return Float64Array.from({ length: rows }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < columns; j++) sum += (values[i * columns + j] ?? 0) * (p[j] ?? 0);
    return sum;
  });
}

/** Equation 8 in steps of eta, by the values of g at training and test rows. */
class KernelDescent {
  constructor(
    private readonly terms: LossTerms,
    private readonly own: CrossGram,
    private readonly other: CrossGram,
    public train: Float64Array,
    public test: Float64Array,
  ) {}

  step(rate: number, lambda: number): void {
    const push = this.terms.at(this.train).slopes.map((slope) => (-rate * slope) / this.train.length);
    const [a, b] = [apply(this.own, push), apply(this.other, push)];
    this.train = this.train.map((value, i) => (1 - rate * lambda) * value + (a[i] ?? 0));
    this.test = this.test.map((value, x) => (1 - rate * lambda) * value + (b[x] ?? 0));
  }
}

/** ||a - b|| over all weights. */
function distance(a: NetworkWeights, b: NetworkWeights): number {
  let sum = 0;
  [...a.hidden, a.output].forEach((layer, l) => {
    const other = [...b.hidden, b.output][l] ?? layer;
    layer.forEach((value, k) => {
      sum += (value - (other[k] ?? 0)) ** 2;
    });
  });
  return Math.sqrt(sum);
}

const norm = (a: Float64Array, b: Float64Array) =>
  Math.sqrt(a.reduce((sum, value, i) => sum + (value - (b[i] ?? 0)) ** 2, 0));

/** Trains one network and its machine and looks at them after every step. */
async function measure(
  spec: NetworkSpec,
  train: Dataset,
  test: Dataset,
  point: Point,
  { loss, learningRate, steps, backend }: Resolved,
  work: WorkOptions,
): Promise<Pick<FiniteWidthPoint, "train" | "test" | "factors">> {
  const runtime = await runtimeOf(work);
  const ridge = { spec, train, setting: point.setting, lambda: point.lambda };
  const centred = point.setting !== "theorem";
  const how = { loss, learningRate, lambda: networkRidge(ridge), batch: "full" as const, centred };
  const session = await openTraining(spec, train, { ...how, backend, ...work });
  const scope = runtime.scope();
  try {
    const start = await session.weights();
    const own = await tangentKernel(spec, start, train, train, work);
    const other = await tangentKernel(spec, start, test, train, work);
    const terms = new LossTerms(runtime, scope, loss, train.y);
    const first = { train: await session.outputs(train, work), test: await session.outputs(test, work) };
    const machine = new KernelDescent(terms, own, other, first.train, first.test);
    const decay = machineRidge(ridge, undefined).lambda ?? 0;
    let slope = 0;
    for (let k = 0; k < steps; k++) {
      for (const value of terms.at(machine.train).slopes) slope = Math.max(slope, Math.abs(value));
      machine.step(learningRate, decay);
    }
    await session.steps(steps, work);
    const outputs = { train: await session.outputs(train, work), test: await session.outputs(test, work) };
    const radius = distance(start, await session.weights());
    const sizes = { n: train.n, width: point.width, depth: spec.widths.length, lambda: decay };
    const norms = { kernelNorm: spectralNorm(own), radius, largestSlope: slope };
    return {
      train: norm(outputs.train, machine.train),
      test: norm(outputs.test, machine.test) / Math.sqrt(test.n),
      factors: boundFactors(loss, { ...sizes, ...norms }),
    };
  } finally {
    scope.release();
    session.dispose();
  }
}

/** The theorem's power of each quantity over these points. */
function theoremPower(varied: Varied, of: "train" | "test", widths: readonly number[], level: number): number {
  if (varied === "lambda") return -1;
  if (varied === "n") return of === "train" ? 1.5 : 1;
  // A network of one neuron has ln m = 0.
  const wide = widths.filter((width) => width > 1);
  const values = wide.map((width) => Math.log(width) / Math.sqrt(width));
  return new Set(wide).size < 2 ? -0.5 : fitPowerLaw(wide, values, level).slope;
}

function fitsOf(points: readonly FiniteWidthPoint[], level: number): FiniteWidthFit[] {
  return WIDTH_SETTINGS.flatMap((setting) =>
    VARIED.flatMap((varied) => {
      const own = points.filter((point) => point.setting === setting && point.varied.includes(varied));
      const x = own.map((point) => point[varied]);
      if (new Set(x).size < 2) return [];
      return (["train", "test"] as const).map((of) => {
        const law = fitPowerLaw(
          x,
          own.map((point) => point[of]),
          level,
        );
        return { setting, varied, of, law, theorem: theoremPower(varied, of, x, level) };
      });
    }),
  );
}

/** Measures all points. @throws TypeError, RangeError naming the argument, and as openTraining() */
export async function finiteWidth(options: FiniteWidthOptions = {}): Promise<FiniteWidthResult> {
  const resolved = resolve(options);
  const { tests, depth, loss, learningRate, steps, seed, seeds, level } = resolved;
  const runtime = await runtimeOf(options);
  const { signal, onProgress } = options;
  const all = await experimentData(options);
  const test = draw(runtime, all.test, tests, seed, "test");
  const what = pointsOf(resolved);
  const points: FiniteWidthPoint[] = [];
  for (const [i, point] of what.entries()) {
    const train = draw(runtime, all.train, point.n, seed, "train");
    for (let k = 0; k < seeds; k++) {
      const stage = `${point.setting}, width ${point.width}, lambda ${point.lambda}, ${point.n} rows`;
      onProgress?.({ stage, done: i * seeds + k, total: what.length * seeds });
      // Blocks of neurons are seeded one by one: networks of one seed and different widths would share weights.
      const own = seed + i * seeds + k;
      const spec = network({ widths: new Array(depth).fill(point.width), seed: own });
      points.push({ ...point, seed: own, ...(await measure(spec, train, test, point, resolved, { runtime, signal })) });
    }
  }
  const settings = { data: all.train.name, tests: test.n, depth, loss, learningRate, steps, seed, seeds };
  return { experiment: "finite-width", settings, points, fits: fitsOf(points, level) };
}
