// Weights on a device: layers cut into shards of neurons where a layer is larger than one buffer may be; at width 10^6
// the first layer has 3.1 GB. Shard: [input][neuron] with the neurons padded to 4 and, behind the first layer, the
// inputs too; padding is 0 and stays 0. Not here: the steps (pass.ts) and how initial weights are drawn (layers.ts).
import { NEURONS } from "../../../assembly/layout.js";
import { GpuMemoryError } from "../../runtime/device-errors.js";
import type { Runtime, WorkOptions } from "../../runtime/runtime.js";
import { allocateLayers } from "../layers.js";
import { fanIns, layerDeviations, type NetworkSpec, type NetworkWeights } from "../network.js";
import type { Arena } from "./arena.js";

/** Some neurons of a layer, `start` to `start + width`. */
export interface Shard {
  readonly start: number;
  readonly width: number;
  /** The width padded, in fours. */
  readonly width4: number;
}

export interface LayerShape {
  /** Inputs, padded to 4 behind the first layer. */
  readonly inputs: number;
  readonly shards: readonly Shard[];
  /** Neurons whose initial weights are drawn together: a power of two that divides the start of every shard. */
  readonly piece: number;
}

/** Most neurons of a shard: devices take 65535 workgroups of 128 neurons. */
const MOST_SHARD = 2 ** 22;
/** Floats of initial weights drawn together. */
const PIECE_FLOATS = 2 ** 24;
/** Rows assembled before a write, in floats. */
const STAGING_FLOATS = 2 ** 22;

const fours = (count: number) => Math.ceil(count / 4);

/** Cuts the layers so that weights and the values of `rows` rows fit buffers of `bytes`. @throws GpuMemoryError */
export function planShards(spec: NetworkSpec, inputs: number, rows: number, bytes: number): LayerShape[] {
  const fans = fanIns(spec, inputs);
  return spec.widths.map((width, l) => {
    const fan = l === 0 ? inputs : fours(fans[l] ?? 0) * 4;
    const most = Math.min(MOST_SHARD, Math.floor(bytes / 4 / Math.max(fan, rows)));
    if (most < Math.min(NEURONS, fours(width) * 4))
      throw new GpuMemoryError(`a layer with ${fan} inputs and ${rows} rows in buffers of ${bytes} bytes`);
    const piece = Math.max(NEURONS, 2 ** Math.floor(Math.log2(Math.min(most, PIECE_FLOATS / fan))));
    const own = fours(width) * 4 <= most ? width : Math.floor(most / piece) * piece;
    const count = Math.ceil(width / own);
    const shards = Array.from({ length: count }, (_, s) => {
      const live = Math.min(own, width - s * own);
      return { start: s * own, width: live, width4: fours(live) };
    });
    return { inputs: fan, shards, piece };
  });
}

/** The weights of a network, hidden[layer][shard] and output[shard of the last layer]. */
export class GpuWeights {
  readonly hidden: readonly (readonly GPUBuffer[])[];
  readonly output: readonly GPUBuffer[];

  constructor(
    private readonly arena: Arena,
    private readonly shapes: readonly LayerShape[],
    private readonly spec: NetworkSpec,
    private readonly inputs: number,
  ) {
    this.hidden = shapes.map(({ inputs, shards }, l) =>
      shards.map(({ width4 }) => arena.storage(inputs * width4 * 16, `the weights of layer ${l + 1}`)),
    );
    this.output = (shapes.at(-1)?.shards ?? []).map(({ width4 }) => arena.storage(width4 * 16, "output weights"));
  }

  private *shards(): Generator<{ buffer: GPUBuffer; shard: Shard; layer: number; fan: number; width: number }> {
    const fans = fanIns(this.spec, this.inputs);
    for (const [layer, { shards }] of this.shapes.entries())
      for (const [s, shard] of shards.entries()) {
        const buffer = this.hidden[layer]?.[s];
        if (buffer === undefined) continue;
        yield { buffer, shard, layer, fan: fans[layer] ?? 0, width: this.spec.widths[layer] ?? 0 };
      }
  }

  /** Fills in the initial weights of the spec's seed, piece by piece: the core never holds a whole layer. */
  async fillInitial(runtime: Runtime, work: WorkOptions): Promise<void> {
    for (const { buffer, shard, layer, fan } of this.shards()) {
      const piece = this.shapes[layer]?.piece ?? NEURONS;
      for (let at = 0; at < shard.width; at += piece) {
        const width = Math.min(piece, shard.width - at);
        const plain = await initialColumns(runtime, this.spec, this.inputs, layer, shard.start + at, width, work);
        await this.writeColumns(buffer, shard, at, { plain, pitch: width, start: 0, width, rows: fan });
      }
    }
    await this.writeOutput(initialOutput(runtime, this.spec, this.inputs));
  }

  async write({ hidden, output }: NetworkWeights): Promise<void> {
    for (const { buffer, shard, layer, fan, width } of this.shards()) {
      const plain = hidden[layer] ?? new Float32Array(0);
      await this.writeColumns(buffer, shard, 0, { plain, pitch: width, ...shard, rows: fan });
    }
    await this.writeOutput(output);
  }

  private async writeOutput(output: Float32Array): Promise<void> {
    for (const [s, { start, width }] of (this.shapes.at(-1)?.shards ?? []).entries()) {
      const buffer = this.output[s];
      if (buffer !== undefined) await this.arena.write(buffer, 0, output, start, width);
    }
  }

  /** Writes columns [start, start + width) of `plain` to columns `at` and on of a shard. */
  private async writeColumns(
    buffer: GPUBuffer,
    shard: Shard,
    at: number,
    from: { plain: Float32Array; pitch: number; start: number; width: number; rows: number },
  ): Promise<void> {
    const { plain, pitch, start, width, rows } = from;
    const padded = shard.width4 * 4;
    if (width < shard.width) {
      for (let k = 0; k < rows; k++)
        await this.arena.write(buffer, (k * padded + at) * 4, plain, k * pitch + start, width);
      return;
    }
    const most = Math.max(1, Math.floor(STAGING_FLOATS / padded));
    const staging = new Float32Array(Math.min(most, rows) * padded);
    for (let first = 0; first < rows; first += most) {
      const now = Math.min(most, rows - first);
      for (let k = 0; k < now; k++) {
        const row = (first + k) * pitch + start;
        staging.set(plain.subarray(row, row + width), k * padded);
      }
      await this.arena.write(buffer, first * padded * 4, staging, 0, now * padded);
    }
  }

  /** A copy on the host. */
  async read(): Promise<NetworkWeights> {
    const fans = fanIns(this.spec, this.inputs);
    const hidden = this.spec.widths.map((width, l) => new Float32Array((fans[l] ?? 0) * width));
    for (const { buffer, shard, layer, fan, width } of this.shards()) {
      const padded = shard.width4 * 4;
      const to = hidden[layer] ?? new Float32Array(0);
      await this.arena.read(buffer, 0, fan * padded * 4, (piece, place) => {
        const floats = new Float32Array(piece);
        // A piece may begin and end inside a row.
        for (let k = 0; k < floats.length; ) {
          const column = (place / 4 + k) % padded;
          const row = Math.floor((place / 4 + k) / padded);
          const count = Math.min(padded - column, floats.length - k);
          const live = Math.max(0, Math.min(count, shard.width - column));
          to.set(floats.subarray(k, k + live), row * width + shard.start + column);
          k += count;
        }
      });
    }
    const output = new Float32Array(this.spec.widths.at(-1) ?? 0);
    for (const [s, { start, width }] of (this.shapes.at(-1)?.shards ?? []).entries()) {
      const buffer = this.output[s];
      if (buffer === undefined) continue;
      await this.arena.read(buffer, 0, width * 4, (piece, place) => {
        output.set(new Float32Array(piece), start + place / 4);
      });
    }
    return { hidden, output };
  }
}

const halves = (seed: bigint) => [Number(BigInt.asIntN(32, seed)), Number(BigInt.asIntN(32, seed >> 32n))] as const;

/**
 * Initial weights of neurons [start, start + width) of a layer, in the plain order. The core draws them a block of
 * NEURONS at a time from the seed with the block's number XORed in at bit 20; where `start` is a multiple of a power of
 * two that is not below `width`, its block numbers are those of 0 .. width with the bits of `start` set, so the seed
 * can carry them.
 */
export async function initialColumns(
  runtime: Runtime,
  spec: NetworkSpec,
  inputs: number,
  layer: number,
  start: number,
  width: number,
  work: WorkOptions = {},
): Promise<Float32Array> {
  const fan = fanIns(spec, inputs)[layer] ?? 0;
  const blocks = Math.ceil(width / NEURONS);
  const scope = runtime.scope();
  try {
    const { pointer } = allocateLayers(scope, { ...spec, widths: [width] }, fan, 1);
    const seed = BigInt(spec.seed) ^ (BigInt(start / NEURONS) << 20n);
    const deviation = layerDeviations(spec, inputs)[layer] ?? 1;
    const quiet = { signal: work.signal };
    await runtime.run("initialLayer", blocks, [pointer, layer, ...halves(seed), deviation], quiet, "initial weights");
    const plain = scope.allocate(fan * width * 4, "a copy of a layer's weights");
    await runtime.run("plainLayer", blocks, [pointer, plain, 0], quiet, "initial weights");
    return new Float32Array(runtime.memory.memory.buffer, plain, fan * width).slice();
  } finally {
    scope.release();
  }
}

function initialOutput(runtime: Runtime, spec: NetworkSpec, inputs: number): Float32Array {
  const width = spec.widths.at(-1) ?? 0;
  const [low, high] = halves(BigInt(spec.seed));
  const scope = runtime.scope();
  try {
    const to = scope.allocate((width + 1) * 4);
    runtime.call("initialOutput", spec.widths.length, width, low, high, layerDeviations(spec, inputs).at(-1) ?? 1, to);
    return new Float32Array(runtime.memory.memory.buffer, to, width).slice();
  } finally {
    scope.release();
  }
}
