// Model files: round trip, and files that are not what they should be.
import fc from "fast-check";
import { expect, it } from "vitest";
import { readSafetensors, writeSafetensors } from "../../sdk/data/safetensors.js";
import { FormatError } from "../../sdk/errors.js";
import { nngp, ntk } from "../../sdk/kernels/kernel.js";
import { krr } from "../../sdk/machines/krr.js";
import { Machine } from "../../sdk/machines/machine.js";
import { svm } from "../../sdk/machines/svm.js";
import { randomData, runtimeAt } from "../helpers.js";

const runtime = await runtimeAt("simd");
const data = randomData(20, 5, 1, true);
const machine = await svm({ kernel: ntk(), c: 2, bias: true }).fit(data, { runtime });
const bytes = machine.save();

it("a saved machine comes back with the same bits and decides the same", async () => {
  for (const own of [
    machine,
    await krr({ kernel: nngp({ depth: 3, biasVariance: 0.5 }), lambda: 1 }).fit(randomData(9, 4, 2), { runtime }),
  ]) {
    const back = Machine.load(own.save());
    expect(back.save()).toEqual(own.save());
    expect(await back.hash()).toBe(await own.hash());
    expect(back).toEqual(new Machine(own));
    expect(await back.decisionFunction(own.rows, { runtime })).toEqual(
      await own.decisionFunction(own.rows, { runtime }),
    );
  }
});

it("bytes may lie anywhere in their buffer, and the machine keeps its own copy of them", async () => {
  const expected = await machine.decisionFunction(data, { runtime });
  for (const offset of [1, 3, 8]) {
    const buffer = new Uint8Array(bytes.length + 16);
    buffer.set(bytes, offset);
    const view = buffer.subarray(offset, offset + bytes.length);
    const back = Machine.load(view);
    view.fill(0xff);
    expect(await back.decisionFunction(data, { runtime })).toEqual(expected);
  }
});

it("every truncation is refused with a FormatError", () => {
  for (let length = 0; length < bytes.length; length++)
    expect(() => Machine.load(bytes.slice(0, length))).toThrow(FormatError);
});

it("a file with changed bytes is refused with a FormatError, or holds finite numbers still", () => {
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const copy = bytes.slice();
      copy[at] = (copy[at] ?? 0) ^ flip;
      try {
        const back = Machine.load(copy);
        expect(back.alpha.every(Number.isFinite) && Number.isFinite(back.bias) && back.rows.scale > 0).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
      }
    }),
    { numRuns: 2000 },
  );
});

it("a foreign safetensors file, a later version, missing or misshapen tensors and NaN each have their message", () => {
  const { tensors, metadata } = readSafetensors(bytes);
  const alpha = { shape: [...(tensors.get("alpha")?.shape ?? [])], data: machine.alpha };
  const rows = { shape: [machine.rows.n, machine.rows.d], data: machine.rows.x };
  const load = (
    parts: Record<string, { shape: number[]; data: Float64Array | Uint8Array }>,
    changed: Record<string, string> = {},
  ) => Machine.load(writeSafetensors(parts, { ...metadata, ...changed }));
  expect(() => load({ alpha, rows }, { format: "pt" })).toThrow(/expected format "ntkit machine", got "pt"/);
  expect(() => load({ alpha, rows }, { format_version: "2" })).toThrow(
    /expected format version 1, got "2": written by ntkit/,
  );
  expect(() => load({ rows })).toThrow(/no tensor "alpha"/);
  expect(() => load({ alpha: { shape: [1], data: Float64Array.of(1) }, rows })).toThrow(/one coefficient a row/);
  expect(() => load({ alpha: { ...alpha, data: alpha.data.map(() => Number.NaN) }, rows })).toThrow(/finite/);
  expect(() => load({ alpha, rows }, { bias: "NaN" })).toThrow(/bias/);
  expect(() => load({ alpha, rows }, { kernel: "{" })).toThrow(FormatError);
  expect(() => load({ alpha, rows }, { kernel: '{"kind":"rbf"}' })).toThrow(/kernel/);
  for (const bad of [null, "x", 3, {}, []]) expect(() => Machine.load(bad as never)).toThrow(TypeError);
});

it("decides only on rows of its own columns and units", async () => {
  await expect(machine.decisionFunction(randomData(3, 4, 1, true), { runtime })).rejects.toThrow(
    /expected 5 columns, got 4/,
  );
  await expect(machine.decisionFunction(randomData(3, 5, 1), { runtime })).rejects.toThrow(TypeError);
  for (const bad of [null, 3, {}, "x"]) await expect(machine.predict(bad as never)).rejects.toThrow(TypeError);
});
