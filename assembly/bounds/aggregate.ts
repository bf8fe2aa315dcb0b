// Neurons that switch, counted together: bounds a two-layer network on an l-infinity ball with a parabola below each
// neuron, the parabolas' z^2 added up in one matrix of the inputs. No D is bad for all neurons: one neuron's
// z_j = <W0_j, D> may be as large as r ||W0_j||_1, but sum_j h_j z_j^2 = D'MD with M = sum_j h_j W0_j W0_j', and for many
// random W0_j that is hardly more than its mean. So the bound grows with the width, where planes alone stay.
//
//   sign (f - f_start)  >=  sum_j A_j + min over |D_k| <= r of (<W c + W0 e, D> - D'MD / 2),
//
// with A_j, c_j, e_j, h_j of neuron.ts, any h_j >= 0. The minimum over the box, a concave one, is bounded by
// semidefinite relaxation, which one verified Cholesky factor proves (semidefinite.ts). Curvatures are chosen by what a
// unit of h costs: about half the mean of z_j^2 at the spectrum's edge, which for a Gaussian W0 of m rows and d columns
// is (1 + sqrt(d/m))^2 times its typical square; none may be so large that its neuron alone makes an eigenvalue. They are
// kept while the radius moves little, since the matrix is most of the work.
//
// Rounding. Entries of M are sums of at most m products of two roundings of sqrt(h) and of two products, so M is wrong by
// at most (m + 32) UNIT sum_j h_j |W0_j||W0_j|', which on the ball is worth (m + 32) UNIT r^2 sum_j h_j ||W0_j||_1^2 / 2.
// Not here: the sums over neurons (relaxed.ts), entry points (certify-relaxed.ts).
import { LAYER_BLOCKS, LAYER_FAN_IN, LAYER_WEIGHTS, NEURONS, RELAX_START } from "../layout";
import { field, pointerField } from "../memory";
import { above, UNIT } from "../rounding";
import {
  at,
  CHOOSE_CURVATURES,
  CORNER_SHARE,
  curvatures,
  curvatureSize,
  gradient,
  inputs,
  KEEP_CURVATURES,
  least,
  planesError,
  relaxedFirstGuess,
  relaxedGuess,
  relaxedJob,
  relaxedLower,
  relaxedNeurons,
  setPrice,
  width,
} from "./relaxed";
import { provedMinimum, relax, semidefiniteEntries, setProblem, startFrom } from "./semidefinite";

/** Rounds of choosing curvatures. */
const ROUNDS: i32 = 3;

/** No curvature is larger than this multiple of their mean. */
const MOST_CURVATURE: f64 = 4;

/** Curvatures are kept while the radius stays within this factor of the one they were chosen for. */
const KEPT: f64 = 1.15;

/** Neurons whose products are added to the matrix together. */
const PACK: usize = 64;
const PACK_BYTES: usize = 512;

let formedAt: f64 = 0; // radius at which the curvatures were chosen, 0: none yet
let quadratic: usize = 0; // M
let problem: usize = 0; // -r^2 M
let linear: usize = 0; // r times the gradient
let corner: usize = 0; // where the relaxation starts
let pack: usize = 0; // sqrt(h_j) W0_kj of PACK neurons, a row each input
let work: usize = 0;
let pitch: usize = 0;

// @ts-ignore: decorator
@inline
function pitchOf(columns: i32): i32 {
  return (columns + 3) & ~3;
}

/** Float64 entries of work memory beside those of relaxedEntries(). */
export function aggregateEntries(columns: i32): i32 {
  const wide = pitchOf(columns);
  return 2 * wide * wide + 2 * wide + wide * <i32>PACK + semidefiniteEntries(columns, wide);
}

/** Takes the input and the sign of relaxedStart() and relaxedTurn(); `space` is aggregateEntries() float64. */
export function aggregateStart(space: usize): void {
  formedAt = 0;
  pitch = <usize>pitchOf(<i32>inputs);
  quadratic = space;
  problem = quadratic + ((pitch * pitch) << 3);
  linear = problem + ((pitch * pitch) << 3);
  corner = linear + (pitch << 3);
  pack = corner + (pitch << 3);
  work = pack + pitch * PACK_BYTES;
  memory.fill(linear, 0, pitch << 4);
}

/** A lower bound of sign (f - f_start) on the ball of radius `reach` (raw units), without the layers' scales. */
export function aggregateLower(reach: f64): f64 {
  const lines = relaxedLower(reach);
  if (lines > 0 || !(reach > 0 && reach < Infinity)) return lines;
  if (formedAt > 0 && reach < formedAt * KEPT && reach > formedAt / KEPT) {
    relaxedFirstGuess(reach);
    relaxedNeurons(reach, KEEP_CURVATURES);
    relaxedGuess(gradient, reach, 0.5);
    relaxedNeurons(reach, KEEP_CURVATURES);
    return better(lines, parabolasLower(reach, false));
  }
  chooseCurvatures(reach);
  formMatrix();
  formedAt = reach;
  return better(lines, parabolasLower(reach, true));
}

/** The larger of two bounds of which the second may be NaN, which proves nothing. */
function better(lines: f64, parabolas: f64): f64 {
  return parabolas > lines ? parabolas : lines;
}

function chooseCurvatures(reach: f64): void {
  const edge = 1 + Math.sqrt(<f64>inputs / <f64>width);
  const cost = Math.min(2.5, edge * edge);
  let cap: f64 = Infinity;
  relaxedFirstGuess(reach);
  for (let round = 0; round < ROUNDS; ++round) {
    if (round > 0) relaxedGuess(gradient, reach, 0.5);
    setPrice(cost, cap);
    relaxedNeurons(reach, CHOOSE_CURVATURES);
    let sum: f64 = 0;
    for (let j: usize = 0; j < width; ++j) sum += at(curvatures, j);
    cap = (MOST_CURVATURE * sum) / <f64>width;
  }
}

/** The bound by the chosen parabolas; `fresh` forgets the last relaxation. */
function parabolasLower(reach: f64, fresh: bool): f64 {
  let size: f64 = 0;
  for (let k: usize = 0; k < inputs; ++k) {
    const slope = reach * at(gradient, k);
    store<f64>(linear + (k << 3), slope);
    size += Math.abs(slope);
    store<f64>(corner + (k << 3), slope == 0 ? 0 : -copysign<f64>(CORNER_SHARE, slope));
  }
  const square = -reach * reach;
  const end = (inputs * pitch) << 3;
  for (let k: usize = 0; k < end; k += 8) store<f64>(problem + k, square * load<f64>(quadratic + k));
  setProblem(<i32>inputs, <i32>pitch, problem, linear, work);
  if (fresh) startFrom(corner);
  relax();
  const fall = provedMinimum();
  const curved = above(reach * reach * curvatureSize, <f64>width + 16) * (<f64>width + 32) * UNIT;
  const lost = planesError(reach) + curved + above(size, <f64>inputs) * 2 * UNIT;
  const bound = least + fall - lost;
  return bound - (Math.abs(least) + Math.abs(fall) + lost) * 8 * UNIT;
}

/** M, all of it, from the curvatures at hand: PACK neurons with a curvature at a time. */
function formMatrix(): void {
  memory.fill(quadratic, 0, (pitch * pitch) << 3);
  memory.fill(pack, 0, pitch * PACK_BYTES);
  const layer = pointerField(relaxedJob(), RELAX_START);
  const pitchBytes = <usize>field(layer, LAYER_FAN_IN) << 7;
  const weights = pointerField(layer, LAYER_WEIGHTS);
  let filled: usize = 0;
  for (let j: usize = 0; j < <usize>(field(layer, LAYER_BLOCKS) * NEURONS); ++j) {
    const h = at(curvatures, j);
    if (!(h > 0)) continue;
    const root = Math.sqrt(h);
    const from = weights + (j >> 5) * pitchBytes + ((j & 31) << 2);
    for (let k: usize = 0; k < inputs; ++k)
      store<f64>(pack + k * PACK_BYTES + (filled << 3), root * <f64>load<f32>(from + (k << 7)));
    if (++filled < PACK) continue;
    addPack();
    filled = 0;
  }
  if (filled > 0) {
    for (let k: usize = 0; k < inputs; ++k)
      memory.fill(pack + k * PACK_BYTES + (filled << 3), 0, (PACK - filled) << 3);
    addPack();
  }
  for (let k: usize = 0; k < inputs; ++k)
    for (let l: usize = k + 1; l < inputs; ++l)
      store<f64>(quadratic + ((k * pitch + l) << 3), load<f64>(quadratic + ((l * pitch + k) << 3)));
}

/** Adds the products of all pairs of rows of the pack to the lower triangle: two rows against four. */
function addPack(): void {
  for (let k: usize = 0; k < pitch; k += 2)
    for (let l: usize = 0; l <= k + 1; l += 4) addProducts(k, l);
}

function addProducts(k: usize, l: usize): void {
  const own = pack + k * PACK_BYTES;
  const other = pack + l * PACK_BYTES;
  const to = quadratic + ((k * pitch + l) << 3);
  if (!ASC_FEATURE_SIMD) {
    for (let i: usize = 0; i < 2; ++i)
      for (let j: usize = 0; j < 4; ++j) {
        let even: f64 = 0;
        let odd: f64 = 0;
        for (let n: usize = 0; n < PACK_BYTES; n += 16) {
          even += load<f64>(own + i * PACK_BYTES + n) * load<f64>(other + j * PACK_BYTES + n);
          odd += load<f64>(own + i * PACK_BYTES + n, 8) * load<f64>(other + j * PACK_BYTES + n, 8);
        }
        const place = to + ((i * pitch + j) << 3);
        store<f64>(place, load<f64>(place) + (even + odd));
      }
    return;
  }
  let s00 = f64x2.splat(0), s01 = s00, s02 = s00, s03 = s00, s10 = s00, s11 = s00, s12 = s00, s13 = s00;
  for (let n: usize = 0; n < PACK_BYTES; n += 16) {
    const a = v128.load(own + n);
    const b = v128.load(own + n, 512);
    const c0 = v128.load(other + n);
    s00 = f64x2.add(s00, f64x2.mul(a, c0));
    s10 = f64x2.add(s10, f64x2.mul(b, c0));
    const c1 = v128.load(other + n, 512);
    s01 = f64x2.add(s01, f64x2.mul(a, c1));
    s11 = f64x2.add(s11, f64x2.mul(b, c1));
    const c2 = v128.load(other + n, 1024);
    s02 = f64x2.add(s02, f64x2.mul(a, c2));
    s12 = f64x2.add(s12, f64x2.mul(b, c2));
    const c3 = v128.load(other + n, 1536);
    s03 = f64x2.add(s03, f64x2.mul(a, c3));
    s13 = f64x2.add(s13, f64x2.mul(b, c3));
  }
  addFour(to, s00, s01, s02, s03);
  addFour(to + (pitch << 3), s10, s11, s12, s13);
}

function addFour(to: usize, a: v128, b: v128, c: v128, d: v128): void {
  addSum(to, a);
  addSum(to + 8, b);
  addSum(to + 16, c);
  addSum(to + 24, d);
}

// @ts-ignore: decorator
@inline
function addSum(to: usize, sum: v128): void {
  store<f64>(to, load<f64>(to) + (f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1)));
}
