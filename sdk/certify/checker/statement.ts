// What a report says apart from its radii, held against model and data: what was certified, which rows, their labels, and
// the figures that follow from the samples, computed again here. Not here: the radii (check.ts).
import type { Dataset } from "../../data/dataset.js";
import type { Machine } from "../../machines/machine.js";
import type { NetworkModel } from "../../networks/model.js";
import type { Runtime } from "../../runtime/runtime.js";
import type { CertifyOptions } from "../certify.js";
import type { Method } from "../method.js";
import { makeReport, type SavedCertificate, type SavedReport, type Summary } from "../report.js";
import { chooseSamples } from "../samples.js";

function text(value: unknown): string {
  const json = JSON.stringify(value) ?? "nothing";
  return json.length > 90 ? `${json.slice(0, 87)}...` : json;
}

/** The options that a report says it was made with. */
export function optionsOf({ method, norm, metadata }: SavedReport): CertifyOptions {
  const { domain, bracket, tolerance, timeLimit, soundness, samples, seed, shard } = metadata as unknown as Omit<
    CertifyOptions,
    "domain"
  > & { readonly domain: unknown };
  return {
    method: method as Method,
    norm,
    domain: domain === "[0, 1]",
    bracket,
    tolerance,
    // Written as null where there was none.
    timeLimit: timeLimit ?? undefined,
    soundness,
    samples,
    seed,
    shard: shard === undefined ? undefined : { index: shard.index, count: shard.count },
  };
}

/** Fields that depend on where the data came from, or on choices that prove nothing. */
const FREE = new Set(["data", "attack"]);

/** Everything that the same run would write of itself, but for names of files. */
export async function checkHeader(
  report: SavedReport,
  machine: Machine | NetworkModel,
  data: Dataset,
): Promise<string[]> {
  const { metadata } = report;
  if (metadata.soundness !== "rigorous-f64")
    return [`metadata.soundness: expected "rigorous-f64", got ${text(metadata.soundness)}: estimates prove nothing`];
  const again = await makeReport(machine, data, [], optionsOf(report), 0, metadata.complete === true);
  const faults: string[] = [];
  for (const [name, expected] of Object.entries(again.metadata)) {
    if (FREE.has(name) || text(expected) === text(metadata[name])) continue;
    faults.push(`metadata.${name}: expected ${text(expected)} for this model and data, got ${text(metadata[name])}`);
  }
  return faults;
}

/** Each chosen row once and in order; of an interrupted run the first of them. */
export async function checkRowsOf(report: SavedReport, data: Dataset, runtime?: Runtime): Promise<string[]> {
  const { samples, seed, shard } = optionsOf(report);
  const chosen = await chooseSamples(data.n, samples, seed, { runtime, shard });
  const faults: string[] = [];
  const seen = new Set<number>();
  for (const { index } of report.perSample) {
    if (seen.has(index)) faults.push(`perSample: row ${index} is there twice`);
    seen.add(index);
  }
  const expected = new Set(chosen);
  for (const index of seen) if (!expected.has(index)) faults.push(`perSample: row ${index} was not to be certified`);
  const count = report.metadata.complete === true ? chosen.length : report.perSample.length;
  for (const index of chosen.subarray(0, count))
    if (!seen.has(index)) faults.push(`perSample: row ${index} is missing`);
  const ordered = report.perSample.every(({ index }, k) => k === 0 || index > (report.perSample[k - 1]?.index ?? -1));
  if (!ordered && faults.length === 0) faults.push("perSample: rows are not in order");
  return faults;
}

/** Label, and what follows from it and the prediction; without the row. */
export function checkVerdict(sample: SavedCertificate, data: Dataset): string[] {
  const { index, label, prediction, radius, correct, verdict, attackRadius, ratio } = sample;
  const faults: string[] = [];
  const expect = (name: string, expected: unknown, got: unknown) => {
    if (got !== expected) faults.push(`${name}: expected ${text(expected)}, got ${text(got)}`);
  };
  expect("label", data.y[index], label);
  expect("correct", prediction === label, correct);
  expect("verdict", prediction === 0 ? "abstained" : correct ? "certified" : "misclassified", verdict);
  if (prediction === 0) expect("radius", 0, radius);
  if (typeof attackRadius !== "number") return faults;
  if (!(attackRadius >= radius)) faults.push(`attackRadius: ${attackRadius} is below the certified radius ${radius}`);
  if (typeof ratio === "number") expect("ratio", radius / attackRadius, ratio);
  return faults;
}

/** Mean, deviation and order statistics, computed again. */
function figures(values: readonly number[]): Summary {
  if (values.length === 0) return { mean: null, std: null, median: null, min: null, max: null };
  const sorted = values.slice().sort((a, b) => a - b);
  const at = (k: number) => sorted[k] as number;
  let mean = 0;
  for (const value of sorted) mean += value / sorted.length;
  let variance = 0;
  for (const value of sorted) variance += (value - mean) ** 2 / sorted.length;
  const middle = sorted.length / 2;
  const median = sorted.length % 2 === 1 ? at(Math.floor(middle)) : (at(middle - 1) + at(middle)) / 2;
  return { mean, std: Math.sqrt(variance), median, min: at(0), max: at(sorted.length - 1) };
}

/** Sums in another order differ by roundings, and deviations by those of their squares. */
function close(name: string, expected: number | null, got: unknown, size: number): string[] {
  const same =
    expected === null || typeof got !== "number" ? got === expected : Math.abs(got - expected) <= 1e-9 * size;
  return same ? [] : [`${name}: the samples give ${text(expected)}, got ${text(got)}`];
}

function checkSummary(name: string, values: readonly number[], got: Summary | undefined): string[] {
  const expected = figures(values);
  const names = ["mean", "std", "median", "min", "max"] as const;
  return names.flatMap((key) => close(`${name}.${key}`, expected[key], got?.[key], Math.abs(expected.max ?? 1)));
}

/** The aggregates of a report, computed again from its samples. */
export function checkFigures(report: SavedReport): string[] {
  const { perSample, certifiedAccuracy, attack } = report;
  const count = perSample.length;
  const correct = perSample.filter((sample) => sample.correct);
  const share = (holds: (sample: SavedCertificate) => boolean) => correct.filter(holds).length / Math.max(1, count);
  const faults = [
    ...close("samples", count, report.samples, 0),
    ...close("correct", correct.length, report.correct, 0),
    ...close("accuracy", count === 0 ? 0 : correct.length / count, report.accuracy, 0),
    ...checkSummary(
      "radius",
      correct.map(({ radius }) => radius),
      report.radius,
    ),
    ...(Array.isArray(certifiedAccuracy) && certifiedAccuracy[0]?.epsilon === 0
      ? []
      : ["certifiedAccuracy: expected a curve from epsilon 0"]),
    ...(certifiedAccuracy ?? []).flatMap(({ epsilon, accuracy }, k) =>
      close(
        `certifiedAccuracy[${k}] at ${epsilon}`,
        share(({ radius }) => radius >= epsilon),
        accuracy,
        1,
      ),
    ),
  ];
  const found = correct.filter(({ attackRadius }) => typeof attackRadius === "number");
  const attacked = (sample: SavedCertificate) => sample.attackRadius as number;
  if (attack === undefined) return found.length === 0 ? faults : [...faults, "attack: its figures are missing"];
  const ratio = (sample: SavedCertificate) => sample.radius / attacked(sample);
  return [
    ...faults,
    ...close("attack.found", found.length, attack.found, 0),
    ...checkSummary("attack.radius", found.map(attacked), attack.radius),
    ...checkSummary("attack.ratio", found.map(ratio), attack.ratio),
    ...attack.robustAccuracy.flatMap(({ epsilon, accuracy }, k) =>
      close(
        `attack.robustAccuracy[${k}] at ${epsilon}`,
        share((sample) => !(typeof sample.attackRadius === "number" && sample.attackRadius <= epsilon)),
        accuracy,
        1,
      ),
    ),
  ];
}
