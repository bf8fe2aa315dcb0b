// Makes a checkout ready to run: installs what package-lock.json pins and builds what is older than its sources.
// Not here: tests and benchmarks. Does nothing when everything is fresh.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`ntkit needs Node 20.19 or later, this is ${process.versions.node}. Get one at https://nodejs.org`);
  process.exit(1);
}

const modified = (path) => (existsSync(join(root, path)) ? statSync(join(root, path)).mtimeMs : 0);

function newest(path) {
  const full = join(root, path);
  if (!existsSync(full)) return 0;
  const info = statSync(full);
  if (!info.isDirectory()) return info.mtimeMs;
  if (path.endsWith("generated")) return 0;
  return Math.max(0, ...readdirSync(full).map((name) => newest(join(path, name))));
}

if (modified("node_modules/.package-lock.json") < modified("package-lock.json")) {
  console.error("ntkit: installing dependencies (once)");
  const npm = process.env.npm_execpath;
  const command = npm?.endsWith(".js") ? [process.execPath, [npm]] : ["npm", []];
  execFileSync(command[0], [...command[1], "ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
    shell: command[0] === "npm" && process.platform === "win32",
  });
}

const build = ["asconfig.json", "esbuild.config.mjs", "scripts/pack-core.mjs", "package.json"];
const sources = ["assembly", "sdk", "cli", "bench", "web", ...build];
const stamp = "dist/.built";
if (modified(stamp) < Math.max(...sources.map(newest))) {
  console.error("ntkit: building");
  execFileSync(process.execPath, ["esbuild.config.mjs"], { cwd: root, stdio: "inherit" });
  const { writeFileSync } = await import("node:fs");
  writeFileSync(join(root, stamp), new Date().toISOString());
}
