// Bounds on the error of kernel machines that nobody has seen tested, from the Rademacher complexity of balls in the kernel's
// space: each with its constants and its assumptions, and no number where one of them fails. With probability 1 - delta
// over the n training rows, for every machine h with ||h|| <= Lambda at once, hence for any choice of lambda:
//   1.19  R(h) <= R^(h) + 8 r^2 Lambda^2 / sqrt(n) (1 + sqrt(log(1 / delta) / 2) / 2)
//   1.20  R(h) <= R^(h) + 8 r^2 Lambda^2 / sqrt(n) (sqrt(Tr K / (n r^2)) + 3 sqrt(log(2 / delta) / 2) / 4)
// (the dissertation's equations; Mohri, Rostamizadeh and Talwalkar, Theorem 10.7), R the mean of (h(x) - y)^2, and
//   margin  P(y h(x) <= 0) <= mean of ramp(y h(x) / gamma) + 2 Lambda sqrt(Tr K) / (gamma n) + 3 sqrt(log(2 / delta) / (2 n))
// (complexity Lambda sqrt(Tr K) / n: Bartlett and Mendelson 2002, Lemma 22; contraction and concentration: Mohri et al.,
// Theorem 5.8, where their 4 is a 2 because no absolute value is taken), ramp(m) = min(1, max(0, 1 - m)).
// Lambda is known before the rows in theory and after them in fact: it is taken from Lambda_k = 2^(k/2) / r with delta / ((k + 1)
// (k + 2)) each, gamma from 2^-j, j < 7, with a seventh of that: delta holds for all of them together.
// Not here: machines and data (generalisation.ts).
import { checkNumber } from "../validate.js";

/** One thing that must be true for a bound to hold. */
export interface Assumption {
  readonly name: string;
  readonly holds: boolean;
  /** What was found, in words. */
  readonly detail: string;
}

/** A bound, or why there is none. */
export interface GeneralisationBound {
  readonly name: "1.19" | "1.20" | "2.37" | "margin" | "path-kernel";
  /** Upper bound of the risk; null where an assumption fails. */
  readonly value: number | null;
  /** What the formula gives whatever the assumptions: no bound where one of them fails. NaN where it has no value. */
  readonly figure: number;
  readonly assumptions: readonly Assumption[];
  /** Every number that entered. */
  readonly constants: Readonly<Record<string, number>>;
}

/** What the bounds need to know of a machine on its n training rows. */
export interface MachineFigures {
  readonly n: number;
  /** Outputs at the training rows, without a bias. */
  readonly outputs: Float64Array;
  /** Labels -1 / +1. */
  readonly y: Float64Array;
  /** ||h|| in the kernel's space, sqrt(alpha' K alpha). */
  readonly norm: number;
  /** Sum of K(x_i, x_i). */
  readonly trace: number;
  /** r^2 >= K(x, x) of every input that there can be; null where none is known. */
  readonly rSquared: number | null;
}

const MARGINS = Array.from({ length: 7 }, (_, j) => 2 ** -j);

/** The first Lambda_k that is no less than the norm, and its share of delta. */
function radiusOf(norm: number, r: number, delta: number): { readonly lambda: number; readonly share: number } {
  const k = Math.max(0, Math.ceil(2 * Math.log2(norm * r) - 1e-12));
  return { lambda: Math.max(norm, 2 ** (k / 2) / r), share: delta / ((k + 1) * (k + 2)) };
}

const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Mean of (z - y)^2. */
export function squaredRisk(outputs: Float64Array, y: Float64Array): number {
  return mean(outputs.map((z, i) => (z - (y[i] ?? 0)) ** 2));
}

/** Share of rows on the wrong side of 0, or on it. */
export function errorRate(outputs: Float64Array, y: Float64Array): number {
  return mean(outputs.map((z, i) => (z * (y[i] ?? 0) > 0 ? 0 : 1)));
}

/** Mean of min(1, max(0, 1 - y z / gamma)). */
export function rampRisk(outputs: Float64Array, y: Float64Array, gamma: number): number {
  return mean(outputs.map((z, i) => Math.min(1, Math.max(0, 1 - (z * (y[i] ?? 0)) / gamma))));
}

/** @internal */
export const checkDelta = (delta: unknown) => checkNumber("delta", delta, { min: 0, open: true, max: 1 });

const known = (rSquared: number | null): Assumption => ({
  name: "K(x, x) <= r^2 for every input",
  holds: rSquared !== null,
  detail:
    rSquared === null
      ? "real-valued rows have no largest norm: normalise them, or use 8-bit pixels"
      : `r^2 = ${rSquared} is the kernel's value at the largest norm`,
});

const bounded = (norm: number, lambda: number): Assumption => ({
  name: "||h|| <= Lambda",
  holds: norm <= lambda,
  detail: `||h|| = ${norm}, Lambda = ${lambda} from a grid fixed beforehand`,
});

const drawn: Assumption = {
  name: "rows are drawn independently from the distribution of the test rows",
  holds: true,
  detail: "taken for granted, as no data can show it",
};

function finish(
  name: GeneralisationBound["name"],
  figure: number,
  assumptions: readonly Assumption[],
  constants: GeneralisationBound["constants"],
): GeneralisationBound {
  const holds = Number.isFinite(figure) && assumptions.every((one) => one.holds);
  return { name, value: holds ? figure : null, figure, assumptions, constants };
}

/**
 * Equations 1.19 and 1.20 for a ridge machine, bounds of its squared risk, which is no less than its error rate; and 2.37
 * of its network of infinite width, where epsilon = 0, C_1 = r and C_K = Tr K make it equation 1.20. (The
 * dissertation calls C_K the trace of the NTK; its proof needs that of the Gram matrix.)
 * @throws TypeError, RangeError for a delta outside (0, 1]
 */
export function ridgeBounds(figures: MachineFigures, delta = 0.05): GeneralisationBound[] {
  checkDelta(delta);
  const { n, outputs, y, norm, trace, rSquared } = figures;
  const r = Math.sqrt(rSquared ?? Number.NaN);
  const { lambda, share } = radiusOf(norm, r, delta);
  const empirical = squaredRisk(outputs, y);
  const scale = (8 * r ** 2 * lambda ** 2) / Math.sqrt(n);
  const first = empirical + scale * (1 + 0.5 * Math.sqrt(Math.log(1 / share) / 2));
  const spread = Math.sqrt(trace / (n * r ** 2));
  const second = empirical + scale * (spread + 0.75 * Math.sqrt(Math.log(2 / share) / 2));
  const most = y.reduce((all, value) => Math.max(all, Math.abs(value)), 0);
  const reachable = {
    name: "|y| <= Lambda r",
    holds: most <= lambda * r * (1 + 1e-12),
    detail: `|y| <= ${most}, Lambda r = ${lambda * r}`,
  };
  const assumptions = [known(rSquared), bounded(norm, lambda), reachable, drawn];
  const constants = { n, delta, deltaShare: share, r, lambda, norm, trace, empirical };
  const wide = { name: "epsilon = 0", holds: true, detail: "the machine is the network of infinite width itself" };
  return [
    finish("1.19", first, assumptions, constants),
    finish("1.20", second, assumptions, constants),
    finish("2.37", second, [...assumptions, wide], { ...constants, epsilon: 0, c1: r, ck: trace }),
  ];
}

/** The margin bound on a machine's error rate, with the best gamma. @throws TypeError, RangeError as ridgeBounds() */
export function marginBound(figures: MachineFigures, delta = 0.05): GeneralisationBound {
  checkDelta(delta);
  const { n, outputs, y, norm, trace, rSquared } = figures;
  // Without an r the grid starts at 1: it has only to be fixed beforehand.
  const { lambda, share } = radiusOf(norm, Math.sqrt(rSquared ?? 1), delta);
  const confidence = 3 * Math.sqrt(Math.log((2 * MARGINS.length) / share) / (2 * n));
  const complexity = (lambda * Math.sqrt(trace)) / n;
  const [best = Number.NaN, gamma = 1] = MARGINS.map(
    (each) => [rampRisk(outputs, y, each) + (2 / each) * complexity + confidence, each] as const,
  ).reduce((a, b) => (b[0] < a[0] ? b : a));
  const constants = {
    n,
    delta,
    deltaShare: share / MARGINS.length,
    lambda,
    norm,
    trace,
    gamma,
    complexity,
    confidence,
  };
  const empirical = rampRisk(outputs, y, gamma);
  return finish("margin", best, [bounded(norm, lambda), drawn], { ...constants, empirical });
}
