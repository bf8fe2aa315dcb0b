// What passes between the demo and its worker, and what both know. Not here: how it is computed (compute.ts).

export const KINDS = ["ntk", "nngp"] as const;
export type Kind = (typeof KINDS)[number];

/** Most hidden layers on the slider. */
export const MOST_DEPTH = 32;

/** Cosines whose kernel values are followed over depth. */
export const FOLLOWED = [0.9, 0.5, 0, -0.5] as const;

/** A kernel's values by the cosine of its inputs, as shares of its value at equal inputs. */
export interface Profile {
  readonly cosines: Float64Array;
  readonly ntk: Float64Array;
  readonly nngp: Float64Array;
}

/** Shares at the followed cosines, one list each, for each of `depths`. */
export interface Depths {
  readonly depths: readonly number[];
  readonly ntk: readonly Float64Array[];
  readonly nngp: readonly Float64Array[];
}

export interface Matrix {
  readonly n: number;
  /** K(x_i, x_j), row-major. */
  readonly values: Float64Array;
  /** Digits of the rows, zeros first. */
  readonly digits: Uint8Array;
  /** Their pixels, 784 a row. */
  readonly pixels: Uint8Array;
  /** All eigenvalues of both kernels' matrices, largest first. */
  readonly ntk: Float64Array;
  readonly nngp: Float64Array;
}

/** Condition numbers of K + (lambda / 2) I. */
export interface Condition {
  readonly lambdas: readonly number[];
  readonly ntk: readonly number[];
  readonly nngp: readonly number[];
}

/** lambda = 10^-6 ... 10^3. */
export const LAMBDAS = Array.from({ length: 37 }, (_, k) => Number((10 ** (k / 4 - 6)).toPrecision(6)));
