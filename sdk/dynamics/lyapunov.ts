// The linear rate of Theorem 3.1, checked on a computed flow: L(beta_t) - L(beta*) <= e^-2t (L(beta_0) - L(beta*)).
// Not here: the flow (flow.ts).
import { checkNumber, describe } from "../validate.js";
import type { GradientFlow } from "./flow.js";

/** Both sides of the inequality at one time. */
export interface LyapunovPoint {
  readonly t: number;
  /** L(beta_t) - L(beta*), as computed: within rounding of L, about 1e-15 L(beta_0), it may come out below 0. */
  readonly excess: number;
  /** e^-2t (L(beta_0) - L(beta*)). */
  readonly bound: number;
  /** Whether excess <= bound, up to a rounding of 1e-12 (|L(beta_0)| + |L(beta*)|). */
  readonly holds: boolean;
}

/** Rounding of L, relative to where it starts and ends. */
const ROUNDING = 1e-12;

/**
 * Both sides of Theorem 3.1's inequality along `flow`, at each of `times` (>= 0). L is that of equation 2 for the
 * flow's own C and loss; for a given g_0 both sides lack the same (1/2) e^-2t ||beta_0||^2, and may be negative.
 * @throws TypeError, RangeError for a bad time, or a flow that was stopped before its end (its L(beta*) is not known)
 */
export function lyapunov(flow: GradientFlow, times: ArrayLike<number>): LyapunovPoint[] {
  // By what it has: the class itself comes only when a flow is computed.
  if (typeof flow !== "object" || flow === null || typeof flow.loss !== "function" || !("limit" in flow))
    throw new TypeError(`flow: expected a GradientFlow, got ${describe(flow)}`);
  if (typeof times !== "object" || times === null || typeof times.length !== "number")
    throw new TypeError(`times: expected an array of times, got ${describe(times)}`);
  const least = flow.limit?.loss.objective;
  if (least === undefined) throw new RangeError("flow: expected one that was followed to its end (no until)");
  const first = flow.loss(0).objective;
  const room = ROUNDING * (Math.abs(first) + Math.abs(least));
  return Array.from(times, (value, k) => {
    const t = checkNumber(`times[${k}]`, value, { min: 0 });
    const excess = flow.loss(t).objective - least;
    const bound = Math.exp(-2 * t) * (first - least);
    return { t, excess, bound, holds: excess <= bound + room };
  });
}
