// Certificates of finite networks for the checker: for one sample the clean output, the radius and the margin, proved again
// by the report's method or refuted. Not here: the bounds (network.ts, switching.ts), machines (machine-samples.ts).
import type { Dataset } from "../../data/dataset.js";
import { initialWeights } from "../../networks/initial.js";
import type { NetworkModel } from "../../networks/model.js";
import type { WorkOptions } from "../../runtime/runtime.js";
import { offsetOf } from "../method.js";
import type { SavedCertificate, SavedReport } from "../report.js";
import { div, down, type Interval, interval, mul, point, sub, up } from "./interval.js";
import { marginFaults, type SampleCheck } from "./machine-samples.js";
import {
  type Centres,
  type CheckedLayers,
  centresOf,
  distances,
  factorOf,
  openLayers,
  propagatedEnds,
  propagatedLower,
  scaled,
  sumOf,
} from "./network.js";
import { optionsOf } from "./statement.js";
import { type Pair, parabolasLower, planesLower } from "./switching.js";

/**
 * The core may take 8-bit inputs through the first layer in integers, which moves radii by so many grey levels at most: a
 * few times what it allows itself, for outputs and margins.
 */
const GREY = 2e-4;

/** A network beside its start. */
export interface CheckedNetwork {
  readonly model: NetworkModel;
  readonly own: CheckedLayers;
  /** Undefined where the output is f alone. */
  readonly start: CheckedLayers | undefined;
  readonly apart: Float64Array;
}

export async function openNetwork(model: NetworkModel, { runtime, signal }: WorkOptions): Promise<CheckedNetwork> {
  const { spec, inputs, weights } = model;
  const own = openLayers(spec, weights);
  const width = spec.widths[0] as number;
  if (!model.centred) return { model, own, start: undefined, apart: new Float64Array(width) };
  const start = openLayers(spec, await initialWeights(spec, inputs, { runtime, signal }));
  const first = (layers: CheckedLayers) => layers.weights.hidden[0] as Float32Array;
  return { model, own, start, apart: distances(first(own), width, first(start)) };
}

/** One input beside a network. */
export interface NetworkInput {
  readonly network: CheckedNetwork;
  readonly centres: Centres;
  readonly startCentres: Centres | undefined;
}

/** `x` in the units that the result is in, but for the factor. */
export function openPoint(network: CheckedNetwork, x: Float64Array): NetworkInput {
  const { own, start } = network;
  return { network, centres: centresOf(own, x), startCentres: start === undefined ? undefined : centresOf(start, x) };
}

/** f_0 between its ends, without the factor; a point at 0 where there is none. */
export function startEnds({ network, startCentres }: NetworkInput): Interval {
  const { start } = network;
  return start === undefined || startCentres === undefined ? point(0) : propagatedEnds(start, startCentres);
}

/** f - f_0 between its ends on a ball, `taken` standing for f_0 where it is kept; without the factor. */
export function networkEnds(input: NetworkInput, reach: Interval, taken?: Interval) {
  const { own, start } = input.network;
  const ends = propagatedEnds(own, input.centres, reach);
  const other =
    taken ??
    (start === undefined || input.startCentres === undefined
      ? point(0)
      : propagatedEnds(start, input.startCentres, reach));
  return { ...sub(ends, other), size: ends.size };
}

class NetworkCheck {
  constructor(
    private readonly report: SavedReport,
    private readonly network: CheckedNetwork,
    private readonly data: Dataset,
  ) {}

  /** A lower bound of sign (f - f_0), without the factor. */
  private lowerOf(input: NetworkInput, sign: number, reach: Interval, enough: number): number {
    const { method } = this.report;
    const { own, start } = this.network;
    const { centres, startCentres } = input;
    const frozen = startEnds(input);
    const taken = sign > 0 ? -frozen.hi : frozen.lo;
    if (method === "linear") return sumOf(planesLower(this.pairOf(input, sign, true), reach.hi, enough - taken), taken);
    if (method === "paired") return planesLower(this.pairOf(input, sign, false), reach.hi, enough);
    if (method === "aggregate") return parabolasLower(this.pairOf(input, sign, false), reach.hi, enough);
    const { lower } = propagatedLower(own, centres, sign, reach);
    if (offsetOf(method as "ibp") === "frozen" || start === undefined || startCentres === undefined)
      return sumOf(lower, taken);
    return sumOf(lower, propagatedLower(start, startCentres, -sign, reach).lower);
  }

  private pairOf({ centres, startCentres, network }: NetworkInput, sign: number, frozen: boolean): Pair {
    const { own, start, apart } = network;
    const v = Float64Array.from(own.weights.output, (weight) => sign * weight);
    // Without a network at the start the trained layer stands in for its first layer, and zeros for its outputs.
    if (frozen || start === undefined || startCentres === undefined) {
      const v0 = new Float64Array(v.length);
      return { own, start: own, apart: v0, centres, startCentres: centres, v, v0, together: true };
    }
    const v0 = Float64Array.from(start.weights.output, (weight) => sign * weight);
    return { own, start, apart, centres, startCentres, v, v0, together: false };
  }

  check({ index, prediction, decision, radius, margin }: SavedCertificate): string[] {
    const { data, network, report } = this;
    const x = Float64Array.from(data.x.subarray(index * data.d, (index + 1) * data.d));
    const input = openPoint(network, x);
    const factor = factorOf(network.model, data.scale);
    const exact = networkEnds(input, point(0));
    const loose = networkEnds(input, point(data.x instanceof Uint8Array ? GREY : 0), startEnds(input));
    const output = mul(exact, factor);
    const wide = mul(interval(down(loose.lo - 1e-9 * exact.size), up(loose.hi + 1e-9 * exact.size)), factor);
    const between = `the output is between ${output.lo} and ${output.hi}`;
    if (!(decision >= wide.lo && decision <= wide.hi)) return [`decision: ${between}, got ${decision}`];
    if (prediction === 0) return [];
    if (!(prediction * (prediction > 0 ? output.lo : output.hi) > 0))
      return [`prediction: ${between}, got ${prediction}`];
    const reach = div(point(radius), point(data.scale));
    const enough = up(margin / factor.lo);
    const lower = scaled(this.lowerOf(input, prediction, reach, enough), factor);
    const proof = { bound: point(lower), size: exact.size * factor.hi, same: false };
    const faults = marginFaults(report.method, radius, margin, proof, output);
    if (faults.length > 0 || !report.method.startsWith("ibp")) return faults;
    // Interval propagation leaves one margin, but for the first layer in integers.
    const room = interval(reach.lo, reach.hi + (data.x instanceof Uint8Array ? GREY : 0));
    const least = scaled(this.lowerOf(input, prediction, room, enough), factor) - 1e-9 * proof.size;
    return margin >= least
      ? []
      : [`margin: ${margin} is not what method ${report.method} leaves: the bound is ${lower}`];
  }
}

export function networkCheck(report: SavedReport, network: CheckedNetwork, data: Dataset): SampleCheck {
  optionsOf(report);
  const own = new NetworkCheck(report, network, data);
  return (sample) => own.check(sample);
}
