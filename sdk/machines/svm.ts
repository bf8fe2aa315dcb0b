// The (1-norm) soft-margin SVM, solved exactly in the dual for a given C (equivalently lambda = 1 / C):
//   minimise (1/2) sum_ij a_i a_j y_i y_j K_ij - sum_i a_i,  0 <= a_i <= C w_i   [, sum_i a_i y_i = 0 with a bias],
// w_i the sample weights. Not here: the solver (decomposition.ts), subgradient descent (svm-sgd.ts).
import { checkBinaryLabels } from "../data/dataset.js";
import { LossTerms } from "../losses.js";
import { checkObject } from "../validate.js";
import { hingeBias } from "./bias.js";
import { checkDualOptions, type DualFamily, type DualOptions, fitPath } from "./dual-machine.js";
import { checkFlag, checkLambdas, checkPenalty, type PenaltyOptions } from "./fitting.js";
import type { Machine, Trainer } from "./machine.js";

export interface SvmOptions extends DualOptions, PenaltyOptions {
  /** Whether the machine has a bias b. Default false: the paper's homogeneous model. */
  readonly bias?: boolean | undefined;
}

/** Options of a path: every lambda > 0, in any order, each solution the start of the next. */
export interface SvmPathOptions extends Omit<SvmOptions, "c" | "lambda"> {
  readonly lambdas: readonly number[];
}

/** Exact soft-margin SVM. @throws TypeError, RangeError */
export function svm(options: SvmOptions): Trainer {
  const choices = checkDualOptions(options);
  const c = checkPenalty(options);
  const family = svmFamily(checkFlag("bias", options.bias ?? false));
  return {
    async fit(data, work = {}) {
      const [machine] = await fitPath(family, choices, [c], data, work);
      return machine as Machine;
    },
  };
}

/** The soft-margin SVMs of several lambdas, in their order. @throws TypeError, RangeError */
export function svmPath(options: SvmPathOptions): Trainer<Machine[]> {
  checkObject("options", options);
  const choices = checkDualOptions(options);
  const cs = checkLambdas(options.lambdas).map((lambda) => 1 / lambda);
  const family = svmFamily(checkFlag("bias", options.bias ?? false));
  return { fit: async (data, work = {}) => fitPath(family, choices, cs, data, work) };
}

/** The dual of the hinge loss. @internal */
export function svmFamily(bias: boolean): DualFamily {
  return {
    machine: "svm",
    stage: "SVM",
    check: checkBinaryLabels,
    parameters: (c) => ({ c, bias }),
    problem(c, { access, scope, y, weights }) {
      const losses = new LossTerms(access.runtime, scope, "hinge", y);
      return {
        variables: access.n,
        sign: y,
        target: y,
        diagonal: new Float64Array(access.n),
        upper: weights.map((weight) => c * weight),
        bias,
        judge({ square, linear }, outputs) {
          const intercept = bias ? hingeBias(y, outputs, weights) : 0;
          const z = bias ? outputs.map((value) => value + intercept) : outputs;
          return { primal: 0.5 * square + c * losses.sum(z, weights), dual: linear - 0.5 * square, intercept };
        },
      };
    },
  };
}
