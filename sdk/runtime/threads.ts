// One worker thread in whichever runtime this is: Node's worker_threads, or the Worker of browsers, Deno and Bun.
// Not here: what threads do (worker.ts).
import workerSource from "./generated/worker-source.js";
import { builtin } from "./host.js";
import type { DoneMessage, Message } from "./worker.js";

export interface Thread {
  /** Sends a message; resolves when the thread has done what it asks. One message at a time. */
  send(message: Message, transfer?: ArrayBuffer[]): Promise<DoneMessage>;
  /** Lets the process end while this thread waits. */
  idle(isIdle: boolean): void;
  terminate(): void;
}

type NodeWorkers = typeof import("node:worker_threads");

/** Processors that this process may use. */
export function availableThreads(): number {
  // Deno may ask for leave to look at the system, but not for this number.
  const own = globalThis.navigator?.hardwareConcurrency;
  return own ?? builtin<typeof import("node:os")>("node:os")?.availableParallelism?.() ?? 1;
}

interface Waiting {
  resolve: (done: DoneMessage) => void;
  reject: (error: Error) => void;
}

const ENDED = "runtime: it was closed while it worked";
const REFUSED =
  "it could not start; a page's policy has to allow \"worker-src blob:\", or give the address of ntkit's workers.js as " +
  "{ worker }, or choose { threads: 0 }";

/** Pairs each message sent with the one answer that follows. */
class Conversation {
  private waiting: Waiting | undefined;
  private over = false;

  ask(post: () => void): Promise<DoneMessage> {
    return new Promise((resolve, reject) => {
      if (this.over) throw new Error(ENDED);
      this.waiting = { resolve, reject };
      post();
    });
  }

  answer(done: DoneMessage): void {
    const waiting = this.waiting;
    this.waiting = undefined;
    if (done.error === undefined) waiting?.resolve(done);
    else waiting?.reject(new Error(`worker thread: ${done.error}`));
  }

  /** No answer will come any more: what waits for one is told so. */
  end(): void {
    this.over = true;
    this.waiting?.reject(new Error(ENDED));
    this.waiting = undefined;
  }
}

/**
 * Where threads get their program: the address of a copy of the package's workers.js, or a function that starts a worker
 * with it (`() => new Worker(new URL("ntkit/workers", import.meta.url))`, which bundlers know).
 */
export type WorkerSource = string | URL | (() => Worker);

type NodeWorker = InstanceType<NodeWorkers["Worker"]>;

function nodeThread(worker: NodeWorker): Thread {
  const conversation = new Conversation();
  worker.on("message", (message: DoneMessage) => conversation.answer(message));
  worker.on("error", (error) => conversation.answer({ error: String(error) }));
  worker.unref();
  return {
    send: (message, transfer = []) => conversation.ask(() => worker.postMessage(message, transfer)),
    idle: (isIdle) => (isIdle ? worker.unref() : worker.ref()),
    terminate: () => {
      void worker.terminate();
      conversation.end();
    },
  };
}

function webThread(worker: Worker, end: () => void): Thread {
  const conversation = new Conversation();
  worker.onmessage = (event: MessageEvent<DoneMessage>) => conversation.answer(event.data);
  // A program that was not let in (by a page's policy) fails without a message.
  worker.onerror = (event) => conversation.answer({ error: event.message || REFUSED });
  worker.onmessageerror = () => conversation.answer({ error: "a message could not be read" });
  return {
    send: (message, transfer = []) => conversation.ask(() => worker.postMessage(message, transfer)),
    idle: () => {},
    terminate: () => {
      worker.terminate();
      conversation.end();
      end();
    },
  };
}

export function terminate(threads: readonly Thread[]): void {
  for (const thread of threads) thread.terminate();
}

/** Whether this is a page, or a worker of one, that may be forbidden to start threads. */
export const hasPolicies = () => builtin("node:worker_threads") === undefined;

/** Starts a thread, with the program that shares unless another one is given; throws where the runtime has none or forbids it (a page's policy, say). */
export function startThread(source?: WorkerSource, program = workerSource): Thread {
  if (typeof source === "function") return webThread(source(), () => {});
  const nodeWorkers = builtin<NodeWorkers>("node:worker_threads");
  if (nodeWorkers !== undefined) {
    const options = { eval: source === undefined, name: "ntkit" };
    return nodeThread(new nodeWorkers.Worker(source ?? program, options));
  }
  if (source !== undefined) return webThread(new Worker(source, { name: "ntkit" }), () => {});
  const url = URL.createObjectURL(new Blob([program], { type: "text/javascript" }));
  return webThread(new Worker(url, { name: "ntkit" }), () => URL.revokeObjectURL(url));
}
