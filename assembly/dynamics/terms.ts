// What the continuous dynamics and the machines' solvers need of the core: all rows' losses, slopes and curvatures, and a
// dense matrix times a vector.
// Not here: the losses (math/loss.ts), time (sdk/dynamics/).
import { dotDoubles } from "../kernel/dot";
import { lossCurvature, lossSlope, lossValue } from "../math/loss";

/** values[i] = l(z_i, y_i) and slopes[i] = l'(z_i, y_i) for n rows. */
export function lossTerms(kind: i32, epsilon: f64, n: i32, z: usize, y: usize, values: usize, slopes: usize): void {
  for (let at: usize = 0; at < <usize>n << 3; at += 8) {
    store<f64>(values + at, lossValue(kind, load<f64>(z + at), load<f64>(y + at), epsilon));
    store<f64>(slopes + at, lossSlope(kind, load<f64>(z + at), load<f64>(y + at), epsilon));
  }
}

/** curvatures[i] = l''(z_i, y_i) for n rows. */
export function lossCurvatures(kind: i32, n: i32, z: usize, y: usize, curvatures: usize): void {
  for (let at: usize = 0; at < <usize>n << 3; at += 8)
    store<f64>(curvatures + at, lossCurvature(kind, load<f64>(z + at), load<f64>(y + at)));
}

/** Rows of the matrix in one chunk of work. */
const CHUNK: i32 = 64;

/** out = A x for the CHUNK rows of `chunk`; A is rows x columns float64, row-major. */
export function denseApply(chunk: i32, rows: i32, columns: i32, matrix: usize, x: usize, out: usize): void {
  const end = min(rows, (chunk + 1) * CHUNK);
  const whole = columns & ~3;
  for (let i = chunk * CHUNK; i < end; ++i) {
    const row = matrix + ((<usize>i * columns) << 3);
    let sum = dotDoubles(row, x, whole << 3);
    for (let k = <usize>whole; k < <usize>columns; ++k) sum += load<f64>(row + (k << 3)) * load<f64>(x + (k << 3));
    store<f64>(out + (<usize>i << 3), sum);
  }
}
