// A data set's rows in the core's own form: packed, with norms and lists of non-zero blocks (assembly/kernel/pack.ts).
// Not here: what a data set is (data/dataset.ts).
import {
  BLOCK,
  FORMAT_F64,
  FORMAT_U8,
  ROWS_BLOCKS,
  ROWS_BYTES,
  ROWS_COUNTS,
  ROWS_D,
  ROWS_DATA,
  ROWS_FORMAT,
  ROWS_INDEX,
  ROWS_N,
  ROWS_NORMS,
  ROWS_SCALE,
  ROWS_STRIDE,
  TILE,
} from "../../assembly/layout.js";
import type { Scope } from "../runtime/memory.js";
import type { Runtime } from "../runtime/runtime.js";
import { checkNumber, checkObject, describe } from "../validate.js";

/** What the core needs to know of rows: part of Dataset, and of a machine's own training rows. */
export interface RowSource {
  readonly n: number;
  readonly d: number;
  readonly x: Uint8Array | Float64Array;
  readonly scale: number;
}

/** Rows in linear memory. */
export interface Rows {
  readonly pointer: number;
  readonly n: number;
  readonly d: number;
  readonly eightBit: boolean;
  readonly scale: number;
}

const DOUBLES_A_GROUP = 4;

/** Most columns of 8-bit rows: indices of their blocks are stored in 16 bits. */
const MOST_PIXELS = 65536 * BLOCK;

function strideOf(d: number, eightBit: boolean): number {
  const unit = eightBit ? BLOCK : DOUBLES_A_GROUP;
  return Math.ceil(d / unit) * unit * (eightBit ? 1 : 8);
}

/** Columns of a packed row, padding included. */
export function packedColumns(d: number, eightBit: boolean): number {
  return strideOf(d, eightBit) / (eightBit ? 1 : 8);
}

/** Bytes of linear memory that n packed rows take. */
export function estimateRowBytes({ n, d, x }: RowSource): number {
  const eightBit = x instanceof Uint8Array;
  const stride = strideOf(d, eightBit);
  return n * (stride + 8 + (eightBit ? (stride / BLOCK) * 2 + 4 : 0)) + ROWS_BYTES;
}

/**
 * Order of columns that gathers zeros into blocks: square images in patches 4 high and 2 wide, anything else as it is.
 * Inner products of integers do not depend on it.
 */
export function columnOrder(d: number): Int32Array {
  const side = Math.round(Math.sqrt(d));
  const order = Int32Array.from({ length: d }, (_, k) => k);
  if (side * side !== d || side % 4 !== 0) return order;
  let at = 0;
  for (let top = 0; top < side; top += 4) {
    for (let left = 0; left < side; left += 2) {
      for (let k = 0; k < BLOCK; k++) order[at++] = (top + (k >> 1)) * side + left + (k & 1);
    }
  }
  return order;
}

/** An empty record for n rows like `like`, to be filled by gatherRows or packRows. */
export function allocateRows(scope: Scope, n: number, like: Omit<Rows, "pointer" | "n">): Rows {
  const { d, eightBit, scale } = like;
  const stride = strideOf(d, eightBit);
  const pointer = scope.allocate(ROWS_BYTES);
  const data = scope.allocate(n * stride, "packed rows");
  const norms = scope.allocate(n * 8);
  const blocks = eightBit ? scope.allocate((n * stride * 2) / BLOCK) : 0;
  const counts = eightBit ? scope.allocate(n * 4) : 0;
  const view = scope.memory.view(pointer, ROWS_BYTES);
  view.setInt32(ROWS_FORMAT, eightBit ? FORMAT_U8 : FORMAT_F64, true);
  view.setInt32(ROWS_N, n, true);
  view.setInt32(ROWS_D, d, true);
  view.setInt32(ROWS_STRIDE, stride, true);
  view.setUint32(ROWS_DATA, data, true);
  view.setUint32(ROWS_NORMS, norms, true);
  view.setUint32(ROWS_BLOCKS, blocks, true);
  view.setUint32(ROWS_COUNTS, counts, true);
  view.setFloat64(ROWS_SCALE, scale, true);
  view.setUint32(ROWS_INDEX, 0, true);
  return { pointer, n, d, eightBit, scale };
}

/** Packs the rows of `source` into linear memory. */
export async function uploadRows(runtime: Runtime, scope: Scope, source: RowSource): Promise<Rows> {
  const { n, d, x, scale } = source;
  const eightBit = x instanceof Uint8Array;
  if (eightBit && d > MOST_PIXELS)
    throw new RangeError(`rows: expected at most ${MOST_PIXELS} columns of 8-bit data, got ${d}: use a Float64Array`);
  const rows = allocateRows(scope, n, { d, eightBit, scale });
  const raw = scope.allocate(x.byteLength, "rows");
  if (x instanceof Uint8Array) scope.memory.u8(raw, n * d).set(x);
  else scope.memory.f64(raw, n * d).set(x);
  const order = eightBit ? scope.i32(d, columnOrder(d)) : 0;
  await runtime.run("packRows", Math.ceil(n / TILE), [rows.pointer, raw, order], {}, "packing");
  scope.drop(raw);
  if (!eightBit) checkNorms(scope, rows);
  return rows;
}

/** Products of two squared norms must stay finite. */
const LARGEST_NORM = 1e75;

function checkNorms(scope: Scope, rows: Rows): void {
  const norms = scope.memory.view(rows.pointer + ROWS_NORMS, 4).getUint32(0, true);
  scope.memory.f64(norms, rows.n).forEach((square, i) => {
    if (square <= LARGEST_NORM ** 2) return;
    const norm = Math.sqrt(square).toExponential(2);
    throw new RangeError(
      `rows: expected norms below ${LARGEST_NORM.toExponential().replace("+", "")}, got ${norm} in row ${i}: scale the data`,
    );
  });
}

/** Rows `indices` of `rows`, as a record of their own that knows which they are. */
export function gatherRows(runtime: Runtime, scope: Scope, rows: Rows, indices: ArrayLike<number>): Rows {
  const gathered = allocateRows(scope, indices.length, rows);
  const list = scope.i32(indices.length, indices);
  runtime.call("gatherRows", rows.pointer, list, gathered.pointer);
  scope.memory.view(gathered.pointer, ROWS_BYTES).setUint32(ROWS_INDEX, list, true);
  return gathered;
}

/** Checks that a value has the shape of rows: anything else would reach the core as nonsense. */
export function checkRows(name: string, value: unknown): asserts value is RowSource {
  const { n, d, x, scale } = checkObject(name, value);
  const isRows = x instanceof Uint8Array || x instanceof Float64Array;
  if (!isRows || typeof n !== "number" || typeof d !== "number" || typeof scale !== "number")
    throw new TypeError(`${name}: expected a data set (see dataset()), got ${describe(value)}`);
  checkNumber(`${name}.n`, n, { min: 1, integer: true });
  checkNumber(`${name}.d`, d, { min: 1, integer: true });
  checkNumber(`${name}.scale`, scale, { min: 0, open: true });
  if (x.length !== n * d) throw new RangeError(`${name}: expected ${n} x ${d} = ${n * d} entries, got ${x.length}`);
}

/** Two sets can meet in one kernel when they have the same columns and units; a TypeError or RangeError says why not. */
export function checkSameColumns(name: string, own: RowSource, other: RowSource): void {
  if (own.d !== other.d) throw new RangeError(`${name}: expected ${own.d} columns, got ${other.d}`);
  const kind = ({ x }: RowSource) => (x instanceof Uint8Array ? "8-bit" : "float64");
  if (kind(own) !== kind(other))
    throw new TypeError(`${name}: expected ${kind(own)} rows, got ${kind(other)} (${describe(other.x)})`);
  if (own.scale !== other.scale) throw new RangeError(`${name}: expected scale ${own.scale}, got ${other.scale}`);
}
