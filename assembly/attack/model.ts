// What an attack looks at: sign * output and its gradient at every lane, of whichever model the job names, and the
// memory that one input's attack works in. Not here: the models (machine.ts, network.ts) and the search (search.ts).
import {
  ATTACK_ALPHA,
  ATTACK_BIAS,
  ATTACK_CENTRE,
  ATTACK_CENTRE_OUTPUT,
  ATTACK_DIFFERENCE,
  ATTACK_ENTRIES,
  ATTACK_FACTOR,
  ATTACK_KERNEL,
  ATTACK_LANES,
  ATTACK_LAYERS,
  ATTACK_MODEL,
  ATTACK_NETWORK,
  ATTACK_NEURONS,
  ATTACK_OUTPUT,
  ATTACK_ROWS,
  ATTACK_WIDEST,
  MODEL_MACHINE,
} from "../layout";
import { field, floatField, pointerField } from "../memory";
import { machineEvaluate, machineSize } from "./machine";
import { networkPass, networkSize } from "./network";

// The model and the lanes at hand, one set a thread. A lane is one point, its gradient and its momentum.
let job: usize = 0;
export let lanes: i32 = 0;
export let entries: i32 = 0;
let points: usize = 0;
let gradients: usize = 0;
let momenta: usize = 0;
let values: usize = 0;
let reaches: usize = 0;
let hidden: usize = 0;
export let spare: usize = 0;
export let random: usize = 0;

/** What the model is multiplied with, so that an attack always goes down. */
let sign: f64 = 1;
/** f_0 at the clean input, without scales, for frozen offsets. */
let frozen: f64 = 0;
/** Outputs computed since openModel(). */
export let evaluations: f64 = 0;
/** Sum of the output's absolute terms at lane 0. */
export let size: f64 = 0;

/**
 * Takes the model of `record`. Work memory of an input, in f64: points, gradients and momenta, `entries` a lane; an
 * output and a radius a lane; one more point; 4 for random numbers; and for networks ATTACK_NEURONS + 2 ATTACK_WIDEST.
 */
export function openModel(record: usize, work: usize): void {
  job = record;
  lanes = field(record, ATTACK_LANES);
  entries = field(record, ATTACK_ENTRIES);
  const block = <usize>(lanes * entries) << 3;
  points = work;
  gradients = points + block;
  momenta = gradients + block;
  values = momenta + block;
  reaches = values + (<usize>lanes << 3);
  spare = reaches + (<usize>lanes << 3);
  random = spare + (<usize>entries << 3);
  hidden = random + 32;
  evaluations = 0;
  sign = 1;
  frozen = 0;
}

// @ts-ignore: decorator
@inline
export function pointAt(lane: i32): usize {
  return points + ((<usize>lane * <usize>entries) << 3);
}

// @ts-ignore: decorator
@inline
export function gradientAt(lane: i32): usize {
  return gradients + ((<usize>lane * <usize>entries) << 3);
}

// @ts-ignore: decorator
@inline
export function momentumAt(lane: i32): usize {
  return momenta + ((<usize>lane * <usize>entries) << 3);
}

// @ts-ignore: decorator
@inline
export function valueAt(lane: i32): f64 {
  return load<f64>(values + (<usize>lane << 3));
}

/** The radius that a lane of its own accord looks at. */
// @ts-ignore: decorator
@inline
export function reachAt(lane: i32): usize {
  return reaches + (<usize>lane << 3);
}

/** Multiplies the model with `direction` from now on. */
export function turnModel(direction: f64): void {
  sign = direction;
}

/** Keeps f_0 at lane 0's point as the constant that is subtracted from now on, where the job asks for that. */
export function freezeCentre(): void {
  if (pointerField(job, ATTACK_CENTRE) == 0 || field(job, ATTACK_DIFFERENCE)) return;
  frozen = pass(true, pointAt(0), 0, 0);
}

function pass(start: bool, x: usize, direction: f64, gradient: usize): f64 {
  return networkPass(
    pointerField(job, start ? ATTACK_CENTRE : ATTACK_NETWORK),
    pointerField(job, start ? ATTACK_CENTRE_OUTPUT : ATTACK_OUTPUT),
    field(job, ATTACK_LAYERS),
    x,
    direction,
    gradient,
    hidden,
    field(job, ATTACK_NEURONS),
    field(job, ATTACK_WIDEST),
  );
}

function evaluateNetwork(lane: i32): void {
  const factor = floatField(job, ATTACK_FACTOR);
  const gradient = gradientAt(lane);
  memory.fill(gradient, 0, <usize>entries << 3);
  let value = pass(false, pointAt(lane), sign * factor, gradient);
  let terms = networkSize;
  if (pointerField(job, ATTACK_CENTRE) != 0) {
    if (field(job, ATTACK_DIFFERENCE)) {
      value -= pass(true, pointAt(lane), -sign * factor, gradient);
      terms += networkSize;
    } else {
      value -= frozen;
      terms += Math.abs(frozen);
    }
  }
  size = terms * factor;
  store<f64>(values + (<usize>lane << 3), sign * factor * value);
}

/** Outputs and gradients, times the sign, of all lanes, or of the first pair only. */
export function evaluate(all: bool): void {
  const count = all ? lanes : 2;
  evaluations += <f64>count;
  if (field(job, ATTACK_MODEL) != MODEL_MACHINE) {
    for (let lane = count - 1; lane >= 0; --lane) evaluateNetwork(lane);
    return;
  }
  const alpha = pointerField(job, ATTACK_ALPHA);
  const rows = pointerField(job, ATTACK_ROWS);
  const bias = floatField(job, ATTACK_BIAS);
  machineEvaluate(pointerField(job, ATTACK_KERNEL), rows, alpha, bias, points, count, entries, values, gradients);
  size = machineSize;
  if (sign > 0) return;
  for (let lane = 0; lane < count; ++lane) store<f64>(values + (<usize>lane << 3), -valueAt(lane));
  const end = gradients + ((<usize>count * <usize>entries) << 3);
  for (let at = gradients; at < end; at += 8) store<f64>(at, -load<f64>(at));
}
