// ntkit inspect: what is in a model file. Not here: the format (the SDK's model-file.ts).
import type { Command } from "commander";
import { describeKernel, type Machine, readSafetensors } from "ntkit";
import { readMachine } from "./inputs.js";
import { type CommonOptions, finish } from "./options.js";
import { checkTargets, Output } from "./output.js";
import { alignRows, count } from "./table.js";
import { figure } from "./train.js";

/** Everything a model file says, as --json writes it. */
async function contentsOf(path: string, machine: Machine, bytes: Uint8Array) {
  const { metadata } = readSafetensors(bytes);
  return {
    file: path,
    bytes: bytes.length,
    formatVersion: Number(metadata.format_version),
    version: metadata.ntkit_version ?? "",
    machine: machine.machine,
    parameters: machine.parameters,
    kernel: machine.kernel,
    bias: machine.bias,
    rows: machine.rows.n,
    columns: machine.rows.d,
    storage: machine.rows.x instanceof Uint8Array ? "8-bit" : "float64",
    scale: machine.rows.scale,
    training: machine.training,
    data: machine.dataName,
    dataHash: machine.dataHash,
    modelHash: await machine.hash(),
  };
}

type Contents = Awaited<ReturnType<typeof contentsOf>>;

function contentsText(contents: Contents): string {
  const { weightVariance, biasVariance } = contents.kernel;
  const parameters = Object.entries(contents.parameters).map(([name, value]) => [name, String(value)]);
  const training = Object.entries(contents.training).map(([name, value]) => [name, figure(value)]);
  const rows = [
    ["file", `${contents.file}, ${count(contents.bytes)} bytes`],
    ["format", `version ${contents.formatVersion}, written by ntkit ${contents.version}`],
    ["machine", contents.machine],
    ...parameters,
    ["kernel", describeKernel(contents.kernel)],
    ["variances", `weights ${weightVariance}, biases ${biasVariance}`],
    ["rows", `${count(contents.rows)} x ${count(contents.columns)}, ${contents.storage}, scale ${contents.scale}`],
    ["b", String(contents.bias)],
    ...training,
    ["trained on", contents.data],
    ["data SHA-256", contents.dataHash],
    ["model SHA-256", contents.modelHash],
  ];
  return alignRows(rows, "ll");
}

async function inspect(model: string, options: CommonOptions): Promise<void> {
  checkTargets({ "--json": options.json }, { model });
  const output = new Output({ quiet: options.quiet, data: [options.json] });
  const { machine, bytes } = readMachine(model);
  const contents = await contentsOf(model, machine, bytes);
  output.text(contentsText(contents));
  output.json(options.json, contents);
}

export function addInspect(program: Command): void {
  const command = program
    .command("inspect")
    .description("show what a model file holds: machine, kernel, training report, rows, hashes")
    .argument("<model>", "model file written by ntkit train")
    .action(inspect);
  finish(command, ["inspect svm.safetensors", "inspect svm.safetensors --json -"]);
}
