// The rows of the paper's tables as text, ours beside the paper's. Not here: how they come about (experiment.ts).

import { formatDistance, type MeanRadii, robustnessGain } from "ntkit";
import type { Experiment, Row } from "./experiment.js";
import { count, percent, percentDown, radius, scientific, seconds, textTable } from "./table.js";

const NAMES: Readonly<Record<Row["machine"], string>> = {
  krr: "ridge",
  "svm-sgd": "SVM, the paper's descent",
  svm: "SVM, exact (C = 15.625)",
};

function nameOf({ machine, lambda }: Row): string {
  return machine === "krr" && lambda === 0 ? "kernel regression" : NAMES[machine];
}

function ratioOf({ radius: own, paper }: Row): string {
  return own.mean === null || paper === null ? "-" : (own.mean / paper.radius).toFixed(3);
}

const TITLES: Readonly<Record<Row["table"], (rows: readonly Row[]) => string>> = {
  table3: ([row]) =>
    `Table 3: kernel machines, accuracy and mean certified radius on ${count(row?.samples ?? 0)} images`,
  table2: () => "Table 2, infinitely wide network: certified radius, mean and standard deviation over images",
};

function accuracyAndRadius(row: Row): string[] {
  return [
    percent(row.accuracy),
    percent(row.paper?.accuracy ?? null),
    radius(row.radius.mean),
    scientific(row.radius.std),
    scientific(row.paper?.radius ?? null),
    ratioOf(row),
  ];
}

const distance = (value: number | null | undefined) =>
  typeof value === "number" ? Number(formatDistance(value, 4)).toExponential(3) : "-";

/** Table 3 with a tighter bound, and perhaps an attack, beside the paper's. */
function besideTable(rows: readonly Row[]): string {
  const [first] = rows.flatMap(({ beside }) => beside ?? []);
  const attacked = first?.attack !== null;
  const header = ["machine", "lambda", "accuracy", "paper", "interval", first?.method ?? "", "seconds"];
  const cells = rows.map((row) => [
    nameOf(row),
    String(row.lambda),
    percent(row.accuracy),
    scientific(row.paper?.radius ?? null),
    radius(row.radius.mean),
    radius(row.beside?.radius.mean ?? null),
    ...(attacked ? [distance(row.beside?.attack?.radius.mean), row.beside?.attack?.ratio.mean?.toFixed(3) ?? "-"] : []),
    seconds(row.seconds),
  ]);
  if (attacked) header.splice(6, 0, "attacked", "ratio");
  const table = textTable(header, cells, attacked ? "lrrrrrrrr" : "lrrrrrr");
  const note = attacked
    ? "Mean radii: proved <= unknown <= attacked; ratio is proved over attacked, 1 is exact.\n"
    : "Mean radii.\n";
  return `${table}${note}${attacked ? gainText(rows) : ""}`;
}

/** Mean radii that bracket the truth: where each correct image was attacked successfully, and something was proved. */
function meanRadii({ beside, accuracy, samples }: Row): MeanRadii | undefined {
  const [certified, attacked] = [beside?.radius.mean, beside?.attack?.radius.mean];
  const all = beside?.attack?.found === Math.round(accuracy * samples);
  return all && certified && attacked ? { certified, attacked } : undefined;
}

const times = (value: number) => value.toPrecision(3);

/** What becomes of "790 times more robust": ridge at its largest lambda against kernel regression. */
function gainText(rows: readonly Row[]): string {
  const ridge = rows.filter(({ machine }) => machine === "krr").toSorted((a, b) => a.lambda - b.lambda);
  const [plain, robust] = [ridge[0], ridge.at(-1)];
  if (plain === undefined || robust === undefined || plain.lambda !== 0 || robust.lambda === 0) return "";
  const [from, to] = [meanRadii(plain), meanRadii(robust)];
  if (from === undefined || to === undefined) return "";
  const { certified, attacked, least, most } = robustnessGain(from, to);
  const paper = plain.paper && robust.paper ? robust.paper.radius / plain.paper.radius : undefined;
  const claim =
    paper === undefined
      ? ""
      : `By the paper's interval certificates ridge with lambda = ${robust.lambda} is ${times(paper)} times more robust than kernel regression. `;
  const truth = `By these certificates it is ${times(certified)} times, by the attacks ${times(attacked)} times, and the truth lies between ${times(least)} and ${times(most)}`;
  const verdict =
    paper !== undefined && paper > 2 * most
      ? `: at least ${percentDown(1 - most / paper)} of the paper's factor is looseness of the interval bound at lambda = 0`
      : "";
  return `\n${claim}${truth}${verdict}.\n`;
}

function table3(rows: readonly Row[]): string {
  if (rows.some(({ beside }) => beside !== undefined)) return besideTable(rows);
  const header = ["machine", "lambda", "accuracy", "paper", "radius", "std", "paper", "ours/paper", "seconds"];
  const cells = rows.map((row) => [nameOf(row), String(row.lambda), ...accuracyAndRadius(row), seconds(row.seconds)]);
  return textTable(header, cells, "lrrrrrrrr");
}

function table2(rows: readonly Row[]): string {
  const header = ["machine", "images", "accuracy", "paper", "radius", "std", "paper", "paper std", "ours/paper"];
  const cells = rows.map((row) => {
    const shared = accuracyAndRadius(row);
    shared.splice(5, 0, scientific(row.paper?.std ?? null));
    return [nameOf(row), count(row.samples), ...shared];
  });
  return textTable(header, cells, "lrrrrrrrr");
}

/** "Mean radius by seed: 7.974e-3, 7.976e-3", of the first row that has seeds. */
function seedsLine(rows: readonly Row[]): string {
  const seeds = rows.find((row) => row.seeds !== undefined)?.seeds ?? [];
  if (seeds.length < 2) return "";
  return `Mean radius by seed: ${seeds.map((figure) => radius(figure.radius)).join(", ")}\n`;
}

/** What the rows are measured on, the tables that have rows, and where the time went. */
export function experimentText({ rows, metadata, seconds: parts }: Experiment, elapsed: number): string {
  const [train, test] = [count(Number(metadata.trainingRows ?? 0)), count(Number(metadata.testRows ?? 0))];
  const lines = [`MNIST 0/1: ${train} training and ${test} test images; two-layer NTK; interval bound, l-inf ball\n`];
  for (const [table, write] of [["table3", table3] as const, ["table2", table2] as const]) {
    const own = rows.filter((row) => row.table === table);
    if (own.length > 0) lines.push(`\n${TITLES[table](own)}\n`, write(own));
  }
  lines.push(seedsLine(rows));
  const spent = Object.entries(parts).map(([name, value]) => `${name} ${seconds(value)}`);
  lines.push(`\nSeconds: ${spent.join(", ")}; together ${seconds(elapsed)}\n`);
  return lines.join("");
}
