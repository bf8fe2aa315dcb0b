// Machines for several classes, whatever their coefficients belong to: a class each (one-vs-rest.ts) or a pair each
// (one-vs-one.ts). All share one set of rows. Not here: what they decide, and files (class-file.ts).
import type { Kernel } from "../kernels/kernel.js";
import type { RowSource } from "../kernels/rows.js";
import { sha256Hex } from "../runtime/hash.js";
import { checkNumber } from "../validate.js";
import { rowsOf } from "./joined-rows.js";
import { Machine, type MachineName, type TrainingReport } from "./machine.js";

/** What a machine for several classes decides. */
export interface ClassDecisions {
  /** Class decided for, one a row. */
  readonly predictions: Int32Array;
  /** Margin of that class over each class, n x classes, row-major; 0 for itself. */
  readonly margins: Float64Array;
}

export interface ClassMachineParts {
  readonly machine: MachineName;
  readonly parameters: Readonly<Record<string, number | boolean>>;
  readonly kernel: Kernel;
  readonly classes: readonly string[];
  /** Rows with a coefficient in some class, n x d. */
  readonly rows: RowSource;
  /** Coefficients of each class, one a row. Multiples of one power of 2, so that their differences are exact. */
  readonly alphas: readonly Float64Array[];
  readonly biases: Float64Array;
  /** Training reports, class by class. */
  readonly training: readonly TrainingReport[];
  readonly dataHash: string;
  readonly dataName: string;
}

/** The parts, the model file and its hash. */
export abstract class JoinedMachine implements ClassMachineParts {
  readonly machine: MachineName;
  readonly parameters: Readonly<Record<string, number | boolean>>;
  readonly kernel: Kernel;
  readonly classes: readonly string[];
  readonly rows: RowSource;
  readonly alphas: readonly Float64Array[];
  readonly biases: Float64Array;
  readonly training: readonly TrainingReport[];
  readonly dataHash: string;
  readonly dataName: string;

  constructor(parts: ClassMachineParts) {
    this.machine = parts.machine;
    this.parameters = parts.parameters;
    this.kernel = parts.kernel;
    this.classes = parts.classes;
    this.rows = parts.rows;
    this.alphas = parts.alphas;
    this.biases = parts.biases;
    this.training = parts.training;
    this.dataHash = parts.dataHash;
    this.dataName = parts.dataName;
  }

  /** Bytes of a model file: safetensors. */
  abstract save(): Uint8Array;

  /** SHA-256 (hex) of the model file. */
  async hash(): Promise<string> {
    return sha256Hex(this.save());
  }

  /** Two classes that there are. @throws TypeError, RangeError */
  protected checkPair(c: number, j: number): readonly [number, number] {
    const range = { min: 0, max: this.classes.length - 1, integer: true };
    return [checkNumber("c", c, range), checkNumber("j", j, range)];
  }

  /** A machine of two classes with these coefficients on the shared rows. */
  protected single(coefficients: Float64Array, bias: number, training: TrainingReport): Machine {
    const { machine, parameters, kernel, dataHash, dataName } = this;
    const { rows, alpha } = rowsOf(this.rows, coefficients);
    return new Machine({ machine, parameters, kernel, dataHash, dataName, rows, alpha, bias, training });
  }
}
