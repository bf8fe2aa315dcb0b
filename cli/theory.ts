// ntkit theory: the paper's theorems as computations on data. Each writes JSON and SVG into a folder. Not here: the
// computations and their pictures (the SDK).
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { LOSSES, type Loss, type PathKernelStudy } from "ntkit";
import { theoryPathKernel, type Write } from "ntkit/plots";
import { UsageError } from "./errors.js";
import { readData } from "./inputs.js";
import {
  type CommonOptions,
  choiceOption,
  dataOption,
  finish,
  numberOption,
  parseNumbers,
  parseTarget,
  seedOption,
  valueOption,
} from "./options.js";
import { Output, writeWhole } from "./output.js";
import { type Session, withSession } from "./session.js";
import { alignRows, scientific, textTable } from "./table.js";

interface TheoryFlags extends CommonOptions {
  readonly data?: string;
  readonly n?: readonly number[];
  readonly tests?: number;
  readonly width?: number;
  readonly depth?: number;
  readonly loss?: Loss;
  readonly lambda?: readonly number[];
  readonly time?: number;
  readonly steps?: readonly number[];
  readonly seed?: number;
  readonly out?: string;
}

type TheoryResult = PathKernelStudy;

/** One theorem: the flags it takes, how it runs, how its result is shown. */
interface Theorem<Result> {
  readonly flags: readonly (keyof TheoryFlags)[];
  run(flags: TheoryFlags, session: Session, write: Write): Promise<Result>;
  text(result: Result): string;
}

/** The one number that a theorem takes where the flag holds a list. */
function single(flag: string, list: readonly number[] | undefined): number | undefined {
  if (list === undefined || list.length === 1) return list?.[0];
  throw new UsageError(`${flag}: expected one number, got ${list.length}`);
}

async function dataOf({ data }: TheoryFlags, session: Session) {
  return data === undefined ? undefined : await readData(data, session);
}

const slopeText = (law: { readonly slope: number; readonly interval: readonly [number, number] | null }) =>
  law.interval === null
    ? law.slope.toFixed(2)
    : `${law.slope.toFixed(2)} (${law.interval.map((end) => end.toFixed(2)).join(" to ")})`;

const pathKernel: Theorem<PathKernelStudy> = {
  flags: ["n", "tests", "width", "depth", "loss", "lambda", "time", "steps"],
  async run(flags, session, write) {
    const { tests, width, depth, loss, time, steps, seed } = flags;
    const [n, lambda] = [single("--n", flags.n), single("--lambda", flags.lambda)];
    const data = await dataOf(flags, session);
    return theoryPathKernel({ ...session.work, data, n, tests, width, depth, loss, lambda, time, steps, seed }, write);
  },
  text({ runs, orders, explanations }) {
    const rows = runs.map(({ steps, learningRate, errors, worst, theorem, estimates, signs }) => [
      String(steps),
      String(Number(learningRate.toPrecision(4))),
      ...[errors.descent, errors.trapezoid, errors.simpson, theorem, worst, estimates.step].map(scientific),
      signs.constant ? "kept" : `${signs.vanished.length} to 0, ${signs.reversed.length} turned`,
    ]);
    const header = ["steps", "length", "descent", "trapezoid", "simpson", "a_i |l'|", "worst row", "estimate", "signs"];
    const laws = Object.entries(orders ?? {}).map(([rule, law]) => [`order, ${rule}`, slopeText(law)]);
    const lines = explanations.map(({ row, label, output, b, carriers, share }) => [
      `test row ${row} (${label > 0 ? "+" : ""}${label}):`,
      `f = ${output.toFixed(3)}, b = ${b.toFixed(3)},`,
      carriers.map(({ row: i, contribution }) => `row ${i} ${contribution.toFixed(3)}`).join(", "),
      `(${(100 * share).toFixed(0)}%)`,
    ]);
    return (
      textTable(header, rows, "rrrrrrrrl") +
      alignRows(laws, "ll") +
      (lines.length === 0 ? "" : alignRows(lines, "llll"))
    );
  },
};

const THEOREMS = { "path-kernel": pathKernel } as const;
type Name = keyof typeof THEOREMS;
const NAMES = Object.keys(THEOREMS) as Name[];

/** Flags that not every theorem takes. */
const OWN = [...new Set(NAMES.flatMap((name) => THEOREMS[name].flags))];

function parseName(text: string): Name {
  const name = NAMES.find((candidate) => candidate === text);
  if (name === undefined) throw new UsageError(`theorem: expected ${NAMES.join(", ")}, got "${text}"`);
  return name;
}

async function theory(name: Name, flags: TheoryFlags): Promise<void> {
  const theorem: Theorem<TheoryResult> = THEOREMS[name];
  const foreign = OWN.find((flag) => flags[flag] !== undefined && !theorem.flags.includes(flag));
  if (foreign !== undefined) {
    const takers = NAMES.filter((other) => THEOREMS[other].flags.includes(foreign));
    throw new UsageError(`--${foreign}: expected only with ${takers.join(", ")}, got it with ${name}`);
  }
  const folder = flags.out ?? ".";
  mkdirSync(folder, { recursive: true });
  const output = new Output({ quiet: flags.quiet, data: [flags.json] });
  const written: string[] = [];
  const write = (file: string, text: string) => {
    writeWhole(join(folder, file), text);
    written.push(join(folder, file));
  };
  await withSession(flags, async (session) => {
    session.progress.step(name);
    const result = await theorem.run(flags, session, write);
    session.progress.clear();
    output.text(theorem.text(result));
    output.text(`written: ${written.join(", ")}\n`);
    output.json(flags.json, result);
  });
}

export function addTheory(program: Command): void {
  const integer = { min: 1, integer: true };
  const list = (flags: string, text: string) => valueOption(flags, text, parseNumbers);
  const command = program
    .command("theory")
    .description("a theorem of the paper computed on data: tables, a plot and JSON")
    .argument("<theorem>", "path-kernel (4.1: a finite network as a kernel machine)", parseName)
    .addOption(dataOption())
    .addOption(list("--n <list>", "training rows"))
    .addOption(numberOption("--tests <rows>", "test rows", integer))
    .addOption(numberOption("--width <m>", "neurons in a hidden layer", integer))
    .addOption(numberOption("--depth <n>", "hidden layers (default: 1)", integer))
    .addOption(choiceOption("--loss", "default: logistic", LOSSES))
    .addOption(list("--lambda <list>", "regularisation"))
    .addOption(numberOption("--time <T>", "path-kernel: time of training (default: 100)", { min: 0 }))
    .addOption(list("--steps <list>", "full-batch steps; path-kernel: several, each even"))
    .addOption(seedOption("weights and samples"))
    .addOption(
      valueOption("--out <folder>", "folder for the JSON and SVG files (default: this one)", (f, text) =>
        parseTarget(f, text, false),
      ),
    )
    .action(theory);
  finish(command, [
    "theory path-kernel --n 32 --width 64 --out figures",
    "theory path-kernel --loss hinge --steps 100,200,400 --lambda 0.001",
  ]);
}
