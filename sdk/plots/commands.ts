// The experiments as commands: run, then write the result as JSON and its picture as SVG. Not here: parsing of options
// and where files go (the command line), the experiments (experiments/) and the pictures (one file each).
import type { Dataset } from "../data/dataset.js";
import {
  type CertificateWidthOptions,
  type CertificateWidthResult,
  certificateWidth,
} from "../experiments/certificate-width.js";
import { type CertificatesOptions, type CertificatesResult, certificates } from "../experiments/certificates.js";
import { type FigureA1Options, type FigureA1Result, figureA1 } from "../experiments/figure-a1.js";
import { type Figure1Options, type Figure1Result, figure1 } from "../experiments/figure1.js";
import { type FigureLossesOptions, type FigureLossesResult, figureLosses } from "../experiments/losses.js";
import { type Table2Options, type Table2Result, table2 } from "../experiments/table2.js";
import { type WidthSweepOptions, type WidthSweepResult, widthSweep } from "../experiments/width-sweep.js";
import {
  type CrossValidationOptions,
  type CrossValidationResult,
  crossValidate,
} from "../machines/cross-validation.js";
import { type ConvergenceOptions, type ConvergenceResult, convergence } from "../theory/convergence.js";
import { type FiniteWidthOptions, type FiniteWidthResult, finiteWidth } from "../theory/finite-width.js";
import { type GeneralisationOptions, type GeneralisationResult, generalisation } from "../theory/generalisation.js";
import { type PathKernelStudy, type PathKernelStudyOptions, pathKernelStudy } from "../theory/path-kernel-study.js";
import { certificateWidthPlot } from "./certificate-width.js";
import { certificatesPlot } from "./certificates.js";
import { convergencePlot } from "./convergence.js";
import { type CrossValidationPlotData, crossValidationPlot } from "./cross-validation.js";
import { figureA1Plot } from "./figure-a1.js";
import { figure1Plot } from "./figure1.js";
import { finiteWidthPlot } from "./finite-width.js";
import { generalisationPlot } from "./generalisation.js";
import { lossesPlot } from "./losses.js";
import { pathKernelPlot } from "./path-kernel.js";
import { renderSvg } from "./render-node.js";
import type { PlotDefinition } from "./sheet.js";
import { table2Plot } from "./table2.js";
import { widthPlot } from "./width.js";

/** Writes one file of the output folder. */
export type Write = (name: string, text: string) => void | Promise<void>;

async function runAndWrite<Options, Result>(
  experiment: (options: Options) => Promise<Result>,
  plot: PlotDefinition<Result>,
  options: Options,
  write: Write | undefined,
): Promise<Result> {
  const result = await experiment(options);
  // The figures come first: a plot that fails to draw must not lose a long run.
  await write?.(`${plot.name}.json`, `${JSON.stringify(result, null, 1)}\n`);
  if (write !== undefined) await write(`${plot.name}.svg`, await renderSvg(plot, result));
  return result;
}

/** ntkit reproduce figure1: figure1.json and figure1.svg. */
export function reproduceFigure1(options: Figure1Options, write?: Write): Promise<Figure1Result> {
  return runAndWrite(figure1, figure1Plot, options, write);
}

/** ntkit reproduce figureA1: figureA1.json and figureA1.svg. */
export function reproduceFigureA1(options: FigureA1Options, write?: Write): Promise<FigureA1Result> {
  return runAndWrite(figureA1, figureA1Plot, options, write);
}

/** ntkit reproduce losses: losses.json and losses.svg. */
export function reproduceLosses(options: FigureLossesOptions, write?: Write): Promise<FigureLossesResult> {
  return runAndWrite(figureLosses, lossesPlot, options, write);
}

/** ntkit reproduce table2: table2.json and table2.svg. */
export function reproduceTable2(options: Table2Options, write?: Write): Promise<Table2Result> {
  return runAndWrite(table2, table2Plot, options, write);
}

/** ntkit reproduce certificate-width: certificate-width.json and certificate-width.svg. */
export function reproduceCertificateWidth(
  options: CertificateWidthOptions,
  write?: Write,
): Promise<CertificateWidthResult> {
  return runAndWrite(certificateWidth, certificateWidthPlot, options, write);
}

/** ntkit reproduce certificates: certificates.json and certificates.svg. */
export function reproduceCertificates(options: CertificatesOptions, write?: Write): Promise<CertificatesResult> {
  return runAndWrite(certificates, certificatesPlot, options, write);
}

/** ntkit dynamics: dynamics.json and dynamics.svg. */
export function reproduceDynamics(options: WidthSweepOptions, write?: Write): Promise<WidthSweepResult> {
  return runAndWrite(widthSweep, widthPlot, options, write);
}

/** ntkit cv: cv.json and cv.svg. */
export function searchAndDraw(
  data: Dataset,
  options: CrossValidationOptions,
  write?: Write,
): Promise<CrossValidationPlotData> {
  const axis = options.cs === undefined ? ("lambda" as const) : ("c" as const);
  const search = async (what: CrossValidationOptions) => {
    const result: CrossValidationResult = await crossValidate(data, what);
    return { data: data.name, machine: what.machine, axis, ...result };
  };
  return runAndWrite(search, crossValidationPlot, options, write);
}

/** ntkit theory convergence: convergence.json and convergence.svg. */
export function theoryConvergence(options: ConvergenceOptions, write?: Write): Promise<ConvergenceResult> {
  return runAndWrite(convergence, convergencePlot, options, write);
}

/** ntkit theory path-kernel: path-kernel.json and path-kernel.svg. */
export function theoryPathKernel(options: PathKernelStudyOptions, write?: Write): Promise<PathKernelStudy> {
  return runAndWrite(pathKernelStudy, pathKernelPlot, options, write);
}

/** ntkit theory finite-width: finite-width.json and finite-width.svg. */
export function theoryFiniteWidth(options: FiniteWidthOptions, write?: Write): Promise<FiniteWidthResult> {
  return runAndWrite(finiteWidth, finiteWidthPlot, options, write);
}

/** ntkit theory generalisation: generalisation.json and generalisation.svg. */
export function theoryGeneralisation(options: GeneralisationOptions, write?: Write): Promise<GeneralisationResult> {
  return runAndWrite(generalisation, generalisationPlot, options, write);
}

export { type ReportPageOptions, reportPage } from "./report-page.js";
export type {
  CertificatesResult,
  CertificateWidthResult,
  CrossValidationPlotData,
  Figure1Result,
  FigureA1Result,
  FigureLossesResult,
  Table2Result,
  WidthSweepResult,
};
