// Derivatives of the kernels of activation.ts by the inner product <x, x'> and the squared norm ||x||^2: forward
// differentiation of their recursion. By Price's theorem dF/dc = F_c and dF/dp = E phi''(a) phi(b) / 2; with
// D = (1 + 2p)(1 + 2q) - 4 c^2
//   erf          F_p = -F_c c / (1 + 2p),   F_cc = 4 c F_c / D,   F_cp = -F_c (1 + 2q) / D,   dF(p, p, p)/dp = F_c / (1 + 2p)
//   sine         F_p = -F / 2,   F_cc = F,   F_cp = -F_c / 2,   dF(p, p, p)/dp = e^-2p
//   leaky ReLU   F_p = r g (kappa1 - u kappa0) / (2p),   F_cc = r / (pi g sqrt(1 - u^2)),   F_cp = -F_cc c / (2p)
// Not here: values to full accuracy (activation.ts); what an attack follows needs only their direction.
import {
  ACTIVATION_ERF,
  ACTIVATION_LEAKY_RELU,
  KERNEL_ACTIVATION,
  KERNEL_BIAS_VARIANCE,
  KERNEL_DEPTH,
  KERNEL_FACTOR,
  KERNEL_KIND,
  KERNEL_WEIGHT_VARIANCE,
  KIND_NTK,
} from "../layout";
import { arcCosine0, arcCosine1, arccos, INVERSE_PI, PI } from "../math/elementary";
import { field, floatField } from "../memory";
import { rootOfProduct } from "./recursion";

/** Least 1 - u^2 in quotients. */
const LEAST: f64 = 1e-15;

/** dK / d<x, x'> and dK / d||x||^2, set by activationSlopes. */
export let activationByDot: f64 = 0;
export let activationByNorm: f64 = 0;

// F and its derivatives at one layer; dF(p, p, p)/dp and F(p, p, p), F(q, q, q).
let value: f64 = 0;
let byC: f64 = 0;
let byP: f64 = 0;
let byCC: f64 = 0;
let byCP: f64 = 0;
let ownSlope: f64 = 0;
let ownX: f64 = 0;
let ownY: f64 = 0;

/** Sets activationByDot and activationByNorm; arguments as activationValue's. Both 0 where either input is zero. */
export function activationSlopes(kernel: usize, dot: f64, nx: f64, ny: f64, d: f64): void {
  const weight = floatField(kernel, KERNEL_WEIGHT_VARIANCE);
  const bias = floatField(kernel, KERNEL_BIAS_VARIANCE);
  const activation = field(kernel, KERNEL_ACTIVATION);
  let p = (weight * nx) / d + bias;
  let q = (weight * ny) / d + bias;
  activationByDot = 0;
  activationByNorm = 0;
  let k = (weight * dot) / d + bias;
  let theta = k;
  let pN = weight / d;
  let kD = weight / d;
  let kN: f64 = 0;
  let thetaD = kD;
  let thetaN: f64 = 0;
  const depth = field(kernel, KERNEL_DEPTH);
  for (let layer = 0; layer < depth; ++layer) {
    const g = rootOfProduct(p, q);
    if (!(g > 0)) return;
    const u = Math.min(Math.max(k / g, -1), 1);
    if (activation == ACTIVATION_LEAKY_RELU) leakyTerms(p, q, g, u, floatField(kernel, KERNEL_FACTOR));
    else if (activation == ACTIVATION_ERF) erfTerms(p, q, g, u);
    else sineTerms(p, q, g, u);
    thetaD = weight * (byC * (kD + thetaD) + theta * byCC * kD);
    thetaN = weight * (byC * (kN + thetaN) + byP * pN + theta * (byCC * kN + byCP * pN));
    kN = weight * (byC * kN + byP * pN);
    kD = weight * byC * kD;
    k = weight * value + bias;
    theta = k + weight * byC * theta;
    pN = weight * ownSlope * pN;
    p = weight * ownX + bias;
    q = weight * ownY + bias;
  }
  const tangent = field(kernel, KERNEL_KIND) == KIND_NTK;
  activationByDot = tangent ? thetaD : kD;
  activationByNorm = tangent ? thetaN : kN;
}

function leakyTerms(p: f64, q: f64, g: f64, u: f64, slope: f64): void {
  const r = 0.5 * (1 - slope) * (1 - slope);
  const k0 = arcCosine0(u);
  const k1 = arcCosine1(u);
  value = g * (slope * u + r * k1);
  byC = slope + r * k0;
  byP = (r * (k1 - u * k0) * g) / (2 * p);
  byCC = r / (PI * Math.sqrt(Math.max(1 - u * u, LEAST))) / g;
  byCP = (-byCC * g * u) / (2 * p);
  ownSlope = slope + r;
  ownX = ownSlope * p;
  ownY = ownSlope * q;
}

function erfTerms(p: f64, q: f64, g: f64, u: f64): void {
  const x = 1 / (1 + 2 * p);
  const y = 1 / (1 + 2 * q);
  const root = Math.sqrt(x) * Math.sqrt(y);
  const s = Math.min(Math.max(2 * g * root * u, -1), 1); // sin of the angle
  const square = x + y - x * y + 4 * (g * root) * (g * root) * (1 - u) * (1 + u); // cos^2 of it
  byC = (4 * INVERSE_PI * root) / Math.sqrt(square);
  value = 1 - 2 * INVERSE_PI * arccos(s);
  byP = -byC * g * u * x;
  byCC = (2 * s * byC * root) / square;
  byCP = (-byC * x) / square;
  ownSlope = (4 * INVERSE_PI * x) / Math.sqrt(1 + 4 * p);
  ownX = 1 - 2 * INVERSE_PI * arccos(2 * p * x);
  ownY = 1 - 2 * INVERSE_PI * arccos(2 * q * y);
}

function sineTerms(p: f64, q: f64, g: f64, u: f64): void {
  const middle = 0.5 * (p + q);
  const plus = 0.5 * NativeMath.exp(g * u - middle);
  const minus = 0.5 * NativeMath.exp(-g * u - middle);
  value = plus - minus;
  byC = plus + minus;
  byP = -0.5 * value;
  byCC = value;
  byCP = -0.5 * byC;
  ownSlope = NativeMath.exp(-2 * p);
  ownX = 0.5 * (1 - ownSlope);
  ownY = 0.5 * (1 - NativeMath.exp(-2 * q));
}
