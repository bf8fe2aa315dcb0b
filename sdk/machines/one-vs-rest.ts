// Machines for several classes: one machine for each class against the rest, deciding for the class with the largest
// output. All share one set of rows, so that a difference g_c - g_j of two classes is a kernel machine again, with
// coefficients alpha^c - alpha^j: that is what joint certificates are about (certify/classes.ts).
// Not here: what each machine is trained with (one file a machine), pairs of classes (one-vs-one.ts), files (class-file.ts).
import { MAX_VECTORS } from "../../assembly/layout.js";
import type { ClassSet } from "../data/classes.js";
import { describeKernel, type KnownKernels } from "../kernels/kernel.js";
import { checkSameColumns, type RowSource, uploadRows } from "../kernels/rows.js";
import { kernelBetween } from "../kernels/upload.js";
import { runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import { describe } from "../validate.js";
import { loadClassParts, saveClassMachine } from "./class-file.js";
import { type ClassDecisions, JoinedMachine } from "./joined-machine.js";
import { joinRows } from "./joined-rows.js";
import { checkRows, type Machine, type Trainer } from "./machine.js";

export class ClassMachine extends JoinedMachine {
  /** "svm, 10 classes, NTK, 1 hidden layer, 2,149 rows". */
  describe(): string {
    return `${this.machine}, ${this.classes.length} classes, ${describeKernel(this.kernel)}, ${this.rows.n} rows`;
  }

  /** g_c(x) for each row of `data` and each class: n x classes, row-major. @throws as Machine.decisionFunction() */
  async decisionFunctions(data: RowSource, options: WorkOptions = {}): Promise<Float64Array> {
    checkRows("data", data);
    checkSameColumns("data", this.rows, data);
    const runtime = await runtimeOf(options);
    const scope = runtime.scope();
    const many = this.classes.length;
    const all = new Float64Array(data.n * many);
    try {
      const inputs = await uploadRows(runtime, scope, data);
      const rows = await uploadRows(runtime, scope, this.rows);
      const kernel = await kernelBetween(scope, this.kernel, data, this.rows, options);
      const chunks = Math.ceil(data.n / 64);
      // Classes side by side, so that each kernel value is computed once for as many as one pass takes.
      for (let from = 0; from < many; from += MAX_VECTORS) {
        const group = this.alphas.slice(from, from + MAX_VECTORS);
        const vectors = 2 * Math.ceil(group.length / 2);
        const [own, out] = [scope.f64(this.rows.n * vectors), scope.allocate(data.n * vectors * 8)];
        const columns = runtime.memory.f64(own, this.rows.n * vectors);
        group.forEach((alpha, v) => {
          for (let i = 0; i < alpha.length; i++) columns[i * vectors + v] = alpha[i] ?? 0;
        });
        const args = [kernel, inputs.pointer, rows.pointer, vectors, own, out];
        await runtime.run("kernelApplyColumns", chunks, args, options, "deciding");
        const outputs = runtime.memory.f64(out, data.n * vectors);
        for (let i = 0; i < data.n; i++)
          group.forEach((_, v) => {
            all[i * many + from + v] = (outputs[i * vectors + v] ?? 0) + (this.biases[from + v] ?? 0);
          });
        scope.drop(own);
        scope.drop(out);
      }
      return all;
    } finally {
      scope.release();
    }
  }

  /** The class with the largest output, the first of those that share it. */
  async predict(data: RowSource, options: WorkOptions = {}): Promise<Int32Array> {
    return largestOf(await this.decisionFunctions(data, options), this.classes.length);
  }

  /** Decisions and joint margins g_c - g_j. @throws as decisionFunctions() */
  async decide(data: RowSource, options: WorkOptions = {}): Promise<ClassDecisions> {
    const outputs = await this.decisionFunctions(data, options);
    const many = this.classes.length;
    const predictions = largestOf(outputs, many);
    const margins = outputs.map((value, k) => {
      const row = Math.floor(k / many);
      return (outputs[row * many + (predictions[row] ?? 0)] ?? 0) - value;
    });
    return { predictions, margins };
  }

  /** g_c - g_j as one machine, positive where class c has the larger output; exact in its coefficients. */
  difference(c: number, j: number): Machine {
    const [own, other] = this.checkPair(c, j);
    const alpha = (this.alphas[own] as Float64Array).map((value, i) => value - (this.alphas[other]?.[i] ?? 0));
    return this.single(alpha, (this.biases[own] ?? 0) - (this.biases[other] ?? 0), {});
  }

  /** Bytes of a model file: safetensors. */
  save(): Uint8Array {
    return saveClassMachine(this);
  }

  /** The machine in a model file. @throws TypeError, FormatError with the byte offset */
  static load(bytes: Uint8Array, options: KnownKernels = {}): ClassMachine {
    return new ClassMachine(loadClassParts(bytes, options));
  }
}

/** Columns of the largest entry of each row of a row-major matrix, the first of equal ones. */
export function largestOf(values: Float64Array, columns: number): Int32Array {
  return Int32Array.from({ length: values.length / columns }, (_, i) => {
    let best = 0;
    for (let c = 1; c < columns; c++) if ((values[i * columns + c] ?? 0) > (values[i * columns + best] ?? 0)) best = c;
    return best;
  });
}

/** Fits machines for several classes. */
export interface ClassTrainer<Result = ClassMachine> {
  /** @throws RangeError for a class without rows, and what the trainer of one machine throws */
  fit(data: ClassSet, options?: WorkOptions): Promise<Result>;
}

/** Throws a TypeError unless `trainer` fits machines of two classes. @internal */
export function checkTrainer(trainer: Trainer): void {
  if (typeof (trainer as Trainer | null)?.fit !== "function")
    throw new TypeError(`trainer: expected what svm(), krr(), ... return, got ${describe(trainer)}`);
}

/** Throws unless `data` is a set of several classes with rows of each. @throws TypeError, RangeError @internal */
export function checkClasses(data: ClassSet): void {
  checkRows("data", data);
  if (!(data.labels instanceof Int32Array))
    throw new TypeError(`data: expected a set of several classes (see classSet()), got ${describe(data)}`);
  data.classes.forEach((name, c) => {
    if (!data.labels.includes(c)) throw new RangeError(`data: expected rows of every class, got none of "${name}"`);
  });
}

/**
 * One machine for each class against the rest, all by the same trainer: give that one a Gram matrix of the rows to share.
 * @throws TypeError when `trainer` is none
 */
export function oneVsRest(trainer: Trainer): ClassTrainer {
  checkTrainer(trainer);
  return {
    async fit(data, work = {}) {
      checkClasses(data);
      const sets = data.classes.map((_, c) => data.against(c));
      if (trainer.fitTogether !== undefined) return joinMachines(await trainer.fitTogether(sets, work), data);
      const machines: Machine[] = [];
      for (const set of sets) machines.push(await trainer.fit(set, work));
      return joinMachines(machines, data);
    },
  };
}

/** Coefficients stay below 2^50 units, so that a difference of two is exact in float64. */
const UNITS = 50;

/** Each machine's coefficients on the rows of all, as multiples of one power of 2. */
async function joinMachines(machines: readonly Machine[], data: ClassSet): Promise<ClassMachine> {
  const [first] = machines as [Machine, ...Machine[]];
  const { rows, alphas: sums } = joinRows(machines, data);
  const biases = machines.map(({ bias }) => bias);
  const largest = Math.max(
    ...biases.map(Math.abs),
    ...sums.map((own) => own.reduce((m, a) => Math.max(m, Math.abs(a)), 0)),
  );
  const unit = largest > 0 ? 2 ** (Math.ceil(Math.log2(largest)) - UNITS) : 1;
  const whole = (value: number) => Math.round(value / unit) * unit;
  return new ClassMachine({
    machine: first.machine,
    parameters: first.parameters,
    kernel: first.kernel,
    classes: data.classes,
    rows,
    alphas: sums.map((own) => own.map(whole)),
    biases: Float64Array.from(biases, whole),
    training: machines.map(({ training }) => training),
    dataHash: await data.hash(),
    dataName: data.name,
  });
}
