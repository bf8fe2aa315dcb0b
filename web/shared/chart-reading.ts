// Reading a chart: a line that follows the pointer or the arrow keys, values in the legend, and a table of everything.
// Not here: drawing (chart.ts).
import { h, svg } from "./dom.js";
import { numberText, type Plane, type Series, strokeOf } from "./scales.js";

export interface Reading {
  /** The picture in a control that arrow keys move along x. */
  readonly plot: HTMLElement;
  readonly legend: HTMLElement;
  readonly table: HTMLElement;
  update(series: readonly Series[], plane: Plane): void;
}

/** Digits that are read out; the table has all of them. */
const DIGITS = 5;

function sampleOf(own: Series): SVGElement {
  if (own.dots) return svg("circle", { cx: 14, cy: 5, r: 4, fill: `var(--series-${own.colour})` });
  return svg("line", { x1: 0, x2: 28, y1: 5, y2: 5, "stroke-width": 2, ...strokeOf(own) });
}

function tableOf(series: readonly Series[], xs: readonly number[], xLabel: string): HTMLElement {
  const head = [xLabel, ...series.map(({ name }) => name)].map((text) => h("th", { scope: "col" }, text));
  const values = series.map(({ points }) => new Map(points));
  const rows = xs.map((x) => {
    const cells = values.map((own) => h("td", {}, own.has(x) ? String(own.get(x)) : ""));
    return h("tr", {}, h("th", { scope: "row" }, String(x)), ...cells);
  });
  return h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows));
}

/** The readings of a chart called `title` around its `picture`. */
export function reading(title: string, xLabel: string, picture: SVGSVGElement): Reading {
  const legend = h("ul", { class: "legend" });
  const plot = h("div", { class: "plot", role: "slider", tabindex: 0, "aria-label": title }, picture);
  const holder = h("div", { class: "scroll" });
  const table = h("details", { class: "data" }, h("summary", {}, "As a table"), holder);
  let series: readonly Series[] = [];
  let xs: number[] = [];
  let plane: Plane | undefined;
  /** Where the pointer or the keys are among xs; -1: nowhere, the last values are shown. */
  let at = -1;
  const fill = () => {
    if (!table.open) return;
    holder.replaceChildren(tableOf(series, xs, xLabel));
    holder.tabIndex = 0;
    holder.setAttribute("role", "region");
    holder.setAttribute("aria-label", `${title}, as a table`);
  };
  table.addEventListener("toggle", fill);

  const show = () => {
    for (const old of picture.querySelectorAll(".cursor")) old.remove();
    const index = at < 0 ? xs.length - 1 : Math.min(at, xs.length - 1);
    const x = xs[index];
    const values = series.map((own) => (x === undefined ? undefined : own.points.find(([a]) => a === x)?.[1]));
    const text = (value: number | undefined) => (value === undefined ? "" : numberText(value, DIGITS));
    legend.replaceChildren(
      h("li", { class: "at figure" }, x === undefined ? "" : `${xLabel} ${numberText(x, DIGITS)}`),
      ...series.map((own, k) => {
        const sample = svg("svg", { viewBox: "0 0 28 10", "aria-hidden": "true" }, sampleOf(own));
        return h("li", {}, sample, `${own.name} `, h("b", { class: "figure" }, text(values[k])));
      }),
    );
    plot.setAttribute("aria-valuemin", "0");
    plot.setAttribute("aria-valuemax", String(Math.max(0, xs.length - 1)));
    plot.setAttribute("aria-valuenow", String(Math.max(0, index)));
    const spoken = series.flatMap((own, k) => (values[k] === undefined ? [] : `${own.name} ${text(values[k])}`));
    const where = x === undefined ? "empty" : `${xLabel} ${numberText(x, DIGITS)}: ${spoken.join(", ")}`;
    plot.setAttribute("aria-valuetext", where);
    if (at < 0 || x === undefined || plane === undefined) return;
    const px = plane.x(x);
    picture.append(svg("line", { class: "cursor", x1: px, x2: px, y1: plane.top, y2: plane.bottom }));
    series.forEach(({ colour }, k) => {
      const cy = plane?.y(values[k] ?? Number.NaN) ?? Number.NaN;
      if (Number.isFinite(cy))
        picture.append(svg("circle", { class: "cursor", cx: px, cy, r: 4, fill: `var(--series-${colour})` }));
    });
  };

  const follow = ({ clientX }: PointerEvent) => {
    if (plane === undefined || xs.length === 0) return;
    const px = clientX - picture.getBoundingClientRect().left;
    const apart = xs.map((x) => Math.abs((plane?.x(x) ?? 0) - px));
    at = apart.indexOf(Math.min(...apart));
    show();
  };
  plot.addEventListener("pointermove", follow);
  plot.addEventListener("pointerdown", follow);
  // A finger that was lifted leaves its reading behind; a mouse that left does not.
  plot.addEventListener("pointerleave", ({ pointerType }) => {
    if (pointerType !== "mouse") return;
    at = -1;
    show();
  });
  plot.addEventListener("keydown", (event) => {
    const last = xs.length - 1;
    const here = at < 0 ? last : at;
    const moves: Record<string, number> = {
      ...{ ArrowLeft: here - 1, ArrowDown: here - 1, ArrowRight: here + 1, ArrowUp: here + 1 },
      ...{ Home: 0, End: last, PageDown: here - 10, PageUp: here + 10 },
    };
    const to = moves[event.key];
    if (to === undefined) return;
    event.preventDefault();
    at = Math.max(0, Math.min(last, to));
    show();
  });

  return {
    plot,
    legend,
    table,
    update: (all, now) => {
      series = all.filter(({ faint }) => !faint);
      plane = now;
      xs = [...new Set(series.flatMap(({ points }) => points.map(([x]) => x)))].sort((a, b) => a - b);
      show();
      fill();
    },
  };
}
