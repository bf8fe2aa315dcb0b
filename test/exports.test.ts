// The SDK's public names are closed: whoever can call a function can also write down the types in its signature. Read by
// the TypeScript compiler from the sources. Not here: what the names do.
import { join, relative } from "node:path";
import ts from "typescript";
import { beforeAll, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const ENTRIES = ["sdk/index.ts", "sdk/plots/commands.ts", "sdk/certify/index.ts", "sdk/wasm.ts"];

let program: ts.Program;
beforeAll(() => {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const files = ENTRIES.map((entry) => join(root, entry));
  program = ts.createProgram(files, { ...options, noEmit: true });
});

const original = (checker: ts.TypeChecker, symbol: ts.Symbol) =>
  symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;

function exportsOf(checker: ts.TypeChecker, entry: string): Map<ts.Symbol, string> {
  const source = program.getSourceFile(join(root, entry));
  const module = source && checker.getSymbolAtLocation(source);
  if (module === undefined) throw new Error(`${entry} is not a module`);
  return new Map(checker.getExportsOfModule(module).map((symbol) => [original(checker, symbol), symbol.name]));
}

const isHidden = (node: ts.Node) =>
  ts.getJSDocTags(node).some(({ tagName }) => tagName.text === "internal") ||
  (ts.canHaveModifiers(node) &&
    (ts.getModifiers(node) ?? []).some(
      ({ kind }) => kind === ts.SyntaxKind.PrivateKeyword || kind === ts.SyntaxKind.ProtectedKeyword,
    ));

/**
 * Names of types in a declaration, without bodies, initial values, private and @internal members. Not "typeof" a value:
 * that anyone can write out.
 */
function typeNames(declaration: ts.Declaration): ts.Node[] {
  const found: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    if (isHidden(node) && !ts.isParameter(node)) return;
    if (ts.isTypeReferenceNode(node)) found.push(node.typeName);
    if (ts.isExpressionWithTypeArguments(node)) found.push(node.expression);
    if (ts.isBlock(node)) return;
    node.forEachChild((child) => {
      const value =
        (ts.isVariableDeclaration(node) || ts.isParameter(node) || ts.isPropertyDeclaration(node)) && node.initializer;
      if (child !== value) visit(child);
    });
  };
  visit(declaration);
  return found;
}

/** "svm: SvmOptions" for each type of ours in the signature of an export that is no export itself. */
function unexported(entry: string, others: readonly string[] = []): string[] {
  const checker = program.getTypeChecker();
  const own = exportsOf(checker, entry);
  const known = new Set([entry, ...others].flatMap((each) => [...exportsOf(checker, each).keys()]));
  const missing = new Set<string>();
  for (const [symbol, name] of own)
    for (const declaration of symbol.declarations ?? [])
      for (const node of typeNames(declaration)) {
        const found = checker.getSymbolAtLocation(node);
        if (found === undefined) throw new Error(`${name}: ${node.getText()} does not resolve`);
        const type = original(checker, found);
        const file = relative(root, type.declarations?.[0]?.getSourceFile().fileName ?? "");
        const parameter = type.flags & ts.SymbolFlags.TypeParameter;
        if (file.startsWith("sdk/") && !parameter && !known.has(type)) missing.add(`${name}: ${type.name} (${file})`);
      }
  return [...missing].sort();
}

it("every type in a public signature of ntkit is exported by ntkit", () => {
  expect(unexported("sdk/index.ts")).toEqual([]);
});

it("every type in a public signature of ntkit/certify and ntkit/wasm is exported by ntkit", () => {
  expect(unexported("sdk/certify/index.ts", ["sdk/index.ts"])).toEqual([]);
  expect(unexported("sdk/wasm.ts", ["sdk/index.ts"])).toEqual([]);
});

it("every type in a public signature of ntkit/plots is exported by it or by ntkit", () => {
  expect(unexported("sdk/plots/commands.ts", ["sdk/index.ts"])).toEqual([]);
});

it("sees types that are missing: those of ntkit's experiments are not exports of ntkit/plots", () => {
  expect(unexported("sdk/plots/commands.ts")).not.toEqual([]);
});
