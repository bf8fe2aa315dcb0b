// The compiled core: which feature level this engine runs, its bytes, and an instance on a given memory. The only file
// that knows @assemblyscript/loader. Not here: memory (memory.ts) and threads (pool.ts).
import { instantiateSync } from "@assemblyscript/loader";
import relaxedCore from "./generated/core-relaxed.js";
import simdCore from "./generated/core-simd.js";

/** "scalar" exists as the reference that the others are tested against; it is never chosen by itself. */
export type FeatureLevel = "scalar" | "simd" | "relaxed";

/** Exports of assembly/index.ts: pointers and counts are numbers, 64-bit integers are bigint. */
export type CoreExports = Record<string, (...args: (number | bigint)[]) => number> & {
  readonly randomBits: (state: number) => unknown;
};

/** Pages of 64 KiB that the module declares as its most: 4 GiB. */
export const MOST_PAGES = 65536;

function decode(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let k = 0; k < text.length; k++) bytes[k] = text.charCodeAt(k);
  return bytes;
}

/** Engines without SIMD (Safari before 16.4) or without shared memories get a message that says what to do. */
export class UnsupportedEngineError extends Error {
  override readonly name = "UnsupportedEngineError";
}

/** Bytes of the best level that this engine validates, or of the level asked for. */
export function coreBytes(level?: FeatureLevel): { level: FeatureLevel; bytes: Uint8Array<ArrayBuffer> } {
  const candidates: [FeatureLevel, string][] = [
    ["relaxed", relaxedCore],
    ["simd", simdCore],
  ];
  for (const [name, text] of candidates) {
    if (level !== undefined && name !== level) continue;
    const bytes = decode(text);
    if (WebAssembly.validate(bytes)) return { level: name, bytes };
  }
  throw new UnsupportedEngineError(
    `this engine runs no ${level ?? "SIMD"} WebAssembly: use Node 20.19 or later, or a browser of 2023 or later`,
  );
}

/**
 * The same module for an unshared memory, where a page may not share one: clears the "shared" bit of the imported
 * memory's limits. Atomic instructions work on either kind, but for waiting, and a thread alone never waits.
 */
export function unshared(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const name = [..."\x03env\x06memory\x02\x03"].map((c) => c.charCodeAt(0));
  const at = bytes.findIndex((_, k) => name.every((value, offset) => bytes[k + offset] === value));
  if (at < 0) throw new UnsupportedEngineError("core: no shared memory import found to clear");
  const copy = bytes.slice();
  copy[at + name.length - 1] = 1;
  return copy;
}

/** An instance of the core on `memory`. */
export function instantiateCore(module: WebAssembly.Module, memory: WebAssembly.Memory): CoreExports {
  const { exports } = instantiateSync(module, { env: { memory }, host: { now: () => performance.now() } });
  return exports as unknown as CoreExports;
}
