// Bounds of a machine's output on l-infinity balls by the paper's interval method (Theorem 4.2), rounded outward.
// The mathematics is in assembly/bounds/interval.ts. Not here: the largest radius (certify.ts).
import {
  CERTIFICATE_BYTES,
  CERTIFY_ALPHA,
  CERTIFY_BIAS,
  CERTIFY_BYTES,
  CERTIFY_HIGH,
  CERTIFY_INPUTS,
  CERTIFY_KERNEL,
  CERTIFY_LOW,
  CERTIFY_RESULTS,
  CERTIFY_ROWS,
  CERTIFY_TOLERANCE,
  CERTIFY_WORK,
} from "../../assembly/layout.js";
import { uploadKernel } from "../kernels/kernel.js";
import { checkSameColumns, type RowSource, type Rows, uploadRows } from "../kernels/rows.js";
import { checkRows, type Machine } from "../machines/machine.js";
import type { Scope } from "../runtime/memory.js";
import { type Runtime, runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import { checkNumber, describe } from "../validate.js";
import { type Bounds, checkMachine, checkTwoLayer } from "./method.js";

/** Where a search starts and stops: radii in the units of the data (1 = white, for pixels). */
export interface Bracket {
  readonly low: number;
  readonly high: number;
  /** Relative width at which the search stops. */
  readonly tolerance: number;
}

/** A machine and inputs in linear memory, ready for the core's certification jobs. */
export interface CertifyJob {
  readonly pointer: number;
  readonly results: number;
  readonly inputs: Rows;
}

/** Uploads everything a certification job reads. */
export async function prepareJob(
  runtime: Runtime,
  scope: Scope,
  machine: Machine,
  data: RowSource,
  bracket: Bracket,
): Promise<CertifyJob> {
  const inputs = await uploadRows(runtime, scope, data);
  const rows = await uploadRows(runtime, scope, machine.rows);
  const kernel = uploadKernel(scope, machine.kernel);
  const alpha = scope.f64(machine.alpha.length, machine.alpha);
  const results = scope.allocate(data.n * CERTIFICATE_BYTES);
  const work = scope.allocate(Math.max(1, runtime.threads) * machine.rows.n * 32, "terms of the bounds");
  const pointer = scope.allocate(CERTIFY_BYTES);
  const view = scope.memory.view(pointer, CERTIFY_BYTES);
  view.setUint32(CERTIFY_KERNEL, kernel, true);
  view.setUint32(CERTIFY_INPUTS, inputs.pointer, true);
  view.setUint32(CERTIFY_ROWS, rows.pointer, true);
  view.setUint32(CERTIFY_ALPHA, alpha, true);
  view.setUint32(CERTIFY_RESULTS, results, true);
  view.setUint32(CERTIFY_WORK, work, true);
  view.setFloat64(CERTIFY_BIAS, machine.bias, true);
  view.setFloat64(CERTIFY_LOW, bracket.low, true);
  view.setFloat64(CERTIFY_HIGH, bracket.high, true);
  view.setFloat64(CERTIFY_TOLERANCE, bracket.tolerance, true);
  return { pointer, results, inputs };
}

/**
 * Bounds of g on the ball ||x - x_k||_inf <= radii[k] around each row of `data` (one number serves all rows).
 * Any real x in the ball is meant, inside the image domain or not.
 * @throws TypeError, RangeError for other kernels than the two-layer NTK, other columns, negative radii
 */
export async function intervalBounds(
  machine: Machine,
  data: RowSource,
  radii: number | ArrayLike<number>,
  options: WorkOptions = {},
): Promise<Bounds> {
  checkMachine("machine", machine);
  checkRows("data", data);
  checkTwoLayer(machine.kernel);
  checkSameColumns("data", machine.rows, data);
  if (typeof radii !== "number" && typeof (radii as ArrayLike<number> | null)?.length !== "number")
    throw new TypeError(`radii: expected a number or an array of numbers, got ${describe(radii)}`);
  const list = typeof radii === "number" ? new Float64Array(data.n).fill(radii) : Float64Array.from(radii);
  if (list.length !== data.n) throw new RangeError(`radii: expected ${data.n} numbers, got ${list.length}`);
  for (const radius of list) checkNumber("radii", radius, { min: 0 });
  const runtime = await runtimeOf(options);
  const scope = runtime.scope();
  try {
    const { pointer } = await prepareJob(runtime, scope, machine, data, { low: 0, high: 1, tolerance: 1 });
    const from = scope.f64(data.n, list);
    const to = scope.allocate(data.n * 16);
    await runtime.run("intervalBounds", data.n, [pointer, from, to], options, "bounding");
    const ends = runtime.memory.f64(to, 2 * data.n);
    return {
      lower: Float64Array.from({ length: data.n }, (_, k) => ends[2 * k] ?? Number.NaN),
      upper: Float64Array.from({ length: data.n }, (_, k) => ends[2 * k + 1] ?? Number.NaN),
    };
  } finally {
    scope.release();
  }
}
