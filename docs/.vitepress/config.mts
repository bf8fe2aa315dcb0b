// What the documentation site looks like: its pages in order, local search, formulas as SVG, no request to anywhere.
// Not here: the pages (docs/**/*.md) and how they are built (scripts/docs.mjs).
import { existsSync, readFileSync } from "node:fs";
import { defineConfig } from "vitepress";

const apiSidebar = new URL("../reference/api/typedoc-sidebar.json", import.meta.url);
/** The package's entries alone: their pages list what they export, and every page would repeat a longer list. */
const api: { text: string; link: string }[] = existsSync(apiSidebar)
  ? JSON.parse(readFileSync(apiSidebar, "utf8")).map(({ text, link }) => ({ text, link }))
  : [];

/** Where the site is served: "/" or "/folder/". */
const base = process.env.DOCS_BASE ?? "/";

const guide = [
  { text: "Start here", link: "/start" },
  { text: "How to read a certificate", link: "/guide/reading" },
  { text: "Certify your own model and data", link: "/guide/own" },
  { text: "Certify on many machines", link: "/many-machines" },
  { text: "Check a report", link: "/verifying" },
  { text: "Embed a demo", link: "/guide/embed" },
  { text: "Limits", link: "/limits" },
];

const recipes = [
  { text: "Node", link: "/recipes/node" },
  { text: "Deno and Bun", link: "/recipes/deno-bun" },
  { text: "Browser, one script tag", link: "/recipes/browser" },
  { text: "Vite and webpack", link: "/recipes/bundlers" },
];

const mathematics = [
  { text: "Map and notation", link: "/mathematics/" },
  { text: "Kernels", link: "/mathematics/kernels" },
  { text: "Machines of Table 1", link: "/mathematics/machines" },
  { text: "Dynamics", link: "/mathematics/dynamics" },
  { text: "Finite networks", link: "/mathematics/networks" },
  { text: "Theorems on data", link: "/mathematics/theory" },
  { text: "Interval certificates", link: "/mathematics/interval" },
  { text: "Linear certificates", link: "/mathematics/linear" },
  { text: "Curvature certificates", link: "/mathematics/curvature" },
  { text: "The semidefinite dual", link: "/mathematics/semidefinite" },
  { text: "Certificates of networks", link: "/mathematics/network-bounds" },
  { text: "Rigour in floating point", link: "/mathematics/rounding" },
  { text: "Attacks", link: "/mathematics/attacks" },
];

const measured = [
  { text: "Benchmarks", link: "/bench/RESULTS" },
  { text: "Certificates beside attacks", link: "/bench/CERTIFICATES" },
  { text: "How they are run", link: "/bench/README" },
  { text: "The peers", link: "/bench/peers/README" },
];

export default defineConfig({
  lang: "en-GB",
  title: "ntkit",
  description:
    "Infinite-width neural networks as kernel machines: trained exactly, certified against adversarial inputs",
  base,
  head: [["link", { rel: "icon", href: `${base}icon.svg`, type: "image/svg+xml" }]],
  outDir: "../dist/docs",
  srcExclude: ["node_modules/**", "reference/.entries/**"],
  markdown: { math: true },
  // Long pages of tables and formulas are the point of this site.
  vite: { build: { chunkSizeWarningLimit: 4096 } },
  themeConfig: {
    logo: "/icon.svg",
    search: { provider: "local" },
    outline: { level: [2, 3] },
    nav: [
      { text: "Guide", link: "/start" },
      { text: "Mathematics", link: "/mathematics/" },
      { text: "Commands", link: "/reference/cli" },
      { text: "API", link: "/reference/api/" },
      { text: "Measured", link: "/bench/RESULTS" },
    ],
    sidebar: [
      { text: "Guide", items: guide },
      { text: "Recipes", items: recipes },
      { text: "Mathematics", items: mathematics },
      {
        text: "Reference",
        items: [
          { text: "Commands", link: "/reference/cli" },
          { text: "API", link: "/reference/api/", items: api },
        ],
      },
      { text: "Measured", items: measured },
      {
        text: "Project",
        items: [
          { text: "Architecture", link: "/project/architecture" },
          { text: "Changelog", link: "/project/changelog" },
        ],
      },
    ],
  },
});
