// Integer planes of a network's first layer, made when 8-bit inputs are many and the planes cost a radius next to
// nothing. The mathematics is in assembly/bounds/planes.ts. Not here: the rest of the job (ibp.ts).
import {
  IBP_BYTES,
  IBP_CENTRE,
  IBP_CENTRE_ERRORS,
  IBP_CENTRE_LOSS,
  IBP_CENTRE_OUTPUT,
  IBP_CENTRE_PLANES,
  IBP_CENTRE_SPREADS,
  IBP_CENTRE_STEPS,
  IBP_COLUMNS,
  IBP_ENTRIES,
  IBP_ERRORS,
  IBP_LOSS,
  IBP_OUTPUT,
  IBP_PLANES,
  IBP_SLOT_COLUMNS,
  IBP_SLOTS,
  IBP_SPREADS,
  IBP_STARTS,
  IBP_STEPS,
  NEURONS,
} from "../../assembly/layout.js";
import type { RowSource } from "../kernels/rows.js";
import type { NetworkModel } from "../networks/model.js";
import type { NetworkSpec } from "../networks/network.js";
import type { Scope } from "../runtime/memory.js";
import type { Runtime } from "../runtime/runtime.js";

/**
 * Most that the errors of planes may move the radius of an input with an eighth of all white, in grey levels, if all
 * neurons are active: a bound moves twice as far at most, and a radius as many times farther as there are more neurons
 * than active ones. It is a matter of the model alone, so that no certificate hangs on the other inputs of a job.
 */
const MOST_LOSS = 2e-5;

/** Largest 8-bit entry. */
const WHITE = 255;

/** Bytes of a plane of one slot for one block of neurons. */
const SLOT_BYTES = NEURONS * 4;

/** Rows of 8-bit entries as planes take them. */
export interface Slots {
  /** Columns that some row uses, two to a slot; -1 for none. */
  readonly columns: Int32Array;
  /** Where each row's slots begin in the lists, n + 1. */
  readonly starts: Int32Array;
  readonly list: Int32Array;
  /** The two entries of each slot of the list, the first in the low half. */
  readonly entries: Int32Array;
}

/** Slots of 8-bit rows, undefined of others. */
export function slotsOf({ n, d, x }: RowSource): Slots | undefined {
  if (!(x instanceof Uint8Array)) return undefined;
  const used = new Uint8Array(d);
  let count = 0;
  for (let i = 0, at = 0; i < n; i++)
    for (let k = 0; k < d; k++, at++) {
      if (x[at] === 0) continue;
      used[k] = 1;
      count++;
    }
  const places = new Int32Array(d);
  const columns: number[] = [];
  for (let k = 0; k < d; k++) if (used[k] === 1) places[k] = columns.push(k) - 1;
  if (columns.length % 2 === 1) columns.push(-1);
  const row = new Int32Array(columns.length / 2);
  const [starts, list, entries] = [new Int32Array(n + 1), new Int32Array(count), new Int32Array(count)];
  let end = 0;
  for (let i = 0, at = 0; i < n; i++) {
    for (let k = 0; k < d; k++, at++) {
      const value = x[at] ?? 0;
      const place = places[k] ?? 0;
      if (value !== 0) row[place >> 1] = (row[place >> 1] ?? 0) | (value << ((place & 1) << 4));
    }
    for (let s = 0; s < row.length; s++) {
      const entry = row[s] ?? 0;
      if (entry === 0) continue;
      list[end] = s;
      entries[end++] = entry;
      row[s] = 0;
    }
    starts[i + 1] = end;
  }
  return { columns: Int32Array.from(columns), starts, list: list.subarray(0, end), entries: entries.subarray(0, end) };
}

/** A job's record in linear memory, field by field. */
class JobRecord {
  constructor(
    private readonly scope: Scope,
    readonly pointer: number,
  ) {}

  private view(): DataView {
    return this.scope.memory.view(this.pointer, IBP_BYTES);
  }

  read(field: number): number {
    return this.view().getUint32(field, true);
  }

  write(field: number, value: number): void {
    this.view().setUint32(field, value, true);
  }

  writeFloat(field: number, value: number): void {
    this.view().setFloat64(field, value, true);
  }
}

/** What planes cost a radius of the network that the fields name, in raw units for each unit of sum |x_k|. */
function lossOf(
  runtime: Runtime,
  scope: Scope,
  job: JobRecord,
  [errors, output, spreads, loss]: readonly [number, number, number, number],
  { widths }: NetworkSpec,
): number {
  const width = Math.ceil((widths[0] ?? 1) / NEURONS) * NEURONS;
  const to = scope.f64(2);
  const weights = widths.length > 1 ? 0 : job.read(output);
  runtime.call("planeLoss", job.read(errors), weights, job.read(spreads), width, to);
  const [own = Number.NaN, ofRadius = Number.NaN] = runtime.memory.f64(to, 2);
  job.writeFloat(loss, own);
  return ofRadius;
}

/** Makes the planes, those of the start apart or sharing the coarse one; what both cost a radius, as lossOf(). */
async function quantise(
  runtime: Runtime,
  scope: Scope,
  job: JobRecord,
  spec: NetworkSpec,
  apart: boolean,
): Promise<number> {
  const blocks = Math.ceil((spec.widths[0] ?? 1) / NEURONS);
  const line = blocks * NEURONS * 8;
  const plane = Math.max(1, blocks * job.read(IBP_SLOTS) * SLOT_BYTES);
  const centred = job.read(IBP_CENTRE) !== 0;
  const count = centred && !apart ? 3 : 2;
  job.write(IBP_PLANES, scope.allocate(count * plane, "integer weights of a network"));
  job.write(IBP_STEPS, scope.allocate(count * line));
  job.write(IBP_ERRORS, scope.allocate(line));
  if (centred) job.write(IBP_CENTRE_ERRORS, scope.allocate(line));
  if (apart) {
    job.write(IBP_CENTRE_PLANES, scope.allocate(2 * plane, "integer weights of a network"));
    job.write(IBP_CENTRE_STEPS, scope.allocate(2 * line));
  }
  await runtime.run("planeBlock", blocks, [job.pointer]);
  const own = lossOf(runtime, scope, job, [IBP_ERRORS, IBP_OUTPUT, IBP_SPREADS, IBP_LOSS], spec);
  if (!centred) return own;
  const start = [IBP_CENTRE_ERRORS, IBP_CENTRE_OUTPUT, IBP_CENTRE_SPREADS, IBP_CENTRE_LOSS] as const;
  return own + lossOf(runtime, scope, job, start, spec);
}

/**
 * Makes planes for the job at `pointer`, whose networks are in place, and uploads the rows' slots. False, and nothing of
 * it in the job, when the planes would cost too much.
 */
export async function makePlanes(
  runtime: Runtime,
  scope: Scope,
  pointer: number,
  { columns, starts, list, entries }: Slots,
  { spec, inputs }: NetworkModel,
): Promise<boolean> {
  const job = new JobRecord(scope, pointer);
  job.write(IBP_SLOTS, columns.length / 2);
  job.write(IBP_SLOT_COLUMNS, scope.i32(Math.max(1, columns.length), columns));
  const size = (WHITE * inputs) / 8;
  // NaN, of weights that are not finite, is not <= anything.
  let fits = size * (await quantise(runtime, scope, job, spec, false)) <= MOST_LOSS;
  if (!fits && job.read(IBP_CENTRE) !== 0) fits = size * (await quantise(runtime, scope, job, spec, true)) <= MOST_LOSS;
  if (!fits) {
    for (const field of [IBP_PLANES, IBP_CENTRE_PLANES]) job.write(field, 0);
    for (const field of [IBP_LOSS, IBP_CENTRE_LOSS]) job.writeFloat(field, 0);
    return false;
  }
  job.write(IBP_STARTS, scope.i32(starts.length, starts));
  job.write(IBP_COLUMNS, scope.i32(Math.max(1, list.length), list));
  job.write(IBP_ENTRIES, scope.i32(Math.max(1, entries.length), entries));
  return true;
}
