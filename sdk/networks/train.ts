// Opening a training session on the backend asked for. Not here: the backends (wasm.ts, webgpu/, tfjs.ts).
import type { Dataset } from "../data/dataset.js";
import type { WorkOptions } from "../runtime/runtime.js";
import { checkChoice, checkObject } from "../validate.js";
import { type NetworkOptions, type NetworkSpec, network } from "./network.js";
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
  // Specs are plain values, and may come from a file or a message.
  const own = network(checkObject("spec", spec) as unknown as NetworkOptions);
  const training = resolveTraining(options, data.n);
  const asked = checkChoice("backend", options.backend ?? "auto", [...BACKENDS, "auto"]);
  const backend = asked === "auto" ? await chooseBackend(own) : asked;
  if (backend === "wasm") return openWasmSession(own, data, training, options);
  if (backend === "webgpu") {
    const { openWebGpuSession } = await import("./webgpu/session.js");
    return openWebGpuSession(own, data, training, options);
  }
  const { openTfjsSession } = await import("./tfjs.js");
  return openTfjsSession(backend, own, data, training, options);
}

/** Neurons from which a GPU is worth its start-up. */
const WIDE = 4096;

/** A real GPU for wide networks, the core otherwise: a GPU in software is slower than the core. */
async function chooseBackend({ widths }: NetworkSpec): Promise<BackendName> {
  if (Math.max(...widths) < WIDE) return "wasm";
  const { probeGpu } = await import("../runtime/gpu.js");
  const gpu = await probeGpu();
  return gpu !== undefined && !gpu.software ? "webgpu" : "wasm";
}
