// The factors of Theorem 3.5's bound that can be computed, e^(beta ||Theta||) R^(3L + 1) rho n^(3/2) ln m / (lambda sqrt(m)), with the
// losses' constants for the mean over the rows. The constant behind the O is not among them. Not here: what is measured
// (finite-width.ts).
import type { CrossGram } from "../kernels/gram.js";
import type { Loss } from "../losses.js";

export interface WidthFactors {
  /** ||Theta(w_0)||, the largest eigenvalue on the training rows. */
  readonly kernelNorm: number;
  /** Lipschitz constant rho of l / n; null where the loss has none: then the largest |l'| / n seen is in `slope`. */
  readonly lipschitz: number | null;
  /** Largest |l'| / n that the machine met. */
  readonly slope: number;
  /** Smoothness beta of l / n; null where l' jumps. */
  readonly smoothness: number | null;
  /** R = ||w_T - w_0||. */
  readonly radius: number;
  /** The ridge's share in f: lambda in the setting "theorem", lambda / m in "matched". */
  readonly lambda: number;
  /** The bound without its constant; null where an assumption fails. */
  readonly bound: number | null;
  /** Why there is no bound. */
  readonly reason: string | null;
}

/** Lipschitz and smoothness constants of l(z, y) by z, labels -1 / +1; null where there is none. */
export const LOSS_CONSTANTS: Readonly<
  Record<Loss, { readonly lipschitz: number | null; readonly smoothness: number | null }>
> = {
  hinge: { lipschitz: 1, smoothness: null },
  "squared-hinge": { lipschitz: null, smoothness: 2 },
  "epsilon-insensitive": { lipschitz: 1, smoothness: null },
  squared: { lipschitz: null, smoothness: 2 },
  logistic: { lipschitz: 1, smoothness: 1 / 4 },
};

interface Known {
  readonly n: number;
  readonly width: number;
  readonly depth: number;
  readonly lambda: number;
  readonly kernelNorm: number;
  readonly radius: number;
  readonly largestSlope: number;
}

/** The factors for the loss l / n of each row. */
export function boundFactors(loss: Loss, known: Known): WidthFactors {
  const { n, width, depth, lambda, kernelNorm, radius, largestSlope } = known;
  const { lipschitz, smoothness } = LOSS_CONSTANTS[loss];
  const [rho, beta] = [lipschitz, smoothness].map((value) => (value === null ? null : value / n));
  const factors = {
    kernelNorm,
    lipschitz: rho ?? null,
    slope: largestSlope / n,
    smoothness: beta ?? null,
    radius,
    lambda,
  };
  if (beta === null || beta === undefined)
    return { ...factors, bound: null, reason: `the ${loss} loss is not smooth, beta is infinite` };
  if (rho === null || rho === undefined)
    return { ...factors, bound: null, reason: `the ${loss} loss has no Lipschitz constant` };
  if (!(lambda > 0)) return { ...factors, bound: null, reason: "lambda is 0" };
  const size = Math.exp(beta * kernelNorm) * radius ** (3 * depth + 1) * rho * n ** 1.5;
  return { ...factors, bound: (size * Math.log(width)) / (lambda * Math.sqrt(width)), reason: null };
}

/** Power steps; the ratio of the two largest eigenvalues of a tangent kernel is well above 1. */
const ITERATIONS = 200;

/** Largest eigenvalue of a symmetric positive semidefinite matrix, from below; relative error below 1e-6 as a rule. */
export function spectralNorm({ rows, values }: CrossGram): number {
  let vector = new Float64Array(rows).fill(1 / Math.sqrt(rows));
  let largest = 0;
  for (let k = 0; k < ITERATIONS; k++) {
    const next = vector.map((_, i) => vector.reduce((sum, v, j) => sum + (values[i * rows + j] ?? 0) * v, 0));
    const size = Math.sqrt(next.reduce((sum, v) => sum + v * v, 0));
    if (!(size > 0)) return 0;
    const settled = Math.abs(size - largest) <= 1e-12 * size;
    largest = size;
    vector = next.map((v) => v / size);
    if (settled) break;
  }
  return largest;
}
