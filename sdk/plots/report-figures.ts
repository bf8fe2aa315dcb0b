// The plots of a report's page: accuracy over the radius, and histograms of radii. Colours are the page's CSS variables,
// so that they follow its light or dark looks. Not here: the page (report-page.ts).
import type * as Plot from "@observablehq/plot";
import type { SavedReport } from "../certify/report.js";
import { decadeTicks, type PlotLibrary } from "./sheet.js";

/** One line of the plots: certified radii of a method, or distances of adversarial inputs. */
export interface RadiusSeries {
  readonly name: string;
  /** A CSS colour. */
  readonly colour: string;
  readonly dash?: string;
  /** Of the correctly classified samples; Infinity where no adversarial input was found. */
  readonly radii: readonly number[];
  /** All samples, correct or not. */
  readonly samples: number;
}

const METHOD_COLOURS = ["var(--first)", "var(--second)", "var(--third)", "var(--fourth)"] as const;
const ATTACKED = { colour: "var(--attacked)", dash: "6 3" } as const;

/** Series of a report and of others beside it, one a method, and of the attack last. */
export function seriesOf(reports: readonly SavedReport[]): RadiusSeries[] {
  const methods = reports.map(({ method, samples, perSample }, k) => ({
    name: `certified, ${method}`,
    colour: METHOD_COLOURS[k % METHOD_COLOURS.length] ?? "currentColor",
    radii: perSample.filter(({ correct }) => correct).map(({ radius }) => radius),
    samples,
  }));
  const attacked = reports.find(({ attack }) => attack !== undefined);
  if (attacked === undefined) return methods;
  const correct = attacked.perSample.filter((sample) => sample.correct);
  const radii = correct.map(({ attackRadius }) => attackRadius ?? Number.POSITIVE_INFINITY);
  return [...methods, { name: "no attack succeeds", ...ATTACKED, radii, samples: attacked.samples }];
}

const finite = (radii: readonly number[]) => radii.filter((radius) => radius < Number.POSITIVE_INFINITY);

function farthest(series: readonly RadiusSeries[]): number {
  return series.reduce((most, { radii }) => finite(radii).reduce((max, radius) => Math.max(max, radius), most), 0);
}

interface Step {
  readonly epsilon: number;
  readonly share: number;
}

/** Percent of samples whose radius is at least epsilon, as steps: each holds from its epsilon to the next. */
function survival({ radii, samples }: RadiusSeries, end: number): Step[] {
  const sorted = finite(radii).toSorted((a, b) => a - b);
  const share = (left: number) => (100 * left) / Math.max(1, samples);
  const steps = sorted.map((epsilon, k) => ({ epsilon, share: share(radii.length - k - 1) }));
  return [
    { epsilon: 0, share: share(radii.length) },
    ...steps,
    { epsilon: end, share: share(radii.length - sorted.length) },
  ];
}

/** What is neither proved nor broken: between the first method's curve and the attack's. */
function unknownBand(plot: PlotLibrary, series: readonly RadiusSeries[], end: number): Plot.Markish[] {
  const [proved, attack] = [series[0], series.at(-1)];
  if (proved === undefined || attack?.dash === undefined) return [];
  const [low, high] = [survival(proved, end), survival(attack, end)];
  const at = (steps: readonly Step[], epsilon: number) => steps.findLast((step) => step.epsilon <= epsilon)?.share ?? 0;
  const rows = [...new Set([...low, ...high].map(({ epsilon }) => epsilon))]
    .sort((a, b) => a - b)
    .map((epsilon) => ({ epsilon, low: at(low, epsilon), high: at(high, epsilon) }));
  const area = { x: "epsilon", y1: "low", y2: "high", curve: "step-after", fill: "var(--unknown)" } as const;
  return [plot.areaY(rows, area)];
}

const FRAME = {
  width: 760,
  marginLeft: 56,
  marginRight: 20,
  marginBottom: 44,
  style: { fontSize: "13px", fontFamily: "inherit", background: "none", overflow: "visible" },
} as const;

/** Certified accuracy over the radius, and what an attack leaves. */
export function accuracyPlot(series: readonly RadiusSeries[], norm: string, plot: PlotLibrary): Plot.PlotOptions {
  const end = 1.02 * (farthest(series) || 1);
  const lines = series.map((one) =>
    plot.line(survival(one, end), {
      x: "epsilon",
      y: "share",
      curve: "step-after",
      stroke: one.colour,
      strokeWidth: 2.25,
      ...(one.dash === undefined ? {} : { strokeDasharray: one.dash }),
    }),
  );
  return {
    ...FRAME,
    height: 340,
    x: { domain: [0, end], label: `radius ε, ${norm}`, labelAnchor: "center", labelArrow: "none" },
    y: { domain: [0, 100], label: "% of samples", labelArrow: "none", grid: true, ticks: 5 },
    marks: [...unknownBand(plot, series, end), plot.ruleY([0], { stroke: "currentColor" }), ...lines],
  };
}

interface Bin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly name: string;
  readonly colour: string;
}

const BINS = 32;

/** Bins of equal width, on a logarithmic axis when radii differ by more than this factor. */
const LOG_FROM = 40;

/** How many radii lie in each of BINS bins. */
export function binRadii(series: readonly RadiusSeries[]): { readonly log: boolean; readonly bins: Bin[] } {
  const all = series.flatMap(({ radii }) => finite(radii)).filter((radius) => radius > 0);
  if (all.length === 0) return { log: false, bins: [] };
  const [least, most] = all.reduce(([a, b], radius) => [Math.min(a, radius), Math.max(b, radius)], [
    Number.POSITIVE_INFINITY,
    0,
  ] as [number, number]);
  const log = most > LOG_FROM * least;
  const edge = (k: number) => (log ? least * (most / least) ** (k / BINS) : (most * k) / BINS);
  const place = (radius: number) => {
    const share = log ? Math.log(radius / least) / Math.log(most / least) : radius / most;
    return Math.min(BINS - 1, Math.floor(BINS * share));
  };
  const bins = series.flatMap(({ name, colour, radii }) => {
    const counts = new Array<number>(BINS).fill(0);
    for (const radius of finite(radii)) if (radius > 0) counts[place(radius)] = (counts[place(radius)] ?? 0) + 1;
    return counts.map((count, k) => ({ from: edge(k), to: edge(k + 1), count, name, colour }));
  });
  return { log, bins };
}

/** Histograms of radii, one below the other on one axis. */
export function histogramPlot(series: readonly RadiusSeries[], norm: string, plot: PlotLibrary): Plot.PlotOptions {
  const { log, bins } = binRadii(series);
  const names = series.map(({ name }) => name.replace("no attack succeeds", "attacked"));
  const shown = bins.map((bin) => ({ ...bin, name: bin.name.replace("no attack succeeds", "attacked") }));
  const bars = { x1: "from", x2: "to", y: "count", fy: "name", fill: "colour", inset: 0.5 } as const;
  const most = shown.reduce((max, { count }) => Math.max(max, count), 1);
  const ticks = log ? decadeTicks(shown.flatMap(({ from, to }) => [from, to])) : 8;
  const inside = (tick: number) => shown.some(({ from, to }) => from <= tick && tick <= to);
  const titles = names.map((name) => ({ name }));
  const title = { fy: "name", text: "name", frameAnchor: "top-right", dy: 4, fontWeight: 600 } as const;
  return {
    ...FRAME,
    height: 70 + 110 * series.length,
    x: {
      type: log ? "log" : "linear",
      label: log ? `radius, ${norm} (log scale)` : `radius, ${norm}`,
      labelAnchor: "center",
      labelArrow: "none",
      ticks: typeof ticks === "number" ? ticks : ticks.filter(inside),
      tickFormat: (tick: number) => String(Number(tick.toPrecision(6))),
    },
    // Room above the bars for the title.
    y: { domain: [0, 1.3 * most], label: "samples", labelArrow: "none", grid: true, ticks: 3 },
    fy: { domain: names, axis: null, padding: 0.18 },
    color: { type: "identity" },
    marks: [plot.rectY(shown, bars), plot.ruleY([0], { stroke: "currentColor" }), plot.text(titles, title)],
  };
}
