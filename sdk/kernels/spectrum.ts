// Spectra of Gram matrices: the ends of large ones by the Lanczos method with full reorthogonalisation, all eigenvalues of
// small ones, and what a ridge makes of their condition. Ritz values lie inside the spectrum, so the largest estimate is
// a lower bound of the largest eigenvalue and the smallest an upper bound of the smallest. Not here: solvers.
import { MemoryBudgetError } from "../errors.js";
import type { Scope } from "../runtime/memory.js";
import type { WorkOptions } from "../runtime/runtime.js";
import { checkNumber, describe } from "../validate.js";
import { GramMatrix } from "./gram.js";

function checkMatrix(gram: unknown): asserts gram is GramMatrix {
  if (!(gram instanceof GramMatrix)) throw new TypeError(`gram: expected a GramMatrix, got ${describe(gram)}`);
}

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
  checkMatrix(gram);
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
    const largest = runtime.call("tridiagonalEigenvalue", taken, diagonal, off, taken - 1);
    return { smallest, largest, condition: smallest > 0 ? largest / smallest : Infinity, steps: taken };
  } finally {
    scope.release();
  }
}

/** Milliseconds between pauses on the calling thread, in which a signal or a page gets its turn. */
const SLICE = 20;

/** Eigenvalues in one chunk (assembly/linalg/eigenvalues.ts). */
const TOGETHER = 16;

/**
 * All n eigenvalues, largest first, each off by at most a small multiple of n 2^-52 times the largest one: what is
 * smaller than that is rounding alone, of either sign. Takes n * n * 8 bytes and about n^3 4 / 3 multiply-adds.
 * @throws TypeError, MemoryBudgetError, the signal's reason
 */
export async function eigenvalues(gram: GramMatrix, options: Omit<WorkOptions, "runtime"> = {}): Promise<Float64Array> {
  checkMatrix(gram);
  const { runtime, n } = gram;
  const { signal, onProgress } = options;
  const needed = runtime.memory.bytesInUse + (n * n + 5 * n) * 8;
  if (needed > runtime.memory.budget)
    throw new MemoryBudgetError(
      needed,
      runtime.memory.budget,
      `the eigenvalues of ${n} rows (see spectrum() for the ends)`,
    );
  const scope = runtime.scope();
  try {
    const { diagonal, off } = await tridiagonalForm(gram, scope, "eigenvalues", options);
    if (n === 1) return runtime.memory.f64(diagonal, 1).slice();
    const found = scope.f64(n);
    const args = [n, diagonal, off, found];
    await runtime.run("tridiagonalEigenvalues", Math.ceil(n / TOGETHER), args, { signal }, "eigenvalues");
    onProgress?.({ stage: "eigenvalues", done: n, total: n });
    return runtime.memory.f64(found, n).slice().reverse();
  } finally {
    scope.release();
  }
}

/** A reduced matrix in linear memory: n entries each on and beside the diagonal, and what was reduced, its reflections. */
export interface TridiagonalForm {
  readonly matrix: number;
  readonly diagonal: number;
  readonly off: number;
}

/** Householder's reduction of a Gram matrix in memory of `scope`, n * n * 8 bytes and 4 n * 8 more. @internal */
export async function tridiagonalForm(
  { runtime, n, pointer }: GramMatrix,
  scope: Scope,
  stage: string,
  { signal, onProgress }: WorkOptions,
): Promise<TridiagonalForm> {
  const matrix = scope.allocate(n * n * 8, "a matrix to be reduced");
  for (let i = 0; i < n; i++) runtime.call("gramRow", pointer, i, matrix + i * n * 8);
  const [diagonal, off, reflector, product] = [scope.f64(n), scope.f64(n), scope.f64(n), scope.f64(n)];
  if (n === 1) runtime.memory.f64(diagonal, 1).set(runtime.memory.f64(matrix, 1));
  let last = performance.now();
  for (let k = 0; k < n - 1; k++) {
    runtime.call("householderStep", k, n, matrix, diagonal, off, reflector, product);
    if (performance.now() - last < SLICE) continue;
    onProgress?.({ stage, done: k, total: n });
    await new Promise((resolve) => setTimeout(resolve, 0));
    signal?.throwIfAborted();
    last = performance.now();
  }
  return { matrix, diagonal, off };
}

export { ridgeCondition } from "./condition.js";
