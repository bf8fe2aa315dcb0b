// Seeded random numbers and data for the suites, in Node and in pages. Not here: what needs Node (helpers.ts).
import { type Dataset, dataset } from "../sdk/data/dataset.js";

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

/** Pixels of which a third are not zero, like digits, labelled by a random halfspace. */
export function pixelData(n: number, d: number, seed: number): Dataset {
  const next = uniform(seed);
  const x = Uint8Array.from({ length: n * d }, () => (next() < 0.3 ? next() * 256 : 0));
  const direction = Float64Array.from({ length: d }, () => next() - 0.5);
  const y = Array.from({ length: n }, (_, i) =>
    direction.reduce((sum, entry, k) => sum + entry * (x[i * d + k] ?? 0), 0) > 0 ? 1 : -1,
  );
  return dataset({ x, y, shape: [n, d] });
}
