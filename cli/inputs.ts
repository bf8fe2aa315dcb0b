// What the commands read: model files and data sets, with the file's name in every message. Not here: writing
// (output.ts) and the formats (the SDK).
import { readFileSync } from "node:fs";
import {
  type AnyModel,
  ClassMachine,
  type ClassSet,
  chooseSamples,
  DataSourceError,
  type Dataset,
  type LoadedClasses,
  type LoadedData,
  loadAny,
  loadAnyModel,
  loadClasses,
  loadDataset,
  type Machine,
  NetworkModel,
  PairMachine,
  reorderClasses,
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

export type SeveralClasses = ClassMachine | PairMachine;

export function hasSeveralClasses(model: AnyModel): model is SeveralClasses {
  return model instanceof ClassMachine || model instanceof PairMachine;
}

/** Whatever model a file holds, and the file's bytes. @throws Failure */
export function readAnyModel(path: string): { readonly model: AnyModel; readonly bytes: Uint8Array } {
  const bytes = readFile(path);
  try {
    return { model: loadAnyModel(bytes), bytes };
  } catch (error) {
    throw new Failure(`${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** The machine or network of two classes in a file, which is all that `command` takes. @throws Failure */
export function readModel(
  path: string,
  command: string,
): { readonly model: Machine | NetworkModel; readonly bytes: Uint8Array } {
  const { model, bytes } = readAnyModel(path);
  if (hasSeveralClasses(model))
    throw new Failure(`${path}: ${command} takes models of two classes, got ${model.describe()}`);
  if (!(model instanceof NetworkModel) && model.task === "regression")
    throw new Failure(`${path}: ${command} takes models of two classes, got ${model.machine} trained on real targets`);
  return { model, bytes };
}

/** Runs `load`, whose errors are given the source's name. @throws Failure, Interrupted */
async function named<T>(source: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    // The SDK names the source itself when it is not there.
    if (error instanceof Interrupted || error instanceof DataSourceError) throw error;
    const { message } = error as Error;
    throw new Failure(message.startsWith(source) ? message : `${source}: ${message}`, { cause: error });
  }
}

/** Both splits of a source of two classes, or of targets. @throws Failure with the source's name, Interrupted */
export function readData(source: string, { signal }: Session, task?: "regression"): Promise<LoadedData> {
  return named(source, () => loadDataset(source, { signal, task }));
}

/** Both splits of a source of several classes. */
export function readClasses(source: string, { signal }: Session): Promise<LoadedClasses> {
  return named(source, () => loadClasses(source, { signal }));
}

/** Both splits of whatever a source holds. */
export function readAny(source: string, { signal }: Session): Promise<LoadedData | LoadedClasses> {
  return named(source, () => loadAny(source, { signal }));
}

export interface Selection {
  readonly data: string;
  readonly split?: Split;
  readonly samples?: Samples;
  readonly seed?: number;
}

/** Says so when the model was trained on something else, or on the very rows. */
async function compare<Rows extends Dataset | ClassSet>(
  { train, splits }: { readonly train: Rows; readonly splits: "separate" | "same" },
  source: string,
  model: AnyModel,
  output: Output,
): Promise<void> {
  if (splits === "same") output.note(`${source} has one split only: it is training and test set`);
  if (model.dataHash !== "" && model.dataHash !== (await train.hash()))
    output.note(`the model was trained on "${model.dataName}", not on the training set of ${source}`);
}

/** The split to look at, read as the model needs it. */
export async function readSplit(
  { data, split = "test" }: Selection,
  model: Machine | NetworkModel,
  session: Session,
  output: Output,
): Promise<Dataset> {
  const loaded = await readData(data, session, model instanceof NetworkModel ? undefined : model.task);
  await compare(loaded, data, model, output);
  return loaded[split];
}

/** The same for several classes, which come in the model's order. */
export async function readClassSplit(
  { data, split = "test" }: Selection,
  model: SeveralClasses,
  session: Session,
  output: Output,
): Promise<ClassSet> {
  const loaded = await readClasses(data, session);
  await compare(loaded, data, model, output);
  return named(data, async () => reorderClasses(loaded[split], model.classes));
}

/** Rows of a data set that --samples names, and which they are. */
export async function choose<Rows extends Dataset | ClassSet>(
  data: Rows,
  { samples, seed }: Selection,
  { runtime }: Session,
) {
  const indices = await chooseSamples(data.n, samples, seed, { runtime });
  return { indices, rows: data.subset(indices) as Rows };
}
