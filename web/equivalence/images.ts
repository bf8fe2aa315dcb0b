// The four test images whose outputs are drawn, with their letters. Not here: their outputs (charts.ts).
import { h } from "../shared/dom.js";
import { imageCanvas, SIDE } from "../shared/image.js";

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
