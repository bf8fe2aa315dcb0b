// The same work in Node, with the built package, for a page to compare with: a command of the test runner.
// Not here: the work.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type * as Sdk from "../../sdk/index.js";
import { type Numbers, work } from "./work.js";

const BUILT = "dist/index.js";

/** What a page of the given project root gets from `commands.workInNode()`. */
export async function workInNode({ project }: { project: { config: { root: string } } }): Promise<Numbers> {
  const sdk = (await import(pathToFileURL(join(project.config.root, BUILT)).href)) as typeof Sdk;
  return work(sdk, 1);
}
