// Values of functions of one's own for the rows of two sets, as tables that the core reads like any kernel
// (assembly/kernel/compose.ts). Functions run on the calling thread. Loaded when a kernel has a function in it (upload.ts).
// Not here: what such a kernel is (kernel.ts).
import type { Scope } from "../runtime/memory.js";
import type { WorkOptions } from "../runtime/runtime.js";
import { describe } from "../validate.js";
import type { KernelTable, UserKernel } from "./kernel.js";
import type { RowSource } from "./rows.js";

/** Milliseconds of evaluating between yields. */
const SLICE = 20;

/** Pairs whose symmetry is looked at, at most. */
const SAMPLED = 256;

/** Relative difference of K(x, x') and K(x', x) that rounding may leave. */
const ASYMMETRY = 1e-10;

/** Row i in the data's units. */
function rowOf({ x, d, scale }: RowSource, i: number): Float64Array {
  return Float64Array.from(x.subarray(i * d, (i + 1) * d), (entry) => entry * scale);
}

function finite(kernel: UserKernel, value: unknown, i: number, j: number): number {
  const at = `kernel "${kernel.name}": expected a finite number for rows ${i} and ${j}, got`;
  if (typeof value !== "number") throw new TypeError(`${at} ${describe(value)}`);
  if (!Number.isFinite(value)) throw new RangeError(`${at} ${value}`);
  return value;
}

/** Throws a RangeError that names the first of a spread of pairs whose two values differ by more than rounding. */
function checkSymmetry(kernel: UserKernel, left: readonly Float64Array[], right: readonly Float64Array[]): void {
  const pairs = left.length * right.length;
  const step = Math.max(1, Math.floor(pairs / SAMPLED));
  for (let at = 0; at < pairs; at += step) {
    const [i, j] = [Math.floor(at / right.length), at % right.length];
    const [x, other] = [left[i] as Float64Array, right[j] as Float64Array];
    const value = finite(kernel, kernel.evaluate(x, other), i, j);
    const back = finite(kernel, kernel.evaluate(other, x), j, i);
    if (Math.abs(value - back) > ASYMMETRY * Math.max(Math.abs(value), Math.abs(back)))
      throw new RangeError(
        `kernel "${kernel.name}": expected a symmetric function, got ${value} for rows ${i} and ${j} and ${back} for them swapped`,
      );
  }
}

/**
 * A table of left.n x right.n values for each kernel, in `scope`. Where both sets are one, only pairs i <= j are evaluated.
 * @throws TypeError, RangeError naming the kernel and the rows; MemoryBudgetError; the signal's reason
 */
export async function fillTables(
  scope: Scope,
  kernels: readonly UserKernel[],
  left: RowSource,
  right: RowSource,
  { signal, onProgress }: WorkOptions,
): Promise<KernelTable[]> {
  const own = Array.from({ length: left.n }, (_, i) => rowOf(left, i));
  const same = left === right;
  const others = same ? own : Array.from({ length: right.n }, (_, j) => rowOf(right, j));
  const tables: KernelTable[] = [];
  let last = performance.now();
  for (const kernel of kernels) {
    checkSymmetry(kernel, own, others);
    const pointer = scope.allocate(
      left.n * right.n * 8,
      `${left.n} x ${right.n} values of the kernel "${kernel.name}"`,
    );
    for (const [i, x] of own.entries()) {
      const values = Float64Array.from(others, (other, j) =>
        same && j < i ? 0 : finite(kernel, kernel.evaluate(x, other), i, j),
      );
      // Memory may have grown, and views with it, while functions ran.
      const table = scope.memory.f64(pointer, left.n * right.n);
      if (same) {
        for (let j = 0; j < i; j++) values[j] = table[j * right.n + i] as number;
      }
      table.set(values, i * right.n);
      if (performance.now() - last < SLICE) continue;
      onProgress?.({ stage: `kernel ${kernel.name}`, done: i + 1, total: left.n });
      await new Promise((resolve) => setTimeout(resolve, 0));
      signal?.throwIfAborted();
      last = performance.now();
    }
    tables.push({ evaluate: kernel.evaluate, pointer, columns: right.n });
  }
  return tables;
}
