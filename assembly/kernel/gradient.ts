// Derivatives of ReLU networks' NTK and NNGP by the inner product <x, x'> and the squared norm ||x||^2, for any depth: forward
// differentiation of the recursion in recursion.ts. With k0 = kappa0(u), k1 = kappa1(u), g = sqrt(q q'), u = K / g,
//   d(g k1)  = k0 dK + (k1 - u k0) dg,    dg = g dq / (2 q),    d k0 = du / (pi sqrt(1 - u^2)),   du = dK / g - u dq / (2 q)
// Nearly parallel inputs have slopes that grow without bound; u is kept away from +-1 there, so that they stay finite.
// Not here: values (recursion.ts), other activations (activation-gradient.ts), and the two-layer NTK's own fast form
// (attack/machine.ts).
import { KERNEL_BIAS_VARIANCE, KERNEL_DEPTH, KERNEL_KIND, KERNEL_WEIGHT_VARIANCE, KIND_NTK } from "../layout";
import { arcCosine0, arcCosine1, PI } from "../math/elementary";
import { field, floatField } from "../memory";

/** Least 1 - u^2 in quotients. */
const LEAST: f64 = 1e-15;

/** dK / d<x, x'> and dK / d||x||^2, set by reluSlopes. */
export let reluByDot: f64 = 0;
export let reluByNorm: f64 = 0;

/** Sets reluByDot and reluByNorm; arguments as reluValue's. Both are 0 where either input is the zero vector. */
export function reluSlopes(kernel: usize, dot: f64, nx: f64, ny: f64, d: f64): void {
  const weight = floatField(kernel, KERNEL_WEIGHT_VARIANCE);
  const bias = floatField(kernel, KERNEL_BIAS_VARIANCE);
  const half = 0.5 * weight;
  let qx = (weight * nx) / d + bias;
  let qy = (weight * ny) / d + bias;
  reluByDot = 0;
  reluByNorm = 0;
  if (qx <= 0 || qy <= 0) return;
  let k = (weight * dot) / d + bias;
  let theta = k;
  // Derivatives by the dot product (D) and by the squared norm (N) of q, K and Theta.
  let qN = weight / d;
  let kD = weight / d;
  let kN: f64 = 0;
  let thetaD = kD;
  let thetaN: f64 = 0;
  const depth = field(kernel, KERNEL_DEPTH);
  for (let layer = 0; layer < depth; ++layer) {
    const g = Math.sqrt(qx) * Math.sqrt(qy);
    const u = Math.min(Math.max(k / g, -1), 1);
    const k0 = arcCosine0(u);
    const k1 = arcCosine1(u);
    const bend = 1 / (PI * Math.sqrt(Math.max(1 - u * u, LEAST)));
    const uD = kD / g;
    const uN = kN / g - (u * qN) / (2 * qx);
    const nextD = half * k0 * kD;
    const nextN = half * (k0 * kN + (k1 - u * k0) * g * (qN / (2 * qx)));
    thetaD = nextD + half * (k0 * thetaD + theta * bend * uD);
    thetaN = nextN + half * (k0 * thetaN + theta * bend * uN);
    k = half * g * k1 + bias;
    theta = k + half * k0 * theta;
    kD = nextD;
    kN = nextN;
    qx = half * qx + bias;
    qy = half * qy + bias;
    qN = half * qN;
  }
  const tangent = field(kernel, KERNEL_KIND) == KIND_NTK;
  reluByDot = tangent ? thetaD : kD;
  reluByNorm = tangent ? thetaN : kN;
}
