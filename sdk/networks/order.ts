// The order in which a network in training sees its rows: one shuffle an epoch, the same on every backend.
// Not here: the generator (assembly/math/random.ts).
import type { Runtime } from "../runtime/runtime.js";

/** Rows of an epoch, 0 .. n - 1 in the order of `seed` and `epoch`. */
export function epochOrder(runtime: Runtime, seed: number, n: number, epoch: number): Int32Array {
  const scope = runtime.scope();
  try {
    const state = scope.allocate(32);
    const order = scope.i32(n);
    runtime.call("randomSeed", state, (BigInt(seed) << 24n) ^ BigInt(epoch));
    runtime.call("randomPermutation", state, order, n);
    return runtime.memory.i32(order, n).slice();
  } finally {
    scope.release();
  }
}

/** Steps of one epoch. */
export function stepsOfEpoch(n: number, batch: number | "full"): number {
  return batch === "full" ? 1 : Math.ceil(n / batch);
}

/** Rows of step number `step` (counted from 0 over all epochs). `cache` keeps the epoch at hand. */
export class BatchOrder {
  private epoch = -1;
  private order: Int32Array = new Int32Array(0);

  constructor(
    private readonly runtime: Runtime,
    private readonly n: number,
    private readonly batch: number | "full",
    private readonly seed: number,
  ) {}

  rows(step: number): Int32Array {
    if (this.batch === "full") {
      if (this.order.length === 0) this.order = Int32Array.from({ length: this.n }, (_, k) => k);
      return this.order;
    }
    const steps = stepsOfEpoch(this.n, this.batch);
    const epoch = Math.floor(step / steps);
    if (epoch !== this.epoch) {
      this.order = epochOrder(this.runtime, this.seed, this.n, epoch);
      this.epoch = epoch;
    }
    const from = (step - epoch * steps) * this.batch;
    return this.order.subarray(from, Math.min(this.n, from + this.batch));
  }
}
