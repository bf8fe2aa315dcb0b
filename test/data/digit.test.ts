// The form of MNIST's images. The oracle is MNIST itself: its authors scaled and centred every image by the convention,
// so each must come back as it is. Not here: reading MNIST.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DIGIT_SIDE, inkOf, mnistDigit } from "../../sdk/data/digit.js";
import { mnist } from "../../sdk/data/mnist.js";

const SIDE = DIGIT_SIDE;

/** A picture with the 28 x 28 `image` at (left, top), each pixel `zoom` wide. */
function enlarged(image: Uint8Array, zoom: number, left: number, top: number, side = SIDE * zoom + 40) {
  const pixels = new Uint8Array(side * side);
  for (let row = 0; row < SIDE * zoom; row++)
    for (let column = 0; column < SIDE * zoom; column++)
      pixels[(top + row) * side + left + column] =
        image[Math.floor(row / zoom) * SIDE + Math.floor(column / zoom)] ?? 0;
  return { width: side, height: side, pixels };
}

const rows = async () => {
  const { test } = await mnist({ digits: [0, 1] });
  return { n: test.n, row: (i: number) => (test.x as Uint8Array).slice(i * 784, (i + 1) * 784) };
};

describe("mnistDigit", () => {
  it("gives every 0 and 1 of MNIST's test set back unchanged", async () => {
    const { n, row } = await rows();
    const changed = Array.from({ length: n }, (_, i) => i).filter((i) => {
      const image = row(i);
      const out = mnistDigit({ width: SIDE, height: SIDE, pixels: image });
      return out.some((value, k) => value !== image[k]);
    });
    expect(changed).toEqual([]);
  });

  it("gives it back from anywhere in a picture and at any whole number of times its size", async () => {
    const { n, row } = await rows();
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: n - 1 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 0, max: 40 }),
        (i, zoom, left, top) => {
          const image = row(i);
          expect(mnistDigit(enlarged(image, zoom, left, top))).toEqual(image);
        },
      ),
      { numRuns: 30 },
    );
  });

  it("fits any ink into 20 x 20 pixels of a field of 784 and keeps its shape within a pixel", () => {
    const side = fc.integer({ min: 1, max: 60 });
    fc.assert(
      fc.property(side, side, (width, height) => {
        const out = mnistDigit({ width, height, pixels: new Uint8Array(width * height).fill(255) });
        const inked = [...out.keys()].filter((k) => out[k] !== 0);
        const span = (places: number[]) => Math.max(...places) - Math.min(...places) + 1;
        const [w, h] = [span(inked.map((k) => k % SIDE)), span(inked.map((k) => Math.floor(k / SIDE)))];
        expect(out.length).toBe(784);
        expect(Math.max(w, h)).toBe(20);
        expect(Math.abs(Math.min(w, h) - (20 * Math.min(width, height)) / Math.max(width, height))).toBeLessThan(1);
      }),
    );
  });

  it("says that an empty picture is empty, and names what else is wrong", () => {
    const blank = { width: 3, height: 2, pixels: new Uint8Array(6) };
    expect(() => mnistDigit(blank)).toThrow(/^pixels: expected some ink, got an empty picture$/);
    expect(() => mnistDigit({ ...blank, width: 4 })).toThrow(/^pixels: expected 8 bytes of grey, got 6$/);
    expect(() => mnistDigit({ ...blank, height: 0 })).toThrow(/^height: expected an integer >= 1/);
    expect(() => mnistDigit({ ...blank, pixels: [1] as unknown as Uint8Array })).toThrow(TypeError);
    expect(() => mnistDigit(undefined as never)).toThrow(/^picture: expected an object/);
  });
});

describe("inkOf", () => {
  const picture = (ground: number, ink: number, alpha = 255) => {
    const rgba = new Uint8ClampedArray(4 * 100);
    for (let k = 0; k < 100; k++) {
      const value = k >= 44 && k < 56 && k % 10 > 3 && k % 10 < 6 ? ink : ground;
      rgba.set([value, value, value, alpha], 4 * k);
    }
    return inkOf(rgba, 10, 10).pixels;
  };

  it("finds the same ink on dark and on light ground", () => {
    expect(picture(255, 0)).toEqual(picture(0, 255));
    expect(picture(200, 40)).toEqual(picture(0, 255));
    expect([...picture(0, 255)].filter((value) => value === 255)).toHaveLength(4);
  });

  it("finds none in an even or in a transparent picture", () => {
    expect(picture(128, 128).every((value) => value === 0)).toBe(true);
    expect(picture(128, 140).every((value) => value === 0)).toBe(true);
    expect(picture(0, 255, 0).every((value) => value === 0)).toBe(true);
  });

  it("refuses other lengths than four bytes a pixel", () => {
    expect(() => inkOf(new Uint8Array(5), 1, 1)).toThrow(/^rgba: expected 4 bytes, got 5$/);
    expect(() => inkOf([1] as never, 1, 1)).toThrow(TypeError);
  });
});
