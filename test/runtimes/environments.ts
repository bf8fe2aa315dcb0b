// The runtimes that the package is tested in, as commands: Node 20 and 22, Deno and Bun, from test/runtimes/node_modules, or
// Deno and Bun from the path where those are not pinned for a platform. Not here: Chromium (page.ts).
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

export const root = join(import.meta.dirname, "../..");
export const packages = join(import.meta.dirname, "node_modules");

const { platform, arch } = process;
const onPath = (name: string) => (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, binary(name)));
const binary = (name: string) => (platform === "win32" ? `${name}.exe` : name);

/** The first of these that is there; an error that says how to get it when none is. */
function installed(name: string, places: readonly string[]): string {
  const found = places.find((place) => existsSync(place));
  if (found === undefined)
    throw new Error(
      `${name} for ${platform} ${arch} is not installed: node scripts/runtimes.mjs, or put it on the path`,
    );
  return found;
}

/** Node of one major version: this one, or the one installed for the tests. */
function node(major: number): string {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath;
  const own = `node${major}-${platform}-${arch}`;
  return installed(`Node ${major}`, [join(packages, own, platform === "win32" ? "node.exe" : "bin/node")]);
}

function deno(): string {
  const builds = [`${platform}-${arch}-glibc`, `${platform}-${arch}`];
  return installed("Deno", [
    ...builds.map((build) => join(packages, "@deno", build, binary("deno"))),
    ...onPath("deno"),
  ]);
}

function bun(): string {
  const build = `bun-${platform === "win32" ? "windows" : platform}-${arch === "arm64" ? "aarch64" : arch}`;
  return installed("Bun", [join(packages, "@oven", build, "bin", binary("bun")), ...onPath("bun")]);
}

export interface Environment {
  readonly command: () => string;
  /** Before the file's name. Deno may read nothing but the modules that files import by name. */
  readonly options: readonly string[];
}

export const ENVIRONMENTS = {
  "Node 20": { command: () => node(20), options: [] },
  "Node 22": { command: () => node(22), options: [] },
  Deno: { command: deno, options: ["run", "--no-prompt", "--no-lock", "--quiet"] },
  Bun: { command: bun, options: ["run"] },
} as const satisfies Readonly<Record<string, Environment>>;

export type EnvironmentName = keyof typeof ENVIRONMENTS;
export const NAMES = Object.keys(ENVIRONMENTS) as EnvironmentName[];

const QUIET = { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", DO_NOT_TRACK: "1" };

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end; its status is null when it took longer than `seconds`. */
export function execute(
  command: string,
  args: readonly string[],
  { cwd = root, seconds = 60, env = {} }: { cwd?: string; seconds?: number; env?: Record<string, string> } = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 1000 * seconds,
      env: { ...process.env, ...QUIET, ...env },
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (text) => {
      stdout += text;
    });
    child.stderr.on("data", (text) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, stdout, stderr }));
  });
}

/** Runs a file in a runtime; its lines when it ends well, an error with all it said when not. */
export async function runFile(name: EnvironmentName, file: string, cwd = root): Promise<string[]> {
  const { command, options } = ENVIRONMENTS[name];
  const { status, stdout, stderr } = await execute(command(), [...options, file], { cwd });
  if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr}${stdout}`);
  return stdout.trim().split("\n");
}
