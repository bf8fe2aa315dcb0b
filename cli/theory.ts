// ntkit theory: the paper's theorems as computations on data. Each writes JSON and SVG into a folder. Not here: the
// computations and their pictures (the SDK).
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import {
  type ConvergenceResult,
  type FiniteWidthPoint,
  type FiniteWidthResult,
  type GeneralisationBound,
  type GeneralisationResult,
  LOSSES,
  type Loss,
  type PathKernelStudy,
} from "ntkit";
import { theoryConvergence, theoryFiniteWidth, theoryGeneralisation, theoryPathKernel, type Write } from "ntkit/plots";
import { UsageError } from "./errors.js";
import { readData } from "./inputs.js";
import {
  type CommonOptions,
  choiceOption,
  dataOption,
  finish,
  numberOption,
  parseNumbers,
  pathOption,
  seedOption,
  valueOption,
} from "./options.js";
import { Output, writeWhole } from "./output.js";
import { type Session, withSession } from "./session.js";
import { alignRows, percent, scientific, textTable } from "./table.js";

interface TheoryFlags extends CommonOptions {
  readonly data?: string;
  readonly n?: readonly number[];
  readonly tests?: number;
  readonly width?: number;
  readonly widths?: readonly number[];
  readonly lr?: number;
  readonly seeds?: number;
  readonly depth?: number;
  readonly loss?: Loss;
  readonly lambda?: readonly number[];
  readonly time?: number;
  readonly steps?: readonly number[];
  readonly delta?: number;
  readonly raw?: boolean;
  readonly seed?: number;
  readonly out?: string;
}

type TheoryResult = ConvergenceResult | PathKernelStudy | GeneralisationResult | FiniteWidthResult;

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

function valueText({ value, assumptions }: GeneralisationBound): string {
  return value !== null ? value.toPrecision(3) : `none: ${assumptions.find(({ holds }) => !holds)?.name ?? "no value"}`;
}

const generalisation: Theorem<GeneralisationResult> = {
  flags: ["n", "tests", "width", "depth", "lambda", "delta", "raw"],
  async run(flags, session, write) {
    const { tests, width, depth, delta, seed, n: rows, lambda: lambdas } = flags;
    const normalise = flags.raw !== true;
    const data = await dataOf(flags, session);
    const what = { data, rows, tests, lambdas, width, depth, delta, normalise, seed };
    return theoryGeneralisation({ ...session.work, ...what }, write);
  },
  text({ rows, networks, settings }) {
    const lines = rows.map(({ n, labels, lambda, testError, testRisk, bounds }) => {
      const of = (name: string) => bounds.filter((bound) => bound.name === name).map(valueText);
      const measured = [percent(testError), testRisk.toPrecision(3)];
      return [
        String(n),
        labels,
        String(lambda),
        ...measured,
        ...of("margin"),
        ...of("1.19"),
        ...of("1.20"),
        ...of("2.37"),
      ];
    });
    const header = ["rows", "labels", "lambda", "test error", "test risk", "margin", "1.19", "1.20", "2.37"];
    const table = textTable(header, lines, "rlrrrllll");
    const finite = networks.map(({ n, labels, testError, bound }) => [
      `network of width ${settings.width}, ${n} rows, ${labels} labels:`,
      `test error ${percent(testError)}, path-kernel bound ${valueText(bound)};`,
      `${bound.assumptions.filter(({ holds }) => !holds).length} assumptions fail; the formula gives ${bound.figure.toPrecision(3)}`,
    ]);
    const [row] = rows;
    const stated = (row?.bounds.find(({ name }) => name === "1.20")?.assumptions ?? []).map((one) => [
      one.holds ? "holds:" : "fails:",
      one.name,
      one.detail,
    ]);
    const share = `Each bound holds with probability ${1 - settings.delta} for every lambda at once.\n`;
    return table + share + alignRows(stated, "lll") + (finite.length === 0 ? "" : alignRows(finite, "lll"));
  },
};

/** Points that differ in their seeds alone, as one line of means. */
function meansOf(points: readonly FiniteWidthPoint[]): string[][] {
  const keys = new Map<string, FiniteWidthPoint[]>();
  for (const point of points) {
    const key = [point.setting, point.width, point.lambda, point.n].map(String).join(" ");
    keys.set(key, [...(keys.get(key) ?? []), point]);
  }
  return [...keys].map(([key, own]) => {
    const mean = (of: (point: FiniteWidthPoint) => number) =>
      own.reduce((sum, point) => sum + of(point), 0) / own.length;
    const { bound, reason } = own[0]?.factors ?? {};
    return [
      ...key.split(" "),
      ...[(p: FiniteWidthPoint) => p.train, (p: FiniteWidthPoint) => p.test].map((of) => scientific(mean(of))),
      ...[mean((p) => p.factors.kernelNorm).toFixed(3), mean((p) => p.factors.radius).toFixed(3)],
      typeof bound === "number" ? bound.toExponential(1) : `none: ${reason}`,
    ];
  });
}

const finiteWidth: Theorem<FiniteWidthResult> = {
  flags: ["n", "tests", "widths", "depth", "loss", "lambda", "steps", "lr", "seeds"],
  async run(flags, session, write) {
    const { n: rows, lambda: lambdas, widths, tests, depth, loss, lr: learningRate, seeds, seed } = flags;
    const steps = single("--steps", flags.steps);
    const what = { rows, lambdas, widths, tests, depth, loss, learningRate, seeds, seed, steps };
    return theoryFiniteWidth({ ...session.work, ...what, data: await dataOf(flags, session) }, write);
  },
  text({ points, fits }) {
    const header = ["ridge", "width", "lambda", "rows", "train", "test", "|Theta|", "R", "bound, no constant"];
    const slopes = fits.map(({ setting, varied, of, law, theorem }) => [
      `${setting}, ${of} by ${varied}:`,
      `slope ${slopeText(law)},`,
      `the theorem has ${theorem.toFixed(2)}`,
    ]);
    return textTable(header, meansOf(points), "lrrrrrrrr") + (slopes.length === 0 ? "" : alignRows(slopes, "lll"));
  },
};

const convergence: Theorem<ConvergenceResult> = {
  flags: ["n", "tests", "depth", "lambda", "steps"],
  async run(flags, session, write) {
    const { tests, depth, seed } = flags;
    const [n, lambda] = [single("--n", flags.n), single("--lambda", flags.lambda)];
    const steps = single("--steps", flags.steps);
    const data = await dataOf(flags, session);
    return theoryConvergence({ ...session.work, data, n, tests, depth, lambda, steps, seed }, write);
  },
  text({ rows }) {
    const header = ["machine", "lambda", "flow", "r t", "|g_t - g|", "bound", "L - L*", "bound", "holds", "descent"];
    const lines = rows.flatMap(({ machine, lambda, method, rate, flow, descent }) =>
      flow
        .filter((_, k) => k % 3 === 0)
        .map(({ t, test, within, excess, bound, holds }, k) => {
          const step = descent.points.find((point) => Math.abs(point.t - t) <= descent.learningRate);
          const name = k === 0 ? [machine, String(Number(lambda.toPrecision(3))), method] : ["", "", ""];
          const figures = [test, within, excess, bound].map((value) => value.toExponential(1));
          return [
            ...name,
            (rate * t).toPrecision(2),
            ...figures,
            holds ? "yes" : "NO",
            step?.test.toExponential(1) ?? "-",
          ];
        }),
    );
    return textTable(header, lines, "lllrrrrrlr");
  },
};

const THEOREMS = { convergence, "path-kernel": pathKernel, "finite-width": finiteWidth, generalisation } as const;
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
  const theorem = THEOREMS[name] as Theorem<TheoryResult>;
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
    .argument(
      "<theorem>",
      "convergence (3.1: every loss of Table 1 ends at its machine), path-kernel (4.1: a finite network as a kernel machine), finite-width (3.5: networks beside their machines) or generalisation (bounds beside test errors)",
      parseName,
    )
    .addOption(dataOption())
    .addOption(list("--n <list>", "training rows; finite-width, generalisation: several numbers"))
    .addOption(numberOption("--tests <rows>", "test rows", integer))
    .addOption(numberOption("--width <m>", "neurons in a hidden layer", integer))
    .addOption(list("--widths <list>", "finite-width: several widths"))
    .addOption(numberOption("--seeds <n>", "finite-width: networks at every point (default: 5)", integer))
    .addOption(numberOption("--lr <number>", "finite-width: learning rate (default: 0.5)", { min: 0 }))
    .addOption(numberOption("--depth <n>", "hidden layers (default: 1)", integer))
    .addOption(choiceOption("--loss", "default: logistic", LOSSES))
    .addOption(list("--lambda <list>", "regularisation"))
    .addOption(numberOption("--time <T>", "path-kernel: time of training (default: 100)", { min: 0 }))
    .addOption(list("--steps <list>", "full-batch steps (convergence: at most); path-kernel: several, each even"))
    .addOption(
      numberOption("--delta <p>", "generalisation: what bounds may fail with (default: 0.05)", { min: 0, max: 1 }),
    )
    .option("--raw", "generalisation: rows as they are (default: at norm sqrt(d))")
    .addOption(seedOption("weights and samples"))
    .addOption(pathOption("--out <folder>", "folder for the JSON and SVG files (default: this one)"))
    .action(theory);
  finish(command, [
    "theory convergence --n 128 --lambda 0.001 --out figures",
    "theory path-kernel --n 32 --width 64 --out figures",
    "theory path-kernel --loss hinge --steps 100,200,400 --lambda 0.001",
    "theory finite-width --widths 64,256,1024 --seeds 3 --out figures",
    "theory generalisation --n 100,1000,12665 --lambda 10,100,1000,10000",
  ]);
}
