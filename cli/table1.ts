// ntkit reproduce table1: the machines of Table 1 on MNIST 0/1, each with its optimality, accuracy and certificates.
// Not here: the measuring (the SDK).
import { type Table1Row, table1 } from "ntkit";
import { Interrupted, UsageError } from "./errors.js";
import type { CommonOptions, Samples } from "./options.js";
import { checkTargets, Output } from "./output.js";
import { withSession } from "./session.js";
import { count, percent, radius, seconds, textTable } from "./table.js";

export interface Table1Flags extends CommonOptions {
  readonly lambda?: readonly number[];
  readonly samples?: Samples;
}

const NAMES: Readonly<Record<Table1Row["machine"], string>> = {
  "kernel-regression": "kernel regression",
  "hard-margin": "hard-margin SVM",
  svm: "1-norm soft-margin SVM",
  svm2: "2-norm soft-margin SVM",
  svr: "support vector regression",
  krr: "kernel ridge regression",
  logistic: "logistic regression",
};

const SOLVERS: Readonly<Record<string, string>> = { "relative residual": "residual", "relative duality gap": "gap" };

/** What each row is: the machine, the network whose limit it is, and how nearly it is solved. */
function machinesOf(rows: readonly Table1Row[], lambda: number): string {
  const cells = rows.map((row) => [
    NAMES[row.machine],
    row.loss,
    row.lambda === "given" ? String(lambda) : row.lambda,
    `--loss ${row.network.loss} --lambda ${row.network.lambda === null ? "-> 0" : Number(row.network.lambda.toPrecision(3))}`,
    row.solver,
    `${SOLVERS[row.optimality]} ${row.reached.toExponential(1)}`,
  ]);
  return textTable(["machine", "loss", "lambda", "network", "solver", "optimality"], cells, "llllll");
}

/** What comes of it: decisions, certificates and time. */
function figuresOf(rows: readonly Table1Row[]): string {
  const cells = rows.map((row) => [
    NAMES[row.machine],
    count(row.rows),
    percent(row.accuracy),
    String(row.samples),
    radius(row.interval.mean),
    radius(row.certified.mean),
    seconds(row.seconds.train),
    row.seconds.certify.toFixed(2),
  ]);
  const header = ["machine", "rows", "accuracy", "images", "paper's", "best", "train s", "s/image"];
  return textTable(header, cells, "lrrrrrrr");
}

/** Images certified of each machine: the best bound takes up to seconds for one. */
const SAMPLES = 100;

export async function runTable1(flags: Table1Flags): Promise<void> {
  const [lambda = 1, ...more] = flags.lambda ?? [];
  if (more.length > 0 || !(lambda > 0))
    throw new UsageError(`--lambda: expected one number > 0 for table1, got "${flags.lambda?.join(",")}"`);
  const { samples = SAMPLES } = flags;
  if (typeof samples !== "number")
    throw new UsageError("--samples: expected a number N for table1, the first N images");
  checkTargets({ "--json": flags.json });
  const output = new Output({ quiet: flags.quiet, data: [flags.json] });
  const rows: Table1Row[] = [];
  const show = (complete: boolean) => {
    output.text("Table 1: kernel machines on MNIST 0/1; mean certified l-inf radii of correctly classified images.\n");
    output.text(`${machinesOf(rows, lambda)}\n${figuresOf(rows)}`);
    output.json(flags.json, { complete, lambda, rows });
  };
  try {
    await withSession(flags, async (session) => {
      session.progress.step("Table 1", 1);
      await table1({ ...session.work, lambda, count: samples, onRow: (row) => rows.push(row) });
      session.progress.clear();
    });
  } catch (error) {
    if (!(error instanceof Interrupted) || rows.length === 0) throw error;
    show(false);
    throw error.leaving(`the ${rows.length} finished rows are shown`);
  }
  show(true);
}
