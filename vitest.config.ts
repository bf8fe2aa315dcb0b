// How the tests run, straight from TypeScript and without retries: in Node, one process a file, and in Chromium, in a
// page that may share memory between threads and in one that may not. Not here: finding a browser and a GPU
// (scripts/software-gpu.mjs).
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { findChromium } from "./scripts/chromium.mjs";
import { workInNode } from "./test/browser/in-node.js";

const patience = { testTimeout: 120_000, hookTimeout: 120_000 };

const provider = playwright({
  launchOptions: {
    // A path, so that no browser is ever downloaded; where there is none, the launch fails and names it.
    executablePath: findChromium() ?? "chromium (set CHROMIUM_PATH)",
    args: ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"],
  },
});

/** Tests in a page served with these headers. */
function inPage(name: string, groupOrder: number, include: string[], headers: Record<string, string>) {
  return {
    server: { headers },
    // All that pages import from packages: looked for while tests run, it would reload their page.
    optimizeDeps: {
      noDiscovery: true,
      include: [
        "@assemblyscript/loader",
        "@tensorflow/tfjs",
        "@tensorflow/tfjs-backend-wasm",
        "@tensorflow/tfjs-backend-webgpu",
        "fflate",
      ],
    },
    test: {
      name,
      include,
      ...patience,
      // After the projects before it, so that no two of them share the two cores.
      sequence: { groupOrder },
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        provider,
        instances: [{ browser: "chromium" as const }],
        commands: { workInNode },
        // One file after another: the GPU is software and takes both cores.
        fileParallelism: false,
      },
    },
  };
}

const ISOLATED = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };
const BACKENDS = ["test/networks/backends.test.ts", "test/networks/webgpu.test.ts"];
const PAGES = ["test/browser/**/*.test.ts"];
const RUNTIMES = ["test/runtimes/**/*.test.ts"];
/** The site, driven from Node as a person would: the pages themselves are not told that they are tested. */
const SITE = ["test/web/**/*.test.ts"];
/** Limits in milliseconds, for a quiet machine: npm run test:speed alone. */
const SPEED = ["test/web/speed.test.ts"];

/** Tests that drive the built site. */
function onSite(name: string, groupOrder: number, include: string[], exclude: string[]) {
  const alone = { pool: "forks" as const, fileParallelism: false, sequence: { groupOrder } };
  // Not the default second: a slow machine is no fault of the page.
  const expect = { poll: { timeout: 20_000 } };
  return { test: { name, include, exclude, expect, ...alone, ...patience } };
}

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: "node",
          include: ["test/**/*.test.ts"],
          exclude: [...PAGES, ...RUNTIMES, ...SITE],
          pool: "forks",
          ...patience,
        },
      },
      {
        test: { name: "runtimes", include: RUNTIMES, fileParallelism: false, sequence: { groupOrder: 3 }, ...patience },
      },
      inPage("isolated page", 1, [...BACKENDS, ...PAGES], ISOLATED),
      inPage("plain page", 2, PAGES, {}),
      onSite("web", 4, SITE, SPEED),
      onSite("speed", 5, SPEED, []),
    ],
  },
});
