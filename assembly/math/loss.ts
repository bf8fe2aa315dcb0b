// The losses l(z, y) of Table 1 and their first (sub)derivatives by the output z; second ones where solvers need them. Solvers, dynamics and finite
// networks all take them from here. Not here: regularisers and means over batches.
//
//   code                l(z, y)                     l'(z, y)
//   LOSS_HINGE          max(0, 1 - y z)             -y [y z < 1]
//   LOSS_SQUARED_HINGE  max(0, 1 - y z)^2           -2 y max(0, 1 - y z)
//   LOSS_EPSILON        max(0, |y - z| - epsilon)   sign(z - y) [|y - z| > epsilon]
//   LOSS_SQUARED        (y - z)^2                   2 (z - y)
//   LOSS_LOGISTIC       log(1 + exp(-y z))          -y / (1 + exp(y z))
import { LOSS_EPSILON, LOSS_HINGE, LOSS_LOGISTIC, LOSS_SQUARED, LOSS_SQUARED_HINGE } from "../layout";

/** l(z, y); epsilon is read by LOSS_EPSILON alone. */
export function lossValue(kind: i32, z: f64, y: f64, epsilon: f64): f64 {
  const room = 1 - y * z;
  if (kind == LOSS_HINGE) return Math.max(0, room);
  if (kind == LOSS_SQUARED_HINGE) return room > 0 ? room * room : 0;
  if (kind == LOSS_EPSILON) return Math.max(0, Math.abs(y - z) - epsilon);
  if (kind == LOSS_LOGISTIC) {
    const margin = y * z;
    return Math.max(0, -margin) + NativeMath.log1p(NativeMath.exp(-Math.abs(margin)));
  }
  return (y - z) * (y - z);
}

/** l'(z, y); at a kink the side on which the loss is 0 is taken, so a point on its margin does not push. */
export function lossSlope(kind: i32, z: f64, y: f64, epsilon: f64): f64 {
  const room = 1 - y * z;
  if (kind == LOSS_HINGE) return room > 0 ? -y : 0;
  if (kind == LOSS_SQUARED_HINGE) return room > 0 ? -2 * y * room : 0;
  if (kind == LOSS_EPSILON) return Math.abs(y - z) > epsilon ? (z > y ? 1 : -1) : 0;
  if (kind == LOSS_LOGISTIC) {
    const small = NativeMath.exp(-Math.abs(y * z));
    return -y * (y * z > 0 ? small / (1 + small) : 1 / (1 + small));
  }
  return 2 * (z - y);
}

/** l''(z, y) where the loss has one almost everywhere and it is not 0: what Newton's method takes for the curvature. */
export function lossCurvature(kind: i32, z: f64, y: f64): f64 {
  if (kind == LOSS_SQUARED_HINGE) return y * z < 1 ? 2 : 0;
  if (kind == LOSS_SQUARED) return 2;
  if (kind != LOSS_LOGISTIC) return 0;
  const small = NativeMath.exp(-Math.abs(y * z));
  return small / ((1 + small) * (1 + small));
}
