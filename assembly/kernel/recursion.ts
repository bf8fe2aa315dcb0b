// NTK and NNGP of a fully connected ReLU network of any depth, from one inner product and two squared norms.
// The network: f = v . a_L / sqrt(m), a_l = relu(W_l a_{l-1} / sqrt(m_{l-1}) + b_l), weights N(0, sw2), biases
// N(0, sb2); depth = hidden layers L >= 1; (sw2, sb2, L) = (1, 0, 1) is the formula of Section 4.2 exactly.
//
//   K_0     = sw2 <x, x'> / d + sb2                 g_l = sqrt(K_l(x, x) K_l(x', x')),  u_l = K_l / g_l
//   K_l     = (sw2 / 2) g_{l-1} kappa1(u_{l-1}) + sb2                                     (NNGP)
//   Theta_l = K_l + (sw2 / 2) kappa0(u_{l-1}) Theta_{l-1},  Theta_0 = K_0                 (NTK)
//
// The recursion carries t = (1 - |u|) / 2 instead of u, which would round to 1 as depth grows, and Theta_l / g_l
// instead of Theta_l, so only the last line can overflow, and only when the value itself does.
// Not here: other activations (activation.ts), inner products (dot.ts) and whole rows (row.ts), where the two-layer case has
// its own fast form.
import {
  KERNEL_BIAS_VARIANCE,
  KERNEL_DEPTH,
  KERNEL_KIND,
  KERNEL_WEIGHT_VARIANCE,
  KIND_NTK,
} from "../layout";
import { kappa0, kappa1Tail } from "../math/elementary";
import { field, floatField } from "../memory";

/** sqrt(a b), which is a exactly where b = a; scaled by powers of two where the product itself would leave the range. */
// @ts-ignore: decorator
@inline
export function rootOfProduct(a: f64, b: f64): f64 {
  const product = a * b;
  if (product > 1e-280 && product < 1e280) return Math.sqrt(product);
  const scale: f64 = product < 1 ? 2.037035976334486e90 : 4.909093465297727e-91; // 2^300 or 2^-300
  return Math.sqrt(a * scale * (b * scale)) / scale;
}

/**
 * Kernel value from dot = <x, x'>, squared norms nx, ny (all >= 0 for the norms, in real units) and input size d.
 * Identical inputs give u = 1 exactly, a zero vector gives the limit 0 (sb2 = 0). Relative error about L * 4 ulp.
 */
export function reluValue(kernel: usize, dot: f64, nx: f64, ny: f64, d: f64): f64 {
  const depth = field(kernel, KERNEL_DEPTH);
  const weight = floatField(kernel, KERNEL_WEIGHT_VARIANCE);
  const bias = floatField(kernel, KERNEL_BIAS_VARIANCE);
  const half = 0.5 * weight;
  let qx = (weight * nx) / d + bias;
  let qy = (weight * ny) / d + bias;
  if (qx <= 0 || qy <= 0) return 0;
  let rx = Math.sqrt(qx);
  let ry = Math.sqrt(qy);
  let g = rootOfProduct(qx, qy);
  const first = (weight * dot) / d + bias;
  const positive = first >= 0;
  let t = Math.max(0, (0.5 * (g - Math.abs(first))) / g);
  let negative = !positive;
  let u = positive ? 1 - 2 * t : 2 * t - 1;
  let theta = u; // Theta_l / g_l
  for (let layer = 0; layer < depth; ++layer) {
    const tail = kappa1Tail(t);
    const angle = kappa0(negative, t);
    const px = half * qx + bias;
    const py = half * qy + bias;
    const sx = Math.sqrt(px);
    const sy = Math.sqrt(py);
    const next = sx * sy;
    const shrink = (half * g) / next; // (sw2/2) g_{l-1} / g_l, 1 when sb2 = 0
    // (1 - u_l): what kappa1 loses plus what unequal diagonals lose, both without cancellation.
    const lost = negative ? 1 - tail : 2 * t - tail;
    const spread = rx - ry;
    const unequal = bias == 0 ? 0 : (half * bias * spread * spread) / (next * (next + bias + half * g));
    t = Math.max(0, 0.5 * ((bias == 0 ? 1 : shrink) * lost + unequal));
    theta = (bias == 0 ? 1 : shrink) * angle * theta;
    negative = t > 0.5;
    if (negative) t = 1 - t;
    u = negative ? 2 * t - 1 : 1 - 2 * t;
    theta += u;
    qx = px;
    qy = py;
    rx = sx;
    ry = sy;
    g = next;
  }
  return g * (field(kernel, KERNEL_KIND) == KIND_NTK ? theta : u);
}
