// npm run soak: bundles test/soak/ and runs it. Not here: what is looked for (test/soak/).
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const outfile = join(root, "dist/soak.js");
await build({
  absWorkingDir: root,
  entryPoints: ["test/soak/main.ts"],
  outfile,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "es2022",
  sourcemap: true,
  packages: "external",
  define: { __NTKIT_VERSION__: JSON.stringify("soak") },
});
await import(pathToFileURL(outfile).href);
