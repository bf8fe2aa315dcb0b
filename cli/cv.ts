// ntkit cv: cross-validation of a machine over lambda, epsilon and depth, as a table. Not here: the folds and solvers
// (the SDK).
import type { Command } from "commander";
import {
  type CrossValidationResult,
  crossValidate,
  describeKernel,
  nngp,
  ntk,
  SEARCHED_MACHINES,
  type SearchedMachine,
} from "ntkit";
import { readData } from "./inputs.js";
import {
  type CommonOptions,
  choiceOption,
  dataOption,
  finish,
  fromFlags,
  numberOption,
  parseNumbers,
  seedOption,
  valueOption,
} from "./options.js";
import { checkTargets, Output } from "./output.js";
import { withSession } from "./session.js";
import { percent, textTable } from "./table.js";
import { KERNELS } from "./trainer.js";

interface CvFlags extends CommonOptions {
  readonly data: string;
  readonly machine: SearchedMachine;
  readonly lambda?: readonly number[];
  readonly epsilon?: readonly number[];
  readonly depth?: readonly number[];
  readonly kernel?: (typeof KERNELS)[number];
  readonly folds?: number;
  readonly seed?: number;
  readonly bias?: boolean;
}

/** Seven powers of ten around the paper's lambdas. */
const LAMBDAS = [0.001, 0.01, 0.1, 1, 10, 100, 1000];

function tableOf({ rows, best }: CrossValidationResult): string {
  const cells = rows.map((row) => [
    describeKernel(row.kernel),
    String(row.lambda),
    row.epsilon === null ? "-" : String(row.epsilon),
    percent(row.accuracy?.mean ?? null),
    percent(row.accuracy?.std ?? null),
    row.error.mean.toPrecision(4),
    row === best ? "best" : "",
  ]);
  return textTable(["kernel", "lambda", "epsilon", "accuracy", "std", "rms error", ""], cells, "lrrrrrl");
}

async function cv(flags: CvFlags): Promise<void> {
  const {
    machine,
    lambda: lambdas = LAMBDAS,
    epsilon: epsilons,
    depth = [1],
    kernel = "ntk",
    folds,
    seed,
    bias,
  } = flags;
  const kernels = fromFlags(() => depth.map((layers) => (kernel === "ntk" ? ntk : nngp)({ depth: layers })));
  checkTargets({ "--json": flags.json });
  const output = new Output({ quiet: flags.quiet, data: [flags.json] });
  await withSession(flags, async (session) => {
    session.progress.step("reading", 0);
    const { train } = await readData(flags.data, session);
    session.progress.step("cross-validation");
    const search = { machine, lambdas, epsilons, kernels, folds, seed, bias, ...session.work };
    const result = await crossValidate(train, search);
    session.progress.clear();
    output.text(`${machine} on ${train.name}, held-out rows of ${folds ?? 5} folds\n`);
    output.text(tableOf(result));
    output.json(flags.json, { data: train.name, machine, ...result });
  });
}

export function addCv(program: Command): void {
  const list = (flags: string, text: string) => valueOption(flags, text, parseNumbers);
  const command = program
    .command("cv")
    .description("cross-validate a machine over lambda, epsilon and depth; folds share Gram matrices")
    .addOption(dataOption().makeOptionMandatory())
    .addOption(choiceOption("--machine", "machine to search", SEARCHED_MACHINES).makeOptionMandatory())
    .addOption(list("--lambda <list>", `lambdas, each > 0 (default: ${LAMBDAS.join(",")})`))
    .addOption(list("--epsilon <list>", "svr: half-widths of the tube (default: 0.1)"))
    .addOption(choiceOption("--kernel", "kernel of the network (default: ntk)", KERNELS))
    .addOption(list("--depth <list>", "hidden layers (default: 1)"))
    .addOption(numberOption("--folds <k>", "parts of the data (default: 5)", { min: 2, integer: true }))
    .option("--bias", "with a bias b (default: without)")
    .addOption(seedOption("the division into parts"))
    .action(cv);
  finish(command, [
    "cv --data mnist:3,8 --machine svm --lambda 0.01,0.1,1",
    "cv --data points.npz --machine svr --lambda 0.1,1 --epsilon 0.05,0.2 --depth 1,2,3 --json cv.json",
  ]);
}
