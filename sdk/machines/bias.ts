// The bias b that minimises a machine's loss for given outputs f, one number at a time. Not here: the losses
// (assembly/math/loss.ts); these are where their derivatives change.

/** A place on the line of b where the slope of a piecewise linear loss rises by `rise` > 0. */
export interface Knot {
  readonly at: number;
  readonly rise: number;
}

/**
 * Where a convex piecewise linear function is least, from its slope at -Infinity and its knots. Where an interval is
 * optimal its middle is taken; where it is a half-line, the point nearest 0.
 */
export function leastOfKnots(slope: number, knots: readonly Knot[]): number {
  const sorted = [...knots].sort((a, b) => a.at - b.at);
  const rounding = 1e-12 * sorted.reduce((sum, { rise }) => sum + rise, Math.abs(slope));
  let own = slope;
  let before: number | undefined;
  for (const { at, rise } of sorted) {
    if (Math.abs(own) <= rounding) return before === undefined ? Math.min(0, at) : (before + at) / 2;
    own += rise;
    before = at;
    if (own > rounding) return at;
  }
  return Math.max(0, before ?? 0);
}

/** The b that minimises sum_i w_i max(0, 1 - y_i (f_i + b)). */
export function hingeBias(y: Float64Array, f: Float64Array, weights: Float64Array): number {
  let slope = 0;
  const knots: Knot[] = [];
  y.forEach((label, i) => {
    const rise = weights[i] ?? 0;
    if (!(rise > 0)) return;
    if (label > 0) slope -= rise;
    knots.push({ at: label - (f[i] ?? 0), rise });
  });
  return leastOfKnots(slope, knots);
}

/** The b that minimises sum_i w_i max(0, |y_i - f_i - b| - epsilon). */
export function epsilonBias(y: Float64Array, f: Float64Array, weights: Float64Array, epsilon: number): number {
  let slope = 0;
  const knots: Knot[] = [];
  y.forEach((target, i) => {
    const rise = weights[i] ?? 0;
    if (!(rise > 0)) return;
    slope -= rise;
    const middle = target - (f[i] ?? 0);
    knots.push({ at: middle - epsilon, rise }, { at: middle + epsilon, rise });
  });
  return leastOfKnots(slope, knots);
}

/**
 * The b that minimises sum_i w_i max(0, 1 - y_i (f_i + b))^2. With k_i = y_i - f_i half the derivative is
 * sum w_i (b - k_i) over the positive rows with k_i > b and the negative ones with k_i < b: it rises with b.
 */
export function squaredHingeBias(y: Float64Array, f: Float64Array, weights: Float64Array): number {
  const rows = Array.from(y, (label, i) => ({ label, at: label - (f[i] ?? 0), weight: weights[i] ?? 0 }))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => a.at - b.at);
  let [sum, moment] = [0, 0];
  for (const { label, at, weight } of rows) {
    if (label < 0) continue;
    sum += weight;
    moment += weight * at;
  }
  const rounding = 1e-12 * rows.reduce((total, { weight }) => total + weight, 0);
  let before: number | undefined;
  for (const { label, at, weight } of rows) {
    // No row is below its margin up to `at`: any b there will do.
    if (sum <= rounding) return before === undefined ? Math.min(0, at) : (before + at) / 2;
    // The root of sum b - moment, if it lies before `at`.
    if (moment <= sum * at) return moment / sum;
    sum -= label * weight;
    moment -= label * weight * at;
    before = at;
  }
  return sum > rounding ? moment / sum : Math.max(0, before ?? 0);
}
