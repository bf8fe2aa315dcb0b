import fc from "fast-check";
import { gzipSync, zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { type NpyInput, writeNpy } from "../../sdk/data/npy.js";
import { readNpz, writeNpz } from "../../sdk/data/npz.js";
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

const array = { shape: [3], data: Float64Array.of(1, 2, 3) };

function patched(file: Uint8Array, at: number, value: number): Uint8Array {
  const copy = file.slice();
  new DataView(copy.buffer).setUint32(at, value, true);
  return copy;
}

describe("readNpz", () => {
  it("reads what NumPy wrote, stored and compressed", () => {
    const expected = expectations();
    for (const name of ["stored.npz", "deflated.npz"]) {
      const arrays = readNpz(fixture(name));
      expect([...arrays.keys()].slice(0, 2)).toEqual(["x", "y"]);
      for (const key of ["x", "y"]) {
        const { dtype, shape, data } = arrays.get(key)!;
        expect({ dtype, shape, values: Array.from(data) }).toEqual(expected[`npz ${key}`]!);
      }
    }
    expect(readNpz(fixture("deflated.npz")).get("x_test")!.shape).toEqual([2, 3, 2]);
  });

  it("gives back what writeNpz wrote, whatever the names", () => {
    const named = fc.tuple(
      fc.string({ unit: "binary", minLength: 1, maxLength: 12 }).filter((name) => !/\p{Surrogate}/u.test(name)),
      shapes(0, 3),
    );
    fc.assert(
      fc.property(fc.uniqueArray(named, { selector: ([name]) => name, maxLength: 4 }), (list) => {
        const arrays = new Map(
          list.map(([name, shape]) => [
            name,
            { dtype: "f4" as const, shape, data: new Float32Array(count(shape)).fill(2) },
          ]),
        );
        expect(readNpz(writeNpz(arrays))).toEqual(arrays);
      }),
    );
    for (const name of ["__proto__", "constructor", "a/b", "../up", "0"])
      expect([...readNpz(writeNpz(new Map([[name, array]]))).keys()]).toEqual([name]);
  });

  it("reads an archive without arrays, and a Buffer", () => {
    expect(readNpz(writeNpz({})).size).toBe(0);
    expect(readNpz(Buffer.from(writeNpz({ a: array }))).get("a")!.data).toEqual(array.data);
  });

  it("refuses every truncation", () => {
    for (const name of ["stored.npz", "deflated.npz"]) expectTruncationsRefused(readNpz, fixture(name));
  });

  it("meets damage and noise with FormatError at worst", () => {
    for (const name of ["stored.npz", "deflated.npz"]) expectDamageContained(readNpz, fixture(name));
    expectNoiseRefused(readNpz);
    expectNoiseRefused(readNpz, [0x50, 0x4b, 3, 4]);
  });

  it("finds out about changed data by the checksum", () => {
    const file = fixture("stored.npz");
    const at = 30 + "x.npy".length + 20 + 128 + 3;
    expect(formatError(() => readNpz(file.map((byte, i) => (i === at ? byte ^ 1 : byte)))).message).toContain(
      'checksum of entry "x.npy" does not match',
    );
  });

  it("refuses more than maxBytes before decompressing anything", () => {
    const file = writeNpz({ a: { shape: [100_000], data: new Uint8Array(100_000) } });
    expect(file.length).toBeLessThan(1000);
    expect(readNpz(file, { maxBytes: 100_128 }).size).toBe(1);
    expect(formatError(() => readNpz(file, { maxBytes: 100_127 })).message).toContain("exceeds maxBytes 100127");
  });

  it("refuses sizes that no compressed entry can have, without taking the memory", () => {
    const file = writeNpz({ a: array });
    const directory = new DataView(file.buffer).getUint32(file.length - 6, true);
    const lies = patched(file, directory + 24, 0xfffffffe);
    expect(formatError(() => readNpz(lies)).message).toContain("can not hold the declared 4294967294");
    expect(formatError(() => readNpz(patched(file, directory + 24, 0xffffffff))).message).toContain("Zip64");
    expect(formatError(() => readNpz(patched(file, directory + 24, 100))).message).toMatch(/checksum|declared/);
  });

  it("refuses names that occur twice, entries that are no arrays, and archives that are none", () => {
    const npy = writeNpy(array);
    const twice = zipSync({ "a.npy": npy, "b.npy": npy }, { level: 0 });
    const names = twice.map((byte, i) => (byte === 0x62 && twice[i + 1] === 0x2e ? 0x61 : byte));
    expect(formatError(() => readNpz(names)).message).toContain('entry "a.npy" occurs twice');
    expect(formatError(() => readNpz(zipSync({ "notes.txt": npy }))).message).toContain('"notes.txt" is not an array');
    expect(formatError(() => readNpz(zipSync({ "a.npy": npy.slice(1) }))).message).toContain("bad magic number");
    expect(formatError(() => readNpz(gzipSync(npy))).message).toContain("not a ZIP file");
  });

  it("refuses wrong types with TypeError, a bad maxBytes with RangeError", () => {
    for (const value of NOT_BYTES) expect(() => readNpz(value as Uint8Array)).toThrow(TypeError);
    const file = writeNpz({ a: array });
    for (const maxBytes of ["1", true, {}, 1n])
      expect(() => readNpz(file, { maxBytes: maxBytes as 1 })).toThrow(TypeError);
    for (const maxBytes of [-1, 0.5, NaN, Infinity]) expect(() => readNpz(file, { maxBytes })).toThrow(RangeError);
    for (const options of [null, 1, "x"]) expect(() => readNpz(file, options as unknown as object)).toThrow(TypeError);
  });
});

describe("writeNpz", () => {
  it("writes the same bytes for the same arrays", () => {
    expect(writeNpz({ a: array, b: array })).toEqual(writeNpz({ a: array, b: array }));
  });

  it("refuses wrong types with TypeError, an empty name with RangeError", () => {
    for (const value of [undefined, null, 1, "x", [array], { a: 1 }, { a: null }, new Map([[1, array]])])
      expect(() => writeNpz(value as unknown as Record<string, NpyInput>)).toThrow(TypeError);
    expect(() => writeNpz({ "": array })).toThrow(RangeError);
  });
});
