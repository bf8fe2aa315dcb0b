// ntkit attack: the nearest inputs at which a model decides otherwise, each proved, as a table, an NPZ file and pictures.
// Ctrl-C keeps what is finished. Not here: the attacks and what the files hold (the SDK).
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import {
  ATTACK_METHODS,
  type AttackedSample,
  type AttackMethod,
  type AttackOptions,
  type AttackReport,
  attackReportToJson,
  attackSamples,
  type Dataset,
  formatDistance,
  imageSide,
  type Machine,
  makeAttackReport,
  type NetworkModel,
  NORMS,
  type Norm,
  writeAttackPicture,
  writeCounterexamples,
} from "ntkit";
import { Interrupted } from "./errors.js";
import { readModel, readSplit, type Selection, SPLITS } from "./inputs.js";
import { modelText } from "./models.js";
import {
  type CommonOptions,
  choiceOption,
  dataOption,
  finish,
  numberOption,
  pathOption,
  samplesOption,
  seedOption,
} from "./options.js";
import { checkTargets, Output, writeWhole } from "./output.js";
import { type Session, withSession } from "./session.js";
import { alignRows, count, percent, scientific, seconds, textTable } from "./table.js";

interface AttackFlags extends CommonOptions, Selection {
  readonly method?: AttackMethod;
  readonly norm?: Norm;
  readonly domain?: boolean;
  readonly restarts?: number;
  readonly steps?: number;
  readonly tolerance?: number;
  readonly limit?: number;
  readonly difference?: boolean;
  readonly pictures?: number;
  readonly out?: string;
  readonly perSample?: boolean;
}

/** Up to this many samples are listed without being asked for. */
const LISTED = 20;

/** Up to this many pictures are written without being asked for: those of the nearest adversarial inputs. */
const PICTURES = 20;

const NORM_TEXT = { linf: "l-inf", l2: "l2", l1: "l1" } as const;

const distance = (value: number | null) => (value === null ? "-" : Number(formatDistance(value, 4)).toExponential(3));

function sampleRows(samples: readonly AttackedSample[]): string {
  const header = ["index", "label", "decision", "radius", "failed", "evaluations", "seconds", "verdict"];
  const rows = samples.map(({ index, label, decision, radius, failed, evaluations, seconds: own, verdict }) => [
    String(index),
    label > 0 ? "+1" : "-1",
    decision.toPrecision(5),
    distance(radius),
    scientific(failed),
    String(evaluations),
    seconds(own),
    verdict,
  ]);
  return textTable(header, rows, "rrrrrrrl");
}

function reportText(report: AttackReport, model: Machine | NetworkModel, perSample: boolean): string {
  const { samples, correct, accuracy, attacked, radius, robustAccuracy, metadata } = report;
  const inside = metadata.domain === "unbounded" ? "" : ", inside the domain [0, 1]";
  const proof = metadata.evaluation === "rigorous" ? "each sign proved" : "signs computed, not proved";
  const facts = [
    ["model", modelText(model)],
    ...(typeof metadata.offset === "string" ? [["offset", metadata.offset]] : []),
    ["data", `${metadata.data}, ${count(samples)} samples${metadata.complete === true ? "" : " (interrupted)"}`],
    ["attack", `${report.method}, ${NORM_TEXT[report.norm]}${inside}, ${proof}`],
    ["seconds", seconds(report.seconds)],
    ["accuracy", `${percent(accuracy)} (${count(correct)} of ${count(samples)})`],
    ["attacked", `${count(attacked)} of ${count(correct)} correct`],
  ];
  const radii = [
    ["radius of the attacked", "mean", distance(radius.mean)],
    ["", "std", scientific(radius.std)],
    ["", "median", distance(radius.median)],
    ["", "min", distance(radius.min)],
    ["", "max", distance(radius.max)],
  ];
  const grid = robustAccuracy.map(({ epsilon, accuracy: share }, k) => [
    k === 0 ? "robust accuracy, at most" : "",
    `at ${Number(epsilon.toPrecision(6))}`,
    percent(share),
  ]);
  const parts = [alignRows(facts, "ll"), alignRows([...radii, ...grid], "llr")];
  if (perSample || samples <= LISTED) parts.push(sampleRows(report.perSample));
  return parts.join("\n");
}

/** Writes the adversarial inputs and pictures of the nearest; the names of the files. */
function writeFiles(folder: string, report: AttackReport, data: Dataset, pictures: number): string[] {
  const written = [join(folder, "counterexamples.npz")];
  writeWhole(written[0] ?? "", writeCounterexamples(report, data));
  if (imageSide(data.d) === 0) return written;
  const found = report.perSample.filter(({ radius }) => radius !== null);
  const nearest = found.sort((a, b) => (a.radius ?? 0) - (b.radius ?? 0) || a.index - b.index).slice(0, pictures);
  for (const sample of nearest) {
    const path = join(folder, `attack-${sample.index}.png`);
    writeWhole(path, writeAttackPicture(sample, data));
    written.push(path);
  }
  return written;
}

/** Samples up to the end or to an interruption. */
async function collect(
  model: Machine | NetworkModel,
  data: Dataset,
  options: AttackOptions,
  session: Session,
): Promise<{ readonly report: AttackReport; readonly interrupted: Interrupted | undefined }> {
  const finished: AttackedSample[] = [];
  const start = performance.now();
  session.progress.step("attacking", 1, "attacking");
  let interrupted: Interrupted | undefined;
  try {
    for await (const sample of attackSamples(model, data, { ...options, ...session.work })) finished.push(sample);
  } catch (error) {
    if (!(error instanceof Interrupted) || finished.length === 0) throw error;
    interrupted = error;
  }
  const elapsed = (performance.now() - start) / 1000;
  const report = await makeAttackReport(model, data, finished, options, elapsed, interrupted === undefined);
  return { report, interrupted };
}

async function attackModel(path: string, flags: AttackFlags): Promise<void> {
  const { json, out, method, norm, domain, samples, seed, restarts, steps, tolerance, limit } = flags;
  checkTargets({ "--json": json }, { model: path });
  if (out !== undefined) mkdirSync(out, { recursive: true });
  const output = new Output({ quiet: flags.quiet, data: [json] });
  const { model } = readModel(path, "attack");
  const offset = flags.difference === true ? ("difference" as const) : ("frozen" as const);
  await withSession(flags, async (session) => {
    session.progress.step("reading", 0);
    const data = await readSplit(flags, model, session, output);
    const options = { method, norm, domain, samples, seed, restarts, steps, tolerance, limit, offset };
    const { report, interrupted } = await collect(model, data, options, session);
    session.progress.clear();
    output.data(json, attackReportToJson(report));
    const written = out === undefined ? [] : writeFiles(out, report, data, flags.pictures ?? PICTURES);
    output.text(reportText(report, model, flags.perSample === true));
    if (written.length > 0) output.text(`written: ${written.join(", ")}\n`);
    if (interrupted !== undefined) throw interrupted.leaving(`${count(report.samples)} samples were finished`);
  });
}

export function addAttack(program: Command): void {
  const command = program
    .command("attack")
    .description("look for the nearest inputs at which a model decides otherwise; each counts once its sign is proved")
    .argument("<model>", "model file written by ntkit train")
    .addOption(dataOption().makeOptionMandatory())
    .addOption(choiceOption("--split", "part of the data (default: test)", SPLITS))
    .addOption(choiceOption("--method", "attack (default: pgd)", ATTACK_METHODS))
    .addOption(choiceOption("--norm", "norm of the distance (default: linf)", NORMS))
    .option("--domain", "stay inside the image domain [0, 1] (default: any real input)")
    .addOption(samplesOption())
    .addOption(seedOption("starting points and random samples"))
    .addOption(
      numberOption("--restarts <n>", "starting points at each radius (default: 4)", { min: 2, max: 64, integer: true }),
    )
    .addOption(
      numberOption("--steps <n>", "most steps at each radius (default: 40)", { min: 1, max: 10_000, integer: true }),
    )
    .addOption(
      numberOption("--tolerance <number>", "relative width of the bracket at which the search stops (default: 0.01)", {
        min: 1e-9,
        max: 0.5,
      }),
    )
    .addOption(numberOption("--limit <radius>", "largest radius tried", { min: 1e-12, max: 1e12 }))
    .option("--difference", "of networks: attack f - f0 at the input (default: f0 frozen at the clean one)")
    .addOption(pathOption("--out <folder>", "write counterexamples.npz and pictures there"))
    .addOption(
      numberOption("--pictures <n>", `pictures of the nearest (default: ${PICTURES})`, { min: 0, integer: true }),
    )
    .option("--per-sample", `list every sample (default: up to ${LISTED})`)
    .action(attackModel);
  finish(command, [
    "attack svm.safetensors --data mnist:3,8 --samples 100 --json attack.json",
    "attack svm.safetensors --data mnist:3,8 --samples 10 --norm l2 --domain --out counterexamples",
    "attack network.safetensors --data mnist:0,1 --samples 20 --restarts 8 --steps 100",
  ]);
}
