// The benchmarks' program: reads its arguments, runs jobs beside their peers and writes what was measured. Not here:
// the jobs (jobs/), the comparison (compare.ts) and tables (results.ts).
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, CommanderError, Option } from "commander";
import { Failure, Interrupted, STOP_SIGNALS, UsageError } from "../cli/errors.js";
import { numberOption, parseTarget, valueOption } from "../cli/options.js";
import { runChild } from "./child.js";
import { compare, type JobResult, ROUNDS } from "./compare.js";
import type { Job } from "./job.js";
import { JOBS } from "./jobs/index.js";
import { describeMachine } from "./machine.js";
import { findPython, REMEDY } from "./python.js";
import { makeResults, type Results, resultsToJson, resultsToMarkdown, resultsToText } from "./results.js";

/** Beside dist/, where the bundled program lies; an installed package has no such folder. */
const FOLDER = fileURLToPath(new URL("../bench/", import.meta.url));

interface Options {
  readonly peers?: boolean;
  readonly rounds?: number;
  readonly threads?: number;
  readonly n?: number;
  readonly json?: string;
  readonly write?: boolean;
  readonly child?: string;
  readonly provide?: string;
}

function chooseJobs(names: readonly string[]): readonly Job[] {
  const known = JOBS.map(({ name }) => name);
  for (const name of names)
    if (!known.includes(name)) throw new UsageError(`job: expected one of ${known.join(", ")}, got "${name}"`);
  return names.length === 0 ? JOBS : JOBS.filter(({ name }) => names.includes(name));
}

/** Whether RESULTS.md is to be written: asked for, or the whole suite with its peers. */
function writesResults(names: readonly string[], options: Options): boolean {
  if (options.write === true && options.n !== undefined)
    throw new UsageError("--write: expected the whole data set, got --n");
  if (options.write === true && !existsSync(FOLDER))
    throw new Failure(`bench: ${FOLDER} is missing: --write needs a checkout of the sources`);
  const whole = names.length === 0 && options.n === undefined && options.peers !== false;
  return options.write ?? (whole && existsSync(FOLDER));
}

const log = (line: string) => void process.stderr.write(`${line}\n`);

async function measure(jobs: readonly Job[], options: Options, withPeers: boolean, write: boolean): Promise<void> {
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
    const machine = describeMachine(python?.versions);
    const settings = { n: options.n, threads, scratch, signal, rounds: options.rounds, python, log };
    for (const job of jobs) {
      done.push(await compare(job, settings));
      results = makeResults(done, { complete: done.length === jobs.length, n: options.n, threads }, machine);
      // After every job: what is finished stays when the rest is not.
      if (options.json !== undefined && options.json !== "-")
        await writeFile(options.json, `${resultsToJson(results)}\n`);
    }
  } catch (error) {
    throw error instanceof Interrupted ? error.leaving(`${done.length} of ${jobs.length} jobs were finished`) : error;
  } finally {
    await rm(scratch, { recursive: true, force: true });
    if (results !== undefined) {
      process.stdout.write(options.json === "-" ? `${resultsToJson(results)}\n` : resultsToText(results, JOBS));
    }
  }
  if (write && results !== undefined) {
    await writeFile(join(FOLDER, "RESULTS.md"), resultsToMarkdown(results, JOBS));
    log("written: bench/RESULTS.md");
  }
  if (done.some(isWrong)) process.exitCode = 1;
}

/** A ratio that is not met is a result; a wrong answer or a failed run is an error. */
function isWrong({ error, check, peers }: JobResult): boolean {
  const peerWrong = peers.some((peer) => peer.error !== undefined || peer.disagreements.length > 0);
  return error !== undefined || check?.ok !== true || peerWrong;
}

async function main(names: readonly string[], options: Options): Promise<void> {
  const jobs = chooseJobs(names);
  const scratch = options.child ?? options.provide;
  if (scratch === undefined)
    return measure(jobs, options, options.peers ?? names.length === 0, writesResults(names, options));
  const [job] = jobs;
  const threads = options.threads ?? availableParallelism();
  if (job !== undefined) await runChild(job, { n: options.n, threads, scratch }, options.provide !== undefined);
}

function makeProgram(): Command {
  const names = JOBS.map(({ name, what }) => `  ${name.padEnd(11)} ${what}`);
  return new Command("bench")
    .description("Times the jobs of the benchmark suite, and what one would run instead of them")
    .usage("[job...] [options]")
    .argument("[job...]", "jobs to run (default: all, with peers, written to bench/RESULTS.md)")
    .option("--peers", "run the peers too (default when no job is named)")
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
    .addOption(
      valueOption("--json <file>", "write the measurements as JSON; - is standard output", (f, text) =>
        parseTarget(f, text),
      ),
    )
    .option("--write", "write bench/RESULTS.md")
    .addOption(new Option("--child <folder>", "one run, in this process").hideHelp())
    .addOption(new Option("--provide <folder>", "what rounds and peers share").hideHelp())
    .addHelpText("after", `\nJobs:\n${names.join("\n")}`)
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
