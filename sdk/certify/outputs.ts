// Certificates of outputs, for regression: the proved interval of g on a ball of given radius, and the largest radius found
// on which g stays within a distance of its value at the input. Not here: the bounds (bounds.ts), radii of decisions
// (certify.ts).
import type { Dataset } from "../data/dataset.js";
import { checkTargets } from "../data/dataset.js";
import { checkRows, type Machine } from "../machines/machine.js";
import { type RegressionFit, regressionFit } from "../machines/regression.js";
import { type Runtime, runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import { checkNumber, checkObject } from "../validate.js";
import { machineBounds } from "./bounds.js";
import { checkMachine, defaultBracket, type MachineMethod, type Threat } from "./method.js";
import { type Summary, summarize } from "./report.js";
import { chooseSamples, type Samples } from "./samples.js";

export interface CertifyOutputsOptions extends WorkOptions, Threat {
  /** Bound method. Default "best". */
  readonly method?: MachineMethod | undefined;
  /** Radius of the balls on which outputs are bounded, >= 0, in the units of the data. Give this, `within` or both. */
  readonly radius?: number | undefined;
  /** > 0: search the largest radius on which the output stays within this of its value at the input. */
  readonly within?: number | undefined;
  /** Largest radius tried, > 0. Default that of certify() for the norm: 1, sqrt(d), d; 0.3 for "interval". */
  readonly limit?: number | undefined;
  /** Relative width at which the search stops, in [1e-9, 0.5]. Default 1e-3. */
  readonly tolerance?: number | undefined;
  /** Which rows: "all", the first N, or N drawn with `seed`. Default "all". */
  readonly samples?: Samples | undefined;
  readonly seed?: number | undefined;
}

/** What is known of the output around one input. */
export interface OutputCertificate {
  readonly index: number;
  readonly target: number;
  /** g(x0), rounded to nearest. */
  readonly output: number;
  /** Proved ends of g on the ball of the radius asked for; infinite where the method has none, null when none was asked for. */
  readonly lower: number | null;
  readonly upper: number | null;
  /** Verified radius on which |g(x) - g(x0)| <= within; 0 when not even the input itself is that sure. */
  readonly radius: number | null;
}

export interface OutputReport extends RegressionFit {
  readonly samples: number;
  /** upper - lower of the samples that are bounded; null without a radius. */
  readonly width: Summary | null;
  /** Samples whose output the method does not bound on that ball. */
  readonly unbounded: number;
  /** Radii of the search; null without `within`. */
  readonly radius: Summary | null;
  readonly perSample: readonly OutputCertificate[];
  /** Wall time. */
  readonly seconds: number;
}

/**
 * Proved intervals of a machine's outputs, and radii on which they hardly move.
 * @throws TypeError, RangeError as machineBounds() and when neither `radius` nor `within` is given; the signal's reason
 */
export async function certifyOutputs(
  machine: Machine,
  data: Dataset,
  options: CertifyOutputsOptions,
): Promise<OutputReport> {
  checkObject("options", options);
  checkMachine("machine", machine);
  checkRows("data", data);
  checkTargets(data);
  const { radius, within, norm, method } = options;
  if (radius === undefined && within === undefined)
    throw new RangeError("radius: expected radius, within or both, got neither");
  if (radius !== undefined) checkNumber("radius", radius, { min: 0 });
  if (within !== undefined) checkNumber("within", within, { min: 0, open: true });
  const tolerance = checkNumber("tolerance", options.tolerance ?? 1e-3, { min: 1e-9, max: 0.5 });
  const [, most] = defaultBracket(method ?? "best", norm ?? "linf", data.d);
  const limit = checkNumber("limit", options.limit ?? most, { min: 0, open: true });
  const start = performance.now();
  const runtime = await runtimeOf(options);
  const work = { ...options, runtime };
  const indices = await chooseSamples(data.n, options.samples, options.seed, { runtime });
  const rows = data.subset(indices);
  const outputs = await machine.decisionFunction(rows, { runtime, signal: options.signal });
  const ends = radius === undefined ? undefined : await machineBounds(machine, rows, radius, work);
  const radii =
    within === undefined ? undefined : await new Search(runtime, machine, rows, within, limit, work).run(tolerance);
  const perSample = Array.from(
    indices,
    (index, k): OutputCertificate => ({
      index,
      target: rows.y[k] ?? Number.NaN,
      output: outputs[k] ?? Number.NaN,
      lower: ends?.lower[k] ?? null,
      upper: ends?.upper[k] ?? null,
      radius: radii?.[k] ?? null,
    }),
  );
  const widths = perSample.flatMap(({ lower, upper }) => (lower === null || upper === null ? [] : [upper - lower]));
  const bounded = widths.filter(Number.isFinite);
  return {
    samples: rows.n,
    ...regressionFit(rows.y, outputs),
    width: ends === undefined ? null : summarize(bounded),
    unbounded: widths.length - bounded.length,
    radius: radii === undefined ? null : summarize(Array.from(radii)),
    perSample,
    seconds: (performance.now() - start) / 1000,
  };
}

/** Steps down from the limit until one radius holds: further down there is nothing worth a name. */
const LEAST = 1e-12;

/** The search of all rows at once: each step bounds the open rows, every row at a radius of its own. */
class Search {
  constructor(
    private readonly runtime: Runtime,
    private readonly machine: Machine,
    private readonly rows: Dataset,
    private readonly within: number,
    private readonly limit: number,
    private readonly work: CertifyOutputsOptions,
  ) {}

  /** The largest radii that were verified, up to a relative `tolerance`. */
  async run(tolerance: number): Promise<Float64Array> {
    const { rows, limit } = this;
    const start = await machineBounds(this.machine, rows, 0, this.silent());
    const verified = new Float64Array(rows.n);
    const failed = new Float64Array(rows.n).fill(limit);
    const next = (k: number) => {
      const [low, high] = [verified[k] ?? 0, failed[k] ?? 0];
      return low > 0 ? (low + high) / 2 : high / 8;
    };
    let open = Array.from(rows.y.keys()).filter((k) => this.keeps(start, k, start.lower[k] ?? 0, start.upper[k] ?? 0));
    let radii = open.map(() => limit);
    while (open.length > 0) {
      const { lower, upper } = await machineBounds(this.machine, rows.subset(open), radii, this.silent());
      open.forEach((k, at) => {
        const holds = this.keeps(start, k, lower[at] ?? Number.NaN, upper[at] ?? Number.NaN);
        (holds ? verified : failed)[k] = radii[at] ?? 0;
      });
      open = open.filter((k) => {
        const [low, high] = [verified[k] ?? 0, failed[k] ?? 0];
        return high - low > tolerance * high && high > LEAST * limit;
      });
      radii = open.map(next);
      this.work.signal?.throwIfAborted();
      this.work.onProgress?.({ stage: "certifying", done: rows.n - open.length, total: rows.n });
    }
    return verified;
  }

  private silent(): CertifyOutputsOptions {
    return { ...this.work, onProgress: undefined };
  }

  /** Whether ends of g on a ball prove |g(x) - g(x0)| <= within, where g(x0) lies between `start`'s; rounded outward. */
  private keeps(
    start: { readonly lower: Float64Array; readonly upper: Float64Array },
    k: number,
    lower: number,
    upper: number,
  ): boolean {
    const above = this.runtime.call("nextUp", upper - (start.lower[k] ?? Number.NaN));
    const below = this.runtime.call("nextUp", (start.upper[k] ?? Number.NaN) - lower);
    return above <= this.within && below <= this.within;
  }
}
