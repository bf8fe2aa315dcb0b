// The checker's arithmetic against exact rational numbers, and its functions against 100-digit values. Not here: the
// bounds that it computes with them (checker.test.ts).
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { angle, h, halfOf, hPrime, kappa0, kappa1 } from "../../sdk/certify/checker/functions.js";
import {
  add,
  div,
  down,
  type Interval,
  mul,
  PI,
  point,
  size,
  sqrt,
  square,
  sub,
  Total,
  up,
} from "../../sdk/certify/checker/interval.js";
import { dot } from "../../sdk/certify/checker/terms.js";
import { oracle, ulp } from "../helpers.js";

/** A finite double as a whole number of 2^-1074. */
function whole(x: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, Math.abs(x));
  const bits = view.getBigUint64(0);
  const exponent = bits >> 52n;
  const mantissa = bits & (2n ** 52n - 1n);
  const value = exponent === 0n ? mantissa : (mantissa | (2n ** 52n)) << (exponent - 1n);
  return x < 0 ? -value : value;
}

const ONE = 2n ** 1074n;
const real = fc.double({ min: -1e60, max: 1e60, noNaN: true }).filter((x) => x === 0 || Math.abs(x) > 1e-60);

describe("every operation holds the exact result and is at most 2 ulp wide for points", () => {
  const narrow = ({ lo, hi }: Interval) =>
    expect(hi - lo).toBeLessThanOrEqual(4 * ulp(Math.max(Math.abs(lo), Math.abs(hi))));
  it("sums, differences, products and squares", () => {
    fc.assert(
      fc.property(real, real, (a, b) => {
        const [p, q] = [whole(a), whole(b)];
        for (const [own, exact] of [
          [add(point(a), point(b)), (p + q) * ONE],
          [sub(point(a), point(b)), (p - q) * ONE],
          [mul(point(a), point(b)), p * q],
          [square(point(a)), p * p],
        ] as const) {
          expect(whole(own.lo) * ONE <= exact && exact <= whole(own.hi) * ONE).toBe(true);
          narrow(own);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("quotients and roots", () => {
    fc.assert(
      fc.property(real, real, (a, b) => {
        const divisor = Math.abs(b) + 1e-50;
        const quotient = div(point(a), point(divisor));
        expect(whole(quotient.lo) * whole(divisor) <= whole(a) * ONE).toBe(true);
        expect(whole(quotient.hi) * whole(divisor) >= whole(a) * ONE).toBe(true);
        narrow(quotient);
        const root = sqrt(point(divisor));
        expect(whole(root.lo) ** 2n <= whole(divisor) * ONE && whole(divisor) * ONE <= whole(root.hi) ** 2n).toBe(true);
        narrow(root);
      }),
      { numRuns: 1000 },
    );
  });

  it("steps to a neighbour or beyond it", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
        expect(up(x)).toBeGreaterThan(x);
        expect(down(x)).toBeLessThan(x);
      }),
      { numRuns: 1000 },
    );
  });

  it("sums of many terms and inner products that cancel, to 4 ulp of the exact result and 1e-24 of their size", () => {
    fc.assert(
      fc.property(fc.array(real, { minLength: 1, maxLength: 30 }), fc.nat(29), (list, k) => {
        const terms = [...list, -(list[k % list.length] ?? 0), 1];
        const total = new Total();
        for (const term of terms) total.add(term);
        const exact = terms.reduce((sum, term) => sum + whole(term), 0n);
        expect(whole(total.lo) <= exact && exact <= whole(total.hi)).toBe(true);
        const scale = terms.reduce((sum, term) => sum + Math.abs(term), 0);
        expect(total.hi - total.lo).toBeLessThanOrEqual(8 * ulp(size({ lo: total.lo, hi: total.hi })) + 1e-24 * scale);
        const [a, b] = [Float64Array.from(terms), Float64Array.from(terms.slice().reverse())];
        const product = dot(a, b, false);
        const sum = terms.reduce((own, term, i) => own + whole(term) * whole(b[i] ?? 0), 0n);
        expect(whole(product.lo) * ONE <= sum && sum <= whole(product.hi) * ONE).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

it("pi lies inside its interval: 3.14159265358979323846 in whole 10^-20", () => {
  const digits = 314159265358979323846n;
  expect((whole(PI.lo) * 10n ** 20n) / ONE).toBeLessThan(digits);
  expect((whole(PI.hi) * 10n ** 20n) / ONE).toBeGreaterThan(digits);
});

interface Column {
  readonly hi: readonly (number | null)[];
  readonly lo: readonly number[];
}

const values = oracle("elementary") as { u: number[] } & Record<string, Column>;
const FUNCTIONS = [
  ["h", h],
  ["hPrime", hPrime],
  ["kappa0", kappa0],
  ["kappa1", kappa1],
] as const;

it.each(FUNCTIONS)(
  "%s holds the 100-digit value at 3,000 points and is at most 1e-14 wide, relatively, for u > 0",
  (name, own) => {
    const column = values[name] as Column;
    values.u.forEach((u, k) => {
      const exact = column.hi[k];
      // Of a rounded v next to 1 nothing is left of 1 - v; slopes are never asked for there.
      if (exact === null || exact === undefined || u === 1 || u < 1e-9 - 1) return;
      const { lo, hi } = own(halfOf(point(u)));
      const rest = column.lo[k] ?? 0;
      // exact + rest is the value to 32 digits; differences from it are exact or far from 0.
      expect(lo - exact).toBeLessThanOrEqual(rest);
      expect(hi - exact).toBeGreaterThanOrEqual(rest);
      // v = (1 - u) / 2 of a rounded u is wide where u is near 1; there the checker takes v from elsewhere.
      if (u > 0 && u < 0.99) expect(hi - lo).toBeLessThanOrEqual(1e-14 * Math.abs(exact));
    });
  },
);

it("arccos at v = 1/4, 1/2, 3/4 is pi/3, pi/2, 2 pi/3 to 4 ulp, from either side of where the series change", () => {
  for (const [v, share] of [
    [0.25, 2 / 3],
    [0.5, 1 / 2],
    [0.75, 1 / 3],
  ] as const)
    for (const near of [v - 2 ** -53, v, v + 2 ** -53]) {
      const { lo, hi } = angle(point(near));
      expect(Math.max(Math.abs(lo - share * Math.PI), Math.abs(hi - share * Math.PI))).toBeLessThan(4e-15);
    }
});
