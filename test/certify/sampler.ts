// Looks for a point of a ball at which a machine leaves its proved bounds: random machines, centres, radii and points,
// the points random, along rows, and walked downhill and uphill. Used by the bound tests and by the soak.
// Not here: expectations.
import { machineBounds } from "../../sdk/certify/bounds.js";
import type { MachineMethod, Norm } from "../../sdk/certify/method.js";
import { type Dataset, dataset } from "../../sdk/data/dataset.js";
import { ntk } from "../../sdk/kernels/kernel.js";
import { Machine } from "../../sdk/machines/machine.js";
import type { Runtime } from "../../sdk/runtime/runtime.js";
import { normal, randomData, uniform } from "../helpers.js";

export function machineOf(rows: Dataset, alpha: ArrayLike<number>, bias = 0, kernel = ntk()): Machine {
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

/**
 * (1 / (2 pi d)) (2 <x, y> (pi - theta) + ||x ^ y||), theta = atan2(||x ^ y||, <x, y>): the kernel by the angle, with the
 * wedge product from Lagrange's identity. Its error is d + 10 roundings of ||x|| ||y|| / d also where x and y are
 * parallel, where a cosine would have lost half the digits.
 */
function kernelByAngle(x: Float64Array, y: Float64Array): number {
  const d = x.length;
  let dot = 0;
  let square = 0;
  for (let i = 0; i < d; i++) {
    const [xi, yi] = [x[i] ?? 0, y[i] ?? 0];
    dot += xi * yi;
    for (let j = 0; j < i; j++) square += (xi * (y[j] ?? 0) - (x[j] ?? 0) * yi) ** 2;
  }
  const wedge = Math.sqrt(square);
  return (2 * dot * (Math.PI - Math.atan2(wedge, dot)) + wedge) / (2 * Math.PI * d);
}

export interface Claim {
  readonly method: MachineMethod;
  readonly norm: Norm;
  readonly domain: boolean;
}

interface Model {
  readonly rows: readonly Float64Array[];
  readonly alpha: Float64Array;
  readonly bias: number;
}

function valueAt({ rows, alpha, bias }: Model, x: Float64Array): number {
  return rows.reduce((total, row, i) => total + (alpha[i] ?? 0) * kernelByAngle(x, row), bias);
}

/** sum |alpha_i| ||x|| ||x_i|| / d + |bias|: what the value's rounding is measured in. */
function sizeAt({ rows, alpha, bias }: Model, x: Float64Array): number {
  const norm = Math.hypot(...x) / x.length;
  return rows.reduce((total, row, i) => total + Math.abs(alpha[i] ?? 0) * norm * Math.hypot(...row), Math.abs(bias));
}

/** A perturbation of the norm's unit ball whose inner product with `direction` is large. */
function steepest(norm: Norm, direction: Float64Array): Float64Array {
  if (norm === "linf") return direction.map((v) => Math.sign(v));
  if (norm === "l2") return direction.map((v) => v / (Math.hypot(...direction) || 1));
  const largest = direction.reduce((best, v, k) => (Math.abs(v) > Math.abs(direction[best] ?? 0) ? k : best), 0);
  return direction.map((v, k) => (k === largest ? Math.sign(v) || 1 : 0));
}

function randomStep(norm: Norm, d: number, next: () => number): Float64Array {
  const gauss = normal(next);
  const direction = Float64Array.from({ length: d }, gauss);
  if (norm === "linf") return next() < 0.5 ? direction.map(Math.sign) : direction.map(() => 2 * next() - 1);
  const length = norm === "l2" ? Math.hypot(...direction) : direction.reduce((sum, v) => sum + Math.abs(v), 0);
  return direction.map((v) => (v / length) * (next() < 0.5 ? 1 : next()));
}

/** Gradient by central differences: only a direction to walk in. */
function gradientAt(model: Model, x: Float64Array): Float64Array {
  const step = 1e-5 * (Math.hypot(...x) + 1e-3);
  return x.map((_, k) => {
    const moved = (sign: number) =>
      valueAt(
        model,
        Float64Array.from(x, (v, j) => (j === k ? v + sign * step : v)),
      );
    return moved(1) - moved(-1);
  });
}

/**
 * Largest amount by which a sample's g leaves the bounds, in units of sizeAt; not positive when every sample is inside.
 * `claim` turns the radius that samples fill into the one that is bounded.
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
  const own = machineOf(rows, Array.from({ length: rows.n }, gauss), gauss() * 0.1);
  const centres = scaled(randomData(boxes, d, seed + 2, pixels));
  const radii = Float64Array.from({ length: boxes }, () => 10 ** (-4 + 4.5 * next()));
  const bounds = await machineBounds(own, centres, radii.map(claim), { runtime, ...kind });
  const real = (set: Dataset, k: number) => Float64Array.from(set.x.subarray(k * d, (k + 1) * d), (v) => v * scale);
  const model = { rows: Array.from({ length: rows.n }, (_, i) => real(rows, i)), alpha: own.alpha, bias: own.bias };
  let worst = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < boxes; k++) {
    const centre = real(centres, k);
    const radius = (radii[k] ?? 0) * (1 - 1e-15);
    // Inside the domain first, where there is one: a centre outside it has no ball to speak of.
    const place = (step: Float64Array) =>
      centre.map((v, c) => {
        const moved = v + (step[c] ?? 0) * radius;
        return kind.domain ? Math.min(Math.max(moved, Math.min(v, 0)), Math.max(v, 1)) : moved;
      });
    const along = model.rows[Math.floor(next() * rows.n)] ?? centre;
    const uphill = gradientAt(model, centre);
    const steps = [randomStep(kind.norm, d, next), steepest(kind.norm, along), steepest(kind.norm, uphill)];
    const points = [...steps, ...steps.slice(1).map((step) => step.map((v) => -v))].map(place);
    // One more step downhill from the lowest, and uphill from the highest.
    for (const sign of [-1, 1]) {
      const from = place(
        steepest(
          kind.norm,
          uphill.map((v) => sign * v),
        ),
      );
      points.push(
        place(
          steepest(
            kind.norm,
            gradientAt(model, from).map((v) => sign * v),
          ),
        ),
      );
    }
    for (const x of points) {
      const g = valueAt(model, x);
      const excess = Math.max((bounds.lower[k] ?? Number.NaN) - g, g - (bounds.upper[k] ?? Number.NaN));
      worst = Math.max(worst, excess / sizeAt(model, x));
    }
  }
  return worst;
}

/** The sampler's own rounding: (d + 10 + 12 rows) roundings, d <= 17. */
export const SAMPLER = 40 * 2 ** -53;
