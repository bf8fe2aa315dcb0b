// A kernel in linear memory for the rows of two given sets, functions of one's own included: those have a table of values
// there, which holds for these rows in this order alone. Not here: kernels that need no rows (kernel.ts).
import type { Scope } from "../runtime/memory.js";
import type { WorkOptions } from "../runtime/runtime.js";
import { functionsOf, type Kernel, uploadKernel } from "./kernel.js";
import type { RowSource } from "./rows.js";

/** Pointer to the kernel's record. @throws as fillTables() */
export async function kernelBetween(
  scope: Scope,
  kernel: Kernel,
  left: RowSource,
  right: RowSource,
  work: WorkOptions,
): Promise<number> {
  const functions = functionsOf(kernel);
  if (functions.length === 0) return uploadKernel(scope, kernel);
  const { fillTables } = await import("./function-table.js");
  return uploadKernel(scope, kernel, await fillTables(scope, functions, left, right, work));
}
