// Newton's method for kernel machines with a smooth loss, in the coefficients of all rows:
//   minimise P = (1/2) alpha' K alpha + C sum_i w_i l(z_i, y_i),   z = K alpha + b.
// With a = -C w l'(z) (what alpha is at the optimum), r = a - alpha and D = C w l''(z), a step solves
//   delta = r - D (K delta + db),   that is   delta = r - D^(1/2) v,   (I + D^(1/2) K D^(1/2)) v = D^(1/2) (K r + db),
// by conjugate gradients on the Gram matrix; with a bias, db keeps the coefficients' sum at 0. Fenchel's inequality holds
// with equality at a, so the duality gap of (alpha, a) is exactly (1/2) r' K r. Not here: the losses (math/loss.ts).
import { ConvergenceError } from "../errors.js";
import type { GramMatrix } from "../kernels/gram.js";
import { type Loss, LossTerms } from "../losses.js";
import type { Scope } from "../runtime/memory.js";
import type { WorkOptions } from "../runtime/runtime.js";

export interface NewtonProblem {
  readonly gram: GramMatrix;
  readonly y: Float64Array;
  /** w_i >= 0. */
  readonly weights: Float64Array;
  readonly loss: Loss;
  readonly bias: boolean;
}

export interface NewtonSettings {
  readonly c: number;
  /** Largest accepted gap / P. */
  readonly tolerance: number;
  readonly maxSteps: number;
  /** Where to start. Default: zero. */
  readonly start?: { readonly alpha: Float64Array; readonly intercept: number } | undefined;
  readonly stage: string;
}

export interface NewtonSolution {
  readonly alpha: Float64Array;
  readonly intercept: number;
  /** K alpha at all rows, without bias. */
  readonly outputs: Float64Array;
  /** Duality gap over P, from outputs computed afresh. */
  readonly gap: number;
  readonly primal: number;
  readonly dual: number;
  readonly steps: number;
  /** Products with the Gram matrix. */
  readonly products: number;
}

const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
const sumOf = (a: Float64Array) => a.reduce((sum, value) => sum + value, 0);
/** a + t b. */
const plus = (a: Float64Array, t: number, b: Float64Array) => a.map((value, i) => value + t * (b[i] ?? 0));
const times = (a: Float64Array, b: Float64Array) => a.map((value, i) => value * (b[i] ?? 0));

/** Share of the predicted decrease that a step has to bring (Armijo). */
const DECREASE = 1e-4;

/** Steps of the bias's own Newton iteration: it ends far sooner. */
const BIAS_STEPS = 100;

/** Solves the problem. @throws ConvergenceError, the signal's reason */
export async function newton(
  problem: NewtonProblem,
  settings: NewtonSettings,
  work: WorkOptions,
): Promise<NewtonSolution> {
  const scope = problem.gram.runtime.scope();
  try {
    return await new Newton(problem, settings, scope, work).solve();
  } finally {
    scope.release();
  }
}

/** The point at hand and what follows from it. */
interface State {
  readonly alpha: Float64Array;
  readonly f: Float64Array;
  readonly b: number;
  /** (1/2) alpha' K alpha. */
  readonly regulariser: number;
  readonly primal: number;
}

class Newton {
  private readonly losses: LossTerms;
  private products = 0;

  constructor(
    private readonly problem: NewtonProblem,
    private readonly settings: NewtonSettings,
    scope: Scope,
    private readonly work: WorkOptions,
  ) {
    const { gram, loss, y } = problem;
    this.losses = new LossTerms(gram.runtime, scope, loss, y);
  }

  private product(p: Float64Array): Promise<Float64Array> {
    this.products += 1;
    return this.problem.gram.multiply(p, { signal: this.work.signal });
  }

  async solve(): Promise<NewtonSolution> {
    const { tolerance, maxSteps, stage, start } = this.settings;
    const alpha = start?.alpha ?? new Float64Array(this.problem.gram.n);
    let state = this.at(alpha, start === undefined ? alpha : await this.product(alpha), start?.intercept ?? 0);
    let gap = Number.POSITIVE_INFINITY;
    // Whether the outputs were computed afresh; moved ones have rounding behind them.
    let fresh = true;
    for (let step = 0; step <= maxSteps; step++) {
      const r = plus(this.coefficients(state), -1, state.alpha);
      const kr = await this.product(r);
      const away = Math.max(0, 0.5 * dot(r, kr));
      gap = state.primal > 0 ? away / state.primal : 0;
      const digits = Math.log10(1 / Math.max(gap, 1e-300)) / Math.log10(1 / tolerance);
      this.work.onProgress?.({ stage, done: Math.max(0, Math.min(99, Math.floor(100 * digits))), total: 100 });
      if (gap <= tolerance && fresh) return this.solution(state, gap, away, step);
      if (gap <= tolerance) {
        state = this.at(state.alpha, await this.product(state.alpha), state.b);
        fresh = true;
        continue;
      }
      const next = await this.step(state, r, kr, gap);
      if (next === undefined) break;
      state = next;
      fresh = false;
    }
    throw new ConvergenceError("relative duality gap", gap, tolerance, "raise tolerance or maxSteps, or lower c");
  }

  private solution(state: State, gap: number, away: number, steps: number): NewtonSolution {
    const { alpha, f, b, primal } = state;
    const { products } = this;
    return { alpha, intercept: b, outputs: f, gap, primal, dual: primal - away, steps, products };
  }

  /** The state at alpha with outputs f, the bias at its best. */
  private at(alpha: Float64Array, f: Float64Array, b: number): State {
    const own = this.problem.bias ? this.bestBias(f, b) : 0;
    const regulariser = 0.5 * dot(alpha, f);
    return { alpha, f, b: own, regulariser, primal: regulariser + this.loss(f, own) };
  }

  /** C sum w l(f + b). */
  private loss(f: Float64Array, b: number): number {
    return this.settings.c * this.losses.sum(b === 0 ? f : f.map((value) => value + b), this.problem.weights);
  }

  /** -C w l'(z): what the coefficients are at the optimum. */
  private coefficients({ f, b }: Pick<State, "f" | "b">): Float64Array {
    const { slopes } = this.losses.at(f.map((value) => value + b));
    return slopes.map((slope, i) => -this.settings.c * (this.problem.weights[i] ?? 0) * slope);
  }

  /** C w l''(z). */
  private curvatures({ f, b }: Pick<State, "f" | "b">): Float64Array {
    const own = this.losses.curvatures(f.map((value) => value + b));
    return own.map((value, i) => this.settings.c * (this.problem.weights[i] ?? 0) * value);
  }

  /** The b at which the coefficients add up to 0, by Newton's method kept inside a bracket. */
  private bestBias(f: Float64Array, from: number): number {
    const { y, weights } = this.problem;
    const labels = new Set(y.filter((_, i) => (weights[i] ?? 0) > 0));
    // One class pushes b without end.
    if (labels.size < 2) throw new RangeError("y: expected both labels for a machine with a bias, got one class");
    let [low, high, b] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, from];
    for (let k = 0; k < BIAS_STEPS; k++) {
      const push = sumOf(this.coefficients({ f, b }));
      if (push === 0) return b;
      if (push > 0) low = b;
      else high = b;
      const wanted = b + push / sumOf(this.curvatures({ f, b }));
      const inside = wanted > low && wanted < high;
      const middle =
        Number.isFinite(low) && Number.isFinite(high) ? (low + high) / 2 : b + Math.sign(push) * (1 + Math.abs(b));
      const next = inside && Math.abs(wanted - b) <= 2 * (1 + Math.abs(b)) ? wanted : middle;
      if (next === b || Math.abs(next - b) <= 1e-15 * (1 + Math.abs(b))) return next;
      b = next;
    }
    return b;
  }

  /** One damped Newton step; undefined when no step brings a decrease any more. */
  private async step(state: State, r: Float64Array, kr: Float64Array, gap: number): Promise<State | undefined> {
    const root = this.curvatures(state).map(Math.sqrt);
    const accuracy = Math.max(1e-13, 0.1 * Math.min(1, Math.sqrt(gap)));
    let v = await this.conjugate(root, times(root, kr), accuracy);
    let db = 0;
    if (this.problem.bias) {
      const ones = await this.conjugate(root, root, accuracy);
      const room = dot(root, ones);
      const sum = sumOf(plus(state.alpha, 1, r)) - dot(root, v);
      db = room > 0 ? sum / room : 0;
      v = plus(v, db, ones);
    }
    const delta = plus(r, -1, times(root, v));
    return this.search(state, delta, await this.product(delta), db);
  }

  /** The first of the steps 1, 1/2, 1/4, ... along delta that lowers P as much as its slope promises. */
  private search(state: State, delta: Float64Array, kd: Float64Array, db: number): State | undefined {
    const { alpha, f, b, primal } = state;
    const a = this.coefficients(state);
    const slope = dot(plus(alpha, -1, a), kd) - db * sumOf(a);
    if (!(slope < 0)) return undefined;
    for (let t = 1; t > 1e-10; t /= 2) {
      const next = this.at(plus(alpha, t, delta), plus(f, t, kd), b + t * db);
      if (next.primal <= primal + DECREASE * t * slope + 1e-15 * primal) return next;
    }
    return undefined;
  }

  /**
   * (I + R K R) x = rhs with R = diag(root), to a residual of `accuracy` ||x||: K delta = R^-1 (x + residual), so that is
   * how well the step's outputs are known.
   */
  private async conjugate(root: Float64Array, rhs: Float64Array, accuracy: number): Promise<Float64Array> {
    let x = new Float64Array(rhs.length);
    let [residual, p] = [rhs, rhs];
    let square = dot(residual, residual);
    for (let k = 0; k < 2 * rhs.length && square > accuracy ** 2 * dot(x, x); k++) {
      const q = plus(p, 1, times(root, await this.product(times(root, p))));
      const step = square / dot(p, q);
      x = plus(x, step, p);
      residual = plus(residual, -step, q);
      const next = dot(residual, residual);
      p = plus(residual, next / square, p);
      square = next;
    }
    return x;
  }
}
