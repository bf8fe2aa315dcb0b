// What charts are made of: series, and axes, that is where values go and which of them are written there.
// Not here: drawing (chart.ts).

export interface Axis {
  readonly label: string;
  readonly log?: boolean | undefined;
  /** Fixed ends; those of the points otherwise. */
  readonly range?: readonly [number, number] | undefined;
  /** Values that the axis reaches in any case, so that pictures can be compared. */
  readonly reach?: readonly number[] | undefined;
}

export interface Series {
  readonly name: string;
  /** Points in the order they are joined; what is not finite is left out. */
  readonly points: readonly (readonly [x: number, y: number])[];
  /** 1 to 6: the theme's series colours, each also with a dash of its own. */
  readonly colour: 1 | 2 | 3 | 4 | 5 | 6;
  /** Dots instead of a line. */
  readonly dots?: boolean | undefined;
  /** Whether the line is dashed, where pairs of one colour differ by that; by colour otherwise. */
  readonly dashed?: boolean | undefined;
  /** Behind the others, and not read out: what was there before. */
  readonly faint?: boolean | undefined;
}

const DASHES = ["", "7 3", "2 3", "9 3 2 3", "4 2", "12 4"];

export const strokeOf = ({ colour, dashed }: Series) => ({
  stroke: `var(--series-${colour})`,
  "stroke-dasharray": dashed === undefined ? DASHES[colour - 1] : dashed ? "5 4" : "",
});

/** Pixels of values: where a chart draws. */
export interface Plane {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Maps values to [0, 1]. */
export interface Scale {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

function linearTicks(low: number, high: number): number[] {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, k) => Number(((first + k) * step).toPrecision(12)));
}

function logTicks(low: number, high: number): number[] {
  const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  const decades = last - first + 1;
  if (decades >= 3) {
    const every = Math.ceil((decades - 1) / 5);
    return Array.from({ length: Math.ceil(decades / every) }, (_, k) => 10 ** (first + k * every));
  }
  // Few powers of ten: 2 and 5 times them as well; less than that, any round values.
  const ticks = Array.from({ length: decades + 2 }, (_, k) => 10 ** (first - 1 + k))
    .flatMap((power) => [1, 2, 5].map((factor) => Number((factor * power).toPrecision(3))))
    .filter((tick) => tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9));
  return ticks.length > 1 ? ticks : linearTicks(low, high).filter((tick) => tick > 0);
}

/** The scale of an axis for these values; what is not finite, or not positive where it is logarithmic, is left out. */
export function scaleOf({ log = false, range, reach = [] }: Axis, values: readonly number[]): Scale {
  const usable = [...values, ...reach].filter((value) => Number.isFinite(value) && (!log || value > 0));
  let low = range?.[0] ?? usable.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  let high = range?.[1] ?? usable.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  if (!(low <= high)) [low, high] = log ? [0.1, 1] : [0, 1];
  if (low === high) [low, high] = log ? [low / 2, high * 2] : [low - 0.5, high + 0.5];
  const place = log ? Math.log : (value: number) => value;
  const [from, to] = [place(low), place(high)];
  return {
    at: (value) => (place(value) - from) / (to - from),
    ticks: log ? logTicks(low, high) : linearTicks(low, high),
  };
}

/** A value in `digits` significant digits, short. */
export function numberText(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "–" : value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  const short = Number(value.toPrecision(digits));
  const text =
    size !== 0 && (size >= 1e6 || size < 1e-3)
      ? short.toExponential().replace("e+", "e")
      : short.toLocaleString("en-GB", { maximumSignificantDigits: digits });
  return text.replace("-", "−").replace("e-", "e−");
}
