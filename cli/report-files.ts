// What commands that end in a report of certificates share: the files they write, and saved reports they read. Not here:
// what stands in them (the SDK).
import type { Command } from "commander";
import { type Dataset, readReport, type SavedReport } from "ntkit";
import { reportPage } from "ntkit/plots";
import { Failure, UsageError } from "./errors.js";
import { readFile } from "./inputs.js";
import { pathOption, valueOption } from "./options.js";
import { LISTED } from "./report-text.js";

/** The report in a file. @throws Failure */
export function readReportFile(path: string): SavedReport {
  try {
    return readReport(new TextDecoder().decode(readFile(path)));
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(`${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** The report's page with saved reports of other methods beside it. @throws Failure */
export async function drawPage(
  report: SavedReport,
  data: Dataset | undefined,
  paths: readonly string[] = [],
): Promise<string> {
  const beside = paths.map(readReportFile);
  try {
    return await reportPage(report, { data, beside });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // A report in a list is known to the user by its file.
    const message = error.message.replace(/^beside\[(\d+)\]/, (_, k) => paths[Number(k)] ?? "--beside");
    throw new Failure(message.replace(/^data: /, "--data: "), { cause: error });
  }
}

function parsePaths(flag: string, text: string): string[] {
  const paths = text.split(",");
  if (paths.some((path) => path === "")) throw new UsageError(`${flag}: expected files with commas, got "${text}"`);
  return paths;
}

/** --tsv, --html, --beside, --timing and --per-sample. */
export function addReportFlags(command: Command): Command {
  return command
    .addOption(pathOption("--tsv <file>", "write one line a sample; - is standard output", true))
    .addOption(pathOption("--html <file>", "write a page of curves, histograms, images and all samples", true))
    .addOption(valueOption("--beside <files>", "JSON reports of other methods to draw on the page", parsePaths))
    .option("--timing", "keep wall times in JSON and TSV, which then differ from run to run")
    .option("--per-sample", `list every sample (default: up to ${LISTED})`);
}
