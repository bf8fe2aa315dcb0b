// Pictures into MNIST's form, by the convention its authors state: ink scaled to a box of 20 x 20 pixels with its shape
// kept, then moved in a field of 28 x 28 so that its centre of mass comes to the middle. Not here: reading MNIST
// (mnist.ts) and picture files (the host's work).
import { checkNumber, checkObject, describe } from "../validate.js";
import type { Picture } from "./png.js";

/** Side of MNIST's field. */
export const DIGIT_SIDE = 28;

/** Side of the box that the ink is scaled to. */
const BOX = 20;

/** Where the centre of mass goes, in indices of pixels: that of every MNIST image is within half a pixel of it. */
const CENTRE = 14;

const MOST_SIDE = 2 ** 14;

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

function checkSides(picture: unknown): { width: number; height: number } {
  const { width, height } = checkObject("picture", picture);
  return {
    width: checkNumber("width", width, { min: 1, max: MOST_SIDE, integer: true }),
    height: checkNumber("height", height, { min: 1, max: MOST_SIDE, integer: true }),
  };
}

/** The smallest box that holds all ink, undefined where there is none. */
function inkBox(pixels: Uint8Array, width: number, height: number): Box | undefined {
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      if (pixels[row * width + column] === 0) continue;
      left = Math.min(left, column);
      right = Math.max(right, column);
      top = Math.min(top, row);
      bottom = row;
    }
  }
  return right < 0 ? undefined : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** Shares of `from` cells that each of `to` cells covers, as [first cell, weights]: areas are kept. */
function shares(from: number, to: number): { readonly first: number; readonly weights: Float64Array }[] {
  return Array.from({ length: to }, (_, k) => {
    const [low, high] = [(k * from) / to, ((k + 1) * from) / to];
    const first = Math.floor(low);
    const last = Math.min(from, Math.ceil(high - 1e-9));
    const weights = Float64Array.from({ length: last - first }, (_, i) => {
      const cell = first + i;
      return (Math.min(high, cell + 1) - Math.max(low, cell)) / (high - low);
    });
    return { first, weights };
  });
}

/** Means over areas: the anti-aliasing that makes grey of black and white. */
function resample(pixels: Uint8Array, stride: number, box: Box, width: number, height: number): Uint8Array {
  const [across, down] = [shares(box.width, width), shares(box.height, height)];
  const out = new Uint8Array(width * height);
  down.forEach((rows, y) => {
    across.forEach((columns, x) => {
      let sum = 0;
      rows.weights.forEach((share, i) => {
        const start = (box.top + rows.first + i) * stride + box.left + columns.first;
        columns.weights.forEach((weight, j) => {
          sum += share * weight * (pixels[start + j] ?? 0);
        });
      });
      out[y * width + x] = Math.round(sum);
    });
  });
  return out;
}

/** Where a run of `size` pixels with this mean index starts, so that the mean comes nearest to the centre. */
function place(mean: number, size: number): number {
  // Half a pixel is rounded down, as it is in MNIST; ink is never cut off.
  return Math.min(DIGIT_SIDE - size, Math.max(0, Math.ceil(CENTRE - mean - 0.5)));
}

/**
 * The picture as MNIST has it: 28 x 28 = 784 pixels, row by row. `pixels` are grey, width * height bytes, 0 no ink and
 * 255 full ink; a picture with a background goes through inkOf() first. An image of MNIST itself comes back unchanged.
 * Source: LeCun, Cortes and Burges, "The MNIST database of handwritten digits".
 * @throws TypeError, RangeError (a picture without ink, or of another size than it says)
 */
export function mnistDigit(picture: Picture): Uint8Array {
  const { width, height } = checkSides(picture);
  const { pixels } = picture;
  if (!(pixels instanceof Uint8Array)) throw new TypeError(`pixels: expected a Uint8Array, got ${describe(pixels)}`);
  if (pixels.length !== width * height)
    throw new RangeError(`pixels: expected ${width * height} bytes of grey, got ${pixels.length}`);
  const box = inkBox(pixels, width, height);
  if (box === undefined) throw new RangeError("pixels: expected some ink, got an empty picture");
  const scale = BOX / Math.max(box.width, box.height);
  const [w, h] = [box.width, box.height].map((side) => Math.max(1, Math.round(side * scale))) as [number, number];
  const ink = resample(pixels, width, box, w, h);
  let [mass, sumX, sumY] = [0, 0, 0];
  ink.forEach((value, k) => {
    mass += value;
    sumX += value * (k % w);
    sumY += value * Math.floor(k / w);
  });
  // Ink so faint that scaling loses it.
  if (mass === 0) throw new RangeError("pixels: expected some ink, got a picture that is nearly empty");
  const [left, top] = [place(sumX / mass, w), place(sumY / mass, h)];
  const out = new Uint8Array(DIGIT_SIDE ** 2);
  for (let row = 0; row < h; row++) out.set(ink.subarray(row * w, (row + 1) * w), (top + row) * DIGIT_SIDE + left);
  return out;
}

/** Contrast below which a picture counts as blank, of 255. */
const BLANK = 24;

/** Share of the strongest contrast that is still background: paper is never even. */
const BACKGROUND = 0.25;

/**
 * The ink of a picture with a background: how far each pixel's luminance is from the median of the border, stretched to
 * 0..255, with what is nearly background set to 0. `rgba` is what a canvas gives, 4 * width * height bytes; what is
 * transparent counts as white. A blank picture has no ink anywhere.
 * @throws TypeError, RangeError
 */
export function inkOf(rgba: Uint8Array | Uint8ClampedArray, width: number, height: number): Picture {
  checkSides({ width, height });
  if (!(rgba instanceof Uint8Array || rgba instanceof Uint8ClampedArray))
    throw new TypeError(`rgba: expected a Uint8Array or Uint8ClampedArray, got ${describe(rgba)}`);
  if (rgba.length !== 4 * width * height)
    throw new RangeError(`rgba: expected ${4 * width * height} bytes, got ${rgba.length}`);
  const luminance = new Float64Array(width * height);
  for (let k = 0; k < luminance.length; k++) {
    const [r = 0, g = 0, b = 0, a = 0] = rgba.subarray(4 * k, 4 * k + 4);
    // Rec. 601.
    luminance[k] = ((0.299 * r + 0.587 * g + 0.114 * b) * a + 255 * (255 - a)) / 255;
  }
  const onBorder = (k: number) => k < width || k >= width * (height - 1) || k % width === 0 || k % width === width - 1;
  const border = luminance.filter((_, k) => onBorder(k)).sort();
  const ground = border[border.length >> 1] ?? 255;
  const contrast = luminance.map((value) => Math.abs(value - ground));
  const most = contrast.reduce((max, value) => Math.max(max, value), 0);
  const pixels = new Uint8Array(width * height);
  if (most >= BLANK) {
    const floor = BACKGROUND * most;
    contrast.forEach((value, k) => {
      pixels[k] = Math.round((255 * Math.max(0, value - floor)) / (most - floor));
    });
  }
  return { width, height, pixels };
}
