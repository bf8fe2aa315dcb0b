// The data set that every machine takes: n rows of d entries with labels -1/+1, or targets, checked once, here. Not here: files
// (idx.ts, npy.ts, npz.ts) and where they come from (mnist.ts, source.ts).
import { sha256Hex } from "../runtime/hash.js";
import { checkChoice, checkNumber, checkObject, describe } from "../validate.js";
import { elementBytes } from "./bytes.js";
import type { IdxArray } from "./idx.js";

export interface Dataset {
  /** Number of rows, at least 1. */
  readonly n: number;
  /** Entries in a row, at least 1. */
  readonly d: number;
  /** Rows, row-major, n*d. Uint8Array: 8-bit pixels kept 8-bit. Not to be written to. */
  readonly x: Uint8Array | Float64Array;
  /** Value of an entry = x[i] * scale: 1/255 for pixels unless stated otherwise, always 1 for Float64Array. */
  readonly scale: number;
  /** Labels -1/+1, length n; finite targets in data for regression. Not to be written to. */
  readonly y: Float64Array;
  readonly name: string;
  /** "regression" when y holds real targets; absent for labels. */
  readonly task?: "regression" | undefined;
  /**
   * SHA-256 (lower-case hex) over n, d and scale as three float64, then x, then y, all little-endian; computed once.
   * The name does not count.
   */
  hash(): Promise<string>;
  /**
   * New data set with the given rows, in that order (copy); a row may occur more than once.
   * RangeError when an index is out of range or there is none.
   */
  subset(indices: readonly number[] | Int32Array | Uint32Array): Dataset;
}

/** Scale of 8-bit pixels: 255 is 1. */
export const PIXEL_SCALE = 1 / 255;

/** Owns its arrays, so whoever makes one passes copies that were checked. */
class Rows implements Dataset {
  readonly n: number;
  #hash: Promise<string> | undefined;

  constructor(
    readonly x: Uint8Array | Float64Array,
    readonly y: Float64Array,
    readonly d: number,
    readonly scale: number,
    readonly name: string,
    readonly task?: "regression" | undefined,
  ) {
    this.n = y.length;
  }

  hash(): Promise<string> {
    this.#hash ??= sha256([new Float64Array([this.n, this.d, this.scale]), this.x, this.y]);
    return this.#hash;
  }

  subset(indices: readonly number[] | Int32Array | Uint32Array): Dataset {
    const rows = checkIndices(indices, this.n);
    const { x, y, d } = this;
    const someX = x instanceof Uint8Array ? new Uint8Array(rows.length * d) : new Float64Array(rows.length * d);
    const someY = new Float64Array(rows.length);
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      someX.set(x.subarray(row * d, row * d + d), i * d);
      someY[i] = y[row]!;
    }
    return new Rows(someX, someY, d, this.scale, this.name, this.task);
  }
}

async function sha256(parts: (Uint8Array | Float64Array)[]): Promise<string> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let end = 0;
  for (const part of parts) {
    whole.set(elementBytes(part), end);
    end += part.byteLength;
  }
  return sha256Hex(whole);
}

function checkIndices(indices: unknown, n: number): readonly number[] | Int32Array | Uint32Array {
  if (!(Array.isArray(indices) || indices instanceof Int32Array || indices instanceof Uint32Array))
    throw new TypeError(`indices: expected an array of integers, Int32Array or Uint32Array, got ${describe(indices)}`);
  if (indices.length === 0) throw new RangeError("indices: expected at least one row, got none");
  for (let i = 0; i < indices.length; i++) {
    const index: unknown = indices[i];
    if (!(Number.isInteger(index) && (index as number) >= 0 && (index as number) < n))
      checkNumber(`indices[${i}]`, index, { min: 0, max: n - 1, integer: true });
  }
  return indices;
}

function checkLabels(y: ArrayLike<unknown>): void {
  for (let i = 0; i < y.length; i++) {
    const label = y[i];
    if (label === 1 || label === -1) continue;
    if (typeof label !== "number")
      throw new TypeError(`y: expected labels -1 or +1, got ${describe(label)} at index ${i}`);
    throw new RangeError(`y: expected labels -1 or +1, got ${label} at index ${i}`);
  }
}

function checkFinite(x: Float64Array, d: number): void {
  for (let i = 0; i < x.length; i++)
    if (!Number.isFinite(x[i]))
      throw new RangeError(`x: expected finite values, got ${x[i]} at row ${Math.floor(i / d)}, column ${i % d}`);
}

function checkScale(scale: unknown, x: Uint8Array | Float64Array): number {
  if (x instanceof Uint8Array)
    return scale === undefined ? PIXEL_SCALE : checkNumber("scale", scale, { min: 0, open: true });
  // One rule for real numbers, so that no kernel has to multiply them.
  if (scale !== undefined && checkNumber("scale", scale) !== 1)
    throw new RangeError(`scale: expected 1 for a Float64Array (multiply the values instead), got ${scale}`);
  return 1;
}

function checkText(name: string, value: unknown): string {
  if (typeof value !== "string") throw new TypeError(`${name}: expected a string, got ${describe(value)}`);
  return value;
}

export interface DatasetOptions {
  /** Rows, row-major. Uint8Array: 8-bit pixels; Float64Array: finite values. Copied. */
  readonly x: Uint8Array | Float64Array;
  /** Labels, each exactly -1 or +1; any finite targets for regression. Copied. */
  readonly y: ArrayLike<number>;
  /** Rows and entries in a row, both at least 1. */
  readonly shape: readonly [n: number, d: number];
  /** Factor from stored pixel to value, > 0; 1/255 when not given. A Float64Array takes none but 1. */
  readonly scale?: number;
  readonly name?: string;
  /** "regression" for real targets y; default "classification", labels -1 and +1. */
  readonly task?: "classification" | "regression" | undefined;
}

function checkRealTargets(y: ArrayLike<unknown>): void {
  for (let i = 0; i < y.length; i++) {
    const target = y[i];
    if (typeof target !== "number")
      throw new TypeError(`y: expected finite targets, got ${describe(target)} at index ${i}`);
    if (!Number.isFinite(target)) throw new RangeError(`y: expected finite targets, got ${target} at index ${i}`);
  }
}

/** Makes a data set out of copies. TypeError for wrong types; RangeError for anything that does not fit. */
export function dataset(options: DatasetOptions): Dataset {
  checkObject("options", options);
  const { x, y, shape } = options;
  if (!(x instanceof Uint8Array || x instanceof Float64Array))
    throw new TypeError(`x: expected a Uint8Array or Float64Array, got ${describe(x)}`);
  if (!Array.isArray(shape) || shape.length !== 2)
    throw new TypeError(`shape: expected [rows, entries in a row], got ${describe(shape)}`);
  const n = checkNumber("shape[0]", shape[0], { min: 1, integer: true });
  const d = checkNumber("shape[1]", shape[1], { min: 1, integer: true });
  if (n * d !== x.length) throw new RangeError(`shape: ${n} x ${d} = ${n * d} values expected, x has ${x.length}`);
  if (typeof y !== "object" || y === null || typeof y.length !== "number")
    throw new TypeError(`y: expected an array of labels, got ${describe(y)}`);
  if (y.length !== n) throw new RangeError(`y: ${n} labels expected for ${n} rows, got ${y.length}`);
  const task = checkChoice("task", options.task ?? "classification", ["classification", "regression"]);
  if (task === "regression") checkRealTargets(y);
  else checkLabels(y);
  if (x instanceof Float64Array) checkFinite(x, d);
  const scale = checkScale(options.scale, x);
  const name = checkText("name", options.name ?? "unnamed");
  // Constructors and not slice(): a Buffer's slice is a view.
  const ownX = x instanceof Uint8Array ? new Uint8Array(x) : new Float64Array(x);
  return new Rows(ownX, Float64Array.from(y), d, scale, name, task === "regression" ? task : undefined);
}

/** The rows of `data`, which are shared, with labels -1/+1 that the caller answers for. @internal */
export function relabelled({ x, d, scale }: Dataset, y: Float64Array, name: string): Dataset {
  return new Rows(x, y, d, scale, name);
}

/**
 * Throws RangeError naming the first label that is not exactly -1 or +1. dataset() has checked its own; this is for
 * functions that may be handed another implementation of the interface.
 */
export function checkBinaryLabels(data: Dataset): void {
  const { y, task } = checkObject("data", data);
  if (!(y instanceof Float64Array)) throw new TypeError(`y: expected a Float64Array, got ${describe(y)}`);
  if (task === "regression")
    throw new RangeError("data: expected labels -1 and +1, got targets of a regression, which krr() and svr() take");
  checkLabels(y);
}

/** Labels -1/+1, or any finite targets of data made for regression. @throws TypeError, RangeError */
export function checkTargets(data: Dataset): void {
  const { task, y } = checkObject("data", data);
  if (task !== "regression") {
    checkBinaryLabels(data);
    return;
  }
  if (!(y instanceof Float64Array)) throw new TypeError(`y: expected a Float64Array, got ${describe(y)}`);
  checkRealTargets(y);
}

/** Returns the pair when it is two different digits 0 to 9. */
export function checkDigits(digits: unknown): readonly [number, number] {
  if (!Array.isArray(digits) || digits.length !== 2)
    throw new TypeError(`digits: expected two digits, got ${describe(digits)}`);
  const [a, b] = digits.map((digit, i) => checkNumber(`digits[${i}]`, digit, { min: 0, max: 9, integer: true }));
  if (a === b) throw new RangeError(`digits: expected two different digits, got ${a} twice`);
  return [a!, b!];
}

function checkPixels(name: string, array: IdxArray): Uint8Array {
  const { data } = checkObject(name, array);
  if (!(data instanceof Uint8Array)) throw new TypeError(`${name}: expected 8-bit elements, got ${describe(data)}`);
  if (!Array.isArray(array.shape))
    throw new TypeError(`${name}.shape: expected an array, got ${describe(array.shape)}`);
  return data;
}

/**
 * The images of two digits, in the order given: `a` becomes label -1, `b` becomes +1. `images` is 8-bit of shape
 * [n, ...], `labels` 8-bit of shape [n]. RangeError when they do not fit or one digit does not occur.
 */
export function selectDigits(images: IdxArray, labels: IdxArray, a: number, b: number, name?: string): Dataset {
  const pixels = checkPixels("images", images);
  const digits = checkPixels("labels", labels);
  checkDigits([a, b]);
  const total = images.shape[0] ?? 0;
  if (total !== digits.length)
    throw new RangeError(`labels: ${total} expected for ${total} images, got ${digits.length}`);
  const d = total === 0 ? 0 : pixels.length / total;
  if (!(Number.isInteger(d) && d > 0))
    throw new RangeError(`images: expected images of equal size, got ${pixels.length} pixels in ${total} images`);
  for (const digit of [a, b])
    if (!digits.includes(digit)) throw new RangeError(`digits: none of the ${total} images is labelled ${digit}`);
  const rows = Array.from(digits.keys()).filter((i) => digits[i] === a || digits[i] === b);
  const x = new Uint8Array(rows.length * d);
  rows.forEach((row, i) => {
    x.set(pixels.subarray(row * d, row * d + d), i * d);
  });
  const y = Float64Array.from(rows, (row) => (digits[row] === a ? -1 : 1));
  return new Rows(x, y, d, PIXEL_SCALE, checkText("name", name ?? `digits ${a},${b}`));
}
