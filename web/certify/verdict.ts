// The answer in words: what the machine decides, and whether the picture looks like a digit that it knows. Not here: the
// radii (radii.ts).
import { h } from "../shared/dom.js";
import { imageCanvas, paintGrey } from "./pictures.js";
import type { Judgement } from "./work.js";

/** p-values below which a picture is called neither digit, and doubtful: this share of real digits is, too. */
const NEITHER = 0.02;
const DOUBTFUL = 0.05;

/** The digits in the name of a data set, "mnist 3,8 train", as the machine's answers -1 and +1. */
export function digitsOf(dataName: string): readonly [string, string] {
  const [, a, b] = /^mnist (\d),(\d)\b/.exec(dataName) ?? [];
  return a === undefined || b === undefined ? ["−1", "+1"] : [a, b];
}

/** A warning for pictures that look like neither digit; undefined for others. */
export function likenessText({ likeness, prediction }: Judgement, [a, b]: readonly [string, string]) {
  if (prediction === 0) return "The machine abstains: rounding alone could decide this picture.";
  if (likeness === null || likeness.pValue > DOUBTFUL) return undefined;
  const name = prediction < 0 ? a : b;
  const rare = `at most ${likeness.pValue <= 0.001 ? "1 in 1,000" : `${Math.ceil(1000 * likeness.pValue) / 10}%`}`;
  const fact = `of real ${a}s and ${b}s, ${rare} look so unlike all training images`;
  return likeness.pValue <= NEITHER
    ? `This looks like neither a ${a} nor a ${b}: ${fact}. The machine knows no third answer and says ${name}; ` +
        "a certificate proves that this answer stays, not that it is right."
    : `This may be neither a ${a} nor a ${b}: ${fact}.`;
}

export class VerdictView {
  private readonly seen = imageCanvas("The picture as the machine sees it: 28 by 28 pixels");
  private readonly answer = h("p", { class: "answer" }, "…");
  private readonly detail = h("p", { class: "detail figure" });
  readonly element = h(
    "div",
    { class: "verdict" },
    h("div", { class: "seen" }, this.seen),
    h("div", { role: "status", "aria-live": "polite" }, this.answer, this.detail),
  );

  constructor() {
    this.clear();
  }

  clear(): void {
    paintGrey(this.seen, [], 1);
    this.answer.textContent = "Nothing yet";
    this.detail.textContent = "Draw a digit, or pick one.";
  }

  show(pixels: Uint8Array, judgement: Judgement, digits: readonly [string, string], label: -1 | 1 | undefined): void {
    const { decision, prediction, likeness } = judgement;
    paintGrey(this.seen, pixels, 255);
    const name = prediction === 0 ? undefined : digits[prediction < 0 ? 0 : 1];
    const strange = likeness !== null && likeness.pValue <= NEITHER;
    this.answer.textContent =
      name === undefined ? "No decision" : strange ? `Neither? The machine says ${name}` : `It is a ${name}`;
    const wrong = label !== undefined && prediction !== 0 && label !== prediction;
    const side = `output ${decision.toFixed(3)}: below 0 is a ${digits[0]}, above 0 a ${digits[1]}`;
    this.detail.textContent = wrong ? `Wrong: it was meant as a ${digits[label < 0 ? 0 : 1]}. ${side}` : side;
  }
}
