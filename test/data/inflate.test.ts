import { deflateRawSync, gzipSync as zlibGzip } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crc32, gunzip, inflate, isGzip } from "../../sdk/data/inflate.js";
import { expectDamageContained, expectTruncationsRefused, formatError } from "./hostile.js";

describe("crc32", () => {
  it("has the published check value, and 0 for nothing", () => {
    expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
    expect(crc32(new Uint8Array())).toBe(0);
  });
});

describe("inflate", () => {
  const describeStream = (content: Uint8Array) => ({
    format: "test",
    bytes: new Uint8Array(deflateRawSync(content)),
    offset: 7,
    size: content.length,
    crc: crc32(content),
  });

  it("undoes what zlib compressed", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (content) => {
        expect(inflate(describeStream(content))).toEqual(content);
      }),
    );
  });

  it("refuses a wrong size, either way, and a wrong checksum, at the stream's offset", () => {
    const stream = describeStream(new Uint8Array(500).fill(3));
    for (const change of [
      { size: 499 },
      { size: 501 },
      { size: 1e9 },
      { crc: stream.crc ^ 1 },
      { bytes: Uint8Array.of() },
    ]) {
      const error = formatError(() => inflate({ ...stream, ...change }));
      expect(error).toMatchObject({ format: "test", offset: 7 });
    }
  });
});

describe("gunzip", () => {
  const content = new TextEncoder().encode("infinitely wide ".repeat(20));
  const file = new Uint8Array(zlibGzip(content));

  it("undoes what zlib compressed, with every optional header field", () => {
    expect(isGzip(file)).toBe(true);
    expect(gunzip(file)).toEqual(content);
    const fields = [2, 0, 65, 66, 110, 97, 109, 101, 0, 110, 111, 116, 101, 0, 1, 2];
    const full = Uint8Array.from([...file.slice(0, 3), 0x1e, ...file.slice(4, 10), ...fields, ...file.slice(10)]);
    expect(gunzip(full)).toEqual(content);
    expectTruncationsRefused(gunzip, full);
  });

  it("refuses other compression methods and reserved flags, naming the byte", () => {
    const changed = (at: number, to: number) => file.map((byte, i) => (i === at ? to : byte));
    expect(formatError(() => gunzip(changed(2, 7)))).toMatchObject({ format: "gzip", offset: 2 });
    expect(formatError(() => gunzip(changed(3, 0x20)))).toMatchObject({ format: "gzip", offset: 3 });
  });

  it("meets damage with FormatError at worst, and never gives other content", () => {
    expectDamageContained((bytes) => {
      expect(gunzip(bytes)).toEqual(content);
    }, file);
  });
});
