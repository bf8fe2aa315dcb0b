// Seeded random numbers: xoshiro256** (Blackman and Vigna) started by splitmix64. The state lives in linear memory,
// 32 bytes, so that runs can be saved and go on. Same seed, same numbers, in every runtime.
// Not here: Math.random, which nothing in this project calls.

/** Fills the 32-byte state from a seed. */
export function randomSeed(state: usize, seed: u64): void {
  for (let k: usize = 0; k < 4; ++k) {
    seed += 0x9e3779b97f4a7c15;
    let z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    store<u64>(state + (k << 3), z ^ (z >> 31));
  }
}

/** Next 64 random bits. */
export function randomBits(state: usize): u64 {
  const s0 = load<u64>(state);
  const s1 = load<u64>(state, 8);
  const s2 = load<u64>(state, 16) ^ s0;
  const s3 = load<u64>(state, 24) ^ s1;
  store<u64>(state, s0 ^ s3);
  store<u64>(state, s1 ^ s2, 8);
  store<u64>(state, s2 ^ (s1 << 17), 16);
  store<u64>(state, rotl<u64>(s3, 45), 24);
  return rotl<u64>(s1 * 5, 7) * 9;
}

/** Uniform double in [0, 1), 53 bits. */
export function randomUnit(state: usize): f64 {
  return <f64>(randomBits(state) >> 11) * 1.1102230246251565e-16;
}

/** Uniform integer in [0, below), without bias (rejection). */
export function randomBelow(state: usize, below: u32): u32 {
  const limit = (<u64>0xffffffff + 1) - ((<u64>0xffffffff + 1) % <u64>below);
  let bits = randomBits(state) >> 32;
  while (bits >= limit) bits = randomBits(state) >> 32;
  return <u32>(bits % <u64>below);
}

/** Fills order with 0 .. n - 1 (int32) and shuffles it (Fisher and Yates). */
export function randomPermutation(state: usize, order: usize, n: i32): void {
  for (let k = 0; k < n; ++k) store<i32>(order + (<usize>k << 2), k);
  for (let k = n - 1; k > 0; --k) {
    const other = order + (<usize>randomBelow(state, <u32>k + 1) << 2);
    const own = order + (<usize>k << 2);
    const kept = load<i32>(own);
    store<i32>(own, load<i32>(other));
    store<i32>(other, kept);
  }
}
