// The page on embedding says of every element exactly what is true: its attributes, values and defaults, what it
// downloads, the properties of its style. Read from docs/guide/embed.md and held against the elements in a page.
// Not here: what the demos do (a file each).
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Page } from "playwright";
import { describe, expect, it } from "vitest";
import { SITE } from "../../scripts/serve.mjs";
import { ROOT, useSite } from "./site.js";

const site = useSite();

interface Attribute {
  readonly name: string;
  /** Values by name, where there are such. */
  readonly choices: readonly string[];
  /** Ends of a range, where there is one. */
  readonly range: readonly [number, number] | undefined;
  /** Undefined: none. */
  readonly fallback: string | undefined;
}

const TEXT = readFileSync(join(ROOT, "docs/guide/embed.md"), "utf8");
const ELEMENTS = ["ntkit-certify", "ntkit-equivalence", "ntkit-machines", "ntkit-kernel"];

const section = (title: string) => TEXT.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? "";
const codes = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);
/** Cells of the rows of a table whose first cell is code. */
const rows = (text: string) => [...text.matchAll(/^\| (`.*) \|$/gm)].map(([, row = ""]) => row.split(" | "));

function attributesOf(element: string): Attribute[] {
  return rows(section(element)).map(([name = "", values = "", fallback = ""]) => {
    const [, least, most] = /^(-?[\d.]+) to ([\d.]+)/.exec(values) ?? [];
    const range = least === undefined ? undefined : ([Number(least), Number(most)] as const);
    const listed = /^(`[^`]+`(, |$))+$/.test(values) ? codes(values) : [];
    return { name: codes(name)[0] ?? "", choices: listed, range, fallback: codes(fallback)[0] };
  });
}

/** The snippet of an element's section, for a page beside the folder's own. */
const snippetOf = (element: string) =>
  (/```html\n([\s\S]*?)```/.exec(section(element))?.[1] ?? "").replaceAll("/ntkit/", "./");

/** Opens a page of this body; gives the files that it asked for until it was quiet. */
async function embedded(body: string) {
  const { page, calm, url } = await site.open("index.html");
  const files = new Set<string>();
  page.context().on("request", (request) => {
    const own = request.url();
    if (own.startsWith(url) && !own.endsWith("mine.html")) files.add(own.slice(url.length));
  });
  const html = `<!doctype html><html lang="en"><title>Mine</title><h1>Mine</h1>${body}</html>`;
  await page.route("**/mine.html", (route) => route.fulfill({ contentType: "text/html", body: html }));
  await page.goto(`${url}mine.html`);
  await page.waitForLoadState("networkidle");
  return { page, files, calm };
}

/** The state of every control in the element with these attributes, in a fresh element of the page. */
async function controls(page: Page, element: string, attributes: Readonly<Record<string, string>>): Promise<string> {
  return page.evaluate(
    async ({ name, given }) => {
      const own = document.createElement(name);
      for (const [key, value] of Object.entries(given)) own.setAttribute(key, value);
      document.body.append(own);
      const inputs = () => [...(own.shadowRoot?.querySelectorAll("input") ?? [])];
      // The strip of test images comes with its data.
      while (name === "ntkit-certify" && !inputs().some((input) => input.name === "strip" && input.checked))
        await new Promise((resolve) => setTimeout(resolve, 20));
      await new Promise((resolve) => setTimeout(resolve));
      const text = inputs().map(({ value, checked }) => `${value}${checked ? "*" : ""}`);
      own.remove();
      return text.join(" ");
    },
    { name: element, given: attributes },
  );
}

describe.each(ELEMENTS)("<%s>", (element) => {
  const attributes = attributesOf(element);

  it("has the documented attributes and no other, and each default is what a missing one means", async () => {
    const { page, calm } = await embedded(snippetOf(element));
    const observed = await page.evaluate(
      (name) => (customElements.get(name) as unknown as { observedAttributes: string[] }).observedAttributes,
      element,
    );
    expect(attributes.map(({ name }) => name)).toEqual([...observed]);
    const plain = await controls(page, element, {});
    expect(plain).toContain("*");
    for (const { name, fallback } of attributes)
      if (fallback !== undefined)
        expect([name, await controls(page, element, { [name]: fallback })]).toEqual([name, plain]);
    calm();
    await page.context().close();
  });

  it("takes every documented value for what it is, and a number beyond a range for its nearest end", async () => {
    const { page, calm } = await embedded(snippetOf(element));
    for (const { name, choices, range } of attributes) {
      const seen = new Set<string>();
      for (const value of choices) seen.add(await controls(page, element, { [name]: value }));
      expect([name, seen.size]).toEqual([name, choices.length]);
      if (range === undefined) continue;
      const [least, most] = range;
      const [first, last] = [
        await controls(page, element, { [name]: String(least) }),
        await controls(page, element, { [name]: String(most) }),
      ];
      expect([name, await controls(page, element, { [name]: String(least - 1) })]).toEqual([name, first]);
      expect([name, await controls(page, element, { [name]: String(2 * most) })]).toEqual([name, last]);
      // The seed of the points is on no control.
      if (!(element === "ntkit-machines" && name === "seed")) expect([name, last]).not.toEqual([name, first]);
    }
    calm();
    await page.context().close();
  });

  it("downloads the documented data by its script alone, and no more bytes than the page says", async () => {
    const [, most = "", first = ""] =
      /^Downloads at most (\d+) kB \(gzip\)(.*?)(?:[;.]\s|;\n)/ms.exec(section(element)) ?? [];
    const named = codes(first).filter((code) => code.startsWith("data/"));
    const script = /<script [^>]*><\/script>/.exec(snippetOf(element))?.[0] ?? "";
    const { page, files, calm } = await embedded(`${script}<${element}></${element}>`);
    await expect.poll(() => [...files].filter((file) => file.startsWith("data/")).sort()).toEqual(named.sort());
    await page.waitForLoadState("networkidle");
    const bytes = [...files].map((file) => gzipSync(readFileSync(join(SITE, file))).length);
    const total = bytes.reduce((sum, own) => sum + own, 0) / 1000;
    expect(total).toBeLessThanOrEqual(Number(most));
    expect(total).toBeGreaterThan(Number(most) / 2);
    calm();
    await page.context().close();
  });
});

it("ntkit-state names what the user changed, and says nothing of what a script set", async () => {
  const { page, calm } = await embedded(snippetOf("ntkit-kernel"));
  await page.evaluate(() => {
    const told: unknown[] = [];
    Object.assign(globalThis, { told });
    document.addEventListener("ntkit-state", (event) => told.push((event as CustomEvent).detail));
    document.querySelector("ntkit-kernel")?.setAttribute("depth", "5");
  });
  await page.getByLabel("Depth (hidden layers)").press("ArrowRight");
  expect(await page.evaluate(() => (globalThis as unknown as { told: unknown[] }).told)).toEqual([{ depth: "6" }]);
  calm();
  await page.context().close();
});

it("the documented custom properties are those of the theme, and a page's rule on the element wins", async () => {
  const theme = readFileSync(join(ROOT, "web/shared/theme.css"), "utf8");
  const own = new Set([...theme.matchAll(/(--[\w-]+):/g)].map(([, name]) => name));
  expect(
    rows(section("Size and style"))
      .flatMap(([first = ""]) => codes(first))
      .sort(),
  ).toEqual([...own].sort());
  const { page } = await embedded(snippetOf("ntkit-kernel"));
  const accent = await page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("ntkit-kernel { --accent: rgb(1, 2, 3) }");
    document.adoptedStyleSheets.push(sheet);
    const chosen = document.querySelector("ntkit-kernel")?.shadowRoot?.querySelector("input:checked + span");
    return new Promise((resolve) => setTimeout(() => resolve(chosen && getComputedStyle(chosen).backgroundColor), 500));
  });
  expect(accent).toBe("rgb(1, 2, 3)");
  await page.context().close();
});
