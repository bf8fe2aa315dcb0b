// A machine and inputs in linear memory, ready for the core's bounds and searches.
// Not here: what the bounds are (assembly/bounds/) and what is made of them (bounds.ts, certify.ts).
import {
  CERTIFICATE_BYTES,
  CERTIFY_ALPHA,
  CERTIFY_BIAS,
  CERTIFY_BYTES,
  CERTIFY_ESTIMATE,
  CERTIFY_HIGH,
  CERTIFY_INPUTS,
  CERTIFY_KERNEL,
  CERTIFY_LIMIT,
  CERTIFY_LOW,
  CERTIFY_METHOD,
  CERTIFY_MOVABLE,
  CERTIFY_NORM,
  CERTIFY_RESULTS,
  CERTIFY_ROWS,
  CERTIFY_SHARE,
  CERTIFY_STOP,
  CERTIFY_TOLERANCE,
  CERTIFY_TOP,
  CERTIFY_TOUCHING,
  CERTIFY_WORK,
  METHOD_CURVATURE,
  METHOD_DEEP,
  METHOD_INTERVAL,
  METHOD_LINEAR,
  NORM_1,
  NORM_2,
  NORM_INF,
} from "../../assembly/layout.js";
import { type Kernel, uploadKernel } from "../kernels/kernel.js";
import { packedColumns, type RowSource, type Rows, uploadRows } from "../kernels/rows.js";
import type { Machine } from "../machines/machine.js";
import type { Scope } from "../runtime/memory.js";
import type { Runtime } from "../runtime/runtime.js";
import { type BoundKind, isTwoLayer, type Soundness } from "./method.js";

/** Where a search starts and stops: radii in the units of the data (1 = white, for pixels). */
export interface Bracket {
  readonly low: number;
  readonly high: number;
  /** Relative width at which the search stops. */
  readonly tolerance: number;
  /** Seconds after which the search of one input ends with what it has verified. Default: never. */
  readonly timeLimit?: number | undefined;
}

/** Writes what the search reads into a job's record. */
export function writeSearch(view: DataView, { low, high, tolerance, timeLimit = Infinity }: Bracket): void {
  view.setFloat64(CERTIFY_LOW, low, true);
  view.setFloat64(CERTIFY_HIGH, high, true);
  view.setFloat64(CERTIFY_TOLERANCE, tolerance, true);
  view.setFloat64(CERTIFY_LIMIT, 1000 * timeLimit, true);
  view.setInt32(CERTIFY_STOP, 0, true);
}

/** A machine and inputs in linear memory. */
export interface CertifyJob {
  readonly pointer: number;
  readonly results: number;
  readonly inputs: Rows;
  /** Pointer to the record of TOUCHING_* of each input, and a record's bytes; of quadratic forms on l-inf balls. */
  readonly touching?: { readonly pointer: number; readonly bytes: number };
}

const METHOD_CODES = { interval: METHOD_INTERVAL, linear: METHOD_LINEAR, curvature: METHOD_CURVATURE } as const;
const NORM_CODES = { linf: NORM_INF, l2: NORM_2, l1: NORM_1 } as const;

/** Float64 entries of work memory that one thread needs. */
function shareOf(runtime: Runtime, { method }: BoundKind, kernel: Kernel, { n, d, eightBit }: Rows): number {
  if (!isTwoLayer(kernel)) return runtime.call("deepEntries", n);
  if (method === "interval") return runtime.call("intervalEntries", n);
  const columns = packedColumns(d, eightBit);
  const linear = runtime.call("linearEntries", n, columns);
  return method === "linear" ? linear : linear + runtime.call("curvatureEntries", n, columns);
}

/** Uploads everything a certification job reads. @throws MemoryBudgetError */
export async function prepareJob(
  runtime: Runtime,
  scope: Scope,
  machine: Machine,
  data: RowSource,
  bracket: Bracket,
  kind: BoundKind,
  soundness: Soundness = "rigorous-f64",
): Promise<CertifyJob> {
  const inputs = await uploadRows(runtime, scope, data);
  const own = await uploadMachine(runtime, scope, machine);
  const pointers = { ...own, inputs, alpha: scope.f64(machine.alpha.length, machine.alpha), bias: machine.bias };
  return writeJob(runtime, scope, pointers, bracket, kind, soundness);
}

/** Kernel and rows of a machine in linear memory. */
export async function uploadMachine(
  runtime: Runtime,
  scope: Scope,
  { rows, kernel }: { readonly rows: RowSource; readonly kernel: Kernel },
): Promise<UploadedMachine> {
  return { kernel, rows: await uploadRows(runtime, scope, rows), kernelPointer: uploadKernel(scope, kernel) };
}

export interface UploadedMachine {
  readonly kernel: Kernel;
  readonly kernelPointer: number;
  readonly rows: Rows;
}

/** A machine of rows that are there already, and inputs likewise; alpha points to a coefficient for each row. */
export interface JobParts extends UploadedMachine {
  readonly inputs: Rows;
  readonly alpha: number;
  readonly bias: number;
}

/** The record of a job. @throws MemoryBudgetError */
export function writeJob(
  runtime: Runtime,
  scope: Scope,
  { inputs, rows, kernel, kernelPointer, alpha, bias }: JobParts,
  bracket: Bracket,
  kind: BoundKind,
  soundness: Soundness = "rigorous-f64",
): CertifyJob {
  const results = scope.allocate(inputs.n * CERTIFICATE_BYTES);
  const share = shareOf(runtime, kind, kernel, rows);
  const work = scope.allocate(Math.max(1, runtime.threads) * share * 8, "work memory of the bounds", true);
  const pointer = scope.allocate(CERTIFY_BYTES);
  const view = scope.memory.view(pointer, CERTIFY_BYTES);
  view.setUint32(CERTIFY_KERNEL, kernelPointer, true);
  view.setUint32(CERTIFY_INPUTS, inputs.pointer, true);
  view.setUint32(CERTIFY_ROWS, rows.pointer, true);
  view.setUint32(CERTIFY_ALPHA, alpha, true);
  view.setUint32(CERTIFY_RESULTS, results, true);
  view.setUint32(CERTIFY_WORK, work, true);
  view.setFloat64(CERTIFY_BIAS, bias, true);
  writeSearch(view, bracket);
  // The domain is [0, 1] in the data's units; its raw end is rounded up, which makes the box no smaller.
  view.setFloat64(CERTIFY_TOP, kind.domain ? (1 / inputs.scale) * (1 + 2 ** -50) : Number.POSITIVE_INFINITY, true);
  view.setInt32(CERTIFY_METHOD, isTwoLayer(kernel) ? METHOD_CODES[kind.method] : METHOD_DEEP, true);
  view.setInt32(CERTIFY_MOVABLE, kind.movable ?? inputs.d, true);
  view.setInt32(CERTIFY_NORM, NORM_CODES[kind.norm], true);
  view.setInt32(CERTIFY_SHARE, share, true);
  view.setInt32(CERTIFY_ESTIMATE, soundness === "estimate-f64" ? 1 : 0, true);
  const kept = kind.method === "curvature" && kind.norm === "linf" && isTwoLayer(kernel);
  const bytes = kept ? runtime.call("touchingBytes", packedColumns(rows.d, rows.eightBit)) : 0;
  const touching = kept ? scope.allocate(inputs.n * bytes) : 0;
  view.setUint32(CERTIFY_TOUCHING, touching, true);
  return { pointer, results, inputs, ...(kept ? { touching: { pointer: touching, bytes } } : {}) };
}
