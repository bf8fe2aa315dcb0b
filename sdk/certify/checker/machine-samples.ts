// Certificates of kernel machines for the checker: for one sample the clean decision, the radius and the margin, proved
// again by the report's method or refuted. Not here: the bounds (theorem.ts, relaxation.ts, quadratic.ts).
import type { Dataset } from "../../data/dataset.js";
import type { Machine } from "../../machines/machine.js";
import { checkKind, isTwoLayer, type MachineMethod } from "../method.js";
import type { SavedCertificate, SavedReport } from "../report.js";
import type { Touching } from "../touching.js";
import { div, down, type Interval, point, size, up } from "./interval.js";
import { type Hint, quadraticLower } from "./quadratic.js";
import { relaxationLower } from "./relaxation.js";
import { optionsOf } from "./statement.js";
import { type CheckedInput, openInput, openMachine, rawRows, rowAt } from "./terms.js";
import { type Lower, outputEnds, theoremLower } from "./theorem.js";

/** What is wrong with a sample, one line each without its row; empty when everything it says was proved. */
export type SampleCheck = (sample: SavedCertificate) => string[];

/**
 * Margins are what the core's bound leaves: below the checker's own by the core's allowances for rounding, which for sums
 * of a million terms stay below this share of the terms' sizes.
 */
export const ALLOWANCE = 1e-9;

/** A lower bound of sign * g on a ball, and whether the core's is the same but for rounding. */
interface Proof extends Lower {
  readonly same: boolean;
}

/** What a certificate says of its proof; undefined where it says nothing that could be used. */
export function hintOf(touching: Touching | undefined, d: number): Hint | undefined {
  const { share, corner, outside } = touching ?? {};
  if (typeof share !== "number" || !(share > 0 && share <= 1) || typeof corner !== "string") return undefined;
  let text = "";
  try {
    text = atob(corner);
  } catch {
    return undefined;
  }
  if (text.length !== (d + 7) >> 3) return undefined;
  const bits = Uint8Array.from({ length: d }, (_, k) => (text.charCodeAt(k >> 3) >> (k & 7)) & 1);
  return { share, corner: bits, outside: outside === true };
}

class MachineCheck {
  private readonly kind: ReturnType<typeof checkKind>;
  private readonly own;
  private readonly inputs;

  constructor(
    private readonly report: SavedReport,
    machine: Machine,
    data: Dataset,
  ) {
    const { method, norm, domain } = optionsOf(report);
    this.kind = checkKind(method as MachineMethod, machine.kernel, { norm, domain });
    this.own = openMachine(machine);
    this.inputs = rawRows(data);
  }

  /** A lower bound of sign * g on the ball of `radius`; the search of a better one ends at `enough`. */
  private lowerOf(input: CheckedInput, sign: number, radius: number, enough: number, touching?: Touching): Proof {
    const { kind } = this;
    const { kernel, rows } = input.own.machine;
    // The ball of radius 0 is a point, whatever the method.
    if (radius === 0) return { ...theoremLower(input, sign, point(0)), same: true };
    const reach = div(point(radius), point(rows.scale));
    if (kind.method === "interval" || !isTwoLayer(kernel)) return { ...theoremLower(input, sign, reach), same: true };
    const top = kind.domain ? up(1 / rows.scale) : Number.POSITIVE_INFINITY;
    const region = { norm: kind.norm, reach, top };
    const planes = relaxationLower(input, sign, region);
    if (kind.method === "linear" || planes.bound.lo > 0) return { ...planes, same: true };
    const form = quadraticLower(input, sign, region, enough, hintOf(touching, rows.d));
    return { bound: form.bound, size: Math.max(form.size, planes.size), same: false };
  }

  check({ index, prediction, decision, radius, margin, touching }: SavedCertificate): string[] {
    const input = openInput(this.own, rowAt(this.inputs, index), this.inputs.exact);
    const output = outputEnds(input);
    const between = `g is between ${output.lo} and ${output.hi}`;
    const blur = ALLOWANCE * output.size;
    if (!(decision >= down(output.lo - blur) && decision <= up(output.hi + blur)))
      return [`decision: ${between}, got ${decision}`];
    if (prediction === 0) return [];
    if (!(prediction * (prediction > 0 ? output.lo : output.hi) > 0))
      return [`prediction: ${between}, got ${prediction}`];
    const proof = this.lowerOf(input, prediction, radius, margin, touching);
    return marginFaults(this.report.method, radius, margin, proof, output);
  }
}

/** What is wrong with a radius and the margin that is said to be left there, given the checker's own bound. */
export function marginFaults(method: string, radius: number, margin: number, proof: Proof, output: Interval): string[] {
  const { bound, size: terms, same } = proof;
  const found = `the ${method} bound on that ball is ${bound.lo}`;
  if (!(bound.lo > 0)) return [`radius: ${radius} is not proved, ${found}`];
  const blur = ALLOWANCE * (terms + size(output));
  if (!(margin > 0 && margin <= bound.hi + (same ? 0 : blur))) return [`margin: ${found}, got ${margin}`];
  if (same && !(bound.lo - margin <= blur)) return [`margin: ${margin} is not what method ${method} leaves: ${found}`];
  return [];
}

export function machineCheck(report: SavedReport, machine: Machine, data: Dataset): SampleCheck {
  const own = new MachineCheck(report, machine, data);
  return (sample) => own.check(sample);
}
