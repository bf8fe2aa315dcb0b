// Sees to it that tests find a browser and a GPU: on Linux without them, Debian's chromium package, which carries
// SwiftShader too. Installs that package when it may; says what to do otherwise. Not here: tests (vitest.config.ts runs
// the browser, test/networks/software-gpu.ts takes the GPU into Node).
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { findChromium } from "./chromium.mjs";

const DRIVER = "/usr/lib/chromium/vk_swiftshader_icd.json";
const GPU = "the WebGPU tests need a GPU or SwiftShader: apt-get install chromium (Debian), or set VK_ICD_FILENAMES";
const BROWSER = "the tests in a page need Chromium: apt-get install chromium (Debian), or set CHROMIUM_PATH to yours";

const linux = process.platform === "linux";

/** What is missing, as remedies. */
function missing() {
  const noGpu = linux && process.env.VK_ICD_FILENAMES === undefined && !existsSync(DRIVER);
  return [...(noGpu ? [GPU] : []), ...(findChromium() === undefined ? [BROWSER] : [])];
}

function install() {
  const run = (...args) => spawnSync("apt-get", args, { stdio: ["ignore", "ignore", "inherit"] }).status === 0;
  console.error("ntkit: installing chromium, a browser and a software GPU for the tests (once)");
  process.env.DEBIAN_FRONTEND = "noninteractive";
  if (run("update")) run("install", "-y", "--no-install-recommends", "chromium");
}

const mayInstall = linux && process.getuid?.() === 0 && spawnSync("apt-get", ["--version"]).status === 0;
if (missing().length > 0 && mayInstall) install();
for (const remedy of missing()) console.error(`ntkit: ${remedy}`);
