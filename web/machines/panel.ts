// The controls of the demo, its legend, and the figures of the whole picture. Not here: what they change.
import { button, segmented, slider, toggle } from "../shared/controls.js";
import { h, svg } from "../shared/dom.js";
import { CHOICES, type MachineKey } from "./losses.js";
import type { Point } from "./points.js";
import { radiusText } from "./readout.js";
import type { Balls, Surface } from "./work.js";

export interface PanelEvents {
  readonly set: (set: string) => void;
  /** Another draw of the example. */
  readonly draw: () => void;
  readonly machine: (machine: string) => void;
  readonly lambda: (lambda: number) => void;
  readonly depth: (depth: number) => void;
  /** Kinds of balls that are not drawn. */
  readonly hide: (kinds: string[]) => void;
  readonly add: () => void;
  readonly flip: () => void;
  readonly remove: () => void;
  readonly clear: () => void;
}

export interface Shown {
  /** Undefined when the points are the visitor's own. */
  readonly set?: string | undefined;
  readonly machine?: MachineKey;
  readonly lambda?: number;
  readonly depth?: number;
  readonly hidden?: readonly string[];
}

const SETS = [
  ["moons", "Moons"],
  ["circles", "Circles"],
  ["xor", "XOR"],
  ["blobs", "Blobs"],
] as const;

const KINDS = [
  ["best", "squares"],
  ["disc", "discs"],
  ["paper", "paper's squares"],
] as const;

/** Three digits at most: 0.00398. */
const shortNumber = (value: number) => String(Number(value.toPrecision(3)));

export class Panel {
  readonly element: HTMLElement;
  readonly pointButtons: readonly HTMLElement[];
  /** The label of points that are placed next. */
  newLabel: 1 | -1 = 1;
  private readonly sets;
  private readonly machines;
  private readonly lambda;
  private readonly depth;
  private readonly switches;
  private readonly note = h("p", { class: "small muted" });
  private readonly flip: HTMLButtonElement;
  private readonly remove: HTMLButtonElement;
  private readonly clear: HTMLButtonElement;

  constructor(events: PanelEvents) {
    this.sets = segmented<string>("Points", SETS, "moons", events.set);
    const titles = Object.entries(CHOICES).map(([name, { title }]) => [name, title] as const);
    this.machines = segmented<string>("Loss (Table 1)", titles, "svm", events.machine);
    this.lambda = slider({
      label: "λ, the weight of the regulariser",
      min: -4,
      max: 2,
      step: 0.05,
      value: -2,
      format: (power) => shortNumber(10 ** power),
      onInput: (power) => events.lambda(Number((10 ** power).toPrecision(3))),
    });
    this.depth = slider({
      label: "Hidden layers",
      min: 1,
      max: 5,
      step: 1,
      value: 1,
      onInput: events.depth,
    });
    const hide = () => events.hide(KINDS.flatMap(([kind], k) => (this.switches[k]?.input.checked ? [] : [kind])));
    this.switches = KINDS.map(([, text]) => toggle(text, true, hide));
    const label = segmented<string>("New points", PLACED, "1", (value) => {
      this.newLabel = value === "1" ? 1 : -1;
    });
    this.flip = button("Flip class", events.flip);
    this.remove = button("Delete", events.remove);
    this.clear = button("Clear", events.clear);
    this.pointButtons = [label.element, button("Add point", events.add), this.flip, this.remove, this.clear];
    this.element = h(
      "div",
      { class: "right" },
      h("div", { class: "row ends" }, this.sets.element, button("New draw", events.draw)),
      this.machines.element,
      this.note,
      this.lambda.element,
      this.depth.element,
      h(
        "div",
        { class: "row", role: "group", "aria-label": "Certified balls" },
        ...this.switches.map((s) => s.element),
      ),
    );
  }

  /** Brings the controls in line with the state. */
  show(shown: Shown): void {
    const { machine, lambda, depth, hidden } = shown;
    if ("set" in shown) this.sets.set(shown.set ?? "");
    if (machine !== undefined) {
      this.machines.set(machine);
      const choice = CHOICES[machine];
      this.lambda.input.disabled = !choice.code.includes("lambda");
      this.note.textContent = `Loss ${choice.loss}. ${choice.note}`;
    }
    if (lambda !== undefined) this.lambda.set(Math.log10(lambda));
    if (depth !== undefined) this.depth.set(depth);
    if (hidden !== undefined)
      this.switches.forEach(({ input }, k) => {
        input.checked = !hidden.includes(KINDS[k]?.[0] ?? "");
      });
  }

  /** Which buttons there is something for. */
  enable(selected: boolean, points: boolean): void {
    this.flip.disabled = !selected;
    this.remove.disabled = !selected;
    this.clear.disabled = !points;
  }
}

const PLACED = [
  ["1", "+"],
  ["-1", "−"],
] as const;

/** What the shapes mean. */
export function legend(): HTMLElement {
  const sample = (...shapes: SVGElement[]) =>
    svg("svg", { viewBox: "-12 -12 24 24", class: "balls", "aria-hidden": "true" }, ...shapes);
  const entry = (picture: SVGElement, text: string) => h("li", {}, picture, text);
  const wide = (kind: string) => svg("rect", { class: kind, x: -9, y: -9, width: 18, height: 18 });
  return h(
    "ul",
    { class: "key" },
    entry(sample(svg("path", { class: "zero", d: "M-11 6C-4 -10 4 10 11 -6" })), "g = 0, the decision"),
    entry(sample(svg("path", { class: "margin", d: "M-11 6C-4 -10 4 10 11 -6" })), "g = ±1, the margin"),
    entry(sample(wide("best")), "certified square, ours"),
    entry(sample(svg("circle", { class: "disc", r: 9 })), "certified disc, ours"),
    entry(sample(svg("rect", { class: "paper", x: -3, y: -3, width: 6, height: 6 })), "certified square, paper"),
    entry(sample(svg("circle", { class: "weight", r: 9 })), "the thicker, the more weight a point has"),
  );
}

export interface Figures {
  readonly points: readonly Point[];
  readonly surface: Surface;
  readonly balls: Balls | undefined;
}

const mean = (values: ArrayLike<number>) =>
  Array.from(values).reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

/** Figures of the whole picture. */
export class Summary {
  readonly element = h("dl", { class: "summary" });

  show(figures: Figures | undefined): void {
    if (figures === undefined) {
      this.element.replaceChildren();
      return;
    }
    const { points, surface, balls } = figures;
    const right = points.filter(({ label }, k) => (surface.decisions[k] ?? 0) * label > 0).length;
    const weighted = surface.alpha.filter((weight) => weight !== 0).length;
    const rows: (readonly [string, string])[] = [
      ["decided as labelled", `${right} of ${points.length}`],
      ["support vectors", `${weighted} of ${points.length}`],
    ];
    if (balls !== undefined) {
      if (balls.square !== null) rows.push(["mean square, ours", `±${radiusText(mean(balls.square))}`]);
      rows.push(["mean square, paper", `±${radiusText(mean(balls.interval))}`]);
      if (balls.disc !== null) rows.push(["mean disc, ours", radiusText(mean(balls.disc))]);
      const time = surface.trainingTime + surface.surfaceTime + balls.time;
      rows.push(["trained and certified in", `${Math.max(1, Math.round(time))} ms`]);
    }
    this.element.replaceChildren(...rows.map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value))));
  }
}
