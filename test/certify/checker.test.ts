// The checker of reports: it proves genuine reports again, by every method that it knows, and names what is wrong in each
// of a list of forgeries. Its arithmetic and functions are in checker-functions.test.ts.
import { beforeAll, describe, expect, it } from "vitest";
import { attack } from "../../sdk/certify/attacks/attack.js";
import { writeCounterexamples } from "../../sdk/certify/attacks/counterexamples.js";
import { certify } from "../../sdk/certify/certify.js";
import { checkCertificates } from "../../sdk/certify/checker/check.js";
import type { SavedReport } from "../../sdk/certify/report.js";
import { readReport, reportToJson } from "../../sdk/certify/report-file.js";
import { type Dataset, dataset } from "../../sdk/data/dataset.js";
import { readNpz, writeNpz } from "../../sdk/data/npz.js";
import { nngp, ntk } from "../../sdk/kernels/kernel.js";
import { krr } from "../../sdk/machines/krr.js";
import { Machine } from "../../sdk/machines/machine.js";
import { svm } from "../../sdk/machines/svm.js";
import type { Runtime } from "../../sdk/runtime/runtime.js";
import { runtimeAt } from "../helpers.js";
import { pixelData, randomData } from "../seeded.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await runtimeAt("simd");
});

const saved = (report: SavedReport) => readReport(reportToJson(report));
const check = (report: SavedReport, machine: Machine, data: Dataset, counterexamples?: Uint8Array) =>
  checkCertificates(report, machine, data, { runtime, counterexamples });

const KINDS = [
  { method: "interval" },
  { method: "linear" },
  { method: "linear", domain: true },
  { method: "linear", norm: "l2" },
  { method: "linear", norm: "l1" },
  { method: "best", norm: "l2" },
  { method: "curvature", norm: "l2", domain: true },
  { method: "curvature" },
  { method: "best", domain: true },
] as const;

describe.each(KINDS)("%o", (kind) => {
  it("genuine reports hold: every radius, on 8-bit and on real rows, of ridge and support vector machines", async () => {
    for (const pixels of [true, false])
      for (const trainer of [krr({ kernel: ntk(), lambda: 0.01 }), svm({ kernel: ntk(), c: 10, bias: true })]) {
        const rows = pixels ? pixelData(40, 12, 1) : randomData(40, 12, 1);
        const data = pixels ? pixelData(25, 12, 2) : randomData(25, 12, 2);
        const machine = await trainer.fit(rows, { runtime });
        const report = await certify(machine, data, { runtime, ...kind });
        const { faults, proved } = await check(saved(report), machine, data);
        expect(faults).toEqual([]);
        expect(proved).toBe(report.perSample.filter(({ prediction }) => prediction !== 0).length);
      }
  });

  it("no radius is proved at 1.02 of what a search to 1e-3 has verified, of parabolas at that of an attack", async () => {
    const data = pixelData(20, 12, 2);
    const machine = await krr({ kernel: ntk(), lambda: 0.01 }).fit(pixelData(40, 12, 1), { runtime });
    const options = { runtime, tolerance: 1e-3, bracket: [0, 50], ...kind } as const;
    // Where parabolas touch is a matter of trying, and the checker tries more places than the core.
    const tried = kind.method === "curvature" || kind.method === "best" || "domain" in kind;
    const report = saved(await certify(machine, data, { ...options, attack: tried }));
    const perSample = report.perSample.flatMap(({ attackRadius, ratio, ...own }) => {
      const raised = tried ? attackRadius : own.radius * 1.02;
      return typeof raised === "number" && raised > 0 ? [{ ...own, radius: raised }] : [];
    });
    const { faults } = await check({ ...report, perSample }, machine, data);
    expect(perSample.length).toBeGreaterThan(15);
    for (const { index } of perSample)
      expect(faults.some((fault) => fault.startsWith(`row ${index}: radius`))).toBe(true);
  });
});

it("interval reports of deeper kernels and the NNGP hold", async () => {
  const leaky = { activation: "leaky-relu", slope: 0.2 } as const;
  for (const kernel of [
    ntk({ depth: 3 }),
    nngp({ depth: 2, weightVariance: 2 }),
    ntk(leaky),
    nngp({ depth: 3, ...leaky }),
  ]) {
    const data = pixelData(12, 9, 2);
    const machine = await krr({ kernel, lambda: 0.1 }).fit(pixelData(30, 9, 1), { runtime });
    const { faults } = await check(saved(await certify(machine, data, { runtime })), machine, data);
    expect(faults).toEqual([]);
  }
});

it("drawn samples, shards and reports with attacks beside them hold", async () => {
  const data = pixelData(25, 12, 2);
  const machine = await krr({ kernel: ntk(), lambda: 0.1 }).fit(pixelData(40, 12, 1), { runtime });
  const options = { runtime, method: "linear", seed: 3, samples: { random: 9 } } as const;
  for (const own of [options, { ...options, shard: { index: 1, count: 2 } }, { ...options, attack: true }])
    expect((await check(saved(await certify(machine, data, own)), machine, data)).faults).toEqual([]);
});

interface Forgery {
  readonly what: string;
  readonly forge: (report: SavedReport) => SavedReport;
  /** What the first fault begins with. */
  readonly names: RegExp;
}

type Sample = SavedReport["perSample"][number];

/** Changes sample 3. */
const third = (change: (sample: Sample) => Partial<Sample>) => (report: SavedReport) => ({
  ...report,
  perSample: report.perSample.map((sample, k) => (k === 3 ? { ...sample, ...change(sample) } : sample)),
});
const header = (change: object) => (report: SavedReport) => ({
  ...report,
  metadata: { ...report.metadata, ...change },
});

const FORGERIES: readonly Forgery[] = [
  {
    what: "a radius raised",
    forge: third(({ radius }) => ({ radius: radius * 1.01 })),
    names: /row 3: radius: .* is not proved/,
  },
  {
    what: "a prediction flipped",
    forge: third(({ prediction, label }) => ({ prediction: -prediction as 1, correct: -prediction === label })),
    names: /row 3: (prediction|verdict)/,
  },
  { what: "a label changed", forge: third(({ label }) => ({ label: -label })), names: /row 3: label/ },
  { what: "a verdict changed", forge: third(() => ({ verdict: "abstained" })), names: /row 3: verdict/ },
  {
    what: "a decision changed",
    forge: third(({ decision }) => ({ decision: decision * 1.001 })),
    names: /row 3: decision/,
  },
  { what: "a margin raised", forge: third(({ margin }) => ({ margin: margin + 1e-6 })), names: /row 3: margin/ },
  { what: "a mean raised", forge: (r) => ({ ...r, radius: { ...r.radius, mean: 1 } }), names: /radius\.mean/ },
  { what: "an accuracy raised", forge: (r) => ({ ...r, accuracy: r.accuracy + 0.1 }), names: /accuracy/ },
  {
    what: "a curve lifted",
    forge: (r) => ({ ...r, certifiedAccuracy: r.certifiedAccuracy.map((own) => ({ ...own, accuracy: 1 })) }),
    names: /certifiedAccuracy\[\d+\]/,
  },
  {
    what: "a sample removed",
    forge: (r) => ({ ...r, perSample: r.perSample.filter((_, k) => k !== 3) }),
    names: /perSample: row 3 is missing/,
  },
  {
    what: "a sample there twice",
    forge: (r) => ({ ...r, perSample: [...r.perSample.slice(0, 4), ...r.perSample.slice(3)] }),
    names: /perSample: row 3 is there twice/,
  },
  {
    what: "two samples swapped",
    forge: (r) => ({ ...r, perSample: [r.perSample[1]!, r.perSample[0]!, ...r.perSample.slice(2)] }),
    names: /perSample: rows are not in order/,
  },
  {
    what: "the method renamed",
    forge: (r) => ({ ...r, method: "interval" }),
    names: /metadata|row 0: (radius|margin)/,
  },
  { what: "an unknown method", forge: (r) => ({ ...r, method: "ibp" }), names: /method/ },
  { what: "the norm changed", forge: (r) => ({ ...r, norm: "l2" }), names: /row 0: margin/ },
  { what: "the domain changed", forge: header({ domain: "[0, 1]" }), names: /row \d+: margin/ },
  { what: "another version", forge: header({ version: "9.9.9" }), names: /metadata\.version/ },
  { what: "another statement", forge: header({ statement: "it is safe" }), names: /metadata\.statement/ },
  { what: "estimates sold as proofs", forge: header({ soundness: "estimate-f64" }), names: /metadata\.soundness/ },
  { what: "an interrupted run sold as complete", forge: header({ samples: 24 }), names: /perSample: row 24/ },
  {
    what: "an attack below a certificate",
    forge: third(({ radius }) => ({ attackRadius: radius / 2, ratio: 2 })),
    names: /row 3: attackRadius/,
  },
];

describe("forgeries are rejected, each by a fault that names it", () => {
  const data = pixelData(25, 12, 2);
  let machine: Machine;
  let report: SavedReport;
  beforeAll(async () => {
    machine = await krr({ kernel: ntk(), lambda: 0.01 }).fit(pixelData(40, 12, 1), { runtime });
    report = saved(await certify(machine, data, { runtime, method: "linear" }));
  });

  it.each(FORGERIES)("$what", async ({ forge, names }) => {
    const { faults } = await check(forge(report), machine, data);
    expect(faults.join("\n")).toMatch(names);
  });

  it("another model, by its hash", async () => {
    const alpha = machine.alpha.map((value, k) => (k === 0 ? value * (1 + 1e-9) : value));
    const { faults } = await check(report, new Machine({ ...machine, alpha }), data);
    expect(faults).toEqual([expect.stringMatching(/^metadata\.modelHash: expected "[0-9a-f]{64}" for this model/)]);
  });

  it("other data, by their hash", async () => {
    const x = (data.x as Uint8Array).slice();
    x[0] = (x[0] ?? 0) ^ 1;
    const other = dataset({ x, y: data.y, shape: [data.n, data.d] });
    const { faults } = await check(report, machine, other);
    expect(faults).toEqual([expect.stringMatching(/^metadata\.dataHash/)]);
  });

  it("a report for a machine whose hash was forged along with it, by what the machine decides", async () => {
    const other = new Machine({ ...machine, alpha: machine.alpha.map((value) => value * 0.5) });
    const { faults } = await check(header({ modelHash: await other.hash() })(report), other, data);
    expect(faults.some((fault) => /^row 0: decision/.test(fault))).toBe(true);
  });
});

describe("counterexamples", () => {
  const data = pixelData(10, 12, 2);
  it.each(["linf", "l2", "l1"] as const)(
    "of %s are replayed; moved, renamed or halved ones are rejected",
    async (norm) => {
      const machine = await krr({ kernel: ntk(), lambda: 0.1 }).fit(pixelData(40, 12, 1), { runtime });
      const report = saved(await certify(machine, data, { runtime, method: "linear", norm }));
      const attacked = await attack(machine, data, { runtime, norm });
      const file = writeCounterexamples(attacked, data);
      const genuine = await check(report, machine, data, file);
      expect(genuine.faults).toEqual([]);
      expect(genuine.replayed).toBe(attacked.perSample.filter(({ radius }) => radius !== null).length);
      expect(genuine.replayed).toBeGreaterThan(5);
      const forged = (name: string, change: (value: number, k: number) => number) => {
        const arrays = new Map(readNpz(file));
        const { data: values, shape } = arrays.get(name)!;
        arrays.set(name, { ...arrays.get(name)!, data: (values as Float64Array).map(change), shape });
        return check(report, machine, data, writeNpz(arrays));
      };
      const clean = Array.from(data.x, (v) => v * data.scale);
      const halved = await forged("x", (value, k) => ((clean[k] ?? 0) + value) / 2);
      expect(halved.faults.join()).toMatch(/row \d+: counterexample: it is not decided otherwise/);
      const nearer = await forged("radius", (value) => value * 0.9);
      expect(nearer.faults.join()).toMatch(/row \d+: counterexample: it is .* away, not/);
      const elsewhere = await forged("index", (value) => value + 100);
      expect(elsewhere.faults.join()).toMatch(/row 100: counterexample: the report has no such row/);
    },
  );
});
