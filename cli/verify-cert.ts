// ntkit verify-cert: proves every radius of a saved report again by a checker written apart from the core, and holds the
// rest of the report against model and data. Not here: the checker (the SDK).
import type { Command } from "commander";
import { type CheckResult, checkCertificates, Machine } from "ntkit";
import { Failure } from "./errors.js";
import { readFile, readModel, readSplit, type Selection, SPLITS } from "./inputs.js";
import { type CommonOptions, choiceOption, dataOption, finish, parseTarget, valueOption } from "./options.js";
import { checkTargets, Output } from "./output.js";
import { readReportFile } from "./report-files.js";
import { withSession } from "./session.js";
import { count } from "./table.js";

interface VerifyFlags extends CommonOptions, Selection {
  readonly model: string;
  readonly counterexamples?: string;
}

/** Up to this many faults are listed. */
const LISTED = 20;

function resultText({ proved, replayed }: CheckResult, samples: number): string {
  const again = replayed === 0 ? "" : `, ${count(replayed)} adversarial inputs replayed`;
  return `${count(samples)} samples: ${count(proved)} radii proved again${again}; labels, predictions and figures agree\n`;
}

async function verify(path: string, flags: VerifyFlags): Promise<void> {
  const { json, counterexamples } = flags;
  checkTargets({ "--json": json }, { report: path, model: flags.model, "--counterexamples": counterexamples });
  const output = new Output({ quiet: flags.quiet, data: [json] });
  const report = readReportFile(path);
  const { model } = readModel(flags.model);
  if (!(model instanceof Machine)) throw new Failure(`${flags.model}: certificates of networks have no checker yet`);
  const bytes = counterexamples === undefined ? undefined : readFile(counterexamples);
  await withSession(flags, async (session) => {
    session.progress.step("reading", 0);
    const data = await readSplit(flags, model, session, output);
    session.progress.step("checking", 1, "checking");
    const result = await checkCertificates(report, model, data, { ...session.work, counterexamples: bytes });
    session.progress.clear();
    output.json(json, result);
    const { faults } = result;
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
    .description("check a report of certify --json: every radius is proved again by plain interval arithmetic")
    .argument("<file>", "report that certify --json wrote")
    .addOption(
      valueOption("--model <file>", "the model that was certified", (f, text) =>
        parseTarget(f, text, false),
      ).makeOptionMandatory(),
    )
    .addOption(dataOption().makeOptionMandatory())
    .addOption(choiceOption("--split", "part of the data (default: test)", SPLITS))
    .addOption(
      valueOption("--counterexamples <file>", "NPZ file of adversarial inputs to replay", (f, text) =>
        parseTarget(f, text, false),
      ),
    )
    .action(verify);
  finish(command, ["verify-cert report.json --model svm.safetensors --data mnist:3,8"]);
}
