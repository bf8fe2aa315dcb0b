// Layers of a finite network in linear memory: records, initial weights, and copies in the plain order.
// Not here: initial weights outside of it (initial.ts), steps (wasm.ts), the layout of blocks (assembly/network/).
import {
  LAYER_ACTIVE,
  LAYER_ACTIVE_VALUES,
  LAYER_BLOCKS,
  LAYER_BYTES,
  LAYER_COUNTS,
  LAYER_ERRORS,
  LAYER_FAN_IN,
  LAYER_SCALE,
  LAYER_VALUES,
  LAYER_WEIGHTS,
  LAYER_WIDTH,
  NEURONS,
} from "../../assembly/layout.js";
import type { Scope } from "../runtime/memory.js";
import type { Runtime, WorkOptions } from "../runtime/runtime.js";
import { fanIns, layerDeviations, layerScales, type NetworkSpec, type NetworkWeights } from "./network.js";

export interface Layers {
  /** Pointer to the records, LAYER_BYTES each. */
  readonly pointer: number;
  /** Pointer to the output weights, padded to whole blocks. */
  readonly output: number;
}

const blocksOf = (width: number) => Math.ceil(width / NEURONS);

/** A lone hidden layer keeps the values of a batch where they take no more than this; otherwise they are made twice. */
const LONE_VALUES = 2 ** 26;

/** Bytes of a layer's row buffers: values, errors, counts, indices and values of active neurons. */
function bufferBytes(spec: NetworkSpec, width: number, batch: number): number[] {
  const values = batch * blocksOf(width) * NEURONS * 4;
  if (spec.widths.length === 1) return values <= LONE_VALUES ? [values] : [];
  return [values, values, batch * 4, batch * width * 4, batch * width * 4];
}

/** Bytes of the weights and of the row buffers of `batch` rows. */
export function estimateLayerBytes(spec: NetworkSpec, inputs: number, batch: number): number {
  return spec.widths.reduce((sum, width, l) => {
    const padded = blocksOf(width) * NEURONS;
    const buffers = bufferBytes(spec, width, batch).reduce((total, bytes) => total + bytes, 0);
    return sum + (fanIns(spec, inputs)[l] ?? 0) * padded * 4 + padded * 4 + buffers;
  }, 0);
}

/** Allocates all layers; `batch` rows of buffers, or none. Weights of real neurons are left as they are. */
export function allocateLayers(scope: Scope, spec: NetworkSpec, inputs: number, batch: number): Layers {
  const scales = layerScales(spec, inputs);
  const fans = fanIns(spec, inputs);
  const pointer = scope.allocate(LAYER_BYTES * spec.widths.length);
  spec.widths.forEach((width, l) => {
    const padded = blocksOf(width) * NEURONS;
    const fan = fans[l] ?? 0;
    const weights = scope.allocate(fan * padded * 4, `the weights of a layer of ${width} neurons`);
    // Padding neurons are computed like the others: their weights must be 0, whoever fills in the rest.
    if (padded > width) scope.memory.u8(weights + fan * (padded - NEURONS) * 4, fan * NEURONS * 4).fill(0);
    const buffer = (bytes: number) => (bytes === 0 ? 0 : scope.allocate(bytes, "row buffers of a network"));
    const rows = bufferBytes(spec, width, batch).map(buffer);
    // Errors of padding neurons are read but never written: they must be 0.
    if (rows[1] !== undefined) scope.memory.u8(rows[1], batch * padded * 4).fill(0);
    const view = scope.memory.view(pointer + l * LAYER_BYTES, LAYER_BYTES);
    view.setInt32(LAYER_FAN_IN, fan, true);
    view.setInt32(LAYER_WIDTH, width, true);
    view.setInt32(LAYER_BLOCKS, blocksOf(width), true);
    view.setUint32(LAYER_WEIGHTS, weights, true);
    const fields = [LAYER_VALUES, LAYER_ERRORS, LAYER_COUNTS, LAYER_ACTIVE, LAYER_ACTIVE_VALUES];
    fields.forEach((field, k) => {
      view.setUint32(field, rows[k] ?? 0, true);
    });
    view.setFloat64(LAYER_SCALE, scales[l] ?? 1, true);
  });
  const last = blocksOf(spec.widths.at(-1) ?? 1) * NEURONS;
  const output = scope.allocate(last * 4);
  scope.memory.u8(output, last * 4).fill(0);
  return { pointer, output };
}

/** Sets every weight to 0. */
export function clearLayers(runtime: Runtime, { pointer, output }: Layers, spec: NetworkSpec, inputs: number): void {
  const { memory } = runtime;
  spec.widths.forEach((width, l) => {
    const weights = memory.view(pointer + l * LAYER_BYTES + LAYER_WEIGHTS, 4).getUint32(0, true);
    memory.u8(weights, (fanIns(spec, inputs)[l] ?? 0) * blocksOf(width) * NEURONS * 4).fill(0);
  });
  memory.u8(output, blocksOf(spec.widths.at(-1) ?? 1) * NEURONS * 4).fill(0);
}

/** Low and high half of a seed, as the core takes it. */
export const halves = (seed: number) => [(seed % 2 ** 32) | 0, Math.floor(seed / 2 ** 32) | 0] as const;

/** Fills the layers with the initial weights of the spec's seed. */
export async function fillInitial(
  runtime: Runtime,
  { pointer, output }: Layers,
  spec: NetworkSpec,
  inputs: number,
  work: WorkOptions = {},
): Promise<void> {
  const deviations = layerDeviations(spec, inputs);
  const seed = halves(spec.seed);
  for (const [l, width] of spec.widths.entries()) {
    const args = [pointer + l * LAYER_BYTES, l, 0, ...seed, deviations[l] ?? 1];
    await runtime.run("initialLayer", blocksOf(width), args, work, "initial weights");
  }
  const last = spec.widths.at(-1) ?? 1;
  runtime.call("initialOutput", spec.widths.length, last, ...seed, deviations.at(-1) ?? 1, output);
}

/** Each hidden layer in the plain order: `use` gets a view of it, before the core has read it (back = 1) or after it wrote it (0). */
async function plainLayers(
  runtime: Runtime,
  pointer: number,
  spec: NetworkSpec,
  inputs: number,
  back: 0 | 1,
  use: (plain: Float32Array, l: number) => void,
): Promise<void> {
  const fans = fanIns(spec, inputs);
  for (const [l, width] of spec.widths.entries()) {
    const scope = runtime.scope();
    try {
      const count = (fans[l] ?? 0) * width;
      const plain = scope.allocate(count * 4, "a copy of a layer's weights");
      const view = () => new Float32Array(runtime.memory.memory.buffer, plain, count);
      if (back === 1) use(view(), l);
      await runtime.run("plainLayer", blocksOf(width), [pointer + l * LAYER_BYTES, plain, back]);
      if (back === 0) use(view(), l);
    } finally {
      scope.release();
    }
  }
}

const outputView = (runtime: Runtime, { output }: Layers, spec: NetworkSpec) =>
  new Float32Array(runtime.memory.memory.buffer, output, spec.widths.at(-1) ?? 1);

/** A copy of the weights. */
export async function readWeights(
  runtime: Runtime,
  layers: Layers,
  spec: NetworkSpec,
  inputs: number,
): Promise<NetworkWeights> {
  const hidden: Float32Array[] = [];
  await plainLayers(runtime, layers.pointer, spec, inputs, 0, (plain) => hidden.push(plain.slice()));
  return { hidden, output: outputView(runtime, layers, spec).slice() };
}

/** @throws RangeError when a layer has another number of weights than the spec says */
export async function writeWeights(
  runtime: Runtime,
  layers: Layers,
  spec: NetworkSpec,
  inputs: number,
  weights: NetworkWeights,
): Promise<void> {
  checkWeights(spec, inputs, weights);
  await plainLayers(runtime, layers.pointer, spec, inputs, 1, (plain, l) => plain.set(weights.hidden[l] ?? []));
  outputView(runtime, layers, spec).set(weights.output);
}

/** Checks the sizes of weights, and of their carry if any, against the spec. @throws RangeError */
export function checkWeights(spec: NetworkSpec, inputs: number, weights: NetworkWeights): void {
  const fans = fanIns(spec, inputs);
  if (weights.carry !== undefined) checkWeights(spec, inputs, weights.carry);
  if (weights.hidden.length !== spec.widths.length)
    throw new RangeError(`weights: expected ${spec.widths.length} hidden layers, got ${weights.hidden.length}`);
  spec.widths.forEach((width, l) => {
    const expected = (fans[l] ?? 0) * width;
    const got = weights.hidden[l]?.length ?? 0;
    if (got !== expected) throw new RangeError(`weights.hidden[${l}]: expected ${expected} entries, got ${got}`);
  });
  const last = spec.widths.at(-1) ?? 0;
  if (weights.output.length !== last)
    throw new RangeError(`weights.output: expected ${last} entries, got ${weights.output.length}`);
}
