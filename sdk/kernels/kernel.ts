// Kernels that machines are built on: the NTK and the NNGP of fully connected networks, sums and products of kernels, and
// functions of one's own. A kernel is a small plain value; the formulas are in assembly/kernel/. Not here: matrices of
// kernel values (gram.ts) and tables of functions' values (function-table.ts).
import {
  ACTIVATION_ERF,
  ACTIVATION_LEAKY_RELU,
  ACTIVATION_RELU,
  ACTIVATION_SINE,
  KERNEL_ACTIVATION,
  KERNEL_BIAS_VARIANCE,
  KERNEL_BYTES,
  KERNEL_COUNT,
  KERNEL_DEPTH,
  KERNEL_FACTOR,
  KERNEL_KIND,
  KERNEL_PARTS,
  KERNEL_WEIGHT_VARIANCE,
  KIND_NNGP,
  KIND_NTK,
  KIND_PRODUCT,
  KIND_SUM,
  KIND_TABLE,
} from "../../assembly/layout.js";
import { MissingKernelError } from "../errors.js";
import type { Scope } from "../runtime/memory.js";
import { checkChoice, checkNumber, checkObject, describe } from "../validate.js";

/** What the hidden units compute: max(0, z); z or slope z where z < 0; erf(z); sin(z). */
export const ACTIVATIONS = ["relu", "leaky-relu", "erf", "sine"] as const;
export type Activation = (typeof ACTIVATIONS)[number];

const ACTIVATION_CODES: Readonly<Record<Activation, number>> = {
  relu: ACTIVATION_RELU,
  "leaky-relu": ACTIVATION_LEAKY_RELU,
  erf: ACTIVATION_ERF,
  sine: ACTIVATION_SINE,
};

export interface KernelOptions {
  /** Hidden layers L, an integer >= 1. Default 1: the two-layer network of the paper. */
  readonly depth?: number | undefined;
  /** Variance of the weights, > 0. Default 1. */
  readonly weightVariance?: number | undefined;
  /** Variance of the biases, >= 0. Default 0. */
  readonly biasVariance?: number | undefined;
  /** What the hidden units compute. Default "relu". */
  readonly activation?: Activation | undefined;
  /** Slope of the leaky ReLU where its input is negative, from 0 (the ReLU) to 1 (a line). Default 0.01. */
  readonly slope?: number | undefined;
}

/** The kernel of a network of infinite width. */
export interface NetworkKernel {
  readonly kind: "ntk" | "nngp";
  readonly depth: number;
  readonly weightVariance: number;
  readonly biasVariance: number;
  /** Absent: the ReLU. */
  readonly activation?: Exclude<Activation, "relu">;
  /** Of the leaky ReLU alone. */
  readonly slope?: number;
}

/** sum_k K_k, or the product of all K_k. */
export interface CombinedKernel<Kind extends "sum" | "product"> {
  readonly kind: Kind;
  readonly parts: readonly Kernel[];
}

/** factor K. */
export interface ScaledKernel {
  readonly kind: "scaled";
  readonly factor: number;
  readonly part: Kernel;
}

/** A function of two rows, in the data's units. */
export type KernelFunction = (x: Float64Array, other: Float64Array) => number;

/** A kernel of one's own. */
export interface UserKernel {
  readonly kind: "user";
  readonly name: string;
  readonly evaluate: KernelFunction;
}

export type Kernel = NetworkKernel | CombinedKernel<"sum"> | CombinedKernel<"product"> | ScaledKernel | UserKernel;

/** Most hidden layers: the recursion is exact in depth, this only stops slips of the keyboard. */
const MOST_LAYERS = 10_000;

function networkKernel(kind: NetworkKernel["kind"], options: KernelOptions): NetworkKernel {
  checkObject("options", options);
  const activation = checkChoice("activation", options.activation ?? "relu", ACTIVATIONS);
  if (options.slope !== undefined && activation !== "leaky-relu")
    throw new RangeError(`slope: expected only with the activation "leaky-relu", got it with "${activation}"`);
  return Object.freeze({
    kind,
    depth: checkNumber("depth", options.depth ?? 1, { min: 1, max: MOST_LAYERS, integer: true }),
    weightVariance: checkNumber("weightVariance", options.weightVariance ?? 1, { min: 0, open: true, max: 1e6 }),
    biasVariance: checkNumber("biasVariance", options.biasVariance ?? 0, { min: 0, max: 1e6 }),
    ...(activation === "relu" ? {} : { activation }),
    ...(activation === "leaky-relu" ? { slope: checkNumber("slope", options.slope ?? 0.01, { min: 0, max: 1 }) } : {}),
  });
}

/**
 * The neural tangent kernel of a fully connected network with `depth` hidden layers in NTK parameterisation.
 * With the defaults, Section 4.2 of the paper: Theta(x, x') = ||x|| ||x'|| / (2 pi d) h(u), u the cosine of x and x',
 * h(u) = 2u(pi - arccos u) + sqrt(1 - u^2).
 * @throws TypeError, RangeError
 */
export function ntk(options: KernelOptions = {}): NetworkKernel {
  return networkKernel("ntk", options);
}

/** The kernel of the same network when only its last layer is trained (NNGP; Section 3.2). @throws as ntk() */
export function nngp(options: KernelOptions = {}): NetworkKernel {
  return networkKernel("nngp", options);
}

function combined<Kind extends "sum" | "product">(
  kind: Kind,
  name: string,
  kernels: readonly unknown[],
): CombinedKernel<Kind> {
  if (!Array.isArray(kernels) || kernels.length === 0)
    throw new TypeError(`${name}: expected at least one kernel, got ${describe(kernels)}`);
  return Object.freeze({
    kind,
    parts: Object.freeze(kernels.map((kernel, k) => checkKernel(`${name}[${k}]`, kernel))),
  });
}

/** K_1 + K_2 + ...: the kernel of independent functions added up. @throws TypeError, RangeError */
export function sumKernels(...kernels: readonly Kernel[]): CombinedKernel<"sum"> {
  return combined("sum", "kernels", kernels);
}

/** K_1 K_2 ..., positive semidefinite by Schur's product theorem. @throws TypeError, RangeError */
export function productKernels(...kernels: readonly Kernel[]): CombinedKernel<"product"> {
  return combined("product", "kernels", kernels);
}

/** factor K, factor > 0. @throws TypeError, RangeError */
export function scaleKernel(factor: number, kernel: Kernel): ScaledKernel {
  return scaled("factor", factor, "kernel", kernel);
}

function scaled(name: string, factor: unknown, own: string, part: unknown): ScaledKernel {
  const checked = checkNumber(name, factor, { min: 1e-100, max: 1e100 });
  return Object.freeze({ kind: "scaled", factor: checked, part: checkKernel(own, part) });
}

/**
 * A kernel of one's own for machines: `evaluate(x, other)` of two rows in the data's units, symmetric, finite and
 * positive semidefinite. Finiteness is checked at every pair that is used, symmetry at a sample of them; nobody can check
 * the rest. The function must always give the same value for the same rows, and must not keep or change them. `name`
 * stands for it in tables and model files; loading a model asks for the function again.
 * @throws TypeError, RangeError
 */
export function userKernel(options: { readonly name: string; readonly evaluate: KernelFunction }): UserKernel {
  const { name, evaluate } = checkObject("options", options);
  return named("name", name, "evaluate", evaluate);
}

function named(name: string, given: unknown, own: string, evaluate: unknown): UserKernel {
  if (typeof given !== "string") throw new TypeError(`${name}: expected a string, got ${describe(given)}`);
  if (given.trim() === "") throw new RangeError(`${name}: expected a name, got ${describe(given)}`);
  if (typeof evaluate !== "function")
    throw new TypeError(`${own}: expected a function of two rows, got ${describe(evaluate)}`);
  return Object.freeze({ kind: "user", name: given, evaluate: evaluate as KernelFunction });
}

/** Checks a kernel that came from outside: a plain object, a model file. @throws TypeError, RangeError */
export function checkKernel(name: string, value: unknown): Kernel {
  const given = checkObject(name, value);
  const kind = checkChoice(`${name}.kind`, given.kind, ["ntk", "nngp", "sum", "product", "scaled", "user"]);
  if (kind === "ntk" || kind === "nngp") return networkKernel(kind, given as KernelOptions);
  if (kind === "user") return named(`${name}.name`, given.name, `${name}.evaluate`, given.evaluate);
  if (kind === "scaled") return scaled(`${name}.factor`, given.factor, `${name}.part`, given.part);
  const parts = given.parts as unknown[];
  return kind === "sum" ? combined(kind, `${name}.parts`, parts) : combined(kind, `${name}.parts`, parts);
}

/** What loading a model takes that its file can not hold. */
export interface KnownKernels {
  /** The functions of one's own that the model's kernel has, found by their names. */
  readonly kernels?: readonly UserKernel[] | undefined;
}

/** A kernel as a file has it, with the functions that it names. @throws MissingKernelError, TypeError, RangeError */
export function withFunctions(value: unknown, { kernels = [] }: KnownKernels): unknown {
  if (typeof value !== "object" || value === null) return value;
  const { kind, name, part, parts } = value as Record<string, unknown>;
  if (kind === "user") {
    const known = kernels.find((kernel) => kernel.name === name);
    if (known === undefined) throw new MissingKernelError(String(name));
    return known;
  }
  if (kind === "scaled") return { ...value, part: withFunctions(part, { kernels }) };
  return Array.isArray(parts) ? { ...value, parts: parts.map((own) => withFunctions(own, { kernels })) } : value;
}

/** Hidden layers of the deepest network in a kernel; 0 for functions alone. */
export function layersOf(kernel: Kernel): number {
  return "depth" in kernel ? kernel.depth : Math.max(0, ...partsOf(kernel).map(layersOf));
}

/** The functions in a kernel, each once. */
export function functionsOf(kernel: Kernel): UserKernel[] {
  const all = kernel.kind === "user" ? [kernel] : partsOf(kernel).flatMap(functionsOf);
  return all.filter(({ evaluate }, k) => all.findIndex((other) => other.evaluate === evaluate) === k);
}

/** Whether two kernels are the same, functions included. */
export function sameKernel(one: Kernel, other: Kernel): boolean {
  const [own, given] = [functionsOf(one), functionsOf(other)];
  return (
    JSON.stringify(one) === JSON.stringify(other) && own.every(({ evaluate }, k) => evaluate === given[k]?.evaluate)
  );
}

/** A few words for tables: "NTK, 3 hidden layers", "NTK of erf, 1 hidden layer + 0.5 (NNGP, 1 hidden layer)". */
export function describeKernel(kernel: Kernel): string {
  const inside = (part: Kernel) => (part.kind === "user" ? part.name : `(${describeKernel(part)})`);
  if (kernel.kind === "user") return kernel.name;
  if (kernel.kind === "scaled") return `${kernel.factor} ${inside(kernel.part)}`;
  if (kernel.kind === "sum" || kernel.kind === "product")
    return kernel.parts.map(inside).join(kernel.kind === "sum" ? " + " : " * ");
  const { kind, depth, weightVariance, biasVariance, activation, slope } = kernel;
  const units = activation === undefined ? "" : ` of ${activation}${slope === undefined ? "" : ` ${slope}`}`;
  const layers = depth === 1 ? "1 hidden layer" : `${depth} hidden layers`;
  const variances = weightVariance === 1 && biasVariance === 0 ? "" : `, variances ${weightVariance}, ${biasVariance}`;
  return `${kind.toUpperCase()}${units}, ${layers}${variances}`;
}

/** Values of a function for the rows of two sets, row by row, in linear memory: assembly/kernel/compose.ts. */
export interface KernelTable {
  readonly evaluate: KernelFunction;
  readonly pointer: number;
  /** Entries of a row. */
  readonly columns: number;
}

/**
 * Writes the kernel's record into linear memory; returns its pointer.
 * @throws TypeError for functions without a table: the core does not know them
 */
export function uploadKernel(scope: Scope, kernel: Kernel, tables: readonly KernelTable[] = []): number {
  const parts = partsOf(kernel).map((part) => uploadKernel(scope, part, tables));
  const pointer = scope.allocate(KERNEL_BYTES);
  const list = parts.length === 0 ? 0 : scope.i32(parts.length, parts);
  const view = scope.memory.view(pointer, KERNEL_BYTES);
  const write = (kind: number, count: number, at: number, factor: number) => {
    view.setInt32(KERNEL_KIND, kind, true);
    view.setInt32(KERNEL_COUNT, count, true);
    view.setUint32(KERNEL_PARTS, at, true);
    view.setFloat64(KERNEL_FACTOR, factor, true);
  };
  if (kernel.kind === "user") {
    const table = tables.find(({ evaluate }) => evaluate === kernel.evaluate);
    if (table === undefined)
      throw new TypeError(
        `kernel: expected one that the core computes here, got "${kernel.name}", a function of your own`,
      );
    write(KIND_TABLE, table.columns, table.pointer, 1);
  } else if (kernel.kind === "scaled") write(KIND_SUM, 1, list, kernel.factor);
  else if (kernel.kind === "sum") write(KIND_SUM, parts.length, list, 1);
  else if (kernel.kind === "product") write(KIND_PRODUCT, parts.length, list, 1);
  else {
    write(kernel.kind === "ntk" ? KIND_NTK : KIND_NNGP, 0, 0, kernel.slope ?? 0);
    view.setInt32(KERNEL_DEPTH, kernel.depth, true);
    view.setFloat64(KERNEL_WEIGHT_VARIANCE, kernel.weightVariance, true);
    view.setFloat64(KERNEL_BIAS_VARIANCE, kernel.biasVariance, true);
    view.setInt32(KERNEL_ACTIVATION, ACTIVATION_CODES[kernel.activation ?? "relu"], true);
  }
  return pointer;
}

function partsOf(kernel: Kernel): readonly Kernel[] {
  if (kernel.kind === "scaled") return [kernel.part];
  return kernel.kind === "sum" || kernel.kind === "product" ? kernel.parts : [];
}
