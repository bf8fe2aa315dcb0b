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

/** What PI and TWO_PI leave of pi and 2 pi. */
const PI_REST: f64 = 1.2246467991473532e-16;
const TWO_PI_REST: f64 = 2.4492935982947064e-16;

/** 2^27 + 1: Dekker's constant, which splits a double into two halves of 26 bits. */
const SPLITTER: f64 = 134217729;

/** a b - fl(a b), exactly (Dekker, Numer. Math. 18, 1971); p is fl(a b), sizes between 1e-250 and 1e250. */
// @ts-ignore: decorator
@inline
function productError(a: f64, b: f64, p: f64): f64 {
  const aScaled = SPLITTER * a;
  const aHigh = aScaled - (aScaled - a);
  const aLow = a - aHigh;
  const bScaled = SPLITTER * b;
  const bHigh = bScaled - (bScaled - b);
  const bLow = b - bHigh;
  return aLow * bLow - (p - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}

// t = (1 - w) / 2 and its square root as sums of two doubles, set by halve(): the functions below keep what a single
// double would round away, so that little more than the polynomial's own error is left.
let t: f64 = 0;
let root: f64 = 0;
let rootRest: f64 = 0;

function halve(w: f64): void {
  const twice = 1 - w;
  const rest = 1 - twice - w; // exact: w is in [0, 1]
  t = 0.5 * twice;
  root = Math.sqrt(t);
  const square = root * root;
  rootRest = (t - square - productError(root, root, square) + 0.5 * rest) / (2 * root);
}

/** arccos(u) for u in [-1, 1]; error <= 2 ulp. NaN outside. */
export function arccos(u: f64): f64 {
  const w = Math.abs(u);
  if (w == 1) return u > 0 ? 0 : PI;
  halve(w);
  const factor = arc(t);
  const product = factor * root;
  const angle = 2 * product;
  const rest = 2 * (productError(factor, root, product) + factor * rootRest);
  return u >= 0 ? angle + rest : PI - angle + (PI_REST - rest);
}

/** h(u) of the two-layer NTK (Section 4.2) for u in [-1, 1]; error <= 2 ulp. NaN outside. */
export function h(u: f64): f64 {
  const w = Math.abs(u);
  if (w == 1) return u > 0 ? TWO_PI : 0;
  halve(w);
  const factor = gap(t);
  const distance = GAP_ZERO_HIGH - w;
  const distanceRest = GAP_ZERO_HIGH - distance - w + GAP_ZERO_LOW;
  const inner = distance * factor;
  const bend = root * inner;
  const innerRest = productError(distance, factor, inner) + distanceRest * factor;
  const rest = productError(root, inner, bend) + root * innerRest + rootRest * inner;
  if (u < 0) return bend + rest;
  const line = TWO_PI * w;
  return line + bend + (rest + productError(TWO_PI, w, line) + TWO_PI_REST * w);
}

/** h'(u) for u in (-1, 1), +-Infinity at the ends; error <= 2 ulp. NaN outside. */
export function hPrime(u: f64): f64 {
  const w = Math.abs(u);
  if (w == 1) return u * Infinity;
  halve(w);
  const factor = slope(t);
  const distance = SLOPE_ZERO_HIGH - w;
  const distanceRest = SLOPE_ZERO_HIGH - distance - w + SLOPE_ZERO_LOW;
  const inner = distance * factor;
  const innerRest = productError(distance, factor, inner) + distanceRest * factor;
  const bend = inner / root;
  const back = bend * root;
  const rest = (inner - back - productError(bend, root, back) + innerRest - bend * rootRest) / root;
  return u < 0 ? bend + rest : TWO_PI - bend + (TWO_PI_REST - rest);
}

/** h''(u) = 2 / sqrt(1 - u^2) + (1 - u^2)^(-3/2) for u in (-1, 1), +Infinity at the ends; error <= 8 ulp. At least 3. */
export function hSecond(u: f64): f64 {
  const square = (1 - u) * (1 + u);
  const inverse = 1 / Math.sqrt(square);
  return inverse * (2 + 1 / square);
}

/** kappa0 from t = (1 - |u|) / 2 and the sign of u; error <= 3.5 ulp. */
// @ts-ignore: decorator
@inline
export function kappa0(negative: bool, t: f64): f64 {
  const tail = 2 * INVERSE_PI * Math.sqrt(t) * arc(t);
  return negative ? tail : 1 - tail;
}

/** kappa1(-w), the part of kappa1 that does not cancel, from t; error <= 3.5 ulp. kappa1(w) = w + kappa1(-w). */
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
