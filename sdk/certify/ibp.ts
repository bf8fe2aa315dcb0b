// Finite networks in the core, ready for interval bound propagation: bounds on balls, and the job that the search for
// radii runs on. The mathematics is in assembly/bounds/ibp.ts. Not here: the search (certify.ts).
import {
  CERTIFICATE_BYTES,
  CERTIFY_RESULTS,
  IBP_BYTES,
  IBP_CENTRE,
  IBP_CENTRE_OUTPUT,
  IBP_CENTRE_SPREADS,
  IBP_COLUMNS,
  IBP_DIFFERENCE,
  IBP_ENTRIES,
  IBP_FACTOR,
  IBP_GROUP,
  IBP_LAYERS,
  IBP_NETWORK,
  IBP_OUTPUT,
  IBP_SCALE,
  IBP_SPREADS,
  IBP_STARTS,
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
import { checkNumber } from "../validate.js";
import { type Bracket, writeSearch } from "./machine-job.js";
import type { Bounds } from "./method.js";

/** Which offset a network's bound has: the paper's f_0(x_0), kept at the centre, or f_0 bounded on the ball as well. */
export type NetworkOffset = "frozen" | "difference";

const padded = (width: number) => Math.ceil(width / NEURONS) * NEURONS;

/** Non-zero raw entries of each row, float64. */
function uploadEntries(scope: Scope, { n, d, x }: RowSource): { starts: number; columns: number; entries: number } {
  const starts = new Int32Array(n + 1);
  const columns: number[] = [];
  const entries: number[] = [];
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < d; k++) {
      const value = x[i * d + k] ?? 0;
      if (value === 0) continue;
      columns.push(k);
      entries.push(value);
    }
    starts[i + 1] = columns.length;
  }
  return {
    starts: scope.i32(n + 1, starts),
    columns: scope.i32(Math.max(1, columns.length), columns),
    entries: scope.f64(Math.max(1, entries.length), entries),
  };
}

async function spreadsOf(runtime: Runtime, scope: Scope, layers: Layers, width: number): Promise<number> {
  const spreads = scope.allocate(padded(width) * 8);
  await runtime.run("ibpSpreads", padded(width) / NEURONS, [layers.pointer, spreads]);
  return spreads;
}

/** Bytes of first-layer sums that a group of inputs may take: it should stay in a core's cache. */
const GROUP_BYTES = 8 * 2 ** 20;

/** Most inputs in a group. */
const GROUP_MOST = 64;

/** A network's job in the core: inputs are worked on `group` a chunk. */
export interface NetworkJob {
  readonly pointer: number;
  readonly results: number;
  readonly group: number;
}

/** Uploads a network and inputs as a job of the core. */
export async function prepareNetworkJob(
  runtime: Runtime,
  scope: Scope,
  model: NetworkModel,
  data: RowSource,
  bracket: Bracket,
  offset: NetworkOffset,
): Promise<NetworkJob> {
  const { spec, inputs } = model;
  const first = spec.widths[0] ?? 1;
  const layers = allocateLayers(scope, spec, inputs, 1);
  await writeWeights(runtime, layers, spec, inputs, model.weights);
  const centre = model.centred ? allocateLayers(scope, spec, inputs, 1) : undefined;
  if (centre !== undefined) await fillInitial(runtime, centre, spec, inputs);
  const { starts, columns, entries } = uploadEntries(scope, data);
  const widest = Math.max(...spec.widths.map(padded));
  const row = padded(first) * (model.centred ? 2 : 1);
  // Enough groups for every thread, and none so large that its sums leave the cache.
  const threads = Math.max(1, runtime.threads);
  const group = Math.max(1, Math.min(GROUP_MOST, Math.floor(GROUP_BYTES / (row * 8)), Math.ceil(data.n / threads)));
  const workEntries = group * row + (spec.widths.length > 1 ? 5 * widest : 0);
  const results = scope.allocate(data.n * CERTIFICATE_BYTES);
  const pointers: [number, number][] = [
    [CERTIFY_RESULTS, results],
    [IBP_NETWORK, layers.pointer],
    [IBP_OUTPUT, layers.output],
    [IBP_SPREADS, await spreadsOf(runtime, scope, layers, first)],
    [IBP_CENTRE, centre?.pointer ?? 0],
    [IBP_CENTRE_OUTPUT, centre?.output ?? 0],
    [IBP_CENTRE_SPREADS, centre === undefined ? 0 : await spreadsOf(runtime, scope, centre, first)],
    [IBP_LAYERS, spec.widths.length],
    [IBP_STARTS, starts],
    [IBP_COLUMNS, columns],
    [IBP_ENTRIES, entries],
    [IBP_DIFFERENCE, offset === "difference" ? 1 : 0],
    [IBP_WORK, scope.allocate(threads * workEntries * 8, "sums of a network's first layer")],
    [IBP_WORK_ENTRIES, workEntries],
    [IBP_GROUP, group],
    [IBP_WIDEST, widest],
  ];
  const pointer = scope.allocate(IBP_BYTES);
  const view = scope.memory.view(pointer, IBP_BYTES);
  for (const [field, value] of pointers) view.setUint32(field, value, true);
  writeSearch(view, bracket);
  view.setFloat64(IBP_SCALE, data.scale, true);
  view.setFloat64(
    IBP_FACTOR,
    layerScales(spec, inputs).reduce((product, scale) => product * scale, data.scale),
    true,
  );
  return { pointer, results, group };
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
  const list = typeof radii === "number" ? new Float64Array(data.n).fill(radii) : Float64Array.from(radii);
  if (list.length !== data.n) throw new RangeError(`radii: expected ${data.n} numbers, got ${list.length}`);
  for (const radius of list) checkNumber("radii", radius, { min: 0 });
  const runtime = await runtimeOf(options);
  const scope = runtime.scope();
  try {
    const bracket = { low: 0, high: 1, tolerance: 1 };
    const { pointer, group } = await prepareNetworkJob(
      runtime,
      scope,
      model,
      data,
      bracket,
      options.offset ?? "frozen",
    );
    const from = scope.f64(data.n, list);
    const to = scope.allocate(data.n * 16);
    await runtime.run("networkBounds", Math.ceil(data.n / group), [pointer, data.n, from, to], options, "bounding");
    const ends = runtime.memory.f64(to, 2 * data.n);
    return {
      lower: Float64Array.from({ length: data.n }, (_, k) => ends[2 * k] ?? Number.NaN),
      upper: Float64Array.from({ length: data.n }, (_, k) => ends[2 * k + 1] ?? Number.NaN),
    };
  } finally {
    scope.release();
  }
}
