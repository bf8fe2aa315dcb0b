// What the commands say of a model, machine or network. Not here: how it is read (inputs.ts) and all that a file holds
// (inspect.ts).
import { describeKernel, type Machine, NetworkModel, type RowSource, type WorkOptions } from "ntkit";
import { count } from "./table.js";

/** A few words on a model. */
export function modelText(model: Machine | NetworkModel): string {
  if (model instanceof NetworkModel) return model.describe();
  return `${model.machine}, ${describeKernel(model.kernel)}, ${count(model.rows.n)} rows`;
}

/** What a model is and was trained with, as --json writes it. */
export function modelFacts(model: Machine | NetworkModel) {
  if (!(model instanceof NetworkModel))
    return { machine: model.machine, parameters: model.parameters, kernel: model.kernel };
  const { spec, loss, centred, parameters } = model;
  return { machine: "network", parameters, network: spec, loss, centred };
}

/** The machine's decision function, or the network's outputs. */
export function decisionsOf(model: Machine | NetworkModel, rows: RowSource, work: WorkOptions): Promise<Float64Array> {
  return model instanceof NetworkModel ? model.outputs(rows, work) : model.decisionFunction(rows, work);
}
