// Model files: safetensors with the coefficients (float64) and the training rows (8-bit or float64), and everything
// else as JSON text in the metadata. Python's safetensors opens them. Not here: the format itself (data/safetensors.ts).
import { readSafetensors, type Tensor, writeSafetensors } from "../data/safetensors.js";
import { FormatError, MissingKernelError } from "../errors.js";
import { checkKernel, type KnownKernels, withFunctions } from "../kernels/kernel.js";
import { checkChoice, describe } from "../validate.js";
import { VERSION } from "../version.js";
import type { MachineName, MachineParts, TrainingReport } from "./machine.js";

/** Magic word of the metadata: tells an ntkit model from any other safetensors file. */
const MAGIC = "ntkit machine";

/** Version of the layout below; a file of a later one is refused. */
const FORMAT_VERSION = 1;

export const MACHINE_NAMES: readonly MachineName[] = [
  "krr",
  "svm",
  "svm-sgd",
  "svm2",
  "hard-margin",
  "svr",
  "logistic",
];

/** Bytes of a model file. */
export function saveMachine(parts: MachineParts): Uint8Array {
  const { rows, alpha } = parts;
  return writeSafetensors(
    {
      alpha: { shape: [alpha.length], data: alpha },
      rows: { shape: [rows.n, rows.d], data: rows.x },
    },
    {
      format: MAGIC,
      format_version: String(FORMAT_VERSION),
      ntkit_version: VERSION,
      machine: parts.machine,
      parameters: JSON.stringify(parts.parameters),
      kernel: JSON.stringify(parts.kernel),
      bias: String(parts.bias),
      scale: String(rows.scale),
      training: JSON.stringify(parts.training),
      data_name: parts.dataName,
      data_sha256: parts.dataHash,
      ...(parts.task === undefined ? {} : { task: parts.task }),
    },
  );
}

/** A fault of the metadata or tensors: the header starts behind the 8 bytes of its length. */
function fault(what: string): FormatError {
  return new FormatError("model file", 8, what);
}

/** The parts of the machine in a model file. @throws TypeError for anything but bytes, FormatError for other files */
export function loadMachineParts(bytes: Uint8Array, known: KnownKernels = {}): MachineParts {
  const { tensors, metadata } = readSafetensors(bytes);
  if (metadata.format !== MAGIC) throw fault(`expected format "${MAGIC}", got ${describe(metadata.format)}`);
  const version = Number(metadata.format_version);
  if (version !== FORMAT_VERSION)
    throw fault(
      `expected format version ${FORMAT_VERSION}, got ${describe(metadata.format_version)}: ` +
        `written by ntkit ${metadata.ntkit_version ?? "of unknown version"}, this is ${VERSION}`,
    );
  const alpha = tensorOf(tensors, "alpha", 1);
  const rows = tensorOf(tensors, "rows", 2);
  const [n = 0, d = 0] = rows.shape;
  if (!(alpha.data instanceof Float64Array)) throw fault(`alpha: expected F64, got ${alpha.dtype}`);
  if (!(rows.data instanceof Uint8Array || rows.data instanceof Float64Array) || rows.dtype === "BOOL")
    throw fault(`rows: expected U8 or F64, got ${rows.dtype}`);
  if (alpha.data.length !== n || n === 0 || d === 0)
    throw fault(`expected one coefficient a row and at least one of each, got ${alpha.data.length} and ${n} x ${d}`);
  if (!alpha.data.every(Number.isFinite)) throw fault("alpha: expected finite numbers");
  if (rows.data instanceof Float64Array && !rows.data.every(Number.isFinite))
    throw fault("rows: expected finite numbers");
  return {
    machine: guarded("machine", () => checkChoice("machine", metadata.machine, MACHINE_NAMES)),
    parameters: guarded("parameters", () => scalars(parsed(metadata.parameters))),
    kernel: guarded("kernel", () => checkKernel("kernel", withFunctions(parsed(metadata.kernel), known))),
    rows: { n, d, x: rows.data, scale: finite("scale", metadata.scale, true) },
    alpha: alpha.data,
    bias: finite("bias", metadata.bias, false),
    training: guarded("training", () => scalars(parsed(metadata.training)) as TrainingReport),
    dataHash: metadata.data_sha256 ?? "",
    dataName: metadata.data_name ?? "",
    ...(metadata.task === undefined
      ? {}
      : { task: guarded("task", () => checkChoice("task", metadata.task, ["regression"] as const)) }),
  };
}

function tensorOf(tensors: ReadonlyMap<string, Tensor>, name: string, dimensions: number): Tensor {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw fault(`no tensor "${name}"`);
  if (tensor.shape.length !== dimensions)
    throw fault(`${name}: expected ${dimensions} dimensions, got ${tensor.shape.length}`);
  return tensor;
}

function guarded<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof MissingKernelError) throw error;
    throw fault(`metadata ${name}: ${(error as Error).message}`);
  }
}

function parsed(text: string | undefined): unknown {
  if (text === undefined) throw new Error("is missing");
  return JSON.parse(text);
}

/** Numbers and booleans by name; anything else in there was not written by ntkit. */
function scalars(value: unknown): Record<string, number | boolean> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("expected an object");
  for (const [name, entry] of Object.entries(value)) {
    if (typeof entry !== "number" && typeof entry !== "boolean")
      throw new Error(`${name}: expected a number or boolean`);
  }
  return value as Record<string, number | boolean>;
}

function finite(name: string, text: string | undefined, positive: boolean): number {
  const value = text === undefined || text.trim() === "" ? Number.NaN : Number(text);
  if (!Number.isFinite(value) || (positive && !(value > 0)))
    throw fault(`metadata ${name}: expected a ${positive ? "positive " : ""}number, got ${describe(text)}`);
  return value;
}
