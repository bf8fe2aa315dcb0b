// What every worker thread does: makes an instance of the core, takes chunks of a job from a counter on the shared memory
// until none is left, and answers each message once. Not here: which jobs exist (assembly/index.ts), the programs
// themselves (worker-shared.ts, worker-copies.ts), and threads without shared memory (the latter).
import { builtin } from "./host.js";

export interface StartMessage {
  readonly kind: "start";
  readonly module: WebAssembly.Module;
  /** Undefined where memory may not be shared: the thread makes its own. */
  readonly memory: WebAssembly.Memory | undefined;
  readonly scratch: number;
  readonly thread: number;
}

export interface JobMessage {
  readonly kind: "job";
  readonly name: string;
  readonly args: readonly number[];
  /** Pointer to the int32 that counts chunks taken. */
  readonly counter: number;
  readonly chunks: number;
  /** Bytes of the shared memory, which may have grown since this thread last looked. */
  readonly bytes: number;
}

/** A stretch of linear memory: where it begins and its length, in bytes, both multiples of 64. */
export type Stretch = readonly [start: number, bytes: number];

/** What a thread without shared memory is to work on. */
export interface CopyMessage {
  readonly kind: "copy";
  readonly stretches: readonly Stretch[];
  /** Their contents, one after another. */
  readonly copy: ArrayBuffer;
  /** Bytes of the whole memory. */
  readonly bytes: number;
}

/** Chunks [from, to) of a job on the copy. */
export interface PartMessage {
  readonly kind: "part";
  readonly name: string;
  readonly args: readonly number[];
  readonly from: number;
  readonly to: number;
}

/** Asks what changed since the copy came. */
export interface CollectMessage {
  readonly kind: "collect";
}

export type Message = StartMessage | JobMessage | CopyMessage | PartMessage | CollectMessage;

/** Words that changed: the place of each, counted in words, and its value. */
export type Changes = Int32Array<ArrayBuffer>;

export interface DoneMessage {
  readonly error?: string;
  readonly changes?: Changes;
}

interface Port {
  postMessage(message: DoneMessage, transfer?: ArrayBuffer[]): void;
}

type NodePort = Port & { on(event: "message", listener: (message: Message) => void): void };
type Exports = Record<string, (...args: number[]) => number>;

let exports: Exports | undefined;
let memory: WebAssembly.Memory | undefined;

/** This thread's memory, once it was started. */
export const memoryHere = () => memory!;

export function jobOf(name: string): (...args: number[]) => number {
  const job = exports?.[name];
  if (job === undefined) throw new Error(`worker: no job ${name}`);
  return job;
}

/** Jobs take and give numbers alone: what the loader knows beside instances would be most of this program. */
function start({ module, scratch, thread, memory: given }: StartMessage): void {
  memory = given ?? new WebAssembly.Memory({ initial: 64, maximum: 65536 });
  const abort = (_message: number, _file: number, line: number, column: number) => {
    throw new Error(`the core gave up at ${line}:${column}`);
  };
  const host = { now: () => performance.now() };
  exports = new WebAssembly.Instance(module, { env: { memory, abort }, host }).exports as Exports;
  exports.setScratch?.(scratch);
  exports.setThread?.(thread);
}

/** Starts, and works on the shared memory. */
export function share(message: Message): undefined {
  if (message.kind === "start") start(message);
  if (message.kind !== "job") return;
  const { name, args, counter, chunks, bytes } = message;
  const job = jobOf(name);
  // Deno does not tell a thread that another one let the memory grow; growing by nothing makes it look.
  if (memory!.buffer.byteLength < bytes) memory!.grow(0);
  const taken = new Int32Array(memory!.buffer, counter, 1);
  for (let chunk = Atomics.add(taken, 0, 1); chunk < chunks; chunk = Atomics.add(taken, 0, 1)) job(chunk, ...args);
}

/** Answers every message with what `act` makes of it. */
export function listen(act: (message: Message) => Changes | undefined): void {
  const receive = (message: Message, port: Port) => {
    try {
      const changes = act(message);
      if (changes === undefined) port.postMessage({});
      else port.postMessage({ changes }, [changes.buffer]);
    } catch (error) {
      port.postMessage({ error: String((error as Error)?.stack ?? error) });
    }
  };
  const nodePort = builtin<{ parentPort: NodePort | null }>("node:worker_threads")?.parentPort;
  if (nodePort) {
    nodePort.on("message", (message) => receive(message, nodePort));
    return;
  }
  const scope = globalThis as unknown as Port & { onmessage: (event: { data: Message }) => void };
  scope.onmessage = (event) => receive(event.data, scope);
}
