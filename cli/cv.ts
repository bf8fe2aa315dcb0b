// ntkit cv: cross-validation of a machine over lambda or C, epsilon and depth, as a table, and as JSON and a plot in a
// folder. Not here: the folds, the solvers and the picture (the SDK).
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import {
  type CrossValidationResult,
  type CrossValidationRow,
  type Dataset,
  describeKernel,
  nngp,
  ntk,
  SEARCHED_MACHINES,
  type SearchedMachine,
} from "ntkit";
import { searchAndDraw } from "ntkit/plots";
import { UsageError } from "./errors.js";
import { readAny, readData } from "./inputs.js";
import {
  type CommonOptions,
  choiceOption,
  dataOption,
  finish,
  fromFlags,
  numberOption,
  parseNumbers,
  pathOption,
  seedOption,
  valueOption,
} from "./options.js";
import { checkTargets, Output, writeWhole } from "./output.js";
import { type Session, withSession } from "./session.js";
import { percent, textTable } from "./table.js";
import { activationOption, KERNELS, slopeOption, type UnitFlags } from "./trainer.js";

interface CvFlags extends CommonOptions, UnitFlags {
  readonly data: string;
  readonly machine: SearchedMachine;
  readonly lambda?: readonly number[];
  readonly c?: readonly number[];
  readonly epsilon?: readonly number[];
  readonly depth?: readonly number[];
  readonly kernel?: (typeof KERNELS)[number];
  readonly folds?: number;
  readonly seed?: number;
  readonly bias?: boolean;
  readonly regression?: boolean;
  readonly out?: string;
}

/** Seven powers of ten around the paper's lambdas. */
const LAMBDAS = [0.001, 0.01, 0.1, 1, 10, 100, 1000];

/** What a row stands for: the best, or the simplest that is about as good. */
function markOf(row: CrossValidationRow, { best, simplest }: CrossValidationResult): string {
  return [row === best ? "best" : "", row === simplest ? "simplest" : ""].filter(Boolean).join(", ");
}

function tableOf(result: CrossValidationResult, cs: boolean): string {
  const cells = result.rows.map((row) => [
    describeKernel(row.kernel),
    String(Number((cs ? 1 / row.lambda : row.lambda).toPrecision(12))),
    row.epsilon === null ? "-" : String(row.epsilon),
    percent(row.accuracy?.mean ?? null),
    percent(row.accuracy?.standardError ?? null),
    row.error.mean.toPrecision(4),
    row.error.standardError.toPrecision(2),
    markOf(row, result),
  ]);
  const header = ["kernel", cs ? "C" : "lambda", "epsilon", "accuracy", "+-", "rms error", "+-", ""];
  return textTable(header, cells, "lrrrrrrl");
}

/** The lambdas or the Cs that are searched. @throws UsageError */
function penalties({ machine, lambda, c }: CvFlags) {
  if (c === undefined) return { lambdas: lambda ?? LAMBDAS };
  if (lambda !== undefined) throw new UsageError("--c: expected either --c or --lambda = 1 / c, got both");
  if (machine === "krr") throw new UsageError("--c: expected only with --machine svm, svm2, svr or logistic, got krr");
  return { cs: c };
}

/** Two labels, or real targets where y is of a floating-point type. @throws Failure */
async function searchedRows({ data, regression }: CvFlags, session: Session): Promise<Dataset> {
  if (regression === true) return (await readData(data, session, "regression")).train;
  const { train } = await readAny(data, session);
  // Reading several classes as two labels says what was expected.
  return "labels" in train ? (await readData(data, session)).train : train;
}

async function cv(flags: CvFlags): Promise<void> {
  const { machine, epsilon: epsilons, depth = [1], kernel = "ntk", activation, slope, folds, seed, bias, out } = flags;
  const make = kernel === "ntk" ? ntk : nngp;
  const kernels = fromFlags(() => depth.map((layers) => make({ depth: layers, activation, slope })));
  const searched = penalties(flags);
  checkTargets({ "--json": flags.json });
  if (out !== undefined) mkdirSync(out, { recursive: true });
  const output = new Output({ quiet: flags.quiet, data: [flags.json] });
  const written: string[] = [];
  const write = (file: string, text: string) => {
    writeWhole(join(out ?? "", file), text);
    written.push(join(out ?? "", file));
  };
  await withSession(flags, async (session) => {
    session.progress.step("reading", 0);
    const train = await searchedRows(flags, session);
    session.progress.step("cross-validation");
    const search = { machine, ...searched, epsilons, kernels, folds, seed, bias, ...session.work };
    const result = await searchAndDraw(train, search, out === undefined ? undefined : write);
    session.progress.clear();
    output.text(`${machine} on ${train.name}, held-out rows of ${result.folds} folds; +- is the standard error\n`);
    output.text(tableOf(result, flags.c !== undefined));
    if (written.length > 0) output.text(`written: ${written.join(", ")}\n`);
    output.json(flags.json, result);
  });
}

export function addCv(program: Command): void {
  const list = (flags: string, text: string) => valueOption(flags, text, parseNumbers);
  const command = program
    .command("cv")
    .description("cross-validate a machine over lambda or C, epsilon and depth, with a plot; folds share Gram matrices")
    .addOption(dataOption().makeOptionMandatory())
    .addOption(choiceOption("--machine", "machine to search", SEARCHED_MACHINES).makeOptionMandatory())
    .addOption(list("--lambda <list>", `lambdas, each > 0 (default: ${LAMBDAS.join(",")})`))
    .addOption(list("--c <list>", "svm, svm2, svr, logistic: C = 1 / lambda, instead of --lambda"))
    .addOption(list("--epsilon <list>", "svr: half-widths of the tube (default: 0.1)"))
    .addOption(choiceOption("--kernel", "kernel of the network (default: ntk)", KERNELS))
    .addOption(list("--depth <list>", "hidden layers (default: 1)"))
    .addOption(activationOption())
    .addOption(slopeOption())
    .addOption(numberOption("--folds <k>", "parts of the data (default: 5)", { min: 2, integer: true }))
    .option("--bias", "with a bias b (default: without)")
    .option(
      "--regression",
      "krr, svr: y holds real targets (default: where it is of a floating-point type and not labels)",
    )
    .addOption(seedOption("the division into parts"))
    .addOption(pathOption("--out <folder>", "write cv.json and the plot cv.svg there"))
    .action(cv);
  finish(command, [
    "cv --data mnist:3,8 --machine svm --lambda 0.01,0.1,1",
    "cv --data mnist:3,8 --machine svm --c 1,10,100 --depth 1,2 --out figures",
    "cv --data points.npz --machine svr --lambda 0.1,1 --epsilon 0.05,0.2 --depth 1,2,3 --json cv.json",
  ]);
}
