// Checks of arguments at the public boundary, so that a bad value fails here with the argument's name and never
// reaches the core. Not here: checks of file contents (each format's own file).

/** A short picture of any value for an error message. */
export function describe(value: unknown): string {
  if (typeof value === "string") return value.length > 40 ? `"${value.slice(0, 37)}..."` : `"${value}"`;
  if (Array.isArray(value)) return `an array of length ${value.length}`;
  if (typeof value === "object" && value !== null) return `a ${value.constructor?.name ?? "object"}`;
  if (typeof value === "function") return "a function";
  return String(value);
}

export interface NumberRange {
  readonly min?: number;
  readonly max?: number;
  /** Whether `min` itself is refused. */
  readonly open?: boolean;
  readonly integer?: boolean;
}

function expectation({ min, max, open, integer }: NumberRange): string {
  const kind = integer ? "an integer" : "a finite number";
  const low = min === undefined ? "" : ` ${open ? ">" : ">="} ${min}`;
  const high = max === undefined ? "" : `${low ? " and" : ""} <= ${max}`;
  return kind + low + high;
}

/** Returns `value` when it is a number in the range; throws TypeError or RangeError naming the argument otherwise. */
export function checkNumber(name: string, value: unknown, range: NumberRange = {}): number {
  const expected = expectation(range);
  if (typeof value !== "number") throw new TypeError(`${name}: expected ${expected}, got ${describe(value)}`);
  const { min = -Infinity, max = Infinity, open = false, integer = false } = range;
  const inside = Number.isFinite(value) && value <= max && (open ? value > min : value >= min);
  if (!inside || (integer && !Number.isSafeInteger(value)))
    throw new RangeError(`${name}: expected ${expected}, got ${value}`);
  return value;
}

/** Returns `value` when it is one of `choices`. */
export function checkChoice<T extends string>(name: string, value: unknown, choices: readonly T[]): T {
  const expected = choices.map((choice) => `"${choice}"`).join(" | ");
  if (typeof value !== "string") throw new TypeError(`${name}: expected ${expected}, got ${describe(value)}`);
  if (!(choices as readonly string[]).includes(value))
    throw new RangeError(`${name}: expected ${expected}, got ${describe(value)}`);
  return value as T;
}

/** Returns `value` when it is an object (not null, not an array). */
export function checkObject(name: string, value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new TypeError(`${name}: expected an object, got ${describe(value)}`);
  return value as Record<string, unknown>;
}
