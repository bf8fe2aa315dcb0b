// Preconditioned conjugate gradients for (K + shift_v I) x_v = y_v with several right-hand sides and shifts in lockstep,
// so that one pass over the Gram matrix serves all of them. Each has its own recurrence and leaves when it has converged;
// the residual that counts is computed anew at the end. With sample weights the matrix is S K S, S the diagonal of
// their roots.
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

/** One system: a right-hand side of n entries, and which of the preconditioner's shifts it has. */
export interface RightSide {
  readonly y: Float64Array;
  readonly shift: number;
}

/** What became of one system. */
export interface Solution {
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

/** When the iteration ends: the largest ||y - (K + shift I) x|| / ||y||, and the most iterations of each system. */
export interface Ending {
  readonly tolerance: number;
  readonly mostIterations: number;
}

/** Bytes of linear memory that the iteration takes for `vectors` systems of n rows, products left out. */
export function iterationBytes(n: number, vectors: number): number {
  return 5 * n * vectors * 8;
}

/** Solves all systems (at most MAX_VECTORS); never throws for lack of convergence, the caller judges the residuals. */
export async function conjugateGradients(
  system: System,
  preconditioner: Preconditioner,
  sides: readonly RightSide[],
  { tolerance, mostIterations }: Ending,
  work: WorkOptions,
): Promise<Solution[]> {
  const { n } = system.gram;
  const sizes = sides.map(({ y }) => Math.sqrt(y.reduce((sum, value) => sum + value * value, 0)));
  const tasks = sides.map(({ y, shift }, k): Task => {
    const target = (sizes[k] ?? 0) * tolerance * AIM;
    return { y, shift, by: preconditioner.shifts[shift] ?? 0, x: new Float64Array(n), target, iterations: 0 };
  });
  let residuals: number[] = sizes.map((size) => (size === 0 ? 0 : 1));
  for (let start = 0; start <= RESTARTS; start++) {
    const active = tasks.filter((_, k) => !((residuals[k] ?? 0) <= tolerance));
    if (active.every(({ iterations }) => iterations >= mostIterations)) break;
    await new Run(system, preconditioner, mostIterations, work).solve(active);
    residuals = await trueResiduals(system, tasks, work);
  }
  return tasks.map(({ x, iterations }, k) => ({ x, relativeResidual: residuals[k] ?? 1, iterations }));
}

/** A system and how far it has come. */
interface Task extends RightSide {
  /** The shift itself. */
  readonly by: number;
  x: Float64Array;
  /** Size of the residual at which it is done. */
  readonly target: number;
  iterations: number;
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

/** r = y - (K + shift I) x for the tasks listed, interleaved at `r`; `x` and `q` are interleaved work. */
async function residual(
  system: System,
  scope: Scope,
  vectors: number,
  tasks: readonly Task[],
  { x, r, q }: Pick<Vectors, "x" | "r" | "q">,
  work: WorkOptions,
): Promise<void> {
  const { runtime, n } = system.gram;
  interleave(
    runtime.memory.f64(r, n * vectors),
    vectors,
    tasks.map(({ y }) => y),
  );
  // Where nothing was done yet the residual is y, and a pass over the matrix is saved.
  if (tasks.every(({ iterations }) => iterations === 0)) return;
  await systemProduct(system, vectors, x, q, { signal: work.signal });
  const scalars = scope.f64(vectors, shiftsOf(tasks, vectors));
  runtime.call("columnAxpy", n, vectors, scalars, x, q);
  runtime.memory.f64(scalars, vectors).fill(-1);
  runtime.call("columnAxpy", n, vectors, scalars, q, r);
  // Padding columns hold x = 0 and y = 0, so their residual is 0.
  scope.drop(scalars);
}

const shiftsOf = (tasks: readonly Task[], vectors: number) =>
  Array.from({ length: vectors }, (_, v) => tasks[v]?.by ?? 0);

async function trueResiduals(system: System, tasks: readonly Task[], work: WorkOptions): Promise<number[]> {
  const { runtime, n } = system.gram;
  const scope = runtime.scope();
  try {
    const vectors = paddedVectors(tasks.length);
    const [x, r, q] = [0, 1, 2].map(() => scope.allocate(n * vectors * 8)) as [number, number, number];
    const solutions = tasks.map((task) => task.x);
    interleave(runtime.memory.f64(x, n * vectors), vectors, solutions);
    await residual(system, scope, vectors, tasks, { x, r, q }, work);
    const out = scope.f64(vectors);
    runtime.call("columnDots", n, vectors, r, r, out);
    return Array.from(runtime.memory.f64(out, tasks.length), (value, k) => {
      const size = tasks[k]?.y.reduce((sum, entry) => sum + entry * entry, 0) ?? 0;
      return size === 0 ? 0 : Math.sqrt(value / size);
    });
  } finally {
    scope.release();
  }
}

/** A system still to do and, when the lanes were rearranged, its residual and direction. */
interface Column {
  readonly task: Task;
  readonly standing?: { readonly r: Float64Array; readonly p: Float64Array; readonly rz: number };
}

interface State {
  readonly vectors: number;
  readonly tasks: readonly Task[];
  readonly shifts: number[];
  readonly done: boolean[];
  rz: Float64Array;
}

/** One run from the present solutions to convergence of its own residual. */
class Run {
  constructor(
    private readonly system: System,
    private readonly preconditioner: Preconditioner,
    private readonly mostIterations: number,
    private readonly work: WorkOptions,
  ) {}

  async solve(tasks: readonly Task[]): Promise<void> {
    let columns: Column[] = tasks.map((task) => ({ task }));
    while (columns.length > 0) {
      const scope = this.system.gram.runtime.scope();
      try {
        columns = await this.solveWidth(scope, columns);
      } finally {
        scope.release();
      }
    }
  }

  /** Iterates until the systems left fit fewer lanes; returns those still to do, with where they stand. */
  private async solveWidth(scope: Scope, columns: readonly Column[]): Promise<Column[]> {
    const { n, runtime } = this.system.gram;
    const { memory } = runtime;
    const vectors = paddedVectors(columns.length);
    const names = ["x", "r", "z", "p", "q"] as const;
    const pairs = names.map((name) => [name, scope.allocate(n * vectors * 8)]);
    const at = Object.fromEntries(pairs) as unknown as Vectors;
    const tasks = columns.map(({ task }) => task);
    const shifts = shiftsOf(tasks, vectors);
    interleave(
      memory.f64(at.x, n * vectors),
      vectors,
      tasks.map((task) => task.x),
    );
    const state: State = { vectors, tasks, shifts, done: tasks.map(() => false), rz: new Float64Array(vectors) };
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
      await residual(this.system, scope, vectors, tasks, at, this.work);
      await this.preconditioner.apply(vectors, numbersOf(tasks), at.r, at.z);
      memory.f64(at.p, n * vectors).set(memory.f64(at.z, n * vectors));
      state.rz = this.dots(scope, vectors, at.r, at.z);
    }
    await this.iterate(scope, at, state);
    const column = (pointer: number, v: number) => extract(memory.f64(pointer, n * vectors), vectors, v);
    tasks.forEach((task, v) => {
      task.x = column(at.x, v);
    });
    return tasks
      .map((task, v) => ({ task, standing: { r: column(at.r, v), p: column(at.p, v), rz: state.rz[v] ?? 0 } }))
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

  /** Steps until every system is done or those left fit fewer lanes. */
  private async iterate(scope: Scope, at: Vectors, state: State): Promise<void> {
    const { vectors, tasks, done } = state;
    const { signal, onProgress } = this.work;
    for (;;) {
      const sizes = await this.step(scope, at, state);
      const left = done.filter((isDone) => !isDone).length;
      const shares = tasks.map((task, v) => (done[v] ? 100 : progressOf(task, sizes[v] ?? 0)));
      onProgress?.({ stage: "conjugate gradients", done: Math.min(...shares), total: 100 });
      signal?.throwIfAborted();
      if (left === 0) return;
      await this.preconditioner.apply(vectors, numbersOf(tasks), at.r, at.z);
      const next = this.dots(scope, vectors, at.r, at.z);
      const turns = Array.from(next, (value, v) => ((state.rz[v] ?? 0) > 0 ? value / (state.rz[v] ?? 1) : 0));
      this.combine("columnXpay", scope, turns, at.z, at.p);
      state.rz = next;
      if (paddedVectors(left) < vectors) return;
    }
  }

  /** One step along p for every system that is not done; returns the sizes of the residuals. */
  private async step(scope: Scope, at: Vectors, { vectors, tasks, shifts, done, rz }: State): Promise<number[]> {
    await systemProduct(this.system, vectors, at.p, at.q, { signal: this.work.signal });
    this.combine("columnAxpy", scope, shifts, at.p, at.q);
    const pq = this.dots(scope, vectors, at.p, at.q);
    const steps = Array.from(rz, (value, v) => (done[v] !== false || !((pq[v] ?? 0) > 0) ? 0 : value / (pq[v] ?? 1)));
    const back = steps.map((step) => -step);
    this.combine("columnAxpy", scope, steps, at.p, at.x);
    this.combine("columnAxpy", scope, back, at.q, at.r);
    const sizes = Array.from(this.dots(scope, vectors, at.r, at.r), Math.sqrt);
    tasks.forEach((task, v) => {
      if (done[v]) return;
      task.iterations += 1;
      const stuck = steps[v] === 0 || task.iterations >= this.mostIterations;
      done[v] = stuck || (sizes[v] ?? 0) <= task.target;
    });
    return sizes;
  }
}

const numbersOf = (tasks: readonly Task[]) => tasks.map(({ shift }) => shift);

/** Share of the way from ||y|| to the target, in digits of the residual, in percent. */
function progressOf({ y, target }: Task, residual: number): number {
  if (!(residual > target)) return 100;
  const first = Math.sqrt(y.reduce((sum, value) => sum + value * value, 0));
  return Math.max(0, Math.min(99, Math.floor((100 * Math.log(first / residual)) / Math.log(first / target))));
}
