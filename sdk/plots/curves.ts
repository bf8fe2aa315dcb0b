// Panels shared by the figures that show training: outputs of sampled points, hinge loss, accuracy, and the difference
// over steps. Not here: which panels a figure has (figure1.ts, figure-a1.ts).
import type * as Plot from "@observablehq/plot";
import type { SamplePoint } from "../experiments/data.js";
import type { Comparison } from "../experiments/follow.js";
import {
  COLOURS,
  formatCount,
  formatLabel,
  type LegendEntry,
  MACHINE,
  NETWORK,
  type Panel,
  type PlotLibrary,
  SIDES,
} from "./sheet.js";

interface Point {
  readonly step: number;
  readonly value: number;
}

const series = (steps: readonly number[], values: readonly number[]): Point[] =>
  steps.map((step, k) => ({ step, value: values[k] ?? Number.NaN }));

const XY = { x: "step", y: "value" } as const;

/** The x axis of all of them: steps done, on a linear axis, or on a logarithmic one from step 1. */
export interface StepAxis {
  readonly log?: boolean;
}

const STEPS = { labelAnchor: "center", labelArrow: "none" } as const;

/** The marks on axes of steps and values, with a label at every tick. */
function frame(
  plot: PlotLibrary,
  steps: readonly number[],
  { log = false }: StepAxis,
  label: string,
  marks: Plot.Markish[],
): Plot.PlotOptions {
  const y = { label, labelArrow: "none" as const, grid: true, nice: true, ticks: 6 };
  if (!log) return { x: { label: "steps", ...STEPS, ticks: 5, tickFormat: ",d" }, y, marks };
  const decades = Array.from({ length: 10 }, (_, k) => 10 ** k).filter((step) => step <= (steps.at(-1) ?? 1));
  const text = (step: number) => formatCount(step);
  const axis = plot.axisX(decades, { text, label: "steps (log scale)", ...STEPS });
  return { x: { type: "log" }, y, marks: [axis, ...marks] };
}

const seen = (points: Point[], { log = false }: StepAxis) => (log ? points.filter(({ step }) => step >= 1) : points);

/** One line each for machine and network, with the machine below. */
function bothLines(plot: PlotLibrary, machine: Point[], network: Point[]) {
  return [plot.line(machine, { ...XY, ...MACHINE }), plot.line(network, { ...XY, ...NETWORK })];
}

/** Outputs of the sampled test points for machine and network. */
export function outputsPanel(
  plot: PlotLibrary,
  title: string,
  { steps, machine, network }: Comparison,
  samples: readonly SamplePoint[],
  axis: StepAxis = {},
): Panel {
  const lines = samples.flatMap((_, k) => {
    const [g, f] = [machine.samples[k] ?? [], network.samples[k] ?? []].map((values) =>
      seen(series(steps, values), axis),
    );
    return bothLines(plot, g ?? [], f ?? []);
  });
  const names = samples.map(({ label }, k) => ({
    step: steps.at(-1) ?? 0,
    value: machine.samples[k]?.at(-1) ?? 0,
    text: `label ${formatLabel(label)}`,
  }));
  const text = plot.text(names, { ...XY, text: "text", textAnchor: "start", dx: 8 });
  const zero = plot.ruleY([0], { stroke: "#999999" });
  return {
    title,
    legend: SIDES,
    plot: frame(plot, steps, axis, "output at a test point", [zero, ...lines, text]),
  };
}

/** Hinge loss of machine and network on the training rows. */
export function hingePanel(
  plot: PlotLibrary,
  title: string,
  { steps, machine, network }: Comparison,
  axis: StepAxis = {},
): Panel {
  const [g, f] = [machine.hinge, network.hinge].map((values) => seen(series(steps, values), axis));
  const marks = [plot.ruleY([0], { stroke: "#999999" }), ...bothLines(plot, g ?? [], f ?? [])];
  return { title, legend: SIDES, plot: frame(plot, steps, axis, "mean hinge loss, training rows", marks) };
}

/** Test accuracy of machine and network, in percent. */
export function accuracyPanel(
  plot: PlotLibrary,
  title: string,
  { steps, machine, network }: Comparison,
  axis: StepAxis = {},
): Panel {
  const percent = (values: readonly number[]) =>
    seen(
      series(
        steps,
        values.map((value) => 100 * value),
      ),
      axis,
    ).filter(({ step }) => step >= 1);
  const marks = bothLines(plot, percent(machine.accuracy), percent(network.accuracy));
  return { title, legend: SIDES, plot: frame(plot, steps, axis, "accuracy on test points (%)", marks) };
}

/** Several lines of values over the same steps. */
export function stepLines(
  plot: PlotLibrary,
  lines: readonly {
    readonly steps: readonly number[];
    readonly values: readonly number[];
    readonly look: Plot.LineOptions;
  }[],
  label: string,
): Plot.PlotOptions {
  const marks = lines.map(({ steps, values, look }) => plot.line(series(steps, values), { ...XY, ...look }));
  return frame(plot, lines[0]?.steps ?? [], {}, label, [plot.ruleY([0], { stroke: "#999999" }), ...marks]);
}

/** From the widest down: dark to light would vanish on white, so these differ in hue and dash. */
const WIDTH_LINES = [
  { stroke: COLOURS.blue, strokeDasharray: "none" },
  { stroke: COLOURS.green, strokeDasharray: "7 3" },
  { stroke: COLOURS.orange, strokeDasharray: "2 3" },
  { stroke: COLOURS.purple, strokeDasharray: "7 3 2 3" },
  { stroke: COLOURS.black, strokeDasharray: "1 2" },
  { stroke: COLOURS.vermilion, strokeDasharray: "4 2" },
] as const;

/** Root mean square difference over steps, one line a width. */
export function differencePanel(
  plot: PlotLibrary,
  title: string,
  runs: readonly Comparison[],
  axis: StepAxis = {},
): Panel {
  const styles = runs.map((_, k) => WIDTH_LINES[(runs.length - 1 - k) % WIDTH_LINES.length] ?? WIDTH_LINES[0]);
  const lines = runs.map(({ steps, difference }, k) =>
    plot.line(seen(series(steps, difference.rms), axis), { ...XY, strokeWidth: 2, ...styles[k] }),
  );
  const legend: LegendEntry[] = runs.map(({ widths }, k) => ({
    label: `width ${formatCount(widths[0] ?? 0)}`,
    colour: styles[k]?.stroke ?? COLOURS.black,
    ...(styles[k]?.strokeDasharray === "none" ? {} : { dash: styles[k]?.strokeDasharray ?? "none" }),
  }));
  const marks = [plot.ruleY([0], { stroke: "#999999" }), ...lines];
  const steps = runs[0]?.steps ?? [];
  return { title, legend, plot: frame(plot, steps, axis, "rms of f − g over test points", marks) };
}
