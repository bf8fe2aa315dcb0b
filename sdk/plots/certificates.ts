// What is proved of networks against width, one line a bound, with the infinite machine as a line across.
// Not here: the measuring (experiments/certificates.ts).
import type { CertificatesResult } from "../experiments/certificates.js";
import { COLOURS, drawSheet, formatCount, MACHINE, type PlotDefinition } from "./sheet.js";
import { type WidthSeries, widthPanel } from "./width.js";

const LOOKS: Readonly<Record<string, Pick<WidthSeries, "name" | "colour" | "symbol">>> = {
  ibp: { name: "intervals", colour: COLOURS.black, symbol: "circle" },
  "ibp-difference": { name: "intervals −", colour: COLOURS.purple, symbol: "circle" },
  linear: { name: "linear", colour: COLOURS.orange, symbol: "triangle" },
  paired: { name: "paired", colour: COLOURS.green, symbol: "diamond2" },
  aggregate: { name: "aggregate", colour: COLOURS.vermilion, symbol: "circle" },
};

export const certificatesPlot: PlotDefinition<CertificatesResult> = {
  name: "certificates",
  draw(plot, document, { settings, rows, infinite }) {
    const methods = [...new Set(rows.map(({ method }) => method))];
    const series = methods.flatMap((method): WidthSeries[] => {
      const own = rows.filter((row) => row.method === method);
      const points = own.flatMap(({ width, radius: { mean } }) =>
        width === null || mean === null || mean === 0 ? [] : [{ width, value: mean }],
      );
      const look = LOOKS[method];
      return look === undefined || points.length === 0 ? [] : [{ ...look, points, joined: true }];
    });
    const level = infinite === null ? undefined : { name: "infinite", value: infinite, ...MACHINE };
    const panel = widthPanel(plot, "certified radius (ℓ∞)", "mean certified radius", series, level);
    // Names stand at the right end of their lines instead of in a legend.
    const last = Math.max(...series.flatMap(({ points }) => points.map(({ width }) => width)));
    const ends = series.flatMap(({ name, colour, points }) =>
      points.filter(({ width }) => width === last).map(({ value }) => ({ name, colour, value })),
    );
    if (infinite !== null) ends.push({ name: "infinite", colour: COLOURS.blue, value: infinite });
    const names = plot.text(ends, {
      x: last,
      y: "value",
      text: "name",
      fill: (end: { readonly colour: string }) => end.colour,
      textAnchor: "start",
      dx: 22,
    });
    const marks = [...(panel.plot.marks ?? []), names];
    const { data, n, epochs, seeds, samples } = settings;
    const networks = seeds === 1 ? "one network" : `${seeds} networks`;
    return drawSheet(plot, document, {
      title: "What is proved of wide networks",
      caption:
        `Two-layer ReLU networks, ${formatCount(n)} training rows of ${data}, ${epochs} epochs, ${networks} a width, ` +
        `mean over the correctly classified of ${formatCount(samples)} test rows. Intervals (the paper's) and linear keep f₀ ` +
        "at the centre; paired and aggregate bound f − f₀ itself. Infinite: the machine in the limit, by its own certificate.",
      panels: [{ ...panel, legend: [], plot: { ...panel.plot, marks } }],
      columns: 1,
    });
  },
};
