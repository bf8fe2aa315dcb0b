// Small pictures of a report's page as data URLs: an input, its adversarial version and their difference. Not here: which
// inputs are shown (report-page.ts) and picture files (certify/attacks/counterexamples.ts).
import { cleanRow, colour, grey, imageSide } from "../certify/attacks/counterexamples.js";
import type { Dataset } from "../data/dataset.js";
import { pngUrl } from "../data/png.js";

/** One picture, ready for the src of an img. */
export interface SmallPicture {
  readonly name: "original" | "adversarial" | "difference";
  readonly url: string;
}

/**
 * Pictures of row `index`: the original, and the adversarial input with its difference (red added, blue taken away, full
 * colour at the largest entry) where there is one. None when rows are no square images.
 */
export function smallPictures(data: Dataset, index: number, adversarial?: Float64Array | null): SmallPicture[] {
  const side = imageSide(data.d);
  if (side === 0) return [];
  const original = cleanRow(data, index);
  const first: SmallPicture = { name: "original", url: pngUrl(side, Uint8Array.from(original, grey)) };
  if (adversarial === undefined || adversarial === null) return [first];
  const difference = adversarial.map((value, k) => value - (original[k] ?? 0));
  const largest = difference.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const colours = Uint8Array.from(Array.from(difference, (value) => colour(value / (largest || 1))).flat());
  return [
    first,
    { name: "adversarial", url: pngUrl(side, Uint8Array.from(adversarial, grey)) },
    { name: "difference", url: pngUrl(side, colours) },
  ];
}
