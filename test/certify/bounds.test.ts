// Every bound method of machines: by sampling, against each other, at radius 0, and that each reports what breaks it.
// Not here: the interval bound's oracle values (interval.test.ts) and the search for a radius (certify.test.ts).
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { machineBounds, nestedBounds } from "../../sdk/certify/bounds.js";
import { MACHINE_METHODS } from "../../sdk/certify/method.js";
import { dataset } from "../../sdk/data/dataset.js";
import { UnsupportedKernelError } from "../../sdk/errors.js";
import {
  describeKernel,
  type NetworkKernel,
  nngp,
  ntk,
  productKernels,
  scaleKernel,
  sumKernels,
} from "../../sdk/kernels/kernel.js";
import { LEVELS, normal, randomData, runtimeAt, uniform } from "../helpers.js";
import { gradientAt, modelOf, placeIn, randomStep, steepest, valueAt } from "./reference.js";
import { type Claim, machineOf, realRow, SAMPLER, worstEscape } from "./sampler.js";

const CLAIMS: readonly Claim[] = [
  { method: "linear", norm: "linf", domain: false },
  { method: "linear", norm: "linf", domain: true },
  { method: "linear", norm: "l2", domain: false },
  { method: "linear", norm: "l2", domain: true },
  { method: "linear", norm: "l1", domain: false },
  { method: "curvature", norm: "linf", domain: false },
  { method: "curvature", norm: "linf", domain: true },
  { method: "curvature", norm: "l2", domain: false },
  { method: "curvature", norm: "l2", domain: true },
];

describe.each(CLAIMS)("$method, $norm, domain $domain", (kind) => {
  it("holds every sample of 4,000 random balls, to the 64 roundings of the sampler's own g", async () => {
    const runtime = await runtimeAt("simd");
    for (let seed = 0; seed < 80; seed++)
      expect(await worstEscape(runtime, seed, 50, kind), `seed ${seed}`).toBeLessThanOrEqual(SAMPLER);
  });

  it("is left by samples when balls are claimed at 0.7 of their radius: it is not merely wide", async () => {
    const runtime = await runtimeAt("simd");
    let seen = 0;
    for (let seed = 0; seed < 40; seed++)
      if ((await worstEscape(runtime, seed, 30, kind, (radius) => 0.7 * radius)) > 1e-3) seen++;
    expect(seen).toBeGreaterThan(5);
  });

  it("has the value in it at radius 0, within 1e-11 of its terms' sizes", async () => {
    const runtime = await runtimeAt("simd");
    for (let seed = 0; seed < 20; seed++) {
      const pixels = seed % 2 === 0;
      const rows = randomData(15, 12, seed, pixels);
      const gauss = normal(uniform(seed));
      const own = machineOf(rows, Array.from({ length: 15 }, gauss), gauss());
      const x0 = randomData(6, 12, seed + 100, pixels);
      const g = await own.decisionFunction(x0, { runtime });
      const { lower, upper } = await machineBounds(own, x0, 0, { runtime, ...kind });
      const size = own.alpha.reduce((total, a) => total + Math.abs(a), 0) * (pixels ? 1 : 3) + Math.abs(own.bias);
      g.forEach((value, k) => {
        expect(lower[k]).toBeLessThanOrEqual(value);
        expect(upper[k]).toBeGreaterThanOrEqual(value);
        expect((upper[k] ?? 0) - (lower[k] ?? 0)).toBeLessThan(1e-11 * size);
      });
    }
  });

  it("gives the same bits on every level and for any number of threads", async () => {
    const rows = randomData(33, 20, 4, true);
    const own = machineOf(rows, Array.from({ length: 33 }, normal(uniform(1))), 0.2);
    const x0 = randomData(12, 20, 6, true);
    const all = [];
    for (const [level, threads] of [...LEVELS.map((name) => [name, 0] as const), ["simd", 2], ["simd", 3]] as const) {
      const runtime = await runtimeAt(level, threads);
      all.push(await machineBounds(own, x0, 0.05, { runtime, ...kind }));
      await runtime.close();
    }
    for (const bounds of all) expect(bounds).toEqual(all[0]);
  });

  it("survives black inputs, black rows, one column and equal rows with ordered, NaN-free bounds", async () => {
    const runtime = await runtimeAt("simd");
    for (const d of [1, 2, 5, 8, 9]) {
      const x = new Uint8Array(4 * d);
      x.fill(255, 2 * d);
      const own = machineOf(dataset({ x, y: [1, 1, -1, -1], shape: [4, d] }), [1, 2, -1.5, 0]);
      const inputs = new Uint8Array(3 * d);
      inputs.fill(255, d, 2 * d);
      inputs[2 * d] = 7;
      const centres = dataset({ x: inputs, y: [1, 1, 1], shape: [3, d] });
      for (const radius of [0, 0.1, 5]) {
        const { lower, upper } = await machineBounds(own, centres, radius, { runtime, ...kind });
        for (const [k, value] of lower.entries()) expect(value).toBeLessThanOrEqual(upper[k] ?? Number.NaN);
      }
    }
  });
});

/** NTK or NNGP without biases by the textbook recursion in plain float64; about 1e-8 near u = 1, where arccos bends. */
function plainKernel(
  { kind, depth, weightVariance, slope = 0 }: NetworkKernel,
  x: Float64Array,
  y: Float64Array,
): number {
  const dot = x.reduce((sum, v, k) => sum + v * (y[k] ?? 0), 0);
  let u = Math.max(-1, Math.min(1, dot / (Math.hypot(...x) * Math.hypot(...y) || 1)));
  let theta = u;
  for (let layer = 0; layer < depth; layer++) {
    const angle = Math.PI - Math.acos(u);
    const [line, bend] = [(2 * slope) / (1 + slope ** 2), (1 - slope) ** 2 / (1 + slope ** 2)];
    u = Math.min(1, line * u + (bend * (u * angle + Math.sqrt(Math.max(0, 1 - u * u)))) / Math.PI);
    theta = (line + (bend * angle) / Math.PI) * theta + u;
  }
  const scale = ((weightVariance * (1 + slope ** 2)) / 2) ** depth * (weightVariance / x.length);
  return scale * Math.hypot(...x) * Math.hypot(...y) * (kind === "ntk" ? theta : u);
}

describe.each([
  ntk({ depth: 2 }),
  ntk({ depth: 3, weightVariance: 2 }),
  ntk({ depth: 10 }),
  nngp(),
  nngp({ depth: 3, weightVariance: 2 }),
  ntk({ activation: "leaky-relu", slope: 0.1 }),
  ntk({ activation: "leaky-relu", slope: 0.6, depth: 3, weightVariance: 1.7 }),
  ntk({ activation: "leaky-relu", slope: 1, depth: 2 }),
  nngp({ activation: "leaky-relu", slope: 0.3, depth: 2 }),
])("$kind of depth $depth, slope $slope, interval", (kernel) => {
  it("holds samples of 400 random balls and, at radius 0, the value, to the 1e-7 of plain arccos", async () => {
    const runtime = await runtimeAt("simd");
    for (let seed = 0; seed < 20; seed++) {
      const next = uniform(seed);
      const gauss = normal(next);
      const d = 1 + (seed % 9);
      const rows = randomData(6, d, seed + 1);
      const own = machineOf(rows, Array.from({ length: 6 }, gauss), 0.1 * gauss(), kernel);
      const centres = randomData(20, d, seed + 2);
      const radii = Float64Array.from({ length: 20 }, (_, k) => (k < 4 ? 0 : 10 ** (-4 + 4.5 * next())));
      const { lower, upper } = await machineBounds(own, centres, radii, { runtime });
      for (let k = 0; k < 20; k++) {
        for (let sample = 0; sample < 20; sample++) {
          const corner = sample % 2 === 0;
          const x = Float64Array.from(centres.x.subarray(k * d, (k + 1) * d), (v) => {
            const side = corner ? Math.sign(next() - 0.5) : 2 * next() - 1;
            return v + side * (radii[k] ?? 0);
          });
          const terms = Array.from(own.alpha, (a, i) => {
            return a * plainKernel(kernel, x, Float64Array.from(rows.x.subarray(i * d, (i + 1) * d)));
          });
          const g = terms.reduce((sum, term) => sum + term, own.bias);
          const size = terms.reduce((sum, term) => sum + Math.abs(term), 1e-3);
          expect(lower[k]).toBeLessThanOrEqual(g + 1e-7 * size);
          expect(upper[k]).toBeGreaterThanOrEqual(g - 1e-7 * size);
          // At radius 0 what is left is the rounding of cosines, whose root enters near u = 1.
          if (radii[k] === 0) expect((upper[k] ?? 0) - (lower[k] ?? 0)).toBeLessThan(1e-6 * size);
        }
      }
    }
  });

  it("is left by samples of balls claimed at a twentieth of their radius, on images without negative entries", async () => {
    const runtime = await runtimeAt("simd");
    const rows = randomData(2, 6, 3, true);
    const own = machineOf(rows, [1, 1], 0, kernel);
    const centre = randomData(1, 6, 5, true);
    const { upper } = await machineBounds(own, centre, 0.005, { runtime });
    const x = Float64Array.from(centre.x, (v) => v / 255 + 0.1);
    const value = plainKernel(
      kernel,
      x,
      Float64Array.from(rows.x.subarray(0, 6), (v) => v / 255),
    );
    const other = plainKernel(
      kernel,
      x,
      Float64Array.from(rows.x.subarray(6, 12), (v) => v / 255),
    );
    expect(value + other).toBeGreaterThan(upper[0] ?? Number.NaN);
  });
});

it("on small balls the quadratic form is within 2% of the value of the minimum over all 64 corners", async () => {
  const runtime = await runtimeAt("simd");
  const d = 6;
  let tight = 0;
  for (let seed = 0; seed < 30; seed++) {
    const rows = randomData(4, d, seed, true);
    const own = machineOf(rows, [1, -0.4, 0.8, -0.3]);
    const x0 = randomData(1, d, seed + 50, true);
    const radius = 0.02;
    const corners = new Uint8Array(2 ** d * d);
    const real = Float64Array.from(corners, (_, k) => {
      const side = (Math.floor(k / d) >> (k % d)) & 1 ? 1 : -1;
      return (x0.x[k % d] ?? 0) / 255 + side * radius;
    });
    const points = dataset({ x: real, y: new Float64Array(2 ** d).fill(1), shape: [2 ** d, d] });
    const exact = machineOf(
      dataset({ x: Float64Array.from(rows.x, (v) => v / 255), y: rows.y, shape: [4, d] }),
      [1, -0.4, 0.8, -0.3],
    );
    const least = Math.min(...(await exact.decisionFunction(points, { runtime })));
    const { lower } = await machineBounds(own, x0, radius, { runtime, method: "curvature" });
    if (!Number.isFinite(lower[0])) continue;
    expect(lower[0]).toBeLessThanOrEqual(least + 1e-12);
    expect(least - (lower[0] ?? 0)).toBeLessThan(0.02 * Math.max(Math.abs(least), 0.1));
    tight++;
  }
  expect(tight).toBeGreaterThan(20);
});

it("on small l2 balls the quadratic form is within 2% of the least value that gradient steps on the sphere lead to", async () => {
  const runtime = await runtimeAt("simd");
  let tight = 0;
  for (let seed = 0; seed < 30; seed++) {
    const own = machineOf(randomData(4, 6, seed, true), [1, -0.4, 0.8, -0.3]);
    const x0 = randomData(1, 6, seed + 50, true);
    const ball = { centre: realRow(x0, 0), radius: 0.05, norm: "l2", domain: false } as const;
    const value = (x: Float64Array) => valueAt(modelOf(own), x);
    let least = Number.POSITIVE_INFINITY;
    for (let start = 0; start < 4; start++) {
      let x = placeIn(ball, randomStep("l2", 6, uniform(seed + start)));
      for (let step = 0; step < 12; step++) {
        const downhill = steepest("l2", gradientAt(value, x)).map((v) => -v);
        x = placeIn(ball, downhill);
        least = Math.min(least, value(x));
      }
    }
    const { lower } = await machineBounds(own, x0, 0.05, { runtime, method: "curvature", norm: "l2" });
    if (!Number.isFinite(lower[0])) continue;
    expect(lower[0]).toBeLessThanOrEqual(least + 1e-12);
    expect(least - (lower[0] ?? 0)).toBeLessThan(0.02 * Math.max(Math.abs(least), 0.1));
    tight++;
  }
  expect(tight).toBeGreaterThan(20);
});

it("methods refuse the norms and domains that they do not hold for, and say which do", async () => {
  const rows = randomData(3, 2, 1);
  const own = machineOf(rows, [1, 2, 3]);
  const ask = (options: object) => machineBounds(own, rows, 0.1, options);
  await expect(ask({ method: "interval", norm: "l2" })).rejects.toThrow(
    /^method: expected "linear".* for l2, got "int/,
  );
  await expect(ask({ method: "interval", domain: true })).rejects.toThrow(/^method: .* for the image domain, got "int/);
  await expect(ask({ method: "curvature", norm: "l1" })).rejects.toThrow(/^method: expected "linear" or "best" for l1/);
  await expect(ask({ norm: "l3" })).rejects.toThrow(/^norm: expected "linf" \| "l2" \| "l1", got "l3"/);
  await expect(ask({ domain: 1 })).rejects.toThrow(/^domain: expected true or false, got 1/);
  await expect(ask({ method: "ibp" })).rejects.toThrow(RangeError);
  const deep = machineOf(rows, [1, 2, 3], 0, ntk({ depth: 3 }));
  await expect(machineBounds(deep, rows, 0.1, { method: "linear" })).rejects.toThrow(
    /^method: expected "interval" or "b/,
  );
  await expect(machineBounds(deep, rows, 0.1, { norm: "l2" })).rejects.toThrow(/^norm: expected "linf" .*, got "l2"$/);
});

it("kernels without a bound are refused with an UnsupportedKernelError of their name, the method and those that serve", async () => {
  const rows = randomData(3, 4, 1);
  const without = [
    ntk({ biasVariance: 0.1 }),
    ntk({ activation: "erf" }),
    nngp({ activation: "sine", depth: 2 }),
    scaleKernel(2, ntk()),
    sumKernels(ntk(), nngp()),
    productKernels(ntk(), nngp()),
  ];
  for (const kernel of without)
    for (const method of MACHINE_METHODS) {
      const refused = machineBounds(machineOf(rows, [1, 2, 3], 0, kernel), rows, 0.1, { method });
      await expect(refused).rejects.toThrow(UnsupportedKernelError);
      await expect(refused).rejects.toMatchObject({ kernel: describeKernel(kernel), method, methods: [] });
      await expect(refused).rejects.toThrow(`"${method}" for the kernel ${describeKernel(kernel)}`);
    }
  for (const kernel of [ntk({ depth: 2 }), ntk({ activation: "leaky-relu" })]) {
    const refused = machineBounds(machineOf(rows, [1, 2, 3], 0, kernel), rows, 0.1, { method: "linear" });
    await expect(refused).rejects.toMatchObject({ method: "linear", methods: ["interval", "best"] });
  }
});

it("bounds of nested balls shrink towards the centre, hold whatever the given ones held, and lose nothing", () => {
  const end = fc.double({ min: -10, max: 10, noNaN: true });
  // A value that lies within the bounds of every ball from some radius on is one that a smaller ball may take.
  const balls = fc.array(
    fc.tuple(end, fc.double({ min: 0, max: 5, noNaN: true }), fc.double({ min: 0, max: 5, noNaN: true })),
    {
      minLength: 1,
      maxLength: 8,
    },
  );
  fc.assert(
    fc.property(balls, (given) => {
      const lower = Float64Array.from(given, ([middle, below]) => middle - below);
      const upper = Float64Array.from(given, ([middle, , above]) => middle + above);
      const tight = nestedBounds({ lower, upper });
      for (let k = 0; k < given.length; k++) {
        expect(tight.lower[k]).toBe(Math.max(...lower.slice(k)));
        expect(tight.upper[k]).toBe(Math.min(...upper.slice(k)));
      }
    }),
  );
  expect(() => nestedBounds({ lower: new Float64Array(2), upper: new Float64Array(1) })).toThrow(/^upper: expected 2/);
  expect(() => nestedBounds({ lower: [1] } as never)).toThrow(TypeError);
});
