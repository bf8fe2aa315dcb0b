import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readSafetensors, type Tensor, type TensorInput, writeSafetensors } from "../../sdk/data/safetensors.js";
import {
  count,
  expectDamageContained,
  expectNoiseRefused,
  expectTruncationsRefused,
  fixture,
  formatError,
  NOT_BYTES,
  shapes,
} from "./hostile.js";

const CLASSES = {
  F64: Float64Array,
  F32: Float32Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U8: Uint8Array,
} as const;

const numeric: fc.Arbitrary<Tensor> = fc
  .record({ dtype: fc.constantFrom(...(Object.keys(CLASSES) as (keyof typeof CLASSES)[])), shape: shapes(0, 3) })
  .chain(({ dtype, shape }) =>
    fc
      .array(dtype.startsWith("F") ? fc.double() : fc.integer(), { minLength: count(shape), maxLength: count(shape) })
      .map((values) => ({ dtype, shape, data: CLASSES[dtype].from(values) })),
  );
const wide: fc.Arbitrary<Tensor> = fc
  .array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { maxLength: 5 })
  .map((values) => ({ dtype: "I64", shape: [values.length], data: BigInt64Array.from(values) }));
const flags: fc.Arbitrary<Tensor> = fc
  .array(fc.nat(1), { maxLength: 5 })
  .map((values) => ({ dtype: "BOOL", shape: [values.length, 1], data: Uint8Array.from(values) }));
const text = fc.string({ unit: "binary", maxLength: 8 }).filter((value) => !/\p{Surrogate}/u.test(value));
const name = fc.oneof(text, fc.constantFrom("__proto__", "constructor", "toString", '"', "\u0000", "𝄞", "｡"));
const files = fc.record({
  tensors: fc
    .uniqueArray(fc.tuple(name, fc.oneof(numeric, wide, flags)), { selector: ([key]) => key, maxLength: 5 })
    .map((list) => new Map(list)),
  metadata: fc.dictionary(name, text, { maxKeys: 3, noNullPrototype: false }),
});

/** A file with a header of our own making; `size` zero bytes of data. */
function withHeader(header: string | Uint8Array, size = 0): Uint8Array {
  const bytes = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const file = new Uint8Array(8 + bytes.length + size);
  new DataView(file.buffer).setBigUint64(0, BigInt(bytes.length), true);
  file.set(bytes, 8);
  return file;
}

function headerOf(file: Uint8Array): string {
  const length = new DataView(file.buffer).getUint32(0, true);
  return new TextDecoder().decode(file.slice(8, 8 + length));
}

const u8 = (begin: number, end: number, mark = "") =>
  `{"dtype":"U8","shape":[${end - begin}],"data_offsets":${mark}[${begin},${end}]}`;

describe("readSafetensors", () => {
  it.each(["plain.safetensors", "reversed.safetensors"])("reads a file put together in Python: %s", (file) => {
    const { tensors, metadata } = readSafetensors(fixture(file));
    expect({ ...metadata }).toEqual({ format: "pt", 'quote "': "tab\tnewline\n" });
    expect(Object.fromEntries(tensors)).toEqual({
      count: { dtype: "I64", shape: [2], data: BigInt64Array.of(-(2n ** 62n), 3n) },
      alpha: { dtype: "F64", shape: [2, 2], data: Float64Array.of(0.5, -1.25, 1 / 3, 1e-300) },
      weight: { dtype: "F32", shape: [3], data: Float32Array.of(1.5, -2.5, 0.125) },
      index: { dtype: "I32", shape: [2], data: Int32Array.of(-5, 7) },
      short: { dtype: "I16", shape: [1], data: Int16Array.of(-300) },
      signed: { dtype: "I8", shape: [2], data: Int8Array.of(-1, 1) },
      "näme 𝄞": { dtype: "U8", shape: [3], data: Uint8Array.of(0, 128, 255) },
      mask: { dtype: "BOOL", shape: [2], data: Uint8Array.of(1, 0) },
      nothing: { dtype: "BOOL", shape: [0, 4], data: new Uint8Array() },
    });
  });

  it("gives back what writeSafetensors wrote, for every dtype, shape, name and metadata", () => {
    fc.assert(
      fc.property(files, ({ tensors, metadata }) => {
        const read = readSafetensors(writeSafetensors(tensors, metadata));
        expect(read.tensors).toEqual(tensors);
        expect(new Map(Object.entries(read.metadata))).toEqual(new Map(Object.entries(metadata)));
      }),
    );
  });

  it("keeps names like __proto__ as plain data", () => {
    const file = withHeader(`{"__metadata__":{"__proto__":"a","x":"b"},"__proto__":${u8(0, 1)}}`, 1);
    const { tensors, metadata } = readSafetensors(file);
    expect([...tensors.keys()]).toEqual(["__proto__"]);
    expect(Object.entries(metadata)).toEqual([
      ["__proto__", "a"],
      ["x", "b"],
    ]);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  it("reads a Buffer and unaligned bytes, and shares no memory with them", () => {
    const file = writeSafetensors({ a: { shape: [2], data: Float64Array.of(1, 2) } });
    const padded = Buffer.alloc(file.length + 3);
    padded.set(file, 3);
    const { tensors } = readSafetensors(padded.subarray(3));
    padded.fill(0);
    expect(tensors.get("a")!.data).toEqual(Float64Array.of(1, 2));
  });

  it("ignores fields of a tensor that it does not know, as the reference does", () => {
    const file = withHeader(`{ "a" : {"dtype":"U8","more":[1.5e3,{"x":null}],"shape":[],"data_offsets":[0,1]} }  `, 1);
    expect(readSafetensors(file).tensors.get("a")).toEqual({ dtype: "U8", shape: [], data: Uint8Array.of(0) });
  });

  it("refuses every truncation", () => {
    expectTruncationsRefused(readSafetensors, fixture("plain.safetensors"));
  });

  it("meets damage and noise with FormatError at worst", () => {
    expectDamageContained(readSafetensors, fixture("plain.safetensors"));
    expectNoiseRefused(readSafetensors);
    expectNoiseRefused((noise) => readSafetensors(withHeader(Uint8Array.of(0x7b, ...noise))));
  });

  // The mark ‸ stands where the error must point to.
  it.each([
    ["1 bytes after the last tensor", "{}‸", 1],
    ['tensor "b": overlaps the tensor before it', `{"a":${u8(0, 2)},"b":${u8(1, 3, "‸")}}`, 3],
    ['tensor "b": 1 bytes before it belong to no tensor', `{"a":${u8(0, 2)},"b":${u8(3, 4, "‸")}}`, 4],
    ["ends at 2, the data have 1 bytes", `{"a":${u8(0, 2, "‸")}}`, 1],
    ['key "a" occurs twice', `{"a":${u8(0, 1)},‸"a":${u8(1, 2)}}`, 2],
    ['key "a" occurs twice', `{"a":${u8(0, 1)},‸"\\u0061":${u8(1, 2)}}`, 2],
    ["unknown dtype", `{"a":{"dtype":‸"F8","shape":[1],"data_offsets":[0,1]}}`, 1],
    ["needs 8 bytes, data_offsets span 4", `{"a":{"dtype":"F64","shape":[1],"data_offsets":‸[0,4]}}`, 4],
    ["expected an integer", `{"a":{"dtype":"U8","shape":[‸-1],"data_offsets":[0,1]}}`, 1],
    ["expected an integer", `{"a":{"dtype":"U8","shape":[‸1.0],"data_offsets":[0,1]}}`, 1],
    ["expected an integer", `{"a":{"dtype":"U8","shape":[‸9007199254740993],"data_offsets":[0,1]}}`, 1],
    ["expected an array of integers", `{"a":{"dtype":"U8","shape":‸"1","data_offsets":[0,1]}}`, 1],
    ["data_offsets must be [begin, end]", `{"a":{"dtype":"U8","shape":[1],"data_offsets":‸[1,0]}}`, 1],
    ["data_offsets must be [begin, end]", `{"a":{"dtype":"U8","shape":[1],"data_offsets":‸[0,1,2]}}`, 1],
    ["dtype is missing", `{"a":‸{"shape":[1],"data_offsets":[0,1]}}`, 1],
    ["expected an object", `{"a":‸[]}`, 0],
    ['expected a string for "a"', `{"__metadata__":{"a":‸1}}`, 0],
    ["__metadata__ must be an object", `{"__metadata__":‸[]}`, 0],
    ["half a surrogate pair", `{"__metadata__":{"a":‸"\\ud800"}}`, 0],
    ["a bad escape", `{‸"\\x":1}`, 0],
    ['tensor "ä": expected an object', `{"ä":‸1}`, 0],
    ["expected nothing after the value", "{} ‸x", 0],
    ['expected "', '{"a":1,‸}', 0],
    ['expected "', "{‸'a':1}", 0],
    ["expected a value", '{"a":‸NaN}', 0],
    ["nested deeper than 32", `{"a":${"[".repeat(32)}‸${"[".repeat(100_000)}`, 0],
    ["the header must begin with {", "‸ {}", 0],
    ["the header must begin with {", "‸", 0],
  ])("refuses, at the right byte: %s (%#)", (message, marked, size) => {
    const error = formatError(() => readSafetensors(withHeader(marked.replace("‸", ""), size)));
    expect(error.message).toContain(message);
    expect(error.format).toBe("safetensors");
    expect(error.offset).toBe(8 + new TextEncoder().encode(marked.slice(0, marked.indexOf("‸"))).length);
  });

  it("refuses headers that are not UTF-8 or longer than the file", () => {
    const latin = Uint8Array.from('{"\u00e4":1}', (symbol) => symbol.charCodeAt(0));
    expect(formatError(() => readSafetensors(withHeader(latin))).message).toContain("not UTF-8");
    const file = withHeader("{}");
    file[7] = 255;
    expect(formatError(() => readSafetensors(file)).message).toContain("2 follow");
  });

  it("refuses shapes beyond any memory without taking it", () => {
    const huge = Array.from({ length: 40 }, () => 9007199254740991).join(",");
    const header = `{"a":{"dtype":"F64","shape":[${huge}],"data_offsets":[0,8]}}`;
    expect(formatError(() => readSafetensors(withHeader(header, 8))).message).toContain("needs Infinity bytes");
  });

  it("refuses what is not bytes with TypeError", () => {
    for (const value of NOT_BYTES) expect(() => readSafetensors(value as Uint8Array)).toThrow(TypeError);
  });
});

describe("writeSafetensors", () => {
  it("aligns the header to 8 bytes and every tensor to its element size", () => {
    fc.assert(
      fc.property(files, ({ tensors, metadata }) => {
        const file = writeSafetensors(tensors, metadata);
        const length = new DataView(file.buffer).getUint32(0, true);
        expect(length % 8).toBe(0);
        const header = JSON.parse(headerOf(file));
        for (const [key, tensor] of tensors)
          expect((8 + length + header[key].data_offsets[0]) % tensor.data.BYTES_PER_ELEMENT).toBe(0);
      }),
    );
  });

  it("lays tensors out as Python does: by alignment, then by the UTF-8 bytes of the name", () => {
    const data = {
      U8: new Uint8Array(1),
      F64: new Float64Array(1),
      I64: new BigInt64Array(1),
      F32: new Float32Array(1),
    };
    const file = writeSafetensors({
      b: { shape: [1], data: data.U8 },
      flag: { dtype: "BOOL", shape: [1], data: data.U8 },
      "𝄞": { shape: [1], data: data.F64 },
      "｡": { shape: [1], data: data.F64 },
      z: { shape: [1], data: data.I64 },
      a: { shape: [1], data: data.F32 },
    });
    expect(Object.keys(JSON.parse(headerOf(file)))).toEqual(["z", "｡", "𝄞", "a", "b", "flag"]);
    expect([...readSafetensors(file).tensors.keys()]).toEqual(["z", "｡", "𝄞", "a", "b", "flag"]);
  });

  it("writes the bytes of the file put together in Python", () => {
    const { tensors, metadata } = readSafetensors(fixture("plain.safetensors"));
    expect(writeSafetensors(tensors, metadata)).toEqual(fixture("plain.safetensors"));
  });

  it("leaves metadata out when there is none", () => {
    expect(headerOf(writeSafetensors({}))).toBe("{}      ");
  });

  it("refuses wrong types with TypeError, misfits and bad names with RangeError", () => {
    const good: TensorInput = { shape: [1], data: new Uint8Array(1) };
    const write = (tensors: unknown, metadata?: unknown) => () =>
      writeSafetensors(tensors as Record<string, TensorInput>, metadata as Record<string, string>);
    for (const value of [undefined, null, 1, "x", [good], { a: 1 }, { a: null }, { a: [1] }, new Map([[1, good]])])
      expect(write(value)).toThrow(TypeError);
    for (const tensor of [
      { shape: [1], data: [1] },
      { shape: [1], data: new Uint16Array(1) },
      { shape: "1", data: new Uint8Array(1) },
      { shape: [1], data: new Uint8Array(1), dtype: "F64" },
      { shape: [1], data: new Uint8Array(1), dtype: 8 },
    ])
      expect(write({ a: tensor })).toThrow(TypeError);
    for (const metadata of [null, 1, "x", ["a"], { a: 1 }, { a: null }]) expect(write({}, metadata)).toThrow(TypeError);
    expect(write({ a: { shape: [2, 2], data: new Uint8Array(3) } })).toThrow("2 x 2 = 4 values expected, data has 3");
    expect(write({ a: { shape: [1], data: Uint8Array.of(2), dtype: "BOOL" } })).toThrow(RangeError);
    expect(write({ a: { ...good, dtype: "F16" } })).toThrow(RangeError);
    expect(write({ __metadata__: good })).toThrow(RangeError);
    expect(write({ "\ud800": good })).toThrow(RangeError);
    expect(write({}, { a: "\udc00" })).toThrow(RangeError);
  });
});
