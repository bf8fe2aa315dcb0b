// What a certificate keeps of a proof by a quadratic form: where its parabolas touched the kernel terms, so that whoever
// wants to prove the radius again need not search for it. Not here: the form (assembly/bounds/curvature.ts), and who
// believes nothing of this (checker/quadratic.ts).
import { TOUCHING_SHARE, TOUCHING_SIDES } from "../../assembly/layout.js";
import { columnOrder, type Rows } from "../kernels/rows.js";
import type { LinearMemory } from "../runtime/memory.js";

/** The point x0 + share (corner - x0) of a box around x0. */
export interface Touching {
  /** Share of the way from x0 to the corner, in (0, 1]. */
  readonly share: number;
  /** The corner: a bit a column, lowest bits first, in base64; 1 is the upper end of the box. */
  readonly corner: string;
  /** Whether columns in which x0 and all rows of the machine are zero lie at an end of the box too. */
  readonly outside: boolean;
}

/** The record of one input in linear memory; undefined where no form was needed. */
export function readTouching(memory: LinearMemory, pointer: number, { d, eightBit }: Rows): Touching | undefined {
  // TOUCHING_OUTSIDE comes next.
  const [share = 0, outside] = memory.f64(pointer + TOUCHING_SHARE, 2);
  if (share === 0) return undefined;
  const sides = memory.u8(pointer + TOUCHING_SIDES, d);
  const bits = new Uint8Array((d + 7) >> 3);
  const order = eightBit ? columnOrder(d) : undefined;
  sides.forEach((side, k) => {
    const column = order?.[k] ?? k;
    if (side === 2) bits[column >> 3]! |= 1 << (column & 7);
  });
  return { share, corner: btoa(String.fromCharCode(...bits)), outside: outside === 1 };
}
