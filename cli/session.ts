// What a command works with: a runtime with the threads and memory asked for, progress, and Ctrl-C. The first Ctrl-C
// asks the work to stop, the second ends the process. Not here: what becomes of unfinished work (each command's file).
import { Runtime, type WorkOptions } from "ntkit";
import { exitCodeOf, Interrupted, STOP_SIGNALS, type StopSignal } from "./errors.js";
import type { CommonOptions } from "./options.js";
import { ProgressLine } from "./progress.js";

export interface Session {
  readonly runtime: Runtime;
  readonly progress: ProgressLine;
  readonly signal: AbortSignal;
  /** For the SDK's functions that take a while. */
  readonly work: WorkOptions;
}

/** Runs `body` with a session, and ends it whatever happens. */
export async function withSession<T>(options: CommonOptions, body: (session: Session) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const progress = new ProgressLine(process.stderr, options.quiet !== true);
  const stop = (name: StopSignal) => {
    if (controller.signal.aborted) {
      progress.clear();
      process.exit(exitCodeOf(name));
    }
    controller.abort(new Interrupted(name));
  };
  for (const name of STOP_SIGNALS) process.on(name, stop);
  let runtime: Runtime | undefined;
  try {
    runtime = await Runtime.create({ threads: options.threads, memory: options.memory });
    const { signal } = controller;
    return await body({ runtime, progress, signal, work: { runtime, signal, onProgress: progress.report } });
  } finally {
    progress.clear();
    await runtime?.close();
    for (const name of STOP_SIGNALS) process.off(name, stop);
  }
}
