// Certified radii: verified, as large as the bound allows, never above an attack; reports.
import fc from "fast-check";
import { expect, it } from "vitest";
import { intervalBounds } from "../../sdk/certify/bounds.js";
import { certify, certifySamples } from "../../sdk/certify/certify.js";
import type { MachineMethod } from "../../sdk/certify/method.js";
import { summarize } from "../../sdk/certify/report.js";
import { formatRadius, reportToJson, reportToTsv } from "../../sdk/certify/report-file.js";
import { chooseSamples } from "../../sdk/certify/samples.js";
import { dataset } from "../../sdk/data/dataset.js";
import { mnist } from "../../sdk/data/mnist.js";
import { ntk } from "../../sdk/kernels/kernel.js";
import { krr } from "../../sdk/machines/krr.js";
import { Machine } from "../../sdk/machines/machine.js";
import { svm } from "../../sdk/machines/svm.js";
import { normal, oracle, randomData, runtimeAt, uniform } from "../helpers.js";

const runtime = await runtimeAt("simd", 2);
const digits = await mnist({ digits: [0, 1] });
const machine = await svm({ kernel: ntk(), c: 15.625 }).fit(
  digits.train.subset(Array.from({ length: 1000 }, (_, k) => k)),
  { runtime },
);
const inputs = digits.test.subset(Array.from({ length: 60 }, (_, k) => k * 30));

it("each radius keeps the sign of g by the bound itself, and 1.00001 of it does not (or the bracket ends)", async () => {
  const report = await certify(machine, inputs, { runtime });
  expect(report.correct).toBeGreaterThan(55);
  const radii = report.perSample.map(({ radius }) => radius);
  const at = await intervalBounds(machine, inputs, radii, { runtime });
  const beyond = await intervalBounds(
    machine,
    inputs,
    radii.map((radius) => radius * 1.00001),
    { runtime },
  );
  report.perSample.forEach(({ prediction, radius, margin }, k) => {
    const lower = prediction > 0 ? at.lower[k] : -(at.upper[k] ?? Number.NaN);
    expect(lower).toBeGreaterThan(0);
    expect(margin).toBe(lower);
    expect(prediction > 0 ? beyond.lower[k] : -(beyond.upper[k] ?? Number.NaN)).toBeLessThanOrEqual(0);
    expect(radius).toBeGreaterThan(0);
  });
});

it("agrees with mpmath's bisection on MNIST to 2e-6 of the radius, from below", async () => {
  const { train, ridge } = oracle("mnist");
  const rows = digits.train.subset(train);
  const fitted = await krr({ kernel: ntk(), lambda: ridge.lambda }).fit(rows, { runtime });
  const exact = new Machine({ ...fitted, alpha: Float64Array.from(ridge.alpha), rows: fitted.rows });
  const report = await certify(exact, digits.test.subset(ridge.test), { runtime });
  report.perSample.forEach(({ radius, decision }, k) => {
    expect(radius).toBeLessThanOrEqual(ridge.intervalRadius[k]);
    expect(radius).toBeGreaterThan(ridge.intervalRadius[k] * (1 - 2e-6));
    expect(Math.abs(decision / ridge.g[k] - 1)).toBeLessThan(1e-12);
  });
});

it("on random machines, of either sign and with a bias: every radius is proved by the bound at it, none can be 2 tolerances larger", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 0, max: 1e6 }),
      fc.constantFrom(1e-9, 1e-6, 1e-3, 0.1),
      fc.constantFrom([0, 0.3] as const, [0, 1e-4] as const, [0.01, 5] as const, [0, 1e3] as const),
      fc.boolean(),
      async (n, d, seed, tolerance, bracket, pixels) => {
        const gauss = normal(uniform(seed));
        const rows = randomData(n, d, seed, pixels);
        const own = new Machine({
          machine: "krr",
          parameters: {},
          kernel: ntk(),
          rows: { n, d, x: rows.x, scale: rows.scale },
          alpha: Float64Array.from({ length: n }, gauss),
          bias: seed % 3 === 0 ? 0 : gauss(),
          training: {},
          dataHash: "",
          dataName: "",
        });
        const points = randomData(8, d, seed + 1, pixels);
        const { perSample } = await certify(own, points, { runtime, tolerance, bracket });
        const radii = perSample.map(({ radius }) => radius);
        const beyond = radii.map((radius) => Math.min(bracket[1], Math.max(radius * (1 + 2 * tolerance), 1e-10)));
        const [at, out] = [
          await intervalBounds(own, points, radii, { runtime }),
          await intervalBounds(own, points, beyond, { runtime }),
        ];
        const g = await own.decisionFunction(points, { runtime });
        perSample.forEach((certificate, k) => {
          const { prediction, radius, margin, decision, label, correct, verdict } = certificate;
          const signed = ({ lower, upper }: typeof at) => (decision < 0 ? -(upper[k] ?? 0) : (lower[k] ?? 0));
          expect(Math.abs(decision - (g[k] ?? Number.NaN))).toBeLessThanOrEqual(1e-13 * (n + 1));
          expect(correct).toBe(prediction === label);
          if (prediction === 0) {
            // Not even the sign at the centre is proved.
            expect([radius, verdict, signed(at) > 0]).toEqual([0, "abstained", false]);
            return;
          }
          expect(prediction).toBe(Math.sign(decision));
          expect(verdict).toBe(correct ? "certified" : "misclassified");
          expect(signed(at)).toBeGreaterThan(0);
          expect(margin).toBe(signed(at));
          expect(radius).toBeLessThanOrEqual(bracket[1]);
          if (radius < bracket[1]) expect(signed(out)).toBeLessThanOrEqual(0);
        });
      },
    ),
    { numRuns: 60 },
  );
});

it("an input whose g is 0 is abstained on: radius 0, not correct, and no part of the aggregates", async () => {
  const black = dataset({ x: new Uint8Array(784), y: [1], shape: [1, 784] });
  const report = await certify(machine, black, { runtime });
  expect(report.perSample[0]).toMatchObject({ prediction: 0, radius: 0, verdict: "abstained", correct: false });
  expect(report).toMatchObject({ samples: 1, correct: 0, accuracy: 0 });
  expect(report.radius).toEqual({ mean: null, std: null, median: null, min: null, max: null });
  expect(JSON.parse(reportToJson(report)).radius.mean).toBeNull();
});

it("a sign attack never succeeds inside a certified radius, and does succeed well outside", async () => {
  const { perSample } = await certify(machine, inputs, { runtime });
  const d = inputs.d;
  const twin = new Machine({
    ...machine,
    rows: { ...machine.rows, x: Float64Array.from(machine.rows.x, (v) => v / 255), scale: 1 },
  });
  let broken = 0;
  for (const { radius, prediction } of perSample.slice(0, 12)) {
    const k = perSample.findIndex((own) => own.radius === radius);
    const x0 = Float64Array.from(inputs.x.subarray(k * d, (k + 1) * d), (v) => v / 255);
    // Gradient by central differences: independent of the core's slopes.
    const probes = new Float64Array(2 * d * d);
    for (let c = 0; c < d; c++)
      for (const [s, sign] of [
        [0, 1],
        [1, -1],
      ] as const) {
        probes.set(x0, (2 * c + s) * d);
        probes[(2 * c + s) * d + c] = (x0[c] ?? 0) + sign * 1e-4;
      }
    const g = await twin.decisionFunction({ n: 2 * d, d, x: probes, scale: 1 }, { runtime });
    const steps = [radius, radius / 2, 0.6].map((delta) =>
      x0.map((v, c) => v - delta * prediction * Math.sign((g[2 * c] ?? 0) - (g[2 * c + 1] ?? 0))),
    );
    const attacked = await twin.decisionFunction(
      { n: steps.length, d, x: Float64Array.from(steps.flatMap((row) => Array.from(row))), scale: 1 },
      { runtime },
    );
    expect(Math.sign(attacked[0] ?? 0)).toBe(prediction);
    expect(Math.sign(attacked[1] ?? 0)).toBe(prediction);
    if (Math.sign(attacked[2] ?? 0) !== prediction) broken++;
  }
  expect(broken).toBeGreaterThan(6);
});

it("0, 1, 2 and 3 threads give the same certificates; a tighter tolerance only adds to a radius", async () => {
  const plain = async (threads: number) => {
    const own = await runtimeAt("simd", threads);
    const { perSample } = await certify(machine, inputs, { runtime: own });
    await own.close();
    return perSample.map(({ seconds, ...rest }) => rest);
  };
  const all = [await plain(0), await plain(1), await plain(2), await plain(3)];
  for (const certificates of all) expect(certificates).toEqual(all[0]);
  const rough = await certify(machine, inputs, { runtime, tolerance: 0.01 });
  rough.perSample.forEach(({ radius }, k) => {
    const fine = all[0]?.[k]?.radius ?? 0;
    expect(radius).toBeLessThanOrEqual(fine * (1 + 1e-6));
    expect(radius).toBeGreaterThanOrEqual(fine * 0.98);
  });
});

it("a bracket that ends below the radius is certified to its end; samples are the first N, or drawn by the seed", async () => {
  const { perSample } = await certify(machine, inputs, { runtime, bracket: [0, 1e-5], samples: 3 });
  expect(perSample.map(({ index, radius }) => [index, radius])).toEqual([
    [0, 1e-5],
    [1, 1e-5],
    [2, 1e-5],
  ]);
  const drawn = await chooseSamples(100, { random: 10 }, 4, { runtime });
  expect(new Set(drawn).size).toBe(10);
  expect(await chooseSamples(100, { random: 10 }, 4, { runtime })).toEqual(drawn);
  expect(await chooseSamples(100, { random: 10 }, 5, { runtime })).not.toEqual(drawn);
  expect(Array.from(await chooseSamples(5, 100))).toEqual([0, 1, 2, 3, 4]);
});

it("leaving the loop early keeps what came out and gives the memory back; a signal stops it with its reason", async () => {
  const before = runtime.memory.bytesInUse;
  const found = [];
  for await (const certificate of certifySamples(machine, inputs, { runtime })) {
    found.push(certificate);
    if (found.length === 5) break;
  }
  expect(found).toHaveLength(5);
  expect(runtime.memory.bytesInUse).toBe(before);
  const signal = AbortSignal.abort(new Error("enough"));
  await expect(certify(machine, inputs, { runtime, signal })).rejects.toThrow("enough");
  expect(runtime.memory.bytesInUse).toBe(before);
});

it("a report's aggregates follow from its samples, and its TSV and JSON read back", async () => {
  const report = await certify(machine, inputs, { runtime });
  const radii = report.perSample.filter(({ correct }) => correct).map(({ radius }) => radius);
  const mean = radii.reduce((a, b) => a + b) / radii.length;
  expect(report.radius.mean).toBeCloseTo(mean, 15);
  expect(report.radius.std).toBeCloseTo(
    Math.sqrt(radii.reduce((s, r) => s + r * r, 0) / radii.length - mean * mean),
    9,
  );
  const sorted = [...radii].sort((a, b) => a - b);
  const half = sorted.length / 2;
  const median = ((sorted[Math.ceil(half) - 1] ?? 0) + (sorted[Math.floor(half)] ?? 0)) / 2;
  expect([report.radius.min, report.radius.median, report.radius.max]).toEqual([sorted[0], median, sorted.at(-1)]);
  expect(report).toMatchObject({ samples: inputs.n, correct: radii.length, method: "interval", norm: "linf" });
  expect(report.metadata).toMatchObject({ complete: true, machine: "svm", bracket: [0, 0.3], tolerance: 1e-6 });
  expect(report.metadata.modelHash).toBe(await machine.hash());
  expect(report.metadata.dataHash).toBe(await inputs.hash());
  expect(report.accuracy).toBe(radii.length / inputs.n);
  for (const { epsilon, accuracy } of report.certifiedAccuracy)
    expect(accuracy).toBe(radii.filter((radius) => radius >= epsilon).length / inputs.n);
  const [header, ...lines] = reportToTsv(report, { timing: true }).trimEnd().split("\n");
  expect(header).toBe("index\tlabel\tprediction\tdecision\tradius\tcorrect\tverdict\tseconds");
  const columns = header?.split("\t") ?? [];
  const read = lines.map((line) => Object.fromEntries(line.split("\t").map((text, k) => [columns[k], text])));
  report.perSample.forEach((certificate, k) => {
    const { index, label, prediction, decision, radius, seconds } = certificate;
    const numbers = [index, label, prediction, decision, radius, seconds];
    const names = ["index", "label", "prediction", "decision", "radius", "seconds"];
    expect(names.map((name) => Number(read[k]?.[name]))).toEqual(numbers);
    expect([read[k]?.correct, read[k]?.verdict]).toEqual([String(certificate.correct), certificate.verdict]);
  });
  expect(JSON.parse(reportToJson(report, { timing: true }))).toEqual(JSON.parse(JSON.stringify(report)));
  expect(summarize([])).toEqual({ mean: null, std: null, median: null, min: null, max: null });
});

it("formatRadius never rounds up and loses less than one unit of the last digit", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1e-300, max: 1e6, noNaN: true }),
      fc.integer({ min: 1, max: 15 }),
      (radius, digits) => {
        const printed = Number(formatRadius(radius, digits));
        expect(printed).toBeLessThanOrEqual(radius);
        expect(printed).toBeGreaterThan(radius * (1 - 1.0001 * 10 ** (1 - digits)) - 1e-320);
      },
    ),
    { numRuns: 5000 },
  );
  expect(formatRadius(0)).toBe("0");
  expect(formatRadius(Number.NaN)).toBe("0");
});

it("names bad arguments", async () => {
  const refuse = (options: object) => expect(certify(machine, inputs, { runtime, ...options }));
  await refuse({ method: "magic" }).rejects.toThrow(/^method: expected "interval"/);
  await refuse({ bracket: [0.3, 0.1] }).rejects.toThrow(/^bracket: expected low < high/);
  await refuse({ bracket: [-1, 1] }).rejects.toThrow(/^bracket\[0\]/);
  await refuse({ tolerance: 0 }).rejects.toThrow(/^tolerance/);
  await refuse({ samples: 0 }).rejects.toThrow(/^samples/);
  await refuse({ samples: "some" }).rejects.toThrow(/^samples/);
  await refuse({ samples: { random: 2 }, seed: -1 }).rejects.toThrow(/^seed/);
  await expect(certify(machine, randomData(3, 2, 1), { runtime })).rejects.toThrow(RangeError);
  for (const bad of [null, 1, "x", {}]) await expect(certify(bad as never, inputs)).rejects.toThrow(TypeError);
  const deep = await svm({ kernel: ntk({ depth: 3 }), c: 1 }).fit(inputs, { runtime });
  await expect(certify(deep, inputs, { runtime, method: "linear" })).rejects.toThrow(/^method: expected "interval" or/);
});

it("tighter methods certify more: five times interval < linear, 1.1 linear < curvature = best < 2 linear", async () => {
  const few = inputs.subset([0, 1, 2, 3, 4, 5]);
  const radiiOf = async (method: MachineMethod) =>
    (await certify(machine, few, { runtime, method })).perSample.map(({ radius }) => radius);
  const [interval, linear, curvature, best] = await Promise.all([
    radiiOf("interval"),
    radiiOf("linear"),
    radiiOf("curvature"),
    radiiOf("best"),
  ]);
  expect(best).toEqual(curvature);
  linear.forEach((radius, k) => {
    expect(radius).toBeGreaterThan(5 * (interval[k] ?? Number.NaN));
    expect(curvature[k]).toBeGreaterThan(1.1 * radius);
    expect(curvature[k]).toBeLessThan(2 * radius);
  });
});

it("proofs cost less than 1e-5 of a radius by rounding and 1e-3 by verified semidefiniteness, and never give more (1e-7: search)", async () => {
  const few = inputs.subset([0, 7, 30]);
  for (const method of ["interval", "linear", "curvature"] as const) {
    const radiiOf = async (soundness: "rigorous-f64" | "estimate-f64") =>
      (await certify(machine, few, { runtime, method, soundness, tolerance: 1e-7 })).perSample.map(
        ({ radius }) => radius,
      );
    const proved = await radiiOf("rigorous-f64");
    const estimated = await radiiOf("estimate-f64");
    proved.forEach((radius, k) => {
      expect(radius).toBeLessThanOrEqual((estimated[k] ?? Number.NaN) * (1 + 2e-7));
      expect(radius).toBeGreaterThan((estimated[k] ?? Number.NaN) * (1 - (method === "curvature" ? 1e-3 : 1e-5)));
    });
  }
});

it("an estimate leaves nothing behind: proofs after it are the same to the bit", async () => {
  const few = inputs.subset([1, 2]);
  const proof = () => certify(machine, few, { runtime, method: "linear" });
  const before = await proof();
  await certify(machine, few, { runtime, method: "linear", soundness: "estimate-f64" });
  const after = await proof();
  expect(after.perSample.map(({ radius, margin }) => [radius, margin])).toEqual(
    before.perSample.map(({ radius, margin }) => [radius, margin]),
  );
});

it("inside the image domain more is certified, by every method that knows it", async () => {
  const few = inputs.subset([0, 1, 2, 3]);
  for (const method of ["linear", "curvature"] as const) {
    const free = await certify(machine, few, { runtime, method });
    const inside = await certify(machine, few, { runtime, method, domain: true });
    inside.perSample.forEach(({ radius }, k) => {
      expect(radius).toBeGreaterThan(1.02 * (free.perSample[k]?.radius ?? Number.NaN));
    });
    expect(inside.metadata.domain).toBe("[0, 1]");
  }
});
