// Certificates with an attack beside them, and searches that end early.

import { afterAll, describe, expect, it } from "vitest";
import { CERTIFICATE_BYTES, CERTIFICATE_EVALUATIONS, CERTIFY_BYTES, CERTIFY_STOP } from "../../assembly/layout.js";
import { attack } from "../../sdk/certify/attacks/attack.js";
import { besideAttack } from "../../sdk/certify/beside.js";
import { machineBounds } from "../../sdk/certify/bounds.js";
import { type Certificate, type CertifyOptions, certify } from "../../sdk/certify/certify.js";
import { prepareJob } from "../../sdk/certify/machine-job.js";
import { mergeReports } from "../../sdk/certify/merge.js";
import { readReport, reportToJson, reportToTsv } from "../../sdk/certify/report-file.js";
import { SoundnessError } from "../../sdk/errors.js";
import { ntk } from "../../sdk/kernels/kernel.js";
import { svm } from "../../sdk/machines/svm.js";
import { trainNetwork } from "../../sdk/networks/model.js";
import { network } from "../../sdk/networks/network.js";
import { randomData, runtimeAt } from "../helpers.js";

const runtime = await runtimeAt("simd", 2);
const own = await runtimeAt("simd", 0);
afterAll(() => Promise.all([runtime.close(), own.close()]));
const train = randomData(60, 16, 1, true);
const inputs = randomData(15, 16, 2, true);
const machine = await svm({ kernel: ntk(), c: 10 }).fit(train, { runtime });
const model = await trainNetwork(network({ widths: [40] }), train, { epochs: 5, batch: 10, runtime });

async function* listed<T>(list: readonly T[]): AsyncGenerator<T, void, undefined> {
  yield* list;
}

describe("an attack beside certificates", () => {
  const cases = [
    { of: machine, options: { method: "best" } },
    { of: machine, options: { method: "linear", norm: "l2" } },
    { of: machine, options: { method: "linear", domain: true } },
    { of: model, options: { method: "ibp" } },
    { of: model, options: { method: "ibp-difference" } },
    { of: model, options: { method: "linear" } },
    { of: model, options: { method: "paired" } },
    { of: model, options: { method: "aggregate" } },
  ] as const;
  it.each(cases)("$options: certified < attacked on every row, and the attack is attack()'s own", async (one) => {
    const { of, options } = one as { of: typeof machine; options: CertifyOptions };
    const report = await certify(of, inputs, { ...options, runtime, attack: true });
    const plain = await certify(of, inputs, { ...options, runtime });
    const { norm, domain } = options;
    const ofDifference: readonly unknown[] = ["ibp-difference", "paired", "aggregate"];
    const offset = ofDifference.includes(options.method) ? "difference" : "frozen";
    const alone = await attack(of, inputs, { norm, domain, offset, runtime });
    report.perSample.forEach(({ radius, attackRadius, ratio, adversarial }, k) => {
      expect(radius).toBe(plain.perSample[k]?.radius);
      expect(attackRadius).toBe(alone.perSample[k]?.radius);
      expect(adversarial).toEqual(alone.perSample[k]?.adversarial);
      if (typeof attackRadius !== "number") return;
      expect(radius).toBeLessThan(attackRadius);
      expect(ratio).toBe(radius / attackRadius);
    });
    const found = report.perSample.filter(({ attackRadius }) => typeof attackRadius === "number");
    expect(found.length).toBeGreaterThan(10);
    expect(report.attack?.found).toBe(found.filter(({ correct }) => correct).length);
    expect(report.metadata.attack).toMatchObject({ method: "pgd", restarts: 4 });
    expect(plain).not.toHaveProperty("attack");
  });

  it("goes through files and shards, adversarial inputs left out; columns of the TSV say what they are", async () => {
    const options = { runtime, method: "linear", attack: { restarts: 2, steps: 5 } } as const;
    const whole = await certify(machine, inputs, options);
    const parts = await Promise.all(
      [1, 0].map(async (index) =>
        readReport(reportToJson(await certify(machine, inputs, { ...options, shard: { index, count: 2 } }))),
      ),
    );
    expect(reportToJson(mergeReports(parts))).toBe(reportToJson(whole));
    expect(reportToJson(whole)).not.toContain("adversarial");
    expect(reportToTsv(whole)).toMatch(/^index\t.*\tverdict\tattackRadius\tratio\n/);
  });

  it("a certificate that reaches the adversarial input is never passed over", async () => {
    const { perSample } = await certify(machine, inputs, { runtime });
    const attacked = (await attack(machine, inputs, { runtime })).perSample;
    const row = attacked.findIndex(({ radius }) => radius !== null);
    for (const factor of [1, 1.5]) {
      const wrong = perSample.map((certificate, k): Certificate => {
        const reach = attacked[k]?.radius ?? 0;
        return k === row ? { ...certificate, radius: factor * reach } : certificate;
      });
      const all = async () => {
        for await (const _ of besideAttack(listed(wrong), listed(attacked)));
      };
      await expect(all()).rejects.toThrow(SoundnessError);
      await expect(all()).rejects.toThrow(`row ${row} is certified up to ${wrong[row]?.radius}, but an adversarial`);
    }
  });

  it("names wrong choices", async () => {
    const refuse = (attack: unknown) => expect(certify(machine, inputs, { runtime, attack: attack as never })).rejects;
    await refuse(1).toThrow(/^attack: expected true, false or an object/);
    await refuse({ restarts: 1 }).toThrow(/^restarts/);
  });
});

describe("a time limit", () => {
  it("that is never reached changes no bit", async () => {
    for (const runtimeHere of [runtime, own])
      for (const method of ["interval", "curvature"] as const) {
        const free = await certify(machine, inputs, { runtime: runtimeHere, method });
        const limited = await certify(machine, inputs, { runtime: runtimeHere, method, timeLimit: 1e6 });
        const bare = (report: typeof free) => report.perSample.map(({ seconds, ...rest }) => rest);
        expect(bare(limited)).toEqual(bare(free));
      }
  });

  it("of a nanosecond ends each search at once, with a radius that the bound proves, and says so", async () => {
    for (const [of, method] of [
      [machine, "linear"],
      [model, "ibp"],
      [model, "paired"],
    ] as const) {
      const free = await certify(of, inputs, { runtime, method });
      const { perSample, metadata } = await certify(of, inputs, { runtime, method, timeLimit: 1e-9 });
      expect(metadata.timeLimit).toBe(1e-9);
      perSample.forEach(({ radius, timedOut, prediction }, k) => {
        expect(prediction).toBe(free.perSample[k]?.prediction);
        expect(radius).toBeLessThanOrEqual(free.perSample[k]?.radius ?? 0);
        if (prediction !== 0) expect(timedOut).toBe(true);
      });
      if (of !== machine) continue;
      const radii = perSample.map(({ radius }) => radius);
      const { lower, upper } = await machineBounds(machine, inputs, radii, { runtime, method: "linear" });
      perSample.forEach(({ prediction }, k) => {
        if (prediction !== 0) expect(prediction > 0 ? lower[k] : -(upper[k] ?? 0)).toBeGreaterThan(0);
      });
    }
  });

  it("is a number above 0", async () => {
    for (const timeLimit of [0, -1, Number.NaN])
      await expect(certify(machine, inputs, { runtime, timeLimit })).rejects.toThrow(/^timeLimit: /);
  });
});

it("the cell that a signal sets ends a search at its first bound; without it there are more", async () => {
  const scope = runtime.scope();
  const bracket = { low: 0, high: 1, tolerance: 1e-6 };
  const kind = { method: "linear", norm: "linf", domain: false } as const;
  const evaluations = async (stop: number) => {
    const { pointer, results } = await prepareJob(runtime, scope, machine, inputs, bracket, kind);
    runtime.memory.view(pointer, CERTIFY_BYTES).setInt32(CERTIFY_STOP, stop, true);
    await runtime.run("certifyMachine", 1, [pointer, 0]);
    return runtime.memory.view(results, CERTIFICATE_BYTES).getFloat64(CERTIFICATE_EVALUATIONS, true);
  };
  expect(await evaluations(1)).toBe(1);
  expect(await evaluations(0)).toBeGreaterThan(3);
  scope.release();
});
