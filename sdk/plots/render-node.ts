// Plots as SVG text outside browsers, through linkedom. Not here: what is drawn (one file a figure).
import type { PlotDefinition } from "./sheet.js";

/** The SVG file of a plot, ready to be written. Loads Observable Plot and linkedom when first called. */
export async function renderSvg<Data>(definition: PlotDefinition<Data>, data: Data): Promise<string> {
  const [plot, { parseHTML }] = await Promise.all([import("@observablehq/plot"), import("linkedom")]);
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const svg = definition.draw(plot, document as unknown as Document, data);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${svg.outerHTML}\n`;
}
