// The demo's stored start, so that it shows something before the core was loaded: data/kernel.json, written by
// precompute-digits.mjs. Not here: anything else than that one state.
import { asset } from "../shared/element.js";
import type { Condition, Depths, Kind, Matrix, Profile } from "./facts.js";

export interface Start {
  readonly depth: number;
  readonly kind: Kind;
  readonly profile: Profile;
  readonly depths: Depths;
  readonly matrix: Matrix;
  readonly condition: Condition;
}

/** Lists of numbers instead of typed arrays. */
type Plain<T> = { readonly [K in keyof T]: T[K] extends ArrayBufferView ? readonly number[] : Plain<T[K]> };

/** @throws Error where the file can not be had */
export async function readStart(signal: AbortSignal): Promise<Start> {
  const answer = await fetch(asset("../data/kernel.json"), { signal });
  if (!answer.ok) throw new Error(`kernel.json: ${answer.status} ${answer.statusText}`);
  const { profile, depths, matrix, ...rest } = (await answer.json()) as Plain<Start>;
  const doubles = (list: readonly number[]) => Float64Array.from(list);
  return {
    ...(rest as Pick<Start, "depth" | "kind" | "condition">),
    profile: { cosines: doubles(profile.cosines), ntk: doubles(profile.ntk), nngp: doubles(profile.nngp) },
    depths: depths as unknown as Depths,
    matrix: {
      n: matrix.n,
      values: doubles(matrix.values),
      digits: Uint8Array.from(matrix.digits),
      pixels: Uint8Array.from(matrix.pixels),
      ntk: doubles(matrix.ntk),
      nngp: doubles(matrix.nngp),
    },
  };
}
