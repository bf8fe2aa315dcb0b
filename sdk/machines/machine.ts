// A trained kernel machine g(x) = sum_i alpha_i K(x, x_i) + b: what every row of Table 1 becomes once it is trained.
// Not here: training (one file a machine), files (model-file.ts), certificates (certify/).
import type { Dataset } from "../data/dataset.js";
import { describeKernel, type Kernel, type KnownKernels } from "../kernels/kernel.js";
import { checkRows, checkSameColumns, type RowSource, uploadRows } from "../kernels/rows.js";
import { kernelBetween } from "../kernels/upload.js";
import { sha256Hex } from "../runtime/hash.js";
import { runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import { loadMachineParts, saveMachine } from "./model-file.js";

export { checkRows };

/** Which loss the machine was trained with; the same words name the CLI's --machine. */
export type MachineName = "krr" | "svm" | "svm-sgd" | "svm2" | "hard-margin" | "svr" | "logistic";

/** What training reports of itself: numbers for tables and model files. */
export type TrainingReport = Readonly<Record<string, number>>;

export interface MachineParts {
  readonly machine: MachineName;
  readonly parameters: Readonly<Record<string, number | boolean>>;
  readonly kernel: Kernel;
  /** The rows with a coefficient, n x d. */
  readonly rows: RowSource;
  /** Coefficients alpha_i (signed: labels are inside), one a row. */
  readonly alpha: Float64Array;
  readonly bias: number;
  readonly training: TrainingReport;
  /** SHA-256 of the data set it was trained on. */
  readonly dataHash: string;
  readonly dataName: string;
  /** "regression" where it was trained on real targets; absent for labels. */
  readonly task?: "regression" | undefined;
}

/** Something that fits machines: what krr(), svm(), logistic() and the others return. */
export interface Trainer<Result = Machine> {
  /** @throws RangeError for labels other than -1/+1, ConvergenceError, MemoryBudgetError, the signal's reason */
  fit(data: Dataset, options?: WorkOptions): Promise<Result>;
  /**
   * Machines for several sets of targets on the same rows (sets that share x), in their order: where there is more to
   * share than a Gram matrix.
   */
  fitTogether?(sets: readonly Dataset[], options?: WorkOptions): Promise<Machine[]>;
}

export class Machine implements MachineParts {
  readonly machine: MachineName;
  readonly parameters: Readonly<Record<string, number | boolean>>;
  readonly kernel: Kernel;
  readonly rows: RowSource;
  readonly alpha: Float64Array;
  readonly bias: number;
  readonly training: TrainingReport;
  readonly dataHash: string;
  readonly dataName: string;
  readonly task?: "regression" | undefined;

  constructor(parts: MachineParts) {
    this.machine = parts.machine;
    this.parameters = parts.parameters;
    this.kernel = parts.kernel;
    this.rows = parts.rows;
    this.alpha = parts.alpha;
    this.bias = parts.bias;
    this.training = parts.training;
    this.dataHash = parts.dataHash;
    this.dataName = parts.dataName;
    if (parts.task !== undefined) this.task = parts.task;
  }

  /** "svm (c = 15.625), NTK, 1 hidden layer, 149 rows". */
  describe(): string {
    const parameters = Object.entries(this.parameters).map(([name, value]) => `${name} = ${value}`);
    return `${this.machine} (${parameters.join(", ")}), ${describeKernel(this.kernel)}, ${this.rows.n} rows`;
  }

  /**
   * g(x) for each row of `data` (any Dataset, or rows in the training set's units).
   * @throws TypeError, RangeError when the columns or units differ from the training rows'
   */
  async decisionFunction(data: RowSource, options: WorkOptions = {}): Promise<Float64Array> {
    checkRows("data", data);
    checkSameColumns("data", this.rows, data);
    const runtime = await runtimeOf(options);
    const scope = runtime.scope();
    try {
      const inputs = await uploadRows(runtime, scope, data);
      const rows = await uploadRows(runtime, scope, this.rows);
      const kernel = await kernelBetween(scope, this.kernel, data, this.rows, options);
      const alpha = scope.f64(this.alpha.length, this.alpha);
      const out = scope.allocate(data.n * 8);
      const chunks = Math.ceil(data.n / 64);
      await runtime.run("kernelApply", chunks, [kernel, inputs.pointer, rows.pointer, alpha, out], options, "deciding");
      return runtime.memory.f64(out, data.n).map((value) => value + this.bias);
    } finally {
      scope.release();
    }
  }

  /** Bytes of a model file: safetensors, which Python's package of that name opens too. */
  save(): Uint8Array {
    return saveMachine(this);
  }

  /** The machine in a model file. @throws TypeError, FormatError with the byte offset */
  static load(bytes: Uint8Array, options: KnownKernels = {}): Machine {
    return new Machine(loadMachineParts(bytes, options));
  }

  /** SHA-256 (hex) of the model file. */
  async hash(): Promise<string> {
    return sha256Hex(this.save());
  }

  /** The sign of g(x): -1 or +1, and 0 where g(x) is 0 exactly (a zero image, say): the machine abstains. */
  async predict(data: RowSource, options: WorkOptions = {}): Promise<Int8Array> {
    return Int8Array.from(await this.decisionFunction(data, options), Math.sign);
  }
}
