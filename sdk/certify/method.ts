// What every bound method has in common: the type of its answer, and which machines it holds for.
// Not here: the methods (interval.ts) and the search over radii (certify.ts).
import type { Kernel } from "../kernels/kernel.js";
import type { Machine } from "../machines/machine.js";
import { describe } from "../validate.js";

/** Proved ends of g over a ball, one entry an input: lower[k] <= g(x) <= upper[k] for every real x in ball k. */
export interface Bounds {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/**
 * Bound methods. Of machines: "interval" is Theorem 4.2 of the paper. Of finite networks: "ibp" is interval bound
 * propagation with f_0 kept at the centre, as in the paper's Table 2; "ibp-difference" bounds f - f_0 on the ball.
 */
export const METHODS = ["interval", "ibp", "ibp-difference"] as const;
export type Method = (typeof METHODS)[number];

/** Throws a RangeError that says why when the interval bound does not hold for machines on this kernel. */
export function checkTwoLayer({ kind, depth, biasVariance }: Kernel): void {
  if (kind === "ntk" && depth === 1 && biasVariance === 0) return;
  const own = `${kind} with depth ${depth} and biasVariance ${biasVariance}`;
  throw new RangeError(`machine: expected the two-layer NTK (depth 1, biasVariance 0) for certificates, got ${own}`);
}

/** Throws a TypeError unless `value` is a trained machine. */
export function checkMachine(name: string, value: unknown): asserts value is Machine {
  const given = value as Partial<Machine> | null | undefined;
  if (!(given?.alpha instanceof Float64Array) || given.kernel === undefined || given.rows === undefined)
    throw new TypeError(`${name}: expected a trained machine, got ${describe(value)}`);
}
