// Arrays from NPY and NPZ files as a data set. Not here: reading the files, and the checks that any data set goes
// through (dataset.ts).
import { checkObject, describe } from "../validate.js";
import { type Dataset, dataset } from "./dataset.js";
import type { NpyInput } from "./npy.js";

/** At most this many distinct labels are listed in an error. */
const LISTED = 5;

function isNumbers(value: unknown): value is NpyInput["data"] {
  return (
    ArrayBuffer.isView(value) &&
    !(value instanceof DataView || value instanceof BigInt64Array || value instanceof BigUint64Array)
  );
}

function checkArray(name: string, array: NpyInput): NpyInput {
  checkObject(name, array);
  if (!isNumbers(array.data)) throw new TypeError(`${name}.data: expected a typed array, got ${describe(array.data)}`);
  if (!Array.isArray(array.shape))
    throw new TypeError(`${name}.shape: expected an array of integers, got ${describe(array.shape)}`);
  return array;
}

function binaryLabels(data: ArrayLike<number>): Float64Array {
  const labels = Float64Array.from(data);
  const distinct = [...new Set(labels)].sort((a, b) => a - b);
  if (distinct.every((label) => label === 1 || label === -1)) return labels;
  if (distinct.every((label) => label === 0 || label === 1)) return labels.map((label) => (label === 1 ? 1 : -1));
  const listed = distinct.slice(0, LISTED).join(", ") + (distinct.length > LISTED ? ", ..." : "");
  throw new RangeError(`y: expected labels -1 and +1, or 0 and 1, got ${listed}`);
}

/**
 * A data set of arrays as readNpy gives them: `x` of shape [n, d], or [n, h, w] for images, `y` of shape [n] or
 * [n, 1]. 8-bit unsigned x stays 8-bit with scale 1/255, any other type becomes Float64Array. Labels -1/+1 are taken
 * as they are, 0/1 become -1/+1, anything else is a RangeError that lists what came.
 */
export function datasetFromArrays(arrays: {
  readonly x: NpyInput;
  readonly y: NpyInput;
  readonly name?: string;
}): Dataset {
  checkObject("arrays", arrays);
  const x = checkArray("x", arrays.x);
  const y = checkArray("y", arrays.y);
  const [n = 0, ...rest] = x.shape;
  if (rest.length < 1 || rest.length > 2)
    throw new RangeError(`x: expected shape [n, d] or [n, h, w], got [${x.shape.join(", ")}]`);
  const [rows = 0, ...columns] = y.shape;
  if (y.shape.length === 0 || columns.length > 1 || (columns[0] ?? 1) !== 1)
    throw new RangeError(`y: expected shape [n] or [n, 1], got [${y.shape.join(", ")}]`);
  if (rows !== n) throw new RangeError(`y: ${n} labels expected for ${n} rows of x, got ${rows}`);
  const pixels = x.data instanceof Uint8Array && x.dtype !== "b1";
  return dataset({
    x: pixels ? (x.data as Uint8Array) : Float64Array.from(x.data),
    y: binaryLabels(y.data),
    shape: [n, rest.reduce((product, dimension) => product * dimension, 1)],
    ...(arrays.name === undefined ? {} : { name: arrays.name }),
  });
}
