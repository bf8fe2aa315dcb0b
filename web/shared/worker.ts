// The worker's side of a page: answers calls by name with functions over the SDK. Each demo has a worker of its own, so
// that a page downloads no more than it computes with. Not here: the page's side (worker-client.ts).

/** How far long work is: what the SDK reports. */
export interface Progress {
  readonly stage: string;
  readonly done: number;
  readonly total: number;
}

/** What every function is handed beside its arguments. */
export interface Call {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

/** A function that a worker offers: plain data in, plain data out. */
// biome-ignore lint/suspicious/noExplicitAny: arguments are checked where a function is called by its name
export type Work = Readonly<Record<string, (args: any, call: Call) => Promise<unknown>>>;

export interface Request {
  readonly id: number;
  readonly name: string;
  readonly args: unknown;
}

export type Message = Request | { readonly cancel: number };

export type Answer =
  | { readonly id: number; readonly progress: Progress }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: { readonly name: string; readonly message: string } };

const post = (answer: Answer, transfer: Transferable[] = []) =>
  (globalThis as unknown as { postMessage(message: Answer, transfer: Transferable[]): void }).postMessage(
    answer,
    transfer,
  );

/** Buffers of typed arrays directly inside `result`, each once: they move instead of being copied. */
function buffersOf(result: unknown): ArrayBuffer[] {
  if (typeof result !== "object" || result === null) return [];
  const arrays = [result, ...Object.values(result)].filter((value) => ArrayBuffer.isView(value));
  return [...new Set(arrays.map((array) => array.buffer))].filter((buffer) => buffer instanceof ArrayBuffer);
}

/** Answers calls of `work`'s functions, and cancels those that the page no longer wants. */
export function serve(work: Work): void {
  const running = new Map<number, AbortController>();
  const answer = async ({ id, name, args }: Request) => {
    const controller = new AbortController();
    running.set(id, controller);
    try {
      const job = work[name];
      if (job === undefined) throw new RangeError(`worker: no function "${name}"`);
      const onProgress = (progress: Progress) => post({ id, progress });
      const result = await job(args, { signal: controller.signal, onProgress });
      post({ id, result }, buffersOf(result));
    } catch (error) {
      const { name: kind = "Error", message = String(error) } = (error ?? {}) as Partial<Error>;
      post({ id, error: { name: kind, message } });
    } finally {
      running.delete(id);
    }
  };
  globalThis.addEventListener("message", ({ data }: MessageEvent<Message>) => {
    if ("cancel" in data) running.get(data.cancel)?.abort();
    else void answer(data);
  });
}
