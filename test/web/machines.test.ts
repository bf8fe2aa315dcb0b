// The Machines demo as a visitor uses it: points placed, dragged, moved by keys and by finger, losses and lambda chosen,
// certificates read, files taken home. Not here: what it computes (machines-work.test.ts).
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright";
import { expect, it } from "vitest";
import { MACHINES } from "../../web/machines/losses.js";
import { decodePoints, encodePoints, nearest, pointAt } from "../../web/machines/points.js";
import { overflows, ROOT, screenshot, useSite } from "./site.js";

const site = useSite();
const PAGE = "machines/index.html";
/** Four points far from each other. */
const FOUR = "points=p-600.0_p-500.300_m600.0_m500.-300";

const element = (page: Page) => page.locator("ntkit-machines");
const points = (page: Page) => element(page).locator(".point");
const figure = (page: Page, name: string) =>
  element(page).locator(".summary div", { hasText: name }).locator("dd").textContent();
const state = (page: Page) => page.evaluate(() => Object.fromEntries(new URLSearchParams(location.hash.slice(1))));

/** Waits until the picture is that of the setting, with its balls as large as they get. */
async function settled(page: Page): Promise<void> {
  // What was just done takes a task to begin with.
  await page.waitForTimeout(50);
  await element(page).locator(".plane[data-exact]").waitFor();
  // The address follows once nothing has changed for a moment.
  await page.waitForFunction(() => {
    const own = document.querySelector("ntkit-machines");
    const names = (own?.constructor as { observedAttributes?: string[] } | undefined)?.observedAttributes ?? [];
    const written = new URLSearchParams(location.hash.slice(1));
    return names.every((name) => own?.getAttribute(name) === written.get(name));
  });
}

/** Where a place of the plane is in the window. */
async function spot(page: Page, x: number, y: number): Promise<[number, number]> {
  await element(page).locator(".plane").scrollIntoViewIfNeeded();
  const box = await element(page).locator(".plane > svg").boundingBox();
  if (box === null) throw new Error("the plane is not shown");
  return [box.x + (box.width * (x + 1.25)) / 2.5, box.y + (box.height * (1.25 - y)) / 2.5];
}

it("shows points, surface and certified balls of an example, and says what they amount to", async () => {
  const { page, calm } = await site.open(PAGE);
  await element(page).locator(".balls .best").first().waitFor();
  await settled(page);
  expect(await points(page).count()).toBe(30);
  expect(await element(page).locator(".plane > svg .best").count()).toBe(30);
  expect((await element(page).locator("path.zero").first().getAttribute("d"))?.length).toBeGreaterThan(500);
  expect(await figure(page, "decided as labelled")).toBe("30 of 30");
  const [ours, paper] = [await figure(page, "mean square, ours"), await figure(page, "mean square, paper")];
  const number = (text: string | null) => Number(text?.replace("±", ""));
  expect(number(ours)).toBeGreaterThan(5 * number(paper));
  expect(number(paper)).toBeGreaterThan(0);
  calm();
  await screenshot(page, "machines-moons-desktop");
});

it("a click places a point, a drag moves it, a double press changes its class, buttons and keys do the same", async () => {
  const { page, calm } = await site.open(`${PAGE}#${FOUR}`);
  await settled(page);
  expect(await points(page).count()).toBe(4);
  await page.mouse.click(...(await spot(page, 0, 0.7)));
  await settled(page);
  const placed = decodePoints((await state(page)).points ?? "")[4];
  // A pixel is 0.004 wide.
  expect([Math.abs(placed?.x ?? 9) < 0.005, Math.abs((placed?.y ?? 9) - 0.7) < 0.005, placed?.label]).toEqual([
    true,
    true,
    1,
  ]);
  await page.mouse.move(...(await spot(page, 0, 0.7)));
  await page.mouse.down();
  await page.mouse.move(...(await spot(page, 0.2, 0.5)), { steps: 8 });
  await page.mouse.up();
  await settled(page);
  const dragged = decodePoints((await state(page)).points ?? "")[4];
  expect(Math.hypot((dragged?.x ?? 9) - 0.2, (dragged?.y ?? 9) - 0.5)).toBeLessThan(0.01);
  await page.mouse.dblclick(...(await spot(page, 0.2, 0.5)));
  await settled(page);
  expect(decodePoints((await state(page)).points ?? "")[4]?.label).toBe(-1);

  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Shift+ArrowUp");
  await settled(page);
  const moved = decodePoints((await state(page)).points ?? "")[4];
  expect([moved?.x, moved?.y]).toEqual([
    pointAt((dragged?.x ?? 0) + 0.02, 0, 1).x,
    pointAt(0, (dragged?.y ?? 0) + 0.1, 1).y,
  ]);
  expect(await element(page).locator("[aria-live]").last().textContent()).toMatch(
    /^Point 5, −, at 0\.\d\d, 0\.6.*proved/,
  );
  await page.keyboard.press("Enter");
  await page.keyboard.press("PageDown");
  await page.keyboard.press("Delete");
  await settled(page);
  const left = decodePoints((await state(page)).points ?? "");
  expect(left.map(({ label }) => label)).toEqual([1, -1, -1, 1]);

  await element(page).getByRole("button", { name: "Add point" }).click();
  await element(page).getByRole("button", { name: "Flip class" }).click();
  await settled(page);
  expect(decodePoints((await state(page)).points ?? "")).toHaveLength(5);
  await element(page).getByRole("button", { name: "Delete" }).click();
  await element(page).getByRole("button", { name: "Clear" }).click();
  expect(await element(page).locator(".message").first().textContent()).toMatch(/^There is no point yet/);
  expect(await element(page).locator(".plane .best").count()).toBe(0);
  await page.mouse.click(...(await spot(page, 0.3, 0.3)));
  await settled(page);
  expect(await points(page).count()).toBe(1);
  calm();
});

it("on a phone a tap places a point, a finger drags it, and the page does not scroll sideways", async () => {
  const { page, calm } = await site.open(`${PAGE}#${FOUR}&machine=krr`, { size: "phone", scheme: "dark" });
  await settled(page);
  await page.touchscreen.tap(...(await spot(page, 0, -0.8)));
  await settled(page);
  expect(await points(page).count()).toBe(5);
  const session = await page.context().newCDPSession(page);
  const touch = async (type: "touchStart" | "touchMove" | "touchEnd", at?: readonly [number, number]) => {
    const touchPoints = at === undefined ? [] : [{ x: at[0], y: at[1] }];
    await session.send("Input.dispatchTouchEvent", { type, touchPoints });
  };
  await touch("touchStart", await spot(page, 0, -0.8));
  for (const share of [0.25, 0.5, 0.75, 1])
    await touch("touchMove", await spot(page, -0.4 * share, -0.8 + 0.6 * share));
  await touch("touchEnd");
  await settled(page);
  const dragged = decodePoints((await state(page)).points ?? "")[4];
  expect(Math.hypot((dragged?.x ?? 9) + 0.4, (dragged?.y ?? 9) + 0.2)).toBeLessThan(0.02);
  expect(await overflows(page)).toBe(false);
  calm();
  await screenshot(page, "machines-touch-phone");
});

it("every loss of Table 1 trains when its button is pressed; what was chosen is back after a reload", async () => {
  const { page, calm } = await site.open(`${PAGE}#set=xor&seed=2&machine=krr`);
  await settled(page);
  const lambda = element(page).getByLabel("λ, the weight of the regulariser");
  const seen = new Set<string | null>();
  for (const machine of MACHINES) {
    await element(page).locator(`input[value="${machine}"]`).check({ force: true });
    await settled(page);
    expect(await lambda.isDisabled()).toBe(machine === "hard");
    expect(Number((await figure(page, "decided as labelled"))?.split(" ")[0])).toBeGreaterThan(27);
    seen.add(await figure(page, "mean square, paper"));
  }
  // Losses differ in what they certify: their machines are not the same one.
  expect(seen.size).toBeGreaterThan(4);
  await element(page).locator('input[value="logistic"]').check({ force: true });
  await lambda.press("ArrowRight");
  await settled(page);
  const before = [await figure(page, "mean square, ours"), await figure(page, "mean square, paper")];
  expect(await state(page)).toMatchObject({ set: "xor", seed: "2", machine: "logistic", lambda: "0.0112" });
  await page.reload();
  await settled(page);
  expect([await figure(page, "mean square, ours"), await figure(page, "mean square, paper")]).toEqual(before);
  expect(await element(page).locator('input[value="logistic"]').isChecked()).toBe(true);
  calm();
});

it("a hard margin that no machine has is refused in the SDK's words, and the next change mends the picture", async () => {
  const { page, calm } = await site.open(`${PAGE}#machine=hard&points=p0.0_m0.0_p-500.0_m500.0`);
  await element(page).locator(".message.bad").waitFor();
  expect(await element(page).locator(".message.bad").textContent()).toMatch(/row/);
  await element(page).locator('input[value="svm"]').check({ force: true });
  await settled(page);
  expect(await element(page).locator(".message").first().textContent()).toBe("");
  expect(await figure(page, "decided as labelled")).toMatch(/^[23] of 4$/);
  calm();
});

it("the pointer shows what is proved where it is; deeper kernels say what they have; balls can be hidden", async () => {
  const { page, calm } = await site.open(`${PAGE}#set=blobs`);
  await settled(page);
  await page.mouse.move(...(await spot(page, 0.9, 0.9)));
  const readout = element(page).locator(".readout");
  await readout.getByText("At 0.90, 0.90").waitFor();
  expect(await readout.textContent()).toMatch(/decided \+; proved up to ±0\.\d+ in x and y/);
  await element(page).locator("label", { hasText: "discs" }).click();
  await settled(page);
  expect(await state(page)).toMatchObject({ hide: "disc" });
  expect(await element(page).locator(".plane .disc").first().isVisible()).toBe(false);
  await element(page).getByLabel("Hidden layers").press("ArrowRight");
  await settled(page);
  expect(await state(page)).toMatchObject({ depth: "2" });
  expect(Number((await figure(page, "mean square, paper"))?.replace("±", ""))).toBeGreaterThan(0);
  calm();
});

it("the code runs against the SDK and prints the radii of the page; the report holds them too", async () => {
  const { page, calm } = await site.open(`${PAGE}#${FOUR}&lambda=0.1`);
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await settled(page);
  await element(page).getByRole("button", { name: "Copy as SDK code" }).click();
  await element(page).getByText("Copied.").waitFor();
  const code = await page.evaluate(() => navigator.clipboard.readText());
  const file = join(mkdtempSync(join(ROOT, "dist/code-")), "page.mjs");
  writeFileSync(file, code.replace('"ntkit"', JSON.stringify(pathToFileURL(join(ROOT, "dist/index.js")).href)));
  // A line a point: index, decision, and the radii of one bound and of cells.
  const printed = execFileSync(process.execPath, [file], { encoding: "utf8" }).trim().split("\n");
  const column = (k: number) => printed.map((line) => Number(line.split(" ")[k]));
  const download = page.waitForEvent("download");
  await element(page).getByRole("button", { name: "Download report" }).click();
  const saved = JSON.parse(readFileSync(await (await download).path(), "utf8"));
  expect(saved.metadata).toMatchObject({ movable: 2, machine: "svm" });
  expect(saved.perSample.map(({ radius }: { radius: number }) => radius)).toEqual(column(2));
  const mean = column(3).reduce((sum, radius) => sum + radius, 0) / 4;
  const shown = Number((await figure(page, "mean square, ours"))?.replace("±", ""));
  expect(Math.abs(shown - mean)).toBeLessThan(0.001);
  calm();
});

it("an address that makes no sense gives the nearest sense; equal points of both classes still have a machine", async () => {
  const { page, calm } = await site.open(
    `${PAGE}#machine=forest&lambda=-3&depth=99&points=p0.0_m0.0_x9_p99999.1_m300.1`,
  );
  await settled(page);
  expect(await points(page).count()).toBe(3);
  expect(await element(page).locator('input[value="svm"]').isChecked()).toBe(true);
  expect(await element(page).getByLabel("Hidden layers").inputValue()).toBe("5");
  calm();
});

it("points in an address come back exactly, and what is no point is left out", () => {
  const list = [pointAt(0.1234, -1.25, 1), pointAt(-0.0004, 3, -1)];
  expect(decodePoints(encodePoints(list))).toEqual(list);
  expect(list[1]).toMatchObject({ y: 1.25 });
  expect(decodePoints("p1_m2.x__p-3.4")).toEqual([pointAt(-0.003, 0.004, 1)]);
  expect(decodePoints(encodePoints(Array.from({ length: 400 }, () => pointAt(0, 0, 1))))).toHaveLength(150);
  expect(nearest(list, 0.1, -1.2, 0.1)).toBe(0);
  expect(nearest(list, 0.6, 0, 0.1)).toBeUndefined();
});
