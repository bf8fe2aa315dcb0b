// Kernels that machines are built on: the NTK and the NNGP of fully connected ReLU networks. A kernel is a small plain
// value; the formulas are in assembly/kernel/. Not here: matrices of kernel values (gram.ts).
import {
  KERNEL_BIAS_VARIANCE,
  KERNEL_BYTES,
  KERNEL_DEPTH,
  KERNEL_KIND,
  KERNEL_WEIGHT_VARIANCE,
  KIND_NNGP,
  KIND_NTK,
} from "../../assembly/layout.js";
import type { Scope } from "../runtime/memory.js";
import { checkChoice, checkNumber, checkObject } from "../validate.js";

export interface KernelOptions {
  /** Hidden layers L, an integer >= 1. Default 1: the two-layer network of the paper. */
  readonly depth?: number | undefined;
  /** Variance of the weights, > 0. Default 1. */
  readonly weightVariance?: number | undefined;
  /** Variance of the biases, >= 0. Default 0. */
  readonly biasVariance?: number | undefined;
}

export interface Kernel {
  readonly kind: "ntk" | "nngp";
  readonly depth: number;
  readonly weightVariance: number;
  readonly biasVariance: number;
}

/** Most hidden layers: the recursion is exact in depth, this only stops slips of the keyboard. */
const MOST_LAYERS = 10_000;

function kernel(kind: Kernel["kind"], options: KernelOptions): Kernel {
  checkObject("options", options);
  return Object.freeze({
    kind,
    depth: checkNumber("depth", options.depth ?? 1, { min: 1, max: MOST_LAYERS, integer: true }),
    weightVariance: checkNumber("weightVariance", options.weightVariance ?? 1, { min: 0, open: true, max: 1e6 }),
    biasVariance: checkNumber("biasVariance", options.biasVariance ?? 0, { min: 0, max: 1e6 }),
  });
}

/**
 * The neural tangent kernel of a fully connected ReLU network with `depth` hidden layers in NTK parameterisation.
 * With the defaults, Section 4.2 of the paper: Theta(x, x') = ||x|| ||x'|| / (2 pi d) h(u), u the cosine of x and x',
 * h(u) = 2u(pi - arccos u) + sqrt(1 - u^2).
 * @throws TypeError, RangeError
 */
export function ntk(options: KernelOptions = {}): Kernel {
  return kernel("ntk", options);
}

/** The kernel of the same network when only its last layer is trained (NNGP; Section 3.2). @throws as ntk() */
export function nngp(options: KernelOptions = {}): Kernel {
  return kernel("nngp", options);
}

/** Checks a kernel that came from outside: a plain object, a model file. */
export function checkKernel(name: string, value: unknown): Kernel {
  const given = checkObject(name, value);
  const kind = checkChoice(`${name}.kind`, given.kind, ["ntk", "nngp"]);
  return kernel(kind, given as KernelOptions);
}

/** A few words for tables: "NTK, 3 hidden layers". */
export function describeKernel({ kind, depth, weightVariance, biasVariance }: Kernel): string {
  const layers = depth === 1 ? "1 hidden layer" : `${depth} hidden layers`;
  const variances = weightVariance === 1 && biasVariance === 0 ? "" : `, variances ${weightVariance}, ${biasVariance}`;
  return `${kind.toUpperCase()}, ${layers}${variances}`;
}

/** Writes the kernel's record into linear memory; returns its pointer. */
export function uploadKernel(scope: Scope, { kind, depth, weightVariance, biasVariance }: Kernel): number {
  const pointer = scope.allocate(KERNEL_BYTES);
  const view = scope.memory.view(pointer, KERNEL_BYTES);
  view.setInt32(KERNEL_KIND, kind === "ntk" ? KIND_NTK : KIND_NNGP, true);
  view.setInt32(KERNEL_DEPTH, depth, true);
  view.setFloat64(KERNEL_WEIGHT_VARIANCE, weightVariance, true);
  view.setFloat64(KERNEL_BIAS_VARIANCE, biasVariance, true);
  return pointer;
}
