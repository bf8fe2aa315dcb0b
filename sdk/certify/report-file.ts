// The forms that reports are written in: JSON, which reads back bit for bit, and TSV. Radii are printed rounded down.
// Not here: what stands in a report (report.ts), parts put together (merge.ts), pages (plots/report-page.ts).
import { checkChoice, checkNumber, checkObject, describe } from "../validate.js";
import { NORMS } from "./method.js";
import type { SavedCertificate, SavedReport } from "./report.js";

export interface ReportFileOptions {
  /** Also write wall times, which differ from run to run. Default false: the same run gives the same bytes. */
  readonly timing?: boolean | undefined;
}

/** A radius in `digits` significant digits, rounded down: what is printed is still certified. */
export function formatRadius(radius: number, digits = 4): string {
  if (!(radius > 0)) return "0";
  let text = radius.toPrecision(digits);
  if (Number(text) > radius) {
    const ulp = 10 ** (Math.floor(Math.log10(radius)) - digits + 1);
    text = (Math.floor(radius / ulp - 1e-9) * ulp).toPrecision(digits);
    if (Number(text) > radius) text = (Number(text) - ulp).toPrecision(digits);
  }
  return text;
}

const COLUMNS = ["index", "label", "prediction", "decision", "radius", "correct", "verdict"] as const;

/** Columns of a report's TSV: attacks and times only where there are any. */
function columnsOf({ perSample }: SavedReport, timing: boolean): readonly (keyof SavedCertificate)[] {
  const has = (column: keyof SavedCertificate) => perSample.some((certificate) => certificate[column] !== undefined);
  return [
    ...COLUMNS,
    ...(["timedOut", "attackRadius", "ratio"] as const).filter(has),
    ...(timing && has("seconds") ? (["seconds"] as const) : []),
  ];
}

/** One line a sample, tab-separated, with a header line. What is not known is left empty. */
export function reportToTsv(report: SavedReport, { timing = false }: ReportFileOptions = {}): string {
  const columns = columnsOf(report, timing);
  const lines = report.perSample.map((certificate) =>
    columns.map((column) => `${certificate[column] ?? ""}`).join("\t"),
  );
  return `${[columns.join("\t"), ...lines].join("\n")}\n`;
}

/** The report as indented JSON, without adversarial inputs. */
export function reportToJson(report: SavedReport, { timing = false }: ReportFileOptions = {}): string {
  const left = (key: string) => key === "adversarial" || (key === "seconds" && !timing);
  return `${JSON.stringify(report, (key, value) => (left(key) ? undefined : value), 2)}\n`;
}

function checkSample(name: string, value: unknown): void {
  const { index, radius, correct } = checkObject(name, value);
  checkNumber(`${name}.index`, index, { min: 0, integer: true });
  checkNumber(`${name}.radius`, radius, { min: 0 });
  if (typeof correct !== "boolean")
    throw new TypeError(`${name}.correct: expected true or false, got ${describe(correct)}`);
}

/** Returns `value` when it has a report's shape. @throws TypeError, RangeError with the field's name */
export function checkReport(name: string, value: unknown): SavedReport {
  const { method, norm, metadata, perSample, certifies } = checkObject(name, value);
  if (certifies !== undefined)
    throw new RangeError(`${name}: expected certificates of two classes, got those of ${certifies}`);
  if (typeof method !== "string") throw new TypeError(`${name}.method: expected a string, got ${describe(method)}`);
  checkChoice(`${name}.norm`, norm, NORMS);
  checkObject(`${name}.metadata`, metadata);
  if (!Array.isArray(perSample))
    throw new TypeError(`${name}.perSample: expected an array of certificates, got ${describe(perSample)}`);
  perSample.forEach((sample, k) => {
    checkSample(`${name}.perSample[${k}]`, sample);
  });
  return value as SavedReport;
}

/** The report in a JSON text. @throws SyntaxError for anything else than JSON; TypeError, RangeError for other JSON */
export function readReport(text: string): SavedReport {
  return checkReport("report", JSON.parse(text));
}
