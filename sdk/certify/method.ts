// What every bound method has in common: the type of its answer, and which machines it holds for.
// Not here: the methods (interval.ts) and the search over radii (certify.ts).
import { UnsupportedKernelError } from "../errors.js";
import { describeKernel, type Kernel, type NetworkKernel } from "../kernels/kernel.js";
import type { RowSource } from "../kernels/rows.js";
import type { Machine } from "../machines/machine.js";
import { checkChoice, checkNumber, describe } from "../validate.js";
import type { NetworkOffset } from "./ibp.js";

/** Proved ends of g over a ball, one entry an input: lower[k] <= g(x) <= upper[k] for every real x in ball k. */
export interface Bounds {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/**
 * Bound methods. Of machines: "interval" is Theorem 4.2 of the paper; "linear" adds up one linear relaxation of every
 * term before the worst input is chosen; "curvature" bounds the machine by one quadratic form, minimised over the whole
 * ball by a proved relaxation; "best" is the tightest that there is for the norm. Of finite networks: "ibp"
 * is interval bound propagation with f_0 kept at the centre, as in the paper's Table 2; "ibp-difference" bounds f - f_0
 * on the ball. Of two-layer networks: "linear" is one linear relaxation of every neuron with slopes chosen for each, f_0
 * kept at the centre; "paired" relaxes each neuron together with itself at the start, and bounds f - f_0 on the ball;
 * "aggregate" also bounds the neurons that switch together, through the spectrum of the start weights, and is never below
 * "paired".
 */
export const METHODS = [
  "interval",
  "linear",
  "curvature",
  "best",
  "ibp",
  "ibp-difference",
  "paired",
  "aggregate",
] as const;
export type Method = (typeof METHODS)[number];

/** Bound methods of machines. */
export const MACHINE_METHODS = ["interval", "linear", "curvature", "best"] as const;
export type MachineMethod = (typeof MACHINE_METHODS)[number];

/** Bound methods of networks. */
export const NETWORK_METHODS = ["ibp", "ibp-difference", "linear", "paired", "aggregate"] as const;
export type NetworkMethod = (typeof NETWORK_METHODS)[number];

/** Those by relaxation, of two-layer networks. */
export const RELAXED_METHODS = ["linear", "paired", "aggregate"] as const;
export type RelaxedMethod = (typeof RELAXED_METHODS)[number];

/** The offset that a method of networks bounds with. */
export function offsetOf(method: Method | undefined): NetworkOffset {
  return method === "ibp-difference" || method === "paired" || method === "aggregate" ? "difference" : "frozen";
}

/** Whether `method` relaxes networks of these widths. @throws RangeError for deeper networks */
export function checkRelaxed(method: Method, widths: readonly number[]): method is RelaxedMethod {
  if (!RELAXED_METHODS.some((name) => name === method)) return false;
  if (widths.length !== 1)
    throw new RangeError(
      `method: expected "ibp" or "ibp-difference" for ${widths.length} hidden layers, got "${method}"`,
    );
  return true;
}

/** Norms of the balls that are certified. */
export const NORMS = ["linf", "l2", "l1"] as const;
export type Norm = (typeof NORMS)[number];

/** What a perturbation may do. */
export interface Threat {
  /** Norm of the ball. Default "linf". */
  readonly norm?: Norm | undefined;
  /** Only inputs inside the image domain [0, 1]^d count. Default false: any real input of the ball does, as in the paper. */
  readonly domain?: boolean | undefined;
}

/** Which entries of an input a perturbation may change. */
export interface Reach {
  /**
   * How many leading entries of a row may change, an integer from 1 to d; the others stay: a constant entry that stands for
   * a bias, or features that nobody can change. For machines and Float64Array rows. Default: all d.
   */
  readonly movable?: number | undefined;
}

/** The number of entries that may change. @throws TypeError, RangeError */
export function checkMovable({ movable }: Reach, { d, x }: RowSource): number {
  if (movable === undefined) return d;
  const count = checkNumber("movable", movable, { min: 1, max: d, integer: true });
  if (count < d && x instanceof Uint8Array)
    throw new RangeError(
      `movable: expected ${d}, all entries of 8-bit rows, got ${count} (a Float64Array takes fewer)`,
    );
  return count;
}

/**
 * What a radius stands for. "rigorous-f64": every bound is rounded outward, so the statement holds in real arithmetic for
 * exactly the stored coefficients and rows. "estimate-f64": the same formulas in plain float64, with nothing widened and
 * semidefiniteness not verified; only good for comparing.
 */
export const SOUNDNESS = ["rigorous-f64", "estimate-f64"] as const;
export type Soundness = (typeof SOUNDNESS)[number];

/** A bound method of machines and what it is asked to hold for, checked. */
export interface BoundKind {
  readonly method: Exclude<MachineMethod, "best">;
  readonly norm: Norm;
  readonly domain: boolean;
  /** Leading entries that may change. Default: all. */
  readonly movable?: number;
}

/** The method that serves, or an error that says which do. @throws TypeError, RangeError */
export function checkKind(method: MachineMethod, kernel: Kernel, threat: Threat): BoundKind {
  const norm = checkChoice("norm", threat.norm ?? "linf", NORMS);
  const domain: unknown = threat.domain ?? false;
  if (typeof domain !== "boolean") throw new TypeError(`domain: expected true or false, got ${describe(domain)}`);
  if (!isTwoLayer(kernel)) return checkDeep(method, kernel, norm, domain);
  if (method === "best") return { method: norm === "l1" ? "linear" : "curvature", norm, domain };
  if (method === "interval" && (norm !== "linf" || domain))
    throw new RangeError(
      `method: expected ${norm === "l1" ? '"linear"' : '"linear", "curvature"'} or "best" for ${norm === "linf" ? "the image domain" : norm}, got "interval"`,
    );
  if (method === "curvature" && norm === "l1")
    throw new RangeError(`method: expected "linear" or "best" for l1, got "curvature"`);
  return { method, norm, domain };
}

/**
 * Deeper kernels, the NNGP and the leaky ReLU have the interval bound alone; with biases, other activations, sums, products
 * and functions of one's own there is none.
 */
function checkDeep(method: MachineMethod, kernel: Kernel, norm: Norm, domain: boolean): BoundKind {
  const own = describeKernel(kernel);
  if (!hasInterval(kernel)) throw new UnsupportedKernelError(own, method, []);
  if (method !== "interval" && method !== "best") throw new UnsupportedKernelError(own, method, ["interval", "best"]);
  if (norm !== "linf" || domain)
    throw new RangeError(`norm: expected "linf" without a domain for ${own}, got ${domain ? "a domain" : `"${norm}"`}`);
  return { method: "interval", norm, domain };
}

const SLOW_METHODS: readonly Method[] = ["curvature", "best", "paired", "aggregate"];

/** A search by the quadratic form costs tenths of a second a step, and a thousandth of the radius is not worth four. */
export function defaultTolerance(method: Method | undefined): number {
  return method !== undefined && SLOW_METHODS.includes(method) ? 1e-3 : 1e-6;
}

/**
 * Radii searched unless told otherwise: the paper's [0, 0.3] for its own methods, else all that inputs of d entries in
 * [0, 1] can be apart.
 */
export function defaultBracket(method: Method, norm: Norm, d: number): readonly [number, number] {
  if (method === "interval" || method === "ibp" || method === "ibp-difference") return [0, 0.3];
  return [0, norm === "linf" ? 1 : norm === "l2" ? Math.sqrt(d) : d];
}

/** Whether there is an interval bound: networks of ReLU or leaky ReLU units, without biases. */
export function hasInterval(kernel: Kernel): kernel is NetworkKernel {
  if (kernel.kind !== "ntk" && kernel.kind !== "nngp") return false;
  return kernel.biasVariance === 0 && (kernel.activation ?? "leaky-relu") === "leaky-relu";
}

/** Whether a machine's terms are those of Section 4.2: the NTK of one hidden layer of ReLU units, without biases. */
export function isTwoLayer(kernel: Kernel): kernel is NetworkKernel {
  return kernel.kind === "ntk" && kernel.depth === 1 && hasInterval(kernel) && kernel.activation === undefined;
}

/** Throws a TypeError unless `value` is a trained machine. */
export function checkMachine(name: string, value: unknown): asserts value is Machine {
  const given = value as Partial<Machine> | null | undefined;
  if (!(given?.alpha instanceof Float64Array) || given.kernel === undefined || given.rows === undefined)
    throw new TypeError(`${name}: expected a trained machine, got ${describe(value)}`);
}
