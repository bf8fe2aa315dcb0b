// Rows with one of several classes, and the two-class data sets that come of them. Not here: machines for several classes
// (machines/one-vs-rest.ts), files (mnist.ts reads digits).
import { checkNumber, checkObject, describe } from "../validate.js";
import { type Dataset, type DatasetOptions, dataset, relabelled } from "./dataset.js";

export interface ClassSet {
  readonly n: number;
  readonly d: number;
  /** Rows, row-major, n*d. Not to be written to. */
  readonly x: Uint8Array | Float64Array;
  readonly scale: number;
  /** Class of each row, 0 to classes.length - 1. Not to be written to. */
  readonly labels: Int32Array;
  /** What the classes are called, at least two. */
  readonly classes: readonly string[];
  readonly name: string;
  /** SHA-256 (hex) over n, d and scale, then x, then the labels as float64. */
  hash(): Promise<string>;
  /** New set with the given rows, in that order (copy). RangeError when an index is out of range or there is none. */
  subset(indices: readonly number[] | Int32Array | Uint32Array): ClassSet;
  /** The same rows with label +1 for class `c` and -1 for all others; shares x. @throws TypeError, RangeError */
  against(c: number): Dataset;
  /** The rows of classes `c` and `j` alone (copy), with labels +1 and -1. @throws TypeError, RangeError for none of either */
  between(c: number, j: number): Dataset;
}

export interface ClassSetOptions extends Omit<DatasetOptions, "y" | "task"> {
  /** Class of each row, integers from 0. Copied. */
  readonly labels: ArrayLike<number>;
  /** What the classes are called; default "0", "1", ... up to the largest label. */
  readonly classes?: readonly string[] | undefined;
}

class Classes implements ClassSet {
  readonly n: number;
  readonly d: number;
  readonly x: Uint8Array | Float64Array;
  readonly scale: number;
  readonly labels: Int32Array;

  /** `rows` has the class of each row as its y. */
  constructor(
    private readonly rows: Dataset,
    readonly classes: readonly string[],
    readonly name: string,
  ) {
    this.n = rows.n;
    this.d = rows.d;
    this.x = rows.x;
    this.scale = rows.scale;
    this.labels = Int32Array.from(rows.y);
  }

  hash(): Promise<string> {
    return this.rows.hash();
  }

  subset(indices: readonly number[] | Int32Array | Uint32Array): ClassSet {
    return new Classes(this.rows.subset(indices), this.classes, this.name);
  }

  against(c: number): Dataset {
    checkNumber("c", c, { min: 0, max: this.classes.length - 1, integer: true });
    const y = Float64Array.from(this.labels, (label) => (label === c ? 1 : -1));
    return relabelled(this.rows, y, `${this.name}, ${this.classes[c]} against the rest`);
  }

  between(c: number, j: number): Dataset {
    const last = this.classes.length - 1;
    checkNumber("c", c, { min: 0, max: last, integer: true });
    checkNumber("j", j, { min: 0, max: last, integer: true });
    if (c === j) throw new RangeError(`j: expected another class than c, got ${j} for both`);
    const own = Array.from(this.labels.keys()).filter((i) => this.labels[i] === c || this.labels[i] === j);
    for (const one of [c, j])
      if (!this.labels.includes(one))
        throw new RangeError(`c, j: expected rows of both classes, got none of "${this.classes[one]}"`);
    const y = Float64Array.from(own, (i) => (this.labels[i] === c ? 1 : -1));
    return relabelled(this.rows.subset(own), y, `${this.name}, ${this.classes[c]} against ${this.classes[j]}`);
  }
}

/**
 * The same rows with their classes in the order of `classes`, by name: for a machine whose classes have another order.
 * @throws TypeError, RangeError for a row whose class is not among them
 */
export function reorderClasses(data: ClassSet, classes: readonly string[]): ClassSet {
  const { labels, classes: own, x, n, d, scale, name } = data;
  const places = own.map((one) => classes.indexOf(one));
  const foreign = labels.find((label) => (places[label] ?? -1) < 0);
  if (foreign !== undefined)
    throw new RangeError(`classes: expected ${classes.join(", ")}, got rows of "${own[foreign]}"`);
  const set = {
    x,
    shape: [n, d] as const,
    labels: Int32Array.from(labels, (label) => places[label] ?? 0),
    classes,
    name,
  };
  return classSet(x instanceof Uint8Array ? { ...set, scale } : set);
}

/** Makes a set of several classes out of copies. @throws TypeError for wrong types; RangeError for what does not fit */
export function classSet(options: ClassSetOptions): ClassSet {
  checkObject("options", options);
  const { labels, classes: given, ...rest } = options;
  if (typeof labels !== "object" || labels === null || typeof labels.length !== "number")
    throw new TypeError(`labels: expected an array of integers, got ${describe(labels)}`);
  if (given !== undefined && !(Array.isArray(given) && given.every((name) => typeof name === "string")))
    throw new TypeError(`classes: expected an array of strings, got ${describe(given)}`);
  const own = Float64Array.from(labels as ArrayLike<unknown>, (label, i) =>
    checkNumber(`labels[${i}]`, label, { min: 0, max: (given?.length ?? 1e6) - 1, integer: true }),
  );
  if (Array.isArray(rest.shape) && own.length !== rest.shape[0])
    throw new RangeError(`labels: expected ${rest.shape[0]} for as many rows, got ${own.length}`);
  const most = own.reduce((largest, label) => Math.max(largest, label), 0);
  const classes = given ?? Array.from({ length: most + 1 }, (_, c) => String(c));
  if (classes.length < 2) throw new RangeError(`classes: expected at least two, got ${classes.length}`);
  const rows = dataset({ ...rest, y: own, task: "regression" });
  return new Classes(rows, [...classes], rows.name);
}
