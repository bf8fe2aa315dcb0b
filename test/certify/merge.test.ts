// Shards and their merging: byte for byte the report of one run, and parts that do not belong together are told apart.
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { type CertifyOptions, certify } from "../../sdk/certify/certify.js";
import { mergeReports } from "../../sdk/certify/merge.js";
import { reportFigures, type SavedCertificate, type SavedReport } from "../../sdk/certify/report.js";
import { readReport, reportToJson, reportToTsv } from "../../sdk/certify/report-file.js";
import { chooseSamples } from "../../sdk/certify/samples.js";
import { dataset } from "../../sdk/data/dataset.js";
import { ReportMismatchError } from "../../sdk/errors.js";
import { ntk } from "../../sdk/kernels/kernel.js";
import { svm } from "../../sdk/machines/svm.js";
import { trainNetwork } from "../../sdk/networks/model.js";
import { network } from "../../sdk/networks/network.js";
import { randomData, runtimeAt } from "../helpers.js";

const runtime = await runtimeAt("simd", 2);
afterAll(() => runtime.close());
const train = randomData(60, 16, 1, true);
const inputs = randomData(23, 16, 2, true);
const machine = await svm({ kernel: ntk(), c: 10 }).fit(train, { runtime });
const model = await trainNetwork(network({ widths: [40] }), train, { epochs: 5, batch: 10, runtime });

/** A part as another computer would read it. */
async function partOf(of: typeof machine | typeof model, options: CertifyOptions, index: number, count: number) {
  const report = await certify(of, inputs, { runtime, ...options, shard: { index, count } });
  return readReport(reportToJson(report));
}

const partsOf = (of: typeof machine | typeof model, options: CertifyOptions, count: number) =>
  Promise.all(Array.from({ length: count }, (_, index) => partOf(of, options, index, count)));

describe("merged parts", () => {
  it("are the report of one run byte for byte: machines and networks, any samples, any number of shards, any order", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("interval", "linear", "curvature", "ibp", "aggregate" as const),
        fc.integer({ min: 1, max: 30 }),
        fc.constantFrom("all" as const, 7, 1, { random: 9 }),
        fc.integer({ min: 0, max: 99 }),
        async (method, count, samples, seed) => {
          const of = method === "ibp" || method === "aggregate" ? model : machine;
          const options = { method, samples, seed } as const;
          const whole = await certify(of, inputs, { runtime, ...options });
          const parts = await partsOf(of, options, count);
          const merged = mergeReports(parts.toSorted((a, b) => a.samples - b.samples).reverse());
          expect(reportToJson(merged)).toBe(reportToJson(whole));
          expect(reportToTsv(merged)).toBe(reportToTsv(whole));
        },
      ),
      { numRuns: 25 },
    );
  });

  it("have every chosen row once, in shards that differ by one row at most", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 40 }),
        fc.option(fc.integer({ min: 1, max: 250 }), { nil: undefined }),
        async (n, count, random) => {
          const samples = random === undefined ? "all" : { random };
          const whole = await chooseSamples(n, samples, 3, { runtime });
          const shards = await Promise.all(
            Array.from({ length: count }, (_, index) =>
              chooseSamples(n, samples, 3, { runtime, shard: { index, count } }),
            ),
          );
          expect(shards.flatMap((rows) => [...rows]).sort((a, b) => a - b)).toEqual([...whole]);
          const sizes = shards.map(({ length }) => length);
          expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("add wall times up where all parts have them; files have none unless asked for", async () => {
    const reports = await Promise.all(
      [0, 1, 2].map((index) => certify(machine, inputs, { runtime, shard: { index, count: 3 } })),
    );
    const sum = reports.reduce((total, { seconds }) => total + seconds, 0);
    expect(mergeReports(reports).seconds).toBe(sum);
    const [first = reports[0], ...others] = reports;
    const bare = readReport(reportToJson(first as never));
    expect(reportToJson(first as never)).not.toContain("seconds");
    expect(mergeReports([bare, ...others])).not.toHaveProperty("seconds");
  });
});

describe("parts that do not make one report", () => {
  const refused = async (change: (parts: Awaited<ReturnType<typeof partsOf>>) => unknown) => {
    const parts = await partsOf(machine, {}, 3);
    const changed = change(parts);
    return expect(() =>
      mergeReports((Array.isArray(changed) ? changed : parts) as never, { names: ["a", "b", "c", "d"] }),
    );
  };
  const withMetadata = (part: unknown, change: object) => {
    const own = part as { metadata: object };
    own.metadata = { ...own.metadata, ...change };
  };

  it("are refused with what differs and where", async () => {
    const other = await svm({ kernel: ntk(), c: 5 }).fit(train, { runtime });
    const foreign = readReport(reportToJson(await certify(other, inputs, { runtime, shard: { index: 1, count: 3 } })));
    (await refused(([a, , c]) => [a, foreign, c])).toThrow(
      /^model must be the same in all parts: a has "svm, .*", b has "svm, /,
    );
    for (const field of ["modelHash", "dataHash", "version", "tolerance", "soundness", "domain", "samples", "seed"])
      (await refused((parts) => withMetadata(parts[2], { [field]: "other" }))).toThrow(
        new RegExp(`^${field} must be the same in all parts: a has .*, c has "other"`),
      );
    (await refused((parts) => Object.assign(parts[1] as object, { norm: "l2" }))).toThrow(
      'norm must be the same in all parts: a has "linf", b has "l2"',
    );
    (await refused(([a, b]) => [a, b])).toThrow("missing shards: 2/3");
    (await refused(([a, b, c]) => [a, b, c, b])).toThrow("shard 1/3 is there twice: in b and d");
    (await refused((parts) => withMetadata(parts[1], { complete: false }))).toThrow(/^b: it was interrupted/);
    (await refused((parts) => withMetadata(parts[0], { shard: undefined }))).toThrow(/^a: no part of a report/);
    (await refused((parts) => ((parts[2] as SavedReport).perSample as unknown[]).pop())).toThrow(
      "c: expected 7 samples in shard 2/3 of 23, got 6",
    );
    (await refused((parts) => Object.assign(parts[1]?.perSample[2] as object, { index: 0 }))).toThrow(
      "b: expected a sample after row 6, got row 0",
    );
  });

  it("throw an error with the field and the parts", async () => {
    const [a, b] = await partsOf(machine, {}, 2);
    withMetadata(b, { modelHash: "0" });
    try {
      mergeReports([a, b] as never);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ReportMismatchError);
      expect(error).toMatchObject({ field: "modelHash", names: ["parts[0]", "parts[1]"] });
    }
  });

  it("wrong arguments are named", async () => {
    for (const bad of [null, 1, "x", {}]) expect(() => mergeReports(bad as never)).toThrow(/^parts: expected an array/);
    expect(() => mergeReports([])).toThrow(/^parts: expected at least one/);
    expect(() => mergeReports([{ method: "linear" }] as never)).toThrow(/^parts\[0\]\.norm: /);
    expect(() => readReport("[]")).toThrow(/^report: expected an object/);
    const refuse = (shard: unknown) => expect(certify(machine, inputs, { runtime, shard: shard as never })).rejects;
    await refuse({ index: 3, count: 3 }).toThrow(/^shard\.index: expected an integer >= 0 and <= 2, got 3/);
    await refuse({ index: 0, count: 0 }).toThrow(/^shard\.count/);
    await refuse(2).toThrow(/^shard: expected an object/);
  });
});

describe("figures with an attack", () => {
  const sample = (index: number, correct: boolean, radius: number, attackRadius: number | null): SavedCertificate => ({
    index,
    label: 1,
    prediction: correct ? 1 : -1,
    decision: 1,
    radius,
    margin: 1,
    correct,
    verdict: correct ? "certified" : "misclassified",
    attackRadius,
    ratio: attackRadius === null ? null : radius / attackRadius,
  });

  it("certified accuracy <= attack-robust accuracy <= clean accuracy on the same grid; worst ratios come first", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            correct: fc.boolean(),
            radius: fc.double({ min: 0, max: 1, noNaN: true }),
            beyond: fc.option(fc.double({ min: 1e-6, max: 1, noNaN: true })),
          }),
          { minLength: 1, maxLength: 40 },
        ),
        (list) => {
          const samples = list.map(({ correct, radius, beyond }, k) =>
            sample(k, correct, radius, beyond === null ? null : radius + beyond),
          );
          const { certifiedAccuracy, accuracy, attack } = reportFigures(samples);
          attack?.robustAccuracy.forEach((point, k) => {
            expect(point.epsilon).toBe(certifiedAccuracy[k]?.epsilon);
            expect(point.accuracy).toBeGreaterThanOrEqual(certifiedAccuracy[k]?.accuracy ?? Number.NaN);
            expect(point.accuracy).toBeLessThanOrEqual(accuracy);
          });
          const ratios = attack?.worst.map(({ ratio }) => ratio) ?? [];
          expect(ratios).toEqual([...ratios].sort((a, b) => a - b));
          expect(attack?.found).toBe(list.filter(({ correct, beyond }) => correct && beyond !== null).length);
        },
      ),
    );
  });

  it("radii too small for a grid leave its first point", () => {
    expect(reportFigures([sample(0, true, 5e-324, null)]).certifiedAccuracy).toEqual([{ epsilon: 0, accuracy: 1 }]);
  });

  it("are exact on three samples", () => {
    const { attack } = reportFigures([
      sample(0, true, 0.1, 0.2),
      sample(1, true, 0.3, null),
      sample(2, false, 0.3, 0.4),
    ]);
    expect(attack).toMatchObject({ found: 1, ratio: { mean: 0.5, median: 0.5 }, radius: { max: 0.2 } });
    const at = (epsilon: number) => attack?.robustAccuracy.find((point) => point.epsilon === epsilon)?.accuracy;
    expect([at(0), at(0.15), at(0.2)]).toEqual([2 / 3, 2 / 3, 1 / 3]);
    expect(attack?.worst.map(({ index }) => index)).toEqual([0]);
  });
});

it("a shard without samples is an empty part", async () => {
  const one = dataset({ x: new Uint8Array(16).fill(9), y: [1], shape: [1, 16] });
  const parts = await Promise.all(
    [0, 1].map((index) => certify(machine, one, { runtime, shard: { index, count: 2 } })),
  );
  expect(parts[1]?.samples).toBe(0);
  expect(reportToJson(mergeReports(parts))).toBe(reportToJson(await certify(machine, one, { runtime })));
});
