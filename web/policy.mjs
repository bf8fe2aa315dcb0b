// What the site's pages may load: files of their own origin, the core's WebAssembly, and the core's threads, whose
// program is a blob. Also for servers that one sets up by hand: docs and scripts/serve.mjs take it from here.

const POLICY = {
  "default-src": "'self'",
  "script-src": "'self' 'wasm-unsafe-eval'",
  "worker-src": "'self' blob:",
  "style-src": "'self'",
  "img-src": "'self' data: blob:",
  "connect-src": "'self'",
  "object-src": "'none'",
  "base-uri": "'none'",
  "form-action": "'none'",
};

const textOf = (policy) =>
  Object.entries(policy)
    .map(([name, value]) => `${name} ${value}`)
    .join("; ");

/** The policy in a page itself, for servers that send no headers. */
export const META_POLICY = textOf(POLICY);

/** Headers of every answer; the two after the policy let the core's threads share memory. */
export const HEADERS = {
  "Content-Security-Policy": textOf({ ...POLICY, "frame-ancestors": "'self'" }),
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
};
