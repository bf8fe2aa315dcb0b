// Reports of attacks: aggregates, metadata, and their JSON form. Radii are printed rounded up: what is shown suffices.
// Not here: the attacks (attack.ts) and files of adversarial inputs (counterexamples.ts).
import type { Dataset } from "../../data/dataset.js";
import type { Machine } from "../../machines/machine.js";
import { NetworkModel } from "../../networks/model.js";
import { VERSION } from "../../version.js";
import type { Norm } from "../method.js";
import { epsilonGrid, type Summary, summarize } from "../report.js";
import { type AttackedSample, type AttackOptions, checkAttack } from "./attack.js";

export interface AttackReport {
  readonly samples: number;
  readonly correct: number;
  /** Correct over samples. */
  readonly accuracy: number;
  /** Correctly classified samples for which an adversarial input was found. */
  readonly attacked: number;
  /** Their radii. */
  readonly radius: Summary;
  /** Share of samples that are correct and have no adversarial input found within each radius: at most this is robust. */
  readonly robustAccuracy: readonly { readonly epsilon: number; readonly accuracy: number }[];
  readonly seconds: number;
  readonly method: string;
  readonly norm: Norm;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly perSample: readonly AttackedSample[];
}

/** The report of a list of samples, which need not be all that were asked for (`complete` in the metadata). */
export async function makeAttackReport(
  model: Machine | NetworkModel,
  data: Dataset,
  attacked: readonly AttackedSample[],
  options: AttackOptions,
  seconds: number,
  complete = true,
): Promise<AttackReport> {
  const { method, norm, domain, offset, ...plan } = checkAttack(options, data.d);
  const samples = attacked.length;
  const correct = attacked.filter((sample) => sample.correct);
  const radii = correct.flatMap(({ radius }) => (radius === null ? [] : [radius]));
  const withstood = correct.length - radii.length;
  const accuracyAt = (epsilon: number) =>
    (withstood + radii.filter((radius) => radius > epsilon).length) / Math.max(1, samples);
  return {
    samples,
    correct: correct.length,
    accuracy: samples === 0 ? 0 : correct.length / samples,
    attacked: radii.length,
    radius: summarize(radii),
    robustAccuracy: epsilonGrid(radii).map((epsilon) => ({ epsilon, accuracy: accuracyAt(epsilon) })),
    seconds,
    method,
    norm,
    metadata: {
      complete,
      ...(model instanceof NetworkModel
        ? { machine: "network", network: model.spec, offset: model.centred ? offset : "none" }
        : { machine: model.machine, kernel: model.kernel, trainingRows: model.rows.n }),
      parameters: model.parameters,
      data: data.name,
      scale: data.scale,
      domain: domain ? "[0, 1]" : "unbounded",
      ...plan,
      samples: options.samples ?? "all",
      evaluation: attacked[0]?.evaluation ?? "rigorous",
      dataHash: await data.hash(),
      trainingDataHash: model.dataHash,
      modelHash: await model.hash(),
      version: VERSION,
    },
    perSample: attacked,
  };
}

/** The report as indented JSON. Adversarial inputs are left out: writeCounterexamples() keeps them bit for bit. */
export function attackReportToJson(report: AttackReport): string {
  return `${JSON.stringify(report, (key, value) => (key === "adversarial" ? undefined : value), 2)}\n`;
}

/** A distance in `digits` significant digits, rounded up: a ball of the radius printed holds the adversarial input. */
export function formatDistance(distance: number, digits = 4): string {
  if (!(distance > 0)) return "0";
  const text = distance.toPrecision(digits);
  if (Number(text) >= distance) return text;
  const [mantissa = "", exponent = ""] = distance.toExponential(digits - 1).split("e");
  const next = Number(mantissa.replace(".", "")) + 1;
  return Number(`${next}e${Number(exponent) - digits + 1}`).toPrecision(digits);
}
