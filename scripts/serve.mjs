// Serves dist/web: static files with the headers that isolate the pages and hold them to their policy, gzipped.
// Not here: building (web/build.mjs). Usage: node scripts/serve.mjs [port]
import { existsSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, extname, join, normalize, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { HEADERS } from "../web/policy.mjs";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".safetensors": "application/octet-stream",
  ".wasm": "application/wasm",
  ".map": "application/json",
};

export const SITE = join(dirname(dirname(fileURLToPath(import.meta.url))), "dist/web");

/** The file that an address names inside `folder`, or undefined. */
function fileAt(folder, address) {
  let path;
  try {
    path = normalize(decodeURIComponent(new URL(address, "http://localhost").pathname));
  } catch {
    return undefined;
  }
  const file = join(folder, path);
  if (!file.startsWith(folder + sep) && file !== folder) return undefined;
  if (!existsSync(file)) return undefined;
  if (!statSync(file).isDirectory()) return file;
  const index = join(file, "index.html");
  return existsSync(index) ? index : undefined;
}

/** A listening server of `folder`: its address, and close(). Port 0 takes any free one. */
export function serve({ folder = SITE, port = 0, host = "127.0.0.1", headers = HEADERS } = {}) {
  const packed = new Map();
  const server = createServer((request, response) => {
    const file = request.method === "GET" || request.method === "HEAD" ? fileAt(folder, request.url) : undefined;
    if (file === undefined) {
      response.writeHead(404, { ...headers, "Content-Type": "text/plain; charset=utf-8" }).end("Not found\n");
      return;
    }
    const { mtimeMs } = statSync(file);
    let own = packed.get(file);
    if (own?.mtimeMs !== mtimeMs) {
      own = { mtimeMs, bytes: gzipSync(readFileSync(file)) };
      packed.set(file, own);
    }
    const zips = /\bgzip\b/.test(String(request.headers["accept-encoding"] ?? ""));
    const bytes = zips ? own.bytes : readFileSync(file);
    response.writeHead(200, {
      ...headers,
      "Content-Type": TYPES[extname(file)] ?? "application/octet-stream",
      "Content-Length": bytes.length,
      "Cache-Control": "no-cache",
      Vary: "Accept-Encoding",
      ...(zips ? { "Content-Encoding": "gzip" } : {}),
    });
    response.end(request.method === "HEAD" ? undefined : bytes);
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      const close = () =>
        new Promise((done) => {
          server.close(done);
          server.closeAllConnections();
        });
      resolve({ url: `http://${host === "127.0.0.1" ? "localhost" : host}:${server.address().port}/`, close });
    });
  });
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  if (!existsSync(join(SITE, "index.html"))) {
    console.error("dist/web is not built: npm run build && node web/build.mjs");
    process.exit(1);
  }
  const { url } = await serve({ port: Number(process.argv[2] ?? 8080) });
  console.log(`${url} (Ctrl-C ends it)`);
}
