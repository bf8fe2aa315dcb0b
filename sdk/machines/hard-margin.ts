// The hard-margin SVM, the limit lambda -> 0 of the soft-margin one:
//   minimise (1/2) ||beta||^2  so that  y_i g(x_i) >= 1;   dual: that of svm.ts with no upper bound on a.
// Data that no machine tells apart are refused, with the rows that stand in the way. The machine returned is scaled so
// that the smallest y_i g(x_i) is 1. Not here: the solver (decomposition.ts).
import { checkBinaryLabels } from "../data/dataset.js";
import { NotSeparableError } from "../errors.js";
import type { DualProblem, DualSums, PrimalDual } from "./decomposition.js";
import { checkDualOptions, type DualFamily, type DualInput, type DualOptions, fitPath } from "./dual-machine.js";
import { checkFlag } from "./fitting.js";
import type { Machine, Trainer } from "./machine.js";

export interface HardMarginOptions extends DualOptions {
  /** Whether the machine has a bias b. Default false: the paper's homogeneous model. */
  readonly bias?: boolean | undefined;
}

/** Opposite labels closer than this, as assembly/solver/separable.ts measures it, are the same point to rounding. */
const SAME = 1e-13;

/** A squared margin below this share of the largest ||phi(x)||^2 is no margin. */
const NO_MARGIN = 1e-12;

/**
 * Hard-margin SVM. fit() rejects with NotSeparableError, which names two rows, when no machine of this kernel has every
 * row on its side. @throws TypeError, RangeError
 */
export function hardMarginSvm(options: HardMarginOptions): Trainer {
  const choices = checkDualOptions(options);
  const family = hardMarginFamily(checkFlag("bias", options.bias ?? false));
  return {
    async fit(data, work = {}) {
      const [machine] = await fitPath(family, choices, [1], data, work);
      return machine as Machine;
    },
  };
}

/** The dual of the hard margin; C plays no part. @internal */
export function hardMarginFamily(bias: boolean): DualFamily {
  return {
    machine: "hard-margin",
    stage: "hard-margin SVM",
    check: checkBinaryLabels,
    parameters: () => ({ bias }),
    problem: (_, input) => new HardMargin(input, bias),
    // 1 / ||beta||: how far the nearest rows lie from the boundary in feature space.
    report: ({ primal }) => (primal > 0 ? { margin: 1 / Math.sqrt(2 * primal) } : {}),
  };
}

class HardMargin implements DualProblem {
  readonly variables: number;
  readonly sign: Float64Array;
  readonly target: Float64Array;
  readonly diagonal: Float64Array;
  readonly upper: Float64Array;
  /** Largest ||phi(x)||^2 and closest opposite labels seen so far. */
  private largest = 0;
  private closest = { distance: Number.POSITIVE_INFINITY, rows: [0, 0] as [number, number] };

  constructor(
    private readonly input: DualInput,
    readonly bias: boolean,
  ) {
    const { access, y, weights } = input;
    this.variables = access.n;
    this.sign = y;
    this.target = y;
    this.diagonal = new Float64Array(access.n);
    this.upper = weights.map((weight) => (weight > 0 ? Number.POSITIVE_INFINITY : 0));
  }

  inspect(set: readonly number[], matrix: number): void {
    const { access, scope } = this.input;
    const { runtime } = access;
    const count = set.length;
    const [signs, distance] = [
      scope.f64(
        count,
        Float64Array.from(set, (v) => this.sign[v] ?? 0),
      ),
      scope.f64(1),
    ];
    const pair = runtime.call("closestPair", count, matrix, signs, this.bias ? 1 : 0, distance);
    const apart = runtime.memory.f64(distance, 1)[0] ?? Number.NaN;
    const entries = runtime.memory.f64(matrix, count * count);
    for (let k = 0; k < count; k++) this.largest = Math.max(this.largest, entries[k * (count + 1)] ?? 0);
    scope.drop(signs);
    scope.drop(distance);
    if (pair < 0 || !(apart < this.closest.distance)) return;
    const rows = [set[Math.floor(pair / count)] ?? 0, set[pair % count] ?? 0] as [number, number];
    this.closest = { distance: apart, rows };
    if (apart <= SAME) throw new NotSeparableError(...rows, this.bias, true);
  }

  judge({ square, linear }: DualSums, outputs: Float64Array): PrimalDual {
    // The best multiple of these coefficients: max over t of t linear - t^2 square / 2.
    const dual = square > 0 ? linear ** 2 / (2 * square) : 0;
    if (linear > 0 && square <= NO_MARGIN * this.largest * linear ** 2)
      throw new NotSeparableError(...this.closest.rows, this.bias, false);
    const [above, below] = this.ends(outputs);
    // One class and a bias: b alone does it.
    if (this.bias && above === Number.POSITIVE_INFINITY) return { primal: 0, dual: 0, intercept: -1, scale: 0 };
    if (this.bias && below === Number.NEGATIVE_INFINITY) return { primal: 0, dual: 0, intercept: 1, scale: 0 };
    const [smallest, middle] = this.bias ? [(above - below) / 2, -(above + below) / 2] : [Math.min(above, -below), 0];
    if (!(smallest > 0)) return { primal: Number.POSITIVE_INFINITY, dual, intercept: 0, scale: 1 };
    return { primal: square / (2 * smallest ** 2), dual, intercept: middle / smallest, scale: 1 / smallest };
  }

  /** The least output of a positive row and the largest of a negative one. */
  private ends(outputs: Float64Array): [above: number, below: number] {
    let [above, below] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    this.sign.forEach((label, i) => {
      if (!((this.upper[i] ?? 0) > 0)) return;
      if (label > 0) above = Math.min(above, outputs[i] ?? 0);
      else below = Math.max(below, outputs[i] ?? 0);
    });
    return [above, below];
  }
}
