// The home page and what all pages share: links that lead somewhere, a way through by keyboard, text that grows, and
// something to read without a script. Not here: each page's looks and accessibility (pages.test.ts).
import { expect, it } from "vitest";
import { overflows, screenshot, useSite } from "./site.js";

const site = useSite();
const DEMOS = ["certify", "equivalence", "machines", "kernel"];

it("each card opens its demo, whose element is there and whose link in the head is marked", async () => {
  const { page, calm } = await site.open("index.html", { size: "phone" });
  expect(await page.locator(".cards a").count()).toBe(DEMOS.length);
  for (const name of DEMOS) {
    await page.locator(`.cards a[href^="${name}/"]`).click();
    await page.locator(`ntkit-${name}`).waitFor();
    await page.waitForFunction((tag) => customElements.get(tag) !== undefined, `ntkit-${name}`);
    const marked = page.locator('nav [aria-current="page"]');
    expect((await marked.textContent())?.toLowerCase()).toBe(name);
    await page.locator("header .home").click();
    await page.locator(".cards").waitFor();
  }
  calm();
});

it("every link of every page inside the site answers, and leads to a place that is there", async () => {
  const { page, url, calm } = await site.open("index.html");
  const open = ["index.html", ...DEMOS.map((name) => `${name}/index.html`)];
  for (const path of open) {
    await page.goto(new URL(path, url).href);
    const links = await page.evaluate(() => [...document.querySelectorAll("a")].map((link) => link.href));
    expect(links.length).toBeGreaterThan(5);
    for (const link of new Set(links.filter((own) => own.startsWith(url)))) {
      const answer = await page.request.get(link);
      expect([link, answer.status()]).toEqual([link, 200]);
      const { hash, pathname } = new URL(link);
      if (hash !== "" && pathname === new URL(path, url).pathname)
        expect([link, await page.locator(hash).count()]).toEqual([link, 1]);
    }
    // Nothing but the paper and the project lies elsewhere, and nothing of it is loaded.
    for (const link of links.filter((own) => !own.startsWith(url))) expect(link).toMatch(/^https:\/\//);
  }
  calm();
});

it("by keyboard: the first stop skips to the content, the next ones are the head's links in their order", async () => {
  const { page } = await site.open("index.html");
  const focused = () => page.evaluate(() => document.activeElement?.textContent?.trim());
  await page.keyboard.press("Tab");
  expect(await focused()).toBe("Skip to the content");
  const box = await page.locator(".skip").boundingBox();
  expect(box !== null && box.x >= 0 && box.y >= 0).toBe(true);
  for (const name of ["ntkit", "Certify", "Equivalence", "Machines", "Kernel"]) {
    await page.keyboard.press("Tab");
    expect(await focused()).toBe(name);
  }
  await page.reload();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  expect(await page.evaluate(() => document.querySelector("main")?.contains(document.activeElement))).toBe(true);
});

it("text of twice the size fits a phone without scrolling sideways, on every page", async () => {
  for (const path of ["index.html", ...DEMOS.map((name) => `${name}/index.html`)]) {
    const { page } = await site.open(path, { size: "phone" });
    await page.locator("h1").waitFor();
    await page.evaluate(() => {
      document.documentElement.style.fontSize = "32px";
    });
    await page.waitForTimeout(100);
    expect([path, await overflows(page)]).toEqual([path, false]);
    await page.context().close();
  }
});

it("pages have a heading, a language, a title and a description of their own, and say what they are without a script", async () => {
  const { page, url } = await site.open("index.html");
  const titles = new Set<string>();
  for (const path of ["index.html", ...DEMOS.map((name) => `${name}/index.html`)]) {
    const html = await (await page.request.get(new URL(path, url).href)).text();
    titles.add(/<title>(.+?)<\/title>/.exec(html)?.[1] ?? "");
    expect(html).toContain('<html lang="en">');
    expect(/<meta name="description" content="(.+?)">/.exec(html)?.[1]?.length).toBeGreaterThan(20);
    const text = html.replace(/<script[\s\S]*?<\/script>|<[^>]+>/g, " ").replace(/\s+/g, " ");
    expect(html.match(/<h1>/g)).toHaveLength(1);
    expect(text.length).toBeGreaterThan(300);
    expect(html).toMatch(/arxiv\.org\/abs\/2111\.06063/);
  }
  expect(titles.size).toBe(5);
});

it("an element alone works on a page of another make: one script tag, no stylesheet, no address touched", async () => {
  const { page, url, calm } = await site.open("index.html");
  for (const name of DEMOS) {
    await page.goto(new URL("index.html", url).href);
    await page.evaluate((tag) => {
      document.head.querySelectorAll("link[rel=stylesheet]").forEach((link) => {
        link.remove();
      });
      document.body.replaceChildren(document.createElement(`ntkit-${tag}`));
      const script = Object.assign(document.createElement("script"), {
        type: "module",
        src: `elements/ntkit-${tag}.js`,
      });
      document.head.append(script);
    }, name);
    const element = page.locator(`ntkit-${name}`);
    await expect
      .poll(() => element.evaluate((own) => own.shadowRoot?.childElementCount ?? 0), { timeout: 20_000 })
      .toBeGreaterThan(0);
    expect(await page.evaluate(() => location.hash)).toBe("");
  }
  calm();
});

it("is there to be looked at on a wide screen, light and dark", async () => {
  for (const scheme of ["light", "dark"] as const) {
    const { page, calm } = await site.open("index.html", { scheme });
    await page.waitForLoadState("networkidle");
    const pictures = await page.evaluate(() => [...document.images].map((own) => own.naturalWidth * own.alt.length));
    for (const size of pictures) expect(size).toBeGreaterThan(0);
    const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(paper).toBe(scheme === "light" ? "rgb(255, 255, 255)" : "rgb(20, 23, 27)");
    calm();
    await screenshot(page, `home-1280-${scheme}`);
  }
});
