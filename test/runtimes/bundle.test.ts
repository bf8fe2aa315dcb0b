// What a page downloads: bundles of several import forms as a bundler makes them, in bytes after gzip. Not here: what the
// bundles do (tarball.test.ts).
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build, type Metafile, type Plugin } from "esbuild";
import { describe, expect, it } from "vitest";
import { root } from "./environments.js";

const KB = 1000;

interface Sizes {
  /** Loaded with the page: the entry and what it imports. */
  readonly first: number;
  /** The core, loaded when something computes. */
  readonly core: number;
  readonly metafile: Metafile;
}

/** Chunks that are loaded with `entry`, itself included. */
function loadedWith(metafile: Metafile, entry: string, seen = new Set<string>()): Set<string> {
  if (seen.has(entry)) return seen;
  seen.add(entry);
  for (const { path, kind } of metafile.outputs[entry]?.imports ?? [])
    if (kind === "import-statement" && path in metafile.outputs) loadedWith(metafile, path, seen);
  return seen;
}

const options = (code: string) =>
  ({
    stdin: { contents: code, resolveDir: join(root, "dist"), sourcefile: "app.js" },
    absWorkingDir: root,
    bundle: true,
    minify: true,
    format: "esm",
    outdir: "out",
    write: false,
    metafile: true,
    logLevel: "error",
  }) as const;

/** Bundles one line of code that imports from dist/, in chunks, minified for a page. */
async function bundle(code: string): Promise<Sizes> {
  const external = ["@tensorflow/*"];
  const { outputFiles, metafile } = await build({ ...options(code), splitting: true, external });
  const bytes = new Map(
    outputFiles.map(({ path, contents }) => [path.slice(root.length + 1), gzipSync(contents).length]),
  );
  const sum = (paths: Iterable<string>) => [...paths].reduce((total, path) => total + bytes.get(path)!, 0);
  const first = sum(loadedWith(metafile, "out/stdin.js"));
  const core = sum([...bytes.keys()].filter((path) => path.includes("inlined")));
  return { first, core, metafile };
}

/** Bytes that stay of what a line imports, without what is loaded later: the chunks that import() names. */
async function retained(code: string): Promise<number> {
  const { outputFiles } = await build({ ...options(code), plugins: [LATER] });
  return gzipSync(outputFiles[0]!.contents).length;
}

const LATER: Plugin = {
  name: "loaded later",
  setup({ onResolve }) {
    onResolve({ filter: /./ }, ({ kind, path }) => (kind === "dynamic-import" ? { path, external: true } : undefined));
  },
};

describe("bundles for pages", () => {
  it("a page with all of ntkit downloads at most 150 kB gzipped, the core included; what few pages call comes when it is called", async () => {
    const { first, core } = await bundle('export * from "./index.js";');
    expect(first + core).toBeLessThanOrEqual(150 * KB);
    expect(core).toBeGreaterThan(30 * KB);
    expect(core).toBeLessThanOrEqual(50 * KB);
  });

  it("a page that only certifies downloads at most 90 kB with the core, by ntkit/certify or from ntkit", async () => {
    for (const entry of ["./certify.js", "./index.js"]) {
      const { first, core } = await bundle(`export { certify, readModel, dataset } from "${entry}";`);
      expect(first + core).toBeLessThanOrEqual(90 * KB);
    }
  });

  it.each([
    ["a constant", "VERSION", 1],
    ["a data set", "dataset", 3],
    ["NPZ files", "readNpz", 8],
    ["an SVM", "svm, ntk, dataset", 25],
    ["ridge regression", "krr, ntk, dataset", 27],
  ])("%s takes along only what it needs (%s): at most %i kB", async (_, names, most) => {
    expect(await retained(`export { ${names} } from "./index.js";`)).toBeLessThanOrEqual(most * KB);
  });

  it("an import for nothing leaves nothing: no module has side effects", async () => {
    const { outputFiles } = await build({
      ...options('import "./index.js"; import "./certify.js"; import "./wasm.js"; import "./plots.js";'),
      plugins: [LATER],
    });
    expect(outputFiles.map(({ text }) => text.trim())).toEqual([""]);
  });

  it("bundles meet no module of Node's, and no package but TensorFlow.js's optional ones", async () => {
    const { metafile } = await bundle('export * from "./index.js"; export * from "./wasm.js";');
    const packages = Object.values(metafile.outputs).flatMap(({ imports }) =>
      imports.filter(({ external }) => external).map(({ path }) => path),
    );
    expect([...new Set(packages)].sort()).toEqual([
      "@tensorflow/tfjs",
      "@tensorflow/tfjs-backend-wasm",
      "@tensorflow/tfjs-backend-webgpu",
    ]);
  });
});
