// The paper's interval certificate of every test image, for the machine of the sgd job. The peer reads the same alpha.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { certify, type Dataset, Machine, ntk, svmSgd, writeNpy } from "ntkit";
import { type Context, defineJob } from "../job.js";
import { mnist01, significant } from "./data.js";
import { EPOCHS } from "./sgd.js";

const modelFile = (scratch: string) => join(scratch, "sgd.safetensors");
const alphaFile = (scratch: string) => join(scratch, "alpha.npy");

/** Coefficients in the order of the training rows, 0 where the machine has dropped one; its rows keep that order. */
function alphaInOrder(machine: Machine, { x, n, d }: Dataset): Float64Array {
  const { rows, alpha } = machine;
  const out = new Float64Array(n);
  const bytes = (own: Uint8Array | Float64Array, k: number) =>
    Buffer.from(own.buffer, own.byteOffset + k * d * own.BYTES_PER_ELEMENT, d * own.BYTES_PER_ELEMENT);
  let next = 0;
  for (let i = 0; i < n && next < rows.n; i++) {
    if (bytes(x, i).compare(bytes(rows.x, next)) !== 0) continue;
    out[i] = alpha[next] ?? 0;
    next += 1;
  }
  if (next < rows.n) throw new Error("interval: a row of the machine is not among the training rows");
  return out;
}

async function provide(context: Context): Promise<void> {
  const { runtime, scratch } = context;
  const { train } = await mnist01(context);
  const machine = await svmSgd({ kernel: ntk(), epochs: EPOCHS }).fit(train, { runtime });
  const data = alphaInOrder(machine, train);
  await writeFile(modelFile(scratch), machine.save());
  await writeFile(alphaFile(scratch), writeNpy({ shape: [data.length], data }));
}

export const interval = defineJob({
  name: "interval",
  what: "interval certificates (Theorem 4.2) of all 2,115 test images, subgradient SVM",
  why: "each term needs h at one end of its interval only, a polynomial evaluated two at a time; inner products are made once an image, for sixteen images while rows are in cache; the slope at 0 and interpolation leave four bounds an image; bounds are rounded outward, the peer's are not",
  peers: [
    {
      script: "interval",
      what: "NumPy, 20 bisections an image",
      ratioAsked: 0.05,
      arguments: (scratch) => [alphaFile(scratch), "2115"],
      agreements: [
        { ours: "correct", peer: "samples", within: 0 },
        { ours: "radius", peer: "mean_radius", within: 1e-3 },
      ],
      says: ({ samples, mean_radius }) => `mean radius ${significant(mean_radius, 5)} of ${samples}`,
    },
  ],
  says: ({ radius, correct }) => `mean radius ${significant(radius, 5)} of ${correct}`,
  provide,
  prepare: async (context: Context) => ({
    machine: Machine.load(await readFile(modelFile(context.scratch))),
    test: (await mnist01(context)).test,
  }),
  run: ({ machine, test }, { runtime }) => certify(machine, test, { runtime }),
  async check({ test }, { samples, correct, radius, perSample }) {
    const proved = perSample.every(({ radius, margin }) => radius === 0 || margin > 0);
    const figures = { radius: radius.mean ?? Number.NaN, correct, samples };
    return { ok: samples === test.n && proved && figures.radius > 0, figures };
  },
});
