// Every page of the site: it opens under its policy without a complaint, fits a phone, and has no serious fault that
// axe-core knows of. Not here: what the demos do (a file each).
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { serve } from "../../scripts/serve.mjs";
import { overflows, screenshot, seriousFaults, useSite } from "./site.js";

const PAGES = [
  "index.html",
  "certify/index.html",
  "equivalence/index.html",
  "machines/index.html",
  "kernel/index.html",
];

const site = useSite();

describe.each(PAGES)("%s", (path) => {
  it.each([
    ["phone", "dark"],
    ["desktop", "light"],
  ] as const)("opens on a %s in %s colours, without a fault or a request elsewhere", async (size, scheme) => {
    const { page, calm } = await site.open(path, { size, scheme });
    await page.waitForLoadState("networkidle");
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    expect(await page.locator("h1").count()).toBe(1);
    expect(await overflows(page)).toBe(false);
    expect(await seriousFaults(page)).toEqual([]);
    calm();
    await screenshot(page, `${path.replace(/\/?index.html$/, "") || "home"}-${size}-${scheme}`);
    await page.context().close();
  });
});

const DEMOS = ["certify", "equivalence", "machines", "kernel"];

describe.each(DEMOS)("<ntkit-%s>", (name) => {
  const markup = (root: string) =>
    `<!doctype html><html lang="en"><title>Mine</title><h1>Mine</h1>
     <script type="module" src="${root}elements/ntkit-${name}.js"></script><ntkit-${name}></ntkit-${name}></html>`;

  it("is embedded by one script tag, in a page that leaves its own address alone", async () => {
    const { page, calm, url } = await site.open("index.html");
    await page.route("**/mine.html", (route) => route.fulfill({ contentType: "text/html", body: markup("./") }));
    await page.goto(`${url}mine.html`);
    await page.waitForLoadState("networkidle");
    expect(
      await page.locator(`ntkit-${name}`).evaluate((own) => (own.shadowRoot?.textContent ?? "").length),
    ).toBeGreaterThan(10);
    expect(page.url()).toBe(`${url}mine.html`);
    calm();
    await page.context().close();
  });
});

it("an element of another origin works where that origin allows it", async () => {
  const other = await serve({ headers: { "Access-Control-Allow-Origin": "*" } });
  const folder = mkdtempSync(join(tmpdir(), "ntkit-page-"));
  const body = `<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Mine</title><script type="module"
    src="${other.url}elements/ntkit-certify.js"></script><ntkit-certify image="4"></ntkit-certify></html>`;
  writeFileSync(join(folder, "mine.html"), body);
  const mine = await serve({ folder, headers: {} });
  const { page, problems } = await site.open("index.html");
  await page.goto(`${mine.url}mine.html`);
  await page.locator(".ends", { hasText: "Output on this ball" }).waitFor();
  expect(problems).toEqual([]);
  await page.context().close();
  await Promise.all([mine.close(), other.close()]);
  rmSync(folder, { recursive: true });
});
