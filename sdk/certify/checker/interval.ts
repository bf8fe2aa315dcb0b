// Interval arithmetic in float64 for the checker: every operation rounds to nearest and then steps outward. Meant to be
// read, and written apart from the core's rounding (assembly/rounding.ts). Not here: what is computed with it.

/** A real number known to lie in [lo, hi]. */
export interface Interval {
  readonly lo: number;
  readonly hi: number;
}

const STEP = 2 ** -53 * (1 + 2 ** -52);
const LEAST = 2 ** -1074;

/** At least the next double above x (Rump, Zimmermann, Boldo and Melquiond, BIT 49, 2009, algorithm 1). */
export const up = (x: number) => x + (STEP * Math.abs(x) + LEAST);

/** At most the next double below x. */
export const down = (x: number) => x - (STEP * Math.abs(x) + LEAST);

export const interval = (lo: number, hi: number): Interval => ({ lo, hi });
export const point = (x: number): Interval => ({ lo: x, hi: x });

export const ZERO = point(0);
export const ONE = point(1);

/** pi lies between neighbouring doubles: Math.PI is below it. */
export const PI = interval(Math.PI, Math.PI + 2 ** -51);

export const add = (a: Interval, b: Interval): Interval => ({ lo: down(a.lo + b.lo), hi: up(a.hi + b.hi) });
export const sub = (a: Interval, b: Interval): Interval => ({ lo: down(a.lo - b.hi), hi: up(a.hi - b.lo) });
export const neg = (a: Interval): Interval => ({ lo: -a.hi, hi: -a.lo });

export function mul(a: Interval, b: Interval): Interval {
  const [p, q, r, s] = [a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi];
  return { lo: down(Math.min(p, q, r, s)), hi: up(Math.max(p, q, r, s)) };
}

/** a / b for b > 0 throughout. */
export function div(a: Interval, b: Interval): Interval {
  if (!(b.lo > 0)) throw new RangeError(`division: expected a divisor > 0, got [${b.lo}, ${b.hi}]`);
  const [p, q, r, s] = [a.lo / b.lo, a.lo / b.hi, a.hi / b.lo, a.hi / b.hi];
  return { lo: down(Math.min(p, q, r, s)), hi: up(Math.max(p, q, r, s)) };
}

/** The root of a number >= 0; what rounding put below 0 counts as 0. */
export function sqrt(a: Interval): Interval {
  const lo = Math.max(0, a.lo);
  const hi = Math.max(0, a.hi);
  return { lo: rootBelow(lo), hi: rootAbove(hi) };
}

// Engines need not round roots correctly: a few steps outward, and the square tells. Squares of what is below TINY vanish.
const TINY = 1e-290;
const STEPS = 4;

function rootBelow(x: number): number {
  if (x < TINY) return 0;
  let root = Math.sqrt(x);
  for (let k = 0; k < STEPS && up(root * root) > x; k++) root = down(root);
  if (up(root * root) > x) throw new RangeError(`root: that of ${x} is wrong by many roundings`);
  return root;
}

function rootAbove(x: number): number {
  if (x === 0) return 0;
  if (x < TINY) return 1e-145;
  let root = Math.sqrt(x);
  for (let k = 0; k < STEPS && down(root * root) < x; k++) root = up(root);
  if (down(root * root) < x) throw new RangeError(`root: that of ${x} is wrong by many roundings`);
  return root;
}

export const square = (a: Interval): Interval => {
  const [p, q] = [a.lo * a.lo, a.hi * a.hi];
  return { lo: a.lo <= 0 && a.hi >= 0 ? 0 : down(Math.min(p, q)), hi: up(Math.max(p, q)) };
};

/** The largest absolute value. */
export const size = (a: Interval) => Math.max(Math.abs(a.lo), Math.abs(a.hi));

export const atLeast = (a: Interval, least: number): Interval => ({
  lo: Math.max(a.lo, least),
  hi: Math.max(a.hi, least),
});

/** A sum whose roundings are kept and added up (Knuth's exact difference), so that terms that cancel lose nothing. */
export class Total {
  private sum = 0;
  private rest = 0;
  private slack = 0;

  add(x: number): void {
    const next = this.sum + x;
    const part = next - this.sum;
    this.rest += this.sum - (next - part) + (x - part);
    this.sum = next;
    // Two roundings of the rest's additions, generously.
    this.slack += Math.abs(this.rest) * 2 ** -51 + LEAST;
  }

  get lo(): number {
    return down(this.sum + (this.rest - 2 * this.slack) - 2 ** -52 * Math.abs(this.rest));
  }

  get hi(): number {
    return up(this.sum + (this.rest + 2 * this.slack) + 2 ** -52 * Math.abs(this.rest));
  }
}

/** A sum of intervals by its ends. */
export class IntervalTotal {
  private readonly low = new Total();
  private readonly high = new Total();
  /** Sum of absolute values, to say what differences are measured in. */
  size = 0;

  add(a: Interval): void {
    this.low.add(a.lo);
    this.high.add(a.hi);
    this.size += size(a);
  }

  get value(): Interval {
    return { lo: this.low.lo, hi: this.high.hi };
  }
}
