// Ten kinds of tampering, each with a genuine report of every kind of certificate: all are rejected. What faults say is in
// checker.test.ts; a report of real digits comes last.
import { beforeAll, describe, expect, it } from "vitest";
import { counterexamplesOf, writeCounterexamples } from "../../sdk/certify/attacks/counterexamples.js";
import { type CertifyOptions, certify } from "../../sdk/certify/certify.js";
import { checkCertificates } from "../../sdk/certify/checker/check.js";
import type { SavedReport } from "../../sdk/certify/report.js";
import { readReport, reportToJson } from "../../sdk/certify/report-file.js";
import { type Dataset, dataset } from "../../sdk/data/dataset.js";
import { mnist } from "../../sdk/data/mnist.js";
import { readNpz, writeNpz } from "../../sdk/data/npz.js";
import { ntk } from "../../sdk/kernels/kernel.js";
import { krr } from "../../sdk/machines/krr.js";
import { Machine } from "../../sdk/machines/machine.js";
import { svm } from "../../sdk/machines/svm.js";
import { NetworkModel, trainNetwork } from "../../sdk/networks/model.js";
import { network } from "../../sdk/networks/network.js";
import type { Runtime } from "../../sdk/runtime/runtime.js";
import { runtimeAt } from "../helpers.js";
import { pixelData } from "../seeded.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await runtimeAt("simd");
});

/** What a checker is given. */
interface Case {
  readonly report: SavedReport;
  readonly model: Machine | NetworkModel;
  readonly data: Dataset;
  readonly counterexamples: Uint8Array;
}

const check = ({ report, model, data, counterexamples }: Case) =>
  checkCertificates(report, model, data, { runtime, counterexamples });

async function genuine(model: Machine | NetworkModel, data: Dataset, options: CertifyOptions): Promise<Case> {
  const report = await certify(model, data, { runtime, attack: true, ...options });
  const counterexamples = writeCounterexamples({ perSample: counterexamplesOf(report) }, data);
  return { report: readReport(reportToJson(report)), model, data, counterexamples };
}

const ROWS = pixelData(10, 12, 2);
const machine = (trainer: ReturnType<typeof krr> | ReturnType<typeof svm>, options: CertifyOptions) => async () =>
  genuine(await trainer.fit(pixelData(40, 12, 1), { runtime }), ROWS, options);
const finite = (options: CertifyOptions) => async () => {
  const training = { runtime, epochs: 20, batch: 10, learningRate: 0.1 };
  return genuine(await trainNetwork(network({ widths: [48] }), pixelData(60, 12, 1), training), ROWS, options);
};
const ridge = (lambda: number) => krr({ kernel: ntk(), lambda });
const exact = svm({ kernel: ntk(), c: 10 });

const CASES: Readonly<Record<string, () => Promise<Case>>> = {
  "interval, ridge": machine(ridge(0.1), { method: "interval" }),
  "linear, SVM": machine(exact, { method: "linear" }),
  "linear in the domain, ridge": machine(ridge(0.1), { method: "linear", domain: true }),
  "linear l2, ridge": machine(ridge(0.1), { method: "linear", norm: "l2" }),
  "linear l1, SVM": machine(exact, { method: "linear", norm: "l1" }),
  "curvature l2, SVM": machine(exact, { method: "curvature", norm: "l2" }),
  "curvature, lambda 0": machine(ridge(0), { method: "curvature" }),
  "best, SVM": machine(exact, { method: "best" }),
  "best in the domain, ridge": machine(ridge(0.1), { method: "best", domain: true }),
  "ibp, network": finite({ method: "ibp" }),
  "ibp-difference, network": finite({ method: "ibp-difference" }),
  "linear, network": finite({ method: "linear" }),
  "paired, network": finite({ method: "paired" }),
  "aggregate, network": finite({ method: "aggregate" }),
};

type Sample = SavedReport["perSample"][number];

/** The first sample that is certified and attacked, changed. */
function changed(own: Case, change: (sample: Sample) => Partial<Sample>): Case {
  const { perSample } = own.report;
  const at = perSample.findIndex(({ attackRadius, radius }) => typeof attackRadius === "number" && radius > 0);
  const forged = perSample.map((sample, k) => (k === at ? { ...sample, ...change(sample) } : sample));
  return { ...own, report: { ...own.report, perSample: forged } };
}

const header = (own: Case, change: Record<string, unknown>): Case => ({
  ...own,
  report: { ...own.report, metadata: { ...own.report.metadata, ...change } },
});

/** Half of the way back to the clean inputs. */
function nearer(own: Case): Case {
  const arrays = new Map(readNpz(own.counterexamples));
  const [x, clean] = ["x", "original"].map((name) => arrays.get(name)!.data as Float64Array);
  const { shape } = arrays.get("x")!;
  arrays.set("x", { ...arrays.get("x")!, shape, data: x!.map((value, k) => (value + clean![k]!) / 2) });
  return { ...own, counterexamples: writeNpz(arrays) };
}

function otherModel({ model }: Case): Machine | NetworkModel {
  if (model instanceof Machine)
    return new Machine({ ...model, alpha: model.alpha.map((value, k) => (k === 0 ? value * (1 + 1e-12) : value)) });
  const output = model.weights.output.map((value, k) => (k === 0 ? value * (1 + 2 ** -23) : value));
  return new NetworkModel({ ...model, weights: { ...model.weights, output } });
}

function otherData({ data }: Case): Dataset {
  const x = (data.x as Uint8Array).slice();
  x[0] = (x[0] ?? 0) ^ 1;
  return dataset({ x, y: data.y, shape: [data.n, data.d] });
}

/** A method whose bound is another one: weaker, so that it does not prove what this one does. */
const WEAKER: Readonly<Record<string, string>> = { linear: "interval", curvature: "linear", best: "linear" };

function renamed({ report, model }: Case): string {
  if (model instanceof NetworkModel) return report.method === "ibp" ? "ibp-difference" : "ibp";
  return WEAKER[report.method] ?? "linear";
}

const TAMPERED: Readonly<Record<string, (own: Case) => Case>> = {
  "a radius raised to that of the attack": (own) =>
    changed(own, ({ attackRadius }) => ({ radius: attackRadius!, ratio: 1 })),
  "a label changed": (own) => changed(own, ({ label }) => ({ label: -label })),
  "a prediction changed": (own) => changed(own, ({ prediction }) => ({ prediction: -prediction as 1 })),
  "counterexamples moved": nearer,
  "another model": (own) => ({ ...own, model: otherModel(own) }),
  "other data": (own) => ({ ...own, data: otherData(own) }),
  "the method renamed": (own) => ({ ...own, report: { ...own.report, method: renamed(own) } }),
  "the norm changed": (own) => ({ ...own, report: { ...own.report, norm: own.report.norm === "l2" ? "linf" : "l2" } }),
  "a row's number changed": (own) => changed(own, ({ index }) => ({ index: (index + 1) % own.data.n })),
  "the mean raised": (own) => ({ ...own, report: { ...own.report, radius: { ...own.report.radius, mean: 1 } } }),
  "an attack brought nearer": (own) => changed(own, ({ radius }) => ({ attackRadius: radius / 2, ratio: 2 })),
  "a domain forgotten": (own) =>
    header(own, { domain: own.report.metadata.domain === "unbounded" ? "[0, 2]" : "unbounded" }),
};

describe.each(Object.keys(CASES))("%s", (name) => {
  let own: Case;
  beforeAll(async () => {
    own = await CASES[name]!();
  });

  it("the genuine report holds, every radius and every adversarial input", async () => {
    const { faults, samples, proved, replayed, unreplayed } = await check(own);
    expect(faults).toEqual([]);
    expect(samples.map(({ status }) => status)).toEqual(samples.map(() => "verified"));
    expect(proved).toBeGreaterThan(7);
    expect(replayed).toBeGreaterThan(3);
    expect(unreplayed).toBe(0);
  });

  it.each(Object.keys(TAMPERED))("%s is rejected", async (kind) => {
    const { faults, samples } = await check(TAMPERED[kind]!(own));
    expect(faults.length).toBeGreaterThan(0);
    // Without the right model, data or method no row counts as verified.
    if (faults.some((fault) => /^(metadata|method|norm)/.test(fault)))
      expect(samples.map(({ status }) => status)).toEqual(samples.map(() => "not checkable"));
  });
});

it("attack radii without their inputs are counted as not checked", async () => {
  const { report, model, data } = await CASES["linear, SVM"]!();
  const { faults, unreplayed } = await checkCertificates(report, model, data, { runtime });
  expect(faults).toEqual([]);
  expect(unreplayed).toBe(report.perSample.filter(({ attackRadius }) => typeof attackRadius === "number").length);
});

it("a genuine report of the exact SVM on real digits holds, and not with a radius as large as the attack's", async () => {
  const { train, test } = await mnist({ digits: [0, 1] });
  const model = await svm({ kernel: ntk(), c: 15.625 }).fit(train, { runtime });
  const own = await genuine(model, test, { method: "best", samples: 2 });
  expect(await check(own)).toMatchObject({ faults: [], proved: 2, replayed: 2 });
  const { faults } = await check(changed(own, ({ attackRadius }) => ({ radius: attackRadius! })));
  expect(faults.some((fault) => /^row 0: radius/.test(fault))).toBe(true);
});
