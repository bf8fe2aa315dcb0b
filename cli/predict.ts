// ntkit predict: a model's decisions on a data set, and how many of them are right, or its values beside real targets.
// Works for every kernel and network, certified or not. Not here: certificates (certify.ts).
import type { Command } from "commander";
import { type AnyModel, type Machine, NetworkModel, regressionFit, VERSION } from "ntkit";
import {
  choose,
  hasSeveralClasses,
  readAnyModel,
  readClassSplit,
  readSplit,
  type Selection,
  type SeveralClasses,
  SPLITS,
} from "./inputs.js";
import { classFacts, decisionsOf, modelFacts, modelText } from "./models.js";
import { anyDataOption, type CommonOptions, choiceOption, finish, samplesOption, seedOption } from "./options.js";
import { checkTargets, Output } from "./output.js";
import { type Session, withSession } from "./session.js";
import { alignRows, count, percent, seconds, textTable } from "./table.js";

interface PredictFlags extends CommonOptions, Selection {
  readonly perSample?: boolean;
}

/** Up to this many samples are listed without being asked for. */
const LISTED = 20;

interface Decision {
  readonly index: number;
  readonly label: number;
  /** The sign of the decision; 0 when it is exactly 0. */
  readonly prediction: number;
  readonly decision: number;
  readonly correct: boolean;
}

async function metadataOf(model: AnyModel, flags: PredictFlags, name: string, hash: string) {
  return {
    ...(hasSeveralClasses(model) ? classFacts(model) : modelFacts(model)),
    data: name,
    samples: flags.samples ?? "all",
    seed: flags.seed ?? 0,
    dataHash: hash,
    trainingDataHash: model.dataHash,
    modelHash: await model.hash(),
    version: VERSION,
  };
}

function decisionRows(decisions: readonly Decision[]): string {
  const rows = decisions.map(({ index, label, prediction, decision, correct }) =>
    [index, label, prediction, decision.toPrecision(6), correct ? "yes" : "no"].map(String),
  );
  return textTable(["index", "label", "prediction", "decision", "correct"], rows, "rrrrl");
}

/** What a command shows and writes of one model. */
interface Result {
  readonly data: { readonly name: string; hash(): Promise<string> };
  readonly figures: Readonly<Record<string, unknown>>;
  /** The lines between the data and the seconds. */
  readonly facts: readonly (readonly string[])[];
  readonly table: string;
  readonly elapsed: number;
}

async function timed<T>(work: () => Promise<T>): Promise<readonly [T, number]> {
  const start = performance.now();
  const result = await work();
  return [result, (performance.now() - start) / 1000];
}

const accuracyOf = (correct: number, samples: number) =>
  `${percent(correct / samples)} (${count(correct)} of ${count(samples)})`;

async function ofClasses(
  model: SeveralClasses,
  flags: PredictFlags,
  session: Session,
  output: Output,
): Promise<Result> {
  const data = await readClassSplit(flags, model, session, output);
  const { indices, rows } = await choose(data, flags, session);
  session.progress.step("deciding");
  const [{ predictions, margins }, elapsed] = await timed(() => model.decide(rows, session.work));
  const many = model.classes.length;
  const perSample = Array.from(predictions, (prediction, k) => {
    const own = Array.from(margins.subarray(k * many, (k + 1) * many));
    const others = own.filter((_, c) => c !== prediction);
    const [label = 0, margin] = [rows.labels[k], Math.min(...others)];
    const [name, decided] = [rows.classes[label] ?? "", model.classes[prediction] ?? ""];
    return {
      index: indices[k] ?? 0,
      label: name,
      prediction: decided,
      margin,
      margins: own,
      correct: label === prediction,
    };
  });
  const correct = perSample.filter((one) => one.correct).length;
  const lines = perSample.map((one) =>
    [one.index, one.label, one.prediction, one.margin.toPrecision(6), one.correct ? "yes" : "no"].map(String),
  );
  return {
    data,
    figures: { samples: rows.n, correct, accuracy: correct / rows.n, perSample },
    facts: [["accuracy", accuracyOf(correct, rows.n)]],
    table: textTable(["index", "label", "prediction", "margin", "correct"], lines, "rrrrl"),
    elapsed,
  };
}

async function ofOne(
  model: Machine | NetworkModel,
  flags: PredictFlags,
  session: Session,
  output: Output,
): Promise<Result> {
  const data = await readSplit(flags, model, session, output);
  const { indices, rows } = await choose(data, flags, session);
  session.progress.step("deciding");
  const [values, elapsed] = await timed(() => decisionsOf(model, rows, session.work));
  if (!(model instanceof NetworkModel) && model.task === "regression") {
    const { rmse, r2 } = regressionFit(rows.y, values);
    const perSample = Array.from(values, (value, k) => ({
      index: indices[k] ?? 0,
      target: rows.y[k] ?? 0,
      output: value,
    }));
    const lines = perSample.map(({ index, target, output: value }) => [
      String(index),
      ...[target, value, value - target].map((figure) => figure.toPrecision(6)),
    ]);
    return {
      data,
      figures: { samples: rows.n, rmse, r2, perSample },
      facts: [
        ["rms error", rmse.toPrecision(6)],
        ["R^2", r2 === null ? "-" : r2.toFixed(6)],
      ],
      table: textTable(["index", "target", "output", "error"], lines, "rrrr"),
      elapsed,
    };
  }
  const perSample = Array.from(values, (decision, k): Decision => {
    const [label, prediction] = [rows.y[k] ?? 0, Math.sign(decision)];
    return { index: indices[k] ?? 0, label, prediction, decision, correct: label === prediction };
  });
  const correct = perSample.filter((decision) => decision.correct).length;
  return {
    data,
    figures: { samples: rows.n, correct, accuracy: correct / rows.n, perSample },
    facts: [["accuracy", accuracyOf(correct, rows.n)]],
    table: decisionRows(perSample),
    elapsed,
  };
}

async function predict(file: string, flags: PredictFlags): Promise<void> {
  checkTargets({ "--json": flags.json }, { model: file });
  const output = new Output({ quiet: flags.quiet, data: [flags.json] });
  const { model } = readAnyModel(file);
  await withSession(flags, async (session) => {
    session.progress.step("reading", 0);
    const several = hasSeveralClasses(model);
    const { data, figures, facts, table, elapsed } = await (several
      ? ofClasses(model, flags, session, output)
      : ofOne(model, flags, session, output));
    const { perSample, ...totals } = figures;
    const samples = Number(totals.samples);
    session.progress.clear();
    const rows = [
      ["model", several ? model.describe() : modelText(model)],
      ["data", `${data.name}, ${count(samples)} samples`],
      ...facts,
      ["seconds", seconds(elapsed)],
    ];
    output.text(alignRows(rows, "ll"));
    if (flags.perSample === true || samples <= LISTED) output.text(`\n${table}`);
    const metadata = await metadataOf(model, flags, data.name, await data.hash());
    output.json(flags.json, { ...totals, seconds: elapsed, metadata, perSample });
  });
}

export function addPredict(program: Command): void {
  const command = program
    .command("predict")
    .description("decisions of a model on a data set and their accuracy, or its values and their error")
    .argument("<model>", "model file written by ntkit train")
    .addOption(anyDataOption().makeOptionMandatory())
    .addOption(choiceOption("--split", "part of the data (default: test)", SPLITS))
    .addOption(samplesOption())
    .addOption(seedOption("random samples"))
    .option("--per-sample", `list every sample (default: up to ${LISTED})`)
    .action(predict);
  finish(command, [
    "predict deep.safetensors --data mnist:0,1",
    "predict digits.safetensors --data mnist:0-9",
    "predict network.safetensors --data mnist:0,1 --json decisions.json",
  ]);
}
