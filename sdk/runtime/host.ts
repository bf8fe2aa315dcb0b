// Built-in modules of the runtime, for runtimes that have them (Node, Deno, Bun): asked for by name, never imported, so
// that neither a page nor a bundler for pages ever meets a node: module. Not here: what is done with them.

type Host = { readonly process?: { readonly getBuiltinModule?: (name: string) => unknown } };

/** A module such as "node:os", or undefined where there is none. */
export function builtin<T>(name: `node:${string}`): T | undefined {
  return (globalThis as Host).process?.getBuiltinModule?.(name) as T | undefined;
}
