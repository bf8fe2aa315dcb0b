// What the suites share: runtimes on each feature level, oracles, and seeded data (seeded.ts). Needs Node.
// Not here: tests.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Dataset, dataset } from "../sdk/data/dataset.js";
import type { FeatureLevel } from "../sdk/runtime/module.js";
import { Runtime } from "../sdk/runtime/runtime.js";

export { normal, randomData, uniform } from "./seeded.js";

/** The core of a level as it was compiled. */
export function coreBytesOf(level: FeatureLevel): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(join(import.meta.dirname, `../dist/core/${level}.wasm`)));
}

/** Levels that this engine validates: Node 20 has no relaxed SIMD, later ones have. */
export const LEVELS = (["scalar", "simd", "relaxed"] as const).filter((level) =>
  WebAssembly.validate(coreBytesOf(level)),
);

/** A runtime on one level, computing on the calling thread unless told otherwise. */
export function runtimeAt(level: FeatureLevel, threads = 0): Promise<Runtime> {
  return Runtime.create({ threads, level, module: coreBytesOf(level) });
}

// biome-ignore lint/suspicious/noExplicitAny: oracle files are described in test/oracles/README.md
export function oracle(name: string): any {
  return JSON.parse(readFileSync(join(import.meta.dirname, "oracles", `${name}.json`), "utf8"));
}

/** Rows and labels of an oracle set as a data set. */
export function oracleData(x: readonly (readonly number[])[], y: readonly number[], pixels: boolean): Dataset {
  const flat = x.flat();
  return dataset({
    x: pixels ? Uint8Array.from(flat) : Float64Array.from(flat),
    y: [...y],
    shape: [x.length, x[0]?.length ?? 0],
  });
}

/** Distance to the next double above |x|. */
export function ulp(x: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, Math.abs(x));
  view.setBigUint64(0, view.getBigUint64(0) + 1n);
  return view.getFloat64(0) - Math.abs(x);
}
