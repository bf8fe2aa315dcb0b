// The paper that plots are drawn on: panels of Observable Plot in one SVG with a title, legends and a caption, in any
// document (a browser's or linkedom's). Colours are Okabe and Ito's, which colour-blind readers can tell apart; lines differ
// in dash or thickness as well. Not here: what is drawn (one file a figure) and files (render-node.ts).
import type * as Plot from "@observablehq/plot";

export type PlotLibrary = typeof Plot;

/** One figure for any data of its kind. */
export interface PlotDefinition<Data> {
  /** File name without its extension. */
  readonly name: string;
  draw(plot: PlotLibrary, document: Document, data: Data): SVGElement;
}

/** Okabe and Ito's palette. */
export const COLOURS = {
  black: "#000000",
  orange: "#E69F00",
  sky: "#56B4E9",
  green: "#009E73",
  blue: "#0072B2",
  vermilion: "#D55E00",
  purple: "#CC79A7",
} as const;

/** The machine is a broad pale line and the network a thin dark one over it, so both show where they agree. */
export const MACHINE = { stroke: COLOURS.sky, strokeWidth: 5, strokeLinecap: "round" } as const;
export const NETWORK = { stroke: COLOURS.vermilion, strokeWidth: 1.75, strokeDasharray: "5 3" } as const;

/** Marks of points: Plot's names of them, and outlines for legends. */
export const MARK_SYMBOLS = {
  circle: "M4,0A4,4 0 1 1 -4,0A4,4 0 1 1 4,0Z",
  diamond2: "M0,-5L5,0L0,5L-5,0Z",
  triangle: "M0,-5L5,4L-5,4Z",
} as const;
export type MarkSymbol = keyof typeof MARK_SYMBOLS;

export interface LegendEntry {
  readonly label: string;
  readonly colour: string;
  readonly width?: number;
  readonly dash?: string;
  readonly symbol?: MarkSymbol;
}

export const SIDES: readonly LegendEntry[] = [
  { label: "SVM (infinite width)", colour: MACHINE.stroke, width: MACHINE.strokeWidth },
  { label: "network", colour: NETWORK.stroke, width: NETWORK.strokeWidth, dash: NETWORK.strokeDasharray },
];

export interface Panel {
  readonly title: string;
  readonly plot: Plot.PlotOptions;
  readonly legend?: readonly LegendEntry[];
}

export interface Sheet {
  readonly title: string;
  readonly caption: string;
  readonly panels: readonly Panel[];
  readonly columns: number;
}

const SVG = "http://www.w3.org/2000/svg";
const FONT = "system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif";
const INK = "#222222";
const PANEL = { width: 440, height: 290, gap: 28, head: 46 } as const;
const EDGE = 24;
const LINE = 18;

/** Average width of a character of 12 px text, in px: for wrapping and legends only. */
const CHARACTER = 6.4;

type Attributes = Readonly<Record<string, string | number>>;

function element(document: Document, name: string, attributes: Attributes, ...children: (Node | string)[]): SVGElement {
  const made = document.createElementNS(SVG, name) as SVGElement;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  for (const child of children) made.appendChild(typeof child === "string" ? document.createTextNode(child) : child);
  return made;
}

function wrap(text: string, width: number): string[] {
  const most = Math.floor(width / CHARACTER);
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= most) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** The entries in as many lines as they need, and how far down the last one is. */
function legend(document: Document, entries: readonly LegendEntry[]): { group: SVGElement; down: number } {
  const group = element(document, "g", { "font-size": 12, fill: INK });
  let x = 0;
  let y = 0;
  for (const { label, colour, width = 2, dash, symbol } of entries) {
    const room = 30 + label.length * CHARACTER;
    if (x > 0 && x + room > PANEL.width) {
      x = 0;
      y += LINE - 2;
    }
    const line = { x1: x, x2: x + 24, y1: y - 4, y2: y - 4, stroke: colour, "stroke-width": width };
    const mark =
      symbol === undefined
        ? element(document, "line", dash === undefined ? line : { ...line, "stroke-dasharray": dash })
        : element(document, "path", {
            d: MARK_SYMBOLS[symbol],
            transform: `translate(${x + 12},${y - 4})`,
            fill: colour,
          });
    group.appendChild(mark);
    group.appendChild(element(document, "text", { x: x + 30, y }, label));
    x += room + 18;
  }
  return { group, down: y };
}

function drawPanel(plot: PlotLibrary, document: Document, panel: Panel): SVGElement {
  const { width, height, head } = PANEL;
  const entries = legend(document, panel.legend ?? []);
  entries.group.setAttribute("transform", "translate(0,36)");
  const style = { fontSize: "12px", fontFamily: FONT, color: INK, background: "none", overflow: "visible" };
  const size = { width, height: height - entries.down };
  const options = { ...size, marginLeft: 52, marginRight: 70, marginBottom: 42, marginTop: 26, style, document };
  const drawn = plot.plot({ ...options, ...panel.plot });
  drawn.setAttribute("y", String(head + entries.down));
  const group = element(document, "g", {});
  group.appendChild(element(document, "text", { y: 14, "font-size": 14, "font-weight": 600, fill: INK }, panel.title));
  group.appendChild(entries.group);
  group.appendChild(drawn);
  return group;
}

/** Draws all panels, row by row. */
export function drawSheet(plot: PlotLibrary, document: Document, sheet: Sheet): SVGElement {
  const { panels, columns, title, caption } = sheet;
  const rows = Math.ceil(panels.length / columns);
  const inner = columns * PANEL.width + (columns - 1) * PANEL.gap;
  const width = inner + 2 * EDGE;
  const lines = wrap(caption, inner);
  const top = EDGE + 40;
  const block = PANEL.head + PANEL.height + PANEL.gap;
  const height = top + rows * block + lines.length * LINE + EDGE - 8;
  const box = { width, height, viewBox: `0 0 ${width} ${height}`, "font-family": FONT };
  const svg = element(document, "svg", { xmlns: SVG, role: "img", "aria-label": title, ...box });
  svg.appendChild(element(document, "title", {}, title));
  svg.appendChild(element(document, "desc", {}, caption));
  svg.appendChild(element(document, "rect", { width, height, fill: "#ffffff" }));
  const heading = { x: EDGE, y: EDGE + 14, "font-size": 18, "font-weight": 600, fill: INK };
  svg.appendChild(element(document, "text", heading, title));
  panels.forEach((panel, k) => {
    const x = EDGE + (k % columns) * (PANEL.width + PANEL.gap);
    const y = top + Math.floor(k / columns) * block;
    const drawn = drawPanel(plot, document, panel);
    drawn.setAttribute("transform", `translate(${x},${y})`);
    svg.appendChild(drawn);
  });
  lines.forEach((line, k) => {
    const at = { x: EDGE, y: top + rows * block + k * LINE, "font-size": 12, fill: INK };
    svg.appendChild(element(document, "text", at, line));
  });
  return svg;
}

/** Ticks 1, 2, 5, 10, ... that cover the values: for logarithmic axes, whose domain they also are. */
export function decadeTicks(values: readonly number[]): number[] {
  const positive = values.filter((value) => value > 0);
  if (positive.length === 0) return [1];
  const [low, high] = [Math.min(...positive), Math.max(...positive)];
  const ticks: number[] = [];
  for (let k = Math.floor(Math.log10(low)); 10 ** k <= 10 * high; k++)
    ticks.push(...[1, 2, 5].map((digit) => Number(`${digit}e${k}`)));
  const from = ticks.findLastIndex((tick) => tick <= low);
  const to = ticks.findIndex((tick) => tick >= high);
  return ticks.slice(Math.max(0, from), to + 1);
}

/** 16384 as "16,384". */
export const formatCount = (value: number) => String(value).replace(/\B(?=(\d{3})+$)/g, ",");

/** "+1" and "−1", with a real minus. */
export const formatLabel = (label: number) => (label > 0 ? `+${label}` : `−${Math.abs(label)}`);

const signed = (value: number, digits: number) => value.toFixed(digits).replace("-", "−");

/** "slope −0.52 (95% interval −0.58 to −0.46)". */
export function formatSlope(fit: {
  readonly slope: number;
  readonly interval: readonly [number, number] | null;
  readonly level: number;
}): string {
  const slope = `slope ${signed(fit.slope, 2)}`;
  if (fit.interval === null) return slope;
  const [low, high] = fit.interval;
  const level = `${Number((100 * fit.level).toFixed(2))}%`;
  return `${slope} (${level} interval ${signed(low, 2)} to ${signed(high, 2)})`;
}
