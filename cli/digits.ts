// ntkit digits: several digits of MNIST told apart, with joint certificates. Not here: the measuring (the SDK).
import type { Command } from "commander";
import {
  type ClassMachine,
  type DigitsResult,
  digits,
  MACHINE_METHODS,
  type MachineMethod,
  SEARCHED_MACHINES,
  type SearchedMachine,
} from "ntkit";
import { UsageError } from "./errors.js";
import {
  type CommonOptions,
  choiceOption,
  finish,
  numberOption,
  parseNumbers,
  pathOption,
  seedOption,
  valueOption,
} from "./options.js";
import { checkTargets, Output } from "./output.js";
import { withSession } from "./session.js";
import { alignRows, count, percent, percentDown, radius, seconds, textTable } from "./table.js";

interface DigitsFlags extends CommonOptions {
  readonly digits?: readonly number[];
  readonly machine?: SearchedMachine;
  readonly lambda?: number;
  readonly depth?: number;
  readonly rows?: number;
  readonly count?: number;
  readonly method?: MachineMethod;
  readonly radii?: readonly number[];
  readonly seed?: number;
  readonly out?: string;
  readonly tolerance?: number;
  readonly rank?: number;
  readonly search?: boolean;
}

function parseDigits(flag: string, text: string): number[] {
  const list = parseNumbers(flag, text);
  const fits = list.every((digit) => Number.isInteger(digit) && digit <= 9) && new Set(list).size === list.length;
  if (list.length < 2 || !fits)
    throw new UsageError(`${flag}: expected at least two different digits, as "0,1,7", got "${text}"`);
  return list;
}

const mib = (bytes: number) => `${count(Math.ceil(bytes / 2 ** 20))} MiB`;

/** Iterations and the preconditioner's columns, where the machine's solver has them. */
function solverOf({ training }: DigitsResult): string[][] {
  const most = (name: string) => Math.max(...training.map((own) => own[name] ?? Number.NaN));
  const [iterations, rank] = [most("iterations"), most("rank")];
  if (Number.isNaN(rank)) return [];
  return [["iterations", `at most ${count(iterations)}, preconditioner of rank ${count(rank)}`]];
}

function textOf(result: DigitsResult, searched: boolean) {
  const { model, trainingRows, rows, optimality, accuracy, perClass, report, seconds: times, memory } = result;
  const facts = [
    ["machine", model.describe()],
    ...Object.entries(model.parameters).map(([name, value]) => [name, String(value)]),
    ["training rows", `${count(trainingRows)}, ${count(rows)} with a coefficient`],
    ["gap or residual", optimality.toExponential(1)],
    ...solverOf(result),
    ["accuracy", percent(accuracy)],
    ["certified", `${count(report.samples)} images, ${count(report.correct)} of them correct`],
    ...(searched ? [["mean radius", radius(report.radius.mean)]] : []),
    ...report.certifiedAccuracy.map(({ epsilon, accuracy: own }) => [`certified at ${epsilon}`, percentDown(own)]),
    [
      "seconds",
      `training ${seconds(times.train)}, deciding ${seconds(times.predict)}, certifying ${seconds(times.certify)}`,
    ],
    ["memory", `${mib(memory.peak)} at most, of a budget of ${mib(memory.budget)}`],
  ];
  const classes = perClass.map(({ name, samples, correct }) => [name, count(samples), percent(correct / samples)]);
  return `${alignRows(facts, "ll")}\n${textTable(["class", "images", "accuracy"], classes, "lrr")}`;
}

async function run(flags: DigitsFlags): Promise<void> {
  const { json, out, machine, lambda, depth, rows, count: images, method, radii, seed } = flags;
  const { tolerance, rank, search = true } = flags;
  checkTargets({ "--json": json, "--out": out });
  const output = new Output({ quiet: flags.quiet, data: [json] });
  await withSession(flags, async (session) => {
    session.progress.step("digits", 1);
    const own = { machine, lambda, depth, rows, count: images, method, radii, seed, tolerance, rank, search };
    const onModel = (model: ClassMachine) => (out === undefined ? undefined : output.data(out, model.save()));
    const result = await digits({ ...session.work, ...own, onModel, digits: flags.digits });
    session.progress.clear();
    output.text(textOf(result, search));
    const { model, ...rest } = result;
    output.json(json, { machine: model.machine, parameters: model.parameters, classes: model.classes, ...rest });
  });
}

export function addDigits(program: Command): void {
  const integer = { min: 1, integer: true };
  const list = (flags: string, text: string) => valueOption(flags, text, parseNumbers);
  const command = program
    .command("digits")
    .description("tell several digits of MNIST apart, one machine against the rest each, with joint certificates")
    .addOption(valueOption("--digits <list>", "digits (default: all ten)", parseDigits))
    .addOption(choiceOption("--machine", "machine of each digit (default: svm)", SEARCHED_MACHINES))
    .addOption(numberOption("--lambda <number>", "regularisation (default: 0.01)"))
    .addOption(numberOption("--depth <n>", "hidden layers (default: 1)", integer))
    .addOption(numberOption("--rows <n>", "training images, drawn at random (default: all)", integer))
    .addOption(numberOption("--count <n>", "test images certified, from the first on (default: 200)", integer))
    .addOption(choiceOption("--method", "bound of the differences (default: best)", MACHINE_METHODS))
    .addOption(list("--radii <list>", "radii of certified accuracy (default: 0.01,0.05,0.1)"))
    .addOption(seedOption("the training images drawn"))
    .addOption(
      numberOption("--tolerance <number>", "largest gap or residual (default: 1e-6)", { min: 1e-12, max: 0.1 }),
    )
    .addOption(
      numberOption("--rank <n>", "columns of krr's preconditioner (default: by the rows)", { min: 4, integer: true }),
    )
    .option("--no-search", "prove the radii of --radii or not, and search for none: for tens of thousands of rows")
    .addOption(pathOption("--out <file>", "model file to write"))
    .action(run);
  finish(command, [
    "digits --rows 2000 --count 20",
    "digits --digits 3,5,8 --machine logistic --lambda 1 --json digits.json",
    "digits --machine krr --lambda 0.1 --no-search --out digits.safetensors --json digits.json",
  ]);
}
