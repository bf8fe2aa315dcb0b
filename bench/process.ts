// Programs run to their end, one at a time, ended early when the benchmark is. Not here: which programs.
import { spawn } from "node:child_process";

export interface ProcessOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** Lines of a failed program's complaint that are passed on. */
const TAIL = 3;

/** Standard output. Throws an Error with the last lines of standard error, or the signal's reason. */
export async function outputOf(command: string, args: readonly string[], options: ProcessOptions): Promise<string> {
  const { environment, signal } = options;
  signal.throwIfAborted();
  const child = spawn(command, args, {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stop = () => child.kill("SIGTERM");
  signal.addEventListener("abort", stop, { once: true });
  let output = "";
  let complaint = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint += text;
  });
  try {
    const [code, killed] = await new Promise<[number | null, string | null]>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (...end) => resolve(end));
    });
    signal.throwIfAborted();
    if (code === 0) return output;
    const lines = complaint.trim().split("\n").slice(-TAIL).join(" | ");
    throw new Error(
      `${killed === null ? `exit code ${code}` : `ended by ${killed}`}${lines === "" ? "" : `: ${lines}`}`,
    );
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** The last line of standard output, read as JSON. */
export async function jsonOf(command: string, args: readonly string[], options: ProcessOptions): Promise<unknown> {
  const output = await outputOf(command, args, options);
  const line = output.trim().split("\n").at(-1) ?? "";
  try {
    return JSON.parse(line);
  } catch {
    throw new Error(`expected a line of JSON, got ${line === "" ? "nothing" : JSON.stringify(line.slice(0, 80))}`);
  }
}
