// ntkit certify on several classes: the radius around each input within which the class decided for is proved to stay the
// decision. Not here: two classes (certify.ts), and the bounds (the SDK).
import { type ClassReport, certifyClasses, MACHINE_METHODS, type MachineMethod, VERSION } from "ntkit";
import type { CertifyFlags } from "./certify.js";
import { UsageError } from "./errors.js";
import { readClassSplit, type SeveralClasses } from "./inputs.js";
import { classFacts } from "./models.js";
import { Output } from "./output.js";
import { withSession } from "./session.js";
import { alignRows, count, percent, percentDown, radius, scientific, seconds, textTable } from "./table.js";

/** Up to this many samples are listed without being asked for. */
const LISTED = 20;

/** Flags of certificates of two classes alone. */
const TWO_CLASSES = ["attack", "shard", "counterexamples", "html", "beside", "soundness", "timeLimit"] as const;

/** Refuses the flags that only certificates of two classes have. @throws UsageError */
export function refuseTwoClassFlags(flags: CertifyFlags, what: string): void {
  for (const name of TWO_CLASSES)
    if (flags[name] !== undefined)
      throw new UsageError(
        `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}: expected a model of two classes, got ${what}`,
      );
}

/** The bound of machines that --method names. @throws UsageError */
export function machineMethod({ method }: CertifyFlags): MachineMethod | undefined {
  const own = MACHINE_METHODS.find((name) => name === method);
  if (method === undefined || own !== undefined) return own;
  throw new UsageError(`--method: expected ${MACHINE_METHODS.join(", ")} for a machine, got "${method}"`);
}

function reportText(report: ClassReport, model: SeveralClasses, data: string, method: string, all: boolean): string {
  const { samples, correct, accuracy, radius: own, certifiedAccuracy, perSample } = report;
  const name = (c: number) => model.classes[c] ?? "";
  const facts = [
    ["model", model.describe()],
    ["data", `${data}, ${count(samples)} samples`],
    ["certificate", method],
    ["seconds", seconds(report.seconds)],
    ["accuracy", `${percent(accuracy)} (${count(correct)} of ${count(samples)})`],
  ];
  const radii = [
    ["radius of the correct", "mean", radius(own.mean)],
    ["", "std", scientific(own.std)],
    ["", "median", radius(own.median)],
    ["", "min", radius(own.min)],
    ["", "max", radius(own.max)],
  ];
  const grid = certifiedAccuracy.map(({ epsilon, accuracy: share }, k) => [
    k === 0 ? "certified accuracy" : "",
    `at ${Number(epsilon.toPrecision(6))}`,
    percentDown(share),
  ]);
  const parts = [alignRows(facts, "ll"), alignRows(radii, "llr"), alignRows(grid, "llr")];
  if (all || samples <= LISTED) {
    const lines = perSample.map((one) => [
      String(one.index),
      ...[one.label, one.prediction, one.rival].map(name),
      one.margin.toPrecision(5),
      radius(one.radius),
      one.correct ? "yes" : "no",
    ]);
    parts.push(textTable(["index", "label", "prediction", "rival", "margin", "radius", "correct"], lines, "rrrrrrl"));
  }
  return parts.join("\n");
}

function tsvOf({ perSample }: ClassReport, { classes }: SeveralClasses): string {
  const lines = perSample.map(({ index, label, prediction, rival, margin, radius: own, correct }) =>
    [index, classes[label], classes[prediction], classes[rival], margin, own, correct].join("\t"),
  );
  return `${["index\tlabel\tprediction\trival\tmargin\tradius\tcorrect", ...lines].join("\n")}\n`;
}

export async function certifyClassModel(model: SeveralClasses, flags: CertifyFlags): Promise<void> {
  refuseTwoClassFlags(flags, "one of several classes");
  if (flags.radius !== undefined || flags.within !== undefined)
    throw new UsageError("--radius, --within: expected a machine of one output, got one of several classes");
  const { json, tsv, norm = "linf", domain = false, bracket, tolerance, samples, seed } = flags;
  const method = machineMethod(flags) ?? "best";
  const output = new Output({ quiet: flags.quiet, data: [json, tsv] });
  await withSession(flags, async (session) => {
    session.progress.step("reading", 0);
    const data = await readClassSplit(flags, model, session, output);
    session.progress.step("certifying", 1, "certifying");
    const options = { ...session.work, method, norm, domain, bracket, tolerance, samples, seed };
    const report = await certifyClasses(model, data, options);
    session.progress.clear();
    const metadata = {
      ...classFacts(model),
      data: data.name,
      samples: samples ?? "all",
      seed: seed ?? 0,
      domain: domain ? "[0, 1]" : "unbounded",
      bracket: bracket ?? null,
      tolerance: tolerance ?? null,
      soundness: "rigorous-f64",
      dataHash: await data.hash(),
      trainingDataHash: model.dataHash,
      modelHash: await model.hash(),
      version: VERSION,
    };
    const { seconds: spent, ...figures } = report;
    const timing = flags.timing === true ? { seconds: spent } : {};
    output.json(json, { certifies: "classes", method, norm, ...figures, ...timing, metadata });
    output.data(tsv, tsvOf(report, model));
    const how = `${method}, ${norm}${domain ? ", inside the domain [0, 1]" : ""}, against every other class`;
    output.text(reportText(report, model, data.name, how, flags.perSample === true));
  });
}
