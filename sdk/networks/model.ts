// A trained finite network: its weights, what it was trained with, and its file. Initial weights are drawn again from
// the seed when f_0 is wanted and are never stored. Not here: training steps (train.ts) and certificates (certify/).
import { type Dataset, dataset } from "../data/dataset.js";
import { readSafetensors, writeSafetensors } from "../data/safetensors.js";
import { DivergenceError, FormatError } from "../errors.js";
import type { KnownKernels } from "../kernels/kernel.js";
import type { RowSource } from "../kernels/rows.js";
import { checkRows, Machine } from "../machines/machine.js";
import { sha256Hex } from "../runtime/hash.js";
import type { WorkOptions } from "../runtime/runtime.js";
import { type ByteSource, bytesOf, type ReadOptions } from "../runtime/sources.js";
import { checkNumber, describe } from "../validate.js";
import { VERSION } from "../version.js";
import { checkWeights } from "./layers.js";
import { type NetworkSpec, type NetworkWeights, network } from "./network.js";
import { type OpenOptions, openTraining } from "./train.js";
import { type Loss, resolveTraining } from "./training.js";
import { openWasmSession } from "./wasm.js";

/** Training after some number of epochs. */
export interface NetworkHistoryPoint {
  readonly epoch: number;
  /** Mean loss of the epoch's batches, each before its own step. */
  readonly loss: number;
  readonly accuracy: number;
}

export interface NetworkParts {
  readonly spec: NetworkSpec;
  readonly inputs: number;
  readonly weights: NetworkWeights;
  /** Whether the output is f - f_0. */
  readonly centred: boolean;
  /** Units of the rows it was trained on: 8-bit or float64, value = entry * scale. */
  readonly eightBit: boolean;
  readonly scale: number;
  readonly loss: Loss;
  readonly parameters: Readonly<Record<string, number | boolean>>;
  readonly history: readonly NetworkHistoryPoint[];
  readonly dataHash: string;
  readonly dataName: string;
}

const MAGIC = "ntkit network";
const FORMAT_VERSION = 1;

export class NetworkModel {
  readonly spec: NetworkSpec;
  readonly inputs: number;
  readonly weights: NetworkWeights;
  readonly centred: boolean;
  readonly eightBit: boolean;
  readonly scale: number;
  readonly loss: Loss;
  readonly parameters: Readonly<Record<string, number | boolean>>;
  readonly history: readonly NetworkHistoryPoint[];
  readonly dataHash: string;
  readonly dataName: string;

  constructor(parts: NetworkParts) {
    this.spec = parts.spec;
    this.inputs = parts.inputs;
    this.weights = parts.weights;
    this.centred = parts.centred;
    this.eightBit = parts.eightBit;
    this.scale = parts.scale;
    this.loss = parts.loss;
    this.parameters = parts.parameters;
    this.history = parts.history;
    this.dataHash = parts.dataHash;
    this.dataName = parts.dataName;
    checkWeights(this.spec, this.inputs, this.weights);
  }

  /** "network 10000 (hinge, epochs = 300), 7850000 weights". */
  describe(): string {
    const parameters = Object.entries(this.parameters).map(([name, value]) => `${name} = ${value}`);
    const count = this.weights.hidden.reduce((sum, layer) => sum + layer.length, this.weights.output.length);
    return `network ${this.spec.widths.join(", ")} (${[this.loss, ...parameters].join(", ")}), ${count} weights`;
  }

  /** f(x), or f(x) - f_0(x) when centred, for each row. @throws TypeError, RangeError for other columns or units */
  async outputs(data: RowSource, options: WorkOptions = {}): Promise<Float64Array> {
    this.checkInputs("data", data);
    const labels = new Float64Array(data.n).fill(1);
    const own: Dataset = dataset({ x: data.x, y: labels, shape: [data.n, data.d], scale: data.scale });
    const training = resolveTraining({ centred: this.centred }, data.n);
    const session = await openWasmSession(this.spec, own, training, options);
    try {
      // f_0 is taken at the initial weights, before the trained ones come in.
      await session.outputs(own, options);
      await session.restore(this.weights, 1);
      return await session.outputs(own, options);
    } finally {
      session.dispose();
    }
  }

  /** The sign of the output: -1 or +1, and 0 where it is 0 exactly. */
  async predict(data: RowSource, options: WorkOptions = {}): Promise<Int8Array> {
    return Int8Array.from(await this.outputs(data, options), Math.sign);
  }

  /** @throws TypeError, RangeError unless `data` has the columns and units of the training rows */
  checkInputs(name: string, data: RowSource): void {
    checkRows(name, data);
    if (data.d !== this.inputs) throw new RangeError(`${name}: expected ${this.inputs} columns, got ${data.d}`);
    const eightBit = data.x instanceof Uint8Array;
    if (eightBit !== this.eightBit || data.scale !== this.scale)
      throw new TypeError(
        `${name}: expected ${this.eightBit ? "8-bit" : "float64"} rows of scale ${this.scale}, ` +
          `got ${eightBit ? "8-bit" : "float64"} ones of scale ${data.scale}`,
      );
  }

  /** Bytes of a model file: safetensors. */
  save(): Uint8Array {
    const { spec, weights } = this;
    const fans = [this.inputs, ...spec.widths];
    const hidden = weights.hidden.map((data, l) => [
      `hidden.${l}`,
      { shape: [fans[l] ?? 0, spec.widths[l] ?? 0], data },
    ]);
    const output = { shape: [weights.output.length], data: weights.output };
    const { weights: _, ...rest } = this;
    return writeSafetensors(
      { ...Object.fromEntries(hidden), output },
      { format: MAGIC, format_version: String(FORMAT_VERSION), ntkit_version: VERSION, model: JSON.stringify(rest) },
    );
  }

  /** The network in a model file. @throws TypeError, FormatError */
  static load(bytes: Uint8Array): NetworkModel {
    const { tensors, metadata } = readSafetensors(bytes);
    const fault = (what: string) => new FormatError("network file", 8, what);
    if (metadata.format !== MAGIC) throw fault(`expected format "${MAGIC}", got ${describe(metadata.format)}`);
    if (Number(metadata.format_version) !== FORMAT_VERSION)
      throw fault(`expected format version ${FORMAT_VERSION}, got ${describe(metadata.format_version)}`);
    const floats = (name: string) => {
      const data = tensors.get(name)?.data;
      if (!(data instanceof Float32Array)) throw fault(`no float32 tensor "${name}"`);
      if (!data.every(Number.isFinite)) throw fault(`${name}: expected finite numbers`);
      return data;
    };
    try {
      const parts = JSON.parse(metadata.model ?? "") as NetworkParts;
      const spec = network(parts.spec);
      const hidden = spec.widths.map((_, l) => floats(`hidden.${l}`));
      checkNumber("scale", parts.scale, { min: 0, open: true });
      checkNumber("inputs", parts.inputs, { min: 1, integer: true });
      if (typeof parts.centred !== "boolean" || typeof parts.eightBit !== "boolean") throw fault("expected booleans");
      resolveTraining({ loss: parts.loss }, 1);
      return new NetworkModel({ ...parts, spec, weights: { hidden, output: floats("output") } });
    } catch (error) {
      throw error instanceof FormatError ? error : fault((error as Error).message);
    }
  }

  #hash: Promise<string> | undefined;

  /** SHA-256 (hex) of the model file; computed once. */
  hash(): Promise<string> {
    this.#hash ??= sha256Hex(this.save());
    return this.#hash;
  }
}

/** Whatever model a file holds. @throws TypeError, FormatError, MissingKernelError */
export function loadModel(bytes: Uint8Array, known: KnownKernels = {}): Machine | NetworkModel {
  return readSafetensors(bytes).metadata.format === MAGIC ? NetworkModel.load(bytes) : Machine.load(bytes, known);
}

/** Whatever model a file, a response or a stream holds. @throws as bytesOf() and loadModel() */
export async function readModel(
  source: ByteSource,
  options: ReadOptions & KnownKernels = {},
): Promise<Machine | NetworkModel> {
  return loadModel(await bytesOf(source, options), options);
}

export interface TrainNetworkOptions extends OpenOptions {
  /** Passes over the data, >= 1. Default 300. */
  readonly epochs?: number | undefined;
}

/** Training that left the finite numbers, with the last finite weights. */
export class NetworkDivergenceError extends DivergenceError {
  constructor(
    step: number,
    readonly snapshot: NetworkModel,
  ) {
    super(step);
  }
}

/**
 * Trains a network and returns it. @throws NetworkDivergenceError with the last finite network, and as openTraining()
 */
export async function trainNetwork(
  spec: NetworkSpec,
  data: Dataset,
  options: TrainNetworkOptions = {},
): Promise<NetworkModel> {
  const epochs = checkNumber("epochs", options.epochs ?? 300, { min: 1, max: 1e7, integer: true });
  const session = await openTraining(spec, data, options);
  const history: NetworkHistoryPoint[] = [];
  // A step from finite outputs may still end in infinite weights, so finite ones are kept from time to time.
  let kept = await session.weights();
  try {
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const reports = await session.steps(session.stepsPerEpoch, { signal: options.signal, runtime: options.runtime });
      options.onProgress?.({ stage: "training", done: epoch, total: epochs });
      if (epoch !== epochs && !isRecorded(epoch)) continue;
      const outputs = await session.outputs(data, { runtime: options.runtime });
      const correct = outputs.reduce((count, value, i) => count + (value * (data.y[i] ?? 0) > 0 ? 1 : 0), 0);
      const loss = reports.reduce((sum, report) => sum + report.loss, 0) / reports.length;
      history.push({ epoch, loss, accuracy: correct / data.n });
      const present = await session.weights();
      if (isFiniteNetwork(present)) kept = present;
    }
    if (isFiniteNetwork(await session.weights())) return await modelOf(spec, data, options, epochs, kept, history);
    throw new DivergenceError(epochs * session.stepsPerEpoch + 1);
  } catch (error) {
    if (!(error instanceof DivergenceError)) throw error;
    const present = await session.weights();
    const last = isFiniteNetwork(present) ? present : kept;
    throw new NetworkDivergenceError(error.step, await modelOf(spec, data, options, epochs, last, history));
  } finally {
    session.dispose();
  }
}

function isFiniteNetwork({ hidden, output }: NetworkWeights): boolean {
  return [...hidden, output].every((layer) => layer.every(Number.isFinite));
}

/** Log-spaced epochs: 1, 2, 4, 8, ... */
const isRecorded = (epoch: number) => Number.isInteger(Math.log2(epoch));

async function modelOf(
  spec: NetworkSpec,
  data: Dataset,
  options: TrainNetworkOptions,
  epochs: number,
  weights: NetworkWeights,
  history: readonly NetworkHistoryPoint[],
): Promise<NetworkModel> {
  const { loss, learningRate, lambda, batchRows, centred, seed } = resolveTraining(options, data.n);
  return new NetworkModel({
    spec,
    inputs: data.d,
    weights,
    centred,
    eightBit: data.x instanceof Uint8Array,
    scale: data.scale,
    loss,
    parameters: { learningRate, lambda, batch: batchRows, epochs, seed },
    history,
    dataHash: await data.hash(),
    dataName: data.name,
  });
}
