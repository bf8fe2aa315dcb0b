import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type JsonNode, parseJson } from "../../sdk/data/json.js";

class Refused extends Error {
  constructor(
    readonly index: number,
    what: string,
  ) {
    super(what);
  }
}

const parse = (text: string) => parseJson(text, (index, what) => new Refused(index, what));

/** What JSON.parse would give for the same text. */
function plain(node: JsonNode): unknown {
  if (node.kind === "string") return node.text;
  if (node.kind === "array") return node.items.map(plain);
  if (node.kind === "object") return Object.fromEntries([...node.entries].map(([key, value]) => [key, plain(value)]));
  return JSON.parse(node.text);
}

function accepted(run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch (error) {
    if (!(error instanceof Refused || error instanceof SyntaxError)) throw error;
    return false;
  }
}

describe("parseJson", () => {
  it("gives what JSON.parse gives, for any value and any white space", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(0, 1, "\t", " \n"), (value, space) => {
        const text = JSON.stringify(value, null, space);
        expect(plain(parse(text))).toEqual(JSON.parse(text));
      }),
    );
  });

  it("accepts damaged text only when JSON.parse does", () => {
    const symbols = fc.constantFrom(...'{}[]",:\\u0041-1.5eE+tnfalsr /\u0000é'.split(""));
    const text = fc.tuple(fc.json({ maxDepth: 2 }), fc.nat(), symbols).map(([json, at, symbol]) => {
      const cut = at % (json.length + 1);
      return json.slice(0, cut) + symbol + json.slice(cut + (at % 2));
    });
    fc.assert(
      fc.property(
        fc.oneof(
          text,
          fc.array(symbols).map((list) => list.join("")),
        ),
        (candidate) => {
          if (accepted(() => parse(candidate)))
            expect(
              accepted(() => JSON.parse(candidate)),
              candidate,
            ).toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("knows where every value begins", () => {
    const root = parse(' {"a": [1, "x"]}');
    expect(root.at).toBe(1);
    const list = root.kind === "object" ? root.entries.get("a")! : root;
    expect(list.at).toBe(7);
    expect(list.kind === "array" ? list.items.map((item) => item.at) : []).toEqual([8, 11]);
  });

  it("refuses keys that occur twice, at the second one", () => {
    expect(() => parse('{"a":1,"b":2,"a":3}')).toThrow(new Refused(13, 'key "a" occurs twice'));
  });
});
