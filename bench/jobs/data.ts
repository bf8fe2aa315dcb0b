// What the jobs start from: MNIST 0/1, whole or its first rows, and a ready Gram matrix with the time it took.
import { type Dataset, GramMatrix, mnist, ntk } from "ntkit";
import type { Context } from "../job.js";

export async function mnist01({ n }: Context): Promise<{ train: Dataset; test: Dataset }> {
  const { train, test } = await mnist({ digits: [0, 1] });
  if (n === undefined || n >= train.n) return { train, test };
  return { train: train.subset(Int32Array.from({ length: n }, (_, i) => i)), test };
}

export interface ReadyGram {
  readonly train: Dataset;
  readonly test: Dataset;
  readonly gram: GramMatrix;
  readonly gramSeconds: number;
}

/** For jobs whose peers start their clock after the Gram matrix. */
export async function readyGram(context: Context): Promise<ReadyGram> {
  const data = await mnist01(context);
  const start = performance.now();
  const gram = await GramMatrix.create(ntk(), data.train, { runtime: context.runtime });
  return { ...data, gram, gramSeconds: (performance.now() - start) / 1000 };
}

/** "0.0426", "833.87": so many significant digits, for figures of ordinary size. */
export const significant = (value: unknown, digits = 4) =>
  typeof value === "number" ? Number(value.toPrecision(digits)).toString() : "-";

/** "2.3e-7": for gaps, residuals and errors. */
export const small = (value: unknown) => (typeof value === "number" ? value.toExponential(1) : "-");
