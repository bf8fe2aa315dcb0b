// The packed package, installed in an empty folder: it is well formed, and works in Node, Deno, Bun, from a script tag and
// in a build by Vite, with the same bits as in the checkout. Not here: how much of it a page downloads (bundle.test.ts).
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ENVIRONMENTS, type EnvironmentName, execute, NAMES, packages, root, runFile } from "./environments.js";
import { ISOLATED, launch, serve, visit } from "./page.js";

/** What a program that uses the package looks like: three entries, of which all have the same classes. */
const APP = `
import * as sdk from "ntkit";
import { Machine } from "ntkit/certify";
import { coreUrl, init } from "ntkit/wasm";
import { conformance } from "./suite.js";
if (Machine !== sdk.Machine || init === sdk.init) throw new Error("entries have classes of their own");
console.log(JSON.stringify(await conformance(sdk, 2)));
console.log("done");
`;

/** The core and the workers from the package's own files. */
const FILES = `
import { dataset, GramMatrix, init, ntk, VERSION } from "ntkit/wasm";
const runtime = await init({ threads: 2, worker: new URL(import.meta.resolve("ntkit/workers")) });
const data = dataset({ x: Float64Array.of(1, 0, 0, 1), y: [1, -1], shape: [2, 2] });
const gram = await GramMatrix.create(ntk(), data);
console.log(JSON.stringify([VERSION, runtime.threads, [...gram.toArray()]]));
await runtime.close();
`;

const PAGE = (script: string) =>
  `<!doctype html><link rel="icon" href="data:,"><script type="module" src="${script}"></script>`;

let folder: string;
let tarball: string;
let files: string[];
const at = (...path: string[]) => join(folder, ...path);

/** npm as it runs these tests, or the one on the path. */
async function npm(cwd: string, ...args: string[]): Promise<string> {
  const own = process.env.npm_execpath;
  const [command, first] = own?.endsWith(".js") ? [process.execPath, [own]] : ["npm", []];
  const { status, stdout, stderr } = await execute(command, [...first, ...args], { cwd, seconds: 110 });
  if (status !== 0) throw new Error(`npm ${args.join(" ")} ended with ${status}: ${stderr}`);
  return stdout;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ntkit-"));
  const [packed] = JSON.parse(await npm(root, "pack", "--ignore-scripts", "--json", "--pack-destination", folder));
  tarball = at(packed.filename);
  files = packed.files.map(({ path }: { path: string }) => path);
  await writeFile(at("package.json"), '{ "private": true, "type": "module" }');
  // Neither MNIST nor a GPU is needed to import it.
  const quiet = ["--omit=optional", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"];
  await npm(folder, "install", ...quiet, tarball);
  await cp(join(import.meta.dirname, "suite.js"), at("suite.js"));
  await writeFile(at("app.js"), APP);
  await writeFile(at("files.js"), FILES);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let reference: unknown;
beforeAll(async () => {
  const [first = ""] = await runFile("Node 20", "test/runtimes/run.js");
  reference = JSON.parse(first).hashes;
});

const hashesOf = (lines: readonly string[]) => lines.filter((line) => line !== "done").map((line) => JSON.parse(line));

describe("the tarball", () => {
  it("holds what is built now and neither sources, nor what only tests take, nor chunks of earlier builds", async () => {
    const chunks = files.filter((path) => path.startsWith("dist/chunks/"));
    const entries = ["index", "certify", "wasm", "plots", "cli"];
    const texts = await Promise.all(
      [...entries.map((name) => `dist/${name}.js`), ...chunks].map((path) => readFile(join(root, path), "utf8")),
    );
    for (const chunk of chunks) {
      const name = chunk.slice("dist/chunks/".length).replace(/\.map$/, "");
      expect(texts.some((text) => text.includes(name))).toBe(true);
    }
    expect(files.filter((path) => !path.startsWith("dist/")).sort()).toEqual([
      "CHANGELOG.md",
      "LICENSE",
      "README.md",
      "package.json",
    ]);
    expect(files.filter((path) => path.endsWith(".wasm")).sort()).toEqual([
      "dist/core/relaxed.wasm",
      "dist/core/simd.wasm",
    ]);
    expect(files.filter((path) => /\.wat$|^dist\/(cli\.js\.map|bench|soak|\.)/.test(path))).toEqual([]);
    expect(await readdir(at("node_modules/ntkit/dist/chunks"))).toHaveLength(chunks.length);
    expect(chunks.length).toBeGreaterThan(10);
  });

  it("names the licence of every package whose code is inside", async () => {
    const text = await readFile(at("node_modules/ntkit/dist/THIRD-PARTY.txt"), "utf8");
    for (const name of ["@assemblyscript/loader", "fflate", "pbf"]) expect(text).toContain(`${name} `);
  });

  it("is in order for publint, which finds nothing to say", async () => {
    const { status, stdout, stderr } = await execute(process.execPath, [
      join(packages, "publint/src/cli.js"),
      "run",
      tarball,
      "--strict",
    ]);
    expect(stdout + stderr).toMatch(/All good/);
    expect(status).toBe(0);
  });

  it("has types that every resolution of modules finds (attw, as a package of modules only)", async () => {
    const cli = join(packages, "@arethetypeswrong/cli/dist/index.js");
    const options = ["--profile", "esm-only", "--format", "ascii", "--no-color"];
    const { status, stdout } = await execute(process.execPath, [cli, tarball, ...options]);
    const verdicts = stdout.split("\n").filter((line) => /^(node16 \(from ESM\)|bundler): /.test(line));
    expect(verdicts).toHaveLength(14);
    expect(verdicts.filter((line) => !/: (🟢|\(wildcard\))/u.test(line))).toEqual([]);
    expect(status).toBe(0);
  });

  it("has a command line that says its version", async () => {
    const { stdout } = await execute(process.execPath, [at("node_modules/ntkit/dist/cli.js"), "--version"], {
      cwd: folder,
    });
    expect(stdout.trim()).toBe(JSON.parse(await readFile(join(root, "package.json"), "utf8")).version);
  });
});

describe.each(NAMES)("%s", (name) => {
  it("computes the checkout's bits with the installed package", async () => {
    const [run] = hashesOf(await runFile(name, "app.js", folder));
    expect(run).toMatchObject({ threads: 2, hashes: reference });
  });

  it("runs on the package's own .wasm file and its file of worker threads", async () => {
    const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
    // Unit vectors at a right angle: h(1) = 1 and h(0) = 1 / (2 pi) for the NTK of one hidden layer.
    const [found] = hashesOf(await runPermitted(name, "files.js"));
    expect(found.slice(0, 2)).toEqual([version, 2]);
    expect(found[2]).toHaveLength(4);
    expect(found[2][0]).toBe(found[2][3]);
    expect(found[2][1]).toBe(found[2][2]);
  });
});

/** Deno asks before it reads a file that no import names. */
async function runPermitted(name: EnvironmentName, file: string): Promise<string[]> {
  const { command, options } = ENVIRONMENTS[name];
  const more = name === "Deno" ? [`--allow-read=${folder}`] : [];
  const { status, stdout, stderr } = await execute(command(), [...options, ...more, file], { cwd: folder });
  if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr}${stdout}`);
  return stdout.trim().split("\n");
}

describe("pages", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser?.close());

  it("a script tag runs it as it lies in node_modules, without a bundler", async () => {
    const script = APP.replace(
      /"ntkit(?:\/(\w+))?"/g,
      (_, entry) => `"/node_modules/ntkit/dist/${entry ?? "index"}.js"`,
    );
    const site = await serve({ folder, files: { "/": PAGE("/page.js"), "/page.js": script }, headers: ISOLATED });
    try {
      const { lines, errors } = await visit(browser, `${site.origin}/`);
      expect(errors).toEqual([]);
      expect(hashesOf(lines)).toMatchObject([{ threads: 2, hashes: reference }]);
      // With the core inside, no .wasm file is asked for; and what is not used is not loaded.
      expect(site.requests.filter((path) => /\.wasm$|workers\.js$|session|tfjs/.test(path))).toEqual([]);
    } finally {
      await site.close();
    }
  });

  it("a build by Vite runs, with the core inside and with the core as a file", async () => {
    await mkdir(at("vite"));
    await writeFile(at("vite/index.html"), PAGE("/main.js"));
    await writeFile(
      at("vite/main.js"),
      `${APP.replace("./suite", "../suite").replace('console.log("done");', "")}
       const runtime = await init({ threads: 0 });
       const data = sdk.dataset({ x: Float64Array.of(1, 0, 0, 1), y: [1, -1], shape: [2, 2] });
       const gram = await sdk.GramMatrix.create(sdk.ntk(), data);
       console.log(JSON.stringify({ file: coreUrl().pathname, level: runtime.level, n: gram.row(0).length }));
       console.log("done");`,
    );
    const cli = join(packages, "vite/bin/vite.js");
    const built = await execute(process.execPath, [cli, "build", "--outDir", at("built"), "--logLevel", "warn"], {
      cwd: at("vite"),
    });
    expect(built).toMatchObject({ status: 0 });
    const site = await serve({
      folder: at("built"),
      headers: ISOLATED,
      files: { "/": await readFile(at("built/index.html")) },
    });
    try {
      const { lines, errors } = await visit(browser, `${site.origin}/`);
      expect(errors).toEqual([]);
      const [suite, file] = hashesOf(lines);
      expect(suite).toMatchObject({ threads: 2, hashes: reference });
      expect(file).toMatchObject({
        level: "relaxed",
        n: 2,
        file: expect.stringMatching(/^\/assets\/relaxed-.*\.wasm$/),
      });
      expect(site.requests).toContain(file.file);
    } finally {
      await site.close();
    }
  });
});

it("JSR takes the sources as they are: deno publish --dry-run, under the package's own version", async () => {
  const [own, jsr] = await Promise.all(
    ["package.json", "deno.json"].map(async (name) => JSON.parse(await readFile(join(root, name), "utf8"))),
  );
  expect(jsr.version).toBe(own.version);
  for (const [name, range] of Object.entries<string>({
    ...own.dependencies,
    ...own.devDependencies,
    ...own.peerDependencies,
  }))
    if (name in jsr.imports) expect(jsr.imports[name]).toBe(`npm:${name}@${range}`);
  const flags = ["publish", "--dry-run", "--allow-dirty", "--no-check", "--allow-slow-types"];
  const { status, stdout, stderr } = await execute(ENVIRONMENTS.Deno.command(), flags);
  expect(stderr + stdout).toMatch(/Success.* Dry run complete/);
  expect(stderr + stdout).toMatch(/generated\/core-simd\.ts/);
  expect(status).toBe(0);
});
