// A job and its peers in turn, A B A B ..., each run in a process of its own, and what comes of it: medians, spreads,
// ratios pair by pair, and whether the answers agree. Not here: how it is shown (results.ts).
import { fileURLToPath } from "node:url";
import type { Run } from "./child.js";
import type { Agreement, Check, Figures, Job, Peer, PeerOutput } from "./job.js";
import { jsonOf, outputOf } from "./process.js";
import { type PeerOptions, type Python, runPeer } from "./python.js";
import { type Spread, spreadOf } from "./statistics.js";

export interface PeerResult {
  readonly script: string;
  readonly what: string;
  readonly asked: number;
  /** Ours over the peer's, of runs that followed each other. */
  readonly ratio: Spread | undefined;
  /** Undefined when there is no ratio. */
  readonly met: boolean | undefined;
  readonly seconds: Spread | undefined;
  readonly peakBytes: number | undefined;
  /** Figures that do not agree with ours, in words; empty when all do. */
  readonly disagreements: readonly string[];
  readonly error: string | undefined;
  readonly runs: readonly PeerOutput[];
}

export interface JobResult {
  readonly name: string;
  readonly what: string;
  readonly seconds: Spread | undefined;
  readonly startUpSeconds: Spread | undefined;
  /** The Gram matrix, where `seconds` begin after it. */
  readonly gramSeconds: Spread | undefined;
  readonly peakBytes: number | undefined;
  /** Undefined when no run came to its end. */
  readonly check: Check | undefined;
  readonly error: string | undefined;
  readonly peers: readonly PeerResult[];
  readonly runs: readonly Run[];
}

export interface CompareOptions extends PeerOptions {
  /** Rounds asked for; by default 3, and 1 for slow peers. */
  readonly rounds: number | undefined;
  readonly python: Python | undefined;
  readonly log: (line: string) => void;
}

export const ROUNDS = 3;

/** This program, bundled. */
const PROGRAM = fileURLToPath(import.meta.url);

const message = (error: unknown) => (error instanceof Error ? error.message : String(error));

function childArguments(job: Job, mode: string, { n, threads, scratch }: CompareOptions): string[] {
  const args = [PROGRAM, job.name, mode, scratch, "--threads", String(threads)];
  return n === undefined ? args : [...args, "--n", String(n)];
}

/** Runs of one side that belong to rounds; a round without a run is undefined. A failure ends the side's rounds. */
class Side<Output> {
  readonly rounds: (Output | undefined)[] = [];
  error: string | undefined;

  constructor(
    private readonly count: number,
    private readonly run: () => Promise<Output>,
  ) {}

  async turn(round: number, signal: AbortSignal, log: (output: Output | undefined) => void): Promise<void> {
    if (round >= this.count || this.error !== undefined) return;
    try {
      this.rounds[round] = await this.run();
    } catch (error) {
      signal.throwIfAborted();
      this.error = message(error);
    }
    log(this.rounds[round]);
  }

  get runs(): Output[] {
    return this.rounds.filter((run) => run !== undefined);
  }
}

function disagreementOf({ ours, peer, within }: Agreement, figures: Figures, output: PeerOutput): string[] {
  const own = figures[ours] ?? Number.NaN;
  const other = Number(output[peer]);
  const difference = Math.abs(own - other) / Math.max(Math.abs(other), 1e-300);
  return difference <= within ? [] : [`${ours}: ours ${own}, peer's ${other}`];
}

function peerResult(peer: Peer, ours: Side<Run>, side: Side<PeerOutput>): PeerResult {
  const pairs = side.rounds.flatMap((output, round) => {
    const run = ours.rounds[round];
    return output === undefined || run === undefined ? [] : [{ run, output }];
  });
  const ratio = spreadOf(pairs.map(({ run, output }) => run.seconds / output.seconds));
  const disagreements = pairs.flatMap(({ run, output }) =>
    (peer.agreements ?? []).flatMap((agreement) => disagreementOf(agreement, run.check.figures, output)),
  );
  const { runs } = side;
  return {
    script: peer.script,
    what: peer.what,
    asked: peer.ratioAsked,
    ratio,
    met: ratio === undefined ? undefined : ratio.median <= peer.ratioAsked,
    seconds: spreadOf(runs.map(({ seconds }) => seconds)),
    peakBytes: spreadOf(runs.map(({ peak_bytes }) => peak_bytes))?.max,
    disagreements: [...new Set(disagreements)],
    error: side.error,
    runs,
  };
}

function jobResult(job: Job, ours: Side<Run>, peers: readonly PeerResult[]): JobResult {
  const { runs } = ours;
  const grams = runs.flatMap(({ aside }) => (aside.gram === undefined ? [] : [aside.gram]));
  // A run that fails its check is the one to show.
  const check = (runs.find((run) => !run.check.ok) ?? runs.at(-1))?.check;
  return {
    name: job.name,
    what: job.what,
    seconds: spreadOf(runs.map(({ seconds }) => seconds)),
    startUpSeconds: spreadOf(runs.map(({ startUpSeconds }) => startUpSeconds)),
    gramSeconds: spreadOf(grams),
    peakBytes: spreadOf(runs.map(({ peakBytes }) => peakBytes))?.max,
    check,
    error: ours.error,
    peers,
    runs,
  };
}

/** Measures `job` and its peers. A side that fails is reported, not thrown; throws the signal's reason. */
export async function compare(job: Job, options: CompareOptions): Promise<JobResult> {
  const { python, signal, rounds = ROUNDS, log } = options;
  const ours = new Side(
    rounds,
    async () => (await jsonOf(process.execPath, childArguments(job, "--child", options), { signal })) as Run,
  );
  const opponents = (python === undefined ? [] : job.peers).map((peer) => ({
    peer,
    side: new Side(options.rounds ?? (peer.slow === true ? 1 : ROUNDS), () => runPeer(python!, peer, options)),
  }));
  if (job.provide !== undefined) {
    log(`${job.name}: preparing`);
    try {
      await outputOf(process.execPath, childArguments(job, "--provide", options), { signal });
    } catch (error) {
      signal.throwIfAborted();
      ours.error = message(error);
    }
  }
  for (let round = 0; round < rounds; round++) {
    const line = (who: string, seconds: number | undefined, said: string) =>
      log(
        `${job.name} ${round + 1}/${rounds}: ${who} ${seconds === undefined ? "failed" : `${seconds.toFixed(3)} s`}, ${said}`,
      );
    await ours.turn(round, signal, (run) =>
      line("ours", run?.seconds, run === undefined ? (ours.error ?? "") : job.says(run.check.figures)),
    );
    if (ours.error !== undefined) break;
    for (const { peer, side } of opponents) {
      await side.turn(round, signal, (output) =>
        line(`${peer.script}.py`, output?.seconds, output === undefined ? (side.error ?? "") : peer.says(output)),
      );
    }
  }
  return jobResult(
    job,
    ours,
    opponents.map(({ peer, side }) => peerResult(peer, ours, side)),
  );
}
