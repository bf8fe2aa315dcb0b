// The checker on certificates of finite networks: genuine reports of every method hold, and what is false is not proved.
// Machines are in checker.test.ts, tampered reports in checker-tampering.test.ts.
import { beforeAll, describe, expect, it } from "vitest";
import { certify } from "../../sdk/certify/certify.js";
import { checkCertificates } from "../../sdk/certify/checker/check.js";
import type { SavedReport } from "../../sdk/certify/report.js";
import { readReport, reportToJson } from "../../sdk/certify/report-file.js";
import { trainNetwork } from "../../sdk/networks/model.js";
import { network } from "../../sdk/networks/network.js";

import type { Runtime } from "../../sdk/runtime/runtime.js";
import { runtimeAt } from "../helpers.js";
import { pixelData, randomData } from "../seeded.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await runtimeAt("simd");
});

const saved = (report: SavedReport) => readReport(reportToJson(report));

/** A trained network and data that it has not seen. */
async function trained({ widths = [40], centred = true, pixels = true } = {}) {
  const rows = (n: number, seed: number) => (pixels ? pixelData(n, 16, seed) : randomData(n, 16, seed));
  const options = { runtime, epochs: 30, batch: 10, learningRate: 0.1, centred };
  const model = await trainNetwork(network({ widths }), rows(60, 1), options);
  return { model, data: rows(12, 2) };
}

describe.each(["ibp", "ibp-difference", "linear", "paired", "aggregate"] as const)("%s", (method) => {
  it.each([
    { centred: true, pixels: true },
    { centred: true, pixels: false },
    { centred: false, pixels: true },
  ])("genuine reports hold, every radius: %o", async (kind) => {
    const { model, data } = await trained(kind);
    const report = saved(await certify(model, data, { runtime, method }));
    const { faults, proved, samples } = await checkCertificates(report, model, data, { runtime });
    expect(faults).toEqual([]);
    expect(proved).toBe(report.perSample.filter(({ prediction }) => prediction !== 0).length);
    expect(proved).toBeGreaterThan(8);
    expect(samples.every(({ status }) => status === "verified")).toBe(true);
  });

  it("no radius at which an adversarial input is known is proved", async () => {
    const { model, data } = await trained();
    const report = saved(await certify(model, data, { runtime, method, attack: true }));
    const perSample = report.perSample.flatMap(({ attackRadius, ratio, ...own }) =>
      typeof attackRadius === "number" && own.prediction !== 0 ? [{ ...own, radius: attackRadius }] : [],
    );
    const { faults } = await checkCertificates({ ...report, perSample }, model, data, { runtime });
    expect(perSample.length).toBeGreaterThan(5);
    for (const { index } of perSample)
      expect(faults.some((fault) => fault.startsWith(`row ${index}: radius`))).toBe(true);
  });
});

it("interval reports of deep networks hold", async () => {
  for (const method of ["ibp", "ibp-difference"] as const) {
    const { model, data } = await trained({ widths: [24, 20] });
    const report = saved(await certify(model, data, { runtime, method }));
    expect((await checkCertificates(report, model, data, { runtime })).faults).toEqual([]);
  }
});
