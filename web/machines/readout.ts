// What is known around one point, in words and under a magnifying glass: the certified balls beside the line that they
// must not cross. Not here: the balls (work.ts) and the plane (plane.ts).
import { h, svg } from "../shared/dom.js";
import { type Ball, ballShapes } from "./plane.js";
import { RANGE } from "./points.js";

/** A radius rounded down, so that what is shown is proved too. */
export function radiusText(radius: number): string {
  if (radius <= 0) return "0";
  const digits = Math.max(0, Math.min(6, 2 - Math.floor(Math.log10(radius))));
  return (Math.floor(radius * 10 ** digits) / 10 ** digits).toFixed(digits);
}

/** Everything that the page knows around a place. */
export interface Around {
  readonly name: string;
  readonly decision: number;
  readonly ball: Ball;
}

function sentence({ decision, ball }: Around): string {
  const { square, disc, interval, right } = ball;
  const sign = decision > 0 ? "+" : "−";
  const verdict = right ? `decided ${sign}` : `decided ${sign}, against its label`;
  if (square === null || disc === null) return `${verdict}; proved up to ±${radiusText(interval ?? 0)} in x and y`;
  return `${verdict}; proved up to ±${radiusText(square)} in x and y, and at any place within ${radiusText(disc)}`;
}

/** One line for screen readers. */
export function describeAround(around: Around): string {
  return `${around.name}: ${sentence(around)}`;
}

export class Readout {
  private readonly name = h("h3", {}, "Around a point");
  private readonly text = h("p", { class: "small" });
  private readonly figures = h("dl", { class: "figures figure" });
  private readonly shapes = svg("g");
  private readonly line = svg("path", { class: "zero" });
  private readonly glass = svg("svg", { class: "glass", "aria-hidden": "true" }, this.line, this.shapes);
  readonly element = h(
    "section",
    { class: "panel readout" },
    h("div", {}, this.name, this.text, this.figures),
    this.glass,
  );

  constructor() {
    this.show(undefined, "");
  }

  /** Shows a place, beside the contour at 0 as a path. */
  show(around: Around | undefined, contour: string): void {
    this.glass.toggleAttribute("hidden", around === undefined);
    if (around === undefined) {
      this.name.textContent = "Around a point";
      this.text.textContent = "Move the pointer over the plane, or select a point, to see what is proved around it.";
      this.figures.replaceChildren();
      return;
    }
    const { ball, name, decision } = around;
    this.name.textContent = name;
    this.text.textContent = `${sentence(around)}.`;
    const rows: (readonly [string, string])[] = [["g", decision.toFixed(3)]];
    if (ball.square !== null) rows.push(["square, ours", `±${radiusText(ball.square)}`]);
    if (ball.disc !== null) rows.push(["disc, ours", radiusText(ball.disc)]);
    if (ball.interval !== null) rows.push(["square, paper", `±${radiusText(ball.interval)}`]);
    if (ball.square !== null && ball.interval !== null && ball.interval > 0)
      rows.push([
        "ours / paper",
        `${(ball.square / ball.interval).toFixed(ball.square < 10 * ball.interval ? 1 : 0)}×`,
      ]);
    this.figures.replaceChildren(...rows.flatMap(([term, value]) => [h("dt", {}, term), h("dd", {}, value)]));
    this.magnify(ball, contour);
  }

  private magnify(ball: Ball, contour: string): void {
    const largest = Math.max(ball.square ?? 0, ball.disc ?? 0, ball.interval ?? 0);
    const half = Math.min(RANGE, 1.35 * largest || 0.05);
    this.glass.setAttribute("viewBox", `${ball.x - half} ${-ball.y - half} ${2 * half} ${2 * half}`);
    this.line.setAttribute("d", contour);
    const centre = svg("circle", { class: "centre", cx: ball.x, cy: -ball.y, r: 0.02 * half });
    this.shapes.replaceChildren(...ballShapes(ball), centre);
  }
}
