// Every page of the site: it opens under its policy without a complaint, fits a phone, and has no serious fault that
// axe-core knows of. Not here: what the demos do (a file each).
import { describe, expect, it } from "vitest";
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
