// A strict JSON parser for file headers: it knows where each value began, refuses keys that occur twice, and has no
// objects with a prototype to fool. Not a replacement for JSON.parse where none of that matters.

export type JsonNode = { readonly at: number } & (
  | { readonly kind: "string" | "number" | "literal"; readonly text: string }
  | { readonly kind: "array"; readonly items: readonly JsonNode[] }
  | { readonly kind: "object"; readonly entries: ReadonlyMap<string, JsonNode> }
);

/** Deeper than any header nests; recursion stays far from the end of the stack. */
const MAX_DEPTH = 32;
const SPACE = /[ \t\r\n]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const LITERAL = /true|false|null/y;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Makes the error for what went wrong at an index of the text. */
export type Fail = (index: number, what: string) => Error;

class Parser {
  position = 0;

  constructor(
    readonly text: string,
    readonly fail: Fail,
  ) {}

  match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.position;
    const found = pattern.exec(this.text)?.[0];
    this.position += found?.length ?? 0;
    return found;
  }

  accept(symbol: string): boolean {
    this.match(SPACE);
    if (this.text[this.position] !== symbol) return false;
    this.position++;
    return true;
  }

  expect(symbol: string): void {
    if (!this.accept(symbol)) throw this.fail(this.position, `expected ${symbol}`);
  }

  string(): string {
    this.match(SPACE);
    const start = this.position;
    this.expect('"');
    while (this.position < this.text.length && this.text[this.position] !== '"')
      this.position += this.text[this.position] === "\\" ? 2 : 1;
    this.expect('"');
    let value: string;
    try {
      value = JSON.parse(this.text.slice(start, this.position));
    } catch {
      throw this.fail(start, "a string with a bad escape or a control character");
    }
    if (LONE_SURROGATE.test(value)) throw this.fail(start, "a string that is not Unicode (half a surrogate pair)");
    return value;
  }

  value(depth: number): JsonNode {
    this.match(SPACE);
    const at = this.position;
    if (depth > MAX_DEPTH) throw this.fail(at, `nested deeper than ${MAX_DEPTH}`);
    if (this.text[at] === '"') return { at, kind: "string", text: this.string() };
    if (this.accept("{")) return { at, kind: "object", entries: this.entries(depth + 1) };
    if (this.accept("[")) return { at, kind: "array", items: this.items(depth + 1) };
    const literal = this.match(LITERAL);
    if (literal !== undefined) return { at, kind: "literal", text: literal };
    const number = this.match(NUMBER);
    if (number === undefined) throw this.fail(at, "expected a value");
    return { at, kind: "number", text: number };
  }

  private entries(depth: number): Map<string, JsonNode> {
    const entries = new Map<string, JsonNode>();
    if (this.accept("}")) return entries;
    do {
      this.match(SPACE);
      const at = this.position;
      const key = this.string();
      if (entries.has(key)) throw this.fail(at, `key ${JSON.stringify(key)} occurs twice`);
      this.expect(":");
      entries.set(key, this.value(depth));
    } while (this.accept(","));
    this.expect("}");
    return entries;
  }

  private items(depth: number): JsonNode[] {
    const items: JsonNode[] = [];
    if (this.accept("]")) return items;
    do items.push(this.value(depth));
    while (this.accept(","));
    this.expect("]");
    return items;
  }
}

/** Parses one JSON value with nothing but white space around it; throws what `fail` makes. */
export function parseJson(text: string, fail: Fail): JsonNode {
  const parser = new Parser(text, fail);
  const node = parser.value(0);
  parser.match(SPACE);
  if (parser.position < text.length) throw fail(parser.position, "expected nothing after the value");
  return node;
}
