// The power law behind points on log-log axes: value = factor * width^slope by least squares, with a confidence
// interval of the slope. Not here: where the points come from.
import { checkNumber, describe } from "../validate.js";
import { studentQuantile } from "./student.js";

export interface PowerLaw {
  readonly slope: number;
  readonly factor: number;
  /** Confidence interval of the slope; null with fewer than three points. */
  readonly interval: readonly [low: number, high: number] | null;
  /** Confidence level of the interval. */
  readonly level: number;
  readonly points: number;
}

/**
 * Least squares of log(value) on log(width); the interval assumes independent normal errors of equal size in log(value).
 * @throws TypeError, RangeError for fewer than two different widths or anything that is not > 0
 */
export function fitPowerLaw(widths: readonly number[], values: readonly number[], level = 0.95): PowerLaw {
  if (!Array.isArray(widths)) throw new TypeError(`widths: expected an array of numbers, got ${describe(widths)}`);
  if (!Array.isArray(values)) throw new TypeError(`values: expected an array of numbers, got ${describe(values)}`);
  if (values.length !== widths.length)
    throw new RangeError(`values: expected ${widths.length} entries, got ${values.length}`);
  checkNumber("level", level, { min: 0, open: true, max: 1 - 1e-9 });
  const x = widths.map((width, k) => Math.log(checkNumber(`widths[${k}]`, width, { min: 0, open: true })));
  const y = values.map((value, k) => Math.log(checkNumber(`values[${k}]`, value, { min: 0, open: true })));
  if (new Set(widths).size < 2) throw new RangeError("widths: expected at least two different widths");
  const count = x.length;
  const mean = (list: number[]) => list.reduce((sum, value) => sum + value, 0) / count;
  const [middleX, middleY] = [mean(x), mean(y)];
  const spread = x.reduce((sum, value) => sum + (value - middleX) ** 2, 0);
  const slope = x.reduce((sum, value, k) => sum + (value - middleX) * ((y[k] ?? 0) - middleY), 0) / spread;
  const offset = middleY - slope * middleX;
  const residual = x.reduce((sum, value, k) => sum + ((y[k] ?? 0) - offset - slope * value) ** 2, 0);
  const half = count > 2 ? studentQuantile(level, count - 2) * Math.sqrt(residual / (count - 2) / spread) : undefined;
  const interval = half === undefined ? null : ([slope - half, slope + half] as const);
  return { slope, factor: Math.exp(offset), interval, level, points: count };
}
