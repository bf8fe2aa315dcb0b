// Cross-validation as a picture: the mean error of held-out rows with its standard error against lambda or C, one line a
// kernel, one panel a tube. Not here: the folds (machines/cross-validation.ts).
import { describeKernel, type Kernel } from "../kernels/kernel.js";
import type { CrossValidationResult, CrossValidationRow } from "../machines/cross-validation.js";
import {
  COLOURS,
  drawSheet,
  formatCount,
  type LegendEntry,
  type Panel,
  type PlotDefinition,
  type PlotLibrary,
} from "./sheet.js";

/** What was searched, and what came of it. */
export interface CrossValidationPlotData extends CrossValidationResult {
  readonly data: string;
  readonly machine: string;
  /** What the axis shows. Default "lambda". */
  readonly axis?: "lambda" | "c" | undefined;
}

const LOOKS = [
  { colour: COLOURS.blue, symbol: "circle" },
  { colour: COLOURS.vermilion, symbol: "diamond2" },
  { colour: COLOURS.green, symbol: "triangle" },
  { colour: COLOURS.purple, symbol: "circle" },
  { colour: COLOURS.orange, symbol: "diamond2" },
  { colour: COLOURS.black, symbol: "triangle" },
] as const;

type Of = "accuracy" | "error";

interface Point {
  readonly at: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

const layers = (depth: number) => (depth === 1 ? "1 hidden layer" : `${depth} hidden layers`);

const keyOf = ({ kernel }: CrossValidationRow) => JSON.stringify(kernel);

/** Kernels that differ in their depth alone are told apart by it. */
function nameOf(row: CrossValidationRow, rows: readonly CrossValidationRow[]): string {
  const shallow = (kernel: Kernel) => JSON.stringify("depth" in kernel ? { ...kernel, depth: 1 } : kernel);
  const same = rows.every(({ kernel }) => shallow(kernel) === shallow(row.kernel));
  return same && "depth" in row.kernel ? layers(row.kernel.depth) : describeKernel(row.kernel);
}

/** A row as the panel shows it: percent decided wrongly, or the rms error, with a standard error on both sides. */
function pointOf(row: CrossValidationRow, of: Of, axis: "lambda" | "c"): Point {
  const { mean, standardError } = (of === "error" ? row.error : row.accuracy) ?? row.error;
  const value = of === "error" ? mean : 100 * (1 - mean);
  const half = of === "error" ? standardError : 100 * standardError;
  const at = axis === "lambda" ? row.lambda : 1 / row.lambda;
  return { at, value, low: Math.max(0, value - half), high: value + half };
}

/** Pixels between the lines of two kernels, so that their standard errors do not hide one another. */
const APART = 5;

/** The lines of a panel, one a kernel, with a ring around the best row and a dashed one around the simplest. */
function linesOf(
  plot: PlotLibrary,
  rows: readonly CrossValidationRow[],
  point: (row: CrossValidationRow) => Point,
  { rows: all, best, simplest }: CrossValidationPlotData,
) {
  const xy = { x: "at", y: "value" } as const;
  const keys = [...new Set(all.map(keyOf))];
  const ring = { ...xy, r: 9, stroke: COLOURS.black, strokeWidth: 2 };
  const drawn = keys.map((key, k) => {
    const { colour, symbol } = LOOKS[k % LOOKS.length] ?? LOOKS[0];
    const own = rows.filter((row) => keyOf(row) === key);
    const points = own.map(point).sort((a, b) => a.at - b.at);
    const dx = APART * (k - (keys.length - 1) / 2);
    const marked = (row: CrossValidationRow) => (own.includes(row) ? [point(row)] : []);
    return {
      entry: { label: own[0] === undefined ? key : nameOf(own[0], all), colour, symbol },
      marks: [
        plot.ruleX(points, { x: "at", y1: "low", y2: "high", dx, stroke: colour, strokeWidth: 1.25 }),
        plot.line(points, { ...xy, dx, stroke: colour, strokeWidth: 2 }),
        plot.dot(points, { ...xy, dx, symbol, fill: colour, stroke: "white", r: 4.5 }),
      ],
      rings: [
        plot.dot(marked(best), { ...ring, dx }),
        plot.dot(simplest === best ? [] : marked(simplest), { ...ring, dx, strokeDasharray: "2 2" }),
      ],
    };
  });
  return {
    legend: drawn.map(({ entry }): LegendEntry => entry),
    marks: [...drawn.flatMap(({ marks }) => marks), ...drawn.flatMap(({ rings }) => rings)],
  };
}

function panelOf(
  plot: PlotLibrary,
  title: string,
  rows: readonly CrossValidationRow[],
  of: Of,
  result: CrossValidationPlotData,
): Panel {
  const axis = result.axis ?? "lambda";
  const point = (row: CrossValidationRow) => pointOf(row, of, axis);
  const { legend, marks } = linesOf(plot, rows, point, result);
  const places = [...new Set(rows.map((row) => point(row).at))].sort((a, b) => a - b);
  const decades = places.filter((value) => Number.isInteger(Number(Math.log10(value).toFixed(9))));
  // A search over few values has a tick at each, one over many at its powers of 10.
  const axisX = plot.axisX(places.length > 8 && decades.length >= 2 ? decades : places, {
    text: (value: number) => tickText(value),
    label: `${axis === "lambda" ? "λ" : "C"} (log scale)`,
    labelAnchor: "center",
    labelArrow: "none",
  });
  const label = of === "error" ? "rms of y − g, held-out rows" : "held-out rows decided wrongly (%)";
  // Panels that stand for one tube each are read side by side.
  const highs = result.rows.map((row) => point(row).high);
  const domain = of === "accuracy" || rows.length < result.rows.length ? { domain: [0, Math.max(...highs)] } : {};
  const y = { label, labelArrow: "none" as const, grid: true, nice: true, ticks: 6, ...domain };
  return { title, legend, plot: { x: { type: "log", inset: 18 }, y, marks: [axisX, ...marks] } };
}

const tickText = (value: number) =>
  value >= 1000 ? formatCount(Number(value.toPrecision(3))) : String(Number(value.toPrecision(3)));

/** "λ = 10, 2 hidden layers". */
function choiceText(row: CrossValidationRow, { rows, axis }: CrossValidationPlotData): string {
  const parameter = axis === "c" ? `C = ${tickText(1 / row.lambda)}` : `λ = ${tickText(row.lambda)}`;
  const tube = row.epsilon === null ? "" : `, ε = ${row.epsilon}`;
  return `${parameter}${tube}, ${nameOf(row, rows)}`;
}

export const crossValidationPlot: PlotDefinition<CrossValidationPlotData> = {
  name: "cv",
  draw(plot, document, result) {
    const { rows, best, simplest, data, machine, folds } = result;
    const tubes = [...new Set(rows.map(({ epsilon }) => epsilon))];
    const letter = (k: number) => `(${String.fromCharCode(97 + k)})`;
    const decisive: Of = best.accuracy === null ? "error" : "accuracy";
    const words = { accuracy: "decisions", error: "outputs" };
    const panels =
      tubes.length > 1
        ? tubes.map((epsilon, k) =>
            panelOf(
              plot,
              `${letter(k)} ε = ${epsilon}`,
              rows.filter((row) => row.epsilon === epsilon),
              decisive,
              result,
            ),
          )
        : [...new Set<Of>([decisive, "error"])].map((of, k, all) =>
            panelOf(plot, all.length === 1 ? words[of] : `${letter(k)} ${words[of]}`, rows, of, result),
          );
    const rule =
      simplest === best
        ? "it is also the simplest within one standard error"
        : `the dashed ring the simplest within one standard error of it: ${choiceText(simplest, result)}`;
    const caption = `Held-out rows of ${folds} folds of ${data}, mean over the folds and its standard error. The ring marks the best: ${choiceText(best, result)}; ${rule}.`;
    return drawSheet(plot, document, {
      title: `Cross-validation of ${machine}`,
      caption,
      panels,
      columns: Math.min(2, panels.length),
    });
  },
};
