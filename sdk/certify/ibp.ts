// Finite networks in the core, ready for interval bound propagation: bounds on balls, and the job that the search for
// radii runs on. The mathematics is in assembly/bounds/ibp.ts. Not here: the search (certify.ts), integer planes
// (planes.ts).
import {
  CERTIFICATE_BYTES,
  CERTIFY_RESULTS,
  IBP_BYTES,
  IBP_CENTRE,
  IBP_CENTRE_OUTPUT,
  IBP_CENTRE_SPREADS,
  IBP_CENTRE_VALUES,
  IBP_COLUMNS,
  IBP_DIFFERENCE,
  IBP_ENTRIES,
  IBP_FACTOR,
  IBP_LAYERS,
  IBP_NETWORK,
  IBP_OFFSETS,
  IBP_OUTPUT,
  IBP_SCALE,
  IBP_SIZES,
  IBP_SPREADS,
  IBP_STARTS,
  IBP_VALUES,
  IBP_WIDEST,
  IBP_WORK,
  IBP_WORK_ENTRIES,
  NEURONS,
} from "../../assembly/layout.js";
import type { RowSource } from "../kernels/rows.js";
import { allocateLayers, fillInitial, type Layers, writeWeights } from "../networks/layers.js";
import type { NetworkModel } from "../networks/model.js";
import { layerScales } from "../networks/network.js";
import type { Scope } from "../runtime/memory.js";
import { type Runtime, runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import { boundBalls, checkRadii, NO_SEARCH } from "./balls.js";
import { type Bracket, writeSearch } from "./machine-job.js";
import type { Bounds } from "./method.js";
import { makePlanes, slotsOf } from "./planes.js";

/** Which offset a network's bound has: the paper's f_0(x_0), kept at the centre, or f_0 bounded on the ball as well. */
export type NetworkOffset = "frozen" | "difference";

const padded = (width: number) => Math.ceil(width / NEURONS) * NEURONS;

/** Non-zero raw entries of each row, float64. */
function uploadEntries(scope: Scope, { n, d, x }: RowSource): [number, number][] {
  let count = 0;
  for (const value of x) if (value !== 0) count++;
  const starts = new Int32Array(n + 1);
  const columns = new Int32Array(Math.max(1, count));
  const entries = new Float64Array(Math.max(1, count));
  let at = 0;
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < d; k++) {
      const value = x[i * d + k] ?? 0;
      if (value === 0) continue;
      columns[at] = k;
      entries[at++] = value;
    }
    starts[i + 1] = at;
  }
  return [
    [IBP_STARTS, scope.i32(n + 1, starts)],
    [IBP_COLUMNS, scope.i32(columns.length, columns)],
    [IBP_ENTRIES, scope.f64(entries.length, entries)],
  ];
}

/** Largest absolute raw entry of each row, the sum of all of them, and how many are not 0. */
function sizesOf({ n, d, x }: RowSource): Float64Array {
  const sizes = new Float64Array(3 * n);
  for (let i = 0; i < n; i++) {
    let largest = 0;
    let sum = 0;
    let count = 0;
    for (let k = i * d; k < (i + 1) * d; k++) {
      const size = Math.abs(x[k] ?? 0);
      if (size === 0) continue;
      if (!(size <= largest)) largest = size;
      sum += size;
      count++;
    }
    sizes.set([largest, sum, count], 3 * i);
  }
  return sizes;
}

async function spreadsOf(runtime: Runtime, scope: Scope, layers: Layers, width: number): Promise<number> {
  const spreads = scope.allocate(padded(width) * 8);
  await runtime.run("ibpSpreads", padded(width) / NEURONS, [layers.pointer, spreads]);
  return spreads;
}

/** Bytes of first-layer sums that a slice of inputs may take. */
const SLICE_BYTES = 48 * 2 ** 20;

/** Most inputs in a slice: work can be cancelled between slices. */
const SLICE_MOST = 1024;

/** A network's job in the core: inputs are worked on slice by slice. */
export interface NetworkJob {
  readonly pointer: number;
  readonly results: number;
  /** Inputs that one slice holds. */
  readonly slice: number;
  /** Runs an export of the core for each of the inputs [from, from + count), a slice, once its first layer is done. */
  readonly run: (
    name: string,
    from: number,
    count: number,
    args: readonly number[],
    work?: WorkOptions,
  ) => Promise<void>;
}

/**
 * Memory for the first layer's sums of a slice of `n` inputs, and of the start's where there is one, or `shares` of f_0.
 */
function placeSums(scope: Scope, width: number, n: number, centred: boolean, shares: boolean) {
  const row = width * 8;
  const centreRow = !centred ? 0 : shares ? (width / NEURONS) * 16 : row;
  const slice = Math.max(1, Math.min(n, SLICE_MOST, Math.floor(SLICE_BYTES / (row + centreRow))));
  const fields: [number, number][] = [[IBP_VALUES, scope.allocate(slice * row, "sums of a network's first layer")]];
  const field = shares ? IBP_OFFSETS : IBP_CENTRE_VALUES;
  if (centred) fields.push([field, scope.allocate(slice * centreRow, "sums of a network's first layer at the start")]);
  return { slice, fields };
}

/**
 * Uploads a network and inputs as a job of the core. With `fast`, 8-bit inputs go through the first layer in integers,
 * when that costs a radius next to nothing (planes.ts).
 */
export async function prepareNetworkJob(
  runtime: Runtime,
  scope: Scope,
  model: NetworkModel,
  data: RowSource,
  bracket: Bracket,
  offset: NetworkOffset,
  fast = false,
): Promise<NetworkJob> {
  const { spec, inputs } = model;
  const first = spec.widths[0] ?? 1;
  const layers = allocateLayers(scope, spec, inputs, 1);
  const centre = model.centred ? allocateLayers(scope, spec, inputs, 1) : undefined;
  const filled = centre === undefined ? Promise.resolve() : fillInitial(runtime, centre, spec, inputs);
  // Threads start and draw weights while this one prepares the rest.
  await new Promise<void>((resolve) => setTimeout(resolve, 0));
  const sizes = sizesOf(data);
  const slots = fast ? slotsOf(data) : undefined;
  await Promise.all([filled, writeWeights(runtime, layers, spec, inputs, model.weights)]);
  const spreads = await spreadsOf(runtime, scope, layers, first);
  const centreSpreads = centre === undefined ? 0 : await spreadsOf(runtime, scope, centre, first);
  const widest = Math.max(...spec.widths.map(padded));
  const workEntries = spec.widths.length > 1 ? 5 * widest : 0;
  const results = scope.allocate(data.n * CERTIFICATE_BYTES);
  const pointer = scope.allocate(IBP_BYTES);
  scope.memory.u8(pointer, IBP_BYTES).fill(0);
  const write = (fields: readonly [number, number][]) => {
    const view = scope.memory.view(pointer, IBP_BYTES);
    for (const [field, value] of fields) view.setUint32(field, value, true);
  };
  write([
    [CERTIFY_RESULTS, results],
    [IBP_NETWORK, layers.pointer],
    [IBP_OUTPUT, layers.output],
    [IBP_SPREADS, spreads],
    [IBP_CENTRE, centre?.pointer ?? 0],
    [IBP_CENTRE_OUTPUT, centre?.output ?? 0],
    [IBP_CENTRE_SPREADS, centreSpreads],
    [IBP_LAYERS, spec.widths.length],
    [IBP_DIFFERENCE, offset === "difference" ? 1 : 0],
    [IBP_WORK, scope.allocate(Math.max(1, runtime.threads) * workEntries * 8, "intervals of a deep network", true)],
    [IBP_WORK_ENTRIES, workEntries],
    [IBP_WIDEST, widest],
    [IBP_SIZES, scope.f64(sizes.length, sizes)],
  ]);
  const view = scope.memory.view(pointer, IBP_BYTES);
  writeSearch(view, bracket);
  view.setFloat64(IBP_SCALE, data.scale, true);
  view.setFloat64(
    IBP_FACTOR,
    layerScales(spec, inputs).reduce((product, scale) => product * scale, data.scale),
    true,
  );
  const planes = slots !== undefined && (await makePlanes(runtime, scope, pointer, slots, model));
  if (!planes) write(uploadEntries(scope, data));
  // f_0 kept at the centre needs no more than each block's share of it.
  const shares = planes && offset === "frozen" && spec.widths.length === 1;
  const { slice, fields } = placeSums(scope, padded(first), data.n, model.centred, shares);
  write(fields);
  const blocks = padded(first) / NEURONS;
  return {
    pointer,
    results,
    slice,
    run: async (name, from, count, args, work = {}) => {
      await runtime.run("ibpCentres", blocks, [pointer, from, from + count], { signal: work.signal });
      await runtime.run(name, count, [pointer, from, ...args], { signal: work.signal });
    },
  };
}

/**
 * Bounds by interval propagation of a network's output on the ball ||x - x_k||_inf <= radii[k] around each row of
 * `data` (one number serves all rows): of f(x) - f_0(x_k) for "frozen", of f(x) - f_0(x) for "difference".
 * @throws TypeError, RangeError
 */
export async function networkBounds(
  model: NetworkModel,
  data: RowSource,
  radii: number | ArrayLike<number>,
  options: WorkOptions & { readonly offset?: NetworkOffset | undefined } = {},
): Promise<Bounds> {
  model.checkInputs("data", data);
  const list = checkRadii(radii, data.n);
  const runtime = await runtimeOf(options);
  const scope = runtime.scope();
  try {
    const { run, slice } = await prepareNetworkJob(runtime, scope, model, data, NO_SEARCH, options.offset ?? "frozen");
    return await boundBalls(scope, list, async (from, to) => {
      for (let first = 0; first < data.n; first += slice) {
        await run("networkBounds", first, Math.min(slice, data.n - first), [from, to], options);
        options.onProgress?.({ stage: "bounding", done: Math.min(first + slice, data.n), total: data.n });
      }
    });
  } finally {
    scope.release();
  }
}
