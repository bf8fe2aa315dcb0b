// The step of every weight against central differences of the float64 loss, for every loss and one to three hidden
// layers. Inside a region of constant activations the output is linear in each single weight, so central differences of
// piecewise linear and quadratic losses are exact, whatever their step. Not here: whole curves (webgpu.test.ts).
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Dataset, dataset } from "../../sdk/data/dataset.js";
import { initialWeights } from "../../sdk/networks/initial.js";
import { layerScales, type NetworkSpec, network, type Parameterization } from "../../sdk/networks/network.js";
import { openTraining } from "../../sdk/networks/train.js";
import { LOSSES, type Loss, type ResolvedTraining, resolveTraining } from "../../sdk/networks/training.js";
import { Runtime } from "../../sdk/runtime/runtime.js";
import { normal, uniform } from "../helpers.js";
import { forward, lossOf, type PlainWeights, plainOutputs, plainWeights } from "./reference.js";
import { absoluteGradient, absoluteOutput, isApart, layersOf, roundings, SINGLE } from "./roundoff.js";

/** Step of the differences, and the distance in every weight over which points stay away from kinks. */
const STEP = 2 ** -10;
/** Large, so that rounding the moved weight is small beside the move. */
const RATE = 1024;

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.create({ threads: 2 });
});
afterAll(() => runtime.close());

interface Case {
  readonly d: number;
  readonly n: number;
  readonly widths: readonly number[];
  readonly parameterization: Parameterization;
  readonly centred: boolean;
  readonly lambda: number;
  readonly seed: number;
}

const cases = (depth: number) =>
  fc.record({
    d: fc.integer({ min: 1, max: 9 }),
    n: fc.integer({ min: 1, max: 5 }),
    widths: fc.array(fc.integer({ min: 1, max: 36 }), { minLength: depth, maxLength: depth }),
    parameterization: fc.constantFrom("ntk" as const, "lecun" as const),
    centred: fc.boolean(),
    lambda: fc.constantFrom(0, 0.001, 2),
    seed: fc.integer({ min: 0, max: 2 ** 20 }),
  });

interface Row {
  /** d l / d w by central differences. */
  readonly slopes: Float64Array[];
  /** What rounding to float32 can change in it, over 2^-24 times the number of roundings. */
  readonly size: Float64Array[];
  /** No loss of the row, computed in absolute values, is above this. */
  readonly most: number;
}

interface Task {
  readonly spec: NetworkSpec;
  readonly options: ResolvedTraining;
  readonly weights: PlainWeights;
  readonly initial: PlainWeights;
}

/** Which linear piece of the network and of the loss a row is on. */
function pieceOf({ spec, options, weights }: Task, data: Dataset, centre: number): { value: number; piece: string } {
  const { layers, f } = forward(spec, data, 0, weights);
  const { value, slope } = lossOf(options.loss, options.epsilon, f - centre, data.y[0] ?? 0);
  const smooth = options.loss === "squared" || options.loss === "logistic";
  const active = layers.slice(1).map((layer) => Array.from(layer, (a) => (a > 0 ? 1 : 0)).join(""));
  return { value, piece: `${active} ${smooth ? "" : Math.sign(slope)}` };
}

/** Largest |z| of a row, all numbers by their absolute values. */
function largest({ spec, options, weights, initial }: Task, data: Dataset): number {
  return absoluteOutput(spec, data, weights) + (options.centred ? absoluteOutput(spec, data, initial) : 0);
}

/** Whether float32 sees every kink of the network and of the loss on the same side. */
function isClear(task: Task, data: Dataset, centre: number, count: number): boolean {
  const { spec, options, weights } = task;
  if (!isApart(spec, data, weights, count)) return false;
  const [y, z] = [data.y[0] ?? 0, forward(spec, data, 0, weights).f - centre];
  const error = count * SINGLE * (1 + largest(task, data));
  if (options.loss === "epsilon-insensitive") return Math.abs(Math.abs(y - z) - options.epsilon) > error;
  return !options.loss.includes("hinge") || Math.abs(1 - y * z) > error;
}

/** Bound of |l'(z)| and of the change of l' by a change of z, times the largest |z|. */
function slopeSize(loss: Loss, z: number): number {
  if (loss === "squared" || loss === "squared-hinge") return 2 * (1 + z);
  return loss === "logistic" ? 1 + z / 4 : 1;
}

/** Differences of a row that lies away from kinks; undefined for other rows. */
function rowOf(task: Task, data: Dataset): Row | undefined {
  const { spec, options, weights, initial } = task;
  const count = roundings(spec, data.d, 1);
  const centre = options.centred ? (plainOutputs(spec, data, initial)[0] ?? 0) : 0;
  if (!isClear(task, data, centre, count)) return undefined;
  const { piece } = pieceOf(task, data, centre);
  const slopes = layersOf(weights).map((layer) => new Float64Array(layer.length));
  for (const [l, layer] of layersOf(weights).entries())
    for (let k = 0; k < layer.length; k++) {
      const weight = layer[k] ?? 0;
      layer[k] = weight + STEP;
      const high = pieceOf(task, data, centre);
      layer[k] = weight - STEP;
      const low = pieceOf(task, data, centre);
      layer[k] = weight;
      if (high.piece !== piece || low.piece !== piece) return undefined;
      (slopes[l] ?? new Float64Array(0))[k] = (high.value - low.value) / (2 * STEP);
    }
  const most = largest(task, data);
  const bound = slopeSize(options.loss, most);
  const size = absoluteGradient(spec, data, weights).map((layer) => layer.map((slope) => bound * slope));
  return { slopes, size, most: (1 + most) ** 2 };
}

/** n rows away from kinks, their labels, and their differences. */
function place(task: Task, { d, n, seed }: Case) {
  const next = uniform(seed);
  const gauss = normal(next);
  const rows: Row[] = [];
  const x: number[] = [];
  const y: number[] = [];
  for (let tries = 0; rows.length < n && tries < 200; tries++) {
    const own = Array.from({ length: d }, () => (next() < 0.3 ? 0 : Math.fround(2 * gauss())));
    const label = next() < 0.5 ? -1 : 1;
    const row = rowOf(task, dataset({ x: Float64Array.from(own), y: [label], shape: [1, d] }));
    if (row === undefined) continue;
    rows.push(row);
    x.push(...own);
    y.push(label);
  }
  return { rows, data: dataset({ x: Float64Array.from(x), y, shape: [rows.length, d] }) };
}

async function expectSteps(backend: "wasm" | "tfjs-cpu", loss: Loss, given: Case): Promise<void> {
  const { widths, parameterization, centred, lambda, seed, d } = given;
  const spec = network({ widths, parameterization, seed });
  const options = { loss, learningRate: RATE, lambda, centred, batch: "full" as const };
  // Other weights than those of f_0, so that z is not 0.
  const start = await initialWeights({ ...spec, seed: seed + 1 }, d, { runtime });
  const weights = plainWeights(start);
  const initial = plainWeights(await initialWeights(spec, d, { runtime }));
  const { rows, data } = place({ spec, options: resolveTraining(options, 1), weights, initial }, given);
  expect(data.n).toBe(given.n);
  const session = await openTraining(spec, data, { ...options, backend, runtime });
  try {
    await session.restore(start, 0);
    await session.steps(1);
    const after = layersOf(plainWeights(await session.weights()));
    const count = 1.01 * roundings(spec, d, data.n) * SINGLE;
    const decay = lambda * (layerScales(spec, d).at(-1) ?? 1) ** 2;
    layersOf(weights).forEach((layer, l) => {
      const shrink = l === spec.widths.length ? decay : 0;
      layer.forEach((weight, k) => {
        const mean = (of: (row: Row) => number) => rows.reduce((sum, row) => sum + of(row) / data.n, 0);
        const slope = mean(({ slopes }) => slopes[l]?.[k] ?? 0) + shrink * weight;
        const size = mean(({ size }) => size[l]?.[k] ?? 0) + shrink * Math.abs(weight);
        // |l'''| <= 0.0963 for the logistic loss: what its central difference leaves out.
        const cut = loss === "logistic" ? mean(({ size }) => (0.0963 * STEP ** 2 * (size[l]?.[k] ?? 0) ** 3) / 6) : 0;
        // Float64 rounds the losses at both ends as often, by 2^-53 of their absolute terms' sum.
        const ends = ((count / SINGLE) * 2 ** -53 * mean(({ most }) => most)) / STEP;
        const tolerance = count * size + cut + ends + (SINGLE * Math.abs(weight)) / RATE;
        expect(Math.abs((weight - (after[l]?.[k] ?? 0)) / RATE - slope)).toBeLessThanOrEqual(tolerance);
      });
    });
  } finally {
    session.dispose();
  }
}

describe.each([
  ["wasm", 12],
  ["tfjs-cpu", 3],
] as const)("%s", (backend, numRuns) => {
  describe.each([1, 2, 3])("%i hidden layers", (depth) => {
    it.each(LOSSES)(
      "%s: a step is minus the rate times the central difference of the float64 loss, within one unit of 2^-24 of the " +
        "absolute terms' sum for each rounding on a weight's path",
      (loss) =>
        fc.assert(
          fc.asyncProperty(cases(depth), (given) => expectSteps(backend, loss, given)),
          { numRuns, seed: 11 },
        ),
    );
  });
});
