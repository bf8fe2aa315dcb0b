// A digit of 28 x 28 pixels on a canvas. Not here: where digits come from (digits.ts).
import { h } from "./dom.js";

export const SIDE = 28;

/** Paints 784 bytes, 0 white and 255 black, as they are on paper. */
export function paint(canvas: HTMLCanvasElement, pixels: Uint8Array): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const picture = context.createImageData(SIDE, SIDE);
  pixels.forEach((value, k) => {
    picture.data.fill(255 - value, 4 * k, 4 * k + 3);
    picture.data[4 * k + 3] = 255;
  });
  context.putImageData(picture, 0, 0);
}

/** A canvas with a digit, called `label`. */
export function imageCanvas(pixels: Uint8Array, label: string): HTMLCanvasElement {
  const canvas = h("canvas", { class: "digit", width: SIDE, height: SIDE, role: "img", "aria-label": label });
  paint(canvas, pixels);
  return canvas;
}
