// The wasm backend: finite networks trained in the core, on all threads, float32, with the zeros of the inputs and the
// rows without violation skipped. Not here: the steps themselves (assembly/network/) and the interface (training.ts).
import {
  NET_BARRIER,
  NET_BATCH,
  NET_BYTES,
  NET_CARRY,
  NET_CARRY_OUTPUT,
  NET_CENTRE,
  NET_COLUMNS,
  NET_ENTRIES,
  NET_EPSILON,
  NET_LABELS,
  NET_LAMBDA,
  NET_LAYER,
  NET_LAYERS,
  NET_LIST_BYTES,
  NET_LOSS,
  NET_ORDER,
  NET_OUTPUT,
  NET_OUTPUT_SCALE,
  NET_PARTIALS,
  NET_PARTICIPANTS,
  NET_RATE,
  NET_REPORTS,
  NET_STARTS,
  NET_STEP_STARTS,
  NET_STOPPED,
  NET_WORK,
  NET_WORK_BYTES,
  NEURONS,
} from "../../assembly/layout.js";
import type { Dataset } from "../data/dataset.js";
import { DivergenceError, MemoryBudgetError } from "../errors.js";
import type { RowSource } from "../kernels/rows.js";
import { LOSS_CODE } from "../losses.js";
import type { Scope } from "../runtime/memory.js";
import { type Runtime, runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import {
  allocateLayers,
  clearLayers,
  estimateLayerBytes,
  fillInitial,
  type Layers,
  readWeights,
  writeWeights,
} from "./layers.js";
import { layerScales, type NetworkSpec, type NetworkWeights } from "./network.js";
import { BatchOrder, stepsOfEpoch } from "./order.js";
import type { ResolvedTraining, StepReport, TrainingSession } from "./training.js";

/** Rows evaluated together, when that is more than a training batch. */
const EVALUATION_ROWS = 256;

/** Steps in one job, so that progress is seen and cancelling is prompt. */
const STEPS_PER_JOB = 64;

interface SparseRows {
  readonly starts: number;
  readonly columns: number;
  readonly entries: number;
}

/** Non-zero entries of each row, float32. */
function uploadSparse(scope: Scope, { n, d, x, scale }: RowSource): SparseRows {
  const starts = new Int32Array(n + 1);
  for (let i = 0; i < n; i++) {
    let count = 0;
    for (let k = i * d; k < (i + 1) * d; k++) if (x[k] !== 0) count++;
    starts[i + 1] = (starts[i] ?? 0) + count;
  }
  const total = starts[n] ?? 0;
  const columns = scope.allocate(total * 4, "the rows' non-zero entries");
  const entries = scope.allocate(total * 4, "the rows' non-zero entries");
  const startsAt = scope.i32(n + 1, starts);
  const toColumns = scope.memory.i32(columns, total);
  const toEntries = new Float32Array(scope.memory.memory.buffer, entries, total);
  let at = 0;
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < d; k++) {
      const value = x[i * d + k] ?? 0;
      if (value === 0) continue;
      toColumns[at] = k;
      toEntries[at++] = value * scale;
    }
  }
  return { starts: startsAt, columns, entries };
}

/** Slopes, pushes and lists of all participants, for batches of `rows` rows. */
const workBytes = (threads: number, rows: number) => Math.max(1, threads) * (rows * NET_WORK_BYTES + NET_LIST_BYTES);

/** Bytes that training takes, before anything is allocated. */
export function estimateTrainingBytes(
  spec: NetworkSpec,
  data: RowSource,
  { batchRows, compensated }: ResolvedTraining,
  threads: number,
): number {
  const rows = Math.max(batchRows, Math.min(EVALUATION_ROWS, data.n));
  const blocks = Math.ceil((spec.widths.at(-1) ?? 1) / NEURONS);
  const partials = 2 * blocks * (rows + 1) * 8;
  const carry = compensated ? estimateLayerBytes(spec, data.d, 0) : 0;
  let nonzero = 0;
  for (const value of data.x) if (value !== 0) nonzero++;
  const layers = estimateLayerBytes(spec, data.d, rows) + carry;
  return layers + partials + workBytes(threads, rows) + nonzero * 8 + data.n * 28;
}

/** Opens a session on the core. @throws MemoryBudgetError, the signal's reason */
export async function openWasmSession(
  spec: NetworkSpec,
  data: Dataset,
  options: ResolvedTraining,
  work: WorkOptions,
): Promise<TrainingSession> {
  const runtime = await runtimeOf(work);
  const needed = runtime.memory.bytesInUse + estimateTrainingBytes(spec, data, options, runtime.sharedThreads);
  const what = `training a network of widths ${spec.widths}${options.compensated ? " (less with compensated: false)" : ""}`;
  if (needed > runtime.memory.budget) throw new MemoryBudgetError(needed, runtime.memory.budget, what);
  const session = new WasmSession(runtime, spec, data, options);
  try {
    await session.start(work);
    return session;
  } catch (error) {
    session.dispose();
    throw error;
  }
}

class WasmSession implements TrainingSession {
  readonly backend = "wasm";
  readonly stepsPerEpoch: number;
  private readonly scope: Scope;
  private readonly net: number;
  private readonly layers: Layers;
  /** What rounding left over of each weight, laid out as they are. */
  private readonly carry: Layers | undefined;
  private readonly capacity: number;
  private readonly order: BatchOrder;
  /** f_0 of the data sets asked about, at the initial weights. */
  private readonly centres = new WeakMap<object, Float64Array>();
  private step = 0;

  constructor(
    private readonly runtime: Runtime,
    readonly spec: NetworkSpec,
    private readonly data: Dataset,
    private readonly options: ResolvedTraining,
  ) {
    const { n, d, y } = data;
    this.scope = runtime.scope();
    this.capacity = Math.max(options.batchRows, Math.min(EVALUATION_ROWS, n));
    this.stepsPerEpoch = stepsOfEpoch(n, options.batch);
    this.order = new BatchOrder(runtime, n, options.batch, options.seed);
    this.layers = allocateLayers(this.scope, spec, d, this.capacity);
    this.carry = options.compensated ? allocateLayers(this.scope, spec, d, 0) : undefined;
    this.net = this.record(this.layers, uploadSparse(this.scope, data), this.scope.f64(n, y), this.scope.f64(n));
  }

  /** A network record on `layers` and `rows`. */
  private record(layers: Layers, rows: SparseRows, labels: number, centre: number): number {
    const { scope, runtime, spec, capacity, options } = this;
    const participants = Math.max(1, runtime.sharedThreads);
    const blocks = Math.ceil((spec.widths.at(-1) ?? 1) / NEURONS);
    const net = scope.allocate(NET_BYTES);
    const partials = scope.allocate(2 * blocks * (capacity + 1) * 8, "shares of a network's outputs");
    const work = scope.allocate(workBytes(runtime.sharedThreads, capacity));
    const barrier = scope.i32(2);
    const order = scope.allocate(STEPS_PER_JOB * capacity * 4);
    const starts = scope.i32(STEPS_PER_JOB + 1);
    const reports = scope.allocate(STEPS_PER_JOB * 16);
    const view = scope.memory.view(net, NET_BYTES);
    const pointers: [number, number][] = [
      [NET_LAYER, layers.pointer],
      [NET_OUTPUT, layers.output],
      [NET_STARTS, rows.starts],
      [NET_COLUMNS, rows.columns],
      [NET_ENTRIES, rows.entries],
      [NET_LABELS, labels],
      [NET_CENTRE, centre],
      [NET_ORDER, order],
      [NET_STEP_STARTS, starts],
      [NET_PARTIALS, partials],
      [NET_WORK, work],
      [NET_REPORTS, reports],
      [NET_BARRIER, barrier],
      [NET_CARRY, this.carry?.pointer ?? 0],
      [NET_CARRY_OUTPUT, this.carry?.output ?? 0],
      [NET_LAYERS, spec.widths.length],
      [NET_BATCH, capacity],
      [NET_PARTICIPANTS, participants],
      [NET_LOSS, LOSS_CODE[options.loss]],
      [NET_STOPPED, 0],
    ];
    for (const [field, value] of pointers) view.setUint32(field, value, true);
    view.setFloat64(NET_OUTPUT_SCALE, layerScales(spec, this.data.d).at(-1) ?? 1, true);
    view.setFloat64(NET_RATE, options.learningRate, true);
    view.setFloat64(NET_LAMBDA, options.lambda, true);
    view.setFloat64(NET_EPSILON, options.epsilon, true);
    return net;
  }

  private pointer(field: number): number {
    return this.runtime.memory.view(this.net + field, 4).getUint32(0, true);
  }

  /** A job whose threads wait for one another: once some have begun, all must, so it is stopped before or never. */
  private together(name: string, args: readonly number[], { signal }: WorkOptions): Promise<void> {
    signal?.throwIfAborted();
    return this.runtime.run(name, Math.max(1, this.runtime.sharedThreads), args);
  }

  async start(work: WorkOptions): Promise<void> {
    await fillInitial(this.runtime, this.layers, this.spec, this.data.d, work);
    if (this.carry !== undefined) clearLayers(this.runtime, this.carry, this.spec, this.data.d);
    if (!this.options.centred) return;
    const centre = await this.evaluate(this.data, this.net, work);
    this.centres.set(this.data, centre);
    this.runtime.memory.f64(this.pointer(NET_CENTRE), this.data.n).set(centre);
  }

  async steps(count: number, work: WorkOptions = {}): Promise<StepReport[]> {
    const { runtime } = this;
    const reports: StepReport[] = [];
    for (let done = 0; done < count; ) {
      const now = Math.min(STEPS_PER_JOB, count - done);
      const starts = new Int32Array(now + 1);
      for (let k = 0; k < now; k++) {
        const rows = this.order.rows(this.step + k);
        const from = starts[k] ?? 0;
        runtime.memory.i32(this.pointer(NET_ORDER) + from * 4, rows.length).set(rows);
        starts[k + 1] = from + rows.length;
      }
      runtime.memory.i32(this.pointer(NET_STEP_STARTS), now + 1).set(starts);
      await this.together("networkSteps", [this.net, now], work);
      const stopped = this.pointer(NET_STOPPED);
      const taken = stopped === 0 ? now : stopped - 1;
      const figures = runtime.memory.f64(this.pointer(NET_REPORTS), 2 * now);
      for (let k = 0; k < taken; k++)
        reports.push({ step: this.step + k + 1, loss: figures[2 * k] ?? 0, regulariser: figures[2 * k + 1] ?? 0 });
      this.step += taken;
      done += now;
      if (stopped !== 0) {
        runtime.memory.view(this.net + NET_STOPPED, 4).setInt32(0, 0, true);
        throw new DivergenceError(this.step + 1);
      }
      work.onProgress?.({ stage: "training", done, total: count });
    }
    return reports;
  }

  async outputs(data: RowSource, work: WorkOptions = {}): Promise<Float64Array> {
    if (data.d !== this.data.d) throw new RangeError(`data: expected ${this.data.d} columns, got ${data.d}`);
    const own = await this.evaluate(data, this.net, work);
    if (!this.options.centred) return own;
    const centre = await this.centre(data, own, work);
    return own.map((value, i) => value - (centre[i] ?? 0));
  }

  /** f_0 of `data`: kept from before, the present outputs before the first step, or from weights drawn again. */
  private async centre(data: RowSource, present: Float64Array, work: WorkOptions): Promise<Float64Array> {
    const known = this.centres.get(data);
    if (known !== undefined) return known;
    const fresh = this.step === 0 ? present : await this.evaluateInitial(data, work);
    this.centres.set(data, fresh);
    return fresh;
  }

  private async evaluateInitial(data: RowSource, work: WorkOptions): Promise<Float64Array> {
    const { runtime, spec } = this;
    const scope = runtime.scope();
    try {
      const layers = allocateLayers(scope, spec, data.d, this.capacity);
      await fillInitial(runtime, layers, spec, data.d, work);
      const net = scope.allocate(NET_BYTES);
      runtime.memory.u8(net, NET_BYTES).set(runtime.memory.u8(this.net, NET_BYTES));
      const view = runtime.memory.view(net, NET_BYTES);
      view.setUint32(NET_LAYER, layers.pointer, true);
      view.setUint32(NET_OUTPUT, layers.output, true);
      return await this.evaluate(data, net, work);
    } finally {
      scope.release();
    }
  }

  /** f of each row of `data` with the weights of `net`. */
  private async evaluate(data: RowSource, net: number, work: WorkOptions): Promise<Float64Array> {
    const { runtime, capacity } = this;
    const scope = runtime.scope();
    try {
      const rows = uploadSparse(scope, data);
      const steps = Math.ceil(data.n / capacity);
      const own = scope.allocate(NET_BYTES);
      runtime.memory.u8(own, NET_BYTES).set(runtime.memory.u8(net, NET_BYTES));
      const order = scope.i32(
        data.n,
        Int32Array.from({ length: data.n }, (_, k) => k),
      );
      const starts = scope.i32(
        steps + 1,
        Int32Array.from({ length: steps + 1 }, (_, k) => Math.min(data.n, k * capacity)),
      );
      const out = scope.allocate(data.n * 8);
      const view = runtime.memory.view(own, NET_BYTES);
      const fields = [NET_STARTS, NET_COLUMNS, NET_ENTRIES, NET_ORDER, NET_STEP_STARTS];
      const values = [rows.starts, rows.columns, rows.entries, order, starts];
      fields.forEach((field, k) => {
        view.setUint32(field, values[k] ?? 0, true);
      });
      await this.together("networkOutputs", [own, steps, out], work);
      return runtime.memory.f64(out, data.n).slice();
    } finally {
      scope.release();
    }
  }

  async weights({ carry = false }: { readonly carry?: boolean | undefined } = {}): Promise<NetworkWeights> {
    const { runtime, spec, data } = this;
    const weights = await readWeights(runtime, this.layers, spec, data.d);
    if (!carry || this.carry === undefined) return weights;
    return { ...weights, carry: await readWeights(runtime, this.carry, spec, data.d) };
  }

  async restore(weights: NetworkWeights, step: number): Promise<void> {
    const { runtime, spec, data, carry } = this;
    await writeWeights(runtime, this.layers, spec, data.d, weights);
    if (carry !== undefined && weights.carry === undefined) clearLayers(runtime, carry, spec, data.d);
    if (carry !== undefined && weights.carry !== undefined)
      await writeWeights(runtime, carry, spec, data.d, weights.carry);
    this.step = step;
  }

  dispose(): void {
    this.scope.release();
  }
}
