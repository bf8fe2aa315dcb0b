// The 2-norm soft-margin SVM: squared hinge losses, whose dual is the hard margin's with 1 / (2 C w_i) on the diagonal:
//   minimise (1/2) sum_ij a_i a_j y_i y_j (K_ij + [i = j] / (2 C w_i)) - sum_i a_i,  0 <= a_i   [, sum_i a_i y_i = 0],
// w_i the sample weights, C = 1 / lambda; at the optimum a_i = 2 C w_i max(0, 1 - y_i g(x_i)).
// Not here: the solver (decomposition.ts).
import { checkBinaryLabels } from "../data/dataset.js";
import { LossTerms } from "../losses.js";
import { checkObject } from "../validate.js";
import { squaredHingeBias } from "./bias.js";
import { checkDualOptions, type DualFamily, fitPath } from "./dual-machine.js";
import { checkFlag, checkLambdas, checkPenalty } from "./fitting.js";
import type { Machine, Trainer } from "./machine.js";
import type { SvmOptions, SvmPathOptions } from "./svm.js";

/** Exact 2-norm soft-margin SVM; options as svm() has them. @throws TypeError, RangeError */
export function svm2(options: SvmOptions): Trainer {
  const choices = checkDualOptions(options);
  const c = checkPenalty(options);
  const family = svm2Family(checkFlag("bias", options.bias ?? false));
  return {
    async fit(data, work = {}) {
      const [machine] = await fitPath(family, choices, [c], data, work);
      return machine as Machine;
    },
  };
}

/** The 2-norm soft-margin SVMs of several lambdas, in their order. @throws TypeError, RangeError */
export function svm2Path(options: SvmPathOptions): Trainer<Machine[]> {
  checkObject("options", options);
  const choices = checkDualOptions(options);
  const cs = checkLambdas(options.lambdas).map((lambda) => 1 / lambda);
  const family = svm2Family(checkFlag("bias", options.bias ?? false));
  return { fit: async (data, work = {}) => fitPath(family, choices, cs, data, work) };
}

/** The dual of the squared hinge loss. @internal */
export function svm2Family(bias: boolean): DualFamily {
  return {
    machine: "svm2",
    stage: "2-norm SVM",
    check: checkBinaryLabels,
    parameters: (c) => ({ c, bias }),
    problem(c, { access, scope, y, weights }) {
      const losses = new LossTerms(access.runtime, scope, "squared-hinge", y);
      return {
        variables: access.n,
        sign: y,
        target: y,
        diagonal: weights.map((weight) => (weight > 0 ? 1 / (2 * c * weight) : 0)),
        upper: weights.map((weight) => (weight > 0 ? Number.POSITIVE_INFINITY : 0)),
        bias,
        judge({ square, penalty, linear }, outputs) {
          const intercept = bias ? squaredHingeBias(y, outputs, weights) : 0;
          const z = bias ? outputs.map((value) => value + intercept) : outputs;
          const primal = 0.5 * square + c * losses.sum(z, weights);
          return { primal, dual: linear - 0.5 * (square + penalty), intercept };
        },
      };
    },
  };
}
