// A GPU for tests on machines without one: SwiftShader, which Debian's chromium package carries beside a Vulkan loader.
// A driver named in VK_ICD_FILENAMES is left alone. Not here: what is tested on it.
import { existsSync } from "node:fs";
import { constants } from "node:os";

const DRIVER = "/usr/lib/chromium/vk_swiftshader_icd.json";
const LOADER = "/usr/lib/chromium/libvulkan.so.1";

/** Linux: the loader stays although it is no module of Node, which process.dlopen says by throwing. */
const RTLD_NODELETE = 0x1000;

/** Makes SwiftShader this process's Vulkan driver where it is installed. To be called before WebGPU is used. */
export function useSoftwareGpu(): void {
  if (process.platform !== "linux" || process.env.VK_ICD_FILENAMES !== undefined || !existsSync(DRIVER)) return;
  process.env.VK_ICD_FILENAMES = DRIVER;
  try {
    process.dlopen({ exports: {} }, LOADER, constants.dlopen.RTLD_NOW | RTLD_NODELETE);
  } catch {
    // Loaded all the same, or the system's own loader serves.
  }
}

/** The same for a child process. */
export function softwareGpuEnvironment(): NodeJS.ProcessEnv {
  if (process.platform !== "linux" || !existsSync(DRIVER)) return process.env;
  return { ...process.env, VK_ICD_FILENAMES: DRIVER, LD_LIBRARY_PATH: "/usr/lib/chromium" };
}
