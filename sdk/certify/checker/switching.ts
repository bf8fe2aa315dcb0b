// Relaxations of two-layer networks for the checker: a lower bound of sign (f - f_start) on an l-inf ball, every neuron
// below a plane or a parabola (neuron.ts), added up before the worst input is chosen. With slopes c_j, e_j, curvatures h_j
// and x = x0 + D, |D_k| <= r,
//   sign (f - f_start)  >=  sum_j A_j + min over the box of <G, D> - D'MD / 2,
//   G = W c + W0 e,  M = sum_j h_j W0_j W0_j',
// which is -r ||G||_1 where all h_j are 0 and a matter for cube.ts elsewhere. Sums at the centre are off by `errors`,
// which widens the neurons' ranges and costs |c| and |e| times as much. Slopes and curvatures are looked for by trying:
// at a guess D of the worst input, which moves to where the last bound has it. Not here: intervals alone (network.ts).
import { cubeMinimum } from "./cube.js";
import { down, Total, up } from "./interval.js";
import { type Centres, type CheckedLayers, gammaOf, product } from "./network.js";
import { Chooser, leastOf, type Neuron } from "./neuron.js";

const UNIT = 2 ** -53;

/** How far towards the corner the worst input is guessed. */
const CORNER_SHARE = 0.8;
const LINE_ROUNDS = 6;
const CURVE_ROUNDS = 3;

/** Curvatures are chosen for the radius times these, and for each choice slopes so many times. */
const FORMS = [1, 1.06, 0.94, 1.13, 0.88, 1.03, 0.97, 1.1, 0.91];
const TOUCHES = 5;

/** Curvatures tried for each neuron, and the largest as a multiple of their mean. */
const CURVATURES = 5;
const MOST_CURVATURE = 4;

/** Two networks around an input, and the sign that is bounded. */
export interface Pair {
  readonly own: CheckedLayers;
  readonly start: CheckedLayers;
  /** sum_k |W_kj - W0_kj|. */
  readonly apart: Float64Array;
  readonly centres: Centres;
  readonly startCentres: Centres;
  /** Output weights times the sign; 0 at the start where there is none. */
  readonly v: Float64Array;
  readonly v0: Float64Array;
  /** Whether both layers are one, and y is z. */
  readonly together: boolean;
}

/** What is chosen for each neuron. */
interface Shapes {
  readonly c: Float64Array;
  readonly e: Float64Array;
  readonly h: Float64Array;
}

/** Whether curvatures are chosen, at a price and up to a cap; else those of `h` are kept. */
interface Prices {
  readonly price: number;
  readonly cap: number;
}

class Bounding {
  private readonly width: number;
  private readonly inputs: number;
  private readonly neurons: readonly Neuron[];

  constructor(
    private readonly pair: Pair,
    private readonly reach: number,
  ) {
    const { own, start, apart, centres, startCentres, v, v0, together } = pair;
    this.width = v.length;
    this.inputs = (own.weights.hidden[0] as Float32Array).length / this.width;
    this.neurons = Array.from({ length: this.width }, (_, j) => {
      const [error, error0] = [centres.errors[j] as number, startCentres.errors[j] as number];
      return {
        v: v[j] as number,
        v0: v0[j] as number,
        a: centres.values[j] as number,
        a0: startCentres.values[j] as number,
        Z: up(up(reach * (start.spreads[j] as number)) + error0),
        T: together ? 0 : up(up(up(reach * (apart[j] as number)) + error) + error0),
      };
    });
    this.spreads = [own.spreads, start.spreads];
  }

  private readonly spreads: readonly [Float64Array, Float64Array];

  private layer(which: "own" | "start"): Float32Array {
    return this.pair[which].weights.hidden[0] as Float32Array;
  }

  /** Slopes of the networks' states at the centre. */
  atCentre(): Shapes {
    const c = Float64Array.from(this.neurons, ({ v, a }) => (a > 0 ? v : 0));
    const e = Float64Array.from(this.neurons, ({ v0, a0 }) => (a0 > 0 ? -v0 : 0));
    return { c, e, h: new Float64Array(this.width) };
  }

  /** G, rounded to nearest. */
  gradient({ c, e }: Shapes): Float64Array {
    const { width } = this;
    const [own, start] = [this.layer("own"), this.layer("start")];
    return Float64Array.from({ length: this.inputs }, (_, k) => {
      let sum = 0;
      for (let j = 0, at = k * width; j < width; j++, at++)
        sum += (own[at] as number) * (c[j] as number) + (start[at] as number) * (e[j] as number);
      return sum;
    });
  }

  /** Slopes, and curvatures where prices are given, that serve best at D. */
  choose(guess: Float64Array, kept: Float64Array, prices?: Prices): Shapes {
    const ahead = product(this.layer("own"), this.width, guess);
    const startAhead = this.pair.together ? ahead : product(this.layer("start"), this.width, guess);
    const shapes = {
      c: new Float64Array(this.width),
      e: new Float64Array(this.width),
      h: new Float64Array(this.width),
    };
    this.neurons.forEach((_, j) => {
      const { c, e, h } = this.chooseNeuron(j, ahead[j] as number, startAhead[j] as number, kept[j] as number, prices);
      shapes.c[j] = c;
      shapes.e[j] = e;
      shapes.h[j] = h;
    });
    return shapes;
  }

  private chooseNeuron(j: number, y: number, z: number, kept: number, prices?: Prices) {
    const neuron = this.neurons[j] as Neuron;
    const { together } = this.pair;
    const chooser = new Chooser(neuron);
    // Gaussian weights have a row sum of about 0.8 sqrt(d) times their Euclidean norm.
    const typical = (1.25 * neuron.Z) / Math.sqrt(this.inputs);
    const near = Math.max(Math.abs(neuron.a0), 0.5 * typical);
    const change = together
      ? Math.abs(neuron.v) * near
      : Math.abs(neuron.v0) * (Math.abs(neuron.a - neuron.a0) + neuron.T);
    const unit = (0.25 * (change + 1e-9)) / (near * near);
    const curvatures = prices === undefined ? [kept] : [0];
    if (prices !== undefined && neuron.Z > 0)
      for (let trial = 0; trial < CURVATURES; trial++) curvatures.push(Math.min(unit * 2 ** trial, prices.cap));
    let best = { c: 0, e: 0, h: 0 };
    let bestValue = Number.NEGATIVE_INFINITY;
    for (const share of together ? [0] : [0, 0.5, 1])
      for (const h of curvatures) {
        const c = share * neuron.v;
        const { e, least } = chooser.touch(c, h, z);
        const value = least + c * y + e * z - 0.5 * h * (z * z + (prices?.price ?? 0) * typical * typical);
        if (!(value > bestValue)) continue;
        bestValue = value;
        best = { c, e, h };
      }
    return best;
  }

  /** A proved lower bound of sum_j A_j less what errors at the centre and the rounding of G cost. */
  private least({ c, e, h }: Shapes): number {
    const [own, start] = this.spreads;
    const { centres, startCentres } = this.pair;
    const total = new Total();
    let tilted = 0;
    this.neurons.forEach((neuron, j) => {
      const shape = { c: c[j] as number, e: e[j] as number, h: h[j] as number };
      total.add(leastOf(neuron, shape));
      const [error, error0] = [centres.errors[j] as number, startCentres.errors[j] as number];
      const moved = Math.abs(shape.c) * error + Math.abs(shape.e) * error0 + shape.h * neuron.Z * error0;
      total.add(-moved * (1 + 8 * UNIT));
      tilted += Math.abs(shape.c) * (own[j] as number) + Math.abs(shape.e) * (start[j] as number);
    });
    const rounding = gammaOf(2 * this.width) * tilted * (1 + gammaOf(this.width)) * this.reach;
    return down(total.lo - up(rounding));
  }

  /** The bound by planes: curvatures are taken as 0. */
  planes(shapes: Shapes, gradient: Float64Array): number {
    const total = new Total();
    total.add(this.least(shapes));
    for (const slope of gradient) total.add(-up(this.reach * Math.abs(slope)));
    return total.lo;
  }

  /** M in float64, and (M's and its multiple's) rounding on the box. */
  matrix(h: Float64Array): { readonly matrix: Float64Array; readonly rounding: number } {
    const { inputs, width, reach } = this;
    const start = this.layer("start");
    const filled = Int32Array.from(h.keys()).filter((j) => (h[j] as number) > 0);
    const count = filled.length;
    const rows = new Float64Array(inputs * count);
    const weighted = new Float64Array(inputs * count);
    for (let k = 0; k < inputs; k++)
      for (let p = 0; p < count; p++) {
        const j = filled[p] as number;
        rows[k * count + p] = start[k * width + j] as number;
        weighted[k * count + p] = (h[j] as number) * (start[k * width + j] as number);
      }
    const matrix = outerProducts(rows, weighted, inputs, count);
    const sizes = filled.reduce((sum, j) => sum + (h[j] as number) * (this.spreads[1][j] as number) ** 2, 0);
    return { matrix, rounding: up(up(gammaOf(count + 16) * sizes) * up(reach * reach)) };
  }

  /** The bound by parabolas, and where its minimum is. */
  parabolas(
    shapes: Shapes,
    gradient: Float64Array,
    form: { matrix: Float64Array; rounding: number },
    guess: Float64Array,
  ) {
    const { inputs: n, reach } = this;
    const square = -reach * reach;
    const linear = gradient.map((slope) => reach * slope);
    const matrix = form.matrix.map((entry) => square * entry);
    const { lower, at } = cubeMinimum(
      { n, matrix, linear },
      guess.map((entry) => entry / reach),
    );
    const total = new Total();
    total.add(this.least(shapes));
    total.add(lower);
    total.add(-form.rounding);
    for (const slope of linear) total.add(-2 * UNIT * Math.abs(slope));
    return { lower: total.lo, at: at.map((entry) => entry * reach) };
  }

  /** The corner that a gradient points to, at a share of the way. */
  corner(gradient: Float64Array, share: number): Float64Array {
    return gradient.map((slope) => (slope === 0 ? 0 : -Math.sign(slope) * share * this.reach));
  }

  /** How curvatures are chosen first: z^2 at the edge of a Gaussian spectrum, over its typical square. */
  get price(): number {
    const edge = 1 + Math.sqrt(this.inputs / this.width);
    return Math.min(2.5, edge * edge);
  }
}

/** sum_p weighted_kp rows_lp for all k, l: two rows against two. */
function outerProducts(rows: Float64Array, weighted: Float64Array, n: number, count: number): Float64Array {
  const matrix = new Float64Array(n * n);
  for (let k = 0; k < n; k += 2)
    for (let l = 0; l <= k + 1; l += 2) {
      const [a, b, c, d] = [k * count, Math.min(k + 1, n - 1) * count, l * count, Math.min(l + 1, n - 1) * count];
      let [s, t, u, v] = [0, 0, 0, 0];
      for (let p = 0; p < count; p++) {
        const [x, y] = [weighted[a + p] as number, weighted[b + p] as number];
        const [z, w] = [rows[c + p] as number, rows[d + p] as number];
        s += x * z;
        t += x * w;
        u += y * z;
        v += y * w;
      }
      for (const [i, j, value] of [
        [k, l, s],
        [k, l + 1, t],
        [k + 1, l, u],
        [k + 1, l + 1, v],
      ] as const)
        if (i < n && j <= i) {
          matrix[i * n + j] = value;
          matrix[j * n + i] = value;
        }
    }
  return matrix;
}

const mixed = (a: Float64Array, b: Float64Array, share: number) =>
  a.map((entry, k) => entry + share * ((b[k] as number) - entry));

/** The best bound by planes, or the first of at least `enough`. */
export function planesLower(pair: Pair, reach: number, enough: number): number {
  const bounding = new Bounding(pair, reach);
  const nothing = new Float64Array(pair.v.length);
  let gradient: Float64Array = bounding.gradient(bounding.atCentre());
  let guess: Float64Array = bounding.corner(gradient, CORNER_SHARE);
  let best = Number.NEGATIVE_INFINITY;
  for (let round = 0; round < LINE_ROUNDS && !(best >= enough); round++) {
    // Every third guess is the corner itself, where a single neuron's bound is exact.
    if (round % 3 === 2) guess = bounding.corner(gradient, 1);
    else if (round > 0) guess = mixed(guess, bounding.corner(gradient, CORNER_SHARE), 0.5);
    const shapes = bounding.choose(guess, nothing);
    gradient = bounding.gradient(shapes);
    best = Math.max(best, bounding.planes(shapes, gradient));
  }
  return best;
}

/** Curvatures for a radius, and the guess of the worst input that they were chosen at. */
function chooseCurvatures(bounding: Bounding): { readonly h: Float64Array; readonly guess: Float64Array } {
  let guess: Float64Array = bounding.corner(bounding.gradient(bounding.atCentre()), CORNER_SHARE);
  let shapes = bounding.atCentre();
  let cap = Number.POSITIVE_INFINITY;
  for (let round = 0; round < CURVE_ROUNDS; round++) {
    if (round > 0) guess = mixed(guess, bounding.corner(bounding.gradient(shapes), CORNER_SHARE), 0.5);
    shapes = bounding.choose(guess, shapes.h, { price: bounding.price, cap });
    cap = (MOST_CURVATURE * shapes.h.reduce((sum, h) => sum + h, 0)) / shapes.h.length;
  }
  return { h: shapes.h, guess };
}

/** The better of planes and parabolas, or the first of at least `enough`. */
export function parabolasLower(pair: Pair, reach: number, enough: number): number {
  let best = planesLower(pair, reach, enough);
  const bounding = new Bounding(pair, reach);
  for (const share of FORMS) {
    if (best >= enough) return best;
    // Any curvatures will do, those for a radius nearby too.
    const chosen = chooseCurvatures(new Bounding(pair, reach * share));
    let guess: Float64Array = chosen.guess.map((entry) => entry / share);
    const matrix = bounding.matrix(chosen.h);
    for (let touch = 0; touch < TOUCHES && !(best >= enough); touch++) {
      const shapes = bounding.choose(guess, chosen.h);
      const gradient = bounding.gradient(shapes);
      const { lower, at } = bounding.parabolas(shapes, gradient, matrix, bounding.corner(gradient, CORNER_SHARE));
      best = Math.max(best, lower);
      // The form's minimum and a corner in turn.
      const corner = bounding.corner(gradient, CORNER_SHARE);
      guess = mixed(guess, touch % 2 === 0 ? at : corner, 0.5);
    }
  }
  return best;
}
