// arccos, h, h', kappa0 and kappa1 of the ReLU kernel, accurate to the stated error on the whole of [-1, 1].
// Everything is written in t = (1 - |u|) / 2, so nothing cancels near u = +-1, and the zeros of h and h' are factored
// out, so nothing cancels there either. Not here: intervals (bounds/) and kernels (kernel/).
//
// With w = |u|, theta_w = arccos w = 2 sqrt(t) arc(t):
//   h(u)      = 2u(pi - arccos u) + sqrt(1 - u^2)  = 2 pi max(u, 0) + sqrt(t) (z - w) gap(t)
//   h'(u)     = 2(pi - arccos u) + u / sqrt(1-u^2) = 2 pi [u >= 0] - sign(u) (z' - w) slope(t) / sqrt(t)
//   kappa0(u) = (pi - arccos u) / pi               = [u >= 0] - sign(u) 2 sqrt(t) arc(t) / pi
//   kappa1(u) = (u(pi - arccos u) + sqrt(1-u^2))/pi = max(u, 0) + t sqrt(t) cap(t) / pi
import {
  arc,
  cap,
  gap,
  GAP_ZERO_HIGH,
  GAP_ZERO_LOW,
  slope,
  SLOPE_ZERO_HIGH,
  SLOPE_ZERO_LOW,
} from "./polynomials";

export const PI: f64 = 3.141592653589793;
export const TWO_PI: f64 = 6.283185307179586;
export const INVERSE_PI: f64 = 0.3183098861837907;

/** arccos(u) for u in [-1, 1]; error <= 2 ulp. NaN outside. */
export function arccos(u: f64): f64 {
  const t = 0.5 * (1 - Math.abs(u));
  const angle = 2 * Math.sqrt(t) * arc(t);
  return u >= 0 ? angle : PI - angle;
}

/** h(u) of the two-layer NTK (Section 4.2) for u in [-1, 1]; error <= 2 ulp. NaN outside. */
export function h(u: f64): f64 {
  const w = Math.abs(u);
  const t = 0.5 * (1 - w);
  const bend = Math.sqrt(t) * (GAP_ZERO_HIGH - w + GAP_ZERO_LOW) * gap(t);
  return u >= 0 ? TWO_PI * w + bend : bend;
}

/** h'(u) for u in (-1, 1), +-Infinity at the ends; error <= 2.5 ulp. NaN outside. */
export function hPrime(u: f64): f64 {
  const w = Math.abs(u);
  const t = 0.5 * (1 - w);
  const bend = ((SLOPE_ZERO_HIGH - w + SLOPE_ZERO_LOW) * slope(t)) / Math.sqrt(t);
  return u >= 0 ? TWO_PI - bend : bend;
}

/** kappa0 from t = (1 - |u|) / 2 and the sign of u; error <= 2 ulp. */
// @ts-ignore: decorator
@inline
export function kappa0(negative: bool, t: f64): f64 {
  const tail = 2 * INVERSE_PI * Math.sqrt(t) * arc(t);
  return negative ? tail : 1 - tail;
}

/** kappa1(-w), the part of kappa1 that does not cancel, from t; error <= 2.5 ulp. kappa1(w) = w + kappa1(-w). */
// @ts-ignore: decorator
@inline
export function kappa1Tail(t: f64): f64 {
  return INVERSE_PI * (t * Math.sqrt(t)) * cap(t);
}

/** kappa0(u) for u in [-1, 1]. */
export function arcCosine0(u: f64): f64 {
  return kappa0(u < 0, 0.5 * (1 - Math.abs(u)));
}

/** kappa1(u) for u in [-1, 1]. */
export function arcCosine1(u: f64): f64 {
  const w = Math.abs(u);
  const tail = kappa1Tail(0.5 * (1 - w));
  return u >= 0 ? w + tail : tail;
}
