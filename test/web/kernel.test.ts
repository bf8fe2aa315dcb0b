// The demo Kernel as a person uses it: depth, the other kernel, cells of the heat map by mouse, finger and keys, tables,
// lambda, and the state in the address. Not here: the numbers themselves (test/kernels/).
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright";
import { afterAll, beforeAll, expect, it } from "vitest";
import { dataset, eigenvalues, GramMatrix, nngp, ntk, Runtime, readNpz, ridgeCondition } from "../../sdk/index.js";
import { overflows, ROOT, screenshot, seriousFaults, useSite } from "./site.js";

/** Patience on a busy machine. */
const SOON = { timeout: 20_000 };
const PAGE = "kernel/index.html";
const site = useSite();

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.create({ threads: 1, level: "simd" });
});
afterAll(() => runtime.close());

const slider = (page: Page, name: string | RegExp) => page.getByRole("slider", { name });
const spoken = (locator: Locator) => locator.getAttribute("aria-valuetext");

/** The rows that the demo shows: `count` / 2 zeros, then as many ones. */
function rowsOf(count: number) {
  const arrays = readNpz(readFileSync(join(ROOT, "web/data/digits.npz")));
  const y = Array.from(arrays.get("y_train")?.data ?? [], (digit) => (digit === 0 ? -1 : 1));
  const all = dataset({ x: arrays.get("x_train")?.data as Uint8Array, y, shape: [y.length, 784] });
  return all.subset([-1, 1].flatMap((label) => [...y.keys()].filter((i) => y[i] === label).slice(0, count / 2)));
}

/** The matrix and its spectrum as Node computes them. */
async function inNode(kernel: ReturnType<typeof ntk>, count: number) {
  const gram = await GramMatrix.create(kernel, rowsOf(count), { runtime });
  const found = { values: gram.toArray(), spectrum: await eigenvalues(gram) };
  gram.dispose();
  return found;
}

interface Report {
  readonly depth: number;
  readonly kind: string;
  readonly matrix: number[];
  readonly eigenvalues: { readonly ntk: number[]; readonly nngp: number[] };
  readonly condition: { readonly lambdas: number[]; readonly ntk: number[] };
}

async function reportOf(page: Page): Promise<Report> {
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download report" }).click(),
  ]);
  return JSON.parse(readFileSync(await file.path(), "utf8"));
}

it("shows its stored start without the core: the paper's h(u) / 2 pi at u = 0, and the matrix", async () => {
  const { page, calm } = await site.open(PAGE);
  const angle = slider(page, /^The kernel by the cosine/);
  await expect.poll(() => spoken(angle), SOON).toBe("u 1: NTK 1, NNGP 1");
  await angle.focus();
  for (let k = 0; k < 6; k++) await page.keyboard.press("PageDown");
  // h(0) / 2 pi = 1 / 2 pi; the NNGP has 1 / pi there.
  expect(await spoken(angle)).toMatch(/^u 6\.1232e−17: NTK 0\.15915, NNGP 0\.31831$/);
  await expect
    .poll(() => spoken(slider(page, /^Cells/)), SOON)
    .toMatch(/^Images 1 \(a 0\) and 2 \(a 0\): K = 0\.\d{10}/);
  expect(page.workers()).toEqual([]);
  calm();
});

it("computes in the browser what Node does: matrix bit for bit, eigenvalues and condition to 1e-12", async () => {
  const { page, calm } = await site.open(`${PAGE}#depth=3&kind=nngp&images=16`);
  const cells = slider(page, /^Cells of the Gram matrix of 16 images, NNGP of depth 3/);
  await cells.waitFor({ timeout: 30_000 });
  const { matrix, eigenvalues: found, condition, depth, kind } = await reportOf(page);
  expect([depth, kind]).toEqual([3, "nngp"]);
  const [own, other] = [await inNode(nngp({ depth: 3 }), 16), await inNode(ntk({ depth: 3 }), 16)];
  expect(matrix).toEqual([...own.values]);
  for (const [here, there] of [
    [found.nngp, own.spectrum],
    [found.ntk, other.spectrum],
  ] as const)
    there.forEach((value, k) => {
      expect(Math.abs((here[k] ?? Number.NaN) - value)).toBeLessThan(1e-12 * (there[0] ?? 1));
    });
  const ends = { largest: other.spectrum[0] ?? 0, smallest: other.spectrum[15] ?? 0 };
  ridgeCondition(ends, condition.lambdas).forEach((value, k) => {
    expect(Math.abs((condition.ntk[k] ?? Number.NaN) / value - 1)).toBeLessThan(1e-10);
  });
  await cells.focus();
  for (const key of ["ArrowDown", "ArrowDown", "ArrowRight", "ArrowUp"]) await page.keyboard.press(key);
  const value = own.values[1 * 16 + 2] ?? Number.NaN;
  expect(await spoken(cells)).toContain(`Images 2 (a 0) and 3 (a 0): K = ${value.toPrecision(10)}`);
  calm();
});

it("follows depth, kernel and lambda, and finds them again in the address", async () => {
  const { page, calm } = await site.open(PAGE);
  await expect.poll(() => spoken(slider(page, /^Eigenvalues/)), SOON).toMatch(/^number 32: NTK 0\.00/);
  await slider(page, /^Depth/).focus();
  for (let k = 0; k < 4; k++) await page.keyboard.press("ArrowRight");
  await page.getByRole("radio", { name: "NNGP" }).check();
  await slider(page, /^Cells.*NNGP of depth 5/).waitFor({ timeout: 30_000 });
  const sentence = page.getByRole("status").filter({ hasText: /condition number/ });
  await slider(page, /^Ridge/).focus();
  const before = await sentence.textContent();
  await page.keyboard.press("End");
  expect(await sentence.textContent()).toMatch(/^At λ = 1,000 the condition number is 1\.000\d* for the NTK/);
  expect(await sentence.textContent()).not.toBe(before);
  await expect.poll(() => page.url(), SOON).toMatch(/#depth=5&kind=nngp&lambda=3$/);
  await page.reload();
  await slider(page, /^Cells.*NNGP of depth 5/).waitFor({ timeout: 30_000 });
  expect(await slider(page, /^Ridge/).getAttribute("aria-valuetext")).toBe("1,000");
  calm();
});

it.each([
  ["phone", "dark"],
  ["desktop", "light"],
] as const)(
  "on a %s in %s colours: cells under a finger or the mouse, tables, no serious fault",
  async (size, scheme) => {
    const { page, calm } = await site.open(`${PAGE}#images=8&depth=2`, { size, scheme });
    const cells = slider(page, /^Cells of the Gram matrix of 8 images/);
    await cells.waitFor({ timeout: 30_000 });
    await cells.scrollIntoViewIfNeeded();
    const box = await cells.boundingBox();
    if (box === null) throw new Error("the heat map has no box");
    // The cell of row 6 and column 4.
    const [x, y] = [box.x + (3.5 / 8) * box.width, box.y + (5.5 / 8) * box.height];
    if (size === "phone") await page.touchscreen.tap(x, y);
    else await page.mouse.move(x, y);
    await expect.poll(() => spoken(cells), SOON).toMatch(/^Images 6 \(a 1\) and 4 \(a 0\)/);
    await page.locator(".heat summary").click();
    const table = page.getByRole("region", { name: "The Gram matrix as a table" });
    const { matrix } = await reportOf(page);
    expect(await table.locator("td").count()).toBe(64);
    expect(await table.locator("tbody tr").nth(5).locator("td").nth(3).textContent()).toBe(String(matrix[5 * 8 + 3]));
    expect(await overflows(page)).toBe(false);
    expect(await seriousFaults(page)).toEqual([]);
    calm();
    await screenshot(page, `kernel-used-${size}-${scheme}`);
  },
);
