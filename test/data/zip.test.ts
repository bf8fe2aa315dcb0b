import fc from "fast-check";
import { zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { readZip } from "../../sdk/data/zip.js";
import { formatError } from "./hostile.js";

const content = Uint8Array.of(1, 2, 3, 4, 5);
const stored = zipSync({ a: content, b: content }, { level: 0 });
const directory = stored.length - 22 - 2 * 47;

function changed(file: Uint8Array, at: number, ...to: number[]): Uint8Array {
  const copy = file.slice();
  copy.set(to, at);
  return copy;
}

const message = (file: Uint8Array) => formatError(() => readZip("zip", file, 1000)).message;

describe("readZip", () => {
  it("gives back what fflate packed, stored or deflated, in order and with a comment at the end", () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(names, fc.uint8Array({ maxLength: 150 }), fc.constantFrom(0, 6, 9), (list, bytes, level) => {
        const file = zipSync(Object.fromEntries(list.map((name) => [name, bytes])), { level: level as 0 | 6 | 9 });
        const commented = Uint8Array.of(...changed(file, file.length - 2, 3), 120, 121, 122);
        for (const archive of [file, commented]) {
          const entries = readZip("zip", archive, 1000);
          expect(entries.map((entry) => entry.name)).toEqual(list);
          for (const entry of entries) expect(entry.bytes).toEqual(bytes);
        }
      }),
    );
  });

  it("says what an archive has that is not supported, and where it contradicts itself", () => {
    const end = stored.length - 22;
    expect(message(changed(stored, end + 4, 1))).toContain("several parts");
    expect(message(changed(stored, end + 10, 1))).toContain("47 bytes after the last of 1 directory entries");
    expect(message(changed(stored, end + 10, 3))).toContain("the directory ends after 2 of 3 entries");
    expect(message(changed(stored, end + 16, 0))).toContain("does not lie where the end of the archive says");
    expect(message(Uint8Array.of(0, ...stored))).toContain("does not lie where the end of the archive says");
    expect(message(changed(stored, directory, 0))).toContain("no directory entry");
    expect(message(changed(stored, directory + 8, 1))).toContain("encrypted");
    expect(message(changed(stored, directory + 10, 12))).toContain('entry "a" is compressed by unknown method 12');
    expect(message(changed(stored, directory + 20, 4))).toContain('entry "a" is stored, yet has two sizes');
    expect(message(changed(stored, directory + 20, 255, 0, 0, 0, 255))).toContain('entry "a" runs into the directory');
    expect(message(changed(stored, directory + 28, 200))).toContain("runs past the end of the directory");
    expect(message(changed(stored, directory + 42, 1))).toContain('entry "a" does not begin where the directory says');
    expect(message(changed(stored, directory + 46, 98))).toContain('entry "b" occurs twice');
    expect(message(changed(stored, directory - 1, 9))).toContain('checksum of entry "b" does not match');
  });
});
