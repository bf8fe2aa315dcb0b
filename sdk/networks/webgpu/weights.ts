// Weights on a device: layers cut into shards of neurons where a layer is larger than one buffer may be; at width 10^6
// the first layer has 3.1 GB. Shard: [input][neuron] with the neurons padded to 4 and, behind the first layer, the
// inputs too; padding is 0 and stays 0. Not here: the steps (pass.ts) and how initial weights are drawn (initial.ts).
import { NEURONS } from "../../../assembly/layout.js";
import { GpuMemoryError } from "../../runtime/device-errors.js";
import type { Runtime, WorkOptions } from "../../runtime/runtime.js";
import { initialColumns, initialOutput, pieceBlocks } from "../initial.js";
import { fanIns, type NetworkSpec, type NetworkWeights } from "../network.js";
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
  /** Each starts at a whole block of NEURONS. */
  readonly shards: readonly Shard[];
}

/** Most neurons of a shard: devices take 65535 workgroups of 128 neurons. */
const MOST_SHARD = 2 ** 22;
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
    const own = fours(width) * 4 <= most ? width : Math.floor(most / NEURONS) * NEURONS;
    const count = Math.ceil(width / own);
    const shards = Array.from({ length: count }, (_, s) => {
      const live = Math.min(own, width - s * own);
      return { start: s * own, width: live, width4: fours(live) };
    });
    return { inputs: fan, shards };
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
      const piece = pieceBlocks(fan) * NEURONS;
      for (let at = 0; at < shard.width; at += piece) {
        const width = Math.min(piece, shard.width - at);
        const columns = { layer, firstBlock: (shard.start + at) / NEURONS, width };
        const plain = await initialColumns(runtime, this.spec, this.inputs, columns, work);
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

  /** Sets every weight to 0, as it is in a new buffer. */
  clear(): void {
    const { device } = this.arena.gpu;
    const encoder = device.createCommandEncoder();
    for (const buffer of [...this.hidden.flat(), ...this.output]) encoder.clearBuffer(buffer);
    device.queue.submit([encoder.finish()]);
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
