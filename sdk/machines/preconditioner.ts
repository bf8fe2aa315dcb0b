// Preconditioners for (K + shift I) x = y, or S K S in K's place, with several shifts at once: the exact Cholesky factor of
// a small matrix, or a low-rank approximation K ~ L L^T of a large one from randomly pivoted Cholesky (Chen, Epperly, Tropp and Webber,
// Comm. Pure Appl. Math. 2024), in blocks. Not here: the iteration (conjugate.ts).
import { MAX_VECTORS, TILE } from "../../assembly/layout.js";
import type { GramMatrix } from "../kernels/gram.js";
import { gatherRows } from "../kernels/rows.js";
import type { Scope } from "../runtime/memory.js";
import type { Runtime, WorkOptions } from "../runtime/runtime.js";
import type { System } from "./conjugate.js";

/** z = M^-1 r for interleaved vectors, vector v with the shift number active[v]. */
export interface Preconditioner {
  readonly shifts: readonly number[];
  apply(vectors: number, active: readonly number[], r: number, z: number): Promise<void>;
  /** Columns of the low-rank factor, n for an exact one. */
  readonly rank: number;
}

/** Up to this many rows the exact factor is cheaper than any iteration. */
export const DIRECT_ROWS = 1024;

/** Pivots taken together in one round. */
const BLOCK = 64;

/** Rows in one chunk of the tall products (assembly/linalg/dense.ts). */
const CHUNK = 256;

const MACHINE_EPSILON = 2 ** -52;

const roundUp = (value: number, unit: number) => Math.ceil(value / unit) * unit;

/** Factors of a symmetric matrix with each shift on its diagonal; a shift grows until its factor exists. */
async function shiftedFactors(
  runtime: Runtime,
  scope: Scope,
  matrix: number,
  pitch: number,
  n: number,
  shifts: readonly number[],
  smallest: number,
  work: WorkOptions,
): Promise<number[]> {
  const targets = shifts.map(() => scope.allocate(n * pitch * 8, "Cholesky factors"));
  for (const target of targets) runtime.memory.f64(target, n * pitch).fill(0);
  const status = scope.i32(shifts.length);
  let tried = [...shifts];
  for (let extra = smallest; ; extra *= 100) {
    const shiftPointer = scope.f64(shifts.length, tried);
    const targetPointer = scope.i32(shifts.length, targets);
    await runtime.run(
      "choleskyShifted",
      shifts.length,
      [matrix, pitch, n, shiftPointer, targetPointer, status],
      work,
      "factoring",
    );
    const failed = runtime.memory.i32(status, shifts.length).slice();
    if (failed.every((code) => code === 0) || extra > 1e300) return targets;
    tried = shifts.map((shift, k) => (failed[k] === 0 ? (tried[k] ?? shift) : shift + extra));
  }
}

/** Bytes that directPreconditioner() takes for n rows. */
export function directBytes(n: number, shifts: number): number {
  return ((1 + shifts) * n * roundUp(n, 4) + n * MAX_VECTORS) * 8;
}

/** Solves with the exact factors of K + shift I; used for up to DIRECT_ROWS rows. */
export async function directPreconditioner(
  { gram, roots }: System,
  scope: Scope,
  shifts: readonly number[],
  work: WorkOptions,
): Promise<Preconditioner> {
  const { runtime, n } = gram;
  const pitch = roundUp(n, 4);
  const matrix = scope.f64(n * pitch);
  for (let i = 0; i < n; i++) {
    runtime.call("gramRow", gram.pointer, i, matrix + i * pitch * 8);
    if (roots === undefined) continue;
    const row = runtime.memory.f64(matrix + i * pitch * 8, n);
    for (let j = 0; j < n; j++) row[j] = (roots[i] ?? 0) * (row[j] ?? 0) * (roots[j] ?? 0);
  }
  const trace = gram.diagonal().reduce((sum, value, i) => sum + value * (roots?.[i] ?? 1) ** 2, 0);
  const smallest = Math.max(MACHINE_EPSILON * trace, Number.MIN_VALUE);
  const factors = await shiftedFactors(runtime, scope, matrix, pitch, n, shifts, smallest, work);
  const temporary = scope.allocate(n * MAX_VECTORS * 8);
  return {
    shifts,
    rank: n,
    async apply(vectors, active, r, z) {
      runtime.memory.f64(z, n * vectors).set(runtime.memory.f64(r, n * vectors));
      await solveColumns(runtime, scope, active, factors, pitch, n, vectors, z, temporary);
    },
  };
}

async function solveColumns(
  runtime: Runtime,
  scope: Scope,
  active: readonly number[],
  factors: readonly number[],
  pitch: number,
  n: number,
  vectors: number,
  z: number,
  temporary: number,
): Promise<void> {
  const list = scope.i32(
    active.length,
    active.map((index) => factors[index] ?? 0),
  );
  await runtime.run("choleskySolveColumn", active.length, [list, pitch, n, vectors, z, temporary], {});
  scope.drop(list);
}

interface LowRank {
  readonly factor: number;
  readonly pitch: number;
  readonly rank: number;
  /** trace(K - L L^T). */
  readonly residualTrace: number;
}

/** Draws `count` different indices with probability proportional to `weights`, from the core's generator. */
function drawPivots(runtime: Runtime, state: number, weights: Float64Array, count: number): number[] {
  const left = weights.slice();
  const drawn: number[] = [];
  let total = left.reduce((sum, value) => sum + value, 0);
  while (drawn.length < count && total > 0) {
    let rest = runtime.call("randomUnit", state) * total;
    let pick = left.findIndex((value) => {
      rest -= value;
      return value > 0 && rest < 0;
    });
    if (pick < 0) pick = left.findLastIndex((value) => value > 0);
    if (pick < 0) break;
    drawn.push(pick);
    left[pick] = 0;
    total = left.reduce((sum, value) => sum + value, 0);
  }
  return drawn;
}

/** Randomly pivoted partial Cholesky factor of the Gram matrix with at most `rank` columns (a multiple of BLOCK). */
async function lowRank({ gram, roots }: System, scope: Scope, rank: number, work: WorkOptions): Promise<LowRank> {
  const { runtime, n } = gram;
  const pitch = rank;
  const factor = scope.allocate(n * pitch * 8, `a factor of rank ${rank}`);
  const residual = scope.f64(n, gram.diagonal());
  const start = runtime.memory.f64(residual, n).reduce((sum, value) => sum + value, 0);
  const pivotRows = scope.allocate(BLOCK * pitch * 8);
  const block = scope.allocate(BLOCK * BLOCK * 8);
  const state = scope.allocate(64);
  runtime.call("randomSeed", state, 20211206n);
  let from = 0;
  let trace = start;
  while (from < rank && trace > 1e-13 * start) {
    work.signal?.throwIfAborted();
    work.onProgress?.({ stage: "preconditioner", done: from, total: rank });
    const pivots = drawPivots(runtime, state, runtime.memory.f64(residual, n), BLOCK);
    const taken = await addPanel(gram, { factor, pitch, from, pivots, pivotRows, block, residual }, work);
    from += taken;
    trace = runtime.memory.f64(residual, n).reduce((sum, value) => sum + value, 0);
    if (taken < BLOCK) break;
  }
  if (roots === undefined) return { factor, pitch, rank: from, residualTrace: trace };
  // S L is a factor of S K S.
  roots.forEach((root, i) => {
    const row = runtime.memory.f64(factor + i * pitch * 8, pitch);
    for (let k = 0; k < pitch; k++) row[k] = root * (row[k] ?? 0);
  });
  const left = runtime.memory.f64(residual, n).reduce((sum, value, i) => sum + value * (roots[i] ?? 0) ** 2, 0);
  return { factor, pitch, rank: from, residualTrace: left };
}

interface Panel {
  readonly factor: number;
  readonly pitch: number;
  readonly from: number;
  readonly pivots: readonly number[];
  readonly pivotRows: number;
  readonly block: number;
  readonly residual: number;
}

/** Adds the pivots' columns to the factor; returns how many (a multiple of 4) were independent enough. */
async function addPanel(gram: GramMatrix, panel: Panel, work: WorkOptions): Promise<number> {
  const { runtime, n, rows } = gram;
  const { factor, pitch, from, pivots, pivotRows, block, residual } = panel;
  const own = runtime.scope();
  try {
    const gathered = gatherRows(runtime, own, rows, pivots);
    const to = factor + from * 8;
    const args = [gram.kernelPointer, rows.pointer, gathered.pointer, to, pitch];
    await runtime.run("kernelBlock", Math.ceil(n / 64), args, { signal: work.signal });
    const { memory } = runtime;
    pivots.forEach((pivot, p) => {
      const row = memory.f64(factor + pivot * pitch * 8, pitch);
      memory.f64(pivotRows + p * pitch * 8, pitch).set(row);
      memory.f64(block + p * BLOCK * 8, BLOCK).set(row.subarray(from, from + pivots.length));
    });
    runtime.call("residualBlock", pivots.length, pivotRows, pitch, from, block, BLOCK);
    const scale = Math.max(...pivots.map((_, p) => memory.f64(block + (p * BLOCK + p) * 8, 1)[0] ?? 0));
    const failed = runtime.call("cholesky", block, BLOCK, pivots.length, 1e-12 * scale);
    const count = failed === 0 ? pivots.length & ~3 : (failed - 1) & ~3;
    if (count > 0) {
      const rest = [n, factor, pitch, from, count, pivotRows, block, BLOCK, residual];
      await runtime.run("choleskyPanel", Math.ceil(n / TILE), rest, { signal: work.signal });
    }
    return count;
  } finally {
    own.release();
  }
}

/** Bytes that lowRankPreconditioner() takes for n rows. */
export function lowRankBytes(n: number, rank: number, shifts: number, vectors: number): number {
  const pitch = roundUp(rank, BLOCK);
  const factors = pitch * (n + (1 + shifts) * pitch + BLOCK);
  const products = (Math.ceil(n / CHUNK) + 2) * pitch * vectors;
  return (factors + products + n + BLOCK * BLOCK) * 8;
}

/**
 * Woodbury's form of (L L^T + (shift + s) I)^-1, s the mean of what L L^T leaves of the diagonal, for at most `most`
 * vectors at once.
 */
export async function lowRankPreconditioner(
  system: System,
  scope: Scope,
  shifts: readonly number[],
  rank: number,
  most: number,
  work: WorkOptions,
): Promise<Preconditioner> {
  const { runtime, n } = system.gram;
  const low = await lowRank(system, scope, roundUp(rank, BLOCK), work);
  const cross = scope.f64(low.pitch * low.pitch);
  const squares = Math.ceil(low.rank / 64);
  const args = [n, low.factor, low.pitch, low.rank, cross, low.pitch];
  await runtime.run("crossSquare", (squares * (squares + 1)) / 2, args, work, "preconditioner");
  const spread = Math.max(low.residualTrace / n, 1e-13);
  const damped = shifts.map((shift) => shift + spread);
  const factors = await shiftedFactors(runtime, scope, cross, low.pitch, low.rank, damped, spread, work);
  const chunks = Math.ceil(n / CHUNK);
  const shares = scope.allocate(chunks * low.rank * most * 8, "shares of the preconditioner");
  const inner = scope.allocate(low.rank * most * 8);
  const temporary = scope.allocate(low.rank * most * 8);
  return {
    shifts,
    rank: low.rank,
    async apply(vectors, active, r, z) {
      const { factor, pitch, rank: columns } = low;
      await runtime.run("tallTransposed", chunks, [n, factor, pitch, columns, vectors, r, shares]);
      runtime.call("sumShares", chunks, columns * vectors * 8, shares, inner);
      await solveColumns(runtime, scope, active, factors, pitch, columns, vectors, inner, temporary);
      const own = Array.from({ length: vectors }, (_, v) => damped[active[v] ?? 0] ?? 1);
      const list = scope.f64(vectors, own);
      await runtime.run("tallCorrect", chunks, [n, factor, pitch, columns, vectors, list, r, inner, z]);
      scope.drop(list);
    },
  };
}
