// Bounds of a machine's output on balls, proved: by any of the methods for machines. The mathematics is in
// assembly/bounds/. Not here: the largest radius (certify.ts).
import { checkSameColumns, type RowSource } from "../kernels/rows.js";
import { checkRows, type Machine } from "../machines/machine.js";
import { runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import { checkChoice, checkObject, describe } from "../validate.js";
import { boundBalls, checkRadii, NO_SEARCH } from "./balls.js";
import { prepareJob } from "./machine-job.js";
import {
  type Bounds,
  checkKind,
  checkMachine,
  checkMovable,
  MACHINE_METHODS,
  type MachineMethod,
  type Reach,
  type Threat,
} from "./method.js";

export interface BoundOptions extends WorkOptions, Threat, Reach {
  /** Bound method. Default "best". */
  readonly method?: MachineMethod | undefined;
}

/**
 * Bounds of g on the ball ||x - x_k|| <= radii[k] around each row of `data` (one number serves all rows), radii >= 0 in
 * the units of the data. Any real x in the ball is meant, or with `domain` any in the ball and the image domain. What is
 * not bounded (a ball that holds the origin, for some methods) comes back as -Infinity or Infinity.
 * @throws TypeError, RangeError for kernels with biases, methods that do not hold, other columns, negative radii
 */
export async function machineBounds(
  machine: Machine,
  data: RowSource,
  radii: number | ArrayLike<number>,
  options: BoundOptions = {},
): Promise<Bounds> {
  checkObject("options", options);
  checkMachine("machine", machine);
  checkRows("data", data);
  checkSameColumns("data", machine.rows, data);
  const method = checkChoice("method", options.method ?? "best", MACHINE_METHODS);
  const kind = { ...checkKind(method, machine.kernel, options), movable: checkMovable(options, data) };
  const list = checkRadii(radii, data.n);
  const runtime = await runtimeOf(options);
  const scope = runtime.scope();
  try {
    const { pointer } = await prepareJob(runtime, scope, machine, data, NO_SEARCH, kind);
    return await boundBalls(scope, list, (from, to) =>
      runtime.run("machineBounds", data.n, [pointer, from, to], options, "bounding"),
    );
  } finally {
    scope.release();
  }
}

/** machineBounds by the paper's interval method (Theorem 4.2), on l-inf balls. */
export async function intervalBounds(
  machine: Machine,
  data: RowSource,
  radii: number | ArrayLike<number>,
  options: WorkOptions = {},
): Promise<Bounds> {
  checkObject("options", options);
  return machineBounds(machine, data, radii, { ...options, method: "interval" });
}

/**
 * Bounds on balls of one centre with growing radii, each tightened by those of the larger balls, which hold on it too.
 * `lower` and `upper` have one entry a ball. @throws TypeError, RangeError for lengths that differ
 */
export function nestedBounds(bounds: Bounds): Bounds {
  const { lower, upper } = checkObject("bounds", bounds);
  if (!(lower instanceof Float64Array && upper instanceof Float64Array))
    throw new TypeError(`bounds: expected { lower, upper } of Float64Array, got ${describe(lower)}`);
  if (lower.length !== upper.length)
    throw new RangeError(`upper: expected ${lower.length} entries, got ${upper.length}`);
  const [low, high] = [lower.slice(), upper.slice()];
  for (let k = low.length - 2; k >= 0; k--) {
    low[k] = Math.max(low[k]!, low[k + 1]!);
    high[k] = Math.min(high[k]!, high[k + 1]!);
  }
  return { lower: low, upper: high };
}
