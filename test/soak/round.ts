// One round of the soak: from a seed a random machine or network, balls and a bound method; then a look for a sample
// outside the bounds, for one inside a certified ball that is decided otherwise, and for an attack below a certificate.
// Not here: how long and how it is told (main.ts), expectations (soak.test.ts, mutation.test.ts).
import { attack } from "../../sdk/certify/attacks/attack.js";
import { certify } from "../../sdk/certify/certify.js";
import { type Dataset, dataset } from "../../sdk/data/dataset.js";
import { type NetworkKernel, nngp, ntk } from "../../sdk/kernels/kernel.js";
import type { Machine } from "../../sdk/machines/machine.js";
import type { Runtime } from "../../sdk/runtime/runtime.js";
import { modelOf, pointsIn, sizeAt, valueAt } from "../certify/reference.js";
import { type Claim, machineOf, probe, realRow } from "../certify/sampler.js";
import { normal, randomData, uniform } from "../seeded.js";
import { networkRound } from "./networks.js";

/** What was drawn in a round: a claim about machines, interval bounds of deeper kernels, or networks by either kind. */
export type Theme = Claim | "deep" | "networks" | "relaxed networks";

export const THEMES: readonly Theme[] = [
  { method: "interval", norm: "linf", domain: false },
  { method: "linear", norm: "linf", domain: false },
  { method: "linear", norm: "linf", domain: true },
  { method: "linear", norm: "l2", domain: false },
  { method: "linear", norm: "l2", domain: true },
  { method: "linear", norm: "l1", domain: false },
  { method: "linear", norm: "l1", domain: true },
  { method: "curvature", norm: "linf", domain: false },
  { method: "curvature", norm: "linf", domain: true },
  { method: "curvature", norm: "l2", domain: false },
  { method: "curvature", norm: "l2", domain: true },
  "deep",
  "networks",
  "relaxed networks",
];

export interface Round {
  /** Samples held against bounds: triples of a model, a ball and a point. */
  readonly triples: number;
  /** What went wrong, in words; empty when nothing did. */
  readonly escapes: readonly string[];
}

/** A round's size. */
const BALLS = 20;
const SAMPLES = 60;

export const themeText = (theme: Theme) =>
  typeof theme === "string" ? theme : `${theme.method}, ${theme.norm}${theme.domain ? ", domain" : ""}`;

function pick<T>(next: () => number, list: readonly T[]): T {
  return list[Math.floor(next() * list.length)] as T;
}

/** Coefficients like a trained machine's: of one size or of many, of both signs or of one. */
function coefficients(n: number, next: () => number): number[] {
  const gauss = normal(next);
  const spread = pick(next, [0, 0, 1, 3]);
  const fold = next() < 0.15;
  return Array.from({ length: n }, () => {
    const value = gauss() * 10 ** (spread * gauss());
    return fold ? Math.abs(value) : value;
  });
}

/** Rows among which some are a centre itself, or parallel to one, or zero: where cosines are 1 and norms vanish. */
function withNeighbours(rows: Dataset, centres: Dataset, next: () => number): Dataset {
  const { d, n, scale } = rows;
  const x = rows.x.slice();
  for (let i = 0; i < n; i++) {
    if (next() > 0.15) continue;
    const centre = centres.x.subarray(0, d);
    const share = pick(next, [0, 0.5, 1]);
    for (let k = 0; k < d; k++) x[i * d + k] = (centre[k] ?? 0) * share;
  }
  return dataset({ x, y: rows.y, shape: [n, d], scale });
}

/** The same rows with some columns black everywhere, like the borders of images. */
function blanked({ x, y, n, d, scale }: Dataset, black: readonly boolean[]): Dataset {
  return dataset({ x: x.map((v, k) => (black[k % d] ? 0 : v)), y, shape: [n, d], scale });
}

interface Drawn {
  readonly machine: Machine;
  readonly centres: Dataset;
}

function drawMachine(seed: number, next: () => number, kernel: NetworkKernel): Drawn {
  const pixels = next() < 0.6;
  const d = 1 + Math.floor(next() * 20);
  const scale = pixels ? pick(next, [1 / 255, 1 / 255, 1, 0.02]) : 1;
  const share = next() < 0.3 ? next() : 0;
  const black = Array.from({ length: d }, () => next() < share);
  const draw = (n: number, own: number) => {
    const { x, y } = randomData(n, d, own, pixels);
    return blanked(dataset({ x, y, shape: [n, d], scale }), black);
  };
  const centres = draw(BALLS, 2 * seed + 1);
  const rows = withNeighbours(draw(1 + Math.floor(next() * 14), 2 * seed + 2), centres, next);
  const bias = next() < 0.5 ? 0 : 0.1 * normal(next)();
  return { machine: machineOf(rows, coefficients(rows.n, next), bias, kernel), centres };
}

/** Roundings of the evaluation by angles, in units of sizeAt: see reference.ts. */
function blurOf({ kernel, rows }: Machine): number {
  return (2 * rows.d + 20 + rows.n) * (kernel as NetworkKernel).depth * 2 ** -53;
}

const RADII = (next: () => number) => 10 ** (-4 + 4.5 * next());

/** The whole round of a seed. The same seed always draws the same. */
export async function soakRound(runtime: Runtime, seed: number, themes: readonly Theme[] = THEMES): Promise<Round> {
  const next = uniform(seed);
  const theme = pick(next, themes);
  if (theme === "networks" || theme === "relaxed networks")
    return networkRound(runtime, seed, next, BALLS, SAMPLES, theme === "relaxed networks");
  const variance = pick(next, [1, 1, 0.5, 2]);
  const depth = 1 + Math.floor(next() * 4);
  const deep = theme === "deep";
  const leaky = seed % 3 === 0 ? ({ activation: "leaky-relu", slope: [0.01, 0.3, 1][(seed / 3) % 3] } as const) : {};
  const kernel = deep
    ? pick(next, [ntk, nngp])({ depth, weightVariance: variance, ...leaky })
    : ntk({ weightVariance: variance });
  const { machine, centres } = drawMachine(seed, next, kernel);
  const kind: Claim = deep ? { method: "interval", norm: "linf", domain: false } : theme;
  const radii = Float64Array.from({ length: centres.n }, () => RADII(next));
  const blur = blurOf(machine);
  const { worst, samples } = await probe(runtime, { machine, centres, radii, kind, samples: SAMPLES, next });
  const escapes = worst <= blur ? [] : [`a sample leaves its bounds by ${worst.toExponential(2)} of its terms' sizes`];
  const certified = await certifiedRound(runtime, { machine, centres }, kind, next);
  return { triples: samples + certified.triples, escapes: [...escapes, ...certified.escapes] };
}

/** Certified balls: no point of them, and no adversarial input of an attack, is decided otherwise. */
async function certifiedRound(
  runtime: Runtime,
  { machine, centres }: Drawn,
  kind: Claim,
  next: () => number,
): Promise<Round> {
  const few = centres.subset([0, 1, 2, 3]);
  const work = { runtime, ...kind };
  const { perSample } = await certify(machine, few, { ...work, bracket: [0, 4], tolerance: 1e-3 });
  const model = modelOf(machine);
  const value = (x: Float64Array) => valueAt(model, x);
  const escapes: string[] = [];
  let triples = 0;
  for (const { index, prediction, radius } of perSample) {
    if (prediction === 0) continue;
    const ball = { centre: realRow(few, index), radius, norm: kind.norm, domain: kind.domain };
    const ray = model.rows[0]?.unit ?? ball.centre;
    for (const x of pointsIn(ball, value, ray, 20, next)) {
      triples++;
      if (prediction * value(x) > -blurOf(machine) * sizeAt(model, x)) continue;
      escapes.push(`row ${index} is decided otherwise within its certified radius ${radius}`);
      break;
    }
  }
  const { depth, kind: name, activation } = machine.kernel as NetworkKernel;
  // Attacks within the domain start inside it.
  const outside = kind.domain && few.x.some((v) => !(v * few.scale >= 0 && v * few.scale <= 1));
  if (activation !== undefined || depth > 1 || name !== "ntk" || outside || next() > 0.2) return { triples, escapes };
  const attacked = await attack(machine, few, {
    runtime,
    norm: kind.norm,
    domain: kind.domain,
    restarts: 2,
    steps: 15,
  });
  for (const { index, radius } of attacked.perSample) {
    const certified = perSample.find((own) => own.index === index)?.radius ?? 0;
    if (radius !== null && radius < certified)
      escapes.push(`row ${index} has an adversarial input at ${radius}, below its certificate ${certified}`);
  }
  return { triples, escapes };
}
