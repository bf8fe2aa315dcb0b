// Small data sets in the plane, as every introduction to machine learning shows them, and the lift that gives a machine
// without biases a place for them. Not here: real data (idx.ts, npy.ts, npz.ts).
import { checkRows } from "../kernels/rows.js";
import { type Runtime, runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import { checkChoice, checkNumber, checkObject } from "../validate.js";
import { type Dataset, dataset } from "./dataset.js";

/**
 * "blobs": two round clouds; "moons": two half circles, one hooked into the other; "circles": a ring around a disc;
 * "xor": four clouds, equal labels in opposite corners.
 */
export const PLANAR_SETS = ["moons", "circles", "xor", "blobs"] as const;
export type PlanarSet = (typeof PLANAR_SETS)[number];

export interface PlanarOptions extends WorkOptions {
  /** Default "moons". */
  readonly set?: PlanarSet | undefined;
  /** Points, of both labels in turn, 2 to 100,000. Default 40. */
  readonly n?: number | undefined;
  /** Spread of the clouds, and of the noise around curves, as a multiple of the default; >= 0. Default 1. */
  readonly noise?: number | undefined;
  /** Seed of the draw, an integer >= 0. Default 0. */
  readonly seed?: number | undefined;
}

/** Draws with seeded numbers of the core; roots and quotients only, so that every engine gives the same bits. */
class Draw {
  constructor(
    private readonly runtime: Runtime,
    private readonly state: number,
  ) {}

  /** Uniform in [-1, 1). */
  side(): number {
    return 2 * this.runtime.call("randomUnit", this.state) - 1;
  }

  /** About normal, of standard deviation 1: the sum of twelve uniform numbers (Irwin and Hall). */
  normal(): number {
    let sum = 0;
    for (let k = 0; k < 12; k++) sum += this.side();
    return sum / 2;
  }

  /** Uniform on the unit circle, by rejection. */
  direction(): readonly [number, number] {
    for (;;) {
      const [x, y] = [this.side(), this.side()];
      const square = x * x + y * y;
      if (square > 1 || square < 1e-6) continue;
      const length = Math.sqrt(square);
      return [x / length, y / length];
    }
  }

  cloud(x: number, y: number, deviation: number): readonly [number, number] {
    return [x + deviation * this.normal(), y + deviation * this.normal()];
  }
}

/** One point of each set by its label; nearly all within [-1, 1]^2. */
const POINTS: Readonly<Record<PlanarSet, (draw: Draw, label: number, noise: number) => readonly [number, number]>> = {
  blobs: (draw, label, noise) => draw.cloud(0.42 * label, 0.35 * label, 0.2 * noise),
  moons: (draw, label, noise) => {
    const [x, y] = draw.direction();
    return draw.cloud(0.5 * x + 0.25 * label, label * (0.15 - 0.5 * Math.abs(y)), 0.06 * noise);
  },
  circles: (draw, label, noise) => {
    const [x, y] = draw.direction();
    const radius = label > 0 ? 0.28 : 0.75;
    return draw.cloud(radius * x, radius * y, 0.07 * noise);
  },
  xor: (draw, label, noise) => {
    const side = draw.side() < 0 ? -1 : 1;
    return draw.cloud(0.48 * side, 0.48 * side * label, 0.15 * noise);
  },
};

/**
 * n points of the plane with labels +1, -1, +1, ...; the same bits for the same seed in every engine.
 * @throws TypeError, RangeError
 */
export async function planarData(options: PlanarOptions = {}): Promise<Dataset> {
  checkObject("options", options);
  const set = checkChoice("set", options.set ?? "moons", PLANAR_SETS);
  const n = checkNumber("n", options.n ?? 40, { min: 2, max: 100_000, integer: true });
  const noise = checkNumber("noise", options.noise ?? 1, { min: 0 });
  const seed = checkNumber("seed", options.seed ?? 0, { min: 0, integer: true });
  const runtime = await runtimeOf(options);
  const scope = runtime.scope();
  try {
    const state = scope.allocate(32);
    runtime.call("randomSeed", state, BigInt(seed));
    const draw = new Draw(runtime, state);
    const y = Float64Array.from({ length: n }, (_, k) => (k % 2 === 0 ? 1 : -1));
    const rows = new Float64Array(2 * n);
    y.forEach((label, k) => {
      rows.set(POINTS[set](draw, label, noise), 2 * k);
    });
    return dataset({ x: rows, y, shape: [n, 2], name: `${set}, seed ${seed}` });
  } finally {
    scope.release();
  }
}

/**
 * The rows with a constant entry behind each: (x, 1). A kernel without biases depends on angles alone, so on points
 * of the plane its decisions are cones at the origin; on lifted ones they are any shape. Certificates of such rows keep
 * the last entry with `movable: data.d`. Rows become Float64Array.
 * @throws TypeError, RangeError
 */
export function lift(data: Dataset, constant = 1): Dataset {
  checkRows("data", data);
  checkNumber("constant", constant);
  const { n, d, x, scale, y, name } = data;
  const rows = new Float64Array(n * (d + 1));
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < d; k++) rows[i * (d + 1) + k] = (x[i * d + k] ?? 0) * scale;
    rows[i * (d + 1) + d] = constant;
  }
  return dataset({ x: rows, y, shape: [n, d + 1], name });
}
