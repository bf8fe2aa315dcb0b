// Threads that may share no memory: for a job each is sent what of the memory is in use, works off portions of the chunks
// on its copy, and gives back the words that changed. Chunks write disjoint words, so the bits are those of one thread,
// and where chunks run is free: the time that they took decides. Loaded with the first long job. Not here: the threads'
// side (worker-copies.ts), and threads that share (runtime.ts).
import program from "./generated/copies-source.js";
import type { LinearMemory } from "./memory.js";
import type { WorkOptions } from "./runtime.js";
import { startThread, type Thread, terminate, type WorkerSource } from "./threads.js";
import type { Stretch } from "./worker.js";

/** Milliseconds of work that make a thread worth sending a copy to, and as many more for each of the copy's bytes. */
const WORTH = 50;
const WORTH_BYTE = 1e-5;

/** Bytes that a thread holds for each byte of its copy: its own, what it was sent, at most two for what changed. */
const HELD = 4;

/** Milliseconds of a portion, so that progress is heard of and no thread is left waiting long for another. */
const PORTION = 100;

/** A job: chunks [first, chunks) of an export of the core. */
export interface Parted {
  readonly name: string;
  readonly args: readonly number[];
  readonly first: number;
  readonly chunks: number;
  readonly stage: string;
}

/** What the copies are of, and where they come from. */
export interface Home {
  readonly memory: LinearMemory;
  /** Milliseconds a chunk of a job took when it was last done, by name. */
  readonly paces: Map<string, number>;
  /** Pointer to the calling thread's scratch: each thread has its own at the same place of its memory. */
  readonly scratch: number;
  readonly module: WebAssembly.Module;
  readonly worker: WorkerSource | undefined;
  readonly threads: number;
}

const sizeOf = (stretches: readonly Stretch[]) => stretches.reduce((sum, [, bytes]) => sum + bytes, 0);

/** What jobs may read and write, in order and joined: all that is handed out but work memory. */
function contentsOf({ used, work }: LinearMemory): Stretch[] {
  const joined: [number, number][] = [];
  for (const [start, bytes] of [...used].sort(([a], [b]) => a - b)) {
    const last = joined.at(-1);
    if (work.has(start)) continue;
    if (last !== undefined && last[0] + last[1] === start) last[1] += bytes;
    else joined.push([start, bytes]);
  }
  return joined;
}

function copyOf(memory: LinearMemory, stretches: readonly Stretch[]): ArrayBuffer {
  const copy = new Uint8Array(sizeOf(stretches));
  let at = 0;
  for (const [start, bytes] of stretches) {
    copy.set(memory.u8(start, bytes), at);
    at += bytes;
  }
  return copy.buffer;
}

function write(memory: LinearMemory, changes: Int32Array): void {
  const words = memory.i32(0, memory.memory.buffer.byteLength / 4);
  for (let k = 0; k < changes.length; k += 2) words[changes[k]!] = changes[k + 1]!;
}

/** What `promise` resolves to; the signal's reason as soon as it fires. */
async function unlessStopped<T>(signal: AbortSignal | undefined, promise: Promise<T>): Promise<T> {
  let stop = () => {};
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(signal?.reason);
    signal?.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([promise, stopped]);
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

export class Copies {
  /** 0 once they were refused, or once there was no room for what they need. */
  threads: number;
  private pool: Promise<readonly Thread[]> | undefined;
  private isBusy = false;

  constructor(private readonly home: Home) {
    this.threads = home.threads;
    home.memory.giveBack = () => {
      if (!this.isBusy) this.close();
    };
  }

  /**
   * Does a job, if that pays; gives the first chunk not done. @throws what a thread throws and the signal's reason, at
   * once: the threads are ended in the midst of their chunks, and nobody sees what they leave
   */
  async run(job: Parted, work: WorkOptions): Promise<number> {
    const stretches = contentsOf(this.home.memory);
    const crew = this.crew(job, sizeOf(stretches));
    if (crew === 0) return job.first;
    this.isBusy = true;
    try {
      this.pool ??= this.open();
      const threads = (await this.pool).slice(0, crew);
      work.signal?.throwIfAborted();
      if (threads.length > 0 && (await this.send(threads, stretches, work))) {
        await this.deal(threads, job, work);
        return job.chunks;
      }
      this.threads = 0;
      this.close();
      return job.first;
    } catch (error) {
      this.close();
      work.signal?.throwIfAborted();
      throw error;
    } finally {
      this.isBusy = false;
    }
  }

  /** How many threads the job is worth copies of so many bytes for; 0: so few that nothing is gained. */
  private crew({ name, first, chunks }: Parted, bytes: number): number {
    const { memory, paces } = this.home;
    const worth = ((paces.get(name) ?? 0) * (chunks - first)) / (WORTH + WORTH_BYTE * bytes);
    const afforded = (memory.budget - memory.bytesInUse) / (HELD * bytes);
    const crew = Math.floor(Math.min(this.threads, chunks - first, worth, afforded));
    return crew < Math.min(2, this.threads) ? 0 : crew;
  }

  /** The threads, started; none where they are refused. */
  private async open(): Promise<readonly Thread[]> {
    const { scratch, module, worker } = this.home;
    const threads: Thread[] = [];
    try {
      for (let k = 0; k < this.threads; k++) threads.push(startThread(worker, program));
      await Promise.all(
        threads.map((each, thread) => {
          each.idle(false);
          return each.send({ kind: "start", module, memory: undefined, scratch, thread });
        }),
      );
    } catch {
      terminate(threads);
      return [];
    }
    for (const thread of threads) thread.idle(true);
    return threads;
  }

  /** Sends each thread its copy; false where there is no room for them. */
  private async send(threads: readonly Thread[], stretches: readonly Stretch[], work: WorkOptions): Promise<boolean> {
    const { memory } = this.home;
    const bytes = memory.memory.buffer.byteLength;
    memory.copies = Math.max(memory.copies, HELD * sizeOf(stretches) * threads.length);
    const each = threads.map(async (thread) => {
      thread.idle(false);
      const copy = copyOf(memory, stretches);
      await thread.send({ kind: "copy", stretches, copy, bytes }, [copy]);
      return true;
    });
    const all = Promise.all(each).catch(() => [false]);
    return (await unlessStopped(work.signal, all)).every((sent) => sent);
  }

  /** Deals the chunks out in portions, and writes back what they changed. */
  private async deal(
    threads: readonly Thread[],
    { name, args, first, chunks, stage }: Parted,
    { signal, onProgress }: WorkOptions,
  ): Promise<void> {
    const { memory, paces } = this.home;
    let [next, done, spent] = [first, first, 0];
    const pace = () => (done > first ? spent / (done - first) : (paces.get(name) ?? 0));
    const each = threads.map(async (thread) => {
      while (next < chunks) {
        const fair = Math.ceil((chunks - next) / (2 * threads.length));
        const [from, to] = [next, next + Math.max(1, Math.min(fair, Math.floor(PORTION / pace())))];
        next = to;
        const begun = performance.now();
        await thread.send({ kind: "part", name, args, from, to });
        spent += performance.now() - begun;
        done += to - from;
        onProgress?.({ stage, done, total: chunks });
      }
      const { changes } = await thread.send({ kind: "collect" });
      if (changes !== undefined) write(memory, changes);
      thread.idle(true);
    });
    await unlessStopped(signal, Promise.all(each));
    paces.set(name, pace());
  }

  /** Ends the threads; the next long job starts others. */
  close(): void {
    void this.pool?.then(terminate);
    this.pool = undefined;
    this.home.memory.copies = 0;
  }
}
