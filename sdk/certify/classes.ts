// Certificates of machines for several classes: the largest ball found on which the class decided for keeps the largest
// output, or the most votes. Each difference g_c - g_j, or the machine of the pair c and j, is bounded as one kernel
// machine; bounding outputs apart would be loose, and looking at the runner-up alone unsound, because another class may
// overtake inside the ball. A class that wins all its pairs has more votes than any other can have, each of which lost one.
// Not here: bounds of one machine (bounds.ts), the search (certify.ts), a few radii without one (class-radii.ts), classes
// that do not win all pairs (votes.ts).
import type { ClassSet } from "../data/classes.js";
import type { Dataset } from "../data/dataset.js";
import { checkSameColumns } from "../kernels/rows.js";
import { checkRows, type Machine } from "../machines/machine.js";
import { classPairs, PairMachine } from "../machines/one-vs-one.js";
import { ClassMachine } from "../machines/one-vs-rest.js";
import { runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import { checkNumber, checkObject, describe } from "../validate.js";
import { machineBounds } from "./bounds.js";
import { type CertifyOptions, certifySamples } from "./certify.js";
import type { MachineMethod, Threat } from "./method.js";
import { type AccuracyCurve, epsilonGrid, type Summary, summarize } from "./report.js";
import { chooseSamples, type Samples } from "./samples.js";
import { votesRadius } from "./votes.js";

export interface CertifyClassesOptions extends WorkOptions, Threat, Pick<CertifyOptions, "bracket" | "tolerance"> {
  /** Bound method. Default "best". */
  readonly method?: MachineMethod | undefined;
  /** Which rows: "all", the first N, or N drawn with `seed`. Default "all". */
  readonly samples?: Samples | undefined;
  readonly seed?: number | undefined;
  /** Radii at which certified accuracy is reported. Default: a grid up to the largest radius. */
  readonly radii?: readonly number[] | undefined;
  /**
   * Whether each sample's radius is searched for. Default true. With false only the `radii` asked for, all > 0, are proved
   * or not, from the smallest on and by the cheapest bound first, which is what machines of many rows have time for: the
   * radius of a sample is then the largest of them that was proved, 0 where none was.
   */
  readonly search?: boolean | undefined;
}

/** What is known of one input. */
export interface ClassCertificate {
  readonly index: number;
  /** Class of the row, and the one decided for. */
  readonly label: number;
  readonly prediction: number;
  /** The class that limits the radius; where the radius is one of votes, the class with the smallest margin. */
  readonly rival: number;
  /** g_c - g_rival, or the output of that pair's machine, rounded to nearest. */
  readonly margin: number;
  /** Verified radius; 0 when not even the decision at the input itself is proved. */
  readonly radius: number;
  readonly correct: boolean;
}

export interface ClassReport {
  readonly samples: number;
  readonly correct: number;
  readonly accuracy: number;
  /** Radii of the correctly classified samples. */
  readonly radius: Summary;
  /** Share of samples that are correct and certified at each radius. */
  readonly certifiedAccuracy: AccuracyCurve;
  readonly perSample: readonly ClassCertificate[];
  /** Wall time. */
  readonly seconds: number;
}

/** A sample while the classes are gone through. */
interface Open {
  readonly index: number;
  readonly label: number;
  readonly prediction: number;
  /** Margins over each class at the input. */
  readonly margins: Float64Array;
  radius: number;
  rival: number;
}

/**
 * Certified radii of the decisions of a machine for several classes, and what they amount to.
 * @throws TypeError, RangeError, the signal's reason
 */
export async function certifyClasses(
  machine: ClassMachine | PairMachine,
  data: ClassSet,
  options: CertifyClassesOptions = {},
): Promise<ClassReport> {
  checkObject("options", options);
  if (!(machine instanceof ClassMachine || machine instanceof PairMachine))
    throw new TypeError(`machine: expected what oneVsRest() or oneVsOne() trains, got ${describe(machine)}`);
  checkRows("data", data);
  if (!(data.labels instanceof Int32Array))
    throw new TypeError(`data: expected a set of several classes (see classSet()), got ${describe(data)}`);
  checkSameColumns("data", machine.rows, data);
  const fixed = fixedRadii(machine, options);
  const start = performance.now();
  const runtime = await runtimeOf(options);
  const work = { ...options, runtime };
  const indices = await chooseSamples(data.n, options.samples, options.seed, { runtime });
  const chosen = data.subset(indices);
  const many = machine.classes.length;
  const { predictions, margins } = await machine.decide(chosen, { runtime, signal: options.signal });
  const open = Array.from(predictions, (prediction, k): Open => {
    const own = margins.subarray(k * many, (k + 1) * many);
    const [index, label] = [indices[k] ?? 0, chosen.labels[k] ?? 0];
    return { index, label, prediction, margins: own, radius: Number.NaN, rival: nearestOf(own, prediction) };
  });
  if (fixed === undefined) await new Judge(machine, chosen, open, work).all();
  else await (await import("../rare.js")).proveRadii(machine as ClassMachine, chosen, open, fixed, work);
  const perSample = open.map(({ index, label, prediction, margins: own, radius, rival }) => {
    return { index, label, prediction, rival, margin: own[rival] ?? 0, radius, correct: prediction === label };
  });
  return reportOf(perSample, options.radii, (performance.now() - start) / 1000);
}

/** The radii to be proved where none is searched for. @throws TypeError, RangeError */
function fixedRadii(
  machine: ClassMachine | PairMachine,
  { search = true, radii }: CertifyClassesOptions,
): readonly number[] | undefined {
  if (typeof search !== "boolean") throw new TypeError(`search: expected true or false, got ${describe(search)}`);
  if (search) return undefined;
  if (machine instanceof PairMachine) throw new RangeError("search: expected true for pairs of classes, got false");
  if (!Array.isArray(radii) || radii.length === 0)
    throw new TypeError(`radii: expected at least one number where nothing is searched, got ${describe(radii)}`);
  return radii.map((radius, k) => checkNumber(`radii[${k}]`, radius, { min: 0, open: true }));
}

/** The class over which the margin is smallest. */
function nearestOf(margins: Float64Array, own: number): number {
  let best = own === 0 ? 1 : 0;
  margins.forEach((value, c) => {
    if (c !== own && value < (margins[best] ?? 0)) best = c;
  });
  return best;
}

function reportOf(
  perSample: readonly ClassCertificate[],
  radii: readonly number[] | undefined,
  seconds: number,
): ClassReport {
  const correct = perSample.filter((certificate) => certificate.correct);
  const own = correct.map(({ radius }) => radius);
  const share = (count: number) => count / Math.max(1, perSample.length);
  return {
    samples: perSample.length,
    correct: correct.length,
    accuracy: share(correct.length),
    radius: summarize(own),
    certifiedAccuracy: (radii ?? epsilonGrid(own)).map((epsilon) => ({
      epsilon,
      accuracy: share(own.filter((radius) => radius >= epsilon && radius > 0).length),
    })),
    perSample,
    seconds,
  };
}

/** Goes through the pairs of classes: first each sample's runner-up, whose radius the other classes then have to keep. */
class Judge {
  private done = 0;
  private readonly total: number;

  constructor(
    private readonly machine: ClassMachine | PairMachine,
    private readonly data: ClassSet,
    private readonly open: readonly Open[],
    private readonly work: CertifyClassesOptions,
  ) {
    this.total = open.length * (machine.classes.length - 1);
  }

  async all(): Promise<void> {
    const many = this.machine.classes.length;
    const runnersUp = this.open.map(({ rival }) => rival);
    for (let c = 0; c < many; c++)
      for (let j = 0; j < many; j++)
        await this.search(
          c,
          j,
          this.where((s, k) => s.prediction === c && runnersUp[k] === j),
        );
    for (let c = 0; c < many; c++)
      for (let j = 0; j < many; j++) {
        if (c !== j)
          await this.keep(
            c,
            j,
            this.where((s, k) => s.prediction === c && runnersUp[k] !== j),
          );
      }
    // Winning all pairs is not needed for the most votes.
    if (this.machine instanceof PairMachine) await this.votes(this.where(({ radius }) => radius === 0));
  }

  /** Radii by votes of the samples listed, from the radii of all pairs. */
  private async votes(list: readonly number[]): Promise<void> {
    if (list.length === 0) return;
    const many = this.machine.classes.length;
    const radii = list.map(() => new Float64Array(many * many));
    for (const [a, b] of classPairs(many)) {
      let at = 0;
      for await (const { prediction, radius } of certifySamples(
        this.machine.difference(a, b),
        this.rows(list),
        this.options(),
      )) {
        const [winner, loser] = prediction > 0 ? [a, b] : [b, a];
        const own = radii[at++];
        if (own !== undefined && prediction !== 0) own[winner * many + loser] = radius;
      }
      this.work.signal?.throwIfAborted();
    }
    list.forEach((k, at) => {
      const sample = this.open[k] as Open;
      sample.radius = votesRadius(sample.prediction, many, radii[at] ?? new Float64Array());
    });
  }

  private options(): CertifyOptions {
    const { runtime, signal, norm, domain, bracket, tolerance, method = "best" } = this.work;
    return { runtime, signal, norm, domain, bracket, tolerance, method };
  }

  private where(holds: (sample: Open, k: number) => boolean): number[] {
    return Array.from(this.open.keys()).filter((k) => holds(this.open[k] as Open, k));
  }

  private rows(list: readonly number[]): Dataset {
    return this.data.subset(list).against(0);
  }

  private progress(count: number): void {
    this.done += count;
    this.work.signal?.throwIfAborted();
    this.work.onProgress?.({ stage: "certifying", done: this.done, total: this.total });
  }

  /** The radius within which c stays above j, for the samples listed; theirs where it is smaller. */
  private async search(c: number, j: number, list: readonly number[], difference?: Machine): Promise<void> {
    if (list.length === 0) return;
    let at = 0;
    for await (const certificate of certifySamples(
      difference ?? this.machine.difference(c, j),
      this.rows(list),
      this.options(),
    )) {
      const sample = this.open[list[at++] ?? 0] as Open;
      const radius = certificate.prediction > 0 ? certificate.radius : 0;
      if (radius >= sample.radius) continue;
      sample.radius = radius;
      sample.rival = j;
    }
    this.progress(list.length);
  }

  /** The same where one bound at the radius known already does not show it. */
  private async keep(c: number, j: number, list: readonly number[]): Promise<void> {
    if (list.length === 0) return;
    const { runtime, signal, norm, domain, method = "best" } = this.work;
    const difference = this.machine.difference(c, j);
    const radii = list.map((k) => (this.open[k] as Open).radius);
    const { lower } = await machineBounds(difference, this.rows(list), radii, {
      runtime,
      signal,
      norm,
      domain,
      method,
    });
    const failed = list.filter((_, k) => !((lower[k] ?? 0) > 0));
    this.progress(list.length - failed.length);
    await this.search(c, j, failed, difference);
  }
}
