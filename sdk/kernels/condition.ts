// Condition numbers of what ridge machines solve with. Not here: the ends of a spectrum (spectrum.ts).
import { checkNumber, describe } from "../validate.js";
import type { SpectrumEstimate } from "./spectrum.js";

/**
 * Condition number of what krr() solves with, K + (lambda / 2) I, for each lambda: (largest + lambda / 2) over
 * (smallest + lambda / 2); Infinity where the smaller is not positive. `largest` and `smallest` as spectrum() has them.
 * @throws TypeError, RangeError
 */
export function ridgeCondition(
  { largest, smallest }: Pick<SpectrumEstimate, "largest" | "smallest">,
  lambdas: readonly number[],
): number[] {
  checkNumber("largest", largest);
  checkNumber("smallest", smallest, { max: largest });
  if (!Array.isArray(lambdas)) throw new TypeError(`lambdas: expected an array of numbers, got ${describe(lambdas)}`);
  return lambdas.map((lambda, k) => {
    const shift = checkNumber(`lambdas[${k}]`, lambda, { min: 0 }) / 2;
    return smallest + shift > 0 ? (largest + shift) / (smallest + shift) : Infinity;
  });
}
