// Ctrl-C: what is finished stays valid on disk, what is not leaves no trace.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { ntk } from "../../sdk/kernels/kernel.js";
import { Machine } from "../../sdk/machines/machine.js";
import { uniform, writePoints } from "./points.js";
import { run, scratchFolder, shell } from "./run.js";

const folder = scratchFolder();
const ROWS = 12_000;
const TESTS = 8_000;

beforeAll(() => {
  writePoints(folder, "points.npz", 4_000, TESTS);
  // Any coefficients do: what counts is that certifying takes half a minute.
  const machine = new Machine({
    machine: "krr",
    parameters: { lambda: 1 },
    kernel: ntk(),
    rows: { n: ROWS, d: 8, x: uniform(ROWS * 8, 3), scale: 1 },
    alpha: uniform(ROWS, 4),
    bias: 0,
    training: {},
    dataHash: "",
    dataName: "made for the test",
  });
  writeFileSync(join(folder, "large.safetensors"), machine.save());
});

describe("Ctrl-C", () => {
  test("while certifying: the finished samples are in valid files, the exit code is 130", async () => {
    const certify = "certify large.safetensors --data points.npz --tolerance 1e-9 --json report.json --tsv radii.tsv";
    // A machine under load may not have begun by the first delay.
    for (const delay of [2_000, 6_000, 12_000]) {
      const { code, stderr } = await shell(certify, { folder, interrupts: [delay] });
      expect(code).toBe(130);
      expect(stderr).toContain("ntkit: interrupted: ");
      if (existsSync(join(folder, "report.json"))) break;
    }
    const report = JSON.parse(readFileSync(join(folder, "report.json"), "utf8"));
    expect(report.metadata.complete).toBe(false);
    expect(report.samples).toBeGreaterThan(0);
    expect(report.samples).toBeLessThan(TESTS);
    expect(report.perSample).toHaveLength(report.samples);
    const lines = readFileSync(join(folder, "radii.tsv"), "utf8").trimEnd().split("\n");
    expect(lines).toHaveLength(report.samples + 1);
  });

  test("while training: nothing is written", async () => {
    const train = "train --data points.npz --machine svm-sgd --epochs 1000000 --out never.safetensors";
    const { code, signal } = await shell(train, { folder, interrupts: [1_500] });
    expect(code === 130 || signal === "SIGINT").toBe(true);
    expect(existsSync(join(folder, "never.safetensors"))).toBe(false);
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  test("twice: the process is gone within a second", async () => {
    const start = performance.now();
    const train = "train --data points.npz --machine svm-sgd --epochs 1000000 --out never.safetensors".split(" ");
    const { code, signal } = await run(train, { folder, interrupts: [1_500, 1_510] });
    expect(code === 130 || signal === "SIGINT").toBe(true);
    expect(performance.now() - start).toBeLessThan(4_000);
  });
});
