// ntkit merge: parts of a report, certified on different computers, as the report of one run. Not here: what makes parts
// belong together (the SDK), and starting the runs, which is a scheduler's work.
import type { Command } from "commander";
import { mergeReports, ReportMismatchError, readReport, reportToJson, reportToTsv, type SavedReport } from "ntkit";
import { Failure } from "./errors.js";
import { readFile } from "./inputs.js";
import { type CommonOptions, finish, parseTarget, valueOption } from "./options.js";
import { checkTargets, Output } from "./output.js";
import { LISTED, reportText } from "./report-text.js";

interface MergeFlags extends CommonOptions {
  readonly tsv?: string;
  readonly timing?: boolean;
  readonly perSample?: boolean;
}

/** The report in a file. @throws Failure */
export function readReportFile(path: string): SavedReport {
  try {
    return readReport(new TextDecoder().decode(readFile(path)));
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(`${path}: ${(error as Error).message}`, { cause: error });
  }
}

function merge(paths: readonly string[], flags: MergeFlags): void {
  const { json, tsv, timing } = flags;
  checkTargets({ "--json": json, "--tsv": tsv }, Object.fromEntries(paths.map((path) => [path, path])));
  const output = new Output({ quiet: flags.quiet, data: [json, tsv] });
  const parts = paths.map(readReportFile);
  let report: SavedReport;
  try {
    report = mergeReports(parts, { names: paths });
  } catch (error) {
    if (error instanceof ReportMismatchError || error instanceof RangeError || error instanceof TypeError)
      throw new Failure(error.message, { cause: error });
    throw error;
  }
  output.data(json, reportToJson(report, { timing }));
  output.data(tsv, reportToTsv(report, { timing }));
  output.text(reportText(report, flags.perSample === true));
}

export function addMerge(program: Command): void {
  const command = program
    .command("merge")
    .description("put the parts that certify --shard wrote together: the report of one run, byte for byte")
    .argument("<parts...>", "JSON files of all shards, in any order")
    .addOption(
      valueOption("--tsv <file>", "write one line a sample; - is standard output", (f, text) => parseTarget(f, text)),
    )
    .option("--timing", "keep wall times in the files, where all parts have them")
    .option("--per-sample", `list every sample (default: up to ${LISTED})`)
    .action(merge);
  finish(command, ["merge part-*.json --json report.json --tsv radii.tsv"]);
}
