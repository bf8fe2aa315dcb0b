// The plane of the demo: the surface on a canvas, and over it contours, certified balls and points that can be placed,
// dragged, and moved by keys. It draws what it is given and says what the visitor does. Not here: what the numbers are.
import { h, svg } from "../shared/dom.js";
import { contourPath, type Grid } from "./contour.js";
import { nearest, type Point, pointAt, RANGE } from "./points.js";
import { paintSurface } from "./surface.js";

/** A ball to draw: half a side, or a radius. */
export interface Ball {
  readonly x: number;
  readonly y: number;
  /** Null: not asked for, or not known. */
  readonly square: number | null;
  readonly disc: number | null;
  readonly interval: number | null;
  /** Whether the decision that is proved is also the label's. */
  readonly right: boolean;
}

export interface PlaneEvents {
  /** A click or tap where no point is. */
  readonly place: (x: number, y: number) => void;
  /** A point is being moved, by drag or by keys. */
  readonly move: (index: number, x: number, y: number) => void;
  readonly flip: (index: number) => void;
  readonly remove: (index: number) => void;
  /** A point got the focus, or none has it. */
  readonly select: (index: number | undefined) => void;
  /** The mouse is over this place, or left. */
  readonly hover: (place: { readonly x: number; readonly y: number } | undefined) => void;
}

/** Pixels within which a press means the point: of a mouse, and of a finger. */
const REACH = { mouse: 12, touch: 22 };

/** How far an arrow key moves a point, and with shift. */
const STEP = 0.02;
const BIG_STEP = 0.1;

const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};

export class Plane {
  readonly element: HTMLElement;
  private readonly canvas = h("canvas", { width: 1, height: 1, "aria-hidden": "true" });
  private readonly lines = {
    zero: svg("path", { class: "zero", id: "zero" }),
    margin: svg("path", { class: "margin" }),
  };
  private readonly balls = svg("g", { class: "balls" });
  private readonly probe = svg("g", { class: "balls probe" });
  private readonly marks = svg("g", { role: "group", "aria-label": "Points" });
  private readonly picture: SVGSVGElement;
  private points: readonly Point[] = [];
  private labels: readonly string[] = [];
  private weights: Float64Array | undefined;
  private selected: number | undefined;
  private dragged: { readonly index: number; readonly pointer: number } | undefined;
  /** The points, or undefined, that the last two presses meant, and where the last one was. */
  private presses: readonly (number | undefined)[] = [];
  private pressedAt: readonly [number, number] | undefined;

  constructor(private readonly events: PlaneEvents) {
    const side = 2 * RANGE;
    this.picture = svg(
      "svg",
      { viewBox: `${-RANGE} ${-RANGE} ${side} ${side}` },
      svg("title", {}, "The plane with its points"),
      this.lines.margin,
      this.lines.zero,
      this.balls,
      this.probe,
      this.marks,
    );
    this.element = h("div", { class: "plane" }, this.canvas, this.picture);
    this.listen();
    new ResizeObserver(() => this.place()).observe(this.element);
  }

  /** Units of the plane in one pixel. */
  private get unit(): number {
    return (2 * RANGE) / Math.max(1, this.element.clientWidth);
  }

  private listen(): void {
    const { picture, marks } = this;
    picture.addEventListener("pointerdown", (event) => this.press(event));
    picture.addEventListener("pointermove", (event) => this.drag(event));
    picture.addEventListener("pointerup", (event) => this.release(event));
    picture.addEventListener("pointercancel", () => {
      this.dragged = undefined;
      this.pressedAt = undefined;
    });
    // A finger on a point moves the point; anywhere else it scrolls the page.
    const hold = (event: TouchEvent) => this.dragged !== undefined && event.preventDefault();
    picture.addEventListener("touchstart", hold, { passive: false });
    picture.addEventListener("pointerleave", () => this.events.hover(undefined));
    picture.addEventListener("dblclick", () => {
      // Both presses have to mean the same point: the first of them may just have placed it.
      const [first, second] = this.presses;
      if (first !== undefined && first === second) this.events.flip(first);
    });
    picture.addEventListener("keydown", (event) => this.key(event));
    // A selection outlives the focus, so that the buttons beside the plane know what they are about.
    marks.addEventListener("focusin", (event) => this.select(this.indexOf(event.target)));
  }

  private indexOf(target: EventTarget | null): number | undefined {
    const index = [...this.marks.children].indexOf(target as Element);
    return index < 0 ? undefined : index;
  }

  /** Marks a point as the one that buttons are about; undefined for none. */
  select(index: number | undefined): void {
    this.selected = index;
    this.events.select(index);
    [...this.marks.children].forEach((mark, k) => {
      mark.classList.toggle("selected", k === index);
      if (index !== undefined) mark.setAttribute("tabindex", k === index ? "0" : "-1");
    });
  }

  private at(event: MouseEvent): readonly [number, number] {
    const box = this.element.getBoundingClientRect();
    const scale = (2 * RANGE) / box.width;
    return [(event.clientX - box.left) * scale - RANGE, RANGE - (event.clientY - box.top) * scale];
  }

  private hit(event: MouseEvent): number | undefined {
    const touch = event instanceof PointerEvent && event.pointerType === "touch";
    return nearest(this.points, ...this.at(event), this.unit * (touch ? REACH.touch : REACH.mouse));
  }

  private press(event: PointerEvent): void {
    if (event.button !== 0 || this.dragged !== undefined) return;
    const index = this.hit(event);
    this.presses = [this.presses[1], index];
    this.pressedAt = index === undefined ? [event.clientX, event.clientY] : undefined;
    if (index === undefined) return;
    // The mark under the pointer need not be the nearest one: the focus is given below.
    event.preventDefault();
    this.dragged = { index, pointer: event.pointerId };
    this.picture.setPointerCapture(event.pointerId);
    this.focus(index);
  }

  private drag(event: PointerEvent): void {
    const { dragged } = this;
    if (dragged === undefined) {
      const [x, y] = this.at(event);
      if (event.pointerType === "mouse") this.events.hover({ x, y });
      return;
    }
    if (event.pointerId !== dragged.pointer) return;
    this.events.move(dragged.index, ...this.at(event));
  }

  private release(event: PointerEvent): void {
    const { pressedAt } = this;
    this.dragged = undefined;
    this.pressedAt = undefined;
    if (pressedAt === undefined || event.button !== 0) return;
    const moved = Math.hypot(event.clientX - pressedAt[0], event.clientY - pressedAt[1]);
    if (moved < REACH.mouse) this.events.place(...this.at(event));
  }

  private key(event: KeyboardEvent): void {
    const index = this.indexOf(event.target);
    const point = index === undefined ? undefined : this.points[index];
    if (index === undefined || point === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    const last = this.points.length - 1;
    if (arrow !== undefined) {
      const step = event.shiftKey ? BIG_STEP : STEP;
      this.events.move(index, point.x + step * arrow[0], point.y + step * arrow[1]);
    } else if (event.key === "Delete" || event.key === "Backspace") this.events.remove(index);
    else if (event.key === "Enter" || event.key === " " || event.key === "f") this.events.flip(index);
    else if (event.key === "PageDown") this.focus(index === last ? 0 : index + 1);
    else if (event.key === "PageUp") this.focus(index === 0 ? last : index - 1);
    else if (event.key === "Escape") this.select(undefined);
    else if (event.key === "Home") this.focus(0);
    else if (event.key === "End") this.focus(last);
    else return;
    event.preventDefault();
  }

  /** Gives point `index` the focus. */
  focus(index: number): void {
    (this.marks.children[index] as SVGElement | undefined)?.focus({ preventScroll: true });
  }

  /** Draws the points; marks are kept where their number allows, so that a focus stays. */
  showPoints(points: readonly Point[], labels: readonly string[], weights: Float64Array | undefined): void {
    this.points = points;
    this.labels = labels;
    this.weights = weights;
    while (this.marks.children.length > points.length) this.marks.lastElementChild?.remove();
    while (this.marks.children.length < points.length) this.marks.append(newMark());
    const stop = this.selected !== undefined && this.selected < points.length ? this.selected : 0;
    [...this.marks.children].forEach((mark, k) => {
      mark.setAttribute("tabindex", k === stop ? "0" : "-1");
    });
    this.place();
  }

  /** Puts everything that has a size in pixels in its place. */
  private place(): void {
    const { unit, points } = this;
    // Smaller on a phone, where all of them share a third of the room.
    const size = unit * (this.element.clientWidth < 480 ? 0.75 : 1);
    const most = this.weights?.reduce((largest, weight) => Math.max(largest, Math.abs(weight)), 0) ?? 0;
    [...this.marks.children].forEach((mark, k) => {
      const { x, y, label } = points[k] ?? pointAt(0, 0, 1);
      mark.setAttribute("transform", `translate(${x} ${-y}) scale(${size})`);
      mark.setAttribute("aria-label", this.labels[k] ?? "");
      mark.classList.toggle("plus", label > 0);
      const weight = Math.abs(this.weights?.[k] ?? 0);
      const ring = mark.children[2];
      ring?.setAttribute("stroke-width", weight > 0 ? String(1 + (2.5 * weight) / most) : "0");
    });
  }

  /** The surface and its contours at 0 and at -1 and 1; `values` as in work.ts. */
  showSurface(values: Float64Array | undefined, size: number): void {
    paintSurface(this.canvas, values, size, this.element);
    const step = (2 * RANGE) / size;
    const grid: Grid = { size, x0: 0.5 * step - RANGE, y0: 0.5 * step - RANGE, step };
    const line = (level: number) => (values === undefined ? "" : contourPath(values, level, grid));
    this.lines.zero.setAttribute("d", line(0));
    this.lines.margin.setAttribute("d", line(1) + line(-1));
  }

  /** The contour at 0 as a path. */
  get contour(): string {
    return this.lines.zero.getAttribute("d") ?? "";
  }

  showBalls(balls: readonly Ball[]): void {
    this.balls.replaceChildren(...balls.flatMap(ballShapes));
  }

  /** The ball around the mouse. */
  showProbe(ball: Ball | undefined): void {
    const cross = ball === undefined ? [] : [crossAt(ball.x, ball.y, this.unit)];
    this.probe.replaceChildren(...(ball === undefined ? [] : ballShapes(ball)), ...cross);
  }
}

function newMark(): SVGElement {
  return svg(
    "g",
    { class: "point", role: "button", tabindex: "-1" },
    svg("circle", { class: "finger", r: 22 }),
    svg("circle", { class: "halo", r: 15 }),
    svg("circle", { class: "ring", r: 11 }),
    svg("circle", { class: "round", r: 7.5 }),
    svg("rect", { class: "square", x: -7, y: -7, width: 14, height: 14, rx: 2 }),
    svg("path", { class: "sign", d: "M-4 0H4" }),
    svg("path", { class: "sign upright", d: "M0 -4V4" }),
  );
}

/** The shapes of a ball, largest first. */
export function ballShapes({ x, y, square, disc, interval, right }: Ball): SVGElement[] {
  const box = (half: number, kind: string) =>
    svg("rect", { class: kind, x: x - half, y: -y - half, width: 2 * half, height: 2 * half });
  const kind = right ? "" : " wrong";
  const shapes: SVGElement[] = [];
  if (square !== null && square > 0) shapes.push(box(square, `best${kind}`));
  if (disc !== null && disc > 0) shapes.push(svg("circle", { class: `disc${kind}`, cx: x, cy: -y, r: disc }));
  if (interval !== null && interval > 0) shapes.push(box(interval, `paper${kind}`));
  return shapes;
}

function crossAt(x: number, y: number, unit: number): SVGElement {
  return svg("path", { class: "cross", d: "M-5 0H5M0 -5V5", transform: `translate(${x} ${-y}) scale(${unit})` });
}
