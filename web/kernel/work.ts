// What the demo computes, in its worker: kernels by angle and depth, and their matrices on digits. Not here: the page's
// side (ntkit-kernel.ts), the computations themselves (compute.ts).
import { loadDigits } from "../shared/digits.js";
import type { Call } from "../shared/worker.js";
import { conditionOf, depthsOf, matrixOf, profileOf } from "./compute.js";
import type { Condition, Depths, Kind, Matrix, Profile } from "./facts.js";

export function profile({ depth }: { depth: number }): Promise<Profile> {
  return profileOf(depth);
}

export function depths(): Promise<Depths> {
  return depthsOf();
}

/** The matrix of `count` digits under a kernel, the spectra of both kernels, and their condition under a ridge. */
export async function matrix(
  { kind, depth, count }: { kind: Kind; depth: number; count: number },
  { signal, onProgress }: Call,
): Promise<{ matrix: Matrix; condition: Condition }> {
  const { train } = await loadDigits();
  const found = await matrixOf(train, kind, depth, count, { signal, onProgress });
  return { matrix: found, condition: conditionOf(found) };
}
