// What every dynamics starts from: training rows, test rows, the function g_0 at both, the loss by its code.
// Not here: steps (descend.ts), time (flow.ts, squared-flow.ts, general-flow.ts).
import { checkBinaryLabels, type Dataset } from "../data/dataset.js";
import { checkSameColumns, type RowSource } from "../kernels/rows.js";
import { LOSS_CODE } from "../losses.js";
import { checkRows } from "../machines/machine.js";
import { checkObject, describe } from "../validate.js";

/** The function training starts from, by its values. */
export interface InitialOutputs {
  /** g_0 at the training rows, n finite entries. */
  readonly train: Float64Array;
  /** g_0 at the test rows, one finite entry each; needed where there are test rows. */
  readonly test?: Float64Array | undefined;
}

/** Values of a function at the training rows and at the test rows (none: length 0). */
export interface Outputs {
  readonly train: Float64Array;
  readonly test: Float64Array;
}

/** The machine at some time. */
export interface FlowRecord extends Outputs {
  readonly t: number;
  /** w times the sum of l(g(x_i), y_i) over the training rows. */
  readonly loss: number;
  /** (1/2) alpha' K alpha = (1/2) ||beta||^2, without lambda; with a given g_0, of what training added to it. */
  readonly regulariser: number;
  /** lambda regulariser + loss: L of equation 7 (g_0 = 0). */
  readonly objective: number;
  /** Share of training rows with y g > 0. */
  readonly accuracy: number;
  /** The same at the test rows; NaN when they have no labels. */
  readonly testAccuracy: number;
}

/** Training rows with labels, and rows to watch beside them; a Dataset's labels give their accuracy. */
export interface DynamicsData {
  /** Rows whose outputs are followed but not trained on. */
  readonly test?: RowSource | undefined;
  /** g_0. Default: zero everywhere, as the paper's networks minus their own initial outputs. */
  readonly initial?: InitialOutputs | undefined;
}

export { LOSS_CODE };

function checkValues(name: string, value: unknown, length: number): Float64Array {
  if (!(value instanceof Float64Array)) throw new TypeError(`${name}: expected a Float64Array, got ${describe(value)}`);
  if (value.length !== length) throw new RangeError(`${name}: expected ${length} entries, got ${value.length}`);
  value.forEach((entry, i) => {
    if (!Number.isFinite(entry)) throw new RangeError(`${name}: expected finite values, got ${entry} at index ${i}`);
  });
  return Float64Array.from(value);
}

/** Checks training rows, test rows and initial outputs against each other; g_0 comes back as copies. */
export function checkData(train: unknown, { test, initial }: DynamicsData): { data: Dataset; start: Outputs } {
  checkRows("train", train);
  const data = train as Dataset;
  checkBinaryLabels(data);
  if (data.y.length !== data.n) throw new RangeError(`train: expected ${data.n} labels, got ${data.y.length}`);
  if (test !== undefined) {
    checkRows("test", test);
    checkSameColumns("test", data, test);
  }
  const watched = test?.n ?? 0;
  if (initial === undefined)
    return { data, start: { train: new Float64Array(data.n), test: new Float64Array(watched) } };
  const given = checkObject("initial", initial);
  const start = {
    train: checkValues("initial.train", given.train, data.n),
    test:
      watched === 0 && given.test === undefined
        ? new Float64Array(0)
        : checkValues("initial.test", given.test, watched),
  };
  return { data, start };
}

/** Share of rows with y g > 0; NaN without labels. */
export function accuracyOf(outputs: Float64Array, y: Float64Array | undefined): number {
  if (y === undefined || y.length !== outputs.length) return Number.NaN;
  return outputs.reduce((count, value, i) => count + (value * (y[i] ?? 0) > 0 ? 1 : 0), 0) / outputs.length;
}

/** Labels of rows that have some. */
export function labelsOf(rows: RowSource | undefined): Float64Array | undefined {
  const y = (rows as Partial<Dataset> | undefined)?.y;
  return y instanceof Float64Array ? y : undefined;
}
