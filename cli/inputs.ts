// What the commands read: model files and data sets, with the file's name in every message. Not here: writing
// (output.ts) and the formats (the SDK).
import { readFileSync } from "node:fs";
import {
  chooseSamples,
  DataSourceError,
  type Dataset,
  loadDataset,
  loadModel,
  type Machine,
  type NetworkModel,
} from "ntkit";
import { Failure, Interrupted } from "./errors.js";
import type { Samples } from "./options.js";
import type { Output } from "./output.js";
import type { Session } from "./session.js";

export type Split = "train" | "test";
export const SPLITS: readonly Split[] = ["test", "train"];

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EISDIR: "is a folder, a model file was expected",
  EACCES: "may not be read (permission denied)",
};

/** The bytes of a file. @throws Failure */
export function readFile(path: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (error) {
    const { code, message } = error as { code?: string; message?: string };
    throw new Failure(`${path}: ${REASONS[code ?? ""] ?? message}`, { cause: error });
  }
}

/** The machine or network in a file, and the file's bytes. @throws Failure */
export function readModel(path: string): { readonly model: Machine | NetworkModel; readonly bytes: Uint8Array } {
  const bytes = readFile(path);
  try {
    return { model: loadModel(bytes), bytes };
  } catch (error) {
    throw new Failure(`${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** Both splits of a source. @throws Failure with the source's name, Interrupted */
export async function readData(source: string, { signal }: Session) {
  try {
    return await loadDataset(source, { signal });
  } catch (error) {
    // The SDK names the source itself when it is not there.
    if (error instanceof Interrupted || error instanceof DataSourceError) throw error;
    const { message } = error as Error;
    throw new Failure(message.startsWith(source) ? message : `${source}: ${message}`, { cause: error });
  }
}

export interface Selection {
  readonly data: string;
  readonly split?: Split;
  readonly samples?: Samples;
  readonly seed?: number;
}

/** The split to look at; says so when the model was trained on something else, or on the very rows. */
export async function readSplit(
  { data, split = "test" }: Selection,
  model: Machine | NetworkModel,
  session: Session,
  output: Output,
): Promise<Dataset> {
  const loaded = await readData(data, session);
  if (loaded.splits === "same") output.note(`${data} has one split only: it is training and test set`);
  if (model.dataHash !== "" && model.dataHash !== (await loaded.train.hash()))
    output.note(`the model was trained on "${model.dataName}", not on the training set of ${data}`);
  return loaded[split];
}

/** Rows of a data set that --samples names, and which they are. */
export async function choose(data: Dataset, { samples, seed }: Selection, { runtime }: Session) {
  const indices = await chooseSamples(data.n, samples, seed, { runtime });
  return { indices, rows: data.subset(indices) };
}
