// Theorem 4.1, computed: a finite network trained with a regularised loss, rebuilt as a kernel machine with its path kernel,
//   f_T(x) = sum_i a_i K(x, x_i) + b,   K(x, x_i) = e^(-lambda T) int_0^T |l'(f_t(x_i), y_i)| Theta(w_t; x, x_i) e^(lambda t) dt,
//   a_i = -sign l'(f_0(x_i), y_i),      b = e^(-lambda T) f_0(x),
// the integral accumulated while the network trains, with the mean over the rows in place of the sum of equation 7. The
// ridge acts on the last layer's own weights, so that it takes lambda f_t(x) off df_t(x)/dt exactly (equation 9).
// Not here: the tangent kernel (networks/tangent.ts), studies over step sizes (path-kernel-study.ts).
import type { Dataset } from "../data/dataset.js";
import { checkDecay, checkRate } from "../experiments/options.js";
import type { CrossGram } from "../kernels/gram.js";
import { checkSameColumns, type RowSource } from "../kernels/rows.js";
import { LOSSES, type Loss, LossTerms } from "../losses.js";
import { checkRows } from "../machines/machine.js";
import { layerScales, type NetworkSpec } from "../networks/network.js";
import { tangentKernel } from "../networks/tangent.js";
import { openTraining } from "../networks/train.js";
import { checkTrainingData } from "../networks/training.js";
import { runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import { checkChoice, checkNumber, checkObject } from "../validate.js";
import { QUADRATURES, type Quadrature, quadratureWeights } from "./quadrature.js";

export interface PathKernelOptions extends WorkOptions {
  /** Default "hinge". */
  readonly loss?: Loss | undefined;
  /** Half-width of the epsilon-insensitive loss, >= 0. Default 0.1. */
  readonly epsilon?: number | undefined;
  /** lambda of equation 7, >= 0, with learningRate * lambda < 1. Default 0.01. */
  readonly lambda?: number | undefined;
  /** Length of a step in time, > 0: descent's learning rate. Default 0.1. */
  readonly learningRate?: number | undefined;
  /** Full-batch steps N, even (Simpson's rule takes two at a time); T = N learningRate. Default 200. */
  readonly steps?: number | undefined;
  /** Rule that accumulates K. Default "descent", which is nearest to a network that was trained in such steps. */
  readonly rule?: Quadrature | undefined;
}

/** How far a rebuilt function is from the network's outputs f_T at the test rows. */
export interface RebuildError {
  /** ||rebuilt - f_T|| / ||f_T||. */
  readonly relative: number;
  /** Largest |rebuilt - f_T| / |f_T| of a row; Infinity where an f_T is 0 and the rebuilt value is not. */
  readonly worst: number;
}

/** Whether sign l'(f_t(x_i), y_i) stayed what it was at the start, at all times looked at. */
export interface SignReport {
  /** The assumption of the theorem. */
  readonly constant: boolean;
  /** Training rows whose l' became 0 (past their margin): these break the assumption, not the identity. */
  readonly vanished: readonly number[];
  /** Training rows whose l' took a non-zero sign other than a_i stands for: for these the machine is wrong. */
  readonly reversed: readonly number[];
  /** Time of the first change; null without one. */
  readonly firstTime: number | null;
}

export interface PathKernel {
  /** K(x, x_i), test rows x training rows. */
  readonly kernel: CrossGram;
  /** a_i, each -1, 0 or 1. */
  readonly a: Float64Array;
  /** b of each test row. */
  readonly b: Float64Array;
  /** f_T of each test row, from the network itself. */
  readonly outputs: Float64Array;
  /** sum_i a_i K(x, x_i) + b of each test row, by the rule asked for. */
  readonly rebuilt: Float64Array;
  /** T. */
  readonly time: number;
  readonly signs: SignReport;
  /** Errors by every rule, with l' itself in place of a_i |l'|: true whatever the signs do. */
  readonly errors: Readonly<Record<Quadrature, RebuildError>>;
  /** Error of `rebuilt`: that of the theorem as it stands. */
  readonly error: RebuildError;
  /** Estimates of errors that need no f_T beyond its size, each the difference of two rules over ||f_T||. */
  readonly estimates: {
    /** Trapezoid and Simpson: the integral along the path that was taken. */
    readonly quadrature: number;
    /** Trapezoid and the sum of descent: the path itself, which descent takes instead of the gradient flow. */
    readonly step: number;
  };
}

export interface ResolvedPathKernel {
  readonly loss: Loss;
  readonly epsilon: number;
  readonly lambda: number;
  readonly learningRate: number;
  readonly steps: number;
  readonly rule: Quadrature;
}

/** Checks options and fills in defaults. @throws TypeError, RangeError naming the argument @internal */
export function resolvePathKernel(options: PathKernelOptions): ResolvedPathKernel {
  checkObject("options", options);
  const steps = checkNumber("steps", options.steps ?? 200, { min: 2, max: 1e7, integer: true });
  if (steps % 2 !== 0) throw new RangeError(`steps: expected an even number, got ${steps}`);
  const learningRate = checkRate("learningRate", options.learningRate ?? 0.1);
  return {
    loss: checkChoice("loss", options.loss ?? "hinge", LOSSES),
    epsilon: checkNumber("epsilon", options.epsilon ?? 0.1, { min: 0 }),
    lambda: checkDecay([learningRate], options.lambda ?? 0.01),
    learningRate,
    steps,
    rule: checkChoice("rule", options.rule ?? "descent", QUADRATURES),
  };
}

const norm = (values: Float64Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

/** @internal */
export function rebuildError(rebuilt: Float64Array, outputs: Float64Array): RebuildError {
  const off = rebuilt.map((value, k) => value - (outputs[k] ?? 0));
  const worst = off.reduce((most, value, k) => {
    const own = value === 0 ? 0 : Math.abs(value / (outputs[k] ?? 0));
    return Math.max(most, own);
  }, 0);
  return { relative: norm(off) / norm(outputs), worst };
}

/** What the path adds up to, one node of time after the other. */
class Accumulator {
  readonly kernel: Float64Array;
  readonly a: Float64Array;
  readonly vanished = new Set<number>();
  readonly reversed = new Set<number>();
  firstTime: number | null = null;
  private readonly sums: Readonly<Record<Quadrature, Float64Array>>;
  private readonly weights: Readonly<Record<Quadrature, Float64Array>>;

  constructor(
    private readonly settings: ResolvedPathKernel,
    private readonly tests: number,
    start: Float64Array,
  ) {
    const { steps, learningRate, lambda } = settings;
    this.kernel = new Float64Array(tests * start.length);
    this.a = start.map((slope) => -Math.sign(slope) + 0);
    const all = QUADRATURES.map((rule) => [rule, quadratureWeights(rule, steps, learningRate, lambda)]);
    this.weights = Object.fromEntries(all);
    this.sums = Object.fromEntries(QUADRATURES.map((rule) => [rule, new Float64Array(tests)])) as typeof this.sums;
  }

  /** Node k: derivatives of the loss at the training rows, tangent kernel between test and training rows. */
  add(k: number, slopes: Float64Array, { values }: CrossGram): void {
    const n = slopes.length;
    const own = this.weights[this.settings.rule][k] ?? 0;
    this.look(k, slopes);
    for (let x = 0; x < this.tests; x++) {
      let push = 0;
      for (let i = 0; i < n; i++) {
        const [slope, theta] = [(slopes[i] ?? 0) / n, values[x * n + i] ?? 0];
        push -= slope * theta;
        this.kernel[x * n + i] = (this.kernel[x * n + i] ?? 0) + own * Math.abs(slope) * theta;
      }
      for (const rule of QUADRATURES)
        this.sums[rule][x] = (this.sums[rule][x] ?? 0) + (this.weights[rule][k] ?? 0) * push;
    }
  }

  private look(k: number, slopes: Float64Array): void {
    slopes.forEach((slope, i) => {
      if (-Math.sign(slope) === this.a[i] || (slope === 0 && this.a[i] === 0)) return;
      this.firstTime ??= k * this.settings.learningRate;
      (slope === 0 ? this.vanished : this.reversed).add(i);
    });
  }

  signs(): SignReport {
    const { vanished, reversed, firstTime } = this;
    const sorted = (rows: Set<number>) => [...rows].sort((a, b) => a - b);
    return { constant: firstTime === null, vanished: sorted(vanished), reversed: sorted(reversed), firstTime };
  }

  /** The function rebuilt by a rule from f_0, whatever the signs. */
  whole(rule: Quadrature, start: Float64Array): Float64Array {
    const left = this.shrink(rule);
    return this.sums[rule].map((value, x) => value + left * (start[x] ?? 0));
  }

  /** What is left of f_0 at T. */
  shrink(rule: Quadrature): number {
    const { lambda, learningRate, steps } = this.settings;
    return rule === "descent" ? (1 - learningRate * lambda) ** steps : Math.exp(-lambda * learningRate * steps);
  }
}

/**
 * Trains `spec` by full-batch (sub)gradient descent on `train` in the core, from its initial weights, and rebuilds it at the rows of `test` as the kernel machine
 * of Theorem 4.1. Takes one tangent kernel of test x training rows a step.
 * @param train n rows; labels -1 / +1, or targets for "squared" and "epsilon-insensitive"
 * @throws TypeError, RangeError naming the argument, DivergenceError, MemoryBudgetError, the signal's reason
 */
export async function pathKernel(
  spec: NetworkSpec,
  train: Dataset,
  test: RowSource,
  options: PathKernelOptions = {},
): Promise<PathKernel> {
  const settings = resolvePathKernel(options);
  checkTrainingData(train);
  checkRows("test", test);
  checkSameColumns("test", train, test);
  const { loss, epsilon, lambda, learningRate, steps, rule } = settings;
  const runtime = await runtimeOf(options);
  const work = { runtime, signal: options.signal };
  // The trainer's ridge is on s w: divided by s^2 it is the ridge on w itself.
  const ridge = lambda / (layerScales(spec, train.d).at(-1) ?? 1) ** 2;
  const training = { loss, epsilon, learningRate, lambda: ridge, batch: "full" as const, centred: false };
  const session = await openTraining(spec, train, { ...training, backend: "wasm", ...work });
  const scope = runtime.scope();
  try {
    const terms = new LossTerms(runtime, scope, loss, train.y, epsilon);
    const slopesNow = async () => terms.at(await session.outputs(train, work)).slopes;
    const start = await session.outputs(test, work);
    const first = await slopesNow();
    const sum = new Accumulator(settings, test.n, first);
    for (let k = 0; k <= steps; k++) {
      const slopes = k === 0 ? first : await slopesNow();
      sum.add(k, slopes, await tangentKernel(spec, await session.weights(), test, train, work));
      if (k < steps) await session.steps(1, work);
      options.onProgress?.({ stage: "path kernel", done: k, total: steps });
    }
    const outputs = await session.outputs(test, work);
    const rules = Object.fromEntries(QUADRATURES.map((each) => [each, sum.whole(each, start)]));
    const kernel = { rows: test.n, columns: train.n, values: sum.kernel };
    const b = start.map((value) => value * sum.shrink(rule));
    const rebuilt = b.map(
      (value, x) => value + contributions({ kernel, a: sum.a }, x).reduce((all, one) => all + one, 0),
    );
    const errors = Object.fromEntries(
      QUADRATURES.map((each) => [each, rebuildError(rules[each] ?? start, outputs)]),
    ) as PathKernel["errors"];
    const apart = (other: Quadrature) =>
      norm(sum.whole("trapezoid", start).map((value, x) => value - (rules[other]?.[x] ?? 0))) / norm(outputs);
    const estimates = { quadrature: apart("simpson"), step: apart("descent") };
    const common = { kernel, a: sum.a, b, outputs, rebuilt, time: steps * learningRate, signs: sum.signs() };
    return { ...common, errors, error: rebuildError(rebuilt, outputs), estimates };
  } finally {
    scope.release();
    session.dispose();
  }
}

/** a_i K(x, x_i) of all training rows for test row `x`: what each of them adds to its prediction. */
export function contributions({ kernel, a }: Pick<PathKernel, "kernel" | "a">, x: number): Float64Array {
  checkNumber("x", x, { min: 0, max: kernel.rows - 1, integer: true });
  return a.map((sign, i) => sign * (kernel.values[x * kernel.columns + i] ?? 0));
}
