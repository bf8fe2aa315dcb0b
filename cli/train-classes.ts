// ntkit train on several classes: one machine a class or one a pair, into one model file. Not here: two classes and real
// targets (train.ts), and the machines (the SDK).
import { type ClassSet, describeKernel, GramMatrix, oneVsOne, oneVsRest } from "ntkit";
import type { SeveralClasses } from "./inputs.js";
import { classFacts, schemeText } from "./models.js";
import type { Output } from "./output.js";
import type { Session } from "./session.js";
import { alignRows, count, figure, seconds } from "./table.js";
import { kernelOf, ON_GRAM, type TrainOptions, trainerOf } from "./trainer.js";

/** Pairs have Gram matrices of their own; classes against the rest share that of all rows where the machine needs one. */
async function fitAll(options: TrainOptions, data: ClassSet, { work }: Session): Promise<SeveralClasses> {
  if (options.multiclass === "ovo") return oneVsOne(trainerOf(options)).fit(data, work);
  if (!ON_GRAM.includes(options.machine)) return oneVsRest(trainerOf(options)).fit(data, work);
  const gram = await GramMatrix.create(kernelOf(options), data, work);
  try {
    return await oneVsRest(trainerOf(options, gram)).fit(data, work);
  } finally {
    gram.dispose();
  }
}

/** The largest of each figure over the machines. */
function worst({ training }: SeveralClasses): [string, number][] {
  const names = [...new Set(training.flatMap((report) => Object.keys(report)))];
  return names.map((name) => [name, Math.max(...training.map((report) => report[name] ?? 0))]);
}

export async function trainClasses(
  options: TrainOptions,
  data: ClassSet,
  session: Session,
  output: Output,
): Promise<void> {
  const start = performance.now();
  session.progress.step("training");
  const model = await fitAll(options, data, session);
  const elapsed = (performance.now() - start) / 1000;
  const bytes = model.save();
  session.signal.throwIfAborted();
  output.data(options.out, bytes);
  session.progress.clear();
  const rows = [
    ["machine", model.machine],
    ["classes", `${model.classes.join(", ")}: ${schemeText(model)}, ${model.alphas.length} machines`],
    ...Object.entries(model.parameters).map(([name, value]) => [name, String(value)]),
    ["kernel", describeKernel(model.kernel)],
    ["data", `${data.name}, ${count(data.n)} x ${count(data.d)}`],
    ...worst(model).map(([name, value]) => [`${name}, largest`, figure(value)]),
    ["seconds", seconds(elapsed)],
    ["file", `${options.out}, ${count(model.rows.n)} rows, ${count(bytes.length)} bytes`],
  ];
  output.text(alignRows(rows, "ll"));
  if (options.json === undefined) return;
  output.json(options.json, {
    model: options.out,
    bytes: bytes.length,
    ...classFacts(model),
    rows: model.rows.n,
    columns: model.rows.d,
    training: model.training,
    trainingRows: data.n,
    seconds: elapsed,
    data: model.dataName,
    dataHash: model.dataHash,
    modelHash: await model.hash(),
  });
}
