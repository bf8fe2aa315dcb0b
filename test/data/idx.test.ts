import fc from "fast-check";
import { gzipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { type IdxArray, readIdx, writeIdx } from "../../sdk/data/idx.js";
import {
  count,
  expectDamageContained,
  expectNoiseRefused,
  expectTruncationsRefused,
  formatError,
  NOT_BYTES,
  shapes,
} from "./hostile.js";

const CLASSES = {
  u8: Uint8Array,
  i8: Int8Array,
  i16: Int16Array,
  i32: Int32Array,
  f32: Float32Array,
  f64: Float64Array,
} as const;

/** Arrays of every type whose elements are arbitrary bit patterns, except that NaN is always the same one. */
const arrays: fc.Arbitrary<IdxArray> = fc
  .record({ type: fc.constantFrom(...(Object.keys(CLASSES) as (keyof typeof CLASSES)[])), shape: shapes(1, 4) })
  .chain(({ type, shape }) =>
    fc.array(fc.double(), { minLength: count(shape), maxLength: count(shape) }).map((values) => ({
      type,
      shape,
      data: CLASSES[type].from(values.map((value) => (type.startsWith("f") ? value : value % 2 ** 31))),
    })),
  );

// Written out by hand: type 0x0B (16-bit), two dimensions, 2 x 3, big-endian.
const BY_HAND = Uint8Array.from([
  0, 0, 0x0b, 2, 0, 0, 0, 2, 0, 0, 0, 3, 0, 1, 0xff, 0xff, 0x7f, 0xff, 0x80, 0, 1, 0, 0, 255,
]);

describe("readIdx", () => {
  it("reads a file written by hand, big-endian", () => {
    expect(readIdx(BY_HAND)).toEqual({
      type: "i16",
      shape: [2, 3],
      data: Int16Array.from([1, -1, 32767, -32768, 256, 255]),
    });
  });

  it("gives back what writeIdx wrote, for every type and shape, gzipped or not", () => {
    fc.assert(
      fc.property(arrays, fc.boolean(), (array, zip) => {
        const file = writeIdx(array);
        expect(readIdx(zip ? gzipSync(file) : file)).toEqual(array);
      }),
    );
  });

  it("reads a Buffer and bytes in the middle of a buffer, and shares no memory with them", () => {
    const padded = new Uint8Array(BY_HAND.length + 3);
    padded.set(BY_HAND, 3);
    const pixels = writeIdx({ type: "u8", shape: [2], data: Uint8Array.of(7, 8) });
    const buffer = Buffer.from(pixels);
    const fromBuffer = readIdx(buffer);
    buffer.fill(0);
    expect(fromBuffer.data).toEqual(Uint8Array.of(7, 8));
    expect(readIdx(padded.subarray(3))).toEqual(readIdx(BY_HAND));
  });

  it("refuses every truncation, plain and gzipped", () => {
    expectTruncationsRefused(readIdx, BY_HAND);
    expectTruncationsRefused(readIdx, gzipSync(BY_HAND));
    expectTruncationsRefused(readIdx, gzipSync(BY_HAND, { filename: "some.name" }));
  });

  it("meets damage and noise with FormatError at worst", () => {
    expectDamageContained(readIdx, BY_HAND);
    expectDamageContained(readIdx, gzipSync(new Uint8Array([...BY_HAND, ...BY_HAND])));
    expectNoiseRefused(readIdx);
    expectNoiseRefused(readIdx, [0, 0, 8]);
    expectNoiseRefused(readIdx, [0x1f, 0x8b, 8]);
  });

  it("names the byte at which a file goes wrong", () => {
    const changed = (at: number, to: number) => Uint8Array.from(BY_HAND, (byte, i) => (i === at ? to : byte));
    expect(formatError(() => readIdx(changed(1, 1)))).toMatchObject({ format: "idx", offset: 0 });
    expect(formatError(() => readIdx(changed(2, 0x0a)))).toMatchObject({ offset: 2 });
    expect(formatError(() => readIdx(changed(2, 0x0a))).message).toBe("idx: unknown element type 0x0a (at byte 2)");
    expect(formatError(() => readIdx(changed(3, 0)))).toMatchObject({ offset: 3 });
    expect(formatError(() => readIdx(Uint8Array.of(...BY_HAND, 0))).message).toBe(
      "idx: 1 bytes after the last element (at byte 24)",
    );
  });

  it("takes no memory for dimensions that the file can not hold", () => {
    const huge = new Uint8Array(4 + 4 * 255).fill(255);
    huge.set([0, 0, 0x0e, 255]);
    expect(formatError(() => readIdx(huge)).message).toContain("need Infinity bytes, 0 follow");
    const wide = Uint8Array.from([0, 0, 8, 2, 255, 255, 255, 255, 255, 255, 255, 255]);
    expect(formatError(() => readIdx(wide))).toMatchObject({ offset: 12 });
  });

  it("takes no memory for a gzip file that declares more than deflate can hold", () => {
    const file = gzipSync(BY_HAND);
    new DataView(file.buffer).setUint32(file.length - 4, 0xffffffff, true);
    expect(formatError(() => readIdx(file)).message).toMatch(/gzip: \d+ compressed bytes can not hold the declared/);
  });

  it("checks gzip's own checksum and length", () => {
    const file = gzipSync(BY_HAND);
    const wrong = (at: number) => file.map((byte, i) => (i === file.length - at ? byte ^ 1 : byte));
    expect(formatError(() => readIdx(wrong(8))).message).toContain("checksum");
    expect(formatError(() => readIdx(wrong(4)))).toMatchObject({ format: "gzip" });
  });

  it("refuses what is not bytes with TypeError", () => {
    for (const value of NOT_BYTES) expect(() => readIdx(value as Uint8Array)).toThrow(TypeError);
  });
});

describe("writeIdx", () => {
  it("refuses wrong types with TypeError and misfits with RangeError", () => {
    const data = new Uint8Array(6);
    for (const value of [...NOT_BYTES, { type: "u8", shape: [6], data: [1] }, { type: 8, shape: [6], data }])
      expect(() => writeIdx(value as IdxArray)).toThrow(TypeError);
    expect(() => writeIdx({ type: "i8", shape: [6], data })).toThrow(TypeError);
    expect(() => writeIdx({ type: "u16" as "u8", shape: [6], data })).toThrow(RangeError);
    expect(() => writeIdx({ type: "u8", shape: [2, 4], data })).toThrow(
      new RangeError("array.shape: 2 x 4 = 8 values expected, data has 6"),
    );
    for (const shape of [[], [-6], [1.5, 4], [NaN], [0, 2 ** 33]])
      expect(() => writeIdx({ type: "u8", shape, data: data.slice(0, shape[0] === 0 ? 0 : 6) })).toThrow(RangeError);
  });
});
