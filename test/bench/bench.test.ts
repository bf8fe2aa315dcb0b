// The benchmarks' program on 500 images, as a user runs it: what it prints and how it ends. Never asserts a time.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it, vi } from "vitest";

const PROGRAM = fileURLToPath(new URL("../../dist/bench.js", import.meta.url));

// Processes start slowly on a machine that is busy with other tests.
vi.setConfig({ testTimeout: 120_000 });

/** The program's own temporary folder is looked for here. */
const folder = mkdtempSync(join(tmpdir(), "ntkit-test-bench-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One run; with `interrupt` Ctrl-C is pressed as soon as standard error matches it. */
function bench(line: string, interrupt?: RegExp): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [PROGRAM, ...line.split(" ")], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, TMPDIR: folder },
    });
    let stdout = "";
    let stderr = "";
    let interrupted = false;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      // Once: a second time ends any program at once.
      if (!interrupted && interrupt?.test(stderr)) interrupted = child.kill("SIGINT");
    });
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
}

const number = expect.any(Number);
const spread = { median: number, min: number, max: number };

describe("bench", () => {
  it("prints the measurements of a job as JSON, with the figures that show its answer right", async () => {
    const { code, stdout, stderr } = await bench("gram --n 500 --rounds 2 --threads 1 --json -");
    expect(stderr.trimEnd().split("\n")).toHaveLength(2);
    expect(code).toBe(0);
    const results = JSON.parse(stdout);
    expect(results).toMatchObject({ version: expect.any(String), complete: true, n: 500, threads: 1 });
    expect(results.machine).toMatchObject({ cpu: expect.any(String), cores: number, node: process.versions.node });
    expect(results.jobs).toHaveLength(1);
    const [job] = results.jobs;
    expect(job).toMatchObject({ name: "gram", seconds: spread, startUpSeconds: spread, peakBytes: number, peers: [] });
    expect(job.check).toEqual({ ok: true, figures: { mean: number, error: number } });
    expect(job.check.figures.error).toBeLessThan(1e-12);
    expect(job.runs).toHaveLength(2);
    for (const run of job.runs) expect(run).toMatchObject({ job: "gram", seconds: number, peakBytes: number });
    expect(job.seconds.min).toBeLessThanOrEqual(job.seconds.median);
    expect(job.seconds.median).toBeLessThanOrEqual(job.seconds.max);
  });

  it("hands the trained machine from one process to the next, and checks every job", async () => {
    const file = join(folder, "all.json");
    const { code, stdout } = await bench(`--no-peers --n 500 --rounds 1 --json ${file}`);
    expect(code).toBe(0);
    const { jobs } = JSON.parse(readFileSync(file, "utf8"));
    expect(jobs.map(({ name }: { name: string }) => name)).toEqual(
      expect.arrayContaining([
        "gram",
        "ridge-path",
        "svm",
        "sgd",
        "interval",
        "load",
        "network-1000",
        "network-10000",
        "ibp",
      ]),
    );
    for (const { name, check, error } of jobs) {
      expect.soft(error, name).toBeUndefined();
      expect.soft(check?.ok, name).toBe(true);
      expect.soft(stdout).toContain(name);
    }
  });

  it.each([
    ["nonsense", /job: expected one of .*gram.*, got "nonsense"/],
    ["gram --rounds 0", /--rounds: expected an integer >= 1/],
    ["gram --n 500 --write", /--write: expected the whole data set, got --n/],
    ["gram --n 500 --out .", /--out: expected the whole data set, got --n/],
    ["network-1000-tfjs", /job: expected one of .*network-1000,.*, got "network-1000-tfjs"/],
    ["gram --fast", /unknown option '--fast'/],
  ])("refuses %s with exit code 2 and a message", async (line, message) => {
    const { code, stdout, stderr } = await bench(line);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toMatch(message);
  });

  it("runs a peer that is a job of its own: TensorFlow.js ends with our loss to 1e-3 after an epoch", async () => {
    const { stdout } = await bench("network-1000 --peers --n 500 --rounds 1 --json -");
    const [job] = JSON.parse(stdout).jobs;
    const peer = job.peers.find(({ script }: { script: string }) => script === "network-1000-tfjs");
    expect(peer).toMatchObject({ seconds: spread, ratio: spread, asked: 0.1, peakBytes: number, disagreements: [] });
    // The loss that it starts from is 1.
    expect(peer.runs[0].hinge).toBeLessThan(0.95);
  });

  it("renews the rows of the jobs that ran and leaves the others as they are", async () => {
    const out = join(folder, "kept");
    mkdirSync(out);
    const first = await bench(`load --rounds 1 --write --out ${out}`);
    expect([first.code, first.stderr]).toEqual([
      0,
      expect.stringContaining("load: its rows of RESULTS.md are written"),
    ]);
    const file = join(out, "results.json");
    const before = JSON.parse(readFileSync(file, "utf8")).jobs;
    expect(before).toMatchObject([
      { name: "load", date: expect.any(String), peers: [], answer: "12665 + 2115 images" },
    ]);
    // A row of another job, on another day and machine.
    const old = {
      ...before[0],
      name: "gram",
      date: "2026-01-02T03:04:05.000Z",
      answer: "an older answer",
      threads: 77,
    };
    writeFileSync(file, JSON.stringify({ jobs: [old, ...before] }));
    expect((await bench(`load --rounds 1 --write --out ${out}`)).code).toBe(0);
    const after = JSON.parse(readFileSync(file, "utf8")).jobs;
    expect(after.map(({ name }: { name: string }) => name)).toEqual(["load", "gram"]);
    expect(after[1]).toEqual(old);
    expect(Date.parse(after[0].date)).toBeGreaterThan(Date.parse(before[0].date));
    const text = readFileSync(join(out, "RESULTS.md"), "utf8");
    expect(text).toMatch(/\| gram .*2026-01-02 \|/);
    expect(text).toContain("an older answer");
    expect(text).toMatch(/^- gram: .*77 threads/m);
    expect(text).toMatch(/^- load: /m);
  });

  it("refuses a record that it can not read before any job, and does not touch it", async () => {
    const out = join(folder, "torn");
    mkdirSync(out);
    writeFileSync(join(out, "results.json"), '{"jobs": [');
    const { code, stderr, stdout } = await bench(`load --rounds 1 --write --out ${out}`);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("is not a record of measurements, mend or remove it");
    expect(readFileSync(join(out, "results.json"), "utf8")).toBe('{"jobs": [');
  });

  it("Ctrl-C: finished jobs are printed, the exit code is 130, no temporary folder stays", async () => {
    const { code, stdout, stderr } = await bench("load gram --n 500 --rounds 6", /gram 1\/6/);
    expect(code).toBe(130);
    expect(stderr).toContain("interrupted: 1 of 2 jobs were finished");
    expect(stdout).toContain("load");
    expect(readdirSync(folder).filter((name) => name.startsWith("ntkit-bench-"))).toEqual([]);
  });
});
