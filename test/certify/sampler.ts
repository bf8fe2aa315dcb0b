// Looks for a point of a ball at which a machine leaves its proved bounds: random machines, centres, radii and points,
// the points random, along rows, and walked downhill and uphill. Used by the bound tests and by the soak.
// Not here: expectations, and how a machine is evaluated (reference.ts).
import { machineBounds } from "../../sdk/certify/bounds.js";
import type { MachineMethod, Norm } from "../../sdk/certify/method.js";
import { type Dataset, dataset } from "../../sdk/data/dataset.js";
import { type Kernel, ntk } from "../../sdk/kernels/kernel.js";
import type { RowSource } from "../../sdk/kernels/rows.js";
import { Machine } from "../../sdk/machines/machine.js";
import type { Runtime } from "../../sdk/runtime/runtime.js";
import { normal, randomData, uniform } from "../seeded.js";
import { modelOf, pointsIn, sizeAt, valueAt } from "./reference.js";

export function machineOf(rows: Dataset, alpha: ArrayLike<number>, bias = 0, kernel: Kernel = ntk()): Machine {
  return new Machine({
    machine: "krr",
    parameters: {},
    kernel,
    rows: { n: rows.n, d: rows.d, x: rows.x, scale: rows.scale },
    alpha: Float64Array.from(alpha),
    bias,
    training: {},
    dataHash: "",
    dataName: "",
  });
}

export interface Claim {
  readonly method: MachineMethod;
  readonly norm: Norm;
  readonly domain: boolean;
}

/** A machine, balls and how many random points of each to look at. */
export interface Trial {
  readonly machine: Machine;
  readonly centres: Dataset;
  readonly radii: Float64Array;
  readonly kind: Claim;
  readonly samples: number;
  readonly next: () => number;
}

/** Row k in data units. */
export function realRow({ x, d, scale }: RowSource, k: number): Float64Array {
  return Float64Array.from(x.subarray(k * d, (k + 1) * d), (v) => v * scale);
}

/**
 * Largest amount by which a sample's g leaves the bounds, in units of sizeAt, and how many samples there were; not
 * positive when every one is inside. `claim` turns the radius that samples fill into the one that is bounded.
 */
export async function probe(
  runtime: Runtime,
  { machine, centres, radii, kind, samples, next }: Trial,
  claim: (radius: number) => number = (radius) => radius,
): Promise<{ worst: number; samples: number }> {
  const bounds = await machineBounds(machine, centres, radii.map(claim), { runtime, ...kind });
  const model = modelOf(machine);
  const value = (x: Float64Array) => valueAt(model, x);
  let worst = Number.NEGATIVE_INFINITY;
  let seen = 0;
  for (let k = 0; k < centres.n; k++) {
    const ball = { centre: realRow(centres, k), radius: radii[k] ?? 0, norm: kind.norm, domain: kind.domain };
    const ray = model.rows[Math.floor(next() * model.rows.length)]?.unit ?? ball.centre;
    for (const x of pointsIn(ball, value, ray, samples, next)) {
      const g = value(x);
      const excess = Math.max((bounds.lower[k] ?? Number.NaN) - g, g - (bounds.upper[k] ?? Number.NaN));
      const size = sizeAt(model, x);
      worst = Math.max(worst, size > 0 ? excess / size : excess);
      seen++;
    }
  }
  return { worst, samples: seen };
}

/**
 * Largest amount by which a sample's g leaves the bounds of a random machine, in units of sizeAt; not positive when every
 * sample is inside. `claim` turns the radius that samples fill into the one that is bounded.
 */
export async function worstEscape(
  runtime: Runtime,
  seed: number,
  boxes: number,
  kind: Claim,
  claim: (radius: number) => number = (radius) => radius,
): Promise<number> {
  const next = uniform(seed);
  const gauss = normal(next);
  const pixels = seed % 2 === 0;
  const d = 1 + (seed % 17);
  const scale = pixels ? ([1 / 255, 1, 0.02][seed % 3] ?? 1) : 1;
  const scaled = ({ x, y, n }: Dataset) => dataset({ x, y, shape: [n, d], scale });
  const rows = scaled(randomData(1 + Math.floor(next() * 12), d, seed + 1, pixels));
  const machine = machineOf(rows, Array.from({ length: rows.n }, gauss), gauss() * 0.1);
  const centres = scaled(randomData(boxes, d, seed + 2, pixels));
  const radii = Float64Array.from({ length: boxes }, () => 10 ** (-4 + 4.5 * next()));
  return (await probe(runtime, { machine, centres, radii, kind, samples: 1, next }, claim)).worst;
}

/** The sampler's own rounding: 2 d + 10 + rows roundings, d <= 17, rows <= 12. */
export const SAMPLER = 64 * 2 ** -53;
