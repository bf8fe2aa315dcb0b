// The runtime: one core, its memory under a budget, and the threads that share it. Everything that computes takes one;
// a default is made on first use. Not here: what is computed, and threads that may share no memory (transfers.ts).
import { SCRATCH_BYTES } from "../../assembly/layout.js";
import { checkChoice, checkNumber, checkObject, describe } from "../validate.js";
import { LinearMemory, Scope } from "./memory.js";
import {
  type CoreExports,
  coreBytes,
  type FeatureLevel,
  instantiateCore,
  MOST_PAGES,
  UnsupportedEngineError,
  unshared,
} from "./module.js";
import { type ByteSource, bytesOf, isByteSource } from "./sources.js";
import { availableThreads, hasPolicies, startThread, type Thread, terminate, type WorkerSource } from "./threads.js";
import type { Copies, Parted } from "./transfers.js";

/** How far a long piece of work is. */
export interface Progress {
  /** What is being done, in a few words. */
  readonly stage: string;
  readonly done: number;
  readonly total: number;
}

/** Options of everything that may take long. */
export interface WorkOptions {
  /** Stops the work between chunks; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** The runtime to compute on; a default one is made on first use. */
  readonly runtime?: Runtime | undefined;
}

export interface RuntimeOptions {
  /**
   * Worker threads, 0 to 64: 0 computes on the calling thread between yields. Default: the processors there are, or none
   * where a page's policy refuses workers; a number or a worker of one's own that is refused is an error. Where memory may
   * not be shared, threads are started for the first job that is long enough, and done without if they are refused.
   */
  readonly threads?: number | undefined;
  /** Memory budget in bytes, at most 4 GiB. Default 4 GiB. */
  readonly memory?: number | undefined;
  /** Feature level of the core. Default: the best this engine has. */
  readonly level?: FeatureLevel | undefined;
  /** The core from a file of your own instead of the inlined one. Its level is taken to be "simd" unless `level` says. */
  readonly module?: CoreSource | PromiseLike<CoreSource> | undefined;
  /** Where threads get their program, for pages whose policy refuses the inlined one. */
  readonly worker?: WorkerSource | undefined;
}

/** Bytes of one of the package's .wasm files, or such a file compiled (which only goes where memory may be shared). */
export type CoreSource = ByteSource | WebAssembly.Module;

const GIB = 2 ** 30;
const INITIAL_PAGES = 64;

/** Milliseconds of work between yields on the calling thread, and between looks at a job's counter. */
const SLICE = 20;

/** Milliseconds of work on the calling thread that are not worth asking whether copies of the memory would pay. */
const SHORT = 50;

function sharedMemoryAllowed(): boolean {
  const isolated = (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated;
  return typeof SharedArrayBuffer !== "undefined" && isolated !== false;
}

/** The core to run and its level, inlined or brought along. @throws TypeError, RangeError, DataSourceError */
async function loadCore(options: RuntimeOptions, shared: boolean): Promise<[FeatureLevel, WebAssembly.Module]> {
  const { level } = options;
  if (level !== undefined) checkChoice("level", level, ["scalar", "simd", "relaxed"]);
  if (options.module === undefined && level === "scalar")
    throw new RangeError(
      'level: expected "simd" | "relaxed", got "scalar" without its module: it is the tests\' reference',
    );
  const compile = (bytes: Uint8Array<ArrayBuffer>) => WebAssembly.compile(shared ? bytes : unshared(bytes));
  if (options.module === undefined) {
    const inlined = await coreBytes(level);
    return [inlined.level, await compile(inlined.bytes)];
  }
  const source = await options.module;
  if (source instanceof WebAssembly.Module) {
    if (shared) return [level ?? "simd", source];
    throw new UnsupportedEngineError("module: a compiled one needs shared memory, which this page has not: pass bytes");
  }
  if (!isByteSource(source))
    throw new TypeError(`module: expected a WebAssembly.Module or what holds its bytes, got ${describe(source)}`);
  const bytes = new Uint8Array(await bytesOf(source, { name: "module" }));
  const broken = (error: unknown) => {
    throw new RangeError(`module: expected the core's WebAssembly, got ${bytes.length} bytes that are not (${error})`);
  };
  return [level ?? "simd", await compile(bytes).catch(broken)];
}

function checkWorker(worker: unknown): WorkerSource | undefined {
  if (worker === undefined || typeof worker === "string" || typeof worker === "function" || worker instanceof URL)
    return worker as WorkerSource | undefined;
  throw new TypeError(`worker: expected an address, or a function that starts a worker, got ${describe(worker)}`);
}

const CLOSED = "runtime: it was closed";

const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

export class Runtime {
  private threadPool: Promise<readonly Thread[]> | undefined;
  private queue: Promise<unknown> = Promise.resolve();
  private closed = false;
  /** Milliseconds a chunk took when a job was last done, by name. */
  private readonly paces = new Map<string, number>();
  private copies: Promise<Copies | undefined> | undefined;

  private constructor(
    readonly level: FeatureLevel,
    private threadCount: number,
    readonly memory: LinearMemory,
    /** The calling thread's own instance, for short work. */
    readonly core: CoreExports,
    private readonly module: WebAssembly.Module,
    private readonly worker: WorkerSource | undefined,
    private readonly isShared: boolean,
    /** Pointer to the calling thread's scratch. */
    private readonly scratch: number,
    /** Whether a number of threads was asked for: then it is an error to have none. */
    private readonly insists: boolean,
  ) {}

  /**
   * Worker threads: they share the core's memory, or, where it may not be shared, work on copies when a job is long enough
   * to be worth it. 0 where a page's policy refuses those that nobody asked for, or any with copies.
   */
  get threads(): number {
    return this.threadCount;
  }

  /** Threads that share the memory, as jobs need whose threads wait for one another: `threads`, or 0. */
  get sharedThreads(): number {
    return this.isShared ? this.threadCount : 0;
  }

  /**
   * @throws TypeError, RangeError for bad options; UnsupportedEngineError where no level runs; DataSourceError when a
   * module can not be read
   */
  static async create(options: RuntimeOptions = {}): Promise<Runtime> {
    checkObject("options", options);
    const shared = sharedMemoryAllowed();
    const asked = checkNumber("threads", options.threads ?? availableThreads(), { min: 0, max: 64, integer: true });
    const budget = checkNumber("memory", options.memory ?? 4 * GIB, { min: 8 * 2 ** 20, max: 4 * GIB });
    const worker = checkWorker(options.worker);
    const [level, module] = await loadCore(options, shared);
    const memory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MOST_PAGES, shared });
    const core = instantiateCore(module, memory);
    // The module's constants end below its first page; the allocator starts behind it.
    const linear = new LinearMemory(memory, 65536, budget);
    const insists = options.threads !== undefined || worker !== undefined;
    const scratch = linear.allocate(SCRATCH_BYTES, "scratch", true);
    core.setScratch?.(scratch);
    const runtime = new Runtime(level, asked, linear, core, module, worker, shared, scratch, insists);
    // Only a page refuses threads: looked at before work is cut for their number.
    if (shared && !insists && hasPolicies()) await runtime.startThreads();
    return runtime;
  }

  /** A scope for allocations that end together. @internal */
  scope(): Scope {
    return new Scope(this.memory);
  }

  /** An export of the core, for short work on the calling thread. */
  call(name: string, ...args: (number | bigint)[]): number {
    const job = this.core[name];
    if (job === undefined) throw new Error(`core: no export ${name}`);
    return job(...args);
  }

  /**
   * Runs `core[name](chunk, ...args)` for every chunk in [0, chunks) on all threads. Chunks write disjoint words, so
   * the result does not depend on the number of threads. Jobs of one runtime run one after another.
   */
  run(name: string, chunks: number, args: readonly number[], work: WorkOptions = {}, stage = name): Promise<void> {
    const job = this.queue.then(() => this.runNow(name, chunks, args, work, stage));
    this.queue = job.catch(() => {});
    return job;
  }

  private async runNow(
    name: string,
    chunks: number,
    args: readonly number[],
    { signal, onProgress }: WorkOptions,
    stage: string,
  ): Promise<void> {
    if (this.closed) throw new Error(CLOSED);
    signal?.throwIfAborted();
    onProgress?.({ stage, done: 0, total: chunks });
    const threads = this.isShared ? await this.startThreads() : [];
    if (threads.length > 0) await this.runThreads(threads, name, chunks, args, { signal, onProgress }, stage);
    else {
      const job = { name, chunks, args, stage };
      const done = await this.runHere({ ...job, first: 0 }, { signal, onProgress }, !this.isShared && this.threads > 0);
      const first = done < chunks ? await this.runApart({ ...job, first: done }, { signal, onProgress }) : chunks;
      await this.runHere({ ...job, first }, { signal, onProgress }, false);
    }
    signal?.throwIfAborted();
    onProgress?.({ stage, done: chunks, total: chunks });
  }

  /** Runs a job on the calling thread, or its beginning if it is long and `mayStop`; gives the first chunk not done. */
  private async runHere(
    { name, first, chunks, args, stage }: Parted,
    { signal, onProgress }: WorkOptions,
    mayStop: boolean,
  ): Promise<number> {
    let spent = 0;
    for (let chunk = first; chunk < chunks; ) {
      const left = chunks - chunk;
      if (mayStop && left > 1 && (this.paces.get(name) ?? 0) * left > SHORT) return chunk;
      const begun = performance.now();
      let now = begun;
      for (; chunk < chunks && now - begun < SLICE; now = performance.now()) this.call(name, chunk++, ...args);
      spent += now - begun;
      this.paces.set(name, spent / (chunk - first));
      if (chunk === chunks) break;
      onProgress?.({ stage, done: chunk, total: chunks });
      await pause();
      signal?.throwIfAborted();
    }
    return chunks;
  }

  /** Runs a job on threads with copies of the memory, if that pays; gives the first chunk not done. */
  private async runApart(job: Parted, work: WorkOptions): Promise<number> {
    const { memory, paces, scratch, module, worker } = this;
    this.copies ??= import("./transfers.js").then(
      ({ Copies }) => new Copies({ memory, paces, scratch, module, worker, threads: this.threadCount }),
      () => undefined,
    );
    const copies = await this.copies;
    if (this.closed) throw new Error(CLOSED);
    const first = await copies?.run(job, work);
    if (this.closed) throw new Error(CLOSED);
    this.threadCount = copies?.threads ?? 0;
    return first ?? job.first;
  }

  private async runThreads(
    threads: readonly Thread[],
    name: string,
    chunks: number,
    args: readonly number[],
    { signal, onProgress }: WorkOptions,
    stage: string,
  ): Promise<void> {
    const counter = this.memory.allocate(4);
    const taken = () => new Int32Array(this.memory.memory.buffer, counter, 1);
    Atomics.store(taken(), 0, 0);
    const stop = () => Atomics.store(taken(), 0, 2 ** 30);
    signal?.addEventListener("abort", stop, { once: true });
    if (signal?.aborted) stop();
    let failure: { readonly error: unknown } | undefined;
    const report = () => {
      try {
        onProgress?.({ stage, done: Math.min(Atomics.load(taken(), 0), chunks), total: chunks });
      } catch (error) {
        // Thrown out of a timer it would end the process; here it ends the job.
        failure ??= { error };
        stop();
      }
    };
    const timer = onProgress === undefined ? undefined : setInterval(report, 5 * SLICE);
    const workers = threads.slice(0, Math.max(1, Math.min(threads.length, chunks)));
    const bytes = this.memory.memory.buffer.byteLength;
    try {
      for (const worker of workers) worker.idle(false);
      const results = await Promise.allSettled(
        workers.map((worker) => worker.send({ kind: "job", name, args, counter, chunks, bytes })),
      );
      for (const result of results) if (result.status === "rejected") throw result.reason;
      if (failure !== undefined) throw failure.error;
    } finally {
      for (const worker of workers) worker.idle(true);
      clearInterval(timer);
      signal?.removeEventListener("abort", stop);
      this.memory.release(counter);
    }
  }

  /** The threads; none where there are none, or where the page refuses those that nobody asked for. */
  private startThreads(): Promise<readonly Thread[]> {
    this.threadPool ??= this.openThreads().catch((error) => {
      if (this.insists || this.closed) throw error;
      this.threadCount = 0;
      return [];
    });
    return this.threadPool;
  }

  private async openThreads(): Promise<readonly Thread[]> {
    const { module } = this;
    const { memory } = this.memory;
    const threads: Thread[] = [];
    try {
      for (let index = 0; index < this.threads; index++) threads.push(startThread(this.worker));
      await Promise.all(
        threads.map((thread, index) => {
          thread.idle(false);
          const scratch = this.memory.allocate(SCRATCH_BYTES);
          return thread.send({ kind: "start", module, memory, scratch, thread: index });
        }),
      );
    } catch (error) {
      terminate(threads);
      throw error;
    }
    for (const thread of threads) thread.idle(true);
    return threads;
  }

  /** Ends the threads. Running work is lost; the runtime can not be used again. */
  async close(): Promise<void> {
    this.closed = true;
    terminate((await this.threadPool?.catch(() => [])) ?? []);
    (await this.copies)?.close();
  }
}

let shared: Promise<Runtime> | undefined;

/** Makes a runtime of these options the default one: for a module, a worker or a number of threads of one's own. */
export async function init(options: RuntimeOptions = {}): Promise<Runtime> {
  const runtime = await Runtime.create(options);
  setDefaultRuntime(runtime);
  return runtime;
}

/** The runtime that work without an explicit one uses. Made on first use with the options of setDefaultRuntime. */
export function defaultRuntime(): Promise<Runtime> {
  shared ??= Runtime.create();
  return shared;
}

/** Makes `runtime` the default one. */
export function setDefaultRuntime(runtime: Runtime): void {
  shared = Promise.resolve(runtime);
}

/** The runtime of these options, or the default one. */
export async function runtimeOf(options: WorkOptions): Promise<Runtime> {
  const { runtime, signal, onProgress } = checkObject("options", options) as WorkOptions;
  if (runtime !== undefined && !(runtime instanceof Runtime))
    throw new TypeError(`runtime: expected a Runtime, got ${describe(runtime)}`);
  if (signal !== undefined && typeof (signal as AbortSignal | null)?.throwIfAborted !== "function")
    throw new TypeError(`signal: expected an AbortSignal, got ${describe(signal)}`);
  if (onProgress !== undefined && typeof onProgress !== "function")
    throw new TypeError(`onProgress: expected a function, got ${describe(onProgress)}`);
  return runtime ?? defaultRuntime();
}
