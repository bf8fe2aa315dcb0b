// All eigenvalues and eigenvectors of a Gram matrix, for flows that are linear. Not here: eigenvalues alone
// (kernels/spectrum.ts), the decomposition itself (assembly/linalg/eigenvectors.ts).
import { ConvergenceError, MemoryBudgetError } from "../errors.js";
import type { GramMatrix } from "../kernels/gram.js";
import { tridiagonalForm } from "../kernels/spectrum.js";
import type { WorkOptions } from "../runtime/runtime.js";

/** K = sum_k values[k] v_k v_k', v_k the n entries of `vectors` from k n on. In no order. */
export interface EigenSystem {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

/** Rows in one chunk (assembly/linalg/eigenvectors.ts). */
const TOGETHER = 16;

/** Milliseconds between pauses on the calling thread. */
const SLICE = 20;

const STAGE = "eigenvectors";

/** Takes 2 n * n * 8 bytes and about 6 n^3 multiply-adds. @throws MemoryBudgetError, the signal's reason */
export async function eigenvectors(gram: GramMatrix, work: WorkOptions = {}): Promise<EigenSystem> {
  const { runtime, n } = gram;
  const { signal, onProgress } = work;
  const needed = runtime.memory.bytesInUse + (2 * n * n + 6 * n) * 8;
  if (needed > runtime.memory.budget)
    throw new MemoryBudgetError(needed, runtime.memory.budget, `the eigenvectors of ${n} rows`);
  const scope = runtime.scope();
  try {
    const { matrix, diagonal, off } = await tridiagonalForm(gram, scope, STAGE, {
      signal,
      onProgress: ({ done }) => onProgress?.({ stage: STAGE, done, total: 2 * n }),
    });
    const basis = scope.allocate(n * n * 8, `the eigenvectors of ${n} rows`);
    const beta = scope.f64(n);
    runtime.call("householderVectors", n, matrix, off, beta);
    await runtime.run("householderBasis", Math.ceil(n / TOGETHER), [n, matrix, beta, basis], { signal });
    runtime.memory.f64(off, n)[n - 1] = 0;
    let last = performance.now();
    for (let k = 0; k < n; k++) {
      // A matrix of finite entries never takes so many.
      if (runtime.call("tridiagonalVector", k, n, diagonal, off, basis) < 0)
        throw new ConvergenceError("eigenvalues found", k, n, "look for entries that are not finite");
      if (performance.now() - last < SLICE) continue;
      onProgress?.({ stage: STAGE, done: n + k, total: 2 * n });
      await new Promise((resolve) => setTimeout(resolve, 0));
      signal?.throwIfAborted();
      last = performance.now();
    }
    return { values: runtime.memory.f64(diagonal, n).slice(), vectors: runtime.memory.f64(basis, n * n).slice() };
  } finally {
    scope.release();
  }
}
