// The paper's experiments with finite networks: Figure 1, also for every loss, Figure A.1, Table 2 with its widths, the
// certificates of Appendix H.2 and by tighter bounds, and the sweep over widths. Each writes JSON and SVG into a folder. Not here: the experiments and their pictures (the SDK).
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { BACKENDS, type BackendName, CERTIFICATE_METHODS } from "ntkit";
import {
  type CertificatesResult,
  type CertificateWidthResult,
  type FigureLossesResult,
  reproduceCertificates,
  reproduceCertificateWidth,
  reproduceDynamics,
  reproduceFigure1,
  reproduceFigureA1,
  reproduceLosses,
  reproduceTable2,
  type Table2Result,
  type WidthSweepResult,
} from "ntkit/plots";
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
  type Samples,
  seedOption,
  valueOption,
} from "./options.js";
import { Output, writeWhole } from "./output.js";
import { withSession } from "./session.js";
import { alignRows, percent, radius, scientific, textTable } from "./table.js";

export const FIGURES = ["figure1", "losses", "figureA1", "certificate-width", "certificates"] as const;
type Experiment = (typeof FIGURES)[number] | "table2" | "dynamics";

export interface FigureOptions extends CommonOptions {
  readonly data?: string;
  readonly width?: number;
  readonly widths?: readonly number[];
  readonly n?: number;
  readonly lr?: readonly number[];
  readonly lambda?: readonly number[];
  readonly steps?: number;
  readonly epochs?: number;
  readonly seeds?: number;
  readonly seed?: number;
  readonly depth?: number;
  readonly samples?: Samples;
  readonly backend?: BackendName | "auto";
  readonly out?: string;
}

const NETWORK_FLAGS = ["width", "widths", "n", "lr", "steps", "epochs", "depth", "backend", "out"] as const;

/** Which of the flags above each experiment takes. */
const BELONGS: Readonly<Record<Experiment, readonly (keyof FigureOptions)[]>> = {
  figure1: ["width", "widths", "n", "lr", "lambda", "steps", "backend", "out"],
  losses: ["width", "n", "lr", "lambda", "steps", "depth", "backend", "out"],
  figureA1: ["width", "n", "lr", "lambda", "epochs", "backend", "out"],
  table2: ["widths", "n", "epochs", "backend", "out"],
  certificates: ["widths", "n", "epochs", "backend", "out"],
  "certificate-width": ["widths", "n", "lr", "lambda", "epochs", "depth", "backend", "out"],
  dynamics: ["widths", "n", "lr", "lambda", "steps", "depth", "backend", "out"],
};

/** Refuses flags of other experiments. @throws UsageError */
export function checkFigureFlags(name: string, options: FigureOptions): void {
  const own = BELONGS[name as Experiment] ?? [];
  const foreign = NETWORK_FLAGS.find((flag) => options[flag] !== undefined && !own.includes(flag));
  if (foreign === undefined) return;
  const takers = Object.keys(BELONGS).filter((other) => BELONGS[other as Experiment].includes(foreign));
  throw new UsageError(`--${foreign}: expected only with ${takers.join(", ")}, got it with ${name}`);
}

/** The one number that an experiment takes where the flag holds a list. */
function single(flag: string, list: readonly number[] | undefined): number | undefined {
  if (list === undefined || list.length === 1) return list?.[0];
  throw new UsageError(`${flag}: expected one number for this experiment, got ${list.length}`);
}

function slopeText({ slope, interval, level }: NonNullable<Table2Result["fit"]>): string {
  if (interval === null) return `slope ${slope.toFixed(3)}`;
  const [low, high] = interval.map((end) => end.toFixed(3));
  return `slope ${slope.toFixed(3)}, ${level * 100}% interval ${low} to ${high}`;
}

function sweepText({ points, fits }: WidthSweepResult): string {
  const rows = points.map(({ width, seed, rms, drift, distance }) => [
    String(width),
    String(seed),
    ...[rms, drift, distance].map((value) => scientific(value)),
  ]);
  const slopes = Object.entries(fits ?? {}).map(([name, fit]) => [name, slopeText(fit)]);
  return textTable(["width", "seed", "|f - g|", "drift", "distance"], rows, "rrrrr") + alignRows(slopes, "ll");
}

function radiiText(rows: Table2Result["rows"]): string {
  const lines = rows.map(({ model, method, width, samples, accuracy, radius: own }) => [
    model,
    width === null ? "infinite" : String(width),
    method,
    String(samples),
    percent(accuracy),
    radius(own.mean),
    scientific(own.std),
  ]);
  return textTable(["model", "width", "bound", "images", "accuracy", "radius", "std"], lines, "lrlrrrr");
}

function table2Text({ rows, fit }: Table2Result): string {
  const table = radiiText(rows);
  if (fit === undefined) return table;
  return `${table}radius by width: ${slopeText(fit)}\n`;
}

function certificatesText({ rows, infinite }: CertificatesResult): string {
  return `${radiiText(rows)}infinite width: ${radius(infinite)}\n`;
}

function lossesText({ rows }: FigureLossesResult): string {
  const lines = rows.map(({ machine, loss, lambda, largest, relative, sides: { network, machine: own } }) => [
    machine,
    loss,
    String(Number(lambda.toPrecision(3))),
    ...[largest, relative].map(scientific),
    ...[network, own].map((side) => scientific(side.loss.at(-1) ?? null)),
    ...[network, own].map((side) => scientific(side.distance)),
  ]);
  const header = ["machine", "loss", "lambda", "max |f - g|", "relative", "loss f", "loss g", "f to end", "g to end"];
  return textTable(header, lines, "llrrrrrrr");
}

function certificateText({ points, fits }: CertificateWidthResult): string {
  // One line of points after the other, each by width.
  const ordered = fits.flatMap(({ stage, parameterization }) =>
    points.filter((point) => point.stage === stage && point.parameterization === parameterization),
  );
  const rows = ordered.map(({ stage, parameterization, width, seed, networks, radius: own, accuracy }) => [
    stage,
    parameterization,
    String(width),
    networks === 1 ? String(seed) : `${seed}-${seed + networks - 1}`,
    percent(accuracy),
    radius(own),
  ]);
  const table = textTable(["stage", "weights", "width", "seed", "accuracy", "radius"], rows, "llrrrr");
  const slopes = fits.map(({ stage, parameterization, law }) => [stage, parameterization, slopeText(law)]);
  return table + alignRows(slopes, "lll");
}

/** Runs an experiment, writes its files and prints what there is to print. */
export async function runFigure(name: Experiment, options: FigureOptions): Promise<void> {
  checkFigureFlags(name, options);
  const folder = options.out ?? ".";
  mkdirSync(folder, { recursive: true });
  const output = new Output({ quiet: options.quiet, data: [options.json] });
  const written: string[] = [];
  const write = (file: string, text: string) => {
    writeWhole(join(folder, file), text);
    written.push(join(folder, file));
  };
  const { width, widths, n, steps, epochs, depth, seed, seeds, samples, backend } = options;
  const common = { seed, backend };
  await withSession(options, async (session) => {
    const data = options.data === undefined ? undefined : await readData(options.data, session);
    const work = { ...session.work, ...common, data };
    const lambda = single("--lambda", options.lambda);
    const run = async () => {
      if (name === "figure1")
        return reproduceFigure1({ ...work, width, widths, n, steps, lambda, learningRates: options.lr }, write);
      const learningRate = single("--lr", options.lr);
      if (name === "losses") return reproduceLosses({ ...work, width, n, steps, depth, lambda, learningRate }, write);
      if (name === "figureA1") return reproduceFigureA1({ ...work, width, n, epochs, lambda, learningRate }, write);
      if (name === "certificate-width")
        return reproduceCertificateWidth(
          { ...work, widths, n, epochs, depth, seeds, samples, lambda, learningRate },
          write,
        );
      const networks = { ...work, widths, n, epochs, seeds, samples };
      if (name === "certificates") return reproduceCertificates(networks, write);
      if (name === "table2") return reproduceTable2({ ...networks, methods: CERTIFICATE_METHODS }, write);
      return reproduceDynamics({ ...work, widths, n, steps, depth, seeds, lambda, learningRate }, write);
    };
    session.progress.step(name);
    const result = await run();
    session.progress.clear();
    if (result.experiment === "table2") output.text(table2Text(result));
    if (result.experiment === "certificates") output.text(certificatesText(result));
    if (result.experiment === "certificate-width") output.text(certificateText(result));
    if (result.experiment === "losses") output.text(lossesText(result));
    if (result.experiment === "dynamics") output.text(sweepText(result));
    output.text(`written: ${written.join(", ")}\n`);
    output.json(options.json, result);
  });
}

/** Adds the flags of the experiments to a command that has --lambda, --seed and --seeds already. */
export function addFigureFlags(command: Command): Command {
  const integer = { min: 1, integer: true };
  const list = (flags: string, text: string) => valueOption(flags, text, parseNumbers);
  return command
    .addOption(numberOption("--width <m>", "neurons in a hidden layer (default: 10000; losses: 4096)", integer))
    .addOption(list("--widths <list>", "several widths"))
    .addOption(numberOption("--n <rows>", "training rows", integer))
    .addOption(list("--lr <list>", "learning rates"))
    .addOption(numberOption("--steps <n>", "full-batch steps", integer))
    .addOption(
      numberOption(
        "--epochs <n>",
        "passes over the data (default: 300; certificates: 100; certificate-width: 10)",
        integer,
      ),
    )
    .addOption(numberOption("--depth <n>", "hidden layers (default: 2; certificate-width, losses: 1)", integer))
    .addOption(choiceOption("--backend", "where networks are trained (default: auto)", ["auto", ...BACKENDS]))
    .addOption(pathOption("--out <folder>", "folder for the JSON and SVG files (default: this one)"));
}

export function addDynamics(program: Command): void {
  const command = program
    .command("dynamics")
    .description("networks of several widths beside their machine: difference and kernel drift against width")
    .addOption(dataOption())
    .addOption(valueOption("--lambda <number>", "regularisation (default: 0.001)", parseNumbers))
    .addOption(numberOption("--seeds <n>", "networks of each width (default: 3)", { min: 1, integer: true }))
    .addOption(seedOption("weights and samples"))
    .action((options: FigureOptions) => runFigure("dynamics", options));
  addFigureFlags(command);
  finish(command, [
    "dynamics --widths 256,1024,4096 --n 128 --out figures",
    "dynamics --data mnist:3,8 --depth 1 --json -",
  ]);
}
