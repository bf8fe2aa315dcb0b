// What may happen within a chosen radius: the slider over certified, unknown and broken, the proved ends of the output,
// and the worst image found beside the original. Not here: who computes it (ntkit-certify.ts).
import { formatDistance, formatRadius } from "../../sdk/index.js";
import { segmented, slider, toggle } from "../shared/controls.js";
import { h } from "../shared/dom.js";
import { imageCanvas, paintDifference, paintGrey } from "./pictures.js";
import type { Radii } from "./radii.js";
import type { Ball } from "./work.js";

/** Whose bound proves: ours, or the paper's interval bound. */
export type Bound = "best" | "interval";

export interface BallEvents {
  readonly onBound: (bound: Bound) => void;
  readonly onEpsilon: (epsilon: number) => void;
  readonly onAmplify: (amplified: boolean) => void;
}

const SIGNS = { certified: "✓ Certified", unknown: "? Unknown", broken: "✗ Broken", waiting: "… Working" } as const;
type Zone = keyof typeof SIGNS;

function zoneOf(epsilon: number, proved: number | undefined, attack: Radii["attack"]): Zone {
  if (proved === undefined) return "waiting";
  if (epsilon <= proved) return "certified";
  return attack !== undefined && attack !== null && epsilon >= attack ? "broken" : "unknown";
}

/** A bound, rounded outward to three decimals. */
const down = (value: number) => (Math.floor(value * 1000) / 1000).toFixed(3);
const up = (value: number) => (Math.ceil(value * 1000) / 1000).toFixed(3);

/** The picture beside the worst one found. */
class Pictures {
  private readonly original = imageCanvas("The picture itself");
  private readonly worst = imageCanvas("The worst picture found in the ball");
  private readonly difference = imageCanvas("The difference between the two");
  private readonly caption = h("figcaption");
  readonly element: HTMLElement;
  private last: { pixels: Uint8Array; ball: Ball | undefined } | undefined;
  amplified = false;

  constructor() {
    const figure = (canvas: HTMLCanvasElement, caption: HTMLElement) => h("figure", {}, canvas, caption);
    this.element = h(
      "div",
      { class: "pictures" },
      figure(this.original, h("figcaption", {}, "the picture")),
      figure(this.worst, this.caption),
      figure(this.difference, h("figcaption", {}, "the difference")),
    );
  }

  show(pixels: Uint8Array, ball: Ball | undefined, name: (output: number) => string): void {
    this.last = { pixels, ball };
    paintGrey(this.original, pixels, 255);
    const worst = ball?.worst ?? Float64Array.from(pixels, (value) => value / 255);
    paintGrey(this.worst, worst, 1);
    this.caption.textContent = ball?.worst ? `worst found: decided as ${name(ball.worstOutput)}` : "worst found";
    this.paint(worst, pixels);
  }

  /** Paints the difference again, amplified or not. */
  repaint(): void {
    if (this.last === undefined) return;
    const { pixels, ball } = this.last;
    this.paint(ball?.worst ?? Float64Array.from(pixels, (value) => value / 255), pixels);
  }

  private paint(worst: Float64Array, pixels: Uint8Array): void {
    const difference = worst.map((value, k) => value - (pixels[k] ?? 0) / 255);
    const most = difference.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    paintDifference(this.difference, difference, this.amplified && most > 0 ? most : 1);
  }
}

export class BallView {
  /** Slider, verdict and ends; the pictures apart, so that both find their place beside the curves. */
  readonly element: HTMLElement;
  readonly gallery: HTMLElement;
  private readonly zones = h("div", { class: "zones", "aria-hidden": "true" });
  private readonly zone = h("p", { class: "zone", role: "status", "aria-live": "polite" });
  private readonly ends = h("p", { class: "ends figure" });
  private readonly pictures = new Pictures();
  private readonly control;
  private readonly amplify;
  private readonly choice;
  private bound: Bound = "best";
  private radii: Radii = { interval: undefined, best: undefined, attack: undefined };

  constructor(
    readonly most: number,
    step: number,
    private epsilon: number,
    events: BallEvents,
  ) {
    this.control = slider({
      label: "ε: each pixel may change by up to this share of full brightness",
      min: 0,
      max: most,
      step,
      value: epsilon,
      format: (value) => `${value.toFixed(3)}`,
      onInput: (value) => {
        this.epsilon = value;
        this.say();
        events.onEpsilon(value);
      },
    });
    this.amplify = toggle("Amplify the difference", false, (on) => {
      this.setAmplified(on);
      events.onAmplify(on);
    });
    this.choice = segmented(
      "Proved by",
      [
        ["best", "our bound"],
        ["interval", "the paper's bound"],
      ],
      "best",
      (bound) => {
        this.setBound(bound);
        events.onBound(bound);
      },
    );
    this.zones.append(...["certified", "unknown", "broken"].map((kind) => h("span", { class: kind }, kind)));
    this.element = h("div", { class: "ball" }, this.control.element, this.zones, this.zone, this.choice.element);
    this.gallery = h("div", { class: "gallery" }, this.pictures.element, this.amplify.element, this.ends);
  }

  setBound(bound: Bound): void {
    this.bound = bound;
    this.choice.set(bound);
    this.update(this.radii);
  }

  /** The radius that the chosen bound proves. */
  private get proved(): number | undefined {
    return this.bound === "best" ? this.radii.best : this.radii.interval;
  }

  /** Moves the slider from outside. */
  set(epsilon: number): void {
    this.epsilon = epsilon;
    this.control.set(epsilon);
    this.say();
  }

  setAmplified(amplified: boolean): void {
    this.amplify.input.checked = amplified;
    this.pictures.amplified = amplified;
    this.pictures.repaint();
  }

  /** The radii that part certified, unknown and broken. */
  update(radii: Radii): void {
    this.radii = radii;
    const share = (radius: number) => Math.min(100, (100 * radius) / this.most);
    const certified = share(this.proved ?? 0);
    const broken = 100 - share(radii.attack ?? this.most);
    const [green, grey, red] = this.zones.children as unknown as HTMLElement[];
    [certified, 100 - certified - broken, broken].forEach((size, k) => {
      const zone = [green, grey, red][k];
      zone?.style.setProperty("--size", `${size}%`);
      zone?.classList.toggle("narrow", size < 18);
    });
    this.say();
  }

  /** What was found in the ball; undefined while it is being computed for another picture. */
  show(pixels: Uint8Array, ball: Ball | undefined, name: (output: number) => string): void {
    this.pictures.show(pixels, ball, name);
    this.ends.textContent =
      ball === undefined
        ? "\u00a0"
        : `Output on this ball: in [${down(ball.lower)}, ${up(ball.upper)}] by our bound, ` +
          `in [${down(ball.intervalLower)}, ${up(ball.intervalUpper)}] by the paper's.`;
  }

  private say(): void {
    const { attack } = this.radii;
    const radius = formatRadius(this.proved ?? 0);
    const kind = zoneOf(this.epsilon, this.proved, attack);
    const words: Record<Zone, string> = {
      waiting: "",
      certified: `No change of this size, of any kind, can change the decision: proved up to ${radius}.`,
      unknown: `Between proof (${radius}) and ${attack ? `attack (${formatDistance(attack)})` : "any attack found"}: nobody knows.`,
      broken: `A picture this close is decided otherwise: one was found at ${formatDistance(attack ?? 0)}.`,
    };
    this.zone.className = `zone ${kind}`;
    this.zone.replaceChildren(h("strong", {}, SIGNS[kind]), ` ${words[kind]}`);
  }
}
