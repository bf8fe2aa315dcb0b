// One step of the widest networks on WebGPU, on whatever adapter there is, and what it says of training them. Not here:
// networks in the core (network.ts).
import { network, openTraining } from "ntkit";
import { probeGpu } from "../../sdk/runtime/gpu.js";
import { type Context, defineJob, type Figures, type Job } from "../job.js";
import { mnist01, significant, small } from "./data.js";
import { count, plainOutput, ROWS, TOLERANCE } from "./network.js";

/** 300 epochs of the 198 batches of 12,665 rows. */
const ALL_STEPS = 198 * 300;

const BATCH = 64;

const says = ({ software, error }: Figures) =>
  `on a ${software === 1 ? "software adapter" : "GPU"}, error ${small(error)} in ${ROWS} rows`;

function stepJob(name: string, width: number): Job {
  const spec = network({ widths: [width] });
  // Forwards and the gradient of the weights; weights read forwards, then they and their carry read and written.
  const [operations, bytes] = [4 * BATCH * 784 * width, 5 * 4 * 784 * width];
  const work = `${Math.round(operations / 1e9)} GFLOP and ${significant(bytes / 1e9, 2)} GB of memory traffic`;
  const minutes = significant((ALL_STEPS * (operations / 30e12 + bytes / 2e12)) / 60, 2);
  return defineJob({
    name,
    what: `one step of a two-layer network of width ${count(width)} on WebGPU, batch of ${BATCH}, after one that compiles`,
    why: `${work} where no pixel is skipped; the paper's 300 epochs are ${count(ALL_STEPS)} such steps, by estimate ${minutes} minutes on a GPU of 30 TFLOP/s and 2 TB/s`,
    peers: [],
    onRequest: true,
    says,
    async prepare(context: Context) {
      const { train } = await mnist01(context);
      // f_0 of all rows would take a software adapter hours at these widths, and is no part of a step.
      const session = await openTraining(spec, train, {
        ...{ backend: "webgpu", centred: false, batch: BATCH },
        runtime: context.runtime,
      });
      await session.steps(1);
      return { train, session, adapter: await probeGpu() };
    },
    run: ({ session }) => session.steps(1),
    async check({ train, session, adapter }, reports) {
      const rows = train.subset(Array.from({ length: ROWS }, (_, k) => Math.floor((k * train.n) / ROWS)));
      const outputs = await session.outputs(rows);
      const weights = await session.weights();
      session.dispose();
      const factor = 1 / Math.sqrt(train.d * width);
      const errors = Array.from(outputs, (z, row) => Math.abs(z - factor * plainOutput(weights, rows, row)));
      const error = Math.max(...errors);
      return {
        ok: reports.length === 1 && error <= TOLERANCE,
        figures: { software: Number(adapter?.software), error },
      };
    },
  });
}

export const gpuStep = stepJob("webgpu-100000", 100_000);
export const widestGpuStep = stepJob("webgpu-1000000", 1_000_000);
