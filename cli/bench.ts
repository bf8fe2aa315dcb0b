// ntkit bench: runs the benchmarks' own program, which lies beside the command line and parses its own arguments. Not
// here: the jobs (bench/).
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { exitCodeOf, Failure, STOP_SIGNALS } from "./errors.js";

const PROGRAM = fileURLToPath(new URL("./bench.js", import.meta.url));

async function bench(args: readonly string[]): Promise<void> {
  if (!existsSync(PROGRAM))
    throw new Failure(`bench: ${PROGRAM} is missing: build it in a checkout of the sources with npm run build`);
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: "inherit" });
  // Ctrl-C reaches the program too; this process waits for its end and passes on how it ended.
  const wait = () => {};
  for (const name of STOP_SIGNALS) process.on(name, wait);
  try {
    process.exitCode = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => {
        const stopped = STOP_SIGNALS.find((name) => name === signal);
        resolve(code ?? (stopped === undefined ? 1 : exitCodeOf(stopped)));
      });
    });
  } finally {
    for (const name of STOP_SIGNALS) process.off(name, wait);
  }
}

export function addBench(program: Command): void {
  program
    .command("bench")
    .description("time the jobs of the benchmark suite, beside their peers with --peers")
    .usage("[job...] [--peers] [--json <file>] [options of the suite]")
    .argument("[args...]", "jobs and options, passed on as they are")
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(bench);
}
