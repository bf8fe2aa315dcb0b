// Ratios of radii between certificates and attacks.
import fc from "fast-check";
import { expect, it } from "vitest";
import { robustnessGain } from "../../sdk/experiments/robustness-gain.js";

const positive = fc.double({ min: 1e-6, max: 1e3, noNaN: true });

it("whatever the true radii between certificate and attack, their ratio lies between least and most (4 roundings)", () => {
  const side = fc.record({ certified: positive, beyond: positive, share: fc.double({ min: 0, max: 1, noNaN: true }) });
  fc.assert(
    fc.property(side, side, (plain, robust) => {
      const radii = ({ certified, beyond }: typeof plain) => ({ certified, attacked: certified + beyond });
      const truth = ({ certified, beyond, share }: typeof plain) => certified + share * beyond;
      const gain = robustnessGain(radii(plain), radii(robust));
      const room = 4 * Number.EPSILON;
      for (const ratio of [truth(robust) / truth(plain), gain.certified, gain.attacked]) {
        expect(ratio).toBeGreaterThanOrEqual(gain.least * (1 - room));
        expect(ratio).toBeLessThanOrEqual(gain.most * (1 + room));
      }
    }),
  );
});

it("exact radii leave nothing unknown", () => {
  const gain = robustnessGain({ certified: 0.5, attacked: 0.5 }, { certified: 1, attacked: 1 });
  expect(gain).toEqual({ certified: 2, attacked: 2, least: 2, most: 2 });
});

it("names bad arguments", () => {
  const good = { certified: 1, attacked: 2 };
  expect(() => robustnessGain({ certified: 0, attacked: 1 }, good)).toThrow(/^plain\.certified: /);
  expect(() => robustnessGain(good, { certified: 2, attacked: 1 })).toThrow(/^robust\.attacked: /);
  expect(() => robustnessGain(null as never, good)).toThrow(/^plain: /);
});
