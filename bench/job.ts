// What a benchmark job is: work that is prepared, timed and then checked, and the peers it is compared with. Not here:
// the jobs (jobs/), the process they run in (child.ts) and the comparison (compare.ts).
import type { Runtime } from "ntkit";

/** Numbers that show whether an answer is right. */
export type Figures = Readonly<Record<string, number>>;

/** What a job is run with, in a process of its own. */
export interface Context {
  readonly runtime: Runtime;
  /** Only the first n training images; undefined: all. */
  readonly n: number | undefined;
  /** A folder for files that a job leaves to its later rounds and to its peers. */
  readonly scratch: string;
}

/** Verdict on an answer. Computed outside the timed part. */
export interface Check {
  readonly ok: boolean;
  readonly figures: Figures;
}

/** A figure of ours and one of the peer's that must agree, within a relative difference. */
export interface Agreement {
  readonly ours: string;
  readonly peer: string;
  readonly within: number;
}

/** One line of JSON that a peer prints. */
export type PeerOutput = Readonly<Record<string, unknown>> & { readonly seconds: number; readonly peak_bytes: number };

export interface Peer {
  /** The script in bench/peers, without its ending, or the name of `job`. */
  readonly script: string;
  /** Instead of a script: a job that does the same by other means, in a process of its own like ours. */
  readonly job?: Job;
  readonly what: string;
  /** Ratio of our seconds to the peer's that is asked for. */
  readonly ratioAsked: number;
  readonly arguments?: (scratch: string) => readonly string[];
  /** Takes minutes: one round unless rounds are asked for. */
  readonly slow?: boolean;
  readonly agreements?: readonly Agreement[];
  /** What its output says of its answer, in a few words. */
  readonly says: (output: PeerOutput) => string;
}

export interface JobDescription {
  readonly name: string;
  readonly what: string;
  /** Why it takes the time it takes, for the report. */
  readonly why: string;
  readonly peers: readonly Peer[];
  /** Needs what not every machine has: left out unless it is named. */
  readonly onRequest?: boolean;
  /** What figures of check() say, in a few words. */
  readonly says: (figures: Figures) => string;
  /** Writes files that rounds and peers share, once, in a process of its own. */
  readonly provide?: (context: Context) => Promise<void>;
}

export interface JobDefinition<Prepared, Result> extends JobDescription {
  /** Everything that the timed part starts from. */
  prepare(context: Context): Promise<Prepared>;
  /** The timed part. */
  run(prepared: Prepared, context: Context): Promise<Result>;
  check(prepared: Prepared, result: Result, context: Context): Promise<Check>;
  /** Parts of prepare() that users pay too and peers do not time either. */
  aside?(prepared: Prepared): Figures;
}

export interface Measurement {
  readonly seconds: number;
  /** Seconds of named parts outside `seconds`. */
  readonly aside: Figures;
  readonly check: Check;
}

export interface Job extends JobDescription {
  measure(context: Context): Promise<Measurement>;
}

/** A job of these parts; its own types stay inside. */
export function defineJob<Prepared, Result>(definition: JobDefinition<Prepared, Result>): Job {
  return {
    ...definition,
    async measure(context) {
      const prepared = await definition.prepare(context);
      const start = performance.now();
      const result = await definition.run(prepared, context);
      const seconds = (performance.now() - start) / 1000;
      const check = await definition.check(prepared, result, context);
      return { seconds, aside: definition.aside?.(prepared) ?? {}, check };
    },
  };
}
