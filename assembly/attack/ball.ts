// Balls of the norms l-infinity, l2 and l1 around an input, cut by the image domain [0, 1]^d or not: distances, the
// nearest point, the corner that a linear function likes least, and steps of steepest descent.
//
// Offsets are w = x - x0; entry k may move by room_k in its own direction (Infinity without the domain). With x0 inside
// the domain the nearest point of ball and domain together is, entry by entry and with the sign of w_k,
//   l-infinity  min(room_k, |w_k|, delta)
//   l2          min(room_k, mu |w_k|),         mu in [0, 1] such that the norm is delta
//   l1          min(room_k, (|w_k| - tau)+),   tau >= 0 such that the norm is delta
// (the conditions of Karush, Kuhn and Tucker), and w itself, cut, where that is inside already. The l2 corner has the
// same form with w = -gradient; the l1 corner spends delta on the steepest entries, each as far as it may go.
// Not here: what is attacked (machine.ts, network.ts) and where to look (search.ts).
import { NORM_1, NORM_2, NORM_INF } from "../layout";
import { above } from "../rounding";

/** Rounds of the search for tau; each either is Newton's or halves the bracket. */
const MOST_ROUNDS: i32 = 200;

// The ball at hand, one a thread.
let centre: usize = 0;
let bytes: usize = 0;
let norm: i32 = NORM_INF;
let bounded: bool = false;
let offsets: usize = 0;

/** Takes the ball around `x0` (`entries` f64); `spare` holds as many entries. */
export function setBall(x0: usize, entries: i32, kind: i32, domain: bool, spare: usize): void {
  centre = x0;
  bytes = <usize>entries << 3;
  norm = kind;
  bounded = domain;
  offsets = spare;
}

/** How far entry `at` may move from x0 in the direction of w. */
// @ts-ignore: decorator
@inline
function room(at: usize, w: f64): f64 {
  if (!bounded) return Infinity;
  return w > 0 ? 1 - load<f64>(centre + at) : load<f64>(centre + at);
}

/** x0_k + the offset of the given size and sign of w, kept in the domain. */
// @ts-ignore: decorator
@inline
function place(x: usize, at: usize, w: f64, size: f64): void {
  const moved = load<f64>(centre + at) + copysign<f64>(size, w);
  store<f64>(x + at, bounded ? Math.min(Math.max(moved, 0), 1) : moved);
}

/** ||x - x0||, rounded to nearest. */
export function distance(x: usize): f64 {
  let total: f64 = 0;
  for (let at: usize = 0; at < bytes; at += 8) {
    const w = Math.abs(load<f64>(x + at) - load<f64>(centre + at));
    if (norm == NORM_INF) total = Math.max(total, w);
    else total += norm == NORM_2 ? w * w : w;
  }
  return norm == NORM_2 ? Math.sqrt(total) : total;
}

/** <v, x - x0> */
export function alongOffset(v: usize, x: usize): f64 {
  let total: f64 = 0;
  for (let at: usize = 0; at < bytes; at += 8) total += load<f64>(v + at) * (load<f64>(x + at) - load<f64>(centre + at));
  return total;
}

/** The point of ball and domain nearest to x, in place of x. */
export function project(x: usize, delta: f64): void {
  let size: f64 = 0;
  for (let at: usize = 0; at < bytes; at += 8) {
    const w = load<f64>(x + at) - load<f64>(centre + at);
    store<f64>(offsets + at, w);
    const cut = Math.min(room(at, w), Math.abs(w));
    size += norm == NORM_2 ? cut * cut : cut;
  }
  const inside = norm != NORM_INF && size <= (norm == NORM_2 ? delta * delta : delta);
  if (norm == NORM_INF || inside) {
    const most = inside ? Infinity : delta;
    for (let at: usize = 0; at < bytes; at += 8) {
      const w = load<f64>(offsets + at);
      // An entry that needs no cut keeps its bits.
      if (Math.abs(w) > Math.min(room(at, w), most)) place(x, at, w, Math.min(room(at, w), most));
    }
  } else if (norm == NORM_2) scaleTo(x, delta);
  else shrinkTo(x, delta);
}

/** x = x0 + sign(w) min(room, mu |w|) of norm delta; mu grows from its value without domain, and ends after few rounds. */
function scaleTo(x: usize, delta: f64): void {
  let mu: f64 = 0;
  for (let round = 0; round < MOST_ROUNDS; ++round) {
    let cut: f64 = 0;
    let free: f64 = 0;
    for (let at: usize = 0; at < bytes; at += 8) {
      const w = Math.abs(load<f64>(offsets + at));
      const most = room(at, load<f64>(offsets + at));
      if (mu * w >= most) cut += most * most;
      else free += w * w;
    }
    if (!(free > 0)) break;
    const next = Math.sqrt(Math.max(0, delta * delta - cut) / free);
    if (!(next > mu)) break;
    mu = next;
  }
  for (let at: usize = 0; at < bytes; at += 8) {
    const w = load<f64>(offsets + at);
    place(x, at, w, Math.min(room(at, w), mu * Math.abs(w)));
  }
}

/** x = x0 + sign(w) min(room, (|w| - tau)+) of norm delta: Newton on a piecewise linear function, kept in a bracket. */
function shrinkTo(x: usize, delta: f64): void {
  let low: f64 = 0;
  let high: f64 = 0;
  for (let at: usize = 0; at < bytes; at += 8) high = Math.max(high, Math.abs(load<f64>(offsets + at)));
  let tau: f64 = 0;
  for (let round = 0; round < MOST_ROUNDS; ++round) {
    let total: f64 = 0;
    let sloping: f64 = 0;
    for (let at: usize = 0; at < bytes; at += 8) {
      const w = load<f64>(offsets + at);
      const left = Math.abs(w) - tau;
      const most = room(at, w);
      if (left >= most) total += most;
      else if (left > 0) {
        total += left;
        sloping += 1;
      }
    }
    if (total > delta) low = tau;
    else high = tau;
    let next = tau + (total - delta) / sloping;
    if (next == tau) break;
    if (!(next > low && next < high)) next = 0.5 * (low + high);
    if (next == low || next == high) break;
    tau = next;
  }
  for (let at: usize = 0; at < bytes; at += 8) {
    const w = load<f64>(offsets + at);
    place(x, at, w, Math.min(room(at, w), Math.max(0, Math.abs(w) - tau)));
  }
}

/** x = x0 + the v of ball and domain with the smallest <gradient, v>; that product. */
export function corner(x: usize, gradient: usize, delta: f64): f64 {
  if (norm == NORM_1) steepestEntries(x, gradient, delta);
  else {
    for (let at: usize = 0; at < bytes; at += 8) {
      const w = -load<f64>(gradient + at);
      if (norm == NORM_2) store<f64>(offsets + at, w);
      else place(x, at, w, w == 0 ? 0 : Math.min(room(at, w), delta));
    }
    if (norm == NORM_2) scaleTo(x, delta);
  }
  return alongOffset(gradient, x);
}

function steepestEntries(x: usize, gradient: usize, delta: f64): void {
  memory.copy(x, centre, bytes);
  let left = delta;
  while (left > 0) {
    let steepest: f64 = 0;
    let where: usize = 0;
    for (let at: usize = 0; at < bytes; at += 8) {
      const slope = load<f64>(gradient + at);
      const size = Math.abs(slope);
      if (size <= steepest || load<f64>(x + at) != load<f64>(centre + at) || !(room(at, -slope) > 0)) continue;
      steepest = size;
      where = at;
    }
    if (steepest == 0) return;
    const w = -load<f64>(gradient + where);
    const size = Math.min(room(where, w), left);
    place(x, where, w, size);
    if (load<f64>(x + where) == load<f64>(centre + where)) return;
    left -= size;
  }
}

/** One step of steepest descent of length `step` in this norm against `direction`; not projected. */
export function descend(x: usize, direction: usize, step: f64): void {
  if (norm == NORM_INF) {
    for (let at: usize = 0; at < bytes; at += 8) {
      const slope = load<f64>(direction + at);
      if (slope != 0) store<f64>(x + at, load<f64>(x + at) - copysign<f64>(step, slope));
    }
    return;
  }
  if (norm == NORM_2) {
    let square: f64 = 0;
    for (let at: usize = 0; at < bytes; at += 8) square += load<f64>(direction + at) * load<f64>(direction + at);
    if (square == 0) return;
    const factor = step / Math.sqrt(square);
    for (let at: usize = 0; at < bytes; at += 8)
      store<f64>(x + at, load<f64>(x + at) - factor * load<f64>(direction + at));
    return;
  }
  let steepest: f64 = 0;
  let where: usize = 0;
  for (let at: usize = 0; at < bytes; at += 8) {
    const slope = load<f64>(direction + at);
    if (Math.abs(slope) <= steepest) continue;
    // An entry at the end of the domain can not follow.
    if (bounded && (slope > 0 ? load<f64>(x + at) <= 0 : load<f64>(x + at) >= 1)) continue;
    steepest = Math.abs(slope);
    where = at;
  }
  if (steepest > 0) store<f64>(x + where, load<f64>(x + where) - copysign<f64>(step, load<f64>(direction + where)));
}

/**
 * An upper bound of ||x - scale * raw|| in real arithmetic: x f64, raw f64 (integers for pixels). The product rounds
 * once, so its difference from x is off by at most UNIT * |scale raw|, and rounds once itself.
 */
export function distanceAbove(x: usize, raw: usize, scale: f64, entries: i32, kind: i32): f64 {
  let total: f64 = 0;
  const end = <usize>entries << 3;
  for (let at: usize = 0; at < end; at += 8) {
    const start = load<f64>(raw + at) * scale;
    const exact = scale == 1;
    const w = above(Math.abs(load<f64>(x + at) - start), 1) + (exact ? 0 : Math.abs(start) * 1.2e-16);
    const size = w > 0 ? above(w, 1) : 0;
    if (kind == NORM_INF) total = Math.max(total, size);
    else total += kind == NORM_2 ? size * size : size;
  }
  if (kind == NORM_INF) return total;
  const sum = above(total, 2 * <f64>entries) + (total > 0 ? 1e-300 : 0);
  return kind == NORM_2 ? above(Math.sqrt(sum), 2) : sum;
}

/** Nearest point for the tests and for users: x (entries f64) in place, around x0. */
export function projectPoint(x: usize, x0: usize, entries: i32, kind: i32, domain: i32, delta: f64, spare: usize): void {
  setBall(x0, entries, kind, domain != 0, spare);
  project(x, delta);
}

/** The corner, likewise; the value of the linear function's change. */
export function cornerPoint(
  x: usize, x0: usize, gradient: usize, entries: i32, kind: i32, domain: i32, delta: f64, spare: usize,
): f64 {
  setBall(x0, entries, kind, domain != 0, spare);
  return corner(x, gradient, delta);
}
