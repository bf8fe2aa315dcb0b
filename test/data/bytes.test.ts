import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkBytes, checkShape, copyElements, elementBytes, elementCount } from "../../sdk/data/bytes.js";
import { NOT_BYTES } from "./hostile.js";

describe("copyElements and elementBytes", () => {
  it("agree with DataView in both byte orders, at any alignment", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 24, maxLength: 40 }), fc.nat(7), fc.boolean(), (bytes, offset, little) => {
        const order = little ? "little" : "big";
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        const integers = copyElements(bytes, offset, 4, Int32Array, order);
        const wide = copyElements(bytes, offset, 2, BigUint64Array, order);
        const floats = copyElements(bytes, offset, 2, Float64Array, order);
        for (let i = 0; i < 4; i++) expect(integers[i]).toBe(view.getInt32(offset + 4 * i, little));
        for (let i = 0; i < 2; i++) expect(wide[i]).toBe(view.getBigUint64(offset + 8 * i, little));
        for (let i = 0; i < 2; i++) expect(floats[i]).toBe(view.getFloat64(offset + 8 * i, little));
        expect(elementBytes(integers, order)).toEqual(bytes.slice(offset, offset + 16));
        expect(elementBytes(wide, order)).toEqual(bytes.slice(offset, offset + 16));
      }),
    );
  });

  it("copy: neither the bytes nor the elements change when the other does", () => {
    const bytes = Uint8Array.of(1, 2, 3, 4);
    const elements = copyElements(bytes, 0, 4, Uint8Array, "little");
    const back = elementBytes(elements);
    elements.fill(9);
    expect([...bytes, ...back]).toEqual([1, 2, 3, 4, 1, 2, 3, 4]);
  });
});

describe("elementCount", () => {
  it("is exact below 2^53, above every file beyond, 0 with any zero and 1 for a scalar", () => {
    expect(elementCount([3, 784])).toBe(2352);
    expect(elementCount([])).toBe(1);
    const huge = new Array(40).fill(Number.MAX_SAFE_INTEGER);
    expect(elementCount(huge)).toBe(Infinity);
    expect(elementCount([...huge, 0])).toBe(0);
  });
});

describe("checkShape", () => {
  it("copies a shape that fits, refuses others with the argument's name and both numbers", () => {
    const shape = [2, 3];
    expect(checkShape("shape", shape, 6)).toEqual(shape);
    expect(checkShape("shape", shape, 6)).not.toBe(shape);
    expect(() => checkShape("shape", [2, 3], 5)).toThrow(
      new RangeError("shape: 2 x 3 = 6 values expected, data has 5"),
    );
    for (const value of [[-1], [0.5], [NaN], [Infinity]])
      expect(() => checkShape("shape", value, 1)).toThrow(RangeError);
    for (const value of [undefined, 1, "1", new Uint8Array(1), ["1"], [null], [1n]])
      expect(() => checkShape("shape", value, 1)).toThrow(TypeError);
  });
});

describe("checkBytes", () => {
  it("gives a Buffer's bytes as a plain Uint8Array over the same memory", () => {
    const buffer = Buffer.from([1, 2, 3]).subarray(1);
    const bytes = checkBytes("bytes", buffer);
    expect(bytes.constructor).toBe(Uint8Array);
    expect(bytes).toEqual(Uint8Array.of(2, 3));
    for (const value of NOT_BYTES) expect(() => checkBytes("file", value)).toThrow(/^file: expected a Uint8Array/);
  });
});
