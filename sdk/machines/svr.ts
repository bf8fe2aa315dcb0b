// Epsilon-support vector regression, for real targets or labels:
//   minimise (1/2) ||beta||^2 + C sum_i w_i max(0, |y_i - g(x_i)| - epsilon),   C = 1 / lambda, w_i the sample weights.
// Its dual has two variables for each row, a+ and a- in [0, C w_i] with alpha = a+ - a-: the first n pull the output up
// to y - epsilon, the others down to y + epsilon. Not here: the solver (decomposition.ts).
import { LossTerms } from "../losses.js";
import { checkNumber, checkObject } from "../validate.js";
import { epsilonBias } from "./bias.js";
import { checkDualOptions, type DualFamily, type DualOptions, fitPath } from "./dual-machine.js";
import { checkFlag, checkLambdas, checkPenalty, type PenaltyOptions } from "./fitting.js";
import type { Machine, Trainer } from "./machine.js";

export interface SvrOptions extends DualOptions, PenaltyOptions {
  /** Half-width of the tube in which errors cost nothing, >= 0. Default 0.1. */
  readonly epsilon?: number | undefined;
  /** Whether the machine has a bias b. Default false: the paper's homogeneous model. */
  readonly bias?: boolean | undefined;
}

/** Options of a path: every lambda > 0, in any order, each solution the start of the next. */
export interface SvrPathOptions extends Omit<SvrOptions, "c" | "lambda"> {
  readonly lambdas: readonly number[];
}

const familyOf = ({ epsilon, bias }: Pick<SvrOptions, "epsilon" | "bias">) =>
  svrFamily(checkNumber("epsilon", epsilon ?? 0.1, { min: 0 }), checkFlag("bias", bias ?? false));

/** Epsilon-support vector regression. @throws TypeError, RangeError */
export function svr(options: SvrOptions): Trainer {
  const choices = checkDualOptions(options);
  const c = checkPenalty(options);
  const family = familyOf(options);
  return {
    async fit(data, work = {}) {
      const [machine] = await fitPath(family, choices, [c], data, work);
      return machine as Machine;
    },
  };
}

/** Support vector regression for several lambdas, in their order. @throws TypeError, RangeError */
export function svrPath(options: SvrPathOptions): Trainer<Machine[]> {
  checkObject("options", options);
  const choices = checkDualOptions(options);
  const cs = checkLambdas(options.lambdas).map((lambda) => 1 / lambda);
  const family = familyOf(options);
  return { fit: async (data, work = {}) => fitPath(family, choices, cs, data, work) };
}

const twice = (values: Float64Array, of: (value: number, lower: boolean) => number) =>
  Float64Array.from({ length: 2 * values.length }, (_, v) => of(values[v % values.length] ?? 0, v < values.length));

/** The dual of the epsilon-insensitive loss. @internal */
export function svrFamily(epsilon: number, bias: boolean): DualFamily {
  return {
    machine: "svr",
    stage: "support vector regression",
    parameters: (c) => ({ c, epsilon, bias }),
    problem(c, { access, scope, y, weights }) {
      const losses = new LossTerms(access.runtime, scope, "epsilon-insensitive", y, epsilon);
      return {
        variables: 2 * access.n,
        sign: twice(y, (_, lower) => (lower ? 1 : -1)),
        target: twice(y, (target, lower) => (lower ? target - epsilon : target + epsilon)),
        diagonal: new Float64Array(2 * access.n),
        upper: twice(weights, (weight) => c * weight),
        bias,
        judge({ square, linear }, outputs) {
          const intercept = bias ? epsilonBias(y, outputs, weights, epsilon) : 0;
          const z = bias ? outputs.map((value) => value + intercept) : outputs;
          return { primal: 0.5 * square + c * losses.sum(z, weights), dual: linear - 0.5 * square, intercept };
        },
      };
    },
  };
}
