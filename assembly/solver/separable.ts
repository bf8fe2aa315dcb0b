// What keeps two labels from being told apart: the closest pair of opposite labels in a small kernel matrix.
// Not here: the machine that needs separable data (sdk/machines/hard-margin.ts).

/**
 * Position p * count + q of the pair p < q with opposite signs y that lie closest as the machine sees them; at
 * `distance` how far apart they are. With a bias that is ||phi_p - phi_q||^2 / (K_pp + K_qq), without one
 * 1 - cos(phi_p, phi_q): a machine through the origin can not tell parallel rows apart. There a zero row, which lies on
 * no side, is the pair (p, p) at distance 0. -1 when there is no such pair. k is count x count, row-major.
 */
export function closestPair(count: i32, k: usize, y: usize, bias: i32, distance: usize): i32 {
  let best = -1;
  let least = f64.MAX_VALUE;
  for (let p = 0; p < count; ++p) {
    const own = load<f64>(k + ((<usize>p * count + p) << 3));
    if (bias == 0 && own <= 0) {
      store<f64>(distance, 0);
      return p * count + p;
    }
    for (let q = p + 1; q < count; ++q) {
      if (load<f64>(y + (<usize>p << 3)) * load<f64>(y + (<usize>q << 3)) > 0) continue;
      const other = load<f64>(k + ((<usize>q * count + q) << 3));
      const between = load<f64>(k + ((<usize>p * count + q) << 3));
      const sum = own + other;
      const apart = bias != 0 ? (sum > 0 ? (sum - 2 * between) / sum : 0) : 1 - between / Math.sqrt(own * other);
      if (apart < least) {
        least = apart;
        best = p * count + q;
      }
    }
  }
  store<f64>(distance, least);
  return best;
}
