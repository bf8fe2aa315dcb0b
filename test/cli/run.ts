// Runs the built command line as a user's shell does, in a folder of its own. Not here: what is expected of it.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, vi } from "vitest";

const PROGRAM = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));

// Processes start slowly on a machine that is busy with other tests.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly folder?: string;
  /** Milliseconds after the start at which Ctrl-C is pressed. */
  readonly interrupts?: readonly number[];
}

/** An empty folder that goes away after the tests of the file. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "ntkit-cli-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** One run with both streams as text. */
export function run(args: readonly string[], { folder = ".", interrupts = [] }: RunOptions = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [PROGRAM, ...args], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    const timers = interrupts.map((delay) => setTimeout(() => child.kill("SIGINT"), delay));
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.once("error", reject);
    child.once("close", (code, signal) => {
      timers.forEach(clearTimeout);
      resolve({ code, signal, stdout, stderr });
    });
  });
}

/** A command line in one string; no argument of the tests has a space. */
export function shell(line: string, options?: RunOptions): Promise<Finished> {
  return run(line.split(" ").filter(Boolean), options);
}
