// The way from an input to an adversarial one: inputs at given distances along it, and what the machine provably answers
// there. Inside the attack's radius they say how far the output has fallen, beyond it how far past 0. Not here: the
// attack (attack.ts).
import type { Dataset } from "../../data/dataset.js";
import { checkRows, type Machine } from "../../machines/machine.js";
import { runtimeOf, type WorkOptions } from "../../runtime/runtime.js";
import { checkChoice, checkNumber, checkObject, describe } from "../../validate.js";
import { checkMachine, NORMS, type Threat } from "../method.js";
import { cleanRow } from "./counterexamples.js";
import { Evaluator } from "./verify.js";

export interface AttackPath {
  /** The inputs, one row a radius, k x d in data units. */
  readonly points: Float64Array;
  /** Ends of the output there: proved for the two-layer NTK, an estimate twice for other kernels. */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

function lengthOf(step: Float64Array, norm: (typeof NORMS)[number]): number {
  if (norm === "linf") return step.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (norm === "l1") return step.reduce((sum, value) => sum + Math.abs(value), 0);
  return Math.sqrt(step.reduce((sum, value) => sum + value * value, 0));
}

/**
 * Inputs x0 + t (x* - x0) at distances `radii` from row 0 of `data`, up to rounding, on the way to the adversarial input
 * `target` (d entries in data units) and beyond; with `domain` cut to [0, 1], which only shortens the distance.
 * @throws TypeError, RangeError, the signal's reason
 */
export async function attackPath(
  machine: Machine,
  data: Dataset,
  target: Float64Array,
  radii: readonly number[],
  options: WorkOptions & Threat = {},
): Promise<AttackPath> {
  checkMachine("machine", machine);
  checkRows("data", data);
  const { norm, domain } = checkObject("options", options);
  const ball = checkChoice("norm", norm ?? "linf", NORMS);
  if (!(target instanceof Float64Array))
    throw new TypeError(`target: expected a Float64Array, got ${describe(target)}`);
  const { d } = data;
  if (target.length !== d) throw new RangeError(`target: expected ${d} entries, got ${target.length}`);
  if (!Array.isArray(radii)) throw new TypeError(`radii: expected an array of numbers, got ${describe(radii)}`);
  if (radii.length === 0) throw new RangeError("radii: expected at least one, got none");
  for (const radius of radii) checkNumber("radii", radius, { min: 0 });
  const clean = cleanRow(data, 0);
  const step = target.map((value, k) => value - (clean[k] ?? 0));
  const length = lengthOf(step, ball);
  if (!(length > 0)) throw new RangeError("target: expected another input than the clean one");
  const points = new Float64Array(radii.length * d);
  radii.forEach((radius, i) => {
    const point = clean.map((value, k) => value + (step[k] ?? 0) * (radius / length));
    points.set(domain === true ? point.map((value) => Math.min(1, Math.max(0, value))) : point, i * d);
  });
  const runtime = await runtimeOf(options);
  options.signal?.throwIfAborted();
  const evaluator = new Evaluator(machine, "frozen", runtime);
  const { lower, upper } = await evaluator.at(points, data.subset(radii.map(() => 0)));
  return { points, lower, upper };
}
