// Interval bound propagation of every test image through a trained network of width 10,000, f_0 kept at the centre as
// the paper has it. The peer reads the same weights.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  certify,
  type Dataset,
  initialWeights,
  NetworkModel,
  type NetworkWeights,
  network,
  trainNetwork,
  writeNpy,
} from "ntkit";
import { type Context, defineJob } from "../job.js";
import { mnist01, significant } from "./data.js";

const WIDTH = 10_000;
const TESTS = 2115;

/** Images looked at by the check. */
const ROWS = 8;

/** Relative slack of the check: ours is rounded outward and stops its search at 1e-6. */
const SLACK = 1e-5;

/** And in grey levels, what integer weights may take from a radius. */
const GREY = 4e-4;

const modelFile = (scratch: string) => join(scratch, "network.safetensors");
const weightFile = (scratch: string, name: string) => join(scratch, `${name}.npy`);
const WEIGHT_FILES = ["hidden", "output", "hidden0", "output0"] as const;

async function provide(context: Context): Promise<void> {
  const { runtime, scratch } = context;
  const { train } = await mnist01(context);
  const spec = network({ widths: [WIDTH] });
  const model = await trainNetwork(spec, train, { epochs: 1, backend: "wasm", runtime });
  await writeFile(modelFile(scratch), model.save());
  const start = await initialWeights(spec, train.d, { runtime });
  const arrays = [model.weights.hidden[0], model.weights.output, start.hidden[0], start.output];
  for (const [k, name] of WEIGHT_FILES.entries()) {
    const data = arrays[k] ?? new Float32Array(0);
    const shape = name.startsWith("hidden") ? [train.d, WIDTH] : [WIDTH];
    await writeFile(weightFile(scratch, name), writeNpy({ shape, data }));
  }
}

/** Each neuron's sum at a row, and the sum of its weights' absolute values, written plainly in float64. */
function sumsOf({ hidden, output }: NetworkWeights, { x, d, scale }: Dataset, row: number) {
  const width = output.length;
  const centre = new Float64Array(width);
  const spread = new Float64Array(width);
  for (let k = 0; k < d; k++) {
    const entry = (x[row * d + k] ?? 0) * scale;
    for (let j = 0; j < width; j++) {
      const weight = hidden[0]?.[k * width + j] ?? 0;
      centre[j] = (centre[j] ?? 0) + entry * weight;
      spread[j] = (spread[j] ?? 0) + Math.abs(weight);
    }
  }
  return { centre, spread };
}

/** The least of sign (f - offset) on the ball around a row, by intervals; positive factors are left out. */
function plainBound(weights: NetworkWeights, data: Dataset, row: number, sign: number, offset: number) {
  const { centre, spread } = sumsOf(weights, data, row);
  return (radius: number) =>
    weights.output.reduce((sum, own, j) => {
      const weight = sign * own;
      const end = (centre[j] ?? 0) - Math.sign(weight) * radius * (spread[j] ?? 0);
      return sum + weight * Math.max(0, end);
    }, -sign * offset);
}

/** Whether plain intervals prove a radius just below ours and not one just above it, in a few images. */
async function radiiHold(model: NetworkModel, test: Dataset, radii: readonly number[], { runtime }: Context) {
  const start = await initialWeights(model.spec, test.d, { runtime });
  for (let k = 0; k < ROWS; k++) {
    const row = Math.floor((k * test.n) / ROWS);
    const radius = radii[row] ?? 0;
    const sign = test.y[row] ?? 0;
    if (radius === 0) continue;
    const offset = plainBound(start, test, row, 1, 0)(0);
    const least = plainBound(model.weights, test, row, sign, offset);
    if (!(least(radius * (1 - SLACK)) > 0) || least(radius * (1 + SLACK) + GREY / 255) > 0) return false;
  }
  return true;
}

export const ibp = defineJob({
  name: "ibp",
  what: "interval bound propagation of all 2,115 test images, network of width 10,000 after one epoch, f_0 at the centre",
  why: "pixels meet weights as integers, two int16 parts of each weight and eight products an instruction, exact and with their error in the bound; the trained network and its start share one part; all images go through a block of neurons while it is in cache, pixels that are zero cost nothing, and the secant method takes six bounds to a radius; bounds are rounded outward, the peer's are not",
  peers: [
    {
      script: "ibp",
      what: "NumPy, 20 bisections an image",
      ratioAsked: 0.1,
      arguments: (scratch) => [...WEIGHT_FILES.map((name) => weightFile(scratch, name)), String(TESTS)],
      agreements: [
        { ours: "correct", peer: "samples", within: 0 },
        // Bisections round radii of about 1e-3 down by up to 3e-7, and those of --n more.
        { ours: "radius", peer: "mean_radius", within: 2e-3 },
      ],
      says: ({ samples, mean_radius }) => `mean radius ${significant(mean_radius, 5)} of ${samples}`,
    },
  ],
  says: ({ radius, correct }) => `mean radius ${significant(radius, 5)} of ${correct}`,
  provide,
  prepare: async (context: Context) => ({
    model: NetworkModel.load(await readFile(modelFile(context.scratch))),
    test: (await mnist01(context)).test,
  }),
  run: ({ model, test }, { runtime }) => certify(model, test, { method: "ibp", runtime }),
  async check({ model, test }, { samples, correct, radius, perSample }, context) {
    const proved = perSample.every(({ radius, margin }) => radius === 0 || margin > 0);
    const radii = perSample.map(({ radius, correct }) => (correct ? radius : 0));
    const hold = await radiiHold(model, test, radii, context);
    const figures = { radius: radius.mean ?? Number.NaN, correct, samples };
    return { ok: samples === test.n && proved && hold && figures.radius > 0, figures };
  },
});
