// Who slides: the multipliers of the points on their margin, so that the flow moves on as Theorem 3.1's subgradient
// flow does. Not here: time and events (path.ts).
//
// Write every kink of the data term as a half-line: kink k belongs to row r_k with sign s_k and costs
// C max(0, level_k - m_k), m_k = s_k g(x_{r_k}). Hinge: s = y, level 1. With theta_k in [0, 1] the share of its full
// push, 1 below the level and 0 above,
//   dm_k/dt = -m_k + C sum_l M_kl theta_l,   M_kl = s_k s_l K(x_{r_k}, x_{r_l}).
// On the level theta_k may be anything in [0, 1]; Filippov's solution is the one whose velocity is consistent:
//   w_k := C (M theta)_k - level_k = dm_k/dt:   w_k = 0 and 0 <= theta_k <= 1 (it slides),
//                                               w_k < 0 and theta_k = 1 (it leaves inwards),
//                                               w_k > 0 and theta_k = 0 (it leaves outwards).
// These are the optimality conditions of: minimise (C/2) theta' M theta - level' theta over theta_Z in [0, 1]^Z, Z the
// kinks on their level and the others fixed. M is positive semidefinite, so theta exists and its velocity is unique
// (it is the shortest subgradient). They do not contain the time: as long as no other kink arrives, w stays, theta is
// constant, and nobody who slides leaves. Whoever leaves does so at the instant another arrives.
//
// The problem is solved from the last theta on: a kink with the wrong w moves its theta towards the other bound and
// those that slide follow so that their w stays 0, until its own w is 0 (it joins them), it is at the other bound, or
// one that follows comes to a bound and stays there. The objective falls with every such step; of several candidates
// the smallest index moves first.
import { ConvergenceError } from "../errors.js";
import { Factor } from "./factor.js";

/** Kinks of the data term, all of the same weight C. */
export interface Kinks {
  readonly row: Int32Array;
  readonly sign: Float64Array;
  readonly level: Float64Array;
}

/** A pivot below this share of the diagonal is 0: the row is a combination of those that slide (a repeated row, say). */
const DEPENDENT = 1e-12;

/** Moves of one kink after another before the problem is given up, for each kink. */
const MOVES = 100;

export class Sliding {
  /** Shares theta_k of all kinks; 0 or 1 exactly unless k slides. */
  readonly theta: Float64Array;
  /** Kinks with 0 < theta < 1 or on the way there, in the order of the factor's rows. */
  readonly free: number[] = [];
  private readonly factor = new Factor();

  constructor(
    private readonly kinks: Kinks,
    /** n x n kernel values, row-major. */
    private readonly kernel: Float64Array,
    private readonly n: number,
    private readonly c: number,
  ) {
    this.theta = new Float64Array(kinks.row.length);
  }

  private product(a: number, b: number): number {
    const { row, sign } = this.kinks;
    return sign[a]! * sign[b]! * this.kernel[row[a]! * this.n + row[b]!]!;
  }

  /**
   * Makes theta consistent for the kinks `on` (ascending; every free kink is among them). `velocity` holds w of each
   * of them at the theta of before and is brought up to date. Returns whether any theta moved.
   */
  settle(on: readonly number[], velocity: Float64Array, tolerance: number): boolean {
    for (let move = 0; move < MOVES * (on.length + 1); move++) {
      const at = on.findIndex((k, z) => this.wrong(k, velocity[z]!, tolerance));
      if (at < 0) return move > 0;
      this.enter(on, at, velocity);
    }
    throw new ConvergenceError("velocity on the margin", tolerance, tolerance, "remove repeated rows or lower c");
  }

  private wrong(k: number, velocity: number, tolerance: number): boolean {
    if (this.free.includes(k)) return false;
    return this.theta[k] === 0 ? velocity < -tolerance : velocity > tolerance;
  }

  /** Moves theta of on[at] towards its other bound until its velocity is 0 or the bound is reached. */
  private enter(on: readonly number[], at: number, velocity: Float64Array): void {
    const { theta, free, factor, c } = this;
    const k = on[at]!;
    const up = theta[k] === 0;
    const own = this.product(k, k);
    for (;;) {
      const half = factor.forward(free.map((f) => this.product(f, k)));
      const pivot = own - half.reduce((sum, value) => sum + value * value, 0);
      const follow = factor.backward(half).map((value) => (up ? -value : value));
      const room = up ? 1 - theta[k]! : theta[k]!;
      const best = pivot > DEPENDENT * own ? Math.abs(velocity[at]!) / (c * pivot) : Number.POSITIVE_INFINITY;
      const { step: stop, who } = this.firstStop(follow);
      const step = Math.max(0, Math.min(best, room, stop));
      this.move(on, velocity, k, up ? step : -step, follow, step);
      if (best <= room && best <= stop) {
        velocity[at] = 0;
        factor.append(half, pivot);
        free.push(k);
        return;
      }
      if (room <= stop) {
        theta[k] = up ? 1 : 0;
        return;
      }
      theta[free[who]!] = follow[who]! > 0 ? 1 : 0;
      factor.remove(who);
      free.splice(who, 1);
    }
  }

  /** The first free kink whose theta comes to a bound when all move by `follow`, and after how long. */
  private firstStop(follow: Float64Array): { step: number; who: number } {
    let step = Number.POSITIVE_INFINITY;
    let who = -1;
    this.free.forEach((f, k) => {
      const speed = follow[k]!;
      if (speed === 0) return;
      const room = (speed > 0 ? 1 - this.theta[f]! : this.theta[f]!) / Math.abs(speed);
      if (room < step || (room === step && f < this.free[who]!)) {
        step = room;
        who = k;
      }
    });
    return { step, who };
  }

  private move(
    on: readonly number[],
    velocity: Float64Array,
    k: number,
    by: number,
    follow: Float64Array,
    step: number,
  ): void {
    const { theta, free, c } = this;
    theta[k] = Math.min(1, Math.max(0, theta[k]! + by));
    free.forEach((f, i) => {
      theta[f] = Math.min(1, Math.max(0, theta[f]! + step * follow[i]!));
    });
    on.forEach((z, at) => {
      if (free.includes(z)) return;
      let sum = by * this.product(z, k);
      for (let i = 0; i < free.length; i++) sum += step * follow[i]! * this.product(z, free[i]!);
      velocity[at] = velocity[at]! + c * sum;
    });
  }

  /** One step of iterative refinement: takes what rounding left of the free kinks' velocities (in their order) away. */
  polish(left: ArrayLike<number>): void {
    const { theta, free, factor, c } = this;
    if (free.length === 0) return;
    const correction = factor.backward(factor.forward(left));
    free.forEach((f, i) => {
      theta[f] = Math.min(1, Math.max(0, theta[f]! - correction[i]! / c));
    });
  }
}
