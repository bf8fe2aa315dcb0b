// Preconditioned conjugate gradients for (K + shift_v I) x_v = y with several shifts in lockstep, so that one pass over
// the Gram matrix serves all of them. A shift that has converged leaves; the residual that counts is computed anew at
// the end. With sample weights the matrix is S K S, S the diagonal of their roots.
// Not here: the preconditioner (preconditioner.ts) and machines.
import { type GramMatrix, paddedVectors } from "../kernels/gram.js";
import type { Scope } from "../runtime/memory.js";
import type { WorkOptions } from "../runtime/runtime.js";
import type { Preconditioner } from "./preconditioner.js";

/** The matrix of the system: K itself, or S K S with S = diag(roots). */
export interface System {
  readonly gram: GramMatrix;
  /** n roots of sample weights. Default: all 1. */
  readonly roots?: Float64Array | undefined;
}

/** y = S K S p for interleaved vectors in linear memory. */
async function systemProduct(
  { gram, roots }: System,
  vectors: number,
  p: number,
  y: number,
  work: WorkOptions,
): Promise<void> {
  if (roots === undefined) return gram.product(vectors, p, y, work);
  const { n, runtime } = gram;
  const scope = runtime.scope();
  try {
    const scaled = scope.allocate(n * vectors * 8);
    const times = (to: number, from: number) => {
      const [target, source] = [runtime.memory.f64(to, n * vectors), runtime.memory.f64(from, n * vectors)];
      for (let k = 0; k < target.length; k++) target[k] = (source[k] ?? 0) * (roots[Math.floor(k / vectors)] ?? 0);
    };
    times(scaled, p);
    await gram.product(vectors, scaled, y, work);
    times(y, y);
  } finally {
    scope.release();
  }
}

/** What became of one shift. */
export interface ShiftSolution {
  readonly x: Float64Array;
  /** ||y - (K + shift I) x|| / ||y||, from a product with the float64 kernel. */
  readonly relativeResidual: number;
  readonly iterations: number;
}

/** The iteration aims below the tolerance by this factor, because its own residual drifts from the true one. */
const AIM = 0.5;

/** Times the iteration is started again from the true residual. */
const RESTARTS = 4;

interface Vectors {
  readonly x: number;
  readonly r: number;
  readonly z: number;
  readonly p: number;
  readonly q: number;
}

/** Solves for all shifts (at most 8); never throws for lack of convergence, the caller judges the residuals. */
export async function conjugateGradients(
  system: System,
  preconditioner: Preconditioner,
  y: Float64Array,
  shifts: readonly number[],
  tolerance: number,
  mostIterations: number,
  work: WorkOptions,
): Promise<ShiftSolution[]> {
  const { n } = system.gram;
  const solutions = shifts.map(() => new Float64Array(n));
  const iterations = shifts.map(() => 0);
  const size = Math.sqrt(y.reduce((sum, value) => sum + value * value, 0));
  let residuals = shifts.map(() => 1);
  for (let start = 0; start <= RESTARTS; start++) {
    const active = shifts.map((_, index) => index).filter((index) => (residuals[index] ?? 0) > tolerance);
    if (active.length === 0 || size === 0) break;
    if (active.every((index) => (iterations[index] ?? 0) >= mostIterations)) break;
    const run = new Run(system, preconditioner, shifts, size * tolerance * AIM, mostIterations, iterations, work);
    await run.solve(y, solutions, active);
    residuals = await trueResiduals(system, y, shifts, solutions, work);
  }
  return shifts.map((_, index) => ({
    x: solutions[index] ?? new Float64Array(n),
    relativeResidual: size === 0 ? 0 : (residuals[index] ?? 1),
    iterations: iterations[index] ?? 0,
  }));
}

function interleave(target: Float64Array, vectors: number, columns: readonly Float64Array[]): void {
  target.fill(0);
  columns.forEach((column, v) => {
    for (let i = 0; i < column.length; i++) target[i * vectors + v] = column[i] ?? 0;
  });
}

function extract(source: Float64Array, vectors: number, v: number): Float64Array {
  return Float64Array.from({ length: source.length / vectors }, (_, i) => source[i * vectors + v] ?? 0);
}

/** r = y - (K + shift I) x for the listed columns, interleaved at `r`; `x` and `q` are interleaved work. */
async function residual(
  system: System,
  scope: Scope,
  vectors: number,
  shifts: readonly number[],
  y: Float64Array,
  { x, r, q }: Pick<Vectors, "x" | "r" | "q">,
  work: WorkOptions,
): Promise<void> {
  const { runtime, n } = system.gram;
  await systemProduct(system, vectors, x, q, { signal: work.signal });
  const scalars = scope.f64(
    vectors,
    Array.from({ length: vectors }, (_, v) => shifts[v] ?? 0),
  );
  runtime.call("columnAxpy", n, vectors, scalars, x, q);
  interleave(
    runtime.memory.f64(r, n * vectors),
    vectors,
    shifts.map(() => y),
  );
  runtime.memory.f64(scalars, vectors).fill(-1);
  runtime.call("columnAxpy", n, vectors, scalars, q, r);
  // Padding columns hold x = 0 and y = 0, so their residual is 0.
  scope.drop(scalars);
}

async function trueResiduals(
  system: System,
  y: Float64Array,
  shifts: readonly number[],
  solutions: readonly Float64Array[],
  work: WorkOptions,
): Promise<number[]> {
  const { runtime, n } = system.gram;
  const scope = runtime.scope();
  try {
    const vectors = paddedVectors(shifts.length);
    const [x, r, q] = [0, 1, 2].map(() => scope.allocate(n * vectors * 8)) as [number, number, number];
    interleave(runtime.memory.f64(x, n * vectors), vectors, solutions);
    await residual(system, scope, vectors, shifts, y, { x, r, q }, work);
    const out = scope.f64(vectors);
    runtime.call("columnDots", n, vectors, r, r, out);
    const size = y.reduce((sum, value) => sum + value * value, 0);
    return Array.from(runtime.memory.f64(out, shifts.length), (value) => Math.sqrt(value / size));
  } finally {
    scope.release();
  }
}

/** A shift still to do and, when the lanes were rearranged, its residual and direction. */
interface Column {
  readonly index: number;
  readonly standing?: { readonly r: Float64Array; readonly p: Float64Array; readonly rz: number };
}

interface State {
  readonly vectors: number;
  readonly active: readonly number[];
  readonly shifts: number[];
  readonly done: boolean[];
  rz: Float64Array;
}

/** One run from the present solutions to convergence of its own residual. */
class Run {
  constructor(
    private readonly system: System,
    private readonly preconditioner: Preconditioner,
    private readonly shifts: readonly number[],
    private readonly target: number,
    private readonly mostIterations: number,
    private readonly iterations: number[],
    private readonly work: WorkOptions,
  ) {}

  async solve(y: Float64Array, solutions: Float64Array[], first: readonly number[]): Promise<void> {
    let columns: Column[] = first.map((index) => ({ index }));
    while (columns.length > 0) {
      const scope = this.system.gram.runtime.scope();
      try {
        columns = await this.solveWidth(scope, y, solutions, columns);
      } finally {
        scope.release();
      }
    }
  }

  /** Iterates until the active shifts fit fewer lanes; returns those still to do, with where they stand. */
  private async solveWidth(
    scope: Scope,
    y: Float64Array,
    solutions: Float64Array[],
    columns: readonly Column[],
  ): Promise<Column[]> {
    const { n, runtime } = this.system.gram;
    const { memory } = runtime;
    const vectors = paddedVectors(columns.length);
    const names = ["x", "r", "z", "p", "q"] as const;
    const pairs = names.map((name) => [name, scope.allocate(n * vectors * 8)]);
    const at = Object.fromEntries(pairs) as unknown as Vectors;
    const active = columns.map(({ index }) => index);
    const shifts = Array.from({ length: vectors }, (_, v) => this.shifts[active[v] ?? -1] ?? 0);
    interleave(
      memory.f64(at.x, n * vectors),
      vectors,
      active.map((index) => solutions[index] ?? new Float64Array(n)),
    );
    const state: State = { vectors, active, shifts, done: active.map(() => false), rz: new Float64Array(vectors) };
    const going = columns.map(({ standing }) => standing).filter((standing) => standing !== undefined);
    if (going.length === columns.length) {
      const copy = (to: number, name: "r" | "p") =>
        interleave(
          memory.f64(to, n * vectors),
          vectors,
          going.map((standing) => standing[name]),
        );
      copy(at.r, "r");
      copy(at.p, "p");
      state.rz.set(going.map(({ rz }) => rz));
    } else {
      await residual(this.system, scope, vectors, shifts.slice(0, active.length), y, at, this.work);
      await this.preconditioner.apply(vectors, active, at.r, at.z);
      memory.f64(at.p, n * vectors).set(memory.f64(at.z, n * vectors));
      state.rz = this.dots(scope, vectors, at.r, at.z);
    }
    await this.iterate(scope, at, state);
    const column = (pointer: number, v: number) => extract(memory.f64(pointer, n * vectors), vectors, v);
    active.forEach((index, v) => {
      solutions[index] = column(at.x, v);
    });
    return active
      .map((index, v) => ({ index, standing: { r: column(at.r, v), p: column(at.p, v), rz: state.rz[v] ?? 0 } }))
      .filter((_, v) => !state.done[v]);
  }

  private dots(scope: Scope, vectors: number, a: number, b: number): Float64Array {
    const out = scope.f64(vectors);
    this.system.gram.runtime.call("columnDots", this.system.gram.n, vectors, a, b, out);
    const values = this.system.gram.runtime.memory.f64(out, vectors).slice();
    scope.drop(out);
    return values;
  }

  private combine(name: "columnAxpy" | "columnXpay", scope: Scope, scalars: number[], a: number, b: number): void {
    const pointer = scope.f64(scalars.length, scalars);
    this.system.gram.runtime.call(name, this.system.gram.n, scalars.length, pointer, a, b);
    scope.drop(pointer);
  }

  /** Steps until every shift is done or those left fit fewer lanes. */
  private async iterate(scope: Scope, at: Vectors, state: State): Promise<void> {
    const { vectors, active, done } = state;
    const { signal, onProgress } = this.work;
    const first = Math.sqrt(Math.max(...this.dots(scope, vectors, at.r, at.r)));
    for (;;) {
      const sizes = await this.step(scope, at, state);
      const left = done.filter((isDone) => !isDone).length;
      const worst = Math.max(...active.map((_, v) => (done[v] ? 0 : (sizes[v] ?? 0))));
      onProgress?.({ stage: "conjugate gradients", done: this.progress(first, worst), total: 100 });
      signal?.throwIfAborted();
      if (left === 0) return;
      await this.preconditioner.apply(vectors, active, at.r, at.z);
      const next = this.dots(scope, vectors, at.r, at.z);
      const turns = Array.from(next, (value, v) => ((state.rz[v] ?? 0) > 0 ? value / (state.rz[v] ?? 1) : 0));
      this.combine("columnXpay", scope, turns, at.z, at.p);
      state.rz = next;
      if (paddedVectors(left) < vectors) return;
    }
  }

  /** One step along p for every shift that is not done; returns the sizes of the residuals. */
  private async step(scope: Scope, at: Vectors, { vectors, active, shifts, done, rz }: State): Promise<number[]> {
    await systemProduct(this.system, vectors, at.p, at.q, { signal: this.work.signal });
    this.combine("columnAxpy", scope, shifts, at.p, at.q);
    const pq = this.dots(scope, vectors, at.p, at.q);
    const steps = Array.from(rz, (value, v) => (done[v] !== false || !((pq[v] ?? 0) > 0) ? 0 : value / (pq[v] ?? 1)));
    const back = steps.map((step) => -step);
    this.combine("columnAxpy", scope, steps, at.p, at.x);
    this.combine("columnAxpy", scope, back, at.q, at.r);
    const sizes = Array.from(this.dots(scope, vectors, at.r, at.r), Math.sqrt);
    active.forEach((index, v) => {
      if (done[v]) return;
      this.iterations[index] = (this.iterations[index] ?? 0) + 1;
      const stuck = steps[v] === 0 || (this.iterations[index] ?? 0) >= this.mostIterations;
      done[v] = stuck || (sizes[v] ?? 0) <= this.target;
    });
    return sizes;
  }

  /** Share of the way, in digits of the residual, in percent. */
  private progress(first: number, worst: number): number {
    if (!(worst > this.target)) return 100;
    return Math.max(0, Math.min(99, Math.floor((100 * Math.log(first / worst)) / Math.log(first / this.target))));
  }
}
