// Balls of given radii around rows: their check, and reading both ends of their bounds from the core. Not here: what
// bounds them (bounds.ts, relaxed.ts, ibp.ts).
import type { Scope } from "../runtime/memory.js";
import { checkNumber, describe } from "../validate.js";
import type { Bounds } from "./method.js";

/** One radius a row. @throws TypeError, RangeError */
export function checkRadii(radii: number | ArrayLike<number>, n: number): Float64Array {
  if (typeof radii !== "number" && typeof (radii as ArrayLike<number> | null)?.length !== "number")
    throw new TypeError(`radii: expected a number or an array of numbers, got ${describe(radii)}`);
  const list = typeof radii === "number" ? new Float64Array(n).fill(radii) : Float64Array.from(radii);
  if (list.length !== n) throw new RangeError(`radii: expected ${n} numbers, got ${list.length}`);
  for (const radius of list) checkNumber("radii", radius, { min: 0 });
  return list;
}

/** A job of bounds alone has no search: any bracket serves. */
export const NO_SEARCH = { low: 0, high: 1, tolerance: 1 };

/** The bounds that `run` writes for these radii: it is given the pointers of both. */
export async function boundBalls(
  scope: Scope,
  radii: Float64Array,
  run: (radii: number, ends: number) => Promise<void>,
): Promise<Bounds> {
  const n = radii.length;
  const to = scope.allocate(n * 16);
  await run(scope.f64(n, radii), to);
  const ends = scope.memory.f64(to, 2 * n);
  return {
    lower: Float64Array.from({ length: n }, (_, k) => ends[2 * k] ?? Number.NaN),
    upper: Float64Array.from({ length: n }, (_, k) => ends[2 * k + 1] ?? Number.NaN),
  };
}
