// The page of a report: whole, complete in itself, safe against names with markup, and showing what the report says.
// Not here: how it looks, which eyes must judge.
import { inflateSync } from "node:zlib";
import { parseHTML } from "linkedom";
import { afterAll, describe, expect, it } from "vitest";
import { certify } from "../../sdk/certify/certify.js";
import type { SavedReport } from "../../sdk/certify/report.js";
import { readReport, reportToJson } from "../../sdk/certify/report-file.js";
import { dataset } from "../../sdk/data/dataset.js";
import { ntk } from "../../sdk/kernels/kernel.js";
import { svm } from "../../sdk/machines/svm.js";
import { binRadii, seriesOf } from "../../sdk/plots/report-figures.js";
import { reportPage } from "../../sdk/plots/report-page.js";
import { randomData, runtimeAt } from "../helpers.js";

const runtime = await runtimeAt("simd", 2);
afterAll(() => runtime.close());
const machine = await svm({ kernel: ntk(), c: 10 }).fit(randomData(60, 16, 1, true), { runtime });
const { x, y, n, d } = randomData(25, 16, 2, true);
const data = dataset({ x, y, shape: [n, d], name: '<script>alert("&")</script>' });
const linear = await certify(machine, data, { runtime, method: "linear" });
const full = await certify(machine, data, { runtime, method: "best", attack: true });

/** Everything that a page could ask a network for. */
const REQUESTS = /(src|href|action)\s*=\s*"(?!data:)|url\((?!#)|@import|<script|<link|<iframe|http-equiv/i;

const pageOf = async (report: SavedReport, options: Parameters<typeof reportPage>[1] = {}) => {
  const html = await reportPage(report, options);
  return { html, document: parseHTML(html).document };
};

describe("the page", () => {
  it("asks for nothing outside itself, has no script, no hole in a line and nothing unescaped", async () => {
    for (const [report, options] of [
      [linear, {}],
      [full, { data }],
      [full, { data, beside: [linear] }],
    ] as const) {
      const { html, document } = await pageOf(report, options);
      expect(html).not.toMatch(REQUESTS);
      expect(html).not.toMatch(/NaN|undefined|Infinity/);
      expect(document.querySelector("header")?.textContent).toContain('<script>alert("&")</script>');
      expect(document.querySelectorAll("svg")).toHaveLength(2);
      expect(html.endsWith("</html>\n")).toBe(true);
    }
  });

  it("states what was proved, with hashes, and lists every sample with its radius rounded down", async () => {
    const { document } = await pageOf(full, { data });
    const text = document.body.textContent ?? "";
    const { statement, modelHash, dataHash, arithmetic } = full.metadata;
    for (const fact of [statement, modelHash, dataHash, arithmetic]) expect(text).toContain(fact as string);
    const rows = [...document.querySelectorAll("table")].at(-1)?.querySelectorAll("tbody tr") ?? [];
    expect(rows).toHaveLength(25);
    rows.forEach((row, k) => {
      const cells = [...row.querySelectorAll("td")].map((cell) => Number(cell.textContent));
      const { radius = 0, attackRadius } = full.perSample[k] ?? {};
      expect(cells[0]).toBe(k);
      expect(cells[4]).toBeLessThanOrEqual(radius);
      if (typeof attackRadius === "number") expect(cells[5]).toBeGreaterThanOrEqual(attackRadius);
    });
    const estimated = await pageOf({ ...linear, metadata: { ...linear.metadata, soundness: "estimate-f64" } });
    expect(estimated.html).toContain("Estimated, not proved");
    expect(estimated.html).not.toContain("<b>Proved");
  });

  it("shows the ten smallest correct radii in order: original pixels, adversarial input and difference", async () => {
    const { document } = await pageOf(full, { data });
    const shown = [...document.querySelectorAll(".images > figure")];
    const smallest = full.perSample
      .filter(({ correct }) => correct)
      .toSorted((a, b) => a.radius - b.radius)
      .slice(0, 10);
    expect(shown.map((figure) => Number(/row (\d+)/.exec(figure.textContent ?? "")?.[1]))).toEqual(
      smallest.map(({ index }) => index),
    );
    const images = [...(shown[0]?.querySelectorAll("img") ?? [])];
    expect(images).toHaveLength(3);
    const png = Buffer.from(images[0]?.getAttribute("src")?.split(",")[1] ?? "", "base64");
    // Behind the signature (8 bytes), the header (25) and the next chunk's length and name (8): four lines of one filter byte and four pixels.
    const lines = inflateSync(png.subarray(41, -16));
    const row = smallest[0]?.index ?? 0;
    for (let k = 0; k < 16; k++) expect(lines[Math.floor(k / 4) * 5 + 1 + (k % 4)]).toBe(data.x[row * 16 + k]);
  });

  it("of a report from a file has no adversarial images, and without data none at all", async () => {
    const saved = readReport(reportToJson(full));
    expect((await pageOf(saved, { data })).document.querySelectorAll(".images img")).toHaveLength(10);
    expect((await pageOf(saved)).document.querySelectorAll("img")).toHaveLength(0);
  });

  it("is the same for the same report", async () => {
    expect((await pageOf(full, { data })).html).toBe((await pageOf(full, { data })).html);
  });

  it("refuses other data and reports of other models", async () => {
    await expect(reportPage(full, { data: randomData(25, 16, 3, true) })).rejects.toThrow(/^data: /);
    const other = { ...linear, metadata: { ...linear.metadata, modelHash: "0" } };
    await expect(reportPage(full, { beside: [other] })).rejects.toThrow(/^beside\[0\]: .* another modelHash$/);
  });

  it("of a report without any sample is still a page", async () => {
    const empty = await certify(machine, data, { runtime, samples: 1, shard: { index: 1, count: 2 } });
    expect((await pageOf(empty)).html).not.toMatch(/NaN|undefined|Infinity/);
  });
});

describe("histograms", () => {
  it("count every positive radius once, on a log axis when radii differ by more than 40 times", () => {
    const series = seriesOf([full, linear]);
    expect(series.map(({ name }) => name)).toEqual(["certified, best", "certified, linear", "no attack succeeds"]);
    const { bins } = binRadii(series);
    for (const { name, radii } of series) {
      const counted = bins.filter((bin) => bin.name === name).reduce((sum, { count }) => sum + count, 0);
      expect(counted).toBe(radii.filter((radius) => radius > 0 && radius < Number.POSITIVE_INFINITY).length);
    }
    const of = (radii: number[]) => binRadii([{ name: "a", colour: "red", radii, samples: radii.length }]);
    expect([of([1, 40]).log, of([1, 41]).log, of([0, 1]).log]).toEqual([false, true, false]);
    expect(of([]).bins).toEqual([]);
  });
});
