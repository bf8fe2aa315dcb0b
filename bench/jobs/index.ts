// All jobs, in the order in which they run.
import type { Job } from "../job.js";
import { gram } from "./gram.js";
import { ibp } from "./ibp.js";
import { interval } from "./interval.js";
import { load } from "./load.js";
import { narrowNetwork, wideNetwork } from "./network.js";
import { ridgePath } from "./ridge-path.js";
import { sgd } from "./sgd.js";
import { svmExact, svmWithBias } from "./svm.js";
import { certificates } from "./tightness.js";
import { gpuStep, widestGpuStep } from "./webgpu.js";

export const JOBS: readonly Job[] = [
  load,
  gram,
  svmExact,
  svmWithBias,
  sgd,
  interval,
  ridgePath,
  narrowNetwork,
  wideNetwork,
  ibp,
  certificates,
  gpuStep,
  widestGpuStep,
];
