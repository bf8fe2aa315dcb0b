// The demo Equivalence as a person uses it: stored runs, play, pause, step, seed, widths up to infinity, WebGPU, its loss,
// and no WebGPU at all. Not here: the numbers themselves (test/experiments/compare.test.ts).
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dataset, openComparison, Runtime, readNpz } from "../../sdk/index.js";
import { KERNEL_ROWS, LAMBDA, type Look } from "../../web/equivalence/curves.js";
import { overflows, ROOT, screenshot, seriousFaults, useSite } from "./site.js";

/** Patience on a busy machine. */
const SOON = { timeout: 20_000 };
const PAGE = "equivalence/index.html";
const GPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

const buttonOf = (page: Page, name: string | RegExp) => page.getByRole("button", { name });
const place = (page: Page) => page.locator(".place");
const chart = (page: Page, name: RegExp) => page.getByRole("slider", { name });
const spoken = (locator: Locator) => locator.getAttribute("aria-valuetext");
const stepsDone = async (page: Page) => Number(/Step (\d+)/.exec((await place(page).textContent()) ?? "")?.[1] ?? -1);

async function playToTheEnd(page: Page): Promise<void> {
  await buttonOf(page, /^Play/).click();
  await buttonOf(page, /^Play on to/).waitFor({ timeout: 60_000 });
}

async function reportOf(page: Page): Promise<{ readonly backend: string; readonly looks: readonly Look[] }> {
  const [file] = await Promise.all([page.waitForEvent("download"), buttonOf(page, "Download report").click()]);
  return JSON.parse(readFileSync(await file.path(), "utf8"));
}

/** The worker's program; its threads, where it has some, have addresses of their own. */
const workerOf = (page: Page) => {
  const found = page.workers().find((worker) => worker.url().includes("workers/equivalence"));
  if (found === undefined) throw new Error("the demo has no worker");
  return found;
};

describe("with a GPU", () => {
  const site = useSite(GPU);
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await Runtime.create({ threads: 1 });
  });
  afterAll(() => runtime.close());

  it("shows a stored run of every width before anything was trained", async () => {
    const { page, calm } = await site.open(PAGE);
    await expect.poll(() => spoken(chart(page, /^Outputs/)), SOON).toMatch(/^step 256: f\(a\) −\d/);
    const gap = () =>
      spoken(chart(page, /^Difference/)).then((text) => Number(/mean square ([\d.]+)/.exec(text ?? "")?.[1]));
    const narrow = await gap();
    await page.getByRole("slider", { name: "Width" }).focus();
    for (let k = 0; k < 6; k++) await page.keyboard.press("ArrowRight");
    expect(await page.getByRole("slider", { name: "Width" }).getAttribute("aria-valuetext")).toBe("16,384");
    expect(await gap()).toBeLessThan(narrow / 3);
    await page.keyboard.press("ArrowRight");
    await expect.poll(() => spoken(chart(page, /^Outputs/)), SOON).toMatch(/^step 256: g\(a\)/);
    calm();
  });

  it("trains the SDK's network: step, play and pause, and the report says what Node computes, to 1e-4", async () => {
    const { page, calm } = await site.open(`${PAGE}#width=64&seed=5`);
    expect(await place(page).textContent()).toBe("Press play to train this network here.");
    await buttonOf(page, "Step").click();
    await expect.poll(() => stepsDone(page), SOON).toBe(1);
    await buttonOf(page, "Step").click();
    await expect.poll(() => stepsDone(page), SOON).toBe(2);
    await playToTheEnd(page);
    expect(await stepsDone(page)).toBe(256);
    expect(await place(page).textContent()).toMatch(/WebAssembly on (one thread|\d+ threads)/);
    expect(await page.getByRole("status").first().textContent()).toMatch(
      /^Step 256: network and machine differ by 0\.\d+/,
    );
    const { looks } = await reportOf(page);
    const arrays = readNpz(readFileSync(join(ROOT, "web/data/digits.npz")));
    const set = (split: string) => {
      const y = Array.from(arrays.get(`y_${split}`)?.data ?? [], (digit) => (digit === 0 ? -1 : 1));
      return dataset({ x: arrays.get(`x_${split}`)?.data as Uint8Array, y, shape: [y.length, 784] });
    };
    const setting = { width: 64, lambda: LAMBDA, seed: 5, backend: "wasm" as const, kernelRows: KERNEL_ROWS };
    const session = await openComparison({ train: set("train"), test: set("test"), ...setting, runtime });
    for (const look of looks.filter(({ step }) => step % 64 === 0)) {
      await session.steps(look.step - session.step);
      const { network, machine, difference, drift } = await session.point({ kernel: true });
      const pairs = [
        [look.hingeF, network?.hinge],
        [look.hingeG, machine.hinge],
        [look.rms, difference?.rms],
        [look.drift, drift],
      ];
      for (const [found = Number.NaN, expected = Number.NaN] of pairs)
        expect(Math.abs(found - expected)).toBeLessThan(1e-4);
    }
    session.dispose();
    calm();
  });

  it("pauses a wide network at once, goes on from there, and begins anew with another seed", async () => {
    const { page, calm } = await site.open(`${PAGE}#width=4096`);
    await buttonOf(page, "Play").click();
    await expect.poll(() => stepsDone(page), { timeout: 30_000 }).toBeGreaterThan(2);
    await buttonOf(page, "Pause").click();
    await buttonOf(page, /^Play$/).waitFor({ timeout: 5000 });
    const paused = await stepsDone(page);
    await page.waitForTimeout(500);
    expect(await stepsDone(page)).toBe(paused);
    await buttonOf(page, "Step").click();
    await expect.poll(() => stepsDone(page), { timeout: 30_000 }).toBeGreaterThan(paused);
    await page.getByRole("spinbutton", { name: "Seed" }).fill("7");
    await page.keyboard.press("Enter");
    await expect.poll(() => place(page).textContent(), SOON).toBe("Press play to train this network here.");
    await expect.poll(() => page.url(), SOON).toMatch(/#width=4096&seed=7$/);
    calm();
  });

  it("at infinite width trains the machine alone; the address brings the state back", async () => {
    const { page, calm } = await site.open(PAGE);
    await page.getByRole("slider", { name: "Width" }).focus();
    await page.keyboard.press("End");
    await page.getByRole("radio", { name: "5", exact: true }).check();
    await expect.poll(() => page.url(), SOON).toMatch(/#width=inf&rate=5$/);
    await page.reload();
    expect(await page.getByRole("slider", { name: "Width" }).getAttribute("aria-valuetext")).toBe("∞");
    expect(await page.getByRole("radio", { name: "5", exact: true }).isChecked()).toBe(true);
    await playToTheEnd(page);
    expect(await place(page).textContent()).toMatch(/The machine alone/);
    expect(await spoken(chart(page, /^Outputs/))).toMatch(/^step 256: g\(a\)/);
    expect(await spoken(chart(page, /^Kernel|^Drift/))).toBe("empty");
    calm();
  });

  it("trains on WebGPU, says so when the GPU is lost, and goes on in WebAssembly along the same curve, to 1e-3", async () => {
    const { page, calm } = await site.open(`${PAGE}#width=32&seed=3`);
    await playToTheEnd(page);
    const onCore = await reportOf(page);
    expect(onCore.backend).toBe("wasm");
    await workerOf(page).evaluate(() => {
      const found = globalThis as unknown as { GPUAdapter: { prototype: GPUAdapter }; latest?: GPUDevice };
      const { prototype } = found.GPUAdapter;
      const { requestDevice } = prototype;
      prototype.requestDevice = async function (descriptor) {
        found.latest = await requestDevice.call(this, descriptor);
        return found.latest;
      };
    });
    await page.getByRole("radio", { name: "WebGPU" }).check();
    await buttonOf(page, "Play").click();
    await expect.poll(() => stepsDone(page), { timeout: 30_000 }).toBeGreaterThan(3);
    expect(await place(page).textContent()).toMatch(/The network trains on WebGPU/);
    await workerOf(page).evaluate(() => (globalThis as unknown as { latest?: GPUDevice }).latest?.destroy());
    const onwards = buttonOf(page, "Go on with WebAssembly");
    await onwards.waitFor({ timeout: 20_000 });
    expect(await page.getByRole("status").first().textContent()).toMatch(/^The GPU was lost after step \d+/);
    await onwards.click();
    await buttonOf(page, /^Play on to/).waitFor({ timeout: 60_000 });
    const { backend, looks } = await reportOf(page);
    expect(backend).toBe("wasm");
    expect(looks.map(({ step }) => step)).toEqual(onCore.looks.map(({ step }) => step));
    looks.forEach(({ f = [] }, k) => {
      f.forEach((value, i) => {
        expect(Math.abs(value - (onCore.looks[k]?.f?.[i] ?? Number.NaN))).toBeLessThan(1e-3);
      });
    });
    calm();
  });

  it.each([
    ["phone", "dark"],
    ["desktop", "light"],
  ] as const)(
    "on a %s in %s colours: values under a finger or the keys, tables, no serious fault",
    async (size, scheme) => {
      const { page, calm } = await site.open(`${PAGE}#width=16`, { size, scheme, reducedMotion: "reduce" });
      await playToTheEnd(page);
      const hinge = chart(page, /^Mean hinge loss/);
      await hinge.scrollIntoViewIfNeeded();
      const box = await hinge.boundingBox();
      if (box === null) throw new Error("the chart has no box");
      const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
      if (size === "phone") await page.touchscreen.tap(middle.x, middle.y);
      else await page.mouse.move(middle.x, middle.y);
      await expect.poll(() => spoken(hinge), SOON).toMatch(/^step 1[0-4]\d: network/);
      await hinge.focus();
      await page.keyboard.press("Home");
      expect(await spoken(hinge)).toBe("step 0: network 1, machine 1");
      await page.getByText("As a table").nth(1).click();
      const rows = page.getByRole("region", { name: /^Mean hinge loss.*as a table/ }).locator("tbody tr");
      const { looks } = await reportOf(page);
      expect(await rows.count()).toBe(looks.length);
      expect(await rows.last().textContent()).toBe(`256${looks.at(-1)?.hingeF}${looks.at(-1)?.hingeG}`);
      expect(await overflows(page)).toBe(false);
      expect(await seriousFaults(page)).toEqual([]);
      calm();
      await screenshot(page, `equivalence-trained-${size}-${scheme}`);
    },
  );
});

describe("without WebGPU", () => {
  const site = useSite(["--disable-features=WebGPU", "--disable-gpu"]);

  it("says so where it is asked for, and trains in WebAssembly instead", async () => {
    const { page, calm } = await site.open(`${PAGE}#width=16&backend=webgpu`);
    await buttonOf(page, "Play").click();
    const onwards = buttonOf(page, "Go on with WebAssembly");
    await onwards.waitFor({ timeout: 20_000 });
    expect(await page.getByRole("status").first().textContent()).toMatch(/WebGPU|GPU adapter/);
    await onwards.click();
    await buttonOf(page, /^Play on to/).waitFor({ timeout: 60_000 });
    expect(await place(page).textContent()).toMatch(/WebAssembly/);
    await expect.poll(() => page.url(), SOON).toMatch(/backend=wasm/);
    calm();
  });
});
