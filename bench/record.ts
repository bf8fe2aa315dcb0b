// The last measurement of every job, kept in results.json, from which RESULTS.md is written: a run of some jobs renews
// their rows and leaves the others as they are. Not here: measuring (compare.ts) and the tables (results.ts).
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../cli/errors.js";
import { writeWhole } from "../cli/output.js";
import type { JobFigures, PeerFigures } from "./compare.js";
import type { JobDescription } from "./job.js";
import type { MachineDescription } from "./machine.js";
import { type Results, recordToMarkdown } from "./results.js";

/** A job as it was last measured, and on what. */
export interface RecordedJob extends JobFigures {
  readonly version: string;
  readonly date: string;
  readonly threads: number;
  readonly machine: MachineDescription;
}

const FILE = "results.json";

function withoutRuns<Figures extends object>(figures: Figures): Omit<Figures, "runs"> {
  const { runs: _, ...rest } = figures as Figures & { readonly runs?: unknown };
  return rest as Omit<Figures, "runs">;
}

/** `record` with the jobs of `results` in place of their older measurements, in the order of `all`. */
export function mergeRecord(
  record: readonly RecordedJob[],
  results: Results,
  all: readonly JobDescription[],
): RecordedJob[] {
  const { version, date, threads, machine } = results;
  const renewed = results.jobs.map((job) => ({
    ...withoutRuns(job),
    peers: job.peers.map((peer): PeerFigures => withoutRuns(peer)),
    ...{ version, date, threads, machine },
  }));
  return all.flatMap(({ name }) => {
    const job = renewed.find((own) => own.name === name) ?? record.find((own) => own.name === name);
    return job === undefined ? [] : [job];
  });
}

/** The record in `folder`; empty where there is none. @throws Failure when it can not be read */
export async function readRecord(folder: string): Promise<readonly RecordedJob[]> {
  const file = join(folder, FILE);
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new Failure(`bench: ${file}: ${(error as Error).message}`);
  }
  try {
    const { jobs } = JSON.parse(text) as { readonly jobs: readonly RecordedJob[] };
    for (const { name, date, peers, machine } of jobs)
      if (typeof name !== "string" || typeof date !== "string" || !Array.isArray(peers) || typeof machine !== "object")
        throw new TypeError(`the entry ${JSON.stringify(name)} is not a measurement`);
    return jobs;
  } catch (error) {
    throw new Failure(`bench: ${file} is not a record of measurements, mend or remove it: ${(error as Error).message}`);
  }
}

/** Renews the rows of `results` in the record and RESULTS.md of `folder`. @throws Failure */
export async function keepResults(folder: string, results: Results, all: readonly JobDescription[]): Promise<void> {
  const record = mergeRecord(await readRecord(folder), results, all);
  writeWhole(join(folder, FILE), `${JSON.stringify({ jobs: record }, null, 1)}\n`);
  writeWhole(join(folder, "RESULTS.md"), recordToMarkdown(record, all));
}
