// A two-layer network's output, or its difference to another one's, on an l-infinity ball: every neuron below a plane
// (neuron.ts), the planes added up before the worst input is chosen, slopes chosen neuron by neuron. Scales of layers
// are positive and stay out, as in ibp.ts.
//
// With A_j, c_j and e_j of neuron j, W and W0 the two first layers and D = x - x0, |D_k| <= r,
//   sign (f - f_start)  >=  sum_j A_j - r ||W c + W0 e||_1.
// The best slopes are those of the dual: at the worst D each neuron's plane touches its convex envelope at
// (W0'D)_j. D is guessed as -share r sign(gradient), the gradient being that of the state at the centre first and that
// of the chosen planes next; whatever the guess, the bound holds, and the best of the rounds counts.
//
// Rounding. A computed value at the centre is off by at most blur R_j, R_j = sum_k |W_kj| and blur as in ibp.ts: the
// bound is taken of the function of the computed values, with Z = (r + blur) R0_j and T = r sum_k |W_kj - W0_kj| +
// blur (R_j + R0_j), and the slopes lose at most blur (|c| R_j + |e| R0_j), the parabola h Z blur R0_j. The gradient is a
// sum of 2m products, wrong by at most (2m + 4) UNIT sum_j (|c_j| |W_kj| + |e_j| |W0_kj|) in entry k.
// Not here: parabolas and their matrix (aggregate.ts), entry points (certify-relaxed.ts).
import {
  LAYER_BLOCKS,
  LAYER_FAN_IN,
  NEURONS,
  RELAX_APART,
  RELAX_FROZEN,
  RELAX_FROZEN_OUTPUT,
  RELAX_FROZEN_SPREADS,
  RELAX_NETWORK,
  RELAX_OUTPUT,
  RELAX_POINTS,
  RELAX_SPREADS,
  RELAX_START,
  RELAX_START_OUTPUT,
  RELAX_START_SPREADS,
} from "../layout";
import { field, pointerField } from "../memory";
import { above, sumError, UNIT } from "../rounding";
import { addInputSums, neuronSums } from "./first-layer";
import { neuronError, neuronShape, neuronTake, neuronTouch, touchSlope } from "./neuron";

/** Absolute growth of every range: products of weights and inputs may fall below the normal numbers. */
const LEAST: f64 = 1e-250;

/** Rounds of choosing slopes for a bound by planes. */
const ROUNDS: i32 = 3;

/** How far towards the corner the worst input is guessed. */
export const CORNER_SHARE: f64 = 0.8;

let job: usize = 0;

export function relaxedJob(): usize {
  return job;
}

/** The input's raw entries. */
let centre: usize = 0;
let blur: f64 = 0;
let frozenLow: f64 = 0; // of the value taken off at the centre
let frozenHigh: f64 = 0;
let atCentre: usize = 0; // gradient of the state at the centre

/** Neurons with padding, and inputs. */
export let width: usize = 0;
export let inputs: usize = 0;
/** +1 bounds the difference from below, -1 its negative. */
export let sign: f64 = 1;
/** Of each neuron: values at the centre, slopes c and e, curvature h, and W'D and W0'D of the guess D. */
export let values: usize = 0;
export let startValues: usize = 0;
export let slopes: usize = 0;
export let startSlopes: usize = 0;
export let curvatures: usize = 0;
export let ahead: usize = 0;
export let startAhead: usize = 0;
/** Of each input: the gradient of the planes, and the guess D. */
export let gradient: usize = 0;
export let guess: usize = 0;

/** Sum of A_j, already rounded down, and what the gradient's and the matrix's rounding are multiples of. */
export let least: f64 = 0;
export let slopeSize: f64 = 0;
export let curvatureSize: f64 = 0;

/** Float64 entries of work memory for `neurons` (padded) and `columns`. */
export function relaxedEntries(neurons: i32, columns: i32): i32 {
  return 7 * neurons + 3 * ((columns + 3) & ~3);
}

// @ts-ignore: decorator
@inline
export function at(list: usize, k: usize): f64 {
  return load<f64>(list + (k << 3));
}

/** Takes input `index`; the bound is of f - f_start, or f - the frozen value, from now on. */
export function relaxedStart(record: usize, index: i32, work: usize): void {
  job = record;
  const layer = pointerField(job, RELAX_NETWORK);
  width = <usize>(field(layer, LAYER_BLOCKS) * NEURONS);
  inputs = <usize>field(layer, LAYER_FAN_IN);
  const row = width << 3;
  const column = ((inputs + 3) & ~3) << 3;
  values = work;
  startValues = values + row;
  slopes = startValues + row;
  startSlopes = slopes + row;
  curvatures = startSlopes + row;
  ahead = curvatures + row;
  startAhead = ahead + row;
  gradient = startAhead + row;
  guess = gradient + column;
  atCentre = guess + column;
  centre = pointerField(job, RELAX_POINTS) + ((<usize>index * inputs) << 3);
  let size: f64 = 0;
  for (let k: usize = 0; k < inputs; ++k) size = Math.max(size, Math.abs(at(centre, k)));
  blur = (2 * <f64>inputs + 16) * UNIT * size;
  const frozen = pointerField(job, RELAX_FROZEN);
  if (frozen != 0) freeze(frozen);
  neuronSums(layer, centre, values);
  neuronSums(pointerField(job, RELAX_START), centre, startValues);
  relaxedTurn(1);
}

/** Both ends of the frozen layer's output at the centre. */
function freeze(layer: usize): void {
  const output = pointerField(job, RELAX_FROZEN_OUTPUT);
  const spreads = pointerField(job, RELAX_FROZEN_SPREADS);
  neuronSums(layer, centre, startValues);
  let sum: f64 = 0;
  let size: f64 = 0;
  let moved: f64 = 0;
  for (let j: usize = 0; j < width; ++j) {
    const weight = <f64>load<f32>(output + (j << 2));
    const value = at(startValues, j);
    if (value > 0) sum += weight * value;
    size += Math.abs(weight * value);
    moved += Math.abs(weight) * at(spreads, j);
  }
  const error = 2 * (sumError(<f64>width, 4, size) + above(blur * moved, <f64>width + 8)) + LEAST;
  frozenLow = sum - error;
  frozenHigh = sum + error;
}

/** From now on the bound is of `direction` (f - f_start). */
export function relaxedTurn(direction: f64): void {
  sign = direction;
  const output = pointerField(job, RELAX_OUTPUT);
  const startOutput = pointerField(job, RELAX_START_OUTPUT);
  for (let j: usize = 0; j < width; ++j) {
    const own = at(values, j) > 0 ? sign * <f64>load<f32>(output + (j << 2)) : 0;
    const start = at(startValues, j) > 0 ? sign * <f64>load<f32>(startOutput + (j << 2)) : 0;
    store<f64>(slopes + (j << 3), own);
    store<f64>(startSlopes + (j << 3), -start);
  }
  addPlanes(atCentre);
}

/** Gradient of the planes to `to`. */
function addPlanes(to: usize): void {
  memory.fill(to, 0, ((inputs + 3) & ~3) << 3);
  addInputSums(pointerField(job, RELAX_NETWORK), slopes, to);
  addInputSums(pointerField(job, RELAX_START), startSlopes, to);
}

/** The guess of the worst D moves towards the corner that the gradient at hand points to; `weight` 1 forgets the last. */
export function relaxedGuess(from: usize, reach: f64, weight: f64, share: f64 = CORNER_SHARE): void {
  for (let k: usize = 0; k < inputs; ++k) {
    const slope = at(from, k);
    const corner = slope == 0 ? 0 : -copysign<f64>(share * reach, slope);
    // What the memory held before the first guess may be anything, NaN too.
    store<f64>(guess + (k << 3), weight == 1 ? corner : (1 - weight) * at(guess, k) + weight * corner);
  }
  neuronSums(pointerField(job, RELAX_NETWORK), guess, ahead);
  neuronSums(pointerField(job, RELAX_START), guess, startAhead);
}

/** The guess from the gradient at the centre. */
export function relaxedFirstGuess(reach: f64): void {
  relaxedGuess(atCentre, reach, 1);
}

/** How neurons are bounded: by planes, by parabolas of curvatures to choose, or by those that they have. */
export const CHOOSE_LINES: i32 = 0;
export const CHOOSE_CURVATURES: i32 = 1;
export const KEEP_CURVATURES: i32 = 2;

/** Cost of a curvature as a multiple of the typical z^2, and the largest curvature: see aggregate.ts. */
export let price: f64 = 0;
export let most: f64 = 0;

export function setPrice(cost: f64, cap: f64): void {
  price = cost;
  most = cap;
}

/** Bounds every neuron at the guess; leaves slopes, chosen curvatures, `least`, the sizes and the gradient. */
export function relaxedNeurons(reach: f64, choice: i32): void {
  const spreads = pointerField(job, RELAX_SPREADS);
  const startSpreads = pointerField(job, RELAX_START_SPREADS);
  const apart = pointerField(job, RELAX_APART);
  const output = pointerField(job, RELAX_OUTPUT);
  const startOutput = pointerField(job, RELAX_START_OUTPUT);
  let sum: f64 = 0;
  let size: f64 = 0;
  let lost: f64 = 0;
  slopeSize = 0;
  curvatureSize = 0;
  for (let j: usize = 0; j < width; ++j) {
    const own = at(spreads, j);
    const start = at(startSpreads, j);
    const range = above(above(reach + blur, 4) * start, 4) + LEAST;
    const moved = own == 0 && start == 0 ? 0 : above(reach * at(apart, j) + 2 * blur * (own + start), 8) + LEAST;
    const together = pointerField(job, RELAX_START) == pointerField(job, RELAX_NETWORK);
    neuronTake(
      sign * <f64>load<f32>(output + (j << 2)),
      sign * <f64>load<f32>(startOutput + (j << 2)),
      at(values, j),
      at(startValues, j),
      range,
      together ? 0 : moved,
    );
    const value = chooseNeuron(j, start, range, moved, choice, together);
    const c = at(slopes, j);
    const e = at(startSlopes, j);
    const h = bestCurvature;
    if (choice == CHOOSE_CURVATURES) store<f64>(curvatures + (j << 3), h);
    sum += value;
    size += Math.abs(value);
    const tilted = Math.abs(c) * own + Math.abs(e) * start;
    lost += neuronError(c, e, h) + blur * (2 * tilted + h * range * start);
    slopeSize += tilted;
    curvatureSize += h * start * start;
  }
  least = sum - sumError(<f64>width, 1, size) - above(lost, <f64>width + 8);
  least -= Math.abs(least) * 4 * UNIT + LEAST;
  addPlanes(gradient);
}

/** Curvatures tried: a quarter, a half, ... of what a neuron's switch divided by its squared distance is. */
const CURVATURES: i32 = 5;

let bestValue: f64 = 0; // A + c y + e z - h z^2 / 2 at the guess
let bestLeast: f64 = 0;
let bestCurvature: f64 = 0;

/** Chooses a neuron's slopes, and its curvature; returns its A. */
function chooseNeuron(j: usize, startSpread: f64, range: f64, moved: f64, choice: i32, together: bool): f64 {
  bestValue = -Infinity;
  bestLeast = NaN;
  bestCurvature = 0;
  const output = sign * <f64>load<f32>(pointerField(job, RELAX_OUTPUT) + (j << 2));
  const kept = choice == KEEP_CURVATURES ? at(curvatures, j) : 0;
  const trials = choice == CHOOSE_CURVATURES && startSpread > 0 ? CURVATURES : 0;
  // The typical |z|: R0_j is about 0.8 sqrt(d) times the Euclidean norm of Gaussian weights.
  const typical = (1.25 * range) / Math.sqrt(<f64>inputs);
  const startValue = at(startValues, j);
  // What a parabola has to hold: how far the term changes when the neuron switches, and how near that is.
  const near = Math.max(Math.abs(startValue), 0.5 * typical);
  const start = <f64>load<f32>(pointerField(job, RELAX_START_OUTPUT) + (j << 2));
  const change = together ? Math.abs(output) * near : Math.abs(start) * (Math.abs(at(values, j) - startValue) + moved) + 1e-9;
  const parts = together ? 1 : 3;
  for (let part = 0; part < parts; ++part) {
    const c = 0.5 * <f64>part * output;
    tryShape(j, c, kept, typical);
    let curvature = (0.25 * change) / (near * near);
    for (let trial = 0; trial < trials; ++trial, curvature *= 2) tryShape(j, c, Math.min(curvature, most), typical);
  }
  return bestLeast;
}

function tryShape(j: usize, c: f64, h: f64, typical: f64): void {
  neuronShape(c, h);
  const z = at(startAhead, j);
  const a = neuronTouch(z);
  const value = a + c * at(ahead, j) + touchSlope * z - 0.5 * h * (z * z + price * typical * typical);
  if (!(value > bestValue)) return;
  bestValue = value;
  bestLeast = a;
  store<f64>(slopes + (j << 3), c);
  store<f64>(startSlopes + (j << 3), touchSlope);
  bestCurvature = h;
}

/** `least` less what the planes may fall on the ball. */
function planesLower(reach: f64): f64 {
  let norm: f64 = 0;
  for (let k: usize = 0; k < inputs; ++k) norm += Math.abs(at(gradient, k));
  const fall = above(reach * above(norm, <f64>inputs), 8) + planesError(reach);
  return taken(least - fall);
}

/** What the rounding of the gradient may add to the fall of the planes on the ball. */
export function planesError(reach: f64): f64 {
  return above(reach * slopeSize, 2 * <f64>width + 16) * (2 * <f64>width + 8) * UNIT;
}

/** A bound less the frozen value. */
function taken(bound: f64): f64 {
  let sum = bound;
  if (pointerField(job, RELAX_FROZEN) != 0) sum = sign > 0 ? bound - frozenHigh : bound + frozenLow;
  return sum - (Math.abs(sum) + Math.abs(bound)) * 4 * UNIT;
}

/** A lower bound of sign (f - f_start) on the ball of radius `reach` (raw units) by planes, without the layers' scales. */
export function relaxedLower(reach: f64): f64 {
  let best: f64 = -Infinity;
  relaxedFirstGuess(reach);
  for (let round = 0; round < ROUNDS; ++round) {
    // The last round takes the corner itself, where a single neuron's bound is exact.
    if (round > 0) relaxedGuess(gradient, reach, round + 1 < ROUNDS ? 0.5 : 1, round + 1 < ROUNDS ? CORNER_SHARE : 1);
    relaxedNeurons(reach, CHOOSE_LINES);
    const bound = planesLower(reach);
    if (bound > best) best = bound;
    if (reach == 0) break;
  }
  return best;
}
