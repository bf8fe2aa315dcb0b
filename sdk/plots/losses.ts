// Figure 1 for every row of Table 1 as one picture: outputs of network and machine at two test points, and their difference.
// Not here: the experiment (experiments/losses.ts).
import type { FigureLossesResult, LossesRow } from "../experiments/losses.js";
import { outputsPanel, stepLines } from "./curves.js";
import { SETTING_WORDS } from "./figure1.js";
import { LOSS_WORDS, lambdaText, legendOf, lineOf, MACHINE_WORDS, PANEL_LETTERS } from "./seven.js";
import {
  drawSheet,
  formatCount,
  type LegendEntry,
  type Panel,
  type PlotDefinition,
  type PlotLibrary,
  SIDES,
} from "./sheet.js";

const SOLUTION = { stroke: "#555555", strokeWidth: 1.25, strokeDasharray: "1 3" } as const;

const LEGEND: readonly LegendEntry[] = [
  ...SIDES.map((side, k) => (k === 0 ? { ...side, label: "machine (infinite width)" } : side)),
  { label: "where it ends", colour: SOLUTION.stroke, width: SOLUTION.strokeWidth, dash: SOLUTION.strokeDasharray },
];

function rowPanel(plot: PlotLibrary, letter: string, row: LossesRow, samples: FigureLossesResult["samples"]): Panel {
  const title = `(${letter}) ${MACHINE_WORDS[row.machine]}: ${LOSS_WORDS[row.loss]}, ${lambdaText(row.lambda)}`;
  const panel = outputsPanel(plot, title, row.comparison, samples);
  const marks = [plot.ruleY(row.solution, SOLUTION), ...(panel.plot.marks ?? [])];
  return { ...panel, legend: LEGEND, plot: { ...panel.plot, marks } };
}

function differencePanel(plot: PlotLibrary, letter: string, rows: readonly LossesRow[]): Panel {
  const lines = rows.map(({ machine, comparison: { steps, difference } }) => ({
    steps,
    values: difference.rms,
    look: lineOf(machine),
  }));
  return {
    title: `(${letter}) difference of network and machine`,
    legend: rows.map(({ machine }) => legendOf(machine)),
    plot: stepLines(plot, lines, "rms of f − g over test points"),
  };
}

export const lossesPlot: PlotDefinition<FigureLossesResult> = {
  name: "losses",
  draw(plot, document, { settings, samples, rows }) {
    const panels = [
      ...rows.map((row, k) => rowPanel(plot, PANEL_LETTERS[k] ?? "", row, samples)),
      differencePanel(plot, PANEL_LETTERS[rows.length] ?? "", rows),
    ];
    const { n, data, tests, width, depth, learningRate, epsilon, setting, seed } = settings;
    const net =
      depth === 1
        ? `one hidden layer of ${formatCount(width)} neurons`
        : `${depth} hidden layers of ${formatCount(width)} neurons`;
    const how = `full-batch steps of ${learningRate} on the mean of the losses, ε = ${epsilon}, seed ${seed}`;
    const size = `${n} training rows of ${data}, ${formatCount(tests)} test points`;
    const ridge =
      setting === "theorem"
        ? " The ridge shrinks the network's weights by e^(−λt), and its tangent kernel with them: what that adds to the difference does not fall with the width."
        : "";
    const caption = `ReLU networks with ${net} and the machines with their tangent kernel, one for each row of Table 1, from the same start: ${how}; ${size}; ${SETTING_WORDS[setting]}. Dotted: the machine that the row's own solver finds, where the dynamics go as time grows. Kernel regression has no regulariser and ends at interpolation from where it started; the hard margin is the soft margin at a λ so small that no coefficient meets its bound.${ridge}`;
    return drawSheet(plot, document, {
      title: "Figure 1 for every loss of Table 1: networks beside their machines",
      caption: caption.replace("the SVM starts", "the machine starts").replace("the SVM under", "the machine under"),
      panels,
      columns: 2,
    });
  },
};
