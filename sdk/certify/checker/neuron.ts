// One neuron of a difference of two-layer networks below a plane or a parabola, for the checker. The trained neuron is
// v relu(a + y), the one at the start v0 relu(a0 + z), with |z| <= Z and |y - z| <= T; for any slopes c, e and curvature
// h >= 0 the least of
//   v relu(a + y) - v0 relu(a0 + z) - c y - e z + h z^2 / 2
// is what makes A + c y + e z - h z^2 / 2 a lower bound. leastOf() proves it: for given z the function of y is piecewise
// linear, so its least is on one of the curves y = z - T, y = z + T, y = -a; on each, between the points where a neuron
// switches, it is p + s z + h z^2 / 2, which lies above any of its tangents. chooseShape() looks for good slopes, where
// nothing has to be proved. Not here: sums over neurons (switching.ts).
import { add, down, type Interval, mul, point, sub, up } from "./interval.js";

/** A neuron around an input: output weights, sums at the centre, ranges. */
export interface Neuron {
  readonly v: number;
  readonly v0: number;
  readonly a: number;
  readonly a0: number;
  readonly Z: number;
  readonly T: number;
}

export interface Shape {
  /** Slopes of y and z, and the curvature of z. */
  readonly c: number;
  readonly e: number;
  readonly h: number;
}

/** At most p + s z + h z^2 / 2 for z in [low, high]; Infinity for an empty range. */
function pieceLeast(p: Interval, s: Interval, h: number, low: number, high: number): number {
  if (!(low <= high)) return Number.POSITIVE_INFINITY;
  const stationary = h > 0 ? -s.lo / h : s.lo > 0 ? low : high;
  const t = Math.max(low, Math.min(high, stationary));
  const curve = mul(point(h), point(t));
  const value = add(p, mul(point(t), add(s, mul(point(0.5), curve))));
  const slope = add(s, curve);
  const ends = [sub(point(low), point(t)), sub(point(high), point(t))];
  return down(value.lo + Math.min(0, ...ends.map((end) => mul(slope, end).lo)));
}

/** A number at most A. */
export function leastOf({ v, v0, a, a0, Z, T }: Neuron, { c, e, h }: Shape): number {
  let least = Number.POSITIVE_INFINITY;
  for (const on0 of [0, 1]) {
    // Where the start is switched on, or off.
    const from = on0 === 1 ? Math.max(-Z, -a0) : -Z;
    const to = on0 === 1 ? Z : Math.min(Z, -a0);
    const start = on0 * v0;
    for (const tau of T > 0 ? [-T, T] : [0])
      for (const on of [0, 1]) {
        const own = on * v;
        const low = on === 1 ? Math.max(from, down(-a - tau)) : from;
        const high = on === 1 ? to : Math.min(to, up(-a - tau));
        const s = sub(sub(sub(point(own), point(start)), point(c)), point(e));
        const shifted = mul(point(own), add(point(a), point(tau)));
        const p = sub(sub(shifted, mul(point(start), point(a0))), mul(point(c), point(tau)));
        least = Math.min(least, pieceLeast(p, s, h, low, high));
      }
    if (!(T > 0)) continue;
    const s = sub(point(-start), point(e));
    const p = sub(mul(point(c), point(a)), mul(point(start), point(a0)));
    least = Math.min(least, pieceLeast(p, s, h, Math.max(from, down(-a - T)), Math.min(to, up(-a + T))));
  }
  return least;
}

const MOST_CHORDS = 16;

const relu = (x: number) => Math.max(0, x);
const clamp = (x: number, low: number, high: number) => Math.max(low, Math.min(high, x));

/** The least over y at z, without -e z, rounded to nearest. */
function lowerAt({ v, v0, a, a0, T }: Neuron, c: number, h: number, z: number): number {
  const [low, high] = [z - T, z + T];
  const kink = clamp(-a, low, high);
  const ends = Math.min(v * relu(a + low) - c * low, v * relu(a + high) - c * high, v * relu(a + kink) - c * kink);
  return ends - v0 * relu(a0 + z) + 0.5 * h * z * z;
}

/** The slope e whose A + e z is largest at a given z, for slopes of y and curvatures in turn: chords of the envelope. */
export class Chooser {
  private readonly breaks = new Float64Array(5);
  private readonly levels = new Float64Array(5);
  private at = 0;
  private c = 0;
  private h = 0;

  constructor(private readonly neuron: Neuron) {}

  private shape(c: number, h: number): void {
    const { a, a0, Z, T } = this.neuron;
    this.c = c;
    this.h = h;
    this.breaks.set([-Z, Z, clamp(-a0, -Z, Z), clamp(-a - T, -Z, Z), clamp(-a + T, -Z, Z)]);
    for (let k = 0; k < 5; k++) this.levels[k] = lowerAt(this.neuron, c, h, this.breaks[k] as number);
  }

  /** A for the slope e, rounded to nearest; leaves where it is reached. */
  private least(e: number): number {
    const { c, h, neuron } = this;
    let best = Number.POSITIVE_INFINITY;
    const look = (z: number, level: number) => {
      const value = level - e * z;
      if (!(value < best)) return;
      best = value;
      this.at = z;
    };
    for (let k = 0; k < 5; k++) look(this.breaks[k] as number, this.levels[k] as number);
    if (!(h > 0)) return best;
    const { v, v0, Z } = neuron;
    for (const slope of [0, -v0, -c, -c - v0, v - c, v - c - v0]) {
      const z = clamp((e - slope) / h, -Z, Z);
      look(z, lowerAt(neuron, c, h, z));
    }
    return best;
  }

  /** The slope e that serves best at z with this slope of y and curvature, and its A. */
  touch(c: number, h: number, z: number): { readonly e: number; readonly least: number } {
    this.shape(c, h);
    const { Z } = this.neuron;
    if (!(Z > 0)) return { e: 0, least: this.least(0) };
    let [left, right] = [-Z, Z];
    let [valueLeft, valueRight] = [this.levels[0] as number, this.levels[1] as number];
    let [e, least] = [0, 0];
    for (let chord = 0; chord < MOST_CHORDS && right - left > 1e-9 * Z; chord++) {
      e = (valueRight - valueLeft) / (right - left);
      least = this.least(e);
      const base = valueLeft - e * left;
      if (least >= base - 1e-10 * (Math.abs(base) + Math.abs(least))) break;
      if (this.at < z) {
        left = this.at;
        valueLeft = least + e * left;
      } else {
        right = this.at;
        valueRight = least + e * right;
      }
    }
    return { e, least };
  }
}
