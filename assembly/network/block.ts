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

/** weights[column] += value * step for the entries of one row; `step` holds NEURONS float32. */
export function blockUpdate(weights: usize, count: i32, columns: usize, entries: usize, step: usize): void {
  if (ASC_FEATURE_SIMD) {
    const s0 = v128.load(step);
    const s1 = v128.load(step, 16);
    const s2 = v128.load(step, 32);
    const s3 = v128.load(step, 48);
    const s4 = v128.load(step, 64);
    const s5 = v128.load(step, 80);
    const s6 = v128.load(step, 96);
    const s7 = v128.load(step, 112);
    for (let k: usize = 0; k < <usize>count << 2; k += 4) {
      const w = weights + <usize>load<u32>(columns + k) * BLOCK_BYTES;
      const x = v128.load_splat<u32>(entries + k);
      v128.store(w, fused(x, s0, v128.load(w)));
      v128.store(w, fused(x, s1, v128.load(w, 16)), 16);
      v128.store(w, fused(x, s2, v128.load(w, 32)), 32);
      v128.store(w, fused(x, s3, v128.load(w, 48)), 48);
      v128.store(w, fused(x, s4, v128.load(w, 64)), 64);
      v128.store(w, fused(x, s5, v128.load(w, 80)), 80);
      v128.store(w, fused(x, s6, v128.load(w, 96)), 96);
      v128.store(w, fused(x, s7, v128.load(w, 112)), 112);
    }
    return;
  }
  for (let k: usize = 0; k < <usize>count << 2; k += 4) {
    const w = weights + <usize>load<u32>(columns + k) * BLOCK_BYTES;
    const x = load<f32>(entries + k);
    for (let j: usize = 0; j < BLOCK_BYTES; j += 4) store<f32>(w + j, load<f32>(w + j) + x * load<f32>(step + j));
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

