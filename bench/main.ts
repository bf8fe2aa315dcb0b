// The benchmarks' program: reads its arguments, runs jobs beside their peers and writes what was measured. Not here:
// the jobs (jobs/), the comparison (compare.ts), tables (results.ts) and what is kept of earlier runs (record.ts).
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, CommanderError, Option } from "commander";
import { Failure, Interrupted, STOP_SIGNALS, UsageError } from "../cli/errors.js";
import { numberOption, pathOption } from "../cli/options.js";
import { runChild } from "./child.js";
import { compare, type JobResult, ROUNDS } from "./compare.js";
import type { Job } from "./job.js";
import { JOBS } from "./jobs/index.js";
import { describeMachine } from "./machine.js";
import { findPython, REMEDY } from "./python.js";
import { keepResults, readRecord } from "./record.js";
import { makeResults, type Results, resultsToJson, resultsToText } from "./results.js";

/** Beside dist/, where the bundled program lies; an installed package has no such folder. */
const FOLDER = fileURLToPath(new URL("../bench/", import.meta.url));

interface Options {
  readonly peers?: boolean;
  readonly rounds?: number;
  readonly threads?: number;
  readonly n?: number;
  readonly json?: string;
  readonly write?: boolean;
  readonly out?: string;
  readonly child?: string;
  readonly provide?: string;
}

function chooseJobs(names: readonly string[]): readonly Job[] {
  const known = JOBS.map(({ name }) => name);
  for (const name of names)
    if (!known.includes(name)) throw new UsageError(`job: expected one of ${known.join(", ")}, got "${name}"`);
  return JOBS.filter(({ name, onRequest }) => (names.length === 0 ? onRequest !== true : names.includes(name)));
}

/** A job by its name, those that are only peers of others included. */
function findJob(name: string): Job {
  const all = [...JOBS, ...JOBS.flatMap(({ peers }) => peers.flatMap(({ job }) => job ?? []))];
  const job = all.find((candidate) => candidate.name === name);
  if (job === undefined) throw new UsageError(`job: expected one that there is, got "${name}"`);
  return job;
}

/** The folder where results are kept, undefined when they are not: kept are whole runs beside the peers. */
function recordFolder(options: Options, withPeers: boolean): string | undefined {
  const asked = options.write === true || options.out !== undefined;
  if (asked && options.n !== undefined)
    throw new UsageError(`${options.write ? "--write" : "--out"}: expected the whole data set, got --n`);
  const folder = options.out ?? FOLDER;
  const there = existsSync(folder);
  if (asked && !there)
    throw new Failure(
      `bench: ${folder} is missing: results are kept in a checkout of the sources, or where --out says`,
    );
  const whole = withPeers && options.n === undefined && options.write !== false;
  return there && (asked || whole) ? folder : undefined;
}

const log = (line: string) => void process.stderr.write(`${line}\n`);

async function measure(jobs: readonly Job[], options: Options, withPeers: boolean, asked?: string): Promise<void> {
  // Before hours of work: a record that can not be read can not be written either.
  if (asked !== undefined) await readRecord(asked);
  const stopped = new AbortController();
  for (const name of STOP_SIGNALS) process.once(name, () => stopped.abort(new Interrupted(name)));
  const { signal } = stopped;
  const scratch = await mkdtemp(join(tmpdir(), "ntkit-bench-"));
  const threads = options.threads ?? availableParallelism();
  const done: JobResult[] = [];
  let results: Results | undefined;
  try {
    const python = withPeers ? await findPython(signal) : undefined;
    if (withPeers && python === undefined) log(REMEDY);
    // Rows without their peers must not take the place of whole ones, unless that is asked for.
    const folder = withPeers && python === undefined && options.write !== true ? undefined : asked;
    const machine = describeMachine(python?.versions);
    const settings = { n: options.n, threads, scratch, signal, rounds: options.rounds, peers: withPeers, python, log };
    for (const job of jobs) {
      const result = await compare(job, settings);
      done.push(result);
      results = makeResults(done, { complete: done.length === jobs.length, n: options.n, threads }, machine);
      // After every job: what is finished stays when the rest is not.
      if (options.json !== undefined && options.json !== "-")
        await writeFile(options.json, `${resultsToJson(results)}\n`);
      if (folder !== undefined) {
        await keepResults(folder, { ...results, jobs: [result] }, JOBS);
        log(`${job.name}: its rows of RESULTS.md are written`);
      }
    }
  } catch (error) {
    throw error instanceof Interrupted ? error.leaving(`${done.length} of ${jobs.length} jobs were finished`) : error;
  } finally {
    await rm(scratch, { recursive: true, force: true });
    if (results !== undefined) {
      process.stdout.write(options.json === "-" ? `${resultsToJson(results)}\n` : resultsToText(results, JOBS));
    }
  }
  if (done.some(isWrong)) process.exitCode = 1;
}

/** A ratio that is not met is a result; a wrong answer or a failed run is an error. */
function isWrong({ error, check, peers }: JobResult): boolean {
  const peerWrong = peers.some((peer) => peer.error !== undefined || peer.disagreements.length > 0);
  return error !== undefined || check?.ok !== true || peerWrong;
}

async function main(names: readonly string[], options: Options): Promise<void> {
  const scratch = options.child ?? options.provide;
  if (scratch === undefined) {
    const withPeers = options.peers ?? names.length === 0;
    return measure(chooseJobs(names), options, withPeers, recordFolder(options, withPeers));
  }
  const threads = options.threads ?? availableParallelism();
  await runChild(findJob(names[0] ?? ""), { n: options.n, threads, scratch }, options.provide !== undefined);
}

function makeProgram(): Command {
  const width = Math.max(...JOBS.map(({ name }) => name.length));
  const names = JOBS.map(({ name, what, onRequest }) => `  ${name.padEnd(width)} ${what}${onRequest ? " *" : ""}`);
  return new Command("bench")
    .description("Times the jobs of the benchmark suite, and what one would run instead of them")
    .usage("[job...] [options]")
    .argument("[job...]", "jobs to run (default: all without *, with peers)")
    .option("--peers", "run the peers too and write the jobs' rows of RESULTS.md (default when no job is named)")
    .option("--no-peers", "do not run the peers")
    .addOption(
      numberOption("--rounds <n>", `rounds of each side (default: ${ROUNDS}, peers that take minutes 1)`, {
        min: 1,
        max: 1000,
        integer: true,
      }),
    )
    .addOption(
      numberOption("--threads <n>", "threads of both sides (default: the processors)", {
        min: 1,
        max: 64,
        integer: true,
      }),
    )
    .addOption(
      numberOption("--n <n>", "the first n training images only, to try things out", { min: 10, integer: true }),
    )
    .addOption(pathOption("--json <file>", "write the measurements as JSON; - is standard output", true))
    .option("--write", "write the rows without peers too")
    .option("--no-write", "leave RESULTS.md as it is")
    .addOption(pathOption("--out <folder>", "folder of results.json and RESULTS.md (default: bench)"))
    .addOption(new Option("--child <folder>", "one run, in this process").hideHelp())
    .addOption(new Option("--provide <folder>", "what rounds and peers share").hideHelp())
    .addHelpText("after", `\nJobs (* when named only, it needs WebGPU):\n${names.join("\n")}`)
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .action(main);
}

makeProgram()
  .parseAsync(process.argv)
  .catch((error: unknown) => {
    if (error instanceof CommanderError && error.exitCode === 0) return;
    const usage = error instanceof UsageError || error instanceof CommanderError;
    const text = error instanceof Error ? error.message.replace(/^error: /, "") : String(error);
    process.stderr.write(`bench: ${text}\n`);
    process.exitCode = usage ? 2 : error instanceof Interrupted ? error.exitCode : 1;
  });
