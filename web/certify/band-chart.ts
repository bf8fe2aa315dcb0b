// The machine's output against the radius of the ball: the band that each bound proves, the worst image found, and the
// radius looked at. Not here: the numbers (work.ts).
import { h, svg } from "../shared/dom.js";
import type { Curves } from "./work.js";

const WIDTH = 560;
const HEIGHT = 260;
const EDGE = { left: 40, right: 10, top: 12, bottom: 46 };

export interface BandChart {
  readonly element: HTMLElement;
  /** Draws the curves of a picture whose output is `decision`. */
  update(curves: Curves, decision: number): void;
  /** Moves the upright line. */
  cursor(epsilon: number): void;
  clear(): void;
}

const ACROSS = WIDTH - EDGE.left - EDGE.right;
const UP = HEIGHT - EDGE.top - EDGE.bottom;

/** A step for about four ticks. */
function stepOf(span: number): number {
  const power = 10 ** Math.floor(Math.log10(span / 4));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= span / 4) ?? 10);
}

function legend(): HTMLElement {
  const sample = (kind: string) =>
    svg("svg", { viewBox: "0 0 28 10", "aria-hidden": "true" }, svg("rect", { class: kind, width: 28, height: 10 }));
  return h(
    "ul",
    { class: "legend" },
    h("li", {}, sample("band-best"), "what ours proves"),
    h("li", {}, sample("band-interval"), "what the paper's interval bound proves"),
    h(
      "li",
      {},
      svg(
        "svg",
        { viewBox: "0 0 28 10", "aria-hidden": "true" },
        svg("line", { class: "attack-line", x1: 0, x2: 28, y1: 5, y2: 5 }),
      ),
      "towards the worst image found",
    ),
  );
}

function axes(most: number, low: number, high: number, px: (x: number) => number, py: (y: number) => number) {
  const parts: SVGElement[] = [];
  const step = stepOf(high - low);
  for (let tick = Math.ceil(low / step) * step; tick <= high + 1e-9; tick += step) {
    const text = String(Number(tick.toPrecision(6)) + 0);
    const kind = Math.abs(tick) < step / 2 ? "zero" : "axis";
    parts.push(svg("line", { class: kind, x1: EDGE.left, x2: WIDTH - EDGE.right, y1: py(tick), y2: py(tick) }));
    parts.push(svg("text", { x: EDGE.left - 6, y: py(tick) + 4, "text-anchor": "end" }, text));
  }
  for (let tick = 0; tick <= most + 1e-9; tick += 0.1)
    parts.push(svg("text", { x: px(tick), y: HEIGHT - EDGE.bottom + 18, "text-anchor": "middle" }, tick.toFixed(1)));
  const words = "radius of the ball, in shares of full brightness";
  parts.push(svg("text", { x: EDGE.left + ACROSS / 2, y: HEIGHT - 5, "text-anchor": "middle" }, words));
  return parts;
}

/** A chart, empty until the first update. `most` is the largest radius. */
export function bandChart(most: number): BandChart {
  const name = "The machine's output against the radius of the ball, as each bound proves it";
  const clip = svg("clipPath", { id: "frame" }, svg("rect", { x: EDGE.left, y: EDGE.top, width: ACROSS, height: UP }));
  const content = svg("g");
  const waits = svg("text", { x: WIDTH / 2, y: HEIGHT / 2, "text-anchor": "middle" }, "The curves are on their way.");
  const line = svg("line", { class: "cursor", y1: EDGE.top, y2: EDGE.top + UP });
  const picture = svg("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": name });
  picture.append(svg("defs", {}, clip), content, line);
  const px = (x: number) => EDGE.left + (ACROSS * x) / most;

  const update: BandChart["update"] = (curves, decision) => {
    const reach = Math.max(0.5, 3 * Math.abs(decision));
    const [low, high] = [-reach, reach];
    const py = (y: number) => EDGE.top + (UP * (high - y)) / (high - low);
    // Far outside the frame is far enough: drawings have limits.
    const cut = (y: number) => py(Math.min(4 * reach, Math.max(-4 * reach, y)));
    const { epsilons } = curves;
    const band = ({ lower, upper }: Curves["best"], kind: string) => {
      const point = (value: number | undefined, k: number) =>
        `${px(epsilons[k] ?? 0).toFixed(1)} ${cut(value ?? 0).toFixed(1)}`;
      const path = [...upper.map(point), ...lower.map(point).reverse()].join("L");
      return svg("path", { class: kind, d: `M${path}Z` });
    };
    const parts = [band(curves.interval, "band-interval"), band(curves.best, "band-best")];
    if (curves.path !== null) {
      const path = curves.path.map((value, k) => `${px(epsilons[k] ?? 0).toFixed(1)} ${cut(value).toFixed(1)}`);
      parts.push(svg("path", { class: "attack-line", d: `M${path.join("L")}` }));
    }
    content.replaceChildren(svg("g", { "clip-path": "url(#frame)" }, ...parts), ...axes(most, low, high, px, py));
  };
  return {
    element: h("figure", { class: "figure-chart small" }, picture, legend()),
    update,
    cursor: (epsilon) => {
      line.setAttribute("x1", String(px(epsilon)));
      line.setAttribute("x2", String(px(epsilon)));
    },
    clear: () => content.replaceChildren(waits),
  };
}
