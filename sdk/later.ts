// Functions that few pages call: their code comes, as one part, when the first of them is called. Not here: that code
// (studies.ts names it), the checker of reports (certify/checker/later.ts), flows (dynamics/later.ts).
import type { certifyOutputs as CertifyOutputs } from "./certify/outputs.js";
import type { certificateWidth as CertificateWidth } from "./experiments/certificate-width.js";
import type { certificates as Certificates } from "./experiments/certificates.js";
import type { digits as Digits } from "./experiments/digits.js";
import type { figureA1 as FigureA1 } from "./experiments/figure-a1.js";
import type { figure1 as Figure1 } from "./experiments/figure1.js";
import type { figureLosses as FigureLosses } from "./experiments/losses.js";
import type { table1 as Table1 } from "./experiments/table1.js";
import type { tightness as Tightness } from "./experiments/tightness.js";
import type { widthSweep as WidthSweep } from "./experiments/width-sweep.js";
import type { convergence as Convergence } from "./theory/convergence.js";
import type { finiteWidth as FiniteWidth } from "./theory/finite-width.js";
import type { generalisation as Generalisation } from "./theory/generalisation.js";
import type { pathKernelStudy as PathKernelStudy } from "./theory/path-kernel-study.js";

const studies = () => import("./studies.js");

/**
 * Proved intervals of a machine's outputs, and radii on which they hardly move.
 * @throws TypeError, RangeError as machineBounds() and when neither `radius` nor `within` is given; the signal's reason
 */
export const certifyOutputs: typeof CertifyOutputs = async (...args) => (await studies()).certifyOutputs(...args);

/** Measures certificates against width. @throws TypeError, RangeError, and as training and certifying */
export const certificateWidth: typeof CertificateWidth = async (...args) => (await studies()).certificateWidth(...args);

/**
 * Trains one machine a digit, decides all test images and certifies the first of them.
 * @throws TypeError, RangeError; ConvergenceError, MemoryBudgetError; the signal's reason
 */
export const digits: typeof Digits = async (...args) => (await studies()).digits(...args);

/** Runs Figure A.1's experiment. @throws TypeError, RangeError, and as openTraining() */
export const figureA1: typeof FigureA1 = async (...args) => (await studies()).figureA1(...args);

/** Runs Figure 1's experiment. @throws TypeError, RangeError, and as openTraining() */
export const figure1: typeof Figure1 = async (...args) => (await studies()).figure1(...args);

/**
 * Figure 1 for every row of Table 1: trains a network with the row's loss beside its machine from the same start.
 * @throws TypeError, RangeError naming the argument; NotSeparableError, and as openTraining()
 */
export const figureLosses: typeof FigureLosses = async (...args) => (await studies()).figureLosses(...args);

/**
 * Follows the gradient flow and the descent of each row of Table 1 from 0 and measures how far they are from its machine,
 * beside Theorem 3.1's bounds.
 * @throws TypeError, RangeError naming the argument; NotSeparableError, ConvergenceError, MemoryBudgetError; the signal's
 *   reason
 */
export const convergence: typeof Convergence = async (...args) => (await studies()).convergence(...args);

/** Runs the sweep over widths. @throws TypeError, RangeError, and as openTraining() */
export const widthSweep: typeof WidthSweep = async (...args) => (await studies()).widthSweep(...args);

/** Rebuilds a network from its path and explains predictions. @throws TypeError, RangeError, and as pathKernel() */
export const pathKernelStudy: typeof PathKernelStudy = async (...args) => (await studies()).pathKernelStudy(...args);

/**
 * Trains and certifies the machines of Table 1 on the same data.
 * @throws TypeError, RangeError; NotSeparableError, ConvergenceError, MemoryBudgetError; the signal's reason
 */
export const table1: typeof Table1 = async (...args) => (await studies()).table1(...args);

/**
 * Measures certificates beside attacks, on l-inf balls.
 * @throws SoundnessError should an attack succeed inside a certified ball; TypeError, RangeError
 */
export const tightness: typeof Tightness = async (...args) => (await studies()).tightness(...args);

/** Measures the certificates. @throws TypeError, RangeError, and as table2() */
export const certificates: typeof Certificates = async (...args) => (await studies()).certificates(...args);

/** Measures all points. @throws TypeError, RangeError naming the argument, and as openTraining() */
export const finiteWidth: typeof FiniteWidth = async (...args) => (await studies()).finiteWidth(...args);

/** Runs the study. @throws TypeError, RangeError naming the argument, MemoryBudgetError, the signal's reason */
export const generalisation: typeof Generalisation = async (...args) => (await studies()).generalisation(...args);
