// The benchmarks' program on 500 images, as a user runs it: what it prints and how it ends. Never asserts a time.
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
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
      expect.arrayContaining(["gram", "ridge-path", "svm", "sgd", "interval", "load"]),
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
    ["gram --fast", /unknown option '--fast'/],
  ])("refuses %s with exit code 2 and a message", async (line, message) => {
    const { code, stdout, stderr } = await bench(line);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toMatch(message);
  });

  it("Ctrl-C: finished jobs are printed, the exit code is 130, no temporary folder stays", async () => {
    const { code, stdout, stderr } = await bench("load gram --n 500 --rounds 6", /gram 1\/6/);
    expect(code).toBe(130);
    expect(stderr).toContain("interrupted: 1 of 2 jobs were finished");
    expect(stdout).toContain("load");
    expect(readdirSync(folder).filter((name) => name.startsWith("ntkit-bench-"))).toEqual([]);
  });
});
