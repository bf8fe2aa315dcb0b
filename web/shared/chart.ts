// A small line chart in SVG: a few series on linear or logarithmic axes, drawn again from scratch on every update.
// Not here: figures for papers (sdk/plots).
import { h, svg } from "./dom.js";

export interface Series {
  readonly name: string;
  /** Points in the order they are joined; what is not finite is left out. */
  readonly points: readonly (readonly [x: number, y: number])[];
  /** 1 to 6: the theme's series colours, each also with a dash of its own. */
  readonly colour: 1 | 2 | 3 | 4 | 5 | 6;
  /** Dots instead of a line. */
  readonly dots?: boolean | undefined;
}

export interface Axis {
  readonly label: string;
  readonly log?: boolean | undefined;
  /** Fixed ends; those of the points otherwise. */
  readonly range?: readonly [number, number] | undefined;
}

export interface ChartOptions {
  /** What a screen reader says of it. */
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  /** Height in units of a 480 wide drawing. Default 260. */
  readonly height?: number | undefined;
}

export interface Chart {
  readonly element: HTMLElement;
  /** Draws `series`; `marks` are upright lines at values of x, with a word. */
  update(series: readonly Series[], marks?: readonly { readonly x: number; readonly text: string }[]): void;
}

const WIDTH = 480;
const EDGE = { left: 52, right: 12, top: 10, bottom: 40 };
const DASHES = ["", "7 3", "2 3", "9 3 2 3", "4 2", "12 4"];

/** Maps values to [0, 1]. */
interface Scale {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

function linearTicks(low: number, high: number): number[] {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, k) => Number(((first + k) * step).toPrecision(12)));
}

function logTicks(low: number, high: number): number[] {
  const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  const every = Math.max(1, Math.ceil((last - first) / 5));
  const powers = Array.from({ length: Math.max(0, last - first + 1) }, (_, k) => first + k);
  return powers.filter((power) => (power - first) % every === 0).map((power) => 10 ** power);
}

function scaleOf({ log = false, range }: Axis, values: readonly number[]): Scale {
  const usable = values.filter((value) => Number.isFinite(value) && (!log || value > 0));
  let low = range?.[0] ?? usable.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  let high = range?.[1] ?? usable.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  if (!(low <= high)) [low, high] = log ? [0.1, 1] : [0, 1];
  if (low === high) [low, high] = log ? [low / 2, high * 2] : [low - 0.5, high + 0.5];
  const place = log ? Math.log : (value: number) => value;
  const [from, to] = [place(low), place(high)];
  return {
    at: (value) => (place(value) - from) / (to - from),
    ticks: log ? logTicks(low, high) : linearTicks(low, high),
  };
}

function tickText(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e5 || size < 1e-3)) return value.toExponential(0).replace("e+", "e");
  return String(Number(value.toPrecision(4)));
}

const stroke = ({ colour }: Series) => ({ stroke: `var(--series-${colour})`, "stroke-dasharray": DASHES[colour - 1] });

/** A chart, empty until the first update. */
export function lineChart({ title, x, y, height = 260 }: ChartOptions): Chart {
  const picture = svg("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": title });
  const legend = h("ul", { class: "legend" });
  const across = WIDTH - EDGE.left - EDGE.right;
  const up = height - EDGE.top - EDGE.bottom;

  const update: Chart["update"] = (series, marks = []) => {
    const scaleX = scaleOf(x, [
      ...series.flatMap(({ points }) => points.map((point) => point[0])),
      ...marks.map((mark) => mark.x),
    ]);
    const scaleY = scaleOf(
      y,
      series.flatMap(({ points }) => points.map((point) => point[1])),
    );
    const px = (value: number) => EDGE.left + across * scaleX.at(value);
    const py = (value: number) => EDGE.top + up * (1 - scaleY.at(value));
    const bottom = EDGE.top + up;
    const parts: SVGElement[] = [];
    for (const tick of scaleY.ticks) {
      parts.push(svg("line", { class: "axis", x1: EDGE.left, x2: WIDTH - EDGE.right, y1: py(tick), y2: py(tick) }));
      parts.push(svg("text", { x: EDGE.left - 6, y: py(tick) + 4, "text-anchor": "end" }, tickText(tick)));
    }
    for (const tick of scaleX.ticks) {
      parts.push(svg("line", { class: "axis", x1: px(tick), x2: px(tick), y1: bottom, y2: bottom + 4 }));
      parts.push(svg("text", { x: px(tick), y: bottom + 17, "text-anchor": "middle" }, tickText(tick)));
    }
    parts.push(svg("line", { class: "axis", x1: EDGE.left, x2: WIDTH - EDGE.right, y1: bottom, y2: bottom }));
    parts.push(svg("text", { x: EDGE.left + across / 2, y: height - 6, "text-anchor": "middle" }, x.label));
    parts.push(svg("text", { x: EDGE.left - 46, y: EDGE.top - 0, "text-anchor": "start" }, y.label));
    for (const mark of marks) {
      parts.push(svg("line", { class: "axis", x1: px(mark.x), x2: px(mark.x), y1: EDGE.top, y2: bottom }));
      parts.push(svg("text", { x: px(mark.x) + 4, y: EDGE.top + 12 }, mark.text));
    }
    for (const own of series) {
      const points = own.points
        .map(([a, b]) => [px(a), py(b)] as const)
        .filter(([a, b]) => Number.isFinite(a) && Number.isFinite(b));
      if (own.dots === true)
        for (const [a, b] of points)
          parts.push(svg("circle", { cx: a, cy: b, r: 3.5, fill: `var(--series-${own.colour})` }));
      else if (points.length > 0) {
        const path = points.map(([a, b], k) => `${k === 0 ? "M" : "L"}${a.toFixed(1)} ${b.toFixed(1)}`).join("");
        parts.push(svg("path", { class: "line", d: path, ...stroke(own) }));
      }
    }
    picture.replaceChildren(...parts);
    legend.replaceChildren(
      ...series.map((own) => {
        const sample = own.dots
          ? svg("circle", { cx: 14, cy: 5, r: 4, fill: `var(--series-${own.colour})` })
          : svg("line", { x1: 0, x2: 28, y1: 5, y2: 5, "stroke-width": 2, ...stroke(own) });
        return h("li", {}, svg("svg", { viewBox: "0 0 28 10", "aria-hidden": "true" }, sample), own.name);
      }),
    );
  };
  return { element: h("figure", { class: "figure-chart small" }, picture, legend), update };
}
