// attackPath(), coverRadii() and certifyOutputs(), whose code comes when they are first called: most pages certify decisions
// about images. Not here: that code (attacks/path.ts, cover.ts, outputs.ts).
import type { attackPath as AttackPath } from "./attacks/path.js";
import type { coverRadii as CoverRadii } from "./cover.js";
import type { certifyOutputs as CertifyOutputs } from "./outputs.js";

/**
 * Radii within which a machine's decisions are proved, around each row of `data` (a Float64Array of rows): proved
 * whatever the budget of cells, and where it suffices within about two tolerances of exact for the two-layer NTK. Deeper
 * kernels have intervals alone, which on small cells too are loose: a tenth may be missing. For up to four movable
 * entries; the work grows with the power of their number.
 * @throws TypeError, RangeError (kernels with biases, 8-bit rows, more movable entries), the signal's reason
 */
export const coverRadii: typeof CoverRadii = async (...args) => (await import("../rare.js")).coverRadii(...args);

/**
 * Proved intervals of a machine's outputs, and radii on which they hardly move.
 * @throws TypeError, RangeError as machineBounds() and when neither `radius` nor `within` is given; the signal's reason
 */
export const certifyOutputs: typeof CertifyOutputs = async (...args) =>
  (await import("../rare.js")).certifyOutputs(...args);

/**
 * Inputs x0 + t (x* - x0) at distances `radii` from row 0 of `data`, up to rounding, on the way to the adversarial input
 * `target` (d entries in data units) and beyond; with `domain` cut to [0, 1], which only shortens the distance.
 * @throws TypeError, RangeError, the signal's reason
 */
export const attackPath: typeof AttackPath = async (...args) => (await import("../rare.js")).attackPath(...args);
