// NPZ, NumPy's archive of named arrays: a ZIP file of NPY files. Not here: the arrays themselves (npy.ts) and what a
// data set makes of them (arrays.ts).
import { zipSync } from "fflate";
import { FormatError } from "../errors.js";
import { checkNumber, checkObject } from "../validate.js";
import { checkBytes } from "./bytes.js";
import { type NpyArray, type NpyInput, readNpy, writeNpy } from "./npy.js";
import { readZip, type ZipEntry } from "./zip.js";

const SUFFIX = ".npy";

export interface NpzOptions {
  /** Most bytes that all arrays together may take decompressed; default 4 GiB. */
  readonly maxBytes?: number;
}

function readEntry({ name, bytes, offset }: ZipEntry): [string, NpyArray] {
  if (!name.endsWith(SUFFIX)) throw new FormatError("npz", offset, `entry "${name}" is not an array (.npy)`);
  try {
    return [name.slice(0, -SUFFIX.length), readNpy(bytes)];
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError("npz", offset, `entry "${name}" can not be read, ${error.message}`);
  }
}

/**
 * Reads an NPZ file, compressed or not, into arrays by name (without ".npy"), in the order of the file.
 * Throws FormatError on a malformed archive or array and on one larger than `maxBytes` once decompressed.
 */
export function readNpz(bytes: Uint8Array, options: NpzOptions = {}): Map<string, NpyArray> {
  const file = checkBytes("bytes", bytes);
  checkObject("options", options);
  const maxBytes = checkNumber("maxBytes", options.maxBytes ?? 2 ** 32, { min: 0, integer: true });
  return new Map(readZip("npz", file, maxBytes).map(readEntry));
}

/**
 * The bytes of a compressed NPZ file; the same arrays give the same bytes. Errors as in writeNpy, and RangeError for
 * an empty name.
 */
export function writeNpz(arrays: ReadonlyMap<string, NpyInput> | Readonly<Record<string, NpyInput>>): Uint8Array {
  checkObject("arrays", arrays);
  const entries = arrays instanceof Map ? [...arrays] : Object.entries(arrays);
  const files: Record<string, Uint8Array> = Object.create(null);
  for (const [name, array] of entries as [string, NpyInput][]) {
    if (typeof name !== "string") throw new TypeError(`arrays: expected strings as names, got ${String(name)}`);
    if (name === "") throw new RangeError("arrays: expected names of at least one character, got an empty one");
    files[name + SUFFIX] = writeNpy(array);
  }
  // The first day a ZIP file can state, so that no clock gets into the bytes.
  return zipSync(files, { mtime: new Date(1980, 0, 1) });
}
