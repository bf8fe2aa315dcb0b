// The demo's charts: outputs of four images, hinge loss, the gap between network and machine, drift of the kernel, and
// the gap of all runs against width. Not here: where the numbers come from.
import { type Chart, lineChart, type Series } from "../shared/chart.js";
import { h } from "../shared/dom.js";
import { numberText } from "../shared/scales.js";
import { type Gap, gapsOf, type Look, type Stored } from "./curves.js";

const NAMES = ["a", "b", "c", "d"];
const COLOURS = [1, 2, 3, 4] as const;

export interface Charts {
  readonly element: HTMLElement;
  /** Draws a run; the step axis reaches `last`. */
  draw(looks: readonly Look[], last: number): void;
  /** Draws gaps against width: those of the stored runs, and of this visit. */
  drawGaps(stored: Stored | undefined, own: readonly Gap[], width: number): void;
}

type Point = readonly [number, number];

const curve = (looks: readonly Look[], of: (look: Look) => number | undefined): Point[] =>
  looks.flatMap((look) => {
    const value = of(look);
    return value === undefined ? [] : [[look.step, value] as const];
  });

/** Series without points would only stand in the legend. */
const present = (series: readonly Series[]) => series.filter(({ points }) => points.length > 0);

function outputs(looks: readonly Look[]): Series[] {
  return NAMES.flatMap((name, k): Series[] => {
    const colour = COLOURS[k] ?? 1;
    return [
      { name: `f(${name})`, colour, dashed: false, points: curve(looks, ({ f }) => f?.[k]) },
      { name: `g(${name})`, colour, dashed: true, points: curve(looks, ({ g }) => g[k]) },
    ];
  });
}

/** A logarithmic axis has no place for 0, where every run begins. */
const positive = (points: readonly Point[]) => points.filter(([, y]) => y > 0);

function panel(title: string, text: string, { element }: Chart): HTMLElement {
  return h("section", { class: "panel" }, h("h3", {}, title), h("p", { class: "small muted" }, text), element);
}

const GAP = "Root mean square of f − g over 64 test images";

export function makeCharts(): Charts {
  const x = { label: "step" };
  // The same axes at every width, so that moving the slider shows what the width does.
  const chart = (title: string, label: string, reach: readonly number[], log = false) =>
    lineChart({ title, x, y: { label, log, reach } });
  const shown = chart("Outputs of network and machine at four test images, by step", "output", [-1.5, 1.5]);
  const hinge = chart("Mean hinge loss of network and machine, by step", "hinge loss", [0, 1]);
  const gap = chart("Difference between network and machine, by step", "|f − g|", [1e-3, 1], true);
  const drift = chart("Drift of the network's tangent kernel, by step", "relative drift", [1e-3, 10], true);
  const gaps = lineChart({ title: GAP, x: { label: "width", log: true }, y: { label: "gap", log: true } });
  const law = h("span");
  const text = h("p", { class: "small muted" }, "Each run's last gap: the wider, the closer. ", law);
  const wide = h("section", { class: "panel wide" }, h("h3", {}, "The gap against width"), text, gaps.element);
  const element = h(
    "div",
    { class: "columns" },
    panel("Outputs", "Four test images: the network f solid, the machine g dashed.", shown),
    panel("Hinge loss", "Mean over the 64 training images.", hinge),
    panel("‖f − g‖", "Over the 64 test images.", gap),
    panel("Kernel drift", "How far the network's own tangent kernel has moved. The machine's never does.", drift),
    wide,
  );
  const draw: Charts["draw"] = (looks, last) => {
    const range = [0, last] as const;
    shown.update(present(outputs(looks)), [], range);
    const losses: Series[] = [
      { name: "network", colour: 1, dashed: false, points: curve(looks, ({ hingeF }) => hingeF) },
      { name: "machine", colour: 2, dashed: true, points: curve(looks, ({ hingeG }) => hingeG) },
    ];
    hinge.update(present(losses), [], range);
    const apart: Series[] = [
      { name: "largest", colour: 2, dashed: true, points: positive(curve(looks, ({ largest }) => largest)) },
      { name: "root mean square", colour: 1, dashed: false, points: positive(curve(looks, ({ rms }) => rms)) },
    ];
    gap.update(present(apart), [], range);
    const moved: Series = { name: "drift", colour: 3, dashed: false, points: positive(curve(looks, (l) => l.drift)) };
    drift.update(present([moved]), [], range);
  };
  const drawGaps: Charts["drawGaps"] = (stored, own, width) => {
    if (stored !== undefined) {
      const [slope = "", low = "", high = ""] = [stored.law.slope, ...stored.law.interval].map((v) => numberText(v, 2));
      law.textContent = `Stored runs fall like the width to the power ${slope} (95% interval ${low} to ${high}).`;
    }
    const pointsOf = (list: readonly Gap[]) => list.map((each): Point => [each.width, each.rms]);
    const series: Series[] = [
      { name: "stored, step 256", colour: 6, dashed: false, points: pointsOf(gapsOf(stored)) },
      { name: "yours, last step", colour: 2, dots: true, points: pointsOf(own).toSorted((a, b) => a[0] - b[0]) },
    ];
    gaps.update(present(series), Number.isFinite(width) ? [{ x: width, text: "here" }] : []);
  };
  return { element, draw, drawGaps };
}
