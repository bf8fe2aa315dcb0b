// A model and inputs in linear memory, ready for the core's attacks: points are float64 in data units, their columns in
// the order of the packed training rows. The mathematics is in assembly/attack/. Not here: what an attack is asked for
// and what it found (attack.ts).
import {
  ATTACK_ALPHA,
  ATTACK_BIAS,
  ATTACK_BYTES,
  ATTACK_CENTRE,
  ATTACK_CENTRE_OUTPUT,
  ATTACK_COLUMNS,
  ATTACK_DIFFERENCE,
  ATTACK_ENTRIES,
  ATTACK_FACTOR,
  ATTACK_FOUND,
  ATTACK_KERNEL,
  ATTACK_LANES,
  ATTACK_LAYERS,
  ATTACK_MODEL,
  ATTACK_NETWORK,
  ATTACK_NEURONS,
  ATTACK_OUTPUT,
  ATTACK_POINTS,
  ATTACK_ROWS,
  ATTACK_WIDEST,
  ATTACK_WORK,
  ATTACK_WORK_BYTES,
  MODEL_MACHINE,
  MODEL_NETWORK,
  NEURONS,
} from "../../../assembly/layout.js";
import { uploadKernel } from "../../kernels/kernel.js";
import { columnOrder, packedColumns, type RowSource, uploadRows } from "../../kernels/rows.js";
import type { Machine } from "../../machines/machine.js";
import { allocateLayers, fillInitial, writeWeights } from "../../networks/layers.js";
import { NetworkModel } from "../../networks/model.js";
import { layerScales } from "../../networks/network.js";
import type { Scope } from "../../runtime/memory.js";
import type { Runtime } from "../../runtime/runtime.js";
import type { NetworkOffset } from "../ibp.js";

/** A job of the core, but for what it is asked. */
export interface AttackJob {
  readonly pointer: number;
  /** Clean points, and points found, `entries` float64 each. */
  readonly points: number;
  readonly found: number;
  readonly entries: number;
  /** Column of the data that entry k of a point holds. */
  readonly order: Int32Array;
}

const padded = (width: number) => Math.ceil(width / NEURONS) * NEURONS;

async function writeMachine(runtime: Runtime, scope: Scope, view: DataView, machine: Machine): Promise<void> {
  const rows = await uploadRows(runtime, scope, machine.rows);
  view.setInt32(ATTACK_MODEL, MODEL_MACHINE, true);
  view.setUint32(ATTACK_KERNEL, uploadKernel(scope, machine.kernel), true);
  view.setUint32(ATTACK_ROWS, rows.pointer, true);
  view.setUint32(ATTACK_ALPHA, scope.f64(machine.alpha.length, machine.alpha), true);
  view.setFloat64(ATTACK_BIAS, machine.bias, true);
}

async function writeNetwork(
  runtime: Runtime,
  scope: Scope,
  view: DataView,
  model: NetworkModel,
  offset: NetworkOffset,
): Promise<void> {
  const { spec, inputs } = model;
  const layers = allocateLayers(scope, spec, inputs, 1);
  await writeWeights(runtime, layers, spec, inputs, model.weights);
  const centre = model.centred ? allocateLayers(scope, spec, inputs, 1) : undefined;
  if (centre !== undefined) await fillInitial(runtime, centre, spec, inputs);
  const widths = spec.widths.map(padded);
  view.setInt32(ATTACK_MODEL, MODEL_NETWORK, true);
  view.setUint32(ATTACK_NETWORK, layers.pointer, true);
  view.setUint32(ATTACK_OUTPUT, layers.output, true);
  view.setUint32(ATTACK_CENTRE, centre?.pointer ?? 0, true);
  view.setUint32(ATTACK_CENTRE_OUTPUT, centre?.output ?? 0, true);
  view.setInt32(ATTACK_LAYERS, widths.length, true);
  view.setInt32(ATTACK_DIFFERENCE, offset === "difference" ? 1 : 0, true);
  view.setInt32(ATTACK_NEURONS, widths.reduce((sum, width) => sum + width, 0), true); // biome-ignore format: one field a line
  view.setInt32(ATTACK_WIDEST, Math.max(...widths), true);
  view.setFloat64(ATTACK_FACTOR, layerScales(spec, inputs).reduce((product, scale) => product * scale, 1), true); // biome-ignore format: one field a line
}

/**
 * Uploads a model and points, and room for `inFlight` inputs at a time with `lanes` points each.
 * @throws MemoryBudgetError
 */
export async function prepareAttack(
  runtime: Runtime,
  scope: Scope,
  model: Machine | NetworkModel,
  data: RowSource,
  { lanes, inFlight, offset }: { lanes: number; inFlight: number; offset: NetworkOffset },
): Promise<AttackJob> {
  const isNetwork = model instanceof NetworkModel;
  const pixels = !isNetwork && model.rows.x instanceof Uint8Array;
  const order = pixels ? columnOrder(data.d) : Int32Array.from({ length: data.d }, (_, k) => k);
  const entries = packedColumns(data.d, pixels);
  const points = scope.f64(data.n * entries, packPoints(data, order, entries));
  const found = scope.f64(data.n * entries);
  const pointer = scope.allocate(ATTACK_BYTES);
  scope.memory.u8(pointer, ATTACK_BYTES).fill(0);
  const own = new DataView(new ArrayBuffer(ATTACK_BYTES));
  if (isNetwork) await writeNetwork(runtime, scope, own, model, offset);
  else await writeMachine(runtime, scope, own, model);
  const hidden = own.getInt32(ATTACK_NEURONS, true) + 2 * own.getInt32(ATTACK_WIDEST, true);
  const workBytes = ((3 * lanes + 1) * entries + 2 * lanes + 4 + hidden) * 8;
  own.setInt32(ATTACK_ENTRIES, entries, true);
  own.setInt32(ATTACK_COLUMNS, data.d, true);
  own.setInt32(ATTACK_LANES, lanes, true);
  own.setUint32(ATTACK_POINTS, points, true);
  own.setUint32(ATTACK_FOUND, found, true);
  own.setUint32(ATTACK_WORK, scope.allocate(inFlight * workBytes, "points of attacks under way"), true);
  own.setInt32(ATTACK_WORK_BYTES, workBytes, true);
  // Uploads above may have moved the memory's buffer, so the record is written last and at once.
  scope.memory.u8(pointer, ATTACK_BYTES).set(new Uint8Array(own.buffer));
  return { pointer, points, found, entries, order };
}

/** Rows as float64 points in data units, columns in the given order, padded with 0. */
function packPoints({ n, d, x, scale }: RowSource, order: Int32Array, entries: number): Float64Array {
  const packed = new Float64Array(n * entries);
  for (let i = 0; i < n; i++)
    for (let k = 0; k < d; k++) packed[i * entries + k] = (x[i * d + (order[k] ?? k)] ?? 0) * scale;
  return packed;
}

/** Point `index` of those at `from`, its columns in the data's own order. */
export function readPoint(runtime: Runtime, { entries, order }: AttackJob, from: number, index: number): Float64Array {
  const packed = runtime.memory.f64(from + index * entries * 8, entries);
  const point = new Float64Array(order.length);
  order.forEach((column, k) => {
    point[column] = packed[k] ?? 0;
  });
  return point;
}
