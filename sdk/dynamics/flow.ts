// Gradient flow of the soft-margin machine in closed form between events (Theorem 3.1, equations 3 and 4), at the
// training rows and at others, up to the SVM where it ends; the same for support vector regression.
// Not here: events (path.ts), who slides (sliding.ts), smooth losses (general-flow.ts), steps (descend.ts).
import type { Dataset } from "../data/dataset.js";
import { crossGram } from "../kernels/gram.js";
import { checkKernel, type Kernel } from "../kernels/kernel.js";
import { Machine } from "../machines/machine.js";
import { runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import { checkChoice, checkNumber, checkObject } from "../validate.js";
import { type MarginSide, Path, type Segment } from "./path.js";
import { checkData, type DynamicsData, type Outputs } from "./problem.js";
import type { Kinks } from "./sliding.js";

export interface GradientFlowOptions extends DynamicsData, WorkOptions {
  /** Weight C of the losses, > 0 (equation 2). Default 1. */
  readonly c?: number | undefined;
  /** "hinge" (soft-margin SVM) or "epsilon-insensitive" (support vector regression). Default "hinge". */
  readonly loss?: "hinge" | "epsilon-insensitive" | undefined;
  /** Half-width of the epsilon-insensitive loss, >= 0. Default 0.1. */
  readonly epsilon?: number | undefined;
  /** Time at which to stop, > 0. Default Infinity: to the end. */
  readonly until?: number | undefined;
  /** Events after which to give up, >= 1. Default 1,000,000. */
  readonly maxEvents?: number | undefined;
}

/**
 * A point changes sides. It "arrives" at its margin and slides along it, "leaves-inside" to where its loss is positive
 * or "leaves-outside" to where it is 0, or "crosses" its margin without stopping.
 */
export interface FlowEvent {
  readonly t: number;
  /** Training row. */
  readonly index: number;
  readonly kind: "arrives" | "leaves-inside" | "leaves-outside" | "crosses";
  /** Where the point is after the event. */
  readonly to: MarginSide;
  /** Which kink: +1 or -1 is the sign of the push on g there (the label, for the hinge). */
  readonly sign: number;
}

/** The parts of L (equation 2) at some time. */
export interface FlowLoss {
  /** C times the sum of the losses over the training rows. */
  readonly loss: number;
  /** (1/2) ||beta_t||^2, less (1/2) e^-2t ||beta_0||^2, which outputs do not tell (0 when g_0 = 0). */
  readonly regulariser: number;
  /** Their sum: L(beta_t), less the same. */
  readonly objective: number;
}

/** Where the flow goes as t grows without bound: equation 4. */
export interface FlowLimit {
  readonly outputs: Outputs;
  /** Coefficients of g = sum_i alpha_i K(., x_i), signed, n of them. */
  readonly alpha: Float64Array;
  readonly loss: FlowLoss;
}

interface FlowParts {
  readonly kernel: Kernel;
  readonly data: Dataset;
  readonly start: Outputs;
  readonly c: number;
  readonly epsilon: number | undefined;
  readonly path: Path;
  readonly until: number;
  readonly kinks: Kinks;
  readonly matrix: Float64Array;
  readonly across: Float64Array;
}

/** Segments between stored coefficients. */
const CHECKPOINT = 64;

/** A computed flow, evaluated exactly at any time. */
export class GradientFlow {
  /** In the order of time; several at one time in the order of their rows. */
  readonly events: readonly FlowEvent[];
  /** Time up to which it is known: Infinity when it was followed to the end. */
  readonly end: number;
  readonly c: number;
  private readonly checkpoints: Float64Array[] = [];

  /** For gradientFlow(). @internal */
  constructor(private readonly parts: FlowParts) {
    const { path, kinks } = parts;
    this.c = parts.c;
    this.end = path.ended ? Number.POSITIVE_INFINITY : parts.until;
    this.events = path.changes.map(({ time, kink, from, to }) => ({
      t: time,
      index: kinks.row[kink]!,
      kind: to === "margin" ? "arrives" : from !== "margin" ? "crosses" : `leaves-${to}`,
      to,
      sign: kinks.sign[kink]!,
    }));
    this.fillCheckpoints();
  }

  private fillCheckpoints(): void {
    const { path, data } = this.parts;
    const alpha = new Float64Array(data.n);
    const target = new Float64Array(data.n);
    path.segments.forEach((segment, k) => {
      if (k % CHECKPOINT === 0) this.checkpoints.push(alpha.slice(), target.slice());
      retarget(target, segment);
      const next = path.segments[k + 1];
      if (next !== undefined) approach(alpha, target, next.start - segment.start);
    });
  }

  private checkTime(t: unknown): number {
    if (t === Number.POSITIVE_INFINITY && this.end === t) return t;
    return checkNumber("t", t, Number.isFinite(this.end) ? { min: 0, max: this.end } : { min: 0 });
  }

  /**
   * alpha(t), n entries, signed: g_t = e^-t g_0 + sum_i alpha_i(t) K(., x_i), 0 <= y_i alpha_i < C for the hinge.
   * @throws TypeError, RangeError when t is negative or beyond `end`; Infinity is a time when `end` is
   */
  coefficients(t: number): Float64Array {
    const { path } = this.parts;
    const { segments } = path;
    if (this.checkTime(t) === Number.POSITIVE_INFINITY) return path.coefficients.slice();
    let low = 0;
    let high = segments.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (segments[middle]!.start <= t) low = middle;
      else high = middle - 1;
    }
    const from = Math.floor(low / CHECKPOINT);
    const alpha = this.checkpoints[2 * from]!.slice();
    const target = this.checkpoints[2 * from + 1]!.slice();
    for (let k = from * CHECKPOINT; k <= low; k++) {
      retarget(target, segments[k]!);
      approach(alpha, target, (k === low ? t : segments[k + 1]!.start) - segments[k]!.start);
    }
    return alpha;
  }

  /** g_t at the training rows and at the test rows. @throws as coefficients() */
  at(t: number): Outputs {
    const { start, matrix, across } = this.parts;
    const alpha = this.coefficients(t);
    const left = Math.exp(-t);
    return { train: outputsOf(matrix, alpha, start.train, left), test: outputsOf(across, alpha, start.test, left) };
  }

  /** L of equation 2 and its parts at time t. @throws as coefficients() */
  loss(t: number): FlowLoss {
    const { start, matrix, kinks } = this.parts;
    const alpha = this.coefficients(t);
    const left = Math.exp(-t);
    const g = outputsOf(matrix, alpha, start.train, left);
    let sum = 0;
    kinks.row.forEach((row, k) => {
      sum += Math.max(0, kinks.level[k]! - kinks.sign[k]! * g[row]!);
    });
    const loss = this.c * sum;
    const regulariser = 0.5 * alpha.reduce((total, a, i) => total + a * (g[i]! + left * start.train[i]!), 0);
    return { loss, regulariser, objective: loss + regulariser };
  }

  /** Where the flow goes; undefined when it was stopped before its last event. */
  get limit(): FlowLimit | undefined {
    const { ended } = this.parts.path;
    if (!ended) return undefined;
    const forever = Number.POSITIVE_INFINITY;
    return { outputs: this.at(forever), alpha: this.coefficients(forever), loss: this.loss(forever) };
  }

  /**
   * The soft-margin SVM that the flow ends at, as a machine for use.
   * @throws RangeError when the flow was stopped before its last event, or its loss is not the hinge
   */
  async machine(): Promise<Machine> {
    const { data, kernel, epsilon, c } = this.parts;
    const { limit } = this;
    if (limit === undefined) throw new RangeError("until: expected a flow that was followed to its end");
    if (epsilon !== undefined) throw new RangeError('loss: expected a flow of the "hinge", got "epsilon-insensitive"');
    const { alpha, loss } = limit;
    const support = Array.from(alpha.keys()).filter((i) => alpha[i] !== 0);
    const kept = support.length > 0 ? support : [0];
    const dual = alpha.reduce((sum, a) => sum + Math.abs(a), 0) - loss.regulariser;
    const gap = Math.max(0, loss.objective - dual) / loss.objective;
    return new Machine({
      machine: "svm",
      parameters: { c, bias: false },
      kernel,
      rows: { n: kept.length, d: data.d, x: data.subset(kept).x, scale: data.scale },
      alpha: Float64Array.from(kept, (i) => alpha[i]!),
      bias: 0,
      training: {
        relativeDualityGap: gap,
        primal: loss.objective,
        dual,
        supportVectors: support.length,
        events: this.events.length,
      },
      dataHash: await data.hash(),
      dataName: data.name,
    });
  }
}

function retarget(target: Float64Array, { row, value }: Segment): void {
  row.forEach((i, k) => {
    target[i] = value[k]!;
  });
}

function approach(alpha: Float64Array, target: Float64Array, duration: number): void {
  const share = -Math.expm1(-duration);
  for (let i = 0; i < alpha.length; i++) alpha[i] = alpha[i]! + share * (target[i]! - alpha[i]!);
}

/** left g_0 + A alpha, A of one row for each entry of g_0. */
function outputsOf(a: Float64Array, alpha: Float64Array, start: Float64Array, left: number): Float64Array {
  const n = alpha.length;
  return start.map((value, i) => {
    let sum = 0;
    for (let j = 0; j < n; j++) sum += a[i * n + j]! * alpha[j]!;
    return left * value + sum;
  });
}

/** The hinge has one kink a row, at y g = 1; the epsilon-insensitive loss two, at g = y - epsilon and y + epsilon. */
function kinksOf(y: Float64Array, epsilon: number | undefined): Kinks {
  const n = y.length;
  if (epsilon === undefined)
    return { row: Int32Array.from(y.keys()), sign: Float64Array.from(y), level: new Float64Array(n).fill(1) };
  const sides = [1, -1];
  return {
    row: Int32Array.from({ length: 2 * n }, (_, k) => k >> 1),
    sign: Float64Array.from({ length: 2 * n }, (_, k) => sides[k & 1]!),
    level: Float64Array.from({ length: 2 * n }, (_, k) => sides[k & 1]! * y[k >> 1]! - epsilon),
  };
}

/** Milliseconds of work between yields. */
const SLICE = 20;

const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

async function follow(path: Path, until: number, maxEvents: number, work: WorkOptions): Promise<void> {
  let last = performance.now();
  for (let events = 0; path.advance(until); events++) {
    if (events >= maxEvents) path.giveUp(until);
    if (performance.now() - last < SLICE) continue;
    work.onProgress?.({ stage: "gradient flow", done: events + 1, total: maxEvents });
    await pause();
    work.signal?.throwIfAborted();
    last = performance.now();
  }
}

/**
 * Gradient flow of the soft-margin machine from g_0, Theorem 3.1:
 *   dg_t(x)/dt = -g_t(x) + C sum_i 1[y_i g_t(x_i) < 1] y_i K(x, x_i),
 * a point on its margin that neither side would keep sliding along it with the share of its push that keeps it there.
 * Events are located in closed form, nothing is stepped in time, and between events outputs are exact; the flow ends
 * at the SVM of the same C. With lambda and weight w of equation 8, C = w / lambda and t here is lambda t there. Keeps
 * the n x n kernel matrix: n up to some thousands.
 * @param train n rows with labels -1 / +1
 * @throws TypeError, RangeError naming the argument; MemoryBudgetError; ConvergenceError after maxEvents; the signal's
 *   reason
 */
export async function gradientFlow(
  kernel: Kernel,
  train: Dataset,
  options: GradientFlowOptions = {},
): Promise<GradientFlow> {
  const checked = checkKernel("kernel", kernel);
  checkObject("options", options);
  const { data, start } = checkData(train, options);
  const c = checkNumber("c", options.c ?? 1, { min: 0, open: true, max: 1e12 });
  const loss = checkChoice("loss", options.loss ?? "hinge", ["hinge", "epsilon-insensitive"]);
  const width = checkNumber("epsilon", options.epsilon ?? 0.1, { min: 0 });
  const epsilon = loss === "hinge" ? undefined : width;
  const forever = Number.POSITIVE_INFINITY;
  const until =
    (options.until ?? forever) === forever ? forever : checkNumber("until", options.until, { min: 0, open: true });
  const maxEvents = checkNumber("maxEvents", options.maxEvents ?? 1e6, { min: 1, integer: true });
  const runtime = await runtimeOf(options);
  const work = { signal: options.signal, onProgress: options.onProgress, runtime };
  const { values: matrix } = await crossGram(checked, data, data, work);
  const { test } = options;
  const across = test === undefined ? new Float64Array(0) : (await crossGram(checked, test, data, work)).values;
  const kinks = kinksOf(data.y, epsilon);
  const path = new Path(kinks, matrix, data.n, c, start.train);
  await follow(path, until, maxEvents, work);
  return new GradientFlow({ kernel: checked, data, start, c, epsilon, path, until, kinks, matrix, across });
}
