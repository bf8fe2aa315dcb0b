// The command reference as a page, made of what the command line says of itself with --help. Not here: where the page
// goes (docs.mjs).

const CELL = /\|/g;
const cell = (text) => text.replace(CELL, "\\|").replace(/</g, "&lt;").replace(/\{\{/g, "{&#123;");

/** "Options:" and the like with the lines below them, by their first word in lower case. */
function sectionsOf(help) {
  const sections = new Map([["", []]]);
  let name = "";
  for (const line of help.split("\n")) {
    const title = /^([A-Z][a-z]+):$/.exec(line);
    if (title !== null) {
      name = title[1].toLowerCase();
      sections.set(name, []);
    } else sections.get(name).push(line);
  }
  return sections;
}

/** Lines of "  term   what it is", whose later lines may be indented further, as pairs. */
function pairsOf(lines) {
  const pairs = [];
  for (const line of lines) {
    const start = /^ {2}(\S.*?)(?: {2,}(.*))?$/.exec(line);
    const last = pairs.at(-1);
    if (start !== null) pairs.push([start[1], start[2] ?? ""]);
    else if (/^ {3,}\S/.test(line) && last !== undefined) last[1] = `${last[1]} ${line.trim()}`.trim();
  }
  return pairs;
}

function table(title, lines) {
  if (lines === undefined) return [];
  const rows = pairsOf(lines).map(([term, meaning]) => `| <code>${cell(term)}</code> | ${cell(meaning)} |`);
  return [`| ${title} | |`, "| --- | --- |", ...rows, ""];
}

/** Names of the commands in the help of the whole program. */
export function commandNames(help) {
  return pairsOf(sectionsOf(help).get("commands") ?? []).map(([term]) => term.split(" ")[0]);
}

function commandSection(name, text) {
  const sections = sectionsOf(text);
  const lines = sections.get("");
  const usage = lines.filter((line) => line.startsWith("Usage: ")).map((line) => line.slice("Usage: ".length));
  const description = lines.filter((line) => !line.startsWith("Usage: ")).join("\n");
  const examples = (sections.get("examples") ?? []).map((line) => line.trim()).filter(Boolean);
  return [
    `## ${name}`,
    "",
    "```sh",
    ...usage,
    "```",
    "",
    cell(description.trim()),
    "",
    ...table("argument", sections.get("arguments")),
    ...table("option", sections.get("options")),
    ...(examples.length === 0 ? [] : ["```sh", ...examples.map((line) => line.replace(/^\$ /, "")), "```", ""]),
  ].join("\n");
}

/** The page; `help` gives what the command line prints for some arguments. */
export function cliReference(help) {
  const whole = help(["--help"]);
  const names = commandNames(whole);
  const close = whole.split("\n").filter((line) => line.startsWith("Exit codes:"));
  return [
    "# Commands",
    "",
    "Written by the build from what `ntkit --help` and `ntkit <command> --help` print.",
    "",
    ...names.map((name) => `- [${name}](#${name})`),
    "",
    ...close,
    "",
    ...names.map((name) => commandSection(name, help([name, "--help"]))),
  ].join("\n");
}
