// Appendix H.2 in small: certificates by intervals fall with the width as the theory says, in both parameterisations.
// Not here: the bounds themselves (test/networks/ibp.test.ts) and the picture (test/plots/).
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dataset } from "../../sdk/data/dataset.js";
import {
  type CertificateStage,
  type CertificateWidthResult,
  certificateWidth,
  PARAMETERIZATIONS,
} from "../../sdk/experiments/certificate-width.js";
import { Runtime } from "../../sdk/runtime/runtime.js";
import { points } from "../cli/points.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.create({ threads: 1 });
});
afterAll(() => runtime.close());

function split(n: number, seed: number) {
  const { x, y } = points(n, 8, seed);
  return dataset({ x: x.data, y: y.data, shape: [n, 8], name: "half-spaces" });
}
const data = { train: split(60, 1), test: split(30, 2) };
const small = { data, batch: 8, epochs: 10, seeds: 2, starts: 24, backend: "wasm" as const };

function radiiOf({ points }: CertificateWidthResult, stage: CertificateStage, parameterization: string) {
  const own = points.filter((point) => point.stage === stage && point.parameterization === parameterization);
  return own.map(({ radius }) => radius ?? Number.NaN);
}

const slopeOf = ({ fits }: CertificateWidthResult, stage: CertificateStage, parameterization: string) =>
  fits.find((fit) => fit.stage === stage && fit.parameterization === parameterization)?.law.slope ?? Number.NaN;

describe("certificateWidth", () => {
  // Means of 24 networks vary by 15%, over a factor of 64 in the width: 0.05 in the slope, taken three times.
  it("finds the power -1/2 of the width within 0.15 as drawn, the same with LeCun initialisation to 1e-4", async () => {
    const result = await certificateWidth({ ...small, widths: [1024, 64, 4096, 256], seeds: 1, epochs: 1, runtime });
    const [ntk, lecun] = PARAMETERIZATIONS.map((own) => radiiOf(result, "start", own));
    expect(ntk).toHaveLength(4);
    // One function, its weights scaled by powers of the fan-in: only float32 rounding of the weights differs.
    ntk?.forEach((radius, k) => {
      expect(Math.abs((lecun?.[k] ?? Number.NaN) / radius - 1)).toBeLessThan(1e-4);
    });
    for (const own of PARAMETERIZATIONS) expect(Math.abs(slopeOf(result, "start", own) + 0.5)).toBeLessThan(0.15);
  }, 60_000);

  it("finds certificates of trained networks falling with the width, and of deeper ones faster", async () => {
    const options = { ...small, widths: [64, 256, 1024], runtime };
    const shallow = await certificateWidth(options);
    const deep = await certificateWidth({ ...options, depth: 2, epochs: 3, seeds: 1 });
    expect(shallow.settings).toMatchObject({ n: 60, samples: 30, depth: 1, epochs: 10, seeds: 2, starts: 24 });
    for (const own of PARAMETERIZATIONS) {
      const trained = shallow.points.filter((point) => point.stage === "trained" && point.parameterization === own);
      expect(trained.map(({ width, seed }) => [width, seed])).toEqual(
        [64, 256, 1024].flatMap((width) => [0, 1].map((seed) => [width, seed])),
      );
      for (const { accuracy } of trained) expect(accuracy).toBeGreaterThan(0.8);
      expect(slopeOf(shallow, "trained", own)).toBeLessThan(-0.3);
      expect(slopeOf(deep, "start", own)).toBeLessThan(slopeOf(shallow, "start", own) - 0.25);
    }
  }, 120_000);

  it("gives the same JSON on any number of threads, and another for another seed", async () => {
    const few = { ...small, widths: [40, 70], starts: 2, epochs: 2, seeds: 1, samples: { random: 9 } };
    const other = await Runtime.create({ threads: 2 });
    const [a, b, c] = [
      await certificateWidth({ ...few, runtime, seed: 5 }),
      await certificateWidth({ ...few, runtime: other, seed: 5 }),
      await certificateWidth({ ...few, runtime, seed: 6 }),
    ].map((result) => JSON.stringify(result));
    await other.close();
    expect(b).toBe(a);
    expect(c).not.toBe(a);
    expect(JSON.parse(a ?? "").settings.samples).toBe(9);
  }, 60_000);

  it("leaves drawn networks out when there are none, and has no slopes for one width", async () => {
    const { points: found, fits } = await certificateWidth({ ...small, widths: [32], starts: 0, epochs: 2, runtime });
    expect(found.map(({ stage }) => stage)).toEqual(new Array(4).fill("trained"));
    expect(fits).toEqual([]);
  });

  it("reports progress up to its total and stops with the signal's reason", async () => {
    const few = { ...small, widths: [16, 32], starts: 3, epochs: 2, runtime };
    const seen: number[] = [];
    await certificateWidth({ ...few, onProgress: ({ done, total }) => seen.push(done / total) });
    expect(seen.at(-1)).toBe(1);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    const controller = new AbortController();
    const onProgress = () => controller.abort(new Error("stop"));
    await expect(certificateWidth({ ...few, signal: controller.signal, onProgress })).rejects.toThrow("stop");
  });

  it("refuses options that make no sense, naming them", async () => {
    const bad: [object, RegExp][] = [
      [{ widths: [] }, /^widths/],
      [{ widths: [0] }, /^widths\[0\]/],
      [{ depth: 0 }, /^depth/],
      [{ seeds: 0 }, /^seeds/],
      [{ starts: -1 }, /^starts/],
      [{ epochs: 0.5 }, /^epochs/],
      [{ learningRate: 0 }, /^learningRate/],
      [{ lambda: Number.NaN }, /^lambda/],
      [{ n: 0 }, /^n/],
      [{ samples: 0 }, /^samples/],
      [{ samples: "some" }, /^samples/],
      [{ level: 1 }, /^level/],
    ];
    for (const [option, message] of bad)
      await expect(certificateWidth({ ...small, widths: [8], epochs: 1, runtime, ...option } as never)).rejects.toThrow(
        message,
      );
    await expect(certificateWidth(null as never)).rejects.toThrow(TypeError);
  });
});
