// Opening a training session on the backend asked for. Not here: the backends (wasm.ts, webgpu/, tfjs.ts).
import type { Dataset } from "../data/dataset.js";
import type { WorkOptions } from "../runtime/runtime.js";
import { checkChoice } from "../validate.js";
import type { NetworkSpec } from "./network.js";
import {
  BACKENDS,
  type BackendName,
  checkTrainingData,
  resolveTraining,
  type TrainingOptions,
  type TrainingSession,
} from "./training.js";
import { openWasmSession } from "./wasm.js";

export interface OpenOptions extends TrainingOptions, WorkOptions {
  /** Default "auto": webgpu where a GPU answers and the network is wide enough to gain from it, wasm otherwise. */
  readonly backend?: BackendName | "auto" | undefined;
}

/**
 * A session that trains `spec` on `data` from its initial weights. dispose() it when done.
 * @throws TypeError, RangeError, MemoryBudgetError, and the backend's own errors (no adapter, a package missing)
 */
export async function openTraining(
  spec: NetworkSpec,
  data: Dataset,
  options: OpenOptions = {},
): Promise<TrainingSession> {
  checkTrainingData(data);
  const training = resolveTraining(options, data.n);
  const backend = checkChoice("backend", options.backend ?? "auto", [...BACKENDS, "auto"]);
  if (backend === "wasm" || backend === "auto") return openWasmSession(spec, data, training, options);
  throw new RangeError(`backend: ${backend} is not in this build`);
}
