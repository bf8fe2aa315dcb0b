// What the terminal shows of a report of certificates. Not here: the figures themselves (the SDK).
import { type AttackFigures, formatDistance, type SavedCertificate, type SavedReport } from "ntkit";
import { alignRows, count, percent, percentDown, percentUp, radius, scientific, seconds, textTable } from "./table.js";

/** Up to this many samples are listed without being asked for. */
export const LISTED = 20;

const NORM_TEXT = { linf: "l-inf", l2: "l2", l1: "l1" } as const;

const sign = (value: number) => (value > 0 ? "+1" : value < 0 ? "-1" : "0");

/** A distance at which an attack succeeded, rounded up: what is shown suffices. */
const distance = (value: number | null | undefined) =>
  typeof value === "number" ? Number(formatDistance(value, 4)).toExponential(3) : "-";

function sampleRows(samples: readonly SavedCertificate[], attacked: boolean): string {
  const header = ["index", "label", "prediction", "decision", attacked ? "certified" : "radius"];
  const rows = samples.map(({ index, label, prediction, decision, radius: own, attackRadius, ratio, verdict }) => [
    String(index),
    sign(label),
    sign(prediction),
    decision.toPrecision(5),
    radius(own),
    ...(attacked ? ["<= unknown <=", distance(attackRadius), ratio?.toFixed(3) ?? "-"] : []),
    verdict,
  ]);
  const beside = attacked ? ["", "attacked", "ratio"] : [];
  return textTable([...header, ...beside, "verdict"], rows, attacked ? "rrrrrlrrl" : "rrrrrl");
}

function attackRows({ found, radius: own, ratio, worst }: AttackFigures, correct: number): string {
  const digits = (value: number | null) => value?.toFixed(4) ?? "-";
  const facts = [
    ["adversarial inputs", "found", `${count(found)} of ${count(correct)}`],
    ["", "mean distance", distance(own.mean)],
    ["certified / attacked", "mean", digits(ratio.mean)],
    ["", "median", digits(ratio.median)],
    ["", "min", digits(ratio.min)],
  ];
  const gaps = worst
    .slice(0, 5)
    .map(({ index, radius: certified, attackRadius }, k) => [
      k === 0 ? "most unknown" : "",
      `row ${index}`,
      `${radius(certified)} to ${distance(attackRadius)}`,
    ]);
  return alignRows([...facts, ...gaps], "llr");
}

function factRows({ samples, correct, accuracy, method, norm, metadata, seconds: spent }: SavedReport): string {
  const [low, high] = metadata.bracket as [number, number];
  const shard = metadata.shard as { index: number; count: number } | undefined;
  const part = shard === undefined ? "" : `, shard ${shard.index}/${shard.count}`;
  const complete = metadata.complete === true ? "" : " (interrupted)";
  const domain = metadata.domain === "unbounded" ? "" : ` within ${metadata.domain}`;
  const tolerance = Number(metadata.tolerance).toExponential();
  const facts = [
    ["model", String(metadata.model)],
    ...(typeof metadata.offset === "string" ? [["offset", metadata.offset]] : []),
    ["data", `${metadata.data}, ${count(samples)} samples${part}${complete}`],
    ["certificate", `${method}, ${NORM_TEXT[norm]}${domain}, radii from ${low} to ${high}, tolerance ${tolerance}`],
    ["soundness", String(metadata.soundness)],
    ...(spent === undefined ? [] : [["seconds", seconds(spent)]]),
    ["accuracy", `${percent(accuracy)} (${count(correct)} of ${count(samples)})`],
  ];
  return alignRows(facts, "ll");
}

/** The whole report; all its samples when asked for or few. */
export function reportText(report: SavedReport, perSample: boolean): string {
  const { samples, correct, radius: own, certifiedAccuracy, attack } = report;
  const timedOut = report.perSample.filter((sample) => sample.timedOut === true).length;
  const radii = [
    ["radius of the correct", "mean", radius(own.mean)],
    ["", "std", scientific(own.std)],
    ["", "median", radius(own.median)],
    ["", "min", radius(own.min)],
    ["", "max", radius(own.max)],
    ...(timedOut === 0 ? [] : [["", "cut off by the time limit", count(timedOut)]]),
  ];
  const grid = certifiedAccuracy.map(({ epsilon, accuracy }, k) => [
    k === 0 ? "certified accuracy" : "",
    `at ${epsilon === 0 ? "0" : Number(epsilon.toPrecision(6))}`,
    percentDown(accuracy),
    ...(attack === undefined ? [] : [percentUp(attack.robustAccuracy[k]?.accuracy ?? 0)]),
  ]);
  const heads = attack === undefined ? [] : [["", "", "proved", "unbroken"]];
  const parts = [
    factRows(report),
    alignRows(radii, "llr"),
    alignRows([...heads, ...grid], "llrr"),
    ...(attack === undefined ? [] : [attackRows(attack, correct)]),
  ];
  if (perSample || samples <= LISTED) parts.push(sampleRows(report.perSample, attack !== undefined));
  return parts.join("\n");
}
