// Kernel values for solvers that look at few rows at a time: computed as they are asked for, or read from a shared Gram
// matrix. Not here: the solvers (decomposition.ts).
import type { GramMatrix } from "../kernels/gram.js";
import { gatherRows, type Rows } from "../kernels/rows.js";
import type { Scope } from "../runtime/memory.js";
import type { Runtime, WorkOptions } from "../runtime/runtime.js";

/** Rows of the left set in one chunk of the core's work. */
const CHUNK = 64;

export interface KernelAccess {
  readonly runtime: Runtime;
  /** Number of rows of the data. */
  readonly n: number;
  /** Writes K(x_p, x_q) for the rows listed (some may repeat) to `out`, row-major. */
  block(scope: Scope, list: readonly number[], out: number, work: WorkOptions): Promise<void>;
  /** sum_p by[p] K(., list[p]) at all n rows. */
  combine(list: readonly number[], by: ArrayLike<number>, work: WorkOptions): Promise<Float64Array>;
}

/** Values computed from the rows, on all threads, at each use. */
export function computedKernel(runtime: Runtime, rows: Rows, kernel: number): KernelAccess {
  return {
    runtime,
    n: rows.n,
    async block(scope, list, out, { signal }) {
      const { pointer } = gatherRows(runtime, scope, rows, list);
      const args = [kernel, pointer, pointer, out, list.length];
      await runtime.run("kernelBlock", Math.ceil(list.length / CHUNK), args, { signal });
    },
    async combine(list, by, { signal }) {
      if (list.length === 0) return new Float64Array(rows.n);
      const own = runtime.scope();
      try {
        const { pointer } = gatherRows(runtime, own, rows, list);
        const out = own.allocate(rows.n * 8);
        const args = [kernel, rows.pointer, pointer, own.f64(list.length, by), out];
        await runtime.run("kernelApply", Math.ceil(rows.n / CHUNK), args, { signal });
        return runtime.memory.f64(out, rows.n).slice();
      } finally {
        own.release();
      }
    },
  };
}

/** Values of a Gram matrix that somebody else owns. */
export function storedKernel({ runtime, n, pointer }: GramMatrix): KernelAccess {
  return {
    runtime,
    n,
    async block(scope, list, out) {
      runtime.call("gramBlock", pointer, scope.i32(list.length, list), list.length, scope.f64(n), out);
    },
    async combine(list, by) {
      const own = runtime.scope();
      try {
        const [index, factors, out] = [own.i32(list.length, list), own.f64(list.length, by), own.allocate(n * 8)];
        runtime.call("gramCombine", pointer, index, list.length, factors, own.f64(n), out);
        return runtime.memory.f64(out, n).slice();
      } finally {
        own.release();
      }
    },
  };
}
