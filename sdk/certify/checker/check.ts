// The checker of reports: for every sample it proves the claimed radius again in interval arithmetic of its own, written
// apart from the core, and holds everything else in the report against model and data. Slow, and meant to be read: it asks
// the core for nothing but the first weights of networks, which are a part of the model. Not here: samples
// (machine-samples.ts, network-samples.ts), a report's other fields (statement.ts), adversarial inputs (replay.ts).
import type { Dataset } from "../../data/dataset.js";
import { checkSameColumns } from "../../kernels/rows.js";
import { Machine } from "../../machines/machine.js";
import { NetworkModel } from "../../networks/model.js";
import type { WorkOptions } from "../../runtime/runtime.js";
import { checkMethod } from "../certify.js";
import { checkKind, checkMachine, type MachineMethod } from "../method.js";
import type { SavedReport } from "../report.js";
import { checkReport } from "../report-file.js";
import { machineCheck, type SampleCheck } from "./machine-samples.js";
import { networkCheck, openNetwork } from "./network-samples.js";
import { replay } from "./replay.js";
import { checkFigures, checkHeader, checkRowsOf, checkVerdict, optionsOf } from "./statement.js";

export interface CheckOptions extends WorkOptions {
  /** Adversarial inputs to be replayed: the NPZ file that writeCounterexamples() makes. */
  readonly counterexamples?: Uint8Array | undefined;
}

/** What came of one sample. */
export interface CheckedSample {
  /** Row of the data set. */
  readonly index: number;
  /**
   * "verified": everything that the report says of the row was proved, or it claims nothing (abstained); "refuted": some
   * of it is wrong, or the report's method does not prove it; "not checkable": the row was not looked at, because model,
   * data or method are not those of the report.
   */
  readonly status: "verified" | "refuted" | "not checkable";
}

/** What came of a check. A report holds exactly when `faults` is empty; every sample is then "verified". */
export interface CheckResult {
  /** Radii that were proved again. */
  readonly proved: number;
  /** Adversarial inputs that were replayed. */
  readonly replayed: number;
  /** Attack radii in the report whose adversarial input was not there to be replayed: they are not checked. */
  readonly unreplayed: number;
  /** What is wrong, one line each, with the row or field at its beginning. */
  readonly faults: readonly string[];
  readonly samples: readonly CheckedSample[];
}

/** Milliseconds between yields to other work. */
const SLICE = 50;
const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

/** Faults of samples, row by row, after those of the report's other fields. */
async function checkSamples(
  check: SampleCheck,
  report: SavedReport,
  data: Dataset,
  { signal, onProgress }: CheckOptions,
): Promise<Map<number, readonly string[]>> {
  const faults = new Map<number, readonly string[]>();
  let last = performance.now();
  for (const [k, sample] of report.perSample.entries()) {
    if (sample.index >= data.n) continue;
    const own = [...checkVerdict(sample, data), ...check(sample)];
    faults.set(
      sample.index,
      own.map((fault) => `row ${sample.index}: ${fault}`),
    );
    if (performance.now() - last < SLICE) continue;
    onProgress?.({ stage: "checking", done: k + 1, total: report.perSample.length });
    await pause();
    signal?.throwIfAborted();
    last = performance.now();
  }
  return faults;
}

/**
 * Checks a report of certificates: `data` is what was certified, not what the model was trained on.
 * @throws TypeError, RangeError for what is no report, model or data at all; the signal's reason. What is wrong in a
 * report is no error but a fault in the result.
 */
export async function checkCertificates(
  report: SavedReport,
  model: Machine | NetworkModel,
  data: Dataset,
  options: CheckOptions = {},
): Promise<CheckResult> {
  checkReport("report", report);
  if (model instanceof NetworkModel) model.checkInputs("data", data);
  else {
    checkMachine("model", model);
    checkSameColumns("data", model.rows, data);
  }
  const general = await checkStatement(report, model, data, options);
  // Without the right model, data and method there is nothing to prove.
  if (general.some((fault) => /^(metadata|method|norm)/.test(fault))) {
    const samples = report.perSample.map(({ index }) => ({ index, status: "not checkable" as const }));
    return { proved: 0, replayed: 0, unreplayed: attacked(report).length, faults: general, samples };
  }
  const opened = model instanceof NetworkModel ? await openNetwork(model, options) : model;
  const check = opened instanceof Machine ? machineCheck(report, opened, data) : networkCheck(report, opened, data);
  const checked = await checkSamples(check, report, data, options);
  const { counterexamples } = options;
  const again = counterexamples === undefined ? undefined : replay(counterexamples, report, opened, data);
  const own = (index: number) => checked.get(index) ?? ["there is no such row"];
  const replayed = new Set(again?.rows);
  return {
    proved: report.perSample.filter(({ index, prediction }) => prediction !== 0 && own(index).length === 0).length,
    replayed: replayed.size,
    unreplayed: attacked(report).filter((index) => !replayed.has(index)).length,
    faults: [...general, ...[...checked.values()].flat(), ...(again?.faults ?? [])],
    samples: report.perSample.map(({ index }) => ({
      index,
      status: own(index).length === 0 ? ("verified" as const) : ("refuted" as const),
    })),
  };
}

/** Rows that an attack radius is claimed for. */
const attacked = ({ perSample }: SavedReport) =>
  perSample.filter(({ attackRadius }) => typeof attackRadius === "number").map(({ index }) => index);

async function checkStatement(
  report: SavedReport,
  model: Machine | NetworkModel,
  data: Dataset,
  { runtime }: WorkOptions,
): Promise<string[]> {
  try {
    const { method, norm, domain } = optionsOf(report);
    checkMethod(model, data, method);
    if (model instanceof Machine) checkKind(method as MachineMethod, model.kernel, { norm, domain });
    else if (norm !== "linf" || domain) return [`norm: expected "linf" without a domain for a network, got "${norm}"`];
    if (report.metadata.movable !== undefined)
      return ["metadata.movable: perturbations of some entries have no checker yet"];
    return [
      ...(await checkHeader(report, model, data)),
      ...(await checkRowsOf(report, data, runtime)),
      ...checkFigures(report),
    ];
  } catch (error) {
    // What certify() itself would refuse.
    if (error instanceof RangeError || error instanceof TypeError) return [`metadata: ${error.message}`];
    throw error;
  }
}
