// The rows of the paper's tables as text, ours beside the paper's. Not here: how they come about (experiment.ts).

import type { Experiment, Row } from "./experiment.js";
import { count, percent, radius, scientific, seconds, textTable } from "./table.js";

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

function table3(rows: readonly Row[]): string {
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
