// What figures of all rows of Table 1 share: the rows' names and lines that tell seven apart. Not here: the figures.
import type { Table1Machine } from "../experiments/choices.js";
import type { Loss } from "../losses.js";
import { COLOURS, type LegendEntry } from "./sheet.js";

export const MACHINE_WORDS: Readonly<Record<Table1Machine, string>> = {
  "kernel-regression": "kernel regression",
  "hard-margin": "hard-margin SVM",
  svm: "1-norm soft-margin SVM",
  svm2: "2-norm soft-margin SVM",
  svr: "support vector regression",
  krr: "kernel ridge regression",
  logistic: "logistic regression",
};

export const LOSS_WORDS: Readonly<Record<Loss, string>> = {
  squared: "squared",
  hinge: "hinge",
  "squared-hinge": "squared hinge",
  "epsilon-insensitive": "ε-insensitive",
  logistic: "logistic",
};

const SHORT: Readonly<Record<Table1Machine, string>> = {
  "kernel-regression": "regression",
  "hard-margin": "hard margin",
  svm: "1-norm",
  svm2: "2-norm",
  svr: "SVR",
  krr: "ridge",
  logistic: "logistic",
};

/** Hue and dash both differ. */
const LINES: Readonly<Record<Table1Machine, { readonly stroke: string; readonly strokeDasharray: string }>> = {
  "kernel-regression": { stroke: COLOURS.black, strokeDasharray: "none" },
  "hard-margin": { stroke: COLOURS.blue, strokeDasharray: "7 3" },
  svm: { stroke: COLOURS.sky, strokeDasharray: "none" },
  svm2: { stroke: COLOURS.green, strokeDasharray: "2 3" },
  svr: { stroke: COLOURS.purple, strokeDasharray: "7 3 2 3" },
  krr: { stroke: COLOURS.orange, strokeDasharray: "4 2" },
  logistic: { stroke: COLOURS.vermilion, strokeDasharray: "none" },
};

export const lineOf = (machine: Table1Machine) => ({ ...LINES[machine], strokeWidth: 2 });

export function legendOf(machine: Table1Machine): LegendEntry {
  const { stroke: colour, strokeDasharray: dash } = LINES[machine];
  return { label: SHORT[machine], colour, ...(dash === "none" ? {} : { dash }) };
}

/** "λ = 0.001", three digits. */
export const lambdaText = (lambda: number) => `λ = ${Number(lambda.toPrecision(3))}`;

export const PANEL_LETTERS = "abcdefgh";
