// Generalisation bounds on data: ridge machines of several lambdas on more and more training rows, their bounds beside the error
// that test rows measure, and beside the same machines taught random labels; one finite network with the formula of
// Section 4.1. Not here: the bounds (rademacher.ts, path-bound.ts) and the picture (plots/generalisation.ts).
import { type Dataset, dataset } from "../data/dataset.js";
import { draw, experimentData } from "../experiments/data.js";
import type { ExperimentOptions } from "../experiments/follow.js";
import { checkCommon, checkCount, checkList, checkWidth } from "../experiments/options.js";
import { crossGram, GramMatrix } from "../kernels/gram.js";
import { type Kernel, ntk } from "../kernels/kernel.js";
import { krrPath } from "../machines/krr.js";
import { network } from "../networks/network.js";
import { type Runtime, runtimeOf } from "../runtime/runtime.js";
import { checkNumber, checkObject } from "../validate.js";
import { bestRow, LABELINGS, type Labeling } from "./choices.js";
import { pathKernelBound } from "./path-bound.js";
import { pathKernel } from "./path-kernel.js";
import {
  checkDelta,
  errorRate,
  type GeneralisationBound,
  marginBound,
  ridgeBounds,
  squaredRisk,
} from "./rademacher.js";

export { bestRow, LABELINGS, type Labeling };

export interface GeneralisationOptions extends Omit<ExperimentOptions, "backend"> {
  /** Numbers of training rows. Default [100, 400, 1600]. */
  readonly rows?: readonly number[] | undefined;
  /** Test rows. Default 1000. */
  readonly tests?: number | undefined;
  /** Ridges, each > 0. Default [1, 10, 100, 1000]. */
  readonly lambdas?: readonly number[] | undefined;
  /** Hidden layers of the NTK. Default 1. */
  readonly depth?: number | undefined;
  /** What all bounds of a machine may fail with together, in (0, 1]. Default 0.05. */
  readonly delta?: number | undefined;
  /**
   * Whether every row is scaled to the norm sqrt(d) first: the NTK is homogeneous, so decisions lose nothing, and r is known
   * for any data. Default true.
   */
  readonly normalise?: boolean | undefined;
  /** Training rows of the finite network; 0: none. Default 32. */
  readonly networkRows?: number | undefined;
  /** Its neurons. Default 64. */
  readonly width?: number | undefined;
}

/** One ridge machine with its bounds. */
export interface GeneralisationRow {
  readonly n: number;
  readonly labels: Labeling;
  readonly lambda: number;
  readonly trainError: number;
  readonly testError: number;
  readonly trainRisk: number;
  readonly testRisk: number;
  /** 1.19, 1.20, 2.37 (of the squared risk), margin (of the error rate). */
  readonly bounds: readonly GeneralisationBound[];
}

/** The finite network. */
export interface GeneralisedNetwork {
  readonly n: number;
  readonly labels: Labeling;
  readonly trainError: number;
  readonly testError: number;
  readonly bound: GeneralisationBound;
}

export interface GeneralisationResult {
  readonly experiment: "generalisation";
  readonly settings: {
    readonly data: string;
    readonly tests: number;
    readonly depth: number;
    readonly delta: number;
    readonly normalise: boolean;
    readonly width: number;
    readonly seed: number;
  };
  readonly rows: readonly GeneralisationRow[];
  readonly networks: readonly GeneralisedNetwork[];
}

function resolve(options: GeneralisationOptions) {
  checkObject("options", options);
  const normalise = options.normalise ?? true;
  if (typeof normalise !== "boolean") throw new TypeError(`normalise: expected a boolean, got ${normalise}`);
  const positive = (name: string, value: unknown) => checkNumber(name, value, { min: 0, open: true });
  return {
    seed: checkCommon(options).seed,
    rows: [...new Set(checkList("rows", options.rows ?? [100, 400, 1600], checkCount))].sort((a, b) => a - b),
    tests: checkCount("tests", options.tests ?? 1000),
    lambdas: checkList("lambdas", options.lambdas ?? [1, 10, 100, 1000], positive),
    depth: checkNumber("depth", options.depth ?? 1, { min: 1, max: 100, integer: true }),
    delta: checkDelta(options.delta ?? 0.05),
    normalise,
    networkRows: checkNumber("networkRows", options.networkRows ?? 32, { min: 0, max: 1e5, integer: true }),
    width: checkWidth("width", options.width ?? 64),
  };
}

/** Every row at norm sqrt(d), as float64; rows of zeros stay. */
function normalised(data: Dataset): Dataset {
  const { n, d, scale } = data;
  const x = Float64Array.from(data.x, (entry) => entry * scale);
  for (let i = 0; i < n; i++) {
    const row = x.subarray(i * d, (i + 1) * d);
    const norm = Math.sqrt(row.reduce((sum, entry) => sum + entry * entry, 0));
    if (norm > 0)
      x.set(
        row.map((entry) => (entry * Math.sqrt(d)) / norm),
        i * d,
      );
  }
  return dataset({ x, y: data.y, shape: [n, d], name: data.name });
}

/** The same rows with labels drawn by seed, each sign equally likely. */
function shuffledLabels(runtime: Runtime, data: Dataset, seed: number): Dataset {
  const scope = runtime.scope();
  try {
    const state = scope.allocate(32);
    runtime.call("randomSeed", state, (BigInt(seed) << 16n) ^ 0x7e59n);
    const y = Float64Array.from({ length: data.n }, () => (runtime.call("randomUnit", state) < 0.5 ? -1 : 1));
    const { x, n, d } = data;
    return dataset({ x, y, shape: [n, d], name: data.name, ...(x instanceof Uint8Array ? { scale: data.scale } : {}) });
  } finally {
    scope.release();
  }
}

/** The largest K(x, x) that an input can have; null for real rows of any norm. */
async function largestDiagonal(
  kernel: Kernel,
  data: Dataset,
  known: boolean,
  runtime: Runtime,
): Promise<number | null> {
  const { d, scale } = data;
  const pixels = data.x instanceof Uint8Array;
  if (!known && !pixels) return null;
  const x = pixels ? new Uint8Array(d).fill(255) : new Float64Array(d).fill(1);
  const row = { n: 1, d, x, scale };
  return (await crossGram(kernel, row, row, { runtime })).values[0] ?? null;
}

const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);

/** Machines of all lambdas and both labelings on one set of rows. */
async function ridgeRows(
  runtime: Runtime,
  train: Dataset,
  test: Dataset,
  { lambdas, depth, delta, normalise, seed }: ReturnType<typeof resolve>,
  signal: AbortSignal | undefined,
): Promise<GeneralisationRow[]> {
  const kernel = ntk({ depth });
  const work = { runtime, signal };
  const gram = await GramMatrix.create(kernel, train, work);
  try {
    const rSquared = await largestDiagonal(kernel, train, normalise, runtime);
    const trace = gram.diagonal().reduce((sum, value) => sum + value, 0);
    const { values } = await crossGram(kernel, test, train, work);
    const rows: GeneralisationRow[] = [];
    for (const labels of LABELINGS) {
      const own = labels === "true" ? train : shuffledLabels(runtime, train, seed);
      const machines = await krrPath({ kernel, lambdas, gram }).fit(own, work);
      for (const [k, { alpha }] of machines.entries()) {
        const outputs = await gram.multiply(alpha, { signal });
        const tested = test.y.map((_, x) => dot(alpha, values.subarray(x * train.n, (x + 1) * train.n)));
        const norm = Math.sqrt(Math.max(0, dot(alpha, outputs)));
        const figures = { n: train.n, outputs, y: own.y, norm, trace, rSquared };
        // Random labels have nothing to do with the image: unseen rows are right half of the time, whatever is learned.
        const unseen = labels === "true" ? test.y : shuffledLabels(runtime, test, seed + 1).y;
        rows.push({
          ...{ n: train.n, labels, lambda: lambdas[k] ?? Number.NaN },
          ...{ trainError: errorRate(outputs, own.y), testError: errorRate(tested, unseen) },
          ...{ trainRisk: squaredRisk(outputs, own.y), testRisk: squaredRisk(tested, unseen) },
          bounds: [...ridgeBounds(figures, delta), marginBound(figures, delta)],
        });
      }
    }
    return rows;
  } finally {
    gram.dispose();
  }
}

/** Time and steps of the network: long enough to leave its start, short enough that most rows still push. */
const PATH = { loss: "hinge", learningRate: 0.5, steps: 60, lambda: 0.001 } as const;

async function networkRows(
  runtime: Runtime,
  train: Dataset,
  test: Dataset,
  { width, delta, seed }: ReturnType<typeof resolve>,
  signal: AbortSignal | undefined,
): Promise<GeneralisedNetwork[]> {
  const found: GeneralisedNetwork[] = [];
  for (const labels of LABELINGS) {
    const own = labels === "true" ? train : shuffledLabels(runtime, train, seed);
    const unseen = labels === "true" ? test : shuffledLabels(runtime, test, seed + 1);
    const x = new Float64Array((train.n + test.n) * train.d);
    x.set(train.x);
    x.set(test.x, train.x.length);
    const both = dataset({ x, y: [...own.y, ...unseen.y], shape: [train.n + test.n, train.d] });
    const path = await pathKernel(network({ widths: [width], seed }), own, both, { ...PATH, runtime, signal });
    const [seen, rest] = [path.outputs.subarray(0, train.n), path.outputs.subarray(train.n)];
    const errors = { trainError: errorRate(seen, own.y), testError: errorRate(rest, unseen.y) };
    found.push({ n: train.n, labels, ...errors, bound: pathKernelBound(path, own.y, delta) });
  }
  return found;
}

/** Runs the study. @throws TypeError, RangeError naming the argument, MemoryBudgetError, the signal's reason */
export async function generalisation(options: GeneralisationOptions = {}): Promise<GeneralisationResult> {
  const resolved = resolve(options);
  const { rows, tests, depth, delta, normalise, width, seed } = resolved;
  const runtime = await runtimeOf(options);
  const { signal, onProgress } = options;
  const all = await experimentData(options);
  const prepare = (data: Dataset) => (normalise ? normalised(data) : data);
  const test = prepare(draw(runtime, all.test, tests, seed, "test"));
  const found: GeneralisationRow[] = [];
  for (const [k, n] of rows.entries()) {
    onProgress?.({ stage: `ridge machines of ${n} rows`, done: k, total: rows.length + 1 });
    const train = prepare(draw(runtime, all.train, n, seed, "train"));
    found.push(...(await ridgeRows(runtime, train, test, resolved, signal)));
  }
  onProgress?.({ stage: "a network", done: rows.length, total: rows.length + 1 });
  const networks: GeneralisedNetwork[] = [];
  if (resolved.networkRows > 0) {
    // A network takes float64 rows here, so that both sets fit one another however they came.
    const few = normalised(draw(runtime, all.train, resolved.networkRows, seed, "train"));
    const seen = normalised(draw(runtime, all.test, Math.min(tests, 200), seed, "test"));
    networks.push(...(await networkRows(runtime, few, seen, resolved, signal)));
  }
  const settings = { data: all.train.name, tests: test.n, depth, delta, normalise, width, seed };
  return { experiment: "generalisation", settings, rows: found, networks };
}
