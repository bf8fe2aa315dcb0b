// The inner loops of finite networks: one block of NEURONS neurons against one sparse row. Float32; one order of
// operations for scalar and SIMD forms. The relaxed level fuses multiply and add: training may, certificates never do.
// Not here: whole layers and steps (step.ts).


const BLOCK_BYTES: usize = 128; // NEURONS float32

// @ts-ignore: decorator
@inline
function fused(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(c, f32x4.mul(a, b));
}

/**
 * values[0 .. NEURONS) = start + scale-free sum over the entries of value * weights[column]: `weights` is the block's
 * own [input][NEURONS]; entries are `count` columns and values. `fresh` starts from 0, otherwise from what stands there.
 */
export function blockForward(weights: usize, count: i32, columns: usize, entries: usize, values: usize, fresh: bool): void {
  if (ASC_FEATURE_SIMD) {
    const zero = f32x4.splat(0);
    let s0 = fresh ? zero : v128.load(values);
    let s1 = fresh ? zero : v128.load(values, 16);
    let s2 = fresh ? zero : v128.load(values, 32);
    let s3 = fresh ? zero : v128.load(values, 48);
    let s4 = fresh ? zero : v128.load(values, 64);
    let s5 = fresh ? zero : v128.load(values, 80);
    let s6 = fresh ? zero : v128.load(values, 96);
    let s7 = fresh ? zero : v128.load(values, 112);
    for (let k: usize = 0; k < <usize>count << 2; k += 4) {
      const w = weights + <usize>load<u32>(columns + k) * BLOCK_BYTES;
      const x = v128.load_splat<u32>(entries + k);
      s0 = fused(x, v128.load(w), s0);
      s1 = fused(x, v128.load(w, 16), s1);
      s2 = fused(x, v128.load(w, 32), s2);
      s3 = fused(x, v128.load(w, 48), s3);
      s4 = fused(x, v128.load(w, 64), s4);
      s5 = fused(x, v128.load(w, 80), s5);
      s6 = fused(x, v128.load(w, 96), s6);
      s7 = fused(x, v128.load(w, 112), s7);
    }
    v128.store(values, s0);
    v128.store(values, s1, 16);
    v128.store(values, s2, 32);
    v128.store(values, s3, 48);
    v128.store(values, s4, 64);
    v128.store(values, s5, 80);
    v128.store(values, s6, 96);
    v128.store(values, s7, 112);
    return;
  }
  if (fresh) memory.fill(values, 0, BLOCK_BYTES);
  for (let k: usize = 0; k < <usize>count << 2; k += 4) {
    const w = weights + <usize>load<u32>(columns + k) * BLOCK_BYTES;
    const x = load<f32>(entries + k);
    for (let j: usize = 0; j < BLOCK_BYTES; j += 4)
      store<f32>(values + j, load<f32>(values + j) + x * load<f32>(w + j));
  }
}

/**
 * One weight moves by `change`. What float32 rounds away of the sum is kept in `carry` and joins the next change
 * (Kahan's compensated sum), so that changes far below half a unit in the last place still add up; without a carry (0)
 * they are lost.
 */
// @ts-ignore: decorator
@inline
export function moveWeight(weight: usize, carry: usize, change: f32): void {
  const before = load<f32>(weight);
  if (carry == 0) {
    store<f32>(weight, before + change);
    return;
  }
  const whole = change + load<f32>(carry);
  const after = before + whole;
  store<f32>(carry, whole - (after - before));
  store<f32>(weight, after);
}

/** moveWeight() for four weights. */
// @ts-ignore: decorator
@inline
function moveFour(weights: usize, carry: usize, change: v128): void {
  const before = v128.load(weights);
  if (carry == 0) {
    v128.store(weights, f32x4.add(before, change));
    return;
  }
  const whole = f32x4.add(change, v128.load(carry));
  const after = f32x4.add(before, whole);
  v128.store(carry, f32x4.sub(whole, f32x4.sub(after, before)));
  v128.store(weights, after);
}

/**
 * The NEURONS weights of one input move by the sum over `count` rows of value * push, once. `entries` are pairs: byte
 * offset in `pushes` (i32) and value (f32).
 */
export function blockMove(weights: usize, carry: usize, entries: usize, count: i32, pushes: usize): void {
  const end = entries + (<usize>count << 3);
  if (ASC_FEATURE_SIMD) {
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    let s4 = s0;
    let s5 = s0;
    let s6 = s0;
    let s7 = s0;
    for (let entry = entries; entry < end; entry += 8) {
      const p = pushes + <usize>load<u32>(entry);
      const x = v128.load_splat<u32>(entry, 4);
      s0 = fused(x, v128.load(p), s0);
      s1 = fused(x, v128.load(p, 16), s1);
      s2 = fused(x, v128.load(p, 32), s2);
      s3 = fused(x, v128.load(p, 48), s3);
      s4 = fused(x, v128.load(p, 64), s4);
      s5 = fused(x, v128.load(p, 80), s5);
      s6 = fused(x, v128.load(p, 96), s6);
      s7 = fused(x, v128.load(p, 112), s7);
    }
    const next: usize = carry == 0 ? 0 : 16;
    moveFour(weights, carry, s0);
    moveFour(weights + 16, carry + next, s1);
    moveFour(weights + 32, carry + 2 * next, s2);
    moveFour(weights + 48, carry + 3 * next, s3);
    moveFour(weights + 64, carry + 4 * next, s4);
    moveFour(weights + 80, carry + 5 * next, s5);
    moveFour(weights + 96, carry + 6 * next, s6);
    moveFour(weights + 112, carry + 7 * next, s7);
    return;
  }
  for (let j: usize = 0; j < BLOCK_BYTES; j += 4) {
    let sum: f32 = 0;
    for (let entry = entries; entry < end; entry += 8)
      sum += load<f32>(entry, 4) * load<f32>(pushes + <usize>load<u32>(entry) + j);
    moveWeight(weights + j, carry == 0 ? 0 : carry + j, sum);
  }
}

/** sum_j output_j relu(scale * values_j) over the block, in four lanes: (s0 + s2) + (s1 + s3). */
export function blockOutput(output: usize, values: usize, scale: f32): f32 {
  if (ASC_FEATURE_SIMD) {
    const zero = f32x4.splat(0);
    const factor = f32x4.splat(scale);
    let sum = zero;
    for (let j: usize = 0; j < BLOCK_BYTES; j += 16) {
      const value = f32x4.max(f32x4.mul(factor, v128.load(values + j)), zero);
      sum = f32x4.add(sum, f32x4.mul(v128.load(output + j), value));
    }
    const even = f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 2);
    return even + (f32x4.extract_lane(sum, 1) + f32x4.extract_lane(sum, 3));
  }
  let s0: f32 = 0;
  let s1: f32 = 0;
  let s2: f32 = 0;
  let s3: f32 = 0;
  for (let j: usize = 0; j < BLOCK_BYTES; j += 16) {
    s0 += load<f32>(output + j) * Mathf.max(scale * load<f32>(values + j), 0);
    s1 += load<f32>(output + j, 4) * Mathf.max(scale * load<f32>(values + j, 4), 0);
    s2 += load<f32>(output + j, 8) * Mathf.max(scale * load<f32>(values + j, 8), 0);
    s3 += load<f32>(output + j, 12) * Mathf.max(scale * load<f32>(values + j, 12), 0);
  }
  return s0 + s2 + (s1 + s3);
}

/** <a, b> over one block, in four lanes as blockOutput. */
// @ts-ignore: decorator
@inline
export function blockDot(a: usize, b: usize): f32 {
  if (ASC_FEATURE_SIMD) {
    let sum = f32x4.mul(v128.load(a), v128.load(b));
    for (let j: usize = 16; j < BLOCK_BYTES; j += 16) sum = f32x4.add(sum, f32x4.mul(v128.load(a + j), v128.load(b + j)));
    const even = f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 2);
    return even + (f32x4.extract_lane(sum, 1) + f32x4.extract_lane(sum, 3));
  }
  let s0 = load<f32>(a) * load<f32>(b);
  let s1 = load<f32>(a, 4) * load<f32>(b, 4);
  let s2 = load<f32>(a, 8) * load<f32>(b, 8);
  let s3 = load<f32>(a, 12) * load<f32>(b, 12);
  for (let j: usize = 16; j < BLOCK_BYTES; j += 16) {
    s0 += load<f32>(a + j) * load<f32>(b + j);
    s1 += load<f32>(a + j, 4) * load<f32>(b + j, 4);
    s2 += load<f32>(a + j, 8) * load<f32>(b + j, 8);
    s3 += load<f32>(a + j, 12) * load<f32>(b + j, 12);
  }
  return s0 + s2 + (s1 + s3);
}

