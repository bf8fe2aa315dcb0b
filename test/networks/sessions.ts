// Sessions on any backend, and curves of the float64 loops that they are compared with. Not here: tests.
import { expect } from "vitest";
import type { Dataset } from "../../sdk/data/dataset.js";
import { initialWeights } from "../../sdk/networks/initial.js";
import type { NetworkSpec } from "../../sdk/networks/network.js";
import { BatchOrder } from "../../sdk/networks/order.js";
import { openTfjsSession } from "../../sdk/networks/tfjs.js";
import type { BackendName, ResolvedTraining, TrainingSession } from "../../sdk/networks/training.js";
import { openWasmSession } from "../../sdk/networks/wasm.js";
import type { EngineOptions } from "../../sdk/networks/webgpu/engine.js";
import { openWebGpuSession } from "../../sdk/networks/webgpu/session.js";
import type { Runtime } from "../../sdk/runtime/runtime.js";
import { plainOutputs, plainStep, plainWeights } from "./reference.js";

/** Relative distance to the reference, so that two backends differ by no more than 1e-4. */
const CURVE = 5e-5;

export function openOn(
  runtime: Runtime,
  backend: BackendName,
  spec: NetworkSpec,
  data: Dataset,
  options: ResolvedTraining,
  gpu: EngineOptions = {},
): Promise<TrainingSession> {
  if (backend === "wasm") return openWasmSession(spec, data, options, { runtime });
  if (backend === "webgpu") return openWebGpuSession(spec, data, options, { runtime, gpu });
  return openTfjsSession(backend, spec, data, options, { runtime });
}

export async function using<T>(
  opening: Promise<TrainingSession>,
  use: (session: TrainingSession) => Promise<T>,
): Promise<T> {
  const session = await opening;
  try {
    return await use(session);
  } finally {
    session.dispose();
  }
}

export async function lossesOf(session: TrainingSession, count: number): Promise<number[]> {
  return (await session.steps(count)).map(({ loss }) => loss);
}

/** Losses of the first steps by the reference. */
export async function expectedCurve(
  runtime: Runtime,
  spec: NetworkSpec,
  data: Dataset,
  options: ResolvedTraining,
  count: number,
): Promise<number[]> {
  const weights = plainWeights(await initialWeights(spec, data.d, { runtime }));
  const centre = options.centred ? plainOutputs(spec, data, weights) : new Float64Array(data.n);
  const order = new BatchOrder(runtime, data.n, options.batch, options.seed);
  return Array.from({ length: count }, (_, k) =>
    plainStep({ spec, data, options, centre }, order.rows(k).slice(), weights),
  );
}

export function expectCurve(found: readonly number[], expected: readonly number[]): void {
  expect(found.length).toBe(expected.length);
  const worst = found.map((loss, k) => Math.abs(loss - (expected[k] ?? 0)) / Math.abs(expected[k] ?? 1));
  expect(Math.max(...worst)).toBeLessThan(CURVE);
}
