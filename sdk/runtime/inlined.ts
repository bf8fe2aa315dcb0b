// The core as the package carries it: a chunk of its own, loaded when a runtime is made without a module. Not here:
// unpacking it (module.ts) and packing it (scripts/pack-core.mjs).
export { default as relaxedSteps } from "./generated/core-relaxed.js";
export { default as simdCore } from "./generated/core-simd.js";
