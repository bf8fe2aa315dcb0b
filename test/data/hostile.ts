// What every reader of files has to withstand, as checks that each format's spec calls. Not a test file itself.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect } from "vitest";
import type { NpyDtype } from "../../sdk/data/npy.js";
import { FormatError } from "../../sdk/errors.js";

/** Values that are bytes for nobody. */
export const NOT_BYTES: readonly unknown[] = [
  undefined,
  null,
  0,
  NaN,
  "bytes",
  true,
  [1, 2],
  {},
  () => 0,
  new ArrayBuffer(8),
  new DataView(new ArrayBuffer(8)),
  new Float64Array(2),
  new Uint8ClampedArray(2),
];

export function fixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`fixtures/${name}`, import.meta.url)));
}

/** What NumPy says the fixtures hold, by name. */
export function expectations(): Record<string, { dtype: NpyDtype; shape: number[]; values: number[] }> {
  const lines = new TextDecoder().decode(fixture("expected.jsonl")).trim().split("\n");
  return Object.fromEntries(
    lines.map((line) => {
      const { name, ...array } = JSON.parse(line);
      return [name, array];
    }),
  );
}

function outcome(read: (bytes: Uint8Array) => unknown, bytes: Uint8Array): unknown {
  try {
    read(bytes);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Every proper prefix of a valid file is refused with a FormatError whose offset lies inside the prefix. */
export function expectTruncationsRefused(read: (bytes: Uint8Array) => unknown, valid: Uint8Array): void {
  for (let length = 0; length < valid.length; length++) {
    const error = outcome(read, valid.slice(0, length));
    expect(error, `the first ${length} of ${valid.length} bytes`).toBeInstanceOf(FormatError);
    const { offset } = error as FormatError;
    expect(offset).toBeGreaterThanOrEqual(0);
    expect(offset).toBeLessThanOrEqual(valid.length);
  }
}

/** Bytes changed, cut out or put in at random: the file is read or refused with FormatError, nothing else. */
export function expectDamageContained(read: (bytes: Uint8Array) => unknown, valid: Uint8Array): void {
  const change = fc.record({
    at: fc.nat(valid.length - 1),
    to: fc.nat(255),
    kind: fc.constantFrom("set", "cut", "put"),
  });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      const bytes = [...valid];
      for (const { at, to, kind } of changes) {
        if (kind === "set") bytes[at] = to;
        else if (kind === "cut") bytes.splice(at, 1);
        else bytes.splice(at, 0, to);
      }
      const error = outcome(read, Uint8Array.from(bytes));
      if (error !== undefined) expect(error).toBeInstanceOf(FormatError);
    }),
    { numRuns: 400 },
  );
  for (let at = 0; at < valid.length; at++) {
    for (const mask of [1, 0x80, 0xff]) {
      const bytes = valid.slice();
      bytes[at]! ^= mask;
      const error = outcome(read, bytes);
      if (error !== undefined) expect(error, `byte ${at} xor ${mask}`).toBeInstanceOf(FormatError);
    }
  }
}

/** Bytes that never were a file. */
export function expectNoiseRefused(read: (bytes: Uint8Array) => unknown, prefix: readonly number[] = []): void {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      const error = outcome(read, Uint8Array.from([...prefix, ...noise]));
      if (error !== undefined) expect(error).toBeInstanceOf(FormatError);
    }),
    { numRuns: 300 },
  );
}

/** The FormatError of a read that must fail. */
export function formatError(read: () => unknown): FormatError {
  const error = outcome(read, new Uint8Array());
  expect(error).toBeInstanceOf(FormatError);
  return error as FormatError;
}

/** A shape of up to `rank` small dimensions, and its number of elements. */
export function shapes(minRank: number, maxRank: number): fc.Arbitrary<number[]> {
  return fc.array(fc.nat(4), { minLength: minRank, maxLength: maxRank });
}

export function count(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}
