// Gradient flow of the squared loss in closed form: equation 8 is linear there, and on the eigenvectors of K = V S V' each
// direction goes its own way (dissertation 1.29; 2.32 with a ridge). No steps in time, any t, up to the machine it ends at.
// Not here: the decomposition (eigenvectors.ts), losses that are not quadratic (flow.ts, general-flow.ts).
import type { Dataset } from "../data/dataset.js";
import { crossGram, GramMatrix } from "../kernels/gram.js";
import { checkKernel, type Kernel } from "../kernels/kernel.js";
import { type Runtime, runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import { checkNumber, checkObject } from "../validate.js";
import { type EigenSystem, eigenvectors } from "./eigenvectors.js";
import { accuracyOf, checkData, type DynamicsData, type FlowRecord, labelsOf, type Outputs } from "./problem.js";

export interface SquaredFlowOptions extends DynamicsData, WorkOptions {
  /** lambda, >= 0; 0 is kernel regression. Default 0.001. */
  readonly lambda?: number | undefined;
  /** Weight w > 0 of each row's loss (1 in equation 8), or "mean" for 1 / n. Default "mean". */
  readonly weight?: number | "mean" | undefined;
}

interface FlowParts {
  readonly data: Dataset;
  readonly start: Outputs;
  readonly lambda: number;
  readonly weight: number;
  readonly system: EigenSystem;
  /** K(test, train), row-major. */
  readonly across: Float64Array;
  readonly testLabels: Float64Array | undefined;
}

/** The flow as a function of time. */
export class SquaredFlow {
  readonly lambda: number;
  /** w: 1 / n for "mean". */
  readonly weight: number;
  /**
   * Eigenvalues of K, n of them, largest first; what is within rounding of 0 (n 2^-52 of the largest) is 0. The flow's
   * rates are lambda + 2 w times these.
   */
  readonly eigenvalues: Float64Array;
  /** v_k'y and v_k'g_0 in the order of `eigenvalues`. */
  private readonly goal: Float64Array;
  private readonly first: Float64Array;
  private readonly order: Int32Array;

  /** For squaredFlow(). @internal */
  constructor(private readonly parts: FlowParts) {
    const { system, data, start } = parts;
    const { values } = system;
    this.lambda = parts.lambda;
    this.weight = parts.weight;
    this.order = Int32Array.from(values.keys()).sort((a, b) => values[b]! - values[a]!);
    const rounding = data.n * 2 ** -52 * Math.abs(values[this.order[0]!]!);
    this.eigenvalues = Float64Array.from(this.order, (k) => (values[k]! > rounding ? values[k]! : 0));
    this.goal = this.along(data.y);
    this.first = this.along(start.train);
  }

  /** V' b. */
  private along(b: Float64Array): Float64Array {
    const { vectors } = this.parts.system;
    const n = b.length;
    return Float64Array.from(this.order, (k) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += vectors[k * n + i]! * b[i]!;
      return sum;
    });
  }

  /** V c. */
  private combine(c: Float64Array): Float64Array {
    const { vectors } = this.parts.system;
    const n = c.length;
    const out = new Float64Array(n);
    this.order.forEach((k, at) => {
      const by = c[at]!;
      for (let i = 0; i < n; i++) out[i] = out[i]! + by * vectors[k * n + i]!;
    });
    return out;
  }

  /** Coefficients along the eigenvectors: da/dt = -lambda a - 2 w (e^(-lambda t) g_0 + s a - y), a_0 = 0. */
  private coordinates(t: number): Float64Array {
    const { lambda, weight } = this;
    const left = decay(lambda, t);
    return this.eigenvalues.map((s, k) => {
      if (s === 0) return 0;
      const rate = 2 * weight * s;
      return 2 * weight * (this.goal[k]! * share(lambda + rate, t) - left * this.first[k]! * share(rate, t));
    });
  }

  /**
   * alpha(t), n entries: g_t = e^(-lambda t) g_0 + sum_i alpha_i(t) K(., x_i). Where K is singular they are those of
   * least norm.
   * @param t >= 0, or Infinity
   * @throws TypeError, RangeError
   */
  coefficients(t: number): Float64Array {
    return this.combine(this.coordinates(checkTime(t)));
  }

  /** The machine at time t: g_t at training and test rows, the loss and its parts. @throws as coefficients() */
  at(t: number): FlowRecord {
    const { data, start, across, testLabels } = this.parts;
    const { lambda, weight, eigenvalues } = this;
    const own = this.coordinates(checkTime(t));
    const left = decay(lambda, t);
    // On the rows themselves nothing is divided by an eigenvalue.
    const along = eigenvalues.map((s, k) => {
      const rate = lambda + 2 * weight * s;
      return decay(rate, t) * this.first[k]! + 2 * weight * s * this.goal[k]! * (s === 0 ? 0 : share(rate, t));
    });
    const train = this.combine(along);
    const alpha = this.combine(own);
    const test = start.test.map((value, x) => {
      let sum = 0;
      for (let i = 0; i < data.n; i++) sum += across[x * data.n + i]! * alpha[i]!;
      return left * value + sum;
    });
    const loss = weight * train.reduce((sum, value, i) => sum + (value - data.y[i]!) ** 2, 0);
    const regulariser = 0.5 * own.reduce((sum, a, k) => sum + eigenvalues[k]! * a * a, 0);
    return {
      ...{ t, train, test, loss, regulariser, objective: lambda * regulariser + loss },
      accuracy: accuracyOf(train, data.y),
      testAccuracy: accuracyOf(test, testLabels),
    };
  }

  /**
   * Where the flow goes: ridge regression of the same lambda / w, (K + lambda / (2 w) I)^-1 y. For lambda = 0 kernel
   * regression, which fits y as far as K can and keeps g_0 where no coefficient reaches.
   */
  get limit(): FlowRecord {
    return this.at(Number.POSITIVE_INFINITY);
  }
}

/** e^(-rate t), 1 for rate 0 at any t. */
const decay = (rate: number, t: number) => (rate === 0 ? 1 : Math.exp(-rate * t));

/** (1 - e^(-rate t)) / rate, the integral of e^(-rate s) over [0, t]; rate > 0. */
const share = (rate: number, t: number) => -Math.expm1(-rate * t) / rate;

function checkTime(t: unknown): number {
  return t === Number.POSITIVE_INFINITY ? t : checkNumber("t", t, { min: 0 });
}

/** K(test, train), or nothing where there are no test rows. */
async function acrossOf(kernel: Kernel, data: Dataset, test: DynamicsData["test"], work: WorkOptions) {
  return test === undefined ? new Float64Array(0) : (await crossGram(kernel, test, data, work)).values;
}

/**
 * Gradient flow of equation 8 for the squared loss (y - z)^2 from g_0,
 *   dg_t(x)/dt = -lambda g_t(x) - 2 w sum_i (g_t(x_i) - y_i) K(x, x_i),
 * solved once for all times: with A = lambda I + 2 w K,
 *   g_t(X) = e^(-A t) g_0(X) + 2 w K A^-1 (I - e^(-A t)) y,
 * exact up to rounding, about n 2^-52 times the condition of A. It is the dissertation's equation 1.29 for lambda = 0 and
 * 2 w = eta, and the solution of its 2.32 for w = 1 / n, lambda = 2 zeta. descend() with learning rate eta is at time
 * eta k after k steps. Keeps three n x n matrices and takes about 8 n^3 multiply-adds: n up to some thousands.
 * @param train n rows with labels -1 / +1
 * @throws TypeError, RangeError naming the argument; MemoryBudgetError; the signal's reason
 */
export async function squaredFlow(
  kernel: Kernel,
  train: Dataset,
  options: SquaredFlowOptions = {},
): Promise<SquaredFlow> {
  const checked = checkKernel("kernel", kernel);
  checkObject("options", options);
  const { data, start } = checkData(train, options);
  const lambda = checkNumber("lambda", options.lambda ?? 0.001, { min: 0 });
  const { weight: given = "mean", test } = options;
  const weight = given === "mean" ? 1 / data.n : checkNumber("weight", given, { min: 0, open: true });
  const runtime: Runtime = await runtimeOf(options);
  const work = { signal: options.signal, onProgress: options.onProgress, runtime };
  const gram = await GramMatrix.create(checked, data, { ...work, storage: "float64" });
  try {
    const system = await eigenvectors(gram, work);
    const across = await acrossOf(checked, data, test, work);
    return new SquaredFlow({ data, start, lambda, weight, system, across, testLabels: labelsOf(test) });
  } finally {
    gram.dispose();
  }
}
