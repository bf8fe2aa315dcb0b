// The core compiled with things broken, each behind a switch: sources are changed in memory on their way to the compiler,
// once for all mutations. Not here: what is broken, and what sees it (mutation.test.ts).
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import asc from "assemblyscript/asc";
import { Runtime } from "../../sdk/runtime/runtime.js";

const root = join(import.meta.dirname, "../..");

export interface Edit {
  /** A piece of the file that occurs once, with «» around the expression that changes. */
  readonly at: string;
  /** What that expression becomes. */
  readonly to: string;
}

export interface Mutation {
  /** Source file, under assembly/. */
  readonly file: string;
  readonly edits: readonly Edit[];
}

/** asconfig.json's simd level, hardly optimised: compiling takes longer than all that is computed with it. */
const FLAGS = [
  ["assembly/index.ts", "--outFile", "core.wasm", "--runtime", "stub", "--exportRuntime", "--importMemory"],
  ["--sharedMemory", "--maximumMemory", "65536", "--enable", "threads", "--enable", "simd", "--noAssert"],
  ["--optimizeLevel", "1", "--shrinkLevel", "0"],
].flat();

/** The sources of one file with every mutation in it behind the switch: mutation k is on when mutant is k + 1. */
function switched(path: string, source: string, mutations: readonly Mutation[]): string {
  if (path === "assembly/index.ts") return `${source}\nexport { setMutant } from "./mutant";\n`;
  let text = source;
  mutations.forEach(({ file, edits }, k) => {
    if (path !== `assembly/${file}`) return;
    for (const { at, to } of edits) {
      const [before = "", from = "", after = ""] = at.split(/[«»]/);
      const parts = text.split(before + from + after);
      if (parts.length !== 2) throw new Error(`${file}: "${at}" occurs ${parts.length - 1} times`);
      text = parts.join(`${before}(mutant == ${k + 1} ? (${to}) : (${from}))${after}`);
    }
  });
  if (text === source) return source;
  const up = path.split("/").length === 2 ? "./" : "../";
  return `import { mutant } from "${up}mutant";\n${text}`;
}

const SWITCH = "export let mutant: i32 = 0;\nexport function setMutant(k: i32): void { mutant = k; }\n";

/** The bytes of the core with all these changes behind a switch. Throws where a text does not occur exactly once. */
async function compile(mutations: readonly Mutation[]): Promise<Uint8Array> {
  let wasm: Uint8Array | undefined;
  const { error, stderr } = await asc.main(FLAGS, {
    readFile: (name) => {
      if (name === "assembly/mutant.ts") return SWITCH;
      const path = join(root, name);
      return existsSync(path) ? switched(name, readFileSync(path, "utf8"), mutations) : null;
    },
    writeFile: (name, contents) => {
      if (name === "core.wasm") wasm = contents as Uint8Array;
    },
    listFiles: () => [],
  });
  if (error !== null || wasm === undefined) throw new Error(`the core did not compile: ${error} ${stderr}`);
  return wasm;
}

/** A runtime whose core has mutation k while setMutant(k + 1) holds, and none while setMutant(0) does. */
export async function mutantRuntime(mutations: readonly Mutation[]): Promise<Runtime> {
  return Runtime.create({ threads: 0, level: "simd", module: await compile(mutations) });
}
