// <ntkit-machines>: points of the plane, the machine that they train, and what is certified around them. Attributes:
// set, seed, machine, lambda, depth, points (an edited set, see points.ts), hide (kinds of balls, separated by spaces).
// Not here: what is computed (work.ts, in a worker), when (engine.ts), and how it is drawn (plane.ts, readout.ts).
import { copyButton, download, messageBox, workBar } from "../shared/controls.js";
import { h } from "../shared/dom.js";
import { asset, DemoElement, define } from "../shared/element.js";
import { WorkerClient } from "../shared/worker-client.js";
import { codeFor } from "./code.js";
import { Engine } from "./engine.js";
import { MACHINES, type MachineKey } from "./losses.js";
import style from "./machines.css";
import { legend, Panel, Summary } from "./panel.js";
import { type Ball, Plane } from "./plane.js";
import {
  arraysOf,
  decodePoints,
  encodePoints,
  MOST_POINTS,
  type Point,
  pointAt,
  pointsFrom,
  withPoint,
} from "./points.js";
import { describeAround, Readout } from "./readout.js";
import type * as work from "./work.js";
import type { Balls, Exact, Setting, Surface } from "./work.js";

const SETS = ["moons", "circles", "xor", "blobs"] as const;
const COUNT = 30;

const EMPTY = "There is no point yet: click or tap in the plane, or press Add point.";
const FULL = `${MOST_POINTS} points are the most: delete some first.`;

export class NtkitMachines extends DemoElement {
  static readonly observedAttributes = ["set", "seed", "machine", "lambda", "depth", "points", "hide"] as const;
  protected override readonly css = style;
  private readonly worker = new WorkerClient<typeof work>(asset("../workers/machines.js"));
  private readonly message = messageBox();
  private readonly said = h("p", { class: "sr-only", role: "status", "aria-live": "polite" });
  private readonly bar = workBar(() => this.engine.cancel());
  private readonly readout = new Readout();
  private readonly summary = new Summary();
  private readonly plane = new Plane({
    place: (x, y) => this.add(pointAt(x, y, this.panel.newLabel)),
    move: (index, x, y) => this.edit(index, (point) => pointAt(x, y, point.label)),
    flip: (index) => this.edit(index, flipped),
    remove: (index) => this.removePoint(index),
    select: (index) => this.select(index),
    hover: (place) => this.hover(place),
  });
  private readonly engine = new Engine(this.worker, {
    surface: (setting, surface, size) => this.drawSurface(setting, surface, size),
    balls: (setting, balls) => this.drawBalls(setting, balls),
    exact: (setting, exact) => this.drawExact(setting, exact),
    probe: (place, balls) => this.drawProbe(place, balls),
    busy: (busy) => (busy ? this.bar.show("Computing") : this.bar.hide()),
    failed: (error) => this.fail(error),
  });
  private readonly panel = new Panel({
    set: (set) => this.choose({ set, seed: this.getAttribute("seed") ?? undefined, points: undefined }),
    draw: () => this.choose({ seed: String(this.numberAttribute("seed", 1, 0, 1e6) + 1), points: undefined }),
    machine: (machine) => this.choose({ machine }),
    lambda: (lambda) => this.choose({ lambda: String(lambda) }),
    depth: (depth) => this.choose({ depth: String(depth) }),
    hide: (kinds) => this.choose({ hide: kinds.length === 0 ? undefined : kinds.join(" ") }),
    add: () => this.add(this.freePlace()),
    flip: () => this.selected !== undefined && this.edit(this.selected, flipped),
    remove: () => this.selected !== undefined && this.removePoint(this.selected),
    clear: () => this.replace([]),
  });
  private points: readonly Point[] = [];
  /** What `points` were drawn from, so that the worker is asked for an example once. */
  private source = "";
  private selected: number | undefined;
  private hovering = false;
  private surface: Surface | undefined;
  private balls: Balls | undefined;
  private pending = false;
  private announce = false;

  protected override build(): Node {
    const code = copyButton("Copy as SDK code", () => {
      const { machine, lambda, depth } = this.setting;
      return codeFor(this.points, machine, lambda, depth);
    });
    const report = h("button", { type: "button", onclick: () => void this.save() }, "Download report");
    const under = h("div", { class: "row ends" }, ...this.panel.pointButtons);
    return h(
      "div",
      { class: "machines" },
      h(
        "div",
        { class: "left" },
        this.plane.element,
        this.message.element,
        under,
        this.readout.element,
        legend(),
        this.said,
      ),
      h(
        "div",
        { class: "right" },
        this.panel.element,
        this.bar.element,
        this.summary.element,
        h("div", { class: "row" }, code, report),
      ),
    );
  }

  protected override start(): void {
    this.refresh();
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", () => this.engine.show(this.setting), { signal: this.signal });
  }

  protected override stop(): void {
    this.engine.cancel();
    this.worker.close();
  }

  protected override changed(): void {
    this.refresh();
  }

  private get setting(): Setting & { readonly machine: MachineKey } {
    return {
      ...arraysOf(this.points),
      machine: this.choiceAttribute("machine", MACHINES),
      lambda: this.numberAttribute("lambda", 0.01, 1e-4, 100),
      depth: Math.round(this.numberAttribute("depth", 1, 1, 5)),
    };
  }

  private choose(state: Readonly<Record<string, string | undefined>>): void {
    this.setState(state);
    this.refresh();
  }

  /** Brings everything in line with the attributes, once for all of them that change together. */
  private refresh(): void {
    if (this.pending) return;
    this.pending = true;
    queueMicrotask(() => {
      this.pending = false;
      if (this.isConnected) void this.update();
    });
  }

  private async update(): Promise<void> {
    const { machine, lambda, depth } = this.setting;
    const set = this.choiceAttribute("set", SETS);
    const hidden = (this.getAttribute("hide") ?? "").split(" ");
    const edited = this.getAttribute("points");
    this.panel.show({ set: edited === null ? set : undefined, machine, lambda, depth, hidden });
    for (const kind of ["best", "disc", "paper"])
      this.plane.element.classList.toggle(`hide-${kind}`, hidden.includes(kind));
    const seed = Math.round(this.numberAttribute("seed", 1, 0, 1e6));
    const source = edited === null ? `${set} ${seed}` : `points ${edited}`;
    if (source !== this.source) {
      this.source = source;
      if (edited !== null) this.points = decodePoints(edited);
      else {
        try {
          const { x, y } = await this.worker.call("example", { set, seed, n: COUNT }, { signal: this.signal });
          if (source !== this.source) return;
          this.points = pointsFrom(x, y);
        } catch (error) {
          this.fail(error);
          return;
        }
      }
      this.select(undefined);
    }
    this.recompute();
  }

  private recompute(): void {
    this.surface = this.surface?.decisions.length === this.points.length ? this.surface : undefined;
    this.balls = undefined;
    this.plane.element.toggleAttribute("data-exact", false);
    this.showPoints();
    this.panel.enable(this.selected !== undefined, this.points.length > 0);
    if (this.points.length > 0) {
      this.engine.show(this.setting);
      return;
    }
    this.engine.cancel();
    this.plane.showSurface(undefined, 1);
    this.plane.showBalls([]);
    this.summary.show(undefined);
    this.message.show(EMPTY);
  }

  /** The points as they are from now on; they become part of the state. */
  private replace(points: readonly Point[]): void {
    this.points = points;
    const text = encodePoints(points);
    this.source = `points ${text}`;
    this.setState({ points: text });
    this.panel.show({ set: undefined });
    if (this.selected !== undefined && this.selected >= points.length) this.selected = undefined;
    this.recompute();
  }

  private add(point: Point): void {
    if (this.points.length >= MOST_POINTS) {
      this.message.show(FULL, "bad");
      return;
    }
    this.replace([...this.points, point]);
    this.plane.focus(this.points.length - 1);
  }

  private edit(index: number, change: (point: Point) => Point): void {
    const point = this.points[index];
    if (point === undefined) return;
    this.announce = true;
    this.replace(withPoint(this.points, index, change(point)));
  }

  private removePoint(index: number): void {
    this.replace(this.points.filter((_, k) => k !== index));
    const next = Math.min(index, this.points.length - 1);
    if (next >= 0) this.plane.focus(next);
    else this.select(undefined);
  }

  /** Near the middle, beside what is there already. */
  private freePlace(): Point {
    const k = this.points.length;
    return pointAt(0.1 * ((k % 5) - 2), 0.1 * ((Math.floor(k / 5) % 5) - 2), this.panel.newLabel);
  }

  private select(index: number | undefined): void {
    this.selected = index;
    this.panel.enable(index !== undefined, this.points.length > 0);
    this.showAround();
  }

  private hover(place: { readonly x: number; readonly y: number } | undefined): void {
    this.hovering = place !== undefined;
    this.engine.probe(place);
    if (place === undefined) {
      this.plane.showProbe(undefined);
      this.showAround();
    }
  }

  private drawSurface(setting: Setting, surface: Surface, size: number): void {
    if (setting.y.length !== this.points.length) return;
    this.surface = surface;
    this.message.show("");
    this.plane.showSurface(surface.values, size);
    this.showPoints();
    this.showSummary();
  }

  private drawBalls(setting: Setting, balls: Balls): void {
    if (setting.y.length !== this.points.length) return;
    this.balls = balls;
    this.plane.showBalls(this.points.map((_, k) => this.ballAt(k)));
    this.showPoints();
    this.showSummary();
    this.showAround();
    const around = this.aroundSelected();
    if (this.announce && around !== undefined) this.said.textContent = describeAround(around);
    this.announce = false;
  }

  private drawExact(setting: Setting, exact: Exact): void {
    if (this.balls === undefined) return;
    this.drawBalls(setting, { ...this.balls, ...exact });
    this.plane.element.toggleAttribute("data-exact", true);
  }

  private drawProbe({ x, y }: { readonly x: number; readonly y: number }, balls: Balls): void {
    if (!this.hovering) return;
    const [square, disc] = [balls.square?.[0] ?? null, balls.disc?.[0] ?? null];
    const ball = { x, y, square, disc, interval: balls.interval[0] ?? 0, right: true };
    this.plane.showProbe(ball);
    const name = `At ${x.toFixed(2)}, ${y.toFixed(2)}`;
    this.readout.show({ name, decision: balls.decisions[0] ?? 0, ball }, this.plane.contour);
  }

  private ballAt(index: number): Ball {
    const { x, y, label } = this.points[index] ?? pointAt(0, 0, 1);
    const { balls } = this;
    return {
      x,
      y,
      square: balls?.square?.[index] ?? null,
      disc: balls?.disc?.[index] ?? null,
      interval: balls?.interval[index] ?? null,
      right: balls === undefined || balls.predictions[index] === label,
    };
  }

  private aroundSelected() {
    const { selected: index, surface, balls } = this;
    if (index === undefined || surface === undefined || balls === undefined) return undefined;
    return { name: this.nameOf(index), decision: surface.decisions[index] ?? 0, ball: this.ballAt(index) };
  }

  private nameOf(index: number): string {
    const { x, y, label } = this.points[index] ?? pointAt(0, 0, 1);
    return `Point ${index + 1}, ${label > 0 ? "+" : "−"}, at ${x.toFixed(2)}, ${y.toFixed(2)}`;
  }

  private showAround(): void {
    if (!this.hovering) this.readout.show(this.aroundSelected(), this.plane.contour);
  }

  private showPoints(): void {
    const labels = this.points.map((_, k) => this.nameOf(k));
    this.plane.showPoints(this.points, labels, this.surface?.alpha);
  }

  private showSummary(): void {
    if (this.surface !== undefined)
      this.summary.show({ points: this.points, surface: this.surface, balls: this.balls });
  }

  private fail(error: unknown): void {
    if (this.signal.aborted) return;
    this.surface = undefined;
    this.balls = undefined;
    this.plane.showSurface(undefined, 1);
    this.plane.showBalls([]);
    this.summary.show(undefined);
    this.message.show(error instanceof Error ? error.message : String(error), "bad");
  }

  private async save(): Promise<void> {
    try {
      const text = await this.worker.call("report", this.setting, { signal: this.signal });
      download("ntkit-machines-report.json", text, "application/json");
    } catch (error) {
      this.fail(error);
    }
  }
}

function flipped({ x, y, label }: Point): Point {
  return { x, y, label: label > 0 ? -1 : 1 };
}

define("ntkit-machines", NtkitMachines);
