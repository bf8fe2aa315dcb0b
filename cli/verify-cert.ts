// ntkit verify-cert: proves every radius of a saved report again by a checker written apart from the core, and holds the
// rest of the report against model and data. Not here: the checker (the SDK).
import type { Command } from "commander";
import { type CheckResult, checkCertificates } from "ntkit";
import { Failure } from "./errors.js";
import { readFile, readModel, readSplit, type Selection, SPLITS } from "./inputs.js";
import { type CommonOptions, choiceOption, dataOption, finish, pathOption } from "./options.js";
import { checkTargets, Output } from "./output.js";
import { readReportFile } from "./report-files.js";
import { withSession } from "./session.js";
import { count } from "./table.js";

interface VerifyFlags extends CommonOptions, Selection {
  readonly model: string;
  readonly counterexamples?: string;
  readonly perSample?: boolean;
}

/** Up to this many faults are listed. */
const LISTED = 20;

function resultText({ proved, replayed, unreplayed }: CheckResult, samples: number): string {
  const again = replayed === 0 ? "" : `, ${count(replayed)} adversarial inputs replayed`;
  const open =
    unreplayed === 0 ? "" : `\nnot checked: ${count(unreplayed)} attack radii, without their --counterexamples`;
  return `${count(samples)} samples: ${count(proved)} radii proved again${again}; labels, predictions and figures agree${open}\n`;
}

/** A line a sample, and why the refuted ones are. */
function sampleText({ samples, faults }: CheckResult): string {
  const why = (index: number) => faults.filter((fault) => fault.startsWith(`row ${index}: `));
  const lines = samples.map(({ index, status }) => [
    `row ${index}: ${status}`,
    ...why(index).map((fault) => `  ${fault}`),
  ]);
  return `${lines.flat().join("\n")}\n`;
}

async function verify(path: string, flags: VerifyFlags): Promise<void> {
  const { json, counterexamples } = flags;
  checkTargets({ "--json": json }, { report: path, model: flags.model, "--counterexamples": counterexamples });
  const output = new Output({ quiet: flags.quiet, data: [json] });
  const report = readReportFile(path);
  const { model } = readModel(flags.model, "verify-cert");
  const bytes = counterexamples === undefined ? undefined : readFile(counterexamples);
  await withSession(flags, async (session) => {
    session.progress.step("reading", 0);
    const data = await readSplit(flags, model, session, output);
    session.progress.step("checking", 1, "checking");
    const result = await checkCertificates(report, model, data, { ...session.work, counterexamples: bytes });
    session.progress.clear();
    output.json(json, result);
    const { faults } = result;
    if (flags.perSample === true) output.text(sampleText(result));
    if (faults.length === 0) {
      output.text(resultText(result, report.perSample.length));
      return;
    }
    for (const fault of faults.slice(0, LISTED)) process.stderr.write(`ntkit: ${path}: ${fault}\n`);
    const rest = faults.length > LISTED ? `, ${count(faults.length - LISTED)} of them not shown` : "";
    throw new Failure(`${path}: rejected, ${count(faults.length)} ${faults.length === 1 ? "fault" : "faults"}${rest}`);
  });
}

export function addVerifyCert(program: Command): void {
  const command = program
    .command("verify-cert")
    .description(
      "check a report of certify --json: every radius is proved again by a second implementation in interval arithmetic, " +
        "for all methods of machines and networks; slow, seconds a sample for curvature, best and aggregate. Reports of " +
        "--soundness estimate-f64 and of partial perturbations are refused, attack radii without their inputs are " +
        "counted as not checked, and a radius smaller than its method could prove is true and passes",
    )
    .argument("<file>", "report that certify --json wrote")
    .addOption(pathOption("--model <file>", "the model that was certified").makeOptionMandatory())
    .addOption(dataOption().makeOptionMandatory())
    .addOption(choiceOption("--split", "part of the data (default: test)", SPLITS))
    .addOption(pathOption("--counterexamples <file>", "NPZ file of adversarial inputs to replay"))
    .option("--per-sample", "a line for each sample: verified, refuted or not checkable")
    .action(verify);
  finish(command, [
    "verify-cert report.json --model svm.safetensors --data mnist:3,8",
    "verify-cert report.json --model svm.safetensors --data mnist:3,8 --counterexamples found.npz --per-sample",
  ]);
}
