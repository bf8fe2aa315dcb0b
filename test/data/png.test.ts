// PNG files: decoded here by the format's own rules and node's zlib.
import { inflateSync } from "node:zlib";
import fc from "fast-check";
import { expect, it } from "vitest";
import { writePng } from "../../sdk/data/png.js";

/** CRC-32 bit by bit: the definition in the PNG specification, annex D, without a table. */
function crc(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  }
  return ~value >>> 0;
}

function decode(file: Uint8Array) {
  expect(Array.from(file.subarray(0, 8))).toEqual([137, 80, 78, 71, 13, 10, 26, 10]);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const chunks: [string, Uint8Array][] = [];
  let at = 8;
  while (at < file.length) {
    const length = view.getUint32(at);
    const named = file.subarray(at + 4, at + 8 + length);
    expect(view.getUint32(at + 8 + length)).toBe(crc(named));
    chunks.push([String.fromCharCode(...named.subarray(0, 4)), named.subarray(4)]);
    at += length + 12;
  }
  expect(at).toBe(file.length);
  expect(chunks.map(([name]) => name)).toEqual(["IHDR", "IDAT", "IEND"]);
  const [header, data] = chunks.map(([, bytes]) => bytes) as [Uint8Array, Uint8Array];
  const fields = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const [width, height, depth, type] = [fields.getUint32(0), fields.getUint32(4), header[8], header[9]];
  expect([depth, ...header.subarray(10)]).toEqual([8, 0, 0, 0]);
  const line = width * (type === 2 ? 3 : 1);
  const lines = inflateSync(data);
  expect(lines.length).toBe(height * (line + 1));
  const pixels = new Uint8Array(height * line);
  for (let row = 0; row < height; row++) {
    expect(lines[row * (line + 1)]).toBe(0);
    pixels.set(lines.subarray(row * (line + 1) + 1, (row + 1) * (line + 1)), row * line);
  }
  return { width, height, pixels };
}

it("grey and RGB pictures of any size read back, pixel for pixel", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 40 }),
      fc.constantFrom(1, 3),
      fc.infiniteStream(fc.integer({ min: 0, max: 255 })),
      (width, height, channels, bytes) => {
        const pixels = Uint8Array.from([...bytes.take(width * height * channels)]);
        expect(decode(writePng({ width, height, pixels }))).toEqual({ width, height, pixels });
      },
    ),
    { numRuns: 50 },
  );
});

it("names bad arguments", () => {
  const pixels = new Uint8Array(4);
  expect(() => writePng(null as never)).toThrow(/^picture: expected an object/);
  expect(() => writePng({ width: 0, height: 4, pixels })).toThrow(/^width: expected an integer >= 1/);
  expect(() => writePng({ width: 4, height: 1.5, pixels })).toThrow(/^height/);
  expect(() => writePng({ width: 4, height: 1, pixels: [1, 2, 3, 4] as never })).toThrow(TypeError);
  expect(() => writePng({ width: 3, height: 1, pixels })).toThrow("pixels: expected 3 (grey) or 9 (RGB) bytes, got 4");
});
