// Which rows of a data set are certified: all, the first, some drawn by a seed; and which of them one of several
// computers takes. Not here: starting those computers (a scheduler's work) and putting their reports together (merge.ts).
import { runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import { checkNumber, checkObject, describe } from "../validate.js";

/** "all", the first N, or N drawn with a seed. */
export type Samples = "all" | number | { readonly random: number };

/** One of `count` parts of the chosen samples, 0 <= index < count: those at places index, index + count, ... of them. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** The shard, checked. @throws TypeError, RangeError */
export function checkShard(shard: unknown): Shard {
  const given = checkObject("shard", shard);
  const count = checkNumber("shard.count", given.count, { min: 1, integer: true });
  return { index: checkNumber("shard.index", given.index, { min: 0, max: count - 1, integer: true }), count };
}

/** How many of `total` samples a shard has. */
export function shardSize(total: number, { index, count }: Shard): number {
  return Math.max(0, Math.ceil((total - index) / count));
}

/** How many rows of n `samples` names. @throws TypeError, RangeError */
export function countSamples(n: number, samples: Samples = "all"): number {
  if (samples === "all") return n;
  if (typeof samples === "number") return Math.min(n, checkNumber("samples", samples, { min: 1, integer: true }));
  if (typeof samples !== "object" || samples === null)
    throw new TypeError(`samples: expected "all", a number or { random: number }, got ${describe(samples)}`);
  return Math.min(n, checkNumber("samples.random", samples.random, { min: 1, integer: true }));
}

/** Rows that `samples` names, in increasing order; of these the shard's. @throws TypeError, RangeError */
export async function chooseSamples(
  n: number,
  samples: Samples = "all",
  seed = 0,
  options: WorkOptions & { readonly shard?: Shard | undefined } = {},
): Promise<Int32Array> {
  const shard = checkShard(options.shard ?? { index: 0, count: 1 });
  const count = countSamples(n, samples);
  // Neighbours in a data set cost about the same, so they go to different shards.
  const own = Int32Array.from({ length: shardSize(count, shard) }, (_, k) => shard.index + k * shard.count);
  if (typeof samples !== "object") return own;
  checkNumber("seed", seed, { min: 0, integer: true });
  const drawn = await drawRows(n, count, seed, options);
  return own.map((place) => drawn[place] ?? 0);
}

/** `count` different rows of n, in increasing order. */
async function drawRows(n: number, count: number, seed: number, options: WorkOptions): Promise<Int32Array> {
  const runtime = await runtimeOf(options);
  const scope = runtime.scope();
  try {
    const state = scope.allocate(32);
    const order = scope.i32(n);
    runtime.call("randomSeed", state, BigInt(seed));
    runtime.call("randomPermutation", state, order, n);
    return runtime.memory.i32(order, count).slice().sort();
  } finally {
    scope.release();
  }
}
