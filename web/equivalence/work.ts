// What the demo computes, in its worker: one comparison of a network with its machine at a time, over the SDK.
// Not here: the page's side (ntkit-equivalence.ts).
import {
  type BackendName,
  type ComparisonPoint,
  type ComparisonSession,
  type Dataset,
  defaultRuntime,
  openComparison,
} from "../../sdk/index.js";
import { loadDigits } from "../shared/digits.js";
import type { Call } from "../shared/worker.js";
import { KERNEL_ROWS, LAMBDA, type Look, type Place, SHOWN } from "./curves.js";

export interface Setting {
  /** Neurons, or Infinity. */
  readonly width: number;
  readonly rate: number;
  readonly seed: number;
  readonly backend: "auto" | "wasm" | "webgpu";
}

let session: ComparisonSession | undefined;
let queue: Promise<unknown> = Promise.resolve();

/** One after another: a comparison has one caller at a time, also when the page gave up waiting for the last call. */
function next<T>({ signal }: Call, job: () => Promise<T>): Promise<T> {
  const result = queue.then(() => {
    signal.throwIfAborted();
    return job();
  });
  queue = result.catch(() => {});
  return result;
}

/** Rows of `test` that are drawn: the first ones of each label in turn. */
function shownRows({ y }: Dataset): number[] {
  const of = (label: number) => Array.from(y.keys()).filter((i) => y[i] === label);
  const [zeros, ones] = [of(-1), of(1)];
  return [...zeros.slice(0, SHOWN / 2), ...ones.slice(0, SHOWN / 2)];
}

/** What the page draws of a point. */
function lookOf(point: ComparisonPoint, rows: readonly number[]): Look {
  const { step, machine, network, difference, drift } = point;
  const some = (outputs: Float64Array) => rows.map((row) => outputs[row] ?? Number.NaN);
  return {
    ...{ step, g: some(machine.test), hingeG: machine.hinge },
    ...(network && { f: some(network.test), hingeF: network.hinge }),
    ...(difference && { rms: difference.rms, largest: difference.largest }),
    ...(drift !== undefined && { drift }),
  };
}

function current(): ComparisonSession {
  if (session === undefined) throw new Error("no run is open: press play");
  return session;
}

async function look(call: Call): Promise<Look> {
  const { test } = await loadDigits();
  return lookOf(await current().point({ kernel: true, signal: call.signal }), shownRows(test));
}

async function place(): Promise<Place> {
  return { backend: current().backend, threads: (await defaultRuntime()).sharedThreads };
}

/** The shown test images, 784 bytes each, and their digits. */
export async function images(): Promise<{ pixels: Uint8Array; digits: number[] }> {
  const { test } = await loadDigits();
  const { x, y } = test.subset(shownRows(test));
  return { pixels: Uint8Array.from(x), digits: Array.from(y, (label) => (label < 0 ? 0 : 1)) };
}

/** Begins a run, in place of the one before. */
export function open({ width, rate, seed, backend }: Setting, call: Call): Promise<{ place: Place; look: Look }> {
  return next(call, async () => {
    session?.dispose();
    session = undefined;
    const { train, test } = await loadDigits();
    const setting = { width, learningRate: rate, lambda: LAMBDA, seed, backend, kernelRows: KERNEL_ROWS };
    session = await openComparison({ train, test, ...setting, signal: call.signal });
    return { place: await place(), look: await look(call) };
  });
}

/** Trains up to step `to` and looks. */
export function advance({ to }: { to: number }, call: Call): Promise<Look> {
  return next(call, async () => {
    const run = current();
    await run.steps(Math.max(0, to - run.step), call);
    return look(call);
  });
}

/** Carries a run whose GPU was lost on in another place. */
export function carryOn({ backend }: { backend: BackendName }, call: Call): Promise<{ place: Place; look: Look }> {
  return next(call, async () => {
    await current().continueOn(backend, call);
    return { place: await place(), look: await look(call) };
  });
}
