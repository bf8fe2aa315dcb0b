// ntkit certify: how far each input may be moved before a machine's decision may change, proved. Ctrl-C keeps what is
// finished. Not here: several classes (certify-classes.ts), outputs (certify-outputs.ts), the bounds and the report's figures
// (the SDK).
import type { Command } from "commander";
import {
  type Certificate,
  type CertifyOptions,
  certifySamples,
  counterexamplesOf,
  type Machine,
  METHODS,
  type Method,
  makeReport,
  NetworkModel,
  NORMS,
  type Norm,
  reportToJson,
  reportToTsv,
  type Shard,
  SOUNDNESS,
  type Soundness,
  writeCounterexamples,
} from "ntkit";
import { certifyClassModel } from "./certify-classes.js";
import { certifyModelOutputs } from "./certify-outputs.js";
import { Interrupted, UsageError } from "./errors.js";
import { hasSeveralClasses, readAnyModel, readSplit, type Selection, SPLITS } from "./inputs.js";
import {
  anyDataOption,
  type CommonOptions,
  choiceOption,
  finish,
  numberOption,
  parseBracket,
  parseShard,
  pathOption,
  samplesOption,
  seedOption,
  valueOption,
} from "./options.js";
import { checkTargets, Output, writeWhole } from "./output.js";
import { addReportFlags, drawPage, readReportFile } from "./report-files.js";
import { reportText } from "./report-text.js";
import { type Session, withSession } from "./session.js";
import { count } from "./table.js";

export interface CertifyFlags extends CommonOptions, Selection {
  readonly method?: Method;
  readonly norm?: Norm;
  readonly domain?: boolean;
  readonly soundness?: Soundness;
  readonly bracket?: readonly [number, number];
  readonly tolerance?: number;
  readonly radius?: number;
  readonly within?: number;
  readonly timeLimit?: number;
  readonly attack?: boolean;
  readonly shard?: Shard;
  readonly timing?: boolean;
  readonly tsv?: string;
  readonly html?: string;
  readonly counterexamples?: string;
  readonly beside?: readonly string[];
  readonly perSample?: boolean;
}

/** Certificates into `finished`, which keeps those that came out before an interruption. */
async function collect(
  machine: Machine | NetworkModel,
  flags: CertifyFlags,
  options: CertifyOptions,
  session: Session,
  output: Output,
  finished: Certificate[],
) {
  session.progress.step("reading", 0);
  const data = await readSplit(flags, machine, session, output);
  const start = performance.now();
  session.progress.step("certifying", 1, "certifying");
  let interrupted: Interrupted | undefined;
  try {
    for await (const certificate of certifySamples(machine, data, { ...options, ...session.work }))
      finished.push(certificate);
  } catch (error) {
    if (!(error instanceof Interrupted) || finished.length === 0) throw error;
    interrupted = error;
  }
  const elapsed = (performance.now() - start) / 1000;
  return {
    data,
    report: await makeReport(machine, data, finished, options, elapsed, interrupted === undefined),
    interrupted,
  };
}

/** The command for what the file holds. */
async function certifyAny(path: string, flags: CertifyFlags): Promise<void> {
  const { json, tsv, html, counterexamples } = flags;
  checkTargets({ "--json": json, "--tsv": tsv, "--html": html, "--counterexamples": counterexamples }, { model: path });
  if (counterexamples !== undefined && flags.attack !== true)
    throw new UsageError("--counterexamples: expected --attack beside it, which finds them");
  const { model } = readAnyModel(path);
  if (hasSeveralClasses(model)) return certifyClassModel(model, flags);
  const outputs = flags.radius !== undefined || flags.within !== undefined;
  if (model instanceof NetworkModel) {
    if (outputs)
      throw new UsageError("--radius, --within: expected a machine, whose outputs are bounded, got a network");
    return certifyModel(model, flags);
  }
  if (outputs) return certifyModelOutputs(model, flags);
  if (model.task === "regression")
    throw new UsageError("--radius, --within: expected one of them for a machine of real targets, got neither");
  return certifyModel(model, flags);
}

async function certifyModel(machine: Machine | NetworkModel, flags: CertifyFlags): Promise<void> {
  const {
    json,
    tsv,
    html,
    timing,
    method,
    norm,
    domain,
    soundness,
    bracket,
    tolerance,
    timeLimit,
    attack,
    samples,
    seed,
    shard,
    counterexamples,
  } = flags;
  // A file that can not be read is better known before the work.
  flags.beside?.forEach(readReportFile);
  const output = new Output({ quiet: flags.quiet, data: [json, tsv, html] });
  await withSession(flags, async (session) => {
    const options = { method, norm, domain, soundness, bracket, tolerance, timeLimit, attack, samples, seed, shard };
    const { report, data, interrupted } = await collect(machine, flags, options, session, output, []);
    session.progress.clear();
    output.data(json, reportToJson(report, { timing }));
    output.data(tsv, reportToTsv(report, { timing }));
    if (html !== undefined) output.data(html, await drawPage(report, data, flags.beside));
    if (counterexamples !== undefined)
      writeWhole(counterexamples, writeCounterexamples({ perSample: counterexamplesOf(report) }, data));
    output.text(reportText(report, flags.perSample === true));
    if (interrupted === undefined) return;
    const files = [json, tsv, html, counterexamples].filter((path) => path !== undefined && path !== "-");
    const where = files.length === 0 ? "shown" : `in ${files.join(" and ")}`;
    throw interrupted.leaving(`the ${count(report.samples)} finished samples are ${where}`);
  });
}

export function addCertify(program: Command): void {
  const command = program
    .command("certify")
    .description(
      "certify a model's decisions: the radius around each input within which its sign, or its class, is proved; of a " +
        "machine for real targets the interval of its output",
    )
    .argument("<model>", "model file written by ntkit train")
    .addOption(anyDataOption().makeOptionMandatory())
    .addOption(choiceOption("--split", "part of the data (default: test)", SPLITS))
    .addOption(
      choiceOption(
        "--method",
        "bound of the output (default: interval for machines, ibp for networks; several classes, outputs: best)",
        METHODS,
      ),
    )
    .addOption(choiceOption("--norm", "norm of the ball (default: linf)", NORMS))
    .option("--domain", "only inputs with every entry in [0, 1] (default: any real input of the ball)")
    .addOption(
      choiceOption("--soundness", "proofs in real arithmetic, or plain estimates (default: rigorous-f64)", SOUNDNESS),
    )
    .addOption(
      numberOption("--radius <r>", "the proved interval of a machine's output on the ball of this radius", { min: 0 }),
    )
    .addOption(
      numberOption("--within <t>", "the largest radius on which a machine's output stays within t of its value", {
        min: 1e-300,
      }),
    )
    .addOption(samplesOption())
    .addOption(seedOption("random samples"))
    .addOption(
      numberOption("--time-limit <seconds>", "end the search of a sample with the best radius verified so far", {
        min: 1e-6,
      }),
    )
    .option("--attack", "also attack each sample: certified <= unknown <= attacked")
    .addOption(pathOption("--counterexamples <file>", "NPZ file of the inputs that --attack finds, for verify-cert"))
    .addOption(
      valueOption("--shard <i/n>", "certify part i = 0, ..., n - 1 of n, for ntkit merge (default: all)", parseShard),
    )
    .addOption(
      valueOption("--bracket <low,high>", "radii searched (default: 0,0.3; tighter methods: 0,1)", parseBracket),
    )
    .addOption(
      numberOption(
        "--tolerance <number>",
        "relative width at which the search stops (default: 1e-6; curvature, best, paired, aggregate: 1e-3)",
        {
          min: 1e-9,
          max: 0.5,
        },
      ),
    )
    .action(certifyAny);
  addReportFlags(command);
  finish(command, [
    "certify svm.safetensors --data mnist:3,8",
    "certify svm.safetensors --data mnist:3,8 --samples random:100 --seed 1 --json report.json --tsv radii.tsv",
    "certify svm.safetensors --data mnist:3,8 --method best --samples 100",
    "certify svm.safetensors --data mnist:3,8 --method linear --norm l2",
    "certify digits.safetensors --data mnist:0-9 --samples 20",
    "certify prices.safetensors --data prices.npz --radius 0.01 --within 0.5",
    "certify network.safetensors --data mnist:0,1 --method aggregate --samples 100",
    "certify svm.safetensors --data mnist:3,8 --method best --attack --samples 100 --html report.html",
    "certify svm.safetensors --data mnist:3,8 --shard 0/16 --json part-0.json",
  ]);
}
