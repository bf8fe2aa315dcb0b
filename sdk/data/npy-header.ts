// The header of an NPY file: a Python dict literal with the keys descr, fortran_order and shape, nothing else. A
// parser for just that; not a Python parser, and nothing is evaluated.
import { FormatError } from "../errors.js";
import type { ByteOrder } from "./bytes.js";

export interface NpyHeader {
  /** Letter and width, as "f8"; whether it is supported is for the reader to say. */
  readonly kind: string;
  /** Byte offset of the header in the file. */
  readonly at: number;
  readonly order: ByteOrder;
  readonly fortranOrder: boolean;
  readonly shape: number[];
}

const SPACE = /[ \t\r\n]*/y;
const STRING = /'([^'\\\n]*)'|"([^"\\\n]*)"/y;
const BOOLEAN = /(True|False)\b/y;
// Python 2 wrote long integers with an L.
const INTEGER = /(0|[1-9][0-9]*)L?\b/y;

class Cursor {
  position = 0;

  constructor(
    readonly text: string,
    readonly start: number,
  ) {}

  error(what: string): FormatError {
    return new FormatError("npy", this.start + this.position, `header: ${what}`);
  }

  match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.position;
    const found = pattern.exec(this.text);
    if (found !== null) this.position += found[0].length;
    return found;
  }

  skipSpace(): void {
    this.match(SPACE);
  }

  /** Whether `symbol` came next; if so it is behind the cursor now. */
  accept(symbol: string): boolean {
    this.skipSpace();
    if (this.text[this.position] !== symbol) return false;
    this.position++;
    return true;
  }

  expect(symbol: string): void {
    if (!this.accept(symbol)) throw this.error(`expected ${symbol}`);
  }

  string(what: string): string {
    this.skipSpace();
    const found = this.match(STRING);
    if (found === null) throw this.error(`expected ${what} in quotes`);
    return found[1] ?? found[2]!;
  }

  boolean(): boolean {
    this.skipSpace();
    const found = this.match(BOOLEAN);
    if (found === null) throw this.error("expected True or False");
    return found[1] === "True";
  }

  /** A tuple of integers: (), (3,), (3, 4) or (3, 4,). */
  tuple(): number[] {
    this.expect("(");
    const integers: number[] = [];
    let comma = true;
    while (!this.accept(")")) {
      if (!comma) throw this.error("expected , or ) after a dimension");
      this.skipSpace();
      const found = this.match(INTEGER);
      if (found === null) throw this.error("expected a dimension, an integer >= 0");
      const value = Number(found[1]);
      if (!Number.isSafeInteger(value)) throw this.error(`dimension ${found[1]} is beyond 2^53 - 1`);
      integers.push(value);
      comma = this.accept(",");
    }
    // (3) is an integer in Python, not a tuple.
    if (integers.length === 1 && !comma) throw this.error("expected a tuple, a single dimension needs its comma");
    return integers;
  }
}

function parseDescr(cursor: Cursor): { kind: string; order: ByteOrder } {
  cursor.skipSpace();
  if ("[(".includes(cursor.text[cursor.position] ?? " "))
    throw cursor.error("structured dtypes are not supported, save plain numbers");
  const before = cursor.position;
  const descr = cursor.string("a dtype");
  const found = /^([<>|]?)([A-Za-z][0-9]*)$/.exec(descr);
  const [, mark = "", kind = ""] = found ?? [];
  // The mark may be left out only where there is no order to state.
  if (found === null || (!kind.endsWith("1") && mark !== "<" && mark !== ">")) {
    cursor.position = before;
    throw cursor.error(`dtype "${descr.slice(0, 40)}" is not supported, expected one like "<f8"`);
  }
  return { kind, order: mark === ">" ? "big" : "little" };
}

/** Parses the header; `start` is its byte offset in the file. FormatError at the byte where it goes wrong. */
export function parseNpyHeader(bytes: Uint8Array, start: number): NpyHeader {
  // One character a byte keeps positions and offsets the same; outside ASCII nothing is accepted anyway.
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  const cursor = new Cursor(text, start);
  let descr: { kind: string; order: ByteOrder } | undefined;
  let fortranOrder: boolean | undefined;
  let shape: number[] | undefined;
  cursor.expect("{");
  let comma = true;
  while (!cursor.accept("}")) {
    if (!comma) throw cursor.error("expected , or } after an entry");
    const key = cursor.string("a key");
    if (
      (descr && key === "descr") ||
      (fortranOrder !== undefined && key === "fortran_order") ||
      (shape && key === "shape")
    )
      throw cursor.error(`key "${key}" occurs twice`);
    cursor.expect(":");
    if (key === "descr") descr = parseDescr(cursor);
    else if (key === "fortran_order") fortranOrder = cursor.boolean();
    else if (key === "shape") shape = cursor.tuple();
    else throw cursor.error(`unknown key "${key.slice(0, 40)}"`);
    comma = cursor.accept(",");
  }
  cursor.skipSpace();
  if (cursor.position < text.length) throw cursor.error("expected nothing but spaces after }");
  if (descr === undefined) throw cursor.error('key "descr" is missing');
  if (fortranOrder === undefined) throw cursor.error('key "fortran_order" is missing');
  if (shape === undefined) throw cursor.error('key "shape" is missing');
  return { ...descr, at: start, fortranOrder, shape };
}
