// Options of the commands: how each is written, and what it accepts. A bad value throws a UsageError that names the flag,
// what was expected and what came. Not here: what the values do (each command's file).
import { type Command, Option } from "commander";
import type { CertifyOptions, Shard } from "ntkit";
import { UsageError } from "./errors.js";

/** What every command takes. */
export interface CommonOptions {
  readonly threads?: number;
  readonly memory?: number;
  readonly quiet?: boolean;
  readonly json?: string;
  readonly debug?: boolean;
}

export type Samples = NonNullable<CertifyOptions["samples"]>;

export interface Range {
  readonly min?: number;
  readonly max?: number;
  readonly integer?: boolean;
}

function refuse(flag: string, expected: string, text: string): never {
  throw new UsageError(`${flag}: expected ${expected}, got "${text}"`);
}

function expectation({ min, max, integer }: Range): string {
  const kind = integer ? "an integer" : "a number";
  const low = min === undefined ? "" : ` >= ${min}`;
  const high = max === undefined ? "" : `${low === "" ? "" : " and"} <= ${max}`;
  return kind + low + high;
}

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** The number a text stands for, or NaN: decimal notation only, nothing before or after it. */
function numberOf(text: string): number {
  return DECIMAL.test(text.trim()) ? Number(text) : Number.NaN;
}

export function parseNumber(flag: string, text: string, range: Range = {}): number {
  const value = numberOf(text);
  const { min = -Infinity, max = Infinity, integer = false } = range;
  const inside = Number.isFinite(value) && value >= min && value <= max;
  if (!inside || (integer && !Number.isSafeInteger(value))) refuse(flag, expectation(range), text);
  return value;
}

/** "0,1,1000": at least one number, in a list. */
export function parseNumbers(flag: string, text: string): number[] {
  const values = text.split(",").map(numberOf);
  if (!values.every((value) => Number.isFinite(value) && value >= 0)) refuse(flag, 'numbers >= 0, as "0,1,1000"', text);
  return values;
}

/** "all", "100" (the first 100) or "random:100". */
export function parseSamples(flag: string, text: string): Samples {
  if (text === "all") return "all";
  const [, random, digits = ""] = /^(random:)?(\d+)$/.exec(text) ?? [];
  const count = Number(digits);
  if (!(Number.isSafeInteger(count) && count >= 1)) refuse(flag, '"all", a number N >= 1 or "random:N"', text);
  return random === undefined ? count : { random: count };
}

/** "0,0.3": the radii between which is searched. */
export function parseBracket(flag: string, text: string): readonly [number, number] {
  const [low = Number.NaN, high = Number.NaN, ...rest] = text.split(",").map(numberOf);
  if (rest.length > 0 || !(low >= 0 && low < high && high < Infinity))
    refuse(flag, 'two radii with 0 <= low < high, as "0,0.3"', text);
  return [low, high];
}

/** "0/16": one of 16 parts, counted from 0. */
export function parseShard(flag: string, text: string): Shard {
  const [, index = Number.NaN, count = Number.NaN] = /^(\d+)\/(\d+)$/.exec(text)?.map(Number) ?? [];
  if (!(index < count && Number.isSafeInteger(count))) refuse(flag, 'i/n with 0 <= i < n, as "0/16"', text);
  return { index, count };
}

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

/** Bytes: "4GiB", "512MiB", "2GB", "800000000". */
export function parseMemory(flag: string, text: string): number {
  const [, amount = "", unit = ""] = /^([\d.]+)\s*([a-z]*)$/i.exec(text.trim()) ?? [];
  const bytes = Math.floor(numberOf(amount) * (UNITS[unit.toLowerCase()] ?? Number.NaN));
  if (!(bytes >= 8 * 2 ** 20 && bytes <= 4 * 2 ** 30))
    refuse(flag, 'bytes from 8MiB to 4GiB, as "512MiB", "2GB" or a plain number', text);
  return bytes;
}

/** A data source's text. Only its form is looked at here; the SDK's loadDataset() reads it. */
export function parseData(flag: string, text: string): string {
  const expected = '"mnist:a,b" or "folder:a,b" with two different digits, "file.npz" or "x.npy,y.npy"';
  if (text.trim() === "") refuse(flag, expected, text);
  if (text.endsWith(".npz")) return text;
  if (text.endsWith(".npy")) return /.\.npy,.+\.npy$/.test(text) ? text : refuse(flag, expected, text);
  const digits = /^.*?:([\d\s,.-]*)$/.exec(text)?.[1];
  if (digits === undefined) return text;
  const [a, b, ...rest] = digits.split(",").map((part) => (/^\s*\d\s*$/.test(part) ? Number(part) : undefined));
  if (a === undefined || b === undefined || a === b || rest.length > 0) refuse(flag, expected, text);
  return text;
}

/** The same where several classes or real targets serve too: "mnist:0-9" and "mnist:0,1,7" as well. */
export function parseAnyData(flag: string, text: string): string {
  const digits = /^.*?:([\d\s,-]*)$/.exec(text)?.[1];
  if (digits === undefined || text.endsWith(".npz") || text.endsWith(".npy")) return parseData(flag, text);
  const parts = digits.split(",").map((part) => /^\s*(\d)\s*(?:-\s*(\d)\s*)?$/.exec(part));
  const list = parts.flatMap((part) => {
    const [low, high] = [Number(part?.[1] ?? Number.NaN), Number(part?.[2] ?? part?.[1] ?? Number.NaN)];
    return low <= high ? Array.from({ length: high - low + 1 }, (_, k) => low + k) : [Number.NaN];
  });
  if (list.some(Number.isNaN) || list.length < 2 || new Set(list).size < list.length)
    refuse(
      flag,
      '"mnist:a,b,...", "mnist:0-9" or "folder:..." with different digits, "file.npz" or "x.npy,y.npy"',
      text,
    );
  return text;
}

/** An option whose value goes through `parse` with the flag's name. */
export function valueOption<T>(flags: string, description: string, parse: (flag: string, text: string) => T): Option {
  const option = new Option(flags, description);
  return option.argParser((text: string) => {
    const flag = option.long ?? flags;
    // "--json --quiet" has forgotten the file.
    return text.startsWith("--") ? refuse(flag, "a value", text) : parse(flag, text);
  });
}

/** An option that names a file or folder to write or read; "-" is one only where `standard` says so. */
export function pathOption(flags: string, description: string, standard = false): Option {
  return valueOption(flags, description, (flag, text) =>
    text === "" || (text === "-" && !standard) ? refuse(flag, "the path of a file", text) : text,
  );
}

export function numberOption(flags: string, description: string, range?: Range): Option {
  return valueOption(flags, description, (flag, text) => parseNumber(flag, text, range));
}

/** `--flag <a|b>`. */
export function choiceOption(flag: string, description: string, choices: readonly string[]): Option {
  const expected = choices.map((choice) => `"${choice}"`).join(" | ");
  const parse = (_: string, text: string) => (choices.includes(text) ? text : refuse(flag, expected, text));
  return valueOption(`${flag} <${choices.join("|")}>`, description, parse);
}

export const dataOption = () =>
  valueOption("--data <source>", "mnist:a,b, folder:a,b of IDX files, file.npz, or x.npy,y.npy", parseData);

export const anyDataOption = () =>
  valueOption(
    "--data <source>",
    "mnist:a,b,... or mnist:0-9, folder:a,b of IDX files, file.npz, or x.npy,y.npy; y of several integers are classes, " +
      "of real numbers targets",
    parseAnyData,
  );

export const samplesOption = () =>
  valueOption("--samples <which>", "all, the first N, or random:N (default: all)", parseSamples);

export const seedOption = (what: string) =>
  numberOption("--seed <integer>", `seed of ${what} (default: 0)`, { min: 0, integer: true });

/** Adds what every command takes, and examples below the help. */
export function finish(command: Command, examples: readonly string[]): Command {
  const memory = "memory budget: 512MiB, 2GB, bytes (default: 4GiB)";
  return command
    .addOption(
      numberOption("--threads <n>", "worker threads (default: the processors)", { min: 0, max: 64, integer: true }),
    )
    .addOption(valueOption("--memory <size>", memory, parseMemory))
    .addOption(pathOption("--json <file>", "write the result as JSON; - is standard output", true))
    .option("--quiet", "no tables, notes or progress")
    .option("--debug", "show the stack of an error")
    .addHelpText("after", `\nExamples:\n${examples.map((example) => `  $ ntkit ${example}`).join("\n")}`);
}

/** Flags whose names are not the SDK's own word in kebab case. */
const FLAGS: Readonly<Record<string, string>> = { learningRate: "--lr", lambdas: "--lambda" };

/** Runs `make`, whose arguments came from flags; what the SDK says of an argument is said of its flag. */
export function fromFlags<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
    const [, name, rest] = /^(\w+)(?:\[\d+\])?: (.*)$/s.exec(error.message) ?? [];
    if (name === undefined) throw error;
    const flag = FLAGS[name] ?? `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new UsageError(`${flag}: ${rest}`, { cause: error });
  }
}
