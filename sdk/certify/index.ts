// ntkit/certify: the part of the SDK that a page needs to load a model and certify inputs, and no more; what it shares with
// ntkit is the same code and the same classes. Not here: training.

export { type Dataset, type DatasetOptions, dataset } from "../data/dataset.js";
export * from "../errors.js";
export { describeKernel, type Kernel } from "../kernels/kernel.js";
export type { RowSource } from "../kernels/rows.js";
export { Machine, type MachineParts } from "../machines/machine.js";
export { loadModel, NetworkModel, readModel } from "../networks/model.js";
export { UnsupportedEngineError } from "../runtime/module.js";
export {
  defaultRuntime,
  init,
  type Progress,
  Runtime,
  type RuntimeOptions,
  setDefaultRuntime,
  type WorkOptions,
} from "../runtime/runtime.js";
export { type ByteSource, bytesOf, type ReadOptions } from "../runtime/sources.js";
export { VERSION } from "../version.js";
export { type AttackedSample, type AttackOptions, attack, attackSamples } from "./attacks/attack.js";
export { type AttackReport, attackReportToJson, formatDistance } from "./attacks/report.js";
export { type BoundOptions, machineBounds } from "./bounds.js";
export { type Certificate, type CertifyOptions, certify, certifySamples } from "./certify.js";
export type { Bounds, Method, Norm, Soundness, Threat } from "./method.js";
export { type Report, type Summary, summarize } from "./report.js";
export { formatRadius, readReport, reportToJson, reportToTsv } from "./report-file.js";
