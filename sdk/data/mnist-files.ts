// Where the four files of MNIST come from: a folder, an address, files that a person chose, or bytes at hand; and how
// their names are spelled. Not here: what they hold (mnist.ts).
import { DataSourceError } from "../errors.js";
import { listFolder, mnistFolder, readAddress, readBytes } from "../runtime/files.js";
import {
  type ByteSource,
  bytesOf,
  checkDigest,
  checkSha256,
  isByteSource,
  type ReadOptions,
} from "../runtime/sources.js";
import { checkObject, describe } from "../validate.js";
import { gunzip, isGzip } from "./inflate.js";

const STEMS: Readonly<Record<MnistPart, string>> = {
  trainImages: "train-images?idx3-ubyte",
  trainLabels: "train-labels?idx1-ubyte",
  testImages: "t10k-images?idx3-ubyte",
  testLabels: "t10k-labels?idx1-ubyte",
};

export type MnistPart = "trainImages" | "trainLabels" | "testImages" | "testLabels";
const PARTS: readonly MnistPart[] = ["trainImages", "trainLabels", "testImages", "testLabels"];

/** The four files, gzipped or not. */
export type MnistBytes = { readonly [part in MnistPart]: ByteSource };

/** SHA-256 of each file as it is without gzip. */
export type MnistHashes = { readonly [part in MnistPart]: string };

/** SHA-256 of the four files of MNIST itself, without gzip. */
export const MNIST_SHA256: MnistHashes = {
  trainImages: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
  trainLabels: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
  testImages: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
  testLabels: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
};

/** Files that a person chose, all four in any order, told apart by their names. */
export interface MnistFiles {
  readonly files: Iterable<File>;
}

/** A folder on a server. */
export interface MnistAddress {
  /** Address of the folder; a relative one counts from the page. */
  readonly url: string | URL;
}

/** A folder with the four files, their address, the files themselves, or what holds their bytes. */
export type MnistSource = { readonly folder: string } | MnistAddress | MnistFiles | MnistBytes;

type Read = { readonly [part in MnistPart]: Uint8Array };
type Reader = (part: MnistPart, options: ReadOptions) => Promise<Uint8Array>;

/** Spellings in use: with - or . before "idx", gzipped or not. */
function spellings(part: MnistPart): string[] {
  const names = ["-", "."].map((mark) => STEMS[part].replace("?", mark));
  return [...names, ...names.map((name) => `${name}.gz`)];
}

function nameIn(present: ReadonlySet<string>, part: MnistPart, where: string): string {
  const name = spellings(part).find((spelling) => present.has(spelling));
  if (name !== undefined) return name;
  throw new DataSourceError(`${where}: expected the file ${spellings(part)[0]}, also with .idx or .gz, found none`);
}

async function inFolder(folder: string): Promise<Reader> {
  const present = new Set(await listFolder(folder));
  // All names before the first file: nothing is read when one is missing.
  const names = new Map(PARTS.map((part) => [part, nameIn(present, part, folder)]));
  return (part, { signal }) => readBytes(`${folder}/${names.get(part)}`, signal);
}

function amongFiles(files: unknown): Reader {
  if (typeof files !== "object" || files === null || !(Symbol.iterator in files))
    throw new TypeError(`source.files: expected a list of files, got ${describe(files)}`);
  const byName = new Map([...(files as Iterable<File>)].map((file) => [file?.name, file]));
  const where = `the ${byName.size} files chosen`;
  const names = new Map(PARTS.map((part) => [part, nameIn(new Set(byName.keys()), part, where)]));
  return (part, options) => bytesOf(byName.get(names.get(part) ?? "") as File, options);
}

/** Tries the spellings until a server knows one; the smaller files first. */
function atAddress(url: string | URL): Reader {
  const page = (globalThis as { location?: { href: string } }).location?.href;
  let base: URL;
  try {
    base = new URL(`${url}`.replace(/\/*$/, "/"), page);
  } catch {
    throw new RangeError(`source.url: expected the address of a folder, got ${describe(`${url}`)}`);
  }
  return async (part, options) => {
    for (const name of spellings(part).reverse()) {
      const found = await readAddress(new URL(name, base)).catch((error) => error as DataSourceError);
      options.signal?.throwIfAborted();
      if (found instanceof Response && (found.status === 404 || isPage(found))) continue;
      if (found instanceof Error) throw found;
      return bytesOf(found, { ...options, name });
    }
    throw new DataSourceError(
      `${base.href}: expected the file ${spellings(part)[0]}, also with .idx or .gz, found none`,
    );
  };
}

/** Some servers answer with their start page where there is no file. */
const isPage = (response: Response) => response.headers.get("content-type")?.startsWith("text/html") === true;

function amongBytes(source: Record<string, unknown>): Reader {
  for (const part of PARTS)
    if (!isByteSource(source[part]))
      throw new TypeError(`source.${part}: expected a Uint8Array, File or Response, got ${describe(source[part])}`);
  return (part, options) => bytesOf(source[part] as ByteSource, { name: part, ...options });
}

async function readerOf(source: unknown): Promise<Reader> {
  if (source === undefined) return inFolder(await mnistFolder());
  const given = checkObject("source", source);
  if (given.url !== undefined) return atAddress(checkAddress(given.url));
  if (given.files !== undefined) return amongFiles(given.files);
  if (given.folder === undefined) return amongBytes(given);
  if (typeof given.folder !== "string")
    throw new TypeError(`source.folder: expected a string, got ${describe(given.folder)}`);
  return inFolder(given.folder);
}

function checkAddress(url: unknown): string | URL {
  if (typeof url !== "string" && !(url instanceof URL))
    throw new TypeError(`source.url: expected a string or URL, got ${describe(url)}`);
  return url;
}

/** The digests that the files have to have, if any. */
function digestsOf(source: unknown, check: unknown): MnistHashes | undefined {
  if (check === false) return undefined;
  if (check === undefined) return (source as MnistAddress | undefined)?.url === undefined ? undefined : MNIST_SHA256;
  const given = checkObject("sha256", check);
  for (const part of PARTS) checkDigest(`sha256.${part}`, given[part]);
  return given as unknown as MnistHashes;
}

/**
 * The four files, without gzip, checked.
 * @throws DataSourceError when one is missing or has another SHA-256, FormatError when its gzip is corrupt
 */
export async function readMnistFiles(source: unknown, check: unknown, options: ReadOptions): Promise<Read> {
  const digests = digestsOf(source, check);
  const read = await readerOf(source);
  const files: Partial<Record<MnistPart, Uint8Array>> = {};
  for (const part of PARTS) {
    const bytes = await read(part, options);
    const plain = isGzip(bytes) ? gunzip(bytes) : bytes;
    if (digests !== undefined) await checkSha256(part, plain, digests[part]);
    files[part] = plain;
  }
  return files as Read;
}
