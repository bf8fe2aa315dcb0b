// ntkit predict: a model's decisions on a data set, and how many of them are right. Works for every kernel and network,
// certified or not. Not here: certificates (certify.ts).
import type { Command } from "commander";
import { type Machine, type NetworkModel, VERSION } from "ntkit";
import { choose, readModel, readSplit, type Selection, SPLITS } from "./inputs.js";
import { decisionsOf, modelFacts, modelText } from "./models.js";
import { type CommonOptions, choiceOption, dataOption, finish, samplesOption, seedOption } from "./options.js";
import { checkTargets, Output } from "./output.js";
import { withSession } from "./session.js";
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

async function metadataOf(model: Machine | NetworkModel, flags: PredictFlags, name: string, hash: string) {
  return {
    ...modelFacts(model),
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

async function predict(file: string, flags: PredictFlags): Promise<void> {
  checkTargets({ "--json": flags.json }, { model: file });
  const output = new Output({ quiet: flags.quiet, data: [flags.json] });
  const { model } = readModel(file);
  await withSession(flags, async (session) => {
    session.progress.step("reading", 0);
    const data = await readSplit(flags, model, session, output);
    const { indices, rows } = await choose(data, flags, session);
    const start = performance.now();
    session.progress.step("deciding");
    const values = await decisionsOf(model, rows, session.work);
    const elapsed = (performance.now() - start) / 1000;
    const perSample = Array.from(values, (decision, k): Decision => {
      const [label, prediction] = [rows.y[k] ?? 0, Math.sign(decision)];
      return { index: indices[k] ?? 0, label, prediction, decision, correct: label === prediction };
    });
    const samples = perSample.length;
    const correct = perSample.filter((decision) => decision.correct).length;
    const accuracy = correct / samples;
    session.progress.clear();
    const facts = [
      ["model", modelText(model)],
      ["data", `${data.name}, ${count(samples)} samples`],
      ["accuracy", `${percent(accuracy)} (${count(correct)} of ${count(samples)})`],
      ["seconds", seconds(elapsed)],
    ];
    output.text(alignRows(facts, "ll"));
    if (flags.perSample === true || samples <= LISTED) output.text(`\n${decisionRows(perSample)}`);
    const metadata = await metadataOf(model, flags, data.name, await data.hash());
    output.json(flags.json, { samples, correct, accuracy, seconds: elapsed, metadata, perSample });
  });
}

export function addPredict(program: Command): void {
  const command = program
    .command("predict")
    .description("decisions of a machine or network on a data set, and their accuracy")
    .argument("<model>", "model file written by ntkit train")
    .addOption(dataOption().makeOptionMandatory())
    .addOption(choiceOption("--split", "part of the data (default: test)", SPLITS))
    .addOption(samplesOption())
    .addOption(seedOption("random samples"))
    .option("--per-sample", `list every sample (default: up to ${LISTED})`)
    .action(predict);
  finish(command, [
    "predict deep.safetensors --data mnist:0,1",
    "predict network.safetensors --data mnist:0,1 --json decisions.json",
  ]);
}
