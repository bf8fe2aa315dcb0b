import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type NpyArray, type NpyDtype, type NpyInput, readNpy, writeNpy } from "../../sdk/data/npy.js";
import {
  count,
  expectations,
  expectDamageContained,
  expectNoiseRefused,
  expectTruncationsRefused,
  fixture,
  formatError,
  NOT_BYTES,
  shapes,
} from "./hostile.js";

const CLASSES = {
  b1: Uint8Array,
  u1: Uint8Array,
  i1: Int8Array,
  u2: Uint16Array,
  i2: Int16Array,
  u4: Uint32Array,
  i4: Int32Array,
  u8: Float64Array,
  i8: Float64Array,
  f4: Float32Array,
  f8: Float64Array,
} as const;
type Written = keyof typeof CLASSES;

function values(dtype: Written): fc.Arbitrary<number> {
  if (dtype === "b1") return fc.nat(1);
  if (dtype === "u8") return fc.maxSafeNat();
  if (dtype.startsWith("f")) return fc.double();
  return fc.maxSafeInteger();
}

const arrays: fc.Arbitrary<NpyArray> = fc
  .record({ dtype: fc.constantFrom(...(Object.keys(CLASSES) as Written[])), shape: shapes(0, 4) })
  .chain(({ dtype, shape }) =>
    fc
      .array(values(dtype), { minLength: count(shape), maxLength: count(shape) })
      .map((list) => ({ dtype, shape, data: CLASSES[dtype].from(list) })),
  );

const EXPECTED = expectations();
const FIXTURES = Object.keys(EXPECTED).filter((name) => name.endsWith(".npy"));

/** A file with a header of our own making. */
function withHeader(header: string, data: readonly number[] = [], version = 1): Uint8Array {
  const text = new TextEncoder().encode(header);
  const length = version === 1 ? [text.length & 255, text.length >> 8] : [text.length & 255, text.length >> 8, 0, 0];
  return Uint8Array.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0, ...length, ...text, ...data]);
}

describe("readNpy", () => {
  it.each(FIXTURES)("reads what NumPy wrote: %s, exactly", (name) => {
    const { dtype, shape, values } = EXPECTED[name]!;
    const array = readNpy(fixture(name));
    expect({ ...array, data: Array.from(array.data) }).toEqual({ dtype, shape, data: values });
  });

  it("gives back what writeNpy wrote, for every dtype and shape", () => {
    fc.assert(
      fc.property(arrays, (array) => {
        expect(readNpy(writeNpy(array))).toEqual(array);
      }),
    );
  });

  it("reads a Buffer and bytes in the middle of a buffer, and shares no memory with them", () => {
    const buffer = Buffer.from(fixture("little-u1.npy"));
    const { data } = readNpy(buffer);
    buffer.fill(0);
    expect(Array.from(data)).toEqual([0, 7, 14, 21, 28, 35]);
    const file = fixture("little-f8.npy");
    const padded = new Uint8Array(file.length + 5);
    padded.set(file, 5);
    expect(readNpy(padded.subarray(5))).toEqual(readNpy(file));
  });

  it("decodes every half-precision number to the value IEEE 754 gives it", () => {
    const header = "{'descr': '<f2', 'fortran_order': False, 'shape': (65536,), }";
    const bits = new Uint8Array(Uint16Array.from({ length: 65536 }, (_, i) => i).buffer);
    const { data } = readNpy(withHeader(header, [...bits]));
    // The definition, by way of text: sign, 2^(exponent - 15), binary fraction.
    for (let i = 0; i < 65536; i += 7) {
      const [sign, exponent, fraction] = [i >> 15 ? -1 : 1, (i >> 10) & 31, (i & 1023) / 1024];
      const finite = exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15);
      const special = fraction === 0 ? Infinity : NaN;
      expect(data[i]).toBe(sign * (exponent === 31 ? special : finite));
    }
  });

  it("refuses every truncation", () => {
    for (const name of ["little-f8.npy", "big-i2.npy", "version-2.npy", "version-3.npy"])
      expectTruncationsRefused(readNpy, fixture(name));
  });

  it("meets damage and noise with FormatError at worst", () => {
    for (const name of ["little-b1.npy", "big-i8.npy", "fortran-2d.npy", "version-2.npy"])
      expectDamageContained(readNpy, fixture(name));
    expectNoiseRefused(readNpy);
    expectNoiseRefused(readNpy, [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
    expectNoiseRefused((noise) => readNpy(withHeader(String.fromCharCode(...noise))));
  });

  it("accepts the header's keys in any order, either quote and Python 2's long integers", () => {
    const header = `{"shape":(1L,2),'fortran_order':False,"descr":'|u1'}`;
    for (const version of [1, 2, 3])
      expect(readNpy(withHeader(header, [4, 5], version))).toEqual({
        dtype: "u1",
        shape: [1, 2],
        data: Uint8Array.of(4, 5),
      });
  });

  it.each([
    ["{'descr': '|u1', 'fortran_order': False}", 'key "shape" is missing'],
    ["{'descr': '|u1', 'shape': (1,)}", 'key "fortran_order" is missing'],
    ["{'fortran_order': False, 'shape': (1,)}", 'key "descr" is missing'],
    ["{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (1,)}", 'key "descr" occurs twice'],
    ["{'descr': '|u1', 'fortran_order': False, 'shape': (1,), 'evil': 1}", 'unknown key "evil"'],
    ["{'descr': '|u1', 'fortran_order': False, 'shape': (1)}", "a single dimension needs its comma"],
    ["{'descr': '|u1', 'fortran_order': False, 'shape': (1 1)}", "expected , or ) after a dimension"],
    ["{'descr': '|u1', 'fortran_order': False, 'shape': (-1,)}", "expected a dimension"],
    ["{'descr': '|u1', 'fortran_order': False, 'shape': (01,)}", "expected a dimension"],
    ["{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999,)}", "beyond 2^53 - 1"],
    ["{'descr': '|u1', 'fortran_order': 0, 'shape': (1,)}", "expected True or False"],
    ["{'descr': '|u1', 'fortran_order': Falsehood, 'shape': (1,)}", "expected True or False"],
    ["{'descr': '|u1', 'fortran_order': False, 'shape': (1,)} # more", "expected nothing but spaces after }"],
    ["{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}", "structured dtypes are not supported"],
    ["{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", '"|O" is not supported'],
    ["{'descr': '<c16', 'fortran_order': False, 'shape': (1,)}", "dtype c16 is not supported"],
    ["{'descr': 'f8', 'fortran_order': False, 'shape': (1,)}", '"f8" is not supported'],
    ["__import__('os')", "expected {"],
  ])("refuses the header %s", (header, message) => {
    const error = formatError(() => readNpy(withHeader(header, [0])));
    expect(error.message).toContain(message);
    expect(error.offset).toBeGreaterThanOrEqual(10);
  });

  it("refuses complex and structured arrays, versions it does not know and bytes after the data", () => {
    expect(formatError(() => readNpy(fixture("complex.npy"))).message).toContain("c16");
    expect(formatError(() => readNpy(fixture("structured.npy"))).message).toContain("structured");
    const file = fixture("little-u1.npy");
    expect(formatError(() => readNpy(Uint8Array.of(...file, 0)))).toMatchObject({ offset: 134 });
    const version = file.map((byte, i) => (i === 6 ? 4 : byte));
    expect(formatError(() => readNpy(version)).message).toBe("npy: version 4.0, expected 1.0, 2.0 or 3.0 (at byte 6)");
  });

  it("refuses 64-bit integers beyond 2^53 - 1, naming the value and its byte", () => {
    const error = formatError(() => readNpy(fixture("long.npy")));
    expect(error.message).toContain("9007199254740992");
    expect(error.offset).toBe(136);
  });

  it("takes no memory for shapes that the file can not hold", () => {
    const dimensions = Array.from({ length: 60 }, () => 9007199254740991).join(", ");
    const header = `{'descr': '<f8', 'fortran_order': True, 'shape': (${dimensions}), }`;
    expect(formatError(() => readNpy(withHeader(header))).message).toContain("needs Infinity bytes, 0 follow");
  });

  it("refuses what is not bytes with TypeError", () => {
    for (const value of NOT_BYTES) expect(() => readNpy(value as Uint8Array)).toThrow(TypeError);
  });
});

describe("writeNpy", () => {
  it("writes the bytes that NumPy writes, little-endian and row-major", () => {
    for (const name of FIXTURES.filter((file) => /^(little-[^f]|little-f[48]|empty|scalar)/.test(file)))
      expect(writeNpy(readNpy(fixture(name))), name).toEqual(fixture(name));
  });

  it("starts the data at a multiple of 64 bytes", () => {
    fc.assert(
      fc.property(shapes(0, 12), (shape) => {
        const size = count(shape);
        fc.pre(size < 100_000);
        expect((writeNpy({ shape, data: new Uint8Array(size) }).length - size) % 64).toBe(0);
      }),
    );
  });

  it("refuses wrong types with TypeError", () => {
    const wrong = [
      ...NOT_BYTES.filter((value) => !ArrayBuffer.isView(value)),
      { shape: [1], data: [1] },
      { shape: [1], data: new BigInt64Array(1) },
      { shape: [1], data: new DataView(new ArrayBuffer(1)) },
      { shape: 1, data: new Uint8Array(1) },
      { shape: ["1"], data: new Uint8Array(1) },
      { shape: [1], data: new Uint8Array(1), dtype: "f8" },
      { shape: [1], data: new Uint8Array(1), dtype: 1 },
    ];
    for (const value of wrong) expect(() => writeNpy(value as NpyInput)).toThrow(TypeError);
  });

  it("refuses values that have no place in the dtype, naming the first", () => {
    const bad = (dtype: NpyDtype, data: NpyInput["data"]) => () => writeNpy({ dtype, shape: [data.length], data });
    expect(bad("i8", Float64Array.of(1, 0.5))).toThrow("got 0.5 at index 1");
    expect(bad("i8", Float64Array.of(2 ** 53))).toThrow(RangeError);
    expect(bad("u8", Float64Array.of(-1))).toThrow("integers from 0 to 2^53 - 1");
    expect(bad("b1", Uint8Array.of(0, 1, 2))).toThrow("got 2 at index 2");
    expect(bad("f2", Float32Array.of(1))).toThrow(RangeError);
    expect(bad("c8" as NpyDtype, Float32Array.of(1))).toThrow(RangeError);
    expect(() => writeNpy({ shape: [2, 2], data: new Uint8Array(3) })).toThrow("2 x 2 = 4 values expected, data has 3");
    expect(() => writeNpy({ shape: [], data: new Uint8Array(3) })).toThrow("a scalar, 1 value expected, data has 3");
    expect(() => writeNpy({ shape: new Array(65).fill(1), data: new Uint8Array(1) })).toThrow("at most 64");
  });
});
