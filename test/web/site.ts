// What the tests of the site share: dist/web served with its headers, Chromium, pages that note everything that must not
// happen, and the accessibility check. Not here: tests.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, devices, type Page } from "playwright";
import { afterAll, beforeAll, expect } from "vitest";
import { findChromium } from "../../scripts/chromium.mjs";
import { serve } from "../../scripts/serve.mjs";

export const ROOT = join(import.meta.dirname, "../..");
const SCREENSHOTS = join(ROOT, "dist/screenshots");

/** A phone of 390 px with a finger, and a desktop of 1280 px with a mouse. */
export const SIZES = {
  phone: {
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
    userAgent: devices["Pixel 7"].userAgent,
  },
  desktop: { viewport: { width: 1280, height: 900 } },
} satisfies Record<string, BrowserContextOptions>;
export type Size = keyof typeof SIZES;

export interface OpenOptions {
  readonly size?: Size;
  readonly scheme?: "light" | "dark";
  readonly reducedMotion?: "reduce" | "no-preference";
}

/** A page and what went wrong in it. */
export interface Visit {
  readonly page: Page;
  readonly url: string;
  /** Errors and warnings of the console, exceptions, and refusals of the content security policy. */
  readonly problems: string[];
  /** Requests to anywhere but the site, and answers other than 2xx and 3xx. */
  readonly strays: string[];
  /** Asserts that nothing of either kind came up so far. */
  calm(): void;
}

export interface Site {
  /** Opens a page of the site, such as "certify/index.html#image=3", in a fresh context that ends with the test file. */
  open(path: string, options?: OpenOptions): Promise<Visit>;
  readonly url: string;
}

/** Starts the site and a browser before the tests of a file, and ends them after. */
export function useSite(args: readonly string[] = []): Site {
  let browser: Browser | undefined;
  let server: Awaited<ReturnType<typeof serve>> | undefined;
  beforeAll(async () => {
    const executablePath = findChromium();
    if (executablePath === undefined) throw new Error("no Chromium: set CHROMIUM_PATH");
    server = await serve();
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox", ...args] });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });
  return {
    get url() {
      return server?.url ?? "";
    },
    open: async (path, options = {}) => {
      if (browser === undefined || server === undefined) throw new Error("the site has not started");
      return visit(browser, server.url, path, options);
    },
  };
}

async function visit(browser: Browser, url: string, path: string, options: OpenOptions): Promise<Visit> {
  const { size = "desktop", scheme = "light", reducedMotion = "no-preference" } = options;
  const context = await browser.newContext({ ...SIZES[size], colorScheme: scheme, reducedMotion });
  const page = await context.newPage();
  const problems: string[] = [];
  const strays: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning")
      problems.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => problems.push(`exception: ${error.message}`));
  context.on("request", (request) => {
    const own = request.url();
    if (!own.startsWith(url) && !own.startsWith("blob:") && !own.startsWith("data:")) strays.push(own);
  });
  context.on("response", (response) => {
    if (response.status() >= 400) strays.push(`${response.status()} ${response.url()}`);
  });
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error(`policy: ${event.violatedDirective} refused ${event.blockedURI}`);
    });
  });
  const answer = await page.goto(new URL(path, url).href);
  expect(answer?.headers()["content-security-policy"]).toContain("script-src 'self' 'wasm-unsafe-eval'");
  const calm = () => expect({ problems, strays }).toEqual({ problems: [], strays: [] });
  return { page, url, problems, strays, calm };
}

/** Faults that axe-core calls serious or critical, each as one line; shadow roots are looked into as well. */
export async function seriousFaults(page: Page): Promise<string[]> {
  const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  await page.evaluate(source);
  return page.evaluate(async () => {
    interface Found {
      readonly id: string;
      readonly impact: string | null;
      readonly help: string;
      readonly nodes: readonly { readonly html: string }[];
    }
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: Found[] }> } };
    const { violations } = await axe.run();
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(" | ")}`);
  });
}

/** Whether the page is wider than its window: on a phone one would have to scroll sideways. */
export function overflows(page: Page): Promise<boolean> {
  return page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
}

/** Keeps a picture of the whole page in dist/screenshots for a person to look at. */
export async function screenshot(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
}
