import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeIdx } from "../../sdk/data/idx.js";
import { writeNpy } from "../../sdk/data/npy.js";
import { writeNpz } from "../../sdk/data/npz.js";
import { loadAny, loadClasses, loadDataset } from "../../sdk/data/source.js";
import { DataSourceError, FormatError } from "../../sdk/errors.js";
import { fixture } from "./hostile.js";

const x = { shape: [2, 3], data: Float64Array.of(1, 2, 3, 4, 5, 6) };
const y = { shape: [2], data: Int8Array.of(-1, 1) };

let root = "";
const at = (name: string) => join(root, name);

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "ntkit-source-"));
  const images = writeIdx({ type: "u8", shape: [4, 2], data: Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7) });
  const labels = writeIdx({ type: "u8", shape: [4], data: Uint8Array.of(0, 1, 3, 8) });
  await mkdir(at("digits"));
  for (const split of ["train", "t10k"]) {
    await writeFile(at(`digits/${split}-images-idx3-ubyte`), images);
    await writeFile(at(`digits/${split}-labels-idx1-ubyte`), labels);
  }
  await writeFile(at("stored.npz"), fixture("stored.npz"));
  await writeFile(at("deflated.npz"), fixture("deflated.npz"));
  await writeFile(at("x.npy"), writeNpy(x));
  await writeFile(at("y.npy"), writeNpy(y));
  await writeFile(at("no-labels.npz"), writeNpz({ x }));
  await writeFile(at("half-test.npz"), writeNpz({ x, y, x_test: x }));
  await writeFile(
    at("wide-test.npz"),
    writeNpz({ x, y, x_test: { ...x, shape: [3, 2] }, y_test: { shape: [3], data: Int8Array.of(1, 1, 1) } }),
  );
  await writeFile(at("other.npz"), writeNpz({ images: x, labels: y }));
  await writeFile(at("broken.npz"), "PK");
});
afterAll(() => rm(root, { recursive: true }));

describe("loadDataset", () => {
  it('loads the installed MNIST as "mnist:3,8"', async () => {
    const { train, test, splits } = await loadDataset("mnist:3,8");
    expect([train.n, test.n, splits]).toEqual([6131 + 5851, 1010 + 974, "separate"]);
  });

  it("loads a folder of IDX files, with digits 0,1 unless others follow a colon", async () => {
    const zeroOne = await loadDataset(at("digits"));
    expect(zeroOne.train.x).toEqual(Uint8Array.of(0, 1, 2, 3));
    const threeEight = await loadDataset(`${at("digits")}:8,3`);
    expect(threeEight.train).toMatchObject({ x: Uint8Array.of(4, 5, 6, 7), y: Float64Array.of(1, -1) });
    expect(threeEight.splits).toBe("separate");
  });

  it("loads NPZ files with one split or two, and says which", async () => {
    const one = await loadDataset(at("stored.npz"));
    expect(one).toMatchObject({ splits: "same", train: { n: 4, d: 6 } });
    expect(one.test).toBe(one.train);
    const two = await loadDataset(at("deflated.npz"));
    expect(two).toMatchObject({ splits: "separate", train: { n: 4 }, test: { n: 2, d: 6 } });
    expect(two.test.name).toBe(`${at("deflated.npz")} test`);
  });

  it("loads a pair of NPY files", async () => {
    const { train, test, splits } = await loadDataset(`${at("x.npy")},${at("y.npy")}`);
    expect(train).toMatchObject({ n: 2, d: 3, x: x.data, y: Float64Array.of(-1, 1) });
    expect(test).toBe(train);
    expect(splits).toBe("same");
  });

  it("refuses digits that are none with RangeError, saying what was expected", async () => {
    for (const digits of ["3", "3,", "3,8,9", "", "3.5,8", "-1,1"])
      await expect(loadDataset(`mnist:${digits}`)).rejects.toThrow('expected "mnist:a,b"');
    await expect(loadDataset("mnist:3,3")).rejects.toThrow(
      new RangeError("digits: expected two different digits, got 3 twice"),
    );
    await expect(loadDataset("mnist:3,12")).rejects.toThrow("digits[1]: expected an integer >= 0 and <= 9, got 12");
    await expect(loadDataset(" ")).rejects.toThrow(RangeError);
    await expect(loadDataset(at("x.npy"))).rejects.toThrow("labels are missing");
  });

  it.each([
    ["nowhere", /nowhere: no such file or folder; expected "mnist:a,b"/],
    ["nowhere:a,b", /nowhere:a,b: no such file or folder; expected/],
    ["nowhere.npz", /nowhere.npz: no such file or folder$/],
    ["no-labels.npz", /has the array x but not y$/],
    ["half-test.npz", /has the array x_test but not y_test$/],
    ["wide-test.npz", /rows of x have 3 entries, rows of x_test 2$/],
    ["other.npz", /expected the arrays x and y \(and x_test, y_test\), found images, labels$/],
  ])("refuses %s with DataSourceError that says why", async (name, message) => {
    const loading = loadDataset(at(name));
    await expect(loading).rejects.toThrow(DataSourceError);
    await expect(loading).rejects.toThrow(message);
  });

  it("passes on what is wrong with a file, and the signal's reason", async () => {
    await expect(loadDataset(at("broken.npz"))).rejects.toThrow(FormatError);
    const reason = new Error("enough");
    for (const name of ["stored.npz", "digits"])
      await expect(loadDataset(at(name), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it("refuses wrong types with TypeError", async () => {
    for (const spec of [undefined, null, 1, {}, ["mnist"]])
      await expect(loadDataset(spec as unknown as string)).rejects.toThrow(TypeError);
    for (const options of [null, 1, "x"])
      await expect(loadDataset("mnist", options as unknown as object)).rejects.toThrow(TypeError);
  });
});

describe("loadClasses and loadAny", () => {
  const four = { shape: [4, 2], data: Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8) };
  const npz = (labels: Int32Array | Float32Array | Float64Array, tests?: Int32Array, dtype?: "i8") => {
    const own = { shape: [labels.length], data: labels, ...(dtype === undefined ? {} : { dtype }) };
    const more = tests === undefined ? {} : { x_test: four, y_test: { shape: [tests.length], data: tests } };
    return writeNpz({ x: four, y: own, ...more });
  };

  it("integers are classes, called by them in ascending order, and test rows have those of the training rows", async () => {
    const { train, test, splits } = await loadClasses(npz(Int32Array.of(7, -2, 7, 30), Int32Array.of(30, 7, 7, 7)));
    expect([train.classes, train.labels, test.classes, test.labels, splits]).toEqual([
      ["-2", "7", "30"],
      Int32Array.of(1, 0, 1, 2),
      ["-2", "7", "30"],
      Int32Array.of(2, 1, 1, 1),
      "separate",
    ]);
    await expect(loadClasses(npz(Int32Array.of(0, 1, 2, 2), Int32Array.of(0, 1, 2, 3)))).rejects.toThrow(
      /^y: expected the classes 0, 1, 2 of the training rows, got 3$/,
    );
    await expect(loadClasses(npz(Float64Array.of(0, 1.5, 2, 2)))).rejects.toThrow(/^y: expected integers .*, got 1.5$/);
    await expect(loadClasses(npz(Int32Array.of(1, 1, 1, 1)))).rejects.toThrow(/^classes: expected at least two/);
  });

  it("the type of y decides: two labels of any type, other integers as classes, real numbers as targets, unless asked for", async () => {
    const kind = async (bytes: Uint8Array) => {
      const { train } = await loadAny(bytes);
      return "labels" in train ? "classes" : (train.task ?? "labels");
    };
    expect(await kind(npz(Int32Array.of(0, 1, 1, 0)))).toBe("labels");
    expect(await kind(npz(Float64Array.of(-1, 1, 1, -1)))).toBe("labels");
    expect(await kind(npz(Int32Array.of(-1, 0, 1, 1)))).toBe("classes");
    // 64-bit integers, NumPy's own, come as float64 and are integers all the same.
    expect(await kind(npz(Float64Array.of(0, 1, 2, 2), undefined, "i8"))).toBe("classes");
    expect(await kind(npz(Float32Array.of(0, 1, 2, 2)))).toBe("regression");
    expect(await kind(npz(Float64Array.of(0.5, 1, 2, 2)))).toBe("regression");
    const asked = await loadDataset(npz(Int32Array.of(3, 1, 4, 1)), { task: "regression" });
    expect(asked.train).toMatchObject({ task: "regression", y: Float64Array.of(3, 1, 4, 1) });
    const any = await loadAny(npz(Int32Array.of(3, 1, 4, 1)), { task: "regression" });
    expect(any.train).toMatchObject({ task: "regression" });
    const pair = await loadAny({ x: writeNpy(four), y: writeNpy({ shape: [4], data: Int32Array.of(1, 2, 3, 1) }) });
    expect(pair).toMatchObject({ splits: "same", train: { classes: ["1", "2", "3"] } });
  });

  it("digits: two are labels, more are classes, ranges too, all that a folder has when none are given", async () => {
    const { train } = await loadAny(`${at("digits")}:0,3,8`);
    expect(train).toMatchObject({ classes: ["0", "3", "8"], labels: Int32Array.of(0, 1, 2) });
    expect((await loadAny(`${at("digits")}:0-3`)).train).toMatchObject({ classes: ["0", "1", "2", "3"], n: 3 });
    expect((await loadAny(`${at("digits")}:0,1`)).train).toMatchObject({ y: Float64Array.of(-1, 1) });
    expect((await loadClasses(`${at("digits")}:3,0`)).train).toMatchObject({ classes: ["3", "0"] });
    expect((await loadClasses(at("digits"))).train.classes).toHaveLength(10);
    for (const digits of ["3-1", "0-", "a", "0-9-3"])
      await expect(loadClasses(`mnist:${digits}`)).rejects.toThrow(Error);
    await expect(loadAny("mnist:0,0-3")).rejects.toThrow(/^digits: expected different digits/);
    await expect(loadDataset("mnist:0-9")).rejects.toThrow('expected "mnist:a,b"');
    await expect(loadDataset("mnist:0,1", { task: "regression" })).rejects.toThrow(/for real targets/);
    await expect(loadDataset("mnist:0,1", { task: "ranking" as never })).rejects.toThrow(/^task: /);
  });
});
