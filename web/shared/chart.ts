// A small line chart in SVG: a few series on linear or logarithmic axes, drawn again from scratch on every update. Every
// value can be read: by pointer, by arrow keys, by a screen reader, and in a table. Not here: axes (scales.ts), reading
// and tables (chart-reading.ts), figures for papers (sdk/plots).
import { reading } from "./chart-reading.js";
import { h, svg } from "./dom.js";
import { type Axis, numberText, type Plane, type Scale, type Series, scaleOf, strokeOf } from "./scales.js";

export type { Axis, Series } from "./scales.js";

export interface ChartOptions {
  /** What a screen reader says of it. */
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  /** Height in pixels. Default 240. */
  readonly height?: number | undefined;
}

/** An upright line at a value of x, with a word. */
export interface Mark {
  readonly x: number;
  readonly text: string;
}

export interface Chart {
  readonly element: HTMLElement;
  /** Draws `series`; `range` replaces the fixed ends of x. */
  update(series: readonly Series[], marks?: readonly Mark[], range?: readonly [number, number]): void;
}

const EDGE = { left: 52, right: 14, top: 26, bottom: 40 };

function axes(plane: Plane, across: Scale, up: Scale, x: Axis, y: Axis, height: number): SVGElement[] {
  const { left, right, bottom } = plane;
  const parts: SVGElement[] = [];
  for (const tick of up.ticks) {
    const at = plane.y(tick);
    parts.push(svg("line", { class: "axis", x1: left, x2: right, y1: at, y2: at }));
    parts.push(svg("text", { x: left - 6, y: at + 4, "text-anchor": "end" }, numberText(tick)));
  }
  for (const tick of across.ticks) {
    const at = plane.x(tick);
    parts.push(svg("line", { class: "axis", x1: at, x2: at, y1: bottom, y2: bottom + 4 }));
    parts.push(svg("text", { x: at, y: bottom + 17, "text-anchor": "middle" }, numberText(tick)));
  }
  parts.push(svg("line", { class: "axis", x1: left, x2: right, y1: bottom, y2: bottom }));
  parts.push(svg("text", { x: (left + right) / 2, y: height - 5, "text-anchor": "middle" }, x.label));
  parts.push(svg("text", { x: 2, y: 13 }, y.label));
  return parts;
}

function lineOf(own: Series, plane: Plane): SVGElement[] {
  const points = own.points
    .map(([a, b]) => [plane.x(a), plane.y(b)] as const)
    .filter(([a, b]) => Number.isFinite(a) && Number.isFinite(b));
  const opacity = own.faint ? 0.35 : 1;
  const fill = `var(--series-${own.colour})`;
  if (own.dots === true) return points.map(([cx, cy]) => svg("circle", { cx, cy, r: 3.5, fill, opacity }));
  if (points.length === 0) return [];
  const d = points.map(([a, b], k) => `${k === 0 ? "M" : "L"}${a.toFixed(1)} ${b.toFixed(1)}`).join("");
  return [svg("path", { class: "line", d, opacity, ...strokeOf(own) })];
}

/** A chart, empty until the first update. */
export function lineChart({ title, x, y, height = 240 }: ChartOptions): Chart {
  const picture = svg("svg", { class: "chart", "aria-hidden": "true", height });
  let shown: { series: readonly Series[]; marks: readonly Mark[]; range: Axis["range"] } = {
    series: [],
    marks: [],
    range: undefined,
  };
  const read = reading(title, x.label, picture);
  const draw = () => {
    const { series, marks, range } = shown;
    const width = Math.max(200, picture.clientWidth || 480);
    picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const points = series.flatMap((own) => own.points);
    const xs = [...points.map((point) => point[0]), ...marks.map((mark) => mark.x)];
    const across = scaleOf({ ...x, range: range ?? x.range }, xs);
    const up = scaleOf(
      y,
      points.map((point) => point[1]),
    );
    const edges = { left: EDGE.left, right: width - EDGE.right, top: EDGE.top, bottom: height - EDGE.bottom };
    const plane: Plane = {
      ...edges,
      x: (value) => edges.left + (edges.right - edges.left) * across.at(value),
      y: (value) => edges.bottom - (edges.bottom - edges.top) * up.at(value),
    };
    const parts = axes(plane, across, up, x, y, height);
    for (const { x: at, text } of marks) {
      const px = plane.x(at);
      const end = px > 0.7 * width;
      parts.push(svg("line", { class: "mark", x1: px, x2: px, y1: plane.top, y2: plane.bottom }));
      const place = { x: px + (end ? -5 : 5), y: plane.top + 11, "text-anchor": end ? "end" : "start" };
      parts.push(svg("text", place, text));
    }
    for (const own of series) parts.push(...lineOf(own, plane));
    picture.replaceChildren(...parts);
    read.update(series, plane);
  };
  new ResizeObserver(() => {
    if (picture.clientWidth > 0) draw();
  }).observe(picture);
  const update: Chart["update"] = (series, marks = [], range) => {
    shown = { series, marks, range };
    draw();
  };
  const element = h("figure", { class: "figure-chart" }, read.plot, read.legend, read.table);
  return { element, update };
}
