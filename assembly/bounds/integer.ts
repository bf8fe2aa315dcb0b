// First-layer sums of 8-bit inputs over the integer planes of planes.ts, exact: SAFE_SLOTS slots of two products each stay
// within int32, and what goes beyond is added in float64. From them c of ibp.ts, or each block's share of f_0.
// Not here: sums of float64 inputs (centres.ts), what a plane is and its error (planes.ts).
import {
  IBP_CENTRE,
  IBP_CENTRE_OUTPUT,
  IBP_CENTRE_PLANES,
  IBP_CENTRE_STEPS,
  IBP_CENTRE_VALUES,
  IBP_COLUMNS,
  IBP_ENTRIES,
  IBP_NETWORK,
  IBP_OFFSETS,
  IBP_PLANES,
  IBP_SIZES,
  IBP_SLOTS,
  IBP_STARTS,
  IBP_STEPS,
  IBP_VALUES,
  LAYER_BLOCKS,
  NEURONS,
} from "../layout";
import { field, pointerField, scratch } from "../memory";
import { wide } from "./centres";
import { HALF, LINE, PLANE_BYTES } from "./planes";

/** Slots whose sums stay within int32: 2 * 128 * 255 * 32767 < 2^31. */
const SAFE_SLOTS: usize = 128;

/** Sums of entries up to this stay within int32, however many slots they are in: 65535 * 32767 < 2^31. */
const SAFE_SIZE: f64 = 65535;

// Scratch: float64 sums of up to three planes, then their int32 parts, whose place c takes after them.
const TOTAL_BYTES: usize = 128;
const TOTALS: usize = 384;

/** c of block `chunk` for inputs [first, end), and the shares of f_0 where the job keeps those instead of its sums. */
export function integerCentres(chunk: i32, job: usize, first: i32, end: i32): void {
  const centre = pointerField(job, IBP_CENTRE);
  const apart = pointerField(job, IBP_CENTRE_PLANES);
  const offsets = pointerField(job, IBP_OFFSETS);
  const centreValues = pointerField(job, IBP_CENTRE_VALUES);
  const blocks = <usize>field(pointerField(job, IBP_NETWORK), LAYER_BLOCKS);
  const shared: usize = centre != 0 && apart == 0 ? 3 : 2;
  const sums = scratch();
  const values = sums + TOTALS;
  for (let half: usize = 0; half < 2; ++half) {
    const column = ((<usize>chunk * NEURONS + half * HALF) << 3);
    const steps = pointerField(job, IBP_STEPS) + <usize>chunk * shared * LINE + half * (LINE / 2);
    const startSteps = apart == 0 ? steps : pointerField(job, IBP_CENTRE_STEPS) + <usize>chunk * 2 * LINE + half * (LINE / 2);
    for (let i = first; i < end; ++i) {
      const at = <usize>(i - first) * blocks;
      integerSums(job, i, pointerField(job, IBP_PLANES), <usize>chunk * 2 + half, shared, sums);
      combine(sums, sums + TOTAL_BYTES, steps, steps + LINE, pointerField(job, IBP_VALUES) + at * LINE + column);
      if (centre == 0) continue;
      if (apart != 0) integerSums(job, i, apart, <usize>chunk * 2 + half, 2, sums);
      const fine: usize = apart == 0 ? 2 : 1;
      const to = offsets == 0 ? centreValues + at * LINE + column : values;
      combine(sums, sums + fine * TOTAL_BYTES, startSteps, startSteps + fine * LINE, to);
      if (offsets == 0) continue;
      const output = pointerField(job, IBP_CENTRE_OUTPUT) + (column >> 1);
      addShare(output, values, offsets + ((at + <usize>chunk) << 4), half == 0);
    }
  }
}

/** Adds sum_j v_j relu(c_j) over half a block to a share, and its size behind it; even and odd neurons apart. */
function addShare(output: usize, values: usize, share: usize, fresh: bool): void {
  let sum: f64 = 0;
  let size: f64 = 0;
  if (ASC_FEATURE_SIMD) {
    let sums = f64x2.splat(0);
    let sizes = sums;
    for (let j: usize = 0; j < HALF; j += 2) {
      // pmax, not max: a NaN in its first operand stays.
      const p = f64x2.mul(wide(output + (j << 2)), f64x2.pmax(v128.load(values + (j << 3)), f64x2.splat(0)));
      sums = f64x2.add(sums, p);
      sizes = f64x2.add(sizes, f64x2.abs(p));
    }
    sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
    size = f64x2.extract_lane(sizes, 0) + f64x2.extract_lane(sizes, 1);
  } else {
    let odd: f64 = 0;
    let oddSize: f64 = 0;
    for (let j: usize = 0; j < HALF; j += 2) {
      const p = product(output + (j << 2), values + (j << 3));
      const q = product(output + (j << 2) + 4, values + (j << 3) + 8);
      sum += p;
      odd += q;
      size += Math.abs(p);
      oddSize += Math.abs(q);
    }
    sum += odd;
    size += oddSize;
  }
  store<f64>(share, fresh ? sum : load<f64>(share) + sum);
  store<f64>(share, fresh ? size : load<f64>(share, 8) + size, 8);
}

/** v relu(c). */
function product(v: usize, c: usize): f64 {
  const value = load<f64>(c);
  return <f64>load<f32>(v) * (value < 0 ? 0 : value);
}

/** c = g P + h Q for half a block, P and Q float64. */
function combine(coarse: usize, fine: usize, g: usize, h: usize, to: usize): void {
  for (let j: usize = 0; j < HALF << 3; j += 16) {
    if (ASC_FEATURE_SIMD) {
      const p = f64x2.mul(v128.load(g + j), v128.load(coarse + j));
      v128.store(to + j, f64x2.add(p, f64x2.mul(v128.load(h + j), v128.load(fine + j))));
      continue;
    }
    for (let i = j; i < j + 16; i += 8)
      store<f64>(to + i, load<f64>(g + i) * load<f64>(coarse + i) + load<f64>(h + i) * load<f64>(fine + i));
  }
}

/** Exact sums of input `index` over `count` planes of one half block, 16 float64 a plane. */
function integerSums(job: usize, index: i32, planes: usize, half: usize, count: usize, to: usize): void {
  const starts = pointerField(job, IBP_STARTS) + (<usize>index << 2);
  const from = <usize>load<i32>(starts);
  const end = <usize>load<i32>(starts, 4);
  const slots = pointerField(job, IBP_COLUMNS);
  const entries = pointerField(job, IBP_ENTRIES);
  const own = planes + half * <usize>field(job, IBP_SLOTS) * count * PLANE_BYTES;
  const size = load<f64>(pointerField(job, IBP_SIZES) + <usize>index * 24, 8);
  const most = size <= SAFE_SIZE ? end - from : SAFE_SLOTS;
  const parts = to + TOTALS;
  let at = from;
  do {
    const terms = min(most, end - at);
    sumSlots(own, slots + (at << 2), entries + (at << 2), terms, count, parts);
    addParts(parts, to, count, at == from);
    at += terms;
  } while (at < end);
}

/** Adds int32 sums to float64 ones, or starts those. */
function addParts(parts: usize, to: usize, count: usize, fresh: bool): void {
  for (let j: usize = 0; j < count * HALF; j += 2) {
    const at = to + (j << 3);
    if (ASC_FEATURE_SIMD) {
      const part = f64x2.convert_low_i32x4_s(v128.load64_zero(parts + (j << 2)));
      v128.store(at, fresh ? part : f64x2.add(v128.load(at), part));
      continue;
    }
    for (let i: usize = 0; i < 2; ++i) {
      const part = <f64>load<i32>(parts + ((j + i) << 2));
      store<f64>(at + (i << 3), fresh ? part : load<f64>(at + (i << 3)) + part);
    }
  }
}

/** Sums of `terms` slots over `count` planes of one half block, 16 int32 a plane. */
function sumSlots(planes: usize, slots: usize, entries: usize, terms: usize, count: usize, to: usize): void {
  if (ASC_FEATURE_SIMD) {
    if (count == 3) threePlanes(planes, slots, entries, terms, to);
    else twoPlanes(planes, slots, entries, terms, to);
    return;
  }
  memory.fill(to, 0, count * PLANE_BYTES);
  for (let k: usize = 0; k < terms; ++k) {
    const w = planes + <usize>load<u32>(slots + (k << 2)) * count * PLANE_BYTES;
    const x0 = <i32>load<i16>(entries + (k << 2));
    const x1 = <i32>load<i16>(entries + (k << 2), 2);
    for (let j: usize = 0; j < count * PLANE_BYTES; j += 4)
      store<i32>(to + j, load<i32>(to + j) + x0 * <i32>load<i16>(w + j) + x1 * <i32>load<i16>(w + j, 2));
  }
}

// @ts-ignore: decorator
@inline
function more(sum: v128, x: v128, weights: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(x, weights));
}

function threePlanes(planes: usize, slots: usize, entries: usize, terms: usize, to: usize): void {
  let a0 = i32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  let b0 = a0;
  let b1 = a0;
  let b2 = a0;
  let b3 = a0;
  let c0 = a0;
  let c1 = a0;
  let c2 = a0;
  let c3 = a0;
  for (let k: usize = 0; k < terms << 2; k += 4) {
    const w = planes + <usize>load<u32>(slots + k) * (3 * PLANE_BYTES);
    const x = v128.load_splat<u32>(entries + k);
    a0 = more(a0, x, v128.load(w));
    a1 = more(a1, x, v128.load(w, 16));
    a2 = more(a2, x, v128.load(w, 32));
    a3 = more(a3, x, v128.load(w, 48));
    b0 = more(b0, x, v128.load(w, 64));
    b1 = more(b1, x, v128.load(w, 80));
    b2 = more(b2, x, v128.load(w, 96));
    b3 = more(b3, x, v128.load(w, 112));
    c0 = more(c0, x, v128.load(w, 128));
    c1 = more(c1, x, v128.load(w, 144));
    c2 = more(c2, x, v128.load(w, 160));
    c3 = more(c3, x, v128.load(w, 176));
  }
  fourStores(to, a0, a1, a2, a3);
  fourStores(to + 64, b0, b1, b2, b3);
  fourStores(to + 128, c0, c1, c2, c3);
}

function twoPlanes(planes: usize, slots: usize, entries: usize, terms: usize, to: usize): void {
  let a0 = i32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  let b0 = a0;
  let b1 = a0;
  let b2 = a0;
  let b3 = a0;
  for (let k: usize = 0; k < terms << 2; k += 4) {
    const w = planes + <usize>load<u32>(slots + k) * (2 * PLANE_BYTES);
    const x = v128.load_splat<u32>(entries + k);
    a0 = more(a0, x, v128.load(w));
    a1 = more(a1, x, v128.load(w, 16));
    a2 = more(a2, x, v128.load(w, 32));
    a3 = more(a3, x, v128.load(w, 48));
    b0 = more(b0, x, v128.load(w, 64));
    b1 = more(b1, x, v128.load(w, 80));
    b2 = more(b2, x, v128.load(w, 96));
    b3 = more(b3, x, v128.load(w, 112));
  }
  fourStores(to, a0, a1, a2, a3);
  fourStores(to + 64, b0, b1, b2, b3);
}

// @ts-ignore: decorator
@inline
function fourStores(to: usize, a: v128, b: v128, c: v128, d: v128): void {
  v128.store(to, a);
  v128.store(to, b, 16);
  v128.store(to, c, 32);
  v128.store(to, d, 48);
}
