// ntkit tightness: certificates beside attacks, for the machines of the paper's tables. Not here: the measuring (the SDK).
import type { Command } from "commander";
import { TIGHTNESS_MACHINES, type TightnessMachine, type TightnessRow, tightness } from "ntkit";
import { Interrupted, UsageError } from "./errors.js";
import { type CommonOptions, finish, numberOption, valueOption } from "./options.js";
import { checkTargets, Output } from "./output.js";
import { withSession } from "./session.js";
import { radius, textTable } from "./table.js";

interface TightnessFlags extends CommonOptions {
  readonly machines?: readonly TightnessMachine[];
  readonly count?: number;
  readonly domain?: boolean;
}

const HEADER = ["machine", "rows", "images", "paper's", "linear", "certified", "attacked", "ratio", "worst", "s/image"];

/** A ratio rounded down: nothing may look more exact than it is. */
const ratioDown = (value: number | null) => (value === null ? "-" : (Math.floor(value * 1000) / 1000).toFixed(3));

function tableOf(rows: readonly TightnessRow[]): string {
  const cells = rows.map((row) => [
    row.machine,
    String(row.rows),
    String(row.samples),
    row.interval === null ? "-" : radius(row.interval.mean),
    radius(row.linear.mean),
    radius(row.certified.mean),
    row.attacked.mean?.toPrecision(4) ?? "-",
    ratioDown(row.ratio.mean),
    ratioDown(row.ratio.min),
    row.seconds.certify.toFixed(2),
  ]);
  return textTable(HEADER, cells, "lrrrrrrrrr");
}

function parseMachines(flag: string, text: string): TightnessMachine[] {
  return text.split(",").map((name) => {
    const known = TIGHTNESS_MACHINES.find((machine) => machine === name);
    if (known === undefined) throw new UsageError(`${flag}: expected ${TIGHTNESS_MACHINES.join(", ")}, got "${name}"`);
    return known;
  });
}

async function run(flags: TightnessFlags): Promise<void> {
  checkTargets({ "--json": flags.json });
  const output = new Output({ quiet: flags.quiet, data: [flags.json] });
  const rows: TightnessRow[] = [];
  const show = () => {
    output.text("Mean l-inf radii; certified <= unknown <= attacked; ratio is certified / attacked, 1 is exact.\n");
    output.text(tableOf(rows));
    output.json(flags.json, { domain: flags.domain === true ? "[0, 1]" : "unbounded", rows });
  };
  try {
    await withSession(flags, async (session) => {
      const { machines, count, domain } = flags;
      session.progress.step("measuring", 1);
      await tightness({ machines, count, domain, ...session.work, onRow: (row) => rows.push(row) });
      session.progress.clear();
    });
  } catch (error) {
    if (!(error instanceof Interrupted) || rows.length === 0) throw error;
    show();
    throw error.leaving(`the ${rows.length} finished rows are shown`);
  }
  show();
}

export function addTightness(program: Command): void {
  const command = program
    .command("tightness")
    .description("how nearly exact certificates are: bounds of five machines on MNIST 0/1 beside attacks")
    .addOption(
      valueOption("--machines <list>", `some of ${TIGHTNESS_MACHINES.join(", ")} (default: all)`, parseMachines),
    )
    .addOption(
      numberOption("--count <n>", "correctly classified test images, from the first on (default: 100)", {
        min: 1,
        integer: true,
      }),
    )
    .option("--domain", "only inputs with every entry in [0, 1] (default: any real input)")
    .action(run);
  finish(command, ["tightness --machines svm --count 20", "tightness --json tightness.json"]);
}
