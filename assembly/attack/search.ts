// The nearest adversarial input that an attack finds, and the largest radius below it at which it looked in vain. The
// latter proves nothing. In all of this f is sign * output, positive at the clean input x0.
//
// 1. Linearise (DeepFool: Moosavi-Dezfooli, Fawzi and Frossard, 2016; here always measured from x0): at x, go to the
//    corner x0 + v of the radius at which the linear model f(x) + <grad f(x), x0 + v - x> has just become negative, and
//    repeat. Its fixed points are the local minima of the distance on the decision boundary.
// 2. Probe smaller radii by projected gradient descent (Madry et al., 2018) with momentum (Dong et al., 2018) from
//    several starts: the last adversarial input drawn into the ball, the corner of its gradient, random points. What a
//    probe finds is linearised again; radii in between are bisected until the bracket is narrow.
// FGSM (Goodfellow et al., 2015) takes one corner, by the gradient at x0, and the smallest radius at which it succeeds.
// Everything is drawn from the seed and the input's row, so that neither threads nor slices matter.
// Not here: balls (ball.ts) and models (model.ts).
import {
  ATTACK_COLUMNS,
  ATTACK_DOMAIN,
  ATTACK_ENTRIES,
  ATTACK_FGSM,
  ATTACK_FOUND,
  ATTACK_INDICES,
  ATTACK_LIMIT,
  ATTACK_MARGIN,
  ATTACK_METHOD,
  ATTACK_MOMENTUM,
  ATTACK_NORM,
  ATTACK_POINTS,
  ATTACK_RESULTS,
  ATTACK_SCHEDULE,
  ATTACK_SEED,
  ATTACK_STEP,
  ATTACK_STEPS,
  ATTACK_TOLERANCE,
  ATTACK_WORK,
  ATTACK_WORK_BYTES,
  ATTACKED_BYTES,
  ATTACKED_EVALUATIONS,
  ATTACKED_FAILED,
  ATTACKED_RADIUS,
  SCHEDULE_CONSTANT,
  SCHEDULE_LINEAR,
} from "../layout";
import { randomSeed, randomUnit } from "../math/random";
import { field, floatField, pointerField } from "../memory";
import { alongOffset, corner, descend, distance, project, setBall } from "./ball";
import {
  entries,
  evaluate,
  evaluations,
  freezeCentre,
  gradientAt,
  lanes,
  momentumAt,
  openModel,
  pointAt,
  random,
  reachAt,
  size,
  spare,
  turnModel,
  valueAt,
} from "./model";

/** Most linearisations in a row. */
const MOST_LINEAR: i32 = 24;

/** Most probes at one input. */
const MOST_PROBES: i32 = 40;

/** A probe looks first this much below the best radius; the share doubles with every success. */
const FIRST_GAP: f64 = 0.02;

/** What a linearisation aims at below 0, as a share of the output at x0. */
const OVERSHOOT: f64 = 1e-5;

/** Relative change of a radius at which linearising ends. */
const CLOSE: f64 = 1e-5;

/** Linearisations after which the best radius must have shrunk by a share of CLOSE; corners may go round in circles. */
const PATIENCE: i32 = 4;

/** Steps over which a probe is judged hopeless. */
const WINDOW: i32 = 5;

// The input at hand, one set a thread.
let job: usize = 0;
let clean: usize = 0;
let found: usize = 0;
let bytes: usize = 0;
let start: f64 = 0; // f(x0)
let margin: f64 = 0; // success is f < -margin
let best: f64 = Infinity; // distance of the adversarial input in `found`

/** Attacks input `first + chunk` of the job. */
export function attackInput(chunk: i32, record: usize, first: i32): void {
  const index = <usize>(first + chunk);
  job = record;
  bytes = <usize>field(job, ATTACK_ENTRIES) << 3;
  clean = pointerField(job, ATTACK_POINTS) + index * bytes;
  found = pointerField(job, ATTACK_FOUND) + index * bytes;
  openModel(job, pointerField(job, ATTACK_WORK) + <usize>chunk * <usize>field(job, ATTACK_WORK_BYTES));
  setBall(clean, entries, field(job, ATTACK_NORM), field(job, ATTACK_DOMAIN) != 0, spare);
  const row = load<i32>(pointerField(job, ATTACK_INDICES) + (index << 2));
  randomSeed(random, load<u64>(job + ATTACK_SEED) + <u64>row * 0xd1342543de82ef95);
  best = Infinity;
  for (let lane = 0; lane < lanes; ++lane) memory.copy(pointAt(lane), clean, bytes);
  freezeCentre();
  evaluate(false);
  const decision = valueAt(0);
  margin = floatField(job, ATTACK_MARGIN) * size;
  start = Math.abs(decision);
  let failed: f64 = 0;
  if (start > margin) {
    if (decision < 0) {
      turnModel(-1);
      turnGradient();
    }
    failed = field(job, ATTACK_METHOD) == ATTACK_FGSM ? signStep() : search();
  }
  const result = pointerField(job, ATTACK_RESULTS) + index * ATTACKED_BYTES;
  store<f64>(result + ATTACKED_RADIUS, best);
  store<f64>(result + ATTACKED_FAILED, failed);
  store<f64>(result + ATTACKED_EVALUATIONS, evaluations);
}

function turnGradient(): void {
  const gradient = gradientAt(0);
  for (let at: usize = 0; at < bytes; at += 8) store<f64>(gradient + at, -load<f64>(gradient + at));
}

/** Keeps lane's point when it is adversarial and the nearest so far; whether it is adversarial. */
function keep(lane: i32): bool {
  if (!(valueAt(lane) < -margin)) return false;
  const own = distance(pointAt(lane));
  if (own < best) {
    best = own;
    memory.copy(found, pointAt(lane), bytes);
  }
  return true;
}

/** The radius at which the linear model at x0 becomes 0; 0 where the gradient is. */
function linearRadius(): f64 {
  const least = Math.min(1e-3, floatField(job, ATTACK_LIMIT));
  const rate = -corner(pointAt(0), gradientAt(0), least) / least;
  return rate > 0 ? start / rate : 0;
}

/** A random point of the ball: uniform in its cube, then drawn to the nearest point. */
function scatter(lane: i32, delta: f64): void {
  const x = pointAt(lane);
  const end = <usize>field(job, ATTACK_COLUMNS) << 3;
  memory.copy(x, clean, bytes);
  for (let at: usize = 0; at < end; at += 8)
    store<f64>(x + at, load<f64>(clean + at) + delta * (2 * randomUnit(random) - 1));
  project(x, delta);
}

function search(): f64 {
  const limit = floatField(job, ATTACK_LIMIT);
  const tolerance = floatField(job, ATTACK_TOLERANCE);
  let radius = Math.min(linearRadius(), limit);
  if (radius == 0) radius = Math.min(1e-3, limit);
  for (let lane = 0; lane < lanes; ++lane) {
    store<f64>(reachAt(lane), radius);
    if (lane == 0) corner(pointAt(0), gradientAt(0), radius);
    else scatter(lane, radius);
  }
  linearise();
  let failed: f64 = 0;
  while (best == Infinity && failed < limit) {
    radius = Math.min(2 * radius, limit);
    if (!probe(radius)) failed = radius;
  }
  if (best == Infinity) return failed;
  polish();
  let gap = FIRST_GAP;
  for (let k = 0; k < MOST_PROBES; ++k) {
    // An adversarial input nearer than a radius that failed takes the word of that failure.
    if (best <= failed) failed = 0;
    if (best - failed <= tolerance * best) break;
    const radius = Math.max(0.5 * (failed + best), best * (1 - gap));
    if (probe(radius)) {
      polish();
      gap = Math.min(0.5, 2 * gap);
    } else failed = radius;
  }
  return failed < best ? failed : 0;
}

/** Linearises again from the best point, in lane 0, and from its corner in the others. */
function polish(): void {
  for (let lane = 0; lane < lanes; ++lane) {
    memory.copy(pointAt(lane), found, bytes);
    store<f64>(reachAt(lane), best);
    if (lane >= 2) scatter(lane, best);
  }
  linearise();
}

/** Every lane from where it stands, until all stand still. */
function linearise(): void {
  const limit = floatField(job, ATTACK_LIMIT);
  let before: f64 = Infinity;
  for (let step = 0; step < MOST_LINEAR; ++step) {
    evaluate(true);
    let moving = false;
    for (let lane = 0; lane < lanes; ++lane) {
      const x = pointAt(lane);
      const gradient = gradientAt(lane);
      const reach = load<f64>(reachAt(lane));
      const adversarial = keep(lane);
      if (reach <= 0) continue;
      const rest = valueAt(lane) + Math.max(2 * margin, OVERSHOOT * start) - alongOffset(gradient, x);
      const rate = -corner(x, gradient, reach) / reach;
      let next = rest / rate;
      if (!(rate > 0 && next > 0)) next = 0.5 * reach;
      next = Math.min(Math.min(Math.max(next, 0.5 * reach), 2 * reach), limit);
      corner(x, gradient, next);
      // At rest, and there adversarial or at the limit: nothing more comes of this lane.
      if (Math.abs(next - reach) <= CLOSE * reach && (adversarial || step > MOST_LINEAR / 2)) next = 0;
      else moving = true;
      store<f64>(reachAt(lane), next);
    }
    if (!moving) return;
    if (step % PATIENCE != PATIENCE - 1) continue;
    if (best < Infinity && best >= before * (1 - CLOSE)) return;
    before = best;
  }
}

function stepShare(step: i32, steps: i32): f64 {
  const schedule = field(job, ATTACK_SCHEDULE);
  const first = floatField(job, ATTACK_STEP);
  if (schedule == SCHEDULE_CONSTANT) return first;
  if (schedule == SCHEDULE_LINEAR) return first * (1 - <f64>step / <f64>steps);
  // Halved six times.
  let share = first;
  for (let k = (7 * step) / steps; k > 0; --k) share *= 0.5;
  return share;
}

/** Starts of a probe: lanes 0 and 1 where the best input meets the ball, the others at random. */
function gather(delta: f64): void {
  for (let lane = 0; lane < lanes; ++lane) {
    memory.fill(momentumAt(lane), 0, bytes);
    if (lane >= 2 || best == Infinity) {
      scatter(lane, delta);
      continue;
    }
    const x = pointAt(lane);
    const share = Math.min(1, delta / best);
    for (let at: usize = 0; at < bytes; at += 8) {
      const from = load<f64>(clean + at);
      store<f64>(x + at, from + share * (load<f64>(found + at) - from));
    }
    project(x, delta);
  }
}

/** Adds the gradient of unit l1 norm to the lane's momentum, and goes a step against it. */
function momentumStep(lane: i32, delta: f64, length: f64): void {
  const x = pointAt(lane);
  const gradient = gradientAt(lane);
  const momentum = momentumAt(lane);
  let total: f64 = 0;
  for (let at: usize = 0; at < bytes; at += 8) total += Math.abs(load<f64>(gradient + at));
  if (!(total > 0)) return;
  const decay = floatField(job, ATTACK_MOMENTUM);
  const factor = 1 / total;
  for (let at: usize = 0; at < bytes; at += 8)
    store<f64>(momentum + at, decay * load<f64>(momentum + at) + factor * load<f64>(gradient + at));
  descend(x, momentum, length);
  project(x, delta);
}

/** Looks for an adversarial input in the ball of radius delta; stops at the first, or when none is in sight. */
function probe(delta: f64): bool {
  const steps = field(job, ATTACK_STEPS);
  gather(delta);
  let lowest: f64 = Infinity;
  let before: f64 = Infinity;
  for (let step = 0; step <= steps; ++step) {
    evaluate(true);
    let success = false;
    for (let lane = 0; lane < lanes; ++lane) {
      lowest = Math.min(lowest, valueAt(lane));
      if (keep(lane)) success = true;
    }
    if (success || step == steps) return success;
    if (step % WINDOW == 0) {
      // Twice the pace of the last steps, kept up to the end, would not do.
      const left = <f64>(steps - step) / <f64>WINDOW;
      if (step >= 2 * WINDOW && 2 * (before - lowest) * left < lowest) return false;
      before = lowest;
    }
    const length = delta * stepShare(step, steps);
    for (let lane = 0; lane < lanes; ++lane) {
      // The second lane goes from corner to corner: the fixed point, at this radius.
      if (lane == 1) corner(pointAt(lane), gradientAt(lane), delta);
      else momentumStep(lane, delta, length);
    }
  }
  return false;
}

/** FGSM: the corner by the gradient at x0 at growing radii, then the bracket between failure and success in thirds. */
function signStep(): f64 {
  const limit = floatField(job, ATTACK_LIMIT);
  const tolerance = floatField(job, ATTACK_TOLERANCE);
  const gradient = momentumAt(0);
  memory.copy(gradient, gradientAt(0), bytes);
  let failed: f64 = 0;
  let reached = Math.min(linearRadius(), limit);
  if (reached == 0) return 0;
  while (!tryCorner(gradient, reached, Math.min(2 * reached, limit))) {
    failed = Math.min(2 * reached, limit);
    if (failed >= limit) return failed;
    reached = Math.min(4 * reached, limit);
  }
  for (let k = 0; k < MOST_PROBES && best - failed > tolerance * best; ++k) {
    const third = (best - failed) / 3;
    const low = failed + third;
    const high = best - third;
    if (tryCorner(gradient, low, high)) {
      if (!(valueAt(0) < -margin)) failed = low;
    } else failed = high;
    if (failed >= best) return 0;
  }
  return failed;
}

function tryCorner(gradient: usize, low: f64, high: f64): bool {
  corner(pointAt(0), gradient, low);
  corner(pointAt(1), gradient, high);
  evaluate(false);
  const near = keep(0);
  return keep(1) || near;
}

/**
 * Output and gradient at pair `chunk` of the job's points, as they are: outputs to `outputs`, 2 a chunk, gradients in
 * place of ATTACK_FOUND. Frozen offsets are taken at each point itself, where the output is the true difference.
 */
export function modelGradients(chunk: i32, record: usize, outputs: usize): void {
  job = record;
  bytes = <usize>field(job, ATTACK_ENTRIES) << 3;
  openModel(job, pointerField(job, ATTACK_WORK) + <usize>chunk * <usize>field(job, ATTACK_WORK_BYTES));
  const from = pointerField(job, ATTACK_POINTS) + <usize>chunk * 2 * bytes;
  memory.copy(pointAt(0), from, bytes * 2);
  evaluate(false);
  store<f64>(outputs + (<usize>chunk << 4), valueAt(0));
  store<f64>(outputs + (<usize>chunk << 4), valueAt(1), 8);
  memory.copy(pointerField(job, ATTACK_FOUND) + <usize>chunk * 2 * bytes, gradientAt(0), bytes * 2);
}
