// The dispatches of one batch, forwards and backwards, with their buffers bound once. A layer in several shards is
// summed shard by shard of the layer before (forwards) or behind (backwards). Not here: the kernels' text (shaders.ts)
// and which batches there are (rows.ts).
import { layerScales, type NetworkSpec } from "../network.js";
import type { ResolvedTraining } from "../training.js";
import type { Arena } from "./arena.js";
import type { Dispatch, Kernels } from "./kernels.js";
import type { Batch, BatchPlan, GpuRows } from "./rows.js";
import { BACKWARD_ROWS, FORWARD_ROWS, PARTIAL_NEURONS, TILE_X, TILE_Y, UPDATE_INPUTS } from "./shaders.js";
import type { GpuWeights, LayerShape, Shard } from "./weights.js";

/** Most workgroups along one dimension that every device allows. */
const MOST_GROUPS = 65535;

export const padRows = (rows: number) => Math.ceil(rows / FORWARD_ROWS) * FORWARD_ROWS;

/** What steps write and read besides weights; shared by the networks of one session. */
export interface Workspace {
  readonly batch: GPUBuffer;
  /** Values of each layer and shard. */
  readonly values: readonly (readonly GPUBuffer[])[];
  /** Errors of each layer and shard, of all layers but the last. */
  readonly errors: readonly (readonly GPUBuffer[])[];
  readonly partials: GPUBuffer;
  readonly slopes: GPUBuffer;
  readonly pushing: GPUBuffer;
  readonly state: GPUBuffer;
}

const tilesOf = ({ width4 }: Shard) => Math.ceil((width4 * 4) / PARTIAL_NEURONS);

/** Tiles that share the sum of an output. */
export function outputTiles(shapes: readonly LayerShape[]): number {
  return (shapes.at(-1)?.shards ?? []).reduce((sum, shard) => sum + tilesOf(shard), 0);
}

/** Buffers for batches of `rows` rows, and errors of `trained` rows. */
export function allocateWorkspace(
  arena: Arena,
  shapes: readonly LayerShape[],
  columns: number,
  rows: number,
  trained: number,
): Workspace {
  const padded = padRows(rows);
  const perShard = (count: number, what: string) => (shape: LayerShape) =>
    shape.shards.map(({ width4 }) => arena.storage(count * width4 * 16, what));
  return {
    batch: arena.storage(padded * Math.ceil(columns / 4) * 16, "a batch of rows"),
    values: shapes.map(perShard(padded, "the values of a layer")),
    errors: shapes.slice(0, -1).map(perShard(trained, "the errors of a layer")),
    partials: arena.storage(outputTiles(shapes) * (rows + 1) * 4, "shares of outputs"),
    slopes: arena.storage(rows * 4, "slopes"),
    pushing: arena.storage(rows * 8, "rows that push"),
    state: arena.storage(8, "state"),
  };
}

/** A recorded kernel and its grid for a batch. */
type Move = readonly [dispatch: Dispatch, grid: (batch: Batch) => readonly [x: number, y: number]];

const present = (buffer: GPUBuffer | undefined) => (buffer === undefined ? [] : [buffer]);

const groups = (count: number, each: number) => Math.ceil(count / each);

/** Words of a shape record, in the order of Part in shaders.ts; scale, rate and decay are float32. */
interface Part {
  readonly inputs4: number;
  readonly width4: number;
  readonly inputAt?: number;
  readonly first?: boolean;
  readonly last?: boolean;
  readonly scale?: number;
  readonly rate?: number;
  readonly decay?: number;
  readonly tileAt?: number;
}

export class NetworkPass {
  private readonly forwardMoves: Move[] = [];
  private readonly backwardMoves: Move[] = [];
  private readonly scales: readonly number[];

  constructor(
    private readonly arena: Arena,
    private readonly kernels: Kernels,
    private readonly shapes: readonly LayerShape[],
    private readonly weights: GpuWeights,
    private readonly work: Workspace,
    private readonly plan: BatchPlan,
    spec: NetworkSpec,
    columns: number,
    private readonly options: ResolvedTraining,
    private readonly carry?: GpuWeights,
  ) {
    this.scales = layerScales(spec, columns);
    this.planForward();
  }

  private part(part: Part): GPUBuffer {
    const {
      inputs4,
      width4,
      inputAt = 0,
      first = true,
      last = true,
      scale = 1,
      rate = 0,
      decay = 0,
      tileAt = 0,
    } = part;
    const words = [inputs4, width4, inputAt, first ? 1 : 0, last ? 1 : 0, scale, rate, decay, tileAt, 0];
    return this.arena.words(words, [5, 6, 7]);
  }

  private buffers(layer: number, s: number) {
    const { work, weights } = this;
    const weight = weights.hidden[layer]?.[s];
    const values = work.values[layer]?.[s];
    if (weight === undefined || values === undefined) throw new Error(`networks: no shard ${s} in layer ${layer}`);
    // A layer that is not the last has no output weights; kernels that do not read them are given some all the same.
    const output = weights.output[layer === this.shapes.length - 1 ? s : 0] ?? values;
    return { weight, values, output, errors: work.errors[layer]?.[s] ?? values };
  }

  private planForward(): void {
    const { kernels, shapes, work, plan } = this;
    const tall = (batch: Batch) => groups(batch.rows, FORWARD_ROWS * TILE_Y);
    shapes.forEach(({ shards, inputs }, l) => {
      const scale = this.scales[l] ?? 1;
      for (const [s, { width4 }] of shards.entries()) {
        const { weight, values } = this.buffers(l, s);
        const wide = groups(width4, TILE_X);
        if (l === 0) {
          const part = this.part({ inputs4: Math.ceil(inputs / 4), width4, scale });
          const first = kernels.forwardFirst.bind(part, plan.lists, work.batch, weight, values);
          this.forwardMoves.push([first, (batch) => [wide, tall(batch)]]);
          continue;
        }
        const before = shapes[l - 1]?.shards ?? [];
        for (const [q, source] of before.entries()) {
          const ends = { first: q === 0, last: q === before.length - 1 };
          const part = this.part({ inputs4: source.width4, width4, inputAt: source.start, scale, ...ends });
          const next = kernels.forward.bind(part, plan.lists, this.buffers(l - 1, q).values, weight, values);
          this.forwardMoves.push([next, (batch) => [wide, tall(batch)]]);
        }
      }
    });
    this.planPartials();
  }

  private planPartials(): void {
    const last = this.shapes.length - 1;
    let tileAt = 0;
    for (const [s, shard] of (this.shapes[last]?.shards ?? []).entries()) {
      const { values, output } = this.buffers(last, s);
      const part = this.part({ inputs4: 0, width4: shard.width4, tileAt });
      const tiles = tilesOf(shard);
      const sums = this.kernels.partials.bind(part, values, output, this.work.partials);
      this.forwardMoves.push([sums, ({ rows }) => [tiles, Math.min(rows + 1, MOST_GROUPS)]]);
      tileAt += tiles;
    }
  }

  /** Prepares steps; a network that is only evaluated does without. */
  planBackward(): void {
    for (let l = this.shapes.length - 1; l >= 0; l--) {
      if (l > 0) this.planErrors(l);
      this.planUpdates(l);
    }
    this.planOutput();
  }

  /** Errors of the layer before layer l, before the weights between them move. */
  private planErrors(l: number): void {
    const { kernels, shapes, work } = this;
    const isLast = l === shapes.length - 1;
    const kernel = isLast ? kernels.backwardLast : kernels.backward;
    // The slope by the output's scaled sum enters once, at the last hidden layer.
    const scale = (this.scales[l] ?? 1) * (isLast ? (this.scales.at(-1) ?? 1) : 1);
    const shards = shapes[l]?.shards ?? [];
    for (const [q, before] of (shapes[l - 1]?.shards ?? []).entries()) {
      const target = this.buffers(l - 1, q);
      for (const [s, { width4 }] of shards.entries()) {
        const { weight, values, output, errors } = this.buffers(l, s);
        const ends = { first: s === 0, last: s === shards.length - 1 };
        const part = this.part({ inputs4: before.width4, width4, inputAt: before.start, scale, ...ends });
        const own = isLast ? values : errors;
        const { state, pushing } = work;
        const move = kernel.bind(part, state, pushing, own, output, weight, target.values, target.errors);
        const wide = groups(before.width4, TILE_X);
        this.backwardMoves.push([move, ({ rows }) => [wide, groups(rows, BACKWARD_ROWS * TILE_Y)]]);
      }
    }
  }

  private planUpdates(l: number): void {
    const { kernels, shapes, work, plan, options } = this;
    const isLast = l === shapes.length - 1;
    const names = [
      ["update", "updateLast"],
      ["updateFirst", "updateOnly"],
    ] as const;
    const kernel = kernels[names[l === 0 ? 1 : 0][isLast ? 1 : 0]];
    const rate = options.learningRate * (this.scales[l] ?? 1) * (isLast ? (this.scales.at(-1) ?? 1) : 1);
    const tall = (inputs4: number) => groups(inputs4 * 4, UPDATE_INPUTS * TILE_Y);
    for (const [s, { width4 }] of (shapes[l]?.shards ?? []).entries()) {
      const { weight, values, output, errors } = this.buffers(l, s);
      const own = isLast ? values : errors;
      const carry = present(this.carry?.hidden[l]?.[s]);
      const wide = groups(width4, TILE_X);
      const bind = (part: Part, inputs: GPUBuffer) =>
        kernel.bind(this.part(part), work.state, work.pushing, own, output, plan.lists, inputs, weight, ...carry);
      if (l === 0) {
        const move = bind({ inputs4: 0, width4, rate }, work.batch);
        this.backwardMoves.push([move, ({ columns4 }) => [wide, tall(columns4)]]);
        continue;
      }
      for (const [q, before] of (shapes[l - 1]?.shards ?? []).entries()) {
        const move = bind(
          { inputs4: before.width4, width4, inputAt: before.start, rate },
          this.buffers(l - 1, q).values,
        );
        this.backwardMoves.push([move, () => [wide, tall(before.width4)]]);
      }
    }
  }

  private planOutput(): void {
    const last = this.shapes.length - 1;
    const scale = this.scales.at(-1) ?? 1;
    const { learningRate, lambda } = this.options;
    const factors = { rate: learningRate * scale, decay: learningRate * lambda * scale * scale };
    for (const [s, { width4 }] of (this.shapes[last]?.shards ?? []).entries()) {
      const { values, output } = this.buffers(last, s);
      const part = this.part({ inputs4: 0, width4, ...factors });
      const bound = [this.work.state, this.work.pushing, values, output, ...present(this.carry?.output[s])];
      const move = this.kernels.output.bind(part, ...bound);
      this.backwardMoves.push([move, () => [groups(width4, 64), 1]]);
    }
  }

  /** Binds the rows that batches are gathered from. */
  gather({ eightBit, pitch, data, table }: GpuRows): Dispatch {
    const kernel = eightBit ? this.kernels.gatherBytes : this.kernels.gatherFloats;
    return kernel.bind(pitch, this.plan.lists, data, table, this.work.batch);
  }

  recordForward(pass: GPUComputePassEncoder, gather: Dispatch, slot: number, batch: Batch): void {
    gather.record(pass, slot, groups(batch.columns4, TILE_X), groups(batch.rows, TILE_Y));
    for (const [dispatch, grid] of this.forwardMoves) dispatch.record(pass, slot, ...grid(batch));
  }

  recordBackward(pass: GPUComputePassEncoder, slot: number, batch: Batch): void {
    for (const [dispatch, grid] of this.backwardMoves) dispatch.record(pass, slot, ...grid(batch));
  }
}
