// The page's side of a worker: calls its functions by name, with progress and a signal that stops them. The main thread
// itself never computes. Not here: the worker's side (worker.ts).
import type { Answer, Message, Progress, Work } from "./worker.js";

export interface CallOptions {
  /** Stops the call: it rejects at once with the signal's reason, and the worker is told. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Buffers in the arguments that move to the worker. */
  readonly transfer?: Transferable[] | undefined;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly onProgress: ((progress: Progress) => void) | undefined;
}

/** An error that a worker's function ended with; `name` is that of the SDK's class. */
export class WorkError extends Error {
  constructor(
    override readonly name: string,
    message: string,
  ) {
    super(message);
  }
}

const LOST = "the worker did not start: reload the page, in a browser of 2023 or later";

function startWorker(url: URL): Worker {
  if (url.origin === location.origin) return new Worker(url, { type: "module" });
  // A page of another origin that embeds an element: workers start from the page's own origin only.
  const program = new Blob([`import ${JSON.stringify(url.href)};`], { type: "text/javascript" });
  const own = URL.createObjectURL(program);
  return new Worker(own, { type: "module" });
}

/** A module worker at `url`, which serve()s functions of type W; it starts with the first call. */
export class WorkerClient<W extends Work> {
  private worker: Worker | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private last = 0;

  constructor(private readonly url: URL) {}

  /** The answer of function `name`. @throws WorkError with the SDK's message, the signal's reason */
  call<K extends keyof W & string>(
    name: K,
    args: Parameters<W[K]>[0],
    options: CallOptions = {},
  ): Promise<Awaited<ReturnType<W[K]>>> {
    const { signal, onProgress, transfer = [] } = options;
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const worker = this.start();
      const id = ++this.last;
      const stop = () => {
        this.waiting.delete(id);
        worker.postMessage({ cancel: id } satisfies Message);
        reject(signal?.reason);
      };
      const settle = () => signal?.removeEventListener("abort", stop);
      signal?.addEventListener("abort", stop, { once: true });
      this.waiting.set(id, {
        resolve: (result) => {
          settle();
          resolve(result as Awaited<ReturnType<W[K]>>);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
        onProgress,
      });
      worker.postMessage({ id, name, args } satisfies Message, transfer);
    });
  }

  private start(): Worker {
    if (this.worker !== undefined) return this.worker;
    const worker = startWorker(this.url);
    worker.onmessage = ({ data }: MessageEvent<Answer>) => this.answer(data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.close(new WorkError("Error", event.message || LOST));
    };
    this.worker = worker;
    return worker;
  }

  private answer(answer: Answer): void {
    const waiting = this.waiting.get(answer.id);
    if (waiting === undefined) return;
    if ("progress" in answer) {
      waiting.onProgress?.(answer.progress);
      return;
    }
    this.waiting.delete(answer.id);
    if ("error" in answer) waiting.reject(new WorkError(answer.error.name, answer.error.message));
    else waiting.resolve(answer.result);
  }

  /** Ends the worker; calls under way reject with `reason`. A later call starts a new one. */
  close(reason: unknown = new DOMException("the page left", "AbortError")): void {
    this.worker?.terminate();
    this.worker = undefined;
    for (const { reject } of this.waiting.values()) reject(reason);
    this.waiting.clear();
  }
}
