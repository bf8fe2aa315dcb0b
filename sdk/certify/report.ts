// Reports of certification: aggregates and metadata. Not here: the forms they are written in (report-file.ts), terminal
// tables (the command line's) and the certificates themselves (certify.ts).
import type { Dataset } from "../data/dataset.js";
import { describeKernel } from "../kernels/kernel.js";
import type { Machine } from "../machines/machine.js";
import { NetworkModel } from "../networks/model.js";
import { VERSION } from "../version.js";
import { attackPlan } from "./beside.js";
import type { Certificate, CertifyOptions } from "./certify.js";
import { defaultBracket, defaultTolerance, type Norm, offsetOf } from "./method.js";
import { countSamples } from "./samples.js";

/** Figures of a list of numbers; std is that of the population. All NaN-free: null for an empty list. */
export interface Summary {
  readonly mean: number | null;
  readonly std: number | null;
  readonly median: number | null;
  readonly min: number | null;
  readonly max: number | null;
}

/** Share of samples at each radius of a grid. */
export type AccuracyCurve = readonly { readonly epsilon: number; readonly accuracy: number }[];

/** What an attack found beside the certificates of the correctly classified samples. */
export interface AttackFigures {
  /** Correctly classified samples for which an adversarial input was found. */
  readonly found: number;
  /** Their distances. */
  readonly radius: Summary;
  /** Share of samples that are correct and have no adversarial input within each radius: at most so many are robust. */
  readonly robustAccuracy: AccuracyCurve;
  /** Certified over attacked radius: 1 is exact. */
  readonly ratio: Summary;
  /** The ten smallest ratios, smallest first: where certificate and attack leave most unknown. */
  readonly worst: readonly {
    readonly index: number;
    readonly radius: number;
    readonly attackRadius: number;
    readonly ratio: number;
  }[];
}

/** What follows from the certificates alone. */
export interface ReportFigures {
  readonly samples: number;
  readonly correct: number;
  /** Correct over samples. */
  readonly accuracy: number;
  /** Radii of the correctly classified samples. */
  readonly radius: Summary;
  /** Share of samples that are correct and certified at each radius. */
  readonly certifiedAccuracy: AccuracyCurve;
  /** Absent when nothing was attacked. */
  readonly attack?: AttackFigures;
}

/** A certificate as it is kept in a file, where wall times are left out unless they were asked for. */
export type SavedCertificate = Omit<Certificate, "seconds" | "adversarial"> & { readonly seconds?: number };

/** What was certified and how: the same for every part of a report. */
export interface ReportHeader {
  readonly method: string;
  readonly norm: Norm;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** A report as it is kept in a file. The same run gives the same bytes: it has no wall times unless they were asked for. */
export interface SavedReport extends ReportFigures, ReportHeader {
  readonly seconds?: number;
  readonly perSample: readonly SavedCertificate[];
}

export interface Report extends SavedReport {
  /** Wall time; of a merged report the sum over its parts. */
  readonly seconds: number;
  readonly perSample: readonly Certificate[];
}

/** Figures of `values`. */
export function summarize(values: readonly number[]): Summary {
  const n = values.length;
  if (n === 0) return { mean: null, std: null, median: null, min: null, max: null };
  const sorted = [...values].sort((a, b) => a - b);
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n;
  const middle = ((sorted[(n - 1) >> 1] ?? 0) + (sorted[n >> 1] ?? 0)) / 2;
  return { mean, std: Math.sqrt(variance), median: middle, min: sorted[0] ?? 0, max: sorted[n - 1] ?? 0 };
}

/** A grid of radii that shows the fall of certified accuracy: ten steps up to the largest radius, rounded to 1-2-5. */
export function epsilonGrid(radii: readonly number[]): number[] {
  const largest = radii.reduce((max, value) => Math.max(max, value), 0);
  // Steps of a smaller one would vanish.
  if (largest < 1e-290) return [0];
  const rough = largest / 10;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  return Array.from({ length: Math.floor(largest / step) + 2 }, (_, k) => Number((k * step).toPrecision(12)));
}

/** How many samples are named as the worst. */
const WORST = 10;

function attackFigures(samples: number, correct: readonly SavedCertificate[], grid: readonly number[]): AttackFigures {
  const found = correct.flatMap(({ index, radius, attackRadius, ratio }) =>
    typeof attackRadius === "number" && typeof ratio === "number" ? [{ index, radius, attackRadius, ratio }] : [],
  );
  const robustAt = (epsilon: number) => correct.length - found.filter((own) => own.attackRadius <= epsilon).length;
  return {
    found: found.length,
    radius: summarize(found.map(({ attackRadius }) => attackRadius)),
    robustAccuracy: grid.map((epsilon) => ({ epsilon, accuracy: robustAt(epsilon) / Math.max(1, samples) })),
    ratio: summarize(found.map(({ ratio }) => ratio)),
    worst: [...found].sort((a, b) => a.ratio - b.ratio || a.index - b.index).slice(0, WORST),
  };
}

/** What certificates amount to. */
export function reportFigures(certificates: readonly SavedCertificate[]): ReportFigures {
  const samples = certificates.length;
  const correct = certificates.filter((certificate) => certificate.correct);
  const radii = correct.map(({ radius }) => radius);
  const accuracyAt = (epsilon: number) => radii.filter((radius) => radius >= epsilon).length / Math.max(1, samples);
  const attacked = certificates.some(({ attackRadius }) => attackRadius !== undefined);
  const grid = epsilonGrid([...radii, ...correct.map(({ attackRadius }) => attackRadius ?? 0)]);
  return {
    samples,
    correct: correct.length,
    accuracy: samples === 0 ? 0 : correct.length / samples,
    radius: summarize(radii),
    certifiedAccuracy: grid.map((epsilon) => ({ epsilon, accuracy: accuracyAt(epsilon) })),
    ...(attacked ? { attack: attackFigures(samples, correct, grid) } : {}),
  };
}

/** The report of a list of certificates, which need not be all that were asked for (`complete` in the metadata). */
export async function makeReport(
  machine: Machine | NetworkModel,
  data: Dataset,
  certificates: readonly Certificate[],
  options: CertifyOptions,
  seconds: number,
  complete = true,
): Promise<Report> {
  const header = await describeRun(machine, data, options, complete);
  return { ...reportFigures(certificates), seconds, ...header, perSample: certificates };
}

async function describeRun(
  machine: Machine | NetworkModel,
  data: Dataset,
  options: CertifyOptions,
  complete: boolean,
): Promise<ReportHeader> {
  const method = options.method ?? (machine instanceof NetworkModel ? "ibp" : "interval");
  const [low, high] = options.bracket ?? defaultBracket(method, options.norm ?? "linf", data.d);
  const { shard } = options;
  return {
    method,
    norm: options.norm ?? "linf",
    metadata: {
      complete,
      ...(shard === undefined ? {} : { shard: { ...shard, of: countSamples(data.n, options.samples) } }),
      ...modelMetadata(machine, options),
      data: data.name,
      scale: data.scale,
      domain: options.domain === true ? "[0, 1]" : "unbounded",
      // Named only where not every entry may change, so that other reports keep their bytes.
      ...(options.movable === undefined || options.movable === data.d ? {} : { movable: options.movable }),
      bracket: [low, high],
      tolerance: options.tolerance ?? defaultTolerance(options.method),
      timeLimit: options.timeLimit ?? null,
      ...(options.attack === undefined || options.attack === false ? {} : { attack: attackPlan(options, data.d) }),
      samples: options.samples ?? "all",
      seed: options.seed ?? 0,
      soundness: options.soundness ?? "rigorous-f64",
      arithmetic:
        options.soundness === "estimate-f64"
          ? "float64, rounded to nearest: estimates, not proofs"
          : "float64, rounded outward, from exact integers where the data is 8-bit",
      dataHash: await data.hash(),
      trainingDataHash: machine.dataHash,
      modelHash: await machine.hash(),
      version: VERSION,
    },
  };
}

/** What a report says of the model and of what was proved about it. */
function modelMetadata(machine: Machine | NetworkModel, { method }: CertifyOptions): Record<string, unknown> {
  if (machine instanceof NetworkModel) {
    const frozen = offsetOf(method) === "frozen";
    return {
      model: machine.describe(),
      machine: "network",
      parameters: machine.parameters,
      network: machine.spec,
      loss: machine.loss,
      offset: !machine.centred ? "none" : frozen ? "f0(x0), frozen at the centre" : "f0(x), true difference",
      statement: `every real x in the ball keeps the sign of f(x)${!machine.centred ? "" : frozen ? " - f0(x0)" : " - f0(x)"}, for exactly the stored weights`,
    };
  }
  return {
    model: `${machine.machine}, ${describeKernel(machine.kernel)}, ${machine.rows.n} rows`,
    machine: machine.machine,
    parameters: machine.parameters,
    kernel: machine.kernel,
    trainingRows: machine.rows.n,
    statement: "every real x in the ball keeps the sign of g, for exactly the stored coefficients and rows",
  };
}
