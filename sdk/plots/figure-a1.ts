// Figure A.1 as a picture: mini-batch descent on the full data. Not here: the experiment (experiments/figure-a1.ts).
import type { FigureA1Result } from "../experiments/figure-a1.js";
import { accuracyPanel, differencePanel, hingePanel, outputsPanel } from "./curves.js";
import { SETTING_WORDS } from "./figure1.js";
import { drawSheet, formatCount, type PlotDefinition } from "./sheet.js";

export const figureA1Plot: PlotDefinition<FigureA1Result> = {
  name: "figureA1",
  draw(plot, document, { settings, samples, comparison }) {
    const axis = { log: true };
    const panels = [
      hingePanel(plot, "(a) hinge loss", comparison, axis),
      accuracyPanel(plot, "(b) accuracy", comparison, axis),
      outputsPanel(plot, "(c) outputs", comparison, samples, axis),
      differencePanel(plot, "(d) difference", [comparison], axis),
    ];
    const { n, tests, width, epochs, batch, lambda, setting, seed, data } = settings;
    const how = `batches of ${batch}, learning rate ${comparison.learningRate}, λ = ${lambda}, ${epochs} epochs, seed ${seed}`;
    const caption =
      `Two-layer ReLU network of width ${formatCount(width)} and the SVM with its tangent kernel under stochastic subgradient ` +
      `descent with the same batches: ${how}; ${formatCount(n)} training rows of ${data}, ${formatCount(tests)} test points; ${SETTING_WORDS[setting]}.`;
    return drawSheet(plot, document, {
      title: "Figure A.1: a two-layer network beside its support vector machine, mini-batches",
      caption,
      panels,
      columns: 2,
    });
  },
};
