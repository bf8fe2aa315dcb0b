// Files of what attacks found: adversarial inputs bit for bit as NPZ, and pictures for people as PNG. Not here: finding
// them (attack.ts), figures (report.ts) and the formats (data/).
import type { Dataset } from "../../data/dataset.js";
import { writeNpz } from "../../data/npz.js";
import { writePng } from "../../data/png.js";
import { checkNumber } from "../../validate.js";
import type { Report } from "../report.js";
import type { AttackedSample } from "./attack.js";

/** Row `index` in data units. */
export function cleanRow({ x, d, scale }: Dataset, index: number): Float64Array {
  return Float64Array.from(x.subarray(index * d, (index + 1) * d), (entry) => entry * scale);
}

/** What a file keeps of a sample whose adversarial input was found: attackReport.perSample has it all. */
export type Counterexample = Pick<
  AttackedSample,
  "index" | "label" | "prediction" | "radius" | "adversarial" | "output"
>;

/** The adversarial inputs beside the certificates of a report that certify() made with an attack. */
export function counterexamplesOf({ perSample }: Pick<Report, "perSample">): Counterexample[] {
  return perSample.map(({ index, label, prediction, attackRadius = null, adversarial = null }) => {
    return { index, label, prediction, radius: attackRadius, adversarial, output: null };
  });
}

/**
 * An NPZ file of the adversarial inputs in a report, one row each: `x` [k, d] float64 in data units, exactly as proved;
 * `original` [k, d] float64; `y`, the labels, int8; `index`, rows of the data set, int32; `prediction`, the decision at
 * the original, int8; `radius` float64, the distance rounded up; `lower` and `upper`, the output's ends, float64, NaN where
 * they are not known.
 */
export function writeCounterexamples(
  { perSample }: { readonly perSample: readonly Counterexample[] },
  data: Dataset,
): Uint8Array {
  const found = perSample.filter(({ adversarial }) => adversarial !== null);
  const { length } = found;
  const rows = (row: (sample: Counterexample) => Float64Array) => {
    const flat = new Float64Array(length * data.d);
    found.forEach((sample, k) => {
      flat.set(row(sample), k * data.d);
    });
    return { data: flat, shape: [length, data.d] };
  };
  const column = (value: (sample: Counterexample) => number) => ({
    data: Float64Array.from(found, value),
    shape: [length],
  });
  return writeNpz({
    x: rows(({ adversarial }) => adversarial ?? new Float64Array(data.d)),
    original: rows(({ index }) => cleanRow(data, index)),
    y: { data: Int8Array.from(found, ({ label }) => label), shape: [length] },
    index: { data: Int32Array.from(found, ({ index }) => index), shape: [length] },
    prediction: { data: Int8Array.from(found, ({ prediction }) => prediction), shape: [length] },
    radius: column(({ radius }) => radius ?? Number.NaN),
    lower: column(({ output }) => output?.lower ?? Number.NaN),
    upper: column(({ output }) => output?.upper ?? Number.NaN),
  });
}

/** Side of the square images in rows of d entries, or 0 when d is no square. */
export function imageSide(d: number): number {
  const side = Math.round(Math.sqrt(d));
  return side * side === d ? side : 0;
}

/** Grey of a value: 0 is black, 1 is white, what lies outside is cut. */
export const grey = (value: number) => Math.round(255 * Math.min(1, Math.max(0, value)));

/** Colour of a difference in [-1, 1]: red is added, blue taken away, white unchanged. */
export function colour(share: number): readonly [number, number, number] {
  const faded = grey(1 - Math.abs(share));
  return share >= 0 ? [255, faded, faded] : [faded, faded, 255];
}

/**
 * A PNG file: the original, the adversarial input and their difference (red added, blue taken away, full colour at the
 * largest entry) side by side, every pixel `magnify` times as large, 1 to 64 (default 8).
 * @throws RangeError when nothing was found for the sample, or rows are no square images
 */
export function writeAttackPicture(sample: AttackedSample, data: Dataset, magnify = 8): Uint8Array {
  const { adversarial, index } = sample;
  checkNumber("magnify", magnify, { min: 1, max: 64, integer: true });
  const side = imageSide(data.d);
  if (side === 0) throw new RangeError(`data: expected rows of square images, got ${data.d} columns`);
  if (adversarial === null) throw new RangeError(`sample: expected an adversarial input, got none for row ${index}`);
  const original = cleanRow(data, index);
  const difference = adversarial.map((value, k) => value - (original[k] ?? 0));
  const largest = difference.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const gap = 1;
  const columns = 3 * side + 2 * gap;
  const [width, height] = [columns * magnify, side * magnify];
  const pixels = new Uint8Array(width * height * 3).fill(255);
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      const [panel, across] = divide(Math.floor(column / magnify), side + gap);
      if (across >= side) continue;
      const entry = Math.floor(row / magnify) * side + across;
      const shade = grey((panel === 0 ? original : adversarial)[entry] ?? 0);
      const rgb = panel === 2 ? colour((difference[entry] ?? 0) / (largest || 1)) : [shade, shade, shade];
      pixels.set(rgb, (row * width + column) * 3);
    }
  return writePng({ width, height, pixels });
}

function divide(value: number, by: number): readonly [quotient: number, rest: number] {
  return [Math.floor(value / by), value % by];
}
