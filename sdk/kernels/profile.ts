// A kernel as a function of the angle between two inputs: what depth and kind do to it, apart from any data.
// Not here: the formula (assembly/kernel/recursion.ts), matrices of kernel values (gram.ts).
import { runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import { checkNumber, describe } from "../validate.js";
import { checkKernel, type Kernel, uploadKernel } from "./kernel.js";

/**
 * K(x, x') of inputs with ||x||^2 = ||x'||^2 = d for each cosine u = <x, x'> / d in [-1, 1]; relative error about
 * depth * 4 ulp. With the kernel of Section 4.2, ntk(), this is h(u) / (2 pi).
 * @throws TypeError, RangeError
 */
export async function kernelProfile(
  kernel: Kernel,
  cosines: ArrayLike<number>,
  options: Pick<WorkOptions, "runtime"> = {},
): Promise<Float64Array> {
  const checked = checkKernel("kernel", kernel);
  if (typeof cosines !== "object" || cosines === null || typeof cosines.length !== "number")
    throw new TypeError(`cosines: expected an array of numbers, got ${describe(cosines)}`);
  const values = Array.from(cosines, (u, k) => checkNumber(`cosines[${k}]`, u, { min: -1, max: 1 }));
  const runtime = await runtimeOf(options);
  const scope = runtime.scope();
  try {
    const pointer = uploadKernel(scope, checked);
    return Float64Array.from(values, (u) => runtime.call("kernelValue", pointer, u, 1, 1, 1));
  } finally {
    scope.release();
  }
}
