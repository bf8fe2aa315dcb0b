// Types of docs-pages.mjs.
export const COPIED: readonly {
  readonly from: string;
  readonly to: string;
  readonly replace?: readonly (readonly [string, string])[];
}[];
