// One run of one job in this process, so that start-up, time and peak memory are the job's own. Prints one JSON line.
import { Runtime } from "ntkit";
import type { Job, Measurement } from "./job.js";

/** The line that a child prints. */
export interface Run extends Measurement {
  readonly job: string;
  /** From the start of the process to a runtime that can compute; not in `seconds`. */
  readonly startUpSeconds: number;
  /** Largest resident set of the whole process, the check included. */
  readonly peakBytes: number;
  /** Feature level of the core. */
  readonly level: string;
}

export interface ChildOptions {
  readonly n: number | undefined;
  readonly threads: number;
  readonly scratch: string;
}

/** Runs `job`, or with `provide` writes what its rounds and peers share. */
export async function runChild(job: Job, { n, threads, scratch }: ChildOptions, provide: boolean): Promise<void> {
  const runtime = await Runtime.create({ threads });
  const startUpSeconds = performance.now() / 1000;
  const context = { runtime, n, scratch };
  if (provide) await job.provide?.(context);
  else {
    const measured = await job.measure(context);
    const peakBytes = process.resourceUsage().maxRSS * 1024;
    const run: Run = { job: job.name, ...measured, startUpSeconds, peakBytes, level: runtime.level };
    process.stdout.write(`${JSON.stringify(run)}\n`);
  }
  await runtime.close();
}
