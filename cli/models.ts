// What the commands say of a model, machine or network. Not here: how it is read (inputs.ts) and all that a file holds
// (inspect.ts).
import { describeKernel, type Machine, NetworkModel, PairMachine, type RowSource, type WorkOptions } from "ntkit";
import type { SeveralClasses } from "./inputs.js";
import { count } from "./table.js";

/** A few words on a model. */
export function modelText(model: Machine | NetworkModel): string {
  if (model instanceof NetworkModel) return model.describe();
  const targets = model.task === "regression" ? ", real targets" : "";
  return `${model.machine}${targets}, ${describeKernel(model.kernel)}, ${count(model.rows.n)} rows`;
}

/** How the machines of several classes decide together. */
export const schemeOf = (model: SeveralClasses) => (model instanceof PairMachine ? "ovo" : "ovr");

export const schemeText = (model: SeveralClasses) =>
  ({ ovr: "each class against the rest", ovo: "each class against each other, by votes" })[schemeOf(model)];

/** What a model of several classes is, as --json writes it. */
export function classFacts(model: SeveralClasses) {
  const { machine, parameters, kernel, classes } = model;
  return { machine, multiclass: schemeOf(model), classes, parameters, kernel };
}

/** What a model is and was trained with, as --json writes it. */
export function modelFacts(model: Machine | NetworkModel) {
  if (!(model instanceof NetworkModel))
    return {
      machine: model.machine,
      ...(model.task === undefined ? {} : { task: model.task }),
      parameters: model.parameters,
      kernel: model.kernel,
    };
  const { spec, loss, centred, parameters } = model;
  return { machine: "network", parameters, network: spec, loss, centred };
}

/** The machine's decision function, or the network's outputs. */
export function decisionsOf(model: Machine | NetworkModel, rows: RowSource, work: WorkOptions): Promise<Float64Array> {
  return model instanceof NetworkModel ? model.outputs(rows, work) : model.decisionFunction(rows, work);
}
