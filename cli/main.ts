// The command line: its commands, and the one place that turns errors into messages and exit codes. Not here: what the
// commands do (one file each) and any mathematics (the SDK).
import { Command, CommanderError } from "commander";
import { VERSION } from "ntkit";
import { addAttack } from "./attack.js";
import { addBench } from "./bench.js";
import { addCertify } from "./certify.js";
import { addCv } from "./cv.js";
import { addDigits } from "./digits.js";
import { Interrupted, UsageError } from "./errors.js";
import { addExport } from "./export.js";
import { addDynamics } from "./figures.js";
import { addInspect } from "./inspect.js";
import { addMerge } from "./merge.js";
import { addPredict } from "./predict.js";
import { addQuickstart } from "./quickstart.js";
import { addReproduce } from "./reproduce.js";
import { addTheory } from "./theory.js";
import { addTightness } from "./tightness.js";
import { addTrain } from "./train.js";
import { addVerifyCert } from "./verify-cert.js";

function makeProgram(): Command {
  const program = new Command("ntkit")
    .description("Infinite-width neural networks as kernel machines: trained, compared and certified")
    .version(VERSION, "--version", "print the version")
    .helpOption("--help", "show this help")
    .helpCommand(false)
    .enablePositionalOptions()
    .exitOverride()
    // Messages come from explain() below, so that they all look alike.
    .configureOutput({ outputError: () => {} })
    .addHelpText(
      "after",
      "\nStart with: ntkit quickstart\nHelp on a command: ntkit <command> --help\nExit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted",
    );
  const commands = [
    addQuickstart,
    addTrain,
    addCv,
    addCertify,
    addAttack,
    addMerge,
    addVerifyCert,
    addPredict,
    addInspect,
    addExport,
    addReproduce,
    addTightness,
    addDigits,
    addDynamics,
    addTheory,
    addBench,
  ];
  for (const add of commands) add(program);
  return program;
}

function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, " ");
}

/** Writes what went wrong to standard error; returns the exit code. */
function explain(program: Command, error: unknown): number {
  if (error instanceof CommanderError && error.exitCode === 0) return 0;
  const usage = error instanceof UsageError || error instanceof CommanderError;
  // Help that was shown because there was no command.
  if (error instanceof CommanderError && error.code === "commander.help") return 2;
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  if (!usage) {
    if (process.argv.includes("--debug")) process.stderr.write(`${stack}\n`);
    else process.stderr.write(`ntkit: ${oneLine(message)}\n`);
    return error instanceof Interrupted ? error.exitCode : 1;
  }
  const name = program.commands.find((command) => command.name() === process.argv[2])?.name();
  const help = name === undefined ? "ntkit --help" : `ntkit ${name} --help`;
  process.stderr.write(`ntkit: ${oneLine(message).replace(/^error: /, "")}\nSee ${help}\n`);
  return 2;
}

// A reader that has seen enough (head, less) closes the pipe.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") process.stderr.write(`ntkit: standard output: ${error.message}\n`);
  process.exit(error.code === "EPIPE" ? 0 : 1);
});

const program = makeProgram();
program.parseAsync(process.argv).catch((error: unknown) => {
  process.exitCode = explain(program, error);
});
