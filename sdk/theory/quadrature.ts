// Weights of rules for e^(-lambda T) int_0^T c(t) e^(lambda t) dt at the N + 1 nodes of equal steps. Not here: what is integrated
// (path-kernel.ts).

/**
 * "descent" is the sum that Euler's steps themselves form, eta sum_k (1 - eta lambda)^(N - 1 - k) c(t_k): of first order for
 * the flow, and exact for descent where the tangent kernel is constant. "trapezoid" is of second, "simpson" of fourth order for smooth c.
 */
export const QUADRATURES = ["descent", "trapezoid", "simpson"] as const;
export type Quadrature = (typeof QUADRATURES)[number];

/** N + 1 weights. Simpson's rule needs an even N. */
export function quadratureWeights(rule: Quadrature, steps: number, step: number, lambda: number): Float64Array {
  return Float64Array.from({ length: steps + 1 }, (_, k) => {
    if (rule === "descent") return k === steps ? 0 : step * (1 - step * lambda) ** (steps - 1 - k);
    const end = k === 0 || k === steps;
    const share = rule === "trapezoid" ? (end ? 1 / 2 : 1) : (end ? 1 : k % 2 === 0 ? 2 : 4) / 3;
    return step * share * Math.exp(-lambda * step * (steps - k));
  });
}
