// One epoch of the paper's two-layer networks in the core, beside PyTorch and beside TensorFlow.js, which starts from the
// same weights and sees the same batches. Clocks start after f_0 on every side.
import {
  type BackendName,
  type Dataset,
  initialWeights,
  type NetworkSpec,
  type NetworkWeights,
  network,
  openTraining,
  type TrainingSession,
} from "ntkit";
import { type Context, defineJob, type Figures, type Job, type Peer } from "../job.js";
import { mnist01, significant, small } from "./data.js";

/** Rows looked at by the check. */
export const ROWS = 8;

/** Largest error of an output in float32 sums of 784 and 10,000 terms; outputs are of order 1. */
export const TOLERANCE = 1e-4;

/** <w, relu(W x)> sqrt(d m) of one row, written plainly in float64. */
export function plainOutput({ hidden, output }: NetworkWeights, { x, d, scale }: Dataset, row: number): number {
  const sums = new Float64Array(output.length);
  for (let k = 0; k < d; k++) {
    const entry = (x[row * d + k] ?? 0) * scale;
    if (entry === 0) continue;
    const weights = hidden[0]?.subarray(k * sums.length, (k + 1) * sums.length) ?? [];
    for (let j = 0; j < sums.length; j++) sums[j] = (sums[j] ?? 0) + entry * (weights[j] ?? 0);
  }
  return sums.reduce((sum, value, j) => sum + Math.max(0, value) * (output[j] ?? 0), 0);
}

/** Largest difference of the session's outputs from the plain formula f - f_0, in a few rows. */
async function largestError(
  spec: NetworkSpec,
  session: TrainingSession,
  data: Dataset,
  outputs: Float64Array,
  context: Context,
) {
  const { runtime } = context;
  const [now, start] = [await session.weights(), await initialWeights(spec, data.d, { runtime })];
  const factor = 1 / Math.sqrt(data.d * (spec.widths[0] ?? 1));
  let largest = 0;
  for (let k = 0; k < ROWS; k++) {
    const row = Math.floor((k * data.n) / ROWS);
    const expected = factor * (plainOutput(now, data, row) - plainOutput(start, data, row));
    largest = Math.max(largest, Math.abs((outputs[row] ?? Number.NaN) - expected));
  }
  return largest;
}

const says = ({ accuracy, hinge, error }: Figures) =>
  `accuracy ${significant(accuracy, 5)}, hinge loss ${significant(hinge)}, error ${small(error)} in ${ROWS} rows`;

export const count = (width: number) => width.toLocaleString("en-US");

function epochJob(name: string, width: number, backend: BackendName, peers: readonly Peer[]): Job {
  const spec = network({ widths: [width] });
  return defineJob({
    name,
    what: `one epoch of a two-layer network of width ${count(width)}, soft margin loss, batches of 64, after f_0`,
    why: "pixels that are zero and rows without a violation cost nothing, 32 neurons at a time see the whole batch while their weights are in cache, and threads meet once a step",
    peers,
    says,
    async prepare(context: Context) {
      const { train, test } = await mnist01(context);
      return { train, test, session: await openTraining(spec, train, { backend, runtime: context.runtime }) };
    },
    run: ({ session }) => session.steps(session.stepsPerEpoch),
    async check({ train, test, session }, reports, context) {
      const outputs = await session.outputs(train);
      const hinge = outputs.reduce((sum, z, i) => sum + Math.max(0, 1 - (train.y[i] ?? 0) * z), 0) / train.n;
      const decisions = await session.outputs(test);
      const accuracy = decisions.filter((z, i) => z * (test.y[i] ?? 0) > 0).length / test.n;
      const error = await largestError(spec, session, train, outputs, context);
      session.dispose();
      // The loss of the zero function is 1; a step that learns nothing would leave it there.
      const learnt = reports.length === session.stepsPerEpoch && hinge < 1;
      return { ok: learnt && error <= TOLERANCE, figures: { accuracy, hinge, error } };
    },
  });
}

function networkJob(width: number): Job {
  const tfjs = `network-${width}-tfjs`;
  return epochJob(`network-${width}`, width, "wasm", [
    {
      script: "network",
      what: "PyTorch, tuned by hand",
      ratioAsked: 1.5,
      arguments: () => [String(width), "1"],
      // Other weights and another order of the batches: seeds of one side differ by 8% in the loss.
      agreements: [
        { ours: "accuracy", peer: "accuracy", within: 0.005 },
        { ours: "hinge", peer: "hinge", within: 0.15 },
      ],
      says: ({ accuracy, hinge }) => `accuracy ${significant(accuracy, 5)}, hinge loss ${significant(hinge)}`,
    },
    {
      script: tfjs,
      job: epochJob(tfjs, width, "tfjs-wasm", []),
      what: "TensorFlow.js, wasm with SIMD, its one thread in Node",
      ratioAsked: 0.1,
      slow: width > 1000,
      agreements: [
        { ours: "accuracy", peer: "accuracy", within: 0.001 },
        { ours: "hinge", peer: "hinge", within: 1e-3 },
      ],
      says: (output) => says(output as Figures),
    },
  ]);
}

export const narrowNetwork = networkJob(1000);
export const wideNetwork = networkJob(10_000);
