// Builds everything: the core for each feature level, the worker, the SDK, the command line, the benchmarks, the site.
// Not here: installing (scripts/setup.mjs) and testing (vitest).
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { deflated, difference } from "./scripts/pack-core.mjs";

const root = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const generated = join(root, "sdk/runtime/generated");
const packageJson = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** Feature levels of the core; asconfig.json holds the compiler options of each. */
const LEVELS = ["scalar", "simd", "relaxed"];

function writeModule(name, value, type = "string") {
  writeFileSync(join(generated, `${name}.ts`), `export default ${JSON.stringify(value)} as ${type};\n`);
}

function buildCore() {
  const compiler = join(dirname(require.resolve("assemblyscript/package.json")), "bin/asc.js");
  for (const level of LEVELS) {
    execFileSync(process.execPath, [compiler, "--config", "asconfig.json", "--target", level], {
      cwd: root,
      stdio: "inherit",
    });
  }
}

/** What is inlined, from what was compiled; the scalar reference is not, only tests take it. */
function inlineCore() {
  const [simd, relaxed] = ["simd", "relaxed"].map((level) => readFileSync(join(root, `dist/core/${level}.wasm`)));
  writeModule("core-simd", deflated(simd));
  writeModule("core-relaxed", difference(simd, relaxed), "readonly (readonly [number, number, string])[]");
}

async function programOf(name) {
  const { outputFiles } = await build({
    entryPoints: [join(root, `sdk/runtime/${name}.ts`)],
    bundle: true,
    format: "iife",
    target: "es2022",
    minify: true,
    write: false,
  });
  return outputFiles[0].text;
}

async function buildWorkers() {
  writeModule("worker-source", await programOf("worker-shared"));
  const copies = await programOf("worker-copies");
  writeModule("copies-source", copies);
  // The program as a file, for pages whose policy refuses one that was made on the spot: whether they share or not.
  writeFileSync(join(root, "dist/workers.js"), `// ntkit ${packageJson.version}: a worker thread\n${copies}`);
}

/** The licences of the packages whose code is inside these builds, as those ask for. */
function writeLicences(builds) {
  const inputs = builds.flatMap(({ metafile }) => Object.keys(metafile.inputs));
  const names = inputs.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []);
  const texts = [...new Set(names)].sort().map((name) => {
    const folder = join(root, "node_modules", name);
    const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    // Some packages have no such file; theirs is the licence of this project, word for word.
    if (file === undefined && license !== packageJson.license) throw new Error(`${name} has no licence file`);
    const text = readFileSync(file === undefined ? join(root, "LICENSE") : join(folder, file), "utf8");
    return `${name} ${version}, ${license}\n\n${text.trim()}\n`;
  });
  writeFileSync(join(root, "dist/THIRD-PARTY.txt"), texts.join(`\n${"-".repeat(80)}\n`));
}

/**
 * Packages that stay imports: optional ones, and those of the plots and the command line. The few that the SDK itself
 * needs are part of it, so that a page can load it from a plain script tag.
 */
const EXTERNAL = ["node:*", "@tensorflow/*", "@observablehq/plot", "linkedom", "webgpu", "commander"];

const shared = {
  absWorkingDir: root,
  bundle: true,
  format: "esm",
  target: "es2022",
  sourcemap: true,
  external: EXTERNAL,
  metafile: true,
  define: { __NTKIT_VERSION__: JSON.stringify(packageJson.version) },
};

mkdirSync(generated, { recursive: true });
mkdirSync(join(root, "dist/core"), { recursive: true });
// Chunks are named after what they hold: those of earlier builds would stay, and get into the package.
rmSync(join(root, "dist/chunks"), { recursive: true, force: true });
if (!process.argv.includes("--no-core")) buildCore();
inlineCore();
await buildWorkers();
// Entries share their chunks, so that both see the same classes.
const entries = {
  index: "sdk/index.ts",
  certify: "sdk/certify/index.ts",
  wasm: "sdk/wasm.ts",
  plots: "sdk/plots/commands.ts",
};
const library = await build({
  ...shared,
  entryPoints: entries,
  outdir: "dist",
  splitting: true,
  chunkNames: "chunks/[name]-[hash]",
});
const program = {
  ...shared,
  platform: "node",
  banner: { js: "#!/usr/bin/env node" },
  alias: { "ntkit/plots": "./sdk/plots/commands.ts", ntkit: "./sdk/index.ts" },
};
const commands = await build({ ...program, entryPoints: ["cli/main.ts"], outfile: "dist/cli.js" });
writeLicences([library, commands]);
await build({ ...program, entryPoints: ["bench/main.ts"], outfile: "dist/bench.js" });
await import("./web/build.mjs");
if (!process.argv.includes("--no-types")) {
  const tsc = join(dirname(require.resolve("typescript/package.json")), "bin/tsc");
  execFileSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
}
