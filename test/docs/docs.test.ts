// The documentation holds what it says, checked on its sources: links and headings meet, examples compile and print what
// is written beside them, the command reference is the command line's own help. Not here: the built site, whose dead
// links end the build.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { transform } from "esbuild";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { cliReference, commandNames } from "../../scripts/cli-reference.mjs";
import { run } from "../cli/run.js";
import { type Block, blocksOf, brokenLinks, generatedPage, ROOT, readPages, slugOf } from "./pages.js";

const pages = readPages();
const blocks = pages.filter(({ file }) => file.startsWith("docs/")).flatMap(blocksOf);
const programs = blocks.filter(({ language, code }) => language === "ts" && code.includes('from "ntkit'));
const titleOf = ({ page, line }: Block) => `${page.file}:${line}`;

describe("the command reference", () => {
  const helps = new Map<string, string>();
  let reference = "";
  beforeAll(async () => {
    const help = async (args: readonly string[]) => {
      const { code, stdout } = await run(args);
      expect(code).toBe(0);
      helps.set(args.join(" "), stdout);
      return stdout;
    };
    for (const name of commandNames(await help(["--help"]))) await help([name, "--help"]);
    reference = cliReference((args: readonly string[]) => helps.get(args.join(" ")) ?? "");
  });

  it("has a section for every command, with every option and example of its help", () => {
    const [whole = "", ...commands] = helps.keys();
    expect(commands.length).toBeGreaterThan(10);
    expect(helps.get(whole)).toContain("Usage: ntkit");
    for (const key of commands) {
      const name = key.split(" ")[0] ?? "";
      const section = reference.split(/^## /m).find((text) => text.startsWith(`${name}\n`)) ?? "";
      const help = helps.get(key) ?? "";
      for (const [, flag = ""] of help.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)) expect(section).toContain(flag);
      for (const [, example = ""] of help.matchAll(/^ {2}\$ (.+)$/gm)) expect(section).toContain(`\n${example}\n`);
    }
  });

  it("and every other page links to pages and headings that are there", () => {
    expect(brokenLinks([...pages, generatedPage("reference/cli", reference)], ["reference/api/"])).toEqual([]);
  });

  it("a dead link, a missing heading and a wrong relative path are seen", () => {
    const page = generatedPage(
      "guide/x",
      "# A b\n[a](/nowhere) [b](#c) [c](../start.md#nothing) [d](#a-b) `[e](/code)`",
    );
    expect(brokenLinks([...pages, page], []).filter((fault) => fault.startsWith("guide/x"))).toHaveLength(3);
  });
});

it("headings become anchors as VitePress makes them: quotes, digits, accents", () => {
  expect(["The paper's descent", "3 rows", "Él `a.b`"].map(slugOf)).toEqual([
    "the-paper-s-descent",
    "_3-rows",
    "el-a-b",
  ]);
});

it("the README's links into the documentation exist", () => {
  const readme = { ...generatedPage("../README", readFileSync(join(ROOT, "README.md"), "utf8")), file: "README.md" };
  const own = { ...readme, links: readme.links.filter((link) => link.startsWith("docs/")) };
  const there = pages.map((page) => ({ ...page, path: `../docs/${page.path}`, links: [] }));
  expect(brokenLinks([...there, own], [])).toEqual([]);
});

describe("examples", () => {
  it("that import ntkit compile against its declarations, strictly", () => {
    expect(programs.length).toBeGreaterThan(10);
    const { config } = ts.readConfigFile(join(ROOT, "tsconfig.json"), ts.sys.readFile);
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
    const files = new Map(
      programs.map(({ code }, k) => [join(ROOT, `test/docs/example-${k}.ts`), `${code}\nexport {};\n`]),
    );
    const own: ts.CompilerOptions = {
      ...options,
      noEmit: true,
      exactOptionalPropertyTypes: false,
      paths: {
        ntkit: [join(ROOT, "dist/types/sdk/index.d.ts")],
        "ntkit/certify": [join(ROOT, "dist/types/sdk/certify/index.d.ts")],
        "ntkit/plots": [join(ROOT, "dist/types/sdk/plots/commands.d.ts")],
      },
    };
    const host = ts.createCompilerHost(own);
    const { getSourceFile, fileExists, readFile } = host;
    host.fileExists = (name) => files.has(name) || fileExists(name);
    host.readFile = (name) => files.get(name) ?? readFile(name);
    host.getSourceFile = (name, version, ...rest) => {
      const text = files.get(name);
      return text === undefined ? getSourceFile(name, version, ...rest) : ts.createSourceFile(name, text, version);
    };
    const program = ts.createProgram([...files.keys()], own, host);
    const faults = [...files.keys()].flatMap((name, k) =>
      ts.getPreEmitDiagnostics(program, program.getSourceFile(name)).map(({ start, messageText }) => {
        const line = program.getSourceFile(name)?.getLineAndCharacterOfPosition(start ?? 0).line ?? 0;
        const { page, line: first } = programs[k]!;
        return `${page.file}:${first + line}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
      }),
    );
    expect(faults).toEqual([]);
  });

  const folder = mkdtempSync(join(tmpdir(), "ntkit-docs-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const runnable = blocks.filter(({ isRun }) => isRun);

  it("that are run say what they print", () => {
    expect(runnable.length).toBeGreaterThan(5);
    for (const { code } of runnable) expect(code).toMatch(/console\.log\(.*\); \/\/ \S/);
  });

  it.each(runnable.map((block) => [titleOf(block), block] as const))(
    "%s prints what is written beside it",
    async (_, block) => {
      const expected = [...block.code.matchAll(/console\.log\(.*\); \/\/ (.+)$/gm)].map(([, text]) => text);
      const { code } = await transform(block.code, { loader: "ts", target: "es2022" });
      const file = join(folder, `${slugOf(titleOf(block))}.mjs`);
      writeFileSync(file, code.replaceAll('"ntkit"', JSON.stringify(pathToFileURL(join(ROOT, "dist/index.js")).href)));
      const printed: string[] = [];
      const log = vi.spyOn(console, "log").mockImplementation((...values) => printed.push(values.join(" ")));
      try {
        await import(/* @vite-ignore */ pathToFileURL(file).href);
      } finally {
        log.mockRestore();
      }
      expect(printed).toEqual(expected);
    },
  );
});
