// What is kept of measurements: the record merges job by job, and bench/RESULTS.md is the record's own text.
// Not here: the program that writes them (bench.test.ts).
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { JobResult } from "../../bench/compare.js";
import type { JobDescription } from "../../bench/job.js";
import { JOBS } from "../../bench/jobs/index.js";
import { mergeRecord, type RecordedJob, readRecord } from "../../bench/record.js";
import { type Results, recordToMarkdown } from "../../bench/results.js";

const BENCH = fileURLToPath(new URL("../../bench/", import.meta.url));

const machine = { cpu: "abacus", cores: 2, memoryGiB: 1, platform: "desk", node: "20", python: undefined };
const jobs = ["a", "b", "c"].map(
  (name): JobDescription => ({ name, what: `job ${name}`, why: "it must", peers: [], says: () => "" }),
);
const second = { median: 1, min: 1, max: 1 };

function result(name: string, answer: string): JobResult {
  const peer = { script: "p", what: "a peer", asked: 0.5, ratio: second, met: false, seconds: second, peakBytes: 1e6 };
  return {
    name,
    what: `job ${name}`,
    seconds: second,
    startUpSeconds: second,
    gramSeconds: undefined,
    peakBytes: 1e6,
    check: { ok: true, figures: {} },
    answer,
    error: undefined,
    peers: [{ ...peer, disagreements: [], answer: "its own", error: undefined, runs: [] }],
    runs: [],
  };
}

function results(date: string, ...own: JobResult[]): Results {
  return { version: "1", date, complete: true, n: null, threads: 2, machine, jobs: own };
}

describe("mergeRecord", () => {
  const first = mergeRecord([], results("2026-01-01", result("c", "old c"), result("a", "old a")), jobs);

  it("keeps jobs in their own order, without single runs", () => {
    expect(first.map(({ name, date }) => [name, date])).toEqual([
      ["a", "2026-01-01"],
      ["c", "2026-01-01"],
    ]);
    for (const job of first) {
      expect(job).not.toHaveProperty("runs");
      expect(job.peers[0]).not.toHaveProperty("runs");
    }
  });

  it("puts new jobs in place of older ones and touches no other; forgets jobs that are no more", () => {
    const gone = { ...first[0], name: "gone" } as RecordedJob;
    const merged = mergeRecord(
      [gone, ...first],
      results("2026-02-02", result("c", "new c"), result("b", "new b")),
      jobs,
    );
    expect(merged.map(({ name, answer, date }) => [name, answer, date])).toEqual([
      ["a", "old a", "2026-01-01"],
      ["b", "new b", "2026-02-02"],
      ["c", "new c", "2026-02-02"],
    ]);
    expect(merged[0]).toBe(first[0]);
  });

  it("survives its file: what is written is what was merged", () => {
    const read = JSON.parse(JSON.stringify({ jobs: first })).jobs;
    expect(recordToMarkdown(read, jobs)).toBe(recordToMarkdown(first, jobs));
  });
});

describe("recordToMarkdown", () => {
  it("dates each row, and says once on what all were measured", () => {
    const record = mergeRecord([], results("2026-01-01T10:00", result("a", "yes")), jobs);
    const renewed = mergeRecord(record, results("2026-02-02T10:00", result("b", "yes")), jobs);
    const text = recordToMarkdown(renewed, jobs);
    expect(text).toMatch(/^\| a .*\*\*no\*\*.*2026-01-01 \|$/m);
    expect(text).toMatch(/^\| b .*\*\*no\*\*.*2026-02-02 \|$/m);
    expect(text.match(/abacus/g)).toHaveLength(1);
    expect(text).toContain("- All rows: abacus");
  });
});

describe("bench/RESULTS.md", () => {
  it("is the text of bench/results.json, every job of which there is", async () => {
    const record = await readRecord(BENCH);
    expect(record.length).toBeGreaterThan(0);
    for (const { name } of record) expect(JOBS.map((job) => job.name)).toContain(name);
    expect(readFileSync(`${BENCH}RESULTS.md`, "utf8")).toBe(recordToMarkdown(record, JOBS));
  });
});
