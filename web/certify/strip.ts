// The strip of test images to pick from, with what is known of each before the machine has even been downloaded: written
// by web/precompute.mjs. Not here: the proof of what it says (test/web/certify.test.ts repeats it).
import { h } from "../shared/dom.js";
import { asset } from "../shared/element.js";
import { imageCanvas, paintGrey } from "./pictures.js";
import type { Curves } from "./work.js";

/** A test image and what was proved of it. */
export interface StripImage {
  /** Row of the test set of digits 0 and 1. */
  readonly index: number;
  readonly label: -1 | 1;
  readonly prediction: -1 | 1;
  readonly decision: number;
  readonly radius: number;
  readonly attackRadius: number;
  readonly intervalRadius: number;
  readonly pixels: Uint8Array;
  readonly best: Curves["best"];
  readonly interval: Curves["interval"];
  readonly path: readonly number[];
}

export interface StripData {
  readonly epsilons: readonly number[];
  readonly images: readonly StripImage[];
}

export async function fetchStrip(signal: AbortSignal): Promise<StripData> {
  const answer = await fetch(asset("../data/strip.json"), { signal });
  if (!answer.ok) throw new Error(`the test images could not be loaded: the server answered ${answer.status}`);
  const { epsilons, images } = await answer.json();
  const decode = (text: string) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return { epsilons, images: images.map((image: { pixels: string }) => ({ ...image, pixels: decode(image.pixels) })) };
}

export interface Strip {
  readonly element: HTMLElement;
  /** Marks an image as chosen, or none. */
  choose(index: number | undefined): void;
}

/** The images as radio buttons: arrow keys move between them. */
export function stripView(images: readonly StripImage[], onChoose: (image: StripImage) => void): Strip {
  const inputs = new Map<number, HTMLInputElement>();
  const labels = images.map((image) => {
    const input = h("input", { type: "radio", name: "strip", value: image.index });
    input.addEventListener("change", () => onChoose(image));
    inputs.set(image.index, input);
    const canvas = imageCanvas("");
    canvas.setAttribute("aria-hidden", "true");
    paintGrey(canvas, image.pixels, 255);
    const wrong = image.prediction === image.label ? "" : ", which the machine gets wrong";
    const name = h("span", { class: "sr-only" }, `a ${image.label < 0 ? 0 : 1}, test image ${image.index}${wrong}`);
    return h("label", {}, input, canvas, name);
  });
  return {
    element: h("fieldset", { class: "strip" }, h("legend", {}, "… or pick a test image"), ...labels),
    choose: (index) => {
      for (const [own, input] of inputs) input.checked = own === index;
    },
  };
}
