// A matrix as a heat map on canvas: every cell can be read by pointer, by finger, by arrow keys, and in a table, with the
// two images it belongs to. Not here: where it comes from (compute.ts).
import { h } from "../shared/dom.js";
import { imageCanvas, paint, SIDE } from "../shared/image.js";
import { numberText } from "../shared/scales.js";
import type { Matrix } from "./facts.js";

export interface HeatMap {
  readonly element: HTMLElement;
  draw(matrix: Matrix, name: string): void;
}

/** Viridis at nine even places: even to the eye, and in order for every kind of colour vision. */
const VIRIDIS = [
  [68, 1, 84],
  [71, 44, 122],
  [59, 81, 139],
  [44, 113, 142],
  [33, 144, 141],
  [39, 173, 129],
  [92, 200, 99],
  [170, 220, 50],
  [253, 231, 37],
] as const;

/** Colour of a share in [0, 1]: red, green, blue. */
function colourOf(share: number): [number, number, number] {
  const place = Math.max(0, Math.min(1, share)) * (VIRIDIS.length - 1);
  const k = Math.min(VIRIDIS.length - 2, Math.floor(place));
  const [low, high] = [VIRIDIS[k] ?? VIRIDIS[0], VIRIDIS[k + 1] ?? VIRIDIS[0]];
  return [0, 1, 2].map((c) => (low[c] ?? 0) + (place - k) * ((high[c] ?? 0) - (low[c] ?? 0))) as [
    number,
    number,
    number,
  ];
}

function tableOf({ n, values, digits }: Matrix): HTMLElement {
  const label = (i: number) => `${i + 1} (a ${digits[i]})`;
  const indices = Array.from({ length: n }, (_, i) => i);
  const head = ["", ...indices.map(label)].map((text) => h("th", { scope: "col" }, text));
  const rows = indices.map((i) => {
    const cells = indices.map((j) => h("td", {}, String(values[i * n + j])));
    return h("tr", {}, h("th", { scope: "row" }, label(i)), ...cells);
  });
  return h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows));
}

export function heatMap(): HeatMap {
  const canvas = h("canvas", { class: "cells", "aria-hidden": "true" });
  const cursor = h("span", { class: "cell-cursor", hidden: true });
  const map = h(
    "div",
    { class: "map", role: "slider", tabindex: 0, "aria-label": "Cells of the Gram matrix" },
    canvas,
    cursor,
  );
  const blank = new Uint8Array(SIDE * SIDE);
  const pair = [imageCanvas(blank, "Image of the row"), imageCanvas(blank, "Image of the column")] as const;
  const text = h("p", { class: "figure reading", "aria-hidden": "true" });
  const [least, most] = [h("span"), h("span")];
  const key = h(
    "p",
    { class: "key small muted figure" },
    least,
    h("span", { class: "ramp", "aria-hidden": "true" }),
    most,
  );
  const holder = h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "The Gram matrix as a table" });
  const table = h("details", { class: "data" }, h("summary", {}, "As a table"), holder);
  let matrix: Matrix | undefined;
  let [row, column] = [0, 1];

  const fill = () => {
    if (table.open && matrix !== undefined) holder.replaceChildren(tableOf(matrix));
  };
  table.addEventListener("toggle", fill);

  const read = () => {
    if (matrix === undefined) return;
    const { n, values, digits, pixels } = matrix;
    [row, column] = [Math.min(row, n - 1), Math.min(column, n - 1)];
    const value = values[row * n + column] ?? Number.NaN;
    const own = Math.sqrt((values[row * (n + 1)] ?? 1) * (values[column * (n + 1)] ?? 1));
    const words = `Images ${row + 1} (a ${digits[row]}) and ${column + 1} (a ${digits[column]}): K = ${value.toPrecision(10)}, ${numberText(value / own, 6)} of √(K(x, x) K(x′, x′))`;
    text.textContent = words;
    map.setAttribute("aria-valuetext", words);
    map.setAttribute("aria-valuemax", String(n * n - 1));
    map.setAttribute("aria-valuenow", String(row * n + column));
    [row, column].forEach((image, k) => {
      const picture = pair[k as 0 | 1];
      paint(picture, pixels.subarray(image * SIDE * SIDE, (image + 1) * SIDE * SIDE));
      picture.setAttribute("aria-label", `Image ${image + 1}, a handwritten ${digits[image]}`);
    });
    cursor.hidden = false;
    cursor.style.left = `${(100 * column) / n}%`;
    cursor.style.top = `${(100 * row) / n}%`;
    cursor.style.width = `${100 / n}%`;
    cursor.style.height = `${100 / n}%`;
  };

  const point = ({ clientX, clientY }: PointerEvent) => {
    if (matrix === undefined) return;
    const box = canvas.getBoundingClientRect();
    const cell = (from: number, size: number) =>
      Math.max(0, Math.min(matrix!.n - 1, Math.floor((from / size) * matrix!.n)));
    row = cell(clientY - box.top, box.height);
    column = cell(clientX - box.left, box.width);
    read();
  };
  map.addEventListener("pointermove", point);
  map.addEventListener("pointerdown", point);
  map.addEventListener("keydown", (event) => {
    const moves: Record<string, readonly [number, number]> = {
      ...{ ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] },
    };
    const move = moves[event.key];
    if (move === undefined || matrix === undefined) return;
    event.preventDefault();
    row = Math.max(0, Math.min(matrix.n - 1, row + move[0]));
    column = Math.max(0, Math.min(matrix.n - 1, column + move[1]));
    read();
  });

  const draw: HeatMap["draw"] = (next, name) => {
    matrix = next;
    const { n, values } = next;
    canvas.width = n;
    canvas.height = n;
    const context = canvas.getContext("2d");
    const low = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
    const high = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const picture = context?.createImageData(n, n);
    if (context !== null && picture !== undefined) {
      values.forEach((value, k) => {
        picture.data.set([...colourOf((value - low) / (high - low)), 255], 4 * k);
      });
      context.putImageData(picture, 0, 0);
    }
    least.textContent = numberText(low);
    most.textContent = numberText(high);
    map.setAttribute("aria-label", `Cells of the Gram matrix of ${n} images, ${name}: arrow keys move`);
    map.setAttribute("aria-valuemin", "0");
    read();
    fill();
  };
  const images = h("div", { class: "pair" }, pair[0], h("span", { "aria-hidden": "true" }, "·"), pair[1]);
  const side = h("div", { class: "beside" }, images, text, key);
  return { element: h("div", { class: "heat" }, map, side, table), draw };
}
