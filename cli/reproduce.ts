// ntkit reproduce: the paper's tables, or some of their rows. Not here: the measuring (experiment.ts), the tables' look
// (experiment-table.ts), Table 1 (table1.ts) and the paper's figures (paper.ts).
import type { Command } from "commander";
import { MACHINE_METHODS, type MachineMethod } from "ntkit";
import { Interrupted, UsageError } from "./errors.js";
import { type Experiment, measure, type Plan } from "./experiment.js";
import { experimentText } from "./experiment-table.js";
import { addFigureFlags, checkFigureFlags, FIGURES, type FigureOptions, runFigure } from "./figures.js";
import {
  type CommonOptions,
  choiceOption,
  finish,
  numberOption,
  parseNumbers,
  type Samples,
  samplesOption,
  seedOption,
  valueOption,
} from "./options.js";
import { checkTargets, Output } from "./output.js";
import { PAPER_SEEDS, TABLE3_RIDGE } from "./paper.js";
import { withSession } from "./session.js";
import { runTable1 } from "./table1.js";

/** Runs a plan and shows what came of it; `after` is printed below the tables. */
export async function runExperiment(plan: Plan, options: CommonOptions, after = ""): Promise<void> {
  checkTargets({ "--json": options.json });
  const output = new Output({ quiet: options.quiet, data: [options.json] });
  const experiment: Experiment = { rows: [], seconds: {}, metadata: {} };
  const start = performance.now();
  const show = (complete: boolean) => {
    const elapsed = (performance.now() - start) / 1000;
    output.text(experimentText(experiment, elapsed));
    const metadata = { complete, ...experiment.metadata, seconds: { ...experiment.seconds, together: elapsed } };
    output.json(options.json, { rows: experiment.rows, metadata });
  };
  try {
    await withSession(options, (session) => measure(session, plan, experiment));
  } catch (error) {
    if (!(error instanceof Interrupted) || experiment.rows.length === 0) throw error;
    show(false);
    const where = options.json === undefined || options.json === "-" ? "shown" : `in ${options.json}`;
    throw error.leaving(`the ${experiment.rows.length} finished rows are ${where}`);
  }
  show(true);
  output.text(after);
}

interface ReproduceOptions extends FigureOptions {
  readonly lambda?: readonly number[];
  readonly rows?: readonly string[];
  readonly samples?: Samples;
  readonly seed?: number;
  readonly seeds?: number;
  readonly method?: MachineMethod;
  readonly attack?: boolean;
}

/** Images of the rows with a tighter bound or an attack, which take up to seconds each. */
const BESIDE_SAMPLES = 100;

const TABLES = ["table3", "table2"] as const;
type Table = (typeof TABLES)[number];

/** Kinds of rows that each table has here. */
const ROWS: Readonly<Record<Table, readonly string[]>> = { table3: ["krr", "svm"], table2: ["svm"] };

function parseRows(flag: string, text: string): string[] {
  const rows = text.split(",");
  if (!rows.every((row) => ROWS.table3.includes(row)))
    throw new UsageError(`${flag}: expected krr, svm or both with a comma, got "${text}"`);
  return rows;
}

const TARGETS = ["table1", ...TABLES, ...FIGURES] as const;
type Target = (typeof TARGETS)[number];

function parseTarget(text: string): Target {
  const target = TARGETS.find((candidate) => candidate === text);
  if (target === undefined) throw new UsageError(`target: expected ${TARGETS.join(", ")}, got "${text}"`);
  return target;
}

type TableFlag = "rows" | "samples" | "seeds" | "method" | "attack";

/** Flags of tables that a figure does not take. */
const NOT_TAKEN: Readonly<Record<"table1" | (typeof FIGURES)[number], readonly TableFlag[]>> = {
  table1: ["rows", "seeds", "method", "attack"],
  figure1: ["rows", "samples", "seeds", "method", "attack"],
  losses: ["rows", "samples", "seeds", "method", "attack"],
  figureA1: ["rows", "samples", "seeds", "method", "attack"],
  "certificate-width": ["rows", "method", "attack"],
  certificates: ["rows", "method", "attack"],
};

/** Figures, and Table 2 when widths are asked for, are experiments with networks; the rest are machines alone. */
async function reproduce(target: Target, options: ReproduceOptions): Promise<void> {
  if (target !== "table3" && target !== "table2") {
    const foreign = NOT_TAKEN[target].find((flag) => options[flag] !== undefined);
    if (foreign === undefined && target === "table1") {
      checkFigureFlags("table1", options);
      return runTable1(options);
    }
    if (foreign === undefined) return runFigure(target as (typeof FIGURES)[number], options);
    const only = foreign === "method" || foreign === "attack";
    const others = (["table1", ...FIGURES] as const).filter((other) => !NOT_TAKEN[other].includes(foreign));
    const takers = only ? ["table3"] : [...TABLES, ...others];
    throw new UsageError(`--${foreign}: expected only with ${takers.join(", ")}, got it with ${target}`);
  }
  const beside = options.method === undefined ? "attack" : "method";
  if (target === "table2" && options[beside] !== undefined)
    throw new UsageError(`--${beside}: expected only with table3, got it with table2`);
  if (target === "table2" && options.widths !== undefined) return runFigure("table2", options);
  checkFigureFlags("table3", options);
  return runExperiment(planOf(target, options), options);
}

/** What the options ask for. @throws UsageError for rows that the table has not */
export function planOf(table: Table, options: ReproduceOptions): Plan {
  // Lambdas belong to the ridge rows, so naming some and no rows asks for these alone.
  const rows = options.rows ?? (options.lambda === undefined ? ROWS[table] : ["krr"]);
  const missing = rows.find((row) => !ROWS[table].includes(row));
  if (missing !== undefined) {
    const flag = options.rows === undefined ? "--lambda" : "--rows";
    throw new UsageError(`${flag}: expected ${ROWS[table].join(", ")} rows for ${table}, got "${missing}" rows`);
  }
  if (options.lambda !== undefined && !rows.includes("krr"))
    throw new UsageError("--lambda: expected krr among --rows, because lambdas belong to the ridge rows");
  if (options.seeds !== undefined && !rows.includes("svm"))
    throw new UsageError("--seeds: expected svm among --rows, because seeds belong to the SVM's descent");
  const { attack = false, method = attack ? "best" : undefined } = options;
  return {
    lambdas: rows.includes("krr") ? (options.lambda ?? TABLE3_RIDGE.map(({ lambda }) => lambda)) : [],
    descent: rows.includes("svm") ? [table] : [],
    seeds: options.seeds ?? PAPER_SEEDS,
    exact: false,
    samples: options.samples ?? (method === undefined ? "all" : BESIDE_SAMPLES),
    seed: options.seed ?? 0,
    ...(method === undefined ? {} : { method, attack }),
  };
}

export function addReproduce(program: Command): void {
  const command = program
    .command("reproduce")
    .description("measure a table or figure of the paper on MNIST 0/1")
    .argument(
      "<target>",
      "table1 (all its machines), table3 (ridge and SVM), table2 (the SVM; with --widths, networks beside it), figure1, losses (Figure 1 for every row of Table 1), figureA1, certificate-width (Appendix H.2) or certificates (tighter bounds against width)",
      parseTarget,
    )
    .addOption(
      valueOption(
        "--lambda <list>",
        "lambdas of the ridge rows (default: the paper's eight); of table1 one for all (default: 1)",
        parseNumbers,
      ),
    )
    .addOption(valueOption("--rows <list>", "krr, svm (default: all; krr when --lambda is given)", parseRows))
    .addOption(samplesOption())
    .addOption(seedOption("random samples"))
    .addOption(
      numberOption(
        "--seeds <n>",
        `seeds of the SVM's descent or the networks (default: ${PAPER_SEEDS}; certificate-width: 2; certificates: 1)`,
        {
          min: 1,
          max: 1000,
          integer: true,
        },
      ),
    )
    .addOption(choiceOption("--method", "table3: a bound beside the paper's, on 100 images", MACHINE_METHODS))
    .option("--attack", "table3: attacks beside that bound (default method: best)")
    .action(reproduce);
  addFigureFlags(command);
  finish(command, [
    "reproduce table1 --samples 20",
    "reproduce table3",
    "reproduce table3 --lambda 0,1,1000 --samples 100",
    "reproduce table3 --method best --attack --lambda 0,1000",
    "reproduce table2 --seeds 5 --json table2.json",
    "reproduce table2 --widths 1000,10000 --seeds 2 --out figures",
    "reproduce figure1 --width 2048 --steps 300 --out figures",
    "reproduce losses --width 2048 --steps 300 --out figures",
    "reproduce certificate-width --widths 256,1024,4096 --out figures",
    "reproduce certificates --widths 256,1024,4096 --samples 20 --out figures",
  ]);
}
