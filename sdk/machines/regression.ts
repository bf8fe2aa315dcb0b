// How well outputs fit real targets. Not here: decisions of labels (each machine's predict()).
import { describe } from "../validate.js";

export interface RegressionFit {
  /** Root mean square of y - g. */
  readonly rmse: number;
  /** Share of the targets' variance that is explained, 1 - sum (y - g)^2 / sum (y - mean y)^2; null for equal targets. */
  readonly r2: number | null;
}

/** The fit of outputs to as many targets. @throws TypeError, RangeError for other lengths or none at all */
export function regressionFit(targets: ArrayLike<number>, outputs: ArrayLike<number>): RegressionFit {
  for (const [name, list] of Object.entries({ targets, outputs }))
    if (typeof (list as ArrayLike<number> | null)?.length !== "number")
      throw new TypeError(`${name}: expected an array of numbers, got ${describe(list)}`);
  const n = targets.length;
  if (n === 0 || outputs.length !== n)
    throw new RangeError(`outputs: expected ${n} of at least one target, got ${outputs.length}`);
  const y = Array.from(targets);
  const mean = y.reduce((sum, value) => sum + value, 0) / n;
  const left = y.reduce((sum, value, k) => sum + (value - (outputs[k] ?? Number.NaN)) ** 2, 0);
  const total = y.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { rmse: Math.sqrt(left / n), r2: total > 0 ? 1 - left / total : null };
}
