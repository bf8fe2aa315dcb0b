// ntkit merge: parts of a report, certified on different computers, as the report of one run. Not here: what makes parts
// belong together (the SDK), and starting the runs, which is a scheduler's work.
import type { Command } from "commander";
import { mergeReports, ReportMismatchError, reportToJson, reportToTsv, type SavedReport } from "ntkit";
import { Failure } from "./errors.js";
import { readData, SPLITS, type Split } from "./inputs.js";
import { type CommonOptions, choiceOption, dataOption, finish } from "./options.js";
import { checkTargets, Output } from "./output.js";
import { addReportFlags, drawPage, readReportFile } from "./report-files.js";
import { reportText } from "./report-text.js";
import { withSession } from "./session.js";

interface MergeFlags extends CommonOptions {
  readonly tsv?: string;
  readonly html?: string;
  readonly beside?: readonly string[];
  readonly data?: string;
  readonly split?: Split;
  readonly timing?: boolean;
  readonly perSample?: boolean;
}

/** The merged report. @throws Failure */
function mergeFiles(paths: readonly string[]): SavedReport {
  const parts = paths.map(readReportFile);
  try {
    return mergeReports(parts, { names: paths });
  } catch (error) {
    if (error instanceof ReportMismatchError || error instanceof RangeError || error instanceof TypeError)
      throw new Failure(error.message, { cause: error });
    throw error;
  }
}

async function merge(paths: readonly string[], flags: MergeFlags): Promise<void> {
  const { json, tsv, html, timing, data: source, split = "test" } = flags;
  const targets = { "--json": json, "--tsv": tsv, "--html": html };
  checkTargets(targets, Object.fromEntries(paths.map((path) => [path, path])));
  const output = new Output({ quiet: flags.quiet, data: [json, tsv, html] });
  const report = mergeFiles(paths);
  output.data(json, reportToJson(report, { timing }));
  output.data(tsv, reportToTsv(report, { timing }));
  if (html !== undefined) {
    const loaded = source === undefined ? undefined : await withSession(flags, (session) => readData(source, session));
    output.data(html, await drawPage(report, loaded?.[split], flags.beside));
  }
  output.text(reportText(report, flags.perSample === true));
}

export function addMerge(program: Command): void {
  const command = program
    .command("merge")
    .description("put the parts that certify --shard wrote together: the report of one run, byte for byte")
    .argument("<parts...>", "JSON files of all shards, in any order")
    .addOption(dataOption().default(undefined, "no images on the page"))
    .addOption(choiceOption("--split", "part of the data (default: test)", SPLITS))
    .action(merge);
  addReportFlags(command);
  finish(command, ["merge part-*.json --json report.json --tsv radii.tsv", "merge part-*.json --html report.html"]);
}
