// Bytes from whatever a page or a runtime hands over: arrays, files that a person chose, answers of a server, streams.
// Not here: paths (files.ts), and what the bytes mean.
import { DataSourceError } from "../errors.js";
import { checkNumber, checkObject, describe } from "../validate.js";
import { sha256Hex } from "./hash.js";
import type { Progress } from "./runtime.js";

/** Whatever holds bytes. A File is a Blob; a Response and a ReadableStream can be read once. */
export type ByteSource = Uint8Array | ArrayBuffer | Blob | Response | ReadableStream<Uint8Array>;

export interface ReadOptions {
  /** Stops reading; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Bytes read so far, of `total`: Infinity while the length is not known. At the end both are the length. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** SHA-256 that the bytes must have, 64 hexadecimal digits. Default: any. */
  readonly sha256?: string | undefined;
  /** Most bytes that are taken, >= 0. Default 4 GiB. */
  readonly maxBytes?: number | undefined;
  /** What the bytes are called in errors and progress. Default: the file's name, the response's address, or "source". */
  readonly name?: string | undefined;
}

const EXPECTED = "a Uint8Array, ArrayBuffer, Blob, File, Response or ReadableStream";

// By their parts and not by their classes: a frame of a page has classes of its own.
const isStream = (value: object): value is ReadableStream<Uint8Array> =>
  typeof (value as ReadableStream).getReader === "function";
const isBlob = (value: object): value is Blob =>
  typeof (value as Blob).stream === "function" && typeof (value as Blob).size === "number";
const isResponse = (value: object): value is Response =>
  typeof (value as Response).ok === "boolean" && typeof (value as Response).headers?.get === "function";

/** Whether bytesOf() would read it; what it holds is another matter. */
export function isByteSource(value: unknown): value is ByteSource {
  if (typeof value !== "object" || value === null) return false;
  const plain = value instanceof Uint8Array || value instanceof ArrayBuffer;
  return plain || isStream(value) || isBlob(value) || isResponse(value);
}

/** What a source calls itself. */
function nameOf(source: ByteSource): string {
  const { name, url } = source as { name?: unknown; url?: unknown };
  for (const own of [name, url]) if (typeof own === "string" && own !== "") return own;
  return "source";
}

/** The stream of a source, and the bytes that it should hold: Infinity when not known. */
function open(source: Exclude<ByteSource, Uint8Array | ArrayBuffer>, name: string): [ReadableStream, number] {
  if (isStream(source)) return [source, Infinity];
  if (isBlob(source)) return [source.stream(), source.size];
  const { ok, status, statusText, headers, body, bodyUsed } = source;
  if (!ok) throw new DataSourceError(`${name}: the server answered ${`${status} ${statusText}`.trimEnd()}`);
  if (bodyUsed || body === null) throw new DataSourceError(`${name}: the response has no body, or was read before`);
  // The length of a body in transit says nothing of what comes out of its compression.
  const length = headers.get("content-encoding") === null ? Number(headers.get("content-length")) : 0;
  return [body, length > 0 ? length : Infinity];
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let end = 0;
  for (const chunk of chunks) {
    whole.set(chunk, end);
    end += chunk.length;
  }
  return whole;
}

const tooLong = (name: string, most: number) =>
  new DataSourceError(`${name}: has more than ${most} bytes; if that is meant, raise maxBytes`);

async function drain(stream: ReadableStream, total: number, name: string, most: number, options: ReadOptions) {
  const { signal, onProgress } = options;
  if (stream.locked) throw new DataSourceError(`${name}: the stream is being read elsewhere`);
  const reader: ReadableStreamDefaultReader<unknown> = stream.getReader();
  const stop = () => void reader.cancel(signal?.reason).catch(() => {});
  const next = () =>
    reader.read().catch((cause) => {
      signal?.throwIfAborted();
      throw new DataSourceError(`${name}: can not be read to its end (${cause?.message ?? cause})`, { cause });
    });
  signal?.addEventListener("abort", stop, { once: true });
  const chunks: Uint8Array[] = [];
  let length = 0;
  const report = () => onProgress?.({ stage: `reading ${name}`, done: length, total: Math.max(total, length) });
  try {
    report();
    for (;;) {
      const { done, value } = await next();
      signal?.throwIfAborted();
      if (done) break;
      if (!(value instanceof Uint8Array))
        throw new TypeError(`${name}: expected a stream of Uint8Array, got ${describe(value)} from it`);
      length += value.length;
      if (length > most) throw tooLong(name, most);
      chunks.push(value);
      report();
    }
    // Now the length is known for sure.
    onProgress?.({ stage: `reading ${name}`, done: length, total: length });
    return joined(chunks, length);
  } catch (error) {
    stop();
    throw error;
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

/**
 * All bytes of a source, for any reader: `loadModel(await bytesOf(file))`, `readNpz(await bytesOf(response))`. Those of an
 * array come back over the same memory.
 * @throws TypeError for anything else; DataSourceError when it can not be read, is too long or has another SHA-256; the
 * signal's reason
 */
export async function bytesOf(source: ByteSource, options: ReadOptions = {}): Promise<Uint8Array> {
  checkObject("options", options);
  if (!isByteSource(source)) throw new TypeError(`source: expected ${EXPECTED}, got ${describe(source)}`);
  const { signal, sha256 } = options;
  const name = options.name ?? nameOf(source);
  const most = checkNumber("maxBytes", options.maxBytes ?? 2 ** 32, { min: 0 });
  if (sha256 !== undefined) checkDigest("sha256", sha256);
  signal?.throwIfAborted();
  let bytes: Uint8Array;
  if (source instanceof Uint8Array) bytes = new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  else if (source instanceof ArrayBuffer) bytes = new Uint8Array(source);
  else bytes = await drain(...open(source, name), name, most, options);
  if (bytes.length > most) throw tooLong(name, most);
  if (sha256 !== undefined) await checkSha256(name, bytes, sha256);
  signal?.throwIfAborted();
  return bytes;
}

/** Throws unless `value` is a SHA-256 in hexadecimal. */
export function checkDigest(name: string, value: unknown): string {
  if (typeof value !== "string") throw new TypeError(`${name}: expected 64 hexadecimal digits, got ${describe(value)}`);
  if (!/^[0-9a-f]{64}$/i.test(value))
    throw new RangeError(`${name}: expected 64 hexadecimal digits, got ${describe(value)}`);
  return value.toLowerCase();
}

/** Throws a DataSourceError when the bytes have another SHA-256. */
export async function checkSha256(name: string, bytes: Uint8Array, expected: string): Promise<void> {
  const found = await sha256Hex(bytes);
  if (found !== expected.toLowerCase())
    throw new DataSourceError(`${name}: expected SHA-256 ${expected}, got ${found}: damaged, or another file`);
}
