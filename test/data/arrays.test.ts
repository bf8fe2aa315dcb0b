import { describe, expect, it } from "vitest";
import { datasetFromArrays } from "../../sdk/data/arrays.js";
import { type NpyInput, readNpy } from "../../sdk/data/npy.js";
import { readNpz } from "../../sdk/data/npz.js";
import { fixture } from "./hostile.js";

const y: NpyInput = { shape: [2], data: Int32Array.of(-1, 1) };
const x: NpyInput = { shape: [2, 2], data: Float32Array.of(0.5, 1, 2, 3) };

function labels(data: NpyInput["data"], shape = [data.length]): NpyInput {
  return { shape, data };
}

describe("datasetFromArrays", () => {
  it("keeps 8-bit images 8-bit, flattens [n, h, w] and maps labels 0/1 to -1/+1", () => {
    const arrays = readNpz(fixture("stored.npz"));
    const data = datasetFromArrays({ x: arrays.get("x")!, y: arrays.get("y")!, name: "stored" });
    expect(data).toMatchObject({ n: 4, d: 6, scale: 1 / 255, name: "stored", y: Float64Array.of(-1, 1, 1, -1) });
    expect(data.x).toEqual(Uint8Array.from({ length: 24 }, (_, i) => i * 10));
  });

  it("turns every other type into real numbers with scale 1, as they are", () => {
    expect(datasetFromArrays({ x, y })).toMatchObject({ scale: 1, x: Float64Array.of(0.5, 1, 2, 3), name: "unnamed" });
    const booleans = readNpy(fixture("little-b1.npy"));
    expect(datasetFromArrays({ x: booleans, y })).toMatchObject({ scale: 1, x: Float64Array.of(0, 1, 0, 1, 0, 1) });
  });

  it("takes labels -1/+1 as they are, from any type and from a column", () => {
    for (const data of [Int8Array.of(-1, 1), Float64Array.of(-1, 1)])
      expect(datasetFromArrays({ x, y: labels(data) }).y).toEqual(Float64Array.of(-1, 1));
    expect(datasetFromArrays({ x, y: labels(Uint8Array.of(1, 0), [2, 1]) }).y).toEqual(Float64Array.of(1, -1));
    expect(datasetFromArrays({ x, y: labels(Uint8Array.of(1, 1)) }).y).toEqual(Float64Array.of(1, 1));
  });

  it("refuses other labels, telling which came", () => {
    const refused = (data: NpyInput["data"]) => () =>
      datasetFromArrays({ x: { shape: [data.length, 1], data: new Uint8Array(data.length) }, y: labels(data) });
    expect(refused(Uint8Array.of(7, 1, 3, 7))).toThrow(
      new RangeError("y: expected labels -1 and +1, or 0 and 1, got 1, 3, 7"),
    );
    expect(refused(Uint8Array.of(9, 8, 7, 6, 5, 4))).toThrow("got 4, 5, 6, 7, 8, ...");
    expect(refused(Int8Array.of(-1, 0, 1))).toThrow("got -1, 0, 1");
    expect(refused(Float64Array.of(1, NaN))).toThrow("NaN");
  });

  it("refuses shapes that are no data set, with the numbers", () => {
    for (const shape of [[], [4], [1, 2, 2, 1]])
      expect(() => datasetFromArrays({ x: { ...x, shape }, y })).toThrow(/^x: expected shape/);
    expect(() => datasetFromArrays({ x, y: labels(Int8Array.of(1, 1, 1)) })).toThrow(
      new RangeError("y: 2 labels expected for 2 rows of x, got 3"),
    );
    expect(() => datasetFromArrays({ x, y: labels(Int8Array.of(1, 1, 1, 1), [2, 2]) })).toThrow("got [2, 2]");
    expect(() => datasetFromArrays({ x, y: labels(Int8Array.of(1), []) })).toThrow("got []");
    expect(() => datasetFromArrays({ x: { ...x, shape: [2, 3] }, y })).toThrow("2 x 3 = 6 values expected, x has 4");
    expect(() => datasetFromArrays({ x: { ...x, data: Float32Array.of(1, 2, 3, NaN) }, y })).toThrow("row 1, column 1");
  });

  it("refuses wrong types with TypeError", () => {
    for (const value of [undefined, null, 1, "x", [x, y], {}]) {
      expect(() => datasetFromArrays(value as { x: NpyInput; y: NpyInput })).toThrow(TypeError);
      expect(() => datasetFromArrays({ x: value as NpyInput, y })).toThrow(TypeError);
      expect(() => datasetFromArrays({ x, y: value as NpyInput })).toThrow(TypeError);
    }
    for (const data of [[1, 1], "11", new DataView(new ArrayBuffer(2)), new BigInt64Array(2)])
      expect(() => datasetFromArrays({ x, y: { shape: [2], data: data as unknown as Int8Array } })).toThrow(TypeError);
    expect(() => datasetFromArrays({ x: { ...x, shape: 4 as unknown as number[] }, y })).toThrow(TypeError);
    expect(() => datasetFromArrays({ x, y, name: 1 as unknown as string })).toThrow(TypeError);
  });
});
