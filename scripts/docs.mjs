// The documentation site: `node scripts/docs.mjs` serves it while pages are edited, `build` writes it to dist/docs, and
// `preview` serves what was built. Installs what docs/package-lock.json pins when it has to, and writes the pages that
// come from elsewhere: commands, API, benchmarks, architecture. Not here: the pages themselves (docs/*.md), the look
// (docs/.vitepress/).
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cliReference } from "./cli-reference.mjs";
import { COPIED } from "./docs-pages.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const docs = join(root, "docs");
const modules = join(docs, "node_modules");

/** Runs a script of Node's, by default from the root. */
function node(args, cwd = root, stdio = "inherit") {
  return execFileSync(process.execPath, args, { cwd, stdio, encoding: "utf8" });
}

function install() {
  const stamp = join(modules, ".package-lock.json");
  const modified = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);
  if (modified(stamp) >= modified(join(docs, "package-lock.json"))) return;
  console.error("ntkit: installing what the documentation is built with (once)");
  const npm = process.env.npm_execpath;
  const command = npm?.endsWith(".js") ? [process.execPath, [npm]] : ["npm", []];
  execFileSync(command[0], [...command[1], "ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: docs,
    stdio: ["ignore", "ignore", "inherit"],
    shell: command[0] === "npm" && process.platform === "win32",
  });
}

/** Pages that stand elsewhere in the repository, with links that fit their new place. */
function copyPages() {
  for (const { from, to, replace = [] } of COPIED) {
    const target = join(docs, to);
    mkdirSync(dirname(target), { recursive: true });
    if (!from.endsWith(".md")) {
      cpSync(join(root, from), target);
      continue;
    }
    const text = replace.reduce(
      (page, [old, now]) => page.replaceAll(old, now),
      readFileSync(join(root, from), "utf8"),
    );
    writeFileSync(target, text);
  }
}

function writeCommands() {
  mkdirSync(join(docs, "reference"), { recursive: true });
  const help = (args) => node(["dist/cli.js", ...args], root, ["ignore", "pipe", "inherit"]);
  writeFileSync(join(docs, "reference/cli.md"), `${cliReference(help)}\n`);
}

/** A file for each entry of the package, named as it is imported: typedoc calls modules by their files. */
function writeEntries() {
  const folder = join(docs, "reference/.entries");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const tsconfig = {
    extends: "../../../tsconfig.build.json",
    compilerOptions: { rootDir: "../../.." },
    include: ["**/*.ts"],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(tsconfig));
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return Object.entries(exports).flatMap(([name, entry]) => {
    const source = /^\.\/dist\/types\/(sdk\/.*)\.d\.ts$/.exec(entry.types ?? "")?.[1];
    if (source === undefined) return [];
    const file = join(folder, `${join("ntkit", name)}.ts`);
    mkdirSync(dirname(file), { recursive: true });
    const up = "../".repeat(join("docs/reference/.entries/ntkit", name).split(/[\\/]/).length - 1);
    writeFileSync(file, `export * from "${up}${source}.js";\n`);
    return [file];
  });
}

function writeApi() {
  rmSync(join(docs, "reference/api"), { recursive: true, force: true });
  const entries = writeEntries().flatMap((file) => ["--entryPoints", file]);
  node([join(modules, "typedoc/bin/typedoc"), "--options", "typedoc.json", ...entries], docs);
}

/** Where a page or a directory of the site comes from that is not written by hand. */
function prepare() {
  install();
  node(["scripts/setup.mjs"]);
  copyPages();
  writeCommands();
  writeApi();
}

const [action = "dev", ...rest] = process.argv.slice(2);
if (!["dev", "build", "preview"].includes(action)) {
  console.error(`docs: expected dev, build or preview, got ${action}`);
  process.exit(2);
}
try {
  prepare();
  node([join(modules, "vitepress/bin/vitepress.js"), action, ...rest], docs);
} catch (error) {
  // A program that failed has said why.
  if (error.status === undefined) throw error;
  process.exitCode = error.status ?? 1;
}
