// Any model file: a machine, a finite network, or machines for several classes. Not here: the files (machines/model-file.ts,
// machines/class-file.ts, networks/model.ts).
import { readSafetensors } from "./data/safetensors.js";
import { classFileKind } from "./machines/class-file.js";
import type { Machine } from "./machines/machine.js";
import { PairMachine } from "./machines/one-vs-one.js";
import { ClassMachine } from "./machines/one-vs-rest.js";
import { loadModel, type NetworkModel } from "./networks/model.js";

export type AnyModel = Machine | NetworkModel | ClassMachine | PairMachine;

/** Whatever a model file holds; the metadata says what it is. @throws TypeError, FormatError with the byte offset */
export function loadAnyModel(bytes: Uint8Array): AnyModel {
  const kind = classFileKind(readSafetensors(bytes).metadata);
  if (kind === undefined) return loadModel(bytes);
  return kind === "classes" ? ClassMachine.load(bytes) : PairMachine.load(bytes);
}
