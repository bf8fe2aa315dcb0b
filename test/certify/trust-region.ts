// Minima of quadratics on a unit ball beside [-1, 1], known without the bounds that are tested: random ones, made from
// their eigenvalues. Not here: the bounds (semidefinite.test.ts, checker-bounds.test.ts).
import { normal, uniform } from "../seeded.js";

/** min of sum of c_k y_k + m_k y_k^2 / 2 over ||y|| <= 1: the secular equation by bisection, More and Sorensen 1983. */
function diagonalMinimum(values: readonly number[], c: readonly number[]): number {
  const at = (shift: number) => values.map((m, k) => (m + shift === 0 ? 0 : -(c[k] ?? 0) / (m + shift)));
  const length = (y: readonly number[]) => Math.hypot(...y);
  let low = Math.max(0, -Math.min(...values));
  let high = low + Math.hypot(...c) + 1;
  for (let step = 0; step < 200; step++) {
    const middle = 0.5 * (low + high);
    if (length(at(middle)) > 1) low = middle;
    else high = middle;
  }
  // The dual's value, which is the minimum (S-lemma).
  return -0.5 * values.reduce((sum, m, k) => sum + ((c[k] ?? 0) * (c[k] ?? 0)) / (m + high || 1), high);
}

/** min of c s + m s^2 / 2 over [-1, 1]. */
function lineMinimum(m: number, c: number): number {
  const ends = -Math.abs(c) + 0.5 * m;
  return m > 0 && Math.abs(c) < m ? (-0.5 * c * c) / m : ends;
}

export interface Quadratic {
  /** M, rows of n entries; the last variable stands alone. */
  readonly matrix: readonly number[][];
  readonly linear: readonly number[];
  readonly minimum: number;
}

/** A quadratic of n variables in the ball and one beside it, whose eigenvalues are between -size and size. */
export function randomQuadratic(n: number, size: number, slope: number, seed: number): Quadratic {
  const next = normal(uniform(seed));
  const values = Array.from({ length: n }, () => size * Math.tanh(next()));
  const own = Array.from({ length: n }, () => slope * next());
  const [last, lastSlope] = [size * Math.tanh(next()), slope * next()];
  // Turned by reflections: the ball does not see it.
  const matrix = Array.from({ length: n }, (_, k) =>
    Array.from({ length: n }, (_, l) => (k === l ? (values[k] ?? 0) : 0)),
  );
  const linear = own.slice();
  for (let turn = 0; turn < 3; turn++) {
    const v = Array.from({ length: n }, next);
    const square = v.reduce((sum, entry) => sum + entry * entry, 0);
    const reflect = (x: number[]) => {
      const share = (2 * x.reduce((sum, entry, k) => sum + entry * (v[k] ?? 0), 0)) / square;
      x.forEach((entry, k) => {
        x[k] = entry - share * (v[k] ?? 0);
      });
    };
    for (const row of matrix) reflect(row);
    for (let l = 0; l < n; l++) {
      const column = matrix.map((row) => row[l] ?? 0);
      reflect(column);
      for (const [k, row] of matrix.entries()) row[l] = column[k] ?? 0;
    }
    reflect(linear);
  }
  const symmetric = matrix.map((row, k) => row.map((entry, l) => 0.5 * (entry + (matrix[l]?.[k] ?? 0))));
  return {
    matrix: [...symmetric.map((row) => [...row, 0]), [...new Array(n).fill(0), last]],
    linear: [...linear, lastSlope],
    minimum: diagonalMinimum(values, own) + lineMinimum(last, lastSlope),
  };
}
