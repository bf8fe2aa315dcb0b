// The gradient flow of a piecewise linear data term, event by event (Theorem 3.1, Appendix C of the paper).
// Between events the shares theta are constant, so g and alpha move on straight lines towards their targets,
//   alpha(t) = a + (alpha(s) - a) e^-(t-s),   g(t) = K a + (g(s) - K a) e^-(t-s),   a_i = C sum_{k of row i} s_k theta_k,
// and margin m_k meets its level after the share f = (level - m) / (target - m) of its way: t = s - log(1 - f), exactly.
// Not here: theta (sliding.ts), outputs at other times and rows (flow.ts).
import { ConvergenceError } from "../errors.js";
import { type Kinks, Sliding } from "./sliding.js";

/** Where a point is: its loss pushes, it is on the kink, or its loss is flat. */
export type MarginSide = "inside" | "margin" | "outside";

const [INSIDE, MARGIN, OUTSIDE] = [0, 1, 2] as const;
const SIDES: readonly MarginSide[] = ["inside", "margin", "outside"];

/** A kink changes sides. */
export interface Change {
  readonly time: number;
  readonly kink: number;
  readonly from: MarginSide;
  readonly to: MarginSide;
}

/** From `start` on, the target coefficients `row` have the values `value`; others keep theirs. */
export interface Segment {
  readonly start: number;
  readonly row: Int32Array;
  readonly value: Float64Array;
}

/** Closer to its level than this, a kink counts as on it. */
const ON_LEVEL = 1e-13;

/** Velocities of kinks on their level below this share of the forces at work are 0. */
const AT_REST = 1e-13;

/** Most rounds of deciding who slides and taking the rounding out of it. The second mostly finds nothing to do. */
const ROUNDS = 8;

/** Events between products computed afresh. */
const AFRESH = 128;

/** Fall of the forces after which a product is computed afresh. */
const FADED = 4;

export class Path {
  readonly changes: Change[] = [];
  readonly segments: Segment[] = [];
  /** Outputs at the rows, at `time`. */
  readonly outputs: Float64Array;
  /** Time of the last event. */
  time = 0;
  /** Whether no event is left: the outputs go to `target`. */
  ended = false;
  /** K a: where the outputs go now. */
  readonly target: Float64Array;
  /** a: where the coefficients go now. */
  readonly coefficients: Float64Array;
  private readonly sliding: Sliding;
  private readonly side: Uint8Array;
  private readonly largest: number;
  private tolerance = 0;
  private changed = new Map<number, number>();
  private sinceFresh = 0;
  private peak = 0;

  constructor(
    private readonly kinks: Kinks,
    private readonly kernel: Float64Array,
    private readonly n: number,
    private readonly c: number,
    initial: Float64Array,
  ) {
    this.outputs = Float64Array.from(initial);
    this.target = new Float64Array(n);
    this.coefficients = new Float64Array(n);
    this.sliding = new Sliding(kinks, kernel, n, c);
    this.side = new Uint8Array(kinks.row.length);
    this.largest = Array.from({ length: n }, (_, i) => kernel[i * n + i]!).reduce((a, b) => Math.max(a, b), 0);
    kinks.row.forEach((_, k) => {
      const inside = this.margin(k, this.outputs) < kinks.level[k]!;
      this.side[k] = inside ? INSIDE : OUTSIDE;
      this.sliding.theta[k] = inside ? 1 : 0;
    });
    this.settle(false);
  }

  private margin(k: number, of: Float64Array): number {
    return this.kinks.sign[k]! * of[this.kinks.row[k]!]!;
  }

  /** Goes to the next event before `until`, or to the end; false when there is none. */
  advance(until: number): boolean {
    const { share, first } = this.nextEvent();
    if (first < 0) {
      this.ended = true;
      return false;
    }
    const time = this.time - Math.log1p(-share);
    if (!(time < until)) return false;
    this.time = time;
    this.outputs.forEach((value, i) => {
      this.outputs[i] = value + share * (this.target[i]! - value);
    });
    // Rounding must not leave whoever arrives short of its level: it would arrive for ever.
    this.outputs[this.kinks.row[first]!] = this.kinks.sign[first]! * this.kinks.level[first]!;
    this.settle(true);
    return true;
  }

  /** The smallest share of its way to the target after which a kink reaches its level, and which does; -1: none. */
  private nextEvent(): { share: number; first: number } {
    const { kinks, side } = this;
    let share = 1;
    let first = -1;
    for (let k = 0; k < side.length; k++) {
      if (side[k] === MARGIN) continue;
      const level = kinks.level[k]!;
      const beyond = (this.margin(k, this.target) - level) * (side[k] === INSIDE ? 1 : -1);
      if (!(beyond > this.tolerance)) continue;
      const before = Math.max(0, (level - this.margin(k, this.outputs)) * (side[k] === INSIDE ? 1 : -1));
      const own = before / (before + beyond);
      if (own < share) {
        share = own;
        first = k;
      }
    }
    return { share, first };
  }

  /** Decides the sides of all kinks on their level, sets the target, and notes what changed. */
  private settle(note: boolean): void {
    const { kinks, side, sliding } = this;
    const on: number[] = [];
    for (let k = 0; k < side.length; k++) {
      const level = kinks.level[k]!;
      const near = Math.abs(this.margin(k, this.outputs) - level) <= ON_LEVEL * (1 + Math.abs(level));
      if (near || side[k] === MARGIN) on.push(k);
    }
    this.retarget();
    for (let round = 0; round < ROUNDS; round++) {
      const velocity = Float64Array.from(on, (k) => this.velocity(k));
      const moved = sliding.settle(on, velocity, this.tolerance);
      if (!moved && sliding.free.every((k) => Math.abs(this.velocity(k)) <= this.tolerance / 16)) break;
      this.retarget();
      sliding.polish(sliding.free.map((k) => this.velocity(k)));
      this.retarget();
    }
    for (const k of on) {
      const still = sliding.free.includes(k) || Math.abs(this.velocity(k)) <= this.tolerance;
      const to = still ? MARGIN : sliding.theta[k] === 0 ? OUTSIDE : INSIDE;
      const from = side[k]!;
      if (to === MARGIN) this.outputs[kinks.row[k]!] = kinks.sign[k]! * kinks.level[k]!;
      if (to === from) continue;
      side[k] = to;
      if (note) this.changes.push({ time: this.time, kink: k, from: SIDES[from]!, to: SIDES[to]! });
    }
    this.closeSegment();
  }

  /** dm/dt of a kink on its level. */
  private velocity(k: number): number {
    return this.margin(k, this.target) - this.kinks.level[k]!;
  }

  /** Brings coefficients and target up to date with theta. */
  private retarget(): void {
    const { kinks, sliding, n, kernel, coefficients, target, c } = this;
    const now = new Float64Array(n);
    let force = 0;
    let used = 0;
    kinks.row.forEach((row, k) => {
      const push = c * kinks.sign[k]! * sliding.theta[k]!;
      now[row] = now[row]! + push;
      force += Math.abs(push);
      if (push !== 0) used++;
    });
    this.tolerance = AT_REST * (1 + this.largest * force);
    const moved: number[] = [];
    for (let i = 0; i < n; i++) if (now[i] !== coefficients[i]) moved.push(i);
    if (moved.length === 0) return;
    // What large forces of before rounded away must not stay behind when they are gone.
    this.peak = Math.max(this.peak, force);
    const faded = 1 + this.largest * this.peak > FADED * (1 + this.largest * force);
    const fresh = faded || moved.length > used || ++this.sinceFresh > AFRESH;
    if (fresh) {
      this.sinceFresh = 0;
      this.peak = force;
      target.fill(0);
    }
    const rows = fresh ? now.keys() : moved;
    for (const i of rows) {
      const by = fresh ? now[i]! : now[i]! - coefficients[i]!;
      if (by === 0) continue;
      const from = i * n;
      for (let j = 0; j < n; j++) target[j] = target[j]! + by * kernel[from + j]!;
    }
    for (const i of moved) {
      coefficients[i] = now[i]!;
      this.changed.set(i, now[i]!);
    }
  }

  private closeSegment(): void {
    const row = Int32Array.from(this.changed.keys());
    const value = Float64Array.from(this.changed.values());
    this.changed = new Map();
    this.segments.push({ start: this.time, row, value });
  }

  /** Refuses to go on: for callers that count events. */
  giveUp(until: number): never {
    throw new ConvergenceError("time of the flow", this.time, until, "raise maxEvents, lower c, or set until");
  }
}
