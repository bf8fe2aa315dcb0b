// The data of an experiment: MNIST 0/1 unless given, random rows of it by seed, and a point of each label to look at.
// Not here: reading files (data/).
import type { Dataset } from "../data/dataset.js";
import { mnist } from "../data/mnist.js";
import type { Runtime } from "../runtime/runtime.js";
import type { ExperimentOptions } from "./follow.js";

/** Keeps the draws of an experiment apart from each other and from the shuffles of training. */
const DRAWS = { train: 0x7e57, test: 0x7e58 } as const;

/** The whole training and test sets. */
export async function experimentData({ data, signal }: ExperimentOptions): Promise<{ train: Dataset; test: Dataset }> {
  return data ?? mnist({ digits: [0, 1], ...(signal === undefined ? {} : { signal }) });
}

/** `count` different rows of `data` (all of them, in their order, where there are not more), drawn by seed. */
export function draw(runtime: Runtime, data: Dataset, count: number, seed: number, of: keyof typeof DRAWS): Dataset {
  if (count >= data.n) return data;
  const scope = runtime.scope();
  try {
    const state = scope.allocate(32);
    const order = scope.i32(data.n);
    runtime.call("randomSeed", state, (BigInt(seed) << 16n) ^ BigInt(DRAWS[of]));
    runtime.call("randomPermutation", state, order, data.n);
    return data.subset(runtime.memory.i32(order, data.n).slice(0, count));
  } finally {
    scope.release();
  }
}

/** A sampled test point: its row among the test points used, and its label. */
export interface SamplePoint {
  readonly row: number;
  readonly label: number;
}

/** The first point of each label. */
export function samplePoints({ y }: Dataset): SamplePoint[] {
  return [1, -1].map((label) => ({ row: y.indexOf(label), label })).filter(({ row }) => row >= 0);
}
