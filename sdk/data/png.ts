// PNG images of 8-bit grey or RGB pixels: writing. Not here: reading, other depths, palettes and transparency.
import { zlibSync } from "fflate";
import { checkNumber, checkObject, describe } from "../validate.js";
import { crc32 } from "./inflate.js";

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Pixels, row by row: width * height bytes of grey, or three times as many, red, green, blue. */
  readonly pixels: Uint8Array;
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const GREY = 0;
const RGB = 2;
/** The largest side that the format allows is 2^31 - 1; a picture of this side fills 768 MiB. */
const MOST_PIXELS = 2 ** 14;

/** A chunk: length, name, data, and the checksum of name and data. */
function chunk(name: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  for (let k = 0; k < 4; k++) bytes[4 + k] = name.charCodeAt(k);
  bytes.set(data, 8);
  view.setUint32(data.length + 8, crc32(bytes.subarray(4, data.length + 8)));
  return bytes;
}

/** The bytes of a PNG file; the same picture gives the same bytes. @throws TypeError, RangeError */
export function writePng(picture: Picture): Uint8Array {
  const { pixels } = checkObject("picture", picture);
  const width = checkNumber("width", picture.width, { min: 1, max: MOST_PIXELS, integer: true });
  const height = checkNumber("height", picture.height, { min: 1, max: MOST_PIXELS, integer: true });
  if (!(pixels instanceof Uint8Array)) throw new TypeError(`pixels: expected a Uint8Array, got ${describe(pixels)}`);
  const channels = pixels.length / (width * height);
  if (channels !== 1 && channels !== 3)
    throw new RangeError(
      `pixels: expected ${width * height} (grey) or ${3 * width * height} (RGB) bytes, got ${pixels.length}`,
    );
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, channels === 1 ? GREY : RGB, 0, 0, 0], 8);
  // Every line begins with the number of its filter: 0, none.
  const line = width * channels;
  const lines = new Uint8Array(height * (line + 1));
  for (let row = 0; row < height; row++) lines.set(pixels.subarray(row * line, (row + 1) * line), row * (line + 1) + 1);
  const parts = [
    Uint8Array.from(SIGNATURE),
    chunk("IHDR", header),
    chunk("IDAT", zlibSync(lines)),
    chunk("IEND", new Uint8Array(0)),
  ];
  const file = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let end = 0;
  for (const part of parts) {
    file.set(part, end);
    end += part.length;
  }
  return file;
}

/** The data URL of a square picture's PNG file, for the src of an img. */
export function pngUrl(side: number, pixels: Uint8Array): string {
  const bytes = writePng({ width: side, height: side, pixels });
  return `data:image/png;base64,${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))}`;
}
