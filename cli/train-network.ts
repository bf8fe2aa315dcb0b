// ntkit train --network: a finite network into a model file. Not here: machines (train.ts) and the training (the SDK).
import { type BackendName, type Loss, NetworkDivergenceError, type NetworkModel, network, trainNetwork } from "ntkit";
import { Failure, UsageError } from "./errors.js";
import { readData } from "./inputs.js";
import { fromFlags, parseNumbers } from "./options.js";
import { checkTargets, Output } from "./output.js";
import { withSession } from "./session.js";
import { alignRows, count, percent, seconds } from "./table.js";
import { MACHINES, type TrainOptions } from "./trainer.js";

export interface NetworkOptions {
  readonly network?: readonly number[];
  readonly loss?: Loss;
  readonly backend?: BackendName | "auto";
}

/** "10000" or "512,512". */
export function parseWidths(flag: string, text: string): number[] {
  const widths = parseNumbers(flag, text);
  if (widths.every((width) => Number.isInteger(width) && width >= 1)) return widths;
  throw new UsageError(`${flag}: expected widths >= 1, as "10000" or "512,512", got "${text}"`);
}

/** A machine must be named, and takes none of the network's flags. @throws UsageError */
export function checkMachineFlags({ machine, loss, backend }: Partial<TrainOptions> & NetworkOptions): void {
  const choices = MACHINES.map((name) => `"${name}"`).join(" | ");
  if (machine === undefined)
    throw new UsageError(`--machine: expected ${choices}, or --network and widths, got neither`);
  if (loss !== undefined) throw new UsageError(`--loss: expected only with --network, got --machine ${machine}`);
  if (backend !== undefined) throw new UsageError(`--backend: expected only with --network, got --machine ${machine}`);
}

const MACHINE_FLAGS = [
  "machine",
  "c",
  "bias",
  "epsilon",
  "tolerance",
  "kernel",
  "depth",
  "weightVariance",
  "biasVariance",
  "activation",
  "slope",
] as const;

function summaryText(model: NetworkModel, file: string, bytes: number, elapsed: number): string {
  const last = model.history.at(-1);
  const rows = [
    ["network", `${model.spec.widths.join(", ")}, ${model.loss}`],
    ...Object.entries(model.parameters).map(([name, value]) => [name, String(value)]),
    ["data", model.dataName],
    ["loss of the last epoch", last === undefined ? "-" : last.loss.toPrecision(4)],
    ["training accuracy", last === undefined ? "-" : percent(last.accuracy)],
    ["seconds", seconds(elapsed)],
    ["file", `${file}, ${count(bytes)} bytes`],
  ];
  return alignRows(rows, "ll");
}

export async function trainNetworkModel(options: TrainOptions & NetworkOptions): Promise<void> {
  const foreign = MACHINE_FLAGS.find((flag) => options[flag] !== undefined);
  if (foreign !== undefined) throw new UsageError(`--${foreign}: expected only with --machine, got --network`);
  const { lambda, epochs, batch, lr: learningRate, seed, loss, backend } = options;
  const spec = fromFlags(() => network({ widths: options.network ?? [], seed }));
  checkTargets({ "--out": options.out, "--json": options.json });
  const output = new Output({ quiet: options.quiet, data: [options.json] });
  await withSession(options, async (session) => {
    session.progress.step("reading", 0);
    const { train: data } = await readData(options.data, session);
    const start = performance.now();
    session.progress.step("training");
    const how = { lambda, epochs, batch, learningRate, seed, loss, backend };
    const model = await trainNetwork(spec, data, { ...how, ...session.work }).catch((error: unknown) => {
      if (!(error instanceof NetworkDivergenceError)) throw error;
      output.data(options.out, error.snapshot.save());
      throw new Failure(
        `training left the finite numbers at step ${error.step}: lower --lr (the last finite weights are in ${options.out})`,
      );
    });
    const elapsed = (performance.now() - start) / 1000;
    const bytes = model.save();
    session.signal.throwIfAborted();
    output.data(options.out, bytes);
    session.progress.clear();
    output.text(summaryText(model, options.out, bytes.length, elapsed));
    const { weights, ...rest } = model;
    output.json(options.json, { ...rest, model: options.out, bytes: bytes.length, seconds: elapsed });
  });
}
