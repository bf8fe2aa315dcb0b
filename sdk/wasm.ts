// ntkit/wasm: the SDK with the core as plain .wasm files beside it instead of inside it, for pages that serve and cache
// them. Call init() once before anything computes. The inlined core stays unread. Not here: the SDK (index.ts).
import { readAddress } from "./runtime/files.js";
import { chooseLevel, type FeatureLevel } from "./runtime/module.js";
import { init as initWith, type Runtime, type RuntimeOptions } from "./runtime/runtime.js";

export * from "./index.js";

/** Where the package's own file of a level is; the level is the one that this engine runs best unless given. */
export function coreUrl(level?: FeatureLevel): URL {
  // Written out, so that bundlers find the files.
  return chooseLevel(level) === "relaxed"
    ? new URL("./core/relaxed.wasm", import.meta.url)
    : new URL("./core/simd.wasm", import.meta.url);
}

/**
 * Makes a runtime on the package's .wasm file, or on `module`, the default one.
 * @throws as Runtime.create(); DataSourceError when the file can not be had
 */
export function init(options: RuntimeOptions = {}): Promise<Runtime> {
  if (options.module !== undefined) return initWith(options);
  const level = chooseLevel(options.level);
  return initWith({ ...options, level, module: readAddress(coreUrl(level)) });
}
