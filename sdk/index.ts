// ntkit: infinite-width neural networks as kernel machines, trained and certified. The public names, and only those.

export { type AnyModel, loadAnyModel } from "./any-model.js";
export {
  ATTACK_METHODS,
  type AttackedSample,
  type AttackMethod,
  type AttackOptions,
  attack,
  attackSamples,
  SCHEDULES,
  type Schedule,
} from "./certify/attacks/attack.js";
export {
  type Counterexample,
  counterexamplesOf,
  imageSide,
  writeAttackPicture,
  writeCounterexamples,
} from "./certify/attacks/counterexamples.js";
export { type OutputGradients, outputGradients } from "./certify/attacks/gradient.js";
export type { AttackPath } from "./certify/attacks/path.js";
export { type AttackReport, attackReportToJson, formatDistance, makeAttackReport } from "./certify/attacks/report.js";
export type { AttackChoices } from "./certify/beside.js";
export { type BoundOptions, intervalBounds, machineBounds, nestedBounds } from "./certify/bounds.js";
export { type Certificate, type CertifyOptions, certify, certifySamples } from "./certify/certify.js";
export type { CheckedSample, CheckOptions, CheckResult } from "./certify/checker/check.js";
export { checkCertificates } from "./certify/checker/later.js";
export {
  type CertifyClassesOptions,
  type ClassCertificate,
  type ClassReport,
  certifyClasses,
} from "./certify/classes.js";
export type { Cover, CoverOptions } from "./certify/cover.js";
export { type NetworkOffset, networkBounds } from "./certify/ibp.js";
export { attackPath, certifyOutputs, coverRadii } from "./certify/later.js";
export { type MergeOptions, mergeReports } from "./certify/merge.js";
export {
  type Bounds,
  MACHINE_METHODS,
  type MachineMethod,
  METHODS,
  type Method,
  NETWORK_METHODS,
  type NetworkMethod,
  NORMS,
  type Norm,
  RELAXED_METHODS,
  type Reach,
  type RelaxedMethod,
  SOUNDNESS,
  type Soundness,
  type Threat,
} from "./certify/method.js";
export type { CertifyOutputsOptions, OutputCertificate, OutputReport } from "./certify/outputs.js";
export { type RelaxedOptions, relaxedBounds } from "./certify/relaxed.js";
export {
  type AccuracyCurve,
  type AttackFigures,
  makeReport,
  type Report,
  type ReportFigures,
  type ReportHeader,
  reportFigures,
  type SavedCertificate,
  type SavedReport,
  type Summary,
  summarize,
} from "./certify/report.js";
export {
  formatRadius,
  type ReportFileOptions,
  readReport,
  reportToJson,
  reportToTsv,
} from "./certify/report-file.js";
export { chooseSamples, type Samples, type Shard } from "./certify/samples.js";
export type { Touching } from "./certify/touching.js";
export { classSetFromArrays, datasetFromArrays, type SplitArrays, targetKind } from "./data/arrays.js";
export { type ClassSet, type ClassSetOptions, classSet, reorderClasses } from "./data/classes.js";
export { type Dataset, type DatasetOptions, dataset } from "./data/dataset.js";
export { DIGIT_SIDE, inkOf, mnistDigit } from "./data/digit.js";
export { type IdxArray, type IdxType, readIdx } from "./data/idx.js";
export {
  MNIST_SHA256,
  type MnistAddress,
  type MnistBytes,
  type MnistDigitsOptions,
  type MnistFiles,
  type MnistHashes,
  type MnistOptions,
  type MnistPart,
  type MnistSource,
  mnist,
  mnistDigits,
} from "./data/mnist.js";
export { type NpyArray, type NpyData, type NpyDtype, type NpyInput, readNpy, writeNpy } from "./data/npy.js";
export { type NpzOptions, readNpz, writeNpz } from "./data/npz.js";
export { lift, PLANAR_SETS, type PlanarOptions, type PlanarSet, planarData } from "./data/planar.js";
export { type Picture, writePng } from "./data/png.js";
export {
  readSafetensors,
  type SafetensorsFile,
  type Tensor,
  type TensorData,
  type TensorDtype,
  type TensorInput,
  writeSafetensors,
} from "./data/safetensors.js";
export {
  type DataSource,
  type LoadedClasses,
  type LoadedData,
  type LoadOptions,
  loadAny,
  loadClasses,
  loadDataset,
  type Splits,
} from "./data/source.js";
export { type DescendOptions, descend, type Trajectory } from "./dynamics/descend.js";
export type { FlowEvent, FlowLimit, FlowLoss, GradientFlow, GradientFlowOptions } from "./dynamics/flow.js";
export type { GeneralFlow, GeneralFlowOptions } from "./dynamics/general-flow.js";
export { generalFlow, gradientFlow, squaredFlow } from "./dynamics/later.js";
export { type LyapunovPoint, lyapunov } from "./dynamics/lyapunov.js";
export type { MarginSide } from "./dynamics/path.js";
export type { DynamicsData, FlowRecord, InitialOutputs, Outputs } from "./dynamics/problem.js";
export { type DescentOptions, type DescentRecord, type DescentSession, openDescent } from "./dynamics/session.js";
export type { SquaredFlow, SquaredFlowOptions } from "./dynamics/squared-flow.js";
export * from "./errors.js";
export {
  type CertificateFit,
  type CertificatePoint,
  type CertificateStage,
  type CertificateWidthOptions,
  type CertificateWidthResult,
  certificateWidth,
} from "./experiments/certificate-width.js";
export {
  CERTIFICATE_METHODS,
  type CertificatesOptions,
  type CertificatesResult,
  certificates,
} from "./experiments/certificates.js";
export {
  type CompareOptions,
  type ComparisonPoint,
  type ComparisonSession,
  type ComparisonSide,
  openComparison,
} from "./experiments/compare.js";
export type { SamplePoint } from "./experiments/data.js";
export { type DigitsOptions, type DigitsResult, digits } from "./experiments/digits.js";
export { type FigureA1Options, type FigureA1Result, figureA1 } from "./experiments/figure-a1.js";
export { type Figure1Options, type Figure1Result, figure1 } from "./experiments/figure1.js";
export {
  COMPARISON_SETTINGS,
  type Comparison,
  type ComparisonCurves,
  type ComparisonSetting,
  type ExperimentOptions,
} from "./experiments/follow.js";
export {
  type FigureLossesOptions,
  type FigureLossesResult,
  figureLosses,
  type LossesRow,
  type LossesSide,
} from "./experiments/losses.js";
export { type MeanRadii, type RobustnessGain, robustnessGain } from "./experiments/robustness-gain.js";
export { fitPowerLaw, type PowerLaw } from "./experiments/slope.js";
export {
  TABLE1,
  TABLE1_MACHINES,
  type Table1Entry,
  type Table1Machine,
  type Table1Options,
  type Table1Row,
  table1,
} from "./experiments/table1.js";
export {
  type CertifyNetwork,
  type NetworkRun,
  TABLE2_TRAINING,
  type Table2Options,
  type Table2Result,
  type Table2Row,
  table2,
  trainAndCertify,
} from "./experiments/table2.js";
export {
  TIGHTNESS_MACHINES,
  type TightnessMachine,
  type TightnessOptions,
  type TightnessRow,
  tightness,
} from "./experiments/tightness.js";
export {
  type SweptQuantity,
  type WidthPoint,
  type WidthSweepOptions,
  type WidthSweepResult,
  widthSweep,
} from "./experiments/width-sweep.js";
export { ridgeCondition } from "./kernels/condition.js";
export {
  type CrossGram,
  crossGram,
  estimateMemory,
  GramMatrix,
  type GramMemory,
  type GramOptions,
  type GramStorage,
} from "./kernels/gram.js";
export {
  ACTIVATIONS,
  type Activation,
  type CombinedKernel,
  describeKernel,
  type Kernel,
  type KernelFunction,
  type KernelOptions,
  type KnownKernels,
  type NetworkKernel,
  nngp,
  ntk,
  productKernels,
  type ScaledKernel,
  scaleKernel,
  sumKernels,
  type UserKernel,
  userKernel,
} from "./kernels/kernel.js";
export { eigenvalues, kernelProfile, spectrum } from "./kernels/later.js";
export type { RowSource } from "./kernels/rows.js";
export type { SpectrumEstimate, SpectrumOptions } from "./kernels/spectrum.js";
export { LOSSES, type Loss } from "./losses.js";
export {
  type CrossValidationOptions,
  type CrossValidationResult,
  type CrossValidationRow,
  crossValidate,
  type FoldFigure,
  SEARCHED_MACHINES,
  type SearchedMachine,
} from "./machines/cross-validation.js";
export type { DualOptions } from "./machines/dual-machine.js";
export type { PenaltyOptions } from "./machines/fitting.js";
export { type HardMarginOptions, hardMarginSvm } from "./machines/hard-margin.js";
export type { ClassDecisions, ClassMachineParts, JoinedMachine } from "./machines/joined-machine.js";
export { type KrrOptions, type KrrPathOptions, krr, krrPath, type RidgeOptions } from "./machines/krr.js";
export { type LogisticOptions, type LogisticPathOptions, logistic, logisticPath } from "./machines/logistic.js";
export { Machine, type MachineName, type MachineParts, type Trainer, type TrainingReport } from "./machines/machine.js";
export { classPairs, oneVsOne, PairMachine, type PairMachineParts } from "./machines/one-vs-one.js";
export { ClassMachine, type ClassTrainer, oneVsRest } from "./machines/one-vs-rest.js";
export { calibrate, plattScaling, probabilities, type Sigmoid } from "./machines/probability.js";
export { type RegressionFit, regressionFit } from "./machines/regression.js";
export { estimateRidgeMemory, type RidgeMemory, type RidgeMemoryOptions } from "./machines/ridge.js";
export { type SvmOptions, type SvmPathOptions, svm, svmPath } from "./machines/svm.js";
export { type HistoryPoint, SvmSgdMachine, type SvmSgdOptions, svmSgd, svmSgdSeeds } from "./machines/svm-sgd.js";
export { svm2, svm2Path } from "./machines/svm2.js";
export { type SvrOptions, type SvrPathOptions, svr, svrPath } from "./machines/svr.js";
export { conformalPValue, similarity } from "./machines/typicality.js";
export { type BoxProperty, boxProperty } from "./networks/box-property.js";
export { initialWeights } from "./networks/initial.js";
export { exportOnnx } from "./networks/later.js";
export {
  loadModel,
  NetworkDivergenceError,
  type NetworkHistoryPoint,
  NetworkModel,
  type NetworkParts,
  readModel,
  type TrainNetworkOptions,
  trainNetwork,
} from "./networks/model.js";
export {
  type NetworkOptions,
  type NetworkSpec,
  type NetworkWeights,
  network,
  type Parameterization,
  parameterCount,
} from "./networks/network.js";
export { distanceToNtk, estimateTangentBytes, kernelDrift, tangentKernel } from "./networks/tangent.js";
export { type OpenOptions, openTraining } from "./networks/train.js";
export {
  BACKENDS,
  type BackendName,
  type StepReport,
  type TrainingOptions,
  type TrainingSession,
} from "./networks/training.js";
export * from "./runtime/device-errors.js";
export type { FeatureLevel } from "./runtime/module.js";
export { UnsupportedEngineError } from "./runtime/module.js";
export {
  type CoreSource,
  defaultRuntime,
  init,
  type Progress,
  Runtime,
  type RuntimeOptions,
  setDefaultRuntime,
  type WorkOptions,
} from "./runtime/runtime.js";
export { type ByteSource, bytesOf, type ReadOptions } from "./runtime/sources.js";
export type { WorkerSource } from "./runtime/threads.js";
export {
  type ConvergenceOptions,
  type ConvergencePoint,
  type ConvergenceResult,
  type ConvergenceRow,
  convergence,
  type FlowMethod,
} from "./theory/convergence.js";
export {
  type FiniteWidthFit,
  type FiniteWidthOptions,
  type FiniteWidthPoint,
  type FiniteWidthResult,
  finiteWidth,
  VARIED,
  type Varied,
  WIDTH_SETTINGS,
  type WidthSetting,
} from "./theory/finite-width.js";
export {
  bestRow,
  type GeneralisationOptions,
  type GeneralisationResult,
  type GeneralisationRow,
  type GeneralisedNetwork,
  generalisation,
  LABELINGS,
  type Labeling,
} from "./theory/generalisation.js";
export { pathKernelBound } from "./theory/path-bound.js";
export {
  contributions,
  type PathKernel,
  type PathKernelOptions,
  pathKernel,
  type RebuildError,
  type SignReport,
} from "./theory/path-kernel.js";
export {
  type Explanation,
  type PathKernelRun,
  type PathKernelStudy,
  type PathKernelStudyOptions,
  type PicturedRow,
  pathKernelStudy,
} from "./theory/path-kernel-study.js";
export { QUADRATURES, type Quadrature } from "./theory/quadrature.js";
export {
  type Assumption,
  errorRate,
  type GeneralisationBound,
  type MachineFigures,
  marginBound,
  rampRisk,
  ridgeBounds,
  squaredRisk,
} from "./theory/rademacher.js";
export type { WidthFactors } from "./theory/width-factors.js";
export { VERSION } from "./version.js";
