// What a page weighs as a visitor meets it first, with nothing cached. Not here: how fast it is (speed.test.ts).
import type { Request } from "playwright";
import { expect, it } from "vitest";
import { useSite } from "./site.js";

const site = useSite();

/** Bytes that the certify demo may take. */
const CERTIFY_BYTES = 500_000;

/** Bytes of every answer's body as sent (gzip), by address, until the page has been quiet for half a second. */
async function weigh(path: string): Promise<Map<string, number>> {
  const { page, url } = await site.open("index.html");
  const context = page.context();
  const finished: Request[] = [];
  context.on("requestfinished", (request) => finished.push(request));
  await page.goto("about:blank");
  finished.length = 0;
  await page.goto(new URL(path, url).href);
  let seen = -1;
  while (seen < finished.length || !finished.some((request) => request.url().includes("/workers/"))) {
    seen = finished.length;
    await page.waitForTimeout(500);
  }
  const bytes = new Map<string, number>();
  // The core's threads start from a blob, which no server sends.
  for (const request of finished.filter((own) => own.url().startsWith(url)))
    bytes.set(request.url().slice(url.length), (await request.sizes()).responseBodySize);
  await context.close();
  return bytes;
}

it("the certify demo with its model takes at most 500 kB, gzipped as the server sends it", async () => {
  const bytes = await weigh("certify/index.html");
  const total = [...bytes.values()].reduce((sum, value) => sum + value, 0);
  // The core alone is a tenth of a megabyte: less would mean that its worker was not counted.
  expect(total).toBeGreaterThan(100_000);
  expect([...bytes.keys()].some((name) => name.endsWith(".safetensors"))).toBe(true);
  expect(total).toBeLessThanOrEqual(CERTIFY_BYTES);
});
