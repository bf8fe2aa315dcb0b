// Power laws on log-log axes: exact on exact data, and intervals that cover as often as they say.
import { describe, expect, it } from "vitest";
import { fitPowerLaw } from "../../sdk/experiments/slope.js";
import { studentQuantile } from "../../sdk/experiments/student.js";
import { uniform } from "../cli/points.js";

describe("studentQuantile", () => {
  // R: qt(c(0.975, 0.995), df), to ten digits.
  it.each([
    [0.95, 1, 12.70620474],
    [0.95, 2, 4.30265273],
    [0.95, 4, 2.776445105],
    [0.95, 10, 2.228138852],
    [0.95, 30, 2.042272456],
    [0.95, 1000, 1.962339081],
    [0.99, 10, 3.169272673],
    [0.5, 1, 1],
  ])("is that of the tables to 1e-9, level %d, %d degrees", (level, degrees, expected) => {
    expect(Math.abs(studentQuantile(level, degrees) / expected - 1)).toBeLessThan(1e-9);
  });
});

describe("fitPowerLaw", () => {
  const widths = [256, 1024, 4096, 16384];

  it("finds an exact power to 1e-13, with an interval that closes on it", () => {
    const fitted = fitPowerLaw(
      widths,
      widths.map((width) => 3 * width ** -0.5),
    );
    expect(Math.abs(fitted.slope + 0.5)).toBeLessThan(1e-13);
    expect(Math.abs(fitted.factor / 3 - 1)).toBeLessThan(1e-12);
    const [low, high] = fitted.interval ?? [Number.NaN, Number.NaN];
    expect(high - low).toBeLessThan(1e-12);
  });

  it("gives the slope and interval of a worked example to 1e-9", () => {
    // log2 of widths 0, 1, 2 and values 0, 1, 1: slope 1/2, residuals -1/6, 1/3, -1/6, variance 1/6, spread 2.
    const { slope, interval } = fitPowerLaw([1, 2, 4], [1, 2, 2]);
    const half = 12.706204736432095 * Math.sqrt(1 / 6 / 2);
    expect(slope).toBeCloseTo(0.5, 12);
    expect(interval?.[0]).toBeCloseTo(0.5 - half, 9);
    expect(interval?.[1]).toBeCloseTo(0.5 + half, 9);
  });

  it("covers the true slope in 95% of 2,000 noisy draws, within 4 standard errors", () => {
    const draws = 2000;
    const noise = uniform(draws * 8 * 12, 17);
    let covered = 0;
    for (let k = 0; k < draws; k++) {
      const all = [...widths, ...widths];
      // Sums of 12 uniform numbers are normal enough.
      const values = all.map((width, i) => {
        const from = (k * 8 + i) * 12;
        const normal = noise.subarray(from, from + 12).reduce((sum, value) => sum + value, 0) / 2;
        return width ** -0.5 * Math.exp(0.2 * normal);
      });
      const [low, high] = fitPowerLaw(all, values).interval ?? [0, 0];
      if (low <= -0.5 && -0.5 <= high) covered++;
    }
    expect(Math.abs(covered / draws - 0.95)).toBeLessThan(4 * Math.sqrt((0.95 * 0.05) / draws));
  });

  it("has no interval for two points, and refuses what has no slope", () => {
    expect(fitPowerLaw([1, 4], [1, 0.5])).toMatchObject({ slope: -0.5, interval: null, points: 2 });
    expect(() => fitPowerLaw([2, 2], [1, 2])).toThrow(/^widths: expected at least two/);
    expect(() => fitPowerLaw([1, 2], [1])).toThrow(/^values: expected 2/);
    expect(() => fitPowerLaw([1, 2], [1, 0])).toThrow(/^values\[1\]/);
    expect(() => fitPowerLaw([1, Number.NaN], [1, 1])).toThrow(/^widths\[1\]/);
    expect(() => fitPowerLaw([1, 2], [1, 1], 1)).toThrow(/^level/);
    expect(() => fitPowerLaw("no" as never, [1])).toThrow(TypeError);
  });
});
