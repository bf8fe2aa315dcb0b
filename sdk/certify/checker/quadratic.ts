// The quadratic form for the checker: a lower bound of sign * g on an l-inf ball, its part in the domain, or an l2 ball. The
// form of form.ts in x and R = ||x|| is one in D = x - x0 and s, R = r + <e, D> + s, to which mu (||x||^2 - R^2) = 0 is
// added; r and e are numbers near r0 = ||x0|| and x0 / r0, and s takes what they are off by into its range:
//   0 <= R - <x, x0> / r0 <= ||D||^2 / (2 r0).
// A box of (D, s) is a cube of y, (D, s)_k = h_k (c_k + y_k), an l2 ball a unit ball beside an interval, and the rest is
// cube.ts and ball.ts. Everything that decides is an
// interval, or a float64 entry whose own roundings are added to `slack`. Where parabolas touch is a matter of trying.
// Not here: one linear relaxation (relaxation.ts), Theorem 4.2 (theorem.ts).
import { ballMinimum } from "./ball.js";
import { type Cube, type CubeMinimum, cubeMinimum } from "./cube.js";
import {
  type Box,
  type Form,
  formAt,
  gradientAt,
  lengthOf,
  type Machined,
  openBox,
  openForm,
  type Place,
} from "./form.js";
import {
  add,
  div,
  down,
  type Interval,
  IntervalTotal,
  interval,
  mul,
  point,
  size,
  sqrt,
  square,
  sub,
  up,
} from "./interval.js";
import type { Region } from "./relaxation.js";
import type { CheckedInput } from "./terms.js";
import type { Lower } from "./theorem.js";

const UNIT = 2 ** -53;

/** Steps from corner to corner in search of the worst input, and shares of the radius at which corners are looked for. */
const CORNER_STEPS = 12;
const GROWTH = [0.001, 0.1, 0.3, 0.6, 0.9];
const FALL = [3, 2, 1.5, 1.2, 1.05];

/** Most corners that are tried. */
const MOST_CORNERS = 8;

/**
 * Where parabolas touch: at this share of the way from the centre to each corner, of the corners too that the minima of the
 * best forms lead to, at these shares for the best of all, and then ever nearer to where the best form has its minimum.
 */
const FIRST_SHARE = 0.8;
const SHARES = [0.5, 0.9, 1, 0.65];
const BEST_CORNERS = 4;
const MORE_ROUNDS = 6;

const TWO = point(2);

/** <a, b> of floats and floats, every rounding allowed for. */
function dotFloats(a: Float64Array, b: Float64Array, from = 0): Interval {
  let sum = 0;
  let sizes = 0;
  for (let k = 0; k < b.length; k++) {
    const part = (a[from + k] as number) * (b[k] as number);
    sum += part;
    sizes += Math.abs(part);
  }
  const error = up((b.length + 2) * UNIT * sizes * (1 + 1e-9)) + 1e-290;
  return interval(down(sum - error), up(sum + error));
}

/** Where a report says that parabolas touched: nothing depends on its being true. */
export interface Hint {
  readonly share: number;
  /** For each column 1 for the upper end, 0 for the lower. */
  readonly corner: Uint8Array;
  readonly outside: boolean;
}

/** Half-widths and centres of the cube's variables: D over the columns, then s. */
function axes(rooms: readonly (readonly [number, number])[]): { halves: Float64Array; centres: Float64Array } {
  const halves = new Float64Array(rooms.length);
  const centres = new Float64Array(rooms.length);
  rooms.forEach(([below, above], k) => {
    let half = ((below + above) / 2) * (1 + 8 * UNIT) + 1e-290;
    let centre = (above - below) / 2 / half;
    // Wider until the ends are sure to be inside.
    while (!(down(half * down(1 + centre)) >= above && down(half * down(1 - centre)) >= below)) {
      half *= 1 + 8 * UNIT;
      centre = (above - below) / 2 / half;
    }
    halves[k] = half;
    centres[k] = centre;
  });
  return { halves, centres };
}

/** The form as one of y, with what its own numbers may be off by. */
interface Problem {
  readonly cube: Cube;
  readonly constant: Interval;
  readonly slack: number;
  readonly halves: Float64Array;
  readonly centres: Float64Array;
}

/** Directions e over the columns, 1 for s, and how far R may be from r + <e, D> + [0, drift]. */
function radialOf({ input }: Machined, { far, start: x }: Box) {
  const near = input.startNorm.lo;
  const e = Float64Array.from([...x.map((entry) => entry / near), 1]);
  const misses = new IntervalTotal();
  x.forEach((entry, k) => {
    misses.add(square(sub(div(point(entry), input.startNorm), point(e[k] as number))));
  });
  const off = mul(sqrt(misses.value), sqrt(point(far)));
  return { near, x, e, blur: up(size(sub(input.startNorm, point(near))) + off.hi) };
}

/** The matrix over (D, s) times the half-widths, and the sum of its entries' roundings. */
function scaledMatrix(
  form: Form,
  mu: number,
  e: Float64Array,
  halves: Float64Array,
): { matrix: Float64Array; rounding: number } {
  const n = halves.length;
  const last = n - 1;
  const own = 2 * (form.square - mu);
  const ownSize = 2 * (Math.abs(form.square) + Math.abs(mu));
  const matrix = new Float64Array(n * n);
  let sizes = 0;
  for (let k = 0; k < n; k++)
    for (let l = 0; l <= k; l++) {
      const [ek, el] = [e[k] as number, e[l] as number];
      const [bk, bl] = [k === last ? 0 : (form.tilt[k] as number), l === last ? 0 : (form.tilt[l] as number)];
      const curve = k === last ? 0 : (form.outer[k * last + l] as number);
      const extra = k === l && k < last ? 2 * mu : 0;
      const scale = (halves[k] as number) * (halves[l] as number);
      const value = scale * (curve + extra + (bk * el + ek * bl) + own * ek * el);
      const parts =
        Math.abs(curve) + Math.abs(extra) + Math.abs(bk * el) + Math.abs(ek * bl) + ownSize * Math.abs(ek * el);
      matrix[k * n + l] = value;
      matrix[l * n + k] = value;
      sizes += (k === l ? 1 : 2) * scale * parts;
    }
  return { matrix, rounding: up(16 * UNIT * sizes * (1 + n * n * UNIT)) };
}

function problemOf(machined: Machined, box: Box, form: Form, mu: number): Problem {
  const { input, bias } = machined;
  const { near, x, e, blur } = radialOf(machined, box);
  const rooms = [...box.rooms, [blur, up(box.drift + blur)] as const];
  const { halves, centres } = axes(rooms);
  const n = halves.length;
  const { matrix, rounding } = scaledMatrix(form, mu, e, halves);
  const own = mul(TWO, sub(point(form.square), point(mu)));
  const level = add(dotFloats(form.tilt, x), point(bias));
  const climb = add(mul(own, point(near)), level);
  const constant = new IntervalTotal();
  constant.add(mul(point(near), add(mul(mul(own, point(0.5)), point(near)), level)));
  constant.add(mul(point(mu), input.startSquare));
  const linear = new Float64Array(n);
  // |c + y| <= 2 in every variable, twice over: the matrix's roundings count for (1/2) 2 2.
  const slack = new IntervalTotal();
  slack.add(point(up(2 * rounding)));
  for (let k = 0; k < n; k++) {
    let slope = climb;
    if (k < n - 1) {
      const image = dotFloats(form.outer, x, k * (n - 1));
      constant.add(mul(point(0.5 * (x[k] as number)), image));
      slope = add(
        add(image, mul(point(near), point(form.tilt[k] as number))),
        mul(mul(TWO, point(mu)), point(x[k] as number)),
      );
      slope = add(slope, mul(point(e[k] as number), climb));
    }
    const scaled = mul(point(halves[k] as number), slope);
    const shift = dotFloats(matrix, centres, k * n);
    const total = add(scaled, shift);
    linear[k] = total.lo + (total.hi - total.lo) / 2;
    slack.add(point(up(total.hi - total.lo)));
    constant.add(mul(point(centres[k] as number), add(scaled, mul(point(0.5), shift))));
  }
  return { cube: { n, matrix, linear }, constant: constant.value, slack: slack.value.hi, halves, centres };
}

/** The corner of the box grown by `share`, or the point of the sphere, that the gradient at a point leads to. */
function cornerAfter(machined: Machined, box: Box, at: Place, share: number): Place {
  const { gradient, radial } = gradientAt(machined, at);
  if (box.region.norm === "l2") {
    const length = Math.hypot(...gradient);
    const step = length > 0 ? (share * box.region.reach.lo) / length : 0;
    return { x: box.start.map((entry, k) => entry - step * (gradient[k] as number)), outside: 0 };
  }
  const x = box.start.map((entry, k) => {
    const [below, above] = box.rooms[k] as readonly [number, number];
    return (gradient[k] as number) > 0 ? entry - share * below : entry + share * above;
  });
  return { x, outside: radial < 0 ? share * share * box.elsewhere : 0 };
}

/** Whether a bound would hardly tell two points from each other. */
const same = (a: Place, b: Place, { region }: Box) =>
  a.outside === b.outside && a.x.every((entry, k) => Math.abs(entry - (b.x[k] as number)) <= 1e-3 * region.reach.lo);

/** The corner of the box that a certificate names. */
function namedCorner({ columns }: Machined, box: Box, { corner, outside }: Hint): Place {
  const x = box.start.map((entry, k) => {
    const [below, above] = box.rooms[k] as readonly [number, number];
    return corner[columns[k] as number] === 1 ? entry + above : entry - below;
  });
  return { x, outside: outside ? box.elsewhere : 0 };
}

/** Corners that gradients lead to from a point, one after another. */
function cornersFrom(machined: Machined, box: Box, from: Place, share: number): Place[] {
  const found: Place[] = [];
  let corner = from;
  for (let step = 0; step < CORNER_STEPS; step++) {
    corner = cornerAfter(machined, box, corner, share);
    if (found.some((other) => same(other, corner, box))) break;
    found.push(corner);
  }
  return found;
}

/** Corners where the worst input may be: found at once, along growing boxes and along falling ones, the last ones first. */
function cornersOf(machined: Machined, box: Box): Place[] {
  const centre = { x: box.start, outside: 0 };
  const along = (shares: readonly number[]) =>
    shares.reduce<Place>((from, share) => cornersFrom(machined, box, from, share).at(-1) ?? from, centre);
  const list: Place[] = [];
  for (const from of [centre, along(GROWTH), along(FALL)])
    for (const corner of cornersFrom(machined, box, from, 1).reverse())
      if (!list.some((other) => same(other, corner, box))) list.push(corner);
  return list.slice(0, MOST_CORNERS);
}

interface Attempt {
  readonly lower: number;
  readonly size: number;
  /** Where the parabolas touch. */
  readonly touching: Place;
  readonly corner: Place;
  /** The form's minimum. */
  readonly at: Place;
}

/**
 * The minimum over the region. In an l2 ball columns elsewhere share the radius: mu ||D'||^2 + lambda ||D' / h||^2 / 2 is
 * not negative where lambda >= -2 mu h^2, and they are not to be seen any more.
 */
function minimumOn(box: Box, cube: Cube, guess: Float64Array, mu: number, halves: Float64Array): CubeMinimum {
  if (box.region.norm !== "l2") return cubeMinimum(cube, guess);
  const half = halves[0] ?? 0;
  const floor = box.elsewhere > 0 && mu < 0 ? up(up(-2 * mu * half) * half) : 0;
  return ballMinimum(cube, guess, floor);
}

/** The bound by parabolas that touch at the point `touching`. */
function attempt(machined: Machined, box: Box, touching: Place, corner: Place): Attempt {
  const norm = lengthOf(touching);
  const form = formAt(machined, box, touching);
  const along = touching.x.reduce((sum, entry, k) => sum + entry * (form.tilt[k] as number), 0);
  // With this mu the form does not change with R at the touching point.
  const mu = (2 * form.square * norm + along + machined.bias) / (2 * norm);
  const { cube, constant, slack, halves, centres } = problemOf(machined, box, form, mu);
  const last = cube.n - 1;
  const guess = Float64Array.from(centres, (centre, k) =>
    k === last ? 0 : ((corner.x[k] as number) - (box.start[k] as number)) / (halves[k] as number) - centre,
  );
  const { lower, at } = minimumOn(box, cube, guess, mu, halves);
  const total = new IntervalTotal();
  total.add(constant);
  total.add(point(lower));
  total.add(point(-slack));
  if (box.region.norm !== "l2") total.add(point(Math.min(0, down(mu * box.elsewhere))));
  total.add(point(-up(up(form.loss * box.longest) * box.longest)));
  const whole = total.value.lo;
  const bound = down(whole / (whole >= 0 ? box.longest : box.shortest));
  const x = box.start.map((entry, k) => entry + (halves[k] as number) * ((centres[k] as number) + (at[k] as number)));
  return {
    lower: Number.isNaN(bound) ? Number.NEGATIVE_INFINITY : bound,
    size: form.size * box.longest,
    touching,
    corner,
    at: { x, outside: corner.outside },
  };
}

/** The point at this share of the way from a to b. */
const between = (a: Place, b: Place, share: number): Place => ({
  x: a.x.map((entry, k) => entry + share * ((b.x[k] as number) - entry)),
  outside: (Math.sqrt(a.outside) + share * (Math.sqrt(b.outside) - Math.sqrt(a.outside))) ** 2,
});

/** The best attempt, or the first of at least `enough`. */
function search(machined: Machined, box: Box, enough: number, hint: Hint | undefined): Attempt | undefined {
  const centre = { x: box.start, outside: 0 };
  const tried: Attempt[] = [];
  const best = () => tried.reduce((first, next) => (next.lower > first.lower ? next : first));
  const reaches = (touching: Place, corner: Place) => {
    tried.push(attempt(machined, box, touching, corner));
    return best().lower >= enough;
  };
  if (hint !== undefined && box.region.norm !== "l2") {
    const corner = namedCorner(machined, box, hint);
    if (reaches(between(centre, corner, hint.share), corner)) return best();
  }
  for (const corner of cornersOf(machined, box)) {
    if (reaches(between(centre, corner, FIRST_SHARE), corner)) return best();
    // An input of the box that is decided otherwise: there is nothing to prove.
    if (!(gradientAt(machined, corner).value > 0)) return best();
  }
  const leaders = () => [...tried].sort((a, b) => b.lower - a.lower).slice(0, BEST_CORNERS);
  for (const { at } of leaders())
    for (const corner of cornersFrom(machined, box, at, 1)) {
      if (tried.some((other) => same(other.corner, corner, box))) continue;
      if (reaches(between(centre, corner, FIRST_SHARE), corner)) return best();
    }
  for (const { corner } of leaders())
    for (const share of SHARES) if (reaches(between(centre, corner, share), corner)) return best();
  let step = 0.5;
  for (let round = 0; round < MORE_ROUNDS; round++) {
    const last = best();
    if (reaches(between(last.touching, last.at, step), last.corner)) return best();
    if (best() === last) step /= 2;
  }
  return best();
}

/**
 * The bound on the region; the search for where parabolas should touch begins with what the report says of it, if that is
 * anything, and ends once the bound is at least `enough`.
 */
export function quadraticLower(input: CheckedInput, sign: number, region: Region, enough: number, hint?: Hint): Lower {
  const machined = openForm(input, sign, region.norm);
  const box = openBox(machined, region);
  const best = box === undefined ? undefined : search(machined, box, enough, hint);
  return { bound: point(best?.lower ?? Number.NEGATIVE_INFINITY), size: best?.size ?? 0 };
}
