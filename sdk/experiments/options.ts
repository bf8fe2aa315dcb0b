// Checks that the experiments share. Not here: what the options mean (each experiment's file).
import { BACKENDS, type BackendName } from "../networks/training.js";
import { checkChoice, checkNumber, describe } from "../validate.js";
import { COMPARISON_SETTINGS, type ComparisonSetting, type ExperimentOptions } from "./follow.js";

export interface Common {
  readonly backend: BackendName | "auto";
  readonly seed: number;
}

export function checkCommon({ backend, seed }: ExperimentOptions): Common {
  return {
    backend: checkChoice("backend", backend ?? "auto", [...BACKENDS, "auto"]),
    seed: checkNumber("seed", seed ?? 0, { min: 0, max: 2 ** 32 - 1, integer: true }),
  };
}

export function checkSetting(setting: unknown): ComparisonSetting {
  return checkChoice("setting", setting, COMPARISON_SETTINGS);
}

/** An array of at least one `what`, each as `check` returns it. */
export function checkList<Entry = number>(
  name: string,
  value: unknown,
  check: (name: string, entry: unknown) => Entry,
  what = "number",
): Entry[] {
  if (!Array.isArray(value) || value.length === 0)
    throw new TypeError(`${name}: expected an array of at least one ${what}, got ${describe(value)}`);
  return value.map((entry, k) => check(`${name}[${k}]`, entry));
}

export const checkWidth = (name: string, value: unknown) =>
  checkNumber(name, value, { min: 1, max: 2 ** 24, integer: true });
export const checkCount = (name: string, value: unknown) =>
  checkNumber(name, value, { min: 1, max: 1e9, integer: true });
export const checkRate = (name: string, value: unknown) => checkNumber(name, value, { min: 0, open: true });

/** Learning rates and lambda must leave a positive factor 1 - eta lambda. */
export function checkDecay(rates: readonly number[], lambda: unknown): number {
  const checked = checkNumber("lambda", lambda, { min: 0 });
  for (const rate of rates)
    if (!(rate * checked < 1))
      throw new RangeError(`lambda: expected learningRate * lambda < 1, got ${rate * checked}`);
  return checked;
}
