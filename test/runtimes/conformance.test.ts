// The conformance suite gives the same bits in Node 20, Node 22, Deno, Bun and Chromium, on any number of threads.
// Not here: the suite (suite.js).
import type { Browser } from "playwright";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NAMES, root, runFile } from "./environments.js";
import { ISOLATED, launch, serve, visit } from "./page.js";

const FILE = "test/runtimes/run.js";
const HTML = `<!doctype html><link rel="icon" href="data:,"><script type="module" src="/${FILE}"></script>`;

interface Run {
  readonly threads: number;
  readonly level: "simd" | "relaxed";
  readonly hashes: Readonly<Record<string, string>>;
}

const runsOf = (lines: readonly string[]) =>
  lines.filter((line) => line !== "done").map((line) => JSON.parse(line) as Run);

/** Node 20 has relaxed SIMD behind a flag only. */
const levelOf = (name: string) => (name === "Node 20" ? "simd" : "relaxed");

let reference: Run["hashes"];
beforeAll(async () => {
  reference = runsOf(await runFile("Node 20", FILE))[0]!.hashes;
});

it("has a part for each subject, and no two alike", () => {
  const names = ["kernel", "gram", "ridge", "svm", "interval", "linear", "curvature", "attack", "network"];
  expect(Object.keys(reference)).toEqual([...names, "save and load", "cancellation", "errors"]);
  expect(new Set(Object.values(reference)).size).toBe(names.length + 3);
  for (const hash of Object.values(reference)) expect(hash).toMatch(/^[0-9a-f]{64}$/);
});

describe.each(NAMES)("%s", (name) => {
  it("computes the same bits on no worker, one and three", async () => {
    const expected = [0, 1, 3].map((threads) => ({ threads, level: levelOf(name), hashes: reference }));
    expect(runsOf(await runFile(name, FILE))).toEqual(expected);
  });
});

describe("Chromium", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser?.close());

  it.each([
    ["a page that may share memory", ISOLATED, [0, 1, 3]],
    ["a page that may not, on copies", {}, [0, 1, 3]],
  ])("computes the same bits in %s", async (_, headers, threads) => {
    const site = await serve({ folder: root, files: { "/": HTML }, headers });
    try {
      const { lines, errors } = await visit(browser, `${site.origin}/`);
      expect(errors).toEqual([]);
      expect(runsOf(lines)).toEqual(threads.map((count) => ({ threads: count, level: "relaxed", hashes: reference })));
    } finally {
      await site.close();
    }
  });
});
