// <ntkit-equivalence>: a finite network trains beside the machine it becomes at infinite width. Attributes: width (16 ...
// 16384 or "inf"), rate, seed, backend ("auto", "wasm", "webgpu"). Not here: what is computed (work.ts, in a worker), how
// it is drawn (charts.ts).
import { button, copyButton, download, messageBox, segmented, slider } from "../shared/controls.js";
import { h } from "../shared/dom.js";
import { asset, DemoElement, define } from "../shared/element.js";
import { numberText } from "../shared/scales.js";
import { WorkerClient } from "../shared/worker-client.js";
import { makeCharts } from "./charts.js";
import {
  codeOf,
  type Gap,
  type Look,
  latest,
  looks,
  nameOf,
  type Place,
  placeOf,
  RATES,
  STEPS,
  type Stored,
  storedRun,
  WIDTHS,
} from "./curves.js";
import style from "./equivalence.css";
import { drawImages } from "./images.js";
import type * as work from "./work.js";

const BACKENDS = ["auto", "wasm", "webgpu"] as const;

/** Milliseconds that a look stays alone: a run of a narrow network would be over before it was seen. */
const PACE = 40;
const CALM = 700;

export class NtkitEquivalence extends DemoElement {
  static readonly observedAttributes: readonly string[] = ["width", "rate", "seed", "backend"];
  protected override readonly css = style;
  private readonly worker = new WorkerClient<typeof work>(asset("../workers/equivalence.js"));
  private readonly charts = makeCharts();
  private readonly message = messageBox();
  private readonly remedy = h("div", { class: "row", hidden: true });
  private readonly place = h("p", { class: "small muted place" });
  private readonly images = h("div", { class: "images" });
  private readonly playButton = button("Play", () => this.toggle(), "primary");
  private readonly stepButton = button("Step", () => void this.run(1));
  private readonly restartButton = button("Start again", () => this.reset());
  private readonly seedInput = h("input", { type: "number", min: 0, max: 4294967295, step: 1, inputmode: "numeric" });
  private readonly widthSlider = slider({
    label: "Width",
    ...{ min: 0, max: WIDTHS.length - 1, step: 1, value: 4 },
    format: (k) => nameOf(WIDTHS[k] ?? 16),
    onInput: (k) => this.choose({ width: Number.isFinite(WIDTHS[k]) ? String(WIDTHS[k]) : "inf" }),
  });
  private readonly rateChoice = segmented(
    "Learning rate",
    RATES.map((rate) => [rate, rate] as const),
    "1",
    (rate) => this.choose({ rate: rate === "1" ? undefined : rate }),
  );
  private readonly backendChoice = segmented(
    "Train on",
    [
      ["auto", "Automatic"],
      ["wasm", "WebAssembly"],
      ["webgpu", "WebGPU"],
    ],
    "auto",
    (backend) => this.choose({ backend: backend === "auto" ? undefined : backend }),
  );
  private stored: Stored | undefined;
  /** The live run; empty: none was begun, and the stored one is shown. */
  private live: Look[] = [];
  private where: Place | undefined;
  private last = STEPS;
  private running: AbortController | undefined;
  /** Whether what runs was begun by the play button, and not for a step. */
  private playing = false;
  private readonly own = new Map<number, Gap>();

  private get width(): number {
    if (this.getAttribute("width") === "inf") return Number.POSITIVE_INFINITY;
    const asked = this.numberAttribute("width", 256, 16, 16384);
    return WIDTHS.reduce((best, each) =>
      Math.abs(Math.log(each / asked)) < Math.abs(Math.log(best / asked)) ? each : best,
    );
  }
  private get rate(): (typeof RATES)[number] {
    return RATES.find((rate) => rate === this.getAttribute("rate")) ?? "1";
  }
  private get seed(): number {
    return Math.floor(this.numberAttribute("seed", 0, 0, 2 ** 32 - 1));
  }
  private get setting() {
    return { width: this.width, rate: this.rate, seed: this.seed };
  }

  protected override build(): Node {
    const seed = h("label", { class: "seed" }, h("span", { class: "small muted" }, "Seed"), this.seedInput);
    this.seedInput.addEventListener("change", () => this.choose({ seed: String(Number(this.seedInput.value) || 0) }));
    const code = () => codeOf({ width: this.width, rate: Number(this.rate), seed: this.seed });
    const tools = [copyButton("Copy as SDK code", code), button("Download report", () => this.report())];
    const controls = h(
      "div",
      { class: "panel controls" },
      this.widthSlider.element,
      h("div", { class: "row options" }, this.rateChoice.element, this.backendChoice.element, seed),
      h("div", { class: "row" }, this.playButton, this.stepButton, this.restartButton),
      this.place,
      this.message.element,
      this.remedy,
      h("div", { class: "row" }, ...tools),
    );
    return h("div", { class: "equivalence" }, h("div", { class: "top" }, controls, this.images), this.charts.element);
  }

  protected override start(): void {
    this.reset();
    void this.load();
  }

  protected override stop(): void {
    this.running?.abort();
    this.worker.close();
    this.live = [];
  }

  protected override changed(): void {
    this.reset();
  }

  /** Takes a choice of the user's; a run under way begins anew with it. */
  private choose(state: Readonly<Record<string, string | undefined>>): void {
    const playing = this.running !== undefined && this.playing;
    this.setState(state);
    this.reset();
    if (playing) void this.run();
  }

  private async load(): Promise<void> {
    try {
      const answer = await fetch(asset("../data/equivalence.json"), { signal: this.signal });
      if (answer.ok) this.stored = (await answer.json()) as Stored;
      this.draw();
      drawImages(this.images, await this.worker.call("images", undefined, { signal: this.signal }));
    } catch (error) {
      this.fail(error);
    }
  }

  /** Back to the start with the present settings. */
  private reset(): void {
    this.running?.abort();
    this.running = undefined;
    this.live = [];
    this.where = undefined;
    this.last = STEPS;
    this.message.show("");
    this.remedy.hidden = true;
    this.widthSlider.set(WIDTHS.indexOf(this.width));
    this.rateChoice.set(this.rate);
    this.backendChoice.set(this.choiceAttribute("backend", BACKENDS));
    this.seedInput.value = String(this.seed);
    this.draw();
  }

  private toggle(): void {
    if (this.running === undefined) void this.run();
    else this.running.abort();
  }

  /** Trains until `last`, or for `count` looks, or until stopped. */
  private async run(count = Number.POSITIVE_INFINITY): Promise<void> {
    if (this.running !== undefined) return;
    const running = new AbortController();
    const signal = AbortSignal.any([running.signal, this.signal]);
    this.running = running;
    this.playing = count === Number.POSITIVE_INFINITY;
    this.message.show("");
    this.remedy.hidden = true;
    if (this.step >= this.last) this.last *= 2;
    this.draw();
    try {
      if (this.live.length === 0) await this.open(signal);
      const ahead = looks(this.last).filter((step) => step > this.step);
      for (const to of ahead.slice(0, count)) {
        const look = await this.worker.call("advance", { to }, { signal });
        this.live.push(look);
        this.drawSoon();
        await this.pause(signal);
      }
    } catch (error) {
      if (!running.signal.aborted) this.fail(error);
    }
    if (this.running !== running) return;
    this.running = undefined;
    this.draw();
    if (this.remedy.hidden) this.summarise();
  }

  private async open(signal: AbortSignal): Promise<void> {
    const backend = this.choiceAttribute("backend", BACKENDS);
    const setting = { width: this.width, rate: Number(this.rate), seed: this.seed, backend };
    this.place.textContent = "Drawing the network's weights…";
    const { place, look } = await this.worker.call("open", setting, { signal });
    this.where = place;
    this.live = [look];
    this.draw();
  }

  private pause(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, PACE);
      signal.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  private get step(): number {
    return latest(this.live)?.step ?? 0;
  }

  private drawn = 0;

  /** Draws a look of a run under way; seldom where less motion is asked for. */
  private drawSoon(): void {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (calm && performance.now() - this.drawn < CALM) return;
    this.drawn = performance.now();
    this.draw();
  }

  private draw(): void {
    const playing = this.running !== undefined;
    const live = this.live.length > 0;
    const shown = live ? this.live : storedRun(this.stored, this.setting);
    const end = latest(this.live);
    if (end?.rms !== undefined && end.step > 0) this.own.set(this.width, { width: this.width, rms: end.rms });
    this.charts.draw(shown, this.last);
    this.charts.drawGaps(this.stored, [...this.own.values()], this.width);
    const more = !playing && this.step >= this.last;
    this.playButton.textContent = playing ? "Pause" : more ? `Play on to ${2 * this.last}` : "Play";
    this.stepButton.disabled = playing;
    this.restartButton.disabled = !live && !playing;
    if (live) this.place.textContent = `Step ${this.step}. ${placeOf(this.where)}`;
    else if (!playing)
      this.place.textContent =
        shown.length > 0
          ? "A stored run. Press play to train this network here."
          : "Press play to train this network here.";
  }

  /** One sentence on where the run is, spoken when it stops. */
  private summarise(): void {
    const end = latest(this.live);
    if (end === undefined) return;
    const { step, rms, drift, hingeG } = end;
    if (rms === undefined)
      this.message.show(
        `Step ${step}: at infinite width there is the machine alone; its hinge loss is ${numberText(hingeG)}.`,
      );
    else
      this.message.show(
        `Step ${step}: network and machine differ by ${numberText(rms, 3)} (root mean square), and the network's kernel has moved by ${numberText(100 * (drift ?? 0), 3)}%.`,
      );
  }

  private fail(error: unknown): void {
    if (this.signal.aborted) return;
    const { name, message } = error as Error;
    const lost = name === "DeviceLostError";
    const text = lost ? `The GPU was lost after step ${this.step}. Both sides are kept up to there.` : message;
    this.message.show(text, "bad");
    const onCore = lost || name === "GpuUnavailableError" || name === "GpuMemoryError";
    this.remedy.replaceChildren(
      ...(onCore ? [button("Go on with WebAssembly", () => void this.carryOn(lost), "primary")] : []),
      button("Start again", () => this.reset()),
    );
    this.remedy.hidden = false;
  }

  /** Goes on in the core: with the run so far where a GPU was lost, from the start where there was none. */
  private async carryOn(lost: boolean): Promise<void> {
    this.setState({ backend: "wasm" });
    this.backendChoice.set("wasm");
    if (!lost) {
      this.reset();
      await this.run();
      return;
    }
    try {
      this.remedy.hidden = true;
      this.message.show("Taking the network to WebAssembly…");
      const { place, look } = await this.worker.call("carryOn", { backend: "wasm" }, { signal: this.signal });
      this.where = place;
      this.live = [...this.live.filter(({ step }) => step < look.step), look];
      await this.run();
    } catch (error) {
      this.fail(error);
    }
  }

  private report(): void {
    const { width, seed, rate, where } = this;
    const setting = { width: Number.isFinite(width) ? width : "infinite", seed, learningRate: Number(rate) };
    const run = this.live.length > 0 ? this.live : storedRun(this.stored, this.setting);
    const report = { ...setting, backend: where?.backend ?? null, stored: this.live.length === 0, looks: run };
    download(`ntkit-equivalence-${nameOf(width)}.json`, `${JSON.stringify(report, null, 2)}\n`, "application/json");
  }
}

define("ntkit-equivalence", NtkitEquivalence);
