// The dual of the soft-margin SVM on a small working set, with its kernel matrix at hand:
//   minimise (1/2) sum_ij a_i a_j y_i y_j K_ij - sum_i a_i,  0 <= a_i <= upper_i   [, sum_i a_i y_i = 0 with bias]
// Without bias: the coordinate with the largest second-order gain. With bias: pairs chosen by second-order information
// (Fan, Chen and Lin, JMLR 2005). Not here: which points form the working set (sdk/machines/).

const TAU: f64 = 1e-12;

/**
 * Improves a (and the outputs f_i = sum_j K_ij y_j a_j, which include everything outside the set) until the projected
 * gradient is below `tolerance` or `limit` steps are done. k is count x count, row-major. Returns the steps taken.
 */
export function coordinateDescent(
  count: i32, k: usize, y: usize, target: usize, upper: usize, a: usize, f: usize, tolerance: f64, limit: i32,
): i32 {
  for (let step = 0; step < limit; ++step) {
    let best = -1;
    let bestGain: f64 = 0;
    let largest: f64 = 0;
    for (let i = 0; i < count; ++i) {
      const at = <usize>i << 3;
      const gradient = load<f64>(y + at) * (load<f64>(f + at) - load<f64>(target + at));
      const value = load<f64>(a + at);
      if (gradient < 0 ? value >= load<f64>(upper + at) : value <= 0) continue;
      const size = Math.abs(gradient);
      largest = Math.max(largest, size);
      const curvature = Math.max(load<f64>(k + ((<usize>i * count + i) << 3)), TAU);
      const room = gradient < 0 ? load<f64>(upper + at) - value : value;
      const move = Math.min(size / curvature, room);
      const gain = move * (size - 0.5 * move * curvature);
      if (gain > bestGain) {
        bestGain = gain;
        best = i;
      }
    }
    if (best < 0 || largest <= tolerance) return step;
    const at = <usize>best << 3;
    const row = k + ((<usize>best * count) << 3);
    const sign = load<f64>(y + at);
    const gradient = sign * (load<f64>(f + at) - load<f64>(target + at));
    const before = load<f64>(a + at);
    const curvature = Math.max(load<f64>(row + at), TAU);
    const after = Math.min(Math.max(before - gradient / curvature, 0), load<f64>(upper + at));
    store<f64>(a + at, after);
    addRow(count, (after - before) * sign, row, f);
  }
  return limit;
}

// @ts-ignore: decorator
@inline
function addRow(count: i32, factor: f64, row: usize, f: usize): void {
  for (let j: usize = 0; j < <usize>count; ++j) {
    const to = f + (j << 3);
    store<f64>(to, load<f64>(to) + factor * load<f64>(row + (j << 3)));
  }
}

/** As coordinateDescent, keeping sum_i a_i y_i: the machine has a bias. */
export function pairDescent(
  count: i32, k: usize, y: usize, target: usize, upper: usize, a: usize, f: usize, tolerance: f64, limit: i32,
): i32 {
  for (let step = 0; step < limit; ++step) {
    // v_i = -y_i grad_i = t_i - f_i; i may rise along y, j may fall.
    let i = -1;
    let highest = -f64.MAX_VALUE;
    for (let s = 0; s < count; ++s) {
      if (!mayRise(s, y, upper, a)) continue;
      const value = load<f64>(target + (<usize>s << 3)) - load<f64>(f + (<usize>s << 3));
      if (value > highest) {
        highest = value;
        i = s;
      }
    }
    if (i < 0) return step;
    const rowI = k + ((<usize>i * count) << 3);
    const own = load<f64>(rowI + (<usize>i << 3));
    let j = -1;
    let bestGain: f64 = 0;
    let lowest = f64.MAX_VALUE;
    for (let s = 0; s < count; ++s) {
      if (!mayFall(s, y, upper, a)) continue;
      const at = <usize>s << 3;
      const value = load<f64>(target + at) - load<f64>(f + at);
      lowest = Math.min(lowest, value);
      const difference = highest - value;
      if (difference <= 0) continue;
      const curvature = Math.max(own + load<f64>(k + ((<usize>s * count + s) << 3)) - 2 * load<f64>(rowI + at), TAU);
      const gain = (difference * difference) / curvature;
      if (gain > bestGain) {
        bestGain = gain;
        j = s;
      }
    }
    if (j < 0 || highest - lowest <= tolerance) return step;
    movePair(count, k, y, target, upper, a, f, i, j);
  }
  return limit;
}

// @ts-ignore: decorator
@inline
function mayRise(s: i32, y: usize, upper: usize, a: usize): bool {
  const at = <usize>s << 3;
  return load<f64>(y + at) > 0 ? load<f64>(a + at) < load<f64>(upper + at) : load<f64>(a + at) > 0;
}

// @ts-ignore: decorator
@inline
function mayFall(s: i32, y: usize, upper: usize, a: usize): bool {
  const at = <usize>s << 3;
  return load<f64>(y + at) > 0 ? load<f64>(a + at) > 0 : load<f64>(a + at) < load<f64>(upper + at);
}

/** Room of a_s in the direction `sign` of y_s a_s. */
// @ts-ignore: decorator
@inline
function room(s: i32, rising: bool, y: usize, upper: usize, a: usize): f64 {
  const at = <usize>s << 3;
  const up = load<f64>(y + at) > 0 == rising;
  return up ? load<f64>(upper + at) - load<f64>(a + at) : load<f64>(a + at);
}

function movePair(
  count: i32, k: usize, y: usize, target: usize, upper: usize, a: usize, f: usize, i: i32, j: i32,
): void {
  const atI = <usize>i << 3;
  const atJ = <usize>j << 3;
  const rowI = k + ((<usize>i * count) << 3);
  const rowJ = k + ((<usize>j * count) << 3);
  const curvature = Math.max(load<f64>(rowI + atI) + load<f64>(rowJ + atJ) - 2 * load<f64>(rowI + atJ), TAU);
  const difference = load<f64>(target + atI) - load<f64>(f + atI) - (load<f64>(target + atJ) - load<f64>(f + atJ));
  const roomI = room(i, true, y, upper, a);
  const roomJ = room(j, false, y, upper, a);
  const move = Math.min(difference / curvature, Math.min(roomI, roomJ));
  shift(atI, move * load<f64>(y + atI), move == roomI, upper, a);
  shift(atJ, -move * load<f64>(y + atJ), move == roomJ, upper, a);
  for (let s: usize = 0; s < <usize>count; ++s) {
    const at = s << 3;
    store<f64>(f + at, load<f64>(f + at) + move * (load<f64>(rowI + at) - load<f64>(rowJ + at)));
  }
}

/** Adds `by` to a; lands on the bound exactly when the whole room is used. */
// @ts-ignore: decorator
@inline
function shift(at: usize, by: f64, whole: bool, upper: usize, a: usize): void {
  const bound = by > 0 ? load<f64>(upper + at) : 0;
  store<f64>(a + at, whole ? bound : load<f64>(a + at) + by);
}
