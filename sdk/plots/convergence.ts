// Theorem 3.1 as a picture: how far flow and descent of each row of Table 1 are from the row's machine, below the bound.
// Not here: the measuring (theory/convergence.ts).
import type { ConvergenceResult, ConvergenceRow } from "../theory/convergence.js";
import { lambdaText, legendOf, lineOf, MACHINE_WORDS, PANEL_LETTERS } from "./seven.js";
import {
  COLOURS,
  drawSheet,
  formatCount,
  type LegendEntry,
  type Panel,
  type PlotDefinition,
  type PlotLibrary,
} from "./sheet.js";

/** Distances below this are rounding and what solvers leave. */
const FLOOR = 1e-9;

const FLOW = { stroke: COLOURS.blue, strokeWidth: 2.5 } as const;
const DESCENT = { stroke: COLOURS.orange, strokeWidth: 2, strokeDasharray: "5 3" } as const;
const BOUND = { stroke: "#777777", strokeWidth: 1.5, strokeDasharray: "2 3" } as const;

const LEGEND: readonly LegendEntry[] = [
  { label: "flow", colour: FLOW.stroke, width: FLOW.strokeWidth },
  { label: "descent", colour: DESCENT.stroke, dash: DESCENT.strokeDasharray },
  { label: "bound of the flow", colour: BOUND.stroke, width: BOUND.strokeWidth, dash: BOUND.strokeDasharray },
];

interface Point {
  readonly time: number;
  readonly value: number;
}

const XY = { x: "time", y: "value" } as const;

/** What logarithmic axes can show of it, down to where it crosses the floor on a straight line. */
function shown(points: readonly Point[]): Point[] {
  const kept: Point[] = [];
  for (const point of points.filter(({ time }) => time > 0)) {
    const last = kept.at(-1);
    if (point.value >= FLOOR) kept.push(point);
    else {
      const share = last === undefined ? 0 : Math.log(FLOOR / last.value) / Math.log(point.value / last.value);
      if (last !== undefined && share > 0)
        kept.push({ time: last.time * (point.time / last.time) ** share, value: FLOOR });
      break;
    }
  }
  return kept;
}

/** 1e-8 as 10⁻⁸. */
const power = (value: number) =>
  `10${Array.from(String(Math.round(Math.log10(value))), (digit) => (digit === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)])).join("")}`;

function axes(label: string, across: string) {
  const x = { type: "log" as const, label: across, labelAnchor: "center" as const, labelArrow: "none" as const };
  const values = Array.from({ length: 6 }, (_, k) => 10 ** (2 * k - 9));
  const y = {
    type: "log" as const,
    label,
    labelArrow: "none" as const,
    grid: true,
    domain: [FLOOR, 20],
    ticks: values,
  };
  return {
    x: { ...x, domain: [0.01, 30], ticks: [0.01, 0.1, 1, 10], tickFormat: (t: number) => String(t) },
    y: { ...y, tickFormat: power },
  };
}

function rowPanel(plot: PlotLibrary, letter: string, row: ConvergenceRow): Panel {
  const { machine, lambda, rate, flow, descent, method } = row;
  const line = (points: readonly { t: number }[], value: (k: number) => number) =>
    shown(points.map(({ t }, k) => ({ time: rate * t, value: value(k) })));
  const marks = [
    plot.line(
      line(flow, (k) => flow[k]?.within ?? 0),
      { ...XY, ...BOUND },
    ),
    plot.line(
      line(flow, (k) => flow[k]?.test ?? 0),
      { ...XY, ...FLOW },
    ),
    plot.line(
      line(descent.points, (k) => descent.points[k]?.test ?? 0),
      { ...XY, ...DESCENT },
    ),
  ];
  const across = lambda > 0 ? "λ t (log scale)" : "2 w s t, s the smallest eigenvalue (log scale)";
  return {
    title: `(${letter}) ${MACHINE_WORDS[machine]}, ${lambdaText(lambda)}: ${method}`,
    legend: LEGEND,
    plot: { ...axes("largest |g_t − g|, test points", across), marks },
  };
}

function excessPanel(plot: PlotLibrary, letter: string, rows: readonly ConvergenceRow[]): Panel {
  const marks = rows.map(({ machine, rate, flow, start, optimum }) => {
    const points = flow.map(({ t, excess }) => ({ time: rate * t, value: excess / (start - optimum) }));
    return plot.line(shown(points), { ...XY, ...lineOf(machine) });
  });
  const times = rows[0]?.flow.map(({ t }) => t * (rows[0]?.rate ?? 1)) ?? [];
  const bound = shown(times.map((time) => ({ time, value: Math.exp(-2 * time) })));
  return {
    title: `(${letter}) L(β_t) − L(β), as a share of its start; bound e^(−2rt)`,
    legend: [
      ...rows.map(({ machine }) => legendOf(machine)),
      { label: "bound", colour: BOUND.stroke, dash: BOUND.strokeDasharray },
    ],
    plot: {
      ...axes("share", "r t (log scale)"),

      marks: [plot.line(bound, { ...XY, ...BOUND }), ...marks],
    },
  };
}

export const convergencePlot: PlotDefinition<ConvergenceResult> = {
  name: "convergence",
  draw(plot, document, { settings, rows }) {
    const panels = [
      ...rows.map((row, k) => rowPanel(plot, PANEL_LETTERS[k] ?? "", row)),
      excessPanel(plot, PANEL_LETTERS[rows.length] ?? "", rows),
    ];
    const { n, data, tests, depth } = settings;
    const layers = depth === 1 ? "one hidden layer" : `${depth} hidden layers`;
    const held = rows.flatMap(({ flow }) => flow).every(({ holds }) => holds);
    const caption = `Gradient flow (equation 8) and descent of each row of Table 1 from g = 0 beside the machine that its own solver finds: ${n} training rows of ${data}, ${formatCount(tests)} test points, NTK of ${layers}, mean of the losses. Bounds from strong convexity: |g_t(x) − g(x)| ≤ √K(x,x) e^(−rt) ‖β‖ and L(β_t) − L(β) ≤ e^(−2rt) (L(0) − L(β)), r = λ, or 2 w times the smallest eigenvalue of K where λ = 0; ${held ? "both hold at every point" : "NOT ALL POINTS HOLD"}. Descent with a constant step ends in a neighbourhood of the machine where the loss has kinks, as long as its step. Where a line turns level below 10⁻⁶, the solver's own error begins.`;
    return drawSheet(plot, document, {
      title: "Every loss of Table 1 ends at its machine",
      caption,
      panels,
      columns: 2,
    });
  },
};
