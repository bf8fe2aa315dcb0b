// Probabilities P(y = 1 | x): a logistic machine's own, 1 / (1 + exp(-g)), and Platt scaling for the others, which fits
// 1 / (1 + exp(-(slope g + offset))) to decisions on rows the machine was not trained on. Not here: training.
import { checkBinaryLabels, type Dataset } from "../data/dataset.js";
import { ConvergenceError } from "../errors.js";
import type { RowSource } from "../kernels/rows.js";
import type { WorkOptions } from "../runtime/runtime.js";
import { describe } from "../validate.js";
import { Machine } from "./machine.js";

/** P(y = 1 | g) = 1 / (1 + exp(-(slope g + offset))). */
export interface Sigmoid {
  readonly slope: number;
  readonly offset: number;
}

/** Newton steps of the two parameters; ten are many. */
const MOST_STEPS = 100;

/** Accepted gradient, as a share of the number of rows. */
const GRADIENT = 1e-10;

const sigmoid = (z: number) => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z)));

/** log(1 + exp(z)). */
const softplus = (z: number) => Math.max(0, z) + Math.log1p(Math.exp(-Math.abs(z)));

/**
 * Platt's sigmoid of decisions g and labels -1/+1 (Platt 1999), by Newton's method with line search (Lin, Lin and Weng,
 * Machine Learning 68, 2007). Targets are (P + 1) / (P + 2) for the P positive rows and 1 / (N + 2) for the N negative
 * ones, so that separable decisions have a finite slope.
 * @throws TypeError, RangeError, ConvergenceError
 */
export function plattScaling(decisions: Float64Array, y: Float64Array): Sigmoid {
  for (const [name, value] of Object.entries({ decisions, y }))
    if (!(value instanceof Float64Array))
      throw new TypeError(`${name}: expected a Float64Array, got ${describe(value)}`);
  const n = decisions.length;
  if (n === 0 || y.length !== n) throw new RangeError(`y: expected ${n} labels, one a decision, got ${y.length}`);
  if (!decisions.every(Number.isFinite)) throw new RangeError("decisions: expected finite numbers");
  const positives = y.reduce((count, label) => count + (label > 0 ? 1 : 0), 0);
  const [high, low] = [(positives + 1) / (positives + 2), 1 / (n - positives + 2)];
  // In units of the largest decision, so that both parameters have one scale.
  const unit = decisions.reduce((most, g) => Math.max(most, Math.abs(g)), 0) || 1;
  const targets = y.map((label) => (label > 0 ? high : low));
  const fit = newtonOfTwo(
    decisions.map((g) => g / unit),
    targets,
    Math.log((positives + 1) / (n - positives + 1)),
  );
  return { slope: fit.slope / unit, offset: fit.offset };
}

/** Minimises sum_i log(1 + exp(z_i)) - t_i z_i with z = slope g + offset. */
function newtonOfTwo(g: Float64Array, targets: Float64Array, offset: number): Sigmoid {
  const value = (at: Sigmoid) =>
    g.reduce((sum, own, i) => {
      const z = at.slope * own + at.offset;
      return sum + softplus(z) - (targets[i] ?? 0) * z;
    }, 0);
  let at: Sigmoid = { slope: 0, offset };
  let best = value(at);
  let size = Number.POSITIVE_INFINITY;
  for (let step = 0; step < MOST_STEPS; step++) {
    let [first, second, gg, g1, one] = [0, 0, 1e-12, 0, 1e-12];
    g.forEach((own, i) => {
      const p = sigmoid(at.slope * own + at.offset);
      const [pull, curve] = [p - (targets[i] ?? 0), p * (1 - p)];
      first += pull * own;
      second += pull;
      gg += curve * own * own;
      g1 += curve * own;
      one += curve;
    });
    size = Math.max(Math.abs(first), Math.abs(second)) / g.length;
    if (size <= GRADIENT) return at;
    const determinant = gg * one - g1 * g1;
    const [ds, db] = [(g1 * second - one * first) / determinant, (g1 * first - gg * second) / determinant];
    let share = 1;
    for (; share > 1e-10; share /= 2) {
      const next = { slope: at.slope + share * ds, offset: at.offset + share * db };
      const reached = value(next);
      // Near the optimum a step's gain is below the rounding of the sum.
      if (reached > best + 1e-4 * share * (first * ds + second * db) + 1e-13 * Math.abs(best)) continue;
      [at, best] = [next, reached];
      break;
    }
    // Nothing lower within rounding.
    if (share <= 1e-10) break;
  }
  if (size <= Math.sqrt(GRADIENT)) return at;
  throw new ConvergenceError("gradient of the sigmoid", size, GRADIENT, "look for decisions of very different sizes");
}

/**
 * The machine with Platt's sigmoid fitted to its decisions on `data`, which should be rows it was not trained on: on its
 * own training rows probabilities come out too sure. Kept in the model file as plattSlope and plattOffset.
 * @throws TypeError, RangeError, ConvergenceError
 */
export async function calibrate(machine: Machine, data: Dataset, options: WorkOptions = {}): Promise<Machine> {
  if (!(machine instanceof Machine))
    throw new TypeError(`machine: expected a trained machine, got ${describe(machine)}`);
  checkBinaryLabels(data);
  const { slope, offset } = plattScaling(await machine.decisionFunction(data, options), data.y);
  return new Machine({
    ...machine,
    parameters: { ...machine.parameters, plattSlope: slope, plattOffset: offset },
  });
}

/**
 * P(y = 1 | x) for each row of `data`: of a calibrated machine by its sigmoid, of logistic regression its own.
 * @throws RangeError for other machines
 */
export async function probabilities(
  machine: Machine,
  data: RowSource,
  options: WorkOptions = {},
): Promise<Float64Array> {
  if (!(machine instanceof Machine))
    throw new TypeError(`machine: expected a trained machine, got ${describe(machine)}`);
  const { slope, offset } = sigmoidOf(machine);
  return (await machine.decisionFunction(data, options)).map((g) => sigmoid(slope * g + offset));
}

/** The sigmoid that a machine has. @throws RangeError when it has none */
export function sigmoidOf({ machine, parameters }: Machine): Sigmoid {
  const { plattSlope: slope, plattOffset: offset } = parameters;
  if (typeof slope === "number" && typeof offset === "number") return { slope, offset };
  if (machine === "logistic") return { slope: 1, offset: 0 };
  throw new RangeError(
    `machine: expected logistic regression, or a machine that calibrate() has given a sigmoid, got ${machine}`,
  );
}
