// Certified radii against width, with the SVM as a line: Table 2 and Appendix H.2 as a picture.
// Not here: the measuring (experiments/table2.ts).
import type { Table2Result } from "../experiments/table2.js";
import { COLOURS, drawSheet, formatCount, formatSlope, MACHINE, type PlotDefinition } from "./sheet.js";
import { widthPanel } from "./width.js";

export const table2Plot: PlotDefinition<Table2Result> = {
  name: "table2",
  draw(plot, document, { settings, rows, fit }) {
    // One line, the paper's: other bounds have a picture of their own (certificates.ts).
    const first = rows.find(({ model }) => model === "network")?.method;
    const points = rows.flatMap(({ method, width, seeds }) =>
      seeds.flatMap(({ radius }) =>
        method !== first || width === null || radius === null || radius === 0 ? [] : [{ width, value: radius }],
      ),
    );
    const limit = rows.find(({ model }) => model === "svm")?.radius.mean ?? undefined;
    const networks = { name: "networks, IBP", colour: COLOURS.blue, symbol: "circle" as const, points, law: fit };
    const level = limit === undefined ? undefined : { name: "SVM (infinite width)", value: limit, ...MACHINE };
    const panel = widthPanel(
      plot,
      "certified radius (ℓ∞)",
      "mean radius of correctly classified test points",
      [networks],
      level,
    );
    const seeds = rows[0]?.seeds.length ?? 0;
    const slope = fit === undefined ? "" : ` Fitted: ${formatSlope(fit)}.`;
    const caption = `${formatCount(settings.n)} training rows of ${settings.data}, ${settings.epochs} epochs, ${seeds} networks a width.${slope}`;
    return drawSheet(plot, document, {
      title: "Table 2: certified radius against width",
      caption,
      panels: [panel],
      columns: 1,
    });
  },
};
