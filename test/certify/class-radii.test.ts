// Radii of several classes without a search: what is proved is what bounds of each difference say one by one, no attack
// lies inside, and methods, norms and signals are passed on. Searched radii are in classes.test.ts.
import { describe, expect, it } from "vitest";
import { attack } from "../../sdk/certify/attacks/attack.js";
import { machineBounds } from "../../sdk/certify/bounds.js";
import { certifyClasses } from "../../sdk/certify/classes.js";
import { ntk } from "../../sdk/kernels/kernel.js";
import { krr } from "../../sdk/machines/krr.js";
import { oneVsRest } from "../../sdk/machines/one-vs-rest.js";
import { svm } from "../../sdk/machines/svm.js";
import { clouds } from "../clouds.js";
import { runtimeAt } from "../helpers.js";

const kernel = ntk();
const runtime = await runtimeAt("simd");
const train = clouds(80, 5, 4, 1);
const test = clouds(24, 5, 4, 2);
const radii = [0.2, 0.05, 0.5, 0.1];
const machines = [
  await oneVsRest(svm({ kernel, c: 5, bias: true })).fit(train, { runtime }),
  await oneVsRest(krr({ kernel, lambda: 0.5 })).fit(train, { runtime }),
];

describe.each(["interval", "linear", "curvature", "best"] as const)("%s", (method) => {
  it("each radius is the largest of those asked for at which every difference's own bound is above 0", async () => {
    for (const machine of machines) {
      const report = await certifyClasses(machine, test, { runtime, method, search: false, radii });
      const proved = new Map<number, boolean[]>();
      for (const radius of radii) {
        const holds = new Array<boolean>(test.n).fill(true);
        for (let c = 0; c < 4; c++)
          for (let j = 0; j < 4; j++) {
            const own = report.perSample
              .filter(({ prediction }) => prediction === c && c !== j)
              .map(({ index }) => index);
            if (own.length === 0) continue;
            const rows = test.subset(own);
            const { lower } = await machineBounds(machine.difference(c, j), rows, radius, { runtime, method });
            own.forEach((index, k) => {
              holds[index] = (holds[index] ?? false) && (lower[k] ?? 0) > 0;
            });
          }
        proved.set(radius, holds);
      }
      for (const { index, radius } of report.perSample) {
        const ascending = [...radii].sort((a, b) => a - b);
        const first = ascending.findIndex((own) => proved.get(own)?.[index] === false);
        const expected = first < 0 ? ascending.at(-1) : (ascending[first - 1] ?? 0);
        expect(radius).toBe(expected);
      }
    }
  });
});

it("no attack lies inside what is proved, and where bounds fall with the radius a search proves as much, to 1e-6", async () => {
  for (const machine of machines) {
    const fixed = await certifyClasses(machine, test, { runtime, search: false, radii });
    // Curvature's bounds may hold again beyond the radius where its search gave up; linear ones do not.
    const linear = await certifyClasses(machine, test, { runtime, method: "linear", search: false, radii });
    const searched = await certifyClasses(machine, test, { runtime, method: "linear", radii });
    expect(fixed.certifiedAccuracy.map(({ epsilon }) => epsilon)).toEqual(radii);
    let proved = 0;
    for (const [k, { radius, rival, prediction, label, correct, margin }] of fixed.perSample.entries()) {
      const reached = (searched.perSample[k]?.radius ?? Number.NaN) * (1 + 1e-6);
      expect(linear.perSample[k]?.radius).toBe([...radii, 0].sort((a, b) => b - a).find((own) => own <= reached));
      expect(radius).toBeGreaterThanOrEqual(linear.perSample[k]?.radius ?? Number.NaN);
      expect(rival).not.toBe(prediction);
      expect(correct).toBe(prediction === label);
      expect(margin).toBeGreaterThanOrEqual(0);
      if (radius === 0) continue;
      proved += 1;
      if (k > 5) continue;
      for (const j of [0, 1, 2, 3].filter((other) => other !== prediction)) {
        const { perSample } = await attack(machine.difference(prediction, j), test.subset([k]).against(0), { runtime });
        expect(perSample[0]?.radius ?? Number.POSITIVE_INFINITY).toBeGreaterThan(radius);
      }
    }
    expect(proved).toBeGreaterThan(8);
    expect(fixed.perSample.some(({ radius }) => radius < 0.5)).toBe(true);
  }
});

it("threads change no bit, norms are passed on, and progress ends at its total", async () => {
  const [machine] = machines as [(typeof machines)[0]];
  const seen: number[] = [];
  const one = await certifyClasses(machine, test, {
    runtime,
    search: false,
    radii,
    onProgress: ({ stage, done, total }) => stage === "certifying" && seen.push(done / total),
  });
  expect([...seen].sort((a, b) => a - b)).toEqual(seen);
  const threads = await runtimeAt("simd", 2);
  const two = await certifyClasses(machine, test, { runtime: threads, search: false, radii });
  expect(two.perSample).toEqual(one.perSample);
  await threads.close();
  const l2 = await certifyClasses(machine, test, { runtime, search: false, radii: [0.05], norm: "l2" });
  // The l2 ball lies inside the l-inf ball of its radius.
  expect(l2.certifiedAccuracy[0]?.accuracy).toBeGreaterThanOrEqual(
    one.certifiedAccuracy.find(({ epsilon }) => epsilon === 0.05)?.accuracy ?? 1,
  );
});

it("a signal ends it and gives all memory back; bad options are named", async () => {
  const [machine] = machines as [(typeof machines)[0]];
  const before = runtime.memory.bytesInUse;
  const stop = new AbortController();
  const stopped = certifyClasses(machine, test, {
    runtime,
    search: false,
    radii,
    signal: stop.signal,
    onProgress: ({ stage }) => stage === "certifying" && stop.abort(new Error("enough")),
  });
  await expect(stopped).rejects.toThrow("enough");
  expect(runtime.memory.bytesInUse).toBe(before);
  await expect(certifyClasses(machine, test, { runtime, search: 1 as never })).rejects.toThrow(/^search: /);
  await expect(certifyClasses(machine, test, { runtime, search: false })).rejects.toThrow(
    /^radii: expected at least one/,
  );
  await expect(certifyClasses(machine, test, { runtime, search: false, radii: [0] })).rejects.toThrow(/^radii\[0\]: /);
});
