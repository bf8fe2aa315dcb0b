// The Gram matrix of a data set under a kernel: in tiles on and above the diagonal, as float64 or float32 within the
// memory budget, or streamed, when every use computes the tiles again. All forms give products and rows to the same
// code, and float64 and streamed ones to the same bits. Not here: solvers.
import {
  GRAM_BYTES,
  GRAM_KERNEL,
  GRAM_ROWS,
  GRAM_STORAGE,
  GRAM_TILES,
  MAX_VECTORS,
  STORAGE_F32,
  STORAGE_F64,
  STORAGE_NONE,
  TILE,
} from "../../assembly/layout.js";
import { MemoryBudgetError } from "../errors.js";
import type { Scope } from "../runtime/memory.js";
import { type Runtime, runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import { checkChoice, checkNumber, checkObject, describe } from "../validate.js";
import { checkKernel, type Kernel, sameKernel } from "./kernel.js";
import { checkRows, checkSameColumns, estimateRowBytes, type RowSource, type Rows, uploadRows } from "./rows.js";
import { kernelBetween } from "./upload.js";

/** "auto" takes float64 where it fits the budget and streams otherwise. */
export type GramStorage = "auto" | "float64" | "float32" | "streamed";

export interface GramOptions extends WorkOptions {
  readonly storage?: GramStorage | undefined;
  /** Bytes of the budget to leave for other things, >= 0. Default 0. */
  readonly reserve?: number | undefined;
}

const STORAGE_CODE = { float64: STORAGE_F64, float32: STORAGE_F32, streamed: STORAGE_NONE } as const;
const BYTES = { float64: 8, float32: 4, streamed: 0 } as const;

const blocksOf = (n: number) => Math.ceil(n / TILE);
const tilesOf = (n: number) => (blocksOf(n) * (blocksOf(n) + 1)) / 2;

/** Entries of all strips' shares of one product (assembly/gram/product.ts). */
function shareEntries(n: number): number {
  const blocks = blocksOf(n);
  return blocks * n - ((blocks * (blocks - 1)) / 2) * TILE;
}

/** What a Gram matrix would take, in bytes: the tiles, the packed rows, and one product with `vectors` vectors. */
export interface GramMemory {
  readonly tiles: number;
  readonly rows: number;
  readonly product: number;
  readonly total: number;
}

/** Memory of the Gram matrix of `source` before anything is allocated. */
export function estimateMemory(
  source: RowSource,
  options: { readonly storage?: Exclude<GramStorage, "auto"> | undefined; readonly vectors?: number | undefined } = {},
): GramMemory {
  checkRows("source", source);
  checkObject("options", options);
  const storage = checkChoice("storage", options.storage ?? "float64", ["float64", "float32", "streamed"]);
  const vectors = checkNumber("vectors", options.vectors ?? 1, { min: 1, max: MAX_VECTORS, integer: true });
  const tiles = tilesOf(source.n) * TILE * TILE * BYTES[storage];
  const rows = estimateRowBytes(source);
  const product = (shareEntries(source.n) + 2 * source.n) * vectors * 8;
  return { tiles, rows, product, total: tiles + rows + product };
}

/** Vectors in one product of the core: 1, or an even number. */
export function paddedVectors(count: number): number {
  return count <= 1 ? 1 : 2 * Math.ceil(count / 2);
}

export class GramMatrix {
  private disposed = false;

  private constructor(
    readonly runtime: Runtime,
    private readonly scope: Scope,
    readonly kernel: Kernel,
    readonly storage: Exclude<GramStorage, "auto">,
    /** Records in linear memory, for the SDK's own solvers. */
    readonly rows: Rows,
    readonly kernelPointer: number,
    readonly pointer: number,
  ) {}

  get n(): number {
    return this.rows.n;
  }

  /**
   * Computes the n x n matrix K(x_i, x_j) of the rows of `source` (or prepares to stream it).
   * @throws MemoryBudgetError when the storage asked for does not fit the runtime's budget
   */
  static async create(kernel: Kernel, source: RowSource, options: GramOptions = {}): Promise<GramMatrix> {
    const checked = checkKernel("kernel", kernel);
    checkRows("source", source);
    const runtime = await runtimeOf(options);
    const reserve = checkNumber("reserve", options.reserve ?? 0, { min: 0 });
    const asked = options.storage ?? "auto";
    // A function's values are in memory as it is: tiles would hold them twice.
    const held = asked === "auto" && checked.kind === "user";
    const storage = GramMatrix.chooseStorage(runtime, source, held ? "streamed" : asked, reserve);
    const scope = runtime.scope();
    try {
      const rows = await uploadRows(runtime, scope, source);
      const kernelPointer = await kernelBetween(scope, checked, source, source, options);
      const pointer = scope.allocate(GRAM_BYTES);
      const bytes = tilesOf(source.n) * TILE * TILE * BYTES[storage];
      const tiles = bytes === 0 ? 0 : scope.allocate(bytes, `the Gram matrix of ${source.n} rows in ${storage}`);
      const view = scope.memory.view(pointer, GRAM_BYTES);
      view.setUint32(GRAM_ROWS, rows.pointer, true);
      view.setUint32(GRAM_KERNEL, kernelPointer, true);
      view.setInt32(GRAM_STORAGE, STORAGE_CODE[storage], true);
      view.setUint32(GRAM_TILES, tiles, true);
      const gram = new GramMatrix(runtime, scope, checked, storage, rows, kernelPointer, pointer);
      if (tiles !== 0) await runtime.run("gramTile", tilesOf(source.n), [pointer], options, "Gram matrix");
      return gram;
    } catch (error) {
      scope.release();
      throw error;
    }
  }

  private static chooseStorage(
    runtime: Runtime,
    source: RowSource,
    asked: GramStorage,
    reserve: number,
  ): Exclude<GramStorage, "auto"> {
    const storage = checkChoice("storage", asked, ["auto", "float64", "float32", "streamed"]);
    const { memory } = runtime;
    const needs = (form: "float64" | "float32" | "streamed") =>
      memory.bytesInUse + estimateMemory(source, { storage: form }).total;
    if (storage === "auto") return needs("float64") + reserve <= memory.budget ? "float64" : "streamed";
    if (needs(storage) > memory.budget) {
      const needed = needs(storage);
      throw new MemoryBudgetError(needed, memory.budget, `the Gram matrix of ${source.n} rows in ${storage}`);
    }
    return storage;
  }

  /**
   * K p for `vectors` interleaved vectors in linear memory (1 or an even number of them, at most MAX_VECTORS); y must not
   * overlap p.
   * For the SDK's own solvers; multiply() is the public form.
   */
  async product(vectors: number, p: number, y: number, work: WorkOptions = {}, stage = "product"): Promise<void> {
    this.checkAlive();
    const scope = this.runtime.scope();
    try {
      const blocks = blocksOf(this.n);
      const shares = scope.allocate(shareEntries(this.n) * vectors * 8, "shares of a matrix-vector product");
      await this.runtime.run("gramStrip", blocks, [this.pointer, vectors, p, shares], work, stage);
      await this.runtime.run("gramReduce", blocks, [this.n, vectors, shares, y], { signal: work.signal }, stage);
    } finally {
      scope.release();
    }
  }

  /** K p. @throws TypeError, RangeError when p has not n entries */
  async multiply(p: Float64Array, options: WorkOptions = {}): Promise<Float64Array> {
    this.checkAlive();
    if (!(p instanceof Float64Array)) throw new TypeError(`p: expected a Float64Array, got ${describe(p)}`);
    if (p.length !== this.n) throw new RangeError(`p: expected ${this.n} entries, got ${p.length}`);
    const scope = this.runtime.scope();
    try {
      const from = scope.f64(this.n, p);
      const to = scope.f64(this.n);
      await this.product(1, from, to, options);
      return this.runtime.memory.f64(to, this.n).slice();
    } finally {
      scope.release();
    }
  }

  /** Row i, n entries. @throws RangeError */
  row(i: number): Float64Array {
    this.checkAlive();
    checkNumber("i", i, { min: 0, max: this.n - 1, integer: true });
    const scope = this.runtime.scope();
    try {
      const to = scope.allocate(this.n * 8);
      this.runtime.call("gramRow", this.pointer, i, to);
      return this.runtime.memory.f64(to, this.n).slice();
    } finally {
      scope.release();
    }
  }

  /** K(x_i, x_i) for all i. */
  diagonal(): Float64Array {
    this.checkAlive();
    const scope = this.runtime.scope();
    try {
      const to = scope.allocate(this.n * 8);
      this.runtime.call("kernelDiagonal", this.kernelPointer, this.rows.pointer, to);
      return this.runtime.memory.f64(to, this.n).slice();
    } finally {
      scope.release();
    }
  }

  /** The whole matrix, row-major, copied out: n * n * 8 bytes of the host's memory beside the core's. */
  toArray(): Float64Array {
    const out = new Float64Array(this.n * this.n);
    for (let i = 0; i < this.n; i++) out.set(this.row(i), i * this.n);
    return out;
  }

  /** Gives the memory back; the matrix can not be used again. */
  dispose(): void {
    this.checkAlive();
    this.disposed = true;
    this.scope.release();
  }

  private checkAlive(): void {
    if (this.disposed) throw new Error("gram: it was disposed, its memory may hold something else by now");
  }
}

/** Checks a matrix that came from outside: it must be of this kernel and this many rows. @throws TypeError, RangeError */
export function checkGram(gram: unknown, kernel: Kernel, n: number): GramMatrix {
  if (!(gram instanceof GramMatrix)) throw new TypeError(`gram: expected a GramMatrix, got ${describe(gram)}`);
  if (gram.n !== n) throw new RangeError(`gram: expected ${n} rows, got ${gram.n}`);
  if (!sameKernel(kernel, gram.kernel)) {
    const [own, given] = [kernel, gram.kernel].map((one) => JSON.stringify(one));
    throw new RangeError(`gram: expected the kernel ${own}, got ${given}${own === given ? ", another function" : ""}`);
  }
  return gram;
}

/** A matrix of kernel values between two sets, row-major. */
export interface CrossGram {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
}

/** K(left_i, right_j) for all rows of two sets (train x test, say). @throws when the sets' columns or units differ */
export async function crossGram(
  kernel: Kernel,
  left: RowSource,
  right: RowSource,
  options: WorkOptions = {},
): Promise<CrossGram> {
  checkRows("left", left);
  checkRows("right", right);
  checkSameColumns("right", left, right);
  const runtime = await runtimeOf(options);
  const scope = runtime.scope();
  try {
    const own = await uploadRows(runtime, scope, left);
    const other = await uploadRows(runtime, scope, right);
    const pointer = await kernelBetween(scope, checkKernel("kernel", kernel), left, right, options);
    const out = scope.allocate(left.n * right.n * 8, `the cross Gram matrix of ${left.n} x ${right.n} rows`);
    const chunks = Math.ceil(left.n / 64);
    await runtime.run(
      "kernelBlock",
      chunks,
      [pointer, own.pointer, other.pointer, out, right.n],
      options,
      "cross Gram",
    );
    return { rows: left.n, columns: right.n, values: runtime.memory.f64(out, left.n * right.n).slice() };
  } finally {
    scope.release();
  }
}
