// NPY, NumPy's format for one array: reading and writing numbers and booleans. Not here: archives of arrays (npz.ts),
// and structured, string, complex or object arrays, which are refused.
import { FormatError } from "../errors.js";
import { checkChoice, checkObject, describe } from "../validate.js";
import { checkBytes, checkShape, copyElements, elementBytes, elementCount } from "./bytes.js";
import { type NpyHeader, parseNpyHeader } from "./npy-header.js";

/** Element type in NumPy's spelling: a letter for the kind and the width in bytes. */
export type NpyDtype = "b1" | "u1" | "i1" | "u2" | "i2" | "u4" | "i4" | "u8" | "i8" | "f2" | "f4" | "f8";

export type NpyData =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

export interface NpyArray {
  readonly dtype: NpyDtype;
  /** Dimensions, slowest first; a scalar has none. */
  readonly shape: readonly number[];
  /**
   * The elements, row-major. b1 is a Uint8Array of 0 and 1, f2 a Float32Array, u8 and i8 a Float64Array of integers
   * up to 2^53 - 1 in magnitude; every other type has the class of its name.
   */
  readonly data: NpyData;
}

/** How each type lies in the file, and the class its elements have in memory. */
const TYPES = {
  b1: { stored: Uint8Array, loaded: Uint8Array },
  u1: { stored: Uint8Array, loaded: Uint8Array },
  i1: { stored: Int8Array, loaded: Int8Array },
  u2: { stored: Uint16Array, loaded: Uint16Array },
  i2: { stored: Int16Array, loaded: Int16Array },
  u4: { stored: Uint32Array, loaded: Uint32Array },
  i4: { stored: Int32Array, loaded: Int32Array },
  u8: { stored: BigUint64Array, loaded: Float64Array },
  i8: { stored: BigInt64Array, loaded: Float64Array },
  f2: { stored: Uint16Array, loaded: Float32Array },
  f4: { stored: Float32Array, loaded: Float32Array },
  f8: { stored: Float64Array, loaded: Float64Array },
} as const;
const DTYPES = Object.keys(TYPES) as NpyDtype[];
/** The type an array is written as when none is given. */
const DEFAULT_DTYPES: readonly NpyDtype[] = ["u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8"];

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const MAX_RANK = 64;
const LIMIT = BigInt(Number.MAX_SAFE_INTEGER);

/** Value of an IEEE 754 half-precision number; every one is exact in single precision. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

function integersToNumbers(stored: BigInt64Array | BigUint64Array, offset: number): Float64Array {
  const loaded = new Float64Array(stored.length);
  for (let i = 0; i < stored.length; i++) {
    const value = stored[i]!;
    if (value > LIMIT || value < -LIMIT)
      throw new FormatError("npy", offset + 8 * i, `integer ${value} is beyond 2^53 - 1 and would lose digits`);
    loaded[i] = Number(value);
  }
  return loaded;
}

function checkBooleans(data: Uint8Array, offset: number): Uint8Array {
  const odd = data.findIndex((value) => value > 1);
  if (odd >= 0) throw new FormatError("npy", offset + odd, `a boolean is 0 or 1, got ${data[odd]}`);
  return data;
}

/** Column-major elements in row-major order. */
function transpose(data: NpyData, shape: readonly number[]): NpyData {
  const strides: number[] = [];
  let stride = 1;
  for (const dimension of shape) {
    strides.push(stride);
    stride *= dimension;
  }
  const result = new (data.constructor as new (length: number) => NpyData)(data.length);
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < data.length; to++) {
    result[to] = data[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      index[axis]! += 1;
      if (index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return result;
}

function findHeader(file: Uint8Array): NpyHeader & { readonly end: number } {
  const wrong = MAGIC.findIndex((byte, i) => file[i] !== byte);
  if (wrong >= 0) throw new FormatError("npy", wrong, "bad magic number: not an NPY file");
  if (file.length < 10) throw new FormatError("npy", file.length, "the file ends before its header");
  const [major, minor] = [file[6]!, file[7]!];
  if (major < 1 || major > 3 || minor !== 0)
    throw new FormatError("npy", 6, `version ${major}.${minor}, expected 1.0, 2.0 or 3.0`);
  // Version 1.0 has two bytes for the length of the header, the later ones four.
  const start = major === 1 ? 10 : 12;
  if (file.length < start) throw new FormatError("npy", file.length, "the file ends before its header");
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > file.length - start)
    throw new FormatError("npy", 8, `a header of ${length} bytes declared, ${file.length - start} follow`);
  return { ...parseNpyHeader(file.subarray(start, start + length), start), end: start + length };
}

/**
 * Reads an NPY file of version 1.0, 2.0 or 3.0, of either byte order; Fortran order is transposed to row-major.
 * Throws FormatError on anything else: other dtypes, truncated files, trailing bytes, integers beyond 2^53 - 1.
 */
export function readNpy(bytes: Uint8Array): NpyArray {
  const file = checkBytes("bytes", bytes);
  const { kind, at, order, fortranOrder, shape, end } = findHeader(file);
  const dtype = DTYPES.find((name) => name === kind);
  if (dtype === undefined)
    throw new FormatError("npy", at, `dtype ${kind} is not supported, expected one of ${DTYPES.join(" ")}`);
  if (shape.length > MAX_RANK) throw new FormatError("npy", at, `${shape.length} dimensions, at most ${MAX_RANK}`);
  const { stored } = TYPES[dtype];
  const size = stored.BYTES_PER_ELEMENT;
  const needed = elementCount(shape) * size;
  if (needed > file.length - end)
    throw new FormatError(
      "npy",
      file.length,
      `shape (${shape.join(", ")}) of ${dtype} needs ${needed} bytes, ${file.length - end} follow`,
    );
  if (needed < file.length - end)
    throw new FormatError("npy", end + needed, `${file.length - end - needed} bytes after the last element`);
  const raw = copyElements(file, end, needed / size, stored, order);
  let data: NpyData;
  if (raw instanceof BigInt64Array || raw instanceof BigUint64Array) data = integersToNumbers(raw, end);
  else if (dtype === "f2") data = Float32Array.from(raw, halfToNumber);
  else data = dtype === "b1" ? checkBooleans(raw as Uint8Array, end) : raw;
  return { dtype, shape, data: fortranOrder && shape.length > 1 ? transpose(data, shape) : data };
}

export interface NpyInput {
  /** Taken from the class of `data` when not given: Uint8Array is u1, ..., Float64Array f8. */
  readonly dtype?: NpyDtype;
  readonly shape: readonly number[];
  readonly data: NpyData;
}

function checkDtype(dtype: NpyDtype | undefined, data: unknown): NpyDtype {
  const natural = DEFAULT_DTYPES.find((name) => data instanceof TYPES[name].loaded);
  if (natural === undefined)
    throw new TypeError(`array.data: expected a typed array of numbers, got ${describe(data)}`);
  if (dtype === undefined) return natural;
  checkChoice("array.dtype", dtype, DTYPES);
  if (dtype === "f2") throw new RangeError("array.dtype: f2 can be read but not written, use f4");
  const { loaded } = TYPES[dtype];
  if (!(data instanceof loaded))
    throw new TypeError(`array.data: expected a ${loaded.name} for dtype ${dtype}, got ${describe(data)}`);
  return dtype;
}

/** The elements as they lie in the file, little-endian. */
function storedBytes(dtype: NpyDtype, data: NpyData): Uint8Array {
  if (dtype === "b1") {
    const odd = data.findIndex((value: number) => value > 1);
    if (odd >= 0) throw new RangeError(`array.data: expected 0 or 1 for dtype b1, got ${data[odd]} at index ${odd}`);
  }
  if (dtype !== "i8" && dtype !== "u8") return elementBytes(data);
  const least = dtype === "u8" ? 0 : Number.MIN_SAFE_INTEGER;
  const odd = data.findIndex((value: number) => !Number.isSafeInteger(value) || value < least);
  if (odd >= 0)
    throw new RangeError(
      `array.data: expected integers from ${least} to 2^53 - 1 for dtype ${dtype}, got ${data[odd]} at index ${odd}`,
    );
  const wide = TYPES[dtype].stored;
  return elementBytes(wide.from(Array.from(data, BigInt)));
}

/**
 * The bytes of an NPY file, version 1.0, little-endian, row-major; readNpy gives back what was written, with -0 as 0
 * in u8 and i8. TypeError when data and dtype do not go together; RangeError when shape and data do not, or a value
 * has no place in the dtype.
 */
export function writeNpy(array: NpyInput): Uint8Array {
  checkObject("array", array);
  const dtype = checkDtype(array.dtype, array.data);
  const shape = checkShape("array.shape", array.shape, array.data.length);
  if (shape.length > MAX_RANK)
    throw new RangeError(`array.shape: expected at most ${MAX_RANK} dimensions, got ${shape.length}`);
  const mark = dtype.endsWith("1") ? "|" : "<";
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const header = `{'descr': '${mark}${dtype}', 'fortran_order': False, 'shape': ${tuple}, }`;
  // Ten bytes come before the header and a newline ends it; the data begin at a multiple of 64.
  const start = Math.ceil((10 + header.length + 1) / 64) * 64;
  const body = storedBytes(dtype, array.data);
  const file = new Uint8Array(start + body.length);
  file.set(MAGIC);
  file[6] = 1;
  new DataView(file.buffer).setUint16(8, start - 10, true);
  file.set(new TextEncoder().encode(`${header.padEnd(start - 11)}\n`), 10);
  file.set(body, start);
  return file;
}
