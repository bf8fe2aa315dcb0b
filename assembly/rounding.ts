// Outward rounding: the only place that knows how a bound is made safe. WebAssembly rounds to nearest, so a computed
// value is moved outward by a proved bound of what rounding may have done, or to the neighbouring double.
// Not here: the bounds themselves (bounds/).

const ROUNDOFF: f64 = 1.1102230246251565e-16;

/** Unit roundoff of float64; 0 while a job that asked for estimates runs (CERTIFY_ESTIMATE), so that nothing is widened. */
export let UNIT: f64 = ROUNDOFF;

/** Whether bounds are proved from here on. A job that turns it off turns it on again before it ends. */
export function setRigorous(rigorous: bool): void {
  UNIT = rigorous ? ROUNDOFF : 0;
}

// @ts-ignore: decorator
@inline
export function isRigorous(): bool {
  return UNIT > 0;
}

/** Smallest double above x; x itself when it is +Infinity or NaN. */
export function nextUp(x: f64): f64 {
  if (!(x < Infinity)) return x;
  const bits = reinterpret<i64>(x + 0.0);
  return reinterpret<f64>(x >= 0 ? (x == 0 ? 1 : bits + 1) : bits - 1);
}

/** Largest double below x; x itself when it is -Infinity or NaN. */
export function nextDown(x: f64): f64 {
  return -nextUp(-x);
}

/**
 * A value >= every real within relative distance ulps * UNIT of x, for x >= 0 and ulps <= 1e7; also where the
 * distance is that of a sum of `ulps` positive terms, ulps * UNIT / (1 - ulps * UNIT).
 */
// @ts-ignore: decorator
@inline
export function above(x: f64, ulps: f64): f64 {
  return x * (1 + (ulps + 4) * UNIT);
}

/** A value <= every real within relative distance ulps * UNIT of x, for x >= 0 and ulps <= 1000. */
// @ts-ignore: decorator
@inline
export function below(x: f64, ulps: f64): f64 {
  return x * (1 - (ulps + 4) * UNIT);
}

/**
 * Bound of |computed - exact| for a sum of `count` terms, each with relative error <= ulps * UNIT, added in any order
 * in float64; `size` is the computed sum of their absolute values. (Higham, Accuracy and Stability, section 4.2.)
 */
export function sumError(count: f64, ulps: f64, size: f64): f64 {
  const gamma = (count + ulps + 4) * UNIT;
  return (gamma / (1 - 2 * gamma)) * size * (1 + 2 * gamma) + 1e-300;
}
