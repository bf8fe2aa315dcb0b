// A machine on a box below one quadratic form, for the checker: each term R h(u) stands above (below, where its weight is
// negative) R times a parabola of its cosine, u = <x, x_i> / (R R_i), so that with R = ||x||
//   R sign g(x)  >=  A R^2 + R (<B, x> + b) + <x, C x> / 2  -  loss R^2
// with numbers A, B, C that are what the sums of parabolas come to in float64, and `loss` what they may be off by: the
// intervals behind each factor, and (n + 4) roundings of each sum. Not here: parabolas (parabola.ts), the minimum of the
// form over the box (quadratic.ts).
import type { Norm } from "../method.js";
import {
  add,
  div,
  down,
  type Interval,
  IntervalTotal,
  mul,
  neg,
  point,
  size,
  sqrt,
  square,
  sub,
  up,
} from "./interval.js";
import { parabolaAt } from "./parabola.js";
import { largestSquare, type Region, roomAt, spreadAbove } from "./relaxation.js";
import { type CheckedInput, rowAt } from "./terms.js";

const UNIT = 2 ** -53;

/** A term of the machine around an input. */
interface Term {
  /** sign alpha_i factor R_i. */
  readonly weight: Interval;
  readonly length: Interval;
  /** Where the row is not 0, and what it is there: places in the list of columns. */
  readonly places: Int32Array;
  readonly entries: Float64Array;
  /** About the cosine at the centre; any number will do. */
  readonly cosine: number;
  /** |t_i - cosine r0| and the dual norm of x_i / R_i - cosine x0 / r0, both at most. */
  readonly miss: number;
  readonly spread: number;
}

/** What does not depend on the radius. */
export interface Machined {
  readonly input: CheckedInput;
  readonly bias: number;
  /** Columns in which the input or a row with a weight is not 0; the others are only seen by R. */
  readonly columns: Int32Array;
  readonly terms: readonly Term[];
}

/** Columns that matter, and where each stands among them, -1 for none. */
function touched({ own, start, weights }: CheckedInput): { columns: Int32Array; places: Int32Array } {
  const used = Uint8Array.from(start, (entry) => (entry === 0 ? 0 : 1));
  weights.forEach(({ lo, hi }, i) => {
    if (lo === 0 && hi === 0) return;
    rowAt(own.rows, i).forEach((entry, k) => {
      if (entry !== 0) used[k] = 1;
    });
  });
  const places = new Int32Array(used.length).fill(-1);
  let count = 0;
  for (let k = 0; k < used.length; k++) if (used[k] === 1) places[k] = count++;
  return { columns: Int32Array.from(used.keys()).filter((k) => used[k] === 1), places };
}

function openTerm(input: CheckedInput, sign: number, i: number, places: Int32Array, norm: Norm): Term | undefined {
  const length = input.own.lengths[i] as Interval;
  const plain = input.weights[i] as Interval;
  if (!(length.lo > 0) || (plain.lo === 0 && plain.hi === 0)) return undefined;
  const row = rowAt(input.own.rows, i);
  const filled = Int32Array.from(row.keys()).filter((k) => row[k] !== 0);
  const t = div(input.dots[i] as Interval, length);
  const cosine = Math.max(-1, Math.min(1, t.lo / input.startNorm.lo));
  return {
    weight: sign > 0 ? plain : neg(plain),
    length,
    places: filled.map((k) => places[k] as number),
    entries: Float64Array.from(filled, (k) => row[k] as number),
    cosine,
    miss: size(sub(t, mul(point(cosine), input.startNorm))),
    spread: spreadAbove(input, i, cosine, norm),
  };
}

export function openForm(input: CheckedInput, sign: number, norm: Norm): Machined {
  const { columns, places } = touched(input);
  const terms = input.own.lengths.map((_, i) => openTerm(input, sign, i, places, norm));
  return { input, bias: sign * input.own.machine.bias, columns, terms: terms.filter((term) => term !== undefined) };
}

/** A ball, or the part of an l-inf ball in the domain, and what R is on it. */
export interface Box {
  readonly region: Region;
  /** x0 over the columns. */
  readonly start: Float64Array;
  /** How far down and up each of the columns may move; in an l2 ball each alone. */
  readonly rooms: readonly (readonly [number, number])[];
  readonly shortest: number;
  readonly longest: number;
  /** R - <x, x0> / r0 lies in [0, drift]. */
  readonly drift: number;
  /** max ||D||^2, and of the columns that matter to R alone. */
  readonly far: number;
  readonly elsewhere: number;
}

/** Undefined where the box may hold the origin. */
export function openBox(machined: Machined, region: Region): Box | undefined {
  return region.norm === "l2" ? openBall(machined, region) : openCube(machined, region);
}

function openBall({ input, columns }: Machined, region: Region): Box | undefined {
  const { reach } = region;
  const shortest = sub(input.startNorm, reach).lo;
  if (!(shortest > 0)) return undefined;
  const far = square(reach);
  return {
    region,
    start: Float64Array.from(columns, (k) => input.start[k] as number),
    rooms: Array.from(columns, () => [reach.hi, reach.hi] as const),
    shortest,
    longest: add(input.startNorm, reach).hi,
    drift: div(far, add(input.startNorm, input.startNorm)).hi,
    far: far.hi,
    elsewhere: columns.length < input.start.length ? far.hi : 0,
  };
}

function openCube({ input, columns }: Machined, region: Region): Box | undefined {
  const least = new IntervalTotal();
  const most = new IntervalTotal();
  const outside = new IntervalTotal();
  const kept = new Set(columns);
  input.start.forEach((entry, k) => {
    const [below, above] = roomAt(entry, region);
    const end = Math.max(up(Math.abs(down(entry - below))), up(Math.abs(up(entry + above))));
    most.add(square(point(end)));
    least.add(square(point(Math.max(0, down(entry - below), down(-entry - above)))));
    if (!kept.has(k)) outside.add(square(point(Math.max(below, above))));
  });
  const shortest = sqrt(least.value).lo;
  if (!(shortest > 0)) return undefined;
  const far = largestSquare(input, region).hi;
  return {
    region,
    start: Float64Array.from(columns, (k) => input.start[k] as number),
    rooms: Array.from(columns, (k) => roomAt(input.start[k] as number, region)),
    shortest,
    longest: sqrt(most.value).hi,
    drift: div(point(far), add(input.startNorm, input.startNorm)).hi,
    far,
    elsewhere: outside.value.hi,
  };
}

/** The cosines that a term may have on the box. */
function cosinesOf({ cosine, miss, spread }: Term, { region, drift, shortest }: Box): readonly [number, number] {
  const side = up(up(spread * region.reach.hi) + miss);
  const below = up(up(side + up(Math.max(0, cosine) * drift)) / shortest);
  const above = up(up(side + up(Math.max(0, -cosine) * drift)) / shortest);
  return [Math.max(-1, down(cosine - below)), Math.min(1, up(cosine + above))];
}

export interface Form {
  readonly square: number;
  /** B, over the columns. */
  readonly tilt: Float64Array;
  /** C, over the columns, row after row. */
  readonly outer: Float64Array;
  readonly loss: number;
  /** Sum of the terms' sizes, to say what differences are measured in. */
  readonly size: number;
}

const middle = ({ lo, hi }: Interval) => lo + (hi - lo) / 2;
const width = ({ lo, hi }: Interval) => up(hi - lo);

/** Parabolas that touch at the cosines of `at`, a point of the box. */
export function formAt({ terms, columns }: Machined, box: Box, at: Place): Form {
  const norm = lengthOf(at);
  const n = columns.length;
  const tilt = new Float64Array(n);
  const outer = new Float64Array(n * n);
  const squares = new IntervalTotal();
  const losses = new IntervalTotal();
  const gamma = (terms.length + 8) * UNIT * (1 + 1e-9);
  for (const term of terms) {
    const { weight, length, places, entries } = term;
    const [low, high] = cosinesOf(term, box);
    const cosine = alongRow(at.x, places, entries) / (length.lo * norm);
    const { alpha, beta, gamma: bend } = parabolaAt(cosine, low, high, weight.lo < 0);
    squares.add(mul(weight, alpha));
    const slope = div(mul(weight, beta), length);
    const curve = div(mul(weight, point(bend)), square(length));
    const [b, c] = [middle(slope), middle(curve)];
    addRow(tilt, outer, n, places, entries, b, c);
    // |<x_i, x>| <= R_i R, and so is the sum of their entries' absolute products.
    losses.add(point(up(up(width(slope) + up(gamma * Math.abs(b))) * length.hi)));
    losses.add(point(up(up(up(width(curve) + up(gamma * Math.abs(c))) * length.hi) * length.hi)));
  }
  const own = squares.value;
  const value = middle(own);
  return { square: value, tilt, outer: mirrored(outer, n), loss: up(losses.value.hi + width(own)), size: squares.size };
}

/** Adds a row times b to the vector and the row's products times c to the matrix, on and below the diagonal. */
function addRow(
  tilt: Float64Array,
  outer: Float64Array,
  n: number,
  places: Int32Array,
  entries: Float64Array,
  b: number,
  c: number,
): void {
  for (let p = 0; p < places.length; p++) {
    const k = places[p] as number;
    const entry = entries[p] as number;
    tilt[k] = (tilt[k] as number) + b * entry;
    const own = c * entry;
    for (let q = 0; q <= p; q++) {
      const to = k * n + (places[q] as number);
      outer[to] = (outer[to] as number) + own * (entries[q] as number);
    }
  }
}

function mirrored(matrix: Float64Array, n: number): Float64Array {
  for (let k = 0; k < n; k++) for (let l = 0; l < k; l++) matrix[l * n + k] = matrix[k * n + l] as number;
  return matrix;
}

/** A point of the box: entries in the columns, and the squared length of the others. */
export interface Place {
  readonly x: Float64Array;
  readonly outside: number;
}

export const lengthOf = ({ x, outside }: Place) => Math.sqrt(x.reduce((sum, entry) => sum + entry * entry, outside));

/** h and h' rounded to nearest, where nothing is decided. */
function roughly(u: number): readonly [number, number] {
  const cosine = Math.max(-1 + 1e-6, Math.min(1 - 1e-6, u));
  const sine = Math.sqrt(1 - cosine * cosine);
  const angle = Math.PI - Math.acos(cosine);
  return [2 * cosine * angle + sine, 2 * angle + cosine / sine];
}

/** g at a point of the box, its gradient over the columns, and how it changes with R; rounded to nearest. */
export function gradientAt({ terms, bias }: Machined, at: Place) {
  const norm = lengthOf(at);
  const gradient = new Float64Array(at.x.length);
  let radial = 0;
  let value = bias;
  for (const { weight, length, places, entries } of terms) {
    const cosine = alongRow(at.x, places, entries) / (length.lo * norm);
    const [level, slope] = roughly(cosine);
    value += weight.lo * norm * level;
    radial += weight.lo * (level - cosine * slope);
    const factor = (weight.lo * slope) / length.lo;
    for (let p = 0; p < places.length; p++) {
      const k = places[p] as number;
      gradient[k] = (gradient[k] as number) + factor * (entries[p] as number);
    }
  }
  return { value, radial, gradient: gradient.map((own, k) => own + (radial / norm) * (at.x[k] as number)) };
}

function alongRow(x: Float64Array, places: Int32Array, entries: Float64Array): number {
  let sum = 0;
  for (let p = 0; p < places.length; p++) sum += (entries[p] as number) * (x[places[p] as number] as number);
  return sum;
}
