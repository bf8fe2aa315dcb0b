// The points of the demo: a list that is replaced and never changed, and its form in an address. Not here: machines on
// them (work.ts) and the plane they stand in (plane.ts).

/** One point; coordinates are thousandths, so that an address gives back exactly what was seen. */
export interface Point {
  readonly x: number;
  readonly y: number;
  readonly label: 1 | -1;
}

/** Half the side of the plane that is shown. */
export const RANGE = 1.25;

/** Most points: beyond these a drag no longer feels immediate. */
export const MOST_POINTS = 150;

/** The nearest thousandth inside the plane. */
function rounded(value: number): number {
  // Plus 0, so that there is one zero.
  return Math.round(1000 * Math.min(RANGE, Math.max(-RANGE, value))) / 1000 + 0;
}

export function pointAt(x: number, y: number, label: 1 | -1): Point {
  return { x: rounded(x), y: rounded(y), label };
}

/** "p-420.350_m12.-88": label, thousandths of x and y, one point after another. */
export function encodePoints(points: readonly Point[]): string {
  const text = (value: number) => String(Math.round(1000 * value));
  return points.map(({ x, y, label }) => `${label > 0 ? "p" : "m"}${text(x)}.${text(y)}`).join("_");
}

/** The points of such a text; what is no point is left out. */
export function decodePoints(text: string): Point[] {
  const points = text.split("_").flatMap((part) => {
    const found = /^([pm])(-?\d{1,4})\.(-?\d{1,4})$/.exec(part);
    if (found === null) return [];
    return [pointAt(Number(found[2]) / 1000, Number(found[3]) / 1000, found[1] === "p" ? 1 : -1)];
  });
  return points.slice(0, MOST_POINTS);
}

/** Points from arrays as the SDK's data sets hold them. */
export function pointsFrom(x: ArrayLike<number>, y: ArrayLike<number>): Point[] {
  return Array.from(y, (label, i) => pointAt(x[2 * i] ?? 0, x[2 * i + 1] ?? 0, label > 0 ? 1 : -1));
}

/** The reverse. */
export function arraysOf(points: readonly Point[]): { x: Float64Array; y: Float64Array } {
  return {
    x: Float64Array.from(points.flatMap(({ x, y }) => [x, y])),
    y: Float64Array.from(points, ({ label }) => label),
  };
}

/** The list with point `index` replaced. */
export function withPoint(points: readonly Point[], index: number, point: Point): Point[] {
  return points.map((own, k) => (k === index ? point : own));
}

/** The nearest point within `reach` of a place, or undefined. */
export function nearest(points: readonly Point[], x: number, y: number, reach: number): number | undefined {
  let best: number | undefined;
  let least = reach * reach;
  points.forEach((point, k) => {
    const square = (point.x - x) ** 2 + (point.y - y) ** 2;
    if (square > least) return;
    least = square;
    best = k;
  });
  return best;
}
