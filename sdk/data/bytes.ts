// Bytes to typed arrays and back, in a stated byte order and always as copies. Not here: any file format, and no
// check of file contents; a caller makes sure that the elements lie inside the bytes before it asks for them.
import { describe } from "../validate.js";

export type ByteOrder = "little" | "big";

/** The typed arrays that the file formats read and write. */
export type TypedArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

interface ArrayClass {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer): TypedArray;
}

const HOST_ORDER: ByteOrder = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? "little" : "big";

/**
 * Returns `value` as a plain Uint8Array over the same memory. Node's Buffer is a Uint8Array whose `slice` does not
 * copy, so no reader may work on what it was given.
 */
export function checkBytes(name: string, value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new TypeError(`${name}: expected a Uint8Array, got ${describe(value)}`);
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

function reverseElements(bytes: Uint8Array, size: number): void {
  for (let start = 0; start < bytes.length; start += size) bytes.subarray(start, start + size).reverse();
}

/** Copies `count` elements that begin at `offset`; any alignment will do. */
export function copyElements<C extends ArrayClass>(
  bytes: Uint8Array,
  offset: number,
  count: number,
  Type: C,
  order: ByteOrder,
): InstanceType<C> {
  const size = Type.BYTES_PER_ELEMENT;
  const own = new Uint8Array(count * size);
  own.set(bytes.subarray(offset, offset + count * size));
  if (order !== HOST_ORDER && size > 1) reverseElements(own, size);
  return new Type(own.buffer) as InstanceType<C>;
}

/** The elements as bytes in the given order, as a copy. */
export function elementBytes(data: TypedArray, order: ByteOrder = "little"): Uint8Array<ArrayBuffer> {
  const own = new Uint8Array(data.byteLength);
  own.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  if (order !== HOST_ORDER && data.BYTES_PER_ELEMENT > 1) reverseElements(own, data.BYTES_PER_ELEMENT);
  return own;
}

/** Little-endian bytes of `data`, to be read at once: a view where that is the host's order, else a copy. */
export function littleEndian(data: TypedArray): Uint8Array {
  if (HOST_ORDER !== "little") return elementBytes(data);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/**
 * Number of elements of a shape (dimensions >= 0; no dimensions: 1). Inexact or Infinity above 2^53, so good for
 * asking whether that many fit into a buffer, and to be trusted after that.
 */
export function elementCount(shape: readonly number[]): number {
  // Without this line 0 x Infinity would be NaN.
  if (shape.includes(0)) return 0;
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/** Returns the shape as a copy when it is an array of integers >= 0 whose product is `length`. */
export function checkShape(name: string, shape: unknown, length: number): number[] {
  if (!Array.isArray(shape)) throw new TypeError(`${name}: expected an array of integers, got ${describe(shape)}`);
  for (const dimension of shape) {
    if (typeof dimension !== "number")
      throw new TypeError(`${name}: expected integers >= 0, got ${describe(dimension)} among them`);
    if (!Number.isSafeInteger(dimension) || dimension < 0)
      throw new RangeError(`${name}: expected integers >= 0, got ${dimension} among them`);
  }
  const count = elementCount(shape);
  if (count !== length) {
    const product = shape.length === 0 ? "a scalar, 1 value" : `${shape.join(" x ")} = ${count} values`;
    throw new RangeError(`${name}: ${product} expected, data has ${length}`);
  }
  return [...shape];
}
