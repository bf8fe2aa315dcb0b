// Safetensors, the format of named tensors: a length, a JSON header and the data, little-endian. Files open in
// Python's safetensors and the other way round. Not here: what a model stores in them.
import { FormatError } from "../errors.js";
import { checkChoice, checkObject, describe } from "../validate.js";
import { checkBytes, checkShape, copyElements, elementCount, littleEndian } from "./bytes.js";
import { type Fail, type JsonNode, parseJson } from "./json.js";

// In the order in which Python's safetensors lays tensors out: what needs more alignment goes first.
const CLASSES = {
  I64: BigInt64Array,
  F64: Float64Array,
  F32: Float32Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const;

export type TensorDtype = keyof typeof CLASSES;
const DTYPES = Object.keys(CLASSES) as TensorDtype[];

export type TensorData = BigInt64Array | Float64Array | Float32Array | Int32Array | Int16Array | Int8Array | Uint8Array;

export interface Tensor {
  readonly dtype: TensorDtype;
  /** Dimensions, slowest first; a scalar has none. */
  readonly shape: readonly number[];
  /** The elements, row-major, of the class that dtype names; BOOL is a Uint8Array. */
  readonly data: TensorData;
}

export interface TensorInput {
  /** Taken from the class of `data` when not given; Uint8Array is U8. */
  readonly dtype?: TensorDtype;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

export interface SafetensorsFile {
  /** In the order of their data. */
  readonly tensors: Map<string, Tensor>;
  /** Free text by key; an object without prototype. */
  readonly metadata: Record<string, string>;
}

const METADATA = "__metadata__";
/** The limit of the reference implementation. */
const MAX_HEADER = 100_000_000;

interface Placed {
  readonly name: string;
  readonly at: number;
  readonly dtype: TensorDtype;
  readonly shape: number[];
  readonly begin: number;
  readonly end: number;
}

function decodeHeader(file: Uint8Array): { text: string; end: number } {
  const fail = (offset: number, what: string) => new FormatError("safetensors", offset, what);
  if (file.length < 8) throw fail(file.length, "the file ends inside the length of its header");
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const length = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
  if (length > file.length - 8) throw fail(0, `a header of ${length} bytes declared, ${file.length - 8} follow`);
  if (length > MAX_HEADER) throw fail(0, `a header of ${length} bytes declared, at most ${MAX_HEADER}`);
  if (length === 0 || file[8] !== 0x7b) throw fail(8, "the header must begin with {");
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return { text: decoder.decode(file.slice(8, 8 + length)), end: 8 + length };
  } catch {
    throw fail(8, "the header is not UTF-8");
  }
}

/** A JSON integer >= 0 that a number holds exactly. */
function parseIndex(node: JsonNode, fail: Fail): number {
  const value = node.kind === "number" && /^\d+$/.test(node.text) ? Number(node.text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw fail(node.at, "expected an integer from 0 to 2^53 - 1");
  return value;
}

function parseIndices(node: JsonNode, fail: Fail): number[] {
  if (node.kind !== "array") throw fail(node.at, "expected an array of integers");
  return node.items.map((item) => parseIndex(item, fail));
}

function parseTensor(name: string, node: JsonNode, fail: Fail): Placed {
  const label = `tensor ${JSON.stringify(name)}`;
  if (node.kind !== "object") throw fail(node.at, `${label}: expected an object`);
  const field = (key: string) => {
    const found = node.entries.get(key);
    if (found === undefined) throw fail(node.at, `${label}: ${key} is missing`);
    return found;
  };
  const type = field("dtype");
  const dtype = DTYPES.find((known) => type.kind === "string" && known === type.text);
  if (dtype === undefined) throw fail(type.at, `${label}: unknown dtype, expected one of ${DTYPES.join(" ")}`);
  const shape = parseIndices(field("shape"), fail);
  const offsets = field("data_offsets");
  const [begin, end, ...more] = parseIndices(offsets, fail);
  if (begin === undefined || end === undefined || more.length > 0 || end < begin)
    throw fail(offsets.at, `${label}: data_offsets must be [begin, end]`);
  const needed = elementCount(shape) * CLASSES[dtype].BYTES_PER_ELEMENT;
  if (needed !== end - begin)
    throw fail(
      offsets.at,
      `${label}: shape [${shape}] of ${dtype} needs ${needed} bytes, data_offsets span ${end - begin}`,
    );
  return { name, at: offsets.at, dtype, shape, begin, end };
}

function parseMetadata(node: JsonNode, fail: Fail): Record<string, string> {
  if (node.kind !== "object") throw fail(node.at, `${METADATA} must be an object`);
  const metadata: Record<string, string> = Object.create(null);
  for (const [key, value] of node.entries) {
    if (value.kind !== "string") throw fail(value.at, `${METADATA}: expected a string for ${JSON.stringify(key)}`);
    metadata[key] = value.text;
  }
  return metadata;
}

/** Checks that the tensors, in the order of their data, cover all of it without hole or overlap. */
function checkLayout(placed: readonly Placed[], size: number, start: number, fail: Fail): void {
  let end = 0;
  for (const tensor of placed) {
    const label = `tensor ${JSON.stringify(tensor.name)}`;
    if (tensor.begin > end)
      throw fail(tensor.at, `${label}: ${tensor.begin - end} bytes before it belong to no tensor`);
    if (tensor.begin < end) throw fail(tensor.at, `${label}: overlaps the tensor before it`);
    if (tensor.end > size) throw fail(tensor.at, `${label}: ends at ${tensor.end}, the data have ${size} bytes`);
    end = tensor.end;
  }
  if (end < size) throw new FormatError("safetensors", start + end, `${size - end} bytes after the last tensor`);
}

/**
 * Reads a safetensors file; the result shares no memory with `bytes`. Throws FormatError, with the byte offset, on a
 * file that the format does not allow and on dtypes other than those of `TensorDtype`.
 */
export function readSafetensors(bytes: Uint8Array): SafetensorsFile {
  const file = checkBytes("bytes", bytes);
  const { text, end: start } = decodeHeader(file);
  // Offsets count bytes, the parser characters.
  const fail: Fail = (index, what) =>
    new FormatError("safetensors", 8 + new TextEncoder().encode(text.slice(0, index)).length, `header: ${what}`);
  const root = parseJson(text, fail);
  if (root.kind !== "object") throw fail(0, "expected an object");
  let metadata: Record<string, string> = Object.create(null);
  const placed: Placed[] = [];
  for (const [name, node] of root.entries) {
    if (name === METADATA) metadata = parseMetadata(node, fail);
    else placed.push(parseTensor(name, node, fail));
  }
  placed.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkLayout(placed, file.length - start, start, fail);
  const tensors = new Map<string, Tensor>();
  for (const { name, dtype, shape, begin } of placed) {
    const data = copyElements(file, start + begin, elementCount(shape), CLASSES[dtype], "little");
    tensors.set(name, { dtype, shape, data });
  }
  return { tensors, metadata };
}

function checkUnicode(name: string, value: unknown): string {
  if (typeof value !== "string") throw new TypeError(`${name}: expected a string, got ${describe(value)}`);
  if (/\p{Surrogate}/u.test(value)) throw new RangeError(`${name}: expected Unicode text, got half a surrogate pair`);
  return value;
}

function checkTensor(name: string, tensor: TensorInput): Tensor {
  const label = `tensors[${JSON.stringify(checkUnicode("tensors", name))}]`;
  if (name === METADATA) throw new RangeError(`tensors: the name ${METADATA} is reserved, pass metadata instead`);
  checkObject(label, tensor);
  const { data } = tensor;
  const natural = DTYPES.find((known) => data instanceof CLASSES[known]);
  if (natural === undefined)
    throw new TypeError(`${label}.data: expected a typed array of ${DTYPES.join(" ")}, got ${describe(data)}`);
  const dtype = tensor.dtype === undefined ? natural : checkChoice(`${label}.dtype`, tensor.dtype, DTYPES);
  if (!(data instanceof CLASSES[dtype]))
    throw new TypeError(`${label}.data: expected a ${CLASSES[dtype].name} for ${dtype}, got ${describe(data)}`);
  if (dtype === "BOOL" && (data as Uint8Array).some((value) => value > 1))
    throw new RangeError(`${label}.data: expected 0 or 1 for BOOL`);
  return { dtype, shape: checkShape(`${label}.shape`, tensor.shape, data.length), data };
}

/** Order of strings by their UTF-8 bytes, as Python and Rust have it; JavaScript's own differs beyond U+FFFF. */
function compareText(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => new TextEncoder().encode(text));
  const length = Math.min(left!.length, right!.length);
  for (let i = 0; i < length; i++) if (left![i] !== right![i]) return left![i]! - right![i]!;
  return left!.length - right!.length;
}

/**
 * The bytes of a safetensors file, laid out as Python's safetensors does: by descending alignment, then by name, each
 * tensor aligned. The same input gives the same bytes. TypeError for wrong types; RangeError when shape and data do
 * not fit, a name is reserved or text is not Unicode.
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, TensorInput> | Readonly<Record<string, TensorInput>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  checkObject("tensors", tensors);
  checkObject("metadata", metadata);
  const given = (tensors instanceof Map ? [...tensors] : Object.entries(tensors)) as [string, TensorInput][];
  const sorted = given
    .map(([name, tensor]) => ({ name, ...checkTensor(name, tensor) }))
    .sort((a, b) => DTYPES.indexOf(a.dtype) - DTYPES.indexOf(b.dtype) || compareText(a.name, b.name));
  const texts = Object.entries(metadata).map(([key, value]) => {
    const text = checkUnicode(`metadata[${JSON.stringify(checkUnicode("metadata", key))}]`, value);
    return `${JSON.stringify(key)}:${JSON.stringify(text)}`;
  });
  const fields = texts.length === 0 ? [] : [`"${METADATA}":{${texts}}`];
  let size = 0;
  for (const { name, dtype, shape, data } of sorted) {
    const info = { dtype, shape, data_offsets: [size, size + data.byteLength] };
    fields.push(`${JSON.stringify(name)}:${JSON.stringify(info)}`);
    size += data.byteLength;
  }
  const header = new TextEncoder().encode(`{${fields}}`);
  const start = 8 + Math.ceil(header.length / 8) * 8;
  const file = new Uint8Array(start + size);
  new DataView(file.buffer).setBigUint64(0, BigInt(start - 8), true);
  file.fill(0x20, 8, start);
  file.set(header, 8);
  let end = start;
  for (const { data } of sorted) {
    file.set(littleEndian(data), end);
    end += data.byteLength;
  }
  return file;
}
