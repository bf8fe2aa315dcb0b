// Adversarial inputs of a report, replayed by the checker: each lies where it says, beyond the certified radius, and is
// decided otherwise, proved by interval arithmetic at exactly that point. Not here: finding them (attacks/).
import type { Dataset } from "../../data/dataset.js";
import type { NpyArray } from "../../data/npy.js";
import { readNpz } from "../../data/npz.js";
import { Machine } from "../../machines/machine.js";
import { type Method, type Norm, offsetOf } from "../method.js";
import type { SavedReport } from "../report.js";
import { div, type Interval, IntervalTotal, interval, mul, point, size, sqrt, square, sub } from "./interval.js";
import { factorOf } from "./network.js";
import { type CheckedNetwork, networkEnds, openPoint, startEnds } from "./network-samples.js";
import { type CheckedMachine, openInput, openMachine } from "./terms.js";
import { outputEnds } from "./theorem.js";

function numbers(arrays: ReadonlyMap<string, NpyArray>, name: string, count?: number): ArrayLike<number> {
  const data = arrays.get(name)?.data;
  if (data === undefined || typeof data[0] === "bigint" || (count !== undefined && data.length !== count))
    throw new RangeError(`counterexamples: expected ${count ?? "some"} numbers in "${name}"`);
  return data as ArrayLike<number>;
}

/** ||x - x0|| in data units, between its ends. */
export function distance(x: Float64Array, start: readonly Interval[], norm: Norm): Interval {
  const total = new IntervalTotal();
  let most = point(0);
  start.forEach((entry, k) => {
    const own = sub(point(x[k] as number), entry);
    const length = interval(Math.max(0, own.lo, -own.hi), size(own));
    most = interval(Math.max(most.lo, length.lo), Math.max(most.hi, length.hi));
    total.add(norm === "l2" ? square(own) : length);
  });
  return norm === "linf" ? most : norm === "l2" ? sqrt(total.value) : total.value;
}

/** The machine on inputs in data units: Theta is homogeneous of degree 1, so their unit leaves the factor. */
function realMachine(machine: Machine): CheckedMachine {
  const own = openMachine(machine);
  return { ...own, factor: div(own.factor, point(machine.rows.scale)) };
}

/** The model's output at an input in data units, `start` being the clean one in raw units. */
type Output = (adversarial: Float64Array, start: Float64Array) => Interval;

function outputOf(model: Machine | CheckedNetwork, report: SavedReport, scale: number): Output {
  if (model instanceof Machine) {
    const own = realMachine(model);
    return (adversarial) => outputEnds(openInput(own, adversarial, false));
  }
  const frozen = offsetOf(report.method as Method) === "frozen";
  const factor = factorOf(model.model, 1);
  return (adversarial, start) => {
    // f_0 kept at the centre is that of the clean input, whose raw units are `scale`.
    const taken = frozen ? mul(startEnds(openPoint(model, start)), point(scale)) : undefined;
    return mul(networkEnds(openPoint(model, adversarial), point(0), taken), factor);
  };
}

/** @throws RangeError, FormatError for another file */
export function replay(
  bytes: Uint8Array,
  report: SavedReport,
  model: Machine | CheckedNetwork,
  data: Dataset,
): { rows: number[]; faults: string[] } {
  const arrays = readNpz(bytes);
  const { d } = data;
  const x = Float64Array.from(numbers(arrays, "x"));
  const count = x.length / d;
  const index = numbers(arrays, "index", count);
  const radius = numbers(arrays, "radius", count);
  const outputAt = outputOf(model, report, data.scale);
  const faults: string[] = [];
  for (let k = 0; k < count; k++) {
    const row = index[k] as number;
    const sample = report.perSample.find((other) => other.index === row);
    const fault = (what: string) => faults.push(`row ${row}: counterexample: ${what}`);
    if (sample === undefined) {
      fault("the report has no such row");
      continue;
    }
    const adversarial = x.slice(k * d, (k + 1) * d);
    const unit = point(data.scale);
    const raw = Float64Array.from(data.x.subarray(row * d, (row + 1) * d));
    const start = Array.from(raw, (entry) => mul(point(entry), unit));
    const apart = distance(adversarial, start, report.norm);
    if (!(apart.lo <= (radius[k] as number))) fault(`it is ${apart.lo} away, not ${radius[k]}`);
    if (!(apart.hi > sample.radius)) fault(`it is ${apart.hi} away, within the certified radius ${sample.radius}`);
    if (sample.attackRadius !== undefined && sample.attackRadius !== null && !(apart.lo <= sample.attackRadius))
      fault(`it is ${apart.lo} away, the report has ${sample.attackRadius}`);
    const output = outputAt(adversarial, raw);
    if (!(sample.prediction > 0 ? output.hi < 0 : output.lo > 0))
      fault(`it is not decided otherwise, the output is between ${output.lo} and ${output.hi}`);
  }
  return { rows: Array.from(index), faults };
}
