// Attacks: what is found is adversarial, no nearer than any certificate, as near as it can be where that is known.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AttackOptions, attack, attackSamples } from "../../../sdk/certify/attacks/attack.js";
import { attackReportToJson } from "../../../sdk/certify/attacks/report.js";
import { certify } from "../../../sdk/certify/certify.js";
import { NORMS, type Norm } from "../../../sdk/certify/method.js";
import { type Dataset, dataset } from "../../../sdk/data/dataset.js";
import { mnist } from "../../../sdk/data/mnist.js";
import { ntk } from "../../../sdk/kernels/kernel.js";
import type { Machine } from "../../../sdk/machines/machine.js";
import { svm } from "../../../sdk/machines/svm.js";
import { NetworkModel, trainNetwork } from "../../../sdk/networks/model.js";
import { network } from "../../../sdk/networks/network.js";
import { normal, randomData, runtimeAt, uniform } from "../../helpers.js";
import { machineOf } from "../sampler.js";

const runtime = await runtimeAt("simd", 2);
const digits = await mnist({ digits: [0, 1] });
const rows = digits.train.subset(Array.from({ length: 600 }, (_, k) => k));
const machine = await svm({ kernel: ntk(), c: 15.625 }).fit(rows, { runtime });
const inputs = digits.test.subset([0, 500, 1000, 1500]);

function distance(norm: Norm, a: Float64Array, b: Float64Array): number {
  const w = a.map((v, k) => Math.abs(v - (b[k] ?? 0)));
  if (norm === "linf") return Math.max(...w);
  return norm === "l2" ? Math.hypot(...w) : w.reduce((sum, v) => sum + v, 0);
}

const real = ({ x, d, scale }: Dataset, i: number) =>
  Float64Array.from(x.subarray(i * d, (i + 1) * d), (v) => v * scale);

/** g and sum |alpha_i| Theta's scale by JavaScript's own arccos: independent of the core. */
function valueAt({ rows: own, alpha, bias }: Machine, x: Float64Array) {
  const { n, d, scale } = own;
  const r = Math.hypot(...x);
  let g = bias;
  let size = Math.abs(bias);
  for (let i = 0; i < n; i++) {
    const row = Array.from(own.x.subarray(i * d, (i + 1) * d), (v) => v * scale);
    const q = r * Math.hypot(...row);
    if (q === 0) continue;
    const u = Math.min(1, Math.max(-1, row.reduce((sum, v, k) => sum + v * (x[k] ?? 0), 0) / q));
    g += (alpha[i] ?? 0) * (q / (2 * Math.PI * d)) * (2 * u * (Math.PI - Math.acos(u)) + Math.sqrt(1 - u * u));
    size += (Math.abs(alpha[i] ?? 0) * q) / d;
  }
  return { g, size };
}

function randomMachine(seed: number, d: number, pixels: boolean) {
  const gauss = normal(uniform(seed));
  const own = randomData(1 + (seed % 17), d, seed, pixels);
  return machineOf(own, Array.from({ length: own.n }, gauss), seed % 3 === 0 ? 0 : 0.1 * gauss());
}

it("on random machines: every adversarial input lies in the domain, at no more than its radius, and has the other sign by JavaScript's arccos (to 1e-7 of the terms: its loss at small angles)", async () => {
  let found = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.nat(1e6),
      fc.integer({ min: 1, max: 20 }),
      fc.constantFrom(...NORMS),
      fc.boolean(),
      fc.boolean(),
      fc.constantFrom("pgd", "fgsm"),
      async (seed, d, norm, domain, pixels, method) => {
        const own = randomMachine(seed, d, pixels);
        const points =
          pixels || !domain
            ? randomData(4, d, seed + 1, pixels)
            : dataset({ x: Float64Array.from({ length: 4 * d }, uniform(seed)), y: [1, 1, -1, -1], shape: [4, d] });
        const report = await attack(own, points, { runtime, norm, domain, method, limit: 50, steps: 10 });
        for (const sample of report.perSample) {
          const { adversarial, radius, failed, prediction, output, verdict, index } = sample;
          if (adversarial === null || radius === null) {
            expect([radius, adversarial, output]).toEqual([null, null, null]);
            expect(["withstood", "misclassified", "abstained"]).toContain(verdict);
            continue;
          }
          found++;
          const exact = distance(norm, adversarial, real(points, index));
          expect(radius).toBeGreaterThanOrEqual(exact * (1 - 1e-13));
          expect(radius).toBeLessThanOrEqual(exact * (1 + 1e-13) + 1e-15 * d);
          expect(failed).toBeLessThan(radius);
          if (domain) expect(adversarial.every((v) => v >= 0 && v <= 1)).toBe(true);
          const { g, size } = valueAt(own, adversarial);
          expect(g * prediction).toBeLessThanOrEqual(1e-7 * size);
          expect(prediction > 0 ? (output?.upper ?? 1) < 0 : (output?.lower ?? -1) > 0).toBe(true);
          expect(g).toBeGreaterThanOrEqual((output?.lower ?? Number.NaN) - 1e-7 * size);
          expect(g).toBeLessThanOrEqual((output?.upper ?? Number.NaN) + 1e-7 * size);
        }
      },
    ),
    { numRuns: 120 },
  );
  expect(found).toBeGreaterThan(100);
});

it("on random machines no attack succeeds below a certified radius, in any norm, inside the domain or not", async () => {
  let pairs = 0;
  await fc.assert(
    fc.asyncProperty(fc.nat(1e6), fc.integer({ min: 1, max: 12 }), fc.boolean(), async (seed, d, pixels) => {
      const own = randomMachine(seed, d, pixels);
      const points = pixels
        ? randomData(6, d, seed + 1, true)
        : dataset({ x: Float64Array.from({ length: 6 * d }, uniform(seed)), y: [1, 1, 1, -1, -1, -1], shape: [6, d] });
      for (const norm of NORMS)
        for (const domain of [false, true]) {
          const method = norm === "linf" && !domain ? "interval" : "linear";
          const options = { runtime, norm, domain, bracket: [0, 5] as const };
          const certificates = (await certify(own, points, { ...options, method })).perSample;
          const attacks = (await attack(own, points, { runtime, norm, domain, steps: 10 })).perSample;
          attacks.forEach(({ radius, prediction }, k) => {
            // Either may leave a sign open that the other proves; none proves the other one.
            expect(prediction * (certificates[k]?.prediction ?? Number.NaN)).toBeGreaterThanOrEqual(0);
            if (radius === null) return;
            pairs++;
            expect(radius).toBeGreaterThan(certificates[k]?.radius ?? Number.NaN);
          });
        }
    }),
    { numRuns: 40 },
  );
  expect(pairs).toBeGreaterThan(200);
});

describe("finds the exact minimum where it is known, to 1e-4 and never below", () => {
  it("one training row: g = alpha q h(u) is 0 on the cone at arccos(-0.39423...), r sin of the angle to it away in l2", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1e6), fc.integer({ min: 2, max: 20 }), async (seed, d) => {
        const gauss = normal(uniform(seed));
        const row = Float64Array.from({ length: d }, gauss);
        const own = machineOf(dataset({ x: row, y: [1], shape: [1, d] }), [gauss()]);
        const x = Float64Array.from({ length: d }, gauss);
        const r = Math.hypot(...x);
        const angle = Math.acos(row.reduce((sum, v, k) => sum + v * (x[k] ?? 0), 0) / (r * Math.hypot(...row)));
        // The zero of h(u) = 2u(pi - arccos u) + sqrt(1 - u^2), from mpmath.
        const gap = Math.abs(Math.acos(-0.3942348686727464) - angle);
        if (gap > 1.5 || gap < 1e-3 || angle < 0.05) return;
        const report = await attack(own, dataset({ x, y: [1], shape: [1, d] }), { runtime, norm: "l2" });
        const radius = report.perSample[0]?.radius ?? Number.NaN;
        expect(radius).toBeGreaterThanOrEqual(r * Math.sin(gap) * (1 - 1e-12));
        expect(radius).toBeLessThanOrEqual(r * Math.sin(gap) * (1 + 1e-4));
      }),
      { numRuns: 60 },
    );
  });

  it.each(NORMS)(
    "a network of two neurons that stay active is linear: |f| / dual norm of its slope, %s",
    async (norm) => {
      const d = 6;
      const next = uniform(3);
      const hidden = Float32Array.from({ length: 2 * d }, () => 0.5 + next());
      const x = Float64Array.from({ length: d }, () => 10 + 0.2 * next());
      const active = (j: number) => x.reduce((sum, v, k) => sum + v * (hidden[2 * k + j] ?? 0), 0);
      // Nearly balanced, so that the boundary is near and both neurons are far from their kinks.
      const output = Float32Array.of(1, (-0.99 * active(0)) / active(1));
      const model = new NetworkModel({
        spec: network({ widths: [2], parameterization: "lecun" }),
        inputs: d,
        weights: { hidden: [hidden], output },
        centred: false,
        eightBit: false,
        scale: 1,
        loss: "hinge",
        parameters: {},
        history: [],
        dataHash: "",
        dataName: "",
      });
      const slope = x.map((_, k) => (hidden[2 * k] ?? 0) + (output[1] ?? 0) * (hidden[2 * k + 1] ?? 0));
      const f = slope.reduce((sum, v, k) => sum + v * (x[k] ?? 0), 0);
      const dual = { linf: "l1", l2: "l2", l1: "linf" } as const;
      const exact = Math.abs(f) / distance(dual[norm], slope, new Float64Array(d));
      for (const method of ["pgd", "fgsm"] as const) {
        const tolerance = 1e-5;
        const report = await attack(model, dataset({ x, y: [1], shape: [1, d] }), { runtime, norm, method, tolerance });
        const radius = report.perSample[0]?.radius ?? Number.NaN;
        expect(radius).toBeGreaterThanOrEqual(exact * (1 - 1e-12));
        expect(radius).toBeLessThanOrEqual(exact * (1 + 1e-4));
      }
    },
  );
});

it("on MNIST the search is no farther than FGSM, more restarts and steps gain below 1%, the domain never helps", async () => {
  for (const norm of NORMS) {
    const radii = async (options: AttackOptions) =>
      (await attack(machine, inputs, { runtime, norm, ...options })).perSample.map(
        ({ radius }) => radius ?? Number.NaN,
      );
    const [plain, fast, strong, inside] = [
      await radii({}),
      await radii({ method: "fgsm" }),
      await radii({ restarts: 12, steps: 120, tolerance: 1e-3, seed: 7 }),
      await radii({ domain: true }),
    ];
    plain.forEach((radius, k) => {
      expect(radius).toBeLessThanOrEqual((fast[k] ?? 0) * (1 + 1e-3));
      expect(radius).toBeLessThanOrEqual((strong[k] ?? 0) * (norm === "l1" ? 1.05 : 1.01));
      expect(inside[k]).toBeGreaterThanOrEqual(radius * (norm === "l1" ? 0.95 : 0.99));
    });
  }
});

it("0, 1, 2 and 3 threads and any choice of samples give the same bits", async () => {
  const run = async (threads: number, options: AttackOptions = {}) => {
    const own = await runtimeAt("simd", threads);
    const { perSample } = await attack(machine, inputs, { runtime: own, ...options });
    await own.close();
    return perSample.map(({ seconds, ...rest }) => rest);
  };
  const all = [await run(0), await run(1), await run(2), await run(3)];
  for (const samples of all) expect(samples).toEqual(all[0]);
  expect(await run(2, { samples: 2 })).toEqual(all[0]?.slice(0, 2));
});

it("deep kernels are attacked too, as an estimate; what they decide at the point changed", async () => {
  const deep = await svm({ kernel: ntk({ depth: 3, biasVariance: 0.1 }), c: 1 }).fit(
    rows.subset([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
    { runtime },
  );
  const { perSample } = await attack(deep, inputs, { runtime });
  for (const { evaluation, radius, output, prediction } of perSample) {
    expect(evaluation).toBe("estimate");
    expect(radius).toBeGreaterThan(0);
    expect(Math.sign(output?.lower ?? 0)).toBe(-prediction);
  }
});

it("networks: adversarial inputs of f - f_0(x0) and of f - f_0(x), by the network's own float32 outputs to 1e-4", async () => {
  const data = randomData(60, 10, 2, true);
  const model = await trainNetwork(network({ widths: [30, 20], seed: 2 }), data, {
    runtime,
    epochs: 20,
    batch: 16,
    learningRate: 0.2,
  });
  const twin = new NetworkModel({ ...model, eightBit: false, scale: 1 });
  const plain = new NetworkModel({ ...twin, centred: false });
  const f0 = async (x: Float64Array) => {
    const set = { n: 1, d: 10, x, scale: 1 };
    return ((await plain.outputs(set, { runtime }))[0] ?? 0) - ((await twin.outputs(set, { runtime }))[0] ?? 0);
  };
  let found = 0;
  for (const offset of ["frozen", "difference"] as const) {
    const { perSample } = await attack(model, data, { runtime, offset, samples: 12 });
    const certified = await certify(model, data, {
      runtime,
      samples: 12,
      method: offset === "frozen" ? "ibp" : "ibp-difference",
    });
    for (const [k, { adversarial, prediction, index, radius }] of perSample.entries()) {
      if (adversarial === null || radius === null) continue;
      found++;
      expect(radius).toBeGreaterThan(certified.perSample[k]?.radius ?? Number.NaN);
      const f = (await plain.outputs({ n: 1, d: 10, x: adversarial, scale: 1 }, { runtime }))[0] ?? Number.NaN;
      const centre = await f0(offset === "frozen" ? real(data, index) : adversarial);
      expect((f - centre) * prediction).toBeLessThan(1e-4);
    }
  }
  expect(found).toBeGreaterThan(12);
});

it("a limit below the nearest adversarial input withstands; an input whose g is 0 is not attacked", async () => {
  const report = await attack(machine, inputs, { runtime, limit: 1e-3 });
  for (const { verdict, radius, failed } of report.perSample)
    expect([verdict, radius, failed]).toEqual(["withstood", null, 1e-3]);
  expect(report.robustAccuracy).toEqual([{ epsilon: 0, accuracy: 1 }]);
  const black = dataset({ x: new Uint8Array(784), y: [1], shape: [1, 784] });
  const { perSample } = await attack(machine, black, { runtime });
  expect(perSample[0]).toMatchObject({ prediction: 0, verdict: "abstained", radius: null, correct: false });
});

it("a report's figures follow from its samples; JSON leaves the inputs out", async () => {
  const report = await attack(machine, inputs, { runtime, domain: true });
  const radii = report.perSample.filter(({ correct }) => correct).map(({ radius }) => radius ?? 0);
  expect(report.radius.mean).toBeCloseTo(radii.reduce((a, b) => a + b) / radii.length, 14);
  expect(report).toMatchObject({
    samples: 4,
    correct: radii.length,
    attacked: radii.length,
    method: "pgd",
    norm: "linf",
  });
  for (const { epsilon, accuracy } of report.robustAccuracy)
    expect(accuracy).toBe(radii.filter((radius) => radius > epsilon).length / 4);
  const read = JSON.parse(attackReportToJson(report));
  expect(read.perSample[0].radius).toBe(report.perSample[0]?.radius);
  expect("adversarial" in read.perSample[0]).toBe(false);
  expect(read.metadata).toMatchObject({ domain: "[0, 1]", seed: 0, restarts: 4, steps: 40, evaluation: "rigorous" });
});

it("leaving the loop early gives the memory back; a signal stops it with its reason", async () => {
  const before = runtime.memory.bytesInUse;
  for await (const sample of attackSamples(machine, inputs, { runtime })) {
    expect(sample.index).toBe(0);
    break;
  }
  expect(runtime.memory.bytesInUse).toBe(before);
  const signal = AbortSignal.abort(new Error("enough"));
  await expect(attack(machine, inputs, { runtime, signal })).rejects.toThrow("enough");
  expect(runtime.memory.bytesInUse).toBe(before);
});

it("names bad arguments", async () => {
  const refuse = (options: object) => expect(attack(machine, inputs, { runtime, ...options }));
  await refuse({ norm: "l3" }).rejects.toThrow(/^norm: expected "linf"/);
  await refuse({ domain: 1 }).rejects.toThrow(/^domain: expected true or false/);
  await refuse({ method: "magic" }).rejects.toThrow(/^method/);
  await refuse({ schedule: "cosine" }).rejects.toThrow(/^schedule/);
  await refuse({ offset: "none" }).rejects.toThrow(/^offset/);
  for (const [name, bad] of Object.entries({
    restarts: 1,
    steps: 0,
    step: 0,
    momentum: 1,
    tolerance: 0,
    limit: 0,
    seed: -1,
    samples: 0,
  }))
    await refuse({ [name]: bad }).rejects.toThrow(new RegExp(`^${name}`));
  for (const bad of [null, 1, "x", {}]) await expect(attack(bad as never, inputs)).rejects.toThrow(TypeError);
  await expect(attack(machine, randomData(3, 2, 1), { runtime })).rejects.toThrow(RangeError);
  const outside = dataset({ x: Float64Array.of(0.5, 2), y: [1], shape: [1, 2] });
  const small = machineOf(outside, [1]);
  await expect(attack(small, outside, { runtime, domain: true })).rejects.toThrow(
    /^domain: expected entries in \[0, 1\], got 2 in row 0/,
  );
});
