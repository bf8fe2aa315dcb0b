// Reports of certification: aggregates, metadata, and the forms they are written in (JSON, TSV). Radii are printed
// rounded down. Not here: terminal tables (the command line's) and the certificates themselves (certify.ts).
import type { Dataset } from "../data/dataset.js";
import type { Machine } from "../machines/machine.js";
import { NetworkModel } from "../networks/model.js";
import { VERSION } from "../version.js";
import type { Certificate, CertifyOptions } from "./certify.js";
import { defaultBracket, defaultTolerance, type Norm } from "./method.js";

/** Figures of a list of numbers; std is that of the population. All NaN-free: null for an empty list. */
export interface Summary {
  readonly mean: number | null;
  readonly std: number | null;
  readonly median: number | null;
  readonly min: number | null;
  readonly max: number | null;
}

export interface Report {
  readonly samples: number;
  readonly correct: number;
  /** Correct over samples. */
  readonly accuracy: number;
  /** Radii of the correctly classified samples. */
  readonly radius: Summary;
  /** Share of samples that are correct and certified at each radius. */
  readonly certifiedAccuracy: readonly { readonly epsilon: number; readonly accuracy: number }[];
  readonly seconds: number;
  readonly method: string;
  readonly norm: Norm;
  readonly metadata: Readonly<Record<string, unknown>>;
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
  if (largest === 0) return [0];
  const rough = largest / 10;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  return Array.from({ length: Math.floor(largest / step) + 2 }, (_, k) => Number((k * step).toPrecision(12)));
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
  const samples = certificates.length;
  const correct = certificates.filter((certificate) => certificate.correct);
  const radii = correct.map(({ radius }) => radius);
  const accuracyAt = (epsilon: number) => radii.filter((radius) => radius >= epsilon).length / Math.max(1, samples);
  const method = options.method ?? (machine instanceof NetworkModel ? "ibp" : "interval");
  const [low, high] = options.bracket ?? defaultBracket(method, options.norm ?? "linf", data.d);
  return {
    samples,
    correct: correct.length,
    accuracy: samples === 0 ? 0 : correct.length / samples,
    radius: summarize(radii),
    certifiedAccuracy: epsilonGrid(radii).map((epsilon) => ({ epsilon, accuracy: accuracyAt(epsilon) })),
    seconds,
    method,
    norm: options.norm ?? "linf",
    metadata: {
      complete,
      ...modelMetadata(machine, options),
      data: data.name,
      scale: data.scale,
      domain: options.domain === true ? "[0, 1]" : "unbounded",
      bracket: [low, high],
      tolerance: options.tolerance ?? defaultTolerance(options.method),
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
    perSample: certificates,
  };
}

/** What a report says of the model and of what was proved about it. */
function modelMetadata(machine: Machine | NetworkModel, { method }: CertifyOptions): Record<string, unknown> {
  if (machine instanceof NetworkModel) {
    const frozen = method !== "ibp-difference";
    return {
      machine: "network",
      parameters: machine.parameters,
      network: machine.spec,
      loss: machine.loss,
      offset: !machine.centred ? "none" : frozen ? "f0(x0), frozen at the centre" : "f0(x), true difference",
      statement: `every real x in the ball keeps the sign of f(x)${!machine.centred ? "" : frozen ? " - f0(x0)" : " - f0(x)"}, for exactly the stored weights`,
    };
  }
  return {
    machine: machine.machine,
    parameters: machine.parameters,
    kernel: machine.kernel,
    trainingRows: machine.rows.n,
    statement: "every real x in the ball keeps the sign of g, for exactly the stored coefficients and rows",
  };
}

/** A radius in `digits` significant digits, rounded down: what is printed is still certified. */
export function formatRadius(radius: number, digits = 4): string {
  if (!(radius > 0)) return "0";
  let text = radius.toPrecision(digits);
  if (Number(text) > radius) {
    const ulp = 10 ** (Math.floor(Math.log10(radius)) - digits + 1);
    text = (Math.floor(radius / ulp - 1e-9) * ulp).toPrecision(digits);
    if (Number(text) > radius) text = (Number(text) - ulp).toPrecision(digits);
  }
  return text;
}

const COLUMNS = ["index", "label", "prediction", "decision", "radius", "correct", "verdict", "seconds"] as const;

/** One line a sample, tab-separated, with a header line. */
export function reportToTsv({ perSample }: Report): string {
  const lines = perSample.map((certificate) => COLUMNS.map((column) => String(certificate[column])).join("\t"));
  return `${[COLUMNS.join("\t"), ...lines].join("\n")}\n`;
}

/** The report as indented JSON. */
export function reportToJson(report: Report): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}
