// Figure 1 as a picture: outputs at two learning rates, the difference for several widths, hinge loss.
// Not here: the experiment (experiments/figure1.ts).
import type { Figure1Result } from "../experiments/figure1.js";
import type { ComparisonSetting } from "../experiments/follow.js";
import { differencePanel, hingePanel, outputsPanel } from "./curves.js";
import { drawSheet, formatCount, type PlotDefinition } from "./sheet.js";

/** What the setting means, for captions. */
export const SETTING_WORDS: Readonly<Record<ComparisonSetting, string>> = {
  paper: "outputs are f(x) − f₀(x), each side under the paper's own ridge",
  matched: "outputs are f(x) − f₀(x), the SVM under the share of the ridge that reaches the network's output",
  theorem: "the ridge acts on the raw last layer and the SVM starts from the network's outputs",
};

const LETTERS = "abcdefghij";

export const figure1Plot: PlotDefinition<Figure1Result> = {
  name: "figure1",
  draw(plot, document, { settings, samples, rates, widths }) {
    const titles: string[] = [];
    const title = (text: string) => {
      titles.push(text);
      return `(${LETTERS[titles.length - 1]}) ${text}`;
    };
    const first = rates[0];
    const panels = [
      ...rates.map((run) => outputsPanel(plot, title(`outputs, learning rate ${run.learningRate}`), run, samples)),
      differencePanel(plot, title(`difference by width, learning rate ${first?.learningRate}`), widths),
      ...(first === undefined
        ? []
        : [hingePanel(plot, title(`hinge loss, learning rate ${first.learningRate}`), first)]),
    ];
    const size = `${settings.n} training rows of ${settings.data}, ${formatCount(settings.tests)} test points`;
    const net = `networks have two hidden layers of ${formatCount(settings.width)} neurons unless stated otherwise`;
    const how = `full-batch subgradient descent of the soft margin loss, λ = ${settings.lambda}, seed ${settings.seed}`;
    const caption = `Three-layer ReLU network and the SVM with its tangent kernel under ${how}; ${size}; ${net}; ${SETTING_WORDS[settings.setting]}.`;
    return drawSheet(plot, document, {
      title: "Figure 1: a three-layer network beside its support vector machine",
      caption,
      panels,
      columns: 2,
    });
  },
};
