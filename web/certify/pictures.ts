// Images of 28 x 28 on canvases, and their difference in two colours. Not here: where they come from.
import { h } from "../shared/dom.js";

const SIDE = 28;

/** A canvas of 28 x 28 that style sheets enlarge. */
export function imageCanvas(label: string): HTMLCanvasElement {
  return h("canvas", { class: "image", width: SIDE, height: SIDE, role: "img", "aria-label": label });
}

function paint(canvas: HTMLCanvasElement, colour: (k: number) => readonly [number, number, number]): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const image = context.createImageData(SIDE, SIDE);
  for (let k = 0; k < SIDE * SIDE; k++) image.data.set([...colour(k), 255], 4 * k);
  context.putImageData(image, 0, 0);
}

/** Paints grey of `values`, of which `white` is white; what lies outside [0, white] is cut. */
export function paintGrey(canvas: HTMLCanvasElement, values: ArrayLike<number>, white: number): void {
  paint(canvas, (k) => {
    const grey = Math.round((255 * Math.min(white, Math.max(0, values[k] ?? 0))) / white);
    return [grey, grey, grey];
  });
}

/** Paints differences: orange is added, blue taken away, black unchanged; `full` is the strongest colour. */
export function paintDifference(canvas: HTMLCanvasElement, values: ArrayLike<number>, full: number): void {
  paint(canvas, (k) => {
    const share = Math.min(1, Math.max(-1, (values[k] ?? 0) / full));
    const strength = Math.abs(share);
    return share >= 0
      ? [Math.round(255 * strength), Math.round(150 * strength), 0]
      : [Math.round(40 * strength), Math.round(150 * strength), Math.round(255 * strength)];
  });
}
