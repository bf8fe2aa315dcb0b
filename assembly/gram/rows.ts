// Some rows of a symmetric Gram matrix: their own block, and combinations of them at all rows. What solvers that work on
// few rows at a time need of a matrix that is shared. Not here: the matrix (tiles.ts), products with all of it (product.ts).
import { GRAM_ROWS, ROWS_N } from "../layout";
import { field, pointerField } from "../memory";
import { gramRow } from "./tiles";

/** out[p * count + q] = K(index[p], index[q]); row is n float64 of work. */
export function gramBlock(gram: usize, index: usize, count: i32, row: usize, out: usize): void {
  for (let p: usize = 0; p < <usize>count; ++p) {
    gramRow(gram, load<i32>(index + (p << 2)), row);
    const to = out + ((p * count) << 3);
    for (let q: usize = 0; q < <usize>count; ++q) {
      store<f64>(to + (q << 3), load<f64>(row + (<usize>load<i32>(index + (q << 2)) << 3)));
    }
  }
}

/** out[i] = sum_p by[p] K(i, index[p]) for all n rows, added in the order of p; row is n float64 of work. */
export function gramCombine(gram: usize, index: usize, count: i32, by: usize, row: usize, out: usize): void {
  const bytes = <usize>field(pointerField(gram, GRAM_ROWS), ROWS_N) << 3;
  memory.fill(out, 0, bytes);
  for (let p: usize = 0; p < <usize>count; ++p) {
    const factor = load<f64>(by + (p << 3));
    if (factor == 0) continue;
    gramRow(gram, load<i32>(index + (p << 2)), row);
    for (let at: usize = 0; at < bytes; at += 8)
      store<f64>(out + at, load<f64>(out + at) + factor * load<f64>(row + at));
  }
}
