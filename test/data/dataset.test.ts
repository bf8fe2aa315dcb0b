import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  checkBinaryLabels,
  checkDigits,
  type Dataset,
  type DatasetOptions,
  dataset,
  selectDigits,
} from "../../sdk/data/dataset.js";
import type { IdxArray } from "../../sdk/data/idx.js";

const options: DatasetOptions = {
  x: Float64Array.of(0.5, -1, 2, 3, 4.25, -0),
  y: [-1, 1],
  shape: [2, 3],
};

/** Data sets of either kind with up to 8 rows of up to 6 entries. */
const datasets = fc
  .record({ n: fc.integer({ min: 1, max: 8 }), d: fc.integer({ min: 1, max: 6 }), pixels: fc.boolean() })
  .chain(({ n, d, pixels }) =>
    fc.record({
      x: pixels
        ? fc.uint8Array({ minLength: n * d, maxLength: n * d })
        : fc.float64Array({ minLength: n * d, maxLength: n * d, noNaN: true, noDefaultInfinity: true }),
      y: fc.array(fc.constantFrom(-1, 1), { minLength: n, maxLength: n }),
      shape: fc.constant([n, d] as const),
    }),
  )
  .map(dataset);

function refusal(change: object): () => Dataset {
  return () => dataset({ ...options, ...change });
}

describe("dataset", () => {
  it("holds what it was given, pixels with scale 1/255 and real numbers with scale 1", () => {
    const real = dataset(options);
    expect(real).toMatchObject({ n: 2, d: 3, scale: 1, name: "unnamed", x: options.x, y: Float64Array.of(-1, 1) });
    const pixels = dataset({ x: Uint8Array.of(0, 255), y: Int8Array.of(1, -1), shape: [2, 1], name: "two" });
    expect(pixels).toMatchObject({ n: 2, d: 1, scale: 1 / 255, name: "two", x: Uint8Array.of(0, 255) });
    expect(dataset({ x: Uint8Array.of(3), y: [1], shape: [1, 1], scale: 0.5 }).scale).toBe(0.5);
  });

  it("copies its input, a Buffer too", () => {
    const x = Buffer.from([1, 2]);
    const y = Float64Array.of(1, -1);
    const data = dataset({ x, y, shape: [2, 1] });
    x.fill(9);
    y.fill(9);
    expect(data.x).toEqual(Uint8Array.of(1, 2));
    expect(data.y).toEqual(Float64Array.of(1, -1));
  });

  it("refuses shapes that do not fit, with both numbers", () => {
    expect(() => dataset({ x: new Uint8Array(2000), y: [1, 1, 1], shape: [3, 784] })).toThrow(
      new RangeError("shape: 3 x 784 = 2352 values expected, x has 2000"),
    );
    expect(refusal({ y: [1, -1, 1, 1, 1] })).toThrow(new RangeError("y: 2 labels expected for 2 rows, got 5"));
    expect(refusal({ x: new Float64Array(0), y: [], shape: [0, 3] })).toThrow(
      "shape[0]: expected an integer >= 1, got 0",
    );
    expect(refusal({ x: new Float64Array(0), shape: [2, 0] })).toThrow("shape[1]: expected an integer >= 1, got 0");
    for (const shape of [
      [1.5, 4],
      [-2, -3],
      [NaN, 3],
      [2, Infinity],
    ])
      expect(refusal({ shape })).toThrow(RangeError);
  });

  it("refuses entries that are not finite, naming row and column", () => {
    for (const [value, text] of [
      [NaN, "NaN"],
      [Infinity, "Infinity"],
      [-Infinity, "-Infinity"],
    ] as const) {
      expect(refusal({ x: Float64Array.of(1, 2, 3, 4, 5, value) })).toThrow(
        new RangeError(`x: expected finite values, got ${text} at row 1, column 2`),
      );
    }
  });

  it("refuses labels other than -1 and +1, naming index and value", () => {
    for (const label of [0, 2, NaN, Infinity, 0.999, -0])
      expect(refusal({ y: [-1, label] })).toThrow(
        new RangeError(`y: expected labels -1 or +1, got ${String(label)} at index 1`),
      );
    for (const label of ["1", true, null, undefined, 1n, {}]) expect(refusal({ y: [label, 1] })).toThrow(TypeError);
  });

  it("refuses scales that are not positive, and any but 1 for real numbers", () => {
    const pixels = { x: new Uint8Array(6) };
    for (const scale of [0, -1, NaN, Infinity]) expect(refusal({ ...pixels, scale })).toThrow(RangeError);
    for (const scale of ["1", null, true]) expect(refusal({ ...pixels, scale })).toThrow(TypeError);
    expect(refusal({ scale: 1 / 255 })).toThrow(/^scale: expected 1 for a Float64Array/);
    expect(refusal({ scale: 1 })().scale).toBe(1);
  });

  it("refuses wrong types with TypeError, naming the argument", () => {
    for (const value of [undefined, null, 1, "x", true, () => 0, [1]])
      expect(() => dataset(value as unknown as DatasetOptions)).toThrow(/^options: /);
    for (const x of [
      undefined,
      null,
      1,
      "x",
      [1, 2],
      {},
      new Float32Array(6),
      new Uint8ClampedArray(6),
      new ArrayBuffer(6),
    ])
      expect(refusal({ x })).toThrow(/^x: expected a Uint8Array or Float64Array, got /);
    for (const y of [undefined, null, 1, "11", true, {}, () => 0])
      expect(refusal({ y })).toThrow(/^y: expected an array/);
    for (const shape of [undefined, null, 6, "2x3", [], [6], [2, 3, 1], {}])
      expect(refusal({ shape })).toThrow(TypeError);
    for (const shape of [
      ["2", 3],
      [2, null],
    ])
      expect(refusal({ shape })).toThrow(TypeError);
    for (const name of [1, {}, ["a"]]) expect(refusal({ name })).toThrow(/^name: expected a string/);
  });
});

describe("hash", () => {
  it("is SHA-256 over n, d, scale, x and y, little-endian, as Python's hashlib has it", async () => {
    expect(await dataset(options).hash()).toBe("72e96bbebb555c2c1e37294c84931c858bc6914e1ac059677d378af53661309b");
  });

  it("does not depend on the name, and is computed once", async () => {
    const data = dataset({ ...options, name: "other" });
    expect(await data.hash()).toBe(await dataset(options).hash());
    expect(data.hash()).toBe(data.hash());
  });

  it("changes with shape, scale, any entry and any label", async () => {
    const pixels = { x: Uint8Array.of(1, 2, 3, 4), y: [1, 1], shape: [2, 2] } as const;
    const variants = [
      dataset(pixels),
      dataset({ ...pixels, shape: [1, 4], y: [1] }),
      dataset({ ...pixels, scale: 1 / 256 }),
      dataset({ ...pixels, x: Uint8Array.of(1, 2, 3, 5) }),
      dataset({ ...pixels, y: [1, -1] }),
      dataset({ ...pixels, x: Float64Array.of(1, 2, 3, 4) }),
    ];
    expect(new Set(await Promise.all(variants.map((data) => data.hash()))).size).toBe(variants.length);
  });
});

describe("subset", () => {
  it("gives the rows asked for, in that order, for any indices", () => {
    const picked = datasets.chain((data) =>
      fc.tuple(fc.constant(data), fc.array(fc.nat(data.n - 1), { minLength: 1, maxLength: 12 })),
    );
    fc.assert(
      fc.property(picked, ([data, indices]) => {
        const { d } = data;
        for (const form of [indices, Int32Array.from(indices), Uint32Array.from(indices)]) {
          const part = data.subset(form);
          expect(part).toMatchObject({ n: indices.length, d, scale: data.scale, name: data.name });
          expect(part.x.constructor).toBe(data.x.constructor);
          indices.forEach((row, i) => {
            expect(part.x.subarray(i * d, i * d + d)).toEqual(data.x.subarray(row * d, row * d + d));
            expect(part.y[i]).toBe(data.y[row]);
          });
        }
      }),
    );
  });

  it("of all rows in order is equal by hash, and a copy", async () => {
    const data = dataset(options);
    const same = data.subset([0, 1]);
    expect(await same.hash()).toBe(await data.hash());
    same.x[0] = 7;
    expect(data.x[0]).toBe(0.5);
  });

  it("refuses indices out of range with RangeError, wrong types with TypeError", () => {
    const data = dataset(options);
    expect(() => data.subset([0, 2])).toThrow(new RangeError("indices[1]: expected an integer >= 0 and <= 1, got 2"));
    for (const indices of [[-1], [0.5], [NaN], [Infinity], [], Int32Array.of(-1), Uint32Array.of(2)])
      expect(() => data.subset(indices)).toThrow(RangeError);
    for (const indices of [undefined, null, 0, "0", {}, new Set([0]), new Float64Array(1), ["0"], [null], [0n]])
      expect(() => data.subset(indices as unknown as number[])).toThrow(TypeError);
  });
});

describe("checkBinaryLabels", () => {
  it("passes -1/+1 and names the first other label", () => {
    expect(() => checkBinaryLabels(dataset(options))).not.toThrow();
    const foreign = { ...dataset(options), y: Float64Array.of(1, 0, 3) } as unknown as Dataset;
    expect(() => checkBinaryLabels(foreign)).toThrow(new RangeError("y: expected labels -1 or +1, got 0 at index 1"));
  });

  it("refuses wrong types with TypeError", () => {
    for (const value of [undefined, null, 1, "x", [1], {}, { y: [1] }])
      expect(() => checkBinaryLabels(value as unknown as Dataset)).toThrow(TypeError);
  });
});

describe("checkDigits", () => {
  it("passes two different digits and refuses everything else", () => {
    expect(checkDigits([9, 0])).toEqual([9, 0]);
    for (const digits of [
      [1, 1],
      [0, 10],
      [-1, 1],
      [0.5, 1],
      [NaN, 1],
    ])
      expect(() => checkDigits(digits)).toThrow(RangeError);
    for (const digits of [undefined, null, 1, "01", [], [1], [1, 2, 3], ["0", 1], [null, 1]])
      expect(() => checkDigits(digits)).toThrow(TypeError);
  });
});

describe("selectDigits", () => {
  const images: IdxArray = { type: "u8", shape: [5, 1, 2], data: Uint8Array.of(0, 1, 10, 11, 20, 21, 30, 31, 40, 41) };
  const labels: IdxArray = { type: "u8", shape: [5], data: Uint8Array.of(3, 8, 5, 8, 3) };

  it("keeps the order of the file and labels the first digit -1, the second +1", () => {
    const data = selectDigits(images, labels, 8, 3, "pair");
    expect(data).toMatchObject({ n: 4, d: 2, scale: 1 / 255, name: "pair", y: Float64Array.of(1, -1, -1, 1) });
    expect(data.x).toEqual(Uint8Array.of(0, 1, 10, 11, 30, 31, 40, 41));
    expect(selectDigits(images, labels, 3, 5).name).toBe("digits 3,5");
  });

  it("refuses digits that do not occur and labels that do not fit, with the numbers", () => {
    expect(() => selectDigits(images, labels, 3, 4)).toThrow("none of the 5 images is labelled 4");
    const four = { ...labels, shape: [4], data: new Uint8Array(4) };
    expect(() => selectDigits(images, four, 0, 1)).toThrow(new RangeError("labels: 5 expected for 5 images, got 4"));
    expect(() => selectDigits(images, labels, 3, 3)).toThrow(RangeError);
    const empty: IdxArray = { type: "u8", shape: [0, 28, 28], data: new Uint8Array() };
    expect(() => selectDigits(empty, { ...empty, shape: [0] }, 0, 1)).toThrow(RangeError);
    expect(() => selectDigits({ ...images, shape: [5, 0], data: new Uint8Array() }, labels, 3, 8)).toThrow(RangeError);
  });

  it("refuses wrong types with TypeError", () => {
    const real: IdxArray = { type: "f64", shape: [5], data: new Float64Array(5) };
    for (const value of [undefined, null, 1, "x", [1], {}, real, { data: new Uint8Array(5) }]) {
      expect(() => selectDigits(value as IdxArray, labels, 3, 8)).toThrow(TypeError);
      expect(() => selectDigits(images, value as IdxArray, 3, 8)).toThrow(TypeError);
    }
    expect(() => selectDigits(images, labels, "3" as unknown as number, 8)).toThrow(TypeError);
    expect(() => selectDigits(images, labels, 3, 8, 1 as unknown as string)).toThrow(TypeError);
  });
});
