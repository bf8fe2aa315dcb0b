// One worker thread in whichever runtime this is: Node's worker_threads, or the Worker of browsers, Deno and Bun.
// Not here: what threads do (pool.ts).
import workerSource from "./generated/worker-source.js";
import { builtin } from "./host.js";
import type { DoneMessage, JobMessage, StartMessage } from "./worker.js";

export interface Thread {
  /** Sends a message; resolves when the thread has done what it asks. One message at a time. */
  send(message: StartMessage | JobMessage): Promise<void>;
  /** Lets the process end while this thread waits. */
  idle(isIdle: boolean): void;
  terminate(): void;
}

type NodeWorkers = typeof import("node:worker_threads");

/** Processors that this process may use. */
export function availableThreads(): number {
  const os = builtin<typeof import("node:os")>("node:os");
  return os?.availableParallelism?.() ?? globalThis.navigator?.hardwareConcurrency ?? 1;
}

interface Waiting {
  resolve: () => void;
  reject: (error: Error) => void;
}

const ENDED = "runtime: it was closed while it worked";
const REFUSED = 'it could not start; a page\'s policy has to allow "worker-src blob:", or choose { threads: 0 }';

/** Pairs each message sent with the one answer that follows. */
class Conversation {
  private waiting: Waiting | undefined;
  private over = false;

  ask(post: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.over) throw new Error(ENDED);
      this.waiting = { resolve, reject };
      post();
    });
  }

  answer({ error }: DoneMessage): void {
    const waiting = this.waiting;
    this.waiting = undefined;
    if (error === undefined) waiting?.resolve();
    else waiting?.reject(new Error(`worker thread: ${error}`));
  }

  /** No answer will come any more: what waits for one is told so. */
  end(): void {
    this.over = true;
    this.waiting?.reject(new Error(ENDED));
    this.waiting = undefined;
  }
}

/** Starts a thread; throws where the runtime has none or forbids it (a page's policy, say). */
export function startThread(): Thread {
  const conversation = new Conversation();
  const nodeWorkers = builtin<NodeWorkers>("node:worker_threads");
  if (nodeWorkers !== undefined) {
    const worker = new nodeWorkers.Worker(workerSource, { eval: true, name: "ntkit" });
    worker.on("message", (message: DoneMessage) => conversation.answer(message));
    worker.on("error", (error) => conversation.answer({ error: String(error) }));
    worker.unref();
    return {
      send: (message) => conversation.ask(() => worker.postMessage(message)),
      idle: (isIdle) => (isIdle ? worker.unref() : worker.ref()),
      terminate: () => {
        void worker.terminate();
        conversation.end();
      },
    };
  }
  const url = URL.createObjectURL(new Blob([workerSource], { type: "text/javascript" }));
  const worker = new Worker(url, { name: "ntkit" });
  worker.onmessage = (event: MessageEvent<DoneMessage>) => conversation.answer(event.data);
  // A program that was not let in (by a page's policy) fails without a message.
  worker.onerror = (event) => conversation.answer({ error: event.message || REFUSED });
  worker.onmessageerror = () => conversation.answer({ error: "a message could not be read" });
  return {
    send: (message) => conversation.ask(() => worker.postMessage(message)),
    idle: () => {},
    terminate: () => {
      worker.terminate();
      conversation.end();
      URL.revokeObjectURL(url);
    },
  };
}
