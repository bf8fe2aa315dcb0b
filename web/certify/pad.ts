// A pad to draw on, by mouse, pen or finger: strokes of points, kept so that an address can hold them. Not here: what a
// drawing means (work.ts).
import { h } from "../shared/dom.js";

/** Points of one stroke in hundredths of the pad's side. */
type Stroke = [x: number, y: number][];

/** Pixels of the pad's side, in the picture that is judged. */
const SIDE = 280;

/** Width of the pen in hundredths: about two pixels of MNIST's for a digit that fills the pad. */
const PEN = 8.5;

/** Most characters of strokes in an address. */
const LONGEST = 6000;

export interface PadEvents {
  /** The drawing changed and goes on. */
  readonly onMove: () => void;
  /** A stroke ended, or the pad was cleared. */
  readonly onEnd: () => void;
}

/** "12,30 13,31;40,8": strokes apart by ";", points by " ". Anything else is left out. */
export function parseStrokes(text: string): Stroke[] {
  if (text.length > LONGEST) return [];
  const strokes = text.split(";").map((stroke) =>
    stroke.split(" ").flatMap((point): Stroke => {
      const [, x, y] = /^(\d{1,3}),(\d{1,3})$/.exec(point) ?? [];
      return x === undefined || y === undefined || Number(x) > 100 || Number(y) > 100 ? [] : [[Number(x), Number(y)]];
    }),
  );
  return strokes.filter((stroke) => stroke.length > 0);
}

export class Pad {
  readonly canvas = h("canvas", {
    class: "pad",
    width: SIDE,
    height: SIDE,
    role: "img",
    "aria-label": "Drawing pad for mouse, pen or finger. With a keyboard, pick one of the test images instead.",
  });
  private readonly hidden = h("canvas", { width: SIDE, height: SIDE });
  private strokes: Stroke[] = [];
  private pointer: number | undefined;

  constructor(private readonly events: PadEvents) {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => this.begin(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"] as const)
      canvas.addEventListener(name, (event) => this.end(event));
    this.paint();
  }

  /** The strokes as text; undefined for an empty pad. */
  get text(): string | undefined {
    const text = this.strokes.map((stroke) => stroke.map(([x, y]) => `${x},${y}`).join(" ")).join(";");
    return text === "" ? undefined : text.slice(0, LONGEST);
  }

  get empty(): boolean {
    return this.strokes.length === 0;
  }

  load(text: string): void {
    this.strokes = parseStrokes(text);
    this.paint();
  }

  clear(): void {
    this.strokes = [];
    this.paint();
  }

  undo(): void {
    this.strokes.pop();
    this.paint();
  }

  /** Pixels of the drawing, white on black. */
  pixels(): ImageData {
    const context = this.hidden.getContext("2d", { willReadFrequently: true })!;
    this.draw(context, "#000", "#fff");
    return context.getImageData(0, 0, SIDE, SIDE);
  }

  private at(event: PointerEvent): [number, number] {
    const box = this.canvas.getBoundingClientRect();
    const share = (value: number, side: number) => Math.min(100, Math.max(0, Math.round((100 * value) / side)));
    return [share(event.clientX - box.left, box.width), share(event.clientY - box.top, box.height)];
  }

  private begin(event: PointerEvent): void {
    if (this.pointer !== undefined || event.button !== 0) return;
    event.preventDefault();
    this.pointer = event.pointerId;
    this.canvas.setPointerCapture(event.pointerId);
    this.strokes.push([this.at(event)]);
    this.paint();
    this.events.onMove();
  }

  private move(event: PointerEvent): void {
    const stroke = this.strokes.at(-1);
    if (event.pointerId !== this.pointer || stroke === undefined) return;
    const [x, y] = this.at(event);
    const last = stroke.at(-1);
    if (last !== undefined && last[0] === x && last[1] === y) return;
    stroke.push([x, y]);
    this.paint();
    this.events.onMove();
  }

  private end(event: PointerEvent): void {
    if (event.pointerId !== this.pointer) return;
    this.pointer = undefined;
    this.events.onEnd();
  }

  /** Draws the strokes in the colours of MNIST, on screen as in the picture that is judged. */
  private paint(): void {
    const context = this.canvas.getContext("2d");
    if (context === null) return;
    this.draw(context, "#000", "#fff");
    if (this.strokes.length > 0) return;
    context.fillStyle = "#9aa3ad";
    context.font = "20px system-ui, sans-serif";
    context.textAlign = "center";
    context.fillText("Draw a 0 or a 1", SIDE / 2, SIDE / 2 + 7);
  }

  private draw(context: CanvasRenderingContext2D, ground: string, ink: string): void {
    const unit = SIDE / 100;
    context.fillStyle = ground;
    context.fillRect(0, 0, SIDE, SIDE);
    context.strokeStyle = ink;
    context.lineWidth = PEN * unit;
    context.lineCap = "round";
    context.lineJoin = "round";
    for (const stroke of this.strokes) {
      const [first = [0, 0], ...rest] = stroke;
      context.beginPath();
      context.moveTo(first[0] * unit, first[1] * unit);
      // A dot is a line of no length, which some engines leave out.
      if (rest.length === 0) context.lineTo(first[0] * unit + 0.01, first[1] * unit);
      for (const [x, y] of rest) context.lineTo(x * unit, y * unit);
      context.stroke();
    }
  }
}
