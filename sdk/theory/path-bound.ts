// Section 4.1's bound on the test error of a finite network, from its path kernel and the complexity of the machines with it:
//   P(y f(x) <= 0) <= mean of ramp(y f) + 2 B sqrt(Tr K) / n + 3 sqrt(log(2 / delta) / (2 n)),   B^2 = sum_ij a_i a_j K(x_i, x_j).
// The formula is a theorem for a kernel that was there before the rows. A path kernel is made from them, and is symmetric only
// where all rows push equally: the assumptions say so, and the formula's figure is no bound. b moves the whole class
// and costs nothing. Not here: the kernel (path-kernel.ts), bounds that hold (rademacher.ts).
import type { PathKernel } from "./path-kernel.js";
import { type Assumption, checkDelta, type GeneralisationBound, rampRisk } from "./rademacher.js";

/** Largest |K_ij - K_ji| over the largest |K_ij|. */
function asymmetry(values: Float64Array, n: number): number {
  let [off, most] = [0, 0];
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      const own = values[i * n + j] ?? 0;
      off = Math.max(off, Math.abs(own - (values[j * n + i] ?? 0)));
      most = Math.max(most, Math.abs(own));
    }
  return most > 0 ? off / most : 0;
}

/** More than rounding leaves between K_ij and K_ji. */
const SYMMETRIC = 1e-9;

/**
 * The formula of Section 4.1 for a path kernel whose test rows begin with its n training rows, in their order.
 * @param y labels -1 / +1 of the training rows
 * @throws RangeError where there are fewer test rows than training rows, or for a delta outside (0, 1]
 */
export function pathKernelBound(path: PathKernel, y: Float64Array, delta = 0.05): GeneralisationBound {
  checkDelta(delta);
  const n = path.kernel.columns;
  if (path.kernel.rows < n || y.length !== n)
    throw new RangeError(`path: expected ${n} training rows among its test rows, got ${path.kernel.rows} rows`);
  const values = path.kernel.values.subarray(0, n * n);
  let [square, trace] = [0, 0];
  for (let i = 0; i < n; i++) {
    trace += values[i * n + i] ?? 0;
    for (let j = 0; j < n; j++) square += (path.a[i] ?? 0) * (path.a[j] ?? 0) * (values[i * n + j] ?? 0);
  }
  const empirical = rampRisk(path.outputs.subarray(0, n), y, 1);
  const complexity = Math.sqrt(square * trace) / n;
  const confidence = 3 * Math.sqrt(Math.log(2 / delta) / (2 * n));
  const off = asymmetry(values, n);
  const assumptions: Assumption[] = [
    {
      name: "sign l' is constant (Theorem 4.1)",
      holds: path.signs.constant,
      detail: `${path.signs.vanished.length} rows left their slope, ${path.signs.reversed.length} turned it`,
    },
    {
      name: "K is symmetric",
      holds: off <= SYMMETRIC,
      detail: `largest |K_ij - K_ji| is ${off} of the largest |K_ij|`,
    },
    { name: "a' K a >= 0", holds: square >= 0, detail: `B^2 = ${square}` },
    {
      name: "K does not depend on the training rows",
      holds: false,
      detail: "the path of training is made from them; the paper takes the kernel as given",
    },
  ];
  const constants = { n, delta, gamma: 1, b: Math.sqrt(square), trace, complexity, confidence, empirical };
  const figure = empirical + 2 * complexity + confidence;
  return { name: "path-kernel", value: null, figure, assumptions, constants };
}
