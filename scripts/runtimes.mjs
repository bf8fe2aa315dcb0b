// Installs the other runtimes and the package checks that the tests take (test/runtimes/package.json), once, from what its
// lock file pins; without their install scripts, which would only move binaries about. Not here: finding the binaries
// (test/runtimes/environments.ts) and the browser (software-gpu.mjs).
import { execFileSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), "test/runtimes");
const modified = (name) => (existsSync(join(folder, name)) ? statSync(join(folder, name)).mtimeMs : 0);

if (modified("node_modules/.package-lock.json") < modified("package-lock.json")) {
  console.error("ntkit: installing Node, Deno and Bun for the tests (once)");
  const npm = process.env.npm_execpath;
  const [command, first] = npm?.endsWith(".js") ? [process.execPath, [npm]] : ["npm", []];
  execFileSync(command, [...first, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
    shell: command === "npm" && process.platform === "win32",
  });
}
