// What the demo asks its worker: a machine fitted to points of the plane, its decision surface, certified balls around
// points, and the files a visitor takes home. Arguments and results are plain values. Not here: what is drawn.
import {
  type Certificate,
  certify,
  certifySamples,
  coverRadii,
  type Dataset,
  dataset,
  lift,
  type Machine,
  ntk,
  type PlanarSet,
  planarData,
  reportToJson,
  type WorkOptions,
} from "../../sdk/index.js";
import { MACHINES, type MachineKey } from "./losses.js";
import { TRAINERS } from "./trainers.js";

/** Points of the plane with labels -1/+1. */
export interface Points {
  /** x, y of one point after another. */
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/** Everything that decides what the picture shows. */
export interface Setting extends Points {
  /** A name of losses.ts. */
  readonly machine: string;
  readonly lambda: number;
  readonly depth: number;
}

/** A machine on the square [-range, range]^2. */
export interface Surface {
  /** g at the middles of size x size cells, row after row from the top left. */
  readonly values: Float64Array;
  /** g at the points. */
  readonly decisions: Float64Array;
  /** Each point's coefficient, 0 where it has none. */
  readonly alpha: Float64Array;
  /** Milliseconds of training, and of the surface. */
  readonly trainingTime: number;
  readonly surfaceTime: number;
}

/** Verified radii around points, 0 where nothing is proved; null where that would take too long for a drag. */
export interface Balls {
  /** g, and its proved signs. */
  readonly decisions: Float64Array;
  readonly predictions: Float64Array;
  /** Theorem 4.2 of the paper: half the side of a square. */
  readonly interval: Float64Array;
  /** By cells, coarse ones: half the side of a square. */
  readonly square: Float64Array | null;
  /** The disc inside that square, for the same time's sake: its radius. */
  readonly disc: Float64Array | null;
  /** Milliseconds. */
  readonly time: number;
}

/** Largest radius looked for: the whole picture. */
const FARTHEST = 2;

/** The lifted points (x, y, 1). */
function liftedPoints({ x, y }: Points): Dataset {
  return lift(dataset({ x, y, shape: [y.length, 2], name: "points" }));
}

function sameNumbers(a: Float64Array, b: Float64Array): boolean {
  return a.length === b.length && a.every((value, k) => value === b[k]);
}

function sameSetting(a: Setting, b: Setting): boolean {
  const sameMachine = a.machine === b.machine && a.lambda === b.lambda && a.depth === b.depth;
  return sameMachine && sameNumbers(a.x, b.x) && sameNumbers(a.y, b.y);
}

// The machine fitted last: a picture asks for it several times.
let latest: { readonly setting: Setting; readonly machine: Machine } | undefined;

async function fitted(setting: Setting, work: WorkOptions): Promise<Machine> {
  if (latest !== undefined && sameSetting(latest.setting, setting)) return latest.machine;
  const train = TRAINERS[setting.machine as MachineKey];
  if (train === undefined)
    throw new RangeError(`machine: expected one of ${MACHINES.join(", ")}, got "${setting.machine}"`);
  const { signal, runtime } = work;
  const machine = await train(ntk({ depth: setting.depth }), setting.lambda).fit(liftedPoints(setting), {
    signal,
    runtime,
  });
  latest = { setting, machine };
  return machine;
}

/** Coefficients in the order of the points: a machine keeps its rows in that order, but only those it needs. */
function coefficients({ rows, alpha }: Machine, { x, y }: Points): Float64Array {
  const all = new Float64Array(y.length);
  let next = 0;
  for (let k = 0; k < rows.n; k++) {
    const own = alpha[k] ?? 0;
    const places = Array.from({ length: y.length - next }, (_, j) => next + j).filter(
      (i) => rows.x[3 * k] === x[2 * i] && rows.x[3 * k + 1] === x[2 * i + 1],
    );
    // Of points in one place the one whose label its sign speaks for.
    const spoken = rows.n < y.length ? places.find((i) => own * (y[i] ?? 0) > 0) : undefined;
    const place = spoken ?? places[0];
    if (place === undefined) break;
    all[place] = own;
    next = place + 1;
  }
  return all;
}

/** Middles of the cells of the square, lifted. */
function gridOf(size: number, range: number): Dataset {
  const x = new Float64Array(3 * size * size);
  const step = (2 * range) / size;
  for (let row = 0; row < size; row++)
    for (let column = 0; column < size; column++) {
      const at = 3 * (row * size + column);
      x[at] = (column + 0.5) * step - range;
      x[at + 1] = range - (row + 0.5) * step;
      x[at + 2] = 1;
    }
  return dataset({ x, y: new Float64Array(size * size).fill(1), shape: [size * size, 3] });
}

/** Trains the machine and evaluates it on a grid. @throws whatever the SDK says of impossible settings */
export async function surface(
  setting: Setting & { readonly size: number; readonly range: number },
  work: WorkOptions = {},
): Promise<Surface> {
  const start = performance.now();
  const machine = await fitted(setting, work);
  const trained = performance.now();
  const { signal, runtime } = work;
  const decisions = await machine.decisionFunction(liftedPoints(setting), { signal, runtime });
  const values = await machine.decisionFunction(gridOf(setting.size, setting.range), { signal, runtime });
  return {
    values,
    decisions,
    alpha: coefficients(machine, setting),
    trainingTime: trained - start,
    surfaceTime: performance.now() - trained,
  };
}

interface Cells {
  readonly cells: number;
  readonly tolerance: number;
}

/** While something moves: up to a fifth short of exact. */
const QUICK: Cells = { cells: 150, tolerance: 0.1 };

/** At rest. Deeper kernels need the most cells, and more than that to be exact. */
const THOROUGH: Cells = { cells: 2000, tolerance: 0.01 };

async function cellRadii(
  machine: Machine,
  data: Dataset,
  norm: "linf" | "l2",
  cells: Cells,
  work: WorkOptions,
): Promise<Float64Array> {
  const covers = await coverRadii(machine, data, { ...work, ...cells, movable: 2, limit: FARTHEST, norm });
  return Float64Array.from(covers, ({ radius }) => radius);
}

/**
 * Certified balls around `at` (default: the points themselves) of the machine of this setting. The constant entry stays
 * in place, so that a ball is one of the plane.
 */
export async function balls(
  { at, ...setting }: Setting & { readonly at?: Points },
  work: WorkOptions = {},
): Promise<Balls> {
  const machine = await fitted(setting, work);
  const data = liftedPoints(at ?? setting);
  const start = performance.now();
  const byInterval: Certificate[] = [];
  const paper = { ...work, method: "interval", movable: 2, bracket: [0, FARTHEST], tolerance: 1e-3 } as const;
  for await (const certificate of certifySamples(machine, data, paper)) byInterval.push(certificate);
  const square = setting.depth === 1 ? await cellRadii(machine, data, "linf", QUICK, work) : null;
  return {
    decisions: Float64Array.from(byInterval, ({ decision }) => decision),
    predictions: Float64Array.from(byInterval, ({ prediction }) => prediction),
    interval: Float64Array.from(byInterval, ({ radius }) => radius),
    square,
    disc: square?.slice() ?? null,
    time: performance.now() - start,
  };
}

/** Radii by small cells: half sides and radii. */
export interface Exact {
  readonly square: Float64Array;
  readonly disc: Float64Array;
  /** Milliseconds. */
  readonly time: number;
}

/** The balls around `at` (default: the points) once more: with one hidden layer exact up to a few hundredths. */
export async function exact(
  { at, ...setting }: Setting & { readonly at?: Points },
  work: WorkOptions = {},
): Promise<Exact> {
  const machine = await fitted(setting, work);
  const start = performance.now();
  const data = liftedPoints(at ?? setting);
  const square = await cellRadii(machine, data, "linf", THOROUGH, work);
  const disc = await cellRadii(machine, data, "l2", THOROUGH, work);
  // A disc lies in the square of half its diameter, so that the larger of the two radii holds for it.
  const larger = disc.map((radius, k) => Math.max(radius, square[k] ?? 0));
  return { square, disc: larger, time: performance.now() - start };
}

/** An example set. */
export async function example(
  { set, seed, n }: { readonly set: PlanarSet; readonly seed: number; readonly n: number },
  { runtime }: WorkOptions = {},
): Promise<Points> {
  const { x, y } = await planarData({ set, seed, n, runtime });
  return { x: Float64Array.from(x), y };
}

/** The report on the points' l-infinity balls as a file's text: best bounds where they hold, else the paper's. */
export async function report(setting: Setting, work: WorkOptions = {}): Promise<string> {
  const machine = await fitted(setting, work);
  const method = setting.depth === 1 ? "best" : "interval";
  const options = { ...work, method, movable: 2, bracket: [0, FARTHEST] } as const;
  return reportToJson(await certify(machine, liftedPoints(setting), options));
}
