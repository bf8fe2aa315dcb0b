// Machines for several classes by pairs: one machine for every two classes, trained on their rows alone, and a vote for the
// winner of each pair. The class with the most votes is decided for; of equally many the one with the largest sum of
// margins over all its pairs, of these the first. A pair's matrix holds the rows of two classes of k, so all pairs together
// cost 2 (k - 1) / k of one Gram matrix of all rows, in 4 / k^2 of its memory: nothing is gained by sharing one.
// Not here: each class against the rest (one-vs-rest.ts), certificates (certify/classes.ts), files (class-file.ts).
import type { ClassSet } from "../data/classes.js";
import { describeKernel, type KnownKernels } from "../kernels/kernel.js";
import { checkSameColumns, type RowSource, uploadRows } from "../kernels/rows.js";
import { kernelBetween } from "../kernels/upload.js";
import { runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import { loadPairParts, savePairMachine } from "./class-file.js";
import { type ClassDecisions, type ClassMachineParts, JoinedMachine } from "./joined-machine.js";
import { joinRows, rowsOf } from "./joined-rows.js";
import { checkRows, type Machine, type Trainer } from "./machine.js";
import { type ClassTrainer, checkClasses, checkTrainer } from "./one-vs-rest.js";

/** As for one machine a class; `alphas`, `biases` and `training` have one entry a pair, in the order of classPairs(). */
export type PairMachineParts = ClassMachineParts;

/** Pairs of k classes, in order: [0, 1], [0, 2], ..., [k - 2, k - 1]. */
export function classPairs(k: number): (readonly [number, number])[] {
  return Array.from({ length: k }, (_, c) => c).flatMap((c) =>
    Array.from({ length: k - 1 - c }, (_, i) => [c, c + 1 + i] as const),
  );
}

export class PairMachine extends JoinedMachine {
  /** "svm, 45 pairs of 10 classes, NTK, 1 hidden layer, 2,149 rows". */
  describe(): string {
    const { machine, classes, alphas, kernel, rows } = this;
    return `${machine}, ${alphas.length} pairs of ${classes.length} classes, ${describeKernel(kernel)}, ${rows.n} rows`;
  }

  /**
   * g_cj(x) for each row of `data` and each pair c < j, positive for c: n x pairs, row-major, in the order of classPairs().
   * @throws as Machine.decisionFunction()
   */
  async decisionFunctions(data: RowSource, options: WorkOptions = {}): Promise<Float64Array> {
    checkRows("data", data);
    checkSameColumns("data", this.rows, data);
    const runtime = await runtimeOf(options);
    const scope = runtime.scope();
    const pairs = this.alphas.length;
    const all = new Float64Array(data.n * pairs);
    try {
      const inputs = await uploadRows(runtime, scope, data);
      const out = scope.allocate(data.n * 8);
      for (const [k, alpha] of this.alphas.entries()) {
        const inner = runtime.scope();
        try {
          // A pair has coefficients on the rows of its two classes alone.
          const own = rowsOf(this.rows, alpha);
          const { pointer } = await uploadRows(runtime, inner, own.rows);
          const coefficients = inner.f64(own.alpha.length, own.alpha);
          const kernel = await kernelBetween(inner, this.kernel, data, own.rows, options);
          const args = [kernel, inputs.pointer, pointer, coefficients, out];
          await runtime.run("kernelApply", Math.ceil(data.n / 64), args, options, "deciding");
        } finally {
          inner.release();
        }
        runtime.memory.f64(out, data.n).forEach((value, i) => {
          all[i * pairs + k] = value + (this.biases[k] ?? 0);
        });
      }
      return all;
    } finally {
      scope.release();
    }
  }

  /** Votes of each class, n x classes, row-major; a pair whose output is 0 votes for neither. */
  async votes(data: RowSource, options: WorkOptions = {}): Promise<Int32Array> {
    const outputs = await this.decisionFunctions(data, options);
    const many = this.classes.length;
    const rows = Array.from({ length: data.n }, (_, i) => votesOf(marginsOf(outputs, i, many), many));
    return Int32Array.from(rows.flat());
  }

  /** The class with the most votes; of equally many the one with the largest sum of margins, of these the first. */
  async predict(data: RowSource, options: WorkOptions = {}): Promise<Int32Array> {
    return (await this.decide(data, options)).predictions;
  }

  /** Decisions and their margins g_cj over each other class: below 0 where the class lost that pair. */
  async decide(data: RowSource, options: WorkOptions = {}): Promise<ClassDecisions> {
    const outputs = await this.decisionFunctions(data, options);
    const many = this.classes.length;
    const predictions = new Int32Array(data.n);
    const margins = new Float64Array(data.n * many);
    for (let i = 0; i < data.n; i++) {
      const own = marginsOf(outputs, i, many);
      const winner = winnerOf(own, many);
      predictions[i] = winner;
      margins.set(own.subarray(winner * many, (winner + 1) * many), i * many);
    }
    return { predictions, margins };
  }

  /** The machine of classes c and j, positive for c. @throws TypeError, RangeError for classes that are none or equal */
  difference(c: number, j: number): Machine {
    const [own, other] = this.checkPair(c, j);
    if (own === other) throw new RangeError(`j: expected another class than c, got ${j} for both`);
    const pairs = classPairs(this.classes.length);
    const pair = pairs.findIndex(([a, b]) => a === Math.min(own, other) && b === Math.max(own, other));
    const sign = own < other ? 1 : -1;
    const alpha = (this.alphas[pair] as Float64Array).map((value) => sign * value);
    return this.single(alpha, sign * (this.biases[pair] ?? 0), this.training[pair] ?? {});
  }

  /** Bytes of a model file: safetensors. */
  save(): Uint8Array {
    return savePairMachine(this);
  }

  /** The machine in a model file. @throws TypeError, FormatError with the byte offset */
  static load(bytes: Uint8Array, options: KnownKernels = {}): PairMachine {
    return new PairMachine(loadPairParts(bytes, options));
  }
}

/** Margins of row i of every class over every other, k x k: g_cj above the diagonal, -g_cj below, 0 on it. */
function marginsOf(outputs: Float64Array, i: number, many: number): Float64Array {
  const margins = new Float64Array(many * many);
  const pairs = classPairs(many);
  pairs.forEach(([c, j], k) => {
    const value = outputs[i * pairs.length + k] ?? 0;
    margins[c * many + j] = value;
    margins[j * many + c] = -value;
  });
  return margins;
}

function votesOf(margins: Float64Array, many: number): number[] {
  return Array.from({ length: many }, (_, c) =>
    margins.subarray(c * many, (c + 1) * many).reduce((votes, value) => votes + (value > 0 ? 1 : 0), 0),
  );
}

function winnerOf(margins: Float64Array, many: number): number {
  const votes = votesOf(margins, many);
  const sums = votes.map((_, c) => margins.subarray(c * many, (c + 1) * many).reduce((sum, value) => sum + value, 0));
  const before = (a: number, b: number) => (votes[a] ?? 0) - (votes[b] ?? 0) || (sums[a] ?? 0) - (sums[b] ?? 0);
  return votes.reduce((best, _, c) => (before(c, best) > 0 ? c : best), 0);
}

/**
 * One machine for every pair of classes, all by the same trainer, each on the rows of its two classes; give that one no
 * Gram matrix.
 * @throws TypeError when `trainer` is none
 */
export function oneVsOne(trainer: Trainer): ClassTrainer<PairMachine> {
  checkTrainer(trainer);
  return {
    async fit(data: ClassSet, work: WorkOptions = {}) {
      checkClasses(data);
      const machines: Machine[] = [];
      for (const [c, j] of classPairs(data.classes.length)) machines.push(await trainer.fit(data.between(c, j), work));
      const [first] = machines as [Machine, ...Machine[]];
      const { rows, alphas } = joinRows(machines, data);
      return new PairMachine({
        machine: first.machine,
        parameters: first.parameters,
        kernel: first.kernel,
        classes: data.classes,
        rows,
        alphas,
        biases: Float64Array.from(machines, ({ bias }) => bias),
        training: machines.map(({ training }) => training),
        dataHash: await data.hash(),
        dataName: data.name,
      });
    },
  };
}
