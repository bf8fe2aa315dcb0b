// ntkit quickstart: the main job in one go. Trains the machines of Table 3 and of Table 2's infinitely wide network on
// MNIST 0/1, certifies every test image and prints the tables beside the paper's. Not here: the measuring itself.
import type { Command } from "commander";
import type { Plan } from "./experiment.js";
import { type CommonOptions, finish } from "./options.js";
import { TABLE3_RIDGE } from "./paper.js";
import { runExperiment } from "./reproduce.js";

const SEEDS = 3;

const NEXT = [
  "",
  "Next: npx ntkit train --data mnist:3,8 --machine svm --c 15.625 --out svm.safetensors",
  "      npx ntkit certify svm.safetensors --data mnist:3,8 --samples 100",
  "",
].join("\n");

const PLAN: Plan = {
  lambdas: TABLE3_RIDGE.map(({ lambda }) => lambda),
  descent: ["table3", "table2"],
  seeds: SEEDS,
  exact: true,
  samples: "all",
  seed: 0,
};

export function addQuickstart(program: Command): void {
  const command = program
    .command("quickstart")
    .description("train ten machines on MNIST 0/1, certify every test image, print Tables 3 and 2")
    .action((options: CommonOptions) => runExperiment(PLAN, options, NEXT));
  finish(command, ["quickstart", "quickstart --json tables.json"]);
}
