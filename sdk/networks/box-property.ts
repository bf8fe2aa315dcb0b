// Certified balls as VNN-LIB properties, which other verifiers read beside an exported network. Not here: the network as
// ONNX (onnx.ts).
import { checkNumber, describe } from "../validate.js";

export interface BoxProperty {
  /** The clean input, in data units. */
  readonly input: ArrayLike<number>;
  /** Radius of the l-inf ball, >= 0. */
  readonly radius: number;
  /** The sign that the output keeps when the property holds. */
  readonly prediction: -1 | 1;
  /** Only inputs in [0, 1]^d. Default false. */
  readonly domain?: boolean | undefined;
}

/**
 * A VNN-LIB property of the exported network: "some x in the ball has an output of the other sign, or 0". A verifier that
 * answers unsat certifies the ball. Numbers are written so that reading them as float64 gives the same bits.
 * @throws TypeError, RangeError
 */
export function boxProperty({ input, radius, prediction, domain = false }: BoxProperty): string {
  checkNumber("radius", radius, { min: 0 });
  if (prediction !== 1 && prediction !== -1)
    throw new RangeError(`prediction: expected -1 or 1, got ${describe(prediction)}`);
  const inputs = Array.from(input, (value, k) => checkNumber(`input[${k}]`, value, {}));
  if (inputs.length === 0) throw new RangeError("input: expected at least one entry, got 0");
  const lines = [
    `; |x - x0| <= ${radius} in every entry${domain ? ", x in [0, 1]" : ""}; unsafe where the sign changes`,
  ];
  for (const k of inputs.keys()) lines.push(`(declare-const X_${k} Real)`);
  lines.push("(declare-const Y_0 Real)");
  for (const [k, value] of inputs.entries()) {
    const [low, high] = [value - radius, value + radius];
    lines.push(`(assert (>= X_${k} ${decimal(domain ? Math.max(0, low) : low)}))`);
    lines.push(`(assert (<= X_${k} ${decimal(domain ? Math.min(1, high) : high)}))`);
  }
  lines.push(`(assert (${prediction > 0 ? "<=" : ">="} Y_0 0.0))`);
  return `${lines.join("\n")}\n`;
}

/** A double in plain decimal digits that name it alone: without an exponent, which readers of VNN-LIB do not all know. */
function decimal(value: number): string {
  const [mantissa = "", exponent] = String(value).split("e");
  if (exponent === undefined) return mantissa.includes(".") ? mantissa : `${mantissa}.0`;
  const sign = mantissa.startsWith("-") ? "-" : "";
  const [whole = "", rest = ""] = mantissa.replace("-", "").split(".");
  const shift = Number(exponent);
  if (shift < 0) return `${sign}0.${"0".repeat(-shift - 1)}${whole}${rest}`;
  return `${sign}${whole}${rest.padEnd(shift, "0")}.0`;
}
