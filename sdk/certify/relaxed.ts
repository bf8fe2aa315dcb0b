// Two-layer networks in the core, ready for bounds by relaxation: bounds on balls, and the job that the search for radii
// runs on. The mathematics is in assembly/bounds/relaxed.ts and aggregate.ts. Not here: interval propagation (ibp.ts),
// the search (certify.ts).
import {
  CERTIFICATE_BYTES,
  CERTIFY_RESULTS,
  NEURONS,
  RELAX_APART,
  RELAX_BYTES,
  RELAX_FACTOR,
  RELAX_FROZEN,
  RELAX_FROZEN_OUTPUT,
  RELAX_FROZEN_SPREADS,
  RELAX_LINES,
  RELAX_METHOD,
  RELAX_NETWORK,
  RELAX_OUTPUT,
  RELAX_PARABOLAS,
  RELAX_POINTS,
  RELAX_SCALE,
  RELAX_SHARE,
  RELAX_SPREADS,
  RELAX_START,
  RELAX_START_OUTPUT,
  RELAX_START_SPREADS,
  RELAX_WORK,
} from "../../assembly/layout.js";
import type { RowSource } from "../kernels/rows.js";
import { allocateLayers, fillInitial, type Layers, writeWeights } from "../networks/layers.js";
import type { NetworkModel } from "../networks/model.js";
import { layerScales } from "../networks/network.js";
import type { Scope } from "../runtime/memory.js";
import { type Runtime, runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import { checkChoice, checkObject } from "../validate.js";
import { boundBalls, checkRadii, NO_SEARCH } from "./balls.js";
import { type Bracket, writeSearch } from "./machine-job.js";
import { type Bounds, checkRelaxed, RELAXED_METHODS, type RelaxedMethod } from "./method.js";

/** A network's layers in linear memory with the row sums of the first one. */
interface Loaded extends Layers {
  readonly spreads: number;
}

export interface RelaxedJob {
  readonly pointer: number;
  readonly results: number;
}

const blocksOf = (model: NetworkModel) => Math.ceil((model.spec.widths[0] ?? 1) / NEURONS);

async function withSpreads(runtime: Runtime, scope: Scope, blocks: number, layers: Layers): Promise<Loaded> {
  const spreads = scope.allocate(blocks * NEURONS * 8);
  await runtime.run("ibpSpreads", blocks, [layers.pointer, spreads]);
  return { ...layers, spreads };
}

/** The layers of both networks, and what the bound makes of the one at the start. */
async function loadLayers(runtime: Runtime, scope: Scope, model: NetworkModel, method: RelaxedMethod) {
  const { spec, inputs } = model;
  const blocks = blocksOf(model);
  const own = allocateLayers(scope, spec, inputs, 1);
  await writeWeights(runtime, own, spec, inputs, model.weights);
  const trained = await withSpreads(runtime, scope, blocks, own);
  const nothing = scope.allocate(blocks * NEURONS * 8);
  scope.memory.u8(nothing, blocks * NEURONS * 8).fill(0);
  // Without a network at the start the trained layer stands in for its first layer, and zeros for its outputs.
  const alone = { trained, start: { ...trained, output: nothing }, apart: nothing, frozen: undefined };
  if (!model.centred) return alone;
  const initial = allocateLayers(scope, spec, inputs, 1);
  await fillInitial(runtime, initial, spec, inputs);
  const start = await withSpreads(runtime, scope, blocks, initial);
  if (method === "linear") return { ...alone, frozen: start };
  const apart = scope.allocate(blocks * NEURONS * 8);
  await runtime.run("layersApart", blocks, [trained.pointer, start.pointer, apart]);
  return { trained, start, apart, frozen: undefined };
}

function uploadPoints(scope: Scope, { n, d, x }: RowSource): number {
  const pointer = scope.allocate(n * d * 8, "inputs");
  scope.memory.f64(pointer, n * d).set(x);
  return pointer;
}

/** Uploads a network and inputs as a job of the core. @throws MemoryBudgetError */
export async function prepareRelaxedJob(
  runtime: Runtime,
  scope: Scope,
  model: NetworkModel,
  data: RowSource,
  bracket: Bracket,
  method: RelaxedMethod,
): Promise<RelaxedJob> {
  const { trained, start, apart, frozen } = await loadLayers(runtime, scope, model, method);
  const lines = runtime.call("relaxedEntries", blocksOf(model) * NEURONS, model.inputs);
  const share = lines + (method === "aggregate" ? runtime.call("aggregateEntries", model.inputs) : 0);
  const results = scope.allocate(data.n * CERTIFICATE_BYTES);
  const fields: [number, number][] = [
    [CERTIFY_RESULTS, results],
    [RELAX_NETWORK, trained.pointer],
    [RELAX_OUTPUT, trained.output],
    [RELAX_SPREADS, trained.spreads],
    [RELAX_START, start.pointer],
    [RELAX_START_OUTPUT, start.output],
    [RELAX_START_SPREADS, start.spreads],
    [RELAX_APART, apart],
    [RELAX_FROZEN, frozen?.pointer ?? 0],
    [RELAX_FROZEN_OUTPUT, frozen?.output ?? 0],
    [RELAX_FROZEN_SPREADS, frozen?.spreads ?? 0],
    [RELAX_POINTS, uploadPoints(scope, data)],
    [RELAX_WORK, scope.allocate(Math.max(1, runtime.threads) * share * 8, "work memory of the bounds", true)],
    [RELAX_SHARE, share],
    [RELAX_METHOD, method === "aggregate" ? RELAX_PARABOLAS : RELAX_LINES],
  ];
  const pointer = scope.allocate(RELAX_BYTES);
  const view = scope.memory.view(pointer, RELAX_BYTES);
  for (const [field, value] of fields) view.setUint32(field, value, true);
  writeSearch(view, bracket);
  view.setFloat64(RELAX_SCALE, data.scale, true);
  const scales = layerScales(model.spec, model.inputs);
  view.setFloat64(
    RELAX_FACTOR,
    scales.reduce((product, scale) => product * scale, data.scale),
    true,
  );
  return { pointer, results };
}

export interface RelaxedOptions extends WorkOptions {
  /** Default "aggregate". */
  readonly method?: RelaxedMethod | undefined;
}

/**
 * Bounds by relaxation of a two-layer network's output on the ball ||x - x_k||_inf <= radii[k] around each row of `data`
 * (one number serves all rows; radii >= 0 in the units of the data): of f(x) - f_0(x_k) for "linear", of f(x) - f_0(x)
 * for "paired" and "aggregate", of f(x) when the network is not centred.
 * @throws TypeError, RangeError for deeper networks, other columns, negative radii
 */
export async function relaxedBounds(
  model: NetworkModel,
  data: RowSource,
  radii: number | ArrayLike<number>,
  options: RelaxedOptions = {},
): Promise<Bounds> {
  checkObject("options", options);
  model.checkInputs("data", data);
  const method = checkChoice("method", options.method ?? "aggregate", RELAXED_METHODS);
  checkRelaxed(method, model.spec.widths);
  const list = checkRadii(radii, data.n);
  const runtime = await runtimeOf(options);
  const scope = runtime.scope();
  try {
    const { pointer } = await prepareRelaxedJob(runtime, scope, model, data, NO_SEARCH, method);
    return await boundBalls(scope, list, (from, to) =>
      runtime.run("relaxedBounds", data.n, [pointer, from, to], options, "bounding"),
    );
  } finally {
    scope.release();
  }
}
