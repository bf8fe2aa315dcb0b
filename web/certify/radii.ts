// Three radii on one scale: what the paper's bound proves, what ours proves, and the smallest attack. Not here: how they
// come about (work.ts).
import { formatDistance, formatRadius } from "../../sdk/index.js";
import { h } from "../shared/dom.js";

export interface Radii {
  readonly interval: number | undefined;
  readonly best: number | undefined;
  /** null: nothing found. */
  readonly attack: number | null | undefined;
}

export interface RadiiView {
  readonly element: HTMLElement;
  update(radii: Radii): void;
}

/** Lines with a bar each; `most` fills a line. */
export function radiiView(most: number): RadiiView {
  const line = (kind: string, name: string) => {
    const bar = h("span", { class: `bar ${kind}` });
    const value = h("dd", { class: "figure" }, "…");
    const element = h(
      "div",
      { class: "radius" },
      h("dt", {}, name),
      value,
      h("dd", { class: "track", "aria-hidden": "true" }, bar),
    );
    const show = (size: number | undefined, text: string) => {
      bar.style.setProperty("--share", `${Math.min(100, (100 * (size ?? 0)) / most)}%`);
      value.textContent = text;
    };
    return { element, show };
  };
  const interval = line("unknown", "Proved by the paper's interval bound");
  const best = line("certified", "Proved by our bound");
  const attack = line("broken", "Smallest attack found");
  const down = (radius: number | undefined) => (radius === undefined ? "…" : formatRadius(radius));
  return {
    element: h("dl", { class: "radii" }, interval.element, best.element, attack.element),
    update: (radii) => {
      interval.show(radii.interval, down(radii.interval));
      best.show(radii.best, down(radii.best));
      const size = radii.attack;
      attack.show(size ?? undefined, size === undefined ? "…" : size === null ? "none found" : formatDistance(size));
    },
  };
}
