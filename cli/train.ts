// ntkit train: a machine from a data set, into a model file. Writes the file when all is done, and nothing before.
// Not here: which options belong to which machine (trainer.ts).
import type { Command } from "commander";
import { BACKENDS, type ClassSet, type Dataset, describeKernel, LOSSES, type Machine, SvmSgdMachine } from "ntkit";
import { Failure, UsageError } from "./errors.js";
import { readAny, readClasses, readData } from "./inputs.js";
import { anyDataOption, choiceOption, finish, numberOption, pathOption, seedOption, valueOption } from "./options.js";
import { checkTargets, Output } from "./output.js";
import { type Session, withSession } from "./session.js";
import { alignRows, count, figure, seconds } from "./table.js";
import { trainClasses } from "./train-classes.js";
import { checkMachineFlags, type NetworkOptions, parseWidths, trainNetworkModel } from "./train-network.js";
import {
  activationOption,
  KERNELS,
  MACHINES,
  MULTICLASS,
  REGRESSIONS,
  slopeOption,
  type TrainOptions,
  trainerOf,
} from "./trainer.js";

/** What training came to, as --json writes it. */
async function summaryOf(machine: Machine, data: Dataset, out: string, bytes: number, elapsed: number) {
  return {
    model: out,
    bytes,
    machine: machine.machine,
    ...(machine.task === undefined ? {} : { task: machine.task }),
    parameters: machine.parameters,
    kernel: machine.kernel,
    rows: machine.rows.n,
    columns: machine.rows.d,
    bias: machine.bias,
    training: machine.training,
    ...(machine instanceof SvmSgdMachine ? { history: machine.history } : {}),
    trainingRows: data.n,
    seconds: elapsed,
    data: machine.dataName,
    dataHash: machine.dataHash,
    modelHash: await machine.hash(),
  };
}

function summaryText(machine: Machine, data: Dataset, out: string, bytes: number, elapsed: number): string {
  const rows = [
    ["machine", machine.machine],
    ...Object.entries(machine.parameters).map(([name, value]) => [name, String(value)]),
    ["kernel", describeKernel(machine.kernel)],
    ["data", `${data.name}, ${count(data.n)} x ${count(data.d)}`],
    ...Object.entries(machine.training).map(([name, value]) => [name, figure(value)]),
    ["seconds", seconds(elapsed)],
    ["file", `${out}, ${count(machine.rows.n)} rows, ${count(bytes)} bytes`],
  ];
  return alignRows(rows, "ll");
}

/** Two labels, real targets or several classes: what y holds, unless a flag says it. @throws Failure */
async function trainingRows(options: TrainOptions, session: Session): Promise<Dataset | ClassSet> {
  const { data: source, machine, multiclass, regression } = options;
  if (regression === true) return (await readData(source, session, "regression")).train;
  if (multiclass !== undefined) return (await readClasses(source, session)).train;
  const { train: data } = await readAny(source, session);
  if ("task" in data && data.task === "regression" && !REGRESSIONS.includes(machine))
    throw new Failure(
      `${source}: --machine ${machine} takes labels -1 and +1, 0 and 1, or integers as classes, and y holds real numbers: ` +
        `store classes as integers, or take ${REGRESSIONS.join(" or ")}`,
    );
  return data;
}

async function train(options: TrainOptions & NetworkOptions): Promise<void> {
  if (options.network !== undefined) {
    for (const flag of ["multiclass", "regression"] as const)
      if (options[flag] !== undefined) throw new UsageError(`--${flag}: expected only with --machine, got --network`);
    return trainNetworkModel(options);
  }
  checkMachineFlags(options);
  const trainer = trainerOf(options);
  checkTargets({ "--out": options.out, "--json": options.json });
  const output = new Output({ quiet: options.quiet, data: [options.json] });
  await withSession(options, async (session) => {
    session.progress.step("reading", 0);
    const data = await trainingRows(options, session);
    if ("labels" in data) return trainClasses(options, data, session, output);
    const start = performance.now();
    session.progress.step("training");
    const machine = await trainer.fit(data, session.work);
    const elapsed = (performance.now() - start) / 1000;
    const bytes = machine.save();
    session.signal.throwIfAborted();
    output.data(options.out, bytes);
    session.progress.clear();
    output.text(summaryText(machine, data, options.out, bytes.length, elapsed));
    if (options.json !== undefined)
      output.json(options.json, await summaryOf(machine, data, options.out, bytes.length, elapsed));
  });
}

export function addTrain(program: Command): void {
  const command = program
    .command("train")
    .description("train a machine on a data set and write it to a model file")
    .addOption(anyDataOption().makeOptionMandatory())
    .addOption(
      choiceOption("--machine", "a machine of Table 1 (krr: ridge regression), or the paper's own descent", MACHINES),
    )
    .addOption(valueOption("--network <widths>", "a finite network instead: widths of its hidden layers", parseWidths))
    .addOption(pathOption("--out <file>", "model file to write").makeOptionMandatory())
    .addOption(
      choiceOption(
        "--multiclass",
        "several classes: each against the rest, or each against each other by votes (default: ovr)",
        MULTICLASS,
      ),
    )
    .option(
      "--regression",
      "krr, svr: y holds real targets (default: where it is of a floating-point type and not two labels)",
    )
    .addOption(numberOption("--lambda <number>", "regularisation (default: 1; svm-sgd, network: 0.001)"))
    .addOption(numberOption("--c <number>", "svm, svm2, svr, logistic: C = 1 / lambda, instead of --lambda"))
    .option("--bias", "all but svm-sgd: with a bias b (default: without, as in the paper)")
    .addOption(numberOption("--epsilon <number>", "svr: half-width of the tube (default: 0.1)"))
    .addOption(
      numberOption(
        "--tolerance <number>",
        "relative duality gap (1e-6; logistic: 1e-8); krr: relative residual (1e-8)",
      ),
    )
    .addOption(choiceOption("--loss", "network: loss (default: hinge)", LOSSES))
    .addOption(choiceOption("--backend", "network: where it is trained (default: auto)", ["auto", ...BACKENDS]))
    .addOption(numberOption("--epochs <n>", "svm-sgd, network: passes over the data (default: 300)"))
    .addOption(numberOption("--batch <n>", "svm-sgd, network: rows in a batch (default: 64)"))
    .addOption(numberOption("--lr <number>", "svm-sgd, network: learning rate (default: 1)"))
    .addOption(seedOption("shuffles and initial weights"))
    .addOption(
      choiceOption("--kernel", "kernel of the network, trained whole or in its last layer (default: ntk)", KERNELS),
    )
    .addOption(numberOption("--depth <n>", "hidden layers (default: 1)"))
    .addOption(activationOption())
    .addOption(slopeOption())
    .addOption(numberOption("--weight-variance <number>", "variance of the weights (default: 1)"))
    .addOption(numberOption("--bias-variance <number>", "variance of the biases (default: 0)"))
    .action(train);
  finish(command, [
    "train --data mnist:0,1 --machine krr --lambda 1 --out ridge.safetensors",
    "train --data mnist:3,8 --machine svm --c 15.625 --out svm.safetensors",
    "train --data mnist:0,1 --machine logistic --lambda 0.1 --out logistic.safetensors",
    "train --data mnist:0-9 --machine svm --lambda 0.01 --multiclass ovo --out digits.safetensors",
    "train --data prices.npz --machine svr --epsilon 0.05 --out prices.safetensors",
    "train --data mnist:4,9 --machine svm-sgd --epochs 300 --seed 1 --out sgd.safetensors",
    "train --data mnist:0,1 --network 1000 --out network.safetensors",
    "train --data points.npz --machine svm --depth 3 --out deep.safetensors",
    "train --data points.npz --machine krr --activation erf --depth 2 --out erf.safetensors",
  ]);
}
