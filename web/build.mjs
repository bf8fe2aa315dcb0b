// Builds the site into dist/web: pages from their contents and one layout, elements, workers, style and data. Needs the
// core (esbuild.config.mjs). Not here: serving (scripts/serve.mjs), data made from MNIST (precompute.mjs).
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { META_POLICY } from "./policy.mjs";

const web = dirname(fileURLToPath(import.meta.url));
const root = dirname(web);
const out = join(root, "dist/web");
const packageJson = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

const DEMOS = ["certify", "equivalence", "machines", "kernel"];
const title = (name) => name[0].toUpperCase() + name.slice(1);

const shared = {
  absWorkingDir: root,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  sourcemap: process.argv.includes("--sourcemap"),
  legalComments: "none",
  loader: { ".css": "text" },
  // Pages train on the core or on WebGPU; TensorFlow.js would be a megabyte more.
  external: ["node:*", "@tensorflow/*"],
  define: { __NTKIT_VERSION__: JSON.stringify(packageJson.version) },
  outdir: out,
  logLevel: "warning",
};

const named = (folder, file) =>
  Object.fromEntries(DEMOS.map((name) => [`${folder}/${file(name).out}`, `web/${name}/${file(name).from}`]));

/** The value of a comment such as <!-- title: ... --> that a page begins with. */
function field(text, name, page) {
  const found = new RegExp(`<!-- ${name}: (.*?) -->\\n`).exec(text);
  if (found === null) throw new Error(`${page}: no <!-- ${name}: ... -->`);
  return found[1];
}

function writePage(page, root, head, current) {
  const text = readFileSync(join(web, page), "utf8");
  const nav = DEMOS.map((name) => {
    const mark = name === current ? ' aria-current="page"' : "";
    return `        <a href="${root}${name}/index.html"${mark}>${title(name)}</a>`;
  }).join("\n");
  const values = {
    policy: META_POLICY,
    title: field(text, "title", page),
    description: field(text, "description", page),
    root,
    head: head.map((line) => `    ${line}`).join("\n"),
    nav,
    content: text.replace(/^(<!-- .*? -->\n)+/, "").trimEnd(),
  };
  const layout = readFileSync(join(web, "shared/layout.html"), "utf8");
  const whole = layout.replace(/\{\{(\w+)\}\}/g, (_, name) => values[name]);
  mkdirSync(dirname(join(out, page)), { recursive: true });
  writeFileSync(join(out, page), whole);
}

rmSync(out, { recursive: true, force: true });
mkdirSync(join(out, "shared"), { recursive: true });
await build({
  ...shared,
  entryPoints: named("elements", (name) => ({ out: `ntkit-${name}`, from: `ntkit-${name}.ts` })),
});
// Code that a worker needs only sometimes (GPUs, say) is split off.
const splitting = { splitting: true, chunkNames: "workers/[name]-[hash]" };
await build({ ...shared, ...splitting, entryPoints: named("workers", (name) => ({ out: name, from: "worker.ts" })) });
await build({
  ...shared,
  entryPoints: Object.fromEntries(DEMOS.map((name) => [`${name}/page`, `web/${name}/page.ts`])),
});
writePage("index.html", "", [], undefined);
for (const name of DEMOS) {
  const head = [
    `<script type="module" src="../elements/ntkit-${name}.js"></script>`,
    '<script type="module" src="page.js"></script>',
  ];
  writePage(`${name}/index.html`, "../", head, name);
}
for (const file of ["theme.css", "site.css", "icon.svg"]) cpSync(join(web, "shared", file), join(out, "shared", file));
cpSync(join(root, "docs/certificates.svg"), join(out, "shared/certificates.svg"));
if (existsSync(join(web, "data")) && readdirSync(join(web, "data")).length > 0)
  cpSync(join(web, "data"), join(out, "data"), { recursive: true });
