// Differences against width on log-log axes with fitted powers. Not here: the sweep (experiments/width-sweep.ts).
import type { PowerLaw } from "../experiments/slope.js";
import type { WidthPoint, WidthSweepResult } from "../experiments/width-sweep.js";
import { SETTING_WORDS } from "./figure1.js";
import {
  COLOURS,
  decadeTicks,
  drawSheet,
  formatCount,
  formatSlope,
  type LegendEntry,
  type MarkSymbol,
  type Panel,
  type PlotDefinition,
  type PlotLibrary,
} from "./sheet.js";

export interface WidthSeries {
  readonly name: string;
  readonly colour: string;
  readonly symbol: MarkSymbol;
  readonly points: readonly { readonly width: number; readonly value: number }[];
  readonly law?: PowerLaw | undefined;
  /** Whether a line joins the points. Default false. */
  readonly joined?: boolean;
}

/** A value that does not depend on width, drawn across. */
interface Level {
  readonly name: string;
  readonly value: number;
  readonly stroke: string;
  readonly strokeWidth: number;
}

/** Log-log points with their fitted line and a guide of slope -1/2 (for widths) through the first fit's left end. */
export function widthPanel(
  plot: PlotLibrary,
  title: string,
  label: string,
  drawn: readonly WidthSeries[],
  level?: Level,
  across = "width",
): Panel {
  const widths = [...new Set(drawn.flatMap(({ points }) => points.map(({ width }) => width)))].sort((a, b) => a - b);
  const ends = [widths[0] ?? 1, widths.at(-1) ?? 1];
  const at = (law: PowerLaw, width: number) => law.factor * width ** law.slope;
  const marks = drawn.flatMap(({ colour, symbol, points, law, joined = false }) => {
    const fitted = law === undefined ? [] : ends.map((width) => ({ width, value: at(law, width) }));
    const line = joined ? [...points].sort((a, b) => a.width - b.width) : fitted;
    return [
      plot.line(line, { x: "width", y: "value", stroke: colour, strokeWidth: 2 }),
      plot.dot(points, { x: "width", y: "value", symbol, fill: colour, fillOpacity: 0.75, stroke: "white", r: 4.5 }),
    ];
  });
  const law = drawn[0]?.law;
  const guide =
    law === undefined || across !== "width"
      ? []
      : ends.map((width) => ({ width, value: at(law, ends[0] ?? 1) * (width / (ends[0] ?? 1)) ** -0.5 }));
  const dashed = { stroke: "#666666", strokeWidth: 1.5, strokeDasharray: "3 4" };
  const legend: LegendEntry[] = [
    ...drawn.map(({ name, colour, symbol }) => ({ label: name, colour, symbol })),
    ...(guide.length === 0
      ? []
      : [{ label: "width^(−1/2)", colour: dashed.stroke, width: 1.5, dash: dashed.strokeDasharray }]),
  ];
  const levels = level === undefined ? [] : [level];
  for (const { name, stroke, strokeWidth } of levels) legend.push({ label: name, colour: stroke, width: strokeWidth });
  const values = drawn.flatMap(({ points }) => points.map(({ value }) => value));
  const ticks = decadeTicks([...values, ...[...guide, ...levels].map(({ value }) => value)]);
  // Texts of their own: a logarithmic scale would drop some of the labels.
  const axes = [
    plot.gridY(ticks),
    plot.axisY(ticks, { text: (value: number) => String(value), label: `${label} (log scale)`, labelArrow: "none" }),
    plot.axisX(widths, {
      text: (width: number) => (width < 1 ? String(width) : formatCount(width)),
      label: `${across} (log scale)`,
      labelAnchor: "center",
      labelArrow: "none",
    }),
  ];
  const x = { type: "log" as const, inset: 14 };
  const y = { type: "log" as const, domain: [ticks[0] ?? 1, ticks.at(-1) ?? 1] };
  const guideLine = plot.line(guide, { x: "width", y: "value", ...dashed });
  const rules = levels.map(({ value, stroke, strokeWidth }) => plot.ruleY([value], { stroke, strokeWidth }));
  return { title, legend, plot: { x, y, marks: [...axes, ...rules, guideLine, ...marks] } };
}

const NAMES = { rms: "‖f − g‖ (rms)", drift: "drift while training", distance: "distance at the start" } as const;

function seriesOf(
  { points, fits }: WidthSweepResult,
  key: keyof typeof NAMES,
  look: Pick<WidthSeries, "colour" | "symbol">,
): WidthSeries {
  return {
    name: NAMES[key],
    ...look,
    law: fits?.[key],
    points: points.map((point: WidthPoint) => ({ width: point.width, value: point[key] })),
  };
}

export const widthPlot: PlotDefinition<WidthSweepResult> = {
  name: "dynamics",
  draw(plot, document, result) {
    const { settings, fits } = result;
    const outputs = seriesOf(result, "rms", { colour: COLOURS.blue, symbol: "circle" });
    const kernels = [
      seriesOf(result, "distance", { colour: COLOURS.green, symbol: "diamond2" }),
      seriesOf(result, "drift", { colour: COLOURS.vermilion, symbol: "triangle" }),
    ];
    const panels = [
      widthPanel(plot, "(a) network and SVM after training", "rms of f − g over test points", [outputs]),
      widthPanel(plot, "(b) empirical tangent kernel", "relative Frobenius norm", kernels),
    ];
    const slopes =
      fits === undefined
        ? ""
        : ` Fitted: ‖f − g‖ ${formatSlope(fits.rms)}; kernel distance ${formatSlope(fits.distance)}; kernel drift ${formatSlope(fits.drift)}.`;
    const { depth, n, tests, steps, learningRate, lambda, setting, seeds, data } = settings;
    const layers = depth === 1 ? "one hidden layer" : `${depth} hidden layers`;
    const how = `${steps} full-batch steps, learning rate ${learningRate}, λ = ${lambda}, ${seeds} networks a width`;
    const caption = `ReLU networks with ${layers} on ${n} training rows of ${data}, ${formatCount(tests)} test points: ${how}; ${SETTING_WORDS[setting]}.${slopes}`;
    return drawSheet(plot, document, {
      title: "Networks and their machine against width",
      caption,
      panels,
      columns: 2,
    });
  },
};
