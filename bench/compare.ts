// A job and its peers in turn, A B A B ..., each run in a process of its own, and what comes of it: medians, spreads,
// ratios pair by pair, and whether the answers agree. Not here: how it is shown (results.ts).
import { fileURLToPath } from "node:url";
import type { Run } from "./child.js";
import type { Agreement, Check, Figures, Job, Peer, PeerOutput } from "./job.js";
import { jsonOf, outputOf } from "./process.js";
import { type PeerOptions, type Python, runPeer } from "./python.js";
import { type Spread, spreadOf } from "./statistics.js";

/** What is reported of a peer. */
export interface PeerFigures {
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
  /** What its last output says of its answer; undefined without one. */
  readonly answer: string | undefined;
  readonly error: string | undefined;
}

export interface PeerResult extends PeerFigures {
  readonly runs: readonly PeerOutput[];
}

/** What is reported of a job. */
export interface JobFigures {
  readonly name: string;
  readonly what: string;
  readonly seconds: Spread | undefined;
  readonly startUpSeconds: Spread | undefined;
  /** The Gram matrix, where `seconds` begin after it. */
  readonly gramSeconds: Spread | undefined;
  readonly peakBytes: number | undefined;
  /** Undefined when no run came to its end. */
  readonly check: Check | undefined;
  /** What the check's figures say, in a few words. */
  readonly answer: string | undefined;
  readonly error: string | undefined;
  readonly peers: readonly PeerFigures[];
}

export interface JobResult extends JobFigures {
  readonly peers: readonly PeerResult[];
  readonly runs: readonly Run[];
}

export interface CompareOptions extends PeerOptions {
  /** Rounds asked for; by default 3, and 1 for slow peers. */
  readonly rounds: number | undefined;
  /** Whether peers run too. */
  readonly peers: boolean;
  /** Peers that are scripts are left out without one. */
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

function runChildOf(job: Job, options: CompareOptions): Promise<Run> {
  return jsonOf(process.execPath, childArguments(job, "--child", options), options) as Promise<Run>;
}

/** One run of a peer: a job of its own, or a script. */
async function runOpponent(peer: Peer, options: CompareOptions): Promise<PeerOutput> {
  const { python } = options;
  if (peer.job !== undefined) {
    const { seconds, peakBytes, check } = await runChildOf(peer.job, options);
    if (!check.ok) throw new Error(`a wrong answer: ${peer.job.says(check.figures)}`);
    return { ...check.figures, seconds, peak_bytes: peakBytes };
  }
  if (python === undefined) throw new Error("no python3 to run it");
  return runPeer(python, peer, options);
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
  const last = runs.at(-1);
  return {
    script: peer.script,
    what: peer.what,
    asked: peer.ratioAsked,
    ratio,
    met: ratio === undefined ? undefined : ratio.median <= peer.ratioAsked,
    seconds: spreadOf(runs.map(({ seconds }) => seconds)),
    peakBytes: spreadOf(runs.map(({ peak_bytes }) => peak_bytes))?.max,
    disagreements: [...new Set(disagreements)],
    answer: last === undefined ? undefined : peer.says(last),
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
    answer: check === undefined ? undefined : job.says(check.figures),
    error: ours.error,
    peers,
    runs,
  };
}

/** Measures `job` and its peers. A side that fails is reported, not thrown; throws the signal's reason. */
export async function compare(job: Job, options: CompareOptions): Promise<JobResult> {
  const { python, signal, rounds = ROUNDS, log } = options;
  const ours = new Side(rounds, () => runChildOf(job, options));
  const able = job.peers.filter((peer) => options.peers && (peer.job !== undefined || python !== undefined));
  const opponents = able.map((peer) => ({
    peer,
    side: new Side(options.rounds ?? (peer.slow === true ? 1 : ROUNDS), () => runOpponent(peer, options)),
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
        line(
          peer.job === undefined ? `${peer.script}.py` : peer.script,
          output?.seconds,
          output === undefined ? (side.error ?? "") : peer.says(output),
        ),
      );
    }
  }
  return jobResult(
    job,
    ours,
    opponents.map(({ peer, side }) => peerResult(peer, ours, side)),
  );
}
