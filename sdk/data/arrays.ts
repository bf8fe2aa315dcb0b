// Arrays from NPY and NPZ files as a data set or as rows of several classes. Not here: reading the files, and the checks
// that any data set goes through (dataset.ts).
import { checkChoice, checkObject, describe } from "../validate.js";
import { type ClassSet, classSet } from "./classes.js";
import { type Dataset, type DatasetOptions, dataset } from "./dataset.js";
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

/** Rows and targets of one split. */
export interface SplitArrays {
  /** [n, d], or [n, h, w] for images. */
  readonly x: NpyInput;
  /** [n] or [n, 1]. */
  readonly y: NpyInput;
  readonly name?: string | undefined;
}

/** What a y stands for: two labels (-1/+1 or 0/1 of any type), classes (other integers), real targets (floating point). */
export function targetKind({ y }: Pick<SplitArrays, "y">): "labels" | "classes" | "targets" {
  const { data, dtype } = checkArray("y", y);
  const distinct = new Set(data as Iterable<number>);
  for (const two of [
    [-1, 1],
    [0, 1],
  ])
    if ([...distinct].every((label) => two.includes(label))) return "labels";
  const real = dtype === undefined ? data instanceof Float32Array || data instanceof Float64Array : dtype[0] === "f";
  return real ? "targets" : "classes";
}

function rowsOf(arrays: SplitArrays) {
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
  const shape: readonly [number, number] = [n, rest.reduce((product, dimension) => product * dimension, 1)];
  const own = { x: pixels ? (x.data as Uint8Array) : Float64Array.from(x.data), shape };
  return { y: y.data, rows: arrays.name === undefined ? own : { ...own, name: arrays.name } };
}

/**
 * A data set of arrays as readNpy gives them: `x` of shape [n, d], or [n, h, w] for images, `y` of shape [n] or
 * [n, 1]. 8-bit unsigned x stays 8-bit with scale 1/255, any other type becomes Float64Array. Labels -1/+1 are taken
 * as they are, 0/1 become -1/+1, anything else is a RangeError that lists what came. With the task "regression" y holds
 * any finite targets.
 */
export function datasetFromArrays(arrays: SplitArrays & Pick<DatasetOptions, "task">): Dataset {
  const { y, rows } = rowsOf(arrays);
  const task = checkChoice("task", arrays.task ?? "classification", ["classification", "regression"]);
  return dataset({ ...rows, y: task === "regression" ? Float64Array.from(y) : binaryLabels(y), task });
}

/**
 * The same for several classes: y holds whole numbers, and the classes are called by them, in ascending order. A set that
 * goes with another one (test rows) has the classes of that one, `like`.
 * @throws TypeError, RangeError for labels that are no integers or, with `like`, of no class
 */
export function classSetFromArrays(arrays: SplitArrays, like?: readonly string[]): ClassSet {
  const { y, rows } = rowsOf(arrays);
  const values = Float64Array.from(y);
  const odd = values.find((label) => !Number.isSafeInteger(label));
  if (odd !== undefined) throw new RangeError(`y: expected integers as labels of classes, got ${odd}`);
  const classes = like ?? [...new Set(values)].sort((a, b) => a - b).map(String);
  const places = new Map(classes.map((name, c) => [name, c]));
  const labels = Int32Array.from(values, (label) => {
    const place = places.get(String(label));
    if (place === undefined)
      throw new RangeError(`y: expected the classes ${classes.join(", ")} of the training rows, got ${label}`);
    return place;
  });
  return classSet({ ...rows, labels, classes });
}
