// Certified radii that are exact up to a tolerance, where few entries of an input may change: the space around it is cut
// into cells, nearest first, each proved by a bound of its own (the linear relaxation, or the intervals of deeper
// kernels) or cut further. All that is nearer than the nearest cell that could not be proved is decided like the input.
//
// Cells are cubes x0 + o + [-h, h]^m. Offsets o and halves h are multiples of a power of two by small integers, so that
// they, their halves and their distances from x0 are exact; only x0 + o is rounded, which a larger ball makes up for.
// Not here: the bounds (bounds.ts), and radii from one bound for the whole ball (certify.ts).
import type { Dataset } from "../data/dataset.js";
import { dataset } from "../data/dataset.js";
import { checkRows, checkSameColumns } from "../kernels/rows.js";
import type { Machine } from "../machines/machine.js";
import { type Runtime, runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import { checkChoice, checkNumber, checkObject } from "../validate.js";
import { machineBounds } from "./bounds.js";
import { checkMachine, checkMovable, isTwoLayer, type MachineMethod, NORMS, type Norm, type Reach } from "./method.js";

export interface CoverOptions extends WorkOptions, Reach {
  /** Norm of the balls. Default "linf". */
  readonly norm?: Norm | undefined;
  /** Largest radius looked for, in (0, 1e6]. Default 1. */
  readonly limit?: number | undefined;
  /** Cells are cut until they are this share of their distance, in [1e-4, 0.5]. Default 0.01. */
  readonly tolerance?: number | undefined;
  /** Most cells looked at for one input, >= 1: beyond them the radius is what is proved so far. Default 5,000. */
  readonly cells?: number | undefined;
}

/** What is known of one input. */
export interface Cover {
  /** Row of the data set. */
  readonly index: number;
  /** Proved sign of g(x0), 0 when rounding leaves it open. */
  readonly prediction: -1 | 0 | 1;
  /** Every real x nearer than this has that sign; 0 where nothing is proved, at most `limit`. */
  readonly radius: number;
  /** Cells looked at. */
  readonly cells: number;
}

/** Most entries that may change: a cell has two to this power of parts. */
const MOST_MOVABLE = 4;

/** Cells of one input in one round; a round is one job of the core over all inputs. */
const NEAREST = 24;

/** Cells are not cut more often than this, so that offsets stay exact by far. */
const MOST_CUTS = 24;

interface Cell {
  readonly offset: readonly number[];
  readonly half: number;
  readonly cuts: number;
  /** A lower bound of the distance of its points from x0, exact but for the root. */
  readonly distance: number;
}

function distanceOf(offset: readonly number[], half: number, norm: Norm): number {
  const gaps = offset.map((o) => Math.max(0, Math.abs(o) - half));
  if (norm === "linf") return Math.max(...gaps);
  if (norm === "l1") return gaps.reduce((sum, gap) => sum + gap, 0);
  return Math.sqrt(gaps.reduce((sum, gap) => sum + gap * gap, 0)) * (1 - 2 ** -50);
}

function partsOf({ offset, half, cuts }: Cell, norm: Norm): Cell[] {
  const own = half / 2;
  return Array.from({ length: 2 ** offset.length }, (_, corner) => {
    const moved = offset.map((o, k) => o + (((corner >> k) & 1) === 1 ? own : -own));
    return { offset: moved, half: own, cuts: cuts + 1, distance: distanceOf(moved, own, norm) };
  });
}

/** One input under way. */
class Growth {
  cells = 0;
  /** Nothing is asked of what is as far as this. */
  private end: number;
  private open: Cell[];

  constructor(
    readonly index: number,
    readonly sign: -1 | 1,
    movable: number,
    private readonly norm: Norm,
    limit: number,
    private readonly tolerance: number,
    private readonly most: number,
  ) {
    const half = 2 ** Math.ceil(Math.log2(limit));
    this.end = limit;
    this.open = [{ offset: Array.from({ length: movable }, () => 0), half, cuts: 0, distance: 0 }];
  }

  /** The nearest open cells, taken out of the list; none when the radius is known. */
  next(): Cell[] {
    this.open = this.open.filter(({ distance }) => distance < this.end).sort((a, b) => a.distance - b.distance);
    const left = Math.min(NEAREST, this.most - this.cells);
    this.cells += Math.min(left, this.open.length);
    return this.open.splice(0, left);
  }

  /** What came of a cell: lower and upper bounds of g on it. */
  settle(cell: Cell, lower: number, upper: number): void {
    if (this.sign > 0 ? lower > 0 : upper < 0) return;
    const fine = cell.half <= this.tolerance * cell.distance || cell.cuts >= MOST_CUTS;
    const lost = this.sign > 0 ? upper < 0 : lower > 0;
    if (fine || lost) this.end = Math.min(this.end, cell.distance);
    else this.open.push(...partsOf(cell, this.norm));
  }

  /** Everything nearer than the nearest cell left is proved. */
  get radius(): number {
    return this.open.reduce((least, { distance }) => Math.min(least, distance), this.end);
  }
}

/** Bounds of g on cells, as balls around their rounded centres that hold them. */
async function boundCells(
  machine: Machine,
  data: Dataset,
  asked: readonly { readonly index: number; readonly cell: Cell }[],
  work: WorkOptions & { readonly method: MachineMethod; readonly movable: number },
): Promise<{ lower: Float64Array; upper: Float64Array }> {
  const { d } = data;
  const centres = new Float64Array(asked.length * d);
  const radii = asked.map(({ index, cell }, k) => {
    centres.set(data.x.subarray(index * d, (index + 1) * d), k * d);
    let largest = 0;
    cell.offset.forEach((o, j) => {
      const at = k * d + j;
      centres[at] = (centres[at] ?? 0) + o;
      largest = Math.max(largest, Math.abs(centres[at] ?? 0));
    });
    // The sum is off by at most 2^-53 of itself; the rest is for the roundings here.
    return (cell.half + largest * 2 ** -51) * (1 + 2 ** -51);
  });
  const y = new Float64Array(asked.length).fill(1);
  return machineBounds(machine, dataset({ x: centres, y, shape: [asked.length, d] }), radii, work);
}

/** The proved signs of g at the inputs. */
async function signsOf(machine: Machine, data: Dataset, runtime: Runtime): Promise<(-1 | 0 | 1)[]> {
  const { lower, upper } = await machineBounds(machine, data, 0, { runtime });
  return Array.from(lower, (low, k) => (low > 0 ? 1 : (upper[k] ?? 0) < 0 ? -1 : 0));
}

/**
 * Radii within which a machine's decisions are proved, around each row of `data` (a Float64Array of rows): proved
 * whatever the budget of cells, and where it suffices within about two tolerances of exact for the two-layer NTK. Deeper
 * kernels have intervals alone, which on small cells too are loose: a tenth may be missing. For up to four movable
 * entries; the work grows with the power of their number.
 * @throws TypeError, RangeError (kernels with biases, 8-bit rows, more movable entries), the signal's reason
 */
export async function coverRadii(machine: Machine, data: Dataset, options: CoverOptions = {}): Promise<Cover[]> {
  checkObject("options", options);
  checkMachine("machine", machine);
  checkRows("data", data);
  checkSameColumns("data", machine.rows, data);
  if (data.x instanceof Uint8Array) throw new TypeError("data: expected Float64Array rows, got 8-bit ones");
  const movable = checkMovable(options, data);
  if (movable > MOST_MOVABLE)
    throw new RangeError(`movable: expected at most ${MOST_MOVABLE} entries that change, got ${movable}`);
  const norm = checkChoice("norm", options.norm ?? "linf", NORMS);
  const limit = checkNumber("limit", options.limit ?? 1, { min: 0, open: true, max: 1e6 });
  const tolerance = checkNumber("tolerance", options.tolerance ?? 0.01, { min: 1e-4, max: 0.5 });
  const most = checkNumber("cells", options.cells ?? 5000, { min: 1, integer: true });
  const runtime = await runtimeOf(options);
  const signs = await signsOf(machine, data, runtime);
  const growing = signs.flatMap((sign, index) =>
    sign === 0 ? [] : [new Growth(index, sign, movable, norm, limit, tolerance, most)],
  );
  const method = isTwoLayer(machine.kernel) ? "linear" : "interval";
  for (;;) {
    const asked = growing.flatMap((own) => own.next().map((cell) => ({ own, index: own.index, cell })));
    if (asked.length === 0) break;
    const { signal } = options;
    const { lower, upper } = await boundCells(machine, data, asked, { method, movable, runtime, signal });
    asked.forEach(({ own, cell }, k) => {
      own.settle(cell, lower[k] ?? Number.NaN, upper[k] ?? Number.NaN);
    });
    const busy = new Set(asked.map(({ own }) => own)).size;
    options.onProgress?.({ stage: "covering", done: data.n - busy, total: data.n });
  }
  options.onProgress?.({ stage: "covering", done: data.n, total: data.n });
  const known = new Map(growing.map((own) => [own.index, own]));
  return signs.map((prediction, index) => {
    const own = known.get(index);
    return { index, prediction, radius: own?.radius ?? 0, cells: own?.cells ?? 0 };
  });
}
