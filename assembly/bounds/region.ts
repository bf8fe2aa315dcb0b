// What a quadratic form is minimised over: D = x - x0 on a ball, or on the part of an l-inf ball inside the domain, and the
// last variable, s = R - r0 - <x0, D> / r0 with R = ||x||. In scaled variables y, D_k = h_k (c_k + y_k): the cube
// [-1, 1]^q, or for l2 the unit ball times [-1, 1] for s. Everything is rounded outward.
// Not here: the form (problem.ts), its minimum (semidefinite.ts, ball.ts).
import { NORM_INF } from "../layout";
import { above, below, UNIT } from "../rounding";

// The input at hand, one set a thread.
export let norm: i32 = NORM_INF;
let top: f64 = Infinity; // largest raw entry inside the domain, Infinity without one
export let startNorm: f64 = 0; // r0
export let startSquare: f64 = 0;
export let squareUlps: f64 = 0; // relative error of startSquare, in units of roundoff
export let start: usize = 0; // x0, a compressed vector: see active.ts
export let places: usize = 0; // int32: where column k of the problem stands in a compressed vector
export let q: i32 = 0; // touched columns + 1; the last variable is s
export let moving: i32 = 0; // the first so many variables may change; the others are columns that stay
export let untouched: f64 = 0; // columns that may change and are zero in all rows and in x0
export let halves: usize = 0; // h
export let centres: usize = 0; // c

/** Takes a norm and, for l-inf, the largest raw entry of the domain; others do not look at a domain. */
export function openRegion(kind: i32, domainTop: f64, vector: usize, columns: usize, h: usize, c: usize): void {
  norm = kind;
  top = kind == NORM_INF ? domainTop : Infinity;
  start = vector;
  places = columns;
  halves = h;
  centres = c;
}

/** ||x0||^2 with its relative error. */
export function setCentre(square: f64, ulps: f64): void {
  startSquare = square;
  startNorm = Math.sqrt(square);
  squareUlps = ulps;
}

/** `touched` columns, of which the first `free` may change, and how many more may that no row touches. */
export function setColumns(touched: i32, free: i32, others: f64): void {
  q = touched + 1;
  moving = free;
  untouched = others;
}

// @ts-ignore: decorator
@inline
export function entry(list: usize, k: i32): usize {
  return list + (<usize>k << 3);
}

/** Entry of a compressed vector that belongs to variable k. */
// @ts-ignore: decorator
@inline
export function activeEntry(list: usize, k: i32): usize {
  return list + (<usize>load<i32>(places + (<usize>k << 2)) << 3);
}

// The region at hand, left by setRegion().
let low: f64 = 0; // ends of D for a column that is not touched
let high: f64 = 0;
export let shortest: f64 = 0; // R is in [shortest, longest]
export let longest: f64 = 0;
export let drift: f64 = 0; // R - <x, x0> / r0 is in [0, drift]
let blur: f64 = 0; // and what rounding of x0 / r0 adds on both sides

/** Ends of R and of what it adds to the problem, from the largest ||D||^2 on the ball. */
function setDrift(moved: f64): void {
  drift = above(moved / (2 * startNorm), 8 + squareUlps) + 4 * UNIT * startNorm;
  blur = (8 + squareUlps) * UNIT * (startNorm + above(Math.sqrt(moved), 4));
  // The last variable is R - r0 - <x0 / r0, D> as computed.
  const half = 0.5 * (drift + 2 * blur) * (1 + 16 * UNIT);
  store<f64>(entry(halves, q - 1), half);
  store<f64>(entry(centres, q - 1), (0.5 * drift) / half);
}

/** An l2 ball: the variables that may change make a unit ball. */
function setBall(reach: f64): void {
  memory.fill(centres, 0, <usize>q << 3);
  for (let k = 0; k < q - 1; ++k) store<f64>(entry(halves, k), (k < moving ? reach * (1 + 16 * UNIT) : 0) + 1e-290);
  const spare = (8 + squareUlps) * UNIT * (startNorm + reach);
  shortest = Math.max(0, startNorm - reach - spare);
  longest = startNorm + reach + spare;
  setDrift(above(reach * reach, 4));
}

function setBox(reach: f64): void {
  let moved: f64 = 0;
  let least: f64 = 0;
  let most: f64 = 0;
  low = top < Infinity ? 0 : -reach;
  high = Math.min(reach, top);
  for (let k = 0; k < q - 1; ++k) {
    const a = load<f64>(activeEntry(start, k));
    const allowed = k < moving ? reach : 0;
    const down = top < Infinity ? Math.min(allowed, Math.max(0, a)) : allowed;
    const up = top < Infinity ? Math.min(allowed, Math.max(0, top - a)) : allowed;
    // Wider by a few roundings, so that c h - h and c h + h, exact, reach the ends.
    const half = 0.5 * (up + down) * (1 + 16 * UNIT) + 1e-290;
    store<f64>(entry(halves, k), half);
    store<f64>(entry(centres, k), (0.5 * (up - down)) / half);
    const far = Math.max(up, down);
    const near = Math.max(0, Math.max(a - down, -a - up));
    const end = Math.max(Math.abs(a - down), Math.abs(a + up));
    moved += far * far;
    least += near * near;
    most += end * end;
  }
  const other = Math.max(high, -low);
  const roundings = <f64>q + 16;
  moved = above(moved + untouched * other * other, roundings);
  shortest = below(Math.sqrt(below(least, roundings)), 4);
  longest = above(Math.sqrt(above(most + untouched * other * other, roundings)), 4);
  setDrift(moved);
}

export function setRegion(reach: f64): void {
  if (norm == NORM_INF) setBox(reach);
  else setBall(reach);
}

/** The largest ||D||^2 of the columns of a box that are not touched. */
export function untouchedSquare(): f64 {
  const other = Math.max(high, -low);
  return untouched * other * other;
}
