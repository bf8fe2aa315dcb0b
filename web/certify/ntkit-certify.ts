// <ntkit-certify>: draw a digit or pick one, and see what is proved about the machine's decision. This file holds the
// state and asks the worker; what is shown is in the views beside it. Not here: what is computed (work.ts).
import { button, fileButton, messageBox, toggle, workBar } from "../shared/controls.js";
import { h } from "../shared/dom.js";
import { asset, DemoElement, define } from "../shared/element.js";
import { WorkerClient } from "../shared/worker-client.js";
import { BallView } from "./ball-view.js";
import { bandChart } from "./band-chart.js";
import style from "./certify.css";
import { layout } from "./layout.js";
import { openPicture } from "./open-picture.js";
import { Pad } from "./pad.js";
import { radiiView } from "./radii.js";
import { fetchStrip, type Strip, type StripData, type StripImage, stripView } from "./strip.js";
import { takeAway } from "./takeaway.js";
import { digitsOf, likenessText, VerdictView } from "./verdict.js";
import type * as work from "./work.js";

/** Radii of the slider, and of the curves, in shares of full brightness. */
const MOST = 0.4;
const STEP = 0.002;
const START = 0.1;
const EPSILONS = Array.from({ length: 21 }, (_, k) => k / 50);

/** Largest file that is opened: a photo of 50 megapixels, or a machine of all training rows. */
const MOST_BYTES = 32 * 2 ** 20;

/** What is looked at. */
interface Shown {
  readonly pixels: Uint8Array;
  /** Label of a test image; drawings have none, and take the decision for it. */
  readonly label: -1 | 1 | undefined;
  /** Name of its files. */
  readonly name: string;
  readonly known: StripImage | undefined;
}

export class NtkitCertify extends DemoElement {
  static readonly observedAttributes: readonly string[] = [
    "image",
    "strokes",
    "epsilon",
    "domain",
    "bound",
    "amplified",
  ];
  protected override readonly css = style;
  private readonly worker = new WorkerClient<typeof work>(asset("../workers/certify.js"));
  private readonly pad = new Pad({ onMove: () => this.sketch(), onEnd: () => this.drawn() });
  private readonly message = messageBox();
  private readonly verdict = new VerdictView();
  private readonly radii = radiiView(MOST);
  private readonly chart = bandChart(MOST);
  private readonly bar = workBar(() => this.cancel());
  private readonly ball = new BallView(MOST, STEP, START, {
    onEpsilon: (epsilon) => this.moved(epsilon),
    onBound: (bound) => this.setState({ bound: bound === "best" ? undefined : bound }),
    onAmplify: (on) => this.setState({ amplified: on ? "true" : undefined }),
  });
  private readonly domain = toggle("Only changes that leave an image (pixels stay within 0 and 1)", false, (on) => {
    this.setState({ domain: on ? "true" : undefined });
    void this.analyse();
  });
  private readonly stripPlace = h("div");
  private readonly modelText = h("p", { class: "small muted machine" });
  private strip: Strip | undefined;
  private stripData: StripData | undefined;
  private shown: Shown | undefined;
  private proof: work.Proof | undefined;
  private judgement: work.Judgement | undefined;
  private digits: readonly [string, string] = ["0", "1"];
  private ownModel = true;
  private epsilon = START;
  private job = new AbortController();
  /** Counts what was chosen: a digit that comes late is not shown over a later choice. */
  private turn = 0;
  private ballBusy = false;
  private sketchBusy = false;

  protected override build(): Node {
    const buttons = [
      button("Clear", () => this.clear()),
      button("Undo", () => this.undo()),
      fileButton("Open a picture…", "image/*", (chosen) => void this.openPicture(chosen)),
    ];
    return layout({
      picture: [
        h("div", { class: "drawing" }, this.pad.canvas, h("div", { class: "buttons" }, ...buttons)),
        this.message.element,
        this.stripPlace,
      ],
      proved: [this.verdict.element, this.radii.element, this.domain.element, this.bar.element],
      within: [this.ball.element, this.chart.element],
      worst: [this.ball.gallery],
      foot: [this.takeAway(), this.modelText],
    });
  }

  protected override start(): void {
    this.readView();
    void this.begin();
  }

  protected override stop(): void {
    this.job.abort();
    this.worker.close();
  }

  protected override changed(name: string, value: string | null): void {
    if (name === "image" || name === "strokes") {
      if (value !== null) this.readSubject();
      return;
    }
    this.readView();
    if (name === "domain") void this.analyse();
    else if (name === "epsilon") void this.look();
  }

  private async begin(): Promise<void> {
    const news = this.worker.call("loadOwn", undefined, { signal: this.signal });
    news.then(
      (model) => this.describe(model),
      (error) => this.fail(error),
    );
    try {
      this.stripData = await fetchStrip(this.signal);
      this.strip = stripView(this.stripData.images, (image) => {
        this.setState({ image: String(image.index), strokes: undefined });
        this.pickImage(image);
      });
      this.stripPlace.replaceChildren(this.strip.element);
      this.readSubject();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Slider, domain and amplification from the attributes. */
  private readView(): void {
    this.epsilon = this.numberAttribute("epsilon", START, 0, MOST);
    this.ball.set(this.epsilon);
    this.chart.cursor(this.epsilon);
    this.domain.input.checked = this.flagAttribute("domain");
    this.ball.setAmplified(this.flagAttribute("amplified"));
    this.ball.setBound(this.choiceAttribute("bound", ["best", "interval"]));
  }

  /** The picture from the attributes: a drawing, or a test image, else the first of them. */
  private readSubject(): void {
    const strokes = this.getAttribute("strokes");
    if (strokes !== null) {
      this.pad.load(strokes);
      if (!this.pad.empty) {
        void this.drawn(false);
        return;
      }
    }
    const images = this.stripData?.images ?? [];
    const image = images.find(({ index }) => String(index) === this.getAttribute("image")) ?? images[0];
    if (image !== undefined) this.pickImage(image);
  }

  private pickImage(image: StripImage): void {
    this.turn++;
    this.pad.clear();
    this.strip?.choose(image.index);
    this.message.show("");
    this.shown = { pixels: image.pixels, label: image.label, name: `mnist-${image.index}`, known: image };
    void this.analyse();
  }

  /** While a line is being drawn: the decision alone, as often as the worker keeps up. */
  private async sketch(): Promise<void> {
    if (this.sketchBusy) return;
    this.sketchBusy = true;
    this.strip?.choose(undefined);
    this.job.abort();
    try {
      const pixels = await this.digit();
      if (pixels.length === 0) return;
      const judgement = await this.worker.call("judge", { pixels }, { signal: this.signal });
      this.verdict.show(pixels, judgement, this.digits, undefined);
    } catch (error) {
      this.fail(error);
    } finally {
      this.sketchBusy = false;
    }
  }

  private digit(): Promise<Uint8Array> {
    const { data, width, height } = this.pad.pixels();
    return this.worker.call("digitOf", { rgba: data, width, height }, { signal: this.signal, transfer: [data.buffer] });
  }

  /** A stroke ended: the whole answer. */
  private async drawn(tell = true): Promise<void> {
    if (tell) this.setState({ strokes: this.pad.text, image: undefined });
    this.strip?.choose(undefined);
    const turn = ++this.turn;
    try {
      const pixels = await this.digit();
      if (turn === this.turn) this.show(pixels, "drawing");
    } catch (error) {
      this.fail(error);
    }
  }

  private show(pixels: Uint8Array, name: string): void {
    this.job.abort();
    if (pixels.length === 0) {
      this.shown = undefined;
      this.proof = undefined;
      this.message.show("There is nothing to see here: draw a 0 or a 1, or pick a test image.");
      this.verdict.clear();
      this.reset();
      return;
    }
    this.message.show("");
    this.shown = { pixels, label: undefined, name, known: undefined };
    void this.analyse();
  }

  private clear(): void {
    this.turn++;
    this.pad.clear();
    this.setState({ strokes: undefined, image: undefined });
    this.strip?.choose(undefined);
    this.show(new Uint8Array(0), "drawing");
  }

  private undo(): void {
    this.pad.undo();
    if (this.pad.empty) this.clear();
    else void this.drawn();
  }

  private async openPicture(chosen: File): Promise<void> {
    const turn = ++this.turn;
    try {
      const { data, width, height } = await openPicture(chosen, MOST_BYTES);
      const transfer = [data.buffer];
      const pixels = await this.worker.call(
        "digitOf",
        { rgba: data, width, height },
        { signal: this.signal, transfer },
      );
      if (turn !== this.turn) return;
      this.pad.clear();
      this.setState({ strokes: undefined, image: undefined });
      this.strip?.choose(undefined);
      this.show(pixels, "picture");
    } catch (error) {
      this.fail(error);
    }
  }

  private async openModel(chosen: File): Promise<void> {
    try {
      if (chosen.size > MOST_BYTES)
        throw new RangeError(
          `${chosen.name} has ${Math.ceil(chosen.size / 2 ** 20)} MiB: here at most 32 can be opened`,
        );
      const bytes = new Uint8Array(await chosen.arrayBuffer());
      const model = await this.worker.call("loadFile", { bytes }, { signal: this.signal, transfer: [bytes.buffer] });
      this.ownModel = false;
      this.describe(model);
      const notice = `${chosen.name} decides now: ${model.description}.`;
      this.message.show(notice);
      void this.analyse(notice);
    } catch (error) {
      this.fail(error);
    }
  }

  private describe({ description, dataName, version }: work.ModelNews): void {
    this.digits = digitsOf(dataName);
    this.modelText.textContent = `The machine: ${description}, trained on ${dataName}. ntkit ${version}.`;
  }

  private reset(): void {
    const nothing = { interval: undefined, best: undefined, attack: undefined };
    this.proof = undefined;
    this.radii.update(nothing);
    this.ball.update(nothing);
    this.chart.clear();
    this.bar.hide();
  }

  private cancel(): void {
    this.job.abort();
    this.bar.hide();
    this.message.show("Stopped. Pick or draw a picture, or move the slider, to go on.");
  }

  private get inDomain(): boolean {
    return this.domain.input.checked;
  }

  /** All that there is to know of the picture, quickest first; a notice stays beside what is said of it. */
  private async analyse(notice = ""): Promise<void> {
    const { shown } = this;
    this.job.abort();
    if (shown === undefined) return;
    const job = new AbortController();
    this.job = job;
    const { signal } = job;
    this.reset();
    this.ball.show(shown.pixels, undefined, (output) => this.nameOf(output));
    const known = this.ownModel && !this.inDomain ? shown.known : undefined;
    if (known !== undefined) this.showKnown(shown, known);
    try {
      this.bar.show(known === undefined ? "Proving" : "Proving once more");
      const judgement = await this.worker.call("judge", { pixels: shown.pixels }, { signal });
      this.judgement = judgement;
      this.verdict.show(shown.pixels, judgement, this.digits, shown.label);
      this.speak(judgement, notice);
      const { intervalRadius: interval } = judgement;
      if (known === undefined) this.radii.update({ interval, best: undefined, attack: undefined });
      const proof = await this.worker.call("prove", { ...this.subject(shown), name: shown.name }, { signal });
      this.proof = proof;
      this.showRadii(interval, proof.radius, proof.attackRadius);
      await this.look();
      if (known === undefined) await this.drawCurves(shown, proof, signal);
      this.bar.hide();
    } catch (error) {
      if (this.job === job) this.bar.hide();
      this.fail(error);
    }
  }

  private async drawCurves(shown: Shown, proof: work.Proof, signal: AbortSignal): Promise<void> {
    const onProgress = ({ stage, done, total }: { stage: string; done: number; total: number }) =>
      this.bar.show(stage, done, total);
    const args = { ...this.subject(shown), epsilons: EPSILONS, adversarial: proof.adversarial };
    const curves = await this.worker.call("curves", args, { signal, onProgress });
    this.chart.update(curves, proof.decision);
    this.chart.cursor(this.epsilon);
  }

  /** A drawing takes the decision for its label. */
  private labelOf(shown: Shown): -1 | 1 {
    return shown.label ?? (this.judgement?.prediction === -1 ? -1 : 1);
  }

  private subject(shown: Shown): work.Subject {
    return { pixels: shown.pixels, label: this.labelOf(shown), domain: this.inDomain };
  }

  /** What was computed before, at once. */
  private showKnown(shown: Shown, known: StripImage): void {
    const { decision, prediction, intervalRadius } = known;
    this.verdict.show(shown.pixels, { decision, prediction, intervalRadius, likeness: null }, this.digits, shown.label);
    this.showRadii(intervalRadius, known.radius, known.attackRadius);
    this.chart.update({ ...known, epsilons: this.stripData?.epsilons ?? [] }, decision);
    this.chart.cursor(this.epsilon);
  }

  private showRadii(interval: number, best: number, attack: number | null): void {
    this.radii.update({ interval, best, attack });
    this.ball.update({ interval, best, attack });
  }

  private speak(judgement: work.Judgement, notice: string): void {
    const text = likenessText(judgement, this.digits);
    this.message.show(text === undefined ? notice : `${notice} ${text}`.trim(), text === undefined ? "note" : "bad");
  }

  private nameOf(output: number): string {
    return this.digits[output < 0 ? 0 : 1];
  }

  private moved(epsilon: number): void {
    this.epsilon = epsilon;
    this.chart.cursor(epsilon);
    this.setState({ epsilon: String(epsilon) });
    void this.look();
  }

  /** The ball of the slider's radius: the latest wins when the handle moves faster than proofs. */
  private async look(): Promise<void> {
    if (this.ballBusy) return;
    this.ballBusy = true;
    try {
      for (let asked: readonly [work.Proof, number] | undefined; ; ) {
        const { shown, proof, epsilon } = this;
        if (shown === undefined || proof === undefined) return;
        if (asked?.[0] === proof && asked[1] === epsilon) return;
        asked = [proof, epsilon];
        const args = { ...this.subject(shown), epsilon, adversarial: proof.adversarial };
        const ball = await this.worker.call("ball", args, { signal: this.signal });
        if (this.shown === shown && this.proof === proof)
          this.ball.show(shown.pixels, ball, (output) => this.nameOf(output));
      }
    } catch (error) {
      this.fail(error);
    } finally {
      this.ballBusy = false;
    }
  }

  private takeAway(): HTMLElement {
    const { worker } = this;
    const source = {
      current: () => {
        const { shown, proof } = this;
        return shown && { name: shown.name, subject: this.subject(shown), report: proof?.json };
      },
      pictureFile: (subject: work.Subject) => worker.call("pictureFile", subject, { signal: this.signal }),
      modelFile: () => worker.call("modelFile", undefined, { signal: this.signal }),
      say: (text: string) => this.message.show(text),
      fail: (error: unknown) => this.fail(error),
    };
    return takeAway(
      source,
      fileButton("Open a model…", ".safetensors", (chosen) => void this.openModel(chosen)),
    );
  }

  private fail(error: unknown): void {
    if (error instanceof DOMException && error.name === "AbortError") return;
    this.message.show(error instanceof Error ? error.message : String(error), "bad");
  }
}

define("ntkit-certify", NtkitCertify);
