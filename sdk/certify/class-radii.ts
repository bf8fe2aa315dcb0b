// Which of a few radii are proved for the decisions of a machine for several classes: nothing is searched, the cheapest
// bound comes first, and all differences g_c - g_j share one copy of the rows, which a search for each would upload again.
// Not here: searched radii and reports (classes.ts), the bounds (assembly/bounds/).
import type { RowSource } from "../kernels/rows.js";
import { gatherRows, type Rows, uploadRows } from "../kernels/rows.js";
import type { ClassMachine } from "../machines/one-vs-rest.js";
import type { Scope } from "../runtime/memory.js";
import type { Runtime, WorkOptions } from "../runtime/runtime.js";
import { type UploadedMachine, uploadMachine, writeJob } from "./machine-job.js";
import { type BoundKind, checkKind, type MachineMethod, type Threat } from "./method.js";

/** A decision whose radii are asked for. */
export interface Decision {
  readonly prediction: number;
  /** Out: the largest radius proved, 0 where none is. */
  radius: number;
  /** In: the class with the smallest margin. Out: the class that was not kept below, where there is one. */
  rival: number;
}

/** A search that no bound makes. */
const NO_SEARCH = { low: 0, high: 1, tolerance: 1 };

/** Rows and inputs in linear memory, for bounds of any difference. */
interface Uploaded {
  readonly runtime: Runtime;
  readonly machine: ClassMachine;
  readonly own: UploadedMachine;
  readonly inputs: Rows;
}

/** Bound methods to try, the cheapest first: the second is asked only where the first proves nothing. */
function stagesOf(method: MachineMethod, machine: ClassMachine, threat: Threat): BoundKind[] {
  const kind = checkKind(method, machine.kernel, threat);
  return kind.method === "curvature" ? [{ ...kind, method: "linear" }, kind] : [kind];
}

/** Proved lower ends of g_c - g_j on balls around the inputs listed. */
async function lowerEnds(
  { runtime, machine, own, inputs }: Uploaded,
  [c, j]: readonly [number, number],
  list: readonly number[],
  radius: number,
  kind: BoundKind,
  { signal }: WorkOptions,
): Promise<Float64Array> {
  const scope = runtime.scope();
  try {
    const [first, second] = [machine.alphas[c] as Float64Array, machine.alphas[j] as Float64Array];
    // Exact: the coefficients are multiples of one unit (one-vs-rest.ts).
    const difference = first.map((value, i) => value - (second[i] ?? 0));
    const parts = {
      ...own,
      inputs: gatherRows(runtime, scope, inputs, list),
      alpha: scope.f64(difference.length, difference),
      bias: (machine.biases[c] ?? 0) - (machine.biases[j] ?? 0),
    };
    const { pointer } = writeJob(runtime, scope, parts, NO_SEARCH, kind);
    const radii = scope.f64(list.length, new Float64Array(list.length).fill(radius));
    const lowers = scope.allocate(list.length * 8);
    await runtime.run("machineLower", list.length, [pointer, radii, lowers], { signal }, "certifying");
    return runtime.memory.f64(lowers, list.length).slice();
  } finally {
    scope.release();
  }
}

/**
 * Finds for each decision the largest of `radii` that is proved, from the smallest on: a decision that fails at one is
 * not asked about larger ones. Progress counts decisions times rivals times radii.
 */
export async function proveRadii(
  machine: ClassMachine,
  data: RowSource,
  decisions: readonly Decision[],
  radii: readonly number[],
  { runtime, signal, onProgress, method = "best", ...threat }: Options,
): Promise<void> {
  const stages = stagesOf(method, machine, threat);
  const scope: Scope = runtime.scope();
  const runnersUp = decisions.map(({ rival }) => rival);
  for (const decision of decisions) decision.radius = 0;
  let alive = Array.from(decisions.keys());
  const total = decisions.length * radii.length;
  try {
    const own = await uploadMachine(runtime, scope, machine);
    const uploaded = { runtime, machine, own, inputs: await uploadRows(runtime, scope, data) };
    const ascending = [...radii].sort((a, b) => a - b);
    for (const [k, radius] of ascending.entries()) {
      const settled = new Set<number>();
      const report = () => {
        const ended = decisions.length - alive.length;
        onProgress?.({ stage: "certifying", done: k * decisions.length + Math.max(ended, settled.size), total });
      };
      for (const [pair, list] of pairsOf(machine.classes.length, decisions, alive, runnersUp)) {
        let left = list.filter((index) => !settled.has(index));
        for (const kind of stages) {
          if (left.length === 0) break;
          signal?.throwIfAborted();
          const ends = await lowerEnds(uploaded, pair, left, radius, kind, { signal });
          left = left.filter((_, at) => !((ends[at] ?? 0) > 0));
        }
        for (const index of left) {
          settled.add(index);
          (decisions[index] as Decision).rival = pair[1];
        }
        report();
      }
      alive = alive.filter((index) => !settled.has(index));
      for (const index of alive) (decisions[index] as Decision).radius = radius;
    }
  } finally {
    scope.release();
  }
}

interface Options extends WorkOptions, Threat {
  readonly runtime: Runtime;
  readonly method?: MachineMethod | undefined;
}

/** Pairs of classes with the decisions to be bounded there: runners-up first, where most of what fails does. */
function pairsOf(
  many: number,
  decisions: readonly Decision[],
  alive: readonly number[],
  runnersUp: readonly number[],
): [readonly [number, number], number[]][] {
  const pairs: [readonly [number, number], number[]][] = [];
  for (const first of [true, false])
    for (let c = 0; c < many; c++)
      for (let j = 0; j < many; j++) {
        if (c === j) continue;
        const own = alive.filter((index) => decisions[index]?.prediction === c && (runnersUp[index] === j) === first);
        if (own.length > 0) pairs.push([[c, j], own]);
      }
  return pairs;
}
