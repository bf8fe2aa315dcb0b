// The backends tfjs-webgpu, tfjs-wasm and tfjs-cpu: the same step through TensorFlow.js, as a fallback and as a check of
// our own kernels. The only file that knows TensorFlow.js; it is loaded when a session asks for it. Gradients are
// written out rather than left to tf.grads, so that every kink has the subderivative that the other backends take.
// A session makes its backend TensorFlow.js's current one. Weights are plain float32 sums, whatever `compensated` says:
// steps below their last place are lost. Not here: our own kernels (wasm.ts, webgpu/).
import type * as TensorFlow from "@tensorflow/tfjs";
import type { Dataset } from "../data/dataset.js";
import { DivergenceError } from "../errors.js";
import type { RowSource } from "../kernels/rows.js";
import { BackendUnavailableError, GpuUnavailableError } from "../runtime/device-errors.js";
import { findGpu, installGpuGlobals } from "../runtime/gpu.js";
import { type Runtime, runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import { initialWeights } from "./initial.js";
import { checkWeights } from "./layers.js";
import { fanIns, layerScales, type NetworkSpec, type NetworkWeights } from "./network.js";
import { BatchOrder, stepsOfEpoch } from "./order.js";
import type { ResolvedTraining, StepReport, TrainingSession } from "./training.js";

type Tf = typeof TensorFlow;
type Matrix = TensorFlow.Tensor2D;

export type TfjsBackend = "tfjs-webgpu" | "tfjs-wasm" | "tfjs-cpu";

/** Steps between looks at their figures. */
const STEPS_AT_ONCE = 16;

/** Rows evaluated together. */
const EVALUATION_ROWS = 256;

async function load<T>(name: string, packageOf: () => Promise<T>): Promise<T> {
  try {
    return await packageOf();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw new BackendUnavailableError(`this backend needs the package ${name}: npm install ${name}@4 (${why})`, {
      cause,
    });
  }
}

/** TensorFlow.js with the backend ready. @throws BackendUnavailableError, GpuUnavailableError */
async function loadTf(backend: TfjsBackend): Promise<{ tf: Tf; name: string }> {
  const name = backend.slice("tfjs-".length);
  if (backend === "tfjs-webgpu") {
    // Its package looks for navigator.gpu while it is loaded.
    await installGpuGlobals();
    await findGpu();
  }
  const tf = await load("@tensorflow/tfjs", () => import("@tensorflow/tfjs"));
  if (backend === "tfjs-webgpu")
    await load("@tensorflow/tfjs-backend-webgpu", () => import("@tensorflow/tfjs-backend-webgpu"));
  if (backend === "tfjs-wasm")
    await load("@tensorflow/tfjs-backend-wasm", () => import("@tensorflow/tfjs-backend-wasm"));
  if (!(await tf.setBackend(name))) {
    const what = `TensorFlow.js could not start its ${name} backend`;
    if (backend === "tfjs-webgpu") throw new GpuUnavailableError(`${what}: choose "webgpu" or "wasm"`);
    throw new BackendUnavailableError(
      `${what}: in a page, point setWasmPaths() of ${"@tensorflow/tfjs-backend-wasm"} at its files`,
    );
  }
  // In Node the first tensor on the CPU prints an advertisement, but not in production mode.
  const production = tf.env().getBool("PROD");
  tf.env().set("PROD", true);
  tf.scalar(0).dispose();
  tf.env().set("PROD", production);
  return { tf, name };
}

/** Opens a session on TensorFlow.js. @throws BackendUnavailableError, GpuUnavailableError, the signal's reason */
export async function openTfjsSession(
  backend: TfjsBackend,
  spec: NetworkSpec,
  data: Dataset,
  options: ResolvedTraining,
  work: WorkOptions,
): Promise<TrainingSession> {
  work.signal?.throwIfAborted();
  const runtime = await runtimeOf(work);
  const { tf, name } = await loadTf(backend);
  const session = new TfjsSession(tf, name, backend, runtime, spec, data, options);
  try {
    await session.open(work);
    return session;
  } catch (error) {
    session.dispose();
    throw error;
  }
}

/** Weights as tensors, the output layer a column. */
type Weights = { hidden: Matrix[]; output: Matrix };

/** The weights after a step, and its figures: loss, regulariser, and a sum that is finite if all outputs are. */
type Stepped = { next: Weights; figures: TensorFlow.Tensor1D };

function disposeWeights({ hidden, output }: Weights): void {
  for (const tensor of [...hidden, output]) tensor.dispose();
}

/** l and l' of assembly/math/loss.ts for columns z and y. */
function lossOf(tf: Tf, { loss, epsilon }: ResolvedTraining, z: Matrix, y: Matrix): { value: Matrix; slope: Matrix } {
  const minusY = tf.neg(y);
  if (loss === "squared") {
    const gap = tf.sub<Matrix>(z, y);
    return { value: tf.square(gap), slope: tf.mul(gap, 2) };
  }
  if (loss === "epsilon-insensitive") {
    const gap = tf.sub<Matrix>(z, y);
    const room = tf.relu(tf.sub<Matrix>(tf.abs(gap), epsilon));
    return { value: room, slope: tf.mul(tf.sign(gap), tf.step(room)) };
  }
  const margin = tf.mul<Matrix>(y, z);
  if (loss === "logistic") {
    const small = tf.exp(tf.neg(tf.abs(margin)));
    const value = tf.add<Matrix>(tf.relu(tf.neg(margin)), tf.log1p(small));
    const one = tf.onesLike(small);
    const share = tf.div<Matrix>(tf.where(tf.greater(margin, 0), small, one), tf.add(one, small));
    return { value, slope: tf.mul(minusY, share) };
  }
  const room = tf.relu(tf.sub<Matrix>(1, margin));
  if (loss === "hinge") return { value: room, slope: tf.mul(minusY, tf.step(room)) };
  return { value: tf.square(room), slope: tf.mul(tf.mul(minusY, 2), room) };
}

class TfjsSession implements TrainingSession {
  readonly stepsPerEpoch: number;
  private readonly order: BatchOrder;
  private readonly scales: readonly number[];
  private readonly x: Matrix;
  private readonly y: Matrix;
  private centre: Matrix;
  private present: Weights | undefined;
  /** f_0 of the data sets asked about. */
  private readonly centres = new WeakMap<object, Float64Array>();
  private step = 0;

  constructor(
    private readonly tf: Tf,
    private readonly name: string,
    readonly backend: TfjsBackend,
    private readonly runtime: Runtime,
    readonly spec: NetworkSpec,
    private readonly data: Dataset,
    private readonly options: ResolvedTraining,
  ) {
    const { n, y } = data;
    this.stepsPerEpoch = stepsOfEpoch(n, options.batch);
    this.order = new BatchOrder(runtime, n, options.batch, options.seed);
    this.scales = layerScales(spec, data.d);
    this.x = this.rowsOf(data, 0, n);
    this.y = tf.tensor2d(Float32Array.from(y), [n, 1]);
    this.centre = tf.zeros([n, 1]);
  }

  /** Rows first to end of `data`. */
  private rowsOf({ d, x, scale }: RowSource, first: number, end: number): Matrix {
    const values = Float32Array.from(x.subarray(first * d, end * d), (value) => value * scale);
    return this.tf.tensor2d(values, [end - first, d]);
  }

  async open(work: WorkOptions): Promise<void> {
    this.present = this.upload(await this.initial());
    if (!this.options.centred) return;
    const centre = await this.evaluate(this.data, this.present, work);
    this.centres.set(this.data, centre);
    this.centre.dispose();
    this.centre = this.tf.tensor2d(Float32Array.from(centre), [this.data.n, 1]);
  }

  private initial(): Promise<NetworkWeights> {
    return initialWeights(this.spec, this.data.d, { runtime: this.runtime });
  }

  private upload({ hidden, output }: NetworkWeights): Weights {
    const { tf, spec } = this;
    const fans = fanIns(spec, this.data.d);
    return {
      hidden: spec.widths.map((width, l) => tf.tensor2d(Float32Array.from(hidden[l] ?? []), [fans[l] ?? 0, width])),
      output: tf.tensor2d(Float32Array.from(output), [output.length, 1]),
    };
  }

  private get current(): Weights {
    if (this.present === undefined) throw new Error("networks: the session was disposed of");
    return this.present;
  }

  private replace(next: Weights): void {
    disposeWeights(this.current);
    this.present = next;
  }

  /** Another session may have chosen another backend meanwhile. */
  private async choose(): Promise<void> {
    if (this.tf.getBackend() !== this.name) await this.tf.setBackend(this.name);
  }

  /** a_0 (the rows) to a_L, then f. */
  private forward(rows: Matrix, { hidden, output }: Weights): { layers: Matrix[]; f: Matrix } {
    const { tf, scales } = this;
    const layers = [rows];
    for (const [l, weight] of hidden.entries()) {
      const sum = tf.matMul(layers[l] ?? rows, weight);
      layers.push(tf.relu(tf.mul<Matrix>(sum, scales[l] ?? 1)));
    }
    const sum = tf.matMul(layers.at(-1) ?? rows, output);
    return { layers, f: tf.mul(sum, scales.at(-1) ?? 1) };
  }

  private oneStep(rows: Int32Array): Stepped {
    const { tf, options, current, scales } = this;
    return tf.tidy(() => {
      const index = tf.tensor1d(rows, "int32");
      const { layers, f } = this.forward(tf.gather(this.x, index), current);
      const z = tf.sub<Matrix>(f, tf.gather(this.centre, index));
      const { value, slope } = lossOf(tf, options, z, tf.gather(this.y, index));
      const scale = scales.at(-1) ?? 1;
      const square = tf.mul(tf.sum(tf.square(current.output)), 0.5 * scale * scale);
      const figures = tf.stack([tf.mean(value), square, tf.sum(tf.abs(z))]) as TensorFlow.Tensor1D;
      return { next: this.descend(layers, tf.div(slope, rows.length), scale), figures };
    });
  }

  private descend(layers: readonly Matrix[], slope: Matrix, scale: number): Weights {
    const { tf, options, current, scales } = this;
    const { learningRate: rate, lambda } = options;
    const last = layers.at(-1) ?? slope;
    const pull = tf.mul<Matrix>(current.output, rate * lambda * scale * scale);
    const push = tf.mul<Matrix>(tf.matMul(last, slope, true, false), rate * scale);
    const output = tf.sub<Matrix>(current.output, tf.add(pull, push));
    const hidden: Matrix[] = [];
    let error = tf.mul<Matrix>(tf.matMul(slope, current.output, false, true), scale);
    for (let l = current.hidden.length - 1; l >= 0; l--) {
      const weight = current.hidden[l] ?? slope;
      error = tf.mul(error, tf.step(layers[l + 1] ?? error));
      const change = tf.matMul(layers[l] ?? error, error, true, false);
      hidden.unshift(tf.sub(weight, tf.mul(change, rate * (scales[l] ?? 1))));
      if (l > 0) error = tf.mul(tf.matMul(error, weight, false, true), scales[l] ?? 1);
    }
    return { hidden, output };
  }

  async steps(count: number, work: WorkOptions = {}): Promise<StepReport[]> {
    const reports: StepReport[] = [];
    while (reports.length < count) {
      work.signal?.throwIfAborted();
      const now = Math.min(STEPS_AT_ONCE, count - reports.length);
      reports.push(...(await this.someSteps(now)));
      work.onProgress?.({ stage: "training", done: reports.length, total: count });
    }
    return reports;
  }

  /** A few steps; when one of them is not finite, those before it are taken again from the weights at the start. */
  private async someSteps(count: number): Promise<StepReport[]> {
    const start = this.current;
    const kept = { hidden: start.hidden.map((tensor) => tensor.clone()), output: start.output.clone() };
    try {
      const figures = await this.takeSteps(count);
      const broken = figures.findIndex((value) => !Number.isFinite(value));
      if (broken >= 0) {
        const finite = Math.floor(broken / 3);
        this.replace({ hidden: kept.hidden.map((tensor) => tensor.clone()), output: kept.output.clone() });
        await this.takeSteps(finite);
        this.step += finite;
        throw new DivergenceError(this.step + 1);
      }
      const from = this.step;
      this.step += count;
      return Array.from({ length: count }, (_, k) => ({
        step: from + k + 1,
        loss: figures[3 * k] ?? 0,
        regulariser: figures[3 * k + 1] ?? 0,
      }));
    } finally {
      disposeWeights(kept);
    }
  }

  /** Steps without a look at them; their figures, three each. */
  private async takeSteps(count: number): Promise<Float32Array> {
    if (count === 0) return new Float32Array(0);
    await this.choose();
    const { tf } = this;
    const figures: TensorFlow.Tensor1D[] = [];
    for (let k = 0; k < count; k++) {
      const { next, figures: own } = this.oneStep(this.order.rows(this.step + k));
      this.replace(next);
      figures.push(own);
    }
    const all = tf.concat(figures);
    for (const tensor of figures) tensor.dispose();
    try {
      return (await all.data()) as Float32Array;
    } finally {
      all.dispose();
    }
  }

  async outputs(data: RowSource, work: WorkOptions = {}): Promise<Float64Array> {
    if (data.d !== this.data.d) throw new RangeError(`data: expected ${this.data.d} columns, got ${data.d}`);
    const own = await this.evaluate(data, this.current, work);
    if (!this.options.centred) return own;
    const centre = await this.centreOf(data, work);
    return own.map((value, i) => value - (centre[i] ?? 0));
  }

  private async centreOf(data: RowSource, work: WorkOptions): Promise<Float64Array> {
    const known = this.centres.get(data);
    if (known !== undefined) return known;
    const plain = await this.initial();
    await this.choose();
    const weights = this.upload(plain);
    try {
      const centre = await this.evaluate(data, weights, work);
      this.centres.set(data, centre);
      return centre;
    } finally {
      disposeWeights(weights);
    }
  }

  private async evaluate(data: RowSource, weights: Weights, { signal }: WorkOptions): Promise<Float64Array> {
    const outputs = new Float64Array(data.n);
    for (let first = 0; first < data.n; first += EVALUATION_ROWS) {
      signal?.throwIfAborted();
      await this.choose();
      const end = Math.min(data.n, first + EVALUATION_ROWS);
      const f = this.tf.tidy(() => this.forward(this.rowsOf(data, first, end), weights).f);
      try {
        outputs.set(await f.data(), first);
      } finally {
        f.dispose();
      }
    }
    return outputs;
  }

  async weights(): Promise<NetworkWeights> {
    const { hidden, output } = this.current;
    const copy = async (tensor: Matrix) => Float32Array.from(await tensor.data());
    return { hidden: await Promise.all(hidden.map(copy)), output: await copy(output) };
  }

  async restore(weights: NetworkWeights, step: number): Promise<void> {
    checkWeights(this.spec, this.data.d, weights);
    await this.choose();
    this.replace(this.upload(weights));
    this.step = step;
  }

  dispose(): void {
    if (this.present !== undefined) disposeWeights(this.present);
    this.present = undefined;
    for (const tensor of [this.x, this.y, this.centre]) if (!tensor.isDisposed) tensor.dispose();
  }
}
