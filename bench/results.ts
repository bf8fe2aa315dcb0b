// The measurements as rows of a table, for the terminal and for RESULTS.md, and as JSON. What was not met, failed or
// disagrees stands in the table like everything else. Not here: measuring (compare.ts) and what is kept (record.ts).
import { VERSION } from "ntkit";
import { textTable } from "../cli/table.js";
import type { JobFigures, JobResult, PeerFigures } from "./compare.js";
import type { JobDescription } from "./job.js";
import type { MachineDescription } from "./machine.js";
import type { RecordedJob } from "./record.js";
import type { Spread } from "./statistics.js";

export interface Results {
  readonly version: string;
  readonly date: string;
  /** Whether every job asked for was measured. */
  readonly complete: boolean;
  /** First n training images only; null: all. */
  readonly n: number | null;
  readonly threads: number;
  readonly machine: MachineDescription;
  readonly jobs: readonly JobResult[];
}

export function makeResults(
  jobs: readonly JobResult[],
  settings: { readonly complete: boolean; readonly n: number | undefined; readonly threads: number },
  machine: MachineDescription,
): Results {
  const { complete, n, threads } = settings;
  return { version: VERSION, date: new Date().toISOString(), complete, n: n ?? null, threads, machine, jobs };
}

const HEADER = ["job", "peer", "ours s", "peer s", "ratio", "asked", "met", "peak MB ours / peer", "check"];
const ANSWERS = ["job", "ours", "peer"];
const ASIDE = ["job", "start-up s", "Gram before s", "with the Gram s"];
const NONE = "-";

const digits = (value: number) => value.toFixed(value < 1 ? 3 : value < 10 ? 2 : 1);
const share = (value: number) => value.toFixed(value < 0.1 ? 4 : value < 10 ? 3 : 1);

function spread(value: Spread | undefined, form: (number: number) => string): string {
  if (value === undefined) return NONE;
  const { median, min, max } = value;
  return form(min) === form(max) ? form(median) : `${form(median)} (${form(min)}–${form(max)})`;
}

const megabytes = (bytes: number | undefined) => (bytes === undefined ? NONE : String(Math.round(bytes / 1e6)));

/** "yes", or what stands in the way. */
function metOf(peer: PeerFigures, check: string): string {
  if (peer.met === undefined) return "not measured";
  return peer.met && check === "right" ? "yes" : "no";
}

function checkOf({ error, check }: JobFigures, peer?: PeerFigures): string {
  if (error !== undefined) return "FAILED";
  if (check?.ok !== true) return "WRONG";
  if (peer?.error !== undefined) return "peer FAILED";
  return peer !== undefined && peer.disagreements.length > 0 ? "DISAGREES" : "right";
}

/** One row for each peer, or one alone. */
function timeRows(result: JobFigures, job: JobDescription): string[][] {
  const ours = spread(result.seconds, digits);
  const peak = megabytes(result.peakBytes);
  if (result.peers.length === 0) {
    const asked = job.peers.length === 0 ? NONE : `≤ ${job.peers.map(({ ratioAsked }) => ratioAsked).join(", ")}`;
    const met = job.peers.length === 0 ? NONE : "not measured";
    return [[result.name, NONE, ours, NONE, NONE, asked, met, peak, checkOf(result)]];
  }
  return result.peers.map((peer) => {
    const check = checkOf(result, peer);
    const times = [ours, spread(peer.seconds, digits), spread(peer.ratio, share), `≤ ${peer.asked}`];
    return [result.name, peer.what, ...times, metOf(peer, check), `${peak} / ${megabytes(peer.peakBytes)}`, check];
  });
}

function peerAnswer({ answer, error, disagreements }: PeerFigures): string {
  return [error ?? answer ?? NONE, ...disagreements.map((text) => `disagrees on ${text}`)].join("; ");
}

function answerRows(result: JobFigures): string[][] {
  const ours = result.error ?? result.answer ?? NONE;
  if (result.peers.length === 0) return [[result.name, ours, NONE]];
  return result.peers.map((peer) => [result.name, ours, peerAnswer(peer)]);
}

/** What the timed part leaves out, and the whole for jobs that start from a Gram matrix. */
function asideRows({ name, startUpSeconds, gramSeconds, seconds }: JobFigures): string[][] {
  const both = gramSeconds === undefined || seconds === undefined ? undefined : gramSeconds.median + seconds.median;
  return [
    [name, spread(startUpSeconds, digits), spread(gramSeconds, digits), both === undefined ? NONE : digits(both)],
  ];
}

/** Rows of the jobs in the order of `all`; jobs that are no longer among these are left out. */
function collect<Result extends JobFigures>(
  results: readonly Result[],
  all: readonly JobDescription[],
  rows: (result: Result, job: JobDescription) => string[][],
): string[][] {
  return all.flatMap((job) => {
    const result = results.find(({ name }) => name === job.name);
    return result === undefined ? [] : rows(result, job);
  });
}

export function resultsToText({ jobs }: Results, all: readonly JobDescription[]): string {
  return [
    textTable(HEADER, collect(jobs, all, timeRows), "llrrrllrl"),
    textTable(ANSWERS, collect(jobs, all, answerRows), "lll"),
    textTable(ASIDE, collect(jobs, all, asideRows), "lrrr"),
  ].join("\n");
}

export function resultsToJson(results: Results): string {
  return JSON.stringify(results, null, 2);
}

/** Padded, so that it reads as plain text too. */
function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [header, ...rows].map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = header.map((_, k) => Math.max(3, ...cells.map((row) => row[k]?.length ?? 0)));
  const line = (row: readonly string[]) => `| ${widths.map((width, k) => (row[k] ?? "").padEnd(width)).join(" | ")} |`;
  const [first = [], ...rest] = cells;
  return [line(first), line(widths.map((width) => "-".repeat(width))), ...rest.map(line)].join("\n");
}

function settingOf({ machine, threads, version }: RecordedJob): string {
  const { cpu, cores, memoryGiB, platform, node, python } = machine;
  const peers =
    python === undefined
      ? "no Python with NumPy, PyTorch and scikit-learn"
      : `Python ${python.python}, NumPy ${python.numpy}, PyTorch ${python.torch}, scikit-learn ${python.sklearn}`;
  const where = `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${platform}`;
  return `${where}; ntkit ${version} on Node ${node}, ${threads} threads on both sides; ${peers}.`;
}

/** One line for each way in which rows were measured, with their names where there are several. */
function settingLines(jobs: readonly RecordedJob[]): string[] {
  const names = new Map<string, string[]>();
  for (const job of jobs) names.set(settingOf(job), [...(names.get(settingOf(job)) ?? []), job.name]);
  return [...names].map(([setting, own]) => `- ${names.size === 1 ? "All rows" : own.join(", ")}: ${setting}`);
}

/** What a reader must not miss. */
const PLAIN = new Set(["no", "not measured", "FAILED", "WRONG", "peer FAILED", "DISAGREES"]);

/** RESULTS.md: the last measurement of each job. */
export function recordToMarkdown(record: readonly RecordedJob[], all: readonly JobDescription[]): string {
  const dated = (result: RecordedJob, job: JobDescription) =>
    timeRows(result, job).map((row) => [...row, result.date.slice(0, 10)]);
  const times = collect(record, all, dated).map((row) => row.map((cell) => (PLAIN.has(cell) ? `**${cell}**` : cell)));
  const shown = record.filter(({ name }) => all.some((job) => job.name === name));
  const described = all.filter(({ name }) => record.some((result) => result.name === name));
  return [
    "# Benchmarks: what was measured",
    "",
    "Written by `npm run bench`; [README.md](README.md) says how, [peers/README.md](peers/README.md) what the peers do.",
    "MNIST digits 0 and 1, 12,665 training and 2,115 test images. Ours and the peer's in turn, each run in a process of",
    "its own. Seconds are medians (min–max), ratios are ours over the peer's pair by pair, peak memory is the largest",
    "resident set of the whole process. Jobs can be measured one by one: each row has its date.",
    "",
    ...settingLines(shown),
    "",
    markdownTable([...HEADER, "measured"], times),
    "",
    "## Answers",
    "",
    markdownTable(ANSWERS, collect(record, all, answerRows)),
    "",
    "## What the seconds leave out",
    "",
    "Start-up runs from the start of the process to a runtime that can compute. Ridge and subgradient descent start from a",
    "ready Gram matrix on both sides; the last column is ours from pixels on.",
    "",
    markdownTable(ASIDE, collect(record, all, asideRows)),
    "",
    "## Why",
    "",
    ...described.map(({ name, what, why }) => `- **${name}**: ${what}. ${why.charAt(0).toUpperCase()}${why.slice(1)}.`),
    "",
  ].join("\n");
}
