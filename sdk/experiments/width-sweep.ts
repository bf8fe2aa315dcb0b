// How fast a finite network nears its machine: ||f - g|| on test points, the drift of the tangent kernel while training,
// and its distance from the kernel of infinite width at the start, against width, with fitted powers. Theorem 3.4 and
// its proof say -1/2 up to logarithms. Not here: the pictures (plots/width.ts) and the descent itself (follow.ts).
import { network } from "../networks/network.js";
import type { BackendName } from "../networks/training.js";
import { runtimeOf } from "../runtime/runtime.js";
import { checkNumber, checkObject } from "../validate.js";
import { draw, experimentData } from "./data.js";
import { type ComparisonSetting, type ExperimentOptions, type FollowOptions, follow, recordedSteps } from "./follow.js";
import { checkCommon, checkCount, checkDecay, checkList, checkRate, checkSetting, checkWidth } from "./options.js";
import { fitPowerLaw, type PowerLaw } from "./slope.js";

export interface WidthSweepOptions extends ExperimentOptions {
  /** Training rows. Default 128. */
  readonly n?: number | undefined;
  /** Test points. Default 200. */
  readonly tests?: number | undefined;
  /** Default [256, 1024, 4096, 16384]. */
  readonly widths?: readonly number[] | undefined;
  /** Hidden layers, all of the same width. Default 2. */
  readonly depth?: number | undefined;
  /** Networks of each width, each with its own seed, counted from `seed`. Default 3. */
  readonly seeds?: number | undefined;
  /** Full-batch steps. Default 100. */
  readonly steps?: number | undefined;
  /** Default 1. */
  readonly learningRate?: number | undefined;
  /** Default 0.001. */
  readonly lambda?: number | undefined;
  /** What the ridge does (follow.ts). Default "matched". */
  readonly setting?: ComparisonSetting | undefined;
  /** Confidence level of the slopes' intervals. Default 0.95. */
  readonly level?: number | undefined;
}

/** One network of the sweep. */
export interface WidthPoint {
  readonly width: number;
  readonly seed: number;
  readonly backend: BackendName;
  /** Root mean square of f - g over the test points after the last step. */
  readonly rms: number;
  /** The largest such value on the way. */
  readonly worstRms: number;
  readonly drift: number;
  readonly distance: number;
}

/** Quantities of a point that have a fitted power. */
export const SWEPT = ["rms", "drift", "distance"] as const;
export type SweptQuantity = (typeof SWEPT)[number];

export interface WidthSweepResult {
  readonly experiment: "dynamics";
  readonly settings: {
    readonly data: string;
    readonly n: number;
    readonly tests: number;
    readonly depth: number;
    readonly steps: number;
    readonly learningRate: number;
    readonly lambda: number;
    readonly setting: ComparisonSetting;
    readonly seed: number;
    readonly seeds: number;
  };
  readonly points: readonly WidthPoint[];
  /** Absent with one width only. */
  readonly fits?: Readonly<Record<SweptQuantity, PowerLaw>>;
}

function resolve(options: WidthSweepOptions) {
  checkObject("options", options);
  const learningRate = checkRate("learningRate", options.learningRate ?? 1);
  const widths = checkList("widths", options.widths ?? [256, 1024, 4096, 16384], checkWidth);
  return {
    ...checkCommon(options),
    n: checkCount("n", options.n ?? 128),
    tests: checkCount("tests", options.tests ?? 200),
    widths: [...new Set(widths)].sort((a, b) => a - b),
    depth: checkNumber("depth", options.depth ?? 2, { min: 1, max: 100, integer: true }),
    seeds: checkNumber("seeds", options.seeds ?? 3, { min: 1, max: 1000, integer: true }),
    steps: checkCount("steps", options.steps ?? 100),
    learningRate,
    lambda: checkDecay([learningRate], options.lambda ?? 0.001),
    setting: checkSetting(options.setting ?? "matched"),
    level: checkNumber("level", options.level ?? 0.95, { min: 0, open: true, max: 1 - 1e-9 }),
  };
}

/** Runs the sweep. @throws TypeError, RangeError, and as openTraining() */
export async function widthSweep(options: WidthSweepOptions = {}): Promise<WidthSweepResult> {
  const resolved = resolve(options);
  const { n, tests, widths, depth, seeds, steps, learningRate, lambda, setting, seed, backend, level } = resolved;
  const runtime = await runtimeOf(options);
  const { signal, onProgress } = options;
  const all = await experimentData(options);
  const train = draw(runtime, all.train, n, seed, "train");
  const test = draw(runtime, all.test, tests, seed, "test");
  const share = (width: number) => width ** Math.min(2, depth);
  const total = seeds * steps * widths.reduce((sum, width) => sum + share(width), 0);
  const points: WidthPoint[] = [];
  let spent = 0;
  for (const [i, width] of widths.entries()) {
    for (let k = 0; k < seeds; k++) {
      // Blocks of neurons are seeded one by one, so networks of one seed and different widths share weights.
      const own = seed + k * widths.length + i;
      const onStep: FollowOptions["onStep"] = (side, done) => {
        const stage = `width ${width}, seed ${own}`;
        if (side === "network") onProgress?.({ stage, done: spent + done * share(width), total });
      };
      const spec = network({ widths: new Array(depth).fill(width), seed: own });
      const what = { spec, train, test, samples: [], batch: "full" as const, tangent: true };
      const how = { learningRate, lambda, setting, backend, record: recordedSteps(steps, 3, 4), onStep };
      const { difference, kernel, backend: used } = await follow({ ...what, ...how }, { runtime, signal });
      spent += steps * share(width);
      const [rms = Number.NaN, worstRms] = [difference.rms.at(-1), Math.max(...difference.rms)];
      const { drift = Number.NaN, distance = Number.NaN } = kernel ?? {};
      points.push({ width, seed: own, backend: used, rms, worstRms, drift, distance });
    }
  }
  const sizes = { data: train.name, n: train.n, tests: test.n };
  const settings = { ...sizes, depth, steps, learningRate, lambda, setting, seed, seeds };
  const result = { experiment: "dynamics" as const, settings, points };
  if (widths.length < 2) return result;
  const powerOf = (of: SweptQuantity) =>
    fitPowerLaw(
      points.map(({ width }) => width),
      points.map((point) => point[of]),
      level,
    );
  return { ...result, fits: { rms: powerOf("rms"), drift: powerOf("drift"), distance: powerOf("distance") } };
}
