// The program of a worker thread: an instance of the core on the shared memory, taking chunks of a job from a counter
// until none is left. Bundled into one string by the build. Not here: which jobs exist (assembly/index.ts).
import { instantiateSync } from "@assemblyscript/loader";
import { builtin } from "./host.js";

export interface StartMessage {
  readonly kind: "start";
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
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

export interface DoneMessage {
  readonly error?: string;
}

interface Port {
  postMessage(message: DoneMessage): void;
}

type Exports = Record<string, (...args: number[]) => number>;

let exports: Exports | undefined;
let memory: WebAssembly.Memory | undefined;

function receive(message: StartMessage | JobMessage, port: Port): void {
  try {
    if (message.kind === "start") {
      memory = message.memory;
      exports = instantiateSync(message.module, { env: { memory }, host: { now: () => performance.now() } })
        .exports as unknown as Exports;
      exports.setScratch?.(message.scratch);
      exports.setThread?.(message.thread);
    } else work(message);
    port.postMessage({});
  } catch (error) {
    port.postMessage({ error: String((error as Error)?.stack ?? error) });
  }
}

function work({ name, args, counter, chunks, bytes }: JobMessage): void {
  const job = exports?.[name];
  if (job === undefined || memory === undefined) throw new Error(`worker: no job ${name}`);
  // Deno does not tell a thread that another one let the memory grow; growing by nothing makes it look.
  if (memory.buffer.byteLength < bytes) memory.grow(0);
  const taken = new Int32Array(memory.buffer, counter, 1);
  for (let chunk = Atomics.add(taken, 0, 1); chunk < chunks; chunk = Atomics.add(taken, 0, 1)) job(chunk, ...args);
}

type NodePort = Port & { on(event: "message", listener: (message: StartMessage | JobMessage) => void): void };

const nodePort = builtin<{ parentPort: NodePort | null }>("node:worker_threads")?.parentPort;

if (nodePort) nodePort.on("message", (message) => receive(message, nodePort));
else {
  const scope = globalThis as unknown as Port & { onmessage: (event: { data: StartMessage | JobMessage }) => void };
  scope.onmessage = (event) => receive(event.data, scope);
}
