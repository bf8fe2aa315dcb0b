// Everything of one session that lives on a device, from opening it to freeing it: weights, rows, kernels, submissions.
// When the device is lost the engine is lost with it. Not here: what outlives a device (session.ts).
import type { Dataset } from "../../data/dataset.js";
import type { RowSource } from "../../kernels/rows.js";
import { type DeviceOptions, type Gpu, requestDevice } from "../../runtime/gpu.js";
import type { Runtime, WorkOptions } from "../../runtime/runtime.js";
import { layerScales, type NetworkSpec, type NetworkWeights } from "../network.js";
import type { ResolvedTraining } from "../training.js";
import { Arena } from "./arena.js";
import { compileKernels, type Dispatch, type Kernels } from "./kernels.js";
import { allocateWorkspace, NetworkPass, outputTiles, padRows, type Workspace } from "./pass.js";
import { type Batch, BatchPlan, type GpuRows, uploadRows } from "./rows.js";
import { GpuWeights, type LayerShape, planShards } from "./weights.js";

/** Rows evaluated together, when that is more than a training batch. */
const EVALUATION_ROWS = 256;
/** Floats of values that this may cost in the widest layer. */
const EVALUATION_FLOATS = 2 ** 26;
/** Milliseconds that a submission should take: systems end long ones, and the host waits between short ones. */
const SUBMISSION = 200;

export interface EngineOptions extends DeviceOptions {
  /** Most bytes of a storage buffer, where that should be less than the device allows. */
  readonly bufferBytes?: number | undefined;
}

/** How many batches a submission takes, from how long the latest one took. */
class Pace {
  batches = 1;

  note(milliseconds: number): void {
    if (milliseconds < SUBMISSION / 2) this.batches *= 2;
    else if (milliseconds > 2 * SUBMISSION) this.batches = Math.max(1, this.batches >> 1);
  }
}

export interface StepFigures {
  /** Steps taken: fewer than asked for when a value was not finite. */
  readonly taken: number;
  /** Loss and regulariser of each step. */
  readonly figures: Float32Array;
}

/** What is on the device before training data. */
interface Setup {
  readonly gpu: Gpu;
  readonly arena: Arena;
  readonly kernels: Kernels;
  readonly plan: BatchPlan;
  readonly shapes: readonly LayerShape[];
  readonly work: Workspace;
  readonly weights: GpuWeights;
  /** What rounding left over of each weight, where that is kept. */
  readonly carry: GpuWeights | undefined;
  /** Most rows of a batch in an evaluation. */
  readonly capacity: number;
}

async function setUp(
  gpu: Gpu,
  spec: NetworkSpec,
  { n, d }: RowSource,
  options: ResolvedTraining,
  bufferBytes: number,
): Promise<Setup> {
  const arena = new Arena(gpu);
  const { batchRows, compensated } = options;
  const widest = Math.max(...spec.widths);
  const affordable = Math.max(16, Math.floor(EVALUATION_FLOATS / widest));
  const capacity = Math.max(batchRows, Math.min(EVALUATION_ROWS, n, affordable));
  const shapes = planShards(spec, d, padRows(capacity), bufferBytes);
  const made = await gpu.allocating(`a network of widths ${spec.widths}`, () => ({
    plan: new BatchPlan(arena, d, capacity),
    work: allocateWorkspace(arena, shapes, d, capacity, batchRows),
    weights: new GpuWeights(arena, shapes, spec, d),
    carry: compensated ? new GpuWeights(arena, shapes, spec, d) : undefined,
  }));
  const kernels = await compileKernels(gpu, made.plan.records, spec.widths.length, options);
  return { gpu, arena, kernels, shapes, capacity, ...made };
}

export class Engine {
  readonly gpu: Gpu;
  readonly weights: GpuWeights;
  readonly carry: GpuWeights | undefined;
  private readonly network: NetworkPass;
  private readonly totals: GPUBuffer;
  private readonly targets: GPUBuffer;
  private readonly gather: Dispatch;
  private readonly pace = new Pace();
  private readonly evaluationPace = new Pace();
  private judging: { readonly reports: GPUBuffer; readonly room: number; readonly judge: Dispatch } | undefined;

  private constructor(
    private readonly setup: Setup,
    private readonly rows: GpuRows,
    private readonly spec: NetworkSpec,
    private readonly data: Dataset,
    private readonly options: ResolvedTraining,
  ) {
    const { arena, shapes } = setup;
    this.gpu = setup.gpu;
    this.weights = setup.weights;
    this.carry = setup.carry;
    this.totals = arena.words([outputTiles(shapes), layerScales(spec, data.d).at(-1) ?? 1, options.epsilon], [1, 2]);
    this.targets = arena.storage(data.n * 8, "labels");
    this.network = this.passOf(arena, setup.weights, setup.carry);
    this.network.planBackward();
    this.gather = this.network.gather(rows);
  }

  /** A device with the network on it; its weights are still to be filled in. */
  static async open(
    spec: NetworkSpec,
    data: Dataset,
    options: ResolvedTraining,
    engine: EngineOptions,
  ): Promise<Engine> {
    const gpu = await requestDevice(engine);
    try {
      const bufferBytes = Math.min(gpu.bufferBytes, engine.bufferBytes ?? gpu.bufferBytes);
      const setup = await setUp(gpu, spec, data, options, bufferBytes);
      const rows = await uploadRows(setup.arena, data);
      return await gpu.allocating("the labels", () => new Engine(setup, rows, spec, data, options));
    } catch (error) {
      gpu.close();
      throw error;
    }
  }

  private passOf(arena: Arena, weights: GpuWeights, carry?: GpuWeights): NetworkPass {
    const { kernels, shapes, work, plan } = this.setup;
    return new NetworkPass(arena, kernels, shapes, weights, work, plan, this.spec, this.data.d, this.options, carry);
  }

  /** Brings weights to the device, with their carry or none. */
  async write(weights: NetworkWeights): Promise<void> {
    await this.weights.write(weights);
    if (weights.carry === undefined) this.carry?.clear();
    else await this.carry?.write(weights.carry);
  }

  /** Sets the labels and f_0 of the training rows (zeros when it is not subtracted). */
  async setCentre(centre: ArrayLike<number>): Promise<void> {
    const words = new Float32Array(this.data.n * 2);
    for (let i = 0; i < this.data.n; i++) {
      words[2 * i] = this.data.y[i] ?? 0;
      words[2 * i + 1] = centre[i] ?? 0;
    }
    await this.setup.arena.write(this.targets, 0, words);
  }

  /** Room for the reports of `count` steps. */
  private judgeFor(count: number) {
    if (this.judging !== undefined && this.judging.room >= count) return this.judging;
    const { arena, kernels, plan, work } = this.setup;
    const room = Math.max(256, 2 ** Math.ceil(Math.log2(count)));
    this.judging?.reports.destroy();
    const reports = arena.storage(room * 8, "reports");
    const { partials, slopes, pushing, state } = work;
    const bound = [this.totals, plan.lists, partials, this.targets, slopes, pushing, state, reports];
    this.judging = { reports, room, judge: kernels.judge.bind(...bound) };
    return this.judging;
  }

  /** Takes `count` steps on the batches of `order`; done(k) is called when k of them are known to have run. */
  async steps(
    count: number,
    order: (step: number) => Int32Array,
    work: WorkOptions,
    done: (steps: number) => void,
  ): Promise<StepFigures> {
    const { gpu, arena, plan, work: space } = this.setup;
    const { judge, reports } = this.judgeFor(count);
    gpu.device.queue.writeBuffer(space.state, 0, new Uint32Array(2));
    const add = (k: number) => plan.add(this.data, order(k), k, 0);
    const record = (pass: GPUComputePassEncoder, slot: number, batch: Batch) => {
      this.network.recordForward(pass, this.gather, slot, batch);
      judge.record(pass, slot, 1);
      this.network.recordBackward(pass, slot, batch);
    };
    await this.submitAll(count, this.pace, add, record, work, (steps) => {
      done(steps);
      work.onProgress?.({ stage: "training", done: steps, total: count });
    });
    let stopped = 0;
    await arena.read(space.state, 0, 8, (piece) => {
      stopped = new Uint32Array(piece)[0] ?? 0;
    });
    const figures = new Float32Array(2 * count);
    await arena.read(reports, 0, figures.byteLength, (piece, at) => figures.set(new Float32Array(piece), at / 4));
    return { taken: stopped === 0 ? count : stopped - 1, figures };
  }

  /** Records `total` batches into submissions of a bearable length. */
  private async submitAll(
    total: number,
    pace: Pace,
    add: (k: number) => void,
    record: (pass: GPUComputePassEncoder, slot: number, batch: Batch) => void,
    { signal }: WorkOptions,
    submitted: (done: number) => void,
  ): Promise<void> {
    const { gpu, plan } = this.setup;
    const { device } = gpu;
    for (let done = 0; done < total; ) {
      signal?.throwIfAborted();
      const begin = performance.now();
      const now = Math.min(total - done, plan.slots, pace.batches);
      for (let k = 0; k < now; k++) add(done + k);
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      for (const [slot, batch] of plan.take().entries()) record(pass, slot, batch);
      pass.end();
      device.queue.submit([encoder.finish()]);
      await gpu.guard(device.queue.onSubmittedWorkDone());
      pace.note(performance.now() - begin);
      done += now;
      submitted(done);
    }
  }

  /** f of each row of `data` at the present weights, or at the initial ones. */
  async outputs(data: RowSource, runtime: Runtime, work: WorkOptions, initial: boolean): Promise<Float64Array> {
    const { gpu, shapes } = this.setup;
    const arena = new Arena(gpu);
    try {
      const rows = data === this.data ? this.rows : await uploadRows(arena, data);
      if (!initial) return await this.evaluate(arena, rows, this.network, work);
      const what = `a second network of widths ${this.spec.widths}`;
      const weights = await gpu.allocating(what, () => new GpuWeights(arena, shapes, this.spec, this.data.d));
      await weights.fillInitial(runtime, work);
      return await this.evaluate(arena, rows, this.passOf(arena, weights), work);
    } finally {
      arena.release();
    }
  }

  private async evaluate(arena: Arena, rows: GpuRows, network: NetworkPass, work: WorkOptions): Promise<Float64Array> {
    const { kernels, plan, work: space, capacity } = this.setup;
    const { source } = rows;
    const outputs = arena.storage(source.n * 4, "outputs");
    const collect = kernels.collect.bind(this.totals, space.partials, outputs);
    const gather = network.gather(rows);
    const add = (k: number) => {
      const first = k * capacity;
      const count = Math.min(capacity, source.n - first);
      const order = Int32Array.from({ length: count }, (_, i) => first + i);
      plan.add(source, order, 0, first);
    };
    const record = (pass: GPUComputePassEncoder, slot: number, batch: Batch) => {
      network.recordForward(pass, gather, slot, batch);
      collect.record(pass, slot, Math.ceil(batch.rows / 64));
    };
    await this.submitAll(Math.ceil(source.n / capacity), this.evaluationPace, add, record, work, () => {});
    const found = new Float64Array(source.n);
    await arena.read(outputs, 0, source.n * 4, (piece, at) => found.set(new Float32Array(piece), at / 4));
    return found;
  }

  close(): void {
    this.gpu.close();
  }
}
