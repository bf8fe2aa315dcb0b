// spectrum(), eigenvalues() and kernelProfile(), whose code comes when they are first called: few pages look at kernels as
// such. Not here: that code (spectrum.ts, profile.ts).
import type { kernelProfile as KernelProfile } from "./profile.js";
import type { eigenvalues as Eigenvalues, spectrum as Spectrum } from "./spectrum.js";

/** Estimates of the extreme eigenvalues; exact to rounding when steps >= n. @throws TypeError, RangeError */
export const spectrum: typeof Spectrum = async (...args) => (await import("../rare.js")).spectrum(...args);

/**
 * All n eigenvalues, largest first, each off by at most a small multiple of n 2^-52 times the largest one: what is
 * smaller than that is rounding alone, of either sign. Takes n * n * 8 bytes and about n^3 4 / 3 multiply-adds.
 * @throws TypeError, MemoryBudgetError, the signal's reason
 */
export const eigenvalues: typeof Eigenvalues = async (...args) => (await import("../rare.js")).eigenvalues(...args);

/**
 * K(x, x') of inputs with ||x||^2 = ||x'||^2 = d for each cosine u = <x, x'> / d in [-1, 1]; relative error about
 * depth * 4 ulp. With the kernel of Section 4.2, ntk(), this is h(u) / (2 pi).
 * @throws TypeError, RangeError
 */
export const kernelProfile: typeof KernelProfile = async (...args) =>
  (await import("../rare.js")).kernelProfile(...args);
