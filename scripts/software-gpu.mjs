// Sees to it that tests find a GPU: on Linux without one, SwiftShader, which Debian's chromium package carries. Installs
// that package when it may; says what to do otherwise. Not here: tests (test/networks/software-gpu.ts uses it).
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const DRIVER = "/usr/lib/chromium/vk_swiftshader_icd.json";
const REMEDY = "the WebGPU tests need a GPU or SwiftShader: apt-get install chromium (Debian), or set VK_ICD_FILENAMES";

if (process.platform === "linux" && process.env.VK_ICD_FILENAMES === undefined && !existsSync(DRIVER)) {
  const run = (...args) => spawnSync("apt-get", args, { stdio: ["ignore", "ignore", "inherit"] }).status === 0;
  if (process.getuid?.() === 0 && spawnSync("apt-get", ["--version"]).status === 0) {
    console.error("ntkit: installing chromium for its software GPU (once)");
    process.env.DEBIAN_FRONTEND = "noninteractive";
    if (!run("update") || !run("install", "-y", "--no-install-recommends", "chromium"))
      console.error(`ntkit: ${REMEDY}`);
  } else console.error(`ntkit: ${REMEDY}`);
}
