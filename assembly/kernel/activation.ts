// NTK and NNGP of a fully connected network with leaky ReLU, erf or sine units, any depth, from one inner product and two
// squared norms. The network is that of recursion.ts with phi in place of the ReLU. With p, q the variances of two
// pre-activations, c = u sqrt(p q) their covariance, F(p, q, c) = E phi(a) phi(b) and F_c = E phi'(a) phi'(b),
//
//   K_0 = sw2 <x, x'> / d + sb2,   K_l = sw2 F(K_{l-1}) + sb2,   Theta_l = K_l + sw2 F_c(K_{l-1}) Theta_{l-1}
//
//   leaky ReLU, slope s   F = s c + r g kappa1(u),  F_c = s + r kappa0(u),  r = (1 - s)^2 / 2,  g = sqrt(p q): the
//                         unit is s z + (1 - s) relu(z), and E z relu(z') = c / 2 (Cho and Saul, 2009)
//   erf                   F = (2 / pi) asin(2 c / sqrt((1 + 2p)(1 + 2q))),  F_c = (4 / pi) / sqrt((1 + 2p)(1 + 2q) - 4 c^2)
//                         (Williams, Computing with infinite networks, 1997)
//   sine                  F = e^(-(p + q) / 2) sinh c,  F_c = e^(-(p + q) / 2) cosh c (characteristic functions of a -+ b)
//
// Only the first is homogeneous, so p and q go along. Like recursion.ts this carries t = (1 - |u|) / 2, and each layer
// gives what |F| lacks of sqrt(F(p, p, p) F(q, q, q)), its value for parallel inputs of equal norms: every difference that
// comes out small is formed from factors, and equal inputs lack exactly 0. Of erf and sine it has two parts: what the
// angle takes (drop) and what unequal norms take (spread).
// Not here: the ReLU itself, which is faster (recursion.ts), and derivatives (activation-gradient.ts).
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
import { INVERSE_PI, kappa0, kappa1Tail } from "../math/elementary";
import { arc } from "../math/polynomials";
import { field, floatField } from "../memory";
import { rootOfProduct } from "./recursion";

// What one layer makes of two pre-activations.
let varianceX: f64 = 0; // F(p, p, p)
let varianceY: f64 = 0;
let lack: f64 = 0; // sqrt(varianceX varianceY) - |F|
let flips: bool = false; // F < 0
let slopes: f64 = 0; // F_c

/** Kernel value; arguments as reluValue's. Equal inputs keep t = 0 exactly. Relative error about L * 16 ulp of the size. */
export function activationValue(kernel: usize, dot: f64, nx: f64, ny: f64, d: f64): f64 {
  const depth = field(kernel, KERNEL_DEPTH);
  const weight = floatField(kernel, KERNEL_WEIGHT_VARIANCE);
  const bias = floatField(kernel, KERNEL_BIAS_VARIANCE);
  const activation = field(kernel, KERNEL_ACTIVATION);
  let p = (weight * nx) / d + bias;
  let q = (weight * ny) / d + bias;
  if (p <= 0 || q <= 0) return 0;
  let g = rootOfProduct(p, q);
  const first = (weight * dot) / d + bias;
  let negative = first < 0;
  let t = Math.max(0, (0.5 * (g - Math.abs(first))) / g);
  let own = negative ? g * (2 * t - 1) : g * (1 - 2 * t);
  let theta = own;
  for (let layer = 0; layer < depth; ++layer) {
    if (activation == ACTIVATION_LEAKY_RELU) leakyLayer(p, q, g, t, negative, floatField(kernel, KERNEL_FACTOR));
    else {
      flips = negative;
      if (activation == ACTIVATION_ERF) erfLayer(p, q, g, t);
      else sineLayer(p, q, g, t);
    }
    const sx = weight * varianceX;
    const sy = weight * varianceY;
    const size = rootOfProduct(sx, sy);
    const lost = weight * lack;
    p = sx + bias;
    q = sy + bias;
    g = rootOfProduct(p, q);
    if (!(g > 0)) return 0;
    // What biases add to sqrt(p q) beyond themselves, without a difference of roots of products.
    const apart = Math.sqrt(sx) - Math.sqrt(sy);
    const unequal = bias == 0 ? 0 : (bias * apart * apart) / (g + size + bias);
    const shifted = bias + lost - size;
    negative = flips && shifted < 0;
    const rest = !flips ? lost + unequal : negative ? lost + unequal + 2 * bias : g - shifted;
    t = Math.min(0.5, Math.max(0, (0.5 * rest) / g));
    own = negative ? g * (2 * t - 1) : g * (1 - 2 * t);
    theta = own + weight * slopes * theta;
  }
  return field(kernel, KERNEL_KIND) == KIND_NTK ? theta : own;
}

function leakyLayer(p: f64, q: f64, g: f64, t: f64, negative: bool, slope: f64): void {
  const r = 0.5 * (1 - slope) * (1 - slope);
  const whole = slope + r; // (1 + slope^2) / 2
  const tail = r * kappa1Tail(t);
  varianceX = whole * p;
  varianceY = whole * q;
  slopes = slope + r * kappa0(negative, t);
  const line = slope * (1 - 2 * t);
  flips = negative && line > tail;
  if (!negative) lack = g * (2 * t * whole - tail);
  else lack = g * (flips ? r + 2 * t * slope + tail : whole + line - tail);
}

/** Variances further apart than this have no common digits to lose. */
const APART: f64 = 2;

/** asin(s), |s| <= 1 / sqrt 2. One copy of the polynomial is enough here. */
function arcsine(s: f64): f64 {
  return s * arc(s * s);
}

/** The angle in [0, pi / 2] of a sine and cosine, relative error a few ulp. */
function angle(sine: f64, cosine: f64): f64 {
  return 2 * arcsine(sine / Math.sqrt(2 * (1 + cosine)));
}

/** With a = 2p / (1 + 2p) = sin A, b = sin B of q, sin C = sqrt(a b) at t = 0: what is lost is sqrt(A B) - C, then C's fall. */
function erfLayer(p: f64, q: f64, g: f64, t: f64): void {
  const x = 1 / (1 + 2 * p); // 1 - a
  const y = 1 / (1 + 2 * q);
  const a = 2 * p * x;
  const b = 2 * q * y;
  const cosineX = Math.sqrt(x * (1 + a));
  const cosineY = Math.sqrt(y * (1 + b));
  const angleX = angle(a, cosineX);
  const angleY = angle(b, cosineY);
  const root = Math.sqrt(x) * Math.sqrt(y);
  const sine = 2 * g * root;
  const square = sine * sine;
  const parallel = x + y - x * y; // cos^2 C
  const curve = 4 * t * (1 - t); // 1 - u^2
  const cosine = Math.sqrt(parallel);
  const turned = Math.sqrt(parallel + square * curve);
  const u = 1 - 2 * t;
  const drop = angle((sine * curve) / (turned + u * cosine), turned * cosine + square * u);
  varianceX = 2 * INVERSE_PI * angleX;
  varianceY = 2 * INVERSE_PI * angleY;
  slopes = (4 * INVERSE_PI * root) / turned;
  let spread: f64;
  if (p > APART * q || q > APART * p) {
    spread = Math.max(0, Math.sqrt(angleX) * Math.sqrt(angleY) - angle(sine, cosine));
  } else {
    // (A + B) / 2 - C less (sqrt A - sqrt B)^2 / 2, both through sines of differences, which have the factor p - q.
    const apart = 2 * x * y * (p - q);
    const cross = a * cosineY + b * cosineX;
    const rootA = Math.sqrt(a);
    const rootB = Math.sqrt(b);
    const between = (rootA * cosine + rootB * cosineX) * (rootA * cosineY + rootB * cosine);
    const difference = apart * ((a + b) / cross);
    const half = (difference * (apart / between)) / Math.sqrt(2 * (1 + cosineX * cosineY + a * b));
    const turn = arcsine(difference);
    const roots = Math.sqrt(angleX) + Math.sqrt(angleY);
    spread = Math.max(0, arcsine(half) - 0.5 * (turn / roots) * (turn / roots));
  }
  lack = 2 * INVERSE_PI * (drop + spread);
}

/** 1 - e^-x for x >= 0; error a few ulp (Higham, Accuracy and Stability, section 1.14.1). */
function fall(x: f64): f64 {
  const left = NativeMath.exp(-x);
  if (left < 0.5) return 1 - left;
  return left == 1 ? x : ((1 - left) * x) / -NativeMath.log(left);
}

/** With sinh c = e^c (1 - e^-2c) / 2; (p + q) / 2 - |c| = (sqrt p - sqrt q)^2 / 2 + 2 g t. */
function sineLayer(p: f64, q: f64, g: f64, t: f64): void {
  const wholeX = fall(2 * p);
  const wholeY = fall(2 * q);
  const roots = Math.sqrt(p) + Math.sqrt(q);
  const far = (0.5 * ((p - q) / roots) * (p - q)) / roots;
  const decay = NativeMath.exp(-far);
  varianceX = 0.5 * wholeX;
  varianceY = 0.5 * wholeY;
  slopes = 0.5 * decay * NativeMath.exp(-2 * g * t) * (1 + NativeMath.exp(-2 * g * (1 - 2 * t)));
  const drop = decay * (1 + NativeMath.exp(-2 * g * (1 - t))) * fall(2 * g * t);
  const size = Math.sqrt(wholeX) * Math.sqrt(wholeY);
  const parallel = decay * fall(2 * g);
  let spread: f64;
  if (p > APART * q || q > APART * p) spread = Math.max(0, size - parallel);
  else {
    // sinh p sinh q - sinh^2 g = sinh(a + g) sinh(a - g) - sinh^2(a - q), a = (p + q) / 2, over the sum of the roots.
    const gap = fall(Math.abs(p - q));
    const square = fall(p + q + 2 * g) * fall(2 * far) - gap * gap * NativeMath.exp(-2 * Math.min(p, q));
    spread = Math.max(0, square / (size + parallel));
  }
  lack = 0.5 * (drop + spread);
}
