// Theorem 4.1 as a picture: error of the rebuilt network against the size of the steps, and the training images that carry
// a few predictions. Not here: the study (theory/path-kernel-study.ts).
import type { Explanation, PathKernelRun, PathKernelStudy } from "../theory/path-kernel-study.js";
import { QUADRATURES, type Quadrature } from "../theory/quadrature.js";
import {
  COLOURS,
  decadeTicks,
  drawSheet,
  formatCount,
  formatLabel,
  formatSlope,
  type MarkSymbol,
  type Panel,
  type PlotDefinition,
  type PlotLibrary,
} from "./sheet.js";

const LOOKS: Readonly<
  Record<Quadrature, { readonly name: string; readonly colour: string; readonly symbol: MarkSymbol }>
> = {
  descent: { name: "sum of descent", colour: COLOURS.vermilion, symbol: "triangle" },
  trapezoid: { name: "trapezoid", colour: COLOURS.blue, symbol: "circle" },
  simpson: { name: "Simpson", colour: COLOURS.green, symbol: "diamond2" },
};

function errorPanel(plot: PlotLibrary, title: string, runs: readonly PathKernelRun[]): Panel {
  const own = runs.filter((run) => Object.values(run.errors).every((e) => e > 0));
  const points = (rule: Quadrature) => own.map((run) => ({ step: run.learningRate, error: run.errors[rule] }));
  const first = own[0];
  const guide = own.map(({ learningRate }) => ({
    step: learningRate,
    error: (first?.errors.trapezoid ?? 1) * (learningRate / (first?.learningRate ?? 1)),
  }));
  const ticks = decadeTicks([
    ...own.flatMap(({ errors }) => Object.values(errors)),
    ...guide.map(({ error }) => error),
  ]);
  const rates = own.map(({ learningRate }) => learningRate);
  const xy = { x: "step", y: "error" } as const;
  const marks = QUADRATURES.flatMap((rule) => {
    const { colour, symbol } = LOOKS[rule];
    return [
      plot.line(points(rule), { ...xy, stroke: colour, strokeWidth: 2 }),
      plot.dot(points(rule), { ...xy, symbol, fill: colour, stroke: "white", r: 4.5 }),
    ];
  });
  const label = (value: number) => (value < 0.001 ? value.toExponential(0) : String(value));
  const axes = [
    plot.gridY(ticks),
    plot.axisY(ticks, { text: label, label: "relative error of f_T (log scale)", labelArrow: "none" }),
    plot.axisX(rates, {
      text: (rate: number) => String(Number(rate.toPrecision(3))),
      label: "length of a step (log scale)",
      labelAnchor: "center",
      labelArrow: "none",
    }),
  ];
  const dashed = { stroke: "#666666", strokeWidth: 1.5, strokeDasharray: "3 4" };
  const legend = [
    ...QUADRATURES.map((rule) => ({ label: LOOKS[rule].name, colour: LOOKS[rule].colour, symbol: LOOKS[rule].symbol })),
    { label: "step", colour: dashed.stroke, width: 1.5, dash: dashed.strokeDasharray },
  ];
  const y = { type: "log" as const, domain: [ticks[0] ?? 1, ticks.at(-1) ?? 1] };
  const x = { type: "log" as const, inset: 14 };
  return { title, legend, plot: { x, y, marks: [...axes, plot.line(guide, { ...xy, ...dashed }), ...marks] } };
}

const signed = (value: number) => `${value < 0 ? "−" : "+"}${Math.abs(value).toPrecision(2)}`;

/** One line a test row: itself, then the training rows that carry its prediction. */
function carrierPanel(plot: PlotLibrary, title: string, explanations: readonly Explanation[]): Panel {
  const cells = explanations.flatMap(({ picture, row, label, output, carriers }, line) => [
    { x: 0, y: line, picture, row, text: `f = ${signed(output)}`, colour: COLOURS.black, label },
    ...carriers.map((one, k) => ({
      ...{ x: k + 1.25, y: line, picture: one.picture, row: one.row, label: one.label },
      text: signed(one.contribution),
      colour: one.contribution < 0 ? COLOURS.blue : COLOURS.vermilion,
    })),
  ]);
  const drawn = cells.filter(({ picture }) => picture !== null);
  const bare = cells.filter(({ picture }) => picture === null);
  const most = Math.max(1, ...cells.map(({ x }) => x));
  const at = { x: "x", y: "y" } as const;
  const marks = [
    plot.image(drawn, { ...at, src: "picture", width: 38, dy: -8 }),
    plot.text(bare, { ...at, text: (cell) => `row ${cell.row} (${formatLabel(cell.label)})`, dy: -8, fontSize: 10 }),
    plot.text(cells, { ...at, text: "text", fill: "colour", dy: 20, fontSize: 11 }),
  ];
  const legend = [
    { label: "left: test image and output", colour: COLOURS.black },
    { label: "pushes up", colour: COLOURS.vermilion },
    { label: "pushes down", colour: COLOURS.blue },
  ];
  const x = { axis: null, domain: [-0.5, most + 0.5] };
  const y = { axis: null, domain: [Math.max(0, explanations.length - 1) + 0.55, -0.5] };
  return { title, legend, plot: { x, y, marks } };
}

function signWords({ runs }: PathKernelStudy): string {
  const [last] = runs.slice(-1);
  if (last === undefined || last.signs.constant) return "every l′ kept its sign";
  const { vanished, reversed } = last.signs;
  return `${vanished.length} training rows left their loss's slope (harmless), ${reversed.length} changed its sign`;
}

export const pathKernelPlot: PlotDefinition<PathKernelStudy> = {
  name: "path-kernel",
  draw(plot, document, study) {
    const { settings, runs, orders, explanations } = study;
    const panels = [
      errorPanel(plot, "(a) error of the rebuilt network", runs),
      ...(explanations.length === 0 ? [] : [carrierPanel(plot, "(b) the training rows that carry f", explanations)]),
    ];
    const { widths, n, tests, data, loss, lambda, time } = settings;
    const slopes =
      orders === undefined
        ? ""
        : ` Order of the error: sum of descent ${formatSlope(orders.descent)}, trapezoid ${formatSlope(orders.trapezoid)}.`;
    const what = `A network of width ${widths.map(formatCount).join(", ")} on ${n} training rows of ${data}, ${loss} loss, λ = ${lambda}, T = ${time}`;
    const caption = `${what}, rebuilt at ${tests} test rows as Σ a_i K(x, x_i) + b with its path kernel (Theorem 4.1); ${signWords(study)}.${slopes} Numbers below training images are a_i K(x, x_i).`;
    return drawSheet(plot, document, {
      title: "A finite network as a kernel machine, by its path",
      caption,
      panels,
      columns: 2,
    });
  },
};
