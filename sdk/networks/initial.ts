// Initial weights of finite networks on the host, the same bits as in the core: of a whole network, or of some neurons
// of a layer. They are drawn a piece at a time, so the core never holds a layer: at width 10^6 the first one of MNIST has
// 3.1 GB. Not here: how a block is drawn (assembly/network/initial.ts) and layers that stay in the core (layers.ts).
import { NEURONS } from "../../assembly/layout.js";
import { type Runtime, runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import { allocateLayers, halves } from "./layers.js";
import { fanIns, layerDeviations, type NetworkSpec, type NetworkWeights, parameterCount } from "./network.js";

/** Floats drawn together: 4 MiB, and as much again for their plain order. */
const PIECE_FLOATS = 2 ** 20;

/** Blocks of NEURONS neurons with `fan` inputs each that are drawn together. */
export const pieceBlocks = (fan: number) => Math.max(1, Math.floor(PIECE_FLOATS / (fan * NEURONS)));

/** Some neurons of a hidden layer. */
export interface Columns {
  readonly layer: number;
  /** The first neuron is firstBlock * NEURONS. */
  readonly firstBlock: number;
  readonly width: number;
}

/** Initial weights of some neurons in the plain order, [fan-in][width]. */
export async function initialColumns(
  runtime: Runtime,
  spec: NetworkSpec,
  inputs: number,
  { layer, firstBlock, width }: Columns,
  { signal }: WorkOptions = {},
): Promise<Float32Array> {
  const fan = fanIns(spec, inputs)[layer] ?? 0;
  const deviation = layerDeviations(spec, inputs)[layer] ?? 1;
  const blocks = Math.ceil(width / NEURONS);
  const scope = runtime.scope();
  try {
    const { pointer } = allocateLayers(scope, { ...spec, widths: [width] }, fan, 1);
    const args = [pointer, layer, firstBlock, ...halves(spec.seed), deviation];
    await runtime.run("initialLayer", blocks, args, { signal }, "initial weights");
    const plain = scope.allocate(fan * width * 4, "a copy of some neurons' weights");
    await runtime.run("plainLayer", blocks, [pointer, plain, 0], { signal }, "initial weights");
    return new Float32Array(runtime.memory.memory.buffer, plain, fan * width).slice();
  } finally {
    scope.release();
  }
}

/** Initial weights of the output layer. */
export function initialOutput(runtime: Runtime, spec: NetworkSpec, inputs: number): Float32Array {
  const width = spec.widths.at(-1) ?? 0;
  const deviation = layerDeviations(spec, inputs).at(-1) ?? 1;
  const scope = runtime.scope();
  try {
    const to = scope.allocate(width * 4);
    runtime.call("initialOutput", spec.widths.length, width, ...halves(spec.seed), deviation, to);
    return new Float32Array(runtime.memory.memory.buffer, to, width).slice();
  } finally {
    scope.release();
  }
}

/** The initial weights of a network with `inputs` inputs, as every backend starts from them. */
export async function initialWeights(
  spec: NetworkSpec,
  inputs: number,
  { onProgress, ...options }: WorkOptions = {},
): Promise<NetworkWeights> {
  const runtime = await runtimeOf(options);
  const total = parameterCount(spec, inputs);
  let done = 0;
  const hidden: Float32Array[] = [];
  for (const [layer, width] of spec.widths.entries()) {
    const fan = fanIns(spec, inputs)[layer] ?? 0;
    const weights = new Float32Array(fan * width);
    const blocks = pieceBlocks(fan);
    for (let firstBlock = 0; firstBlock * NEURONS < width; firstBlock += blocks) {
      const start = firstBlock * NEURONS;
      const own = Math.min(blocks * NEURONS, width - start);
      const piece = await initialColumns(runtime, spec, inputs, { layer, firstBlock, width: own }, options);
      for (let k = 0; k < fan; k++) weights.set(piece.subarray(k * own, (k + 1) * own), k * width + start);
      done += piece.length;
      onProgress?.({ stage: "initial weights", done, total });
    }
    hidden.push(weights);
  }
  const output = initialOutput(runtime, spec, inputs);
  onProgress?.({ stage: "initial weights", done: total, total });
  return { hidden, output };
}
