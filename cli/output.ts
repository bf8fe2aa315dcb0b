// Where results go: tables to standard output (to standard error when standard output carries data), data to files.
// A file is written beside its place and renamed into it, so that it is whole at any moment. Not here: reading.
import { realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { Failure, UsageError } from "./errors.js";

/** Files of one run by flag (or argument), to be checked before work begins. */
export type Targets = Readonly<Record<string, string | undefined>>;

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "its folder does not exist",
  ENOTDIR: "its folder is not a folder",
  EACCES: "permission denied",
  EISDIR: "is a folder",
  ENOSPC: "no space left on the disk",
  EROFS: "the file system is read-only",
};

function failure(path: string, error: unknown): Failure {
  const { code, message } = error as { code?: string; message?: string };
  return new Failure(`${path}: can not be written, ${REASONS[code ?? ""] ?? message ?? error}`, { cause: error });
}

/** What kind of thing is at a path; undefined when there is nothing. */
function statOf(path: string) {
  return statSync(path, { throwIfNoEntry: false });
}

/**
 * Finds out before the work whether its results can be written. `inputs` must not be written over.
 * @throws UsageError when two flags name one file, Failure when a folder is missing
 */
export function checkTargets(targets: Targets, inputs: Targets = {}): void {
  const taken = new Map<string, string>();
  for (const [name, path] of Object.entries(inputs)) if (path !== undefined) taken.set(resolve(path), name);
  for (const [flag, path] of Object.entries(targets)) {
    if (path === undefined) continue;
    const place = path === "-" ? "-" : resolve(path);
    const other = taken.get(place);
    if (other !== undefined)
      throw new UsageError(`${flag}: expected another file than ${other}, got "${path}" for both`);
    taken.set(place, flag);
    if (path === "-") continue;
    if (statOf(path)?.isDirectory()) throw new Failure(`${path}: can not be written, is a folder`);
    if (!statOf(dirname(place))?.isDirectory())
      throw new Failure(`${path}: can not be written, its folder does not exist`);
  }
}

/** Writes a whole file, or nothing. Devices and pipes are written to as they are. @throws Failure */
export function writeWhole(path: string, content: string | Uint8Array): void {
  let temporary: string | undefined;
  try {
    const present = statOf(path);
    if (present !== undefined && !present.isFile()) {
      writeFileSync(path, content);
      return;
    }
    const place = present === undefined ? path : realpathSync(path);
    temporary = `${place}.${process.pid}.tmp`;
    writeFileSync(temporary, content);
    renameSync(temporary, place);
  } catch (error) {
    if (temporary !== undefined) rmSync(temporary, { force: true });
    throw failure(path, error);
  }
}

export interface OutputOptions {
  readonly quiet?: boolean | undefined;
  /** Targets that carry data; one of them may be "-". */
  readonly data: readonly (string | undefined)[];
}

export class Output {
  private readonly quiet: boolean;
  private readonly stream: NodeJS.WriteStream;

  constructor({ quiet = false, data }: OutputOptions) {
    this.quiet = quiet;
    this.stream = data.includes("-") ? process.stderr : process.stdout;
  }

  /** Text for people. */
  text(text: string): void {
    if (!this.quiet) this.stream.write(text);
  }

  /** A remark beside the result. */
  note(text: string): void {
    if (!this.quiet) process.stderr.write(`ntkit: ${text}\n`);
  }

  /** Data to a file, to standard output for "-", nowhere for undefined. */
  data(target: string | undefined, content: string | Uint8Array): void {
    if (target === undefined) return;
    if (target === "-") process.stdout.write(content);
    else writeWhole(target, content);
  }

  json(target: string | undefined, value: unknown): void {
    this.data(target, `${JSON.stringify(value, null, 2)}\n`);
  }
}
