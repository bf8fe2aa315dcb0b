// ntkit inspect: what is in a model file. Not here: the format (the SDK's model-file.ts).
import type { Command } from "commander";
import { type AnyModel, describeKernel, type Machine, NetworkModel, readSafetensors } from "ntkit";
import { hasSeveralClasses, readAnyModel, type SeveralClasses } from "./inputs.js";
import { classFacts, modelFacts, schemeText } from "./models.js";
import { type CommonOptions, finish } from "./options.js";
import { checkTargets, Output } from "./output.js";
import { alignRows, count, figure, percent } from "./table.js";

/** What every model file says, as --json writes it. */
async function fileFacts(path: string, model: AnyModel, bytes: Uint8Array) {
  const { metadata } = readSafetensors(bytes);
  return {
    file: path,
    bytes: bytes.length,
    formatVersion: Number(metadata.format_version),
    version: metadata.ntkit_version ?? "",
    data: model.dataName,
    dataHash: model.dataHash,
    modelHash: await model.hash(),
  };
}

type FileFacts = Awaited<ReturnType<typeof fileFacts>>;

function severalFacts({ rows, biases, training }: SeveralClasses) {
  return {
    biases: Array.from(biases),
    rows: rows.n,
    columns: rows.d,
    storage: rows.x instanceof Uint8Array ? "8-bit" : "float64",
    scale: rows.scale,
    training,
  };
}

function severalRows(model: SeveralClasses): string[][] {
  const { rows, columns, storage, scale } = severalFacts(model);
  return [
    ["machine", `${model.machine}, ${model.alphas.length} of them: ${schemeText(model)}`],
    ["classes", model.classes.join(", ")],
    ...parameterRows(model),
    ["kernel", describeKernel(model.kernel)],
    ...varianceRows(model),
    ["rows", `${count(rows)} x ${count(columns)}, ${storage}, scale ${scale}`],
  ];
}

function machineFacts(machine: Machine) {
  return {
    bias: machine.bias,
    rows: machine.rows.n,
    columns: machine.rows.d,
    storage: machine.rows.x instanceof Uint8Array ? "8-bit" : "float64",
    scale: machine.rows.scale,
    training: machine.training,
  };
}

function networkFacts({ inputs, weights, eightBit, scale, history }: NetworkModel) {
  return {
    columns: inputs,
    weights: weights.hidden.reduce((sum, layer) => sum + layer.length, weights.output.length),
    storage: eightBit ? "8-bit" : "float64",
    scale,
    history,
  };
}

const parameterRows = ({ parameters }: AnyModel) =>
  Object.entries(parameters).map(([name, value]) => [name, String(value)]);

/** Of a network's kernel; sums, products and functions have none of their own. */
const varianceRows = ({ kernel }: Machine | SeveralClasses): string[][] =>
  "depth" in kernel ? [["variances", `weights ${kernel.weightVariance}, biases ${kernel.biasVariance}`]] : [];

function machineRows(machine: Machine): string[][] {
  const { rows, columns, storage, scale, bias, training } = machineFacts(machine);
  return [
    ["machine", machine.machine],
    ...(machine.task === undefined ? [] : [["task", "regression, real targets"]]),
    ...parameterRows(machine),
    ["kernel", describeKernel(machine.kernel)],
    ...varianceRows(machine),
    ["rows", `${count(rows)} x ${count(columns)}, ${storage}, scale ${scale}`],
    ["b", String(bias)],
    ...Object.entries(training).map(([name, value]) => [name, figure(value)]),
  ];
}

function networkRows(model: NetworkModel): string[][] {
  const { columns, weights, storage, scale, history } = networkFacts(model);
  const last = history.at(-1);
  return [
    ["network", `${[columns, ...model.spec.widths, 1].join(" - ")}, ${model.spec.parameterization} parameterisation`],
    ["weights", `${count(weights)}, float32, from seed ${model.spec.seed}`],
    ["inputs", `${count(columns)} columns, ${storage}, scale ${scale}`],
    ["output", model.centred ? "f(x) - f0(x)" : "f(x)"],
    ["loss", model.loss],
    ...parameterRows(model),
    ["loss of the last epoch", last === undefined ? "-" : last.loss.toPrecision(4)],
    ["training accuracy", last === undefined ? "-" : percent(last.accuracy)],
  ];
}

function rowsOf(model: AnyModel): string[][] {
  if (hasSeveralClasses(model)) return severalRows(model);
  return model instanceof NetworkModel ? networkRows(model) : machineRows(model);
}

function contentsText(model: AnyModel, facts: FileFacts): string {
  const rows = [
    ["file", `${facts.file}, ${count(facts.bytes)} bytes`],
    ["format", `version ${facts.formatVersion}, written by ntkit ${facts.version}`],
    ...rowsOf(model),
    ["trained on", facts.data],
    ["data SHA-256", facts.dataHash],
    ["model SHA-256", facts.modelHash],
  ];
  return alignRows(rows, "ll");
}

async function inspect(path: string, options: CommonOptions): Promise<void> {
  checkTargets({ "--json": options.json }, { model: path });
  const output = new Output({ quiet: options.quiet, data: [options.json] });
  const { model, bytes } = readAnyModel(path);
  const facts = await fileFacts(path, model, bytes);
  output.text(contentsText(model, facts));
  if (hasSeveralClasses(model)) {
    output.json(options.json, { ...facts, ...classFacts(model), ...severalFacts(model) });
    return;
  }
  const own = model instanceof NetworkModel ? networkFacts(model) : machineFacts(model);
  output.json(options.json, { ...facts, ...modelFacts(model), ...own });
}

export function addInspect(program: Command): void {
  const command = program
    .command("inspect")
    .description(
      "show what a model file holds: machine, machines of several classes or network, training report, hashes",
    )
    .argument("<model>", "model file written by ntkit train")
    .action(inspect);
  finish(command, ["inspect svm.safetensors", "inspect network.safetensors --json -"]);
}
