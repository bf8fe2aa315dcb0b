// Ends of a Gram matrix's spectrum by the Lanczos method with full reorthogonalisation. Ritz values lie inside the
// spectrum, so the largest estimate is a lower bound of the largest eigenvalue and the smallest an upper bound of the
// smallest. Not here: solvers.
import type { WorkOptions } from "../runtime/runtime.js";
import { checkNumber, describe } from "../validate.js";
import { GramMatrix } from "./gram.js";

export interface SpectrumEstimate {
  /** At least the smallest eigenvalue. */
  readonly smallest: number;
  /** At most the largest eigenvalue. */
  readonly largest: number;
  /** largest / smallest; Infinity when the smallest estimate is not positive. */
  readonly condition: number;
  readonly steps: number;
}

export interface SpectrumOptions extends WorkOptions {
  /** Lanczos steps; min(steps, n) products with the matrix. Default 120. */
  readonly steps?: number | undefined;
  /** Seed of the starting vector. Default 0. */
  readonly seed?: number | undefined;
}

/** Estimates of the extreme eigenvalues; exact to rounding when steps >= n. @throws TypeError, RangeError */
export async function spectrum(gram: GramMatrix, options: SpectrumOptions = {}): Promise<SpectrumEstimate> {
  if (!(gram instanceof GramMatrix)) throw new TypeError(`gram: expected a GramMatrix, got ${describe(gram)}`);
  const { runtime, n } = gram;
  const steps = Math.min(n, checkNumber("steps", options.steps ?? 120, { min: 1, max: 100_000, integer: true }));
  const seed = checkNumber("seed", options.seed ?? 0, { min: 0, integer: true });
  const scope = runtime.scope();
  try {
    const basis = scope.allocate(steps * n * 8, `${steps} Lanczos vectors`);
    const next = scope.f64(n);
    const state = scope.allocate(32);
    const [diagonal, off, scalar] = [scope.f64(steps), scope.f64(steps), scope.f64(1)];
    runtime.call("randomSeed", state, BigInt(seed));
    for (let i = 0; i < n; i++) runtime.memory.f64(next, n)[i] = runtime.call("randomUnit", state) - 0.5;
    const dot = (a: number, b: number) => {
      runtime.call("columnDots", n, 1, a, b, scalar);
      return runtime.memory.f64(scalar, 1)[0] ?? 0;
    };
    const axpy = (factor: number, x: number, y: number) => {
      runtime.memory.f64(scalar, 1)[0] = factor;
      runtime.call("columnAxpy", n, 1, scalar, x, y);
    };
    let size = Math.sqrt(dot(next, next));
    let taken = 0;
    let scale = 0;
    while (taken < steps && size > 1e-14 * scale) {
      const own = basis + taken * n * 8;
      runtime.memory.f64(own, n).fill(0);
      axpy(1 / size, next, own);
      if (taken > 0) runtime.memory.f64(off, steps)[taken - 1] = size;
      await gram.product(1, own, next, { signal: options.signal });
      const along = dot(own, next);
      runtime.memory.f64(diagonal, steps)[taken] = along;
      scale = Math.max(scale, Math.abs(along));
      // Twice is enough (Parlett): without it, copies of converged values come back.
      for (let pass = 0; pass < 2; pass++)
        for (let k = 0; k <= taken; k++) axpy(-dot(basis + k * n * 8, next), basis + k * n * 8, next);
      size = Math.sqrt(dot(next, next));
      taken++;
      options.onProgress?.({ stage: "Lanczos", done: taken, total: steps });
    }
    const smallest = runtime.call("tridiagonalEigenvalue", taken, diagonal, off, 0);
    const largest = runtime.call("tridiagonalEigenvalue", taken, diagonal, off, 1);
    return { smallest, largest, condition: smallest > 0 ? largest / smallest : Infinity, steps: taken };
  } finally {
    scope.release();
  }
}
