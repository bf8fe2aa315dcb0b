// Lines of equal height of a function on a grid, as an SVG path: marching squares with linear interpolation.
// Not here: the function (the SDK's decision function) and what is drawn around the lines.

/** Where the line crosses each edge of a cell: top, right, bottom, left. */
type Edge = 0 | 1 | 2 | 3;

/**
 * The edges that a line joins, for each set of corners above the level (bit 0 top left, 1 top right, 2 bottom right,
 * 3 bottom left). Opposite corners above (5 and 10) are kept apart.
 */
const SEGMENTS: readonly (readonly (readonly [Edge, Edge])[])[] = [
  [],
  [[3, 0]],
  [[0, 1]],
  [[3, 1]],
  [[1, 2]],
  [
    [3, 0],
    [1, 2],
  ],
  [[0, 2]],
  [[3, 2]],
  [[2, 3]],
  [[2, 0]],
  [
    [0, 1],
    [2, 3],
  ],
  [[2, 1]],
  [[1, 3]],
  [[1, 0]],
  [[0, 3]],
  [],
];

/** Places of grid values: value (row, column) stands at x = x0 + column * step, y = y0 + row * step. */
export interface Grid {
  readonly size: number;
  readonly x0: number;
  readonly y0: number;
  readonly step: number;
}

/** The path of `level` through size x size values, row after row; lines are pieces of one cell each. */
export function contourPath(values: Float64Array, level: number, { size, x0, y0, step }: Grid): string {
  const pieces: string[] = [];
  const at = (row: number, column: number) => (values[row * size + column] ?? Number.NaN) - level;
  const share = (a: number, b: number) => a / (a - b);
  const place = (x: number, y: number) => `${(x0 + x * step).toFixed(4)} ${(y0 + y * step).toFixed(4)}`;
  for (let row = 0; row + 1 < size; row++)
    for (let column = 0; column + 1 < size; column++) {
      const [a, b] = [at(row, column), at(row, column + 1)];
      const [d, c] = [at(row + 1, column), at(row + 1, column + 1)];
      const above = (a > 0 ? 1 : 0) | (b > 0 ? 2 : 0) | (c > 0 ? 4 : 0) | (d > 0 ? 8 : 0);
      if (above === 0 || above === 15) continue;
      const crossing = (edge: Edge) => {
        if (edge === 0) return place(column + share(a, b), row);
        if (edge === 1) return place(column + 1, row + share(b, c));
        if (edge === 2) return place(column + share(d, c), row + 1);
        return place(column, row + share(a, d));
      };
      for (const [from, to] of SEGMENTS[above] ?? []) pieces.push(`M${crossing(from)}L${crossing(to)}`);
    }
  return pieces.join("");
}
