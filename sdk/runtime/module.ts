// The compiled core: which feature level this engine runs, its bytes, and an instance on a given memory. The only file
// that knows @assemblyscript/loader. Not here: memory (memory.ts) and threads (pool.ts).
import { instantiateSync } from "@assemblyscript/loader";
import { inflateSync } from "fflate";

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

/** The bytes of a deflated core, as scripts/pack-core.mjs packs them. */
export function inflateCore(base64: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(inflateSync(decode(base64)));
}

/** The bytes that `steps` make of `from`: new ones, then a stretch of `from`, step by step. */
function patched(from: Uint8Array, steps: readonly (readonly [number, number, string])[]): Uint8Array<ArrayBuffer> {
  const pieces = steps.flatMap(([at, length, base64]) => [decode(base64), from.subarray(at, at + length)]);
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let end = 0;
  for (const piece of pieces) {
    whole.set(piece, end);
    end += piece.length;
  }
  return whole;
}

/** Engines without SIMD (Safari before 16.4) or without shared memories get a message that says what to do. */
export class UnsupportedEngineError extends Error {
  override readonly name = "UnsupportedEngineError";
}

/**
 * A module with one f32x4.relaxed_madd, for asking an engine whether it has relaxed SIMD:
 * (module (func (result v128) (f32x4.relaxed_madd (i32x4.splat (i32.const 1)) three times)))
 */
const RELAXED_PROBE = [
  [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0],
  [65, 1, 253, 17, 65, 1, 253, 17, 65, 1, 253, 17, 253, 133, 2, 11],
];

/** The level that this engine runs best, or the one asked for. */
export function chooseLevel(level?: FeatureLevel): FeatureLevel {
  return level ?? (WebAssembly.validate(Uint8Array.from(RELAXED_PROBE.flat())) ? "relaxed" : "simd");
}

/** Bytes of the level, out of the package; they are loaded when first asked for, and never by who brings a module. */
export async function coreBytes(
  asked?: FeatureLevel,
): Promise<{ level: FeatureLevel; bytes: Uint8Array<ArrayBuffer> }> {
  const level = chooseLevel(asked);
  const { relaxedSteps, simdCore } = await import("./inlined.js");
  const simd = inflateCore(simdCore);
  const bytes = level === "relaxed" ? patched(simd, relaxedSteps) : simd;
  if (WebAssembly.validate(bytes)) return { level, bytes };
  throw new UnsupportedEngineError(
    `this engine runs no ${asked ?? "SIMD"} WebAssembly: use Node 20.19 or later, or a browser of 2023 or later`,
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
