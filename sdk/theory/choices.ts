// What the theorems' studies can be asked for, by name, and the best of their rows: apart from the studies, so that a page
// which shows the choices loads none of them. Not here: the studies (finite-width.ts, generalisation.ts).
import type { GeneralisationRow } from "./generalisation.js";
import type { GeneralisationBound } from "./rademacher.js";

export const WIDTH_SETTINGS = ["theorem", "matched"] as const;
export type WidthSetting = (typeof WIDTH_SETTINGS)[number];

/** What is varied, one at a time around the middle of its list. */
export const VARIED = ["width", "lambda", "n"] as const;
export type Varied = (typeof VARIED)[number];

export const LABELINGS = ["true", "random"] as const;
export type Labeling = (typeof LABELINGS)[number];

/** Of the machines of n rows and these labels, the one with the least value of a bound; undefined where none has one. */
export function bestRow(
  rows: readonly GeneralisationRow[],
  n: number,
  labels: Labeling,
  name: GeneralisationBound["name"],
): { readonly row: GeneralisationRow; readonly value: number } | undefined {
  const valued = rows
    .filter((row) => row.n === n && row.labels === labels)
    .flatMap((row) => {
      const value = row.bounds.find((bound) => bound.name === name)?.value ?? null;
      return value === null ? [] : [{ row, value }];
    });
  return valued.sort((a, b) => a.value - b.value)[0];
}
