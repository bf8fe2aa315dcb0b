// nextUp and nextDown against the order of the bit patterns, over all doubles.
import fc from "fast-check";
import { expect, it } from "vitest";
import { runtimeAt } from "../helpers.js";

const view = new DataView(new ArrayBuffer(8));

/** Doubles in increasing order as integers: independent of the core's way. */
function rank(x: number): bigint {
  view.setFloat64(0, x);
  const bits = view.getBigInt64(0);
  return bits >= 0n ? bits : -(bits & 0x7fffffffffffffffn);
}

it("nextUp and nextDown are the neighbouring doubles, exactly", async () => {
  const runtime = await runtimeAt("simd");
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
      expect(rank(runtime.call("nextUp", x)) - rank(x)).toBe(1n);
      expect(rank(x) - rank(runtime.call("nextDown", x))).toBe(1n);
    }),
    { numRuns: 5000 },
  );
});

it("infinities stay and NaN stays NaN", async () => {
  const runtime = await runtimeAt("simd");
  expect(runtime.call("nextUp", Infinity)).toBe(Infinity);
  expect(runtime.call("nextDown", -Infinity)).toBe(-Infinity);
  expect(runtime.call("nextUp", Number.MAX_VALUE)).toBe(Infinity);
  expect(runtime.call("nextUp", Number.NaN)).toBeNaN();
});
