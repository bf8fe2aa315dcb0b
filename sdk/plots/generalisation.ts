// Bounds against the number of training rows, beside the error that test rows measure, for true and for random labels.
// Not here: the bounds (theory/rademacher.ts) and the study (theory/generalisation.ts).
import { bestRow, type GeneralisationResult, LABELINGS, type Labeling } from "../theory/generalisation.js";
import type { GeneralisationBound } from "../theory/rademacher.js";
import {
  COLOURS,
  decadeTicks,
  drawSheet,
  formatCount,
  type LegendEntry,
  type Panel,
  type PlotDefinition,
  type PlotLibrary,
} from "./sheet.js";

const LOOKS: Readonly<Record<Labeling, { readonly colour: string; readonly dash: string }>> = {
  true: { colour: COLOURS.blue, dash: "none" },
  random: { colour: COLOURS.vermilion, dash: "7 3" },
};

interface Point {
  readonly n: number;
  readonly value: number;
}

/** The least bound at each n, and the measured risk of that same machine; on logarithmic axes, so 0 is left out. */
function linesOf(
  result: GeneralisationResult,
  labels: Labeling,
  name: GeneralisationBound["name"],
  of: "Error" | "Risk",
) {
  const sizes = [...new Set(result.rows.map(({ n }) => n))];
  const found = sizes.flatMap((n) => {
    const best = bestRow(result.rows, n, labels, name);
    return best === undefined ? [] : [{ n, bound: best.value, test: best.row[`test${of}`] }];
  });
  const points = (key: "bound" | "test"): Point[] =>
    found.map((one) => ({ n: one.n, value: one[key] })).filter(({ value }) => value > 0);
  return { bound: points("bound"), test: points("test") };
}

function boundPanel(
  plot: PlotLibrary,
  title: string,
  result: GeneralisationResult,
  name: GeneralisationBound["name"],
  of: "Error" | "Risk",
): Panel {
  const xy = { x: "n", y: "value" } as const;
  const drawn = LABELINGS.map((labels) => ({ labels, ...LOOKS[labels], ...linesOf(result, labels, name, of) }));
  const marks = drawn.flatMap(({ colour, dash, bound, test }) => [
    plot.line(bound, { ...xy, stroke: colour, strokeWidth: 2.5, strokeDasharray: dash }),
    plot.dot(bound, { ...xy, symbol: "circle", fill: colour, stroke: "white", r: 4.5 }),
    plot.line(test, { ...xy, stroke: colour, strokeWidth: 1.25, strokeDasharray: dash }),
    plot.dot(test, { ...xy, symbol: "diamond2", fill: colour, stroke: "white", r: 4.5 }),
  ]);
  const legend: LegendEntry[] = drawn.flatMap(({ labels, colour }) => [
    { label: labels === "true" ? "bound" : "random labels", colour, symbol: "circle" as const },
    { label: "tested", colour, symbol: "diamond2" as const },
  ]);
  const ticks = decadeTicks([1, ...drawn.flatMap(({ bound, test }) => [...bound, ...test].map(({ value }) => value))]);
  const sizes = [...new Set(result.rows.map(({ n }) => n))];
  const axes = [
    plot.gridY(ticks),
    plot.axisY(ticks, {
      text: (value: number) => String(value),
      label: `${of === "Error" ? "error rate" : "squared risk"} (log scale)`,
      labelArrow: "none",
    }),
    plot.axisX(sizes, {
      text: (n: number) => formatCount(n),
      label: "training rows (log scale)",
      labelAnchor: "center",
      labelArrow: "none",
    }),
    plot.ruleY([1], { stroke: COLOURS.black, strokeWidth: 1.5 }),
  ];
  const y = { type: "log" as const, domain: [ticks[0] ?? 1, ticks.at(-1) ?? 1] };
  return { title, legend, plot: { x: { type: "log", inset: 14 }, y, marks: [...axes, ...marks] } };
}

export const generalisationPlot: PlotDefinition<GeneralisationResult> = {
  name: "generalisation",
  draw(plot, document, result) {
    const { data, tests, depth, delta, normalise } = result.settings;
    const panels = [
      boundPanel(plot, "(a) margin bound", result, "margin", "Error"),
      boundPanel(plot, "(b) equation 1.20", result, "1.20", "Risk"),
    ];
    const rows = normalise ? "rows at norm √d" : "rows as they are";
    const bare = [
      ...new Set(result.rows.flatMap((row) => row.bounds.filter((b) => b.value === null).map((b) => b.name))),
    ];
    const fails = bare.length === 0 ? "" : ` No number where an assumption fails (${bare.join(", ")}).`;
    const caption = `Ridge machines with the NTK of ${depth} hidden layer${depth === 1 ? "" : "s"} on ${data}, ${rows}, ${formatCount(tests)} test rows; each bound with its best λ, true with probability ${1 - delta}; below the black line at 1 a bound says something.${fails}`;
    return drawSheet(plot, document, {
      title: "Generalisation bounds beside measured errors",
      caption,
      panels,
      columns: 2,
    });
  },
};
