// ntkit certify --radius, --within: the proved interval of a machine's output on a ball, and the largest radius on which it
// hardly moves; for real targets, and for any machine. Not here: decisions (certify.ts), and the bounds (the SDK).
import { certifyOutputs, type Machine, type OutputReport, VERSION } from "ntkit";
import type { CertifyFlags } from "./certify.js";
import { machineMethod, refuseTwoClassFlags } from "./certify-classes.js";
import { UsageError } from "./errors.js";
import { readSplit } from "./inputs.js";
import { modelFacts, modelText } from "./models.js";
import { Output } from "./output.js";
import { withSession } from "./session.js";
import { alignRows, count, radius, scientific, seconds, textTable } from "./table.js";

/** Up to this many samples are listed without being asked for. */
const LISTED = 20;

/** An end of an interval, moved outward to what is shown. */
function end(value: number | null, up: boolean): string {
  if (value === null) return "-";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (value === 0) return "0";
  const unit = 10 ** (Math.floor(Math.log10(Math.abs(value))) - 5);
  const shown = Number(value.toPrecision(6));
  const inside = up ? shown >= value : shown <= value;
  return (inside ? shown : shown + (up ? unit : -unit)).toPrecision(6);
}

function reportText(report: OutputReport, facts: readonly (readonly string[])[], flags: CertifyFlags): string {
  const { samples, width, unbounded, radius: reach, perSample, rmse, r2 } = report;
  const fit = [
    ["rms error", rmse.toPrecision(6)],
    ["R^2", r2 === null ? "-" : r2.toFixed(6)],
  ];
  const widths =
    width === null
      ? []
      : [
          [`width of the interval at ${flags.radius}`, "mean", scientific(width.mean)],
          ["", "median", scientific(width.median)],
          ["", "max", scientific(width.max)],
          ...(unbounded === 0 ? [] : [["", "unbounded", count(unbounded)]]),
        ];
  const radii =
    reach === null
      ? []
      : [
          [`radius within +-${flags.within}`, "mean", radius(reach.mean)],
          ["", "median", radius(reach.median)],
          ["", "min", radius(reach.min)],
        ];
  const parts = [alignRows([...facts, ...fit], "ll"), alignRows([...widths, ...radii], "llr")];
  if (flags.perSample === true || samples <= LISTED) {
    const lines = perSample.map(({ index, target, output, lower, upper, radius: own }) => [
      String(index),
      ...[target, output].map((value) => value.toPrecision(6)),
      end(lower, false),
      end(upper, true),
      radius(own),
    ]);
    parts.push(textTable(["index", "target", "output", "lower", "upper", "radius"], lines, "rrrrrr"));
  }
  return parts.join("\n");
}

const tsvOf = ({ perSample }: OutputReport) =>
  `${[
    "index\ttarget\toutput\tlower\tupper\tradius",
    ...perSample.map(({ index, target, output, lower, upper, radius: own }) =>
      [index, target, output, lower ?? "", upper ?? "", own ?? ""].join("\t"),
    ),
  ].join("\n")}\n`;

export async function certifyModelOutputs(model: Machine, flags: CertifyFlags): Promise<void> {
  refuseTwoClassFlags(flags, "intervals of outputs");
  const { json, tsv, radius: ball, within, norm = "linf", domain = false, bracket, tolerance, samples, seed } = flags;
  if (bracket !== undefined && bracket[0] !== 0)
    throw new UsageError(`--bracket: expected 0,high with --within, got "${bracket.join(",")}"`);
  const method = machineMethod(flags) ?? "best";
  const output = new Output({ quiet: flags.quiet, data: [json, tsv] });
  await withSession(flags, async (session) => {
    session.progress.step("reading", 0);
    const data = await readSplit(flags, model, session, output);
    session.progress.step("certifying", 1, "certifying");
    const search = { radius: ball, within, limit: bracket?.[1], tolerance, samples, seed };
    const report = await certifyOutputs(model, data, { ...session.work, method, norm, domain, ...search });
    session.progress.clear();
    const metadata = {
      ...modelFacts(model),
      data: data.name,
      ...{ ball: ball ?? null, within: within ?? null, samples: samples ?? "all", seed: seed ?? 0 },
      domain: domain ? "[0, 1]" : "unbounded",
      soundness: "rigorous-f64",
      dataHash: await data.hash(),
      trainingDataHash: model.dataHash,
      modelHash: await model.hash(),
      version: VERSION,
    };
    const { seconds: spent, ...figures } = report;
    const timing = flags.timing === true ? { seconds: spent } : {};
    output.json(json, { certifies: "outputs", method, norm, ...figures, ...timing, metadata });
    output.data(tsv, tsvOf(report));
    const facts = [
      ["model", modelText(model)],
      ["data", `${data.name}, ${count(report.samples)} samples`],
      ["certificate", `${method}, ${norm}${domain ? ", inside the domain [0, 1]" : ""}, of outputs`],
      ["seconds", seconds(spent)],
    ];
    output.text(reportText(report, facts, flags));
  });
}
