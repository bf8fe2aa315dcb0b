// The generator against an independent one in BigInt, and what is made of it.
import fc from "fast-check";
import { expect, it } from "vitest";
import { runtimeAt } from "../helpers.js";

const MASK = (1n << 64n) - 1n;
const rotl = (x: bigint, k: bigint) => ((x << k) | (x >> (64n - k))) & MASK;

/** xoshiro256** started by splitmix64, as their authors publish them. */
function reference(seed: bigint): () => bigint {
  let s = seed;
  const state = Array.from({ length: 4 }, () => {
    s = (s + 0x9e3779b97f4a7c15n) & MASK;
    let z = s;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK;
    return z ^ (z >> 31n);
  }) as [bigint, bigint, bigint, bigint];
  return () => {
    const result = (rotl((state[1] * 5n) & MASK, 7n) * 9n) & MASK;
    const t = (state[1] << 17n) & MASK;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= t;
    state[3] = rotl(state[3], 45n);
    return result;
  };
}

it("randomBits is xoshiro256** started by splitmix64, bit for bit", async () => {
  const runtime = await runtimeAt("simd");
  const state = runtime.scope().allocate(32);
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: MASK }), (seed) => {
      const next = reference(seed);
      runtime.call("randomSeed", state, BigInt.asIntN(64, seed));
      for (let k = 0; k < 20; k++) expect(BigInt.asUintN(64, runtime.core.randomBits(state) as bigint)).toBe(next());
    }),
    { numRuns: 100 },
  );
});

it("a permutation holds every index once, and the same seed gives the same one", async () => {
  const runtime = await runtimeAt("simd");
  const scope = runtime.scope();
  const [state, order] = [scope.allocate(32), scope.allocate(4000)];
  const draw = (seed: bigint, n: number) => {
    runtime.call("randomSeed", state, seed);
    runtime.call("randomPermutation", state, order, n);
    return Array.from(runtime.memory.i32(order, n));
  };
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1000 }), fc.bigInt({ min: 0n, max: 1n << 60n }), (n, seed) => {
      const drawn = draw(seed, n);
      expect([...drawn].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, k) => k));
      expect(draw(seed, n)).toEqual(drawn);
    }),
    { numRuns: 50 },
  );
});

it("randomBelow is uniform: chi-square over 10 classes below its 0.9999 quantile for a fixed seed", async () => {
  const runtime = await runtimeAt("simd");
  const state = runtime.scope().allocate(32);
  runtime.call("randomSeed", state, 5n);
  const counts = new Array<number>(10).fill(0);
  for (let k = 0; k < 100_000; k++) {
    const value = runtime.call("randomBelow", state, 10);
    counts[value] = (counts[value] ?? 0) + 1;
  }
  const chi = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
  expect(chi).toBeLessThan(33.72);
});
