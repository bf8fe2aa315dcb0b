// The documentation's sources as the tests read them: pages with their headings, links and blocks of code. Not here: what
// is expected of them.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, posix, relative, sep } from "node:path";
import { COPIED } from "../../scripts/docs-pages.mjs";

export const ROOT = join(import.meta.dirname, "../..");
export const DOCS = join(ROOT, "docs");

export interface Page {
  /** Path in the site without its ending: "guide/own". */
  readonly path: string;
  /** File in the repository, for messages. */
  readonly file: string;
  readonly text: string;
  readonly anchors: ReadonlySet<string>;
  readonly links: readonly string[];
}

export interface Block {
  readonly page: Page;
  /** Line of the page where the block's code begins. */
  readonly line: number;
  readonly language: string;
  readonly isRun: boolean;
  readonly code: string;
}

/** Heading to anchor as VitePress does it (slugify of @mdit-vue/shared). */
export function slugOf(heading: string): string {
  return heading
    .normalize("NFKD")
    .replace(/[\u0300-\u036F]/g, "")
    .replace(/[\s~`!@#$%^&*()\-_+=[\]{}|\\;:"'“”‘’<>,.?/]+/g, "-")
    .replace(/-{2,}/g, "-")
    .replace(/^-+|-+$/g, "")
    .replace(/^(\d)/, "_$1")
    .toLowerCase();
}

const FENCE = /^```(\S*)[ \t]*(.*)\n([\s\S]*?)^```[ \t]*$/gm;

/** Text without blocks of code and code in lines: what links and headings are read from. */
function prose(text: string): string {
  return text.replace(FENCE, "").replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]()<>#]/g, " "));
}

function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of text.replace(FENCE, "").matchAll(/^#{1,6}[ \t]+(.+?)[ \t]*$/gm)) {
    const slug = slugOf(heading.replace(/`/g, ""));
    let own = slug;
    for (let k = 1; anchors.has(own); k++) own = `${slug}-${k}`;
    anchors.add(own);
  }
  return anchors;
}

function linksOf(text: string): string[] {
  const inText = [...prose(text).matchAll(/\]\(([^()\s]+)\)/g)].map(([, link = ""]) => link);
  // The home page has its links in its frontmatter.
  const front = /^---\n([\s\S]*?)\n---/.exec(text)?.[1] ?? "";
  return [...inText, ...[...front.matchAll(/^\s*link: (\S+)$/gm)].map(([, link = ""]) => link)];
}

function makePage(path: string, file: string, text: string): Page {
  return { path, file, text, anchors: anchorsOf(text), links: linksOf(text) };
}

/** Markdown files of docs/ that are written by hand. */
function written(folder = DOCS): string[] {
  const skipped = new Set(["node_modules", "reference", "bench", "project", "public"]);
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return skipped.has(entry.name) || entry.name.startsWith(".") ? [] : written(path);
    return entry.name.endsWith(".md") ? [path] : [];
  });
}

const siteUrl = (file: string) => file.split(sep).join("/").replace(/\.md$/, "");

/** All pages whose text is known without a build: written ones and those that scripts/docs.mjs copies. */
export function readPages(): Page[] {
  const own = written().map((file) => {
    const path = relative(DOCS, file);
    return makePage(siteUrl(path), `docs/${path}`, readFileSync(file, "utf8"));
  });
  const copied = COPIED.filter(({ from }) => from.endsWith(".md")).map(({ from, to, replace = [] }) => {
    const text = readFileSync(join(ROOT, from), "utf8");
    return makePage(
      siteUrl(to),
      from,
      replace.reduce((page, [old, now]) => page.replaceAll(old, now), text),
    );
  });
  return [...own, ...copied];
}

/** A page that the build writes, of which the tests know the headings. */
export const generatedPage = (path: string, text: string): Page => makePage(path, path, text);

/** Fenced blocks of a page; "ts run" is a block that is run. */
export function blocksOf(page: Page): Block[] {
  return [...page.text.matchAll(FENCE)].map((match) => {
    const [, language = "", info = "", code = ""] = match;
    const line = page.text.slice(0, match.index).split("\n").length + 1;
    return { page, line, language, isRun: info.split(/\s+/).includes("run"), code };
  });
}

/** What is wrong with the links of `pages` among themselves; "" where the build makes a whole folder. */
export function brokenLinks(pages: readonly Page[], generatedFolders: readonly string[]): string[] {
  const byPath = new Map(pages.map((page) => [page.path, page]));
  const broken: string[] = [];
  for (const page of pages)
    for (const link of page.links) {
      if (/^[a-z]+:/.test(link)) continue;
      const [target = "", anchor] = link.split("#");
      const path = target === "" ? page.path : resolveLink(page.path, target);
      if (generatedFolders.some((folder) => path.startsWith(folder))) continue;
      const found = byPath.get(path) ?? byPath.get(posix.join(path, "index"));
      if (found === undefined && !existsSync(join(DOCS, path)))
        broken.push(`${page.file}: ${link}: there is no such page`);
      else if (anchor !== undefined && found?.anchors.has(anchor) !== true)
        broken.push(`${page.file}: ${link}: ${path} has no heading "${anchor}"`);
    }
  return broken;
}

function resolveLink(from: string, target: string): string {
  const path = target.startsWith("/") ? target.slice(1) : posix.join(posix.dirname(from), target);
  const page = path.replace(/\.(md|html)$/, "");
  return page === "" || page === "." ? "index" : page.endsWith("/") ? `${page}index` : page;
}
