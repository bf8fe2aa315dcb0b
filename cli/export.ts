// ntkit export: a finite network for other verifiers, as ONNX, and balls around inputs as VNN-LIB properties.
// Not here: the formats (the SDK).
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { boxProperty, exportOnnx, NetworkModel } from "ntkit";
import { Failure, UsageError } from "./errors.js";
import { choose, readModel, readSplit, type Selection, SPLITS } from "./inputs.js";
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
import { checkTargets, Output } from "./output.js";
import { type Session, withSession } from "./session.js";
import { count } from "./table.js";

interface ExportFlags extends CommonOptions, Omit<Selection, "data"> {
  readonly onnx: string;
  readonly data?: string;
  readonly radius?: number;
  readonly domain?: boolean;
  readonly vnnlib?: string;
}

/** Writes one property a sample; how many. */
async function writeProperties(model: NetworkModel, flags: ExportFlags, session: Session, output: Output) {
  const { data, radius, vnnlib: folder } = flags;
  if (data === undefined || radius === undefined || folder === undefined)
    throw new UsageError("--vnnlib: expected --data and --radius with it");
  const split = await readSplit({ ...flags, data }, model, session, output);
  const { indices, rows } = await choose(split, { ...flags, data }, session);
  const predictions = await model.predict(rows, session.work);
  mkdirSync(folder, { recursive: true });
  let written = 0;
  for (const [k, index] of indices.entries()) {
    const prediction = predictions[k];
    if (prediction !== 1 && prediction !== -1) continue;
    const input = Array.from(rows.x.subarray(k * rows.d, (k + 1) * rows.d), (value) => value * rows.scale);
    const text = boxProperty({ input, radius, prediction, domain: flags.domain });
    writeFileSync(join(folder, `sample-${index}.vnnlib`), text);
    written += 1;
  }
  return written;
}

async function exportModel(file: string, flags: ExportFlags): Promise<void> {
  checkTargets({ "--onnx": flags.onnx }, { model: file });
  const output = new Output({ quiet: flags.quiet, data: [] });
  const { model } = readModel(file, "export");
  if (!(model instanceof NetworkModel)) throw new Failure(`${file}: expected a finite network, got a machine`);
  if (flags.vnnlib === undefined && (flags.data !== undefined || flags.radius !== undefined))
    throw new UsageError("--data, --radius: expected --vnnlib with them");
  await withSession(flags, async (session) => {
    session.progress.step("writing", 0);
    const bytes = await exportOnnx(model, session.work);
    writeFileSync(flags.onnx, bytes);
    const written = flags.vnnlib === undefined ? 0 : await writeProperties(model, flags, session, output);
    session.progress.clear();
    output.text(`${flags.onnx}: ${model.describe()}, ${count(bytes.length)} bytes`);
    if (flags.vnnlib !== undefined)
      output.text(`${flags.vnnlib}: ${count(written)} properties, radius ${flags.radius}`);
  });
}

export function addExport(program: Command): void {
  const command = program
    .command("export")
    .description("write a finite network as ONNX, and balls around inputs as VNN-LIB, for other verifiers")
    .argument("<model>", "network file written by ntkit train --network")
    .addOption(pathOption("--onnx <file>", "the ONNX model").makeOptionMandatory())
    .addOption(pathOption("--vnnlib <folder>", "one property file a sample"))
    .addOption(dataOption())
    .addOption(choiceOption("--split", "part of the data (default: test)", SPLITS))
    .addOption(samplesOption())
    .addOption(seedOption("random samples"))
    .addOption(numberOption("--radius <number>", "l-inf radius of the properties", { min: 0 }))
    .option("--domain", "only inputs with every entry in [0, 1]")
    .action(exportModel);
  finish(command, [
    "export network.safetensors --onnx network.onnx",
    "export network.safetensors --onnx network.onnx --vnnlib properties --data mnist:0,1 --samples 100 --radius 0.02",
  ]);
}
