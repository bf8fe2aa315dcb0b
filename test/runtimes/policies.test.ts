// Pages that may not do everything: a strict content security policy, a sandboxed frame, and the SDK inside a worker of the
// page's own. The same bits come out. Not here: pages that may (conformance.test.ts).
import { join } from "node:path";
import { build } from "esbuild";
import type { Browser } from "playwright";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root, runFile } from "./environments.js";
import { ISOLATED, launch, serve, visit } from "./page.js";

const STRICT = { "Content-Security-Policy": "default-src 'none'; img-src data:; script-src 'self' 'wasm-unsafe-eval'" };
const HEAD = '<!doctype html><link rel="icon" href="data:,">';
const IMPORTS = `
import * as sdk from "/dist/index.js";
import { conformance } from "/test/runtimes/suite.js";
`;

let browser: Browser;
let reference: Readonly<Record<string, string>>;
beforeAll(async () => {
  browser = await launch();
  const [first = ""] = await runFile("Node 20", "test/runtimes/run.js");
  reference = JSON.parse(first).hashes;
});
afterAll(() => browser?.close());

/** Opens "/" of a site made of these files and the checkout; the values that it prints, and the console's errors. */
async function open(files: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>>) {
  const site = await serve({ folder: root, files, headers });
  try {
    const { lines, errors } = await visit(browser, `${site.origin}/`);
    return { values: lines.map((line) => JSON.parse(line)), errors };
  } finally {
    await site.close();
  }
}

const page = (body: string) => ({
  "/": `${HEAD}<script type="module" src="/page.js"></script>`,
  "/page.js": `${IMPORTS}${body}\nconsole.log("done");`,
});

describe("a policy of script-src 'self' 'wasm-unsafe-eval'", () => {
  it("runs threads from a file of its own, and breaks no rule", async () => {
    const worker = '{ worker: "/dist/workers.js" }';
    const body = `console.log(JSON.stringify(await conformance(sdk, 2, ${worker})));`;
    const { values, errors } = await open(page(body), { ...ISOLATED, ...STRICT });
    expect(values).toMatchObject([{ threads: 2, hashes: reference }]);
    expect(errors).toEqual([]);
  });

  it("takes workers that a function starts", async () => {
    const worker = '{ worker: () => new Worker(new URL("/dist/workers.js", location.href)) }';
    const body = `console.log(JSON.stringify(await conformance(sdk, 1, ${worker})));`;
    const { values, errors } = await open(page(body), { ...ISOLATED, ...STRICT });
    expect(values).toMatchObject([{ threads: 1, hashes: reference }]);
    expect(errors).toEqual([]);
  });

  it("computes on the calling thread when nothing is said of threads, and refuses those that are asked for", async () => {
    const body = `
      console.log(JSON.stringify(await conformance(sdk, undefined)));
      const runtime = await sdk.Runtime.create({ threads: 2 });
      const data = sdk.dataset({ x: Float64Array.of(1, 0), y: [1, -1], shape: [2, 1] });
      const refusal = await sdk.GramMatrix.create(sdk.ntk(), data, { runtime }).catch((error) => error.message);
      console.log(JSON.stringify({ refusal }));
      await runtime.close();`;
    const { values, errors } = await open(page(body), { ...ISOLATED, ...STRICT });
    expect(values).toMatchObject([
      { threads: 0, hashes: reference },
      { refusal: expect.stringMatching(/workers\.js/) },
    ]);
    // The browser's own report of each worker that it refused.
    for (const error of errors) expect(error).toMatch(/blob:.*Content Security Policy/);
  });

  it("runs threads from a file of its own on copies where memory may not be shared, and breaks no rule", async () => {
    const worker = '{ worker: "/dist/workers.js" }';
    const body = `console.log(JSON.stringify(await conformance(sdk, 2, ${worker})));`;
    const { values, errors } = await open(page(body), STRICT);
    expect(values).toMatchObject([{ threads: 2, hashes: reference }]);
    expect(errors).toEqual([]);
  });

  it("computes on the calling thread where memory may not be shared and threads are refused, asked for or not", async () => {
    const { values, errors } = await open(page("console.log(JSON.stringify(await conformance(sdk, 2)));"), STRICT);
    expect(values).toMatchObject([{ threads: 0, hashes: reference }]);
    for (const error of errors) expect(error).toMatch(/blob:.*Content Security Policy/);
  });
});

describe("a sandboxed frame, which has no origin", () => {
  let bundle: string;
  beforeAll(async () => {
    // One classic script, as such frames load it: modules would need permission of the server.
    const { outputFiles } = await build({
      stdin: {
        contents: `import * as sdk from "./dist/index.js"; import { conformance } from "./test/runtimes/suite.js";
          conformance(sdk, 2).then((run) => { console.log(JSON.stringify(run)); console.log("done"); });`,
        resolveDir: root,
      },
      absWorkingDir: root,
      bundle: true,
      format: "iife",
      outfile: join(root, "frame.js"),
      write: false,
      external: ["@tensorflow/*"],
      logLevel: "error",
      logOverride: { "empty-import-meta": "silent" },
    });
    bundle = outputFiles[0]!.text;
  });

  it.each([
    ["a page that may share memory", ISOLATED],
    ["a page that may not", {}],
  ])("computes the same bits in %s", async (_, headers) => {
    const files = {
      "/": `${HEAD}<iframe sandbox="allow-scripts" src="/frame.html"></iframe>`,
      "/frame.html": `${HEAD}<script src="/frame.js"></script>`,
      "/frame.js": bundle,
    };
    const { values, errors } = await open(files, { ...headers, "Cross-Origin-Resource-Policy": "cross-origin" });
    expect(values).toMatchObject([{ threads: 2, hashes: reference }]);
    expect(errors).toEqual([]);
  });
});

describe("the SDK in a worker of the page, so that the page stays free", () => {
  it.each([
    ["that share memory where it may be shared", ISOLATED],
    ["on copies where not", {}],
  ])("computes the same bits with threads of its own, %s", async (_, headers) => {
    const files = {
      "/": `${HEAD}<script type="module" src="/page.js"></script>`,
      "/page.js": `
        const worker = new Worker("/worker.js", { type: "module" });
        worker.onmessage = ({ data }) => { console.log(JSON.stringify(data)); console.log("done"); };
        worker.onerror = ({ message }) => console.error(message);`,
      "/worker.js": `${IMPORTS} postMessage(await conformance(sdk, 2));`,
    };
    const { values, errors } = await open(files, headers);
    expect(values).toMatchObject([{ threads: 2, hashes: reference }]);
    expect(errors).toEqual([]);
  });
});
