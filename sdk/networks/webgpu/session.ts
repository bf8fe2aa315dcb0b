// The webgpu backend: finite networks trained by WGSL kernels on a real WebGPU device. Weights stay on the device; a call
// of steps() reads back the figures of its steps and nothing else. Not here: the device's side (engine.ts, shaders.ts).
import type { Dataset } from "../../data/dataset.js";
import { DivergenceError } from "../../errors.js";
import type { RowSource } from "../../kernels/rows.js";
import { type Runtime, runtimeOf, type WorkOptions } from "../../runtime/runtime.js";
import { checkWeights } from "../layers.js";
import type { NetworkSpec, NetworkWeights } from "../network.js";
import { BatchOrder, stepsOfEpoch } from "../order.js";
import type { ResolvedTraining, StepReport, TrainingSession } from "../training.js";
import { Engine, type EngineOptions } from "./engine.js";

export interface WebGpuWork extends WorkOptions {
  readonly gpu?: EngineOptions | undefined;
}

/** Opens a session on a GPU. @throws GpuUnavailableError, GpuMemoryError, DeviceLostError, the signal's reason */
export async function openWebGpuSession(
  spec: NetworkSpec,
  data: Dataset,
  options: ResolvedTraining,
  work: WebGpuWork,
): Promise<TrainingSession> {
  work.signal?.throwIfAborted();
  const session = new WebGpuSession(await runtimeOf(work), spec, data, options, work.gpu ?? {});
  await session.open(work);
  return session;
}

export class WebGpuSession implements TrainingSession {
  readonly backend = "webgpu";
  readonly stepsPerEpoch: number;
  private readonly order: BatchOrder;
  /** f_0 of the data sets asked about. */
  private readonly centres = new WeakMap<object, Float64Array>();
  private current: Engine | undefined;
  private step = 0;

  constructor(
    private readonly runtime: Runtime,
    readonly spec: NetworkSpec,
    private readonly data: Dataset,
    private readonly options: ResolvedTraining,
    private readonly gpu: EngineOptions,
  ) {
    this.stepsPerEpoch = stepsOfEpoch(data.n, options.batch);
    this.order = new BatchOrder(runtime, data.n, options.batch, options.seed);
  }

  /** The device in use. */
  get device(): GPUDevice {
    return this.engine.gpu.device;
  }

  private get engine(): Engine {
    if (this.current === undefined) throw new Error("networks: the session was disposed of");
    return this.current;
  }

  /** Gets a device and brings the initial weights to it, or those given. */
  async open(work: WorkOptions, weights?: NetworkWeights): Promise<void> {
    const { data, runtime } = this;
    const engine = await Engine.open(this.spec, data, this.options, this.gpu);
    try {
      if (weights === undefined) await engine.weights.fillInitial(runtime, work);
      else await engine.write(weights);
      // f_0 outlives the device, so only the first one computes it, from the initial weights just drawn.
      if (this.options.centred && !this.centres.has(data))
        this.centres.set(data, await engine.outputs(data, runtime, work, false));
      await engine.setCentre(this.centres.get(data) ?? new Float64Array(data.n));
    } catch (error) {
      engine.close();
      throw error;
    }
    this.current = engine;
  }

  async steps(count: number, work: WorkOptions = {}): Promise<StepReport[]> {
    if (count === 0) return [];
    const start = this.step;
    const order = (k: number) => this.order.rows(start + k);
    const { taken, figures } = await this.engine.steps(count, order, work, (done) => {
      this.step = start + done;
    });
    this.step = start + taken;
    if (taken < count) throw new DivergenceError(this.step + 1);
    return Array.from({ length: count }, (_, k) => ({
      step: start + k + 1,
      loss: figures[2 * k] ?? 0,
      regulariser: figures[2 * k + 1] ?? 0,
    }));
  }

  async outputs(data: RowSource, work: WorkOptions = {}): Promise<Float64Array> {
    if (data.d !== this.data.d) throw new RangeError(`data: expected ${this.data.d} columns, got ${data.d}`);
    const own = await this.engine.outputs(data, this.runtime, work, false);
    if (!this.options.centred) return own;
    const centre = await this.centre(data, work);
    return own.map((value, i) => value - (centre[i] ?? 0));
  }

  /** f_0 of `data`, kept from before or computed from weights drawn again. */
  private async centre(data: RowSource, work: WorkOptions): Promise<Float64Array> {
    const known = this.centres.get(data);
    if (known !== undefined) return known;
    const centre = await this.engine.outputs(data, this.runtime, work, true);
    this.centres.set(data, centre);
    return centre;
  }

  async weights({ carry = false }: { readonly carry?: boolean | undefined } = {}): Promise<NetworkWeights> {
    const { engine } = this;
    const weights = await engine.weights.read();
    if (!carry || engine.carry === undefined) return weights;
    return { ...weights, carry: await engine.carry.read() };
  }

  /** Also after the device was lost: the session then goes on with another one. */
  async restore(weights: NetworkWeights, step: number): Promise<void> {
    checkWeights(this.spec, this.data.d, weights);
    const { engine } = this;
    if (engine.gpu.lost) {
      await this.open({}, weights);
      engine.close();
    } else await engine.write(weights);
    this.step = step;
  }

  dispose(): void {
    this.current?.close();
    this.current = undefined;
  }
}
