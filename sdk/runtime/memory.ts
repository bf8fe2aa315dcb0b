// Linear memory of the core: a first-fit allocator above the module's own constants, with a budget. Only the thread that
// owns the runtime allocates; workers are handed pointers. Copy in, copy out: no view of this memory leaves the SDK.
// Not here: the map of the memory (assembly/memory.ts) and threads (threads.ts).
import { MemoryBudgetError } from "../errors.js";

const PAGE = 65536;
const ALIGNMENT = 64;

interface Region {
  start: number;
  bytes: number;
}

/** Records of the core are plain offsets (assembly/layout.ts) into linear memory. */
export class LinearMemory {
  private free: Region[] = [];
  /** Bytes of each allocation. */
  readonly used = new Map<number, number>();
  /** Allocations whose contents mean nothing between chunks of a job. */
  readonly work = new Set<number>();
  private end: number;
  private inUse = 0;
  private most = 0;
  /** Bytes that threads without shared memory hold beside this memory. */
  copies = 0;
  /** Asks for `copies` back where the budget is short. */
  giveBack = () => {};

  constructor(
    readonly memory: WebAssembly.Memory,
    heapBase: number,
    /** Bytes that may be in use at once. */
    readonly budget: number,
  ) {
    this.end = memory.buffer.byteLength;
    const start = Math.ceil(heapBase / ALIGNMENT) * ALIGNMENT;
    this.free.push({ start, bytes: this.end - start });
  }

  /** Bytes handed out now. */
  get bytesInUse(): number {
    return this.inUse;
  }

  /** Most bytes that were handed out at once. */
  get peak(): number {
    return this.most;
  }

  /** Throws MemoryBudgetError when `bytes` more would not fit the budget. */
  check(bytes: number, what: string): void {
    const needed = () => this.inUse + this.copies + bytes;
    if (!(needed() <= this.budget)) this.giveBack();
    if (!(needed() <= this.budget)) throw new MemoryBudgetError(needed(), this.budget, what);
  }

  /** Pointer to `bytes` uninitialised bytes, aligned to 64; `isWork`: no chunk of a job reads what another left there. */
  allocate(bytes: number, what = "working memory", isWork = false): number {
    const size = Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
    this.check(size, what);
    let region = this.free.find((candidate) => candidate.bytes >= size);
    if (region === undefined) region = this.grow(size, what);
    const start = region.start;
    region.start += size;
    region.bytes -= size;
    if (region.bytes === 0) this.free.splice(this.free.indexOf(region), 1);
    this.used.set(start, size);
    if (isWork) this.work.add(start);
    this.inUse += size;
    this.most = Math.max(this.most, this.inUse);
    return start;
  }

  /** Gives back what allocate() returned. */
  release(pointer: number): void {
    const bytes = this.used.get(pointer);
    if (bytes === undefined) throw new Error(`memory: ${pointer} was not allocated or is already released`);
    this.used.delete(pointer);
    this.work.delete(pointer);
    this.inUse -= bytes;
    const after = this.free.findIndex((region) => region.start > pointer);
    const at = after < 0 ? this.free.length : after;
    this.free.splice(at, 0, { start: pointer, bytes });
    this.join(at);
    this.join(at - 1);
  }

  /** Joins region `at` with the one after it where they touch. */
  private join(at: number): void {
    const region = this.free[at];
    const next = this.free[at + 1];
    if (region === undefined || next === undefined || region.start + region.bytes !== next.start) return;
    region.bytes += next.bytes;
    this.free.splice(at + 1, 1);
  }

  private grow(size: number, what: string): Region {
    const last = this.free.at(-1);
    const open = last !== undefined && last.start + last.bytes === this.end ? last : undefined;
    const pages = Math.ceil((size - (open?.bytes ?? 0)) / PAGE);
    try {
      this.memory.grow(pages);
    } catch {
      throw new MemoryBudgetError(this.end + pages * PAGE, this.end, `${what} (this engine gives no more memory)`);
    }
    const grown = pages * PAGE;
    const region = open ?? { start: this.end, bytes: 0 };
    if (open === undefined) this.free.push(region);
    region.bytes += grown;
    this.end += grown;
    return region;
  }

  /** Views of the memory as it is now; a view dies when the memory grows, so none is kept. */
  f64(pointer: number, length: number): Float64Array {
    return new Float64Array(this.memory.buffer, pointer, length);
  }

  i32(pointer: number, length: number): Int32Array {
    return new Int32Array(this.memory.buffer, pointer, length);
  }

  u8(pointer: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, pointer, length);
  }

  view(pointer: number, length: number): DataView {
    return new DataView(this.memory.buffer, pointer, length);
  }
}

/** Allocations that are released together, whatever happens: `const scope = new Scope(memory); try {...} finally`. */
export class Scope {
  private pointers: number[] = [];

  constructor(readonly memory: LinearMemory) {}

  allocate(bytes: number, what?: string, isWork?: boolean): number {
    const pointer = this.memory.allocate(bytes, what, isWork);
    this.pointers.push(pointer);
    return pointer;
  }

  /** n float64, zero unless `from` is given (then a copy of it). */
  f64(n: number, from?: ArrayLike<number>): number {
    const pointer = this.allocate(n * 8);
    const view = this.memory.f64(pointer, n);
    if (from === undefined) view.fill(0);
    else view.set(from);
    return pointer;
  }

  /** n int32, zero unless `from` is given. */
  i32(n: number, from?: ArrayLike<number>): number {
    const pointer = this.allocate(n * 4);
    const view = this.memory.i32(pointer, n);
    if (from === undefined) view.fill(0);
    else view.set(from);
    return pointer;
  }

  /** Releases one allocation early. */
  drop(pointer: number): void {
    this.pointers = this.pointers.filter((own) => own !== pointer);
    this.memory.release(pointer);
  }

  release(): void {
    for (const pointer of this.pointers) this.memory.release(pointer);
    this.pointers = [];
  }
}
