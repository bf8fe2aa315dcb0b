// Rows of data on a device, uploaded once, and the plan of the batches that a submission goes through: which rows each
// takes and which columns are not zero in all of them. Pixels at the rim of a digit are zero in most batches, and a
// column of zeros neither adds to a sum nor moves a weight. Not here: the kernel that gathers them (shaders.ts).
import type { RowSource } from "../../kernels/rows.js";
import type { Arena } from "./arena.js";
import { STEP_BYTES } from "./shaders.js";

/** Rows on a device. */
export interface GpuRows {
  readonly source: RowSource;
  readonly eightBit: boolean;
  /** The rows, packed pixels or float32, as 32-bit words. */
  readonly data: GPUBuffer;
  /** Words in a row. */
  readonly pitch: GPUBuffer;
  /** Values of the 256 pixels, rounded as the core rounds them. */
  readonly table: GPUBuffer;
}

function packedWords({ n, d, x }: RowSource): { words: Float32Array; pitch: number } {
  if (!(x instanceof Uint8Array)) return { words: Float32Array.from(x), pitch: d };
  const pitch = Math.ceil(d / 4);
  const bytes = new Uint8Array(n * pitch * 4);
  for (let i = 0; i < n; i++) bytes.set(x.subarray(i * d, i * d + d), i * pitch * 4);
  return { words: new Float32Array(bytes.buffer), pitch };
}

export async function uploadRows(arena: Arena, source: RowSource): Promise<GpuRows> {
  const { words, pitch } = packedWords(source);
  const rows: GpuRows = await arena.gpu.allocating(`${source.n} rows of data`, () => ({
    source,
    eightBit: source.x instanceof Uint8Array,
    data: arena.storage(words.byteLength, `${source.n} rows of data`),
    pitch: arena.words([pitch]),
    table: arena.storage(256 * 4, "pixel values"),
  }));
  await arena.write(rows.data, 0, words);
  await arena.write(
    rows.table,
    0,
    Float32Array.from({ length: 256 }, (_, value) => value * source.scale),
  );
  return rows;
}

/** One batch of a submission. */
export interface Batch {
  readonly rows: number;
  /** Columns that matter, padded, in fours. */
  readonly columns4: number;
}

/** Most batches in a submission. */
const MOST_SLOTS = 256;
/** 32-bit words of row and column numbers in a submission. */
const LIST_WORDS = 2 ** 22;

/** The batches of one submission: their records and lists, written to the device before it. */
export class BatchPlan {
  readonly slots: number;
  readonly records: GPUBuffer;
  readonly lists: GPUBuffer;
  private readonly recordView: DataView<ArrayBuffer>;
  private readonly listWords: Uint32Array<ArrayBuffer>;
  private readonly used: Uint8Array;
  private readonly batches: Batch[] = [];
  private latest: { source: RowSource; order: Int32Array; columns: Uint32Array } | undefined;
  private end = 0;

  constructor(
    private readonly arena: Arena,
    private readonly columns: number,
    rows: number,
  ) {
    const words = rows + Math.ceil(columns / 4) * 4;
    this.slots = Math.max(1, Math.min(MOST_SLOTS, Math.floor(LIST_WORDS / words)));
    this.records = arena.uniforms(this.slots * STEP_BYTES, "steps");
    this.lists = arena.storage(this.slots * words * 4, "batches");
    this.recordView = new DataView(new ArrayBuffer(this.slots * STEP_BYTES));
    this.listWords = new Uint32Array(this.slots * words);
    this.used = new Uint8Array(columns);
  }

  /** Adds the batch of rows `order` of `source`. `index` is the place of its report, `outAt` of its first output. */
  add(source: RowSource, order: Int32Array, index: number, outAt: number): void {
    const { recordView, listWords } = this;
    const at = this.batches.length * STEP_BYTES;
    const columns = this.columnsOf(source, order);
    const columns4 = Math.ceil(columns.length / 4);
    const orderAt = this.end;
    const columnsAt = orderAt + order.length;
    listWords.set(order, orderAt);
    listWords.set(columns, columnsAt);
    this.end = columnsAt + columns4 * 4;
    // Padding names a column that exists; its entries are 0.
    listWords.fill(0, columnsAt + columns.length, this.end);
    [order.length, columns.length, columns4, orderAt, columnsAt, index].forEach((word, k) => {
      recordView.setUint32(at + k * 4, word, true);
    });
    recordView.setFloat32(at + 24, 1 / order.length, true);
    recordView.setUint32(at + 28, outAt, true);
    this.batches.push({ rows: order.length, columns4 });
  }

  /** Columns that are not zero in all rows of `order`. A full batch is the same array each time. */
  private columnsOf(source: RowSource, order: Int32Array): Uint32Array {
    const { latest, used, columns } = this;
    if (latest?.source === source && latest.order === order) return latest.columns;
    const { x, d } = source;
    used.fill(0);
    for (const row of order) for (let k = 0, at = row * d; k < columns; k++) if (x[at + k] !== 0) used[k] = 1;
    const found = Uint32Array.from({ length: columns }, (_, k) => k).filter((k) => used[k] === 1);
    this.latest = { source, order, columns: found };
    return found;
  }

  /** Writes the batches to the device, hands them out and starts a new plan. */
  take(): Batch[] {
    const { queue } = this.arena.gpu.device;
    queue.writeBuffer(this.records, 0, this.recordView.buffer, 0, this.batches.length * STEP_BYTES);
    queue.writeBuffer(this.lists, 0, this.listWords, 0, this.end);
    this.end = 0;
    return this.batches.splice(0);
  }
}
