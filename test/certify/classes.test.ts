// Certificates for several classes: samples keep their class, attacks on every difference lie outside, the radius is
// that of the class that limits it, and looking at the runner-up alone would not do.
import { expect, it } from "vitest";
import { attack } from "../../sdk/certify/attacks/attack.js";
import { certify } from "../../sdk/certify/certify.js";
import { certifyClasses } from "../../sdk/certify/classes.js";
import { ntk } from "../../sdk/kernels/kernel.js";
import { krr } from "../../sdk/machines/krr.js";
import { oneVsRest } from "../../sdk/machines/one-vs-rest.js";
import { svm } from "../../sdk/machines/svm.js";
import { clouds } from "../clouds.js";
import { runtimeAt, uniform } from "../helpers.js";

const kernel = ntk();
const runtime = await runtimeAt("simd");
const on = { runtime };
const train = clouds(80, 5, 4, 1);
const test = clouds(24, 5, 4, 2);
const machines = [
  await oneVsRest(svm({ kernel, c: 5, bias: true })).fit(train, on),
  await oneVsRest(krr({ kernel, lambda: 0.5 })).fit(train, on),
];

it("random inputs inside a certified ball are decided for the same class", async () => {
  for (const machine of machines) {
    const { perSample } = await certifyClasses(machine, test, on);
    const next = uniform(5);
    for (let round = 0; round < 20; round++) {
      const x = Float64Array.from(test.x, (value, k) => {
        const { radius } = perSample[Math.floor(k / test.d)] as (typeof perSample)[0];
        return value + radius * (round % 2 === 0 ? 2 * next() - 1 : Math.sign(next() - 0.5));
      });
      const moved = await machine.predict({ n: test.n, d: test.d, x, scale: 1 }, on);
      expect(Array.from(moved)).toEqual(perSample.map(({ prediction }) => prediction));
    }
  }
});

it("the radius is its rival's own, at least the smallest of all differences', and below every attack on one", async () => {
  for (const machine of machines) {
    const { perSample, samples, correct, accuracy } = await certifyClasses(machine, test, on);
    expect([samples, accuracy]).toEqual([24, correct / 24]);
    let elsewhere = 0;
    for (const [k, { prediction, radius, rival, label, margin, correct: right }] of perSample.entries()) {
      expect(right).toBe(prediction === label);
      const one = test.subset([k]);
      const radii: number[] = [];
      for (let j = 0; j < 4; j++) {
        if (j === prediction) {
          radii.push(Number.POSITIVE_INFINITY);
          continue;
        }
        const difference = machine.difference(prediction, j);
        radii.push((await certify(difference, one.against(0), { ...on, method: "best" })).perSample[0]?.radius ?? 0);
        if (k >= 6) continue;
        const { perSample: attacked } = await attack(difference, one.against(0), on);
        expect(attacked[0]?.radius ?? Number.POSITIVE_INFINITY).toBeGreaterThan(radius);
      }
      const least = Math.min(...radii);
      // A bound may hold at a radius beyond the one where its own search gave up, so the least is a lower end.
      expect(radius).toBeGreaterThanOrEqual(least);
      expect(radius).toBe(radii[rival]);
      const outputs = await machine.decisionFunctions(one, on);
      const order = [0, 1, 2, 3].sort((a, b) => (outputs[b] ?? 0) - (outputs[a] ?? 0));
      expect(order[0]).toBe(prediction);
      expect(margin).toBeCloseTo((outputs[prediction] ?? 0) - (outputs[rival] ?? 0), 9);
      expect(radius).toBeLessThanOrEqual(radii[order[1] ?? 0] ?? 0);
      if (rival !== order[1]) elsewhere += 1;
    }
    // The class that limits the radius is not always the runner-up at the input itself.
    expect(elsewhere).toBeGreaterThan(0);
  }
});

it("certified accuracy at the radii asked for falls, from the accuracy at 0; norms, domains and methods are passed on", async () => {
  const [machine] = machines as [(typeof machines)[0]];
  const radii = [0, 0.05, 0.1, 1];
  const report = await certifyClasses(machine, test, { ...on, radii });
  const shares = report.certifiedAccuracy.map(({ accuracy }) => accuracy);
  expect(shares[0]).toBe(report.accuracy);
  expect([...shares].sort((a, b) => b - a)).toEqual(shares);
  const interval = await certifyClasses(machine, test, { ...on, method: "interval" });
  const two = await certifyClasses(machine, test, { ...on, norm: "l2" });
  report.perSample.forEach(({ radius }, k) => {
    expect(interval.perSample[k]?.radius).toBeLessThanOrEqual(radius * 1.01);
    // The l2 ball lies inside the l-inf ball of its radius; bounds of it are linear ones.
    expect(two.perSample[k]?.radius).toBeGreaterThan(0);
  });
  const few = await certifyClasses(machine, test, { ...on, samples: 3 });
  expect(few.perSample).toEqual(report.perSample.slice(0, 3));
});

it("names bad arguments", async () => {
  const [machine] = machines as [(typeof machines)[0]];
  await expect(certifyClasses({} as never, test, on)).rejects.toThrow(/^machine: expected what oneVsRest/);
  await expect(certifyClasses(machine, {} as never, on)).rejects.toThrow(TypeError);
  await expect(certifyClasses(machine, clouds(5, 4, 3, 1), on)).rejects.toThrow(/^data: expected 5 columns/);
  await expect(certifyClasses(machine, test, { ...on, method: "ibp" as never })).rejects.toThrow(/^method/);
});
