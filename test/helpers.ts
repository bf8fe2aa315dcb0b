// What the suites share: runtimes on each feature level, oracles, seeded random data. Not here: tests.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Dataset, dataset } from "../sdk/data/dataset.js";
import relaxedCore from "../sdk/runtime/generated/core-relaxed.js";
import scalarCore from "../sdk/runtime/generated/core-scalar.js";
import simdCore from "../sdk/runtime/generated/core-simd.js";
import type { FeatureLevel } from "../sdk/runtime/module.js";
import { Runtime } from "../sdk/runtime/runtime.js";

const CORES: Readonly<Record<FeatureLevel, string>> = { scalar: scalarCore, simd: simdCore, relaxed: relaxedCore };

export function coreBytesOf(level: FeatureLevel): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(CORES[level], "base64"));
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

/** Seeded uniform numbers in [0, 1): mulberry32, independent of the core's generator. */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z = (z + Math.imul(z ^ (z >>> 7), z | 61)) ^ z;
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Standard normal numbers from uniform ones (Box and Muller). */
export function normal(next: () => number): () => number {
  return () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

/** Random rows: normal reals, or pixels of which about half are zero; labels by a noisy linear rule. */
export function randomData(n: number, d: number, seed: number, pixels = false): Dataset {
  const next = uniform(seed);
  const gauss = normal(next);
  const x = pixels ? new Uint8Array(n * d) : new Float64Array(n * d);
  for (let k = 0; k < x.length; k++) x[k] = pixels ? (next() < 0.5 ? 0 : Math.floor(next() * 256)) : gauss();
  const rule = Array.from({ length: d }, gauss);
  const middle = pixels ? rule.reduce((sum, value) => sum + value * 64, 0) : 0;
  const y = Float64Array.from({ length: n }, (_, i) => {
    const score = rule.reduce((sum, value, k) => sum + value * (x[i * d + k] ?? 0), -middle);
    return score + 0.3 * gauss() * Math.sqrt(d) * (pixels ? 100 : 1) > 0 ? 1 : -1;
  });
  return dataset({ x, y, shape: [n, d] });
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
