// The four test images whose outputs are drawn, with their letters. Not here: their outputs (charts.ts).
import { h } from "../shared/dom.js";

const SIDE = 28;

/** A canvas of 28 x 28 pixels, 0 white and 255 black, as they are on paper. */
export function imageCanvas(pixels: Uint8Array, label: string): HTMLCanvasElement {
  const canvas = h("canvas", { width: SIDE, height: SIDE, role: "img", "aria-label": label });
  const context = canvas.getContext("2d");
  if (context === null) return canvas;
  const picture = context.createImageData(SIDE, SIDE);
  pixels.forEach((value, k) => {
    picture.data.fill(255 - value, 4 * k, 4 * k + 3);
    picture.data[4 * k + 3] = 255;
  });
  context.putImageData(picture, 0, 0);
  return canvas;
}

/** Fills `holder` with the images a, b, c, d. */
export function drawImages(holder: HTMLElement, { pixels, digits }: { pixels: Uint8Array; digits: number[] }): void {
  const size = SIDE * SIDE;
  holder.replaceChildren(
    ...digits.map((digit, k) => {
      const letter = "abcd"[k] ?? "";
      const canvas = imageCanvas(
        pixels.subarray(k * size, (k + 1) * size),
        `Test image ${letter}, a handwritten ${digit}`,
      );
      return h("figure", { class: `sample sample-${k + 1}` }, canvas, h("figcaption", {}, `${letter}: a ${digit}`));
    }),
  );
}
