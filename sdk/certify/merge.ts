// Parts of a report, certified on different computers, put together: exactly the report of one run over all samples.
// Not here: which samples a part has (samples.ts).
import { ReportMismatchError } from "../errors.js";
import { describe } from "../validate.js";
import { type ReportHeader, reportFigures, type SavedCertificate, type SavedReport } from "./report.js";
import { checkReport } from "./report-file.js";
import { checkShard, type Shard, shardSize } from "./samples.js";

export interface MergeOptions {
  /** What the parts are called in messages, their files for instance. Default "parts[0]", "parts[1]", ... */
  readonly names?: readonly string[] | undefined;
}

interface Part {
  readonly name: string;
  readonly report: SavedReport;
  readonly shard: Shard;
  /** Samples of all parts together. */
  readonly total: number;
}

const shown = ({ index, count }: Shard) => `${index}/${count}`;

function readPart(name: string, value: unknown): Part {
  const report = checkReport(name, value);
  const { shard, complete } = report.metadata;
  if (shard === undefined)
    throw new ReportMismatchError("shard", [name], `${name}: no part of a report, certify with --shard makes one`);
  const own = checkShard(shard);
  const total = (shard as { of?: unknown }).of;
  if (!(Number.isSafeInteger(total) && (total as number) >= 1))
    throw new RangeError(`${name}.metadata.shard.of: expected an integer >= 1, got ${describe(total)}`);
  if (complete !== true)
    throw new ReportMismatchError("complete", [name], `${name}: it was interrupted, certify shard ${shown(own)} again`);
  return { name, report, shard: own, total: total as number };
}

/** What must be the same in all parts, by name. */
function commonFields({ report, shard, total }: Part): Record<string, unknown> {
  const { shard: _, ...metadata } = report.metadata;
  return { shards: shard.count, chosen: total, method: report.method, norm: report.norm, ...metadata };
}

function text(value: unknown): string {
  const json = JSON.stringify(value) ?? "nothing";
  return json.length > 70 ? `${json.slice(0, 67)}...` : json;
}

function checkSame(first: Part, other: Part): void {
  const [a, b] = [commonFields(first), commonFields(other)];
  for (const field of new Set([...Object.keys(a), ...Object.keys(b)])) {
    if (JSON.stringify(a[field]) === JSON.stringify(b[field])) continue;
    const what = `${field} must be the same in all parts: ${first.name} has ${text(a[field])}, ${other.name} has ${text(b[field])}`;
    throw new ReportMismatchError(field, [first.name, other.name], what);
  }
}

/** Parts in the order of their shards: each one once. */
function ordered(parts: readonly Part[]): Part[] {
  const count = parts[0]?.shard.count ?? 0;
  const places: (Part | undefined)[] = Array.from({ length: count });
  for (const part of parts) {
    const other = places[part.shard.index];
    if (other !== undefined) {
      const what = `shard ${shown(part.shard)} is there twice: in ${other.name} and ${part.name}`;
      throw new ReportMismatchError("shard", [other.name, part.name], what);
    }
    places[part.shard.index] = part;
  }
  const missing = Array.from(places.keys()).filter((index) => places[index] === undefined);
  if (missing.length > 0) {
    const list = missing.slice(0, 10).map((index) => shown({ index, count }));
    const rest = missing.length > 10 ? ` and ${missing.length - 10} more` : "";
    throw new ReportMismatchError("shard", [], `missing shards: ${list.join(", ")}${rest}`);
  }
  return places.filter((part) => part !== undefined);
}

/** Samples of all parts in the order of one run. */
function interleave(parts: readonly Part[]): SavedCertificate[] {
  const total = parts[0]?.total ?? 0;
  for (const { name, report, shard } of parts) {
    const expected = shardSize(total, shard);
    if (report.perSample.length === expected) continue;
    const what = `${name}: expected ${expected} samples in shard ${shown(shard)} of ${total}, got ${report.perSample.length}`;
    throw new ReportMismatchError("perSample", [name], what);
  }
  const samples = Array.from({ length: total }, (_, k) => {
    const sample = parts[k % parts.length]?.report.perSample[Math.floor(k / parts.length)];
    return sample as SavedCertificate;
  });
  samples.forEach(({ index }, k) => {
    const before = samples[k - 1]?.index ?? -1;
    if (index > before) return;
    const name = parts[k % parts.length]?.name ?? "";
    throw new ReportMismatchError("index", [name], `${name}: expected a sample after row ${before}, got row ${index}`);
  });
  return samples;
}

/**
 * The report of one run, from the parts that its shards wrote, in any order: reportToJson() of it is that run's byte for
 * byte. Aggregates are computed again from the samples. Wall times, where every part has them, are added up.
 * @throws ReportMismatchError when parts do not belong together, or some are missing or there twice; TypeError, RangeError
 */
export function mergeReports(parts: readonly SavedReport[], { names }: MergeOptions = {}): SavedReport {
  if (!Array.isArray(parts)) throw new TypeError(`parts: expected an array of reports, got ${describe(parts)}`);
  if (parts.length === 0) throw new RangeError("parts: expected at least one report, got none");
  const read = parts.map((part, k) => readPart(names?.[k] ?? `parts[${k}]`, part));
  const first = read[0] as Part;
  for (const other of read) checkSame(first, other);
  const inOrder = ordered(read);
  const samples = interleave(inOrder);
  const { shard: _, ...metadata } = first.report.metadata;
  const { method, norm } = first.report;
  const header: ReportHeader = { method, norm, metadata };
  const times = inOrder.flatMap(({ report }) => (report.seconds === undefined ? [] : [report.seconds]));
  const seconds = times.length < inOrder.length ? {} : { seconds: times.reduce((sum, time) => sum + time, 0) };
  return { ...reportFigures(samples), ...seconds, ...header, perSample: samples };
}
