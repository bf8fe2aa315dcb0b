// Chromium as a runtime of the package: a server of static files with chosen headers, and a page that is watched while its
// scripts run. Not here: the other runtimes (environments.ts).
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { type Browser, chromium, type Page } from "playwright";
import { findChromium } from "../../scripts/chromium.mjs";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
  ".json": "application/json",
};

export const ISOLATED = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

export interface Site {
  /** Folder that paths are looked for in. */
  readonly folder: string;
  /** Files that are not in the folder, by path: text, or bytes. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Served {
  readonly origin: string;
  /** Paths asked for, in order. */
  readonly requests: string[];
  close(): Promise<void>;
}

/** Serves a site on a free port of this machine alone. */
export async function serve({ folder, files = {}, headers = {} }: Site): Promise<Served> {
  const requests: string[] = [];
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
    requests.push(path);
    try {
      const own = files[path];
      const body = own ?? (await readFile(join(folder, normalize(path))));
      response.writeHead(200, {
        "Content-Type": TYPES[path === "/" ? ".html" : extname(path)] ?? "application/octet-stream",
        ...headers,
      });
      response.end(body);
    } catch {
      response.writeHead(404, headers).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function launch(): Promise<Browser> {
  // A path, so that no browser is ever downloaded; where there is none, the launch fails and names it.
  return chromium.launch({ executablePath: findChromium() ?? "chromium (set CHROMIUM_PATH)" });
}

export interface Visit {
  /** What scripts printed, up to and without the line "done". */
  readonly lines: string[];
  /** Violations of policies, failed requests and the like: whatever the console calls an error. */
  readonly errors: string[];
}

/** Opens a page, does as a person would, and reads what scripts print until they print "done"; throws what they throw. */
export async function visit(browser: Browser, url: string, act?: (page: Page) => Promise<void>): Promise<Visit> {
  const seconds = 60;
  const page = await browser.newPage();
  const [lines, errors]: [string[], string[]] = [[], []];
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${url} was not done in ${seconds} s: ${[...lines, ...errors].join("\n")}`)),
        1000 * seconds,
      );
      page.on("console", (message) => {
        if (message.type() === "error") errors.push(message.text());
        else if (message.text() !== "done") lines.push(message.text());
        else {
          clearTimeout(timer);
          resolve();
        }
      });
      page.on("pageerror", (error) => {
        clearTimeout(timer);
        reject(new Error(`${url}: ${error.message}; ${errors.join("; ")}`));
      });
      page
        .goto(url)
        .then(() => act?.(page))
        .catch(reject);
    });
    return { lines, errors };
  } finally {
    await page.close();
  }
}
