import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeIdx } from "../../sdk/data/idx.js";
import { writeNpy } from "../../sdk/data/npy.js";
import { writeNpz } from "../../sdk/data/npz.js";
import { loadDataset } from "../../sdk/data/source.js";
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
