// Exact extrema of ReLU networks of two inputs on a rectangle: it is cut along the kinks of every neuron, layer by layer,
// into polygons on which the network is linear, so its extrema are at their corners. Not here: bounds.
import { layerScales, type NetworkSpec } from "../../sdk/networks/network.js";
import { type PlainWeights, plainOutputs } from "./reference.js";

type Point = readonly [number, number];
/** Convex, its corners in order. */
export type Polygon = readonly Point[];
/** (x, y) -> a x + b y + c. */
type Form = readonly [number, number, number];

const at = ([a, b, c]: Form, [x, y]: Point) => a * x + b * y + c;

/** The parts of a polygon on which a form is >= 0 and <= 0; a form of one sign leaves the polygon whole, in one of them. */
function cut(polygon: Polygon, form: Form): [Polygon, Polygon] {
  const values = polygon.map((point) => at(form, point));
  if (values.every((value) => value <= 0)) return [[], polygon];
  if (values.every((value) => value >= 0)) return [polygon, []];
  const above: Point[] = [];
  const below: Point[] = [];
  polygon.forEach((point, k) => {
    const next = polygon[(k + 1) % polygon.length] ?? point;
    const [here, there] = [at(form, point), at(form, next)];
    if (here >= 0) above.push(point);
    if (here <= 0) below.push(point);
    if (!(here * there < 0)) return;
    const share = here / (here - there);
    const kink: Point = [point[0] + share * (next[0] - point[0]), point[1] + share * (next[1] - point[1])];
    above.push(kink);
    below.push(kink);
  });
  return [above, below];
}

/** Polygons that cover `polygon`, the network linear on each. */
export function linearRegions(spec: NetworkSpec, weights: PlainWeights, polygon: Polygon): Polygon[] {
  const scales = layerScales(spec, 2);
  const start: readonly Form[] = [
    [1, 0, 0],
    [0, 1, 0],
  ];
  let parts: { polygon: Polygon; values: readonly Form[] }[] = [{ polygon, values: start }];
  spec.widths.forEach((width, l) => {
    for (let j = 0; j < width; j++) {
      parts = parts.flatMap((part) => {
        const before = part.values.slice(0, l === 0 ? 2 : spec.widths[l - 1]);
        const sum = (c: 0 | 1 | 2) =>
          before.reduce((total, form, k) => total + form[c] * (weights.hidden[l]?.[k * width + j] ?? 0), 0);
        const form: Form = [0, 1, 2].map((c) => (scales[l] ?? 1) * sum(c as 0 | 1 | 2)) as unknown as Form;
        const [on, off] = cut(part.polygon, form);
        const outcomes: [Polygon, Form][] = [
          [on, form],
          [off, [0, 0, 0]],
        ];
        return outcomes
          .filter(([corners]) => corners.length > 0)
          .map(([corners, value]) => ({ polygon: corners, values: [...part.values, value] }));
      });
    }
    // The layer before has done its work.
    const done = l === 0 ? 2 : (spec.widths[l - 1] ?? 0);
    parts = parts.map((part) => ({ polygon: part.polygon, values: part.values.slice(done) }));
  });
  return parts.map((part) => part.polygon);
}

/** Outputs of a network at points of the plane, float64. */
export function outputsAt(spec: NetworkSpec, weights: PlainWeights, points: readonly Point[]): Float64Array {
  return plainOutputs(spec, { n: points.length, d: 2, x: Float64Array.from(points.flat()), scale: 1 }, weights);
}

/** Least and largest value of f, or of f - centre, on the square of half-width `radius` around `middle`. */
export function extrema(
  spec: NetworkSpec,
  weights: PlainWeights,
  centre: PlainWeights | undefined,
  [x, y]: Point,
  radius: number,
): { lower: number; upper: number } {
  const square: Polygon = [
    [x - radius, y - radius],
    [x + radius, y - radius],
    [x + radius, y + radius],
    [x - radius, y + radius],
  ];
  const regions = linearRegions(spec, weights, square);
  const corners = (
    centre === undefined ? regions : regions.flatMap((region) => linearRegions(spec, centre, region))
  ).flat();
  const own = outputsAt(spec, weights, corners);
  const other = centre === undefined ? new Float64Array(own.length) : outputsAt(spec, centre, corners);
  const values = own.map((value, k) => value - (other[k] ?? 0));
  return { lower: Math.min(...values), upper: Math.max(...values) };
}
