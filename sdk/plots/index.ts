// Plots of the experiments, for any document: `definition.draw(Plot, document, result)` returns an SVG element, and
// renderPlot() loads Observable Plot by itself. A sub-entry: the SDK does not import it.
// Not here: SVG files in Node (render-node.ts).
import type { PlotDefinition } from "./sheet.js";

export { certificateWidthPlot } from "./certificate-width.js";
export { certificatesPlot } from "./certificates.js";
export { convergencePlot } from "./convergence.js";
export { type CrossValidationPlotData, crossValidationPlot } from "./cross-validation.js";
export { accuracyPanel, differencePanel, hingePanel, outputsPanel, type StepAxis } from "./curves.js";
export { figureA1Plot } from "./figure-a1.js";
export { figure1Plot } from "./figure1.js";
export { finiteWidthPlot } from "./finite-width.js";
export { generalisationPlot } from "./generalisation.js";
export { lossesPlot } from "./losses.js";
export { pathKernelPlot } from "./path-kernel.js";
export { type ReportPageOptions, reportPage } from "./report-page.js";
export {
  COLOURS,
  drawSheet,
  formatSlope,
  type LegendEntry,
  type Panel,
  type PlotDefinition,
  type PlotLibrary,
  type Sheet,
} from "./sheet.js";
export { table2Plot } from "./table2.js";
export { widthPanel, widthPlot } from "./width.js";

/** The plot as an SVG element of `document`. */
export async function renderPlot<Data>(
  definition: PlotDefinition<Data>,
  data: Data,
  document: Document,
): Promise<SVGElement> {
  return definition.draw(await import("@observablehq/plot"), document, data);
}
