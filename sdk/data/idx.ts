// IDX, the format of MNIST: a magic number, the dimensions and the elements, all big-endian. Gzip files are opened
// transparently. Not here: what the arrays mean (mnist.ts).
import { FormatError } from "../errors.js";
import { checkChoice, checkObject, describe } from "../validate.js";
import { checkBytes, checkShape, copyElements, elementBytes, elementCount } from "./bytes.js";
import { gunzip, isGzip } from "./inflate.js";

const CODES = { u8: 0x08, i8: 0x09, i16: 0x0b, i32: 0x0c, f32: 0x0d, f64: 0x0e } as const;
const CLASSES = {
  u8: Uint8Array,
  i8: Int8Array,
  i16: Int16Array,
  i32: Int32Array,
  f32: Float32Array,
  f64: Float64Array,
} as const;

/** Element type: a letter for the kind and the width in bits. */
export type IdxType = keyof typeof CODES;
const TYPES = Object.keys(CODES) as IdxType[];

export interface IdxArray {
  readonly type: IdxType;
  /** One to 255 dimensions, slowest first. */
  readonly shape: readonly number[];
  /** The elements, row-major: Uint8Array for u8, ..., Float64Array for f64. */
  readonly data: Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;
}

/**
 * Reads an IDX file, gzipped or not; the result shares no memory with `bytes`.
 * Throws FormatError on a bad magic number, a truncated file, dimensions that do not fit, trailing bytes or a corrupt
 * gzip stream; offsets count decompressed bytes unless the error is gzip's own.
 */
export function readIdx(bytes: Uint8Array): IdxArray {
  let file = checkBytes("bytes", bytes);
  if (isGzip(file)) file = gunzip(file);
  const fail = (offset: number, what: string) => new FormatError("idx", offset, what);
  if (file.length < 4) throw fail(file.length, "the file ends inside the magic number");
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (view.getUint16(0) !== 0) throw fail(0, "bad magic number: the first two bytes must be 0");
  const code = view.getUint8(2);
  const type = TYPES.find((name) => CODES[name] === code);
  if (type === undefined) throw fail(2, `unknown element type 0x${code.toString(16).padStart(2, "0")}`);
  const rank = view.getUint8(3);
  if (rank === 0) throw fail(3, "no dimensions");
  const start = 4 + 4 * rank;
  if (file.length < start) throw fail(file.length, `the file ends inside its ${rank} dimensions`);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const size = CLASSES[type].BYTES_PER_ELEMENT;
  const needed = elementCount(shape) * size;
  if (needed > file.length - start)
    throw fail(
      file.length,
      `${shape.join(" x ")} ${type} elements need ${needed} bytes, ${file.length - start} follow`,
    );
  if (needed < file.length - start)
    throw fail(start + needed, `${file.length - start - needed} bytes after the last element`);
  return { type, shape, data: copyElements(file, start, needed / size, CLASSES[type], "big") };
}

/**
 * The bytes of an IDX file. TypeError when `data` is not of the class that `type` names, RangeError when shape and
 * data do not fit or the shape has no dimension, more than 255, or one above 2^32 - 1.
 */
export function writeIdx(array: IdxArray): Uint8Array {
  checkObject("array", array);
  const type = checkChoice("array.type", array.type, TYPES);
  const { data } = array;
  if (!(data instanceof CLASSES[type]))
    throw new TypeError(`array.data: expected a ${CLASSES[type].name} for type ${type}, got ${describe(data)}`);
  const shape = checkShape("array.shape", array.shape, data.length);
  if (shape.length === 0 || shape.length > 255)
    throw new RangeError(`array.shape: expected 1 to 255 dimensions, got ${shape.length}`);
  const wide = shape.find((dimension) => dimension > 0xffffffff);
  if (wide !== undefined) throw new RangeError(`array.shape: expected dimensions below 2^32, got ${wide}`);
  const start = 4 + 4 * shape.length;
  const file = new Uint8Array(start + data.byteLength);
  const view = new DataView(file.buffer);
  view.setUint8(2, CODES[type]);
  view.setUint8(3, shape.length);
  shape.forEach((dimension, axis) => {
    view.setUint32(4 + 4 * axis, dimension);
  });
  file.set(elementBytes(data, "big"), start);
  return file;
}
