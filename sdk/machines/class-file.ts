// Model files of machines for several classes, one a class or one a pair: safetensors with the coefficients (machines x
// rows, float64), biases and rows, everything else as JSON text in the metadata. Not here: the format itself
// (data/safetensors.ts).
import { readSafetensors, writeSafetensors } from "../data/safetensors.js";
import { FormatError, MissingKernelError } from "../errors.js";
import { checkKernel, type KnownKernels, withFunctions } from "../kernels/kernel.js";
import { checkChoice, describe } from "../validate.js";
import { VERSION } from "../version.js";
import type { ClassMachineParts } from "./joined-machine.js";
import type { TrainingReport } from "./machine.js";
import { MACHINE_NAMES } from "./model-file.js";

/** Magic words of the metadata, and the version of the layout. */
const MAGIC = "ntkit class machine";
const PAIR_MAGIC = "ntkit pair machine";
const FORMAT_VERSION = "1";

/** Which machine for several classes a file holds by its metadata: one a class, one a pair, or none. */
export function classFileKind(metadata: Readonly<Record<string, string>>): "classes" | "pairs" | undefined {
  return metadata.format === MAGIC ? "classes" : metadata.format === PAIR_MAGIC ? "pairs" : undefined;
}

/** Bytes of a model file with one machine a class. */
export function saveClassMachine(parts: ClassMachineParts): Uint8Array {
  return saveParts(MAGIC, parts);
}

/** Bytes of a model file with one machine a pair. */
export function savePairMachine(parts: ClassMachineParts): Uint8Array {
  return saveParts(PAIR_MAGIC, parts);
}

function saveParts(magic: string, parts: ClassMachineParts): Uint8Array {
  const { rows, alphas, biases } = parts;
  const all = new Float64Array(alphas.length * rows.n);
  alphas.forEach((alpha, c) => {
    all.set(alpha, c * rows.n);
  });
  return writeSafetensors(
    {
      alphas: { shape: [alphas.length, rows.n], data: all },
      biases: { shape: [alphas.length], data: biases },
      rows: { shape: [rows.n, rows.d], data: rows.x },
    },
    {
      format: magic,
      format_version: FORMAT_VERSION,
      ntkit_version: VERSION,
      machine: parts.machine,
      parameters: JSON.stringify(parts.parameters),
      kernel: JSON.stringify(parts.kernel),
      classes: JSON.stringify(parts.classes),
      scale: String(rows.scale),
      training: JSON.stringify(parts.training),
      data_name: parts.dataName,
      data_sha256: parts.dataHash,
    },
  );
}

const fault = (what: string) => new FormatError("model file", 8, what);

function parsed<T>(metadata: Readonly<Record<string, string>>, name: string, check: (value: unknown) => T): T {
  try {
    return check(JSON.parse(metadata[name] ?? ""));
  } catch (error) {
    if (error instanceof MissingKernelError) throw error;
    throw fault(`metadata ${name}: ${(error as Error).message}`);
  }
}

function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new Error(`expected an array, got ${describe(value)}`);
  return value;
}

function scalars(value: unknown): Record<string, number> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("expected an object");
  for (const [name, entry] of Object.entries(value))
    if (typeof entry !== "number" && typeof entry !== "boolean")
      throw new Error(`${name}: expected a number or boolean`);
  return value as Record<string, number>;
}

function text(value: unknown): string {
  if (typeof value !== "string") throw new Error(`expected a string, got ${describe(value)}`);
  return value;
}

/** The parts of the machine in a file. @throws TypeError for anything but bytes, FormatError for other files */
export function loadClassParts(bytes: Uint8Array, known: KnownKernels = {}): ClassMachineParts {
  return loadParts(bytes, MAGIC, (classes) => classes, known);
}

/** The same of a file with one machine a pair. */
export function loadPairParts(bytes: Uint8Array, known: KnownKernels = {}): ClassMachineParts {
  return loadParts(bytes, PAIR_MAGIC, (classes) => (classes * (classes - 1)) / 2, known);
}

/** `count` says how many machines there are for a number of classes. */
function loadParts(
  bytes: Uint8Array,
  magic: string,
  count: (classes: number) => number,
  known: KnownKernels,
): ClassMachineParts {
  const { tensors, metadata } = readSafetensors(bytes);
  if (metadata.format !== magic || metadata.format_version !== FORMAT_VERSION)
    throw fault(`expected format "${magic}" ${FORMAT_VERSION}, got ${describe(metadata.format)}`);
  const [alphas, biases, rows] = ["alphas", "biases", "rows"].map((name) => tensors.get(name));
  const [many = 0, n = 0] = alphas?.shape ?? [];
  const d = rows?.shape[1] ?? 0;
  const fits =
    rows?.shape[0] === n && biases?.shape[0] === many && rows.shape.length === 2 && alphas?.shape.length === 2;
  if (!fits || n === 0 || d === 0 || many < 1) throw fault("expected alphas, biases and rows of matching shapes");
  const [own, offsets, x] = [alphas?.data, biases?.data, rows?.data];
  if (!(own instanceof Float64Array && offsets instanceof Float64Array)) throw fault("alphas: expected F64");
  if (!(x instanceof Uint8Array || x instanceof Float64Array)) throw fault("rows: expected U8 or F64");
  const numbers = [own, offsets, ...(x instanceof Float64Array ? [x] : [])];
  if (!numbers.every((values) => values.every(Number.isFinite)))
    throw fault("alphas, biases, rows: expected finite numbers");
  const scale = Number(metadata.scale);
  if (!(scale > 0 && Number.isFinite(scale)))
    throw fault(`metadata scale: expected a positive number, got ${metadata.scale}`);
  const classes = parsed(metadata, "classes", (value) => list(value).map(text));
  if (classes.length < 2 || count(classes.length) !== many)
    throw fault(`classes: expected as many as fit to ${many} machines, got ${classes.length}`);
  return {
    machine: checkedName(metadata.machine),
    parameters: parsed(metadata, "parameters", scalars),
    kernel: parsed(metadata, "kernel", (value) => checkKernel("kernel", withFunctions(value, known))),
    classes,
    rows: { n, d, x, scale },
    alphas: Array.from({ length: many }, (_, c) => own.slice(c * n, (c + 1) * n)),
    biases: offsets,
    training: parsed(metadata, "training", (value) => list(value).map(scalars) as TrainingReport[]),
    dataHash: metadata.data_sha256 ?? "",
    dataName: metadata.data_name ?? "",
  };
}

function checkedName(name: unknown) {
  try {
    return checkChoice("machine", name, MACHINE_NAMES);
  } catch (error) {
    throw fault(`metadata ${(error as Error).message}`);
  }
}
