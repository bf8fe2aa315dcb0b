// Where things are: the picture beside what is proved, the ball beside the worst picture, and what to take home below.
// Not here: the things.
import { h } from "../shared/dom.js";

export interface Places {
  readonly picture: readonly Node[];
  readonly proved: readonly Node[];
  readonly within: readonly Node[];
  readonly worst: readonly Node[];
  readonly foot: readonly Node[];
}

function panel(name: string, content: readonly Node[]): HTMLElement {
  return h("section", { class: "panel", "aria-label": name }, ...content);
}

/** The demo's content. */
export function layout({ picture, proved, within, worst, foot }: Places): HTMLElement {
  return h(
    "div",
    {},
    h("div", { class: "columns top" }, panel("The picture", picture), panel("What is proved", proved)),
    h("div", { class: "columns below" }, panel("Within a radius", within), panel("The worst picture found", worst)),
    ...foot,
  );
}
