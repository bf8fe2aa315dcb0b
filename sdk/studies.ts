// What is loaded when one of its functions is first called (later.ts), as one part: most pages run no experiment. Not here:
// anything of its own.
export { certifyOutputs } from "./certify/outputs.js";
export { certificateWidth } from "./experiments/certificate-width.js";
export { certificates } from "./experiments/certificates.js";
export { digits } from "./experiments/digits.js";
export { figureA1 } from "./experiments/figure-a1.js";
export { figure1 } from "./experiments/figure1.js";
export { figureLosses } from "./experiments/losses.js";
export { table1 } from "./experiments/table1.js";
export { tightness } from "./experiments/tightness.js";
export { widthSweep } from "./experiments/width-sweep.js";
export { convergence } from "./theory/convergence.js";
export { finiteWidth } from "./theory/finite-width.js";
export { generalisation } from "./theory/generalisation.js";
export { pathKernelStudy } from "./theory/path-kernel-study.js";
