// The command line's parts on their own: parsers, tables, progress, files.
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { UsageError } from "../../cli/errors.js";
import { parseBracket, parseData, parseMemory, parseNumber, parseNumbers, parseSamples } from "../../cli/options.js";
import { checkTargets, writeWhole } from "../../cli/output.js";
import { ProgressLine } from "../../cli/progress.js";
import { percent, percentDown, radius, textTable } from "../../cli/table.js";
import { scratchFolder } from "./run.js";

describe("parsers", () => {
  test("numbers are decimal and nothing else", () => {
    expect(["1", "-2.5", ".5", "1e-3", " 7 "].map((text) => parseNumber("--x", text))).toEqual([1, -2.5, 0.5, 1e-3, 7]);
    for (const text of ["", "abc", "1x", "0x10", "1,2", "NaN", "Infinity", "1e999", "--1"])
      expect(() => parseNumber("--x", text)).toThrow(UsageError);
    expect(() => parseNumber("--x", "1.5", { integer: true, min: 0 })).toThrow(
      '--x: expected an integer >= 0, got "1.5"',
    );
    expect(parseNumbers("--x", "0,0.5,1000")).toEqual([0, 0.5, 1000]);
    for (const text of ["", "1,", ",", "1;2", "-1"]) expect(() => parseNumbers("--x", text)).toThrow(UsageError);
  });

  test("memory has units of 1000 and of 1024", () => {
    const cases = { "512MiB": 2 ** 29, "4GiB": 2 ** 32, "2GB": 2e9, "0.5 gib": 2 ** 29, "16777216": 2 ** 24 };
    for (const [text, bytes] of Object.entries(cases)) expect(parseMemory("--memory", text)).toBe(bytes);
    for (const text of ["", "MiB", "1", "5GiB", "1TiB", "-1GB", "1e9"])
      expect(() => parseMemory("--memory", text)).toThrow(UsageError);
  });

  test("samples and brackets", () => {
    expect(["all", "7", "random:7"].map((text) => parseSamples("--samples", text))).toEqual(["all", 7, { random: 7 }]);
    for (const text of ["", "0", "-1", "1.5", "random", "random:", "random:0", "All"])
      expect(() => parseSamples("--samples", text)).toThrow(UsageError);
    expect(parseBracket("--bracket", "0,0.3")).toEqual([0, 0.3]);
    for (const text of ["", "0", "0.3,0", "0,0", "-1,1", "0,1,2", "a,b"])
      expect(() => parseBracket("--bracket", text)).toThrow(UsageError);
  });

  test("data sources are told from slips of the keyboard", () => {
    for (const text of ["mnist:0,1", "mnist", "some/folder:3,8", "C:/data", "a.npz", "x.npy,y.npy"])
      expect(parseData("--data", text)).toBe(text);
    for (const text of ["", "mnist:", "mnist:1", "mnist:1,1", "mnist:0,10", "mnist:0,1,2", "mnist:-1,2", "x.npy"])
      expect(() => parseData("--data", text)).toThrow(UsageError);
  });
});

describe("tables", () => {
  test("columns are aligned", () => {
    expect(
      textTable(
        ["name", "n"],
        [
          ["a", "1"],
          ["long name", "1,000"],
        ],
        "lr",
      ),
    ).toBe("name           n\n---------  -----\na              1\nlong name  1,000\n");
  });

  test("radii and certified accuracies are rounded down, accuracies to nearest", () => {
    expect(radius(3.30099e-5)).toBe("3.300e-5");
    expect(radius(0.0079999)).toBe("7.999e-3");
    expect(radius(0.3)).toBe("3.000e-1");
    expect([radius(0), radius(null)]).toEqual(["0", "-"]);
    expect(percent(0.999527)).toBe("99.95%");
    expect(percent(0.99956)).toBe("99.96%");
    expect(percentDown(0.99959)).toBe("99.95%");
    expect(percentDown(0.57)).toBe("57.00%");
  });
});

describe("progress", () => {
  const terminal = (isTTY: boolean) => {
    const written: string[] = [];
    return { isTTY, columns: 60, written, write: (text: string) => written.push(text) };
  };

  test("one line that fits the terminal, and is taken away", () => {
    const stream = terminal(true);
    const line = new ProgressLine(stream, true);
    line.plan(4);
    line.step("first", 1);
    line.step("second with a name that is far too long for a terminal of sixty columns", 3);
    expect(stream.written.at(-1)).toMatch(/^\r\[######\.+\] 25% {2}0 s {2}second/);
    for (const text of stream.written) {
      expect(text.replace("\r", "").replace("\x1b[K", "").length).toBeLessThan(60);
      expect(text).not.toContain("\n");
    }
    line.clear();
    expect(stream.written.at(-1)).toBe("\r\x1b[K");
  });

  test("only the counted stage moves the percentage, and never backwards", async () => {
    const stream = terminal(true);
    const line = new ProgressLine(stream, true);
    line.plan(2);
    line.step("work", 2, "main part");
    for (const [stage, done] of [
      ["aside", 9],
      ["main part", 5],
      ["aside", 1],
      ["main part", 2],
    ] as const) {
      await new Promise((resolve) => setTimeout(resolve, 110));
      line.report({ stage, done, total: 10 });
    }
    expect(stream.written.map((text) => /(\d+)%/.exec(text)?.[1])).toEqual(["0", "0", "50", "50", "50"]);
    expect(stream.written[1]).toContain("work: aside");
    expect(stream.written[2]).not.toContain("main part");
  });

  test("nothing where there is no terminal, or where it is not wanted", () => {
    for (const [isTTY, wanted] of [
      [false, true],
      [true, false],
    ] as const) {
      const stream = terminal(isTTY);
      const line = new ProgressLine(stream, wanted);
      line.step("work");
      line.report({ stage: "work", done: 1, total: 2 });
      line.clear();
      expect(stream.written).toEqual([]);
    }
  });
});

describe("files", () => {
  const folder = scratchFolder();
  const at = (name: string) => join(folder, name);

  test("are replaced whole, through links too, and leave nothing beside them", () => {
    writeFileSync(at("old"), "old");
    symlinkSync(at("old"), at("link"));
    writeWhole(at("link"), "new");
    writeWhole(at("fresh"), new Uint8Array([1, 2]));
    expect(readFileSync(at("old"), "utf8")).toBe("new");
    expect(readdirSync(folder).sort()).toEqual(["fresh", "link", "old"]);
  });

  test("that can not be written are told before the work", () => {
    mkdirSync(at("folder"));
    expect(() => checkTargets({ "--json": at("folder") })).toThrow("is a folder");
    expect(() => checkTargets({ "--json": at("none/x") })).toThrow("its folder does not exist");
    expect(() => checkTargets({ "--json": at("x"), "--tsv": `${folder}/./x` })).toThrow(UsageError);
    expect(() => checkTargets({ "--json": at("old") }, { model: at("old") })).toThrow(UsageError);
    expect(() => checkTargets({ "--json": at("old"), "--tsv": undefined })).not.toThrow();
    expect(() => writeWhole(at("none/x"), "")).toThrow("can not be written, its folder does not exist");
  });
});
