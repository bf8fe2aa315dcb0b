// The checker of reports: for every sample it proves the claimed radius again by plain interval arithmetic, written apart
// from the core, and holds everything else in the report against model and data. Slow, and meant to be read: it asks the
// core for nothing. Not here: the bounds (theorem.ts, relaxation.ts), a report's other fields (statement.ts).
import type { Dataset } from "../../data/dataset.js";
import { checkSameColumns } from "../../kernels/rows.js";
import type { Machine } from "../../machines/machine.js";
import { NetworkModel } from "../../networks/model.js";
import type { WorkOptions } from "../../runtime/runtime.js";
import { checkKind, isTwoLayer, type MachineMethod } from "../method.js";
import type { SavedCertificate, SavedReport } from "../report.js";
import { checkReport } from "../report-file.js";
import { div, down, point, size, up } from "./interval.js";
import { relaxationLower } from "./relaxation.js";
import { replay } from "./replay.js";
import { checkFigures, checkHeader, checkRowsOf, checkVerdict, optionsOf } from "./statement.js";
import { type CheckedInput, type CheckedMachine, openInput, openMachine, rawRows, rowAt } from "./terms.js";
import { type Lower, outputEnds, theoremLower } from "./theorem.js";

export interface CheckOptions extends WorkOptions {
  /** Adversarial inputs to be replayed: the NPZ file that writeCounterexamples() makes. */
  readonly counterexamples?: Uint8Array | undefined;
}

/** What came of a check. A report holds exactly when `faults` is empty. */
export interface CheckResult {
  /** Radii that were proved again. */
  readonly proved: number;
  /** Adversarial inputs that were replayed. */
  readonly replayed: number;
  /** What is wrong, one line each, with the row or field at its beginning. */
  readonly faults: readonly string[];
}

/**
 * Margins are what the core's bound leaves: below the checker's own by the core's allowances for rounding, which for sums
 * of a million terms stay below this share of the terms' sizes.
 */
const ALLOWANCE = 1e-9;

/** A lower bound of sign * g on the ball of `radius`, by the report's method. */
function lowerOf(input: CheckedInput, sign: number, radius: number, report: SavedReport): Lower {
  const { method, norm, domain } = optionsOf(report);
  const { kernel, rows } = input.own.machine;
  const kind = checkKind(method as MachineMethod, kernel, { norm, domain });
  // The ball of radius 0 is a point, whatever the method.
  if (radius === 0) return theoremLower(input, sign, point(0));
  const reach = div(point(radius), point(rows.scale));
  if (kind.method === "interval" || !isTwoLayer(kernel)) return theoremLower(input, sign, reach);
  const top = kind.domain ? up(1 / rows.scale) : Infinity;
  return relaxationLower(input, sign, { norm: kind.norm, reach, top });
}

/** The clean decision and the radius of one sample. */
function checkSample(
  own: CheckedMachine,
  sample: SavedCertificate,
  start: Float64Array,
  exact: boolean,
  report: SavedReport,
): string[] {
  const { index, prediction, decision, radius, margin } = sample;
  const fault = (what: string) => [`row ${index}: ${what}`];
  const input = openInput(own, start, exact);
  const output = outputEnds(input);
  const blur = ALLOWANCE * theoremLower(input, 1, point(0)).size;
  if (!(decision >= down(output.lo - blur) && decision <= up(output.hi + blur)))
    return fault(`decision: g is between ${output.lo} and ${output.hi}, got ${decision}`);
  if (prediction === 0) return [];
  if (!(prediction * (prediction > 0 ? output.lo : output.hi) > 0))
    return fault(`prediction: g is between ${output.lo} and ${output.hi}, got ${prediction}`);
  const { bound, size: terms } = lowerOf(input, prediction, radius, report);
  if (!(bound.lo > 0))
    return fault(`radius: ${radius} is not proved, the ${report.method} bound of |g| on that ball is ${bound.lo}`);
  if (!(margin > 0 && margin <= bound.hi))
    return fault(`margin: the ${report.method} bound of |g| on that ball is ${bound.lo}, got ${margin}`);
  if (!(bound.lo - margin <= ALLOWANCE * (terms + size(output))))
    return fault(`margin: ${margin} is not what method ${report.method} leaves on that ball (${bound.lo})`);
  return [];
}

/** Milliseconds between yields to other work. */
const SLICE = 50;
const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

/**
 * Checks a report of a machine's certificates: `data` is what was certified, not what it was trained on.
 * @throws TypeError, RangeError for what is no report, model or data at all; the signal's reason. What is wrong in a
 * report is no error but a fault in the result.
 */
export async function checkCertificates(
  report: SavedReport,
  machine: Machine | NetworkModel,
  data: Dataset,
  { signal, onProgress, runtime, counterexamples }: CheckOptions = {},
): Promise<CheckResult> {
  checkReport("report", report);
  if (machine instanceof NetworkModel)
    throw new RangeError("model: expected a kernel machine, got a network: its certificates have no checker yet");
  checkSameColumns("data", machine.rows, data);
  const faults = await checkStatement(report, machine, data, { runtime });
  // Without the right model, data and method there is nothing to prove.
  if (faults.some((fault) => /^(metadata|method|norm)/.test(fault))) return { proved: 0, replayed: 0, faults };
  const own = openMachine(machine);
  const inputs = rawRows(data);
  let proved = 0;
  let last = performance.now();
  for (const [k, sample] of report.perSample.entries()) {
    if (sample.index >= data.n) continue;
    const wrong = checkSample(own, sample, rowAt(inputs, sample.index), inputs.exact, report);
    faults.push(...wrong);
    if (wrong.length === 0 && sample.prediction !== 0) proved++;
    if (performance.now() - last < SLICE) continue;
    onProgress?.({ stage: "checking", done: k + 1, total: report.perSample.length });
    await pause();
    signal?.throwIfAborted();
    last = performance.now();
  }
  const again = counterexamples === undefined ? undefined : replay(counterexamples, report, machine, data);
  return { proved, replayed: again?.replayed ?? 0, faults: [...faults, ...(again?.faults ?? [])] };
}

async function checkStatement(
  report: SavedReport,
  machine: Machine,
  data: Dataset,
  { runtime }: WorkOptions,
): Promise<string[]> {
  const { method, norm, domain } = optionsOf(report);
  try {
    const kind = checkKind(method as MachineMethod, machine.kernel, { norm, domain });
    if (!["interval", "linear", "curvature", "best"].includes(method as string))
      return [`method: expected a bound of machines, got "${method}"`];
    if (report.metadata.movable !== undefined)
      return ["metadata.movable: perturbations of some entries have no checker yet"];
    if (kind.method === "curvature") return ["method: the quadratic form has no checker yet"];
    return [
      ...(await checkHeader(report, machine, data)),
      ...(await checkRowsOf(report, data, runtime)),
      ...report.perSample.flatMap((sample) => checkVerdict(sample, data)),
      ...checkFigures(report),
    ];
  } catch (error) {
    // What certify() itself would refuse.
    if (error instanceof RangeError || error instanceof TypeError) return [`metadata: ${error.message}`];
    throw error;
  }
}
