// nextUp and nextDown against the order of the bit patterns, over all doubles, on every feature level.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LEVELS, runtimeAt } from "../helpers.js";

const view = new DataView(new ArrayBuffer(8));
const SIGN = 1n << 63n;

/** Doubles in increasing order as integers: independent of the core's way. Both zeros are 0. */
function rank(x: number): bigint {
  view.setFloat64(0, x);
  const bits = view.getBigInt64(0);
  return bits >= 0n ? bits : -(bits & (SIGN - 1n));
}

function fromBits(bits: bigint): number {
  view.setBigUint64(0, bits);
  return view.getFloat64(0);
}

/** Every bit pattern is equally likely, beside fast-check's own favourites (zeros, subnormals, ends). */
const doubles = fc.oneof(fc.bigInt({ min: 0n, max: 2n * SIGN - 1n }).map(fromBits), fc.double());

describe.each(LEVELS)("%s", (level) => {
  it("nextUp and nextDown are the neighbouring doubles, exactly", async () => {
    const runtime = await runtimeAt(level);
    fc.assert(
      fc.property(doubles, (x) => {
        fc.pre(Number.isFinite(x));
        expect(rank(runtime.call("nextUp", x)) - rank(x)).toBe(1n);
        expect(rank(x) - rank(runtime.call("nextDown", x))).toBe(1n);
      }),
      { numRuns: 5000 },
    );
  });

  it("steps over zero, into and out of the infinities; keeps NaN", async () => {
    const runtime = await runtimeAt(level);
    expect(runtime.call("nextUp", -0)).toBe(Number.MIN_VALUE);
    expect(runtime.call("nextDown", 0)).toBe(-Number.MIN_VALUE);
    expect(runtime.call("nextUp", -Number.MIN_VALUE)).toBe(-0);
    expect(runtime.call("nextUp", Number.MAX_VALUE)).toBe(Infinity);
    expect(runtime.call("nextUp", -Infinity)).toBe(-Number.MAX_VALUE);
    expect(runtime.call("nextDown", Infinity)).toBe(Number.MAX_VALUE);
    expect(runtime.call("nextUp", Infinity)).toBe(Infinity);
    expect(runtime.call("nextDown", -Infinity)).toBe(-Infinity);
    expect(runtime.call("nextUp", Number.NaN)).toBeNaN();
    expect(runtime.call("nextDown", Number.NaN)).toBeNaN();
  });
});
