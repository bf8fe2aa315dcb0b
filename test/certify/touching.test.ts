// What a certificate keeps of a proof by a quadratic form: enough to prove its radius again at once, and nothing that a
// proof depends on. Whole reports are in checker.test.ts.
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { certify } from "../../sdk/certify/certify.js";
import { checkCertificates } from "../../sdk/certify/checker/check.js";
import { div, point } from "../../sdk/certify/checker/interval.js";
import { ALLOWANCE, hintOf } from "../../sdk/certify/checker/machine-samples.js";
import { quadraticLower } from "../../sdk/certify/checker/quadratic.js";
import { openInput, openMachine, rawRows, rowAt } from "../../sdk/certify/checker/terms.js";
import type { Report } from "../../sdk/certify/report.js";
import { readReport, reportToJson } from "../../sdk/certify/report-file.js";
import type { Touching } from "../../sdk/certify/touching.js";
import type { Dataset } from "../../sdk/data/dataset.js";
import { ntk } from "../../sdk/kernels/kernel.js";
import { krr } from "../../sdk/machines/krr.js";
import type { Machine } from "../../sdk/machines/machine.js";
import type { Runtime } from "../../sdk/runtime/runtime.js";
import { runtimeAt } from "../helpers.js";
import { pixelData, randomData } from "../seeded.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await runtimeAt("simd");
});

interface Certified {
  readonly machine: Machine;
  readonly data: Dataset;
  readonly report: Report;
}

/** A ridge machine of signs that cancel, on pixels or real rows, and its certificates. */
async function certified(seed: number, pixels: boolean, domain: boolean, d = 12): Promise<Certified> {
  const make = pixels ? pixelData : randomData;
  const machine = await krr({ kernel: ntk(), lambda: 0.01 }).fit(make(40, d, seed), { runtime });
  const data = make(8, d, seed + 1);
  const report = await certify(machine, data, { runtime, method: "best", domain, attack: true });
  return { machine, data, report };
}

/** The checker's bound of sample k from the one place that its certificate names. */
function boundFrom({ machine, data, report }: Certified, k: number, touching: Touching | undefined) {
  const { prediction, radius, index } = report.perSample[k]!;
  const raw = rawRows(data);
  const input = openInput(openMachine(machine), rowAt(raw, index), raw.exact);
  const reach = div(point(radius), point(data.scale));
  const top = report.metadata.domain === "unbounded" ? Number.POSITIVE_INFINITY : 1 / data.scale;
  const region = { norm: "linf", reach, top } as const;
  // Nothing is less than -Infinity: the first attempt is enough.
  return quadraticLower(input, prediction, region, Number.NEGATIVE_INFINITY, hintOf(touching, data.d));
}

it("one form at the named place proves the margin again, to the allowance for rounding and 1e-4 of a relaxation that ends early", async () => {
  let seen = 0;
  await fc.assert(
    fc.asyncProperty(fc.nat(1e6), fc.boolean(), fc.boolean(), async (seed, pixels, inside) => {
      const own = await certified(seed, pixels, pixels && inside);
      own.report.perSample.forEach(({ touching, margin, decision, prediction }, k) => {
        if (touching === undefined || prediction === 0) return;
        const { bound, size } = boundFrom(own, k, touching);
        expect(bound.lo).toBeGreaterThan(margin - ALLOWANCE * size - 1e-4 * Math.abs(decision));
        seen += 1;
      });
    }),
    { numRuns: 12 },
  );
  expect(seen).toBeGreaterThan(20);
});

it("names a corner in the order of the data's own columns: of images too, whose columns are packed in patches", async () => {
  // 64 columns are an 8 x 8 image: patches of 4 x 2.
  const own = await certified(5, true, false, 64);
  const named = own.report.perSample.flatMap((sample, k) => (sample.touching === undefined ? [] : [k]));
  expect(named.length).toBeGreaterThan(3);
  for (const k of named) {
    const { touching, margin } = own.report.perSample[k]!;
    const { bound } = boundFrom(own, k, touching);
    expect(bound.lo).toBeGreaterThan(0.5 * margin);
    // The corner read backwards is another one, where the form proves less.
    const backwards = [...atob(touching!.corner)].reverse().join("");
    expect(boundFrom(own, k, { ...touching!, corner: btoa(backwards) }).bound.lo).toBeLessThan(bound.lo);
  }
});

describe("a place that is not the core's", () => {
  const NONSENSE: readonly unknown[] = [
    null,
    7,
    "corner",
    { share: 2, corner: "AAA=", outside: false },
    { share: 0.8, corner: "***", outside: false },
    { share: 0.8, corner: btoa("too long for twelve columns"), outside: false },
    { share: 0.8, corner: btoa("\x00\x00"), outside: "yes" },
    { share: 1e-3, corner: btoa("\xff\xff"), outside: true },
  ];

  it.each(NONSENSE)(
    "%j proves no radius that an attack broke, and takes no proof from one that holds",
    async (touching) => {
      const { machine, data, report } = await certified(3, true, false);
      const genuine = readReport(reportToJson(report));
      const at = genuine.perSample.findIndex((sample) => sample.touching !== undefined && sample.ratio! < 1);
      const check = async (change: object) => {
        const perSample = genuine.perSample.map((own, k) => (k === at ? { ...own, ...change, touching } : own));
        const { faults } = await checkCertificates({ ...genuine, perSample } as typeof genuine, machine, data, {
          runtime,
        });
        return faults.filter((fault) => fault.startsWith(`row ${genuine.perSample[at]!.index}:`));
      };
      expect(await check({})).toEqual([]);
      const { attackRadius } = genuine.perSample[at]!;
      expect(await check({ radius: attackRadius, ratio: 1 })).toEqual([
        expect.stringMatching(/radius: .* is not proved/),
      ]);
    },
  );
});

it("is kept for quadratic forms on l-inf balls alone", async () => {
  const data = pixelData(6, 12, 2);
  const machine = await krr({ kernel: ntk(), lambda: 0.01 }).fit(pixelData(40, 12, 1), { runtime });
  for (const options of [{ method: "interval" }, { method: "linear" }, { method: "best", norm: "l2" }] as const) {
    const { perSample } = await certify(machine, data, { runtime, ...options });
    for (const sample of perSample) expect(sample).not.toHaveProperty("touching");
  }
});
