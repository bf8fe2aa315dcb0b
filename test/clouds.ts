// Several overlapping clouds of points, one a class, for the suites. Not here: two labels (seeded.ts).
import { type ClassSet, classSet } from "../sdk/data/classes.js";
import { normal, uniform } from "./seeded.js";

/** n points in d dimensions around `classes` centres on the axes; the same centres for every seed. */
export function clouds(n: number, d: number, classes: number, seed: number): ClassSet {
  const next = uniform(seed);
  const gauss = normal(next);
  const labels = Array.from({ length: n }, (_, i) => (i < classes ? i : Math.floor(next() * classes)));
  const x = Float64Array.from({ length: n * d }, (_, k) => {
    const [i, column] = [Math.floor(k / d), k % d];
    return 0.5 * gauss() + (column === (labels[i] ?? 0) ? 2 : 0);
  });
  return classSet({ x, labels, shape: [n, d] });
}
