// The Gram matrix of MNIST 0/1, float64 from 8-bit pixels.
import { type Dataset, GramMatrix, ntk } from "ntkit";
import { type Context, defineJob } from "../job.js";
import { mnist01, significant, small } from "./data.js";

/** Rows looked at by the check. */
const ROWS = 8;

/** Cosines above this are left out: the plain formula itself loses digits there. */
const NEARLY_PARALLEL = 0.999;

function dot(x: Uint8Array, i: number, j: number, d: number): number {
  let sum = 0;
  for (let k = 0; k < d; k++) sum += (x[i * d + k] ?? 0) * (x[j * d + k] ?? 0);
  return sum;
}

/** Largest relative difference from the formula of Section 4.2, written plainly, in a few rows. */
function largestError(gram: GramMatrix, { x, n, d, scale }: Dataset): number {
  if (!(x instanceof Uint8Array)) throw new TypeError("gram: expected 8-bit pixels");
  const norms = Float64Array.from({ length: n }, (_, i) => Math.sqrt(dot(x, i, i, d)));
  let largest = 0;
  for (let k = 0; k < ROWS; k++) {
    const i = Math.floor((k * n) / ROWS);
    gram.row(i).forEach((value, j) => {
      const radii = (norms[i] ?? 0) * (norms[j] ?? 0);
      const u = dot(x, i, j, d) / radii;
      if (u > NEARLY_PARALLEL) return;
      const h = 2 * u * (Math.PI - Math.acos(u)) + Math.sqrt(1 - u * u);
      const expected = ((radii * scale * scale) / (2 * Math.PI * d)) * h;
      largest = Math.max(largest, Math.abs(value - expected) / expected);
    });
  }
  return largest;
}

export const gram = defineJob({
  name: "gram",
  what: "Gram matrix of 12,665 images, from pixels to float64",
  why: "inner products are exact integers that skip blocks of zero pixels, half of the symmetric matrix is computed, and h is a polynomial evaluated two at a time",
  peers: [
    {
      script: "gram",
      what: "PyTorch, float32",
      ratioAsked: 0.33,
      agreements: [{ ours: "mean", peer: "mean", within: 1e-5 }],
      says: ({ mean }) => `mean ${significant(mean, 8)}`,
    },
  ],
  says: ({ mean, error }) => `mean ${significant(mean, 8)}, relative error ${small(error)} in ${ROWS} rows`,
  prepare: async (context: Context) => (await mnist01(context)).train,
  run: (train, { runtime }) => GramMatrix.create(ntk(), train, { runtime }),
  async check(train, matrix) {
    const sums = await matrix.multiply(new Float64Array(train.n).fill(1));
    const mean = sums.reduce((sum, value) => sum + value, 0) / train.n ** 2;
    const error = largestError(matrix, train);
    return { ok: error <= 1e-12, figures: { mean, error } };
  },
});
