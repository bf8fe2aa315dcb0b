// Balls cut by the image domain: nearest points and corners, against conditions that only they meet.
import fc from "fast-check";
import { expect, it } from "vitest";
import { NORM_CODES } from "../../../sdk/certify/attacks/verify.js";
import { NORMS, type Norm } from "../../../sdk/certify/method.js";
import { runtimeAt, uniform } from "../../helpers.js";

const runtime = await runtimeAt("simd");

function sizeOf(norm: Norm, w: Float64Array): number {
  if (norm === "linf") return w.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  return norm === "l2" ? Math.hypot(...w) : w.reduce((sum, v) => sum + Math.abs(v), 0);
}

const minus = (a: Float64Array, b: Float64Array) => a.map((v, k) => v - (b[k] ?? 0));
const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, v, k) => sum + v * (b[k] ?? 0), 0);

function project(x: Float64Array, x0: Float64Array, norm: Norm, domain: boolean, delta: number): Float64Array {
  const scope = runtime.scope();
  const d = x.length;
  const [own, centre, spare] = [scope.f64(d, x), scope.f64(d, x0), scope.f64(d)];
  runtime.call("projectPoint", own, centre, d, NORM_CODES[norm], domain ? 1 : 0, delta, spare);
  const result = runtime.memory.f64(own, d).slice();
  scope.release();
  return result;
}

function corner(gradient: Float64Array, x0: Float64Array, norm: Norm, domain: boolean, delta: number) {
  const scope = runtime.scope();
  const d = x0.length;
  const [own, centre, slope, spare] = [scope.f64(d), scope.f64(d, x0), scope.f64(d, gradient), scope.f64(d)];
  const value = runtime.call("cornerPoint", own, centre, slope, d, NORM_CODES[norm], domain ? 1 : 0, delta, spare);
  const x = runtime.memory.f64(own, d).slice();
  scope.release();
  return { x, value };
}

const scenes = fc.record({
  seed: fc.nat(1e6),
  d: fc.integer({ min: 1, max: 12 }),
  norm: fc.constantFrom(...NORMS),
  domain: fc.boolean(),
  delta: fc.constantFrom(1e-3, 0.1, 0.7, 3),
});

/** A centre in [0, 1]^d with entries at its ends, and a point anywhere. */
function draw(seed: number, d: number) {
  const next = uniform(seed);
  const x0 = Float64Array.from({ length: d }, () => Math.min(1, Math.max(0, 1.6 * next() - 0.3)));
  const x = x0.map((v) => (next() < 0.2 ? v : v + 4 * (next() - 0.5)));
  return { next, x0, x };
}

it("projection: inside ball and domain, and <x - p, q - p> <= 0 for every q inside, which the nearest point alone meets; 1e-12", () => {
  fc.assert(
    fc.property(scenes, ({ seed, d, norm, domain, delta }) => {
      const { next, x0, x } = draw(seed, d);
      const p = project(x, x0, norm, domain, delta);
      expect(sizeOf(norm, minus(p, x0))).toBeLessThanOrEqual(delta * (1 + 1e-12));
      if (domain) for (const v of p) expect(v >= 0 && v <= 1).toBe(true);
      const outward = minus(x, p);
      for (let trial = 0; trial < 60; trial++) {
        // Points inside by construction: random offsets, cut to the domain, then shortened to the ball.
        const w = x0.map((v) => {
          const to = v + 4 * (next() - 0.5) * (next() < 0.5 ? 1 : 0);
          return (domain ? Math.min(1, Math.max(0, to)) : to) - v;
        });
        const share = Math.min(1, delta / (sizeOf(norm, w) || 1));
        const q = x0.map((v, k) => v + share * (w[k] ?? 0));
        expect(dot(outward, minus(q, p))).toBeLessThanOrEqual(1e-12 * d * 10);
      }
      // The hardest q: the corner that lies farthest along x - p.
      const far = corner(
        outward.map((v) => -v),
        x0,
        norm,
        domain,
        delta,
      ).x;
      expect(dot(outward, minus(far, p))).toBeLessThanOrEqual(1e-12 * d * 10);
    }),
    { numRuns: 400 },
  );
});

it("projection: a point that is inside already keeps its bits", () => {
  fc.assert(
    fc.property(scenes, ({ seed, d, norm, domain, delta }) => {
      const { next, x0 } = draw(seed, d);
      const inside = x0.map((v) => {
        const to = v + (delta / d) * 0.99 * (2 * next() - 1);
        return domain ? Math.min(1, Math.max(0, to)) : to;
      });
      expect(project(inside, x0, norm, domain, delta)).toEqual(inside);
    }),
  );
});

it("corner: inside, no point inside goes lower, and its value is that of its own offset; 1e-12", () => {
  fc.assert(
    fc.property(scenes, ({ seed, d, norm, domain, delta }) => {
      const { next, x0 } = draw(seed, d);
      const gradient = x0.map(() => (next() < 0.2 ? 0 : 2 * next() - 1));
      const { x, value } = corner(gradient, x0, norm, domain, delta);
      const offset = minus(x, x0);
      expect(sizeOf(norm, offset)).toBeLessThanOrEqual(delta * (1 + 1e-12));
      if (domain) for (const v of x) expect(v >= 0 && v <= 1).toBe(true);
      expect(Math.abs(dot(gradient, offset) - value)).toBeLessThanOrEqual(1e-12 * d);
      for (let trial = 0; trial < 60; trial++) {
        const w = x0.map((v) => {
          const to = v + 8 * (next() - 0.5) * (next() < 0.5 ? 1 : 0);
          return (domain ? Math.min(1, Math.max(0, to)) : to) - v;
        });
        const share = Math.min(1, delta / (sizeOf(norm, w) || 1));
        expect(dot(gradient, w) * share).toBeGreaterThanOrEqual(value - 1e-12 * d);
      }
      // Without a domain it is the dual norm.
      const dual = { linf: "l1", l2: "l2", l1: "linf" } as const;
      if (!domain)
        expect(Math.abs(value + delta * sizeOf(dual[norm], gradient))).toBeLessThanOrEqual(1e-12 * d * delta);
    }),
    { numRuns: 400 },
  );
});

it("distances are rounded up: never below the exact rational value, at most (2 d + 20) roundings above it", () => {
  const shift = 200;
  const exact = (v: number) => {
    const scaled = v * 2 ** 100;
    return BigInt(Math.trunc(scaled)) << BigInt(shift - 100);
  };
  fc.assert(
    fc.property(fc.nat(1e6), fc.integer({ min: 1, max: 20 }), fc.constantFrom(1 / 255, 0.02, 1), (seed, d, scale) => {
      const next = uniform(seed);
      const raw = Float64Array.from({ length: d }, () => Math.floor(256 * next()));
      const x = raw.map((v) => v * scale + (next() < 0.3 ? 0 : 0.3 * (next() - 0.5)));
      const scope = runtime.scope();
      const [own, from] = [scope.f64(d, x), scope.f64(d, raw)];
      // raw * scale in units of 2^-200: an integer times an exact double.
      const offsets = Array.from(x, (v, k) => {
        const w = exact(v) - BigInt(raw[k] ?? 0) * exact(scale);
        return w < 0n ? -w : w;
      });
      const largest = [...offsets].sort((a, b) => (a < b ? -1 : 1)).at(-1) ?? 0n;
      const slack = (2 * d + 20) * 2 ** -53;
      // x and raw * scale may agree to the last bit: what remains is the product's own rounding.
      const floor = 2 ** -52 * 255 * scale * d;
      for (const norm of NORMS) {
        const bound = exact(runtime.call("distanceAbove", own, from, scale, d, NORM_CODES[norm]));
        const above = (share: number) => bound + BigInt(Math.round(share * 2 ** 53)) * (bound >> 53n);
        if (norm === "l2") {
          const square = offsets.reduce((sum, w) => sum + w * w, 0n);
          expect(bound * bound >= square).toBe(true);
          const less = above(-slack) - exact(floor);
          expect(less <= 0n || less * less <= square).toBe(true);
        } else {
          const size = norm === "l1" ? offsets.reduce((sum, w) => sum + w) : largest;
          expect(bound >= size).toBe(true);
          expect(above(-slack) - exact(floor) <= size).toBe(true);
        }
      }
      scope.release();
    }),
    { numRuns: 300 },
  );
});
