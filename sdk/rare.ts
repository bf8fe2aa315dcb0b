// What few pages call, as one part that is loaded when the first of it is: a part of its own for each would cut the rest of
// the SDK into more pieces than it saves, and what shares solvers or training with the rest would draw these into pages that
// only certify. Measured with test/runtimes/bundle.test.ts. Not here: anything of its own.
export { attackPath } from "./certify/attacks/path.js";
export { checkCertificates } from "./certify/checker/check.js";
export { proveRadii } from "./certify/class-radii.js";
export { coverRadii } from "./certify/cover.js";
export { certifyOutputs } from "./certify/outputs.js";
export { gradientFlow } from "./dynamics/flow.js";
export { generalFlow } from "./dynamics/general-flow.js";
export { squaredFlow } from "./dynamics/squared-flow.js";
export { kernelProfile } from "./kernels/profile.js";
export { eigenvalues, spectrum } from "./kernels/spectrum.js";
export { exportOnnx } from "./networks/onnx.js";
